#include "audit/event.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "base/own.h"
#include "format/json_out.h"

/* ---- the words --------------------------------------------------------------------------------------------------- */

static const char *const kind_words[] = {
	[EVENT_FILE] = "file",	     [EVENT_SOCKET] = "socket",	    [EVENT_NET] = "net",
	[EVENT_PROCESS] = "process", [EVENT_SESSION] = "session",   [EVENT_LIMIT] = "limit",
	[EVENT_POLICY] = "policy",   [EVENT_DNS] = "dns",	    [EVENT_HTTP] = "http",
	[EVENT_ROLE] = "role",	     [EVENT_APPROVAL] = "approval", [EVENT_KINDS] = NULL,
};

static const char *const op_words[] = {
	[BERM_OP_READ] = "read",	  [BERM_OP_WRITE] = "write",	   [BERM_OP_CREATE] = "create",
	[BERM_OP_DELETE] = "delete",	  [BERM_OP_RENAME] = "rename",	   [BERM_OP_LINK] = "link",
	[BERM_OP_META] = "meta",	  [BERM_OP_CONNECT] = "connect",   [BERM_OP_BIND] = "bind",
	[BERM_OP_LISTEN] = "listen",	  [BERM_OP_SEND] = "send",	   [BERM_OP_SIGNAL] = "signal",
	[BERM_OP_EXEC] = "exec",	  [BERM_OP_EXEC + 1] = "start",	   [BERM_OP_EXEC + 2] = "stop",
	[BERM_OP_EXEC + 3] = "hit",	  [BERM_OP_EXEC + 4] = "load",	   [BERM_OP_EXEC + 5] = "reload",
	[BERM_OP_EXEC + 6] = "refuse",	  [BERM_OP_EXEC + 7] = "query",	   [BERM_OP_EXEC + 8] = "request",
	[BERM_OP_EXEC + 9] = "close",	  [BERM_OP_EXEC + 10] = "died",	   [BERM_OP_EXEC + 11] = "asked",
	[BERM_OP_EXEC + 12] = "answered", [BERM_OP_EXEC + 13] = "expired", [BERM_OP_EXEC + 14] = "withdrawn",
	[BERM_OP_EXEC + 15] = NULL,
};

static const char *const verdict_words[] = {
	[BERM_VERDICT_DENY] = "deny", [BERM_VERDICT_ALLOW] = "allow", [BERM_VERDICT_ALLOW + 1] = NULL};

static const struct {
	mode_t format;
	const char *word;
} type_rows[] = {
	{S_IFREG, "file"}, {S_IFDIR, "folder"}, {S_IFLNK, "link"},   {S_IFSOCK, "socket"},
	{S_IFIFO, "fifo"}, {S_IFCHR, "device"}, {S_IFBLK, "device"},
};
static const char *const type_words[] = {"file", "folder", "link", "socket", "fifo", "device", NULL};

const char *event_op_word(enum berm_request_op op)
{
	return op_words[op];
}

const char *event_type_word(uint32_t mode)
{
	for (size_t i = 0; i < ARRAY_LEN(type_rows); i++)
		if (type_rows[i].format == (mode & S_IFMT))
			return type_rows[i].word;
	return NULL;
}

const char *event_errno_name(int error)
{
	return error > 0 ? strerrorname_np(error) : NULL;
}

/* ---- the fields -------------------------------------------------------------------------------------------------- */

enum type {
	TYPE_VERSION, /* 1 */
	TYPE_TEXT,    /* const char * */
	TYPE_LETTERS, /* char[] */
	TYPE_LIST,    /* const char *const *, NULL-terminated */
	TYPE_U64,
	TYPE_U32,
	TYPE_I64,
	TYPE_INT,
	TYPE_BOOL,
	TYPE_FALSE,
	TYPE_TIME,   /* int64_t, nanoseconds since 1970 */
	TYPE_DEVICE, /* uint64_t as "8:1" */
	TYPE_MODE,   /* uint32_t as a word */
	TYPE_ERRNO,  /* int as a name */
	TYPE_KIND,
	TYPE_VERDICT,
	TYPE_COUNT
};

