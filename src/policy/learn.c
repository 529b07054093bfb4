#include "policy/learn.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/own.h"
#include "policy/learn_names.h"

enum { MAX_MEMORY = 64 * 1024 * 1024, MAX_ROUNDS = 64 };

/* Something that could be a line. Its events are a chain through making->next. */
struct candidate {
	enum policy_key key;
	const char *path;   /* absolute, or a pattern; "host:port" */
	const char *parent; /* of a file that may count for its folder; else NULL */
	const char *shape;  /* the same for its version; else NULL */
	bool list;	    /* the line is of this object alone: a folder that was listed */
	bool pattern;
	bool gone; /* covered by another */
	const char *why;
	uint32_t first, last;
};

struct making {
	const struct learn_event *events;
	size_t count;
	const struct learn_judge *judge;
	struct learn *learn;
	struct candidate *items; /* in the arena, as many as there are events at most */
	size_t len;
	uint32_t *next;
	struct berm_err *err;
};

void learn_init(struct learn *learn)
{
	arena_init(&learn->arena, MAX_MEMORY);
	vec_init(&learn->lines, sizeof(struct learn_line), LEARN_MAX_EVENTS);
	vec_init(&learn->skipped, sizeof(struct learn_skipped), LEARN_MAX_EVENTS);
}

void learn_done(struct learn *learn)
{
	vec_done(&learn->lines);
	vec_done(&learn->skipped);
	arena_done(&learn->arena);
}

static enum berm_code no_memory(const struct making *making)
{
	return err_set(making->err, BERM_ERR_NOMEM, "learn from events");
}

/* ---- from events to candidates ----------------------------------------------------------------------------------- */

/* What a line for an operation says; POLICY_KEYS: none does. */
static enum policy_key key_of(const struct learn_event *event)
{
	static const enum policy_key keys[] = {
		[POLICY_OP_READ] = KEY_READ,	  [POLICY_OP_LIST] = KEY_READ,	       [POLICY_OP_WRITE] = KEY_WRITE,
		[POLICY_OP_CREATE] = KEY_REPLACE, [POLICY_OP_DELETE] = KEY_REPLACE,    [POLICY_OP_EXEC] = KEY_EXEC,
		[POLICY_OP_SOCKET] = KEY_SOCKETS, [POLICY_OP_CONNECT] = KEY_NET_ALLOW,
	};
	if ((size_t)event->op >= ARRAY_LEN(keys))
		return POLICY_KEYS;
	/* One name is what "replace" is for; a folder is made to be written in. */
	if (event->folder && keys[event->op] == KEY_REPLACE)
		return KEY_WRITE;
	return keys[event->op];
}

static bool is_path(enum policy_key key)
{
	return key != KEY_NET_ALLOW;
}

static enum berm_code skip(const struct making *making, size_t event, const char *why)
{
	const char *kept = arena_text(&making->learn->arena, str_from(why));
	if (kept == NULL)
		return no_memory(making);
	return vec_push(&making->learn->skipped, &(struct learn_skipped){event, kept}, making->err);
}

static const char *why_no_line(const struct learn_event *event)
{
	if (key_of(event) == POLICY_KEYS)
		return "nothing that a policy line allows";
	if (!is_path(key_of(event)))
		return learn_is_loopback(event->object) ? "a port of the host's loopback: \"network.reach\" is for that"
							: NULL;
	return learn_never(event->object);
}

static enum berm_code set_path(const struct making *making, const struct learn_event *event,
			       struct candidate *candidate)
{
	struct str path = str_from(event->object);
	if (candidate->key == KEY_REPLACE)
		path = learn_saved_file(event->object);
	char *copy = arena_text(&making->learn->arena, path);
	if (copy == NULL)
		return no_memory(making);
	candidate->path = copy;
	candidate->list = event->folder && event->op != POLICY_OP_CREATE;
	if (!is_path(candidate->key) || candidate->key == KEY_SOCKETS || event->folder)
		return BERM_OK;
	size_t len = (size_t)(strrchr(copy, '/') - copy);
	candidate->parent = arena_text(&making->learn->arena, (struct str){copy, len > 0 ? len : 1});
	if (candidate->parent == NULL)
		return no_memory(making);
	if (candidate->key == KEY_REPLACE) /* takes no pattern */
		return BERM_OK;
	return learn_shape(&making->learn->arena, copy, &candidate->shape, making->err);
}

