#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/glob.h"
#include "base/own.h"
#include "format/path.h"
#include "policy/policy_merge.h"

/* ---- what lies in what a line denies ----------------------------------------------------------------------------- */

static void glob_drop(struct glob **glob)
{
	glob_free(*glob);
}

#define auto_glob __attribute__((cleanup(glob_drop)))

static bool matches_or_holds(const struct glob *glob, struct str path)
{
	for (; path.len > 1; path = path_parent(path))
		if (glob_match(glob, path, false))
			return true;
	return false;
}

/* The folder that "FOLDER" or "FOLDER" with "**" below it denies as a whole; empty: it is another pattern. */
static struct str denied_folder(const char *pattern, char buffer[static PATH_MAX])
{
	struct str text = str_from(pattern);
	if (!policy_vars_is_wild(pattern))
		return str_from(policy_vars_plain(pattern, buffer));
	size_t wild = strcspn(pattern, "*?[{\\");
	if (!str_ends(text, STR("/**")) || wild != text.len - 2)
		return (struct str){NULL, 0};
	return (struct str){text.ptr, text.len - 3};
}

/* The part of a pattern that is a folder for sure. */
static struct str front_of(const char *pattern)
{
	size_t at = strcspn(pattern, "*?[{\\");
	while (at > 0 && pattern[at - 1] != '/')
		at--;
	return at > 1 ? (struct str){pattern, at - 1} : STR("/");
}

/* Does the deny line hold for all that path (which may be a pattern) names? */
__attribute__((noinline)) static enum berm_code covers(const struct policy_entry *deny, const char *path,
						       bool *ret_covers, struct berm_err *err)
{
	char outer[PATH_MAX];
	bool wild = policy_vars_is_wild(path);
	struct str folder = denied_folder(deny->path, outer);
	if (folder.len > 0 || wild) {
		*ret_covers = folder.len > 0 && path_is_in(wild ? front_of(path) : str_from(path), folder);
		return BERM_OK;
	}
	auto_glob struct glob *glob = NULL;
	TRY(glob_new(GLOB_PATH, str_from(deny->path), &glob, err));
	*ret_covers = matches_or_holds(glob, str_from(path));
	return BERM_OK;
}

/* ---- overrides --------------------------------------------------------------------------------------------------- */

/* Lines of groups and of profiles can be lifted; what the system denies holds, and what somebody wrote himself he takes
 * out. */
static bool is_liftable(const struct policy_entry *entry)
{
	return (entry->layer == LAYER_GROUP || entry->layer == LAYER_PROFILE) &&
	       (entry->line->key == KEY_DENY || entry->line->key == KEY_PROTECT || entry->line->key == KEY_ASK);
}

static enum berm_code add_except(struct merge *merge, struct policy_entry *entry, const char *path)
{
	size_t count = 0;
	while (entry->except != NULL && entry->except[count] != NULL)
		count++;
	const char **excepts = arena_array(&merge->policy->arena, count + 2, sizeof *excepts);
	if (excepts == NULL)
		return merge_no_memory(merge);
	if (count > 0)
		memcpy(excepts, entry->except, count * sizeof *excepts);
	excepts[count] = path;
	entry->except = excepts;
	return BERM_OK;
}

/* One deny against one override: as a whole, or the part that is named. */
static enum berm_code lift(struct merge *merge, const struct policy_entry *override, struct policy_entry *entry,
			   bool *lifted)
{
	char plain[PATH_MAX];
	bool held = false;
	if (strcmp(entry->path, override->path) == 0) {
		entry->off = override;
		*lifted = true;
		return BERM_OK;
	}
	if (entry->line->key != KEY_DENY)
		return BERM_OK;
	bool wild = policy_vars_is_wild(override->path);
	const char *path = wild ? override->path : policy_vars_plain(override->path, plain);
	TRY(covers(entry, path, &held, merge->err));
	if (!held)
		return BERM_OK;
	*lifted = true;
	return add_except(merge, entry, override->path);
}

