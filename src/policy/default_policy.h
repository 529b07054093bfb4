/*
 * The policy without a profile: from what one run was started with to capabilities and environment. Pure: everything
 * about the machine is passed in. What is granted and why: docs/default-policy.md.
 */
#ifndef BERM_POLICY_DEFAULT_POLICY_H
#define BERM_POLICY_DEFAULT_POLICY_H

#include "policy/input.h"

/* The capabilities of the run. Errors: INVALID (a flag's path that cannot be granted), PARSE (a
 * flag's pattern), LIMIT, NOMEM. */
MUST_USE enum berm_code policy_caps(const struct policy_input *input, struct berm_caps **ret_caps,
				    struct berm_err *err);

/* The environment of the run: the short list, and what -e adds. On the heap, NULL-terminated; the caller frees with
 * policy_environment_free. Errors: INVALID (a -e without a name), NOMEM. */
MUST_USE enum berm_code policy_environment(const struct policy_input *input, char ***ret_envp, struct berm_err *err);
void policy_environment_free(char **envp);

#endif