enum when {
	ALWAYS,
	SET,	 /* not NULL, "" or 0 */
	DECIDED, /* a verdict was given, and SET but for numbers of zero meaning */
	DENIED,
	PLACED,	   /* what the object is named by is a path, and SET */
	ADDRESSED, /* it is an address, and SET */
	ENDED,	   /* of status, which is there */
	ENDED_SET,
};

struct field {
	const char
		*group; /* the object that the field is in; NULL: the event itself. Fields of a group stand together */
	const char *name;
	enum type type;
	enum when when;
	size_t offset;		  /* in struct event; with ENDED in struct berm_status */
	const char *const *words; /* the only texts there are, or NULL */
	const char *about;
};

#define AT(member) offsetof(struct event, member)
#define IN_STATUS(member) offsetof(struct berm_status, member)

static const struct field fields[] = {
	{NULL, "v", TYPE_VERSION, ALWAYS, 0, NULL, "version of this format"},
	{NULL, "seq", TYPE_U64, ALWAYS, AT(seq), NULL, "number of the event in its session, from 1"},
	{NULL, "time", TYPE_TIME, ALWAYS, AT(time_ns), NULL, "UTC, RFC 3339, microseconds"},
	{NULL, "session", TYPE_TEXT, SET, AT(session), NULL, "name of the session"},
	{NULL, "generation", TYPE_U64, ALWAYS, AT(generation), NULL, "which state of the policy decided"},
	{NULL, "kind", TYPE_KIND, ALWAYS, AT(kind), kind_words, "what the event is about"},
	{NULL, "op", TYPE_TEXT, ALWAYS, AT(op), op_words, "what was done or tried"},
	{"object", "path", TYPE_TEXT, PLACED, AT(object.path), NULL, "final path of the object"},
	{"object", "address", TYPE_TEXT, ADDRESSED, AT(object.path), NULL,
	 "network address or host with its port, or target process"},
	{"object", "as", TYPE_TEXT, SET, AT(object.as), NULL, "as the program wrote it"},
	{"object", "dev", TYPE_DEVICE, SET, AT(object.dev), NULL, "device, major:minor"},
	{"object", "ino", TYPE_U64, SET, AT(object.ino), NULL, "inode; none: the object does not exist"},
	{"object", "type", TYPE_MODE, SET, AT(object.mode), type_words, "type of the object"},
	{"object", "record", TYPE_TEXT, SET, AT(object.record), NULL, "what a DNS query asks for"},
	{"object", "method", TYPE_TEXT, SET, AT(object.method), NULL, "of an HTTP request"},
	{"object", "target", TYPE_TEXT, SET, AT(object.target), NULL, "its path and query, as it was judged"},
	{"task", "pid", TYPE_I64, SET, AT(task.pid), NULL, "process, as numbered inside the sandbox"},
	{"task", "exe", TYPE_TEXT, SET, AT(task.exe), NULL, "its program"},
	{NULL, "verdict", TYPE_VERDICT, DECIDED, AT(verdict), verdict_words, "what was decided"},
	{NULL, "errno", TYPE_ERRNO, DENIED, AT(error), NULL, "what the program got"},
	{"by", "rule", TYPE_TEXT, SET, AT(by.rule), NULL, "kind of line that decided"},
	{"by", "text", TYPE_TEXT, SET, AT(by.text), NULL, "the line"},
	{"by", "layer", TYPE_TEXT, SET, AT(by.layer), NULL, "where the line comes from"},
	{"by", "at", TYPE_TEXT, SET, AT(by.at), NULL, "file, line and column"},
	{NULL, "detail", TYPE_TEXT, SET, AT(detail), NULL, "what in particular: the key that a judge refused"},
	{NULL, "grant", TYPE_LETTERS, SET, AT(grant), NULL, "the narrowest flag of berm run that would allow it"},
	{NULL, "retry", TYPE_FALSE, DENIED, 0, NULL, "retrying will not help"},
	{NULL, "count", TYPE_U32, SET, AT(count), NULL, "how often the same was seen since it was last told"},
	{NULL, "command", TYPE_LIST, SET, AT(command), NULL, "program and arguments, cut where they are long"},
	{NULL, "workspace", TYPE_TEXT, SET, AT(workspace), NULL, "the folder that the run may change"},
	{NULL, "backend", TYPE_TEXT, SET, AT(backend), NULL, "what enforces it"},
	{"status", "exited", TYPE_BOOL, ENDED, IN_STATUS(exited), NULL, "the command ended by itself"},
	{"status", "code", TYPE_INT, ENDED, IN_STATUS(exit_code), NULL, "its exit code"},
	{"status", "signal", TYPE_INT, ENDED_SET, IN_STATUS(signal), NULL, "the signal that ended it"},
	{"status", "denied", TYPE_U64, ENDED, IN_STATUS(denied), NULL, "requests denied"},
	{"status", "served", TYPE_U64, ENDED, IN_STATUS(served), NULL, "calls done on behalf"},
	{NULL, "offers", TYPE_LIST, SET, AT(offers), NULL, "policy lines that would allow what was denied"},
	{NULL, "files", TYPE_LIST, SET, AT(files), NULL,
	 "files that the policy was read from, cut where they are long"},
	{NULL, "changes", TYPE_LIST, SET, AT(changes), NULL, "lines that differ, and when each is in force"},
	{"approval", "id", TYPE_U64, SET, AT(approval.id), NULL, "number of the question in its session"},
	{"approval", "kind", TYPE_TEXT, SET, AT(approval.kind), NULL, "what kind of access is asked about"},
	{"approval", "op", TYPE_TEXT, SET, AT(approval.op), NULL, "what is to be done"},
	{"approval", "waiting", TYPE_U64, SET, AT(approval.waiting), NULL, "how many calls wait for the answer"},
	{"approval", "scope", TYPE_TEXT, SET, AT(approval.scope), NULL, "once, session or always"},
	{"approval", "extent", TYPE_TEXT, SET, AT(approval.extent), NULL, "object, folder or host"},
	{"approval", "by", TYPE_TEXT, SET, AT(approval.by), NULL, "kind of who answered"},
	{"approval", "who", TYPE_TEXT, SET, AT(approval.who), NULL, "who answered, as that says"},
	{"approval", "kept", TYPE_TEXT, SET, AT(approval.kept), NULL, "the file that has a line of it now"},
	{NULL, "limit", TYPE_TEXT, SET, AT(limit), NULL, "the limit that was hit"},
	{NULL, "value", TYPE_U64, SET, AT(limit_value), NULL, "its value"},
	{NULL, "sent", TYPE_U64, SET, AT(sent), NULL, "bytes that went out on a connection"},
	{NULL, "received", TYPE_U64, SET, AT(received), NULL, "bytes that came in on it"},
	{NULL, "role", TYPE_TEXT, SET, AT(role), NULL, "the process of berm's that ended"},
};

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* Reads a member of the type at an address that the table says it has. */
#define VALUE(type, address) (*(type const *)(address))

