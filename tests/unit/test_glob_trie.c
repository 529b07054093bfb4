/* A tree of random patterns answers as each of them does alone. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/glob_trie.h"
#include "base/own.h"

enum { PATTERNS = 24, TEXT_MAX = 64, ROUNDS = 1500, ASKED = 24 };

static void drop_trie(struct glob_trie **trie)
{
	glob_trie_free(*trie);
}
#define auto_trie __attribute__((cleanup(drop_trie)))
static void drop_glob(struct glob **glob)
{
	glob_free(*glob);
}
#define auto_glob __attribute__((cleanup(drop_glob)))

/* Patterns with a bit each: a value is a set of them. */
struct set {
	struct glob_trie *trie;
	uint32_t bit;
};

static enum berm_code add_bit(void *context, uint32_t node, struct berm_err *err)
{
	const struct set *set = context;
	(void)err;
	glob_trie_set(set->trie, node, glob_trie_value(set->trie, node) | set->bit);
	return BERM_OK;
}

static void find_bits(void *context, uint32_t value)
{
	*(uint32_t *)context |= value;
}

static const char *const host_parts[] = {"a", "b", "ab", "aab", "B", "a-b", "b1"};
static const char *const name_parts[] = {"a", "b", "ab", "aab", "B", ".a", "b.a"};
static const char *const wild_parts[] = {"*",	   "a*", "*b", "*a*", "a*b", "[ab]", "[!a]b",
					 "{a,b*}", "**", "**", "ab*", "*ab", "*-b"};

static const char *pick(const char *const *list, size_t count)
{
	return list[(size_t)rand() % count];
}

static void make_text(enum glob_kind kind, bool wild, char ret[static TEXT_MAX])
{
	const char *const *parts = kind == GLOB_HOST ? host_parts : name_parts;
	const char separator = kind == GLOB_HOST ? '.' : kind == GLOB_WORDS ? ' ' : '/';
	size_t count = 1 + (size_t)rand() % 4, len = 0;
	for (size_t i = 0; i < count; i++) {
		bool any = wild && rand() % 2 == 0;
		const char *part = any ? pick(wild_parts, ARRAY_LEN(wild_parts)) : pick(parts, ARRAY_LEN(host_parts));
		if (i > 0 || kind == GLOB_PATH || kind == GLOB_URL)
			ret[len++] = separator;
		len += (size_t)snprintf(ret + len, TEXT_MAX - len, "%s", part);
	}
}

/* The words of a text, NULL-terminated; its spaces become ends. */
static void cut(char *text, const char *ret_words[static 8])
{
	size_t count = 0;
	for (char *at = text; at != NULL && count < 7; at++) {
		ret_words[count++] = at;
		at = strchr(at, ' ');
		if (at == NULL)
			break;
		*at = '\0';
	}
	ret_words[count] = NULL;
}

struct rig {
	struct glob_trie *trie;
	struct glob *globs[PATTERNS];
	char texts[PATTERNS][TEXT_MAX];
	uint32_t root;
};

static void rig_done(struct rig *rig)
{
	for (size_t i = 0; i < PATTERNS; i++)
		glob_free(rig->globs[i]);
	glob_trie_free(rig->trie);
}

static void fill(enum glob_kind kind, bool fold, struct rig *rig)
{
	struct berm_err err = {0};
	assert_int_equal(glob_trie_new(1U << 24, &rig->trie, NULL), BERM_OK);
	assert_int_equal(glob_trie_root(rig->trie, &rig->root, NULL), BERM_OK);
	if (fold)
		glob_trie_fold(rig->trie, rig->root);
	for (size_t i = 0; i < PATTERNS; i++) {
		struct set set = {rig->trie, 1U << i};
		make_text(kind, true, rig->texts[i]);
		assert_int_equal(glob_new(kind, str_from(rig->texts[i]), &rig->globs[i], NULL), BERM_OK);
		if (glob_trie_add(rig->trie, rig->root, kind, str_from(rig->texts[i]),
				  &(struct glob_trie_sink){add_bit, &set}, &err) != BERM_OK)
			fail_msg("'%s': %s", rig->texts[i], err.msg);
	}
}

static void ask(enum glob_kind kind, const struct rig *rig)
{
	char text[TEXT_MAX], shown[TEXT_MAX];
	const char *words[8];
	uint32_t expected = 0, got = 0;
	make_text(kind, false, text);
	memcpy(shown, text, sizeof shown);
	if (kind == GLOB_WORDS)
		cut(text, words);
	for (size_t i = 0; i < PATTERNS; i++) {
		bool matches = kind == GLOB_WORDS ? glob_match_words(rig->globs[i], words[0], words + 1)
						  : glob_match(rig->globs[i], str_from(text), false);
		expected |= (uint32_t)matches << i;
	}
	if (kind == GLOB_WORDS)
		glob_trie_match_words(rig->trie, rig->root, words[0], words + 1, find_bits, &got);
	else
		glob_trie_match(rig->trie, rig->root, str_from(text), find_bits, &got);
	for (size_t i = 0; i < PATTERNS; i++)
		if (((expected ^ got) >> i & 1) != 0)
			fail_msg("'%s' and '%s': alone %d, in the tree %d", rig->texts[i], shown,
				 (int)(expected >> i & 1), (int)(got >> i & 1));
}

