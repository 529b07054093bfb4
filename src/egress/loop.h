/*
 * @egress's event loop: one epoll instance for tens of thousands of descriptors, deadlines in a heap that lies in the
 * sources themselves (pairing heap: set and cancel in constant time, no walk). No threads. The same rules as os/ev.h: a
 * source is a struct inside its owner's; the loop does not touch it after it was removed, so an owner may remove and free
 * any source, its own included, inside a callback.
 */
#ifndef BERM_EGRESS_LOOP_H
#define BERM_EGRESS_LOOP_H

#include <stdint.h>
#include <sys/epoll.h>

#include "base/err.h"

#define LOOP_DEADLINE (1U << 27) /* told to a callback: the deadline has passed; no bit of epoll's */

struct loop_source;
typedef void (*loop_callback)(struct loop_source *source, uint32_t events);

struct loop_source {
	struct egress_loop *loop; /* NULL: in none */
	loop_callback callback;
	int fd; /* -1: a deadline alone */
	uint32_t events;
	uint64_t due_ms; /* 0: none */
	uint64_t turn;	 /* in which it was set */
	struct loop_source *child, *sibling, *parent;
};

struct egress_loop {
	int epoll_fd;
	uint64_t now_ms; /* of CLOCK_MONOTONIC, as of this turn */
	uint64_t turn;
	struct loop_source *soonest;
	struct epoll_event *batch; /* what this turn has still to deliver */
	int batch_len;
};

MUST_USE enum berm_code loop_init(struct egress_loop *loop, struct berm_err *err);
void loop_done(struct egress_loop *loop);
/* fd stays the owner's, who removes the source before closing it. events: EPOLLIN, EPOLLOUT, or 0. */
MUST_USE enum berm_code loop_add(struct egress_loop *loop, struct loop_source *source, int fd, uint32_t events,
				 loop_callback callback, struct berm_err *err);
void loop_add_timer(struct egress_loop *loop, struct loop_source *source, loop_callback callback);
/* Waits for other events; no system call if they are the same. A failure ends in a callback with EPOLLERR. */
void loop_want(struct loop_source *source, uint32_t events);
/* Called once with LOOP_DEADLINE in timeout_ms (0: at the next turn), unless set again; LOOP_NEVER: no deadline. */
#define LOOP_NEVER UINT64_MAX
void loop_deadline(struct loop_source *source, uint64_t timeout_ms);
void loop_remove(struct loop_source *source); /* nothing if it is in no loop */
/* One turn: waits until something is due, then calls back. */
MUST_USE enum berm_code loop_turn(struct egress_loop *loop, struct berm_err *err);

#endif
