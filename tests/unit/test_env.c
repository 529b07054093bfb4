#include "check.h"

#include "base/env.h"

static const char *const envp[] = {"A=1", "AB=2", "EMPTY=", "NOVALUE", "A=3", "=odd", NULL};

static void test_whole_names_match(void **state)
{
	(void)state;
	assert_string_equal(env_get(envp, "A"), "1"); /* the first one */
	assert_string_equal(env_get(envp, "AB"), "2");
	assert_string_equal(env_get(envp, "EMPTY"), "");
	assert_null(env_get(envp, "B"));
	assert_null(env_get(envp, "NOVALUE"));
	assert_null(env_get(envp, "NOVAL"));
	assert_null(env_get(envp + 6, "A"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_names_match),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
