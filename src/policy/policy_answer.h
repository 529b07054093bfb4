/*
 * What the lines of a policy say to a question, by the order of verdicts alone: floor, deny, protect, ask, allow, default.
 * Pure; what is on the machine is not looked at. By it the tests of a policy are answered.
 */
#ifndef BERM_POLICY_POLICY_ANSWER_H
#define BERM_POLICY_POLICY_ANSWER_H

#include "policy/learn_policy.h"
#include "policy/tests.h"

/* The decide of struct policy_answers. */
struct policy_answer_context {
	const struct policy *policy;
	struct learn_policy *rules; /* of that policy */
};
/* context: a struct policy_answer_context. A question about a host or command is answered by an index that is made for it:
 * who asks many makes one (decide.h). Errors: those of policy_index_new. */
MUST_USE enum berm_code policy_answer(void *context, const struct policy_question *question,
				      struct policy_verdict *ret_verdict, struct berm_err *err);

#endif
