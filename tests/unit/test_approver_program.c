/* A command that answers: what it is told, what of its answers counts, and that whatever is odd is a denial. */
#include "check.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "approvals_rig.h"
#include "folder_rig.h"
#include "session/approver_program.h"

static char folder[] = "/tmp/berm-program-XXXXXX";

static int setup(void **state)
{
	(void)state;
	return folder_make(folder);
}

static int teardown(void **state)
{
	(void)state;
	return folder_remove(folder);
}

static struct approvals *engine(struct rig *rig, const char *script, int64_t timeout_ms)
{
	static const char *const envp[] = {"PATH=/usr/bin:/bin", NULL};
	const char *const argv[] = {"/bin/sh", "-c", script, "answerer", folder, NULL};
	const struct approvals_owner owner = {.ctx = rig, .note = rig_note, .keep = rig_keep, .session = "quiet-otter"};
	struct approvals *approvals;
	auto_approvals struct approvals *made = NULL;
	struct approvals_policy policy = {.mode = APPROVALS_ASK, .timeout_ms = timeout_ms};
	assert_int_equal(approvals_new(&owner, &approvals, NULL), BERM_OK);
	made = approvals;
	assert_int_equal(approver_program_new(approvals_loop(approvals), argv, envp, &policy.approver, NULL), BERM_OK);
	approvals_change(approvals, &policy);
	return take(made);
}

static void turn(struct approvals *approvals)
{
	struct pollfd wait = {.fd = approvals_fd(approvals), .events = POLLIN};
	(void)poll(&wait, 1, approvals_timeout_ms(approvals));
	approvals_run(approvals);
}

static void serve(struct approvals *approvals, const struct rig_answers *answers, size_t count)
{
	while (answers->count < count)
		turn(approvals);
}

static const struct {
	const char *script;
	enum berm_verdict verdict;
	enum approval_scope scope;
	const char *reason;
} rows[] = {
	{"echo '{\"decision\": \"allow\"}'", BERM_VERDICT_ALLOW, APPROVAL_ONCE, ""},
	{"printf '{\"decision\": \"allow\"}'", BERM_VERDICT_ALLOW, APPROVAL_ONCE, ""},
	{"echo '{\"decision\":\"allow\",\"scope\":\"session\",\"extent\":\"folder\",\"reason\":\"fine\"}'",
	 BERM_VERDICT_ALLOW, APPROVAL_SESSION, "fine"},
	{"echo '{\"decision\": \"deny\", \"reason\": \"no\"}'", BERM_VERDICT_DENY, APPROVAL_ONCE, "no"},
	{"exec sleep 0", BERM_VERDICT_DENY, APPROVAL_ONCE, "an answer is a JSON object"},
	{"echo allow", BERM_VERDICT_DENY, APPROVAL_ONCE, "an answer is a JSON object"},
	{"echo '{}'", BERM_VERDICT_DENY, APPROVAL_ONCE, "an answer needs 'decision'"},
	{"echo '{\"decision\": \"yes\"}'", BERM_VERDICT_DENY, APPROVAL_ONCE, "'decision' of an answer cannot be 'yes'"},
	{"echo '{\"decision\": \"allow\"}'; exit 3", BERM_VERDICT_DENY, APPROVAL_ONCE, "it ended with status 3"},
	{"echo '{\"decision\": \"allow\"}'; kill -9 $$", BERM_VERDICT_DENY, APPROVAL_ONCE, "it ended with signal 9"},
	{"yes | head -c 5000", BERM_VERDICT_DENY, APPROVAL_ONCE, "its answer is too long"},
	{"yes", BERM_VERDICT_DENY, APPROVAL_ONCE, "its answer is too long"},
	/* what it left behind is not waited for */
	{"echo '{\"decision\": \"allow\"}'; sleep 100 &", BERM_VERDICT_ALLOW, APPROVAL_ONCE, ""},
};

static void whatever_is_odd_is_a_denial(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig rig = {0};
		struct rig_answers answers = {0};
		auto_approvals struct approvals *approvals = engine(&rig, rows[i].script, 0);
		struct approval_question question = rig_file("/d/a", 7);
		assert_int_not_equal(approvals_ask(approvals, &question, rig_done, &answers), 0);
		serve(approvals, &answers, 1);
		assert_string_equal(answers.last.reason, rows[i].reason);
		assert_int_equal(answers.last.verdict, rows[i].verdict);
		assert_int_equal(answers.last.scope, rows[i].scope);
		assert_string_equal(answers.last.by, "program");
		assert_string_equal(answers.last.who, "sh");
	}
}

