#include "check.h"

#include <string.h>

#include "base/own.h"
#include "format/address_special.h"

struct special_case {
	const char *address;
	const char *name; /* NULL: nothing special */
	enum address_class class;
};

static const struct special_case special_cases[] = {
	/* ordinary ones, and the neighbours of ranges */
	{"1.1.1.1", NULL, 0},
	{"8.8.8.8", NULL, 0},
	{"1.0.0.0", NULL, 0},
	{"9.255.255.255", NULL, 0},
	{"11.0.0.0", NULL, 0},
	{"100.63.255.255", NULL, 0},
	{"100.128.0.0", NULL, 0},
	{"126.255.255.255", NULL, 0},
	{"128.0.0.0", NULL, 0},
	{"168.63.129.15", NULL, 0},
	{"169.253.255.255", NULL, 0},
	{"169.255.0.0", NULL, 0},
	{"172.15.255.255", NULL, 0},
	{"172.32.0.0", NULL, 0},
	{"192.0.1.0", NULL, 0},
	{"192.167.255.255", NULL, 0},
	{"192.169.0.0", NULL, 0},
	{"198.17.255.255", NULL, 0},
	{"198.20.0.0", NULL, 0},
	{"223.255.255.255", NULL, 0},
	{"2606:4700:4700::1111", NULL, 0},
	{"2000::", NULL, 0},
	{"2001:200::1", NULL, 0},
	{"2001:db9::", NULL, 0},
	{"2003::1", NULL, 0},
	{"2a00:1450:4001:81b::200e", NULL, 0},
	{"3fff:1000::", NULL, 0},
	/* IPv4 */
	{"0.0.0.0", "this host", ADDRESS_NEVER},
	{"0.0.0.1", "this network", ADDRESS_NEVER},
	{"0.255.255.255", "this network", ADDRESS_NEVER},
	{"10.0.0.0", "private use", ADDRESS_PRIVATE},
	{"100.64.0.0", "shared space of providers", ADDRESS_PRIVATE},
	{"127.0.0.1", "loopback", ADDRESS_LOOPBACK},
	{"127.255.255.254", "loopback", ADDRESS_LOOPBACK},
	{"169.254.1.1", "link-local", ADDRESS_LINK},
	{"169.254.169.253", "link-local", ADDRESS_LINK},
	{"172.16.0.1", "private use", ADDRESS_PRIVATE},
	{"172.31.255.255", "private use", ADDRESS_PRIVATE},
	{"192.0.0.1", "IPv4 service continuity", ADDRESS_LINK},
	{"192.0.0.8", "IPv4 dummy address", ADDRESS_NEVER},
	{"192.0.0.9", "port control protocol anycast", ADDRESS_ASSIGNED},
	{"192.0.0.10", "TURN anycast", ADDRESS_ASSIGNED},
	{"192.0.0.11", "IETF protocol assignments", ADDRESS_NEVER},
	{"192.0.0.171", "NAT64 and DNS64 discovery", ADDRESS_NEVER},
	{"192.0.2.1", "documentation", ADDRESS_NEVER},
	{"192.88.99.1", "6to4 relay anycast, deprecated", ADDRESS_NEVER},
	{"192.88.99.2", "6a44 relay anycast", ADDRESS_NEVER},
	{"192.168.255.255", "private use", ADDRESS_PRIVATE},
	{"198.18.0.1", "benchmarking", ADDRESS_ASSIGNED},
	{"198.19.255.255", "benchmarking", ADDRESS_ASSIGNED},
	{"224.0.0.1", "multicast", ADDRESS_NEVER},
	{"240.0.0.1", "reserved", ADDRESS_NEVER},
	{"255.255.255.254", "reserved", ADDRESS_NEVER},
	{"255.255.255.255", "broadcast", ADDRESS_NEVER},
	/* IPv6 */
	{"::", "unspecified", ADDRESS_NEVER},
	{"::1", "loopback", ADDRESS_LOOPBACK},
	{"::2", "IPv4-compatible, deprecated", ADDRESS_NEVER},
	{"::127.0.0.1", "IPv4-compatible, deprecated", ADDRESS_NEVER},
	{"::1:0:0:1", "not allocated", ADDRESS_NEVER},
	{"64:ff9b:2::1", "not allocated", ADDRESS_NEVER},
	{"100::1", "discard only", ADDRESS_NEVER},
	{"100:0:0:1::1", "dummy prefix", ADDRESS_NEVER},
	{"100:0:0:2::1", "not allocated", ADDRESS_NEVER},
	{"2001:1::1", "port control protocol anycast", ADDRESS_ASSIGNED},
	{"2001:1::4", "IETF protocol assignments", ADDRESS_NEVER},
	{"2001:2::1", "benchmarking", ADDRESS_ASSIGNED},
	{"2001:1ff::", "IETF protocol assignments", ADDRESS_NEVER},
	{"2001:20::1", "ORCHID version 2", ADDRESS_NEVER},
	{"2001:db8::1", "documentation", ADDRESS_NEVER},
	{"3fff:fff::1", "documentation", ADDRESS_NEVER},
	{"4000::1", "not allocated", ADDRESS_NEVER},
	{"5f00::1", "segment routing SIDs", ADDRESS_NEVER},
	{"5f01::1", "not allocated", ADDRESS_NEVER},
	{"8000::1", "not allocated", ADDRESS_NEVER},
	{"fc00::1", "unique local", ADDRESS_PRIVATE},
	{"fdff::1", "unique local", ADDRESS_PRIVATE},
	{"fe00::1", "not allocated", ADDRESS_NEVER},
	{"fe80::1", "link-local", ADDRESS_LINK},
	{"febf::1", "link-local", ADDRESS_LINK},
	{"fec0::1", "site-local, deprecated", ADDRESS_PRIVATE},
	{"ff02::1", "multicast", ADDRESS_NEVER},
	/* metadata */
	{"169.254.169.254", "cloud metadata", ADDRESS_METADATA},
	{"169.254.170.2", "task credentials", ADDRESS_METADATA},
	{"169.254.170.23", "pod credentials", ADDRESS_METADATA},
	{"100.100.100.200", "cloud metadata", ADDRESS_METADATA},
	{"100.96.0.96", "cloud metadata", ADDRESS_METADATA},
	{"168.63.129.16", "cloud host agent", ADDRESS_METADATA},
	{"192.0.0.192", "cloud metadata", ADDRESS_METADATA},
	{"fd00:ec2::254", "cloud metadata", ADDRESS_METADATA},
	{"fd00:ec2::23", "cloud metadata", ADDRESS_METADATA},
	{"fd00:ec3::254", "unique local", ADDRESS_PRIVATE},
	{"fd20:ce::254", "cloud metadata", ADDRESS_METADATA},
	{"fd00:c1::a9fe:a9fe", "cloud metadata", ADDRESS_METADATA},
	{"fd00:42::42", "cloud metadata", ADDRESS_METADATA},
	{"fd00:a9fe:a9fe::1", "cloud metadata", ADDRESS_METADATA},
	{"fe80::a9fe:a9fe", "cloud metadata", ADDRESS_METADATA},
	/* IPv4 inside */
	{"::ffff:8.8.8.8", NULL, 0},
	{"::ffff:10.0.0.1", "private use", ADDRESS_PRIVATE},
	{"::ffff:169.254.169.254", "cloud metadata", ADDRESS_METADATA},
	{"::ffff:0:8.8.8.8", "IPv4-translated", ADDRESS_TRANSLATED},
	{"::ffff:0:169.254.169.254", "cloud metadata", ADDRESS_METADATA},
	{"64:ff9b::8.8.8.8", "NAT64", ADDRESS_TRANSLATED},
	{"64:ff9b::127.0.0.1", "loopback", ADDRESS_LOOPBACK},
	{"64:ff9b::0.0.0.0", "this host", ADDRESS_NEVER},
	{"64:ff9b::169.254.169.254", "cloud metadata", ADDRESS_METADATA},
	{"64:ff9b::224.0.0.1", "multicast", ADDRESS_NEVER},
	{"64:ff9b:0:0:0:1:8.8.8.8", "not allocated", ADDRESS_NEVER},
	{"64:ff9b:1::8.8.8.8", "NAT64 of this network", ADDRESS_TRANSLATED},
	{"64:ff9b:1::169.254.169.254", "cloud metadata", ADDRESS_METADATA},
	{"64:ff9b:1:a9fe:a9:fe00::", "cloud metadata", ADDRESS_METADATA},
	{"64:ff9b:1:a9:fe:a9fe::", "cloud metadata", ADDRESS_METADATA},
	{"64:ff9b:1:0:a9:fea9:fe00:0", "cloud metadata", ADDRESS_METADATA},
	{"2001::", "broadcast", ADDRESS_NEVER},
	/* RFC 4380: server 65.54.227.120, client 192.0.2.45, the example of section 4 */
	{"2001:0:4136:e378:8000:63bf:3fff:fdd2", "documentation", ADDRESS_NEVER},
	{"2001:0:4136:e378:8000:63bf:f7f7:f7f7", "Teredo", ADDRESS_TRANSLATED},
	{"2001:0:4136:e378:8000:63bf:5601:5601", "cloud metadata", ADDRESS_METADATA},
	{"2001:0:a00:1:8000:63bf:f7f7:f7f7", "private use", ADDRESS_PRIVATE},
	{"2002:808:808::1", "6to4", ADDRESS_TRANSLATED},
	{"2002:7f00:1::", "loopback", ADDRESS_LOOPBACK},
	{"2002:a9fe:a9fe::1", "cloud metadata", ADDRESS_METADATA},
	{"2002:c0a8:101::1", "private use", ADDRESS_PRIVATE},
	{"2606:4700::5efe:8.8.8.8", NULL, 0},
	{"2606:4700::5efe:10.0.0.1", "private use", ADDRESS_PRIVATE},
	{"2606:4700::200:5efe:169.254.169.254", "cloud metadata", ADDRESS_METADATA},
	{"fe80::5efe:8.8.8.8", "link-local", ADDRESS_LINK},
};

