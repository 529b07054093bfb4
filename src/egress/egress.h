/*
 * @egress: the network filter as a process. It takes the ends of a sandbox's network (or listeners of the host's, for
 * "berm proxy"), answers DNS with synthetic addresses, asks the monitor about each connection and request, and dials.
 * It is forked by the session, and confines itself before the first byte from inside: no files, no programs, no other
 * kinds of sockets than it needs, a list of system calls beside its code (confine.c), limits of memory and descriptors.
 */
#ifndef BERM_EGRESS_EGRESS_H
#define BERM_EGRESS_EGRESS_H

#include "egress/door.h"
#include "egress/loop.h"
#include "egress/synthetic.h"

struct egress_limits {
	uint32_t connections;	   /* at the same time; more are closed at once, with an event */
	uint32_t half_open;	   /* of them, not yet decided or dialled */
	uint32_t connection_bytes; /* kept of one connection and direction */
	uint32_t origin_ms;	   /* for the supervisor's record of a connection */
	uint32_t first_ms;	   /* for a head, a hello, a SOCKS request, from its first byte to its last */
	uint32_t connect_ms;	   /* for all addresses of a host together */
	uint32_t idle_ms;	   /* without a byte either way */
	uint32_t linger_ms;	   /* after one side has ended */
	uint32_t names;		   /* in the table of synthetic addresses */
};
extern const struct egress_limits egress_usual_limits;

/* A connection that is open because a question was allowed. After a reload recheck asks for it again (DOOR_RECHECK, some in each
 * turn); false: the door is full, it is called again later. */
struct egress_open {
	bool (*recheck)(struct egress_open *open);
	struct egress_open *next, *previous;
};

enum { EGRESS_SCRATCH = 65536 };

struct egress {
	struct egress_loop loop;
	struct egress_limits limits;
	struct door *door;
	struct resolver *resolver;
	struct synthetic *names;
	struct origins *origins;     /* what the supervisor tells of connections; NULL: "berm proxy" */
	struct listeners *listeners; /* NULL: no ends have come yet */
	struct dns_server *dns;	     /* the same */
	uint32_t connections, half_open;
	uint16_t proxy_port;
	uint32_t generation; /* of the last RELOADED; what was allowed for all requests before it is asked for again */
	const char *token;   /* clients of the proxy must show it; NULL: none is asked for */
	bool stopping;
	struct pipes *pipes;	       /* NULL: everything is copied */
	uint64_t kept_bytes;	       /* by all connections, while a side does not take them */
	struct egress_open *open;      /* all of them */
	struct egress_open *unchecked; /* the first that is still to be rechecked; NULL: none */
	struct loop_source recheck;
	uint8_t scratch
		[EGRESS_SCRATCH]; /* of a callback while it runs: what is read from one side and written to the other */
};

void egress_open_add(struct egress *egress, struct egress_open *open, bool (*recheck)(struct egress_open *open));
void egress_open_remove(struct egress *egress, struct egress_open *open);

/* Never comes back: the exit status is 0 when the monitor has gone, 1 after a failure that was told to it. door_fd: this side
 * of the pair. limits: NULL, the usual ones. To be called in a child with one thread, which is nobody's parent. */
_Noreturn void egress_main(int door_fd, const struct egress_limits *limits);

#endif
