#include "cli/why_hook.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/env.h"
#include "base/own.h"
#include "cli/commands.h"
#include "cli/denial_text.h"
#include "cli/say.h"
#include "cli/why_denials.h"
#include "format/json_out.h"
#include "format/node.h"
#include "os/fd.h"
#include "session/denials.h"

enum {
	TOLD_MAX = 10, /* denials, the newest */
	TOLD_BYTES = 16 * 1024,
	INPUT_MAX = NODE_MAX_BYTES,
	FILE_MAX = DENIALS_MAX_BYTES + EVENT_LINE_MAX,
	ARENA_MAX = 64 * 1024 * 1024,
	PIECE = 4096,
	NUMBER_MAX = 24,
	WAIT_STEP_MS = 10,
	MARK_PATH_MAX = 1024,
};

/* Claude Code: hooks reference, PreToolUse and others. Codex has the same names. Gemini CLI: BeforeTool, AfterTool, with the
 * same output. OpenCode has plugins, which pass this on and take text. */
static const struct hook_agent agents[] = {
	{"claude-code", "PreToolUse", {"PostToolUse", "PostToolUseFailure"}, {20, 200}, false},
	{"codex", "PreToolUse", {"PostToolUse"}, {60}, false},
	{"gemini-cli", "BeforeTool", {"AfterTool"}, {60}, false},
	{"opencode", "before", {"after"}, {60}, true},
};

const struct hook_agent *why_hook_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(agents); i++)
		if (strcmp(agents[i].name, name) == 0)
			return &agents[i];
	return NULL;
}

/* ---- what is told ------------------------------------------------------------------------------------------------ */

/* Can this byte be part of a longer name? */
static bool is_of_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool names(struct str text, const char *name)
{
	size_t len = name != NULL ? strlen(name) : 0;
	const char *end = text.ptr + text.len;
	if (len == 0 || text.len == 0)
		return false;
	for (const char *at = text.ptr; (at = memmem(at, (size_t)(end - at), name, len)) != NULL; at++) {
		bool starts = at == text.ptr || !is_of_name(at[-1]);
		if (starts && (at + len == end || (!is_of_name(at[len]) && at[len] != '/')))
			return true;
	}
	return false;
}

/* Shells and tools look around, and go on without what they do not see: a read is told of only if the tool says a word of
 * it. */
static bool matters(const struct event *event, struct str said)
{
	const char *path = event->object.path, *slash = path != NULL ? strrchr(path, '/') : NULL;
	if (event->kind != EVENT_FILE || strcmp(event->op, "read") != 0)
		return true;
	return names(said, path) || names(said, event->object.as) ||
	       (slash != NULL && slash[1] != '\0' && names(said, slash + 1));
}

static bool is_denial(const struct event *event, const struct hook_call *call)
{
	return event->decided && event->verdict == BERM_VERDICT_DENY && event->seq > call->marked &&
	       matters(event, call->said);
}

uint64_t why_hook_newest(const struct event_list *list)
{
	uint64_t newest = 0;
	for (size_t i = 0; i < list->count; i++)
		newest = list->items[i].seq > newest ? list->items[i].seq : newest;
	return newest;
}

static size_t count_new(const struct event_list *list, const struct hook_call *call)
{
	size_t count = 0;
	for (size_t i = 0; i < list->count; i++)
		count += is_denial(&list->items[i], call);
	return count;
}

static void put_text(const struct event_list *list, const struct hook_call *call, size_t count, struct buf *out)
{
	size_t skipped = count > TOLD_MAX ? count - TOLD_MAX : 0;
	buf_puts(out,
		 "berm, the sandbox that this session runs in, denied this while the tool ran. It is policy, no fault "
		 "of the program or of the network; ways around it are closed too. Go on without it, or tell the "
		 "user which option would allow it in the next run:\n");
	if (skipped > 0)
		buf_printf(out, "(%zu more)\n", skipped);
	for (size_t i = 0; i < list->count; i++) {
		if (!is_denial(&list->items[i], call) || (skipped > 0 && skipped--))
			continue;
		denial_text_put(&list->items[i], out);
	}
}