static enum berm_code lift_all(struct merge *merge, const struct policy_entry *override, bool *lifted)
{
	struct policy *policy = merge->policy;
	for (size_t i = 0; i < policy->count; i++)
		if (is_liftable(&policy->entries[i]) && policy->entries[i].off == NULL)
			TRY(lift(merge, override, &policy->entries[i], lifted));
	return BERM_OK;
}

/* What an override that lifts nothing may have been meant for. */
static void say_nothing_lifted(struct merge *merge, const struct policy_entry *override)
{
	const struct policy *policy = merge->policy;
	struct place place = merge_place(override->doc, override->line);
	char at[120];
	problem_add(merge->problems, &place, "the override of '%.80s' lifts nothing: no group denies just this",
		    override->line->text);
	for (size_t i = 0; i < policy->count; i++) {
		const struct policy_entry *entry = &policy->entries[i];
		bool below =
			entry->line->key == KEY_DENY && path_is_in(str_from(entry->path), str_from(override->path));
		bool same = entry->line->key == KEY_DENY && strcmp(entry->path, override->path) == 0;
		if (!below)
			continue;
		policy_entry_place(entry, at, sizeof at);
		if (same)
			problem_hint(merge->problems, "it is denied by %s, which no override lifts", at);
		else
			problem_hint(merge->problems, "name '%.60s' (%s)", entry->line->text, at);
		return;
	}
	problem_hint(merge->problems, "take the line out");
}

static bool may_override(struct merge *merge, const struct policy_entry *override)
{
	const char *why = policy_attr_find(override->line, ATTR_WHY);
	struct place place = merge_place(override->doc, override->line);
	bool own = override->layer == LAYER_USER || override->layer == LAYER_PROFILE;
	if (!own) {
		problem_add(merge->problems, &place,
			    "an override stands in your own policy.yaml or in a profile: '%.80s'",
			    override->line->text);
		problem_hint(merge->problems, "the same line there");
		return false;
	}
	if (why != NULL && why[0] != '\0')
		return true;
	problem_add(merge->problems, &place, "an override needs a reason: '%.80s'", override->line->text);
	problem_hint(merge->problems, "{path: %.60s, why: REASON}", override->line->text);
	return false;
}

/* One line may stand for several paths: it has lifted something if one of them has. */
enum berm_code merge_overrides(struct merge *merge)
{
	const struct policy *policy = merge->policy;
	for (size_t i = 0; i < policy->count; i++) {
		const struct policy_entry *override = &policy->entries[i];
		bool lifted = false;
		if (override->line->key != KEY_OVERRIDE || !may_override(merge, override))
			continue;
		for (; i < policy->count && policy->entries[i].line == override->line; i++)
			TRY(lift_all(merge, &policy->entries[i], &lifted));
		i--;
		if (!lifted && !override->doc->shipped)
			say_nothing_lifted(merge, override);
	}
	return BERM_OK;
}

/* ---- grants of what is denied ------------------------------------------------------------------------------------ */

/* Denied paths that are no patterns, sorted. */
struct denied {
	const char *path;
	const struct policy_entry *entry;
};
struct denials {
	struct denied *items;
	size_t count;
};

static int compare_denied(const void *a, const void *b)
{
	const struct denied *x = a, *y = b;
	int order = strcmp(x->path, y->path);
	return order != 0 ? order : x->entry < y->entry ? -1 : x->entry > y->entry;
}

static bool is_own_grant(const struct policy_entry *entry)
{
	static const bool grants[POLICY_KEYS] = {[KEY_READ] = true,   [KEY_WRITE] = true,   [KEY_EXEC] = true,
						 [KEY_DELETE] = true, [KEY_REPLACE] = true, [KEY_SOCKETS] = true};
	return grants[entry->line->key] && !entry->doc->shipped && entry->off == NULL &&
	       (entry->layer == LAYER_USER || entry->layer == LAYER_PROFILE || entry->layer == LAYER_FLAG) &&
	       !policy_vars_is_wild(entry->path);
}

