/*
 * The plan of a policy's capabilities. Where this machine cannot filter a network (inside another sandbox), one that nothing is
 * to be reached in is held as none; hosts that are to be reached are refused where they stand.
 */
#ifndef BERM_SESSION_NET_PLAN_H
#define BERM_SESSION_NET_PLAN_H

#include "berm/berm.h"
#include "format/problem.h"
#include "policy/policy.h"

struct net_plan_request {
	const struct policy *policy;
	struct berm_caps *caps; /* of the policy; gets what is held instead, and what programs find names by */
	const struct berm_facts *facts;
	bool draft; /* a plan with what is refused in it, as plan_draft makes it */
};
/* problems: or NULL. Errors: those of berm_plan_make. */
MUST_USE enum berm_code net_plan_make(const struct net_plan_request *request, struct berm_plan **ret_plan,
				      struct problems *problems, struct berm_err *err);

#endif
