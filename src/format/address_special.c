#include "format/address_special.h"

#include <string.h>

#include "base/own.h"

/* clang-format off: one row, one line */
#define V4(a, b, c, d, bits)                                                                                           \
	{                                                                                                              \
		{NET_IPV4, {a, b, c, d}}, bits                                                                         \
	}
#define W(word) (word) >> 8, (word)&0xff
#define V6(a, b, c, d, e, f, g, h, bits)                                                                               \
	{                                                                                                              \
		{NET_IPV6, {W(a), W(b), W(c), W(d), W(e), W(f), W(g), W(h)}}, bits                                     \
	}

/*
 * iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry, every row of October 2025; multicast and
 * unallocated space from the registries beside them. Metadata addresses from the documents of their clouds.
 */
static const struct address_special rows[] = {
	/* IPv4 */
	{V4(0, 0, 0, 0, 8), "this network", "RFC 791", ADDRESS_NEVER},
	{V4(0, 0, 0, 0, 32), "this host", "RFC 1122", ADDRESS_NEVER},
	{V4(10, 0, 0, 0, 8), "private use", "RFC 1918", ADDRESS_PRIVATE},
	{V4(100, 64, 0, 0, 10), "shared space of providers", "RFC 6598", ADDRESS_PRIVATE},
	{V4(127, 0, 0, 0, 8), "loopback", "RFC 1122", ADDRESS_LOOPBACK},
	{V4(169, 254, 0, 0, 16), "link-local", "RFC 3927", ADDRESS_LINK},
	{V4(172, 16, 0, 0, 12), "private use", "RFC 1918", ADDRESS_PRIVATE},
	{V4(192, 0, 0, 0, 24), "IETF protocol assignments", "RFC 6890", ADDRESS_NEVER},
	{V4(192, 0, 0, 0, 29), "IPv4 service continuity", "RFC 7335", ADDRESS_LINK},
	{V4(192, 0, 0, 8, 32), "IPv4 dummy address", "RFC 7600", ADDRESS_NEVER},
	{V4(192, 0, 0, 9, 32), "port control protocol anycast", "RFC 7723", ADDRESS_ASSIGNED},
	{V4(192, 0, 0, 10, 32), "TURN anycast", "RFC 8155", ADDRESS_ASSIGNED},
	{V4(192, 0, 0, 170, 31), "NAT64 and DNS64 discovery", "RFC 8880", ADDRESS_NEVER},
	{V4(192, 0, 2, 0, 24), "documentation", "RFC 5737", ADDRESS_NEVER},
	{V4(192, 31, 196, 0, 24), "AS112", "RFC 7535", ADDRESS_ASSIGNED},
	{V4(192, 52, 193, 0, 24), "AMT", "RFC 7450", ADDRESS_ASSIGNED},
	{V4(192, 88, 99, 0, 24), "6to4 relay anycast, deprecated", "RFC 7526", ADDRESS_NEVER},
	{V4(192, 88, 99, 2, 32), "6a44 relay anycast", "RFC 6751", ADDRESS_NEVER},
	{V4(192, 168, 0, 0, 16), "private use", "RFC 1918", ADDRESS_PRIVATE},
	{V4(192, 175, 48, 0, 24), "AS112, direct delegation", "RFC 7534", ADDRESS_ASSIGNED},
	{V4(198, 18, 0, 0, 15), "benchmarking", "RFC 2544", ADDRESS_ASSIGNED},
	{V4(198, 51, 100, 0, 24), "documentation", "RFC 5737", ADDRESS_NEVER},
	{V4(203, 0, 113, 0, 24), "documentation", "RFC 5737", ADDRESS_NEVER},
	{V4(224, 0, 0, 0, 4), "multicast", "RFC 5771", ADDRESS_NEVER},
	{V4(240, 0, 0, 0, 4), "reserved", "RFC 1112", ADDRESS_NEVER},
	{V4(255, 255, 255, 255, 32), "broadcast", "RFC 919", ADDRESS_NEVER},
	/* IPv6 */
	{V6(0, 0, 0, 0, 0, 0, 0, 0, 3), "not allocated", "RFC 4291", ADDRESS_NEVER},
	{V6(0, 0, 0, 0, 0, 0, 0, 0, 96), "IPv4-compatible, deprecated", "RFC 4291", ADDRESS_NEVER},
	{V6(0, 0, 0, 0, 0, 0, 0, 0, 128), "unspecified", "RFC 4291", ADDRESS_NEVER},
	{V6(0, 0, 0, 0, 0, 0, 0, 1, 128), "loopback", "RFC 4291", ADDRESS_LOOPBACK},
	{V6(0, 0, 0, 0, 0xffff, 0, 0, 0, 96), "IPv4-translated", "RFC 2765", ADDRESS_TRANSLATED},
	{V6(0x64, 0xff9b, 0, 0, 0, 0, 0, 0, 96), "NAT64", "RFC 6052", ADDRESS_TRANSLATED},
	{V6(0x64, 0xff9b, 1, 0, 0, 0, 0, 0, 48), "NAT64 of this network", "RFC 8215", ADDRESS_TRANSLATED},
	{V6(0x100, 0, 0, 0, 0, 0, 0, 0, 64), "discard only", "RFC 6666", ADDRESS_NEVER},
	{V6(0x100, 0, 0, 1, 0, 0, 0, 0, 64), "dummy prefix", "RFC 9780", ADDRESS_NEVER},
	{V6(0x2001, 0, 0, 0, 0, 0, 0, 0, 23), "IETF protocol assignments", "RFC 2928", ADDRESS_NEVER},
	{V6(0x2001, 0, 0, 0, 0, 0, 0, 0, 32), "Teredo", "RFC 4380", ADDRESS_TRANSLATED},
	{V6(0x2001, 1, 0, 0, 0, 0, 0, 1, 128), "port control protocol anycast", "RFC 7723", ADDRESS_ASSIGNED},
	{V6(0x2001, 1, 0, 0, 0, 0, 0, 2, 128), "TURN anycast", "RFC 8155", ADDRESS_ASSIGNED},
	{V6(0x2001, 1, 0, 0, 0, 0, 0, 3, 128), "DNS-SD registration anycast", "RFC 9665", ADDRESS_ASSIGNED},
	{V6(0x2001, 2, 0, 0, 0, 0, 0, 0, 48), "benchmarking", "RFC 5180", ADDRESS_ASSIGNED},
	{V6(0x2001, 3, 0, 0, 0, 0, 0, 0, 32), "AMT", "RFC 7450", ADDRESS_ASSIGNED},
	{V6(0x2001, 4, 0x112, 0, 0, 0, 0, 0, 48), "AS112", "RFC 7535", ADDRESS_ASSIGNED},
	{V6(0x2001, 0x10, 0, 0, 0, 0, 0, 0, 28), "ORCHID, deprecated", "RFC 4843", ADDRESS_NEVER},
	{V6(0x2001, 0x20, 0, 0, 0, 0, 0, 0, 28), "ORCHID version 2", "RFC 7343", ADDRESS_NEVER},
	{V6(0x2001, 0x30, 0, 0, 0, 0, 0, 0, 28), "drone remote ID", "RFC 9374", ADDRESS_NEVER},
	{V6(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0, 32), "documentation", "RFC 3849", ADDRESS_NEVER},
	{V6(0x2002, 0, 0, 0, 0, 0, 0, 0, 16), "6to4", "RFC 3056", ADDRESS_TRANSLATED},
	{V6(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0, 48), "AS112, direct delegation", "RFC 7534", ADDRESS_ASSIGNED},
	{V6(0x3fff, 0, 0, 0, 0, 0, 0, 0, 20), "documentation", "RFC 9637", ADDRESS_NEVER},
	{V6(0x4000, 0, 0, 0, 0, 0, 0, 0, 2), "not allocated", "RFC 4291", ADDRESS_NEVER},
	{V6(0x5f00, 0, 0, 0, 0, 0, 0, 0, 16), "segment routing SIDs", "RFC 9602", ADDRESS_NEVER},
	{V6(0x8000, 0, 0, 0, 0, 0, 0, 0, 1), "not allocated", "RFC 4291", ADDRESS_NEVER},
	{V6(0xfc00, 0, 0, 0, 0, 0, 0, 0, 7), "unique local", "RFC 4193", ADDRESS_PRIVATE},
	{V6(0xfe80, 0, 0, 0, 0, 0, 0, 0, 10), "link-local", "RFC 4291", ADDRESS_LINK},
	{V6(0xfec0, 0, 0, 0, 0, 0, 0, 0, 10), "site-local, deprecated", "RFC 3879", ADDRESS_PRIVATE},
	{V6(0xff00, 0, 0, 0, 0, 0, 0, 0, 8), "multicast", "RFC 4291", ADDRESS_NEVER},
	/* Metadata and credentials */
	{V4(169, 254, 169, 254, 32), "cloud metadata", "AWS, Azure, Google Cloud, Oracle, OpenStack and others",
	 ADDRESS_METADATA},
	{V4(169, 254, 169, 252, 32), "cloud metadata", "Google Kubernetes Engine", ADDRESS_METADATA},
	{V4(169, 254, 170, 2, 32), "task credentials", "Amazon ECS", ADDRESS_METADATA},
	{V4(169, 254, 170, 23, 32), "pod credentials", "Amazon EKS", ADDRESS_METADATA},
	{V4(169, 254, 0, 23, 32), "cloud metadata", "Tencent Cloud", ADDRESS_METADATA},
	{V4(169, 254, 10, 10, 32), "cloud metadata", "Tencent Cloud", ADDRESS_METADATA},
	{V4(169, 254, 42, 42, 32), "cloud metadata", "Scaleway", ADDRESS_METADATA},
	{V4(100, 96, 0, 96, 32), "cloud metadata", "Volcano Engine", ADDRESS_METADATA},
	{V4(100, 100, 100, 200, 32), "cloud metadata", "Alibaba Cloud", ADDRESS_METADATA},
	{V4(168, 63, 129, 16, 32), "cloud host agent", "Azure WireServer", ADDRESS_METADATA},
	{V4(192, 0, 0, 192, 32), "cloud metadata", "Oracle Cloud Classic", ADDRESS_METADATA},
	{V6(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0, 32), "cloud metadata", "AWS", ADDRESS_METADATA},
	{V6(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254, 128), "cloud metadata", "Google Cloud", ADDRESS_METADATA},
	{V6(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe, 128), "cloud metadata", "Oracle Cloud", ADDRESS_METADATA},
	{V6(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42, 128), "cloud metadata", "Scaleway", ADDRESS_METADATA},
	{V6(0xfd00, 0xa9fe, 0xa9fe, 0, 0, 0, 0, 1, 128), "cloud metadata", "Akamai", ADDRESS_METADATA},
	{V6(0xfd00, 0x100, 0, 0, 0, 0, 0x100, 0x200, 128), "cloud metadata", "Alibaba Cloud", ADDRESS_METADATA},
	{V6(0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe, 128), "cloud metadata", "OpenStack, Akamai", ADDRESS_METADATA},
};
/* clang-format on */

