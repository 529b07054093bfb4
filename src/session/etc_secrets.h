/*
 * What root alone may read below /etc. A command that root runs has no capability, but its files are root's own; so
 * what others may not read is closed to it. For an ordinary user the system itself does that.
 */
#ifndef BERM_SESSION_ETC_SECRETS_H
#define BERM_SESSION_ETC_SECRETS_H

#include "base/err.h"

/* Paths on the heap, NULL-terminated; NULL if there is none, or if the user is not root; the caller frees with str_free_all. At most 512: more of them, and the
 * folder is closed as a whole then. Errors: NOMEM. */
MUST_USE enum berm_code etc_secrets_find(char ***ret_paths, struct berm_err *err);

#endif
