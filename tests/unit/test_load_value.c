#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "policy/load.h"
#include "policy/load_value.h"

enum { EACH = 40 };

struct value_case {
	enum policy_value value;
	const char *good[EACH], *bad[EACH];
};

static const char *const words[] = {"one", "two", NULL};
static const char *const schemes[] = {"env", "file", NULL};
static const char *const phrases[] = {"header", "bearer", NULL};

static const struct value_case cases[] = {
	{VALUE_TEXT,
	 {"", "a", "a b", "a\nb\tc", "\xc3\xa4", "\xff", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb"},
	 {"a\033b", "a\rb", "\x7f", "\xc2\x9b",
	  "a\xe2\x80\xae"
	  "b",
	  "\xe2\x81\xa6", "\xe2\x80\x8f"}},
	{VALUE_NAME, {"a", "a-b", "a_b", "a.b", "1", "g++"}, {"", "-a", ".a", "a b", "a/b", "\xc3\xa4", "a\n"}},
	{VALUE_GROUP, {"a", "-a"}, {"", "-", "--a", "a b"}},
	{VALUE_BOOL, {"true", "false"}, {"", "yes", "True", "1"}},
	{VALUE_VERSION, {"1"}, {"", "0", "2", "01", "1.0"}},
	{VALUE_PATH,
	 {"/", "/a", "~", "~/a", ".", "./a", "..", "../a", "a/b", "$HOME", "$A_1/b", "/a b", "/a$b", "app/[id]/x"},
	 {"",
	  "~a",
	  "~a/b",
	  "$",
	  "$/a",
	  "$1",
	  "$A-B",
	  "${A}",
	  "/a/$B",
	  "/a/${B}",
	  "/a*",
	  "/a?",
	  " /a",
	  "/a ",
	  "/a\n",
	  "https://a",
	  "file:///a",
	  "/a\xe2\x80\x8b",
	  "/\xc2\xad"
	  "a",
	  "/a\xe2\x80\xae"
	  "b",
	  "\xef\xbb\xbf/a"}},
	{VALUE_PATTERN,
	 {"/a", "**/.env", "**", "~/*.pub", "./**/x", "$A/{b,c}", "a/*", "*", "/a/[a-z]", "/a/[!b]", "/\\*"},
	 {"", "~*", "~a/*", "/a/../*", "**/..", "/a/[", "/{a", "/a/\\", "$A/{b", "$*", " **/a"}},
	{VALUE_HOST,
	 {"a",
	  "a.example",
	  "A.Example",
	  "a.example:1",
	  "a.example:65535",
	  "*.a.example",
	  "**.a.example:443",
	  "a-b_c.example",
	  "api-*.example",
	  "{a,b}.example",
	  "**",
	  "1.2.3.4",
	  "1.2.3.4:80",
	  "10.0.0.0/8",
	  "10.0.0.0/8:5432",
	  "0.0.0.0/0",
	  "::1",
	  "fe80::/10",
	  "[::1]",
	  "[::1]:443",
	  "[fe80::/10]:1",
	  "$NPM_REGISTRIES",
	  "$A:80",
	  "localhost",
	  "1a.example"},
	 {"",
	  ":80",
	  "a.example:0",
	  "a.example:65536",
	  "a.example:",
	  "a.example:x",
	  "a..b",
	  "a b",
	  "a/b",
	  "https://a.example",
	  "1.2.3",
	  "1.2.3.4.5",
	  "1.2.3.400",
	  "10.0.0.1/8",
	  "10.0.0.0/33",
	  "10.0.0.0/",
	  "a.example/8",
	  "[::1",
	  "[::1]443",
	  "[::1]:0",
	  "[1.2.3.4]:80",
	  "fe80::1/10",
	  ":::1",
	  "a:b:c",
	  "$",
	  "$1",
	  "a.example:443:443"}},
	{VALUE_PORT, {"1", "80", "65535", "0080"}, {"", "0", "65536", "-1", "80 ", "8o", "1-2"}},
	{VALUE_URL,
	 {"http://a", "https://a.example:8443/b?c=d", "https://[::1]:1/", "http://127.0.0.1/x", "https://a/b*"},
	 {"", "a.example", "ftp://a", "https://", "https:///b", "https://a b", "https://u@a", "https://*.a",
	  "https://a:0"}},
	{VALUE_VARIABLE, {"A", "_a1", "LC_ALL"}, {"", "1A", "A-B", "A*", "A=B", "A B"}},
	{VALUE_VARIABLES, {"A", "LC_*", "*"}, {"", "1*", "*A", "A*B", "A**"}},
	{VALUE_SIZE,
	 {"1", "512MiB", "8GiB", "4K"},
	 {"", "0", "0KiB", "8GX", "-1", "1.5GiB", "999999999999999999999TiB"}},
	{VALUE_COUNT, {"1", "1024"}, {"", "0", "-1", "1.0", "1e3", "1K"}},
	{VALUE_DURATION, {"1", "90s", "15m", "2h", "1d", "500ms"}, {"", "0", "0s", "2 h", "1w", "-1s"}},
	{VALUE_HTTP,
	 {"GET /", "GET /repos/**", "* /x", "POST /graphql query:viewer", "POST /g mutation:*", "GET **"},
	 {"", "GET", "GET ", "get /x", "GET x", "GET /x y", "POST /g query:", "POST /g other:x", "GET /a?b", "GET  /x",
	  "G1 /x"}},
	{VALUE_COMMAND, {"git", "git push **", "rm -rf /**"}, {"", " git", "a\nb"}},
	{VALUE_WORD, {"one", "two"}, {"", "on", "One", "one two"}},
	{VALUE_SOURCE, {"env://A", "file:///a b"}, {"", "env", "env://", "op://x", "://x"}},
	{VALUE_PHRASE, {"header x-key", "header A B {}", "bearer"}, {"", "header", "header ", "bearer x", "heade x"}},
	{VALUE_SETTING, {"A=b", "a_1=", "X={kept}/a b"}, {"", "A", "=b", "1=b", "A B=c", "A-B=c"}},
	{VALUE_TEST,
	 {"read ~/x", "read app/[id]/*", "connect a:22", "get https://a/b", "delete ./x", "delete https://a/b",
	  "run git push"},
	 {"", "read", "read ", "raed /x", "get a", "connect a:b", "read ~x", "run "}},
};

static const char *const *words_of(enum policy_value value)
{
	if (value == VALUE_TEST)
		return policy_keys[KEY_TEST].words;
	if (value == VALUE_SOURCE)
		return schemes;
	return value == VALUE_PHRASE ? phrases : words;
}

/* A copy without a NUL behind it, so that a reader which goes too far is seen. */
static enum berm_code check(enum policy_value value, const char *text, struct berm_err *err)
{
	size_t len = strlen(text);
	auto_free char *copy = malloc(len > 0 ? len : 1);
	assert_non_null(copy);
	memcpy(copy, text, len);
	return policy_check_value(value, words_of(value), (struct str){copy, len}, err);
}

static void test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct berm_err err = {0};
		for (const char *const *text = cases[i].good; *text != NULL; text++)
			if (check(cases[i].value, *text, &err) != BERM_OK)
				fail_msg("kind %d, '%s': %s", (int)cases[i].value, *text, err.msg);
		for (const char *const *text = cases[i].bad; *text != NULL; text++) {
			err = (struct berm_err){0};
			if (check(cases[i].value, *text, &err) == BERM_OK)
				fail_msg("kind %d takes '%s'", (int)cases[i].value, *text);
			assert_true(err.msg[0] != '\0');
			assert_int_not_equal(check(cases[i].value, *text, NULL), BERM_OK);
		}
	}
}

