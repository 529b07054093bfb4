#include "policy/learn_policy.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/glob.h"
#include "base/own.h"
#include "berm/berm.h"
#include "policy/host_text.h"
#include "policy/learn_names.h"
#include "policy/question.h"

enum { MAX_RULES = 65536, MAX_EXCEPTS = 64, PLACE_MAX = 256 };

/* A line with its patterns, which are compiled when a path comes near: most lines are never asked. */
struct rule {
	const struct policy_entry *entry;
	bool has_pattern;      /* it is about paths, and no name alone */
	struct str stem;       /* whole names that all it matches begins with; empty: none */
	bool compiled, broken; /* broken: it could not be */
	struct glob *glob;
	struct glob **excepts; /* NULL-terminated, or NULL */
};

struct learn_policy {
	const struct policy *policy;
	const struct floor_places *places;
	struct vec rules; /* of struct rule */
	bool has_delete;  /* "filesystem.delete" is given: writing does not include it */
};

/* ---- made -------------------------------------------------------------------------------------------------------- */

static void rule_done(struct rule *rule)
{
	for (struct glob **except = rule->excepts; except != NULL && *except != NULL; except++)
		glob_free(*except);
	free(rule->excepts);
	glob_free(rule->glob);
}

void learn_policy_free(struct learn_policy *rules)
{
	if (rules == NULL)
		return;
	struct rule *items = rules->rules.items;
	for (size_t i = 0; i < rules->rules.len; i++)
		rule_done(&items[i]);
	vec_done(&rules->rules);
	free(rules);
}

static enum berm_code compile_excepts(const struct policy_entry *entry, struct rule *rule)
{
	size_t count = 0;
	while (entry->except != NULL && entry->except[count] != NULL)
		count++;
	rule->excepts = calloc(count + 1, sizeof(struct glob *));
	if (rule->excepts == NULL)
		return BERM_ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		TRY(glob_new(GLOB_PATH, str_from(entry->except[i]), &rule->excepts[i], NULL));
	return BERM_OK;
}

/* False: it is not known what the line says. */
static bool compile(struct rule *rule)
{
	if (!rule->compiled)
		rule->broken = glob_new(GLOB_PATH, str_from(rule->entry->path), &rule->glob, NULL) != BERM_OK ||
			       compile_excepts(rule->entry, rule) != BERM_OK;
	rule->compiled = true;
	return !rule->broken;
}

/* Names that a pattern passes over, "." and empty ones, are in no stem. */
static struct str stem_of(const char *path)
{
	size_t len = strcspn(path, "*?[{\\");
	while (len > 0 && path[len] != '\0' && path[len - 1] != '/')
		len--;
	while (len > 0 && path[len - 1] == '/')
		len--;
	const struct str stem = {path, len};
	bool odd = len == 0 || memmem(path, len, "//", 2) != NULL || memmem(path, len, "/./", 3) != NULL;
	return odd || str_ends(stem, STR("/.")) ? STR("") : stem;
}

static enum berm_code add_rule(struct learn_policy *rules, const struct policy_entry *entry, struct berm_err *err)
{
	enum policy_key key = entry->line->key;
	struct rule rule = {.entry = entry};
	rule.has_pattern = key != KEY_NET_DENY && key != KEY_REPLACE && key != KEY_SCRATCH;
	rule.stem = rule.has_pattern ? stem_of(entry->path) : STR("");
	return vec_push(&rules->rules, &rule, err);
}

/* Of the cache of the workspace, where another line grants; with shared caches the path itself is granted. */
static bool is_kept_elsewhere(const struct policy *policy, const struct policy_entry *entry)
{
	return policy_attr_find(entry->line, ATTR_KEEP) != NULL && !policy_says(policy, KEY_CACHE, "shared");
}

static bool is_rule(const struct policy *policy, const struct policy_entry *entry)
{
	static const enum policy_key of_paths[] = {KEY_DENY,   KEY_PROTECT, KEY_ASK,	 KEY_READ,    KEY_WRITE,
						   KEY_DELETE, KEY_EXEC,    KEY_REPLACE, KEY_SCRATCH, KEY_SOCKETS};
	enum policy_key key = entry->line->key;
	if (entry->off != NULL || is_kept_elsewhere(policy, entry))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(of_paths); i++) {
		if (of_paths[i] == key)
			return entry->path != NULL;
	}
	return key == KEY_NET_DENY;
}

void learn_policy_drop(struct learn_policy **rules)
{
	learn_policy_free(*rules);
}

