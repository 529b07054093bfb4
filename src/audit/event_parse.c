#include "audit/event_parse.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/own.h"
#include "format/node.h"

enum { LINE_MEMORY = 4 * 1024 * 1024 };

/* Texts of an event, by the group and the name that the line has them under. */
static const struct {
	const char *group, *name;
	size_t offset;
} texts[] = {
	{NULL, "session", offsetof(struct event, session)},
	{NULL, "op", offsetof(struct event, op)},
	{"object", "path", offsetof(struct event, object.path)},
	{"object", "address", offsetof(struct event, object.path)},
	{"object", "as", offsetof(struct event, object.as)},
	{"task", "exe", offsetof(struct event, task.exe)},
	{"by", "rule", offsetof(struct event, by.rule)},
	{"by", "text", offsetof(struct event, by.text)},
	{"by", "layer", offsetof(struct event, by.layer)},
	{"by", "at", offsetof(struct event, by.at)},
	{NULL, "detail", offsetof(struct event, detail)},
};

static const struct {
	const char *word;
	enum event_kind kind;
} kinds[] = {
	{"file", EVENT_FILE},	    {"socket", EVENT_SOCKET}, {"net", EVENT_NET},	{"process", EVENT_PROCESS},
	{"session", EVENT_SESSION}, {"limit", EVENT_LIMIT},   {"policy", EVENT_POLICY}, {"dns", EVENT_DNS},
	{"http", EVENT_HTTP},	    {"role", EVENT_ROLE},
};

static uint64_t number_of(const struct node *map, const char *key, uint64_t max)
{
	uint64_t value = 0;
	const struct node *node = node_find(map, key);
	if (node == NULL || node->kind != NODE_NUMBER || str_u64(node->text, max, &value, NULL) != BERM_OK)
		return 0;
	return value;
}

/* "2026-11-25T10:00:00.123456Z", nothing else; 0: it is no such time. */
static int64_t parse_time(struct str text)
{
	struct tm utc = {0};
	uint64_t micros;
	const char *end = text.ptr[0] != '\0' ? strptime(text.ptr, "%Y-%m-%dT%H:%M:%S.", &utc) : NULL;
	if (end == NULL || strlen(end) != 7 || end[6] != 'Z' || str_u64((struct str){end, 6}, 999999, &micros, NULL))
		return 0;
	return (int64_t)timegm(&utc) * 1000000000 + (int64_t)micros * 1000;
}

static bool find_kind(struct str word, enum event_kind *ret_kind)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!str_eq(word, str_from(kinds[i].word)))
			continue;
		*ret_kind = kinds[i].kind;
		return true;
	}
	return false;
}

static enum berm_code fill_texts(struct arena *arena, const struct node *root, struct event *event,
				 struct berm_err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct str text =
			node_find_text(texts[i].group != NULL ? node_find(root, texts[i].group) : root, texts[i].name);
		if (text.len == 0)
			continue;
		const char *kept = arena_text(arena, text);
		if (kept == NULL)
			return err_set(err, BERM_ERR_NOMEM, "read an event");
		memcpy((char *)event + texts[i].offset, &kept, sizeof kept);
	}
	return BERM_OK;
}

static enum berm_code fill(struct arena *arena, const struct node *root, struct event *event, struct berm_err *err)
{
	struct str verdict = node_find_text(root, "verdict"), grant = node_find_text(root, "grant");
	if (number_of(root, "v", 1) != 1 || !find_kind(node_find_text(root, "kind"), &event->kind) ||
	    node_find_text(root, "op").len == 0 || grant.len >= sizeof event->grant)
		return err_set(err, BERM_ERR_PARSE, "not an event");
	event->seq = number_of(root, "seq", UINT64_MAX);
	event->time_ns = parse_time(node_find_text(root, "time"));
	event->generation = number_of(root, "generation", UINT64_MAX);
	event->task.pid = (int64_t)number_of(node_find(root, "task"), "pid", INT32_MAX);
	event->count = (uint32_t)number_of(root, "count", UINT32_MAX);
	event->decided = verdict.len > 0;
	event->verdict = str_eq(verdict, STR("allow")) ? BERM_VERDICT_ALLOW : BERM_VERDICT_DENY;
	memcpy(event->grant, grant.ptr, grant.len);
	event->by.narrows = grant.len == 0;
	return fill_texts(arena, root, event, err);
}

enum berm_code event_parse(struct arena *arena, struct str line, struct event *ret_event, struct berm_err *err)
{
	const struct node *root;
	struct event event = {0};
	auto_arena struct arena own;
	arena_init(&own, LINE_MEMORY);
	if (line.len > EVENT_LINE_MAX)
		return err_set(err, BERM_ERR_LIMIT, "an event is at most %d bytes", EVENT_LINE_MAX);
	if (line.len == 0 || line.ptr[0] != '{')
		return err_set(err, BERM_ERR_PARSE, "not an event");
	TRY(node_parse(&own, line, "event", &root, NULL, err));
	TRY(fill(arena, root, &event, err));
	*ret_event = event;
	return BERM_OK;
}

static size_t count_lines(struct str text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += text.ptr[i] == '\n';
	return count;
}

enum berm_code event_parse_all(struct arena *arena, struct str text, size_t max, struct event_list *ret_list,
			       struct berm_err *err)
{
	struct str rest = text, line;
	size_t left = count_lines(text), skipped = left > max ? left - max : 0;
	struct event_list list = {.items = arena_array(arena, left - skipped + 1, sizeof *list.items),
				  .lines = arena_array(arena, left - skipped + 1, sizeof *list.lines)};
	if (list.items == NULL || list.lines == NULL)
		return err_set(err, BERM_ERR_NOMEM, "read events");
	for (; left > 0 && str_next(&rest, '\n', &line); left--) {
		if (skipped > 0) {
			skipped--;
			continue;
		}
		enum berm_code code = event_parse(arena, line, &list.items[list.count], err);
		if (code == BERM_ERR_NOMEM)
			return code;
		list.lines[list.count] = line;
		list.count += code == BERM_OK;
	}
	*ret_list = list;
	return BERM_OK;
}
