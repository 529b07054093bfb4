#include "check.h"

#include <string.h>

#include "ui/colour.h"
#include "ui/text.h"

static void wrapped(const char *text, size_t indent, size_t width, const char *expected)
{
	auto_buf struct buf out;
	buf_init(&out, 4096);
	text_put_wrapped(&out, str_from(text), indent, width);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	assert_string_equal(out.data != NULL ? out.data : "", expected);
}

static void put(struct str text, const char *expected)
{
	auto_buf struct buf out;
	buf_init(&out, 4096);
	text_put_safe(&out, text);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	assert_string_equal(out.data != NULL ? out.data : "", expected);
}

static void test_width_counts_code_points(void **state)
{
	(void)state;
	assert_int_equal(text_width(STR("")), 0);
	assert_int_equal(text_width(STR("abc")), 3);
	assert_int_equal(text_width(STR("na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80")), 9);
	assert_int_equal(text_width(STR("\xff\xfe")), 2);
}

static void test_what_commands_a_terminal_is_shown_as_question_marks(void **state)
{
	(void)state;
	put(STR("a\x1b[2Jb\r\n\x7f"), "a?[2Jb???");
	put(STR("\xc2\x9b"
		"31m"),
	    "??31m");						  /* CSI as one C1 control */
	put(STR("x\xe2\x80\xaegnp\xe2\x81\xa6y"), "x???gnp???y"); /* text that runs backwards */
	put(STR("nul\0end"), "nul?end");
}

static void test_bytes_that_are_not_utf8_are_question_marks(void **state)
{
	(void)state;
	put(STR("\xc0\xaf"), "??");	      /* overlong */
	put(STR("\xed\xa0\x80"), "???");      /* surrogate */
	put(STR("\xf4\x90\x80\x80"), "????"); /* beyond the end */
	put(STR("\xe2\x82"), "??");	      /* cut */
	put(STR("\xe2\x82z"), "??z");
	put(STR("\xe2\x82\xac"), "\xe2\x82\xac"); /* and a good one stays */
}

static void test_lines_break_at_spaces(void **state)
{
	(void)state;
	wrapped("the quick brown fox", 0, 10, "the quick\nbrown fox");
	wrapped("the quick brown fox", 2, 12, "the quick\n  brown fox");
	wrapped("  spaces   between  ", 0, 80, "spaces   between");
	wrapped("", 4, 80, "");
}

static void test_a_long_word_is_cut(void **state)
{
	(void)state;
	wrapped("/usr/lib/x86_64", 0, 6, "/usr/l\nib/x86\n_64");
	wrapped("abc", 5, 3, "a\n     b\n     c"); /* no room at all: one column */
}

static void test_a_line_that_fits_exactly_stays(void **state)
{
	(void)state;
	wrapped("abcde fghij", 0, 5, "abcde\nfghij");
	wrapped("abcde", 0, 5, "abcde");
}

static void test_colour_is_for_terminals(void **state)
{
	(void)state;
	assert_true(colour_wanted(true, NULL, "xterm"));
	assert_true(colour_wanted(true, "", "xterm"));
	assert_false(colour_wanted(true, "1", "xterm"));
	assert_false(colour_wanted(false, NULL, "xterm"));
	assert_false(colour_wanted(true, NULL, "dumb"));
	assert_false(colour_wanted(true, NULL, NULL));
}

static void test_colour_starts_and_stops(void **state)
{
	(void)state;
	auto_buf struct buf out;
	buf_init(&out, 64);
	colour_start(&out, true, COLOUR_BAD);
	colour_stop(&out, true, COLOUR_BAD);
	colour_start(&out, true, COLOUR_PLAIN);
	colour_stop(&out, true, COLOUR_PLAIN);
	colour_start(&out, false, COLOUR_GOOD);
	colour_stop(&out, false, COLOUR_GOOD);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	assert_string_equal(out.data, "\x1b[31m\x1b[0m");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_width_counts_code_points),
		cmocka_unit_test(test_what_commands_a_terminal_is_shown_as_question_marks),
		cmocka_unit_test(test_bytes_that_are_not_utf8_are_question_marks),
		cmocka_unit_test(test_lines_break_at_spaces),
		cmocka_unit_test(test_a_long_word_is_cut),
		cmocka_unit_test(test_a_line_that_fits_exactly_stays),
		cmocka_unit_test(test_colour_is_for_terminals),
		cmocka_unit_test(test_colour_starts_and_stops),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
