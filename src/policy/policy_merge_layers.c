#include <string.h>

#include "base/glob.h"
#include "base/own.h"
#include "format/path.h"
#include "policy/policy_merge.h"

/* ---- a project narrows ------------------------------------------------------------------------------------------- */

/* What a project's file may say; of settings only what is narrower. */
static const bool narrowing[POLICY_KEYS] = {
	[KEY_BERM] = true,
	[KEY_NAME] = true,
	[KEY_ABOUT] = true,
	[KEY_WHEN] = true,
	[KEY_EXTENDS] = true,
	[KEY_GROUPS] = true,
	[KEY_BACKEND] = true,
	[KEY_DENY] = true,
	[KEY_PROTECT] = true,
	[KEY_ASK] = true,
	[KEY_FS_DEFAULT] = true,
	[KEY_TMP] = true,
	[KEY_VIEW] = true,
	[KEY_CACHE] = true,
	[KEY_NET_MODE] = true,
	[KEY_NET_DEFAULT] = true,
	[KEY_NET_DENY] = true,
	[KEY_LIMIT_MEMORY] = true,
	[KEY_LIMIT_PROCESSES] = true,
	[KEY_LIMIT_CPU] = true,
	[KEY_LIMIT_FILES] = true,
	[KEY_LIMIT_FILE_SIZE] = true,
	[KEY_LIMIT_WALL] = true,
	[KEY_HOOK] = true,
	[KEY_APPROVALS_MODE] = true,
	[KEY_UNDO] = true,
	[KEY_APPROVALS_TIMEOUT] = true,
	[KEY_APPROVALS_RATE] = true,
	[KEY_TRUST_REQUIRE] = true,
	[KEY_TEST] = true,
};

bool merge_narrows(const struct policy_line *line)
{
	const char *decision = line->key == KEY_COMMAND ? policy_attr_find(line, ATTR_DECISION) : NULL;
	if (line->wanted || narrowing[line->key])
		return true;
	return decision != NULL && (strcmp(decision, "ask") == 0 || strcmp(decision, "deny") == 0);
}

void merge_refuse(struct merge *merge, const struct policy_doc *doc, const struct policy_line *line)
{
	const struct policy_key_row *row = &policy_keys[line->key];
	struct place place = merge_place(doc, line);
	problem_add(merge->problems, &place, "a project's file narrows only: '%s: %.80s'", row->path, line->text);
	const char *dot = strchr(row->path, '.');
	if (!row->wanted)
		problem_hint(merge->problems, "say it in your own policy");
	else if (row->shape == SHAPE_MAP)
		problem_hint(merge->problems, "wants: {%.*s: {%s: {...}}}, which the user is asked for",
			     (int)(dot != NULL ? dot - row->path : 0), row->path, dot != NULL ? dot + 1 : row->path);
	else
		problem_hint(merge->problems, "wants: {%.*s: {%s: [%.60s]}}, which the user is asked for",
			     (int)(dot != NULL ? dot - row->path : 0), row->path, dot != NULL ? dot + 1 : row->path,
			     line->text);
}

/* ---- is one grant within another? -------------------------------------------------------------------------------- */

enum family {
	FAMILY_NONE = 0,
	FAMILY_FILES,
	FAMILY_SOCKETS,
	FAMILY_HOSTS,
	FAMILY_PUBLISH,
	FAMILY_REACH,
	FAMILY_MAY,
	FAMILY_VARIABLES,
	FAMILY_SECRETS,
	FAMILIES
};
enum { CAN_READ = 1, CAN_WRITE = 2, CAN_DELETE = 4, CAN_EXEC = 8 };

static const struct grant {
	enum family family;
	unsigned rights;
} grants[POLICY_KEYS] = {
	[KEY_READ] = {FAMILY_FILES, CAN_READ},
	[KEY_WRITE] = {FAMILY_FILES, CAN_READ | CAN_WRITE | CAN_DELETE | CAN_EXEC},
	[KEY_DELETE] = {FAMILY_FILES, CAN_DELETE},
	[KEY_EXEC] = {FAMILY_FILES, CAN_READ | CAN_EXEC},
	[KEY_REPLACE] = {FAMILY_FILES, CAN_READ | CAN_WRITE},
	[KEY_SOCKETS] = {FAMILY_SOCKETS, CAN_WRITE},
	[KEY_NET_ALLOW] = {FAMILY_HOSTS, CAN_WRITE},
	[KEY_PUBLISH] = {FAMILY_PUBLISH, CAN_WRITE},
	[KEY_REACH] = {FAMILY_REACH, CAN_WRITE},
	[KEY_MAY] = {FAMILY_MAY, CAN_WRITE},
	[KEY_ENV_PASS] = {FAMILY_VARIABLES, CAN_WRITE},
	[KEY_SECRET] = {FAMILY_SECRETS, CAN_WRITE},
};