/* What the policy says to the event's object, and to what the line would be of. */
static enum learn_word look(const struct making *making, const struct learn_event *event, struct candidate *candidate,
			    char why[static LEARN_WHY_MAX])
{
	const struct learn_judge *judge = making->judge;
	enum learn_word word = judge->look(judge->context, event->op, event->object, false, why);
	if (word == LEARN_OPEN && strcmp(candidate->path, event->object) != 0)
		word = judge->look(judge->context, event->op, candidate->path, false, why);
	bool tree = candidate->key == KEY_READ || candidate->key == KEY_WRITE || candidate->key == KEY_EXEC;
	if (word != LEARN_OPEN || !tree || candidate->list)
		return word;
	word = judge->look(judge->context, event->op, candidate->path, true, why);
	if (word != LEARN_FORBIDDEN || event->folder)
		return word;
	candidate->list = true; /* a file that something is denied below: whatever it becomes, it is not granted */
	return LEARN_OPEN;
}

static enum berm_code take_event(struct making *making, size_t index)
{
	const struct learn_event *event = &making->events[index];
	char why[LEARN_WHY_MAX] = "";
	const char *never = why_no_line(event);
	if (never != NULL)
		return skip(making, index, never);
	struct candidate candidate = {.key = key_of(event), .why = ""};
	candidate.first = candidate.last = (uint32_t)index;
	if (event->folder && event->op == POLICY_OP_CREATE)
		candidate.why = "the folder must be there when a run starts";
	TRY(set_path(making, event, &candidate));
	enum learn_word word = look(making, event, &candidate, why);
	if (word != LEARN_OPEN)
		return skip(making, index, word == LEARN_ALLOWED ? "allowed by now" : why);
	making->items[making->len++] = candidate;
	return BERM_OK;
}

/* ---- one candidate for several ----------------------------------------------------------------------------------- */

