#include "check.h"

#include <stdio.h>
#include <string.h>

#include "format/problem.h"

static const struct place here = {"p.yaml", 3, 7};

static void expect_print(const struct problems *problems, const char *expected)
{
	auto_buf struct buf out;
	buf_init(&out, 1 << 16);
	problems_print(problems, &out);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	buf_putc(&out, '\0');
	assert_false(out.failed);
	assert_string_equal(out.data, expected);
}

static void test_problems_are_printed_with_their_place(void **state)
{
	(void)state;
	struct problems problems = {0};
	problem_add(&problems, &here, "unknown key '%s'", "raed");
	problem_hint(&problems, "%s", "read");
	problem_add(&problems, &(struct place){"p.yaml", 0, 0}, "file is empty");
	problem_add(&problems, &(struct place){NULL, 2, 0}, "line is odd");
	expect_print(&problems,
		     "p.yaml:3:7: unknown key 'raed'\n  try: read\np.yaml: file is empty\npolicy:2: line is odd\n");
}

static void test_check_gives_the_first(void **state)
{
	(void)state;
	struct problems problems = {0};
	struct berm_err err = {0};
	assert_int_equal(problems_check(&problems, &err), BERM_OK);
	problem_add(&problems, &here, "one");
	problem_add(&problems, &here, "two");
	assert_int_equal(problems_check(&problems, &err), BERM_ERR_PARSE);
	assert_string_equal(err.msg, "p.yaml:3:7: one");
	struct problems whole = {0};
	problem_add(&whole, &(struct place){"p.yaml", 0, 0}, "gone");
	assert_int_equal(problems_check(&whole, &err), BERM_ERR_PARSE);
	assert_string_equal(err.msg, "p.yaml: gone");
}

static void test_more_than_fit_are_counted_as_more(void **state)
{
	(void)state;
	struct problems problems = {0};
	for (int i = 0; i < PROBLEMS_MAX; i++)
		problem_add(&problems, &here, "number %d", i);
	assert_false(problems.more);
	problem_add(&problems, &here, "too many");
	problem_hint(&problems, "not to the last one that fitted");
	assert_true(problems.more);
	assert_int_equal(problems.count, PROBLEMS_MAX);
	assert_string_equal(problems.items[PROBLEMS_MAX - 1].text, "number 19");
	assert_string_equal(problems.items[PROBLEMS_MAX - 1].hint, "");
}

static void test_texts_cannot_move_a_cursor(void **state)
{
	(void)state;
	struct problems problems = {0};
	problem_add(&problems, &here, "key 'a\033[2J\n\xff\xc2\x9b\xc3\xa4'");
	problem_hint(&problems, "\r%s", "x");
	assert_string_equal(problems.items[0].text, "key 'a?[2J???\xc3\xa4'");
	assert_string_equal(problems.items[0].hint, "?x");
	char text[300];
	memset(text, 'a', sizeof text);
	memcpy(text + 238, "\xc3\xa4", 3); /* is cut within the character */
	problem_add(&problems, &here, "%s", text);
	assert_int_equal(strlen(problems.items[1].text), 239);
	assert_int_equal(problems.items[1].text[238], '?');
}

static void test_nobody_needs_to_listen(void **state)
{
	(void)state;
	problem_add(NULL, &here, "lost");
	problem_hint(NULL, "lost");
	struct problems problems = {0};
	problem_hint(&problems, "to nothing");
	assert_int_equal(problems.count, 0);
}

static void test_the_file_is_kept(void **state)
{
	(void)state;
	struct problems problems = {0};
	char name[600] = "/x/policy.yaml";
	struct place place = {.file = name, .line = 1};
	problem_add(&problems, &place, "wrong");
	memset(name, 'a', sizeof(name) - 1);
	memcpy(name + sizeof(name) - 5, "\033end", 5);
	problem_add(&problems, &place, "wrong");
	name[0] = '\0';
	assert_string_equal(problems.items[0].file, "/x/policy.yaml");
	assert_int_equal(strlen(problems.items[1].file), sizeof(problems.items[1].file) - 1);
	assert_string_equal(problems.items[1].file + sizeof(problems.items[1].file) - 5, "?end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_file_is_kept),
		cmocka_unit_test(test_problems_are_printed_with_their_place),
		cmocka_unit_test(test_check_gives_the_first),
		cmocka_unit_test(test_more_than_fit_are_counted_as_more),
		cmocka_unit_test(test_texts_cannot_move_a_cursor),
		cmocka_unit_test(test_nobody_needs_to_listen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
