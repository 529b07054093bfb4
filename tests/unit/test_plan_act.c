/* What a plan says to an act: rights of the grant, what each kind of rule lets pass, and which names stay. */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/own.h"
#include "sandbox/plan_act.h"
#include "sandbox/plan_build.h"

enum { ALL = BERM_READ | BERM_WRITE | BERM_DELETE | BERM_EXEC };

static bool accept_all(const char *target, const uint8_t *content, size_t len, char *reason, size_t reason_size)
{
	(void)target;
	(void)content;
	(void)len;
	(void)reason;
	(void)reason_size;
	return true;
}

/* A plan of one grant and one literal rule. */
struct fixture {
	struct plan_grant grants[2];
	struct plan_rule rule;
	uint32_t head, next;
	struct plan_owned owned; /* the index: one chain */
	struct berm_plan plan;
};

static void fixture_init(struct fixture *fixture, unsigned rights, const struct plan_rule *rule)
{
	*fixture = (struct fixture){.grants = {{.path = "/w", .rights = rights, .tree = true, .exists = true}}};
	if (rule != NULL)
		fixture->rule = *rule;
	fixture->owned.heads = &fixture->head;
	fixture->owned.head_count = 1;
	fixture->owned.next = &fixture->next;
	fixture->owned.keyless = rule != NULL;
	fixture->plan = (struct berm_plan){
		.owned = &fixture->owned,
		.grants = fixture->grants,
		.grant_count = 1,
		.rules = &fixture->rule,
		.rule_count = rule != NULL,
		.literal_count = rule != NULL,
	};
}

static bool is_beside_if(void *ctx, struct str folder, const char *name)
{
	const bool *is_there = ctx;
	assert_string_equal(name, "HEAD");
	assert_true(str_eq(folder, STR("/w")));
	return *is_there;
}

static struct place_verdict judge(const struct fixture *fixture, const char *path, enum place_act act, bool beside)
{
	const struct plan_condition condition = {is_beside_if, &beside};
	return plan_judge_act(&fixture->plan, str_from(path), &fixture->grants[0], act, 0, &condition);
}

static void test_grant_needs_its_rights(void **state)
{
	(void)state;
	struct fixture fixture;
	static const struct {
		enum place_act act;
		unsigned needs;
		enum berm_request_op op;
	} cases[] = {
		{ACT_READ, BERM_READ, BERM_OP_READ},	  {ACT_WRITE, BERM_WRITE, BERM_OP_WRITE},
		{ACT_MAKE, BERM_WRITE, BERM_OP_CREATE},	  {ACT_REMOVE, BERM_DELETE, BERM_OP_DELETE},
		{ACT_RMDIR, BERM_DELETE, BERM_OP_DELETE}, {ACT_EXEC, BERM_EXEC, BERM_OP_EXEC},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		fixture_init(&fixture, cases[i].needs, NULL);
		assert_null(judge(&fixture, "/w/name", cases[i].act, true).rule);
		assert_int_equal(plan_act_needs(cases[i].act), cases[i].needs);
		assert_int_equal(plan_act_op(cases[i].act), cases[i].op);
		fixture_init(&fixture, ALL & ~cases[i].needs, NULL);
		struct place_verdict verdict = judge(&fixture, "/w/name", cases[i].act, true);
		assert_ptr_equal(verdict.rule, PLAN_NOT_GRANTED);
		assert_int_equal(verdict.error, EACCES);
		assert_null(verdict.by);
	}
}

static void test_rules_are_a_table(void **state)
{
	(void)state;
	struct fixture fixture;
	static const struct {
		struct plan_rule rule;
		enum place_act act;
		bool passes;
	} cases[] = {
		{{.right = BERM_DENY}, ACT_READ, false},
		{{.right = BERM_PROTECT}, ACT_READ, true},
		{{.right = BERM_PROTECT}, ACT_WRITE, false},
		{{.right = BERM_PROTECT}, ACT_MAKE, false},
		{{.right = BERM_PROTECT}, ACT_REMOVE, false},
		{{.right = BERM_PROTECT}, ACT_RMDIR, false},
		{{.right = BERM_PROTECT, .removable = true}, ACT_REMOVE, true},
		{{.right = BERM_PROTECT, .removable = true}, ACT_RMDIR, true},
		{{.right = BERM_PROTECT, .mkdir_only = true}, ACT_MKDIR, true},
		{{.right = BERM_PROTECT, .mkdir_only = true}, ACT_MAKE, false},
		{{.right = BERM_PROTECT, .in_place = true}, ACT_WRITE, true},
		{{.right = BERM_PROTECT, .in_place = true}, ACT_SYMLINK, false},
		{{.right = BERM_REPLACE}, ACT_WRITE, true},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct plan_rule rule = cases[i].rule;
		rule.path = "/w/name";
		rule.label = "the rule";
		fixture_init(&fixture, ALL, &rule);
		struct place_verdict verdict = judge(&fixture, "/w/name", cases[i].act, true);
		if (cases[i].passes != (verdict.rule == NULL))
			fail_msg("case %zu", i);
		assert_ptr_equal(verdict.by, cases[i].passes ? NULL : &fixture.rule);
		assert_null(judge(&fixture, "/w/other", cases[i].act, true).rule);
	}
}

static void test_a_judge_decides_on_what_arrives(void **state)
{
	(void)state;
	struct fixture fixture;
	const struct plan_rule rule = {
		.path = "/w/name", .label = "judged", .right = BERM_PROTECT, .judge = accept_all};
	fixture_init(&fixture, ALL, &rule);
	struct place_verdict verdict = judge(&fixture, "/w/name", ACT_ARRIVE_FILE, true);
	assert_null(verdict.rule);
	assert_ptr_equal(verdict.judge, &fixture.rule);
	assert_non_null(judge(&fixture, "/w/name", ACT_WRITE, true).rule);
	assert_non_null(judge(&fixture, "/w/name", ACT_ARRIVE_FOLDER, true).rule);
	fixture.rule.judge = NULL;
	assert_non_null(judge(&fixture, "/w/name", ACT_ARRIVE_FILE, true).rule);
}

