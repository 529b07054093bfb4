/*
 * Names to addresses, upstream, after the decision: c-ares on @egress's loop. The configuration (resolv.conf, hosts) is
 * read once, when it is made, before @egress gives up its files; if it changes, only another @egress sees it. Exactly the
 * name is asked for, A and AAAA: no search domains, no aliases of the user's. Whoever asks for the same name meanwhile
 * shares the answer; it is kept for the upstream TTL (at most 30 s), the absence of a name is not. A name has 5 s; once
 * one family has an address, the other has 300 ms.
 */
#ifndef BERM_EGRESS_RESOLVER_H
#define BERM_EGRESS_RESOLVER_H

#include "egress/loop.h"
#include "format/address.h"

enum {
	RESOLVER_ADDRESSES_MAX = 16,
	RESOLVER_WAITING_MAX = 4096,
	RESOLVER_NAMES_MAX = 1024, /* asked for or kept */
};

/* FOUND without an address: the name exists, but has none. */
enum resolver_outcome { RESOLVER_FAILED = 0, RESOLVER_FOUND, RESOLVER_NO_NAME, RESOLVER_TIMEOUT };

struct resolver_answer {
	enum resolver_outcome outcome;
	size_t count;
	struct net_address addresses[RESOLVER_ADDRESSES_MAX]; /* both families, IPv6 first, in turns (RFC 8305 4) */
	const char *why;				      /* constant text; NULL if there is an address */
};

struct resolver;
struct resolver_wait;
typedef void (*resolver_done)(struct resolver_wait *wait, const struct resolver_answer *answer);
struct resolver_wait {
	resolver_done done; /* called once, never from within resolver_find; not after resolver_cancel */
	void *job;	    /* the resolver's; NULL: idle */
	struct resolver_wait *next, *previous;
};

/* root: where etc/resolv.conf and etc/hosts are ("/" but in tests). Errors: SYS, NOMEM. */
MUST_USE enum berm_code resolver_new(struct egress_loop *loop, const char *root, struct resolver **ret_resolver,
				     struct berm_err *err);
/* The same with name servers at another port than 53. */
MUST_USE enum berm_code resolver_new_at(struct egress_loop *loop, const char *root, uint16_t port,
					struct resolver **ret_resolver, struct berm_err *err);
void resolver_free(struct resolver *resolver);
/* name: canonical (host.h), no address. Errors: LIMIT, NOMEM. */
MUST_USE enum berm_code resolver_find(struct resolver *resolver, struct str name, struct resolver_wait *wait,
				      resolver_done done, struct berm_err *err);
void resolver_cancel(struct resolver *resolver, struct resolver_wait *wait);

#endif
