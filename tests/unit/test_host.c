#include "check.h"

#include <string.h>

#include "base/own.h"
#include "format/host.h"

#define LABEL63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

struct host_case {
	const char *text;
	const char *name; /* NULL: refused */
	enum host_kind kind;
	bool in_brackets;
};

static const struct host_case host_cases[] = {
	{"example.org", "example.org", HOST_NAME, false},
	{"Example.ORG", "example.org", HOST_NAME, false},
	{"example.org.", "example.org", HOST_NAME, false},
	{"localhost", "localhost", HOST_NAME, false},
	{"_dns-sd._udp.a-b.example", "_dns-sd._udp.a-b.example", HOST_NAME, false},
	{"r3---sn-abc.example", "r3---sn-abc.example", HOST_NAME, false},
	{"xn--bcher-kva.example", "xn--bcher-kva.example", HOST_NAME, false},
	{"1e100.net", "1e100.net", HOST_NAME, false},
	{"1.2.3.4.example", "1.2.3.4.example", HOST_NAME, false},
	{"0x7f.example", "0x7f.example", HOST_NAME, false},
	{"a.0xg", "a.0xg", HOST_NAME, false},
	{"a.1a", "a.1a", HOST_NAME, false},
	{LABEL63 ".example", LABEL63 ".example", HOST_NAME, false},
	{LABEL63 "." LABEL63 "." LABEL63 "."
		 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg",
	 LABEL63 "." LABEL63 "." LABEL63 "."
		 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffg",
	 HOST_NAME, false},
	{"192.0.2.1", "192.0.2.1", HOST_ADDRESS, false},
	{"192.0.2.1", "192.0.2.1", HOST_ADDRESS, true},
	{"2001:DB8:0::1", "2001:db8::1", HOST_ADDRESS, false},
	{"[2001:DB8:0::1]", "2001:db8::1", HOST_ADDRESS, true},
	{"[::ffff:127.0.0.1]", "127.0.0.1", HOST_ADDRESS, true},
	{"::ffff:127.0.0.1", "127.0.0.1", HOST_ADDRESS, false},
	/* what is an address for some programs */
	{"127.1", NULL, 0, false},
	{"0x7f.1", NULL, 0, false},
	{"0X7F000001", NULL, 0, false},
	{"0x", NULL, 0, false},
	{"017.0.0.1", NULL, 0, false},
	{"2130706433", NULL, 0, false},
	{"1.2.3.4.", NULL, 0, false},
	{"1.2.3.4.5", NULL, 0, false},
	{"256.256.256.256", NULL, 0, false},
	{"example.1", NULL, 0, false},
	{"example.0x1", NULL, 0, false},
	{"fe80::1%eth0", NULL, 0, false},
	{"[fe80::1%25eth0]", NULL, 0, true},
	{"[::1]", NULL, 0, false},
	{"::1", NULL, 0, true},
	{"[192.0.2.1]", NULL, 0, true},
	{"[example.org]", NULL, 0, true},
	{"[v1.fe80::a]", NULL, 0, true},
	{"[]", NULL, 0, true},
	{"[::1", NULL, 0, true},
	{"::1]", NULL, 0, true},
	{"[[::1]]", NULL, 0, true},
	/* bytes and labels */
	{"", NULL, 0, false},
	{".", NULL, 0, false},
	{"..", NULL, 0, false},
	{".example.org", NULL, 0, false},
	{"example..org", NULL, 0, false},
	{"example.org..", NULL, 0, false},
	{"-a.example", NULL, 0, false},
	{"a-.example", NULL, 0, false},
	{"*.example.org", NULL, 0, false},
	{"exa mple.org", NULL, 0, false},
	{" example.org", NULL, 0, false},
	{"example.org\t", NULL, 0, false},
	{"example.org\n", NULL, 0, false},
	{"example.org/", NULL, 0, false},
	{"a@example.org", NULL, 0, false},
	{"example%2eorg", NULL, 0, false},
	{"b\xc3\xbc"
	 "cher.example",
	 NULL, 0, false},
	{"example\xe3\x80\x82org", NULL, 0, false},
	{"\xef\xbc\x91.1.1.1", NULL, 0, false},
	{"example.org:80", NULL, 0, false},
	{LABEL63 "a.example", NULL, 0, false},
	{LABEL63 "." LABEL63 "." LABEL63 "."
		 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgg",
	 NULL, 0, false},
};

