/*
 * Denials on their way to the caller: the first of its kind is sent at once, the same again within a second is counted
 * into one. A caller that does not read costs nothing but counts. Fixed size, no heap.
 */
#ifndef BERM_SANDBOX_NOTICES_H
#define BERM_SANDBOX_NOTICES_H

#include "sandbox/frame.h"

enum { NOTICES_SLOTS = 32, NOTICES_WINDOW_MS = 1000 };

struct notices {
	int fd; /* where frames go */
	uint64_t next_id;
	size_t used; /* slots that hold something */
	struct {
		struct frame frame; /* as it was sent; request.count holds what was not told yet */
		int64_t until_ms;   /* end of its window; 0: free */
	} slot[NOTICES_SLOTS];
};

/* Takes over a request (id and count are filled in here). now_ms: CLOCK_MONOTONIC. */
void notices_add(struct notices *notices, const struct berm_request *request, int64_t now_ms);
/* Tells what was counted in windows that are over, or in all of them. */
void notices_flush(struct notices *notices, int64_t now_ms, bool all);
/* Milliseconds until a flush is due, or -1. */
int notices_timeout_ms(const struct notices *notices, int64_t now_ms);

#endif
