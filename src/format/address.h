/*
 * IP addresses and ranges of them: text and bytes. One address has one form here: what is written as an IPv4 address
 * inside IPv6 (::ffff:1.2.3.4) is the IPv4 address. Strict: only the dotted form of four decimal numbers without leading
 * zeros (RFC 6943, 3.1.1), only RFC 4291 2.2 for IPv6, no zone. Text that other programs would take for an address and
 * this file does not is told by host.h. Pure, no heap, async-signal-safe.
 */
#ifndef BERM_FORMAT_ADDRESS_H
#define BERM_FORMAT_ADDRESS_H

#include "base/str.h"

#define ADDRESS_TEXT_SIZE 46 /* the longest address with its NUL, like INET6_ADDRSTRLEN */
#define ADDRESS_RANGE_SIZE (ADDRESS_TEXT_SIZE + 4)

enum net_family { NET_NONE = 0, NET_IPV4, NET_IPV6 };

/* Network order. Of IPv4 the first four bytes count and the others are 0; so two addresses are equal if their bytes are. */
struct net_address {
	enum net_family family;
	uint8_t bytes[16];
};

/* Every address of base's family whose first bits are those of base; the rest of base is 0. */
struct net_range {
	struct net_address base;
	uint8_t bits; /* at most 32 or 128 */
};

/* "192.0.2.1", "2001:db8::1"; no brackets, no port, no zone, nothing around it. False: it is not one. */
MUST_USE bool address_parse(struct str text, struct net_address *ret_address);
/* 4 or 16 bytes in network order, as in a packet or a sockaddr; ::ffff:0:0/96 becomes IPv4. False: another length. */
MUST_USE bool address_from_bytes(struct span bytes, struct net_address *ret_address);
/* RFC 5952 for IPv6, dotted for IPv4, NUL-terminated; "-" for no address. Returns its length. */
size_t address_print(const struct net_address *address, char ret_text[ADDRESS_TEXT_SIZE]);
/* 4 or 16; 0 for no address. */
size_t address_size(const struct net_address *address);
bool address_equal(const struct net_address *a, const struct net_address *b);

/* "10.0.0.0/8", "fd00::/8", or an address alone, which is a range of one. "::ffff:10.0.0.0/104" is "10.0.0.0/8". Errors:
 * PARSE; bits set behind the length are one too, since such a line does not say what was meant. */
MUST_USE enum berm_code address_range_parse(struct str text, struct net_range *ret_range, struct berm_err *err);
/* With its length, but for a range of one. */
size_t address_range_print(const struct net_range *range, char ret_text[ADDRESS_RANGE_SIZE]);
bool address_in_range(const struct net_address *address, const struct net_range *range);

#endif
