/* Several who are asked together: the first answer counts, or all must allow. */
#include "check.h"

#include "approvals_rig.h"
#include "session/approver_chain.h"

#define ALLOW BERM_VERDICT_ALLOW
#define DENY BERM_VERDICT_DENY

struct chained {
	struct rig a, b, c;
	struct approval_answer last;
	size_t answers;
	struct approver *chain;
	struct approval_prompt prompt;
};

static void chain_drop(struct chained *chained)
{
	approver_free(chained->chain);
}
#define auto_chained __attribute__((cleanup(chain_drop)))

static void take_answer(void *ctx, struct approver *from, uint64_t id, const struct approval_answer *answer)
{
	struct chained *chained = ctx;
	assert_ptr_equal(from, chained->chain);
	assert_int_equal(id, chained->prompt.id);
	chained->answers++;
	chained->last = *answer;
}

static void chain_make(struct chained *chained, bool all)
{
	struct approver *members[] = {&chained->a.fake.approver, &chained->b.fake.approver, &chained->c.fake.approver};
	(void)rig_policy(&chained->a, 0);
	(void)rig_policy(&chained->b, 7);
	(void)rig_policy(&chained->c, 3);
	chained->prompt.id = 5;
	assert_int_equal(approver_chain_new(NULL, all, members, 3, &chained->chain, NULL), BERM_OK);
	chained->chain->answered = take_answer;
	chained->chain->ctx = chained;
}

static enum berm_code chain_ask(struct chained *chained)
{
	return chained->chain->kind->ask(chained->chain, &chained->prompt, NULL);
}

static void answer(struct rig *rig, enum berm_verdict verdict, enum approval_scope scope, enum approval_extent extent,
		   int64_t for_ms, const char *who)
{
	struct approval_answer given = {
		.verdict = verdict, .scope = scope, .extent = extent, .for_ms = for_ms, .by = "fake"};
	(void)snprintf(given.who, sizeof given.who, "%s", who);
	rig->fake.approver.answered(rig->fake.approver.ctx, &rig->fake.approver, 5, &given);
}

static void first_answer_of_any_counts(void **state)
{
	(void)state;
	auto_chained struct chained chained = {.answers = 0};
	chain_make(&chained, false);
	assert_int_equal(chained.chain->kind->room, 3);
	assert_int_equal(chain_ask(&chained), BERM_OK);
	answer(&chained.b, ALLOW, APPROVAL_SESSION, APPROVAL_OBJECT, 0, "me");
	assert_int_equal(chained.answers, 1);
	assert_int_equal(chained.last.verdict, ALLOW);
	assert_string_equal(chained.last.who, "me");
	assert_int_equal(chained.a.fake.withdrawn + chained.c.fake.withdrawn, 2);
	assert_int_equal(chained.b.fake.withdrawn, 0);
	answer(&chained.a, DENY, APPROVAL_ONCE, APPROVAL_OBJECT, 0, "late");
	assert_int_equal(chained.answers, 1);
}

static void any_goes_on_without_those_who_sleep(void **state)
{
	(void)state;
	auto_chained struct chained chained = {.answers = 0};
	chain_make(&chained, false);
	chained.a.fake.refuses = chained.b.fake.refuses = true;
	assert_int_equal(chain_ask(&chained), BERM_OK);
	answer(&chained.a, ALLOW, APPROVAL_ONCE, APPROVAL_OBJECT, 0, "was not asked");
	assert_int_equal(chained.answers, 0);
	answer(&chained.c, DENY, APPROVAL_ONCE, APPROVAL_OBJECT, 0, "me");
	assert_int_equal(chained.last.verdict, DENY);
	chained.c.fake.refuses = true;
	assert_int_equal(chain_ask(&chained), BERM_ERR_CLOSED);
}

static void all_must_allow_and_the_narrowest_holds(void **state)
{
	(void)state;
	auto_chained struct chained chained = {.answers = 0};
	chain_make(&chained, true);
	assert_int_equal(chain_ask(&chained), BERM_OK);
	answer(&chained.a, ALLOW, APPROVAL_ALWAYS, APPROVAL_FOLDER, 0, "x");
	answer(&chained.a, ALLOW, APPROVAL_ALWAYS, APPROVAL_FOLDER, 0, "x"); /* twice is not two */
	answer(&chained.b, ALLOW, APPROVAL_SESSION, APPROVAL_OBJECT, 500, "y");
	assert_int_equal(chained.answers, 0);
	answer(&chained.c, ALLOW, APPROVAL_SESSION, APPROVAL_FOLDER, 900, "z");
	assert_int_equal(chained.answers, 1);
	assert_int_equal(chained.last.verdict, ALLOW);
	assert_int_equal(chained.last.scope, APPROVAL_SESSION);
	assert_int_equal(chained.last.extent, APPROVAL_OBJECT);
	assert_int_equal(chained.last.for_ms, 500);
	assert_string_equal(chained.last.by, "all");
	assert_string_equal(chained.last.who, "fake x, fake y, fake z");
}

static void one_denial_of_all_is_enough(void **state)
{
	(void)state;
	auto_chained struct chained chained = {.answers = 0};
	chain_make(&chained, true);
	assert_int_equal(chain_ask(&chained), BERM_OK);
	answer(&chained.a, ALLOW, APPROVAL_ONCE, APPROVAL_OBJECT, 0, "x");
	answer(&chained.b, DENY, APPROVAL_ONCE, APPROVAL_OBJECT, 0, "y");
	assert_int_equal(chained.last.verdict, DENY);
	assert_int_equal(chained.c.fake.withdrawn, 1);
	answer(&chained.c, ALLOW, APPROVAL_ONCE, APPROVAL_OBJECT, 0, "z");
	assert_int_equal(chained.answers, 1);
	/* One who sleeps has not allowed it. */
	chained.b.fake.refuses = true;
	assert_int_equal(chain_ask(&chained), BERM_ERR_CLOSED);
	assert_int_equal(chained.a.fake.withdrawn, 1);
}

static void withdrawn_by_all(void **state)
{
	(void)state;
	auto_chained struct chained chained = {.answers = 0};
	chain_make(&chained, true);
	assert_int_equal(chain_ask(&chained), BERM_OK);
	answer(&chained.a, ALLOW, APPROVAL_ONCE, APPROVAL_OBJECT, 0, "x");
	chained.chain->kind->withdraw(chained.chain, 5);
	chained.chain->kind->withdraw(chained.chain, 5);
	assert_int_equal(chained.a.fake.withdrawn, 0);
	assert_int_equal(chained.b.fake.withdrawn, 1);
	assert_int_equal(chained.c.fake.withdrawn, 1);
	answer(&chained.b, ALLOW, APPROVAL_ONCE, APPROVAL_OBJECT, 0, "y");
	assert_int_equal(chained.answers, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_answer_of_any_counts),
		cmocka_unit_test(any_goes_on_without_those_who_sleep),
		cmocka_unit_test(all_must_allow_and_the_narrowest_holds),
		cmocka_unit_test(one_denial_of_all_is_enough),
		cmocka_unit_test(withdrawn_by_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
