/* Denials on their way out: told at once, repeats counted, a reader that sleeps harms nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/notices.h"

struct ends {
	struct notices notices;
	int read_end;
};

static void pair_open(struct ends *ends)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	*ends = (struct ends){.notices.fd = pair[0], .read_end = pair[1]};
}

static void pair_close(struct ends *ends)
{
	close(ends->notices.fd);
	close(ends->read_end);
}

static struct berm_request request_of(int number)
{
	struct berm_request request = {.op = BERM_OP_WRITE};
	(void)snprintf(request.object, sizeof request.object, "/o/%d", number);
	return request;
}

static uint32_t next_count(struct ends *ends)
{
	struct frame frame;
	return frame_recv(ends->read_end, false, &frame) == 1 ? frame.request.count : 0;
}

static void the_first_is_told_at_once_and_repeats_are_counted(void **state)
{
	(void)state;
	static struct ends ends;
	struct berm_request request = request_of(1);
	pair_open(&ends);
	notices_add(&ends.notices, &request, 1000);
	assert_int_equal(next_count(&ends), 1);
	for (int i = 0; i < 5; i++)
		notices_add(&ends.notices, &request, 1100);
	assert_int_equal(next_count(&ends), 0);
	assert_int_equal(notices_timeout_ms(&ends.notices, 1500), 500);
	notices_flush(&ends.notices, 1999, false);
	assert_int_equal(next_count(&ends), 0);
	notices_flush(&ends.notices, 2000, false);
	assert_int_equal(next_count(&ends), 5);
	assert_int_equal(notices_timeout_ms(&ends.notices, 2000), -1);
	pair_close(&ends);
}

static void more_kinds_than_slots_are_all_told(void **state)
{
	(void)state;
	static struct ends ends;
	uint32_t told = 0;
	pair_open(&ends);
	for (int i = 0; i < 3 * NOTICES_SLOTS; i++) {
		struct berm_request request = request_of(i);
		notices_add(&ends.notices, &request, 1000 + i);
		told += next_count(&ends);
	}
	assert_int_equal(told, 3 * NOTICES_SLOTS);
	notices_flush(&ends.notices, 0, true);
	assert_int_equal(ends.notices.used, 0);
	pair_close(&ends);
}

static void a_reader_that_sleeps_does_not_block(void **state)
{
	(void)state;
	static struct ends ends;
	pair_open(&ends);
	for (int i = 0; i < 5000; i++) {
		struct berm_request request = request_of(i);
		notices_add(&ends.notices, &request, 1000 + i);
	}
	assert_true(next_count(&ends) == 1);
	pair_close(&ends);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_is_told_at_once_and_repeats_are_counted),
		cmocka_unit_test(more_kinds_than_slots_are_all_told),
		cmocka_unit_test(a_reader_that_sleeps_does_not_block),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
