#include "check.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/own.h"
#include "egress/loop.h"

#define MANY 3000

/* An owner of one source, as they are in real code. */
struct peer {
	struct loop_source source;
	int calls;
	uint32_t events;
	uint64_t called_ms;
	struct peer *victim; /* removed by the callback, if set */
	bool again;	     /* sets its deadline anew, for the next turn */
};

static void note(struct loop_source *source, uint32_t events)
{
	struct peer *peer = (struct peer *)(void *)source; /* its first member */
	peer->calls++;
	peer->events = events;
	peer->called_ms = source->loop->now_ms;
	if (peer->victim != NULL)
		loop_remove(&peer->victim->source);
	else if (peer->again)
		loop_deadline(source, 0);
}

static struct egress_loop new_loop(void)
{
	struct egress_loop loop;
	assert_int_equal(loop_init(&loop, NULL), BERM_OK);
	return loop;
}

static void turn(struct egress_loop *loop)
{
	assert_int_equal(loop_turn(loop, NULL), BERM_OK);
}

static void test_a_readable_descriptor_is_called_back(void **state)
{
	(void)state;
	auto_fd int in = -1, out = -1;
	int fds[2];
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	in = fds[0];
	out = fds[1];
	struct egress_loop loop = new_loop();
	struct peer peer = {0}, timer = {0};
	loop_add_timer(&loop, &timer.source, note);
	assert_int_equal(loop_add(&loop, &peer.source, in, EPOLLIN, note, NULL), BERM_OK);
	loop_deadline(&timer.source, 0);
	turn(&loop);
	assert_int_equal(peer.calls, 0);
	assert_int_equal(timer.calls, 1);
	assert_int_equal(write(out, "x", 1), 1);
	turn(&loop);
	assert_int_equal(peer.calls, 1);
	assert_int_equal(peer.events, EPOLLIN);
	loop_want(&peer.source, 0);
	loop_deadline(&timer.source, 0);
	turn(&loop);
	assert_int_equal(peer.calls, 1);
	loop_remove(&peer.source);
	loop_remove(&peer.source);
	loop_remove(&timer.source);
	loop_done(&loop);
}

static void test_a_bad_descriptor_is_not_added(void **state)
{
	(void)state;
	struct egress_loop loop = new_loop();
	struct peer peer = {0};
	assert_int_equal(loop_add(&loop, &peer.source, -1, EPOLLIN, note, NULL), BERM_ERR_SYS);
	assert_null(peer.source.loop);
	loop_done(&loop);
}

static void test_a_change_that_fails_is_told(void **state)
{
	(void)state;
	struct egress_loop loop = new_loop();
	struct peer peer = {0};
	int fds[2];
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(loop_add(&loop, &peer.source, fds[0], EPOLLIN, note, NULL), BERM_OK);
	(void)close(fds[0]); /* what an owner never does */
	(void)close(fds[1]);
	loop_want(&peer.source, EPOLLIN | EPOLLOUT);
	turn(&loop);
	assert_int_equal(peer.calls, 1);
	assert_int_equal(peer.events, EPOLLERR);
	loop_remove(&peer.source);
	loop_done(&loop);
}

static void test_deadlines_come_in_order_and_once(void **state)
{
	(void)state;
	struct egress_loop loop = new_loop();
	struct peer late = {0}, soon = {0}, never = {0}, moved = {0};
	loop_add_timer(&loop, &late.source, note);
	loop_add_timer(&loop, &soon.source, note);
	loop_add_timer(&loop, &never.source, note);
	loop_add_timer(&loop, &moved.source, note);
	loop_deadline(&moved.source, 1);
	loop_deadline(&late.source, 20);
	loop_deadline(&soon.source, 5);
	loop_deadline(&never.source, 1);
	loop_deadline(&never.source, LOOP_NEVER);
	loop_deadline(&moved.source, 3600000);
	uint64_t start_ms = loop.now_ms;
	while (late.calls == 0)
		turn(&loop);
	assert_int_equal(soon.calls, 1);
	assert_int_equal(late.calls, 1);
	assert_int_equal(late.events, LOOP_DEADLINE);
	assert_true(soon.called_ms >= start_ms + 5);
	assert_true(late.called_ms >= start_ms + 20);
	assert_true(soon.called_ms <= late.called_ms);
	assert_int_equal(never.calls, 0);
	assert_int_equal(moved.calls, 0);
	loop_remove(&late.source);
	loop_remove(&soon.source);
	loop_remove(&never.source);
	loop_remove(&moved.source);
	assert_null(loop.soonest);
	loop_done(&loop);
}

