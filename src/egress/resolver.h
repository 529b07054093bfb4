/*
 * Names to addresses, upstream, after the decision: c-ares on @egress's loop. The configuration (resolv.conf, hosts) is
 * read once, when it is made, before @egress gives up its files. Answers are not kept: a name is asked for again for each
 * connection, but for what runs at the same moment, which shares one answer, and a short memory of the upstream TTL (at
 * most 30 s, at most 1,024 names).
 */
#ifndef BERM_EGRESS_RESOLVER_H
#define BERM_EGRESS_RESOLVER_H

#include "egress/loop.h"
#include "format/address.h"

enum { RESOLVER_ADDRESSES_MAX = 16, RESOLVER_WAITING_MAX = 4096 };

enum resolver_outcome { RESOLVER_FAILED = 0, RESOLVER_FOUND, RESOLVER_NO_NAME, RESOLVER_TIMEOUT };

struct resolver_answer {
	enum resolver_outcome outcome;
	size_t count;
	struct net_address addresses[RESOLVER_ADDRESSES_MAX]; /* both families, IPv6 first, in turns (RFC 8305 4) */
	const char *why;				      /* constant text, if not FOUND */
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
void resolver_free(struct resolver *resolver);
/* name: canonical (host.h), no address. Errors: LIMIT, NOMEM. */
MUST_USE enum berm_code resolver_find(struct resolver *resolver, struct str name, struct resolver_wait *wait,
				      resolver_done done, struct berm_err *err);
void resolver_cancel(struct resolver *resolver, struct resolver_wait *wait);

#endif