static void test_what_a_rule_waits_for_is_asked(void **state)
{
	(void)state;
	struct fixture fixture;
	const struct plan_rule rule = {.path = "/w/name", .label = "waits", .right = BERM_PROTECT, .beside = "HEAD"};
	fixture_init(&fixture, ALL, &rule);
	assert_non_null(judge(&fixture, "/w/name", ACT_WRITE, true).rule);
	assert_null(judge(&fixture, "/w/name", ACT_WRITE, false).rule);
}

static bool is_in(void *ctx, struct str folder, const char *name)
{
	return str_eq(folder, str_from(ctx)) && strcmp(name, "refs") == 0;
}

static void test_what_a_denied_folder_waits_for_may_lie_above(void **state)
{
	(void)state;
	char folder[] = "/w/a";
	const struct plan_condition condition = {is_in, folder};
	struct plan_rule rule = {.right = BERM_DENY, .beside = "refs"};
	assert_true(plan_rule_holds(&rule, STR("/w/a/b"), &condition));
	assert_true(plan_rule_holds(&rule, STR("/w/a/b/c/d"), &condition));
	assert_false(plan_rule_holds(&rule, STR("/w/a"), &condition));
	rule.right = BERM_PROTECT;
	assert_true(plan_rule_holds(&rule, STR("/w/a/b"), &condition));
	assert_false(plan_rule_holds(&rule, STR("/w/a/b/c"), &condition));
	rule.beside = "../refs";
	assert_true(plan_rule_holds(&rule, STR("/w/a/b/c"), &condition));
	assert_false(plan_rule_holds(&rule, STR("/w/a/b"), &condition));
	rule.beside = NULL;
	assert_true(plan_rule_holds(&rule, STR("/x"), &condition));
}

static void test_what_is_there_when_a_name_arrives(void **state)
{
	(void)state;
	struct plan_rule rule = {.right = BERM_PROTECT};
	assert_int_equal(plan_rule_on_arrival(&rule, DT_REG), ARRIVAL_REFUSED);
	assert_int_equal(plan_rule_on_arrival(&rule, DT_DIR), ARRIVAL_FINE);
	rule.judge = accept_all;
	assert_int_equal(plan_rule_on_arrival(&rule, DT_REG), ARRIVAL_JUDGED);
	assert_int_equal(plan_rule_on_arrival(&rule, DT_LNK), ARRIVAL_REFUSED);
	rule.right = BERM_DENY;
	assert_int_equal(plan_rule_on_arrival(&rule, DT_DIR), ARRIVAL_REFUSED);
}

static void test_a_replace_rule_grants_what_nothing_else_does(void **state)
{
	(void)state;
	struct fixture fixture;
	const struct plan_rule rule = {.path = "/w/name", .label = "replace", .right = BERM_REPLACE};
	fixture_init(&fixture, ALL, &rule);
	fixture.grants[0].closed = true;
	assert_null(judge(&fixture, "/w/name", ACT_WRITE, true).rule);
	assert_ptr_equal(judge(&fixture, "/w/name", ACT_SYMLINK, true).rule, PLAN_NOT_GRANTED);
	assert_ptr_equal(judge(&fixture, "/w/other", ACT_WRITE, true).rule, PLAN_NOT_GRANTED);
}

static void test_named_things_stay(void **state)
{
	(void)state;
	struct plan_grant grants[] = {
		{.path = "/w", .rights = ALL, .tree = true, .exists = true},
		{.path = "/w-x", .rights = ALL, .tree = true, .exists = true},
		{.path = "/w/a/gone", .rights = ALL},
		{.path = "/w/a/in", .rights = ALL, .exists = true},
		{.path = "/w/c/gone", .rights = ALL},
	};
	struct plan_mask masks[] = {{.path = "/w/m/secret"}};
	const struct berm_plan plan = {
		.grants = grants, .grant_count = ARRAY_LEN(grants), .masks = masks, .mask_count = 1};
	assert_true(plan_is_pinned(&plan, &grants[0], STR("/w"), false));
	assert_true(plan_is_pinned(&plan, &grants[0], STR("/w/a"), true));
	assert_false(plan_is_pinned(&plan, &grants[0], STR("/w/a"), false));
	assert_true(plan_is_pinned(&plan, &grants[0], STR("/w/m"), true));
	assert_true(plan_is_pinned(&plan, &grants[0], STR("/w/m/secret"), false));
	assert_false(plan_is_pinned(&plan, &grants[0], STR("/w/m/secret-not"), false));
	assert_false(plan_is_pinned(&plan, &grants[0], STR("/w/b"), true));
	assert_false(plan_is_pinned(&plan, &grants[0], STR("/w/c"), true));
	assert_false(plan_is_pinned(&plan, NULL, STR("/w-"), true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grant_needs_its_rights),
		cmocka_unit_test(test_rules_are_a_table),
		cmocka_unit_test(test_a_judge_decides_on_what_arrives),
		cmocka_unit_test(test_what_a_rule_waits_for_is_asked),
		cmocka_unit_test(test_what_a_denied_folder_waits_for_may_lie_above),
		cmocka_unit_test(test_what_is_there_when_a_name_arrives),
		cmocka_unit_test(test_a_replace_rule_grants_what_nothing_else_does),
		cmocka_unit_test(test_named_things_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
