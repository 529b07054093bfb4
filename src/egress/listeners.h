/*
 * The ends on which connections come in: accepts them, finds out whose they are and where they were going, and starts their
 * flow. Some at a time, so that no burst holds up what is open.
 */
#ifndef BERM_EGRESS_LISTENERS_H
#define BERM_EGRESS_LISTENERS_H

#include "egress/egress.h"

/* tcp: connections that were led here; proxy: of clients that know of it. -1: there is none. Keeps and closes all of them.
 * Where egress->origins is NULL nobody tells whose a connection is, and those to tcp are all closed. Errors: SYS, NOMEM. */
MUST_USE enum berm_code listeners_new(struct egress *egress, const int tcp[2], const int proxy[2],
				      struct listeners **ret_listeners, struct berm_err *err);
void listeners_free(struct listeners *listeners);

#endif
