/* What a run holds, shared by the files that make it: run.c (up to the start), run_change.c (another policy while it
 * runs), run_serve.c (what its sandbox asks and tells). Not for anybody else. */
#ifndef BERM_SESSION_RUN_STATE_H
#define BERM_SESSION_RUN_STATE_H

#include <limits.h>
#include <time.h>

#include "session/control.h"
#include "session/denials.h"
#include "session/generation.h"
#include "session/jobs.h"
#include "session/journal.h"
#include "session/machine_values.h"
#include "session/reload.h"
#include "session/run.h"
#include "session/streams.h"
#include "session/workspace.h"

struct run {
	struct run_request request;
	char cwd[PATH_MAX], home[PATH_MAX], real_home[PATH_MAX], cache[PATH_MAX];
	const char *cache_values[2]; /* of $WORKSPACE_CACHE */
	struct policy_variable cache_variable;
	char events[2 * PATH_MAX]; /* "fd:N", or an absolute path */
	struct workspace workspace;
	struct berm_err no_workspace; /* why there is none; code OK: there is one */
	char **closed;		      /* further secrets of the system */
	char **links;		      /* in the home folder */
	char **kernel_mounts;	      /* besides the usual ones */
	const char *kept[2];	      /* the events file */
	char distro[128];
	struct sources_request asked;
	struct sources *sources;
	struct machine_values values; /* of variables, when they are asked for */
	struct policy_input input;
	struct policy *policy;
	struct policy_origins origins; /* with examine */
	bool unheld;		       /* with examine: lines of the policy cannot be held in this version */
	struct berm_caps *caps;
	struct berm_facts *facts;
	bool facts_are_quick;
	struct berm_plan *plan;
	char **environment;
	struct terminal terminal;
	struct jobs jobs;
	struct journal journal;
	struct denials *denials; /* what was denied; NULL with examine */
	struct offers *offers;	 /* made of it at the end; or NULL */
	char program[PATH_MAX];	 /* berm's own */
	struct berm_sandbox *box;
	struct reload *reload;	 /* NULL: the files are not watched */
	struct control *control; /* NULL: nobody can ask for changes */
	struct generation next;	 /* a policy that is being put in force */
	struct timespec read;	 /* when the policy's files were read, at the earliest */
	char *watched[3];	 /* files that may appear */
	struct run_result result;
};

/* "" is no text. */
const char *run_text_or_null(const char *text);

/* Watches the policy's files and opens the control socket. Neither is needed for the run itself: where one cannot be had,
 * the policy stays as it is. */
void run_watch_policy(struct run *run);
/* Milliseconds until run_take_changes has something to do, or -1. */
int run_change_timeout_ms(const struct run *run);
/* files, asked: there is something to read from the files' watch, from the control socket. */
void run_take_changes(struct run *run, bool files, bool asked);

#endif
