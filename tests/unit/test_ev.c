#include "check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "os/ev.h"

/* An owner of one source, as they are in real code. */
struct peer {
	struct ev_source source;
	int calls;
	uint32_t events;
	struct peer *victim; /* removed by the callback, if set */
	struct ev_loop *stop;
};

static void note(struct ev_source *source, uint32_t events)
{
	struct peer *peer = (struct peer *)(void *)source; /* its first member */
	peer->calls++;
	peer->events = events;
	if (peer->stop != NULL)
		ev_stop(peer->stop);
	if (peer->victim != NULL)
		ev_remove(&peer->victim->source);
}

static void open_pipe(int pipe_fds[2])
{
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK), 0);
}

static void close_pipe(const int pipe_fds[2])
{
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
}

static void test_readable_descriptor_is_called_back(void **state)
{
	(void)state;
	struct ev_loop loop;
	int fds[2];
	open_pipe(fds);
	struct peer peer = {0};
	assert_int_equal(ev_init(&loop, NULL), BERM_OK);
	assert_int_equal(ev_add(&loop, &peer.source, fds[0], EPOLLIN, note, NULL), BERM_OK);
	assert_int_equal(ev_turn(&loop, 0, NULL), BERM_OK);
	assert_int_equal(peer.calls, 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(ev_turn(&loop, EV_NEVER, NULL), BERM_OK);
	assert_int_equal(peer.calls, 1);
	assert_int_equal(peer.events, EPOLLIN);
	assert_int_equal(ev_change(&peer.source, 0, NULL), BERM_OK);
	assert_int_equal(ev_turn(&loop, 0, NULL), BERM_OK);
	assert_int_equal(peer.calls, 1);
	ev_done(&loop);
	assert_null(peer.source.loop);
	close_pipe(fds);
}

static void test_adding_a_bad_descriptor_fails(void **state)
{
	(void)state;
	struct ev_loop loop;
	struct peer peer = {0};
	assert_int_equal(ev_init(&loop, NULL), BERM_OK);
	struct berm_err err;
	assert_int_equal(ev_add(&loop, &peer.source, -1, EPOLLIN, note, &err), BERM_ERR_SYS);
	assert_null(peer.source.loop);
	assert_null(loop.sources);
	ev_remove(&peer.source);
	ev_done(&loop);
}

static void test_deadline_is_called_once(void **state)
{
	(void)state;
	struct ev_loop loop;
	struct peer peer = {0};
	assert_int_equal(ev_init(&loop, NULL), BERM_OK);
	ev_add_timer(&loop, &peer.source, note);
	assert_int_equal(ev_turn(&loop, 1, NULL), BERM_OK);
	assert_int_equal(peer.calls, 0);
	int64_t begin_ms = ev_now_ms();
	ev_set_deadline(&peer.source, 20);
	while (peer.calls == 0)
		assert_int_equal(ev_turn(&loop, EV_NEVER, NULL), BERM_OK);
	assert_true(ev_now_ms() - begin_ms >= 20);
	assert_int_equal(peer.events, EV_DEADLINE);
	assert_int_equal(ev_turn(&loop, 5, NULL), BERM_OK);
	assert_int_equal(peer.calls, 1);
	ev_set_deadline(&peer.source, 0);
	ev_set_deadline(&peer.source, EV_NEVER);
	assert_int_equal(ev_turn(&loop, 5, NULL), BERM_OK);
	assert_int_equal(peer.calls, 1);
	ev_done(&loop);
}

static void test_far_deadlines_do_not_wrap(void **state)
{
	(void)state;
	struct ev_loop loop;
	struct peer peer = {0};
	assert_int_equal(ev_init(&loop, NULL), BERM_OK);
	ev_add_timer(&loop, &peer.source, note);
	ev_set_deadline(&peer.source, INT64_MAX);
	assert_int_equal(ev_turn(&loop, 1, NULL), BERM_OK);
	assert_int_equal(peer.calls, 0);
	ev_done(&loop);
}

/* A deadline that is set anew each time must let the turn end. */
static void rearm(struct ev_source *source, uint32_t events)
{
	note(source, events);
	ev_set_deadline(source, 0);
}

static void test_rearming_does_not_hold_the_turn(void **state)
{
	(void)state;
	struct ev_loop loop;
	struct peer peer = {0};
	assert_int_equal(ev_init(&loop, NULL), BERM_OK);
	ev_add_timer(&loop, &peer.source, rearm);
	ev_set_deadline(&peer.source, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ev_turn(&loop, EV_NEVER, NULL), BERM_OK);
	assert_in_range(peer.calls, 1, 3);
	ev_done(&loop);
}

static void test_events_of_a_removed_source_are_dropped(void **state)
{
	(void)state;
	struct ev_loop loop;
	int one[2], two[2];
	open_pipe(one);
	open_pipe(two);
	struct peer a = {0}, b = {0};
	a.victim = &b;
	b.victim = &a;
	assert_int_equal(ev_init(&loop, NULL), BERM_OK);
	assert_int_equal(ev_add(&loop, &a.source, one[0], EPOLLIN, note, NULL), BERM_OK);
	assert_int_equal(ev_add(&loop, &b.source, two[0], EPOLLIN, note, NULL), BERM_OK);
	assert_int_equal(write(one[1], "x", 1), 1);
	assert_int_equal(write(two[1], "x", 1), 1);
	/* Both are ready in the same turn; whichever is first removes the other. */
	assert_int_equal(ev_turn(&loop, EV_NEVER, NULL), BERM_OK);
	assert_int_equal(a.calls + b.calls, 1);
	ev_done(&loop);
	close_pipe(one);
	close_pipe(two);
}

static void free_self(struct ev_source *source, uint32_t events)
{
	(void)events;
	ev_remove(source);
	free(source);
}

static void test_a_source_may_free_itself(void **state)
{
	(void)state;
	struct ev_loop loop;
	assert_int_equal(ev_init(&loop, NULL), BERM_OK);
	for (int i = 0; i < 2; i++) {
		struct peer *peer = calloc(1, sizeof(*peer));
		if (peer == NULL)
			break;
		ev_add_timer(&loop, &peer->source, free_self);
		ev_set_deadline(&peer->source, 0);
	}
	assert_int_equal(ev_run(&loop, NULL), BERM_OK);
	assert_null(loop.sources);
	ev_done(&loop);
}

static void test_remove_from_any_place(void **state)
{
	(void)state;
	struct ev_loop loop;
	struct peer peers[3] = {0};
	assert_int_equal(ev_init(&loop, NULL), BERM_OK);
	for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
		ev_add_timer(&loop, &peers[i].source, note);
		ev_set_deadline(&peers[i].source, 0);
	}
	ev_remove(&peers[1].source);
	ev_remove(&peers[1].source);
	ev_remove(&peers[2].source);
	while (peers[0].calls == 0)
		assert_int_equal(ev_turn(&loop, EV_NEVER, NULL), BERM_OK);
	ev_remove(&peers[0].source);
	assert_null(loop.sources);
	assert_int_equal(peers[1].calls + peers[2].calls, 0);
	ev_done(&loop);
}

