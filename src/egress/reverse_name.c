#include "egress/reverse_name.h"

static const struct str ipv4_end = {".in-addr.arpa", 13}, ipv6_end = {".ip6.arpa", 9};

bool reverse_name_is(struct str name)
{
	return str_ends(name, ipv4_end) || str_ends(name, ipv6_end) || str_eq(name, str_skip(ipv4_end, 1)) ||
	       str_eq(name, str_skip(ipv6_end, 1));
}

/* From the last byte to the first. */
static bool read_ipv4(struct str labels, struct net_address *ret)
{
	struct str label;
	uint64_t byte;
	size_t left = 4;
	for (; left > 0 && str_next(&labels, '.', &label); left--) {
		if (str_u64(label, 255, &byte, NULL) != BERM_OK || (label.len > 1 && label.ptr[0] == '0'))
			return false;
		ret->bytes[left - 1] = (uint8_t)byte;
	}
	ret->family = NET_IPV4;
	return left == 0 && labels.len == 0;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_ipv6(struct str labels, struct net_address *ret)
{
	struct str label;
	size_t left = 32;
	for (; left > 0 && str_next(&labels, '.', &label); left--) {
		int digit = label.len == 1 ? digit_of(label.ptr[0]) : -1;
		if (digit < 0)
			return false;
		ret->bytes[(left - 1) / 2] |= (uint8_t)(left % 2 == 0 ? digit : digit << 4);
	}
	ret->family = NET_IPV6;
	return left == 0 && labels.len == 0;
}

bool reverse_name_read(struct str name, struct net_address *ret_address)
{
	struct net_address address = {0};
	struct str end = str_ends(name, ipv4_end) ? ipv4_end : ipv6_end;
	if (!str_ends(name, end))
		return false;
	struct str labels = {name.ptr, name.len - end.len};
	if (!(end.ptr == ipv4_end.ptr ? read_ipv4(labels, &address) : read_ipv6(labels, &address)))
		return false;
	*ret_address = address;
	return true;
}
