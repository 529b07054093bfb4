/* Connections of a filtered network: what is told of each, and that one which cannot be told is taken back. */
#include "sup_world.h"

#include <linux/netlink.h>
#include <netinet/tcp.h>
#include <sys/syscall.h>

#include "sandbox/ends.h"
#include "sandbox/netns_rules.h"

/* Made before the task begins, in the network that it has; the task has the ends as well, in place of the filter. */
static struct berm_network_ends ends;
static int origins = -1;

static void make_addresses(void)
{
	uint32_t bytes[NETNS_RULES_SIZE / sizeof(uint32_t)], failed;
	struct nl_out out = nl_into(bytes, sizeof(bytes));
	netns_addresses(&out);
	CHECK(nl_transact_many(NETLINK_ROUTE, &out, NETNS_ADDRESSES_LAST, NETNS_ADDRESSES_IP6, &failed) == 0);
	CHECK(ends_open(failed == 0, &ends) == 0 && ends_origins(&ends, &origins) == 0);
}

static bool make_rules(void)
{
	uint32_t bytes[NETNS_RULES_SIZE / sizeof(uint32_t)], failed;
	struct nl_out out = nl_into(bytes, sizeof(bytes));
	uint32_t last = netns_rules(&out, ends.tcp[1] >= 0);
	return nl_transact_many(NETLINK_NETFILTER, &out, last, 0, &failed) == 0;
}

static void prepare_rules(void)
{
	make_addresses();
	CHECK(make_rules());
}

static void prepare_without_reader(void)
{
	make_addresses();
	CHECK(close(ends.origins) == 0);
}

static void prepare_full(void)
{
	static const char packet[sizeof(struct berm_origin)];
	make_addresses();
	while (send(origins, packet, sizeof(packet), MSG_DONTWAIT) > 0)
		;
	CHECK(errno == EAGAIN);
}

