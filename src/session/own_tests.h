/* The tests that a policy brings along, run for the machine and the run for which it was made. */
#ifndef BERM_SESSION_OWN_TESTS_H
#define BERM_SESSION_OWN_TESTS_H

#include "policy/input.h"
#include "policy/tests.h"

/* Runs those of the policy into tests. Errors: those of policy_tests_run; PARSE (a pattern), LIMIT, NOMEM. */
MUST_USE enum berm_code own_tests_run(const struct policy *policy, const struct policy_input *input,
				      struct policy_tests *tests, struct problems *problems, struct berm_err *err);
/* PARSE, with a problem for each, if one fails. */
MUST_USE enum berm_code own_tests_check(const struct policy *policy, const struct policy_input *input,
					struct problems *problems, struct berm_err *err);

#endif
