/* The ends of a filtered network: as a row of descriptors and back. */
#include "check.h"

#include <cmocka.h>
#include <fcntl.h>

#include "sandbox/ends.h"

static void test_empty(void **state)
{
	struct berm_network_ends ends, back;
	int fds[ENDS_COUNT];
	uint32_t present = 1;
	(void)state;
	ends_clear(&ends);
	assert_int_equal(ends.size, sizeof(ends));
	assert_int_equal(ends.tcp[0], -1);
	assert_int_equal(ends.origins, -1);
	assert_int_equal(ends_pack(&ends, fds, &present), 0);
	assert_int_equal(present, 0);
	assert_true(ends_unpack(0, fds, 0, &back));
	assert_int_equal(back.proxy[1], -1);
}

static void test_there_and_back(void **state)
{
	struct berm_network_ends ends, back;
	int fds[ENDS_COUNT];
	uint32_t present;
	(void)state;
	ends_clear(&ends);
	ends.tcp[0] = 10;
	ends.dns_udp[1] = 0;
	ends.proxy[0] = 12;
	ends.origins = 13;
	assert_int_equal(ends_pack(&ends, fds, &present), 4);
	assert_int_equal(fds[0], 10);
	assert_int_equal(fds[1], 0);
	assert_int_equal(fds[3], 13);
	assert_true(ends_unpack(present, fds, 4, &back));
	assert_int_equal(back.tcp[0], 10);
	assert_int_equal(back.tcp[1], -1);
	assert_int_equal(back.dns_udp[1], 0);
	assert_int_equal(back.proxy[0], 12);
	assert_int_equal(back.origins, 13);
}

static void test_numbers_that_do_not_agree(void **state)
{
	struct berm_network_ends ends;
	const int fds[ENDS_COUNT + 1] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
	(void)state;
	ends_clear(&ends);
	assert_false(ends_unpack(3, fds, 1, &ends));
	assert_false(ends_unpack(1, fds, 2, &ends));
	assert_false(ends_unpack(1U << ENDS_COUNT, fds, 0, &ends));
	assert_false(ends_unpack((1U << (ENDS_COUNT + 1)) - 1, fds, ENDS_COUNT + 1, &ends));
	assert_int_equal(ends.tcp[0], -1);
}

static void test_closing(void **state)
{
	struct berm_network_ends ends;
	(void)state;
	ends_clear(&ends);
	int fd = ends.tcp[1] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	ends_close(&ends);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(ends.tcp[1], -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_numbers_that_do_not_agree),
		cmocka_unit_test(test_closing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
