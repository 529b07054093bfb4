/*
 * Rules: made from the narrowing lines, indexed by a name that each path they match must have, and found again by the
 * supervisor without memory of its own.
 */
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "sandbox/plan_build.h"
#include "sandbox/plan_sort.h"

#define MAX_PATTERN_TEXT ((size_t)16384)

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* ---- patterns ---------------------------------------------------------------------------------------------------- */

static bool is_special(char c)
{
	return c == '*' || c == '?' || c == '[' || c == ']' || c == '{' || c == '}' || c == '\\';
}

/* The next segment that lies in no braces; false at the end. *ret_plain: it has no wildcard. */
static bool next_segment(struct str text, size_t *at, struct str *ret_segment, bool *ret_plain)
{
	size_t depth = 0;
	while (*at < text.len && text.ptr[*at] == '/')
		(*at)++;
	size_t begin = *at;
	*ret_plain = true;
	for (; *at < text.len && (depth > 0 || text.ptr[*at] != '/'); (*at)++) {
		char c = text.ptr[*at];
		if (is_special(c))
			*ret_plain = false;
		if (c == '\\' && *at + 1 < text.len)
			(*at)++;
		else if (c == '{')
			depth++;
		else if (c == '}' && depth > 0)
			depth--;
	}
	*ret_segment = (struct str){text.ptr + begin, *at - begin};
	return *at > begin;
}

/* How much of the pattern is a path without wildcards. */
static size_t literal_len(struct str pattern)
{
	size_t at = 0, end = 0;
	struct str segment;
	bool plain;
	if (pattern.len == 0 || pattern.ptr[0] != '/')
		return 0;
	while (next_segment(pattern, &at, &segment, &plain) && plain)
		end = at;
	return end;
}

/* name in lower case; name itself, which the plan keeps, if it ends in NUL and is so already. */
static enum berm_code keep_key(struct build *build, struct str name, const char **ret_key, struct berm_err *err)
{
	bool kept = name.ptr[name.len] == '\0';
	for (size_t i = 0; i < name.len && kept; i++)
		kept = lower(name.ptr[i]) == name.ptr[i];
	if (kept) {
		*ret_key = name.ptr;
		return BERM_OK;
	}
	char *key = arena_text(build->keep, name);
	if (key == NULL)
		return build_no_memory(err);
	for (char *c = key; *c != '\0'; c++)
		*c = lower(*c);
	*ret_key = key;
	return BERM_OK;
}

/* The last name of a node is the key of what is a literal there. */
static enum berm_code node_key(struct build *build, const struct path_node *node, const char **ret_key,
			       struct berm_err *err)
{
	*ret_key = NULL;
	if (node->len == 1)
		return BERM_OK;
	return keep_key(build, (struct str){node->path + node->name_at, node->len - node->name_at}, ret_key, err);
}

/* The last part of a pattern that has no wildcard and lies in no braces. kept: pattern ends in NUL, and lives as long as the
 * plan. */
static enum berm_code pattern_key(struct build *build, struct str pattern, bool kept, const char **ret_key,
				  struct berm_err *err)
{
	size_t at = 0;
	struct str segment, last = {NULL, 0};
	bool plain;
	*ret_key = NULL;
	while (next_segment(pattern, &at, &segment, &plain))
		if (plain && !str_eq(segment, STR(".")))
			last = segment;
	if (last.len == 0)
		return BERM_OK;
	if (kept && last.ptr + last.len == pattern.ptr + pattern.len)
		return keep_key(build, last, ret_key, err);
	char *copy = arena_text(build->keep, last);
	if (copy == NULL)
		return build_no_memory(err);
	return keep_key(build, (struct str){copy, last.len}, ret_key, err);
}

static void put_escaped(struct buf *text, const char *path)
{
	for (; *path != '\0'; path++) {
		if (is_special(*path) || *path == ',')
			buf_putc(text, '\\');
		buf_putc(text, *path);
	}
}

static enum berm_code own_glob(struct build *build, const struct buf *text, struct glob **ret_glob,
			       struct berm_err *err)
{
	struct glob *glob = NULL;
	TRY(buf_check(text, err));
	TRY(glob_new(GLOB_PATH, buf_str(text), &glob, err));
	enum berm_code code = vec_push(&build->plan->owned->globs, &glob, err);
	if (code != BERM_OK) {
		glob_free(glob);
		return code;
	}
	*ret_glob = glob;
	return BERM_OK;
}