static enum berm_code find_denials(struct merge *merge, struct denials *denials)
{
	char plain[PATH_MAX];
	struct policy *policy = merge->policy;
	denials->items = arena_array(&policy->arena, policy->count, sizeof *denials->items);
	if (denials->items == NULL)
		return merge_no_memory(merge);
	for (size_t i = 0; i < policy->count; i++) {
		const struct policy_entry *entry = &policy->entries[i];
		if (entry->line->key != KEY_DENY || entry->off != NULL || policy_vars_is_wild(entry->path))
			continue;
		const char *path = policy_vars_plain(entry->path, plain);
		if (path == plain && (path = arena_text(&policy->arena, str_from(plain))) == NULL)
			return merge_no_memory(merge);
		denials->items[denials->count++] = (struct denied){path, entry};
	}
	if (denials->count > 1)
		qsort(denials->items, denials->count, sizeof *denials->items, compare_denied);
	return BERM_OK;
}

static int compare_path(const void *key, const void *member)
{
	return strcmp(key, ((const struct denied *)member)->path);
}

/* The line that denies the path or a folder around it; NULL: none. */
__attribute__((noinline)) static const struct policy_entry *find_denial(const struct denials *denials, const char *path)
{
	char above[PATH_MAX];
	int len = snprintf(above, sizeof above, "%s", path);
	if (len <= 0 || (size_t)len >= sizeof above)
		return NULL;
	while (above[0] != '\0') {
		const struct denied *found = denials->count == 0 ? NULL
								 : bsearch(above, denials->items, denials->count,
									   sizeof *denials->items, compare_path);
		if (found != NULL)
			return found->entry;
		*strrchr(above, '/') = '\0';
	}
	return NULL;
}

/* Is something at the path, or below it, left open by the line's exceptions? */
static enum berm_code is_left_open(const struct policy_entry *deny, const char *path, bool *ret_open,
				   struct berm_err *err)
{
	for (const char *const *except = deny->except; !*ret_open && except != NULL && *except != NULL; except++) {
		auto_glob struct glob *glob = NULL;
		TRY(glob_new(GLOB_PATH, str_from(*except), &glob, err));
		*ret_open = matches_or_holds(glob, str_from(path)) || glob_may_match_below(glob, str_from(path), false);
	}
	return BERM_OK;
}

/* A person grants what a line denies: the line would win, and the person would wonder. */
static enum berm_code check_grant(struct merge *merge, const struct policy_entry *entry, const struct denials *denials)
{
	char plain[PATH_MAX], at[120];
	bool open = false;
	const char *path = policy_vars_plain(entry->path, plain);
	const struct policy_entry *deny = find_denial(denials, path);
	if (deny == NULL || deny->doc == entry->doc)
		return BERM_OK;
	TRY(is_left_open(deny, path, &open, merge->err));
	if (open)
		return BERM_OK;
	struct place place = merge_place(entry->doc, entry->line);
	policy_entry_place(deny, at, sizeof at);
	problem_add(merge->problems, &place, "'%s: %.60s' is denied by '%.40s' (%s), and deny wins",
		    policy_keys[entry->line->key].path, entry->line->text, deny->line->text, at);
	if (is_liftable(deny))
		problem_hint(merge->problems, "override: [{path: %.60s, why: REASON}] in your own policy.yaml",
			     entry->line->text);
	else if (deny->layer > LAYER_SYSTEM && deny->doc->kind != POLICY_DOC_FLAGS)
		problem_hint(merge->problems, "{path: %.40s, except: [%.60s]} there, or without this line",
			     deny->line->text, entry->line->text);
	else
		problem_hint(merge->problems, "without this line");
	return BERM_OK;
}

enum berm_code merge_check_grants(struct merge *merge)
{
	struct denials denials = {0};
	bool found = false;
	for (size_t i = 0; i < merge->policy->count; i++) {
		const struct policy_entry *entry = &merge->policy->entries[i];
		if (!is_own_grant(entry))
			continue;
		if (!found)
			TRY(find_denials(merge, &denials));
		found = true;
		TRY(check_grant(merge, entry, &denials));
	}
	return BERM_OK;
}
