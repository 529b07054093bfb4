/*
 * A name that rules wait for ("beside": HEAD, refs) is about to be made: is what they match there already, and is it in
 * order? The supervisor looks in the same way (place_check_beside).
 */
#ifndef BERM_SESSION_WHY_AWAIT_H
#define BERM_SESSION_WHY_AWAIT_H

#include "sandbox/plan_act.h"

/* path: canonical, of the name that is to be made. *ret_rule: the rule that refuses it; NULL: none. Errors: NOMEM. */
MUST_USE enum berm_code why_await(const struct berm_plan *plan, const char *path, const struct plan_rule **ret_rule,
				  struct berm_err *err);

#endif
