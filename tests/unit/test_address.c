#include "check.h"

#include <string.h>

#include "base/own.h"
#include "format/address.h"

struct parse_case {
	const char *text;
	const char *printed; /* NULL: not an address */
};

static const struct parse_case parse_cases[] = {
	{"0.0.0.0", "0.0.0.0"},
	{"192.0.2.1", "192.0.2.1"},
	{"255.255.255.255", "255.255.255.255"},
	{"::", "::"},
	{"::1", "::1"},
	{"2001:DB8::1", "2001:db8::1"},
	{"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
	{"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
	{"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
	{"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
	/* RFC 5952, 4 */
	{"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
	{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
	{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
	{"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
	{"fe80:0:0:0:0:0:0:0", "fe80::"},
	{"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
	/* what is IPv4 inside */
	{"::ffff:192.0.2.1", "192.0.2.1"},
	{"::ffff:c000:201", "192.0.2.1"},
	{"0:0:0:0:0:FFFF:127.0.0.1", "127.0.0.1"},
	{"::fffe:192.0.2.1", "::fffe:c000:201"},
	{"::192.0.2.1", "::c000:201"},
	/* what inet_aton takes */
	{"127.1", NULL},
	{"127", NULL},
	{"2130706433", NULL},
	{"0x7f.0.0.1", NULL},
	{"0x7f000001", NULL},
	{"017.0.0.1", NULL},
	{"0177.0.0.01", NULL},
	{"127.0.0.01", NULL},
	{"00.0.0.0", NULL},
	{"1.2.3.256", NULL},
	{"1.2.3.999999999999", NULL},
	{"1.2.3", NULL},
	{"1.2.3.4.5", NULL},
	{"1.2.3.4.", NULL},
	{".1.2.3.4", NULL},
	{"1..3.4", NULL},
	{" 1.2.3.4", NULL},
	{"1.2.3.4 ", NULL},
	{"+1.2.3.4", NULL},
	{"1.2.3.-4", NULL},
	{"1.2.3.4/32", NULL},
	{"1.2.3.4:80", NULL},
	/* IPv6 */
	{"", NULL},
	{":", NULL},
	{":::", NULL},
	{"1::2::3", NULL},
	{"1:2:3:4:5:6:7", NULL},
	{"1:2:3:4:5:6:7:8:9", NULL},
	{":1:2:3:4:5:6:7:8", NULL},
	{"1:2:3:4:5:6:7:", NULL},
	{"1:2:3:4:5:6:7:8::", NULL},
	{"12345::", NULL},
	{"g::", NULL},
	{"::1%lo", NULL},
	{"fe80::1%25eth0", NULL},
	{"[::1]", NULL},
	{"::1 ", NULL},
	{"::127.1", NULL},
	{"::ffff:0177.0.0.1", NULL},
	{"::1.2.3.4:5", NULL},
	{"1:2:3:4:5:6:7:1.2.3.4", NULL},
	{"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", NULL},
};

static void test_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(parse_cases); i++) {
		const struct parse_case *c = &parse_cases[i];
		struct net_address address = {0}, again;
		char printed[ADDRESS_TEXT_SIZE];
		bool taken = address_parse(str_from(c->text), &address);
		if (taken != (c->printed != NULL))
			fail_msg("'%s' is %s", c->text, taken ? "taken" : "refused");
		if (!taken) {
			assert_int_equal(address.family, NET_NONE);
			continue;
		}
		assert_int_equal(address_print(&address, printed), strlen(c->printed));
		assert_string_equal(printed, c->printed);
		assert_true(address_parse(str_from(printed), &again));
		assert_true(address_equal(&address, &again));
	}
}

static void test_nul_is_refused(void **state)
{
	(void)state;
	struct net_address address;
	assert_false(address_parse(STR("127.0.0.1\0.example.org"), &address));
	assert_false(address_parse(STR("127.0.0.1\0"), &address));
	assert_false(address_parse((struct str){NULL, 0}, &address));
}

static void test_longest_text_fits(void **state)
{
	(void)state;
	struct net_address address;
	char printed[ADDRESS_TEXT_SIZE];
	assert_true(address_parse(STR("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"), &address));
	assert_int_equal(address_print(&address, printed), 39);
	struct net_range range = {address, 127};
	char text[ADDRESS_RANGE_SIZE];
	assert_int_equal(address_range_print(&range, text), 43);
}

static void test_bytes(void **state)
{
	(void)state;
	static const uint8_t mapped[16] = {[10] = 0xff, 0xff, 10, 1, 2, 3};
	struct net_address address, ipv4;
	assert_true(address_from_bytes((struct span){mapped, 16}, &address));
	assert_true(address_from_bytes((struct span){mapped + 12, 4}, &ipv4));
	assert_int_equal(address.family, NET_IPV4);
	assert_true(address_equal(&address, &ipv4));
	assert_int_equal(address_size(&address), 4);
	assert_true(address_from_bytes((struct span){(const uint8_t[16]){[15] = 1}, 16}, &address));
	assert_int_equal(address_size(&address), 16);
	assert_false(address_equal(&address, &ipv4));
	assert_false(address_from_bytes((struct span){mapped, 0}, &address));
	assert_false(address_from_bytes((struct span){mapped, 5}, &address));
	assert_false(address_from_bytes((struct span){mapped, 15}, &address));
}

static void test_none_is_told(void **state)
{
	(void)state;
	struct net_address none = {0};
	char text[ADDRESS_TEXT_SIZE];
	assert_int_equal(address_print(&none, text), 1);
	assert_string_equal(text, "-");
	assert_int_equal(address_size(&none), 0);
	assert_false(address_in_range(&none, &(struct net_range){0}));
}

static const struct parse_case range_cases[] = {
	{"10.0.0.0/8", "10.0.0.0/8"},
	{"0.0.0.0/0", "0.0.0.0/0"},
	{"::/0", "::/0"},
	{"192.0.2.1", "192.0.2.1"},
	{"192.0.2.1/32", "192.0.2.1"},
	{"192.0.2.2/31", "192.0.2.2/31"},
	{"fd00::/8", "fd00::/8"},
	{"2001:DB8::/33", "2001:db8::/33"},
	{"2001:db8:8000::/33", "2001:db8:8000::/33"},
	{"::1/128", "::1"},
	{"::ffff:10.0.0.0/104", "10.0.0.0/8"},
	{"::ffff:0:0/96", "0.0.0.0/0"},
	{"::ffff:10.0.0.0/95", NULL},
	{"::ffff:10.0.0.0/8", NULL},
	{"10.0.0.1/8", NULL},
	{"192.0.2.1/31", NULL},
	{"2001:db8:8000::/32", NULL},
	{"10.0.0.0/33", NULL},
	{"::/129", NULL},
	{"10.0.0.0/", NULL},
	{"10.0.0.0/08", NULL},
	{"10.0.0.0/+8", NULL},
	{"10.0.0.0/8/8", NULL},
	{"10.0.0.0/255.0.0.0", NULL},
	{"10.0.0/8", NULL},
	{"10/8", NULL},
	{"/8", NULL},
	{"", NULL},
	{"example.org/8", NULL},
};

static void test_ranges(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(range_cases); i++) {
		const struct parse_case *c = &range_cases[i];
		struct net_range range = {0};
		struct berm_err err = {0};
		char printed[ADDRESS_RANGE_SIZE];
		enum berm_code code = address_range_parse(str_from(c->text), &range, &err);
		if ((code == BERM_OK) != (c->printed != NULL))
			fail_msg("'%s': %s", c->text, code == BERM_OK ? "taken" : err.msg);
		if (code != BERM_OK) {
			assert_int_equal(code, BERM_ERR_PARSE);
			assert_int_equal(range.base.family, NET_NONE);
			continue;
		}
		assert_int_equal(address_range_print(&range, printed), strlen(c->printed));
		assert_string_equal(printed, c->printed);
	}
	assert_int_equal(address_range_parse((struct str){NULL, 0}, &(struct net_range){0}, NULL), BERM_ERR_PARSE);
}

static const struct {
	const char *range, *address;
	bool in;
} in_cases[] = {
	{"10.0.0.0/8", "10.255.255.255", true},
	{"10.0.0.0/8", "11.0.0.0", false},
	{"10.0.0.0/8", "9.255.255.255", false},
	{"100.64.0.0/10", "100.127.255.255", true},
	{"100.64.0.0/10", "100.128.0.0", false},
	{"100.64.0.0/10", "100.63.255.255", false},
	{"0.0.0.0/0", "203.0.113.1", true},
	{"0.0.0.0/0", "::1", false},
	{"::/0", "::1", true},
	{"::/0", "127.0.0.1", false},
	{"::/0", "::ffff:127.0.0.1", false},
	{"192.0.2.7", "192.0.2.7", true},
	{"192.0.2.7", "192.0.2.6", false},
	{"2001:db8::/33", "2001:db8:7fff::1", true},
	{"2001:db8::/33", "2001:db8:8000::", false},
	{"::1/128", "::1", true},
	{"::1/128", "::2", false},
};

static void test_in_range(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(in_cases); i++) {
		struct net_range range;
		struct net_address address;
		assert_int_equal(address_range_parse(str_from(in_cases[i].range), &range, NULL), BERM_OK);
		assert_true(address_parse(str_from(in_cases[i].address), &address));
		if (address_in_range(&address, &range) != in_cases[i].in)
			fail_msg("%s in %s", in_cases[i].address, in_cases[i].range);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_nul_is_refused),
		cmocka_unit_test(test_longest_text_fits),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_none_is_told),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_in_range),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
