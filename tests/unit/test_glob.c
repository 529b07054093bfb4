#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/glob.h"
#include "base/own.h"
#include "glob_cases.h"

static void drop(struct glob **glob)
{
	glob_free(*glob);
}
#define auto_glob __attribute__((cleanup(drop)))

static void check_kind(enum glob_kind kind, const struct glob_case *cases, size_t count, bool fold,
		       bool (*matches)(const struct glob *, struct str, bool))
{
	for (size_t i = 0; i < count; i++) {
		auto_glob struct glob *glob = NULL;
		struct berm_err err = {0};
		if (glob_new(kind, str_from(cases[i].pattern), &glob, &err) != BERM_OK)
			fail_msg("'%s': %s", cases[i].pattern, err.msg);
		if (matches(glob, str_from(cases[i].path), fold) != cases[i].match)
			fail_msg("'%s' and '%s': expected %s", cases[i].pattern, cases[i].path,
				 cases[i].match ? "a match" : "none");
	}
}

static void check_table(const struct glob_case *cases, size_t count, bool fold,
			bool (*matches)(const struct glob *, struct str, bool))
{
	check_kind(GLOB_PATH, cases, count, fold, matches);
}

static void test_published_cases(void **state)
{
	(void)state;
	check_table(glob_cases, ARRAY_LEN(glob_cases), false, glob_match);
}

static void test_published_cases_of_hosts(void **state)
{
	(void)state;
	check_kind(GLOB_HOST, glob_host_cases, ARRAY_LEN(glob_host_cases), false, glob_match);
	check_kind(GLOB_HOST, glob_host_cases, ARRAY_LEN(glob_host_cases), true, glob_match);
}

static void test_published_cases_of_urls(void **state)
{
	(void)state;
	check_kind(GLOB_URL, glob_url_cases, ARRAY_LEN(glob_url_cases), false, glob_match);
}

static void test_what_matches_exactly_matches_folded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(glob_cases); i++) {
		auto_glob struct glob *glob = NULL;
		assert_int_equal(glob_new(GLOB_PATH, str_from(glob_cases[i].pattern), &glob, NULL), BERM_OK);
		if (glob_cases[i].match)
			assert_true(glob_match(glob, str_from(glob_cases[i].path), true));
	}
}

static void test_folded_cases(void **state)
{
	(void)state;
	check_table(glob_fold_cases, ARRAY_LEN(glob_fold_cases), true, glob_match);
}

static void test_below_cases(void **state)
{
	(void)state;
	check_table(glob_below_cases, ARRAY_LEN(glob_below_cases), false, glob_may_match_below);
}

static void check_bad(enum glob_kind kind, const struct glob_bad_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct glob *glob = NULL;
		struct berm_err err = {0};
		enum berm_code code = glob_new(kind, str_from(cases[i].pattern), &glob, &err);
		if (code != cases[i].code && code != BERM_ERR_NOMEM)
			fail_msg("'%s': code %d, %s", cases[i].pattern, code, err.msg);
		assert_null(glob);
		assert_int_equal(err.code, code);
	}
}

static void test_bad_patterns_are_refused(void **state)
{
	(void)state;
	check_bad(GLOB_PATH, glob_bad_cases, ARRAY_LEN(glob_bad_cases));
	check_bad(GLOB_HOST, glob_bad_host_cases, ARRAY_LEN(glob_bad_host_cases));
	check_bad(GLOB_URL, glob_bad_url_cases, ARRAY_LEN(glob_bad_url_cases));
	for (int kind = GLOB_PATH; kind <= GLOB_URL; kind++) {
		struct glob *glob = NULL;
		assert_int_not_equal(glob_new((enum glob_kind)kind, STR("/a\0b"), &glob, NULL), BERM_OK);
		assert_null(glob);
	}
}

static void test_errors_name_the_pattern(void **state)
{
	(void)state;
	struct glob *glob = NULL;
	struct berm_err err;
	assert_int_equal(glob_new(GLOB_PATH, STR("/[z-a]"), &glob, &err), BERM_ERR_PARSE);
	assert_string_equal(err.msg, "pattern '/[z-a]': range 'z-a' is upside down");
}

