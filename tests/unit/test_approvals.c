/* The engine of questions: what shares a prompt, what an answer covers, what waits, and that nothing is allowed by accident. */
#include "check.h"

#include "approvals_rig.h"

#define ALLOW BERM_VERDICT_ALLOW
#define DENY BERM_VERDICT_DENY

static const struct approval_prompt *prompt_at(const struct approvals *approvals, size_t index)
{
	const struct approval_prompt *prompt = approvals_prompt(approvals, index);
	assert_non_null(prompt);
	return prompt;
}

static void question_waits_until_it_is_answered(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	auto_approvals struct approvals *approvals = rig_engine(&rig);
	struct approval_question question = rig_file("/d/a", 7);
	assert_int_not_equal(approvals_ask(approvals, &question, rig_done, &answers), 0);
	assert_int_equal(approvals_timeout_ms(approvals), 0);
	approvals_run(approvals);
	assert_int_equal(rig.fake.asked, 1);
	assert_int_equal(answers.count, 0);
	assert_string_equal(prompt_at(approvals, 0)->folder, "/d");
	rig_answer(&rig, 0, ALLOW, APPROVAL_ONCE, APPROVAL_OBJECT);
	assert_int_equal(answers.allowed, 1);
	assert_null(approvals_prompt(approvals, 0));
	/* Once is once. */
	assert_int_not_equal(approvals_ask(approvals, &question, rig_done, &answers), 0);
	approvals_run(approvals);
	rig_answer(&rig, 1, DENY, APPROVAL_ONCE, APPROVAL_OBJECT);
	assert_int_equal(answers.count, 2);
	assert_int_equal(answers.allowed, 1);
	assert_int_equal(rig.events[APPROVAL_ASKED], 2);
	assert_int_equal(rig.events[APPROVAL_ANSWERED], 2);
}

static void equal_questions_share_a_prompt(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	auto_approvals struct approvals *approvals = rig_engine(&rig);
	struct approval_question question = rig_file("/d/a", 7);
	for (int i = 0; i < 200; i++)
		assert_int_not_equal(approvals_ask(approvals, &question, rig_done, &answers), 0);
	approvals_run(approvals);
	assert_int_equal(rig.fake.asked, 1);
	assert_int_equal(prompt_at(approvals, 0)->waiting, 200);
	rig_answer(&rig, 0, ALLOW, APPROVAL_ONCE, APPROVAL_OBJECT);
	assert_int_equal(answers.allowed, 200);
}

static void different_questions_do_not(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	auto_approvals struct approvals *approvals = rig_engine(&rig);
	struct approval_question question = rig_file("/d/a", 7), others[5];
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		others[i] = question;
	others[0].op = "write";
	others[1].object = "/d/b";
	others[2].ino = 8;
	others[3].exe = "/usr/bin/dog";
	others[4].kind = APPROVAL_SOCKET;
	(void)approvals_ask(approvals, &question, rig_done, &answers);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		(void)approvals_ask(approvals, &others[i], rig_done, &answers);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(prompt_at(approvals, i)->waiting, 1);
	approvals_run(approvals);
	rig_answer(&rig, 0, ALLOW, APPROVAL_ONCE, APPROVAL_OBJECT);
	assert_int_equal(answers.count, 1);
}

/* What an answer to "read /d/a, inode 7" covers. */
static const struct {
	const char *path, *op, *rule, *exe;
	uint64_t ino;
	bool object, folder;
} covered[] = {
	{"/d/a", "read", "ask", "/usr/bin/cat", 7, true, true},
	{"/d/a", "read", "ask", "/usr/bin/dog", 7, true, true},
	{"/d/a", "read", "ask", "/usr/bin/cat", 8, false, true}, /* another file by that name */
	{"/d/a", "write", "ask", "/usr/bin/cat", 7, false, false},
	{"/d/a", "read", "~/private", "/usr/bin/cat", 7, false, false},
	{"/d/b", "read", "ask", "/usr/bin/cat", 9, false, true},
	{"/d/e/b", "read", "ask", "/usr/bin/cat", 9, false, true},
	{"/da", "read", "ask", "/usr/bin/cat", 9, false, false},
	{"/e/a", "read", "ask", "/usr/bin/cat", 7, false, false},
};

