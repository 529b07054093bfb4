/*
 * One run, end to end: what a person asked for becomes capabilities, a plan, a sandbox, events and a status. Prints
 * nothing: the command line tells what is to be told.
 */
#ifndef BERM_SESSION_RUN_H
#define BERM_SESSION_RUN_H

#include "berm/berm.h"
#include "format/problem.h"
#include "policy/resolve.h"
#include "session/offers.h"
#include "session/sources.h"

struct run_request {
	const char *const *profiles;	/* as given with -p, NULL-terminated; or NULL */
	bool no_profile;		/* --no-profile */
	const char *accept_hash;	/* --accept-hash; or NULL */
	const struct policy_doc *flags; /* the policy flags; or NULL */
	const char *cwd; /* the folder to start from, as if berm had been started there; NULL: the current one */
	const char *const *argv;	/* of the command; NULL-terminated */
	const char *const *envp;	/* what berm was started with */
	const char *events;		/* a file or "fd:N"; NULL: none */
	const char *name;		/* of the session; NULL: one is made up */
	void (*tell)(const char *text); /* while it runs: a changed policy was refused; or NULL */
	bool tell_all;			/* every refused file makes an event, as berm_caps_tell_all says */
	bool untested;			/* the policy's own tests are not run */
	bool examine; /* start nothing: try out what the machine can hold, though it takes some milliseconds, and let
		       * lines that cannot be held be lines of the plan, or problems */
};

struct run;

/* Everything up to the plan; nothing is started. Borrows what request points to, as long as the run lives. Errors:
 * those of sources_open, policy_make, policy_caps and berm_plan_make, policy tests that fail (PARSE); SYS. What has a
 * place in a policy is in problems. */
MUST_USE enum berm_code run_new(const struct run_request *request, struct run **ret_run, struct problems *problems,
				struct berm_err *err);
void run_free(struct run *run); /* ends what still runs */

const struct berm_plan *run_plan(const struct run *run);
const struct berm_facts *run_facts(const struct run *run);
const struct policy *run_policy(const struct run *run);
const struct sources *run_sources(const struct run *run);
/* What is known of the machine and the run, with which its policy was made. */
const struct policy_input *run_input(const struct run *run);
/* The profile by which the run goes; *ret_by_program: the program chose it. */
const char *run_profile(const struct run *run, bool *ret_by_program);
/* With examine: where a line of the plan comes from, by its words: a line of the policy (*ret_entry), or words of the
 * run's own; both NULL: nobody said it. */
void run_origin(const struct run *run, const char *line, const struct policy_entry **ret_entry, const char **ret_words);
/* What the project's file wants, and the user has not agreed to; NULL: nothing. */
const struct policy_doc *run_unaccepted(const struct run *run);
/* True if a line cannot be held (only with examine; otherwise run_new has failed): one of the plan, or one of the policy,
 * which then is in the problems of run_new. */
bool run_is_refused(const struct run *run);
/* The workspace; NULL: there is none, and run_no_workspace says why. */
const char *run_workspace(const struct run *run);
const char *run_no_workspace(const struct run *run);

/* The session's name, once it has started. */
const char *run_session(const struct run *run);

/* Starts the command. If the machine refuses what the quick look at it promised, it is looked at again, closely, and
 * the plan is made anew: run_plan then gives another one. Errors: those of berm_sandbox_spawn. */
MUST_USE enum berm_code run_start(struct run *run, struct berm_err *err);

struct run_result {
	struct berm_status status;
	const struct offers
		*offers; /* what was denied, and what would allow it; the run's. NULL: nothing, or no memory */
	struct berm_err events_failure; /* code OK: all events were written */
};
/* Serves until everything of the sandbox is gone. Signals and stops are passed on, the terminal is as it was before. */
MUST_USE enum berm_code run_finish(struct run *run, struct run_result *ret_result, struct berm_err *err);

#endif
