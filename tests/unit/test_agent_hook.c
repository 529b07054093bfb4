/* With which words an agent is started so that its model sees what was denied. */
#include "check.h"

#include <string.h>

#include "base/own.h"
#include "session/agent_hook.h"

#define auto_hook __attribute__((cleanup(agent_hook_done))) struct agent_hook

static const char *const *made(struct agent_hook *hook, const char *name, const char *const *argv, const char *program)
{
	agent_hook_done(hook);
	assert_int_equal(agent_hook_make(hook, name, argv, program, NULL), BERM_OK);
	return agent_hook_argv(hook, argv);
}

static void test_claude_code_gets_settings(void **state)
{
	(void)state;
	auto_hook hook = {0};
	static const char *const argv[] = {"/opt/bin/claude", "-p", "x y", NULL};
	const char *const *words = made(&hook, "claude-code", argv, "/usr/bin/berm");
	assert_string_equal(words[0], argv[0]);
	assert_string_equal(words[1], "--settings");
	assert_non_null(strstr(words[2],
			       "{\"hooks\":{\"PreToolUse\":[{\"matcher\":\"*\",\"hooks\":[{\"type\":\"command\","
			       "\"command\":\"/usr/bin/berm why --hook claude-code\"}]}],\"PostToolUse\":["));
	assert_non_null(strstr(words[2], "\"PostToolUseFailure\":["));
	assert_string_equal(words[3], "-p");
	assert_string_equal(words[4], "x y");
	assert_null(words[5]);
}

static void test_others_stay_as_they_are(void **state)
{
	(void)state;
	static const struct {
		const char *name, *program, *argv[4];
	} rows[] = {
		{"none", "/usr/bin/berm", {"claude"}},
		{"claude-code", "/usr/bin/berm", {"sh", "claude"}},
		{"claude-code", "/usr/bin/berm", {"claude2"}},
		{"claude-code", "/usr/bin/berm", {"/claude/x"}},
		{"claude-code", "/usr/bin/berm", {"claude", "--settings", "x"}},
		{"claude-code", "/usr/bin/berm", {"claude", "-p", "--settings=x"}},
		{"claude-code", "/my berm", {"claude"}},
		{"claude-code", "/a'b", {"claude"}},
		{"claude-code", "berm", {"claude"}},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_hook hook = {0};
		assert_ptr_equal(made(&hook, rows[i].name, rows[i].argv, rows[i].program), rows[i].argv);
	}
	auto_hook hook = {0};
	static const char *const other[] = {"claude", "--settingsx", NULL};
	assert_ptr_not_equal(made(&hook, "claude-code", other, "/usr/bin/berm"), other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claude_code_gets_settings),
		cmocka_unit_test(test_others_stay_as_they_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