static const struct address_special no_address = {{{NET_NONE, {0}}, 0}, "no address", "berm", ADDRESS_NEVER};

/* Where IPv6 addresses carry IPv4 ones. RFC 6052, 2.2: the place in a NAT64 prefix depends on its length and passes by
 * byte 8; the local one is a /48 that networks may cut themselves. */
static const struct embedding {
	uint8_t offset, len; /* of the prefix; bytes */
	uint8_t prefix[12];
	uint8_t at[4]; /* of the IPv4 address */
	uint8_t flip;  /* RFC 4380, 4: the client's is written inverted */
	bool guess;    /* one of several readings of the same bytes */
} embeddings[] = {
	{0, 12, {[8] = 0xff, [9] = 0xff}, {12, 13, 14, 15}, 0, false},
	{0, 12, {0, 0x64, 0xff, 0x9b}, {12, 13, 14, 15}, 0, false},
	{0, 6, {0, 0x64, 0xff, 0x9b, 0, 1}, {12, 13, 14, 15}, 0, true},
	{0, 6, {0, 0x64, 0xff, 0x9b, 0, 1}, {6, 7, 9, 10}, 0, true},
	{0, 6, {0, 0x64, 0xff, 0x9b, 0, 1}, {7, 9, 10, 11}, 0, true},
	{0, 6, {0, 0x64, 0xff, 0x9b, 0, 1}, {9, 10, 11, 12}, 0, true},
	{0, 4, {0x20, 0x01, 0, 0}, {12, 13, 14, 15}, 0xff, false},
	{0, 4, {0x20, 0x01, 0, 0}, {4, 5, 6, 7}, 0, false},
	{0, 2, {0x20, 0x02}, {2, 3, 4, 5}, 0, false},
	/* ISATAP (RFC 5214, 6.1): an interface identifier, below any prefix. */
	{8, 4, {0x00, 0x00, 0x5e, 0xfe}, {12, 13, 14, 15}, 0, false},
	{8, 4, {0x02, 0x00, 0x5e, 0xfe}, {12, 13, 14, 15}, 0, false},
};

