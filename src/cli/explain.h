/* `run --explain`: the policy with where each line comes from, and the plan with who enforces it. */
#ifndef BERM_CLI_EXPLAIN_H
#define BERM_CLI_EXPLAIN_H

#include "cli/run_options.h"

/* Prints and returns the exit status. */
int explain_run(const struct run *run, const struct run_choices *choices, const struct options *options);
/* What is stricter in this version than the policy says, as a line; NULL: nothing. */
const char *explain_stricter(const struct run *run);

#endif
