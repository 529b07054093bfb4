#include <stdlib.h>
#include <string.h>

#include "policy/policy_merge.h"

/* ---- how wide a value is ----------------------------------------------------------------------------------------- */

enum order { ORDER_NONE = 0, ORDER_WORDS, ORDER_SIZE, ORDER_COUNT, ORDER_DURATION };
struct setting {
	enum order order;
	uint64_t unset;	      /* how wide it is if nobody says anything */
	const char *words[5]; /* narrowest first */
};

static const struct setting settings[POLICY_KEYS] = {
	[KEY_BACKEND] = {ORDER_WORDS, 1, {"namespaces", "any", "landlock"}},
	[KEY_FS_DEFAULT] = {ORDER_WORDS, 0, {"deny", "ask"}},
	[KEY_TMP] = {ORDER_WORDS, 0, {"private", "host"}},
	[KEY_VIEW] = {ORDER_WORDS, 1, {"hidden", "auto", "visible"}},
	[KEY_CACHE] = {ORDER_WORDS, 0, {"private", "shared"}},
	[KEY_NET_MODE] = {ORDER_WORDS, 0, {"none", "filtered", "host"}},
	[KEY_NET_DEFAULT] = {ORDER_WORDS, 0, {"deny", "ask"}},
	[KEY_HOOK] = {ORDER_WORDS, 1, {"none", "claude-code"}},
	[KEY_APPROVALS_MODE] = {ORDER_WORDS, 1, {"deny", "ask", "allow"}},
	[KEY_UNDO] = {ORDER_WORDS, 2, {"overlay", "snapshot", "auto", "off"}},
	[KEY_LIMIT_MEMORY] = {ORDER_SIZE, UINT64_MAX, {NULL}},
	[KEY_LIMIT_FILE_SIZE] = {ORDER_SIZE, UINT64_MAX, {NULL}},
	[KEY_LIMIT_PROCESSES] = {ORDER_COUNT, UINT64_MAX, {NULL}},
	[KEY_LIMIT_FILES] = {ORDER_COUNT, UINT64_MAX, {NULL}},
	[KEY_LIMIT_CPU] = {ORDER_DURATION, UINT64_MAX, {NULL}},
	[KEY_LIMIT_WALL] = {ORDER_DURATION, UINT64_MAX, {NULL}},
	[KEY_APPROVALS_TIMEOUT] = {ORDER_DURATION, UINT64_MAX, {NULL}},
	[KEY_APPROVALS_RATE] = {ORDER_COUNT, UINT64_MAX, {NULL}},
};

static bool word_width(const struct setting *setting, const char *text, uint64_t *ret_width)
{
	for (size_t i = 0; setting->words[i] != NULL; i++)
		if (strcmp(setting->words[i], text) == 0) {
			*ret_width = i;
			return true;
		}
	return false;
}

bool merge_width(enum policy_key key, const char *text, uint64_t *ret_width)
{
	const struct setting *setting = &settings[key];
	switch (setting->order) {
	case ORDER_WORDS:
		return word_width(setting, text, ret_width);
	case ORDER_SIZE:
		return str_size(str_from(text), ret_width, NULL) == BERM_OK;
	case ORDER_COUNT:
		return str_u64(str_from(text), UINT64_MAX, ret_width, NULL) == BERM_OK;
	case ORDER_DURATION:
		return str_duration_ms(str_from(text), ret_width, NULL) == BERM_OK;
	case ORDER_NONE:
	default:
		return false;
	}
}

/* The width of an entry's value, of nobody's if entry is NULL. What cannot be read is as wide as can be. */
static uint64_t width_of(enum policy_key key, const struct policy_entry *entry)
{
	uint64_t width = UINT64_MAX;
	if (entry == NULL)
		return settings[key].unset;
	return merge_width(key, entry->line->text, &width) ? width : UINT64_MAX;
}

/* ---- the network's mode, before there are entries ---------------------------------------------------------------- */

static const char *mode_of(const struct policy_doc *doc)
{
	const char *mode = NULL;
	for (uint32_t i = 0; i < doc->line_count; i++)
		if (doc->lines[i].key == KEY_NET_MODE && !doc->lines[i].wanted)
			mode = doc->lines[i].text;
	return mode;
}

