#include "policy/learn_events.h"

#include <string.h>

#include "base/own.h"
#include "format/node.h"

enum { MAX_MEMORY = 256 * 1024 * 1024, LINE_MEMORY = 4 * 1024 * 1024 };

/* What a kind and an operation of an event ask of a policy; POLICY_OP_RUN: nothing that a line allows. */
static const struct {
	const char *kind, *op;
	enum policy_op asks;
} rows[] = {
	{"file", "read", POLICY_OP_READ},	 {"file", "write", POLICY_OP_WRITE},
	{"file", "meta", POLICY_OP_WRITE},	 {"file", "create", POLICY_OP_CREATE},
	{"file", "rename", POLICY_OP_CREATE},	 {"file", "link", POLICY_OP_CREATE},
	{"file", "delete", POLICY_OP_DELETE},	 {"file", "exec", POLICY_OP_EXEC},
	{"socket", "connect", POLICY_OP_SOCKET}, {"socket", "send", POLICY_OP_SOCKET},
	{"socket", "bind", POLICY_OP_RUN},	 {"socket", "listen", POLICY_OP_RUN},
	{"net", "connect", POLICY_OP_CONNECT},	 {"net", "send", POLICY_OP_CONNECT},
	{"net", "bind", POLICY_OP_RUN},		 {"net", "listen", POLICY_OP_RUN},
	{"dns", "query", POLICY_OP_CONNECT},	 {"http", "request", POLICY_OP_CONNECT},
	{"process", "signal", POLICY_OP_RUN},
};

void learn_events_init(struct learn_events *events)
{
	*events = (struct learn_events){0};
	arena_init(&events->arena, MAX_MEMORY);
	vec_init(&events->items, sizeof(struct learn_event), LEARN_MAX_EVENTS);
}

void learn_events_done(struct learn_events *events)
{
	vec_done(&events->items);
	arena_done(&events->arena);
}

static const char *text_of(const struct node *map, const char *key)
{
	const struct node *node = node_find(map, key);
	return node != NULL && node->kind == NODE_TEXT ? node->text.ptr : "";
}

static uint64_t number_of(const struct node *map, const char *key)
{
	uint64_t value = 0;
	const struct node *node = node_find(map, key);
	if (node == NULL || node->kind != NODE_NUMBER || str_u64(node->text, UINT64_MAX, &value, NULL) != BERM_OK)
		return 0;
	return value;
}

static enum berm_code keep(struct learn_events *events, const char *text, const char **ret_text, struct berm_err *err)
{
	*ret_text = arena_text(&events->arena, str_from(text));
	return *ret_text != NULL ? BERM_OK : err_set(err, BERM_ERR_NOMEM, "read events");
}

static enum berm_code add_asked_for(struct learn_events *events, const struct node *node, enum policy_op op,
				    struct berm_err *err)
{
	const struct node *object = node_find(node, "object"), *task = node_find(node, "task");
	const char *path = text_of(object, "path"), *address = text_of(object, "address");
	uint64_t count = number_of(node, "count");
	struct learn_event event = {
		.op = op,
		.folder = strcmp(text_of(object, "type"), "folder") == 0,
		.seq = number_of(node, "seq"),
		.count = count == 0 || count > UINT32_MAX ? 1 : (uint32_t)count,
	};
	if (event.folder && op == POLICY_OP_READ)
		event.op = POLICY_OP_LIST;
	TRY(keep(events, path[0] != '\0' ? path : address, &event.object, err));
	TRY(keep(events, text_of(task, "exe"), &event.program, err));
	return vec_push(&events->items, &event, err);
}

static enum berm_code add_event(struct learn_events *events, const struct node *node, struct berm_err *err)
{
	const char *kind = text_of(node, "kind"), *op = text_of(node, "op");
	if (strcmp(kind, "session") == 0 && strcmp(op, "start") == 0 && text_of(node, "workspace")[0] != '\0')
		return keep(events, text_of(node, "workspace"), &events->workspace, err);
	/* What was allowed without a line of its own needs one as well. */
	bool decided = strcmp(text_of(node, "verdict"), "deny") == 0 || strcmp(text_of(node, "verdict"), "allow") == 0;
	if (!decided)
		return BERM_OK;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].kind, kind) == 0 && strcmp(rows[i].op, op) == 0)
			return add_asked_for(events, node, rows[i].asks, err);
	}
	return BERM_OK; /* of a later version */
}

static enum berm_code read_line(struct learn_events *events, struct str line, const struct place *at,
				struct problems *problems, struct berm_err *err)
{
	const struct node *node;
	struct berm_err why;
	auto_arena struct arena arena;
	arena_init(&arena, LINE_MEMORY);
	enum berm_code code = node_parse(&arena, line, at->file, &node, NULL, &why);
	if (code == BERM_ERR_NOMEM)
		return err_set(err, code, "%s", why.msg);
	if (code != BERM_OK || line.ptr[0] != '{' || number_of(node, "v") != 1) {
		problem_add(problems, at, "not an event: %.120s", code != BERM_OK ? why.msg : "no \"v\":1");
		return BERM_OK;
	}
	return add_event(events, node, err);
}

enum berm_code learn_events_read(struct learn_events *events, struct str text, const char *file,
				 struct problems *problems, struct berm_err *err)
{
	struct place at = {.file = file, .column = 1};
	struct str rest = text, line;
	size_t problems_before = problems != NULL ? problems->count : 0;
	while (str_next(&rest, '\n', &line)) {
		at.line++;
		bool cut = rest.len == 0 && text.ptr[text.len - 1] != '\n';
		if (line.len > 0 && !cut)
			TRY(read_line(events, line, &at, problems, err));
	}
	if (problems != NULL && problems->count > problems_before)
		return err_set(err, BERM_ERR_PARSE, "'%.100s' holds lines that are no events", file);
	return BERM_OK;
}
