#include "check.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/own.h"
#include "session/outer.h"

static bool reads(int fd, const char *expected)
{
	auto_buf struct buf text;
	buf_init(&text, 4096);
	return outer_read(fd, &text) && strcmp(text.data, expected) == 0;
}

static void test_a_sealed_file_is_read(void **state)
{
	(void)state;
	auto_fd int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(write(fd, "text", 4), 4);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), 0);
	assert_true(reads(fd, "text"));
}

static void test_outside_there_is_no_plan(void **state)
{
	(void)state;
	auto_buf struct buf text;
	buf_init(&text, 4096);
	assert_false(outer_find(&text));
	assert_int_equal(text.len, 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_sealed_file_is_read),
		cmocka_unit_test(test_outside_there_is_no_plan),
		cmocka_unit_test(test_only_sealed_memory_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
