#include "check.h"

#include <string.h>

#include "base/own.h"
#include "session/kernel_mounts.h"

static void drop(char ***paths)
{
	str_free_all(*paths);
}
#define auto_paths __attribute__((cleanup(drop))) char **

static void test_what_is_mounted_elsewhere(void **state)
{
	(void)state;
	static const char text[] = "22 27 0:21 / /proc rw,nosuid shared:5 - proc proc rw\n"
				   "23 27 0:22 / /sys rw,nosuid shared:6 - sysfs sysfs rw\n"
				   "24 23 0:7 / /sys/kernel/security rw shared:7 - securityfs securityfs rw\n"
				   "25 27 0:5 / /dev rw,nosuid shared:8 - devtmpfs udev rw\n"
				   "27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
				   "90 27 0:50 / /srv/jail/proc rw - proc proc rw\n"
				   "91 27 0:22 / /srv/a\\040b\\134c/sys rw shared:6 master:2 - sysfs sysfs rw\n"
				   "92 27 0:5 /input /srv/input rw - devtmpfs udev rw\n"
				   "93 27 0:60 / /srv/proc rw - tmpfs proc rw\n"
				   "94 27 0:61 / /procedures rw - proc proc rw\n";
	static const char *const expected[] = {"/srv/jail/proc", "/srv/a b\\c/sys", "/srv/input", "/procedures"};
	struct berm_err err;
	auto_paths paths = NULL;
	assert_int_equal(kernel_mounts_parse(str_from(text), &paths, &err), BERM_OK);
	for (size_t i = 0; i < ARRAY_LEN(expected); i++)
		assert_string_equal(paths[i], expected[i]);
	assert_null(paths[ARRAY_LEN(expected)]);
}

static void test_what_is_no_mountinfo_is_told(void **state)
{
	(void)state;
	static const char *const texts[] = {"x",
					    "1 2 3 4",
					    "1 2 3 4 /srv rw",
					    "1 2 3 4 /srv rw -",
					    "1 2 3 4  rw - proc x",
					    "1 2 3 4 srv rw - proc x",
					    "1 2 3 4 /a\\000b rw - proc x"};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct berm_err err;
		auto_paths paths = NULL;
		assert_int_equal(kernel_mounts_parse(str_from(texts[i]), &paths, &err), BERM_ERR_PARSE);
		assert_null(paths);
	}
	struct berm_err err;
	auto_paths paths = NULL;
	assert_int_equal(kernel_mounts_parse((struct str){"", 0}, &paths, &err), BERM_OK);
	assert_null(paths[0]);
}

static void test_those_of_this_process(void **state)
{
	(void)state;
	struct berm_err err;
	auto_paths paths = NULL;
	assert_int_equal(kernel_mounts_find(&paths, &err), BERM_OK);
	for (size_t i = 0; paths[i] != NULL; i++)
		assert_int_equal(paths[i][0], '/');
	str_free_all(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_mounted_elsewhere),
		cmocka_unit_test(test_what_is_no_mountinfo_is_told),
		cmocka_unit_test(test_those_of_this_process),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
