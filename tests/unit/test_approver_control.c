/* Questions that lie on a desk until another terminal answers them. */
#include "check.h"

#include "approvals_rig.h"
#include "session/approver_control.h"

static const char yes[] = "{\"decision\":\"allow\",\"who\":\"somebody else\"}";

static struct approvals *engine(struct rig *rig, struct approver_desk *desk)
{
	auto_approvals struct approvals *approvals = rig_engine(rig);
	struct approvals_policy policy = {.mode = APPROVALS_ASK};
	assert_int_equal(approver_control_new(approvals_loop(approvals), desk, &policy.approver, NULL), BERM_OK);
	approvals_change(approvals, &policy);
	return take(approvals);
}

static size_t count_on(const struct approver_desk *desk)
{
	struct json_out json;
	size_t count = 0;
	auto_buf struct buf text;
	buf_init(&text, 65536);
	json_init(&json, &text);
	json_object(&json, NULL);
	approver_desk_put(desk, rig_now_ms, &json);
	json_object_end(&json);
	assert_int_equal(buf_check(&text, NULL), BERM_OK);
	for (const char *at = text.data; (at = strstr(at, "\"v\":1")) != NULL; at++)
		count++;
	return count;
}

static void desk_drop(struct approver_desk *desk)
{
	approver_desk_done(desk);
}
#define auto_desk __attribute__((cleanup(desk_drop)))

static void question_lies_there_until_it_is_answered(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	auto_desk struct approver_desk desk;
	approver_desk_init(&desk);
	auto_approvals struct approvals *approvals = engine(&rig, &desk);
	struct approval_question a = rig_file("/d/a", 1), b = rig_file("/d/b", 2);
	assert_int_equal(count_on(&desk), 0);
	(void)approvals_ask(approvals, &a, rig_done, &answers);
	uint64_t other = approvals_ask(approvals, &b, rig_done, &answers);
	approvals_run(approvals);
	assert_int_equal(count_on(&desk), 2);
	assert_int_equal(approver_desk_answer(&desk, 9, str_from(yes), "uid 0", NULL), BERM_ERR_NOTFOUND);
	assert_int_equal(approver_desk_answer(&desk, 1, STR("yes"), "uid 0", NULL), BERM_ERR_PARSE);
	assert_int_equal(answers.count, 0);
	assert_int_equal(approver_desk_answer(&desk, 1, str_from(yes), "uid 0", NULL), BERM_OK);
	assert_int_equal(answers.allowed, 1);
	assert_string_equal(answers.last.by, "control");
	assert_string_equal(answers.last.who, "uid 0"); /* what the kernel says, not what is said */
	assert_int_equal(approver_desk_answer(&desk, 1, str_from(yes), "uid 0", NULL), BERM_ERR_NOTFOUND);
	assert_int_equal(count_on(&desk), 1);
	approvals_withdraw(approvals, other);
	assert_int_equal(count_on(&desk), 0);
	assert_int_equal(answers.count, 1);
}

static void desk_is_clear_after_those_who_used_it(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	auto_desk struct approver_desk desk;
	approver_desk_init(&desk);
	auto_approvals struct approvals *approvals = engine(&rig, &desk);
	struct approvals_policy deny = {0};
	struct approval_question a = rig_file("/d/a", 1);
	(void)approvals_ask(approvals, &a, rig_done, &answers);
	approvals_run(approvals);
	assert_int_equal(count_on(&desk), 1);
	approvals_change(approvals, &deny);
	assert_int_equal(count_on(&desk), 0);
	assert_int_equal(answers.allowed, 0);
	assert_int_equal(answers.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(question_lies_there_until_it_is_answered),
		cmocka_unit_test(desk_is_clear_after_those_who_used_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
