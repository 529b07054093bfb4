/* Asks on the terminal from which berm was started: the question is drawn over what the program shows there (pty.h), one key
 * answers it. */
#ifndef BERM_SESSION_APPROVER_TERMINAL_H
#define BERM_SESSION_APPROVER_TERMINAL_H

#include "session/approver.h"
#include "session/pty.h"

/* Borrows pty, which lives longer, and who (a name for the events). Errors: NOMEM. */
MUST_USE enum berm_code approver_terminal_new(struct ev_loop *loop, struct pty *pty, const char *who, bool colour,
					      struct approver **ret_approver, struct berm_err *err);

#endif
