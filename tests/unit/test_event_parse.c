/* Events read back from their lines. */
#include "check.h"

#include <string.h>

#include "audit/event_parse.h"
#include "base/own.h"

static struct event sample(void)
{
	struct event event = {
		.seq = 7,
		.time_ns = 1764064800123456000,
		.session = "quiet-otter-1f3a",
		.generation = 2,
		.kind = EVENT_FILE,
		.op = "write",
		.object = {.path = "/home/u/a \"b\"\n", .as = "a"},
		.task = {.pid = 12, .exe = "/usr/bin/git"},
		.decided = true,
		.error = 13,
		.by = {.rule = "filesystem.protect", .text = "hooks", .layer = "group x", .at = "groups/x.yaml:1:2"},
		.detail = "why",
		.count = 3,
	};
	strcpy(event.grant, "-w /home/u");
	return event;
}

static void test_an_event_comes_back(void **state)
{
	(void)state;
	struct event read = {0};
	const struct event event = sample();
	auto_arena struct arena arena;
	auto_buf struct buf line;
	arena_init(&arena, 1 << 20);
	buf_init(&line, EVENT_LINE_MAX);
	event_print(&event, &line);
	assert_int_equal(event_parse(&arena, buf_str(&line), &read, NULL), BERM_OK);
	assert_int_equal(read.seq, 7);
	assert_int_equal(read.time_ns, event.time_ns);
	assert_int_equal(read.generation, 2);
	assert_int_equal(read.kind, EVENT_FILE);
	assert_int_equal(read.task.pid, 12);
	assert_int_equal(read.count, 3);
	assert_true(read.decided && read.verdict == BERM_VERDICT_DENY && !read.by.narrows);
	const char *const pairs[][2] = {{read.session, event.session},
					{read.op, event.op},
					{read.object.path, event.object.path},
					{read.object.as, event.object.as},
					{read.task.exe, event.task.exe},
					{read.by.rule, event.by.rule},
					{read.by.text, event.by.text},
					{read.by.layer, event.by.layer},
					{read.by.at, event.by.at},
					{read.detail, event.detail},
					{read.grant, event.grant}};
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		assert_string_equal(pairs[i][0], pairs[i][1]);
}

static void test_what_is_missing_is_not_made_up(void **state)
{
	(void)state;
	struct event read = {0};
	auto_arena struct arena arena;
	arena_init(&arena, 1 << 20);
	assert_int_equal(event_parse(&arena,
				     STR("{\"v\":1,\"kind\":\"net\",\"op\":\"connect\",\"object\":{\"address\":"
					 "\"1.2.3.4:5\"},\"verdict\":\"allow\"}\n"),
				     &read, NULL),
			 BERM_OK);
	assert_int_equal(read.kind, EVENT_NET);
	assert_int_equal(read.verdict, BERM_VERDICT_ALLOW);
	assert_string_equal(read.object.path, "1.2.3.4:5");
	assert_null(read.task.exe);
	assert_int_equal(read.time_ns, 0);
	assert_true(read.grant[0] == '\0' && read.by.narrows);
	assert_int_equal(event_parse(&arena, STR("{\"v\":1,\"kind\":\"file\",\"op\":\"read\"}"), &read, NULL), BERM_OK);
	assert_false(read.decided);
}

static void test_what_is_no_event_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"",
					  "v: 1",
					  "[]",
					  "{}",
					  "{\"v\":2,\"kind\":\"file\",\"op\":\"read\"}",
					  "{\"v\":1,\"kind\":\"fish\",\"op\":\"read\"}",
					  "{\"v\":1,\"kind\":\"file\"}",
					  "{\"v\":1,\"kind\":\"file\",\"op\":3}",
					  "{\"v\":1,\"kind\":\"file\",\"op\":\"read\""};
	struct event read = {.seq = 99};
	auto_arena struct arena arena;
	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_not_equal(event_parse(&arena, str_from(bad[i]), &read, NULL), BERM_OK);
	assert_int_equal(read.seq, 99);
	static const char *const times[] = {"2026-11-25T10:00:00Z", "2026-11-25T10:00:00.12345xZ", "now", ""};
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		auto_buf struct buf line;
		buf_init(&line, 1024);
		buf_printf(&line, "{\"v\":1,\"kind\":\"file\",\"op\":\"read\",\"time\":\"%s\"}", times[i]);
		assert_int_equal(event_parse(&arena, buf_str(&line), &read, NULL), BERM_OK);
		assert_int_equal(read.time_ns, 0);
	}
}

static void test_a_grant_that_is_too_long_is_refused(void **state)
{
	(void)state;
	struct event read;
	auto_arena struct arena arena;
	auto_buf struct buf line;
	arena_init(&arena, 1 << 20);
	buf_init(&line, EVENT_LINE_MAX);
	buf_puts(&line, "{\"v\":1,\"kind\":\"file\",\"op\":\"read\",\"grant\":\"");
	for (int i = 0; i < EVENT_GRANT_MAX; i++)
		buf_putc(&line, 'x');
	buf_puts(&line, "\"}");
	assert_int_equal(event_parse(&arena, buf_str(&line), &read, NULL), BERM_ERR_PARSE);
}

static void test_many_lines(void **state)
{
	(void)state;
	struct event_list list = {0};
	auto_arena struct arena arena;
	arena_init(&arena, 1 << 20);
	const struct str text = STR("{\"v\":1,\"seq\":1,\"kind\":\"file\",\"op\":\"read\"}\nrubbish\n"
				    "{\"v\":1,\"seq\":2,\"kind\":\"file\",\"op\":\"read\"}\n"
				    "{\"v\":1,\"seq\":3,\"kind\":\"file\",\"op\":\"read\"}");
	assert_int_equal(event_parse_all(&arena, text, 10, &list, NULL), BERM_OK);
	assert_int_equal(list.count, 2); /* the one that is cut off is none */
	assert_int_equal(list.items[1].seq, 2);
	assert_int_equal(event_parse_all(&arena, text, 1, &list, NULL), BERM_OK);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.items[0].seq, 2);
	assert_true(str_eq(list.lines[0], STR("{\"v\":1,\"seq\":2,\"kind\":\"file\",\"op\":\"read\"}")));
	assert_int_equal(event_parse_all(&arena, STR(""), 10, &list, NULL), BERM_OK);
	assert_int_equal(list.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_event_comes_back),
		cmocka_unit_test(test_what_is_missing_is_not_made_up),
		cmocka_unit_test(test_what_is_no_event_is_refused),
		cmocka_unit_test(test_a_grant_that_is_too_long_is_refused),
		cmocka_unit_test(test_many_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