static void test_limits(void **state)
{
	(void)state;
	char text[4098];
	memset(text, 'a', sizeof(text));
	text[0] = '/';
	auto_glob struct glob *longest = NULL;
	assert_int_equal(glob_new(GLOB_PATH, (struct str){text, 4096}, &longest, NULL), BERM_OK);
	assert_true(glob_match(longest, (struct str){text, 4096}, false));
	struct glob *glob = NULL;
	assert_int_equal(glob_new(GLOB_PATH, (struct str){text, 4097}, &glob, NULL), BERM_ERR_LIMIT);
	auto_glob struct glob *widest = NULL;
	assert_int_equal(glob_new(GLOB_PATH, STR("/{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"), &widest, NULL), BERM_OK);
	assert_true(glob_match(widest, STR("/bababa"), false));
	assert_int_equal(glob_new(GLOB_PATH, STR("/{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"), &glob, NULL), BERM_ERR_LIMIT);
	assert_null(glob);
}

static void test_literal_patterns_are_told_apart(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *path;
	} cases[] = {
		{"/a/b", "/a/b"}, {"/", "/"},	    {"//a/./b/", "/a/b"}, {"/a\\*", "/a*"},
		{"/{a}", "/a"},	  {"/a*", NULL},    {"/**", NULL},	  {"/a?", NULL},
		{"/[a]", NULL},	  {"/{a,b}", NULL}, {"/{a,a}", NULL},	  {"/a/**", NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_glob struct glob *glob = NULL;
		assert_int_equal(glob_new(GLOB_PATH, str_from(cases[i].pattern), &glob, NULL), BERM_OK);
		struct str path = STR("untouched");
		assert_int_equal(glob_literal(glob, &path), cases[i].path != NULL);
		assert_true(str_eq(path, str_from(cases[i].path != NULL ? cases[i].path : "untouched")));
	}
}

static void test_literal_hosts_are_told_apart(void **state)
{
	(void)state;
	auto_glob struct glob *plain = NULL, *wild = NULL;
	struct str name = STR("untouched");
	assert_int_equal(glob_new(GLOB_HOST, STR("API.example.org."), &plain, NULL), BERM_OK);
	assert_int_equal(glob_new(GLOB_HOST, STR("*.example.org"), &wild, NULL), BERM_OK);
	assert_false(glob_literal(wild, &name));
	assert_true(str_eq(name, STR("untouched")));
	assert_true(glob_literal(plain, &name));
	assert_true(str_eq(name, STR("API.example.org")));
}

/* Nested braces are expanded in place: what is done with is room for what comes. */
static void test_deep_braces_expand_in_bounded_memory(void **state)
{
	(void)state;
	char pattern[4000] = "/";
	for (size_t i = 1; i < 1999; i++) {
		pattern[i] = '{';
		pattern[1999 + i] = '}';
	}
	pattern[1999] = 'a';
	auto_glob struct glob *glob = NULL;
	assert_int_equal(glob_new(GLOB_PATH, (struct str){pattern, 3998}, &glob, NULL), BERM_OK);
	assert_true(glob_match(glob, STR("/a"), false));
	assert_false(glob_match(glob, STR("/b"), false));
}

/* Patterns that take exponential time in a matcher that tries every star. */
static void test_hard_patterns_stay_fast(void **state)
{
	(void)state;
	char path[4000], pattern[300];
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	auto_glob struct glob *bytes = NULL;
	assert_int_equal(glob_new(GLOB_PATH, STR("/*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"), &bytes, NULL), BERM_OK);
	assert_false(glob_match(bytes, (struct str){path, sizeof(path)}, true));
	for (size_t i = 0; i < sizeof(path); i += 2)
		path[i] = '/';
	size_t len = 0;
	for (int i = 0; i < 40; i++)
		len += (size_t)snprintf(pattern + len, sizeof(pattern) - len, "/**/a");
	(void)snprintf(pattern + len, sizeof(pattern) - len, "/*b/**");
	auto_glob struct glob *names = NULL;
	assert_int_equal(glob_new(GLOB_PATH, str_from(pattern), &names, NULL), BERM_OK);
	assert_false(glob_match(names, (struct str){path, sizeof(path)}, false));
}

