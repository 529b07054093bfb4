/* What an agent's hook tells the model. */
#include "check.h"

#include <string.h>

#include "base/own.h"
#include "cli/why_hook.h"

static struct event denial(uint64_t seq, enum event_kind kind, const char *op, const char *path)
{
	return (struct event){.seq = seq, .kind = kind, .op = op, .object.path = path, .decided = true, .count = 1};
}

/* How often what is told says it; -1: nothing is told. */
static int told(const char *agent, const struct hook_call *call, struct event *events, size_t count, const char *what)
{
	const struct event_list list = {.items = events, .count = count};
	auto_buf struct buf out;
	int found = 0;
	buf_init(&out, 1 << 20);
	why_hook_put(why_hook_find(agent), call, &list, &out);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	if (out.len == 0)
		return -1;
	for (const char *at = out.data; (at = strstr(at, what)) != NULL; at += strlen(what))
		found++;
	return found;
}

static void test_agents(void **state)
{
	(void)state;
	static const char *const names[] = {"claude-code", "codex", "gemini-cli", "opencode"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_string_equal(why_hook_find(names[i])->name, names[i]);
	assert_null(why_hook_find("fish"));
	assert_null(why_hook_find(""));
}

static void test_only_what_came_after_the_mark(void **state)
{
	(void)state;
	struct event events[] = {denial(3, EVENT_FILE, "write", "/three"), denial(5, EVENT_FILE, "write", "/five"),
				 denial(4, EVENT_FILE, "write", "/four")};
	const struct event_list list = {.items = events, .count = 3}, none = {0};
	assert_int_equal(why_hook_newest(&list), 5);
	assert_int_equal(why_hook_newest(&none), 0);
	struct hook_call call = {.event = "PostToolUse", .marked = 3};
	assert_int_equal(told("claude-code", &call, events, 3, "denied: "), 2);
	assert_int_equal(told("claude-code", &call, events, 3, "/three"), 0);
	assert_int_equal(told("claude-code", &call, events, 3, "\"hookEventName\":\"PostToolUse\""), 1);
	call.marked = 5;
	assert_int_equal(told("claude-code", &call, events, 3, ""), -1);
	call.marked = 4;
	events[1].verdict = BERM_VERDICT_ALLOW; /* nothing that was allowed, or is still open, is called denied */
	assert_int_equal(told("claude-code", &call, events, 3, ""), -1);
	events[1].verdict = BERM_VERDICT_DENY;
	events[1].decided = false;
	assert_int_equal(told("claude-code", &call, events, 3, ""), -1);
}

static void test_plain_text_for_plugins(void **state)
{
	(void)state;
	struct event events[] = {denial(1, EVENT_NET, "connect", "1.2.3.4:5")};
	const struct hook_call call = {.event = "after"};
	assert_int_equal(told("opencode", &call, events, 1, "hookSpecificOutput"), 0);
	assert_int_equal(told("opencode", &call, events, 1, "denied: connect '1.2.3.4:5'\n"), 1);
}

static void test_a_read_counts_if_the_tool_speaks_of_it(void **state)
{
	(void)state;
	static const struct {
		const char *path, *said;
		bool is_told;
	} rows[] = {
		{"/home/u", "cat: missing: No such file or directory", false},
		{"/home/u", "ls: cannot open directory '/home/u': Permission denied", true},
		{"/home/u", "ls /home/u/work", false},
		{"/home/u", "in /srv/home/u2", false},
		{"/home/u/notes", "cat: notes: Permission denied", true},
		{"/home/u/notes", "cat: footnotes: Permission denied", false},
		{"/home/u/notes", "notes", true},
		{"/home/u/notes", "", false},
		{"/", "/", true},
		{"/", "x", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct event events[] = {denial(1, EVENT_FILE, "read", rows[i].path)};
		const struct hook_call call = {.event = "PostToolUse", .said = str_from(rows[i].said)};
		assert_int_equal(told("codex", &call, events, 1, "denied: "), rows[i].is_told ? 1 : -1);
		events[0].op = "write"; /* whatever is changed counts */
		assert_int_equal(told("codex", &call, events, 1, "denied: "), 1);
	}
}

static void test_the_last_ten(void **state)
{
	(void)state;
	struct event events[12];
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		events[i] = denial(i + 1, EVENT_FILE, "write", i < 2 ? "/old" : "/new");
	const struct hook_call call = {.event = "PostToolUse"};
	assert_int_equal(told("codex", &call, events, 12, "/new"), 10);
	assert_int_equal(told("codex", &call, events, 12, "/old"), 0);
	assert_int_equal(told("codex", &call, events, 12, "(2 more)"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agents),
		cmocka_unit_test(test_only_what_came_after_the_mark),
		cmocka_unit_test(test_plain_text_for_plugins),
		cmocka_unit_test(test_a_read_counts_if_the_tool_speaks_of_it),
		cmocka_unit_test(test_the_last_ten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