static void test_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(special_cases); i++) {
		const struct special_case *c = &special_cases[i];
		struct net_address address;
		assert_true(address_parse(str_from(c->address), &address));
		const struct address_special *row = address_special(&address);
		if ((row == NULL) != (c->name == NULL))
			fail_msg("%s is %s", c->address, row == NULL ? "nothing special" : row->name);
		if (row == NULL)
			continue;
		if (strcmp(row->name, c->name) != 0 || row->class != c->class)
			fail_msg("%s is %s (%d), not %s", c->address, row->name, (int)row->class, c->name);
	}
}

static struct net_address last_of(const struct net_range *range)
{
	struct net_address last = range->base;
	for (size_t bit = range->bits; bit < 8 * address_size(&last); bit++)
		last.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return last;
}

/* No row is hidden, none is written wrongly. */
static void test_rows(void **state)
{
	(void)state;
	size_t count = 0;
	for (const struct address_special *row; (row = address_special_at(count)) != NULL; count++) {
		struct net_address last = last_of(&row->range);
		struct net_range parsed;
		char text[ADDRESS_RANGE_SIZE];
		assert_true(address_range_print(&row->range, text) > 0);
		if (address_range_parse(str_from(text), &parsed, NULL) != BERM_OK)
			fail_msg("%s has bits behind its length", text);
		assert_true(address_in_range(&last, &row->range));
		assert_non_null(address_special(&row->range.base));
		assert_non_null(address_special(&last));
		assert_true(row->name[0] != '\0' && row->source[0] != '\0');
		for (size_t i = 0; i < count; i++) {
			const struct net_range *other = &address_special_at(i)->range;
			if (other->bits == row->range.bits && address_equal(&other->base, &row->range.base))
				fail_msg("%s stands there twice", text);
		}
	}
	assert_true(count > 70);
	assert_null(address_special_at(count));
	assert_null(address_special_at(SIZE_MAX));
}

