/*
 * What a terminal shows after a program has written to it, so that lines that were drawn over can be painted anew: libvterm
 * in a process of its own, which has one socket, nothing else (seccomp's strict mode: read, write, exit) and no way to
 * anybody. What it says is bytes for the terminal, which the program could have written itself; it is never believed in
 * anything else.
 */
#ifndef BERM_SESSION_SCREEN_H
#define BERM_SESSION_SCREEN_H

#include <sys/types.h>

#include "base/buf.h"

enum {
	SCREEN_ROWS_MAX = 500,
	SCREEN_COLUMNS_MAX = 1000,
	SCREEN_PAINT_MAX = 4 * 1024 * 1024,
	SCREEN_PAINT_MS = 500,
};

/* Zero-like: fd -1, no process. */
struct screen {
	pid_t pid;
	int fd;
	int rows, columns;
};

void screen_clear(struct screen *screen); /* of one that was never begun */
/* A screen of this size, empty, with the cursor at its top. Errors: LIMIT (the size), SYS, NOMEM. */
MUST_USE enum berm_code screen_begin(int rows, int columns, struct screen *ret_screen, struct berm_err *err);
/* What was written to the terminal. One that does not keep up is ended: screen_is_there says so. */
void screen_feed(struct screen *screen, struct str bytes);
bool screen_is_there(const struct screen *screen);
/* Appends what paints rows first to last (from 0) as they were; the cursor and the pen are then anywhere. Waits SCREEN_PAINT_MS at
 * most. Errors: CLOSED (it was ended), TIMEOUT; the screen is ended then. */
MUST_USE enum berm_code screen_paint(struct screen *screen, int first, int last, struct buf *out, struct berm_err *err);
void screen_end(struct screen *screen); /* nothing if there is none */

#endif