enum berm_code learn_policy_new(const struct policy *policy, const struct floor_places *places,
				struct learn_policy **ret_rules, struct berm_err *err)
{
	auto_learn_policy struct learn_policy *rules = calloc(1, sizeof(*rules));
	if (rules == NULL)
		return err_set(err, BERM_ERR_NOMEM, "learn from events");
	rules->policy = policy;
	rules->places = places;
	vec_init(&rules->rules, sizeof(struct rule), MAX_RULES);
	for (size_t i = 0; i < policy->count; i++)
		if (is_rule(policy, &policy->entries[i])) {
			TRY(add_rule(rules, &policy->entries[i], err));
			rules->has_delete |= policy->entries[i].line->key == KEY_DELETE;
		}
	*ret_rules = take(rules);
	return BERM_OK;
}

/* ---- asked ------------------------------------------------------------------------------------------------------- */

/* Does it match path, or a folder around it? */
static bool covers(const struct glob *glob, const char *path)
{
	struct str at = str_from(path);
	while (at.len > 1) {
		if (glob_match(glob, at, true))
			return true;
		while (at.len > 0 && at.ptr[at.len - 1] != '/')
			at.len--;
		at.len -= at.len > 1;
	}
	return false;
}

/* Might it match path, or a folder around it? */
static bool is_near(const struct rule *rule, const char *path)
{
	size_t len = strnlen(path, rule->stem.len + 1);
	return rule->has_pattern && len >= rule->stem.len &&
	       str_eq_nocase(rule->stem, (struct str){path, rule->stem.len}) &&
	       (rule->stem.len == 0 || path[rule->stem.len] == '\0' || path[rule->stem.len] == '/');
}

static bool is_excepted(const struct rule *rule, const char *path)
{
	for (struct glob **except = rule->excepts; except != NULL && *except != NULL; except++)
		if (covers(*except, path))
			return true;
	return false;
}

/* Does the line name something below the folder? A pattern that holds anywhere goes on holding there. */
static bool lies_below(const struct rule *rule, const char *folder)
{
	char start[PATH_MAX] = "";
	const char *path = rule->entry->path;
	size_t len = 0;
	for (; path[len] != '\0' && len + 1 < sizeof(start) && strchr("*?[{\\", path[len]) == NULL; len++)
		start[len] = path[len];
	while (len > 0 && path[len] != '\0' && start[len - 1] != '/')
		len--; /* the whole names before the first wildcard */
	while (len > 1 && start[len - 1] == '/')
		len--;
	start[len] = '\0';
	return start[0] == '/' && start[1] != '\0' && learn_is_in(start, folder);
}

static bool changes(enum policy_op op)
{
	return op == POLICY_OP_WRITE || op == POLICY_OP_CREATE || op == POLICY_OP_DELETE;
}

static void tell(const struct rule *rule, char ret_why[static LEARN_WHY_MAX])
{
	char place[PLACE_MAX];
	policy_entry_place(rule->entry, place, sizeof(place));
	(void)snprintf(ret_why, LEARN_WHY_MAX, "%s: %.120s (%s)", policy_keys[rule->entry->line->key].path,
		       rule->entry->text, place);
}

static bool closes(struct rule *rule, enum policy_op op, const char *path, bool tree)
{
	enum policy_key key = rule->entry->line->key;
	if (key != KEY_DENY && (key != KEY_PROTECT || !changes(op)))
		return false;
	if (tree && lies_below(rule, path))
		return true;
	if (!is_near(rule, path))
		return false;
	return !compile(rule) || (covers(rule->glob, path) && !is_excepted(rule, path));
}

/* A grant of this key gives that operation. */
static bool gives(const struct learn_policy *rules, enum policy_key key, enum policy_op op)
{
	bool reads = op == POLICY_OP_READ || op == POLICY_OP_LIST;
	if (key == KEY_WRITE)
		return op != POLICY_OP_SOCKET && !(op == POLICY_OP_DELETE && rules->has_delete);
	if (key == KEY_EXEC)
		return reads || op == POLICY_OP_EXEC;
	if (key == KEY_REPLACE)
		return reads || changes(op);
	if (key == KEY_SCRATCH)
		return op != POLICY_OP_SOCKET;
	if (key == KEY_DELETE)
		return op == POLICY_OP_DELETE;
	return key == KEY_SOCKETS ? op == POLICY_OP_SOCKET : key == KEY_READ && reads;
}

/* Is path in a folder that is the sandbox's own? A home that lies in one is not. */
static bool in_own_folder(const struct learn_policy *rules, const char *folder, const char *path)
{
	const char *home = rules->places->home;
	bool around = home != NULL && learn_is_in(home, folder) && strcmp(home, folder) != 0;
	return learn_is_in(path, folder) && !(around && learn_is_in(path, home));
}

