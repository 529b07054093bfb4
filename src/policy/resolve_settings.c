/* What has one value, and what a policy may say that this version cannot hold: that is an error where it stands. */
#include <string.h>

#include "base/own.h"
#include "policy/resolve_build.h"

/* The index of the setting's word; 0, the safe one, if nothing is said. */
static size_t word_of(const struct building *b, enum policy_key key, const char *const *words)
{
	for (size_t i = 0; words[i] != NULL; i++)
		if (policy_says(b->policy, key, words[i]))
			return i;
	return 0;
}

/* ---- what cannot be held ----------------------------------------------------------------------------------------- */

static bool is_narrowing_command(const struct building *b, const struct policy_entry *entry)
{
	const char *decision = policy_attr_find(entry->line, ATTR_DECISION);
	(void)b;
	return decision == NULL || strcmp(decision, "allow") != 0;
}

static bool is_host_network(const struct building *b, const struct policy_entry *entry)
{
	(void)entry;
	return policy_says(b->policy, KEY_NET_MODE, "host");
}

static bool is_undo(const struct building *b, const struct policy_entry *entry)
{
	return b->policy->setting[KEY_UNDO] == entry && strcmp(entry->line->text, "off") != 0 &&
	       strcmp(entry->line->text, "auto") != 0;
}

static const struct {
	enum policy_key key;
	bool (*concerns)(const struct building *b, const struct policy_entry *entry); /* NULL: always */
	const char *what, *hint;
} unsupported[] = {
	{KEY_COMMAND, is_narrowing_command, "commands cannot be decided on", "filesystem.deny of the program"},
	{KEY_SECRET, NULL, "secrets cannot be put into requests",
	 "environment.pass of the variable, which shows it inside"},
	{KEY_UPSTREAM, NULL, "a proxy cannot be used",
	 "without this line; with network.mode: host a program goes through the proxy that its own settings name"},
	{KEY_PUBLISH, NULL, "ports cannot be published", "network.mode: host"},
	{KEY_REACH, NULL, "ports of the host cannot be reached", "network.mode: host"},
	{KEY_TRUST_REQUIRE, NULL, "signatures cannot be required",
	 "filesystem.protect of the files, which keeps them as they are"},
	{KEY_UNDO, is_undo, "runs cannot be taken back", "undo: {mode: off}"},
	{KEY_NET_DENY, is_host_network, "with the host's network no host can be closed", "network.mode: filtered"},
};

#define SET(key) (UINT64_C(1) << (key))
_Static_assert(POLICY_KEYS <= 64, "keys in a set");
static const uint64_t unsupported_keys = SET(KEY_COMMAND) | SET(KEY_SECRET) | SET(KEY_UPSTREAM) | SET(KEY_PUBLISH) |
					 SET(KEY_REACH) | SET(KEY_TRUST_REQUIRE) | SET(KEY_UNDO) | SET(KEY_NET_DENY);

