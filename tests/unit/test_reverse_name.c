#include "check.h"

#include "base/own.h"
#include "egress/reverse_name.h"

static const struct {
	const char *name, *address; /* NULL: none */
} rows[] = {
	{"1.2.0.192.in-addr.arpa", "192.0.2.1"},
	{"0.0.0.0.in-addr.arpa", "0.0.0.0"},
	{"255.255.255.255.in-addr.arpa", "255.255.255.255"},
	{"256.2.0.192.in-addr.arpa", NULL},
	{"01.2.0.192.in-addr.arpa", NULL},
	{"2.0.192.in-addr.arpa", NULL},
	{"0.1.2.0.192.in-addr.arpa", NULL},
	{"x.2.0.192.in-addr.arpa", NULL},
	{"in-addr.arpa", NULL},
	{"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "2001:db8::1"},
	{"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", NULL},
	{"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.02.ip6.arpa", NULL},
	{"g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", NULL},
	{"ip6.arpa", NULL},
};

static void test_names_stand_for_addresses(void **state)
{
	(void)state;
	char text[ADDRESS_TEXT_SIZE];
	struct net_address address;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool found = reverse_name_read(str_from(rows[i].name), &address);
		assert_true(reverse_name_is(str_from(rows[i].name)));
		assert_int_equal(found, rows[i].address != NULL);
		if (!found)
			continue;
		address_print(&address, text);
		assert_string_equal(text, rows[i].address);
	}
}

static void test_other_names_are_none(void **state)
{
	(void)state;
	static const char *const names[] = {"arpa", "example.org", "xin-addr.arpa", "1.2.3.4.in-addr.arpa.example"};
	struct net_address address;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_false(reverse_name_is(str_from(names[i])));
		assert_false(reverse_name_read(str_from(names[i]), &address));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_stand_for_addresses),
		cmocka_unit_test(test_other_names_are_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