/* NULL: it is a member of the status, and there is none. */
static const void *field_address(const struct field *field, const struct event *event)
{
	if (field->when != ENDED && field->when != ENDED_SET)
		return (const char *)event + field->offset;
	return event->status == NULL ? NULL : (const char *)event->status + field->offset;
}

static bool text_is_set(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static bool value_is_set(enum type type, const void *at)
{
	switch (type) {
	case TYPE_TEXT:
		return text_is_set(VALUE(const char *, at));
	case TYPE_LETTERS:
		return text_is_set(at);
	case TYPE_LIST:
		return VALUE(const char *const *, at) != NULL;
	case TYPE_U64:
	case TYPE_DEVICE:
		return VALUE(uint64_t, at) != 0;
	case TYPE_I64:
		return VALUE(int64_t, at) != 0;
	case TYPE_U32:
		return VALUE(uint32_t, at) != 0;
	case TYPE_INT:
		return VALUE(int, at) != 0;
	case TYPE_MODE:
		return event_type_word(VALUE(uint32_t, at)) != NULL;
	case TYPE_ERRNO:
		return event_errno_name(VALUE(int, at)) != NULL;
	case TYPE_VERSION:
	case TYPE_BOOL:
	case TYPE_FALSE:
	case TYPE_TIME:
	case TYPE_KIND:
	case TYPE_VERDICT:
	case TYPE_COUNT:
	default:
		return true;
	}
}

static bool field_is_there(const struct field *field, const struct event *event)
{
	const void *at = field_address(field, event);
	bool denied = event->decided && event->verdict == BERM_VERDICT_DENY;
	bool path = event->object.path != NULL && event->object.path[0] == '/';
	bool placed =
		event->kind == EVENT_FILE || event->kind == EVENT_SOCKET || (event->kind == EVENT_APPROVAL && path);
	const bool holds[] = {
		[ALWAYS] = true,       [SET] = true,   [DECIDED] = event->decided, [DENIED] = denied, [PLACED] = placed,
		[ADDRESSED] = !placed, [ENDED] = true, [ENDED_SET] = true,
	};
	if (at == NULL || !holds[field->when])
		return false;
	return field->when == ALWAYS || field->when == ENDED || value_is_set(field->type, at);
}

typedef void (*put_fn)(struct json_out *json, const char *name, const void *at);

static void put_version(struct json_out *json, const char *name, const void *at)
{
	(void)at;
	json_u64(json, name, 1);
}

static void put_letters(struct json_out *json, const char *name, const void *at)
{
	json_text(json, name, str_from(at));
}

static void put_text(struct json_out *json, const char *name, const void *at)
{
	json_text(json, name, str_from(VALUE(const char *, at)));
}

/* At most max bytes of text, and no part of a character at the end. */
static struct str cut(struct str text, size_t max)
{
	if (text.len <= max)
		return text;
	while (max > 0 && ((uint8_t)text.ptr[max] & 0xc0) == 0x80)
		max--;
	return (struct str){text.ptr, max};
}

static void put_list(struct json_out *json, const char *name, const void *at)
{
	size_t left = EVENT_COMMAND_MAX;
	json_array(json, name);
	for (const char *const *word = VALUE(const char *const *, at); *word != NULL && left > 0; word++) {
		struct str shown = cut(str_from(*word), left);
		json_text(json, NULL, shown);
		left -= shown.len < left ? shown.len + 1 : left;
	}
	json_array_end(json);
}

static void put_u64(struct json_out *json, const char *name, const void *at)
{
	json_u64(json, name, VALUE(uint64_t, at));
}

static void put_u32(struct json_out *json, const char *name, const void *at)
{
	json_u64(json, name, VALUE(uint32_t, at));
}

static void put_i64(struct json_out *json, const char *name, const void *at)
{
	json_i64(json, name, VALUE(int64_t, at));
}

static void put_int(struct json_out *json, const char *name, const void *at)
{
	json_i64(json, name, VALUE(int, at));
}

static void put_bool(struct json_out *json, const char *name, const void *at)
{
	json_bool(json, name, VALUE(bool, at));
}

static void put_false(struct json_out *json, const char *name, const void *at)
{
	(void)at;
	json_bool(json, name, false);
}

static void put_time(struct json_out *json, const char *name, const void *at)
{
	char text[40];
	int64_t ns = VALUE(int64_t, at) > 0 ? VALUE(int64_t, at) : 0;
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm utc;
	if (gmtime_r(&seconds, &utc) == NULL)
		memset(&utc, 0, sizeof utc);
	size_t len = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &utc);
	for (int64_t part = ns % 1000000000, unit = 100000000; unit >= 1000; unit /= 10)
		text[len++] = (char)('0' + part / unit % 10);
	text[len++] = 'Z';
	json_text(json, name, (struct str){text, len});
}