static void look_at(struct building *b, const struct policy_entry *entry)
{
	if ((unsupported_keys & SET(entry->line->key)) == 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(unsupported); i++) {
		if (unsupported[i].key != entry->line->key ||
		    (unsupported[i].concerns != NULL && !unsupported[i].concerns(b, entry)))
			continue;
		resolve_complain(b, BERM_ERR_UNSUPPORTED, entry, unsupported[i].hint, "%s in this version: '%.100s'",
				 unsupported[i].what, entry->line->text);
	}
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

static enum berm_code parse_count(struct str text, uint64_t *ret_value, struct berm_err *err)
{
	return str_u64(text, UINT32_MAX, ret_value, err);
}

static enum berm_code parse_seconds(struct str text, uint64_t *ret_value, struct berm_err *err)
{
	uint64_t ms;
	TRY(str_duration_ms(text, &ms, err));
	*ret_value = ms / 1000 + (ms % 1000 != 0);
	return BERM_OK;
}

static const struct {
	enum policy_key key;
	enum berm_code (*parse)(struct str, uint64_t *, struct berm_err *);
} limits[BERM_LIMIT_COUNT] = {
	[BERM_LIMIT_MEMORY] = {KEY_LIMIT_MEMORY, str_size},
	[BERM_LIMIT_PROCESSES] = {KEY_LIMIT_PROCESSES, parse_count},
	[BERM_LIMIT_CPU_S] = {KEY_LIMIT_CPU, parse_seconds},
	[BERM_LIMIT_OPEN_FILES] = {KEY_LIMIT_FILES, parse_count},
	[BERM_LIMIT_FILE_SIZE] = {KEY_LIMIT_FILE_SIZE, str_size},
	[BERM_LIMIT_WALL_MS] = {KEY_LIMIT_WALL, str_duration_ms},
};

enum berm_code policy_limit(const struct policy *policy, enum berm_limit limit, uint64_t *ret_value,
			    struct berm_err *err)
{
	const struct policy_entry *entry = policy->setting[limits[limit].key];
	uint64_t value = 0;
	if (entry != NULL)
		TRY(limits[limit].parse(str_from(entry->line->text), &value, err));
	*ret_value = value;
	return BERM_OK;
}

static enum berm_code put_limits(struct building *b)
{
	for (int i = 0; i < BERM_LIMIT_COUNT; i++) {
		uint64_t value;
		const struct policy_entry *entry = b->policy->setting[limits[i].key];
		if (entry == NULL)
			continue;
		struct berm_err why;
		if (policy_limit(b->policy, (enum berm_limit)i, &value, &why) != BERM_OK) {
			resolve_complain(b, why.code, entry, policy_keys[entry->line->key].example, "%s", why.msg);
			continue;
		}
		TRY(resolve_told(b, berm_caps_limit(b->caps, (enum berm_limit)i, value, b->err), entry,
				 policy_keys[entry->line->key].example));
		TRY(resolve_note(b, entry, NULL));
	}
	return BERM_OK;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *word;
	enum berm_extra extra;
} extras[] = {
	{"ptrace", BERM_EXTRA_PTRACE},	   {"userns", BERM_EXTRA_USERNS},
	{"io_uring", BERM_EXTRA_IO_URING}, {"memfd-exec", BERM_EXTRA_MEMFD_EXEC},
	{"gpu", BERM_EXTRA_GPU},	   {"kvm", BERM_EXTRA_KVM},
	{"perf", BERM_EXTRA_PERF},	   {"signals", BERM_EXTRA_SIGNALS},
};

static enum berm_code put_extra(struct building *b, const struct policy_entry *entry)
{
	for (size_t i = 0; i < ARRAY_LEN(extras); i++) {
		if (strcmp(entry->line->text, extras[i].word) != 0)
			continue;
		TRY(berm_caps_allow(b->caps, extras[i].extra, b->err));
		return resolve_note(b, entry, NULL);
	}
	resolve_complain(b, BERM_ERR_UNSUPPORTED, entry, "without this line", "not known in this version: '%.100s'",
			 entry->line->text);
	return BERM_OK;
}

static enum berm_code put_words(struct building *b)
{
	static const char *const views[] = {"auto", "visible", "hidden", NULL};
	static const char *const backends[] = {"any", "namespaces", "landlock", NULL};
	/* With no host that may be reached as well: then each that is tried is told with what would allow it. */
	static const char *const networks[] = {"none", "host", "filtered", NULL};
	TRY(berm_caps_network(b->caps, (enum berm_network)word_of(b, KEY_NET_MODE, networks), b->err));
	TRY(berm_caps_view(b->caps, (enum berm_view)word_of(b, KEY_VIEW, views), b->err));
	TRY(resolve_note(b, b->policy->setting[KEY_VIEW], "default"));
	TRY(berm_caps_backend(b->caps, (enum berm_backend)word_of(b, KEY_BACKEND, backends), b->err));
	TRY(resolve_note(b, b->policy->setting[KEY_BACKEND], "default"));
	if (policy_says(b->policy, KEY_TMP, "host"))
		TRY(berm_caps_allow(b->caps, BERM_EXTRA_HOST_TMP, b->err));
	return resolve_note(b, b->policy->setting[KEY_TMP], "default");
}

enum berm_code resolve_settings_put(struct building *b)
{
	TRY(put_words(b));
	TRY(put_limits(b));
	for (size_t i = 0; i < b->policy->count; i++) {
		const struct policy_entry *entry = &b->policy->entries[i];
		if (entry->off != NULL)
			continue;
		look_at(b, entry);
		if (entry->line->key == KEY_MAY)
			TRY(put_extra(b, entry));
	}
	return BERM_OK;
}
