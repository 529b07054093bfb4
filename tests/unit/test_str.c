#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/str.h"

static void test_from_null_is_empty(void **state)
{
	(void)state;
	assert_int_equal(str_from(NULL).len, 0);
	assert_int_equal(str_from("abc").len, 3);
}

static void test_equality_is_by_length_and_bytes(void **state)
{
	(void)state;
	assert_true(str_eq(STR("abc"), STR("abc")));
	assert_false(str_eq(STR("abc"), STR("abd")));
	assert_false(str_eq(STR("abc"), STR("ab")));
	assert_false(str_eq(STR("abc"), STR("ABC")));
	assert_true(str_eq((struct str){NULL, 0}, STR("")));
	assert_false(str_eq(STR("a\0b"), STR("a\0c")));
}

static void test_nocase_folds_ascii_letters_only(void **state)
{
	(void)state;
	assert_true(str_eq_nocase(STR("Host"), STR("hOST")));
	assert_false(str_eq_nocase(STR("a"), STR("ab")));
	assert_false(str_eq_nocase(STR("@"), STR("`")));
	assert_false(str_eq_nocase(STR("["), STR("{")));
	assert_false(str_eq_nocase(STR("\xc4"), STR("\xe4")));
}

static void test_prefix_and_suffix(void **state)
{
	(void)state;
	assert_true(str_starts(STR("abc"), STR("ab")));
	assert_true(str_starts(STR("abc"), STR("")));
	assert_false(str_starts(STR("ab"), STR("abc")));
	assert_true(str_ends(STR("abc"), STR("bc")));
	assert_true(str_ends((struct str){NULL, 0}, STR("")));
	assert_false(str_ends(STR("abc"), STR("ab")));
	assert_false(str_ends(STR("c"), STR("bc")));
}

static void test_next_takes_pieces(void **state)
{
	(void)state;
	struct str rest = STR("a,,bc,");
	struct str piece;
	assert_true(str_next(&rest, ',', &piece));
	assert_true(str_eq(piece, STR("a")));
	assert_true(str_next(&rest, ',', &piece));
	assert_int_equal(piece.len, 0);
	assert_true(str_next(&rest, ',', &piece));
	assert_true(str_eq(piece, STR("bc")));
	piece = STR("untouched");
	assert_false(str_next(&rest, ',', &piece));
	assert_true(str_eq(piece, STR("untouched")));
}

struct number_case {
	const char *text;
	uint64_t max;
	enum berm_code code;
	uint64_t value;
};

static void test_skip_and_find(void **state)
{
	(void)state;
	assert_true(str_eq(str_skip(STR("abc"), 1), STR("bc")));
	assert_int_equal(str_skip(STR("abc"), 3).len, 0);
	assert_int_equal(str_find(STR("a:b:c"), ':'), 1);
	assert_int_equal(str_find(STR("abc"), ':'), 3);
	assert_int_equal(str_find((struct str){NULL, 0}, ':'), 0);
}

static void test_numbers_are_digits(void **state)
{
	(void)state;
	assert_true(str_is_number(STR("0")));
	assert_true(str_is_number(STR("0123456789")));
	assert_false(str_is_number(STR("")));
	assert_false(str_is_number(STR("1a")));
	assert_false(str_is_number(STR("-1")));
}

