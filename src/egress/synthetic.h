/*
 * Addresses that stand for names. A name that the policy lets pass is answered with an IPv4 and an IPv6 address of its
 * own, so that a connection to either is known by its name, whatever it speaks. No clock and no I/O: the time is passed
 * in, in milliseconds, and never goes back.
 *
 * A binding is in use while connections hold it and until expiry and quarantine after the last answer or connection have
 * passed: so long no other name gets its addresses. Later it still leads to its name until a new name needs it, the one
 * unused for longest first; a client that keeps an address for longer than it was told is thus mostly served well. An
 * address that is handed out was never, or not for that long, another name's. A table with nothing to reuse is full, and
 * says so.
 */
#ifndef BERM_EGRESS_SYNTHETIC_H
#define BERM_EGRESS_SYNTHETIC_H

#include "format/address.h"

/* 198.18.0.0/24 stays free for berm's own addresses (198.18.0.1 is the one of lo); names get 198.18.1.0 and up. RFC 2544
 * keeps 198.18.0.0/15 out of every real network. */
#define SYNTHETIC_IPV4_RANGE "198.18.0.0/15"
#define SYNTHETIC_IPV4_OWN "198.18.0.1"
/* A ULA (RFC 4193) whose global ID was drawn once, for no network that is routed anywhere; names get addresses of
 * fd37:2c3f:4a82:1::/64. */
#define SYNTHETIC_IPV6_RANGE "fd37:2c3f:4a82::/48"
#define SYNTHETIC_IPV6_OWN "fd37:2c3f:4a82::1"
#define SYNTHETIC_MAX_NAMES 65536

struct synthetic;

struct synthetic_limits {
	size_t max_names;   /* 1 to SYNTHETIC_MAX_NAMES; memory for all of them is set aside, and used as they come */
	uint64_t expiry_ms; /* at least the TTL that clients are told */
	uint64_t quarantine_ms; /* beyond it, for clients that keep addresses longer */
};

/* Errors: INVALID (limits), NOMEM. */
MUST_USE enum berm_code synthetic_new(const struct synthetic_limits *limits, struct synthetic **ret_table,
				      struct berm_err *err);
void synthetic_free(struct synthetic *table);

/* The addresses of a name (canonical, as host_read gives it), bound now if they were not; renews them. Errors: LIMIT (the
 * table is full: a failure of the query, not a refusal of the name), INVALID (no name of 1 to 253 bytes), NOMEM. */
MUST_USE enum berm_code synthetic_bind(struct synthetic *table, struct str name, uint64_t now_ms,
				       struct net_address *ret_ipv4, struct net_address *ret_ipv6,
				       struct berm_err *err);
/* Has the name addresses now? */
bool synthetic_has(const struct synthetic *table, struct str name);
/* The name that an address stands for, borrowed until the next bind; empty if it stands for none. */
struct str synthetic_name(const struct synthetic *table, const struct net_address *address);
/* A connection begins: like synthetic_name, and holds the binding until it is released as often as it was held. False:
 * the address stands for no name. */
MUST_USE bool synthetic_hold(struct synthetic *table, const struct net_address *address, struct str *ret_name);
void synthetic_release(struct synthetic *table, const struct net_address *address, uint64_t now_ms);
/* Is the address in a range that this table gives out from, bound or not? Only then is "no name" an error of the client. */
bool synthetic_in_range(const struct net_address *address);
/* Names that are bound now. */
size_t synthetic_count(const struct synthetic *table);

#endif
