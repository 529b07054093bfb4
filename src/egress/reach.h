/*
 * One way to a host: asked of the monitor (and held for a while, if the rate of its rule says so), resolved, its addresses
 * judged, dialled. In this order, so nothing leaves for a name that is not allowed, and what is dialled is what was judged.
 * Happy eyeballs (RFC 8305) over the judged addresses.
 */
#ifndef BERM_EGRESS_REACH_H
#define BERM_EGRESS_REACH_H

#include "egress/door.h"
#include "egress/egress.h"
#include "egress/resolver.h"

enum reach_outcome {
	REACH_DENIED = 0, /* answer says why */
	REACH_DONE,	  /* fd is connected, the owner's from then on */
	REACH_ALLOWED,	  /* with decide_only: nothing was dialled */
	REACH_NO_NAME,	  /* the name does not exist upstream */
	REACH_REFUSED,	  /* nobody listens there, or it cannot be reached */
	REACH_TIMEOUT,
	REACH_FAULT, /* a limit or a failure of ours */
};

struct reach_result {
	enum reach_outcome outcome;
	int fd;
	const struct door_answer *answer; /* to the question, borrowed; NULL with FAULT */
	struct net_address address;	  /* dialled */
	const char *why;		  /* a constant text for people; "" if done */
};

struct reach;
typedef void (*reach_done)(struct reach *reach, const struct reach_result *result);

/* Lives in its owner; zero is idle. */
struct reach {
	struct reach_job *job;
	uint64_t connection;
	reach_done done; /* called once, never from within reach_start; not after reach_cancel */
};

/* All of it is copied. */
struct reach_ask {
	const struct door_question *question; /* CONNECT or HTTP */
	struct str text;
	bool decide_only; /* ends after the monitor's answer (a connection to the host is there already) */
	struct net_address
		there; /* decide_only: the address of that connection, to be judged as well; NET_NONE: none */
};

MUST_USE enum berm_code reach_start(struct reach *reach, struct egress *egress, const struct reach_ask *ask,
				    reach_done done, struct berm_err *err);
void reach_cancel(struct reach *reach);
/* The id under which a connection was allowed: DOOR_CLOSED and RECHECK name it. 0 before the end. */
uint64_t reach_connection(const struct reach *reach);

#endif