/* A grant of the system's, with its pattern made ready. */
struct bound {
	const struct policy_entry *entry;
	struct glob *glob; /* NULL: a literal */
};
struct bounds {
	struct bound *items;
	size_t count;
	const struct policy_entry *first[FAMILIES];
};

static void bounds_done(struct bounds *bounds)
{
	for (size_t i = 0; i < bounds->count; i++)
		glob_free(bounds->items[i].glob);
}

#define auto_bounds __attribute__((cleanup(bounds_done)))

/* The folder in front of a pattern's first wildcard; "/" if there is none. */
static struct str front_of(const char *pattern)
{
	size_t at = strcspn(pattern, "*?[{");
	while (at > 0 && pattern[at - 1] != '/')
		at--;
	return at > 1 ? (struct str){pattern, at - 1} : STR("/");
}

static bool matches_or_holds(const struct glob *glob, struct str path)
{
	for (; path.len > 1; path = path_parent(path))
		if (glob_match(glob, path, false))
			return true;
	return false;
}

/* Is it for the object itself alone? */
static bool is_single(const struct policy_line *line)
{
	const char *extent = policy_attr_find(line, ATTR_EXTENT);
	return line->key == KEY_SOCKETS || (extent != NULL && strcmp(extent, "file") == 0);
}

__attribute__((noinline)) static bool holds_plain(const struct policy_entry *outer, struct str path)
{
	char buffer[PATH_MAX];
	struct str folder = str_from(policy_vars_plain(outer->path, buffer));
	return is_single(outer->line) ? str_eq(path, folder) : path_is_in(path, folder);
}

static bool holds_path(const struct bound *bound, const char *path)
{
	char plain[PATH_MAX];
	bool wild = policy_vars_is_wild(path);
	if (strcmp(bound->entry->path, path) == 0)
		return true;
	if (bound->glob != NULL)
		return !wild && matches_or_holds(bound->glob, str_from(policy_vars_plain(path, plain)));
	if (wild)
		return !is_single(bound->entry->line) && holds_plain(bound->entry, front_of(path));
	return holds_plain(bound->entry, str_from(policy_vars_plain(path, plain)));
}

static struct str port_of(struct str host, struct str *ret_name)
{
	size_t at = host.len;
	while (at > 0 && host.ptr[at - 1] >= '0' && host.ptr[at - 1] <= '9')
		at--;
	bool named = at > 0 && at < host.len && host.ptr[at - 1] == ':';
	*ret_name = (struct str){host.ptr, named ? at - 1 : host.len};
	return named ? (struct str){host.ptr + at, host.len - at} : STR("443");
}

static bool holds_name(struct str outer, struct str inner)
{
	struct glob *glob = NULL;
	if (str_eq_nocase(outer, inner) || str_eq(outer, STR("**")))
		return true;
	if (memchr(inner.ptr, '*', inner.len) != NULL || memchr(inner.ptr, '{', inner.len) != NULL)
		return str_starts(outer, STR("**.")) && inner.len >= outer.len - 2 &&
		       str_eq_nocase((struct str){inner.ptr + inner.len - (outer.len - 2), outer.len - 2},
				     (struct str){outer.ptr + 2, outer.len - 2});
	if (glob_new(GLOB_HOST, outer, &glob, NULL) != BERM_OK)
		return false;
	bool held = glob_match(glob, inner, true);
	glob_free(glob);
	return held;
}

static bool has_attr(const struct policy_line *line, enum policy_attr_key key, const char *text)
{
	for (uint32_t i = 0; i < line->attr_count; i++)
		if (line->attrs[i].key == key && strcmp(line->attrs[i].text, text) == 0)
			return true;
	return false;
}

/* Where the outer line names programs or requests, the inner one must name no others. */
static bool holds_attrs(const struct policy_line *outer, const struct policy_line *inner, enum policy_attr_key key)
{
	if (policy_attr_find(outer, key) == NULL)
		return true;
	if (policy_attr_find(inner, key) == NULL)
		return false;
	for (uint32_t i = 0; i < inner->attr_count; i++)
		if (inner->attrs[i].key == key && !has_attr(outer, key, inner->attrs[i].text))
			return false;
	return true;
}

static bool holds_host(const struct policy_entry *outer, const struct policy_entry *inner)
{
	struct str outer_name, inner_name;
	struct str outer_port = port_of(str_from(outer->text), &outer_name);
	struct str inner_port = port_of(str_from(inner->text), &inner_name);
	if (!str_eq(outer_port, inner_port) || !holds_name(outer_name, inner_name))
		return false;
	if (policy_attr_is(inner->line, ATTR_PRIVATE) && !policy_attr_is(outer->line, ATTR_PRIVATE))
		return false;
	return holds_attrs(outer->line, inner->line, ATTR_BY) && holds_attrs(outer->line, inner->line, ATTR_HTTP);
}