/* ---- rules ------------------------------------------------------------------------------------------------------- */

/* rules and notes are sized for all of them before. */
static void rule_add(struct build *build, const struct plan_rule *rule, const struct rule_note *note)
{
	struct berm_plan *plan = build->plan;
	if (rule->judge != NULL && rule->judge_max_bytes > plan->judge_max_bytes)
		plan->judge_max_bytes = rule->judge_max_bytes;
	build->notes[build->note_count++] = *note;
	plan->rules[plan->rule_count++] = *rule;
}

/* The literal's own name, and what it leads to if it is a link. */
static enum berm_code add_literal(struct build *build, struct plan_rule *rule, size_t line, struct str path,
				  struct berm_err *err)
{
	struct path_node *name, *object;
	TRY(paths_resolve(&build->paths, path, PATHS_KEEP_LAST | PATHS_LASTING, &name, err));
	object = name;
	if (name->seen == SEEN_LINK)
		TRY(paths_resolve(&build->paths, path, 0, &object, err));
	build->states[line].node = object;
	struct rule_note note = {.line = (uint32_t)line,
				 .anchor = object,
				 .deep = rule->tree || rule->right == BERM_DENY,
				 .mild = rule->except != NULL,
				 .right = rule->right};
	for (struct path_node *node = object;; node = name) {
		rule->path = node->path;
		TRY(node_key(build, node, &rule->key, err));
		note.anchor = node;
		rule_add(build, rule, &note);
		if (node == name)
			return BERM_OK;
	}
}

static enum berm_code add_pattern(struct build *build, struct plan_rule *rule, size_t line,
				  const struct cap_rule *given, struct berm_err *err)
{
	struct path_node *anchor;
	struct str pattern = given->pattern;
	struct str begin = {pattern.ptr, literal_len(pattern)};
	struct str rest = {pattern.ptr + begin.len, pattern.len - begin.len};
	TRY(paths_resolve(&build->paths, begin, 0, &anchor, err));
	struct rule_note note = {.line = (uint32_t)line, .anchor = anchor, .right = rule->right, .mild = true};
	note.deep = str_starts(rest, STR("/**/")) || str_starts(rest, STR("**/")) || str_eq(rest, STR("/**")) ||
		    str_eq(rest, STR("**"));
	rule->pattern = given->glob;
	note.glob = rule->pattern;
	TRY(pattern_key(build, pattern, true, &rule->key, err));
	rule_add(build, rule, &note);
	if (begin.len == 0 || str_eq(begin, (struct str){anchor->path, anchor->len}))
		return BERM_OK;
	/* Its beginning passes a link: the same pattern at the place where that leads to. */
	auto_buf struct buf text = {0};
	buf_init(&text, MAX_PATTERN_TEXT);
	put_escaped(&text, anchor->len > 1 ? anchor->path : "");
	buf_put_str(&text, rest);
	TRY(own_glob(build, &text, &rule->pattern, err));
	note.glob = rule->pattern;
	TRY(pattern_key(build, buf_str(&text), false, &rule->key, err));
	rule_add(build, rule, &note);
	return BERM_OK;
}

static enum berm_code add_rule_line(struct build *build, size_t index, const struct cap_line *line,
				    struct berm_err *err)
{
	const struct cap_rule *given = line->rule;
	struct plan_rule rule = {
		.tree = given->tree,
		.right = given->right,
		.mkdir_only = given->mkdir_only,
		.in_place = given->in_place,
		.removable = given->removable,
		.judge = given->judge,
		.judge_change = given->judge_change,
		.judge_max_bytes = given->judge_max_bytes,
		.except = given->except,
		.label = given->label,
		.beside = given->beside,
	};
	if (given->right == BERM_DENY && (given->glob != NULL || given->except != NULL))
		build->deny_patterns = true;
	if (given->glob == NULL)
		return add_literal(build, &rule, index, given->path, err);
	return add_pattern(build, &rule, index, given, err);
}

static enum berm_code add_narrow_line(struct build *build, size_t index, const struct cap_line *line,
				      struct berm_err *err)
{
	struct plan_rule rule = {.right = line->rights, .tree = line->extent == BERM_TREE, .label = line->path.ptr};
	return add_literal(build, &rule, index, line->path, err);
}

