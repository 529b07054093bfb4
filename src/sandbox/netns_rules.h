/*
 * What a filtered network of the sandbox's own looks like, as netlink messages: a loopback with addresses, to which every
 * address belongs, and the rules that give all TCP connections to one listener, whose accepted sockets then have the
 * address that was asked for as their own. No address is translated, so nothing is tracked. DNS needs no rule: what
 * listens on port 53 of every address gets it. Nothing can leave in any case: there is no interface but the loopback.
 */
#ifndef BERM_SANDBOX_NETNS_RULES_H
#define BERM_SANDBOX_NETNS_RULES_H

#include "os/nl.h"

enum {
	/* Below 1024, where nothing inside can listen by itself. */
	NETNS_DNS_PORT = 53,
	NETNS_PROXY_PORT = 808,
	NETNS_TCP_PORT = 809,
	NETNS_RULES_SIZE = 2048,

	NETNS_ADDRESSES_LAST = 4,     /* number of the last message of netns_addresses */
	NETNS_ADDRESSES_IP6 = 3 << 3, /* set of those that may fail: a machine without IPv6 */
};

/* The sandbox's addresses (BERM_NET_OWN4, BERM_NET_OWN6) beside those of every loopback. */
extern const uint8_t netns_own4[4], netns_own6[16];

void netns_addresses(struct nl_out *out);
/* Returns the number of the last one that is answered. six: with those for IPv6, which not every kernel takes. */
uint32_t netns_rules(struct nl_out *out, bool six);

#endif
