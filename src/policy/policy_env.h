/* The environment of a run: an allow-list. Keys, tokens, sockets of agents and of the desktop are not on it. */
#ifndef BERM_POLICY_POLICY_ENV_H
#define BERM_POLICY_POLICY_ENV_H

#include "policy/default_policy.h"

/* The value of a variable in envp, borrowed; NULL: not set. */
const char *policy_env_get(const char *const *envp, const char *name);

#endif
