#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/own.h"
#include "session/outer.h"

static bool reads(int fd, const char *expected)
{
	char number[16];
	auto_buf struct buf text;
	buf_init(&text, 4096);
	(void)snprintf(number, sizeof(number), "%d", fd);
	return outer_read(number, &text) && strcmp(text.data, expected) == 0;
}

static void test_what_is_made_is_read(void **state)
{
	(void)state;
	int made;
	assert_int_equal(outer_make(STR("files\tread /usr\n"), &made, NULL), BERM_OK);
	auto_fd int fd = made;
	assert_true(reads(fd, "files\tread /usr\n"));
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
}

static void test_a_plan_cannot_be_changed(void **state)
{
	(void)state;
	int made;
	assert_int_equal(outer_make(STR("text"), &made, NULL), BERM_OK);
	auto_fd int fd = made;
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	assert_true(reads(fd, "text"));
}

static void test_only_sealed_memory_is_read(void **state)
{
	(void)state;
	auto_fd int open_memory = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_true(open_memory >= 0);
	assert_int_equal(write(open_memory, "text", 4), 4);
	assert_false(reads(open_memory, "text"));
	assert_int_equal(fcntl(open_memory, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW), 0);
	assert_false(reads(open_memory, "text")); /* may still shrink */
	auto_fd int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_false(reads(file, ""));
}

static void test_values_that_name_nothing(void **state)
{
	(void)state;
	auto_buf struct buf text;
	buf_init(&text, 4096);
	assert_false(outer_read(NULL, &text));
	assert_false(outer_read("", &text));
	assert_false(outer_read("-1", &text));
	assert_false(outer_read("3x", &text));
	assert_false(outer_read("99999999999", &text));
	assert_false(outer_read("1023", &text));
	assert_int_equal(text.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_made_is_read),
		cmocka_unit_test(test_a_plan_cannot_be_changed),
		cmocka_unit_test(test_only_sealed_memory_is_read),
		cmocka_unit_test(test_values_that_name_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
