/*
 * A tunnel through an HTTP proxy that the user's network has (CONNECT, RFC 9110 9.3.6), on a connection to it that is there
 * already. Its answer is read to the end of its head and no byte further: what comes behind it is the host's.
 */
#ifndef BERM_EGRESS_TUNNEL_H
#define BERM_EGRESS_TUNNEL_H

#include "base/buf.h"
#include "egress/loop.h"
#include "format/http1.h"

enum tunnel_outcome {
	TUNNEL_FAULT = 0,
	TUNNEL_DONE,
	TUNNEL_REFUSED, /* by the proxy */
};

struct tunnel;
typedef void (*tunnel_done)(struct tunnel *tunnel, enum tunnel_outcome outcome);

/* Lives in its owner; zero is idle. The owner has the deadline. */
struct tunnel {
	struct loop_source source;
	tunnel_done done; /* called once, never from within tunnel_start; not after tunnel_cancel */
	struct buf bytes; /* what is still to be sent, then what came */
	bool sent;
};

/* The request. host: canonical, an IPv6 address without brackets. login: what Proxy-Authorization says; "": none. Errors:
 * LIMIT, NOMEM. */
MUST_USE enum berm_code tunnel_print(const char *host, uint16_t port, const char *login, struct buf *out,
				     struct berm_err *err);
/* Sends the request, which is copied, and reads the answer. fd stays the owner's. Errors: NOMEM, LIMIT, SYS; nothing is to be
 * cancelled then. */
MUST_USE enum berm_code tunnel_start(struct tunnel *tunnel, struct egress_loop *loop, int fd, struct str request,
				     tunnel_done done, struct berm_err *err);
void tunnel_cancel(struct tunnel *tunnel); /* nothing if it is idle */

#endif
