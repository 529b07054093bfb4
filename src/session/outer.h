/*
 * berm inside berm. Inside a sandbox nothing can be mounted and no second listener installed, so the outer run hands its
 * plan in, as text in a sealed memory file whose number is in the environment; what the outer plan holds the inner one
 * need not. A command that closes its descriptors loses it: then the inner run has less to go by, and refuses more.
 */
#ifndef BERM_SESSION_OUTER_H
#define BERM_SESSION_OUTER_H

#include "base/buf.h"

#define OUTER_VARIABLE "BERM_OUTER"

/* A sealed memory file with the text. *ret_fd is the caller's. */
MUST_USE enum berm_code outer_make(struct str text, int *ret_fd, struct berm_err *err);
/* The text that the outer run left, if the value of the variable (NULL: not set) names a sealed memory file. False: there
 * is none. */
bool outer_read(const char *value, struct buf *ret_text);

#endif
