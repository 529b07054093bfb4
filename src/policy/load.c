#include "policy/load.h"

#include <sha2.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "base/vec.h"
#include "format/nearest.h"
#include "policy/load_entry.h"
#include "policy/load_value.h"

enum { LEVELS_MAX = 4, PATH_BYTES = 64 };

/* A map of the file that is being walked: the top, "filesystem", "process.limits". */
struct level {
	const struct node *next; /* the child that comes next */
	char path[PATH_BYTES];	 /* its keys; "" at the top */
	bool wanted;
};

struct walk {
	struct load load;
	struct level levels[LEVELS_MAX];
	size_t depth;
};

/* ---- keys -------------------------------------------------------------------------------------------------------- */

/* What stands in a table's path behind the level's; NULL: the row is elsewhere. */
static const char *below(const char *path, const char *level)
{
	size_t len = strlen(level);
	if (len == 0)
		return path;
	return strncmp(path, level, len) == 0 && path[len] == '.' ? path + len + 1 : NULL;
}

static bool is_allowed(const struct level *level, const struct policy_key_row *row)
{
	return !level->wanted || row->wanted;
}

/* The row of a key at a level; POLICY_KEYS: there is none. ret_section: some row lies below it. */
static enum policy_key find_key(const struct level *level, const char *key, bool *ret_section)
{
	size_t len = strlen(key);
	*ret_section = false;
	for (size_t i = 0; i < POLICY_KEYS && strchr(key, '.') == NULL; i++) { /* dots are the table's */
		const char *rest = below(policy_keys[i].path, level->path);
		if (rest == NULL || strncmp(rest, key, len) != 0)
			continue;
		if (rest[len] == '\0')
			return (enum policy_key)i;
		*ret_section |= rest[len] == '.' && len > 0;
	}
	return POLICY_KEYS;
}

/* The nearest key of the level. */
static const char *nearest_key(const struct level *level, const char *key, char ret[static PATH_BYTES])
{
	struct nearest nearest;
	nearest_init(&nearest, key);
	for (size_t i = 0; i < POLICY_KEYS; i++) {
		const char *rest = below(policy_keys[i].path, level->path);
		if (rest == NULL || !is_allowed(level, &policy_keys[i]))
			continue;
		char name[PATH_BYTES];
		(void)snprintf(name, sizeof name, "%.*s", (int)strcspn(rest, "."), rest);
		const char *before = nearest.best;
		nearest_offer(&nearest, name);
		if (nearest.best == name)
			(void)snprintf(ret, PATH_BYTES, "%s", name);
		nearest.best = nearest.best == name ? ret : before;
	}
	if (level->path[0] == '\0' && !level->wanted)
		nearest_offer(&nearest, "wants");
	return nearest.best;
}

/* Another level that has this key, or a key that was written with its dots. */
static void hint_elsewhere(const struct load *load, const char *key)
{
	for (size_t i = 0; i < POLICY_KEYS; i++) {
		const char *path = policy_keys[i].path, *dot = strrchr(path, '.');
		if (dot == NULL)
			continue;
		if (strcmp(path, key) == 0)
			problem_hint(load->problems, "'%s' in the map '%.*s'", dot + 1, (int)(dot - path), path);
		else if (strcmp(dot + 1, key) == 0)
			problem_hint(load->problems, "%s (look at the indentation)", path);
		else
			continue;
		return;
	}
}

static void tell_unknown(struct load *load, const struct level *level, const struct node *node)
{
	char name[PATH_BYTES];
	const char *key = node->key.ptr;
	const struct place at = {load->file, node->key_line, node->key_column};
	if (level->path[0] != '\0')
		load_fault(load, &at, "unknown key '%s' in '%s'", key, level->path);
	else
		load_fault(load, &at, "unknown key '%s'%s", key, level->wanted ? " in 'wants'" : "");
	if (!load_is_heard(load))
		return;
	const char *nearest = nearest_key(level, key, name);
	if (nearest != NULL)
		problem_hint(load->problems, "%s", nearest);
	else
		hint_elsewhere(load, key);
}