/* "{/d/NAME,/d/NAME.*,/d/.NAME.*}": the file, its lock and its temporary siblings. */
static enum berm_code add_replace_at(struct build *build, struct plan_rule *rule, size_t line, struct path_node *node,
				     struct berm_err *err)
{
	auto_buf struct buf folder = {0}, name = {0}, text = {0};
	struct path_node *parent = node->parent;
	if (parent == NULL)
		return BERM_OK; /* "/" is no file */
	buf_init(&folder, MAX_PATTERN_TEXT);
	buf_init(&name, MAX_PATTERN_TEXT);
	buf_init(&text, 4 * MAX_PATTERN_TEXT);
	put_escaped(&folder, parent->len > 1 ? parent->path : "");
	put_escaped(&name, node->path + node->name_at);
	TRY(buf_check(&folder, err));
	TRY(buf_check(&name, err));
	const char *dir = folder.len > 0 ? folder.data : "", *file = name.data;
	buf_printf(&text, "{%s/%s,%s/%s.*,%s/.%s.*}", dir, file, dir, file, dir, file);
	TRY(own_glob(build, &text, &rule->pattern, err));
	TRY(node_key(build, parent, &rule->key, err));
	struct rule_note note = {
		.line = (uint32_t)line, .anchor = parent, .glob = rule->pattern, .right = BERM_REPLACE};
	rule_add(build, rule, &note);
	return BERM_OK;
}

static enum berm_code add_replace_line(struct build *build, size_t index, const struct cap_line *line,
				       struct berm_err *err)
{
	struct path_node *name, *object;
	struct plan_rule rule = {.right = BERM_REPLACE, .label = line->path.ptr};
	TRY(paths_resolve(&build->paths, line->path, PATHS_KEEP_LAST | PATHS_NOTE_LINKS, &name, err));
	build->states[index].node = name;
	TRY(add_replace_at(build, &rule, index, name, err));
	if (name->seen != SEEN_LINK)
		return BERM_OK;
	TRY(paths_resolve(&build->paths, line->path, PATHS_NOTE_LINKS, &object, err));
	return add_replace_at(build, &rule, index, object, err);
}

enum berm_code build_rules(struct build *build, struct berm_err *err)
{
	typedef enum berm_code (*add_fn)(struct build *, size_t, const struct cap_line *, struct berm_err *);
	static const add_fn add[] = {
		[CAP_NARROW] = add_narrow_line, [CAP_REPLACE] = add_replace_line, [CAP_RULE] = add_rule_line};
	size_t count = 0;
	for (size_t i = 0; i < build->caps->lines.len; i++) {
		enum cap_kind kind = build_line(build, i)->kind;
		count += kind < ARRAY_LEN(add) && add[kind] != NULL ? 2 : 0;
	}
	build->narrowed = count > 0;
	build->plan->rules = arena_array(build->keep, count + 1, sizeof(struct plan_rule));
	build->notes = arena_array(&build->temp, count + 1, sizeof(struct rule_note));
	if (build->plan->rules == NULL || build->notes == NULL)
		return build_no_memory(err);
	for (size_t i = 0; i < build->caps->lines.len; i++) {
		const struct cap_line *line = build_line(build, i);
		if (line->kind < ARRAY_LEN(add) && add[line->kind] != NULL)
			TRY(add[line->kind](build, i, line, err));
	}
	return BERM_OK;
}

/* ---- index ------------------------------------------------------------------------------------------------------- */

/* Without regard to ASCII case. */
static int compare_folded(struct str a, struct str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	for (size_t i = 0; i < len; i++) {
		int order = (unsigned char)lower(a.ptr[i]) - (unsigned char)lower(b.ptr[i]);
		if (order != 0)
			return order;
	}
	return (a.len > b.len) - (a.len < b.len);
}

