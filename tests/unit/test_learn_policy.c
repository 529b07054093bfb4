#include "check.h"

#include "policy/learn_policy.h"
#include "policy_rig.h"

static const struct policy_doc base =
	PROFILE("base", EXTENDS_NOTHING, LINE_WITH(KEY_DENY, "~/.ssh", {ATTR_EXCEPT, "~/.ssh/known_hosts"}),
		LINE(KEY_DENY, "**/.env"), LINE(KEY_DENY, "~/.config/*/token"), LINE(KEY_PROTECT, "**/.envrc"),
		LINE(KEY_READ, "/opt/x"), LINE_WITH(KEY_READ, "~/docs", {ATTR_EXTENT, "file"}), LINE(KEY_WRITE, "~/w"),
		LINE(KEY_EXEC, "~/bin"), LINE(KEY_ASK, "~/w/asked"), LINE(KEY_REPLACE, "~/.x.json"),
		LINE(KEY_SCRATCH, "~/.npm"), LINE(KEY_SOCKETS, "/run/s"), LINE(KEY_NET_DENY, "*.bad.example"),
		LINE(KEY_NET_ALLOW, "good.example"));

static const struct floor_places places = {.home = "/home/u", .state = "/home/u/.local/state/berm"};

struct row {
	enum policy_op op;
	const char *object;
	bool tree;
	enum learn_word word;
};

static const struct row rows[] = {
	{POLICY_OP_READ, "/opt/y", false, LEARN_OPEN},
	{POLICY_OP_READ, "/opt/x/y", false, LEARN_ALLOWED},
	{POLICY_OP_WRITE, "/opt/x/y", false, LEARN_OPEN},
	{POLICY_OP_EXEC, "/opt/x/y", false, LEARN_OPEN},
	{POLICY_OP_LIST, "/home/u/docs", false, LEARN_ALLOWED},
	{POLICY_OP_READ, "/home/u/docs/a", false, LEARN_OPEN},
	{POLICY_OP_EXEC, "/home/u/w/a", false, LEARN_ALLOWED},
	{POLICY_OP_CREATE, "/home/u/w/a", false, LEARN_ALLOWED},
	{POLICY_OP_READ, "/home/u/bin/a", false, LEARN_ALLOWED},
	{POLICY_OP_WRITE, "/home/u/bin/a", false, LEARN_OPEN},
	/* denied, and around it */
	{POLICY_OP_READ, "/home/u/.ssh", false, LEARN_FORBIDDEN},
	{POLICY_OP_READ, "/home/u/.ssh/id", false, LEARN_FORBIDDEN},
	{POLICY_OP_READ, "/home/u/.ssh/known_hosts", false, LEARN_OPEN},
	{POLICY_OP_READ, "/home/u", true, LEARN_FORBIDDEN},
	{POLICY_OP_READ, "/home/u", false, LEARN_OPEN},
	{POLICY_OP_READ, "/home/u/.config", true, LEARN_FORBIDDEN},
	{POLICY_OP_READ, "/home/u/.config/a", true, LEARN_OPEN},
	{POLICY_OP_READ, "/home/u/.config/a/token", false, LEARN_FORBIDDEN},
	/* a pattern that holds anywhere closes what it matches, not what is around */
	{POLICY_OP_READ, "/home/u/x/.env", false, LEARN_FORBIDDEN},
	{POLICY_OP_READ, "/home/u/x/.ENV", false, LEARN_FORBIDDEN},
	{POLICY_OP_READ, "/home/u/x/.env/deep", false, LEARN_FORBIDDEN},
	{POLICY_OP_READ, "/home/u/x", true, LEARN_OPEN},
	/* protected: to changes */
	{POLICY_OP_WRITE, "/home/u/x/.envrc", false, LEARN_FORBIDDEN},
	{POLICY_OP_READ, "/home/u/x/.envrc", false, LEARN_OPEN},
	/* the floor */
	{POLICY_OP_READ, "/home/u/.local/state/berm/x", false, LEARN_FORBIDDEN},
	{POLICY_OP_READ, "/home/u/.local/state", true, LEARN_FORBIDDEN},
	/* asked, replaced, scratch, sockets, temporary */
	{POLICY_OP_CREATE, "/home/u/.x.json", false, LEARN_ALLOWED},
	{POLICY_OP_EXEC, "/home/u/.x.json", false, LEARN_OPEN},
	{POLICY_OP_WRITE, "/home/u/.npm/a", false, LEARN_ALLOWED},
	{POLICY_OP_SOCKET, "/run/s", false, LEARN_ALLOWED},
	{POLICY_OP_SOCKET, "/run/t", false, LEARN_OPEN},
	/* hosts */
	{POLICY_OP_CONNECT, "x.bad.example:443", false, LEARN_FORBIDDEN},
	{POLICY_OP_CONNECT, "bad.example:443", false, LEARN_OPEN},
	{POLICY_OP_CONNECT, "[2001:db8::1]:443", false, LEARN_OPEN},
};

