#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
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

struct report {
	struct event items[16];
	struct learn_line lines[16];
	struct offers offers;
	struct run_result result;
};

static void init(struct report *report, uint64_t denied)
{
	*report = (struct report){.result.status.denied = denied};
	report->result.offers = &report->offers;
	report->offers.denials.items = report->items;
	vec_init(&report->offers.learn.lines, sizeof(struct learn_line), ARRAY_LEN(report->lines));
	report->offers.learn.lines.items = report->lines;
}

static struct event *add(struct report *report, const char *op, const char *path, const char *rule, const char *grant)
{
	struct event *event = &report->items[report->offers.denials.count++];
	*event = (struct event){
		.kind = EVENT_FILE, .op = op, .object.path = path, .by.text = rule, .decided = true, .count = 1};
	(void)snprintf(event->grant, sizeof(event->grant), "%s", grant);
	return event;
}

static void offer(struct report *report, const char *text)
{
	report->lines[report->offers.learn.lines.len++] = (struct learn_line){.key = KEY_READ, .text = text};
}

static void says(const struct report *report, const char *expected)
{
	auto_buf struct buf out;
	buf_init(&out, 8192);
	run_report_denials(&report->result, &out);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	assert_string_equal(out.data != NULL ? out.data : "", expected);
}

static void test_nothing_denied_says_nothing(void **state)
{
	(void)state;
	struct report report;
	init(&report, 0);
	says(&report, "");
	report.result.status.denied = 2; /* and no memory to say more */
	report.result.offers = NULL;
	says(&report, "2 denied");
}

static void test_one_that_nothing_allows_is_one_line(void **state)
{
	(void)state;
	struct report report;
	init(&report, 3);
	struct event *event = add(&report, "create", "/w/.git/hooks/x", "git hooks", "");
	event->task.exe = "/bin/sh";
	event->by.at = "groups/g.yaml:1:2";
	event->count = 3;
	says(&report, "3 denied: create '/w/.git/hooks/x' by sh, 3 times: git hooks (groups/g.yaml:1:2)");
	(void)snprintf(event->grant, sizeof(event->grant), "-w /w");
	event->count = 1;
	says(&report, "3 denied: create '/w/.git/hooks/x' by sh: git hooks (groups/g.yaml:1:2); try: -w /w");
}

static void test_lines_that_would_allow_it_are_offered(void **state)
{
	(void)state;
	struct report report;
	init(&report, 1);
	add(&report, "read", "/data/x", "", "-r /data/x");
	offer(&report, "/data/x");
	says(&report, "1 denied; \"berm learn\" would add this line\n    + filesystem.read: /data/x\n"
		      "    read '/data/x': nothing grants it; try: -r /data/x");
	offer(&report, "/data/y");
	says(&report, "1 denied; \"berm learn\" would add these 2 lines\n    + filesystem.read: /data/x\n"
		      "    + filesystem.read: /data/y\n    read '/data/x': nothing grants it; try: -r /data/x");
}

static void test_equal_ones_are_one_group(void **state)
{
	(void)state;
	struct report report;
	init(&report, 9);
	add(&report, "write", "/a", "r", "-w /a")->count = 4;
	add(&report, "meta", "/a", "r", "-w /a");
	add(&report, "meta", "/a", "r", "-w /a");
	says(&report, "9 denied: meta, write '/a', 6 times: r; try: -w /a");
	/* another object, line, program or way out is another group */
	add(&report, "write", "/b", "r", "-w /a");
	add(&report, "write", "/a", "q", "-w /a");
	add(&report, "write", "/a", "r", "-w /");
	add(&report, "write", "/a", "r", "-w /a")->task.exe = "/bin/x";
	says(&report,
	     "9 denied\n    meta, write '/a', 6 times: r; try: -w /a\n    write '/b': r; try: -w /a\n"
	     "    write '/a': q; try: -w /a\n    write '/a': r; try: -w /\n    write '/a' by x: r; try: -w /a");
}

static void test_it_is_one_short_screen(void **state)
{
	(void)state;
	static const char *const names[] = {"/0", "/1", "/2", "/3", "/4", "/5", "/6", "/7", "/8", "/9"};
	struct report report;
	init(&report, 10);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		add(&report, "read", names[i], "r", "");
		offer(&report, names[i]);
	}
	auto_buf struct buf out;
	buf_init(&out, 8192);
	run_report_denials(&report.result, &out);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	assert_non_null(strstr(out.data, "    + filesystem.read: /7\n    + and 2 more\n"));
	assert_non_null(strstr(out.data, "    read '/4': r\n    and 5 more"));
	assert_null(strstr(out.data, "others"));
	report.offers.dropped = true;
	buf_clear(&out);
	run_report_denials(&report.result, &out);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	assert_non_null(strstr(out.data, "and 5 more, and others"));
}

static void test_names_do_not_command_the_terminal(void **state)
{
	(void)state;
	struct report report;
	init(&report, 1);
	add(&report, "read", "/w/\x1b[2J\n", "\r", "-r \x1b");
	offer(&report, "/\x1b\n");
	says(&report, "1 denied; \"berm learn\" would add this line\n    + filesystem.read: /?\?\n"
		      "    read '/w/?[2J?': ?; try: -r ?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_programs_own_status_passes_through),
		cmocka_unit_test(test_signals_and_the_time_limit),
		cmocka_unit_test(test_denials_count_only_if_wanted_and_nothing_else_failed),
		cmocka_unit_test(test_what_was_not_started),
		cmocka_unit_test(test_nothing_denied_says_nothing),
		cmocka_unit_test(test_one_that_nothing_allows_is_one_line),
		cmocka_unit_test(test_lines_that_would_allow_it_are_offered),
		cmocka_unit_test(test_equal_ones_are_one_group),
		cmocka_unit_test(test_it_is_one_short_screen),
		cmocka_unit_test(test_names_do_not_command_the_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