/* ---- the walk ---------------------------------------------------------------------------------------------------- */

/* "network: none" where "network: {mode: none}" is meant. */
static void hint_at_section(const struct load *load, const struct node *node, const char *section)
{
	for (size_t i = 0; section[0] != '\0' && node->kind == NODE_TEXT && i < POLICY_KEYS; i++) {
		const char *key = below(policy_keys[i].path, section);
		bool meant = key != NULL && policy_keys[i].value == VALUE_WORD &&
			     policy_check_value(VALUE_WORD, policy_keys[i].words, node->text, NULL) == BERM_OK;
		if (!meant)
			continue;
		problem_hint(load->problems, "{%s: %s}", key, node->text.ptr);
		return;
	}
}

static enum berm_code enter(struct walk *walk, const struct node *map, const char *path, bool wanted)
{
	struct load *load = &walk->load;
	if (map->kind != NODE_MAP) {
		load_expect(load, map, "a map");
		hint_at_section(load, map, path);
		return BERM_OK;
	}
	if (walk->depth == LEVELS_MAX) /* the table has no more */
		return err_set(load->err, BERM_ERR_INVALID, "policy keys lie too deep: '%s'", path);
	struct level *level = &walk->levels[walk->depth++];
	*level = (struct level){.next = map->first, .wanted = wanted};
	(void)snprintf(level->path, sizeof level->path, "%s", path);
	return BERM_OK;
}

static bool is_kinds_business(const struct load *load, enum policy_key key)
{
	return (key != KEY_REQUIRED || load->kind == POLICY_DOC_GROUP) &&
	       (key != KEY_PROGRAMS || load->kind == POLICY_DOC_PROFILE);
}

static enum berm_code take_key(struct load *load, const struct level *level, enum policy_key key,
			       const struct node *node)
{
	const struct place at = {load->file, node->key_line, node->key_column};
	if (!is_allowed(level, &policy_keys[key]))
		load_fault(load, &at, "'%s' is nothing that a project can want", policy_keys[key].path);
	else if (!is_kinds_business(load, key))
		load_fault(load, &at, "'%s' is for %s only", node->key.ptr,
			   key == KEY_REQUIRED ? "groups" : "profiles");
	else
		return load_row(load, key, level->wanted, node);
	return BERM_OK;
}

static enum berm_code take_wants(struct walk *walk, const struct node *node)
{
	const struct place at = {walk->load.file, node->key_line, node->key_column};
	if (walk->load.kind == POLICY_DOC_FILE)
		return enter(walk, node, "", true);
	load_fault(&walk->load, &at, "'wants' is for a project's file only");
	return BERM_OK;
}

static enum berm_code take_child(struct walk *walk, const struct level *level, const struct node *node)
{
	bool section = false;
	char path[PATH_BYTES];
	bool top = level->path[0] == '\0' && !level->wanted;
	if (top && str_eq(node->key, STR("wants")))
		return take_wants(walk, node);
	/* "wants: {network: [HOST]}" is short for network.allow */
	bool is_short =
		level->wanted && level->path[0] == '\0' && node->kind == NODE_LIST && str_eq(node->key, STR("network"));
	enum policy_key key = is_short ? KEY_NET_ALLOW : find_key(level, node->key.ptr, &section);
	if (key != POLICY_KEYS)
		return take_key(&walk->load, level, key, node);
	int len = snprintf(path, sizeof path, "%s%s%s", level->path, level->path[0] != '\0' ? "." : "", node->key.ptr);
	if (section && len > 0 && (size_t)len < sizeof path)
		return enter(walk, node, path, level->wanted);
	tell_unknown(&walk->load, level, node);
	return BERM_OK;
}

