/*
 * The options of `berm run` and of every command that starts something as run
 * does: the table, and how the words of a command line become a request.
 */
#ifndef BERM_CLI_RUN_OPTIONS_H
#define BERM_CLI_RUN_OPTIONS_H

#include "cli/options.h"
#include "session/run.h"

struct run_choices {
	bool explain, json, quiet, verbose, fail_on_deny;
	const char *cwd, *events, *name, *accept_hash;
	/* filled by run_options_apply; what request points to */
	struct arena arena;
	const struct option_use *uses; /* of the options: a flag's line is the number of its use */
	struct policy_line *lines;
	struct policy_doc flags;
	const char **profiles; /* NULL-terminated */
	size_t profile_count;
	struct run_request request;
};

/* From the uses of options to choices->request; argv and envp are left to the
 * caller. Errors: INVALID, PARSE, LIMIT (usage: a value that cannot be), NOMEM.
 * *ret_hint is always set. */
MUST_USE enum berm_code run_options_apply(const struct options *options, struct run_choices *choices,
					  struct option_hint *ret_hint, struct berm_err *err);
void run_options_done(struct run_choices *choices);

#define auto_run_choices __attribute__((cleanup(run_options_done)))

#endif
