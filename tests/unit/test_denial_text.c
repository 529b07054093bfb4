/* A denial as people and models read it. */
#include "check.h"

#include <string.h>

#include "base/own.h"
#include "cli/denial_text.h"

static struct event denial(enum event_kind kind, const char *op, const char *path, const char *grant)
{
	struct event event = {.kind = kind, .op = op, .object.path = path, .decided = true, .count = 1};
	(void)strncpy(event.grant, grant, sizeof(event.grant) - 1);
	return event;
}

static void expect(const struct event *event, void (*put)(const struct event *event, struct buf *out), const char *text)
{
	auto_buf struct buf out;
	buf_init(&out, 1 << 16);
	put(event, &out);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	assert_string_equal(out.len > 0 ? out.data : "", text);
}

static void test_all_of_it(void **state)
{
	(void)state;
	struct event event = denial(EVENT_FILE, "create", "/w/.git/hooks/x", "");
	event.task.exe = "/usr/bin/sh";
	event.task.pid = 3;
	event.by = (struct event_by){.rule = "filesystem.protect", .text = "git hooks", .at = "groups/g.yaml:1:2"};
	event.detail = "why";
	event.count = 4;
	expect(&event, denial_text_put,
	       "denied: create '/w/.git/hooks/x' by sh (pid 3), 4 times\n"
	       "    filesystem.protect: git hooks (groups/g.yaml:1:2): why\n"
	       "    retrying will not help; no flag allows it\n");
	event = denial(EVENT_FILE, "read", "/data/x", "-r /data/x");
	expect(&event, denial_text_put,
	       "denied: read '/data/x'\n"
	       "    nothing grants it\n"
	       "    retrying will not help; would be allowed by: berm run -r /data/x\n");
}

static void test_no_byte_commands_a_terminal(void **state)
{
	(void)state;
	struct event event = denial(EVENT_FILE, "read", "/w/\x1b[2J\n\xff", "");
	event.task.exe = "/bin/\x1b]0;x";
	event.by.text = "a\rb";
	event.detail = "\x07";
	expect(&event, denial_text_put,
	       "denied: read '/w/?[2J\?\?' by ?]0;x\n    a?b: ?\n    retrying will not help; no flag allows it\n");
}

static void test_what_would_be_asked(void **state)
{
	(void)state;
	struct event event = denial(EVENT_FILE, "read", "/x", "");
	event.by = (struct event_by){.rule = "filesystem.ask", .text = "~/x"};
	expect(&event, denial_text_put_why, "would be asked: ~/x");
	event.by.rule = "filesystem.deny";
	expect(&event, denial_text_put_why, "~/x");
}

static void test_an_agent_does_it_instead(void **state)
{
	(void)state;
	struct event event = denial(EVENT_SOCKET, "connect", "/run/user/1000/gnupg/S.gpg-agent", "--socket x");
	expect(&event, denial_text_put_grant, "-g gpg-agent");
	event.op = "bind";
	expect(&event, denial_text_put_grant, "--socket x");
	event = denial(EVENT_FILE, "read", "/home/u/.ssh/id.pub", "");
	expect(&event, denial_text_put_grant, "-g ssh-agent");
	event.by.at = "groups/ssh-agent.yaml:7:7"; /* with the group it is denied as well */
	expect(&event, denial_text_put_grant, "");
	event = denial(EVENT_NET, "connect", "127.0.0.1:80", "-n host");
	expect(&event, denial_text_put_grant, "-n host");
	event = denial(EVENT_PROCESS, "signal", NULL, "--allow signals");
	expect(&event, denial_text_put_grant, "--allow signals");
	expect(&event, denial_text_put_what, "signal ''");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_it),
		cmocka_unit_test(test_no_byte_commands_a_terminal),
		cmocka_unit_test(test_what_would_be_asked),
		cmocka_unit_test(test_an_agent_does_it_instead),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