void why_hook_put(const struct hook_agent *agent, const struct hook_call *call, const struct event_list *list,
		  struct buf *out)
{
	struct json_out json;
	auto_buf struct buf text;
	buf_init(&text, (size_t)TOLD_BYTES * TOLD_MAX);
	size_t count = count_new(list, call);
	if (count == 0)
		return;
	put_text(list, call, count, &text);
	if (buf_check(&text, NULL) != BERM_OK)
		return;
	if (agent->plain) {
		buf_put_str(out, buf_str(&text));
		return;
	}
	json_init(&json, out);
	json_object(&json, NULL);
	json_object(&json, "hookSpecificOutput");
	json_text(&json, "hookEventName", str_from(call->event));
	json_text(&json, "additionalContext", buf_str(&text));
	json_object_end(&json);
	json_object_end(&json);
	buf_putc(out, '\n');
}

/* ---- marks ------------------------------------------------------------------------------------------------------- */

/* In the sandbox's own temporary folder: the mark of a tool's run, by what the agent calls it. It is as good as whoever can
 * write there, who is inside. */
static bool mark_path(const struct hook_agent *agent, struct str call, char ret_path[static MARK_PATH_MAX])
{
	uint64_t hash = 0xcbf29ce484222325U; /* FNV-1a */
	const char *folder = env_get((const char *const *)environ, "TMPDIR");
	for (size_t i = 0; i < call.len; i++)
		hash = (hash ^ (unsigned char)call.ptr[i]) * 0x100000001b3U;
	int len = snprintf(ret_path, MARK_PATH_MAX, "%s/.berm-%s-%016llx",
			   folder != NULL && folder[0] == '/' ? folder : "/tmp", agent->name, (unsigned long long)hash);
	return len > 0 && len < MARK_PATH_MAX;
}

static void put_mark(const char *path, uint64_t newest)
{
	char text[NUMBER_MAX];
	(void)unlink(path);
	auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int len = snprintf(text, sizeof text, "%llu", (unsigned long long)newest);
	if (fd >= 0 && fd_write_full(fd, text, (size_t)len) < 0)
		(void)unlink(path);
}

static bool take_mark(const char *path, uint64_t *ret_marked)
{
	char text[NUMBER_MAX];
	ssize_t len = fd_read_file(AT_FDCWD, path, text, sizeof text);
	(void)unlink(path);
	return len > 0 && str_u64((struct str){text, (size_t)len}, UINT64_MAX, ret_marked, NULL) == BERM_OK;
}

/* ---- the hook ---------------------------------------------------------------------------------------------------- */

static enum berm_code read_input(struct buf *out, struct berm_err *err)
{
	char piece[PIECE];
	ssize_t got;
	while ((got = fd_read_full(STDIN_FILENO, piece, sizeof piece)) > 0)
		buf_put(out, piece, (size_t)got);
	return got < 0 ? err_sys(err, "read standard input") : buf_check(out, err);
}

/* The tool's run; where the agent does not name it, the session's tool. */
static void put_call(const struct node *root, struct buf *call)
{
	static const char *const keys[] = {"tool_use_id", "session_id", "tool_name"};
	struct str id = node_find_text(root, keys[0]);
	buf_put_str(call, id);
	for (size_t i = 1; i < ARRAY_LEN(keys) && id.len == 0; i++)
		buf_put_str(call, node_find_text(root, keys[i]));
}

/* Which of the events after a tool it is; -1: none. */
static int find_after(const struct hook_agent *agent, struct str event)
{
	for (size_t i = 0; i < ARRAY_LEN(agent->after); i++)
		if (agent->after[i] != NULL && str_eq(event, str_from(agent->after[i])))
			return (int)i;
	return -1;
}