/* ---- a second opinion: the grammar without sets and braces, by plain recursion over text ---- */

static bool slow_name(const char *p, const char *p_end, const char *s, const char *s_end)
{
	if (p == p_end)
		return s == s_end;
	if (*p == '*')
		return slow_name(p + 1, p_end, s, s_end) || (s < s_end && slow_name(p, p_end, s + 1, s_end));
	return s < s_end && (*p == '?' || *p == *s) && slow_name(p + 1, p_end, s + 1, s_end);
}

static bool slow_path(const char *p, const char *s)
{
	if (*p == '\0')
		return *s == '\0';
	const char *p_end = strchrnul(p + 1, '/');
	const char *s_end = *s != '\0' ? strchrnul(s + 1, '/') : s;
	if (p_end - p == 3 && strncmp(p, "/**", 3) == 0)
		return slow_path(p_end, s) || (*s != '\0' && slow_path(p, s_end));
	return *s != '\0' && slow_name(p + 1, p_end, s + 1, s_end) && slow_path(p_end, s_end);
}

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % limit;
}

static void random_text(char *text, size_t names, const char *const *parts, uint32_t count)
{
	char *at = text;
	for (size_t i = 0; i < names; i++) {
		*at++ = '/';
		at = stpcpy(at, parts[random_below(count)]);
	}
	*at = '\0';
}

static void test_agrees_with_plain_recursion(void **state)
{
	(void)state;
	static const char *const wild[] = {"**", "**", "*", "a", "b", "a*", "*b", "?", "a?", "*a*", "ab*b", "*ab"};
	static const char *const names[] = {"a", "b", "ab", "ba", "aab", "abab"};
	for (int i = 0; i < 3000; i++) {
		char pattern[64], path[64];
		random_text(pattern, 1 + random_below(5), wild, ARRAY_LEN(wild));
		auto_glob struct glob *glob = NULL;
		assert_int_equal(glob_new(GLOB_PATH, str_from(pattern), &glob, NULL), BERM_OK);
		for (int k = 0; k < 10; k++) {
			random_text(path, 1 + random_below(5), names, ARRAY_LEN(names));
			if (glob_match(glob, str_from(path), false) != slow_path(pattern, path))
				fail_msg("'%s' and '%s'", pattern, path);
		}
	}
}

/* If a path matches, every folder above it must have been announced. */
static void test_below_never_misses_a_match(void **state)
{
	(void)state;
	static const char *const wild[] = {"**", "*", "a", "b", "a*", "*b", "?"};
	static const char *const names[] = {"a", "b", "ab", "ba"};
	for (int i = 0; i < 3000; i++) {
		char pattern[64], path[64];
		random_text(pattern, 1 + random_below(4), wild, ARRAY_LEN(wild));
		random_text(path, 1 + random_below(5), names, ARRAY_LEN(names));
		auto_glob struct glob *glob = NULL;
		assert_int_equal(glob_new(GLOB_PATH, str_from(pattern), &glob, NULL), BERM_OK);
		if (!glob_match(glob, str_from(path), false))
			continue;
		for (size_t len = 1; len < strlen(path); len++) {
			if (path[len] == '/' && !glob_may_match_below(glob, (struct str){path, len}, false))
				fail_msg("'%s' matches '%s', but nothing below '%.*s'", pattern, path, (int)len, path);
		}
		assert_true(glob_may_match_below(glob, STR("/"), false));
	}
}

