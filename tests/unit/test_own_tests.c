#include "check.h"

#include "policy_rig.h"

#include "session/own_tests.h"

#define IS(text, answer) LINE_WITH(KEY_TEST, text, {ATTR_IS, answer})
#define IS_BY(text, answer, program) LINE_WITH(KEY_TEST, text, {ATTR_IS, answer}, {ATTR_BY, program})

static const struct policy_doc with_none =
	DOC_FILE("p.yaml", EXTENDS_NOTHING, LINE(KEY_READ, "~/a"), LINE(KEY_DENY, "~/a/b"));
static const struct policy_doc with_files =
	DOC_FILE("p.yaml", EXTENDS_NOTHING, LINE(KEY_READ, "~/a"), LINE(KEY_DENY, "~/a/b"), IS("read ~/a/x", "allow"),
		 IS("read ~/a/b/x", "deny"), IS("read /proc/kcore", "deny"));
static const struct policy_doc with_wrong_file =
	DOC_FILE("p.yaml", EXTENDS_NOTHING, LINE(KEY_READ, "~/a"), LINE(KEY_DENY, "~/a/b"), IS("read ~/a/x", "allow"),
		 IS("read ~/a/b/x", "allow"), IS("write ~/a/x", "allow"));
static const struct policy_doc with_hosts =
	DOC_FILE("p.yaml", EXTENDS_NOTHING, LINE(KEY_NET_MODE, "filtered"), LINE(KEY_NET_ALLOW, "*.a.example"),
		 LINE_WITH(KEY_NET_ALLOW, "git.example", {ATTR_BY, "git"}), LINE(KEY_NET_DENY, "bad.a.example"),
		 IS("connect x.a.example", "allow"), IS("connect bad.a.example", "deny"),
		 IS_BY("connect git.example", "allow", "git"), IS_BY("connect git.example", "deny", "curl"));
static const struct policy_doc with_wrong_host =
	DOC_FILE("p.yaml", EXTENDS_NOTHING, LINE(KEY_NET_MODE, "filtered"), LINE(KEY_NET_ALLOW, "*.a.example"),
		 IS("connect b.example", "allow"), IS("connect x.a.example", "allow"));
static const struct policy_doc with_no_question = DOC_FILE("p.yaml", EXTENDS_NOTHING, IS("frobnicate x", "deny"));

/* Makes the policy of a document of the user's. */
static void make(struct rig *rig, const struct policy_doc *doc)
{
	rig->layers.user = DOCS(doc);
	MADE(rig);
	rig->problems = (struct problems){0};
}

static void expect(const struct policy_doc *doc, size_t passed, size_t failed)
{
	auto_rig struct rig rig = RIG();
	auto_policy_tests struct policy_tests tests;
	policy_tests_init(&tests);
	make(&rig, doc);
	assert_int_equal(own_tests_run(rig.policy, &rig.input, &tests, &rig.problems, &rig.err), BERM_OK);
	assert_int_equal(tests.passed, passed);
	assert_int_equal(tests.failed, failed);
}

static void test_files_hosts_and_none_are_answered(void **state)
{
	(void)state;
	expect(&with_none, 0, 0);
	expect(&with_files, 3, 0);
	expect(&with_wrong_file, 1, 2);
	expect(&with_hosts, 4, 0);
	expect(&with_wrong_host, 1, 1);
}

/* A test that says what holds lets a policy through; one that does not stops it, where it stands. */
static void test_what_fails_stops_and_says_where(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG();
	make(&rig, &with_wrong_file);
	assert_int_equal(own_tests_check(rig.policy, &rig.input, &rig.problems, &rig.err), BERM_ERR_PARSE);
	assert_int_equal(rig.problems.count, 2);
	assert_string_equal(rig.problems.items[0].file, "p.yaml");
	assert_int_equal(rig.problems.items[0].line, with_wrong_file.lines[4].line);
	assert_true(rig_has_problem(&rig, "'read ~/a/b/x' is deny, not allow", 0));
	assert_true(rig_has_problem(&rig, "'write ~/a/x' is deny, not allow", 0));
	make(&rig, &with_wrong_host);
	assert_int_equal(own_tests_check(rig.policy, &rig.input, &rig.problems, &rig.err), BERM_ERR_PARSE);
	assert_true(rig_has_problem(&rig, "'connect b.example' is deny, not allow", 0));
	assert_int_equal(rig.problems.count, 1);
}

static void test_what_passes_stops_nothing(void **state)
{
	(void)state;
	static const struct policy_doc *const docs[] = {&with_none, &with_files, &with_hosts};
	for (size_t i = 0; i < ARRAY_LEN(docs); i++) {
		auto_rig struct rig rig = RIG();
		make(&rig, docs[i]);
		assert_int_equal(own_tests_check(rig.policy, &rig.input, &rig.problems, &rig.err), BERM_OK);
		assert_int_equal(rig.problems.count, 0);
	}
}

/* What nobody can answer has not passed. */
static void test_a_question_that_cannot_be_read_fails(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG();
	make(&rig, &with_no_question);
	assert_int_equal(own_tests_check(rig.policy, &rig.input, &rig.problems, &rig.err), BERM_ERR_PARSE);
	assert_true(rig_has_problem(&rig, "frobnicate", with_no_question.lines[1].line));
}

/* The same test passes where its path is another: the input of the run counts. */
static void test_they_are_answered_for_this_run(void **state)
{
	(void)state;
	const struct policy_doc doc =
		DOC_FILE("p.yaml", EXTENDS_NOTHING, LINE(KEY_READ, "/home/u/a"), IS("read ~/a/x", "allow"));
	auto_rig struct rig rig = RIG();
	make(&rig, &doc);
	assert_int_equal(own_tests_check(rig.policy, &rig.input, &rig.problems, &rig.err), BERM_OK);
	rig.input.home = "/home/v";
	make(&rig, &doc);
	assert_int_equal(own_tests_check(rig.policy, &rig.input, &rig.problems, &rig.err), BERM_ERR_PARSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_hosts_and_none_are_answered),
		cmocka_unit_test(test_what_fails_stops_and_says_where),
		cmocka_unit_test(test_what_passes_stops_nothing),
		cmocka_unit_test(test_a_question_that_cannot_be_read_fails),
		cmocka_unit_test(test_they_are_answered_for_this_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
