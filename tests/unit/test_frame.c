/* Frames between the helper process and the caller: every type survives the trip, nothing else is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/frame.h"

static struct frame example(enum frame_type type)
{
	struct frame frame = {.type = type};
	switch (type) {
	case FRAME_FAILED:
		frame.failure = (struct launch_failure){.stage = STAGE_VIEW, .sys = EPERM, .detail = "/proc"};
		break;
	case FRAME_REQUEST:
		frame.request = (struct berm_request){.id = 7,
						      .kind = BERM_REQUEST_SOCKET,
						      .op = BERM_OP_CONNECT,
						      .open = true,
						      .error = EACCES,
						      .count = 3,
						      .pid = 12,
						      .exe = "/usr/bin/python3",
						      .object = "unix:/run/x",
						      .as = "../x",
						      .dev = 0xfedcba9876543210,
						      .ino = 1234,
						      .mode = 0140755,
						      .rule = "sockets",
						      .detail = "d",
						      .time_ns = -5};
		break;
	case FRAME_STATUS:
		frame.status = (struct berm_status){.exited = true, .exit_code = 42, .denied = 9, .served = 1ULL << 40};
		break;
	case FRAME_STOPPED:
	case FRAME_SIGNAL:
		frame.signal = 20;
		break;
	case FRAME_ANSWER:
	case FRAME_WITHDRAWN:
		frame.answer.id = 99;
		frame.answer.verdict = BERM_VERDICT_ALLOW;
		break;
	case FRAME_SWAP:
	case FRAME_SWAPPED:
		frame.swap.generation = 1ULL << 33;
		frame.swap.error = EPROTO;
		break;
	case FRAME_NETWORK:
		frame.network.present = 0x1ff;
		frame.network.proxy_port = 65535;
		break;
	case FRAME_STARTED:
	case FRAME_MAPPED:
	case FRAME_KILL:
	case FRAME_LEND:
	case FRAME_LENT:
	default:
		break;
	}
	return frame;
}

static void every_type_survives_the_trip(void **state)
{
	(void)state;
	for (int type = FRAME_STARTED; type <= FRAME_NETWORK; type++) {
		uint8_t first[FRAME_MAX], second[FRAME_MAX];
		struct frame sent = example((enum frame_type)type), got;
		size_t len = frame_print(&sent, first);
		assert_true(len > 0);
		assert_true(frame_parse(first, len, &got));
		assert_int_equal(got.type, type);
		assert_int_equal(frame_print(&got, second), len);
		assert_memory_equal(first, second, len);
	}
}

static void the_largest_request_fits(void **state)
{
	(void)state;
	uint8_t bytes[FRAME_MAX];
	struct frame frame = {.type = FRAME_REQUEST}, got;
	memset(frame.request.exe, 'a', sizeof frame.request.exe - 1);
	memset(frame.request.object, 'b', sizeof frame.request.object - 1);
	memset(frame.request.as, 'c', sizeof frame.request.as - 1);
	memset(frame.request.rule, 'd', sizeof frame.request.rule - 1);
	memset(frame.request.detail, 'e', sizeof frame.request.detail - 1);
	size_t len = frame_print(&frame, bytes);
	assert_true(len > 0 && frame_parse(bytes, len, &got));
	assert_string_equal(got.request.object, frame.request.object);
}

static void cut_or_lengthened_frames_are_refused(void **state)
{
	(void)state;
	uint8_t bytes[FRAME_MAX];
	struct frame frame = example(FRAME_REQUEST), got;
	size_t len = frame_print(&frame, bytes);
	for (size_t cut = 0; cut < len; cut++)
		assert_false(frame_parse(bytes, cut, &got));
	bytes[len] = 0;
	assert_false(frame_parse(bytes, len + 1, &got));
	bytes[0] = 0;
	assert_false(frame_parse(bytes, len, &got));
	bytes[0] = FRAME_NETWORK + 1;
	assert_false(frame_parse(bytes, len, &got));
}

static void descriptors_go_with_a_frame(void **state)
{
	(void)state;
	int ends[2], fds[FRAME_MAX_FDS];
	struct frame frame = {.type = FRAME_LENT}, got;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(frame_send_fds(ends[1], &frame, ends, 2), 0);
	assert_int_equal(frame_recv_fds(ends[0], true, &got, fds), 1);
	assert_true(fds[0] >= 0 && fds[1] >= 0 && fds[0] != fds[1]);
	assert_int_equal(fcntl(fds[1], F_GETFD), FD_CLOEXEC);
	(void)close(fds[0]);
	(void)close(fds[1]);
	assert_int_equal(frame_send(ends[1], &frame), 0);
	assert_int_equal(frame_recv_fds(ends[0], true, &got, fds), 1);
	assert_int_equal(fds[0], -1);
	assert_int_equal(frame_send_fds(ends[1], &frame, ends, 2), 0);
	int before = dup(ends[0]);
	(void)close(before);
	assert_int_equal(frame_recv(ends[0], true, &got), 1);
	int after = dup(ends[0]); /* nobody wanted them: they were closed */
	assert_int_equal(after, before);
	(void)close(after);
	assert_int_equal(frame_send_fds(ends[1], &frame, ends, FRAME_MAX_FDS + 1), -1);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void sockets_tell_frames_garbage_and_the_end_apart(void **state)
{
	(void)state;
	int ends[2];
	struct frame frame = example(FRAME_STATUS), got;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(frame_recv(ends[0], false, &got), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(frame_send(ends[1], &frame), 0);
	assert_int_equal(frame_recv(ends[0], false, &got), 1);
	assert_int_equal(got.status.exit_code, 42);
	assert_int_equal(write(ends[1], "??", 2), 2);
	assert_int_equal(frame_recv(ends[0], false, &got), -1);
	assert_int_equal(errno, EPROTO);
	close(ends[1]);
	assert_int_equal(frame_recv(ends[0], true, &got), 0);
	assert_int_equal(frame_send(ends[0], &frame), -1);
	close(ends[0]);
}

static void the_last_frame_arrives_though_the_other_side_left_something_unread(void **state)
{
	(void)state;
	int ends[2];
	struct frame frame = example(FRAME_STATUS), order = example(FRAME_SIGNAL), got;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(frame_send(ends[0], &order), 0);
	assert_int_equal(frame_send(ends[1], &frame), 0);
	close(ends[1]);
	assert_int_equal(frame_recv(ends[0], false, &got), 1);
	assert_int_equal(got.status.exit_code, 42);
	assert_int_equal(frame_recv(ends[0], false, &got), 0);
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_survives_the_trip),
		cmocka_unit_test(the_largest_request_fits),
		cmocka_unit_test(cut_or_lengthened_frames_are_refused),
		cmocka_unit_test(descriptors_go_with_a_frame),
		cmocka_unit_test(sockets_tell_frames_garbage_and_the_end_apart),
		cmocka_unit_test(the_last_frame_arrives_though_the_other_side_left_something_unread),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
