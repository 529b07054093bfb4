/*
 * What the commands that look at the policy of a run have in common: the same flags as "berm run", resolved for the same
 * run, and nothing started.
 */
#ifndef BERM_CLI_POLICY_RUN_H
#define BERM_CLI_POLICY_RUN_H

#include "cli/commands.h"
#include "cli/run_options.h"

/* What a command line says: the command's struct begins with run, as its option set has run's policy options. */
struct policy_command {
	const struct command *self;
	const struct options *options;
	struct run_choices *run;
};

/* From the words after a command's name to choices, whose first member is the struct run_choices. Returns -1 to go on, or
 * an exit status: help was given, or usage was wrong and has been told. *ret_options is the caller's. */
int policy_run_parse(const struct command *self, const char *const *argv, struct run_choices *choices,
		     struct options *ret_options);
/* The run that these choices come to; it is only to be looked at. Errors: those of run_new. */
MUST_USE enum berm_code policy_run_new(const struct run_choices *choices, struct run **ret_run,
				       struct problems *problems, struct berm_err *err);
/* The same where a profile (a name or a file) takes the place of what -p says; what is no path but looks like a file's
 * name is a file. A project's file (.berm.yaml) is looked at where it is. */
MUST_USE enum berm_code policy_run_of(const struct run_choices *choices, const char *profile, struct run **ret_run,
				      struct problems *problems, struct berm_err *err);

void policy_run_drop(struct run **run);
#define auto_run __attribute__((cleanup(policy_run_drop)))

#endif
