#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "format/json_out.h"
#include "format/utf8.h"

static void text_is(struct str text, const char *expected)
{
	auto_buf struct buf out;
	struct json_out json;
	buf_init(&out, 4096);
	json_init(&json, &out);
	json_text(&json, NULL, text);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	assert_string_equal(out.data, expected);
}

static void test_text_is_escaped(void **state)
{
	(void)state;
	text_is(STR(""), "\"\"");
	text_is(STR("a/b c"), "\"a/b c\"");
	text_is(STR("\"\\\n\r\t"), "\"\\\"\\\\\\n\\r\\t\"");
	text_is(STR("\0\x01\x1b\x1f\x7f"), "\"\\u0000\\u0001\\u001b\\u001f\\u007f\"");
	text_is(STR("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
	text_is(STR("\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0"), "\"\\u0080\\u009b\\u009f\xc2\xa0\"");
}

static void test_what_is_not_utf8_is_replaced_byte_by_byte(void **state)
{
	(void)state;
	text_is(STR("a\xff"
		    "b"),
		"\"a\\ufffdb\"");
	text_is(STR("\x80"), "\"\\ufffd\"");
	text_is(STR("\xc0\xaf"), "\"\\ufffd\\ufffd\""); /* overlong '/' */
	text_is(STR("\xc3"), "\"\\ufffd\"");		/* cut off */
	text_is(STR("\xe2\x82"), "\"\\ufffd\\ufffd\"");
	text_is(STR("\xe0\x80\x80"), "\"\\ufffd\\ufffd\\ufffd\"");
	text_is(STR("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\""); /* a surrogate */
	text_is(STR("\xf4\x90\x80\x80"), "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
	text_is(STR("\xc3\x28"), "\"\\ufffd(\"");
}

static void test_lengths_of_characters(void **state)
{
	(void)state;
	assert_int_equal(utf8_length(STR("")), 0);
	assert_int_equal(utf8_length(STR("a")), 1);
	assert_int_equal(utf8_length(STR("\xc3\xa4x")), 2);
	assert_int_equal(utf8_length(STR("\xee\x80\x80")), 3);
	assert_int_equal(utf8_length(STR("\xf3\xbf\xbf\xbf")), 4);
	assert_int_equal(utf8_length(STR("\xf5\x80\x80\x80")), 0);
	assert_true(utf8_is_control(STR("\x1b"), 1));
	assert_true(utf8_is_control(STR("\xc2\x9b"), 2));
	assert_false(utf8_is_control(STR("\xc3\x9b"), 2));
	assert_false(utf8_is_control(STR("x"), 1));
}

static void test_values_nest(void **state)
{
	(void)state;
	auto_buf struct buf out;
	struct json_out json;
	buf_init(&out, 4096);
	json_init(&json, &out);
	json_object(&json, NULL);
	json_u64(&json, "u", UINT64_MAX);
	json_i64(&json, "i", INT64_MIN);
	json_array(&json, "a");
	json_bool(&json, NULL, true);
	json_null(&json, NULL);
	json_object(&json, NULL);
	json_object_end(&json);
	json_array_end(&json);
	json_object(&json, "o");
	json_bool(&json, "k\n", false);
	json_object_end(&json);
	json_array(&json, "e");
	json_array_end(&json);
	json_object_end(&json);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	assert_string_equal(out.data, "{\"u\":18446744073709551615,\"i\":-9223372036854775808,\"a\":[true,null,{}],"
				      "\"o\":{\"k\\n\":false},\"e\":[]}");
}

static void test_a_full_buffer_is_told(void **state)
{
	(void)state;
	auto_buf struct buf out;
	struct json_out json;
	buf_init(&out, 8);
	json_init(&json, &out);
	json_text(&json, NULL, STR("0123456789"));
	assert_int_equal(buf_check(&out, NULL), BERM_ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_escaped),
		cmocka_unit_test(test_what_is_not_utf8_is_replaced_byte_by_byte),
		cmocka_unit_test(test_lengths_of_characters),
		cmocka_unit_test(test_values_nest),
		cmocka_unit_test(test_a_full_buffer_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
