/* What @egress does under load and with peers that do not behave: each with limits small enough to be reached. */
#include "egress_rig.h"

#include <errno.h>
#include <sys/resource.h>

enum { SOME_IDLE = 300, BYTES_PER_IDLE = 12 * 1024 };

static int group_setup(void **state)
{
	struct rlimit files;
	if (rig_group_setup(state) != 0 || getrlimit(RLIMIT_NOFILE, &files) != 0)
		return -1;
	files.rlim_cur = files.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &files);
}

/* With the usual limits, but for those that change says. */
static struct rig *start(void (*change)(struct egress_limits *limits))
{
	rig_require();
	struct egress_limits limits = egress_usual_limits;
	change(&limits);
	return rig_new(&limits);
}

static void stop(struct rig *rig)
{
	assert_int_equal(rig_end(rig), 0);
}

static void put(int fd, const char *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

static void expect_byte(int fd, char expected)
{
	char byte = 0;
	assert_int_equal(recv(fd, &byte, 1, 0), 1);
	assert_int_equal(byte, expected);
}

/* Reset, or closed before it was accepted. */
static void expect_gone(int fd)
{
	char byte;
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	assert_int_not_equal(errno, EAGAIN);
}

/* A new connection still works. */
static void expect_service(struct rig *rig)
{
	uint16_t port = 0;
	auto_fd int host = rig_listen(RIG_OPEN, &port);
	auto_fd int client = rig_connect(rig, RIG_OPEN, port);
	auto_fd int peer = accept(host, NULL, NULL);
	put(peer, "x", 1);
	expect_byte(client, 'x');
	put(client, "y", 1);
	expect_byte(peer, 'y');
}

/* ---- many ---------------------------------------------------------------------------------------------------------- */

static void usual(struct egress_limits *limits)
{
	(void)limits;
}

static size_t memory_of(pid_t pid)
{
	char name[64], text[128] = "";
	unsigned long size = 0, resident = 0;
	(void)snprintf(name, sizeof(name), "/proc/%d/statm", (int)pid);
	auto_fd int fd = open(name, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_int_equal(sscanf(text, "%lu %lu", &size, &resident), 2);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* BERM_MANY, as far as this machine lets a process have descriptors: two of each connection are here, two there. */
static size_t wanted_count(void)
{
	const char *many = getenv("BERM_MANY");
	size_t count = many != NULL ? (size_t)strtoul(many, NULL, 10) : SOME_IDLE;
	struct rlimit files;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	size_t possible = files.rlim_cur > 1000 ? (size_t)(files.rlim_cur - 600) / 2 : 10;
	if (possible > egress_usual_limits.connections)
		possible = egress_usual_limits.connections;
	return count < possible ? count : possible;
}

static void test_idle_connections_cost_little(void **state)
{
	(void)state;
	size_t count = wanted_count();
	struct rig *rig = start(usual);
	uint16_t port = 0;
	auto_fd int host = rig_listen(RIG_OPEN, &port);
	auto_free int *clients = calloc(count, sizeof(*clients)), *peers = calloc(count, sizeof(*peers));
	expect_service(rig);
	size_t before = memory_of(rig->egress);
	for (size_t i = 0; i < count; i++) {
		clients[i] = rig_connect(rig, RIG_OPEN, port);
		peers[i] = accept(host, NULL, NULL);
		put(peers[i], "x", 1);
		expect_byte(clients[i], 'x');
	}
	size_t each = (memory_of(rig->egress) - before) / count;
	print_message("%zu idle connections: %zu bytes each\n", count, each);
	if (!UNDER_SANITIZER)
		assert_true(each <= BYTES_PER_IDLE);
	expect_service(rig);
	for (size_t i = 0; i < count; i++) {
		put(clients[i], "y", 1);
		expect_byte(peers[i], 'y');
		(void)close(clients[i]);
		(void)close(peers[i]);
	}
	stop(rig);
}

static void few(struct egress_limits *limits)
{
	limits->connections = 4;
}

static void test_more_connections_than_may_be_are_closed(void **state)
{
	(void)state;
	struct rig *rig = start(few);
	uint16_t port = 0;
	int clients[4], peers[4];
	auto_fd int host = rig_listen(RIG_OPEN, &port);
	for (size_t i = 0; i < 4; i++) {
		clients[i] = rig_connect(rig, RIG_OPEN, port);
		peers[i] = accept(host, NULL, NULL);
		put(peers[i], "x", 1);
		expect_byte(clients[i], 'x');
	}
	auto_fd int more = rig_connect(rig, RIG_OPEN, port);
	expect_gone(more);
	rig_wait(rig, DOOR_EVENT, 1);
	for (size_t i = 0; i < 4; i++) {
		(void)close(clients[i]);
		(void)close(peers[i]);
	}
	rig_wait(rig, DOOR_CLOSED, 4);
	expect_service(rig);
	stop(rig);
}

/* ---- slow ---------------------------------------------------------------------------------------------------------- */

static void impatient(struct egress_limits *limits)
{
	limits->first_ms = 1000;
}

static void test_first_bytes_that_never_end_hold_up_nobody(void **state)
{
	(void)state;
	enum { SLOW = 100 };
	struct rig *rig = start(impatient);
	uint16_t port = 0;
	int clients[SLOW];
	auto_fd int host = rig_listen(RIG_OPEN, &port); /* which accepts nothing */
	assert_true(host >= 0);
	for (size_t i = 0; i < SLOW; i++) {
		clients[i] = rig_connect(rig, RIG_OPEN, port);
		put(clients[i], "\x16\x03\x01\x02\x00\x01", i % 5 + 1);
	}
	expect_service(rig);
	for (size_t i = 0; i < SLOW; i++) {
		expect_gone(clients[i]);
		(void)close(clients[i]);
	}
	rig_wait(rig, DOOR_EVENT, SLOW);
	stop(rig);
}

static void test_a_host_that_does_not_read_holds_up_nobody(void **state)
{
	(void)state;
	struct rig *rig = start(usual);
	static char bytes[65536] = {1};
	uint16_t port = 0;
	size_t sent = 0;
	auto_fd int host = rig_listen(RIG_OPEN, &port);
	auto_fd int client = rig_connect(rig, RIG_OPEN, port);
	put(client, bytes, 1);
	auto_fd int peer = accept(host, NULL, NULL);
	size_t before = memory_of(rig->egress);
	struct pollfd room = {.fd = client, .events = POLLOUT};
	while (poll(&room, 1, 300) == 1) {
		ssize_t n = send(client, bytes, sizeof(bytes), MSG_NOSIGNAL | MSG_DONTWAIT);
		assert_true(n > 0);
		sent += (size_t)n;
	}
	expect_service(rig);
	if (!UNDER_SANITIZER)
		assert_true(memory_of(rig->egress) - before < 1024 * 1024);
	ssize_t n;
	size_t came = 0;
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	while ((n = recv(peer, bytes, sizeof(bytes), 0)) > 0)
		came += (size_t)n;
	assert_int_equal(n, 0);
	assert_int_equal(came, sent + 1);
	stop(rig);
}

static void forgetful(struct egress_limits *limits)
{
	limits->idle_ms = 1000;
}

static void test_a_connection_without_a_byte_is_closed_after_a_while(void **state)
{
	(void)state;
	struct rig *rig = start(forgetful);
	uint16_t port = 0;
	auto_fd int host = rig_listen(RIG_OPEN, &port);
	auto_fd int spoken = rig_connect(rig, RIG_OPEN, port);
	auto_fd int peer = accept(host, NULL, NULL);
	put(peer, "x", 1);
	expect_byte(spoken, 'x');
	auto_fd int silent = rig_connect(rig, RIG_OPEN, port);
	auto_fd int other = accept(host, NULL, NULL);
	expect_gone(spoken);
	expect_gone(silent);
	expect_gone(peer);
	expect_gone(other);
	rig_wait(rig, DOOR_CLOSED, 2);
	stop(rig);
}

static void hasty(struct egress_limits *limits)
{
	limits->linger_ms = 1000;
}

static void test_half_a_connection_does_not_stay_for_ever(void **state)
{
	(void)state;
	struct rig *rig = start(hasty);
	uint16_t port = 0;
	auto_fd int host = rig_listen(RIG_OPEN, &port);
	auto_fd int client = rig_connect(rig, RIG_OPEN, port);
	auto_fd int peer = accept(host, NULL, NULL);
	put(client, "\x01", 1);
	expect_byte(peer, 1);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	char byte;
	assert_int_equal(recv(peer, &byte, 1, 0), 0);
	put(peer, "x", 1);
	expect_byte(client, 'x');
	expect_gone(client);
	rig_wait(rig, DOOR_CLOSED, 1);
	stop(rig);
}

/* ---- clients that go ----------------------------------------------------------------------------------------------- */

static void test_clients_that_come_and_go_leave_nothing(void **state)
{
	(void)state;
	enum { ROUNDS = 300 };
	static const struct linger at_once = {.l_onoff = 1};
	struct rig *rig = start(few);
	uint16_t port = 0;
	auto_fd int host = rig_listen(RIG_OPEN, &port);
	for (unsigned i = 0; i < ROUNDS; i++) {
		auto_fd int client = rig_connect(rig, RIG_OPEN, port);
		if (i % 3 == 1)
			put(client, "\x16\x03", 2);
		if (i % 3 == 2)
			put(client, "\x01", 1);
		if (i % 2 == 0)
			assert_int_equal(setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	}
	assert_int_equal(fcntl(host, F_SETFL, O_NONBLOCK), 0);
	for (struct pollfd more = {.fd = host, .events = POLLIN}; poll(&more, 1, 300) == 1;)
		(void)close(accept(host, NULL, NULL));
	expect_service(rig);
	stop(rig);
}

/* Whoever sends to a peer that is gone gets a signal for it, in some ways of sending. */
static void test_peers_that_go_in_the_middle_of_much_data_end_nothing(void **state)
{
	(void)state;
	enum { ROUNDS = 20, READ_ROUNDS = 64 };
	static const struct linger at_once = {.l_onoff = 1};
	static char bytes[65536] = {1};
	struct rig *rig = start(usual);
	uint16_t port = 0;
	auto_fd int host = rig_listen(RIG_OPEN, &port);
	for (int round = 0; round < ROUNDS; round++) {
		auto_fd int client = rig_connect(rig, RIG_OPEN, port);
		put(client, "\x01", 1);
		auto_fd int peer = accept(host, NULL, NULL);
		expect_byte(peer, 1);
		assert_int_equal(fcntl(client, F_SETFL, O_NONBLOCK), 0);
		for (int i = 0; i < READ_ROUNDS; i++) {
			(void)send(client, bytes, sizeof(bytes), MSG_NOSIGNAL);
			(void)recv(peer, bytes, sizeof(bytes), MSG_DONTWAIT);
		}
		if (round % 2 == 0)
			assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
		(void)close(take_fd(&peer));
		for (int i = 0; i < READ_ROUNDS; i++)
			(void)send(client, bytes, sizeof(bytes), MSG_NOSIGNAL);
		rig_wait(rig, DOOR_CLOSED, (unsigned)round + 1);
	}
	expect_service(rig);
	stop(rig);
}

static void test_signals_to_the_group_do_not_end_it(void **state)
{
	(void)state;
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGALRM};
	struct rig *rig = start(usual);
	expect_service(rig);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		assert_int_equal(kill(rig->egress, signals[i]), 0);
	expect_service(rig);
	stop(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle_connections_cost_little),
		cmocka_unit_test(test_more_connections_than_may_be_are_closed),
		cmocka_unit_test(test_first_bytes_that_never_end_hold_up_nobody),
		cmocka_unit_test(test_a_host_that_does_not_read_holds_up_nobody),
		cmocka_unit_test(test_a_connection_without_a_byte_is_closed_after_a_while),
		cmocka_unit_test(test_half_a_connection_does_not_stay_for_ever),
		cmocka_unit_test(test_clients_that_come_and_go_leave_nothing),
		cmocka_unit_test(test_peers_that_go_in_the_middle_of_much_data_end_nothing),
		cmocka_unit_test(test_signals_to_the_group_do_not_end_it),
	};
	return cmocka_run_group_tests(tests, group_setup, NULL);
}