/* The sandbox's own, or the machine's: programs have it either way. */
static bool is_temporary(const struct learn_policy *rules, const char *path)
{
	return in_own_folder(rules, "/tmp", path) || in_own_folder(rules, "/var/tmp", path);
}

static bool opens(const struct learn_policy *rules, struct rule *rule, enum policy_op op, const char *path)
{
	enum policy_key key = rule->entry->line->key;
	const char *extent = policy_attr_find(rule->entry->line, ATTR_EXTENT);
	if (!gives(rules, key, op))
		return false;
	if (key == KEY_REPLACE)
		return strcmp(rule->entry->path, path) == 0;
	if (!rule->has_pattern)
		return in_own_folder(rules, rule->entry->path, path);
	if (!is_near(rule, path) || !compile(rule))
		return false;
	if (key == KEY_SOCKETS || (extent != NULL && strcmp(extent, "file") == 0))
		return glob_match(rule->glob, str_from(path), false);
	return covers(rule->glob, path);
}

static bool is_asked(struct rule *rule, const char *path)
{
	if (rule->entry->line->key != KEY_ASK || !is_near(rule, path))
		return false;
	return !compile(rule) || covers(rule->glob, path);
}

static const struct floor_row *floor_row_of(const struct learn_policy *rules, enum policy_op op, const char *path,
					    bool tree)
{
	unsigned right = changes(op) ? BERM_WRITE : op == POLICY_OP_EXEC ? BERM_EXEC : BERM_READ;
	const struct floor_row *row = floor_find(path, right, rules->places);
	for (size_t i = 0; row == NULL && tree && i < floor_row_count; i++) {
		const struct floor_row *other = &floor_rows[i];
		if (!other->own && (other->os & FLOOR_LINUX) != 0 && (other->rights & right) != 0 &&
		    floor_relate(other, rules->places, path) == FLOOR_AROUND)
			row = other;
	}
	return row;
}

static enum learn_word look_at_path(const struct learn_policy *rules, enum policy_op op, const char *path, bool tree,
				    char ret_why[static LEARN_WHY_MAX])
{
	struct rule *items = rules->rules.items;
	const struct rule *asks = NULL, *allows = NULL;
	bool own = is_temporary(rules, path) && op != POLICY_OP_SOCKET && !tree;
	const struct floor_row *floor = floor_row_of(rules, op, path, tree);
	if (floor != NULL) {
		(void)snprintf(ret_why, LEARN_WHY_MAX, "the floor: %s; nothing grants it", floor->why);
		return LEARN_FORBIDDEN;
	}
	for (size_t i = 0; i < rules->rules.len; i++) {
		if (items[i].entry->line->key == KEY_NET_DENY)
			continue;
		if (closes(&items[i], op, path, tree)) {
			tell(&items[i], ret_why);
			return LEARN_FORBIDDEN;
		}
		if (is_asked(&items[i], path))
			asks = &items[i];
		else if (opens(rules, &items[i], op, path))
			allows = &items[i];
	}
	if (asks != NULL || allows != NULL)
		tell(asks != NULL ? asks : allows, ret_why);
	return asks == NULL && (allows != NULL || own) ? LEARN_ALLOWED : LEARN_OPEN;
}

static bool names_host(const struct policy_entry *entry, struct str host)
{
	uint16_t port;
	struct glob *glob = NULL;
	struct host_net net, address;
	struct str pattern = host_text_split(entry->text, &port);
	if (host_text_net(pattern, true, &net))
		return host_text_net(host, false, &address) && host_text_in(&net, &address);
	bool matches = glob_new(GLOB_HOST, pattern, &glob, NULL) == BERM_OK && glob_match(glob, host, false);
	glob_free(glob);
	return matches;
}

static enum learn_word look_at_host(const struct learn_policy *rules, const char *object,
				    char ret_why[static LEARN_WHY_MAX])
{
	const struct rule *items = rules->rules.items;
	uint16_t port;
	struct str host = host_text_split(object, &port);
	for (size_t i = 0; i < rules->rules.len; i++) {
		if (items[i].entry->line->key != KEY_NET_DENY || !names_host(items[i].entry, host))
			continue;
		tell(&items[i], ret_why);
		return LEARN_FORBIDDEN;
	}
	return LEARN_OPEN;
}

enum learn_word learn_policy_look(void *context, enum policy_op op, const char *object, bool tree,
				  char ret_why[static LEARN_WHY_MAX])
{
	const struct learn_policy *rules = context;
	if (op == POLICY_OP_CONNECT)
		return look_at_host(rules, object, ret_why);
	return look_at_path(rules, op, object, tree, ret_why);
}
