#include "check.h"

#include <string.h>

#include "session/home.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
			     "broken\n"
			     "nohome:x:5:5::relative:/bin/sh\n"
			     "::\n"
			     "long:x:4294967299:1::/long:/bin/sh\n"
			     "user:x:1000:1000:A,B:/home/user:/bin/sh\n"
			     "last:x:1001:1001::/home/last";

static void finds(uid_t uid, const char *expected)
{
	struct str home;
	assert_true(home_parse(str_from(passwd), uid, &home));
	assert_true(str_eq(home, str_from(expected)));
}

static void test_the_line_of_the_user_counts(void **state)
{
	(void)state;
	finds(0, "/root");
	finds(1000, "/home/user");
	finds(1001, "/home/last");
}

static void test_what_is_not_there_is_not_found(void **state)
{
	(void)state;
	struct str home = STR("before");
	assert_false(home_parse(str_from(passwd), 5, &home)); /* not absolute */
	assert_false(home_parse(str_from(passwd), 3, &home)); /* not by overflow */
	assert_false(home_parse(str_from(passwd), 77, &home));
	assert_false(home_parse(STR(""), 0, &home));
	assert_true(str_eq(home, STR("before")));
}

static void test_the_variable_comes_first(void **state)
{
	(void)state;
	char home[64];
	assert_true(home_find("/else/where", 0, home, sizeof(home)));
	assert_string_equal(home, "/else/where");
}

static void test_a_variable_that_cannot_be_is_no_home(void **state)
{
	(void)state;
	char home[8];
	/* Longer than there is room for, and no such user to fall back on. */
	assert_false(home_find("/else/where", (uid_t)-2, home, sizeof(home)));
	assert_false(home_find("relative", (uid_t)-2, home, sizeof(home)));
	assert_false(home_find("", (uid_t)-2, home, sizeof(home)));
	assert_false(home_find(NULL, (uid_t)-2, home, sizeof(home)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_line_of_the_user_counts),
		cmocka_unit_test(test_what_is_not_there_is_not_found),
		cmocka_unit_test(test_the_variable_comes_first),
		cmocka_unit_test(test_a_variable_that_cannot_be_is_no_home),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
