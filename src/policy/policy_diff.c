#include "policy/policy_diff.h"

#include <string.h>

#include "base/map.h"
#include "base/own.h"

enum { MAX_LINES = 2 * 65536, MAX_TEXT = 1024 * 1024 };

/* What one more line of a key does. */
static enum diff_effect effect_of(enum policy_key key)
{
	static const enum policy_key wider[] = {KEY_READ,     KEY_WRITE,     KEY_EXEC,	   KEY_REPLACE,
						KEY_OVERRIDE, KEY_NET_ALLOW, KEY_PUBLISH,  KEY_REACH,
						KEY_SOCKETS,  KEY_SECRET,    KEY_ENV_PASS, KEY_MAY};
	static const enum policy_key narrower[] = {KEY_DENY,	   KEY_PROTECT,	     KEY_ASK,
						   KEY_NET_DENY,   KEY_LIMIT_MEMORY, KEY_LIMIT_PROCESSES,
						   KEY_LIMIT_CPU,  KEY_LIMIT_FILES,  KEY_LIMIT_FILE_SIZE,
						   KEY_LIMIT_WALL, KEY_TRUST_REQUIRE};
	for (size_t i = 0; i < ARRAY_LEN(wider); i++) {
		if (wider[i] == key)
			return DIFF_WIDER;
	}
	for (size_t i = 0; i < ARRAY_LEN(narrower); i++) {
		if (narrower[i] == key)
			return DIFF_NARROWER;
	}
	return DIFF_NEUTRAL;
}

static enum diff_effect opposite(enum diff_effect effect)
{
	if (effect == DIFF_NEUTRAL)
		return effect;
	return effect == DIFF_WIDER ? DIFF_NARROWER : DIFF_WIDER;
}

/* Words of settings from the widest to the narrowest. */
static const struct {
	enum policy_key key;
	const char *words[4];
} scales[] = {
	{KEY_FS_DEFAULT, {"ask", "deny"}},
	{KEY_NET_DEFAULT, {"ask", "deny"}},
	{KEY_NET_MODE, {"host", "filtered", "none"}},
	{KEY_TMP, {"host", "private"}},
	{KEY_CACHE, {"shared", "private"}},
	{KEY_VIEW, {"visible", "auto", "hidden"}},
	{KEY_HOOK, {"claude-code", "none"}},
	{KEY_APPROVALS_MODE, {"allow", "ask", "deny"}},
};

static bool word_rank(enum policy_key key, const char *word, uint64_t *ret_rank)
{
	for (size_t i = 0; i < ARRAY_LEN(scales); i++) {
		for (size_t at = 0; scales[i].key == key && at < 4 && scales[i].words[at] != NULL; at++) {
			if (strcmp(scales[i].words[at], word) != 0)
				continue;
			*ret_rank = at;
			return true;
		}
	}
	return false;
}

/* Larger is narrower; false: the key has no order. */
static bool rank(enum policy_key key, const char *text, uint64_t *ret_rank)
{
	uint64_t value = 0;
	enum berm_code code = BERM_ERR_INVALID;
	if (policy_keys[key].value == VALUE_SIZE)
		code = str_size(str_from(text), &value, NULL);
	else if (policy_keys[key].value == VALUE_COUNT)
		code = str_u64(str_from(text), UINT64_MAX, &value, NULL);
	else if (policy_keys[key].value == VALUE_DURATION)
		code = str_duration_ms(str_from(text), &value, NULL);
	if (code != BERM_OK)
		return word_rank(key, text, ret_rank);
	*ret_rank = UINT64_MAX - value;
	return true;
}

static enum diff_effect effect_of_change(const struct policy_entry *before, const struct policy_entry *after)
{
	uint64_t was, is;
	enum policy_key key = after->line->key;
	if (!rank(key, before->text, &was) || !rank(key, after->text, &is) || was == is)
		return DIFF_NEUTRAL;
	return is > was ? DIFF_NARROWER : DIFF_WIDER;
}

/* ---- lines as texts, to be found again --------------------------------------------------------------------------- */

static bool counts(const struct policy *policy, const struct policy_entry *entry)
{
	enum policy_key key = entry->line->key;
	return entry->layer != LAYER_RUN && entry->off == NULL && !entry->line->wanted && key != KEY_BERM &&
	       key != KEY_NAME && key != KEY_ABOUT && key != KEY_EXTENDS && key != KEY_GROUPS && key != KEY_PROGRAMS &&
	       key != KEY_WHEN && (policy->setting[key] == NULL || policy->setting[key] == entry);
}

