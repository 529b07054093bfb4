#include <string.h>

#include "audit/event.h"
#include "base/own.h"
#include "format/utf8.h"

static const enum event_kind request_kinds[] = {
	[BERM_REQUEST_FILE] = EVENT_FILE,
	[BERM_REQUEST_SOCKET] = EVENT_SOCKET,
	[BERM_REQUEST_NET] = EVENT_NET,
	[BERM_REQUEST_PROCESS] = EVENT_PROCESS,
};

/* The flag that would allow an op on an object, and whether it is the object's folder that must be named: names are made
 * and removed by writing to their folder. */
struct grant_row {
	enum berm_request_kind kind;
	enum berm_request_op op;
	const char *flag;
	bool folder;
};
static const struct grant_row grant_rows[] = {
	{BERM_REQUEST_FILE, BERM_OP_READ, "-r", false},
	{BERM_REQUEST_FILE, BERM_OP_EXEC, "-x", false},
	{BERM_REQUEST_FILE, BERM_OP_WRITE, "-w", false},
	{BERM_REQUEST_FILE, BERM_OP_META, "-w", false},
	{BERM_REQUEST_FILE, BERM_OP_CREATE, "-w", true},
	{BERM_REQUEST_FILE, BERM_OP_DELETE, "-w", true},
	{BERM_REQUEST_FILE, BERM_OP_RENAME, "-w", true},
	{BERM_REQUEST_FILE, BERM_OP_LINK, "-w", true},
	{BERM_REQUEST_SOCKET, BERM_OP_CONNECT, "--socket", false},
	{BERM_REQUEST_SOCKET, BERM_OP_SEND, "--socket", false},
	{BERM_REQUEST_SOCKET, BERM_OP_BIND, "-w", true},
	{BERM_REQUEST_NET, BERM_OP_CONNECT, "-n host", false},
	{BERM_REQUEST_NET, BERM_OP_SEND, "-n host", false},
	{BERM_REQUEST_NET, BERM_OP_BIND, "-n host", false},
	{BERM_REQUEST_NET, BERM_OP_LISTEN, "-n host", false},
	{BERM_REQUEST_PROCESS, BERM_OP_SIGNAL, "--allow signals", false},
};

static bool is_shell_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       strchr("/._-+,:@%", c) != NULL;
}

/* A word as a shell takes it, NUL-terminated; false if it does not fit. */
static bool shell_quote(struct str word, char *ret, size_t size)
{
	size_t len = 0;
	bool plain = word.len > 0;
	for (size_t i = 0; i < word.len; i++)
		plain = plain && word.ptr[i] != '\0' && is_shell_plain(word.ptr[i]);
	if (!plain)
		ret[len++] = '\'';
	for (size_t i = 0; i < word.len; i++) {
		struct str piece = word.ptr[i] == '\'' ? STR("'\\''") : (struct str){word.ptr + i, 1};
		if (len + piece.len + 2 > size)
			return false;
		memcpy(ret + len, piece.ptr, piece.len);
		len += piece.len;
	}
	if (!plain)
		ret[len++] = '\'';
	ret[len] = '\0';
	return true;
}

static struct str folder_of(struct str path)
{
	size_t len = path.len;
	while (len > 0 && path.ptr[len - 1] != '/')
		len--;
	return (struct str){path.ptr, len > 1 ? len - 1 : len};
}

static const struct grant_row *grant_row_of(const struct berm_request *request)
{
	for (size_t i = 0; i < ARRAY_LEN(grant_rows); i++)
		if (grant_rows[i].kind == request->kind && grant_rows[i].op == request->op)
			return &grant_rows[i];
	return NULL;
}

static void grant_find(const struct berm_request *request, char *ret_grant, size_t size)
{
	const struct grant_row *row = grant_row_of(request);
	ret_grant[0] = '\0';
	if (row == NULL)
		return;
	size_t len = strlen(row->flag);
	memcpy(ret_grant, row->flag, len + 1);
	if (row->kind == BERM_REQUEST_NET || row->kind == BERM_REQUEST_PROCESS)
		return;
	struct str path = str_from(request->object);
	if (row->folder)
		path = folder_of(path);
	ret_grant[len] = ' ';
	bool root = str_eq(path, STR("/"));
	if (root || !str_starts(path, STR("/")) || !shell_quote(path, ret_grant + len + 1, size - len - 1))
		ret_grant[0] = '\0'; /* no object, an abstract socket, "/": there is no such flag */
}

void event_from_request(const struct berm_request *request, const struct event_by *by, struct event *ret_event)
{
	memset(ret_event, 0, sizeof *ret_event);
	ret_event->time_ns = request->time_ns;
	ret_event->generation = 1;
	ret_event->kind = request_kinds[request->kind];
	ret_event->op = event_op_word(request->op);
	ret_event->object.path = request->object;
	ret_event->object.as = strcmp(request->as, request->object) == 0 ? NULL : request->as;
	ret_event->object.dev = request->dev;
	ret_event->object.ino = request->ino;
	ret_event->object.mode = request->mode;
	ret_event->task.pid = request->pid;
	ret_event->task.exe = request->exe;
	ret_event->decided = !request->open;
	ret_event->verdict = request->verdict;
	ret_event->error = request->error;
	ret_event->detail = request->detail;
	ret_event->count = request->count > 0 ? request->count : 1;
	if (by != NULL)
		ret_event->by = *by;
	bool denied = !request->open && request->verdict == BERM_VERDICT_DENY;
	if (denied && (by == NULL || !by->narrows))
		grant_find(request, ret_event->grant, sizeof ret_event->grant);
}

/* ---- for people -------------------------------------------------------------------------------------------------- */

static bool text_is_set(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == NULL ? path : slash + 1;
}

/* What commands a terminal, and what is not UTF-8, as '?'. */
static void put_plain(struct buf *out, const char *bytes)
{
	struct str text = str_from(bytes);
	while (text.len > 0) {
		size_t len = utf8_length(text);
		if (len == 0 || utf8_is_control(text, len))
			buf_putc(out, '?');
		else
			buf_put(out, text.ptr, len);
		len += len == 0;
		text = (struct str){text.ptr + len, text.len - len};
	}
}

static void put_who(struct buf *out, const struct event *event)
{
	if (!text_is_set(event->task.exe))
		return;
	buf_puts(out, " by ");
	put_plain(out, base_name(event->task.exe));
	if (event->task.pid > 0)
		buf_printf(out, " (pid %lld)", (long long)event->task.pid);
}

static void put_because(struct buf *out, const struct event *event)
{
	buf_puts(out, ": ");
	put_plain(out, text_is_set(event->by.text) ? event->by.text : "nothing grants it");
	if (!text_is_set(event->detail))
		return;
	buf_puts(out, ": ");
	put_plain(out, event->detail);
}

void event_sentence(const struct event *event, struct buf *out)
{
	buf_puts(out, event->verdict == BERM_VERDICT_DENY ? "denied: " : "allowed: ");
	buf_puts(out, event->op);
	buf_puts(out, " '");
	put_plain(out, event->object.path != NULL ? event->object.path : "");
	buf_putc(out, '\'');
	put_who(out, event);
	if (event->verdict != BERM_VERDICT_DENY)
		return;
	put_because(out, event);
	if (event->count > 1)
		buf_printf(out, " (%u times)", event->count);
	buf_puts(out, "; retrying will not help");
	if (event->grant[0] == '\0')
		return;
	buf_puts(out, "; would be allowed by ");
	put_plain(out, event->grant);
}