static void test_signals_are_told(void **state)
{
	(void)state;
	sigset_t set, old;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR1);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, &old), 0);
	struct ev_loop loop;
	struct peer peer = {0};
	assert_int_equal(ev_init(&loop, NULL), BERM_OK);
	assert_int_equal(ev_add_signals(&loop, &peer.source, &set, note, NULL), BERM_OK);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	assert_int_equal(ev_turn(&loop, EV_NEVER, NULL), BERM_OK);
	assert_int_equal(peer.calls, 1);
	assert_int_equal(ev_read_signal(&peer.source), SIGUSR1);
	assert_int_equal(ev_read_signal(&peer.source), 0);
	ev_done(&loop);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
}

static void test_end_of_a_child_is_told(void **state)
{
	(void)state;
	int fds[2];
	open_pipe(fds);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char byte;
		(void)close(fds[1]);
		(void)fcntl(fds[0], F_SETFL, 0);
		_exit(read(fds[0], &byte, 1) == 0 ? 0 : 1);
	}
	struct ev_loop loop;
	assert_int_equal(ev_init(&loop, NULL), BERM_OK);
	struct peer peer = {.stop = &loop};
	assert_int_equal(ev_add_process(&loop, &peer.source, pid, note, NULL), BERM_OK);
	assert_int_equal(ev_turn(&loop, 0, NULL), BERM_OK);
	assert_int_equal(peer.calls, 0);
	close_pipe(fds); /* the child reads end of file */
	assert_int_equal(ev_run(&loop, NULL), BERM_OK);
	assert_int_equal(peer.calls, 1);
	int status;
	assert_int_equal(waitpid(pid, &status, WNOHANG), pid);
	assert_int_equal(status, 0);
	ev_done(&loop);
}

static void test_watching_no_process_fails(void **state)
{
	(void)state;
	struct ev_loop loop;
	struct peer peer = {0};
	assert_int_equal(ev_init(&loop, NULL), BERM_OK);
	assert_int_equal(ev_add_process(&loop, &peer.source, -1, note, NULL), BERM_ERR_SYS);
	assert_null(loop.sources);
	ev_done(&loop);
}

static int count_fds(void)
{
	int count = 0;
	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void test_no_descriptor_is_left(void **state)
{
	(void)state;
	int before = count_fds();
	test_signals_are_told(state);
	test_end_of_a_child_is_told(state);
	assert_int_equal(count_fds(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_readable_descriptor_is_called_back),
		cmocka_unit_test(test_adding_a_bad_descriptor_fails),
		cmocka_unit_test(test_deadline_is_called_once),
		cmocka_unit_test(test_far_deadlines_do_not_wrap),
		cmocka_unit_test(test_rearming_does_not_hold_the_turn),
		cmocka_unit_test(test_events_of_a_removed_source_are_dropped),
		cmocka_unit_test(test_a_source_may_free_itself),
		cmocka_unit_test(test_remove_from_any_place),
		cmocka_unit_test(test_signals_are_told),
		cmocka_unit_test(test_end_of_a_child_is_told),
		cmocka_unit_test(test_watching_no_process_fails),
		cmocka_unit_test(test_no_descriptor_is_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