static bool is_setting(const struct policy *policy, const struct policy_entry *entry)
{
	return policy->setting[entry->line->key] == entry;
}

/* Key, value and all attributes that are no talk. */
static void put_text(const struct policy_entry *entry, struct buf *out)
{
	buf_clear(out);
	buf_printf(out, "%d\n%s", (int)entry->line->key, entry->path != NULL ? entry->path : entry->text);
	for (uint32_t i = 0; i < entry->line->attr_count; i++) {
		const struct policy_attr *attr = &entry->line->attrs[i];
		if (attr->key != ATTR_WHY && attr->key != ATTR_LABEL)
			buf_printf(out, "\n%d %s", (int)attr->key, attr->text);
	}
}

static enum berm_code index_lines(const struct policy *policy, struct map *map, struct berm_err *err)
{
	auto_buf struct buf text;
	buf_init(&text, MAX_TEXT);
	for (size_t i = 0; i < policy->count; i++) {
		struct policy_entry *entry = &policy->entries[i];
		if (!counts(policy, entry) || is_setting(policy, entry))
			continue;
		put_text(entry, &text);
		TRY(buf_check(&text, err));
		TRY(map_put(map, buf_str(&text), entry, err));
	}
	return BERM_OK;
}

struct diffing {
	const struct policy *policy; /* whose lines are looked for ... */
	struct map *other;	     /* ... among these, */
	enum policy_key key;
	bool added; /* and what is missing there was added */
	struct vec *lines;
};

static enum berm_code find_missing(const struct diffing *diffing, struct berm_err *err)
{
	auto_buf struct buf text;
	buf_init(&text, MAX_TEXT);
	for (size_t i = 0; i < diffing->policy->count; i++) {
		const struct policy_entry *entry = &diffing->policy->entries[i];
		if (entry->line->key != diffing->key || !counts(diffing->policy, entry) ||
		    is_setting(diffing->policy, entry))
			continue;
		put_text(entry, &text);
		TRY(buf_check(&text, err));
		if (map_find(diffing->other, buf_str(&text)) != NULL)
			continue;
		enum diff_effect effect = effect_of(diffing->key);
		const struct diff_line line = {.before = diffing->added ? NULL : entry,
					       .after = diffing->added ? entry : NULL,
					       .effect = diffing->added ? effect : opposite(effect)};
		TRY(vec_push(diffing->lines, &line, err));
		if (diffing->added) /* twice in one policy is once here */
			TRY(map_put(diffing->other, buf_str(&text), diffing->lines, err));
	}
	return BERM_OK;
}

static enum berm_code compare_setting(const struct policy *before, const struct policy *after, enum policy_key key,
				      struct vec *lines, struct berm_err *err)
{
	const struct policy_entry *was = before->setting[key], *is = after->setting[key];
	if (key == KEY_BERM || key == KEY_NAME || key == KEY_ABOUT || (was == NULL && is == NULL))
		return BERM_OK;
	if (was != NULL && is != NULL && strcmp(was->text, is->text) == 0)
		return BERM_OK;
	struct diff_line line = {was, is, DIFF_NEUTRAL};
	if (was != NULL && is != NULL)
		line.effect = effect_of_change(was, is);
	else
		line.effect = is != NULL ? effect_of(key) : opposite(effect_of(key));
	return vec_push(lines, &line, err);
}

static enum berm_code compare(const struct policy *before, const struct policy *after, struct vec *lines,
			      struct berm_err *err)
{
	auto_map struct map was, is;
	map_init(&was, MAX_LINES);
	map_init(&is, MAX_LINES);
	TRY(index_lines(before, &was, err));
	TRY(index_lines(after, &is, err));
	for (int key = 0; key < POLICY_KEYS; key++) {
		const struct diffing removed = {before, &is, (enum policy_key)key, false, lines};
		const struct diffing added = {after, &was, (enum policy_key)key, true, lines};
		TRY(compare_setting(before, after, (enum policy_key)key, lines, err));
		TRY(find_missing(&removed, err));
		TRY(find_missing(&added, err));
	}
	return BERM_OK;
}

enum berm_code policy_diff(const struct policy *before, const struct policy *after, struct vec *lines,
			   struct berm_err *err)
{
	vec_init(lines, sizeof(struct diff_line), MAX_LINES);
	return compare(before, after, lines, err);
}

const char *policy_diff_word(enum diff_effect effect)
{
	static const char *const words[] = {
		[DIFF_NEUTRAL] = "neutral", [DIFF_WIDER] = "wider", [DIFF_NARROWER] = "narrower"};
	return words[effect];
}