static void put_device(struct json_out *json, const char *name, const void *at)
{
	char text[32];
	dev_t device = (dev_t)VALUE(uint64_t, at);
	(void)snprintf(text, sizeof text, "%u:%u", major(device), minor(device));
	json_text(json, name, str_from(text));
}

static void put_mode(struct json_out *json, const char *name, const void *at)
{
	json_text(json, name, str_from(event_type_word(VALUE(uint32_t, at))));
}

static void put_errno(struct json_out *json, const char *name, const void *at)
{
	json_text(json, name, str_from(event_errno_name(VALUE(int, at))));
}

static void put_kind(struct json_out *json, const char *name, const void *at)
{
	json_text(json, name, str_from(kind_words[VALUE(enum event_kind, at)]));
}

static void put_verdict(struct json_out *json, const char *name, const void *at)
{
	json_text(json, name, str_from(verdict_words[VALUE(enum berm_verdict, at)]));
}

/* Each type: how it is written, and what its schema says. */
static const struct {
	put_fn put;
	const char *type, *key, *value; /* "type", and one more member or NULL */
} types[TYPE_COUNT] = {
	[TYPE_VERSION] = {put_version, "integer", "maximum", "1"},
	[TYPE_TEXT] = {put_text, "string", NULL, NULL},
	[TYPE_LETTERS] = {put_letters, "string", NULL, NULL},
	[TYPE_LIST] = {put_list, "array", NULL, NULL},
	[TYPE_U64] = {put_u64, "integer", "minimum", "0"},
	[TYPE_U32] = {put_u32, "integer", "minimum", "0"},
	[TYPE_I64] = {put_i64, "integer", NULL, NULL},
	[TYPE_INT] = {put_int, "integer", NULL, NULL},
	[TYPE_BOOL] = {put_bool, "boolean", NULL, NULL},
	[TYPE_FALSE] = {put_false, "boolean", NULL, NULL},
	[TYPE_TIME] = {put_time, "string", "format", "\"date-time\""},
	[TYPE_DEVICE] = {put_device, "string", "pattern", "\"^[0-9]+:[0-9]+$\""},
	[TYPE_MODE] = {put_mode, "string", NULL, NULL},
	[TYPE_ERRNO] = {put_errno, "string", "pattern", "\"^E[A-Z0-9]+$\""},
	[TYPE_KIND] = {put_kind, "string", NULL, NULL},
	[TYPE_VERDICT] = {put_verdict, "string", NULL, NULL},
};

