#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "ui/prompt.h"
#include "ui/text.h"

static struct prompt_view usual(void)
{
	return (struct prompt_view){.effect = "READ",
				    .object = "/home/u/Documents/spec.pdf",
				    .as = "../Documents/spec.pdf",
				    .program = "/usr/bin/node",
				    .pid = 12,
				    .rule = "filesystem.default ask",
				    .session = "quiet-otter-1f3a",
				    .folder = "/home/u/Documents",
				    .waiting = 1,
				    .seconds_left = 58,
				    .keys = true};
}

/* The text, and checks what holds for every one. */
static char *print(const struct prompt_view *view, size_t width, size_t max_lines)
{
	auto_buf struct buf out;
	buf_init(&out, 65536);
	size_t lines = prompt_print(view, width, max_lines, false, &out);
	char *text = buf_take(&out);
	assert_non_null(text);
	size_t count = 1;
	for (const char *at = text; *at != '\0';) {
		size_t len = strcspn(at, "\n");
		if (text_width((struct str){at, len}) > width)
			fail_msg("a line of more than %zu columns: %s", width, at);
		count += at[len] == '\n';
		at += len + (at[len] == '\n');
	}
	assert_int_equal(count, lines);
	assert_true(lines <= max_lines);
	return text;
}

static void test_all_of_it(void **state)
{
	const struct prompt_view view = usual();
	(void)state;
	auto_free char *text = print(&view, 100, 12);
	assert_string_equal(text, "berm: session quiet-otter-1f3a asks\n"
				  "READ /home/u/Documents/spec.pdf\n"
				  "by node (/usr/bin/node, pid 12)\n"
				  "written as ../Documents/spec.pdf\n"
				  "[f] allows all of /home/u/Documents for this session\n"
				  "asked by: filesystem.default ask\n"
				  "[o]nce [s]ession [a]lways [f]older [n]o [N]ever  (58 s)");
}

/* The object and the keys are there, however small it is. */
static void test_small(void **state)
{
	const struct prompt_view view = usual();
	(void)state;
	auto_free char *two = print(&view, 100, 2);
	assert_string_equal(two, "READ /home/u/Documents/spec.pdf\n"
				 "[o]nce [s]ession [a]lways [f]older [n]o [N]ever  (58 s)");
	for (size_t width = 1; width < 60; width++)
		for (size_t lines = 2; lines < 12; lines++) {
			auto_free char *text = print(&view, width, lines);
			assert_true(width < 10 || strstr(text, "READ") != NULL);
			assert_true(width < 30 || lines < 4 || strstr(text, "[o]nce") != NULL);
		}
}

/* Both ends of a long object are shown, and it does not push the keys out. */
static void test_a_long_object(void **state)
{
	char object[1200];
	struct prompt_view view = usual();
	(void)state;
	int len = snprintf(object, sizeof object, "/front%0*d/end", (int)sizeof object - 11, 0);
	assert_int_equal(len, sizeof object - 1);
	view.object = object;
	view.as = NULL;
	auto_free char *text = print(&view, 80, 12);
	assert_non_null(strstr(text, "READ\n/front"));
	assert_non_null(strstr(text, "\n...\n"));
	assert_non_null(strstr(text, "/end\n"));
	assert_non_null(strstr(text, "[N]ever"));
}

/* Nothing from inside moves the cursor, colours or turns the text, or looks like a line of berm's. */
static void test_nothing_commands_the_terminal(void **state)
{
	static const char turned[] = {(char)0xe2, (char)0x80, (char)0xae, '\0'}; /* U+202E */
	char object[64];
	struct prompt_view view = usual();
	(void)state;
	(void)snprintf(object, sizeof object, "/tmp/a\033[2J\n[o]nce\r%s%c31m", turned, 0x9b);
	view.object = object;
	view.reason = "yes\033]0;x\007\n\nberm: safe";
	auto_free char *text = print(&view, 100, 12);
	assert_null(strchr(text, '\033'));
	assert_null(strchr(text, '\007'));
	assert_null(strchr(text, '\r'));
	assert_null(strstr(text, turned));
	assert_null(strstr(text, "\nberm: safe"));
	assert_null(strstr(text, "\n[o]nce\n"));
}

static void test_before_keys_are_taken(void **state)
{
	struct prompt_view view = usual();
	(void)state;
	view.keys = false;
	auto_free char *text = print(&view, 100, 12);
	assert_null(strstr(text, "[o]nce"));
}

static void test_answers(void **state)
{
	(void)state;
	assert_int_equal(prompt_answer_of('o', true), PROMPT_ONCE);
	assert_int_equal(prompt_answer_of('s', true), PROMPT_SESSION);
	assert_int_equal(prompt_answer_of('a', true), PROMPT_ALWAYS);
	assert_int_equal(prompt_answer_of('f', true), PROMPT_FOLDER);
	assert_int_equal(prompt_answer_of('f', false), PROMPT_NOTHING);
	assert_int_equal(prompt_answer_of('n', true), PROMPT_NO);
	assert_int_equal(prompt_answer_of('N', true), PROMPT_NEVER);
	static const uint32_t others[] = {'\r', '\n', ' ', 'y', 'Y', 'O', 'A', 0x1b, 0, 'o' + 256};
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_int_equal(prompt_answer_of(others[i], true), PROMPT_NOTHING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_it),
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_a_long_object),
		cmocka_unit_test(test_nothing_commands_the_terminal),
		cmocka_unit_test(test_before_keys_are_taken),
		cmocka_unit_test(test_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