/* Literals to the front, then in order, each moved once. */
static enum berm_code sort_rules(struct build *build, struct berm_err *err)
{
	struct berm_plan *plan = build->plan;
	struct sort_item *items = arena_array(&build->temp, plan->rule_count + 1, sizeof *items);
	if (items == NULL)
		return build_no_memory(err);
	for (size_t i = 0; i < plan->rule_count; i++) {
		struct plan_rule rule = plan->rules[i];
		if (rule.path == NULL)
			continue;
		uint32_t at = (uint32_t)plan->literal_count++;
		items[at] = (struct sort_item){.path = rule.path, .len = (uint32_t)strlen(rule.path), .index = at};
		plan->rules[i] = plan->rules[at];
		plan->rules[at] = rule;
	}
	if (!plan_sort(items, plan->literal_count, true, &build->temp))
		return build_no_memory(err);
	for (size_t i = 0; i < plan->literal_count; i++) {
		struct plan_rule first = plan->rules[i];
		size_t at = i;
		while (items[at].index != at) { /* the circle of moves that i is in */
			size_t from = items[at].index;
			items[at].index = (uint32_t)at;
			plan->rules[at] = from == i ? first : plan->rules[from];
			at = from;
		}
	}
	return BERM_OK;
}

/* FNV-1a over lower case. */
static uint32_t hash_key(struct str key)
{
	uint32_t hash = 2166136261U;
	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char)lower(key.ptr[i])) * 16777619U;
	return hash ^ hash >> 15;
}

enum berm_code build_index(struct build *build, struct berm_err *err)
{
	struct berm_plan *plan = build->plan;
	struct plan_owned *owned = plan->owned;
	TRY(sort_rules(build, err));
	owned->head_count = 16;
	while (owned->head_count < plan->rule_count)
		owned->head_count *= 2;
	owned->heads = arena_array(build->keep, owned->head_count, sizeof *owned->heads);
	owned->next = arena_array(build->keep, plan->rule_count + 1, sizeof *owned->next);
	if (owned->heads == NULL || owned->next == NULL)
		return build_no_memory(err);
	for (size_t i = plan->rule_count; i > 0; i--) { /* chains in the order of the rules */
		const char *key = plan->rules[i - 1].key;
		uint32_t *head = &owned->keyless;
		if (key != NULL)
			head = &owned->heads[hash_key(str_from(key)) & (owned->head_count - 1)];
		owned->next[i - 1] = *head;
		*head = (uint32_t)i;
	}
	return BERM_OK;
}

/* ---- which rules hold -------------------------------------------------------------------------------------------- */

static bool equal(struct str a, struct str b, bool fold)
{
	return fold ? str_eq_nocase(a, b) : str_eq(a, b);
}

/* path is folder, or lies below it. */
static bool lies_in(struct str path, struct str folder, bool fold)
{
	if (folder.len == 1)
		return true;
	return path.len >= folder.len && (path.len == folder.len || path.ptr[folder.len] == '/') &&
	       equal((struct str){path.ptr, folder.len}, folder, fold);
}

struct str plan_parent(struct str path)
{
	size_t len = path.len;
	while (len > 0 && path.ptr[len - 1] != '/')
		len--;
	return (struct str){path.ptr, len > 1 ? len - 1 : len};
}

static bool matches(const struct glob *glob, struct str path, bool above, bool fold)
{
	for (;;) {
		if (glob_match(glob, path, fold))
			return true;
		if (!above || path.len <= 1)
			return false;
		path = plan_parent(path);
	}
}

/* A denied folder denies what is in it, and its exceptions hold for what is in them. */
static bool holds(const struct plan_rule *rule, struct str path, bool fold)
{
	bool above = rule->right == BERM_DENY;
	bool held;
	if (rule->path != NULL) {
		struct str own = str_from(rule->path);
		held = above || rule->tree ? lies_in(path, own, fold) : equal(path, own, fold);
	} else {
		held = matches(rule->pattern, path, above, fold);
	}
	return held && (rule->except == NULL || !matches(rule->except, path, above, fold));
}

enum stage { STAGE_LITERALS_BELOW, STAGE_KEYED, STAGE_KEYLESS, STAGE_PATTERNS_BELOW, STAGE_OVER };