static void question_is_told_whole_and_escaped(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	static const char script[] =
		"cat >$1/question; pwd >$1/place; echo '{\"decision\": \"allow\", \"who\": \"me\"}'";
	char path[64], text[1024] = "";
	auto_approvals struct approvals *approvals = engine(&rig, script, 0);
	struct approval_question question = rig_file("/d/a\033[2J\"x", 7);
	question.as = "../a";
	(void)approvals_ask(approvals, &question, rig_done, &answers);
	serve(approvals, &answers, 1);
	assert_string_equal(answers.last.who, "me");
	(void)snprintf(path, sizeof path, "%s/question", folder);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	size_t len = fread(text, 1, sizeof text - 1, file);
	(void)fclose(file);
	assert_true(len > 0 && text[len - 1] == '\n');
	char *left = strstr(text, ",\"left_ms\":");
	assert_non_null(left);
	*left = '\0';
	assert_string_equal(text,
			    "{\"v\":1,\"id\":1,\"session\":\"quiet-otter\",\"kind\":\"file\",\"op\":\"read\","
			    "\"object\":{\"path\":\"/d/a\\u001b[2J\\\"x\",\"as\":\"../a\",\"dev\":\"0:1\",\"ino\":7,"
			    "\"type\":\"file\"},\"task\":{\"exe\":\"/usr/bin/cat\"},\"rule\":\"ask\",\"folder\":\"/d\","
			    "\"waiting\":1");
	(void)snprintf(path, sizeof path, "%s/place", folder);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof text, file));
	(void)fclose(file);
	assert_string_equal(text, "/\n");
}

static pid_t pid_in(const char *name)
{
	char path[64];
	int pid = 0;
	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%d", &pid) != 1)
		pid = 0;
	(void)fclose(file);
	return pid;
}

static const char silent[] = "echo $$ >$1/new; mv $1/new $1/pid; sleep 100 & wait";

static void silent_one_is_ended(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	auto_approvals struct approvals *approvals = engine(&rig, silent, 300);
	struct approval_question question = rig_file("/d/a", 7);
	(void)approvals_ask(approvals, &question, rig_done, &answers);
	serve(approvals, &answers, 1);
	assert_string_equal(answers.last.reason, "nobody answered in time");
	pid_t pid = pid_in("pid");
	assert_true(pid > 0);
	while (kill(pid, 0) == 0)
		turn(approvals);
}

static void withdrawn_one_is_ended(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	auto_approvals struct approvals *approvals = engine(&rig, silent, 0);
	struct approval_question question = rig_file("/d/a", 7);
	uint64_t id = approvals_ask(approvals, &question, rig_done, &answers);
	approvals_run(approvals);
	while (pid_in("pid") == 0) {
		assert_int_equal(answers.count, 0);
		(void)poll(NULL, 0, 1);
	}
	approvals_withdraw(approvals, id);
	while (kill(pid_in("pid"), 0) == 0)
		turn(approvals);
	assert_int_equal(answers.count, 0);
}

static void many_wait_for_their_turn(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	char path[16];
	auto_approvals struct approvals *approvals = engine(&rig, "echo '{\"decision\": \"allow\"}'", 0);
	struct approvals_policy policy = {.mode = APPROVALS_ASK, .rate = 1000};
	const char *const argv[] = {"/bin/sh", "-c", "echo '{\"decision\": \"allow\"}'", NULL};
	assert_int_equal(approver_program_new(approvals_loop(approvals), argv, argv + 3, &policy.approver, NULL),
			 BERM_OK);
	approvals_change(approvals, &policy);
	for (unsigned i = 0; i < 30; i++) {
		(void)snprintf(path, sizeof path, "/d/%u", i);
		struct approval_question question = rig_file(path, i + 1);
		(void)approvals_ask(approvals, &question, rig_done, &answers);
	}
	serve(approvals, &answers, 30);
	assert_int_equal(answers.allowed, 30);
}

static void program_that_is_not_there_is_nobody(void **state)
{
	(void)state;
	struct rig rig = {0};
	struct rig_answers answers = {0};
	auto_approvals struct approvals *approvals = engine(&rig, "exit 0", 0);
	struct approvals_policy policy = {.mode = APPROVALS_ASK};
	const char *const argv[] = {"/nowhere/approve", NULL}, *const relative[] = {"approve", NULL};
	struct approval_question question = rig_file("/d/a", 7);
	struct berm_err err;
	assert_int_equal(approver_program_new(approvals_loop(approvals), relative, argv + 1, &policy.approver, &err),
			 BERM_ERR_INVALID);
	assert_int_equal(approver_program_new(approvals_loop(approvals), argv, argv + 1, &policy.approver, NULL),
			 BERM_OK);
	approvals_change(approvals, &policy);
	(void)approvals_ask(approvals, &question, rig_done, &answers);
	serve(approvals, &answers, 1);
	assert_string_equal(answers.last.reason,
			    "nobody could be asked: start '/nowhere/approve': No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whatever_is_odd_is_a_denial, setup, teardown),
		cmocka_unit_test_setup_teardown(question_is_told_whole_and_escaped, setup, teardown),
		cmocka_unit_test_setup_teardown(silent_one_is_ended, setup, teardown),
		cmocka_unit_test_setup_teardown(withdrawn_one_is_ended, setup, teardown),
		cmocka_unit_test_setup_teardown(many_wait_for_their_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(program_that_is_not_there_is_nobody, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
