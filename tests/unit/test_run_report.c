#include "check.h"

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/run_report.h"

static void test_the_programs_own_status_passes_through(void **state)
{
	(void)state;
	for (int code = 0; code < 256; code++)
		assert_int_equal(run_report_status(&(struct berm_status){.exited = true, .exit_code = code}, false),
				 code);
}

static void test_signals_and_the_time_limit(void **state)
{
	(void)state;
	assert_int_equal(run_report_status(&(struct berm_status){.signal = 15}, false), 143);
	assert_int_equal(run_report_status(&(struct berm_status){.signal = 9}, true), 137);
	assert_int_equal(run_report_status(&(struct berm_status){.signal = 9, .wall_limit = true}, false), 124);
}

static void test_denials_count_only_if_wanted_and_nothing_else_failed(void **state)
{
	(void)state;
	const struct berm_status good = {.exited = true, .denied = 2},
				 bad = {.exited = true, .exit_code = 3, .denied = 2};
	assert_int_equal(run_report_status(&good, false), 0);
	assert_int_equal(run_report_status(&good, true), 123);
	assert_int_equal(run_report_status(&bad, true), 3);
	assert_int_equal(run_report_status(&(struct berm_status){.exited = true}, true), 0);
}

static void test_what_was_not_started(void **state)
{
	(void)state;
	assert_int_equal(run_report_failure(BERM_ERR_NOTFOUND), 127);
	assert_int_equal(run_report_failure(BERM_ERR_DENIED), 126);
	assert_int_equal(run_report_failure(BERM_ERR_UNSUPPORTED), 125);
	assert_int_equal(run_report_failure(BERM_ERR_NOMEM), 125);
}

static struct run_denial denial(enum berm_request_kind kind, enum berm_request_op op, const char *object,
				const char *rule)
{
	struct run_denial made = {.kind = kind, .op = op};
	(void)snprintf(made.object, sizeof(made.object), "%s", object);
	(void)snprintf(made.rule, sizeof(made.rule), "%s", rule);
	return made;
}

static void says(const struct run_result *result, const char *expected)
{
	auto_buf struct buf out;
	buf_init(&out, 8192);
	run_report_denials(result, &out);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	assert_string_equal(out.data != NULL ? out.data : "", expected);
}

static void test_nothing_denied_says_nothing(void **state)
{
	(void)state;
	says(&(struct run_result){0}, "");
}

static void test_one_denial_with_the_flag_that_would_allow_it(void **state)
{
	(void)state;
	struct run_result result = {.status.denied = 1, .denial_count = 1};
	result.denials[0] = denial(BERM_REQUEST_FILE, BERM_OP_WRITE, "/data/x", "");
	says(&result, "1 denied: 'write /data/x'; try: -w /data/x");
	result.denials[0] = denial(BERM_REQUEST_SOCKET, BERM_OP_CONNECT, "/run/docker.sock", "sockets");
	says(&result, "1 denied: 'connect /run/docker.sock' (sockets); try: --socket /run/docker.sock");
	result.denials[0] = denial(BERM_REQUEST_SOCKET, BERM_OP_CONNECT, "/run/user/1000/gnupg/S.gpg-agent", "sockets");
	says(&result, "1 denied: 'connect /run/user/1000/gnupg/S.gpg-agent' (sockets); try: -g gpg-agent");
	/* A line that no path lifts is lifted by the group. */
	result.denials[0] = denial(BERM_REQUEST_SOCKET, BERM_OP_CONNECT, "/home/u/.gnupg/S.gpg-agent", "deny");
	result.denials[0].narrows = true;
	says(&result, "1 denied: 'connect /home/u/.gnupg/S.gpg-agent' (deny); try: -g gpg-agent");
	result.denials[0] = denial(BERM_REQUEST_FILE, BERM_OP_CREATE, "/home/u/.gnupg", "~/.gnupg");
	result.denials[0].narrows = true;
	says(&result, "1 denied: 'create /home/u/.gnupg' (~/.gnupg); try: -g gpg-agent");
	result.denials[0] = denial(BERM_REQUEST_FILE, BERM_OP_READ, "/home/u/.ssh/id.pub", "");
	says(&result, "1 denied: 'read /home/u/.ssh/id.pub'; try: -g ssh-agent");
	/* With the group the private key stays closed. */
	result.denials[0].narrows = true;
	(void)snprintf(result.denials[0].at, sizeof(result.denials[0].at), "groups/ssh-agent.yaml:7:7");
	says(&result, "1 denied: 'read /home/u/.ssh/id.pub'");
	result.denials[0] = denial(BERM_REQUEST_NET, BERM_OP_CONNECT, "127.0.0.1:80", "network none");
	says(&result, "1 denied: 'connect 127.0.0.1:80' (network none); try: -n host");
	result.denials[0] = denial(BERM_REQUEST_PROCESS, BERM_OP_SIGNAL, "17", "");
	says(&result, "1 denied: 'signal 17'; try: --allow signals");
}

static void test_a_line_that_no_flag_lifts_has_no_advice(void **state)
{
	(void)state;
	struct run_result result = {.status.denied = 7, .denial_count = 2, .more_denials = true};
	result.denials[0] = denial(BERM_REQUEST_FILE, BERM_OP_CREATE, "/w/.git/hooks/x", "git hooks");
	result.denials[0].narrows = true;
	result.denials[1] = denial(BERM_REQUEST_FILE, BERM_OP_READ, "/w/a b", "");
	says(&result, "7 denied: 'create /w/.git/hooks/x' (git hooks), 'read /w/a b', …");
}

static void test_names_do_not_command_the_terminal(void **state)
{
	(void)state;
	struct run_result result = {.status.denied = 1, .denial_count = 1};
	result.denials[0] = denial(BERM_REQUEST_FILE, BERM_OP_READ, "/w/\x1b[2J", "");
	says(&result, "1 denied: 'read /w/?[2J'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_programs_own_status_passes_through),
		cmocka_unit_test(test_signals_and_the_time_limit),
		cmocka_unit_test(test_denials_count_only_if_wanted_and_nothing_else_failed),
		cmocka_unit_test(test_what_was_not_started),
		cmocka_unit_test(test_nothing_denied_says_nothing),
		cmocka_unit_test(test_one_denial_with_the_flag_that_would_allow_it),
		cmocka_unit_test(test_a_line_that_no_flag_lifts_has_no_advice),
		cmocka_unit_test(test_names_do_not_command_the_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