static void test_table(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG(.layers = {.profiles = DOCS(&base)});
	auto_learn_policy struct learn_policy *rules = NULL;
	MADE(&rig);
	assert_int_equal(learn_policy_new(rig.policy, &places, &rules, NULL), BERM_OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char why[LEARN_WHY_MAX] = "";
		enum learn_word word = learn_policy_look(rules, rows[i].op, rows[i].object, rows[i].tree, why);
		if (word != rows[i].word)
			fail_msg("%d %s: %d (%s)", (int)rows[i].op, rows[i].object, (int)word, why);
		assert_int_equal(word != LEARN_OPEN, why[0] != '\0');
	}
}

static void test_ask_comes_before_allow(void **state)
{
	(void)state;
	char why[LEARN_WHY_MAX] = "";
	auto_rig struct rig rig = RIG(.layers = {.profiles = DOCS(&base)});
	auto_learn_policy struct learn_policy *rules = NULL;
	MADE(&rig);
	assert_int_equal(learn_policy_new(rig.policy, &places, &rules, NULL), BERM_OK);
	assert_int_equal(learn_policy_look(rules, POLICY_OP_READ, "/home/u/w/asked/x", false, why), LEARN_OPEN);
	assert_ptr_equal(strstr(why, "filesystem.ask: ~/w/asked"), why);
	why[0] = '\0';
	assert_int_equal(learn_policy_look(rules, POLICY_OP_READ, "/tmp/x", false, why), LEARN_ALLOWED);
	assert_string_equal(why, "");
}

/* Where a home lies in a scratch folder, as those of tests do, what is in it is no scratch. */
static void test_a_home_in_a_scratch_folder(void **state)
{
	(void)state;
	const struct policy_doc scratch =
		PROFILE("s", EXTENDS_NOTHING, LINE(KEY_SCRATCH, "/var/tmp"), LINE(KEY_SCRATCH, "/var/tmp/u/.npm"));
	static const struct floor_places there = {.home = "/var/tmp/u"};
	char why[LEARN_WHY_MAX] = "";
	auto_rig struct rig rig = RIG(.layers = {.profiles = DOCS(&scratch)});
	auto_learn_policy struct learn_policy *rules = NULL;
	MADE(&rig);
	assert_int_equal(learn_policy_new(rig.policy, &there, &rules, NULL), BERM_OK);
	assert_int_equal(learn_policy_look(rules, POLICY_OP_READ, "/var/tmp/x", false, why), LEARN_ALLOWED);
	assert_int_equal(learn_policy_look(rules, POLICY_OP_READ, "/var/tmp/u/x", false, why), LEARN_OPEN);
	assert_int_equal(learn_policy_look(rules, POLICY_OP_READ, "/var/tmp/u/.npm/x", false, why), LEARN_ALLOWED);
}

static void test_reasons_name_the_line(void **state)
{
	(void)state;
	char why[LEARN_WHY_MAX] = "";
	auto_rig struct rig rig = RIG(.layers = {.profiles = DOCS(&base)});
	auto_learn_policy struct learn_policy *rules = NULL;
	MADE(&rig);
	assert_int_equal(learn_policy_new(rig.policy, &places, &rules, NULL), BERM_OK);
	assert_int_equal(learn_policy_look(rules, POLICY_OP_READ, "/home/u/.ssh/id", false, why), LEARN_FORBIDDEN);
	assert_ptr_equal(strstr(why, "filesystem.deny: ~/.ssh (profiles/base.yaml:"), why);
	assert_int_equal(learn_policy_look(rules, POLICY_OP_READ, places.state, false, why), LEARN_FORBIDDEN);
	assert_ptr_equal(strstr(why, "the floor: "), why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_a_home_in_a_scratch_folder),
		cmocka_unit_test(test_ask_comes_before_allow),
		cmocka_unit_test(test_reasons_name_the_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