static const struct embedding *find_embedding(const struct net_address *address, size_t index)
{
	if (address->family != NET_IPV6)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(embeddings); i++)
		if (memcmp(address->bytes + embeddings[i].offset, embeddings[i].prefix, embeddings[i].len) == 0 &&
		    index-- == 0)
			return &embeddings[i];
	return NULL;
}

static struct net_address take_out(const struct net_address *address, const struct embedding *embedding)
{
	struct net_address ipv4 = {.family = NET_IPV4};
	for (size_t i = 0; i < ARRAY_LEN(embedding->at); i++)
		ipv4.bytes[i] = address->bytes[embedding->at[i]] ^ embedding->flip;
	return ipv4;
}

bool address_embedded(const struct net_address *address, size_t index, struct net_address *ret_ipv4)
{
	const struct embedding *embedding = find_embedding(address, index);
	if (embedding == NULL)
		return false;
	*ret_ipv4 = take_out(address, embedding);
	return true;
}

static const struct address_special *narrowest(const struct net_address *address)
{
	const struct address_special *found = NULL;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (address_in_range(address, &rows[i].range) &&
		    (found == NULL || rows[i].range.bits > found->range.bits))
			found = &rows[i];
	return found;
}

/* Which of two rows stands more against a connection. That a guessed address can be no destination says nothing: it is
 * then just not the right reading. */
static const struct address_special *worse(const struct address_special *row, const struct address_special *inner,
					   bool guess)
{
	if (inner == NULL || (guess && inner->class == ADDRESS_NEVER))
		return row;
	return row == NULL || inner->class < row->class ? inner : row;
}

const struct address_special *address_special(const struct net_address *address)
{
	if (address->family == NET_NONE)
		return &no_address;
	const struct address_special *row = narrowest(address);
	const struct embedding *embedding;
	for (size_t i = 0; (embedding = find_embedding(address, i)) != NULL; i++) {
		struct net_address ipv4 = take_out(address, embedding);
		row = worse(row, narrowest(&ipv4), embedding->guess);
	}
	return row;
}

const struct address_special *address_special_at(size_t index)
{
	return index < ARRAY_LEN(rows) ? &rows[index] : NULL;
}
