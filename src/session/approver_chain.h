/* Several who are asked together: the first answer counts (any), or all must allow (all). */
#ifndef BERM_SESSION_APPROVER_CHAIN_H
#define BERM_SESSION_APPROVER_CHAIN_H

#include "session/approver.h"

enum { APPROVER_CHAIN_MAX = 16 };

/* Keeps members, of which there is one at least, also when it fails. Of what all allow, the narrowest holds: the shortest scope
 * and time, and the extent that all have named, else the object. any: who cannot be asked is left out. Errors: LIMIT, NOMEM. */
MUST_USE enum berm_code approver_chain_new(struct ev_loop *loop, bool all, struct approver *const *members,
					   size_t count, struct approver **ret_approver, struct berm_err *err);

#endif
