/*
 * A few pipes that much data goes through without being copied (splice(2)), lent to whoever has much at the moment: what is
 * in one is that user's, an empty one may be lent to another at any time.
 */
#ifndef BERM_EGRESS_PIPES_H
#define BERM_EGRESS_PIPES_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

enum { PIPES_MAX = 32, PIPES_BYTES = 262144 };

struct pipes;

/* Lives in the user; zero has none. */
struct pipe_user {
	unsigned number; /* 0: none */
	size_t bytes;	 /* in it */
};

MUST_USE enum berm_code pipes_new(struct pipes **ret_pipes, struct berm_err *err);
void pipes_free(struct pipes *pipes); /* takes NULL */
/* False: all are in use, or no more can be made. pipes may be NULL. */
bool pipes_borrow(struct pipes *pipes, struct pipe_user *user);
/* What is in it is lost. Nothing if it has none. */
void pipes_return(struct pipes *pipes, struct pipe_user *user);
/* From a socket into the user's pipe, which is empty, or from it to a socket, as splice returns; never waits. */
ssize_t pipes_fill(struct pipes *pipes, struct pipe_user *user, int fd);
ssize_t pipes_drain(struct pipes *pipes, struct pipe_user *user, int fd);

#endif
