/*
 * A TCP connection to one of some addresses: happy eyeballs (RFC 8305). The families take turns, the next address is tried
 * when one has failed or after 250 ms, the first that is connected stays. Only what it is given is dialled.
 */
#ifndef BERM_EGRESS_DIAL_H
#define BERM_EGRESS_DIAL_H

#include "egress/loop.h"
#include "format/address.h"

enum { DIAL_ADDRESSES_MAX = 16, DIAL_NEXT_MS = 250 };

enum dial_outcome {
	DIAL_FAULT = 0, /* no descriptors, no memory: ours */
	DIAL_DONE,
	DIAL_REFUSED, /* by all of them, or they cannot be reached */
	DIAL_TIMEOUT,
};

struct dial_result {
	enum dial_outcome outcome;
	int fd; /* DONE: connected, non-blocking, TCP_NODELAY, with keepalive; the owner's from then on */
	struct net_address address;
};

struct dial;
typedef void (*dial_done)(struct dial *dial, const struct dial_result *result);

/* Lives in its owner; zero is idle. */
struct dial {
	struct dial_job *job;
	dial_done done; /* called once, never from within dial_start; not after dial_cancel */
};

/* What of, and how long at most for all of them. */
struct dial_plan {
	const struct net_address *addresses;
	size_t count; /* 1 to DIAL_ADDRESSES_MAX; more are left out */
	uint16_t port;
	uint32_t limit_ms;
};

MUST_USE enum berm_code dial_start(struct dial *dial, struct egress_loop *loop, const struct dial_plan *plan,
				   dial_done done, struct berm_err *err);
void dial_cancel(struct dial *dial); /* nothing if it is idle */

#endif
