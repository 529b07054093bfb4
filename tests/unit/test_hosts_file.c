#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "egress/hosts_file.h"

static void free_hosts(struct hosts_file **hosts)
{
	hosts_file_free(*hosts);
}
#define auto_hosts __attribute__((cleanup(free_hosts)))

static void assert_finds(const char *text, const char *name, const char *expected)
{
	auto_hosts struct hosts_file *hosts = NULL;
	struct net_address addresses[4];
	char one[ADDRESS_TEXT_SIZE], all[256] = "";
	assert_int_equal(hosts_file_parse(str_from(text), &hosts, NULL), BERM_OK);
	size_t count = hosts_file_find(hosts, str_from(name), addresses, ARRAY_LEN(addresses));
	for (size_t i = 0; i < count; i++) {
		address_print(&addresses[i], one);
		(void)snprintf(all + strlen(all), sizeof(all) - strlen(all), " %s", one);
	}
	assert_string_equal(all, expected);
}

static void test_names_have_addresses(void **state)
{
	(void)state;
	static const char text[] = "127.0.0.1\tlocalhost loop\r\n# 192.0.2.9 not.example\n"
				   "192.0.2.1 A.example a # b.example\n2001:db8::1 a.example\n192.0.2.1 a.example";
	assert_finds(text, "localhost", " 127.0.0.1");
	assert_finds(text, "loop", " 127.0.0.1");
	assert_finds(text, "a.example", " 192.0.2.1 2001:db8::1");
	assert_finds(text, "a", " 192.0.2.1");
	assert_finds(text, "b.example", "");
	assert_finds(text, "not.example", "");
	assert_finds("", "a", "");
}

static void test_lines_that_do_not_hold_are_left_out(void **state)
{
	(void)state;
	static const char text[] = "fe80::1%eth0 a.example\n127.1 a.example\na.example 192.0.2.1\n\n192.0.2.1\n"
				   "192.0.2.2 a..example 10.0.0.1 good.example\n";
	assert_finds(text, "a.example", "");
	assert_finds(text, "10.0.0.1", "");
	assert_finds(text, "good.example", " 192.0.2.2");
}

static void test_a_name_has_as_many_as_are_asked_for(void **state)
{
	(void)state;
	assert_finds("192.0.2.1 a\n192.0.2.2 a\n192.0.2.3 a\n192.0.2.4 a\n192.0.2.5 a\n", "a",
		     " 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_have_addresses),
		cmocka_unit_test(test_lines_that_do_not_hold_are_left_out),
		cmocka_unit_test(test_a_name_has_as_many_as_are_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
