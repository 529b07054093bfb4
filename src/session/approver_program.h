/*
 * A command that answers: it gets the question as one JSON object on its standard input and says the answer as one on its
 * standard output. It runs outside the sandbox, in the root folder, for each question anew. Anything odd is a denial: another
 * text, too much of it, a status that is not 0, a signal.
 */
#ifndef BERM_SESSION_APPROVER_PROGRAM_H
#define BERM_SESSION_APPROVER_PROGRAM_H

#include "session/approver.h"

enum { APPROVER_PROGRAM_ROOM = 8 };

/* argv: copied; the program by its absolute path. envp: borrowed. Errors: INVALID (no absolute path), NOMEM. */
MUST_USE enum berm_code approver_program_new(struct ev_loop *loop, const char *const *argv, const char *const *envp,
					     struct approver **ret_approver, struct berm_err *err);

#endif
