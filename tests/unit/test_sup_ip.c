#include "sup_world.h"

#include <netinet/tcp.h>

/* ---- TCP where loopback is the host's ----------------------------------------------------------------------------- */

static void try_host_loopback(void *arg)
{
	(void)arg;
	CHECK_FAILS(connect_ip(new_socket(AF_INET), "127.0.0.1", world.port), EACCES);
	CHECK_FAILS(connect_ip(new_socket(AF_INET), "0.0.0.0", world.port), EACCES);
	CHECK_FAILS(connect_ip(new_socket(AF_INET), "10.1.2.3", 80), EACCES);
	CHECK_FAILS(connect_ip6(new_socket(AF_INET6), "::ffff:127.0.0.1", world.port), EACCES);
	CHECK_FAILS(connect_ip6(new_socket(AF_INET6), "2001:db8::1", 80), EACCES);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_FAILS(connect_ip(fd, "127.0.0.1", world.port), EACCES);
	CHECK_FAILS(connect_ip(fd, "127.0.0.1", 1), ECONNREFUSED);
	CHECK_FAILS(connect_ip(fd, "127.0.0.1", 0), ECONNREFUSED);
	/* an own listener beside it on the port does not help, nor does joining it */
	int on = 1;
	int beside = new_socket(AF_INET);
	CHECK(setsockopt(beside, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0);
	if (bind_ip(beside, "127.0.0.1", world.port) == 0)
		CHECK_FAILS(listen(beside, 8), EADDRINUSE);
	CHECK_FAILS(connect_ip(new_socket(AF_INET), "127.0.0.1", world.port), EACCES);
	struct sockaddr_in short_one = ip_address("127.0.0.1", world.port);
	CHECK_FAILS(connect(fd, (const struct sockaddr *)&short_one, 8), EINVAL);
	short_one.sin_family = AF_INET6;
	CHECK_FAILS(connect(fd, (const struct sockaddr *)&short_one, sizeof(short_one)), EAFNOSUPPORT);
	short_one.sin_family = AF_UNSPEC;
	CHECK(connect(fd, (const struct sockaddr *)&short_one, sizeof(short_one)) == 0);
}

static void test_the_hosts_loopback_is_refused(void **state)
{
	static const int options[] = {0, SO_REUSEADDR, SO_REUSEPORT};
	static const char *const addresses[] = {"127.0.0.1", "0.0.0.0"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(options) * ARRAY_LEN(addresses); i++) {
		char told[64];
		int listener = listen_outside_ip(addresses[i % 2], options[i / 2]);
		struct rig rig = bare_rig(try_host_loopback, NULL);
		assert_int_equal(rig_run(&rig), 0);
		(void)snprintf(told, sizeof(told), "127.0.0.1:%u", world.port);
		assert_true(rig_told(BERM_OP_CONNECT, EACCES, told));
		assert_true(rig_told(BERM_OP_CONNECT, EACCES, "10.1.2.3:80"));
		assert_true(rig_told(BERM_OP_CONNECT, EACCES, "[2001:db8::1]:80"));
		assert_nobody_came(listener);
	}
}

static void check_ip_name(int fd, const char *text)
{
	struct sockaddr_storage name = {0};
	socklen_t len = sizeof(name);
	char seen[INET6_ADDRSTRLEN] = "";
	CHECK(getsockname(fd, (struct sockaddr *)&name, &len) == 0);
	const void *addr = name.ss_family == AF_INET ? (const void *)&((const struct sockaddr_in *)&name)->sin_addr
						     : (const void *)&((const struct sockaddr_in6 *)&name)->sin6_addr;
	CHECK(inet_ntop(name.ss_family, addr, seen, sizeof(seen)) != NULL && strcmp(seen, text) == 0);
}

static void use_own_loopback(void *arg)
{
	int on = 1, off = 0;
	(void)arg;
	/* bound by name */
	int listener = listen_ip("127.0.0.1", 0), client = new_socket(AF_INET);
	CHECK(connect_ip(client, "127.0.0.1", port_of(listener)) == 0);
	check_pair(listener, client);
	client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK(connect_ip(client, "127.0.0.1", port_of(listener)) == 0 || errno == EINPROGRESS);
	check_pair(listener, client);
	client = new_socket(AF_INET6);
	CHECK(connect_ip6(client, "::ffff:127.0.0.1", port_of(listener)) == 0);
	check_pair(listener, client);
	CHECK(close(listener) == 0);
	/* bound to every address */
	listener = listen_ip("0.0.0.0", 0);
	check_ip_name(listener, "127.0.0.1");
	client = new_socket(AF_INET);
	CHECK(connect_ip(client, "0.0.0.0", port_of(listener)) == 0);
	check_pair(listener, client);
	CHECK(close(listener) == 0);
	/* not bound at all */
	listener = new_socket(AF_INET);
	CHECK(listen(listener, 8) == 0);
	check_ip_name(listener, "127.0.0.1");
	CHECK(listen(listener, 16) == 0);
	client = new_socket(AF_INET);
	CHECK(connect_ip(client, "127.0.0.1", port_of(listener)) == 0);
	check_pair(listener, client);
	/* two that share a port */
	int sharing[2];
	uint16_t port = 0;
	for (int i = 0; i < 2; i++) {
		sharing[i] = new_socket(AF_INET);
		CHECK(setsockopt(sharing[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0);
		CHECK(bind_ip(sharing[i], "127.0.0.1", port) == 0 && listen(sharing[i], 8) == 0);
		port = port_of(sharing[i]);
	}
	CHECK(connect_ip(new_socket(AF_INET), "127.0.0.1", port) == 0);
	/* elsewhere */
	CHECK_FAILS(bind_ip(new_socket(AF_INET), "10.1.2.3", 0), EADDRNOTAVAIL);
	CHECK_FAILS(bind_ip6(new_socket(AF_INET6), "2001:db8::1", 0), EADDRNOTAVAIL);
	/* without a family, as the kernel takes it */
	struct sockaddr_in any = {.sin_family = AF_UNSPEC};
	int old = new_socket(AF_INET);
	CHECK(bind(old, (const struct sockaddr *)&any, sizeof(any)) == 0 && listen(old, 1) == 0);
	check_ip_name(old, "127.0.0.1");
	/* IPv6 */
	listener = new_socket(AF_INET6);
	CHECK(setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0);
	CHECK(bind_ip6(listener, "::", 0) == 0 && listen(listener, 8) == 0);
	check_ip_name(listener, "::ffff:127.0.0.1");
	client = new_socket(AF_INET);
	CHECK(connect_ip(client, "127.0.0.1", port_of(listener)) == 0);
	check_pair(listener, client);
	listener = new_socket(AF_INET6);
	CHECK(setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0);
	CHECK(bind_ip6(listener, "::", 0) == 0 && listen(listener, 8) == 0);
	check_ip_name(listener, "::1");
	client = new_socket(AF_INET6);
	CHECK(connect_ip6(client, "::1", port_of(listener)) == 0);
	check_pair(listener, client);
	client = new_socket(AF_INET6);
	CHECK(connect_ip6(client, "::", port_of(listener)) == 0);
	check_pair(listener, client);
}

static void test_own_listeners_on_loopback(void **state)
{
	(void)state;
	struct rig rig = bare_rig(use_own_loopback, NULL);
	assert_int_equal(rig_run(&rig), 0);
}

/* A port that was ours and is the host's now. */
static void lose_port(void *arg)
{
	const int *steps = arg;
	uint16_t port;
	char byte;
	int listener = listen_ip("127.0.0.1", 0);
	port = port_of(listener);
	CHECK(connect_ip(new_socket(AF_INET), "127.0.0.1", port) == 0);
	CHECK(close(listener) == 0);
	CHECK_FAILS(connect_ip(new_socket(AF_INET), "127.0.0.1", port), ECONNREFUSED);
	CHECK(write(steps[1], &port, sizeof(port)) == sizeof(port) && read(steps[1], &byte, 1) == 1);
	CHECK_FAILS(connect_ip(new_socket(AF_INET), "127.0.0.1", port), EACCES);
}

static void *take_port(void *arg)
{
	const int *steps = arg;
	static int fd;
	int on = 1;
	uint16_t port;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (read(steps[0], &port, sizeof(port)) != sizeof(port) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 || bind_ip(fd, "127.0.0.1", port) < 0 ||
	    listen(fd, 8) < 0)
		return NULL;
	return write(steps[0], "x", 1) == 1 ? &fd : NULL;
}

static void test_a_port_that_is_the_hosts_now(void **state)
{
	int steps[2];
	pthread_t taker;
	void *made = NULL;
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, steps), 0);
	assert_int_equal(pthread_create(&taker, NULL, take_port, steps), 0);
	struct rig rig = bare_rig(lose_port, steps);
	assert_int_equal(rig_run(&rig), 0);
	assert_int_equal(pthread_join(taker, &made), 0);
	assert_non_null(made);
	assert_nobody_came(*(const int *)made);
}

/* No attempt is left pending when a backlog is full. */
static void wait_for_room_ip(void *arg)
{
	(void)arg;
	int listener = new_socket(AF_INET), status = 0;
	CHECK(bind_ip(listener, "127.0.0.1", 0) == 0 && listen(listener, 0) == 0);
	uint16_t port = port_of(listener);
	int first = new_socket(AF_INET);
	CHECK(connect_ip(first, "127.0.0.1", port) == 0);
	int impatient = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int64_t begin = now_ms();
	CHECK_FAILS(connect_ip(impatient, "127.0.0.1", port), ECONNREFUSED);
	CHECK(now_ms() - begin < 3000 && sock_tcp_state(impatient) == TCP_CLOSE);
	pid_t waiter = rig_fork();
	if (waiter == 0) {
		int fd = new_socket(AF_INET);
		CHECK(connect_ip(fd, "127.0.0.1", port) == 0 && write(fd, "w", 1) == 1);
		_exit(0);
	}
	const struct timespec pause = {.tv_nsec = 100000000};
	(void)nanosleep(&pause, NULL);
	CHECK(waitpid(waiter, NULL, WNOHANG) == 0);
	CHECK_FAILS(connect_ip(new_socket(AF_INET), "127.0.0.1", 1), ECONNREFUSED);
	char byte = 0;
	int server = accept(listener, NULL, NULL);
	CHECK(server >= 0 && close(first) == 0 && read(server, &byte, 1) == 0);
	server = accept(listener, NULL, NULL);
	CHECK(read(server, &byte, 1) == 1 && byte == 'w');
	CHECK(waitpid(waiter, &status, 0) == waiter && status == 0);
	/* and one that gives up when the listener does */
	CHECK(connect_ip(new_socket(AF_INET), "127.0.0.1", port) == 0);
	waiter = rig_fork();
	if (waiter == 0) {
		(void)close(listener);
		CHECK_FAILS(connect_ip(new_socket(AF_INET), "127.0.0.1", port), ECONNREFUSED);
		_exit(0);
	}
	(void)nanosleep(&pause, NULL);
	CHECK(close(listener) == 0);
	CHECK(waitpid(waiter, &status, 0) == waiter && status == 0);
}

static void test_no_attempt_is_left_pending(void **state)
{
	(void)state;
	struct rig rig = bare_rig(wait_for_room_ip, NULL);
	assert_int_equal(rig_run(&rig), 0);
}

/* A socket that a connect bound, and not we, may not listen: it could lose that address. */
static void listen_on_leftovers(void *arg)
{
	(void)arg;
	int listener = listen_ip("127.0.0.1", 0), client = new_socket(AF_INET);
	const struct sockaddr none = {.sa_family = AF_UNSPEC};
	CHECK(connect_ip(client, "127.0.0.1", port_of(listener)) == 0);
	CHECK_FAILS(listen(client, 1), EINVAL);
	CHECK(connect(client, &none, sizeof(none)) == 0 && listen(client, 1) == 0);
	check_ip_name(client, "127.0.0.1");
	/* one that we bound stays where it is */
	client = new_socket(AF_INET);
	CHECK(bind_ip(client, "0.0.0.0", 0) == 0 && connect_ip(client, "127.0.0.1", port_of(listener)) == 0);
	CHECK(connect(client, &none, sizeof(none)) == 0 && listen(client, 1) == 0);
	check_ip_name(client, "127.0.0.1");
	CHECK_FAILS(setsockopt(client, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), EPERM);
}

static void test_what_listens_is_on_loopback(void **state)
{
	(void)state;
	struct rig rig = bare_rig(listen_on_leftovers, NULL);
	assert_int_equal(rig_run(&rig), 0);
}

/* More sockets than are remembered: those that listen are not forgotten. */
static void listen_often(void *arg)
{
	(void)arg;
	int first = listen_ip("127.0.0.1", 0);
	for (int i = 0; i < 1100; i++) {
		int fd = new_socket(AF_INET);
		CHECK(bind_ip(fd, "127.0.0.1", 0) == 0 && close(fd) == 0);
	}
	int last = listen_ip("127.0.0.1", 0), client = new_socket(AF_INET);
	CHECK(connect_ip(client, "127.0.0.1", port_of(first)) == 0);
	check_pair(first, client);
	client = new_socket(AF_INET);
	CHECK(connect_ip(client, "127.0.0.1", port_of(last)) == 0);
	check_pair(last, client);
	/* Unix sockets likewise */
	int server = listen_unix(in_folder(world.ws, "first"));
	for (int i = 0; i < 600; i++) {
		int fd = new_socket(AF_UNIX);
		CHECK(bind_unix(fd, in_folder(world.ws, "again")) == 0 && close(fd) == 0);
		CHECK(unlink(in_folder(world.ws, "again")) == 0);
		if (i % 100 != 0)
			continue;
		client = new_socket(AF_UNIX);
		CHECK(connect_unix(client, in_folder(world.ws, "first")) == 0);
		check_pair(server, client);
	}
	client = new_socket(AF_UNIX);
	CHECK(connect_unix(client, in_folder(world.ws, "first")) == 0);
	check_pair(server, client);
}

static void test_what_listens_is_not_forgotten(void **state)
{
	(void)state;
	struct rig rig = bare_rig(listen_often, NULL);
	assert_int_equal(rig_run(&rig), 0);
}

/* ---- IP with a network of its own, or the host's ------------------------------------------------------------------ */

static void use_free_network(void *arg)
{
	bool own = arg != NULL;
	int on = 1;
	int listener = new_socket(AF_INET), client = new_socket(AF_INET);
	CHECK(listen(listener, 8) == 0);
	check_ip_name(listener, "0.0.0.0");
	CHECK(connect_ip(client, "127.0.0.1", port_of(listener)) == 0);
	check_pair(listener, client);
	if (own)
		CHECK_FAILS(connect_ip(new_socket(AF_INET), "10.1.2.3", 80), ENETUNREACH);
	/* datagrams */
	char text[16] = {0};
	struct sockaddr_in to;
	int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(bind_ip(a, "127.0.0.1", 0) == 0);
	to = ip_address("127.0.0.1", port_of(a));
	CHECK(sendto(b, "hello", 5, 0, (const struct sockaddr *)&to, sizeof(to)) == 5);
	CHECK(recv(a, text, sizeof(text), 0) == 5 && strcmp(text, "hello") == 0);
	CHECK(sendto(b, "", 0, 0, (const struct sockaddr *)&to, sizeof(to)) == 0);
	CHECK(recv(a, text, sizeof(text), 0) == 0);
	static char large[70000];
	CHECK(sendto(b, large, 65000, 0, (const struct sockaddr *)&to, sizeof(to)) == 65000);
	CHECK(recv(a, large, sizeof(large), 0) == 65000);
	CHECK_FAILS(sendto(b, large, sizeof(large), 0, (const struct sockaddr *)&to, sizeof(to)), EMSGSIZE);
	CHECK_FAILS(sendto(b, nowhere, 5, 0, (const struct sockaddr *)&to, sizeof(to)), EFAULT);
	CHECK_FAILS(sendto(b, "x", 1, 0, (const struct sockaddr *)&to, 4), EINVAL);
	CHECK_FAILS(sendto(b, "x", 1, MSG_OOB, (const struct sockaddr *)&to, sizeof(to)), EOPNOTSUPP);
	CHECK(connect_ip(b, "127.0.0.1", port_of(a)) == 0 && send(b, "again", 5, 0) == 5);
	CHECK(sendto(b, "null", 4, 0, NULL, 0) == 4);
	CHECK(setsockopt(b, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) == 0);
}

static void test_networks_that_need_no_judgement(void **state)
{
	(void)state;
	struct rig rig = private_rig(use_free_network, &world);
	assert_int_equal(rig_run(&rig), 0);
	rig = bare_rig(use_free_network, NULL);
	rig.plan.network = BERM_NET_HOST;
	rig.plan.spec.trap_listen = rig.plan.spec.refuse_udp = false;
	assert_int_equal(rig_run(&rig), 0);
	assert_int_equal(rig_notice_count, 0);
}

/* A stream that is gone raises SIGPIPE in the sender, unless it said no. */
static void send_into_nothing(void *arg)
{
	int pair[2];
	struct sockaddr_in to = ip_address("127.0.0.1", 9);
	int flags = arg != NULL ? MSG_NOSIGNAL : 0;
	int listener = listen_ip("127.0.0.1", 0);
	pair[0] = new_socket(AF_INET);
	CHECK(connect_ip(pair[0], "127.0.0.1", port_of(listener)) == 0);
	pair[1] = accept(listener, NULL, NULL);
	CHECK(sendto(pair[0], "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)) == 1);
	CHECK(shutdown(pair[0], SHUT_WR) == 0);
	CHECK_FAILS(sendto(pair[0], "x", 1, flags, (const struct sockaddr *)&to, sizeof(to)), EPIPE);
}

static void test_sendto_a_stream(void **state)
{
	(void)state;
	struct rig rig = bare_rig(send_into_nothing, &world);
	assert_int_equal(rig_run(&rig), 0);
	rig = bare_rig(send_into_nothing, NULL);
	assert_int_equal(rig_run(&rig), 128 + SIGPIPE);
}

static void send_until_full(void *arg)
{
	static char block[65536];
	struct sockaddr_in to = ip_address("127.0.0.1", 9);
	(void)arg;
	int listener = listen_ip("127.0.0.1", 0), client = new_socket(AF_INET);
	CHECK(connect_ip(client, "127.0.0.1", port_of(listener)) == 0);
	int server = accept(listener, NULL, NULL);
	ssize_t sent = 0, n;
	while ((n = sendto(client, block, sizeof(block), MSG_DONTWAIT, (const struct sockaddr *)&to, sizeof(to))) > 0)
		sent += n;
	CHECK(errno == EAGAIN && sent > 0);
	pid_t waiter = rig_fork();
	if (waiter == 0)
		_exit(sendto(client, block, 1000, 0, (const struct sockaddr *)&to, sizeof(to)) == 1000 ? 0 : 1);
	ssize_t got = 0;
	int status = 0;
	while (got < sent + 1000 && (n = read(server, block, sizeof(block))) > 0)
		got += n;
	CHECK(got == sent + 1000 && waitpid(waiter, &status, 0) == waiter && status == 0);
}

static void test_sendto_that_waits(void **state)
{
	(void)state;
	struct rig rig = bare_rig(send_until_full, NULL);
	assert_int_equal(rig_run(&rig), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, make_world, remove_world)
		WORLD_TEST(test_the_hosts_loopback_is_refused),
		WORLD_TEST(test_own_listeners_on_loopback),
		WORLD_TEST(test_a_port_that_is_the_hosts_now),
		WORLD_TEST(test_no_attempt_is_left_pending),
		WORLD_TEST(test_what_listens_is_on_loopback),
		WORLD_TEST(test_what_listens_is_not_forgotten),
		WORLD_TEST(test_networks_that_need_no_judgement),
		WORLD_TEST(test_sendto_a_stream),
		WORLD_TEST(test_sendto_that_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