static void check_random(enum glob_kind kind)
{
	for (size_t round = 0; round < ROUNDS; round++) {
		__attribute__((cleanup(rig_done))) struct rig rig = {0};
		fill(kind, false, &rig);
		for (size_t i = 0; i < ASKED; i++)
			ask(kind, &rig);
	}
}

static void test_random_hosts(void **state)
{
	(void)state;
	srand(4);
	check_random(GLOB_HOST);
}

static void test_random_paths(void **state)
{
	(void)state;
	srand(5);
	check_random(GLOB_PATH);
	check_random(GLOB_URL);
}

static void test_random_words(void **state)
{
	(void)state;
	srand(6);
	check_random(GLOB_WORDS);
}

static bool matches_above(const struct glob *glob, const char *path)
{
	struct str at = str_from(path);
	for (; at.len > 1; at.len = (size_t)((const char *)memrchr(at.ptr, '/', at.len) - at.ptr))
		if (glob_match(glob, at, true))
			return true;
	return false;
}

/* What matches the path or a folder above it, and what could match below it. */
static void ask_near(const struct rig *rig)
{
	static uint8_t marks[4096];
	char path[TEXT_MAX];
	uint32_t above = 0, below = 0;
	make_text(GLOB_PATH, false, path);
	memset(marks, 0, sizeof marks);
	assert_in_range(glob_trie_nodes(rig->trie), 1, sizeof marks);
	const struct glob_trie_near near = {.found = find_bits, .context = &above, .marks = marks, .bits = 5};
	glob_trie_near(rig->trie, rig->root, str_from(path), &near);
	glob_trie_spread(rig->trie, marks);
	for (uint32_t node = 1; node < glob_trie_nodes(rig->trie); node++) {
		assert_true(marks[node] == 0 || marks[node] == 5);
		below |= marks[node] != 0 ? glob_trie_value(rig->trie, node) : 0;
	}
	for (size_t i = 0; i < PATTERNS; i++)
		if (matches_above(rig->globs[i], path) != (above >> i & 1) ||
		    glob_may_match_below(rig->globs[i], str_from(path), true) != (below >> i & 1))
			fail_msg("'%s' and '%s': in the tree %d above, %d below", rig->texts[i], path,
				 (int)(above >> i & 1), (int)(below >> i & 1));
}

static void test_random_paths_around(void **state)
{
	(void)state;
	srand(8);
	for (size_t round = 0; round < ROUNDS; round++) {
		__attribute__((cleanup(rig_done))) struct rig rig = {0};
		fill(GLOB_PATH, true, &rig);
		for (size_t i = 0; i < ASKED; i++)
			ask_near(&rig);
	}
}

/* Each label is "a" or any: half of a thousand lie on the way of one name. */
static void test_more_at_once_than_there_is_room_for(void **state)
{
	(void)state;
	auto_trie struct glob_trie *trie = NULL;
	uint32_t root, got = 0;
	assert_int_equal(glob_trie_new(1U << 24, &trie, NULL), BERM_OK);
	assert_int_equal(glob_trie_root(trie, &root, NULL), BERM_OK);
	for (unsigned i = 0; i < 1024; i++) {
		char text[32] = "";
		for (unsigned label = 0; label < 10; label++)
			(void)snprintf(text + 2 * label, sizeof text - 2 * label, "/%c",
				       (i >> label & 1) != 0 ? 'a' : '*');
		struct set set = {trie, i == 1023 ? 1 : i == 0 ? 2 : 4};
		assert_int_equal(glob_trie_add(trie, root, GLOB_PATH, str_from(text),
					       &(struct glob_trie_sink){add_bit, &set}, NULL),
				 BERM_OK);
	}
	glob_trie_match(trie, root, STR("/a/a/a/a/a/a/a/a/a/a"), find_bits, &got);
	assert_int_equal(got, 7);
	got = 0;
	glob_trie_match(trie, root, STR("/b/b/b/b/b/b/b/b/b/b"), find_bits, &got);
	assert_int_equal(got, 2);
	auto_free uint8_t *marks = calloc(glob_trie_nodes(trie), 1);
	assert_non_null(marks);
	const struct glob_trie_near near = {.found = find_bits, .context = &got, .marks = marks, .bits = 1};
	got = 0;
	glob_trie_near(trie, root, STR("/a/a/a/a/a/a/a/a/a"), &near);
	assert_int_equal(got, 0);
	glob_trie_near(trie, root, STR("/a/a/a/a/a/a/a/a/a/a/b"), &near);
	assert_int_equal(got, 7);
	glob_trie_spread(trie, marks);
	for (uint32_t node = 1; node < glob_trie_nodes(trie); node++)
		assert_true(glob_trie_value(trie, node) == 0 || marks[node] == 1);
	got = 0;
	glob_trie_match(trie, root, STR("/a/a/a/a/a/a/a/a/a"), find_bits, &got);
	assert_int_equal(got, 0);
}