static bool same_group(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Closes the open group and opens the next, where they differ. */
static void switch_group(struct json_out *json, const char **group, const char *next)
{
	if (same_group(*group, next))
		return;
	if (*group != NULL)
		json_object_end(json);
	if (next != NULL)
		json_object(json, next);
	*group = next;
}

void event_print(const struct event *event, struct buf *out)
{
	struct json_out json;
	const char *group = NULL;
	json_init(&json, out);
	json_object(&json, NULL);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const struct field *field = &fields[i];
		if (!field_is_there(field, event))
			continue;
		switch_group(&json, &group, field->group);
		types[field->type].put(&json, field->name, field_address(field, event));
	}
	switch_group(&json, &group, NULL);
	json_object_end(&json);
	buf_putc(out, '\n');
}

/* ---- the schema -------------------------------------------------------------------------------------------------- */

static void schema_field(struct json_out *json, const struct field *field)
{
	json_object(json, field->name);
	json_text(json, "description", str_from(field->about));
	json_text(json, "type", str_from(types[field->type].type));
	if (types[field->type].key != NULL)
		buf_printf(json->buf, ",\"%s\":%s", types[field->type].key, types[field->type].value);
	if (field->type == TYPE_LIST)
		buf_puts(json->buf, ",\"items\":{\"type\":\"string\"}");
	if (field->words != NULL) {
		json_array(json, "enum");
		for (const char *const *word = field->words; *word != NULL; word++)
			json_text(json, NULL, str_from(*word));
		json_array_end(json);
	}
	json_object_end(json);
}

static void schema_head(struct json_out *json)
{
	json_text(json, "type", STR("object"));
	json_bool(json, "additionalProperties", false);
}

static void schema_required(struct json_out *json)
{
	json_array(json, "required");
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (fields[i].when == ALWAYS)
			json_text(json, NULL, str_from(fields[i].name));
	json_array_end(json);
}

static void schema_switch_group(struct json_out *json, const char **group, const char *next)
{
	if (same_group(*group, next))
		return;
	if (*group != NULL)
		json_object_end(json); /* its properties */
	switch_group(json, group, next);
	if (next == NULL)
		return;
	schema_head(json);
	json_object(json, "properties");
}

void event_schema(struct buf *out)
{
	struct json_out json;
	const char *group = NULL;
	json_init(&json, out);
	json_object(&json, NULL);
	json_text(&json, "$schema", STR("https://json-schema.org/draft/2020-12/schema"));
	json_text(&json, "title", STR("one event of berm, one line of its event log"));
	schema_head(&json);
	schema_required(&json);
	json_object(&json, "properties");
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		schema_switch_group(&json, &group, fields[i].group);
		schema_field(&json, &fields[i]);
	}
	schema_switch_group(&json, &group, NULL);
	json_object_end(&json);
	json_object_end(&json);
	buf_putc(out, '\n');
}