static enum berm_code walk_tree(struct walk *walk, const struct node *root)
{
	TRY(enter(walk, root, "", false));
	while (walk->depth > 0) {
		struct level *level = &walk->levels[walk->depth - 1];
		const struct node *node = level->next;
		if (node == NULL) {
			walk->depth--;
			continue;
		}
		level->next = node->next;
		TRY(take_child(walk, level, node));
	}
	return BERM_OK;
}

/* ---- the document ------------------------------------------------------------------------------------------------ */

static enum berm_code no_memory(struct berm_err *err, const char *file)
{
	return err_set(err, BERM_ERR_NOMEM, "%s: out of memory", file);
}

/* What is the document's own goes out of the lines. */
static void take_names(struct policy_doc *doc, const struct policy_line *line)
{
	if (line->key == KEY_NAME)
		doc->name = line->text;
	else if (line->key == KEY_ABOUT)
		doc->about = line->text;
	else if (line->key == KEY_REQUIRED)
		doc->required = strcmp(line->text, "true") == 0;
}

static bool is_name(const struct policy_line *line)
{
	return line->key == KEY_NAME || line->key == KEY_ABOUT || line->key == KEY_REQUIRED;
}

static enum berm_code make_doc(struct load *load, struct policy_doc **ret_doc)
{
	struct policy_doc *doc = arena_alloc(load->arena, sizeof *doc);
	struct policy_line *lines = arena_array(load->arena, load->lines.len, sizeof *lines);
	const char *file = arena_text(load->arena, str_from(load->file));
	if (doc == NULL || lines == NULL || file == NULL)
		return no_memory(load->err, load->file);
	*doc = (struct policy_doc){.kind = load->kind, .file = file, .lines = lines};
	for (size_t i = 0; i < load->lines.len; i++) {
		const struct policy_line *line = vec_at(&load->lines, i);
		if (is_name(line))
			take_names(doc, line);
		else
			lines[doc->line_count++] = *line;
	}
	*ret_doc = doc;
	return BERM_OK;
}

static void load_done(struct walk *walk)
{
	vec_done(&walk->load.lines);
	vec_done(&walk->load.attrs);
}

static enum berm_code load_tree(struct load load, const struct node *root, struct policy_doc **ret_doc)
{
	__attribute__((cleanup(load_done))) struct walk walk = {.load = load};
	vec_init(&walk.load.lines, sizeof(struct policy_line), NODE_MAX_NODES);
	vec_init(&walk.load.attrs, sizeof(struct policy_attr), NODE_MAX_NODES);
	TRY(walk_tree(&walk, root));
	if (walk.load.code != BERM_OK)
		return walk.load.code;
	return make_doc(&walk.load, ret_doc);
}

enum berm_code policy_load_node(struct arena *arena, struct policy_from from, const struct node *root,
				const struct policy_doc **ret_doc, struct problems *problems, struct berm_err *err)
{
	const struct load load = {
		.arena = arena, .kind = from.kind, .file = from.file, .problems = problems, .err = err};
	struct policy_doc *doc = NULL;
	TRY(load_tree(load, root, &doc));
	*ret_doc = doc;
	return BERM_OK;
}

enum berm_code policy_load(struct arena *arena, struct policy_from from, struct str text,
			   const struct policy_doc **ret_doc, struct problems *problems, struct berm_err *err)
{
	const struct load load = {
		.arena = arena, .kind = from.kind, .file = from.file, .problems = problems, .err = err};
	const struct node *root = NULL;
	struct policy_doc *doc = NULL;
	TRY(node_parse(arena, text, from.file, &root, problems, err));
	TRY(load_tree(load, root, &doc));
	SHA2_CTX hash;
	SHA256Init(&hash);
	SHA256Update(&hash, (const uint8_t *)text.ptr, text.len);
	SHA256Final(doc->digest, &hash);
	*ret_doc = doc;
	return BERM_OK;
}
