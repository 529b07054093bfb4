/*
 * A terminal of the command's own, between it and the real one, so that a question can be drawn over whatever it shows and be
 * taken away without a trace. Bytes pass through as they are, both ways; the real terminal is raw meanwhile, so keys like
 * Ctrl-C become signals on the command's side. Nobody inside has the real terminal: what is typed at a question is not seen
 * there, and nothing that is written or sent there is a key.
 *
 * Drawn over: on the usual screen the terminal's other one is used, so that the usual one comes back with all that stands in
 * it; where the program itself is on that other one, the lowest lines of it, which are painted anew from what is known of
 * it (screen.h). What the program writes meanwhile is kept for later, and nothing that it waits for stops.
 */
#ifndef BERM_SESSION_PTY_H
#define BERM_SESSION_PTY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "os/ev.h"

#define PTY_KEPT_MAX ((size_t)1024 * 1024) /* bytes that are kept for later; then the program waits */

enum {
	PTY_QUIET_MS = 400,  /* without a key before keys are for the question */
	PTY_GROUND_MS = 200, /* that is waited for the end of a sequence, or of a frame (mode 2026) */
};

struct pty;

struct pty_size {
	int rows, columns;
};

/* Whoever draws. */
struct pty_drawer {
	void *ctx;
	/* What stands in the drawing now, for a terminal of this size: lines with '\n' between them, at most size.rows, the last ones
	 * of the screen. Called at the beginning, and whenever pty_redraw or a new size of the terminal want it. */
	void (*draw)(void *ctx, const struct pty_size *size, struct buf *out);
	/* Keys are for the drawing from now on. */
	void (*ready)(void *ctx);
	/* A key; only when ready. */
	void (*key)(void *ctx, uint32_t key);
};

/* The real terminal is the controlling one; its modes are ours until pty_free. term: value of TERM, or NULL. Errors:
 * NOTFOUND (berm is in the background there), SYS (there is none), NOMEM. */
MUST_USE enum berm_code pty_new(struct ev_loop *loop, const char *term, struct pty **ret_pty, struct berm_err *err);
/* Takes NULL. What the program has written is written out first, as far as the terminal takes it; then it has its modes again. */
void pty_free(struct pty *pty);
/* The command's side, for its streams that are the real terminal. Borrowed. */
int pty_command_fd(const struct pty *pty);
/* The real terminal may have another size, or we have it again (SIGWINCH, SIGCONT). */
void pty_look(struct pty *pty);
/* Before we are stopped: the terminal is as it was. pty_look makes it ours again. */
void pty_leave(struct pty *pty);

/* Draws, as soon as what the program writes is at a place where that can be done. One drawing at a time: false if there is one. */
bool pty_draw(struct pty *pty, const struct pty_drawer *drawer);
void pty_redraw(struct pty *pty);
/* Takes it away; nothing if there is none. */
void pty_undraw(struct pty *pty);

#endif