static void test_no_address_is_never(void **state)
{
	(void)state;
	struct net_address none = {0};
	const struct address_special *row = address_special(&none);
	assert_non_null(row);
	assert_int_equal(row->class, ADDRESS_NEVER);
}

static const struct {
	const char *address;
	const char *inside[5];
} embedded_cases[] = {
	{"8.8.8.8", {NULL}},
	{"2606:4700::1", {NULL}},
	{"64:ff9b::c000:221", {"192.0.2.33"}},
	{"2002:c000:204::", {"192.0.2.4"}},
	{"2001:0:4136:e378:8000:63bf:3fff:fdd2", {"192.0.2.45", "65.54.227.120"}},
	/* RFC 6052, 2.4: 192.0.2.33 in a /48, a /56, a /64 and a /96 */
	{"64:ff9b:1:c000:2:2100::", {"0.0.0.0", "192.0.2.33", "0.2.33.0", "2.33.0.0"}},
	{"64:ff9b:1:c0:0:221::", {"0.0.0.0", "0.192.0.2", "192.0.2.33", "0.2.33.0"}},
	{"64:ff9b:1:0:c0:2:2100:0", {"33.0.0.0", "0.0.192.0", "0.192.0.2", "192.0.2.33"}},
	{"64:ff9b:1::192.0.2.33", {"192.0.2.33", "0.0.0.0", "0.0.0.0", "0.0.0.192"}},
	{"2606:4700::5efe:c000:204", {"192.0.2.4"}},
};

static void test_embedded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(embedded_cases); i++) {
		struct net_address address, inner;
		char text[ADDRESS_TEXT_SIZE];
		size_t index = 0;
		assert_true(address_parse(str_from(embedded_cases[i].address), &address));
		for (; address_embedded(&address, index, &inner); index++) {
			assert_non_null(embedded_cases[i].inside[index]);
			assert_int_equal(inner.family, NET_IPV4);
			assert_true(address_print(&inner, text) > 0);
			assert_string_equal(text, embedded_cases[i].inside[index]);
		}
		assert_null(embedded_cases[i].inside[index]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_no_address_is_never),
		cmocka_unit_test(test_embedded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
