/*
 * Whose a connection is: the supervisor, which did the connect, tells it in a packet of its own (struct berm_origin), and
 * record and accepted connection find each other by the address and port of the client, whichever comes first. A record
 * serves one connection, and is forgotten after a while: the same port may be another program's then.
 */
#ifndef BERM_EGRESS_ORIGINS_H
#define BERM_EGRESS_ORIGINS_H

#include "egress/door.h"
#include "egress/loop.h"

enum { ORIGINS_MAX = 4096 }; /* records without a connection; the oldest goes when one more comes */

struct origin {
	struct door_task task;
	struct net_address destination; /* as the program asked for it */
	uint16_t port;
};

struct origins;
struct origin_wait;
/* origin: NULL: none came. */
typedef void (*origin_done)(struct origin_wait *wait, const struct origin *origin);

/* A client's address. */
struct origin_key {
	struct net_address address;
	uint16_t port;
};

/* Lives in whoever waits; zero is idle. */
struct origin_wait {
	struct loop_source timer;
	origin_done done; /* called once, never from within origins_wait; not after origins_cancel */
	struct origins *origins;
	struct origin_key key;
	struct origin_wait *next;
};

/* fd: kept and closed. limit_ms: for a connection to wait for its record, and a record for its connection. Errors: SYS,
 * NOMEM. */
MUST_USE enum berm_code origins_new(struct egress_loop *loop, int fd, uint32_t limit_ms, struct origins **ret_origins,
				    struct berm_err *err);
/* Who waits is not called any more, and must not cancel. */
void origins_free(struct origins *origins);
/* The record of a client, which is used up; false: there is none yet. */
MUST_USE bool origins_find(struct origins *origins, const struct origin_key *key, struct origin *ret);
/* Waits for a record that was not there. A second one who waits for the same takes the place of the first, whose client is
 * gone: that one is told of nothing at the next turn. */
void origins_wait(struct origins *origins, const struct origin_key *key, struct origin_wait *wait, origin_done done);
void origins_cancel(struct origin_wait *wait); /* nothing if it is idle */
/* The supervisor is gone: what has no record yet gets none. */
bool origins_ended(const struct origins *origins);

#endif