static int compare_texts(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

/* Writing and replacing are two ways to change a file: for the folder they count alike. */
static enum policy_key folder_key(const struct candidate *candidate)
{
	return candidate->key == KEY_REPLACE ? KEY_WRITE : candidate->key;
}

static int by_path(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;
	int order = (int)a->key - (int)b->key;
	if (order == 0)
		order = strcmp(a->path, b->path);
	if (order == 0) /* a whole folder before its list */
		order = (int)a->list - (int)b->list;
	return order != 0 ? order : (a->first > b->first) - (a->first < b->first);
}

static int by_shape(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;
	int order = (int)a->key - (int)b->key;
	if (order == 0)
		order = compare_texts(a->shape, b->shape);
	return order != 0 ? order : by_path(left, right);
}

static int by_parent(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;
	int order = (int)folder_key(a) - (int)folder_key(b);
	if (order == 0)
		order = compare_texts(a->parent, b->parent);
	return order != 0 ? order : by_path(left, right);
}

static void sort(struct making *making, int (*order)(const void *, const void *))
{
	if (making->len > 1)
		qsort(making->items, making->len, sizeof(*making->items), order);
}

static void join(struct making *making, struct candidate *into, struct candidate *from)
{
	making->next[into->last] = from->first;
	into->last = from->last;
	from->gone = true;
}

static void drop_gone(struct making *making)
{
	size_t kept = 0;
	for (size_t i = 0; i < making->len; i++) {
		if (!making->items[i].gone)
			making->items[kept++] = making->items[i];
	}
	making->len = kept;
}

static void unite_equal(struct making *making)
{
	struct candidate *into = NULL;
	sort(making, by_path);
	for (size_t i = 0; i < making->len; i++) {
		struct candidate *item = &making->items[i];
		if (into != NULL && into->key == item->key && strcmp(into->path, item->path) == 0)
			join(making, into, item);
		else
			into = item;
	}
	drop_gone(making);
}

static bool tree_is_open(const struct making *making, enum policy_key key, const char *folder)
{
	char why[LEARN_WHY_MAX] = "";
	static const enum policy_op ops[] = {POLICY_OP_READ, POLICY_OP_WRITE, POLICY_OP_EXEC};
	enum policy_op op = ops[key == KEY_WRITE || key == KEY_REPLACE ? 1 : key == KEY_EXEC ? 2 : 0];
	return learn_may_widen(folder, making->judge->home, making->judge->workspace) &&
	       making->judge->look(making->judge->context, op, folder, true, why) == LEARN_OPEN;
}

/* ---- versions ---------------------------------------------------------------------------------------------------- */

/* What stands before the component with the first wildcard. */
static const char *before_wildcard(const struct making *making, const char *shape)
{
	size_t len = strcspn(shape, "*");
	while (len > 0 && shape[len] != '/')
		len--;
	return arena_text(&making->learn->arena, (struct str){shape, len > 0 ? len : 1});
}

/* Candidates from index on that have one shape become one. */
static enum berm_code unite_versions(struct making *making, size_t index, size_t count)
{
	struct candidate *first = &making->items[index];
	const char *folder = before_wildcard(making, first->shape);
	if (folder == NULL)
		return no_memory(making);
	if (!tree_is_open(making, first->key, folder))
		return BERM_OK;
	for (size_t i = 1; i < count; i++)
		join(making, first, first + i);
	first->path = first->shape;
	first->pattern = true;
	first->parent = first->shape = NULL;
	first->why = "names that differ in a version or a hash";
	return BERM_OK;
}

static enum berm_code widen_versions(struct making *making)
{
	sort(making, by_shape);
	for (size_t i = 0, count; i < making->len; i += count) {
		const struct candidate *item = &making->items[i];
		for (count = 1; i + count < making->len; count++) {
			const struct candidate *other = item + count;
			if (other->key != item->key || item->shape == NULL ||
			    compare_texts(item->shape, other->shape) != 0)
				break;
		}
		if (count > 1)
			TRY(unite_versions(making, i, count));
	}
	drop_gone(making);
	return BERM_OK;
}

/* ---- folders ----------------------------------------------------------------------------------------------------- */

/* Candidates from index on, of one folder, become that folder. */
static enum berm_code unite_folder(struct making *making, size_t index, size_t count, bool *ret_changed)
{
	struct candidate *first = &making->items[index];
	enum policy_key key = folder_key(first);
	if (!tree_is_open(making, key, first->parent))
		return BERM_OK;
	for (size_t i = 1; i < count; i++)
		join(making, first, first + i);
	const char *folder = first->parent;
	const char *slash = strrchr(folder, '/');
	first->parent = arena_text(&making->learn->arena, (struct str){folder, (size_t)(slash - folder)});
	if (first->parent == NULL)
		return no_memory(making);
	first->key = key;
	first->path = folder;
	first->list = false;
	first->shape = NULL;
	first->why = "three or more names of one folder";
	*ret_changed = true;
	return BERM_OK;
}

static enum berm_code widen_folders_once(struct making *making, bool *ret_changed)
{
	sort(making, by_parent);
	for (size_t i = 0, count; i < making->len; i += count) {
		const struct candidate *item = &making->items[i];
		for (count = 1; i + count < making->len && item->parent != NULL; count++) {
			const struct candidate *other = item + count;
			if (folder_key(other) != folder_key(item) || compare_texts(item->parent, other->parent) != 0)
				break;
		}
		if (count >= LEARN_FILES_OF_A_FOLDER)
			TRY(unite_folder(making, i, count, ret_changed));
	}
	drop_gone(making);
	return BERM_OK;
}

static enum berm_code widen_folders(struct making *making)
{
	bool changed = true;
	for (int round = 0; changed && round < MAX_ROUNDS; round++) {
		changed = false;
		TRY(widen_folders_once(making, &changed));
	}
	return BERM_OK;
}

/* ---- what another line gives already ----------------------------------------------------------------------------- */

/* Does a line of the one key give what a line of the other asks for? */
static bool gives(enum policy_key key, enum policy_key wanted)
{
	if (key == wanted)
		return key != KEY_NET_ALLOW && key != KEY_SOCKETS;
	if (key == KEY_WRITE)
		return wanted == KEY_READ || wanted == KEY_EXEC || wanted == KEY_REPLACE;
	if (key == KEY_REPLACE && wanted == KEY_WRITE)
		return true;
	return (key == KEY_EXEC || key == KEY_REPLACE) && wanted == KEY_READ;
}

/* "replace" and "exec" of a file are of that name alone. */
static bool covers(const struct candidate *wide, const struct candidate *narrow)
{
	bool same = strcmp(wide->path, narrow->path) == 0;
	if (wide->pattern || wide->list || !gives(wide->key, narrow->key))
		return false;
	/* What may be written in place may not be made or removed by that; what is replaced is a file. */
	if (same && narrow->key == KEY_REPLACE && wide->why[0] == '\0')
		return false;
	if (wide->key == KEY_REPLACE && narrow->why[0] != '\0')
		return false;
	return same || (wide->key != KEY_REPLACE && learn_is_in(narrow->path, wide->path));
}

/* The candidates that cover something are the folders, and what has the same path; looked up by path. */
static enum berm_code index_paths(const struct making *making, struct map *map)
{
	for (size_t i = 0; i < making->len; i++) {
		struct candidate *item = &making->items[i];
		struct candidate *other = map_find(map, str_from(item->path));
		/* the stronger of two */
		if (other == NULL || gives(item->key, other->key))
			TRY(map_put(map, str_from(item->path), item, making->err));
	}
	return BERM_OK;
}

static void cover(struct making *making, const struct map *map, struct candidate *item)
{
	struct str path = str_from(item->path);
	while (path.len > 0 && !item->gone) {
		struct candidate *other = map_find(map, path);
		if (other != NULL && other != item && !other->gone && covers(other, item))
			join(making, other, item);
		while (path.len > 0 && path.ptr[path.len - 1] != '/')
			path.len--;
		path.len -= path.len > 0;
	}
}

static enum berm_code drop_covered(struct making *making)
{
	auto_map struct map map;
	map_init(&map, LEARN_MAX_EVENTS);
	TRY(index_paths(making, &map));
	for (size_t i = 0; i < making->len; i++)
		if (is_path(making->items[i].key))
			cover(making, &map, &making->items[i]);
	drop_gone(making);
	return BERM_OK;
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

/* Port 443 goes without saying. */
static char *host_text(struct arena *arena, const char *object)
{
	struct str text = str_from(object);
	if (str_ends(text, STR(":443")))
		text.len -= 4;
	return arena_text(arena, text);
}

static int by_number(const void *left, const void *right)
{
	size_t a = *(const size_t *)left, b = *(const size_t *)right;
	return (a > b) - (a < b);
}

static enum berm_code set_events(const struct making *making, const struct candidate *item, struct learn_line *line)
{
	size_t count = 1;
	for (uint32_t at = item->first; at != item->last; at = making->next[at])
		count++;
	line->events = arena_array(&making->learn->arena, count, sizeof(*line->events));
	if (line->events == NULL)
		return no_memory(making);
	uint32_t at = item->first;
	for (size_t i = 0; i < count; i++, at = making->next[at])
		line->events[i] = at;
	line->event_count = count;
	qsort(line->events, count, sizeof(*line->events), by_number);
	return BERM_OK;
}

static enum berm_code put_line(const struct making *making, const struct candidate *item)
{
	struct arena *arena = &making->learn->arena;
	struct learn_line line = {.key = item->key, .file = item->list, .why = item->why};
	line.text = is_path(item->key) ? learn_text(arena, item->path, making->judge->home, item->pattern)
				       : host_text(arena, item->path);
	if (line.text == NULL)
		return no_memory(making);
	TRY(set_events(making, item, &line));
	return vec_push(&making->learn->lines, &line, making->err);
}

static enum berm_code make(struct making *making)
{
	for (size_t i = 0; i < making->count; i++)
		TRY(take_event(making, i));
	unite_equal(making);
	TRY(widen_versions(making));
	TRY(widen_folders(making));
	unite_equal(making);
	TRY(drop_covered(making));
	sort(making, by_path);
	for (size_t i = 0; i < making->len; i++)
		TRY(put_line(making, &making->items[i]));
	return BERM_OK;
}

enum berm_code learn_make(const struct learn_event *events, size_t count, const struct learn_judge *judge,
			  struct learn *learn, struct berm_err *err)
{
	struct making making = {.events = events, .count = count, .judge = judge, .learn = learn, .err = err};
	if (count > LEARN_MAX_EVENTS)
		return err_set(err, BERM_ERR_LIMIT, "more than %d events to learn from", LEARN_MAX_EVENTS);
	if (count == 0)
		return BERM_OK;
	making.items = arena_array(&learn->arena, count, sizeof(*making.items));
	making.next = arena_array(&learn->arena, count, sizeof(*making.next));
	if (making.items == NULL || making.next == NULL)
		return no_memory(&making);
	return make(&making);
}

enum berm_code learn_document(struct learn *learn, struct policy_doc *ret_doc, struct berm_err *err)
{
	static const struct policy_attr file_attr = {ATTR_EXTENT, "file"};
	const struct learn_line *lines = learn->lines.items;
	struct policy_line *made = arena_array(&learn->arena, learn->lines.len + 1, sizeof(*made));
	if (made == NULL)
		return err_set(err, BERM_ERR_NOMEM, "learn from events");
	for (size_t i = 0; i < learn->lines.len; i++) {
		made[i] = (struct policy_line){.key = lines[i].key, .text = lines[i].text};
		made[i].attrs = lines[i].file ? &file_attr : NULL;
		made[i].attr_count = lines[i].file;
	}
	*ret_doc =
		(struct policy_doc){.kind = POLICY_DOC_FILE, .lines = made, .line_count = (uint32_t)learn->lines.len};
	return BERM_OK;
}
