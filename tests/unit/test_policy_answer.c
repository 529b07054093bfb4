#include "check.h"

#include "policy/policy_answer.h"
#include "policy_rig.h"

static const struct floor_places places = {.home = "/home/u"};

#define IS(k, text, is) LINE_WITH(k, text, {ATTR_IS, is})
#define IS_BY(k, text, is, by) LINE_WITH(k, text, {ATTR_IS, is}, {ATTR_BY, by})

/* The tests of the policy that are in force all have this outcome. */
static void run(const struct policy_doc *doc, size_t passed, size_t failed, struct policy_tests *tests)
{
	auto_rig struct rig rig = RIG(.layers = {.profiles = DOCS(doc)});
	auto_learn_policy struct learn_policy *rules = NULL;
	MADE(&rig);
	assert_int_equal(learn_policy_new(rig.policy, &places, &rules, NULL), BERM_OK);
	struct policy_answer_context context = {rig.policy, rules};
	const struct policy_answers answers = {&context, policy_answer};
	assert_int_equal(policy_tests_run(rig.policy, &answers, tests, &rig.problems, NULL), BERM_OK);
	const struct policy_test *items = tests->items.items;
	for (size_t i = 0; i < tests->items.len && failed == 0; i++)
		if (items[i].got != items[i].expected)
			fail_msg("%s: %d, %s", items[i].entry->line->text, (int)items[i].got, items[i].by);
	assert_int_equal(tests->passed, passed);
	assert_int_equal(tests->failed, failed);
	assert_int_equal(policy_tests_check(tests, &rig.problems, NULL), failed > 0 ? BERM_ERR_PARSE : BERM_OK);
	assert_int_equal(rig.problems.count, failed);
}

static void test_files(void **state)
{
	(void)state;
	const struct policy_doc doc =
		PROFILE("p", EXTENDS_NOTHING, LINE(KEY_READ, "~/a"), LINE(KEY_DENY, "~/a/b"), LINE(KEY_ASK, "~/a/c"),
			LINE(KEY_WRITE, "."), LINE(KEY_FS_DEFAULT, "deny"), IS(KEY_TEST, "read ~/a/x", "allow"),
			IS(KEY_TEST, "read ~/a/b/x", "deny"), IS(KEY_TEST, "list ~/a/c", "ask"),
			IS(KEY_TEST, "write ~/a/x", "deny"), IS(KEY_TEST, "create ./x", "allow"),
			IS(KEY_TEST, "exec ./x", "allow"), IS(KEY_TEST, "read /proc/kcore", "deny"),
			IS(KEY_TEST, "read /x", "deny"));
	auto_policy_tests struct policy_tests tests;
	policy_tests_init(&tests);
	run(&doc, 8, 0, &tests);
}

static void test_hosts(void **state)
{
	(void)state;
	const struct policy_doc doc = PROFILE(
		"p", EXTENDS_NOTHING, LINE(KEY_NET_MODE, "filtered"), LINE(KEY_NET_DEFAULT, "ask"),
		LINE(KEY_NET_ALLOW, "a.example"), LINE(KEY_NET_ALLOW, "*.b.example:80"),
		LINE_WITH(KEY_NET_ALLOW, "api.example", {ATTR_BY, "gh"}, {ATTR_HTTP, "GET /repos/**"},
			  {ATTR_HTTP, "POST /graphql query:viewer"}),
		LINE(KEY_NET_DENY, "bad.b.example"), IS(KEY_TEST, "connect a.example", "allow"),
		IS(KEY_TEST, "connect A.Example", "allow"), IS(KEY_TEST, "connect a.example:80", "ask"),
		IS(KEY_TEST, "connect x.b.example:80", "allow"), IS(KEY_TEST, "connect x.y.b.example:80", "ask"),
		IS(KEY_TEST, "connect bad.b.example:80", "deny"),
		IS_BY(KEY_TEST, "get https://api.example/repos/x", "allow", "gh"),
		IS_BY(KEY_TEST, "get https://api.example/repos/x", "allow", "/usr/bin/gh"),
		IS_BY(KEY_TEST, "get https://api.example/repos/x?q=1", "allow", "gh"),
		IS_BY(KEY_TEST, "get https://api.example/user", "ask", "gh"),
		IS_BY(KEY_TEST, "put https://api.example/repos/x", "ask", "gh"),
		IS_BY(KEY_TEST, "post https://api.example/graphql", "ask", "gh"),
		IS_BY(KEY_TEST, "get https://api.example/repos/x", "ask", "curl"),
		IS(KEY_TEST, "get https://api.example/repos/x", "ask"),
		IS_BY(KEY_TEST, "connect api.example", "allow", "gh"));
	auto_policy_tests struct policy_tests tests;
	policy_tests_init(&tests);
	run(&doc, 15, 0, &tests);
}

static void test_commands(void **state)
{
	(void)state;
	const struct policy_doc doc =
		PROFILE("p", EXTENDS_NOTHING, LINE_WITH(KEY_COMMAND, "git push **", {ATTR_DECISION, "ask"}),
			LINE_WITH(KEY_COMMAND, "rm -rf /**", {ATTR_DECISION, "deny"}),
			IS(KEY_TEST, "run git push origin", "ask"), IS(KEY_TEST, "run git pull", "allow"),
			IS(KEY_TEST, "run /bin/rm -rf '/a b'", "deny"), IS(KEY_TEST, "run rm -rf a", "allow"));
	auto_policy_tests struct policy_tests tests;
	policy_tests_init(&tests);
	run(&doc, 4, 0, &tests);
}

static void test_modes(void **state)
{
	(void)state;
	const struct policy_doc none =
		PROFILE("none", EXTENDS_NOTHING, LINE(KEY_NET_MODE, "none"), LINE(KEY_NET_ALLOW, "a.example"),
			IS(KEY_TEST, "connect a.example", "deny"));
	const struct policy_doc host = PROFILE("host", EXTENDS_NOTHING, LINE(KEY_NET_MODE, "host"),
					       IS(KEY_TEST, "connect a.example", "allow"));
	auto_policy_tests struct policy_tests first, second;
	policy_tests_init(&first);
	policy_tests_init(&second);
	run(&none, 1, 0, &first);
	run(&host, 1, 0, &second);
}

static void test_those_that_fail(void **state)
{
	(void)state;
	const struct policy_doc doc =
		PROFILE("p", EXTENDS_NOTHING, LINE(KEY_READ, "~/a"), IS(KEY_TEST, "read ~/a/x", "deny"),
			IS(KEY_TEST, "read ~/a/y", "allow"), IS(KEY_TEST, "get ftp://x/", "allow"));
	auto_policy_tests struct policy_tests tests;
	policy_tests_init(&tests);
	run(&doc, 1, 2, &tests);
}

static void test_texts(void **state)
{
	(void)state;
	static const struct policy_attr is = {ATTR_IS, "deny"};
	static const struct policy_line line = {.key = KEY_TEST, .text = "read ~/x", .attrs = &is, .attr_count = 1};
	const struct policy_entry entry = {.line = &line};
	const struct policy_test test = {.entry = &entry, .program = "gh", .expected = ANSWER_DENY};
	auto_buf struct buf out;
	buf_init(&out, 256);
	policy_test_text(&test, &out);
	assert_false(out.failed);
	assert_string_equal(out.data, "read ~/x by gh is deny");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files), cmocka_unit_test(test_hosts),	      cmocka_unit_test(test_commands),
		cmocka_unit_test(test_modes), cmocka_unit_test(test_those_that_fail), cmocka_unit_test(test_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