/* What this machine has for this user: 0 nothing, 1 a network of one's own, 2 rules as well. */
static int have_network(void)
{
	int status = 0;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
			_exit(0);
		make_addresses();
		_exit(make_rules() ? 2 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static struct rig capture_rig(enum plan_capture capture, void (*prepare)(void), void (*task)(void *arg))
{
	struct rig rig = private_rig(task, NULL);
	rig.plan.network = BERM_NET_FILTERED;
	rig.plan.capture = capture;
	rig.prepare = prepare;
	rig.origins = &origins;
	return rig;
}

/* ---- inside ------------------------------------------------------------------------------------------------------- */

static void check_nothing_told(void)
{
	struct berm_origin origin;
	CHECK_FAILS(recv(ends.origins, &origin, sizeof(origin), MSG_DONTWAIT), EAGAIN);
}

/* The next record is of this socket. */
static void check_told(int fd, int family, const char *text, uint16_t port)
{
	struct berm_origin origin;
	char path[sizeof(origin.exe)] = "";
	uint8_t wanted[16] = {0}, source[16] = {0};
	struct sockaddr_storage name = {0};
	socklen_t len = sizeof(name);
	struct pollfd one = {.fd = ends.origins, .events = POLLIN};
	CHECK(poll(&one, 1, 2000) == 1);
	CHECK(recv(ends.origins, &origin, sizeof(origin), MSG_DONTWAIT) == sizeof(origin));
	CHECK(origin.size == sizeof(origin) && origin.protocol == IPPROTO_TCP && origin.reserved == 0);
	CHECK(origin.family == (family == AF_INET ? 4 : 6));
	CHECK(inet_pton(family, text, wanted) == 1);
	CHECK(memcmp(origin.destination, wanted, sizeof(wanted)) == 0 && origin.destination_port == port);
	CHECK(origin.source_port != 0 && origin.source_port == port_of(fd));
	CHECK(getsockname(fd, (struct sockaddr *)&name, &len) == 0);
	const uint8_t *addr = name.ss_family == AF_INET6
				      ? ((const struct sockaddr_in6 *)&name)->sin6_addr.s6_addr
				      : (const uint8_t *)&((const struct sockaddr_in *)&name)->sin_addr;
	bool mapped = name.ss_family == AF_INET6 && family == AF_INET;
	memcpy(source, addr + (mapped ? 12 : 0), family == AF_INET ? 4 : 16);
	CHECK(memcmp(origin.source, source, sizeof(source)) == 0);
	CHECK(origin.pid == (int32_t)syscall(SYS_gettid));
	CHECK(origin.exe_ino != 0 && readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	CHECK(strcmp(origin.exe, path) == 0);
}

/* What came in at the end is the connection of this socket, and knows where it was going, if that is its address. */
static void check_came(int end, int client, const char *text)
{
	struct sockaddr_storage peer = {0};
	socklen_t len = sizeof(peer);
	char byte = 0, seen[INET6_ADDRSTRLEN] = "";
	struct pollfd one = {.fd = end, .events = POLLIN};
	CHECK(poll(&one, 1, 2000) == 1);
	int served = accept4(end, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC);
	CHECK(served >= 0 && ntohs(((const struct sockaddr_in *)&peer)->sin_port) == port_of(client));
	CHECK(write(client, "x", 1) == 1 && read(served, &byte, 1) == 1 && byte == 'x');
	len = sizeof(peer);
	CHECK(getsockname(served, (struct sockaddr *)&peer, &len) == 0);
	const void *addr = peer.ss_family == AF_INET ? (const void *)&((const struct sockaddr_in *)&peer)->sin_addr
						     : (const void *)&((const struct sockaddr_in6 *)&peer)->sin6_addr;
	CHECK(inet_ntop(peer.ss_family, addr, seen, sizeof(seen)) != NULL && strcmp(seen, text) == 0);
	CHECK(close(served) == 0);
}

/* led: it is the loopback that is connected to in place of the address. */
static void connect_in_every_way(bool led)
{
	int client = new_socket(AF_INET);
	CHECK(connect_ip(client, "203.0.113.5", 80) == 0);
	check_told(client, AF_INET, "203.0.113.5", 80);
	check_came(ends.tcp[0], client, led ? "127.0.0.1" : "203.0.113.5");
	CHECK_FAILS(connect_ip(client, "203.0.113.5", 80), EISCONN);
	check_nothing_told();
	client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK(connect_ip(client, "10.0.0.1", 65535) == 0 || errno == EINPROGRESS);
	check_told(client, AF_INET, "10.0.0.1", 65535);
	check_came(ends.tcp[0], client, led ? "127.0.0.1" : "10.0.0.1");
	if (ends.tcp[1] < 0)
		return;
	client = new_socket(AF_INET6);
	CHECK(connect_ip6(client, "2001:db8::1", 443) == 0);
	check_told(client, AF_INET6, "2001:db8::1", 443);
	check_came(ends.tcp[1], client, led ? "::1" : "2001:db8::1");
	client = new_socket(AF_INET6);
	CHECK(connect_ip6(client, "::ffff:203.0.113.5", 443) == 0);
	check_told(client, AF_INET, "203.0.113.5", 443);
	check_came(ends.tcp[0], client, led ? "127.0.0.1" : "203.0.113.5");
}

static void connect_to_own(void)
{
	/* the ends by their own names are told as such */
	int client = new_socket(AF_INET);
	CHECK(connect_ip(client, "127.0.0.1", NETNS_TCP_PORT) == 0);
	check_told(client, AF_INET, "127.0.0.1", NETNS_TCP_PORT);
	check_came(ends.tcp[0], client, "127.0.0.1");
	client = new_socket(AF_INET);
	CHECK(connect_ip(client, "127.0.0.1", ends.proxy_port) == 0);
	check_told(client, AF_INET, "127.0.0.1", NETNS_PROXY_PORT);
	check_came(ends.proxy[0], client, "127.0.0.1");
	/* DNS and what stays inside is not told */
	client = new_socket(AF_INET);
	CHECK(connect_ip(client, "203.0.113.5", NETNS_DNS_PORT) == 0);
	check_came(ends.dns_tcp[0], client, "203.0.113.5");
	int listener = new_socket(AF_INET);
	CHECK(bind_ip(listener, "0.0.0.0", 0) == 0 && listen(listener, 8) == 0);
	static const char *const own[] = {"127.0.0.1", "0.0.0.0", "198.18.0.1"};
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		CHECK(connect_ip(new_socket(AF_INET), own[i], port_of(listener)) == 0);
	CHECK_FAILS(connect_ip(new_socket(AF_INET), "127.0.0.1", 1), ECONNREFUSED);
	check_nothing_told();
}

static void use_led(void *arg)
{
	(void)arg;
	connect_in_every_way(true);
	connect_to_own();
}

static void use_rules(void *arg)
{
	(void)arg;
	connect_in_every_way(false);
	connect_to_own();
}

static void check_taken_back(int type)
{
	int64_t begin = now_ms();
	int client = socket(AF_INET, SOCK_STREAM | type, 0);
	CHECK_FAILS(connect_ip(client, "203.0.113.5", 80), ECONNREFUSED);
	CHECK(now_ms() - begin < 5000 && sock_tcp_state(client) == TCP_CLOSE);
	CHECK(send(client, "x", 1, MSG_NOSIGNAL) < 0);
}

static void use_without_reader(void *arg)
{
	(void)arg;
	check_taken_back(0);
	check_taken_back(SOCK_NONBLOCK);
	CHECK_FAILS(connect_ip(new_socket(AF_INET), "127.0.0.1", NETNS_PROXY_PORT), ECONNREFUSED);
}

static void use_full(void *arg)
{
	char packet[sizeof(struct berm_origin)];
	(void)arg;
	check_taken_back(0);
	check_taken_back(SOCK_NONBLOCK);
	/* what waits goes on as soon as there is room */
	pid_t reader = rig_fork();
	if (reader == 0) {
		(void)usleep(100 * 1000);
		while (recv(ends.origins, packet, sizeof(packet), MSG_DONTWAIT) > 0)
			;
		_exit(0);
	}
	CHECK(connect_ip(new_socket(AF_INET), "203.0.113.5", 80) == 0);
	CHECK(waitpid(reader, NULL, 0) == reader);
}

/* ---- outside ------------------------------------------------------------------------------------------------------ */

#define NEEDS(what, name)                                                                                              \
	do {                                                                                                           \
		if (have_network() < (what)) {                                                                         \
			print_message("skipped: this machine has no %s for this user\n", name);                        \
			skip();                                                                                        \
		}                                                                                                      \
	} while (0)

static void test_led_connections_are_told(void **state)
{
	(void)state;
	NEEDS(1, "network namespace");
	struct rig rig = capture_rig(PLAN_CAPTURE_LED, make_addresses, use_led);
	assert_int_equal(rig_run(&rig), 0);
}

static void test_connections_under_rules_are_told(void **state)
{
	(void)state;
	NEEDS(2, "nf_tables with tproxy");
	struct rig rig = capture_rig(PLAN_CAPTURE_RULES, prepare_rules, use_rules);
	assert_int_equal(rig_run(&rig), 0);
}

static void test_what_nobody_hears_of_is_taken_back(void **state)
{
	(void)state;
	NEEDS(1, "network namespace");
	struct rig rig = capture_rig(PLAN_CAPTURE_LED, prepare_without_reader, use_without_reader);
	assert_int_equal(rig_run(&rig), 0);
	assert_true(rig_told(BERM_OP_CONNECT, ECONNREFUSED, "203.0.113.5:80"));
	assert_true(rig_told(BERM_OP_CONNECT, ECONNREFUSED, "127.0.0.1:808"));
}

static void test_a_filter_that_does_not_keep_up(void **state)
{
	(void)state;
	NEEDS(1, "network namespace");
	struct rig rig = capture_rig(PLAN_CAPTURE_LED, prepare_full, use_full);
	assert_int_equal(rig_run(&rig), 0);
	assert_true(rig_told(BERM_OP_CONNECT, ECONNREFUSED, "203.0.113.5:80"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_led_connections_are_told),
		cmocka_unit_test(test_connections_under_rules_are_told),
		cmocka_unit_test(test_what_nobody_hears_of_is_taken_back),
		cmocka_unit_test(test_a_filter_that_does_not_keep_up),
	};
	return cmocka_run_group_tests(tests, make_world, remove_world);
}
