#include "check.h"

#include <string.h>

#include "base/own.h"
#include "policy/question.h"

enum { ROOM = 256 * 1024 };

struct good_case {
	const char *word, *object;
	enum policy_op op;
	const char *a; /* path, host, or first word */
	uint16_t port;
	const char *method, *target;
};

static const struct good_case good[] = {
	{"read", "/x/y", POLICY_OP_READ, "/x/y", 0, NULL, NULL},
	{"list", "/", POLICY_OP_LIST, "/", 0, NULL, NULL},
	{"delete", "/x y", POLICY_OP_DELETE, "/x y", 0, NULL, NULL},
	{"socket", "/run/s", POLICY_OP_SOCKET, "/run/s", 0, NULL, NULL},
	{"connect", "example.org", POLICY_OP_CONNECT, "example.org", 443, NULL, NULL},
	{"connect", "example.org:80", POLICY_OP_CONNECT, "example.org", 80, NULL, NULL},
	{"connect", "[::1]:5432", POLICY_OP_CONNECT, "::1", 5432, NULL, NULL},
	{"connect", "[::1]", POLICY_OP_CONNECT, "::1", 443, NULL, NULL},
	{"connect", "10.0.0.1:65535", POLICY_OP_CONNECT, "10.0.0.1", 65535, NULL, NULL},
	{"get", "https://example.org", POLICY_OP_HTTP, "example.org", 443, "GET", "/"},
	{"get", "http://example.org/a/b?c=../d", POLICY_OP_HTTP, "example.org", 80, "GET", "/a/b?c=../d"},
	{"options", "https://[::1]:8443/", POLICY_OP_HTTP, "::1", 8443, "OPTIONS", "/"},
	{"run", "git  push 'a b'c \"d\"", POLICY_OP_RUN, "git", 0, NULL, NULL},
};

static void same(const char *got, const char *expected)
{
	if (expected == NULL)
		assert_null(got);
	else
		assert_string_equal(got, expected);
}

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct policy_question question;
		auto_arena struct arena arena;
		arena_init(&arena, ROOM);
		assert_int_equal(question_parse(&arena, good[i].word, good[i].object, &question, NULL), BERM_OK);
		assert_int_equal(question.op, good[i].op);
		same(question_is_file(question.op)  ? question.path
		     : question.op == POLICY_OP_RUN ? question.argv[0]
						    : question.host,
		     good[i].a);
		assert_int_equal(question.port, good[i].port);
		same(question.method, good[i].method);
		same(question.target, good[i].target);
		assert_null(question.program);
	}
}

static void test_bad(void **state)
{
	(void)state;
	static const struct {
		const char *word, *object, *message;
	} bad[] = {
		{"raed", "/x", "no question begins with 'raed'"},
		{"http", "/x", "no question begins with 'http'"},
		{"read", "x", "not an absolute path: 'x'"},
		{"read", "", "not an absolute path: ''"},
		{"connect", "", "no host in ''"},
		{"connect", ":80", "no host in ':80'"},
		{"connect", "a:0", "not a port in 'a:0'"},
		{"connect", "a:65536", "not a port in 'a:65536'"},
		{"connect", "::1", "not a port in '::1'"},
		{"connect", "[::1", "no ']' in '[::1'"},
		{"connect", "[::1]x", "not a port in '[::1]x'"},
		{"get", "example.org", "no URL of http or https: 'example.org'"},
		{"get", "ftp://example.org/", "no URL of http or https: 'ftp://example.org/'"},
		{"get", "https://", "no host in ''"},
		{"get", "https://u@h/", "a user or a fragment in the URL 'https://u@h/'"},
		{"get", "https://h/#x", "a user or a fragment in the URL 'https://h/#x'"},
		{"get", "https://h?x", "no path before the query of 'https://h?x'"},
		{"get", "https://h/a/../b", "a segment '..' in a URL"},
		{"get", "https://h/./b", "a segment '.' in a URL"},
		{"get", "https://h/%2e%2E/b", "a segment '%2e%2E' in a URL"},
		{"get", "https://h/a b", "a space or control byte in a URL"},
		{"run", "", "no command"},
		{"run", "   ", "no command"},
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct policy_question question;
		struct berm_err err;
		auto_arena struct arena arena;
		arena_init(&arena, ROOM);
		assert_int_equal(question_parse(&arena, bad[i].word, bad[i].object, &question, &err), BERM_ERR_PARSE);
		assert_string_equal(err.msg, bad[i].message);
	}
}

static void test_words_of_a_command(void **state)
{
	(void)state;
	static const char *const words[] = {"git", "push", "a bc", "d", "", "it's"};
	struct policy_question question;
	auto_arena struct arena arena;
	arena_init(&arena, ROOM);
	assert_int_equal(question_parse(&arena, "run", "git  push 'a b'c \"d\" '' \"it's\" ", &question, NULL),
			 BERM_OK);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		assert_string_equal(question.argv[i], words[i]);
	assert_null(question.argv[ARRAY_LEN(words)]);
}

static void test_too_many_words(void **state)
{
	(void)state;
	char command[4096];
	struct policy_question question;
	auto_arena struct arena arena;
	arena_init(&arena, ROOM);
	memset(command, 'x', sizeof(command));
	for (size_t i = 1; i < 2 * 1025; i += 2)
		command[i] = ' ';
	command[2 * 1024] = '\0';
	assert_int_equal(question_parse(&arena, "run", command, &question, NULL), BERM_OK);
	command[2 * 1024] = 'x';
	command[2 * 1024 + 1] = '\0';
	assert_int_equal(question_parse(&arena, "run", command, &question, NULL), BERM_ERR_LIMIT);
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(question_op_word(POLICY_OP_EXEC), "exec");
	assert_string_equal(question_answer_word(ANSWER_ASK), "ask");
	assert_true(question_is_file(POLICY_OP_SOCKET));
	assert_false(question_is_file(POLICY_OP_CONNECT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_words_of_a_command),
		cmocka_unit_test(test_too_many_words),
		cmocka_unit_test(test_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
