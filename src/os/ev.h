/*
 * The event loop: descriptors, signals, processes and deadlines over one epoll instance. No heap and no threads. A
 * source is a struct inside its owner's struct; the loop never frees it and does not touch it after it was removed, so
 * an owner may remove and free any source, its own included, inside a callback.
 *
 * Callbacks do not block and do not turn the loop. Deadlines are found by one walk over all sources a turn: meant for
 * tens of sources, not for thousands.
 */
#ifndef BERM_OS_EV_H
#define BERM_OS_EV_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

#include "base/err.h"

/* What a callback is told: EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR, ... or that the deadline has passed. */
#define EV_DEADLINE (1U << 27) /* no bit of epoll's */
#define EV_NEVER (-1)

struct ev_source;
typedef void (*ev_callback)(struct ev_source *source, uint32_t events);

struct ev_source {
	struct ev_loop *loop; /* NULL: not in a loop */
	struct ev_source *next, *previous;
	ev_callback callback;
	int64_t deadline_ms; /* of ev_now_ms, or EV_NEVER */
	int fd;
	bool owns_fd; /* made by the loop: closed when the source is removed */
};

struct ev_loop {
	int epoll_fd;
	bool stopped;
	struct ev_source *sources;
	struct epoll_event *batch; /* what the current turn has still to deliver, or NULL */
	int batch_len;
};

/* Milliseconds that never go back. */
int64_t ev_now_ms(void);

MUST_USE enum berm_code ev_init(struct ev_loop *loop, struct berm_err *err);
/* Removes what is still there. */
void ev_done(struct ev_loop *loop);

/* Each of these puts a source, which is in no loop, into one, without a deadline. */
/* fd stays the owner's, who removes the source before closing it. events: EPOLLIN, EPOLLOUT, or 0 (hang-up alone). */
MUST_USE enum berm_code ev_add(struct ev_loop *loop, struct ev_source *source, int fd, uint32_t events,
			       ev_callback callback, struct berm_err *err);
/* Only a deadline. */
void ev_add_timer(struct ev_loop *loop, struct ev_source *source, ev_callback callback);
/* The signals of the set, which the owner has blocked in every thread; ev_read_signal fetches them. */
MUST_USE enum berm_code ev_add_signals(struct ev_loop *loop, struct ev_source *source, const sigset_t *set,
				       ev_callback callback, struct berm_err *err);
/* The end of a child; the callback reaps it. */
MUST_USE enum berm_code ev_add_process(struct ev_loop *loop, struct ev_source *source, pid_t pid, ev_callback callback,
				       struct berm_err *err);

/* Waits for other events from now on. */
MUST_USE enum berm_code ev_change(struct ev_source *source, uint32_t events, struct berm_err *err);
/* The callback is called once with EV_DEADLINE when this time is over (a millisecond at least), unless a later call
 * sets another. EV_NEVER: no deadline. */
void ev_set_deadline(struct ev_source *source, int64_t timeout_ms);
/* Takes a source out of its loop; nothing if it is in none. */
void ev_remove(struct ev_source *source);
/* The number of the next signal, or 0 if none is waiting. */
int ev_read_signal(struct ev_source *source);

/* Milliseconds until the next deadline, or EV_NEVER: for a loop inside another one, which polls epoll_fd. */
int ev_timeout_ms(const struct ev_loop *loop);
/* One turn: waits at most timeout_ms (EV_NEVER: as long as it takes), then calls back whatever is due. */
MUST_USE enum berm_code ev_turn(struct ev_loop *loop, int64_t timeout_ms, struct berm_err *err);
/* Turns until ev_stop, or until no source is left. */
MUST_USE enum berm_code ev_run(struct ev_loop *loop, struct berm_err *err);
void ev_stop(struct ev_loop *loop);

#endif
