#include "check.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"

static void test_set_fills_code_and_text(void **state)
{
	(void)state;
	struct berm_err err = {.sys = 7};
	assert_int_equal(err_set(&err, BERM_ERR_PARSE, "line %d: unexpected '%s'", 3, "x"), BERM_ERR_PARSE);
	assert_int_equal(err.code, BERM_ERR_PARSE);
	assert_int_equal(err.sys, 0);
	assert_string_equal(err.msg, "line 3: unexpected 'x'");
}

static void test_null_err_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, BERM_ERR_LIMIT, "x"), BERM_ERR_LIMIT);
	errno = EACCES;
	assert_int_equal(err_sys(NULL, "x"), BERM_ERR_SYS);
	assert_int_equal(err_wrap(NULL, "x"), BERM_ERR_SYS);
}

static void test_control_bytes_are_blanked(void **state)
{
	(void)state;
	struct berm_err err;
	(void)err_set(&err, BERM_ERR_PARSE, "name '%s'", "a\x1b[2J\nb\x7f");
	assert_string_equal(err.msg, "name 'a?[2J?b?'");
}

static void test_long_text_is_cut_and_terminated(void **state)
{
	(void)state;
	char text[600];
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	struct berm_err err;
	(void)err_set(&err, BERM_ERR_PARSE, "%s", text);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
}

static void test_sys_keeps_errno(void **state)
{
	(void)state;
	struct berm_err err;
	errno = ENOENT;
	assert_int_equal(err_sys(&err, "open '%s'", "/x"), BERM_ERR_SYS);
	assert_int_equal(err.sys, ENOENT);
	assert_string_equal(err.msg, "open '/x': No such file or directory");
	assert_int_equal(errno, ENOENT);
	errno = ENOMEM;
	assert_int_equal(err_sys(&err, "map"), BERM_ERR_NOMEM);
	errno = 9999;
	assert_int_equal(err_sys(&err, "x"), BERM_ERR_SYS);
	assert_string_equal(err.msg, "x: unknown errno");
}

static void test_wrap_puts_context_in_front(void **state)
{
	(void)state;
	struct berm_err err;
	errno = EPERM;
	(void)err_sys(&err, "open");
	assert_int_equal(err_wrap(&err, "load '%s'", "p"), BERM_ERR_SYS);
	assert_string_equal(err.msg, "load 'p': open: Operation not permitted");
	assert_int_equal(err.sys, EPERM);
}

static void test_no_failure_turns_into_success(void **state)
{
	(void)state;
	struct berm_err err = {.code = BERM_OK};
	assert_int_equal(err_wrap(&err, "x"), BERM_ERR_SYS);
	assert_int_equal(err.code, BERM_ERR_SYS);
	assert_int_equal(err_set(&err, BERM_OK, "x"), BERM_ERR_SYS);
	assert_int_equal(err_set(NULL, BERM_OK, "x"), BERM_ERR_SYS);
}

static void test_every_code_has_a_text(void **state)
{
	(void)state;
	for (int i = BERM_OK; i <= BERM_ERR_CLOSED; i++) {
		assert_non_null(berm_code_text((enum berm_code)i));
		assert_string_not_equal(berm_code_text((enum berm_code)i), "unknown error");
	}
	assert_string_equal(berm_code_text((enum berm_code)(BERM_ERR_CLOSED + 1)), "unknown error");
	assert_string_equal(berm_code_text((enum berm_code) - 1), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_fills_code_and_text),
		cmocka_unit_test(test_null_err_is_allowed),
		cmocka_unit_test(test_control_bytes_are_blanked),
		cmocka_unit_test(test_long_text_is_cut_and_terminated),
		cmocka_unit_test(test_sys_keeps_errno),
		cmocka_unit_test(test_wrap_puts_context_in_front),
		cmocka_unit_test(test_no_failure_turns_into_success),
		cmocka_unit_test(test_every_code_has_a_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
