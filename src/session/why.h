/*
 * What a run would answer to one question. Files: by the plan that the run would be started with, on this machine, with the
 * functions that judge while it runs, and where the path leads as the sandbox sees it. The rest by the policy's lines.
 */
#ifndef BERM_SESSION_WHY_H
#define BERM_SESSION_WHY_H

#include "policy/decide.h"
#include "session/run.h"

struct why;
/* For a run that was made to be examined; borrows it. One for any number of questions. Errors: those of
 * learn_policy_new. */
MUST_USE enum berm_code why_new(const struct run *run, struct why **ret_why, struct berm_err *err);
void why_free(struct why *why);
void why_drop(struct why **why);
#define auto_why __attribute__((cleanup(why_drop)))

struct why_answer {
	struct policy_verdict verdict; /* of a name that is not there: as if it were */
	int error; /* what a call ends with all the same, whatever the verdict: ENOENT, EEXIST, EISDIR, ENOTDIR, ELOOP,
		      * ENOTEMPTY; 0: as the verdict says */
	bool judged;	     /* allowed if a judge accepts the content */
	char path[PATH_MAX]; /* of files: where the path leads */
};
/* question: paths are absolute, as they were written. Errors: those of policy_answer; PARSE, LIMIT, NOMEM. */
MUST_USE enum berm_code why_ask(struct why *why, const struct policy_question *question, struct why_answer *ret_answer,
				struct berm_err *err);

#endif