static void test_a_deadline_set_for_now_waits_for_the_next_turn(void **state)
{
	(void)state;
	struct egress_loop loop = new_loop();
	struct peer peer = {.again = true}, other = {.again = true};
	loop_add_timer(&loop, &peer.source, note);
	loop_add_timer(&loop, &other.source, note);
	loop_deadline(&peer.source, 0);
	loop_deadline(&other.source, 0);
	for (int i = 1; i < 100; i++) {
		turn(&loop);
		assert_int_equal(peer.calls, i);
		assert_int_equal(other.calls, i);
	}
	loop_remove(&peer.source);
	loop_remove(&other.source);
	loop_done(&loop);
}

static void test_a_callback_removes_what_is_due_as_well(void **state)
{
	(void)state;
	auto_fd int one = -1, other = -1;
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	one = fds[0];
	other = fds[1];
	assert_int_equal(write(one, "x", 1), 1);
	assert_int_equal(write(other, "x", 1), 1);
	struct egress_loop loop = new_loop();
	struct peer a = {0}, b = {.victim = &a}, c = {0}, d = {.victim = &c};
	a.victim = &b;
	c.victim = &d;
	assert_int_equal(loop_add(&loop, &a.source, one, EPOLLIN, note, NULL), BERM_OK);
	assert_int_equal(loop_add(&loop, &b.source, other, EPOLLIN, note, NULL), BERM_OK);
	loop_add_timer(&loop, &c.source, note);
	loop_add_timer(&loop, &d.source, note);
	loop_deadline(&c.source, 0);
	loop_deadline(&d.source, 0);
	turn(&loop);
	assert_int_equal(a.calls + b.calls, 1);
	assert_int_equal(c.calls + d.calls, 1);
	loop_remove(&a.source);
	loop_remove(&b.source);
	loop_remove(&c.source);
	loop_remove(&d.source);
	loop_done(&loop);
}

/* Thousands, set, set again and taken out at random: what is left comes in order. */
static void test_the_heap_keeps_its_order(void **state)
{
	(void)state;
	struct egress_loop loop = new_loop();
	auto_free struct peer *peers = calloc(MANY, sizeof(*peers));
	assert_non_null(peers);
	uint32_t random = 12345;
	for (int i = 0; i < MANY; i++)
		loop_add_timer(&loop, &peers[i].source, note);
	for (int i = 0; i < 10 * MANY; i++) {
		random = random * 1103515245U + 12345U;
		struct peer *peer = &peers[random / 65536 % MANY];
		loop_deadline(&peer->source, random % 7 == 0 ? LOOP_NEVER : 1000 + random / 256 % 100000);
	}
	uint64_t last_ms = 0;
	int left = 0;
	for (int i = 0; i < MANY; i++)
		left += peers[i].source.due_ms != 0;
	assert_true(left > MANY / 2);
	while (loop.soonest != NULL) {
		assert_true(loop.soonest->due_ms >= last_ms);
		last_ms = loop.soonest->due_ms;
		loop_deadline(loop.soonest, LOOP_NEVER);
		left--;
	}
	assert_int_equal(left, 0);
	loop_done(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_readable_descriptor_is_called_back),
		cmocka_unit_test(test_a_bad_descriptor_is_not_added),
		cmocka_unit_test(test_a_change_that_fails_is_told),
		cmocka_unit_test(test_deadlines_come_in_order_and_once),
		cmocka_unit_test(test_a_deadline_set_for_now_waits_for_the_next_turn),
		cmocka_unit_test(test_a_callback_removes_what_is_due_as_well),
		cmocka_unit_test(test_the_heap_keeps_its_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