static void test_hosts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(host_cases); i++) {
		const struct host_case *c = &host_cases[i];
		struct host host = {0}, again;
		const char *why = NULL;
		bool taken = host_read(str_from(c->text), c->in_brackets, &host, &why);
		if (taken != (c->name != NULL) || taken == (why != NULL))
			fail_msg("'%s': %s", c->text, taken ? "taken" : why);
		assert_int_equal(host.kind, c->kind);
		if (!taken)
			continue;
		assert_string_equal(host.name, c->name);
		assert_int_equal(host.name_len, strlen(c->name));
		assert_true(host_read(host_text(&host), false, &again, NULL));
		assert_true(host_equal(&host, &again));
		assert_int_equal(host.address.family != NET_NONE, host.kind == HOST_ADDRESS);
	}
}

static void test_nul_is_refused(void **state)
{
	(void)state;
	struct host host;
	const char *why = NULL;
	assert_false(host_read(STR("attacker\0.example.org"), false, &host, &why));
	assert_string_equal(why, "has a byte that no host name has");
	assert_false(host_read(STR("example.org\0"), false, &host, &why));
	assert_false(host_read((struct str){NULL, 0}, true, &host, NULL));
}

struct port_case {
	const char *text;
	uint16_t default_port;
	const char *name; /* NULL: refused */
	uint16_t port;
};

static const struct port_case port_cases[] = {
	{"example.org:443", 0, "example.org", 443},
	{"example.org", 80, "example.org", 80},
	{"example.org.:80", 0, "example.org", 80},
	{"192.0.2.1:22", 0, "192.0.2.1", 22},
	{"[2001:db8::1]:65535", 0, "2001:db8::1", 65535},
	{"[2001:db8::1]", 443, "2001:db8::1", 443},
	{"a:1", 9, "a", 1},
	{"example.org", 0, NULL, 0},
	{"example.org:", 80, NULL, 0},
	{"example.org:0", 80, NULL, 0},
	{"example.org:080", 80, NULL, 0},
	{"example.org:65536", 80, NULL, 0},
	{"example.org:99999999999999999999", 80, NULL, 0},
	{"example.org:-1", 80, NULL, 0},
	{"example.org:+1", 80, NULL, 0},
	{"example.org: 1", 80, NULL, 0},
	{"example.org:1 ", 80, NULL, 0},
	{"example.org:http", 80, NULL, 0},
	{"example.org:1:2", 80, NULL, 0},
	{"2001:db8::1", 80, NULL, 0},
	{"::1:80", 80, NULL, 0},
	{"[::1]80", 80, NULL, 0},
	{"[::1]x:80", 80, NULL, 0},
	{"[::1", 80, NULL, 0},
	{"[::1:80", 80, NULL, 0},
	{":80", 80, NULL, 0},
	{"[]:80", 80, NULL, 0},
	{"", 80, NULL, 0},
	{"127.1:80", 80, NULL, 0},
	{"u@example.org:80", 80, NULL, 0},
};

static void test_ports(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(port_cases); i++) {
		const struct port_case *c = &port_cases[i];
		struct host host = {0};
		uint16_t port = 0;
		const char *why = NULL;
		bool taken = host_read_port(str_from(c->text), c->default_port, &host, &port, &why);
		if (taken != (c->name != NULL) || taken == (why != NULL))
			fail_msg("'%s': %s", c->text, taken ? "taken" : why);
		assert_int_equal(port, c->port);
		if (taken)
			assert_string_equal(host.name, c->name);
	}
}

static void test_equal(void **state)
{
	(void)state;
	struct host a, b, none = {0};
	assert_true(host_read(STR("Example.org"), false, &a, NULL));
	assert_true(host_read(STR("eXample.org."), false, &b, NULL));
	assert_true(host_equal(&a, &b));
	assert_true(host_read(STR("xexample.org"), false, &b, NULL));
	assert_false(host_equal(&a, &b));
	assert_false(host_equal(&none, &none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_nul_is_refused),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_equal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
