/* Answers that hold for ever: a line in the user's own policy file, which says where it comes from. */
#ifndef BERM_SESSION_APPROVALS_KEEP_H
#define BERM_SESSION_APPROVALS_KEEP_H

#include "base/arena.h"
#include "policy/doc.h"
#include "session/approver.h"

/* The answer as a document of one line, in the arena. day: "2026-11-25". Allowed: read or write, a socket, exec, a host and its
 * port, a request; denied: deny, or protect where it was about changing. Errors: UNSUPPORTED (no line says it), NOMEM. */
MUST_USE enum berm_code approvals_keep_line(const struct approval_prompt *prompt, const struct approval_answer *answer,
					    const char *day, struct arena *arena, const struct policy_doc **ret_doc,
					    struct berm_err *err);
/* Puts it into the file, whole or not at all; the file is made if it is not there. Errors: as before, and those of
 * user_file_insert. */
MUST_USE enum berm_code approvals_keep(const char *file, const struct approval_prompt *prompt,
				       const struct approval_answer *answer, struct berm_err *err);

#endif
