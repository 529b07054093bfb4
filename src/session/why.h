/*
 * What the policy of a run says to one question, by the lines: what the machine's kernel makes of a path (a link on the way,
 * a folder that is not there) is looked at only as far as the path leads somewhere else.
 */
#ifndef BERM_SESSION_WHY_H
#define BERM_SESSION_WHY_H

#include "policy/decide.h"
#include "policy/input.h"

/* A file question is answered for the path as it is written and for where it leads; the stricter answer counts. Errors:
 * those of policy_answer; PARSE, LIMIT, NOMEM. */
MUST_USE enum berm_code why_answer(const struct policy *policy, const struct policy_input *input,
				   const struct policy_question *question, struct policy_verdict *ret_verdict,
				   struct berm_err *err);

#endif