static bool is_bound(enum policy_layer layer)
{
	return layer == LAYER_SYSTEM || layer == LAYER_PROJECT;
}

static const char *narrower_mode(const char *mode, const char *bound)
{
	uint64_t a = UINT64_MAX, b = UINT64_MAX;
	(void)merge_width(KEY_NET_MODE, mode, &a);
	return merge_width(KEY_NET_MODE, bound, &b) && b < a ? bound : mode;
}

const char *merge_network(const struct merge *merge)
{
	const char *mode = settings[KEY_NET_MODE].words[0];
	uint32_t strength = 0;
	for (size_t i = 0; i < merge->doc_count; i++) {
		const struct merge_doc *from = &merge->docs[i];
		const char *said = from->out || is_bound(from->layer) ? NULL : mode_of(from->doc);
		if (said != NULL && from->strength >= strength) {
			mode = said;
			strength = from->strength;
		}
	}
	for (size_t i = 0; i < merge->doc_count; i++) {
		const char *said = is_bound(merge->docs[i].layer) ? mode_of(merge->docs[i].doc) : NULL;
		mode = said != NULL && !merge->docs[i].out ? narrower_mode(mode, said) : mode;
	}
	return mode;
}

/* ---- which one counts -------------------------------------------------------------------------------------------- */

/* The candidates for one key, while all entries are gone through. */
struct candidates {
	const struct policy_entry *best, *own; /* of all; of those that are no flag's */
	uint32_t best_strength, own_strength;
	const struct policy_entry *system, *project; /* the narrowest */
};

static void keep_narrower(enum policy_key key, const struct policy_entry **kept, const struct policy_entry *entry)
{
	if (*kept == NULL || width_of(key, entry) < width_of(key, *kept))
		*kept = entry;
}

/* Where a line gives way to the system's, that one counts with its strength. */
static void offer(const struct merge *merge, struct candidates *candidates, const struct policy_entry *entry)
{
	uint32_t strength = merge_strength(merge, entry);
	entry = entry->off != NULL ? entry->off : entry;
	if (strength >= candidates->best_strength) {
		candidates->best = entry;
		candidates->best_strength = strength;
	}
	if (strength < MERGE_STRENGTH_FLAGS && strength >= candidates->own_strength) {
		candidates->own = entry;
		candidates->own_strength = strength;
	}
}

static void say_widens(struct merge *merge, const struct policy_entry *entry, const struct policy_entry *bound)
{
	struct place place = merge_place(entry->doc, entry->line);
	char at[120] = "what holds without it";
	if (bound != NULL)
		policy_entry_place(bound, at, sizeof at);
	problem_add(merge->problems, &place, "'%s: %.40s' is wider than '%.40s' (%s)",
		    policy_keys[entry->line->key].path, entry->line->text,
		    bound != NULL ? bound->line->text : "nothing", at);
	if (bound != NULL)
		problem_hint(merge->problems, "%.80s, or less", bound->line->text);
	else
		problem_hint(merge->problems, "without this line");
}

/* What is wider than the system's files allow: what is shipped gives way, what a person wrote is told. */
static void hold_below_system(struct merge *merge, struct policy_entry *entry, const struct policy_entry *bound)
{
	enum policy_key key = entry->line->key;
	if (is_bound(entry->layer) || width_of(key, entry) <= width_of(key, bound))
		return;
	entry->off = bound;
	if (entry->doc->shipped)
		return;
	say_widens(merge, entry, bound);
	problem_hint(merge->problems, "%s: %.60s", policy_keys[key].path, bound->line->text);
}

static bool is_setting(enum policy_key key)
{
	return policy_keys[key].shape == SHAPE_SCALAR;
}

static void find_bounds(const struct merge *merge, struct candidates *all)
{
	for (size_t i = 0; i < merge->policy->count; i++) {
		const struct policy_entry *entry = &merge->policy->entries[i];
		enum policy_key key = entry->line->key;
		if (!is_setting(key))
			continue;
		if (entry->layer == LAYER_SYSTEM)
			keep_narrower(key, &all[key].system, entry);
		if (entry->layer == LAYER_PROJECT)
			keep_narrower(key, &all[key].project, entry);
	}
}

