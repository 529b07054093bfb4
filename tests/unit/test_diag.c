#include "check.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/own.h"
#include "os/diag.h"
#include "os/sock.h"

enum { MANY = 100 };

static int listen_on(int family, uint16_t *port, int v6only)
{
	const int on = 1;
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(*port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(*port)};
	const struct sockaddr *any = family == AF_INET ? (const struct sockaddr *)&in : (const struct sockaddr *)&in6;
	socklen_t len = family == AF_INET ? sizeof(in) : sizeof(in6);
	auto_fd int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)) < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0 || bind(fd, any, len) < 0 ||
	    listen(fd, 1) < 0)
		return -1;
	struct sockaddr_in6 name = {0};
	len = sizeof(name);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	*port = ntohs(name.sin6_port); /* the same place in both families */
	return take_fd(&fd);
}

static void test_a_listener_is_found_by_its_port(void **state)
{
	struct diag_listener found[4] = {0};
	uint64_t cookie = 0;
	uint16_t port = 0;
	const uint8_t loopback[4] = {127, 0, 0, 1};
	(void)state;
	int fd = listen_on(AF_INET, &port, 0);
	assert_true(fd >= 0);
	assert_int_equal(sock_cookie(fd, &cookie), 0);
	assert_int_equal(diag_tcp_listeners(port, found, 4), 1);
	assert_int_equal(found[0].cookie, cookie);
	assert_int_equal(found[0].family, AF_INET);
	assert_memory_equal(found[0].addr, loopback, sizeof(loopback));
	assert_int_equal(close(fd), 0);
	assert_int_equal(diag_tcp_listeners(port, found, 4), 0);
}

static void test_one_that_only_is_bound_does_not_listen(void **state)
{
	struct diag_listener found[1];
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(in);
	(void)state;
	auto_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	assert_int_equal(diag_tcp_listeners(ntohs(in.sin_port), found, 1), 0);
}

static void test_both_families_are_told(void **state)
{
	struct diag_listener found[4] = {0};
	const uint8_t any[16] = {0};
	uint16_t port = 0;
	(void)state;
	auto_fd int four = listen_on(AF_INET, &port, 0);
	auto_fd int six = listen_on(AF_INET6, &port, 1);
	assert_true(four >= 0);
	if (six < 0)
		skip(); /* no IPv6 here */
	assert_int_equal(diag_tcp_listeners(port, found, 4), 2);
	assert_int_equal(found[0].family, AF_INET);
	assert_int_equal(found[1].family, AF_INET6);
	assert_true(found[1].v6only);
	assert_memory_equal(found[1].addr, any, sizeof(any));
	uint16_t other = 0;
	auto_fd int both = listen_on(AF_INET6, &other, 0);
	assert_true(both >= 0);
	assert_int_equal(diag_tcp_listeners(other, found, 4), 1);
	assert_false(found[0].v6only);
}

/* More than one message holds; and more than there is room for is an error, not a part of the truth. */
static void test_many_on_one_port(void **state)
{
	static struct diag_listener found[MANY + 1];
	uint64_t cookie = 0;
	uint16_t port = 0;
	int fds[MANY];
	(void)state;
	for (int i = 0; i < MANY; i++) {
		fds[i] = listen_on(AF_INET, &port, 0);
		assert_true(fds[i] >= 0);
	}
	assert_int_equal(diag_tcp_listeners(port, found, MANY + 1), MANY);
	for (int i = 0; i < MANY; i++) {
		int seen = 0;
		assert_int_equal(sock_cookie(fds[i], &cookie), 0);
		for (int j = 0; j < MANY; j++)
			seen += found[j].cookie == cookie;
		assert_int_equal(seen, 1);
	}
	assert_int_equal(diag_tcp_listeners(port, found, MANY), MANY);
	errno = 0;
	assert_int_equal(diag_tcp_listeners(port, found, MANY - 1), -1);
	assert_int_equal(errno, EOVERFLOW);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(close(fds[i]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_listener_is_found_by_its_port),
		cmocka_unit_test(test_one_that_only_is_bound_does_not_listen),
		cmocka_unit_test(test_both_families_are_told),
		cmocka_unit_test(test_many_on_one_port),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