static void check_covered(enum approval_extent extent)
{
	struct rig rig = {0};
	struct rig_answers answers = {0};
	auto_approvals struct approvals *approvals = rig_engine(&rig);
	struct approval_question question = rig_file("/d/a", 7);
	(void)approvals_ask(approvals, &question, rig_done, &answers);
	approvals_run(approvals);
	rig_answer(&rig, 0, ALLOW, APPROVAL_SESSION, extent);
	for (size_t i = 0; i < ARRAY_LEN(covered); i++) {
		struct approval_question next = rig_file(covered[i].path, covered[i].ino);
		next.op = covered[i].op;
		next.rule = covered[i].rule;
		next.exe = covered[i].exe;
		uint64_t id = approvals_ask(approvals, &next, rig_done, &answers);
		assert_int_equal(id == 0, extent == APPROVAL_FOLDER ? covered[i].folder : covered[i].object);
	}
}

static void session_covers_what_its_extent_names(void **state)
{
	(void)state;
	check_covered(APPROVAL_OBJECT);
	check_covered(APPROVAL_FOLDER);
	check_covered(APPROVAL_HOST); /* a file has none: the object */
}

static void what_is_covered_meanwhile_is_answered(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	char paths[30][16];
	auto_approvals struct approvals *approvals = rig_engine(&rig);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		(void)snprintf(paths[i], sizeof paths[i], "/d/%zu", i);
		struct approval_question question = rig_file(paths[i], i + 1);
		(void)approvals_ask(approvals, &question, rig_done, &answers);
	}
	struct approval_question other = rig_file("/e/a", 100);
	(void)approvals_ask(approvals, &other, rig_done, &answers);
	approvals_run(approvals);
	rig_answer(&rig, 2, ALLOW, APPROVAL_SESSION, APPROVAL_FOLDER);
	assert_int_equal(answers.allowed, 30);
	assert_int_equal(answers.count, 30);
	assert_int_equal(rig.fake.withdrawn, 4);
	assert_string_equal(prompt_at(approvals, 0)->question.object, "/e/a");
}

