#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"

static void test_appends_and_terminates(void **state)
{
	(void)state;
	auto_buf struct buf buf;
	buf_init(&buf, 1000);
	buf_puts(&buf, "ab");
	buf_putc(&buf, 'c');
	buf_put(&buf, "def", 2);
	buf_put_str(&buf, STR("!"));
	buf_printf(&buf, " %d %s", 7, "x");
	assert_int_equal(buf_check(&buf, NULL), BERM_OK);
	assert_string_equal(buf.data, "abcde! 7 x");
	assert_int_equal(buf_str(&buf).len, 10);
}

static void test_empty_buffer_is_an_empty_text(void **state)
{
	(void)state;
	auto_buf struct buf buf;
	buf_init(&buf, 10);
	assert_int_equal(buf_str(&buf).len, 0);
	assert_non_null(buf_str(&buf).ptr);
	auto_free char *text = buf_take(&buf);
	assert_non_null(text);
	assert_string_equal(text, "");
}

static void test_exactly_the_maximum_fits(void **state)
{
	(void)state;
	auto_buf struct buf buf;
	buf_init(&buf, 4);
	buf_puts(&buf, "abcd");
	assert_int_equal(buf_check(&buf, NULL), BERM_OK);
	buf_putc(&buf, 'e');
	struct berm_err err;
	assert_int_equal(buf_check(&buf, &err), BERM_ERR_LIMIT);
	assert_string_equal(err.msg, "text is longer than 4 bytes");
	assert_string_equal(buf.data, "abcd");
}

static void test_nothing_is_appended_after_a_failure(void **state)
{
	(void)state;
	auto_buf struct buf buf;
	buf_init(&buf, 4);
	buf_puts(&buf, "ab");
	buf_puts(&buf, "too long");
	buf_puts(&buf, "c");
	assert_string_equal(buf.data, "ab");
	assert_null(buf_take(&buf));
	buf_clear(&buf);
	buf_puts(&buf, "cd");
	assert_int_equal(buf_check(&buf, NULL), BERM_OK);
	assert_string_equal(buf.data, "cd");
}

static void test_printf_respects_the_maximum(void **state)
{
	(void)state;
	auto_buf struct buf buf;
	buf_init(&buf, 5);
	buf_printf(&buf, "%s", "12345");
	assert_int_equal(buf_check(&buf, NULL), BERM_OK);
	buf_printf(&buf, "%s", "6");
	assert_int_equal(buf_check(&buf, NULL), BERM_ERR_LIMIT);
	assert_string_equal(buf.data, "12345");
}

static void test_sum_of_lengths_cannot_wrap(void **state)
{
	(void)state;
	auto_buf struct buf buf;
	buf_init(&buf, SIZE_MAX);
	buf_puts(&buf, "ab");
	buf_put(&buf, "", SIZE_MAX - 1);
	assert_int_equal(buf_check(&buf, NULL), BERM_ERR_LIMIT);
	buf_clear(&buf);
	buf_put(&buf, "", SIZE_MAX);
	assert_int_equal(buf_check(&buf, NULL), BERM_ERR_LIMIT);
}

static void test_take_hands_over_and_resets(void **state)
{
	(void)state;
	auto_buf struct buf buf;
	buf_init(&buf, 100);
	buf_puts(&buf, "abc");
	auto_free char *text = buf_take(&buf);
	assert_non_null(text);
	assert_string_equal(text, "abc");
	assert_int_equal(buf.len, 0);
	buf_puts(&buf, "d");
	assert_string_equal(buf_str(&buf).ptr, "d");
}

static void test_done_may_be_repeated(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf, 100);
	buf_puts(&buf, "abc");
	buf_done(&buf);
	buf_done(&buf);
	assert_int_equal(buf_str(&buf).len, 0);
}

static void test_grows_over_many_appends(void **state)
{
	(void)state;
	auto_buf struct buf buf;
	buf_init(&buf, 100000);
	for (int i = 0; i < 50000; i++)
		buf_putc(&buf, (char)('a' + i % 26));
	assert_int_equal(buf_check(&buf, NULL), BERM_OK);
	assert_int_equal(buf.len, 50000);
	assert_int_equal(strlen(buf.data), 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_appends_and_terminates),
		cmocka_unit_test(test_empty_buffer_is_an_empty_text),
		cmocka_unit_test(test_exactly_the_maximum_fits),
		cmocka_unit_test(test_nothing_is_appended_after_a_failure),
		cmocka_unit_test(test_printf_respects_the_maximum),
		cmocka_unit_test(test_sum_of_lengths_cannot_wrap),
		cmocka_unit_test(test_take_hands_over_and_resets),
		cmocka_unit_test(test_done_may_be_repeated),
		cmocka_unit_test(test_grows_over_many_appends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