static void find_best(struct merge *merge, struct candidates *all)
{
	for (size_t i = 0; i < merge->policy->count; i++) {
		struct policy_entry *entry = &merge->policy->entries[i];
		enum policy_key key = entry->line->key;
		if (!is_setting(key) || is_bound(entry->layer))
			continue;
		if (all[key].system != NULL)
			hold_below_system(merge, entry, all[key].system);
		offer(merge, &all[key], entry);
	}
}

/* Each line of a project's that is wider than what holds without the project and without flags. */
static void check_project(struct merge *merge, const struct candidates *all)
{
	for (size_t i = 0; i < merge->policy->count; i++) {
		const struct policy_entry *entry = &merge->policy->entries[i];
		enum policy_key key = entry->line->key;
		if (!is_setting(key) || entry->layer != LAYER_PROJECT ||
		    width_of(key, entry) <= width_of(key, all[key].own))
			continue;
		say_widens(merge, entry, all[key].own);
		problem_hint(merge->problems, "a project's file narrows only: take the line out");
	}
}

static const struct policy_entry *choose(enum policy_key key, const struct candidates *one)
{
	const struct policy_entry *chosen = one->best;
	if (settings[key].order == ORDER_NONE && one->system != NULL)
		return one->system;
	if (one->system != NULL && width_of(key, one->system) < width_of(key, chosen))
		chosen = one->system;
	if (one->project != NULL && width_of(key, one->project) < width_of(key, chosen))
		chosen = one->project;
	return chosen;
}

/* ---- environment.set --------------------------------------------------------------------------------------------- */

struct assignment {
	struct policy_entry *entry;
	size_t name_len;
	uint32_t strength;
};

static int compare_assignments(const void *a, const void *b)
{
	const struct assignment *x = a, *y = b;
	size_t len = x->name_len < y->name_len ? x->name_len : y->name_len;
	int order = strncmp(x->entry->line->text, y->entry->line->text, len);
	if (order != 0)
		return order;
	if (x->name_len != y->name_len)
		return x->name_len < y->name_len ? -1 : 1;
	if (x->strength != y->strength)
		return x->strength < y->strength ? -1 : 1;
	return x->entry < y->entry ? -1 : x->entry > y->entry;
}

/* What the system's files set is set, whatever others say. */
static uint32_t assignment_strength(const struct merge *merge, const struct policy_entry *entry)
{
	return entry->layer == LAYER_SYSTEM ? UINT32_MAX : merge_strength(merge, entry);
}

static enum berm_code choose_assignments(struct merge *merge)
{
	struct policy *policy = merge->policy;
	size_t count = 0;
	for (size_t i = 0; i < policy->count; i++)
		count += policy->entries[i].line->key == KEY_ENV_SET;
	if (count < 2)
		return BERM_OK;
	struct assignment *all = arena_array(&policy->arena, count, sizeof *all);
	if (all == NULL)
		return merge_no_memory(merge);
	count = 0;
	for (size_t i = 0; i < policy->count; i++)
		if (policy->entries[i].line->key == KEY_ENV_SET)
			all[count++] =
				(struct assignment){&policy->entries[i], strcspn(policy->entries[i].line->text, "="),
						    assignment_strength(merge, &policy->entries[i])};
	qsort(all, count, sizeof *all, compare_assignments);
	for (size_t i = count - 1; i-- > 0;) {
		const struct assignment *next = &all[i + 1];
		bool same = all[i].name_len == next->name_len &&
			    strncmp(all[i].entry->line->text, next->entry->line->text, next->name_len) == 0;
		if (same)
			all[i].entry->off = next->entry->off != NULL ? next->entry->off : next->entry;
	}
	return BERM_OK;
}

enum berm_code merge_settings(struct merge *merge)
{
	struct candidates *all = arena_array(&merge->policy->arena, POLICY_KEYS, sizeof *all);
	if (all == NULL)
		return merge_no_memory(merge);
	find_bounds(merge, all);
	find_best(merge, all);
	check_project(merge, all);
	for (size_t i = 0; i < POLICY_KEYS; i++)
		merge->policy->setting[i] = choose((enum policy_key)i, &all[i]);
	return choose_assignments(merge);
}