static void folders_around_the_home_folder_are_not_given(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	auto_approvals struct approvals *approvals = rig_engine(&rig);
	static const struct {
		const char *path, *folder;
		uint32_t mode;
	} rows[] = {
		{"/a", NULL, 0100644},
		{"/home/u/a", NULL, 0100644},
		{"/home/x", NULL, 0100644},
		{"/home/u", NULL, 0040755},
		{"/", NULL, 0040755},
		{"/home/u/d/a", "/home/u/d", 0100644},
		{"/home/u/d", "/home/u/d", 0040755},
		{"/home/v/a", "/home/v", 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct approval_question question = rig_file(rows[i].path, i + 1);
		question.mode = rows[i].mode;
		(void)approvals_ask(approvals, &question, rig_done, &answers);
		const struct approval_prompt *prompt = approvals_prompt(approvals, i);
		assert_non_null(prompt);
		if (rows[i].folder == NULL)
			assert_null(prompt->folder);
		else
			assert_string_equal(prompt->folder, rows[i].folder);
	}
}

static void denial_wins_and_time_ends(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	auto_approvals struct approvals *approvals = rig_engine(&rig);
	struct approval_question a = rig_file("/d/a", 1), b = rig_file("/d/b", 2), c = rig_file("/d/c", 3);
	(void)approvals_ask(approvals, &a, rig_done, &answers);
	(void)approvals_ask(approvals, &b, rig_done, &answers);
	approvals_run(approvals);
	rig_answer(&rig, 0, DENY, APPROVAL_SESSION, APPROVAL_OBJECT);
	const struct approval_answer answer = {
		.verdict = ALLOW, .scope = APPROVAL_SESSION, .extent = APPROVAL_FOLDER, .for_ms = 5000};
	struct approver *approver = &rig.fake.approver;
	approver->answered(approver->ctx, approver, rig.fake.ids[1], &answer);
	assert_int_equal(approvals_ask(approvals, &a, rig_done, &answers), 0);
	assert_int_equal(answers.last.verdict, DENY);
	assert_int_equal(approvals_ask(approvals, &c, rig_done, &answers), 0);
	assert_int_equal(answers.last.verdict, ALLOW);
	rig_now_ms += 5000;
	assert_int_equal(approvals_ask(approvals, &a, rig_done, &answers), 0);
	assert_int_not_equal(approvals_ask(approvals, &c, rig_done, &answers), 0);
}

static void hosts_are_one_for_address_connection_and_request(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	auto_approvals struct approvals *approvals = rig_engine(&rig);
	struct approval_question connect = {.kind = APPROVAL_NET,
					    .op = "connect",
					    .object = "example.org:443",
					    .host = "example.org",
					    .port = 443,
					    .rule = "ask"};
	struct approval_question query = {
		.kind = APPROVAL_DNS, .op = "query", .object = "example.org", .host = "example.org", .rule = "ask"};
	struct approval_question other = query;
	other.object = other.host = "sub.example.org";
	(void)approvals_ask(approvals, &connect, rig_done, &answers);
	approvals_run(approvals);
	assert_null(prompt_at(approvals, 0)->folder);
	rig_answer(&rig, 0, ALLOW, APPROVAL_SESSION, APPROVAL_HOST);
	assert_int_equal(approvals_ask(approvals, &query, rig_done, &answers), 0);
	connect.object = "example.org:22";
	connect.port = 22;
	assert_int_equal(approvals_ask(approvals, &connect, rig_done, &answers), 0);
	assert_int_equal(answers.allowed, 3);
	assert_int_not_equal(approvals_ask(approvals, &other, rig_done, &answers), 0);
}

static void silence_is_a_denial(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	auto_approvals struct approvals *approvals = rig_engine(&rig);
	struct approval_question question = rig_file("/d/a", 7);
	(void)approvals_ask(approvals, &question, rig_done, &answers);
	approvals_run(approvals);
	assert_int_equal(approvals_timeout_ms(approvals), APPROVALS_TIMEOUT_MS);
	rig_now_ms += APPROVALS_TIMEOUT_MS - 1;
	approvals_run(approvals);
	assert_int_equal(answers.count, 0);
	rig_now_ms++;
	approvals_run(approvals);
	assert_int_equal(answers.count, 1);
	assert_int_equal(answers.allowed, 0);
	assert_int_equal(rig.events[APPROVAL_EXPIRED], 1);
	assert_int_equal(rig.fake.withdrawn, 1);
	rig_answer(&rig, 0, ALLOW, APPROVAL_SESSION, APPROVAL_OBJECT); /* too late: nothing */
	assert_int_equal(answers.count, 1);
	assert_int_not_equal(approvals_ask(approvals, &question, rig_done, &answers), 0);
}

static void withdrawn_questions_are_gone(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	auto_approvals struct approvals *approvals = rig_engine(&rig);
	struct approval_question question = rig_file("/d/a", 7);
	uint64_t one = approvals_ask(approvals, &question, rig_done, &answers);
	uint64_t two = approvals_ask(approvals, &question, rig_done, &answers);
	approvals_run(approvals);
	approvals_withdraw(approvals, one);
	approvals_withdraw(approvals, one);
	assert_int_equal(rig.fake.withdrawn, 0);
	assert_int_equal(prompt_at(approvals, 0)->waiting, 1);
	approvals_withdraw(approvals, two);
	assert_int_equal(rig.fake.withdrawn, 1);
	assert_int_equal(rig.events[APPROVAL_WITHDRAWN], 1);
	assert_null(approvals_prompt(approvals, 0));
	assert_int_equal(answers.count, 0);
	assert_int_equal(approvals_timeout_ms(approvals), -1);
}

static void ask_many(struct approvals *approvals, size_t from, size_t count, struct rig_answers *answers)
{
	char path[32];
	for (size_t i = from; i < from + count; i++) {
		(void)snprintf(path, sizeof path, "/d/%zu", i);
		struct approval_question question = rig_file(path, i + 1);
		(void)approvals_ask(approvals, &question, rig_done, answers);
	}
}

static void prompts_are_held_back_and_never_denied_for_that(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	auto_approvals struct approvals *approvals = rig_engine(&rig);
	struct approvals_policy policy = rig_policy(&rig, 0);
	policy.timeout_ms = 500;
	approvals_change(approvals, &policy);
	ask_many(approvals, 0, 100, &answers);
	approvals_run(approvals);
	assert_int_equal(rig.fake.asked, APPROVALS_BURST);
	assert_int_equal(approvals_timeout_ms(approvals), 100);
	rig_now_ms += 99;
	approvals_run(approvals);
	assert_int_equal(rig.fake.asked, APPROVALS_BURST);
	rig_now_ms += 1;
	approvals_run(approvals);
	assert_int_equal(rig.fake.asked, APPROVALS_BURST + 1);
	/* Those that were shown expire, those that were not yet do not. */
	rig_now_ms += 400;
	approvals_run(approvals);
	assert_int_equal(answers.count, APPROVALS_BURST);
	assert_int_equal(rig.fake.asked, APPROVALS_BURST + 5);
	for (int i = 0; i < 200; i++) {
		rig_now_ms += 100;
		approvals_run(approvals);
	}
	assert_int_equal(rig.fake.asked, 100); /* each had its time */
	assert_int_equal(rig.events[APPROVAL_EXPIRED], 100);
}

static void line_has_an_end(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	auto_approvals struct approvals *approvals = rig_engine(&rig);
	ask_many(approvals, 0, APPROVALS_MAX_PROMPTS, &answers);
	assert_int_equal(answers.count, 0);
	ask_many(approvals, 5000, 10, &answers);
	assert_int_equal(answers.count, 10);
	assert_int_equal(answers.allowed, 0);
	assert_string_equal(answers.last.reason, "too many questions wait for an answer");
	ask_many(approvals, 0, 1, &answers); /* of those that are there one more is heard */
	assert_int_equal(answers.count, 10);
	for (size_t i = 0; i < APPROVALS_MAX_WAITING; i++)
		ask_many(approvals, 0, 1, &answers);
	assert_int_equal(answers.count, 10 + APPROVALS_MAX_PROMPTS + 1);
}

static void room_is_respected(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	auto_approvals struct approvals *approvals = rig_engine(&rig);
	struct approvals_policy policy = rig_policy(&rig, 1);
	approvals_change(approvals, &policy);
	ask_many(approvals, 0, 3, &answers);
	approvals_run(approvals);
	assert_int_equal(rig.fake.asked, 1);
	assert_int_equal(approvals_timeout_ms(approvals), APPROVALS_TIMEOUT_MS);
	rig_answer(&rig, 0, ALLOW, APPROVAL_ONCE, APPROVAL_OBJECT);
	approvals_run(approvals);
	assert_int_equal(rig.fake.asked, 2);
}

static void without_anybody_it_is_denied(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	auto_approvals struct approvals *approvals = rig_engine(&rig);
	struct approvals_policy nobody = {.mode = APPROVALS_ASK}, deny = {0}, allow = {.mode = APPROVALS_ALLOW};
	struct approval_question question = rig_file("/d/a", 7);
	rig.fake.refuses = true;
	(void)approvals_ask(approvals, &question, rig_done, &answers);
	approvals_run(approvals);
	assert_string_equal(answers.last.reason, "nobody could be asked: he sleeps");
	approvals_change(approvals, &nobody);
	assert_int_equal(approvals_ask(approvals, &question, rig_done, &answers), 0);
	assert_string_equal(answers.last.reason, "nobody could be asked");
	approvals_change(approvals, &deny);
	assert_int_equal(approvals_ask(approvals, &question, rig_done, &answers), 0);
	assert_int_equal(answers.count, 3);
	assert_int_equal(answers.allowed, 0);
	approvals_change(approvals, &allow);
	assert_int_equal(approvals_ask(approvals, &question, rig_done, &answers), 0);
	assert_int_equal(answers.allowed, 1);
}

static void changed_policy_asks_anew(void **state)
{
	(void)state;
	struct rig rig = {0}, second = {0};
	struct rig_answers answers = {0};
	auto_approvals struct approvals *approvals = rig_engine(&rig);
	struct approvals_policy policy = rig_policy(&second, 0), deny = {0};
	ask_many(approvals, 0, 2, &answers);
	approvals_run(approvals);
	approvals_change(approvals, &policy);
	assert_int_equal(rig.fake.withdrawn, 2);
	assert_int_equal(second.fake.asked, 2);
	assert_int_equal(answers.count, 0);
	rig_answer(&second, 0, ALLOW, APPROVAL_ONCE, APPROVAL_OBJECT);
	assert_int_equal(answers.allowed, 1);
	approvals_change(approvals, &deny);
	assert_int_equal(answers.count, 2);
	assert_int_equal(answers.allowed, 1);
}

static void always_is_written_down_or_said_not_to_be(void **state)
{
	(void)state;
	struct rig rig = {.can_keep = true};
	struct rig_answers answers = {0};
	auto_approvals struct approvals *approvals = rig_engine(&rig);
	ask_many(approvals, 0, 2, &answers);
	approvals_run(approvals);
	rig_answer(&rig, 0, ALLOW, APPROVAL_ALWAYS, APPROVAL_OBJECT);
	assert_string_equal(rig.kept, "policy.yaml");
	assert_int_equal(answers.last.scope, APPROVAL_ALWAYS);
	rig.can_keep = false;
	rig_answer(&rig, 1, ALLOW, APPROVAL_ALWAYS, APPROVAL_OBJECT);
	assert_string_equal(rig.kept, "");
	assert_string_equal(rig.not_kept, "for this session alone: the disk is full");
	assert_int_equal(answers.last.scope, APPROVAL_SESSION);
	assert_int_equal(rig.keeps, 2);
	ask_many(approvals, 0, 2, &answers);
	assert_int_equal(answers.allowed, 4);
}

static void questions_without_end_are_denied(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	auto_free char *path = calloc(1, APPROVAL_TEXT_MAX + 2);
	auto_approvals struct approvals *approvals = rig_engine(&rig);
	assert_non_null(path);
	memset(path, 'a', APPROVAL_TEXT_MAX + 1);
	path[0] = '/';
	struct approval_question question = rig_file(path, 7);
	assert_int_equal(approvals_ask(approvals, &question, rig_done, &answers), 0);
	question.object = "";
	assert_int_equal(approvals_ask(approvals, &question, rig_done, &answers), 0);
	assert_int_equal(answers.count, 2);
	path[APPROVAL_TEXT_MAX] = '\0';
	question.object = path;
	assert_int_not_equal(approvals_ask(approvals, &question, rig_done, &answers), 0);
}

static void end_denies_what_waits(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	auto_approvals struct approvals *approvals = rig_engine(&rig);
	ask_many(approvals, 0, 9, &answers);
	approvals_run(approvals);
	approvals_drop(&approvals);
	assert_int_equal(answers.count, 9);
	assert_int_equal(answers.allowed, 0);
}

/* Asks again from within the answer. */
struct again {
	struct approvals *approvals;
	size_t count;
};
static void ask_again(void *ctx, const struct approval_answer *answer)
{
	struct again *again = ctx;
	struct approval_question question = rig_file("/d/again", 70 + again->count);
	(void)answer;
	if (++again->count < 5)
		(void)approvals_ask(again->approvals, &question, ask_again, again);
}

static void answers_may_ask(void **state)
{
	(void)state;
	struct rig rig = {0};
	auto_approvals struct approvals *approvals = rig_engine(&rig);
	struct again again = {.approvals = approvals};
	struct approval_question question = rig_file("/d/a", 7);
	(void)approvals_ask(approvals, &question, ask_again, &again);
	approvals_run(approvals);
	rig_answer(&rig, 0, ALLOW, APPROVAL_SESSION, APPROVAL_FOLDER);
	assert_int_equal(again.count, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(question_waits_until_it_is_answered),
		cmocka_unit_test(equal_questions_share_a_prompt),
		cmocka_unit_test(different_questions_do_not),
		cmocka_unit_test(session_covers_what_its_extent_names),
		cmocka_unit_test(what_is_covered_meanwhile_is_answered),
		cmocka_unit_test(folders_around_the_home_folder_are_not_given),
		cmocka_unit_test(denial_wins_and_time_ends),
		cmocka_unit_test(hosts_are_one_for_address_connection_and_request),
		cmocka_unit_test(silence_is_a_denial),
		cmocka_unit_test(withdrawn_questions_are_gone),
		cmocka_unit_test(prompts_are_held_back_and_never_denied_for_that),
		cmocka_unit_test(line_has_an_end),
		cmocka_unit_test(room_is_respected),
		cmocka_unit_test(without_anybody_it_is_denied),
		cmocka_unit_test(changed_policy_asks_anew),
		cmocka_unit_test(always_is_written_down_or_said_not_to_be),
		cmocka_unit_test(questions_without_end_are_denied),
		cmocka_unit_test(end_denies_what_waits),
		cmocka_unit_test(answers_may_ask),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
