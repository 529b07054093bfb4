#include "check.h"

#include <string.h>

#include "base/own.h"
#include "policy/host_text.h"

static void test_parts(void **state)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
	} rows[] = {
		{"a.example", "a.example", 0},
		{"a.example:80", "a.example", 80},
		{"10.0.0.0/8:5432", "10.0.0.0/8", 5432},
		{"[fd00::/8]:22", "fd00::/8", 22},
		{"[::1]", "::1", 0},
		{"::1", "::1", 0},
		{"fd00::80", "fd00::80", 0},
		{"[ab]", "[ab]", 0},
		{"[ab].example:80", "[ab].example", 80},
		{"a.example:", "a.example:", 0},
		{"a.example:65536", "a.example:65536", 0},
		{"[::1]x:80", "::1", 0},
		{"", "", 0},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint16_t port = 1;
		struct str host = host_text_split(rows[i].text, &port);
		if (!str_eq(host, str_from(rows[i].host)) || port != rows[i].port)
			fail_msg("'%s': '%.*s' and %d", rows[i].text, (int)host.len, host.ptr, (int)port);
	}
}

static void test_networks(void **state)
{
	static const struct {
		const char *net, *address;
		bool in;
	} rows[] = {
		{"10.0.0.0/8", "10.255.0.1", true},
		{"10.0.0.0/8", "11.0.0.1", false},
		{"10.0.0.0/9", "10.128.0.1", false},
		{"10.1.2.3", "10.1.2.3", true},
		{"10.1.2.3", "10.1.2.4", false},
		{"0.0.0.0/0", "1.2.3.4", true},
		{"0.0.0.0/0", "::1", false},
		{"::/0", "::1", true},
		{"::/0", "1.2.3.4", false},
		{"::/0", "::ffff:1.2.3.4", false},
		{"10.0.0.0/8", "::ffff:10.1.1.1", true},
		{"::ffff:10.0.0.0/104", "10.9.9.9", true},
		{"fd00::/8", "fdff::1", true},
		{"fd00::/8", "fe00::1", false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct host_net net, address;
		assert_true(host_text_net(str_from(rows[i].net), true, &net));
		assert_true(host_text_net(str_from(rows[i].address), false, &address));
		if (host_text_in(&net, &address) != rows[i].in)
			fail_msg("%s in %s", rows[i].address, rows[i].net);
	}
}

static void test_what_is_no_address(void **state)
{
	static const char *const texts[] = {"",		  "a.example",	 "10.1",      "0x0a.1.1.1",
					    "10.0.0.1/8", "10.0.0.0/33", "fd00::1/8", "::/129",
					    "10.0.0.0/",  "fe80::1%lo",	 "[::1]",     "010.1.1.1"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct host_net net;
		if (host_text_net(str_from(texts[i]), true, &net))
			fail_msg("'%s'", texts[i]);
	}
	struct host_net net;
	assert_false(host_text_net(STR("10.0.0.0/8"), false, &net));
}

static void test_names(void **state)
{
	static const char *const good[] = {"a",		"a.example", "A-1_b.example.",
					   "1.example", "0xg",	     "xn--bcher-kva.example"};
	static const char *const bad[] = {
		"",    ".",   "a..b", ".a",	    "a b", "a/b", "1", "a.1", "a.0x7f", "a.0x", "z\xc3\xbc.example",
		"a:1", "*.a", "10.1", "2130706433."};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (!host_text_is_name(str_from(good[i])))
			fail_msg("'%s'", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (host_text_is_name(str_from(bad[i])))
			fail_msg("'%s'", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_what_is_no_address),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