/* "LC_*" holds "LC_ALL". */
static bool holds_text(const char *outer, const char *inner)
{
	size_t len = strlen(outer);
	if (len > 0 && outer[len - 1] == '*')
		return strncmp(outer, inner, len - 1) == 0;
	return strcmp(outer, inner) == 0;
}

static bool holds_grant(const struct bound *bound, const struct policy_entry *inner, enum family family)
{
	if (family == FAMILY_FILES || family == FAMILY_SOCKETS)
		return holds_path(bound, inner->path);
	if (family == FAMILY_HOSTS)
		return holds_host(bound->entry, inner);
	return holds_text(bound->entry->line->text, inner->line->text);
}

/* ---- the ceiling ------------------------------------------------------------------------------------------------- */

static enum berm_code add_bound(struct bounds *bounds, struct policy_entry *entry, struct berm_err *err)
{
	struct bound bound = {.entry = entry};
	enum family family = grants[entry->line->key].family;
	if (entry->path != NULL && policy_vars_is_wild(entry->path))
		TRY(glob_new(GLOB_PATH, str_from(entry->path), &bound.glob, err));
	bounds->items[bounds->count++] = bound;
	if (bounds->first[family] == NULL)
		bounds->first[family] = entry;
	entry->off = entry;
	return BERM_OK;
}

static enum berm_code find_bounds(struct merge *merge, struct bounds *bounds)
{
	struct policy *policy = merge->policy;
	size_t count = 0;
	while (count < policy->count && policy->entries[count].layer <= LAYER_SYSTEM)
		count++;
	bounds->items = count > 0 ? arena_array(&policy->arena, count, sizeof *bounds->items) : NULL;
	if (bounds->items == NULL)
		return count > 0 ? merge_no_memory(merge) : BERM_OK;
	for (size_t i = 0; i < count; i++)
		if (grants[policy->entries[i].line->key].family != FAMILY_NONE)
			TRY(add_bound(bounds, &policy->entries[i], merge->err));
	return BERM_OK;
}

static bool is_within(const struct bounds *bounds, const struct policy_entry *entry)
{
	const struct grant *grant = &grants[entry->line->key];
	unsigned missing = grant->rights;
	for (size_t i = 0; i < bounds->count && missing != 0; i++) {
		const struct grant *outer = &grants[bounds->items[i].entry->line->key];
		if (outer->family == grant->family && (outer->rights & missing) != 0 &&
		    holds_grant(&bounds->items[i], entry, grant->family))
			missing &= ~outer->rights;
	}
	return missing == 0;
}

static void hold_below(struct merge *merge, struct policy_entry *entry, const struct policy_entry *bound)
{
	char at[120];
	entry->off = bound;
	if (entry->doc->shipped)
		return;
	policy_entry_place(bound, at, sizeof at);
	struct place place = merge_place(entry->doc, entry->line);
	problem_add(merge->problems, &place, "'%s: %.60s' is more than the system's policy allows (%s)",
		    policy_keys[entry->line->key].path, entry->line->text, at);
	problem_hint(merge->problems, "take the line out, or ask whoever keeps that file");
}

enum berm_code merge_ceiling(struct merge *merge)
{
	auto_bounds struct bounds bounds = {0};
	TRY(find_bounds(merge, &bounds));
	for (size_t i = 0; bounds.count > 0 && i < merge->policy->count; i++) {
		struct policy_entry *entry = &merge->policy->entries[i];
		const struct policy_entry *bound = bounds.first[grants[entry->line->key].family];
		if (entry->layer > LAYER_SYSTEM && bound != NULL && !is_within(&bounds, entry))
			hold_below(merge, entry, bound);
	}
	return BERM_OK;
}

/* ---- what a project asks ----------------------------------------------------------------------------------------- */

static bool is_granted(const struct policy *policy, const char *path)
{
	for (size_t i = 0; i < policy->count; i++) {
		const struct bound bound = {.entry = &policy->entries[i]};
		if (grants[bound.entry->line->key].family == FAMILY_FILES && bound.entry->off == NULL &&
		    !policy_vars_is_wild(bound.entry->path) && holds_path(&bound, path))
			return true;
	}
	return false;
}

/* To ask is more than to deny: where nothing else is asked for, a project may only ask about what is granted. */
void merge_check_asks(struct merge *merge)
{
	const struct policy *policy = merge->policy;
	const struct policy_entry *other = policy->setting[KEY_FS_DEFAULT];
	if (other != NULL && strcmp(other->line->text, "ask") == 0)
		return;
	for (size_t i = 0; i < policy->count; i++) {
		const struct policy_entry *entry = &policy->entries[i];
		if (entry->line->key != KEY_ASK || entry->layer != LAYER_PROJECT || is_granted(policy, entry->path))
			continue;
		struct place place = merge_place(entry->doc, entry->line);
		problem_add(merge->problems, &place,
			    "a project's file narrows only: 'filesystem.ask: %.60s' is denied without it",
			    entry->line->text);
		problem_hint(merge->problems, "take the line out");
	}
}
