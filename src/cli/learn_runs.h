/*
 * Runs a command to learn from: under the policy, with what was learned so far beside the flags, and with every refused
 * file told. What would be asked for is allowed, unless it is to stay closed, and told too. The back-end is the one in which files outside the grants can be seen, so that a refusal is one and not a
 * file that is not there.
 */
#ifndef BERM_CLI_LEARN_RUNS_H
#define BERM_CLI_LEARN_RUNS_H

#include "cli/run_options.h"
#include "policy/learn_events.h"

struct learn_run {
	const struct run_choices *choices;
	const char *const *argv;
	const struct policy_doc *learned; /* so far; or NULL */
	bool closed;			  /* what is to be asked for is denied as well */
};
/* One run. Its denials are added to events. *ret_status: as "berm run" would end. Errors: those of run_new, run_start and
 * run_finish; those of learn_events_read. */
MUST_USE enum berm_code learn_runs_once(const struct learn_run *how, struct learn_events *events, int *ret_status,
					struct problems *problems, struct berm_err *err);

#endif