static enum berm_code read_list(struct arena *arena, struct event_list *ret_list, struct berm_err *err)
{
	auto_buf struct buf text;
	buf_init(&text, FILE_MAX);
	TRY(why_denials_read(&text, err));
	return event_parse_all(arena, buf_str(&text), DENIALS_MAX, ret_list, err);
}

/* What was denied last may be on its way to the file. */
static enum berm_code read_after(struct arena *arena, const struct hook_call *call, int wait_ms,
				 struct event_list *ret_list, struct berm_err *err)
{
	const struct timespec step = {.tv_nsec = WAIT_STEP_MS * 1000000L};
	TRY(read_list(arena, ret_list, err));
	for (int waited = 0; count_new(ret_list, call) == 0 && waited < wait_ms; waited += WAIT_STEP_MS) {
		(void)nanosleep(&step, NULL);
		TRY(read_list(arena, ret_list, err));
	}
	return BERM_OK;
}

/* All texts below a node, a line each. */
static void put_texts(const struct node *node, struct buf *said)
{
	const struct node *open[NODE_MAX_DEPTH + 1] = {NULL};
	size_t depth = 0;
	while (node != NULL || depth > 0) {
		if (node == NULL) {
			node = open[--depth]->next;
			continue;
		}
		if (node->kind == NODE_TEXT) {
			buf_put_str(said, node->text);
			buf_putc(said, '\n');
		}
		if (node->first == NULL || depth > NODE_MAX_DEPTH) {
			node = node->next;
			continue;
		}
		open[depth++] = node;
		node = node->first;
	}
}

/* What the tool was asked for, and what it said. */
static void put_said(const struct node *root, struct buf *said)
{
	static const char *const keys[] = {"tool_input", "tool_response", "error"};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const struct node *node = node_find(root, keys[i]);
		if (node == NULL)
			continue;
		struct node alone = *node;
		alone.next = NULL;
		put_texts(&alone, said);
	}
}

static enum berm_code tell(const struct hook_agent *agent, struct arena *arena, const struct node *root,
			   struct hook_call *call, struct buf *out, struct berm_err *err)
{
	struct event_list list = {0};
	auto_buf struct buf said;
	buf_init(&said, 2 * (size_t)INPUT_MAX);
	put_said(root, &said);
	TRY(buf_check(&said, err));
	call->said = buf_str(&said);
	TRY(read_after(arena, call, agent->wait_ms[find_after(agent, str_from(call->event))], &list, err));
	why_hook_put(agent, call, &list, out);
	return buf_check(out, err);
}

static enum berm_code answer(const struct hook_agent *agent, struct arena *arena, const struct node *root,
			     struct buf *out, struct berm_err *err)
{
	char path[MARK_PATH_MAX];
	struct event_list list = {0};
	struct str event = node_find_text(root, "hook_event_name");
	struct hook_call call = {.event = event.ptr};
	auto_buf struct buf id;
	buf_init(&id, INPUT_MAX);
	put_call(root, &id);
	TRY(buf_check(&id, err));
	if (!mark_path(agent, buf_str(&id), path))
		return BERM_OK;
	if (str_eq(event, str_from(agent->before))) {
		TRY(read_list(arena, &list, err));
		put_mark(path, why_hook_newest(&list));
	} else if (find_after(agent, event) >= 0 && take_mark(path, &call.marked)) {
		TRY(tell(agent, arena, root, &call, out, err));
	}
	return BERM_OK;
}

static enum berm_code serve(const struct hook_agent *agent, struct buf *out, struct berm_err *err)
{
	const struct node *root;
	auto_arena struct arena arena;
	auto_buf struct buf input;
	arena_init(&arena, ARENA_MAX);
	buf_init(&input, INPUT_MAX);
	TRY(read_input(&input, err));
	TRY(node_parse(&arena, buf_str(&input), "hook", &root, NULL, err));
	return answer(agent, &arena, root, out, err);
}

int why_hook(const struct hook_agent *agent)
{
	struct berm_err err;
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	if (!why_denials_are_told() || serve(agent, &out, &err) != BERM_OK)
		return EXIT_YES;
	return say_result(&out);
}
