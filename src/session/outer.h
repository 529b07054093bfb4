/*
 * berm inside berm. Inside a sandbox nothing can be mounted and no second listener installed; so the inner run asks the
 * outer one what is held already, and what the outer plan holds the inner one need not. The question is a memory file of
 * a certain name, which the outer supervisor answers with a sealed one that has the text: nothing stays open in programs
 * that do not ask, and nothing is lost in those that close their descriptors.
 */
#ifndef BERM_SESSION_OUTER_H
#define BERM_SESSION_OUTER_H

#include "base/buf.h"

/* The text of the plan around us. False: there is none. */
bool outer_find(struct buf *ret_text);
/* The text in a memory file that nobody can change any more. False: it is none. */
bool outer_read(int fd, struct buf *ret_text);

#endif
