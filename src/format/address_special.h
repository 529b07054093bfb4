/*
 * Which addresses are not simply somewhere on the internet: the IANA special-purpose registries for IPv4 and IPv6 (RFC
 * 6890 and what was registered until October 2025), multicast and reserved space, and where clouds keep the metadata and
 * credentials of a machine. An address of an IPv6 transition mechanism (NAT64, 6to4, Teredo, ISATAP ...) leads to the
 * IPv4 address inside it, so that one is looked at too. What cannot be known from an address: the NAT64 prefix of a single
 * network, a 6rd prefix, which public addresses are this machine's own.
 */
#ifndef BERM_FORMAT_ADDRESS_SPECIAL_H
#define BERM_FORMAT_ADDRESS_SPECIAL_H

#include "format/address.h"

/* What it takes to let a connection go there; a larger value is easier to let pass. */
enum address_class {
	ADDRESS_NEVER =
		0, /* no destination of a connection: multicast, broadcast, "this host", reserved, documentation */
	ADDRESS_METADATA,   /* gives credentials to whoever asks: only a rule that names this very address */
	ADDRESS_LOOPBACK,   /* this machine */
	ADDRESS_LINK,	    /* this link */
	ADDRESS_PRIVATE,    /* this network: RFC 1918, ULA, shared space of providers */
	ADDRESS_ASSIGNED,   /* a protocol's own: anycast services, AS112, benchmarks */
	ADDRESS_TRANSLATED, /* a public IPv4 address in IPv6 clothes */
};

struct address_special {
	struct net_range range;
	const char *name;
	const char *source; /* "RFC 1918", "Scaleway" */
	enum address_class class;
};

/* The narrowest row that holds the address; NULL if nothing is special about it. If the address stands for an IPv4 address
 * that is special itself, the row of that one, or of the worst if it stands for more than one. No address (NET_NONE) is
 * NEVER. Constant. */
const struct address_special *address_special(const struct net_address *address);
/* The IPv4 address that an IPv6 address stands for by its well-known form; false if it has none. What stands for more than
 * one (Teredo: client and server; 64:ff9b:1::/48: by length of prefix) gives the index'th; start with 0. */
bool address_embedded(const struct net_address *address, size_t index, struct net_address *ret_ipv4);
/* Walks the table: the row, or NULL past its end. */
const struct address_special *address_special_at(size_t index);

#endif