/* The first literal that does not sort before what is below folder. */
static size_t first_below(const struct berm_plan *plan, struct str folder)
{
	size_t low = 0, high = plan->literal_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct str path = str_from(plan->rules[middle].path);
		int order =
			compare_folded((struct str){path.ptr, path.len < folder.len ? path.len : folder.len}, folder);
		if (order == 0) /* folder itself, or longer: "FOLDER/" must not sort after it */
			order = path.len == folder.len ? -1 : (unsigned char)path.ptr[folder.len] - '/';
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct plan_cursor plan_rules_at(const struct berm_plan *plan, struct str path, bool fold_case)
{
	return (struct plan_cursor){
		.plan = plan, .path = path, .rest = path, .fold_case = fold_case, .stage = STAGE_KEYED};
}

struct plan_cursor plan_rules_below(const struct berm_plan *plan, struct str path, bool fold_case)
{
	struct str folder = {path.ptr, path.len == 1 ? 0 : path.len};
	return (struct plan_cursor){.plan = plan,
				    .path = path,
				    .rest = path,
				    .below = true,
				    .fold_case = fold_case,
				    .stage = STAGE_LITERALS_BELOW,
				    .at = (uint32_t)first_below(plan, folder)};
}

static const struct plan_rule *next_literal_below(struct plan_cursor *cursor)
{
	const struct berm_plan *plan = cursor->plan;
	while (cursor->at < plan->literal_count) {
		const struct plan_rule *rule = &plan->rules[cursor->at++];
		struct str path = str_from(rule->path);
		if (!lies_in(path, cursor->path, true))
			break;
		if (path.len > cursor->path.len && lies_in(path, cursor->path, cursor->fold_case))
			return rule;
	}
	cursor->at = 0;
	cursor->stage = STAGE_KEYED;
	return NULL;
}

/* The next of the rules that hold for the path itself. Looking for what is below, only literals count here: patterns
 * have their own turn. */
static const struct plan_rule *next_at(struct plan_cursor *cursor)
{
	const struct plan_owned *owned = cursor->plan->owned;
	struct str name;
	for (;;) {
		while (cursor->at != 0) {
			const struct plan_rule *rule = &cursor->plan->rules[cursor->at - 1];
			cursor->at = owned->next[cursor->at - 1];
			if (cursor->below && (rule->path == NULL || (!rule->tree && rule->right != BERM_DENY)))
				continue;
			if (holds(rule, cursor->path, cursor->fold_case))
				return rule;
		}
		if (cursor->stage == STAGE_KEYED && str_next(&cursor->rest, '/', &name)) {
			cursor->at = owned->heads[hash_key(name) & (owned->head_count - 1)];
			continue;
		}
		if (cursor->stage++ == STAGE_KEYLESS)
			break;
		cursor->at = owned->keyless;
	}
	cursor->at = (uint32_t)cursor->plan->literal_count;
	return NULL;
}

static const struct plan_rule *next_pattern_below(struct plan_cursor *cursor)
{
	const struct berm_plan *plan = cursor->plan;
	while (cursor->at < plan->rule_count) {
		const struct plan_rule *rule = &plan->rules[cursor->at++];
		if (glob_may_match_below(rule->pattern, cursor->path, cursor->fold_case) ||
		    holds(rule, cursor->path, cursor->fold_case))
			return rule;
	}
	return NULL;
}

const struct plan_rule *plan_rule_next(struct plan_cursor *cursor)
{
	const struct plan_rule *rule = NULL;
	if (cursor->stage == STAGE_LITERALS_BELOW)
		rule = next_literal_below(cursor);
	if (rule == NULL && (cursor->stage == STAGE_KEYED || cursor->stage == STAGE_KEYLESS))
		rule = next_at(cursor);
	if (rule == NULL && cursor->stage == STAGE_PATTERNS_BELOW)
		rule = cursor->below ? next_pattern_below(cursor) : NULL;
	return rule;
}

/* ---- which grant holds ------------------------------------------------------------------------------------------- */

static int compare_grant(struct str path, const struct plan_grant *grant)
{
	int order = strncmp(path.ptr, grant->path, path.len);
	return order != 0 ? order : grant->path[path.len] == '\0' ? 0 : -1;
}

static const struct plan_grant *find_grant(const struct berm_plan *plan, struct str path)
{
	size_t low = 0, high = plan->grant_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_grant(path, &plan->grants[middle]);
		if (order == 0)
			return &plan->grants[middle];
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct plan_grant *plan_grant_at(const struct berm_plan *plan, struct str path)
{
	const struct plan_grant *grant = find_grant(plan, path);
	while (grant == NULL && path.len > 1) {
		path = plan_parent(path);
		grant = find_grant(plan, path);
		if (grant != NULL && !grant->tree)
			grant = NULL;
	}
	return grant;
}
