/*
 * What is said of a name to the program that asks: nothing, if the policy does not let it be known; else what it would see
 * outside, with an address that stands for the name in place of the real ones. Whoever asks for a name that is already
 * being asked about shares the answer, of the monitor (maybe a person's) and of the name server upstream
 * (docs/decisions/012). No sockets: those are dns_server.c's.
 *
 *   localhost             loopback                        as everywhere (RFC 6761)
 *   a synthetic address   its name, by PTR                other reverse names do not exist
 *   not allowed           NXDOMAIN, "blocked"             the monitor was asked; not sent upstream
 *   allowed, not there    NXDOMAIN
 *   allowed, there        A; AAAA if it has one upstream  any other type: NODATA
 *   nobody can say        SERVFAIL
 */
#ifndef BERM_EGRESS_DNS_NAMES_H
#define BERM_EGRESS_DNS_NAMES_H

#include "egress/egress.h"
#include "format/dns.h"

enum {
	DNS_NAMES_MAX = 1024, /* being asked about at the same time */
	DNS_NAMES_FRESH =
		256, /* of them, those that have no address yet: a flood of names leaves a way for the others */
	DNS_NAMES_UPSTREAM = 512,   /* of them, upstream */
	DNS_NAMES_ASKERS = 32,	    /* of one name; the oldest give way, who will have asked again */
	DNS_NAMES_WAITING = 4096,   /* of all names */
	DNS_NAMES_DENIED = 1024,    /* remembered */
	DNS_NAMES_DENIED_MS = 1000, /* so long a denial is said again without asking */
	DNS_NAMES_HOLD_MS = 600000, /* for the monitor's answer */
	DNS_NAMES_TTL = 30,	    /* seconds, less than the expiry of synthetic addresses */
	DNS_NAMES_NEGATIVE_TTL = 1, /* a person may let it pass any moment */
};

/* An answer with what it points to. */
struct dns_said {
	struct dns_answer answer;
	struct net_address addresses[2];
	char text[HOST_NAME_MAX + 1]; /* the pointer, or why */
};

/* Who asks, on the heap, first in a struct of the asker's. done is called once and frees it; said NULL: there will be no
 * answer. */
struct dns_asker {
	struct dns_query query;
	void (*done)(struct dns_asker *asker, const struct dns_said *said);
	struct dns_asker *next;
};
/* size: of the asker's struct, whose rest is zeros. NULL: no memory. */
struct dns_asker *dns_asker_new(size_t size, const struct dns_query *query,
				void (*done)(struct dns_asker *asker, const struct dns_said *said));

struct dns_names;

/* has_ipv6: the sandbox has a way to the IPv6 addresses of names. */
MUST_USE enum berm_code dns_names_new(struct egress *egress, bool has_ipv6, struct dns_names **ret_names,
				      struct berm_err *err);
/* Those who wait are told that there will be no answer. */
void dns_names_free(struct dns_names *names);
/* What can be said at once; false: dns_names_ask. */
bool dns_names_know(struct dns_names *names, const struct dns_query *query, struct dns_said *ret_said);
/* Takes asker, but after an error; its done is never called from within. Errors (SERVFAIL): LIMIT, NOMEM, CLOSED. */
MUST_USE enum berm_code dns_names_ask(struct dns_names *names, struct dns_asker *asker, struct berm_err *err);
/* Of a failure of ours. */
void dns_names_fault(struct dns_said *ret_said);

#endif