static void test_texts_have_a_maximum(void **state)
{
	(void)state;
	enum { MAX = 4096 };
	static char text[MAX + 2];
	memset(text, 'a', MAX + 1);
	text[0] = '/';
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct berm_err err = {0};
		assert_int_equal(check(cases[i].value, text, &err), BERM_ERR_PARSE);
		assert_int_equal(strncmp(err.msg, "longer than 4096 bytes: '/aaa", 29), 0);
	}
	text[MAX] = '\0';
	assert_int_equal(check(VALUE_PATH, text, NULL), BERM_OK);
	assert_int_equal(check(VALUE_PATTERN, text, NULL), BERM_OK);
	text[1] = '*';
	struct berm_err err = {0};
	if (check(VALUE_PATTERN, text, &err) != BERM_OK)
		assert_true(err.msg[0] != '\0');
}

static void test_nodes_that_may_be_values(void **state)
{
	(void)state;
	const char *expected;
	assert_true(load_value_fits(VALUE_PORT, NODE_NUMBER, &expected));
	assert_true(load_value_fits(VALUE_PORT, NODE_TEXT, &expected));
	assert_string_equal(expected, "a port");
	assert_false(load_value_fits(VALUE_NAME, NODE_NUMBER, &expected));
	assert_false(load_value_fits(VALUE_BOOL, NODE_TEXT, &expected));
	assert_true(load_value_fits(VALUE_BOOL, NODE_BOOL, &expected));
	for (enum policy_value value = VALUE_TEXT; value <= VALUE_TEST; value++)
		for (enum node_kind kind = NODE_LIST; kind <= NODE_MAP; kind++)
			assert_false(load_value_fits(value, kind, &expected));
}

static void test_what_a_test_asks(void **state)
{
	(void)state;
	assert_int_equal(load_value_of_test(STR("read"), STR("/a")), VALUE_PATH);
	assert_int_equal(load_value_of_test(STR("delete"), STR("/a")), VALUE_PATH);
	assert_int_equal(load_value_of_test(STR("delete"), STR("https://a")), VALUE_URL);
	assert_int_equal(load_value_of_test(STR("post"), STR("https://a")), VALUE_URL);
	assert_int_equal(load_value_of_test(STR("connect"), STR("a:1")), VALUE_HOST);
	assert_int_equal(load_value_of_test(STR("run"), STR("a")), VALUE_COMMAND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_texts_have_a_maximum),
		cmocka_unit_test(test_nodes_that_may_be_values),
		cmocka_unit_test(test_what_a_test_asks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