/* Where neither folder is entered, moving one to the other changes no match below. */
static void test_only_entered_folders_matter_to_a_move(void **state)
{
	(void)state;
	static const char *const wild[] = {"**", "*", "a", "b", "a*", "?"};
	static const char *const names[] = {"a", "b", "ab", "ba"};
	int moved = 0;
	for (int i = 0; i < 6000; i++) {
		char pattern[64], from[64], to[64], rest[64], old[130], new[130];
		random_text(pattern, 1 + random_below(4), wild, ARRAY_LEN(wild));
		random_text(from, 1 + random_below(3), names, ARRAY_LEN(names));
		random_text(to, 1 + random_below(3), names, ARRAY_LEN(names));
		random_text(rest, 1 + random_below(3), names, ARRAY_LEN(names));
		(void)snprintf(old, sizeof(old), "%s%s", from, rest);
		(void)snprintf(new, sizeof(new), "%s%s", to, rest);
		auto_glob struct glob *glob = NULL;
		assert_int_equal(glob_new(GLOB_PATH, str_from(pattern), &glob, NULL), BERM_OK);
		if (glob_enters(glob, str_from(from), false) || glob_enters(glob, str_from(to), false))
			continue;
		moved++;
		if (glob_match(glob, str_from(old), false) != glob_match(glob, str_from(new), false))
			fail_msg("'%s' tells '%s' from '%s'", pattern, old, new);
	}
	assert_true(moved > 1000);
}

static void test_entered_folders(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *path;
		bool enters;
	} cases[] = {
		{"**/.git/hooks/*", "/p", false},
		{"**/.git/hooks/*", "/p/.git", true},
		{"**/.git/hooks/*", "/p/.git/hooks", true},
		{"**/.git/hooks/*", "/p/.git/hooks/x", false},
		{"**/.bashrc", "/p", false},
		{"**/.bashrc", "/p/.bashrc", false},
		{"**/.vscode/**", "/p", false},
		{"**/.vscode/**", "/p/.vscode", true},
		{"**/.vscode/**", "/p/.vscode/a/b", true},
		{"/p/a/secret", "/p", true},
		{"/p/a/secret", "/p/b", false},
		{"**", "/p", false},
		{"{**/a/b,/c/d}", "/c", true},
		{"{**/a/b,/c/d}", "/x/a", true},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_glob struct glob *glob = NULL;
		assert_int_equal(glob_new(GLOB_PATH, str_from(cases[i].pattern), &glob, NULL), BERM_OK);
		if (glob_enters(glob, str_from(cases[i].path), false) != cases[i].enters)
			fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].path);
	}
}

static void test_reach(void **state)
{
	(void)state;
	static const struct {
		const char *pattern;
		size_t reach;
	} cases[] = {{"**/config", 1}, {"**/hooks/*", 2}, {"/a/b/c", 3}, {"**/a/**", SIZE_MAX}, {"**/{a,b/c}", 2}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_glob struct glob *glob = NULL;
		assert_int_equal(glob_new(GLOB_PATH, str_from(cases[i].pattern), &glob, NULL), BERM_OK);
		assert_true(glob_reach(glob) == cases[i].reach);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_cases),
		cmocka_unit_test(test_published_cases_of_hosts),
		cmocka_unit_test(test_published_cases_of_urls),
		cmocka_unit_test(test_literal_hosts_are_told_apart),
		cmocka_unit_test(test_deep_braces_expand_in_bounded_memory),
		cmocka_unit_test(test_what_matches_exactly_matches_folded),
		cmocka_unit_test(test_folded_cases),
		cmocka_unit_test(test_below_cases),
		cmocka_unit_test(test_bad_patterns_are_refused),
		cmocka_unit_test(test_errors_name_the_pattern),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_literal_patterns_are_told_apart),
		cmocka_unit_test(test_hard_patterns_stay_fast),
		cmocka_unit_test(test_agrees_with_plain_recursion),
		cmocka_unit_test(test_below_never_misses_a_match),
		cmocka_unit_test(test_only_entered_folders_matter_to_a_move),
		cmocka_unit_test(test_entered_folders),
		cmocka_unit_test(test_reach),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
