/* Folders that a policy wants to be there before a run ("make: true"): an agent's state at its first start. */
#ifndef BERM_SESSION_STATE_FOLDERS_H
#define BERM_SESSION_STATE_FOLDERS_H

#include "policy/input.h"
#include "policy/policy.h"

/* Makes those that are missing, mode 0700, with what is missing above them. Only below the home folder, never through a
 * symbolic link, never where the policy denies, and never because of a project's file. What cannot be made stays missing:
 * the run is as narrow as before. */
void state_folders_make(const struct policy *policy, const struct policy_input *input);

#endif