static void test_keys(void **state)
{
	(void)state;
	auto_trie struct glob_trie *trie = NULL;
	uint32_t root, other, node, again;
	assert_int_equal(glob_trie_new(1U << 20, &trie, NULL), BERM_OK);
	assert_int_equal(glob_trie_root(trie, &root, NULL), BERM_OK);
	assert_int_equal(glob_trie_root(trie, &other, NULL), BERM_OK);
	assert_int_equal(glob_trie_key(trie, root, STR("Key"), &node, NULL), BERM_OK);
	assert_int_equal(glob_trie_key(trie, root, STR("Key"), &again, NULL), BERM_OK);
	assert_int_equal(node, again);
	assert_int_equal(glob_trie_find(trie, root, STR("Key")), node);
	assert_int_equal(glob_trie_find(trie, root, STR("key")), 0);
	assert_int_equal(glob_trie_find(trie, other, STR("Key")), 0);
	struct set set = {trie, 1};
	uint32_t got = 0;
	assert_int_equal(glob_trie_add(trie, node, GLOB_URL, STR("/"), &(struct glob_trie_sink){add_bit, &set}, NULL),
			 BERM_OK);
	glob_trie_match(trie, node, STR("/x"), find_bits, &got);
	assert_int_equal(got, 0);
	glob_trie_match(trie, node, STR("/"), find_bits, &got);
	assert_int_equal(got, 1);
}

static void test_limits(void **state)
{
	(void)state;
	auto_trie struct glob_trie *trie = NULL;
	struct set set = {.bit = 1};
	uint32_t root;
	enum berm_code code = BERM_OK;
	assert_int_equal(glob_trie_new(64U * 1024, &trie, NULL), BERM_OK);
	assert_int_equal(glob_trie_root(trie, &root, NULL), BERM_OK);
	set.trie = trie;
	assert_int_equal(
		glob_trie_add(trie, root, GLOB_PATH, STR("no/path"), &(struct glob_trie_sink){add_bit, &set}, NULL),
		BERM_ERR_INVALID);
	for (int i = 0; i < 10000 && code == BERM_OK; i++) {
		char text[32];
		(void)snprintf(text, sizeof text, "/a%d/*b", i);
		code = glob_trie_add(trie, root, GLOB_PATH, str_from(text), &(struct glob_trie_sink){add_bit, &set},
				     NULL);
	}
	assert_int_equal(code, BERM_ERR_LIMIT);
	assert_in_range(glob_trie_size(trie), 1000, 2 * 64 * 1024);
}

/* The published cases of words. */
static void test_words(void **state)
{
	static const struct {
		const char *pattern;
		const char *words[6];
		bool match;
	} cases[] = {
		{"git push **", {"git", "push"}, true},
		{"git push **", {"git", "push", "-f", "x"}, true},
		{"git push **", {"git", "pull"}, false},
		{"git push **", {"git", "-C", "x", "push"}, false},
		{"git push", {"git", "push", "x"}, false},
		{"git * push", {"git", "", "push"}, true},
		{"git * push", {"git", "push"}, false},
		{"** push", {"push"}, true},
		{"rm -rf /**", {"rm", "-rf", "/home/u"}, true},
		{"rm -rf /**", {"rm", "-rf", "x"}, false},
		{"cd ..", {"cd", ".."}, true},
		{"git add .", {"git", "add", "."}, true},
		{"git add .", {"git", "add"}, false},
		{"  git   push  ", {"git", "push"}, true},
		{"npm {test,run *}", {"npm", "run", "a b"}, true},
		{"npm {test,run *}", {"npm", "run"}, false},
		{"Git", {"git"}, false},
		{"**", {"x"}, true},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_glob struct glob *glob = NULL;
		assert_int_equal(glob_new(GLOB_WORDS, str_from(cases[i].pattern), &glob, NULL), BERM_OK);
		if (glob_match_words(glob, cases[i].words[0], cases[i].words + 1) != cases[i].match)
			fail_msg("'%s', row %zu", cases[i].pattern, i);
		assert_false(glob_match(glob, STR("git push"), false));
		struct str literal;
		assert_false(glob_literal(glob, &literal));
	}
	struct glob *glob = NULL;
	assert_int_equal(glob_new(GLOB_WORDS, STR("  "), &glob, NULL), BERM_ERR_INVALID);
	assert_int_equal(glob_new(GLOB_WORDS, STR("echo {"), &glob, NULL), BERM_ERR_PARSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_hosts),
		cmocka_unit_test(test_random_paths),
		cmocka_unit_test(test_random_words),
		cmocka_unit_test(test_random_paths_around),
		cmocka_unit_test(test_more_at_once_than_there_is_room_for),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
