#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/own.h"
#include "egress/dial.h"

/* Who dials, with what came of it. */
struct caller {
	struct dial dial; /* first: a callback is given its address */
	int calls;
	struct dial_result result;
};

struct rig {
	struct egress_loop loop;
	int listener;
	uint16_t port;
};

static void note(struct dial *dial, const struct dial_result *result)
{
	struct caller *caller = (struct caller *)(void *)dial;
	caller->calls++;
	caller->result = *result;
	assert_null(dial->job);
}

static struct net_address address(const char *text)
{
	struct net_address address;
	assert_true(address_parse(str_from(text), &address));
	return address;
}

static int setup(void **state)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	struct rig *rig = calloc(1, sizeof(*rig));
	*state = rig;
	if (rig == NULL || loop_init(&rig->loop, NULL) != BERM_OK)
		return -1;
	rig->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(rig->listener, (struct sockaddr *)&addr, len) != 0 || listen(rig->listener, 8) != 0 ||
	    getsockname(rig->listener, (struct sockaddr *)&addr, &len) != 0)
		return -1;
	rig->port = ntohs(addr.sin_port);
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;
	loop_done(&rig->loop);
	(void)close(rig->listener);
	free(rig);
	return 0;
}

static void dial_all(struct rig *rig, struct caller *caller, const struct net_address *addresses, size_t count)
{
	struct dial_plan plan = {addresses, count, rig->port, 5000};
	assert_int_equal(dial_start(&caller->dial, &rig->loop, &plan, note, NULL), BERM_OK);
	assert_int_equal(caller->calls, 0);
}

static void turn_until_called(struct rig *rig, const struct caller *caller)
{
	while (caller->calls == 0)
		assert_int_equal(loop_turn(&rig->loop, NULL), BERM_OK);
	assert_int_equal(caller->calls, 1);
	assert_null(rig->loop.soonest);
}

static void test_an_address_is_connected_to(void **state)
{
	struct rig *rig = *state;
	struct caller caller = {0};
	struct net_address to = address("127.0.0.1");
	dial_all(rig, &caller, &to, 1);
	turn_until_called(rig, &caller);
	auto_fd int fd = caller.result.fd;
	assert_int_equal(caller.result.outcome, DIAL_DONE);
	assert_true(address_equal(&caller.result.address, &to));
	auto_fd int peer = accept(rig->listener, NULL, NULL);
	assert_int_equal(write(fd, "x", 1), 1);
	char byte;
	assert_int_equal(read(peer, &byte, 1), 1);
}

static void test_where_nobody_listens_it_is_refused(void **state)
{
	struct rig *rig = *state;
	struct caller caller = {0};
	struct net_address to[2] = {address("127.0.0.2"), address("::1")};
	(void)close(rig->listener);
	rig->listener = -1;
	dial_all(rig, &caller, to, 2);
	turn_until_called(rig, &caller);
	assert_int_equal(caller.result.outcome, DIAL_REFUSED);
	assert_int_equal(caller.result.fd, -1);
}

static void test_the_next_address_serves_where_the_first_does_not(void **state)
{
	struct rig *rig = *state;
	struct caller caller = {0};
	/* Nobody listens on the first, the second cannot be a destination at all. */
	struct net_address to[4] = {address("127.0.0.2"), address("255.255.255.255"), address("::1"),
				    address("127.0.0.1")};
	dial_all(rig, &caller, to, 4);
	turn_until_called(rig, &caller);
	auto_fd int fd = caller.result.fd;
	assert_true(fd >= 0);
	assert_int_equal(caller.result.outcome, DIAL_DONE);
	assert_true(address_equal(&caller.result.address, &to[3]));
}

/* The other family comes second, though it stands last. */
static void test_the_families_take_turns(void **state)
{
	struct rig *rig = *state;
	struct caller caller = {0};
	struct sockaddr_in6 addr = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	addr.sin6_port = htons(rig->port);
	auto_fd int ipv6 = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (ipv6 < 0 || bind(ipv6, (struct sockaddr *)&addr, sizeof(addr)) != 0 || listen(ipv6, 8) != 0) {
		print_message("this machine has no IPv6\n");
		skip();
	}
	struct net_address to[3] = {address("127.0.0.2"), address("127.0.0.1"), address("::1")};
	dial_all(rig, &caller, to, 3);
	turn_until_called(rig, &caller);
	auto_fd int fd = caller.result.fd;
	assert_true(fd >= 0);
	assert_true(address_equal(&caller.result.address, &to[2]));
}

/* A backlog that is full takes no connection, and refuses none: the next one is tried after a quarter of a second. */
static void test_a_silent_address_holds_up_the_next_for_a_while(void **state)
{
	struct rig *rig = *state;
	struct caller caller = {0};
	struct sockaddr_in addr = {.sin_family = AF_INET};
	assert_int_equal(inet_pton(AF_INET, "127.0.0.2", &addr.sin_addr), 1);
	addr.sin_port = htons(rig->port);
	auto_fd int silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(silent, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(silent, 0), 0);
	auto_fd int first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	auto_fd int second = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)connect(first, (struct sockaddr *)&addr, sizeof(addr));
	(void)connect(second, (struct sockaddr *)&addr, sizeof(addr));
	struct net_address to[2] = {address("127.0.0.2"), address("127.0.0.1")};
	dial_all(rig, &caller, to, 2);
	uint64_t start_ms = rig->loop.now_ms;
	turn_until_called(rig, &caller);
	auto_fd int fd = caller.result.fd;
	assert_true(fd >= 0);
	assert_int_equal(caller.result.outcome, DIAL_DONE);
	assert_true(address_equal(&caller.result.address, &to[1]));
	assert_true(rig->loop.now_ms >= start_ms + DIAL_NEXT_MS);

	caller = (struct caller){0};
	struct dial_plan plan = {to, 1, rig->port, 50};
	assert_int_equal(dial_start(&caller.dial, &rig->loop, &plan, note, NULL), BERM_OK);
	turn_until_called(rig, &caller);
	assert_int_equal(caller.result.outcome, DIAL_TIMEOUT);
}

static void test_a_dial_that_is_cancelled_calls_nobody(void **state)
{
	struct rig *rig = *state;
	struct caller caller = {0}, other = {0};
	struct net_address to = address("127.0.0.1");
	dial_all(rig, &caller, &to, 1);
	dial_cancel(&caller.dial);
	dial_cancel(&caller.dial);
	dial_all(rig, &other, &to, 1);
	turn_until_called(rig, &other);
	auto_fd int fd = other.result.fd;
	assert_true(fd >= 0);
	assert_int_equal(caller.calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_an_address_is_connected_to, setup, teardown),
		cmocka_unit_test_setup_teardown(test_where_nobody_listens_it_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_next_address_serves_where_the_first_does_not, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_families_take_turns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_silent_address_holds_up_the_next_for_a_while, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_dial_that_is_cancelled_calls_nobody, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
