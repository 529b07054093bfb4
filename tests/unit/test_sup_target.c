/* Addresses of IP as the supervisor judges them. */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "sandbox/sup_target.h"

static struct sock_call call4(const char *text, uint16_t port)
{
	struct sock_call sock = {.domain = AF_INET, .len = sizeof(struct sockaddr_in)};
	sock.addr.in.sin_family = AF_INET;
	sock.addr.in.sin_port = htons(port);
	assert_int_equal(inet_pton(AF_INET, text, &sock.addr.in.sin_addr), 1);
	return sock;
}

static struct sock_call call6(const char *text, uint16_t port)
{
	struct sock_call sock = {.domain = AF_INET6, .len = sizeof(struct sockaddr_in6)};
	sock.addr.in6.sin6_family = AF_INET6;
	sock.addr.in6.sin6_port = htons(port);
	assert_int_equal(inet_pton(AF_INET6, text, &sock.addr.in6.sin6_addr), 1);
	return sock;
}

static const struct reading {
	int domain;
	const char *in;
	int family;
	const char *out;
	bool any, loopback;
} readings[] = {
	{AF_INET, "203.0.113.5", AF_INET, "203.0.113.5:443", false, false},
	{AF_INET, "127.0.0.1", AF_INET, "127.0.0.1:443", false, true},
	{AF_INET, "127.255.255.254", AF_INET, "127.255.255.254:443", false, true},
	{AF_INET, "126.255.255.255", AF_INET, "126.255.255.255:443", false, false},
	{AF_INET, "128.0.0.1", AF_INET, "128.0.0.1:443", false, false},
	{AF_INET, "0.0.0.0", AF_INET, "0.0.0.0:443", true, false},
	{AF_INET, "0.0.0.1", AF_INET, "0.0.0.1:443", false, false},
	{AF_INET6, "2001:db8::1", AF_INET6, "[2001:db8::1]:443", false, false},
	{AF_INET6, "::1", AF_INET6, "[::1]:443", false, true},
	{AF_INET6, "::2", AF_INET6, "[::2]:443", false, false},
	{AF_INET6, "::", AF_INET6, "[::]:443", true, false},
	{AF_INET6, "::ffff:203.0.113.5", AF_INET, "203.0.113.5:443", false, false},
	{AF_INET6, "::ffff:127.0.0.2", AF_INET, "127.0.0.2:443", false, true},
	{AF_INET6, "::ffff:0.0.0.0", AF_INET, "0.0.0.0:443", true, false},
	/* not the mapped ones: compatible, translated, and one bit beside */
	{AF_INET6, "::127.0.0.1", AF_INET6, "[::127.0.0.1]:443", false, false},
	{AF_INET6, "64:ff9b::7f00:1", AF_INET6, "[64:ff9b::7f00:1]:443", false, false},
	{AF_INET6, "::fffe:127.0.0.1", AF_INET6, "[::fffe:7f00:1]:443", false, false},
};

static void test_read_as_the_kernel_takes_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
		const struct reading *row = &readings[i];
		char text[TARGET_TEXT];
		struct target target;
		struct sock_call sock = row->domain == AF_INET ? call4(row->in, 443) : call6(row->in, 443);
		assert_int_equal(target_read(&sock, &target), 0);
		assert_int_equal(target.family, row->family);
		assert_int_equal(target.port, 443);
		assert_int_equal(target_size(&target), row->family == AF_INET ? 4 : 16);
		assert_string_equal(target_text(&target, text), row->out);
		assert_int_equal(target_is_any(&target), row->any);
		assert_int_equal(target_is_loopback(&target), row->loopback);
	}
}

static void test_the_longest_text_fits(void **state)
{
	char text[TARGET_TEXT];
	struct target target;
	struct sock_call sock = call6("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", 65535);
	(void)state;
	assert_int_equal(target_read(&sock, &target), 0);
	assert_string_equal(target_text(&target, text), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

static void test_other_families_and_short_ones_are_refused(void **state)
{
	struct target target;
	struct sock_call sock = call4("127.0.0.1", 80);
	(void)state;
	sock.len--;
	assert_int_equal(target_read(&sock, &target), EINVAL);
	sock = call4("127.0.0.1", 80);
	sock.addr.in.sin_family = AF_INET6;
	assert_int_equal(target_read(&sock, &target), EAFNOSUPPORT);
	sock.addr.in.sin_family = AF_UNSPEC;
	assert_int_equal(target_read(&sock, &target), EAFNOSUPPORT);
	/* a socket of IPv6 does not take IPv4's addresses, and takes its own without a scope, as before RFC 2553 */
	sock = call6("::1", 80);
	sock.addr.in6.sin6_family = AF_INET;
	assert_int_equal(target_read(&sock, &target), EAFNOSUPPORT);
	sock = call6("::1", 80);
	sock.len = offsetof(struct sockaddr_in6, sin6_scope_id);
	assert_int_equal(target_read(&sock, &target), 0);
	sock.len--;
	assert_int_equal(target_read(&sock, &target), EINVAL);
	sock.len = 0;
	assert_int_equal(target_read(&sock, &target), EINVAL);
}

static void check_set(struct sock_call sock, bool mapped, const char *wanted, int domain)
{
	char text[TARGET_TEXT];
	struct target target, again;
	assert_int_equal(target_read(&sock, &target), 0);
	target_set_loopback(&sock, &target, mapped);
	assert_string_equal(target_text(&target, text), wanted);
	assert_int_equal(sock.addr.any.sa_family, domain);
	assert_int_equal(target_read(&sock, &again), 0);
	assert_string_equal(target_text(&again, text), wanted);
}

static void test_the_loopback_of_the_same_kind_is_set(void **state)
{
	(void)state;
	check_set(call4("0.0.0.0", 80), false, "127.0.0.1:80", AF_INET);
	check_set(call4("203.0.113.5", 80), true, "127.0.0.1:80", AF_INET);
	check_set(call6("2001:db8::1", 80), false, "[::1]:80", AF_INET6);
	check_set(call6("::ffff:203.0.113.5", 80), false, "127.0.0.1:80", AF_INET6);
	check_set(call6("::", 80), true, "127.0.0.1:80", AF_INET6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_as_the_kernel_takes_it),
		cmocka_unit_test(test_the_longest_text_fits),
		cmocka_unit_test(test_other_families_and_short_ones_are_refused),
		cmocka_unit_test(test_the_loopback_of_the_same_kind_is_set),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