static void test_u64_cases(void **state)
{
	(void)state;
	static const struct number_case cases[] = {
		{"0", 0, BERM_OK, 0},
		{"007", 9, BERM_OK, 7},
		{"18446744073709551615", UINT64_MAX, BERM_OK, UINT64_MAX},
		{"10", 9, BERM_ERR_LIMIT, 0},
		{"18446744073709551616", UINT64_MAX, BERM_ERR_LIMIT, 0},
		{"99999999999999999999999", UINT64_MAX, BERM_ERR_LIMIT, 0},
		{"99999999999999999999999x", UINT64_MAX, BERM_ERR_PARSE, 0},
		{"", 9, BERM_ERR_PARSE, 0},
		{"-1", 9, BERM_ERR_PARSE, 0},
		{"+1", 9, BERM_ERR_PARSE, 0},
		{" 1", 9, BERM_ERR_PARSE, 0},
		{"1 ", 9, BERM_ERR_PARSE, 0},
		{"0x1", 99, BERM_ERR_PARSE, 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t value = 42;
		assert_int_equal(str_u64(str_from(cases[i].text), cases[i].max, &value, NULL), cases[i].code);
		assert_int_equal(value, cases[i].code == BERM_OK ? cases[i].value : 42);
	}
}

static void test_size_cases(void **state)
{
	(void)state;
	static const struct number_case cases[] = {
		{"512", 0, BERM_OK, 512},
		{"64KiB", 0, BERM_OK, 65536},
		{"1K", 0, BERM_OK, 1024},
		{"3M", 0, BERM_OK, 3 << 20},
		{"8GiB", 0, BERM_OK, 8ULL << 30},
		{"2T", 0, BERM_OK, 2ULL << 40},
		{"17000000T", 0, BERM_ERR_LIMIT, 0},
		{"99999999999999999999999", 0, BERM_ERR_LIMIT, 0},
		{"KiB", 0, BERM_ERR_PARSE, 0},
		{"", 0, BERM_ERR_PARSE, 0},
		{"1KB", 0, BERM_ERR_PARSE, 0},
		{"1k", 0, BERM_ERR_PARSE, 0},
		{"1 K", 0, BERM_ERR_PARSE, 0},
		{"1.5G", 0, BERM_ERR_PARSE, 0},
		{"-1K", 0, BERM_ERR_PARSE, 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t value = 42;
		assert_int_equal(str_size(str_from(cases[i].text), &value, NULL), cases[i].code);
		assert_int_equal(value, cases[i].code == BERM_OK ? cases[i].value : 42);
	}
}

static void test_duration_cases(void **state)
{
	(void)state;
	static const struct number_case cases[] = {
		{"90", 0, BERM_OK, 90000},
		{"90s", 0, BERM_OK, 90000},
		{"15m", 0, BERM_OK, 900000},
		{"2h", 0, BERM_OK, 7200000},
		{"1d", 0, BERM_OK, 86400000},
		{"500ms", 0, BERM_OK, 500},
		{"18446744073709551615", 0, BERM_ERR_LIMIT, 0},
		{"ms", 0, BERM_ERR_PARSE, 0},
		{"1ss", 0, BERM_ERR_PARSE, 0},
		{"1w", 0, BERM_ERR_PARSE, 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t value = 42;
		assert_int_equal(str_duration_ms(str_from(cases[i].text), &value, NULL), cases[i].code);
		assert_int_equal(value, cases[i].code == BERM_OK ? cases[i].value : 42);
	}
}

static void test_number_errors_name_the_text(void **state)
{
	(void)state;
	struct berm_err err;
	uint64_t value;
	assert_int_equal(str_size(STR("12x"), &value, &err), BERM_ERR_PARSE);
	assert_string_equal(err.msg, "not a size: '12x'");
	assert_int_equal(str_u64(STR("12"), 11, &value, &err), BERM_ERR_LIMIT);
	assert_string_equal(err.msg, "number '12' is larger than 11");
}

static void test_size_arithmetic_is_checked(void **state)
{
	(void)state;
	size_t out = 7;
	assert_true(size_add(1, 2, &out));
	assert_int_equal(out, 3);
	assert_false(size_add(SIZE_MAX, 1, &out));
	assert_int_equal(out, 3);
	assert_true(size_mul(4, 5, &out));
	assert_int_equal(out, 20);
	assert_false(size_mul(SIZE_MAX / 2, 3, &out));
	assert_int_equal(out, 20);
}

static void test_dup_terminates(void **state)
{
	(void)state;
	auto_free char *copy = str_dup((struct str){"abcdef", 3});
	assert_non_null(copy);
	assert_string_equal(copy, "abc");
	auto_free char *empty = str_dup((struct str){NULL, 0});
	assert_non_null(empty);
	assert_string_equal(empty, "");
	assert_null(str_dup((struct str){"", SIZE_MAX}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_null_is_empty),
		cmocka_unit_test(test_equality_is_by_length_and_bytes),
		cmocka_unit_test(test_nocase_folds_ascii_letters_only),
		cmocka_unit_test(test_prefix_and_suffix),
		cmocka_unit_test(test_next_takes_pieces),
		cmocka_unit_test(test_skip_and_find),
		cmocka_unit_test(test_numbers_are_digits),
		cmocka_unit_test(test_u64_cases),
		cmocka_unit_test(test_size_cases),
		cmocka_unit_test(test_duration_cases),
		cmocka_unit_test(test_number_errors_name_the_text),
		cmocka_unit_test(test_size_arithmetic_is_checked),
		cmocka_unit_test(test_dup_terminates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
