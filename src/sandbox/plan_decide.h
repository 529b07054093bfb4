/*
 * What a sandbox that is started with a plan answers to a file question: what it sees in a place, what the kernel and the
 * supervisor together let pass, and by which grant or rule. For "berm why"; acts are judged by plan_act.h, as at run time.
 * Pure: paths are canonical, and what is on the machine is told with the question.
 */
#ifndef BERM_SANDBOX_PLAN_DECIDE_H
#define BERM_SANDBOX_PLAN_DECIDE_H

#include "sandbox/plan_act.h"

enum plan_op { PLAN_OP_READ = 0, PLAN_OP_LIST, PLAN_OP_WRITE, PLAN_OP_CREATE, PLAN_OP_DELETE, PLAN_OP_EXEC };

/* How the sandbox sees a path on the way to something. */
enum plan_sight {
	SIGHT_HIDDEN = 0, /* it is not there */
	SIGHT_MASKED,	  /* its name is there, and nothing can be opened at or below it */
	SIGHT_OWN,	  /* the sandbox has its own in this place */
	SIGHT_FOLDER,	  /* a folder that is there only as the way to something */
	SIGHT_LINK,	  /* a symbolic link on the way to a grant, made anew */
	SIGHT_REAL,	  /* what the machine has there */
};
enum plan_sight plan_sight_of(const struct berm_plan *plan, struct str path);
/* What stands in for path, so that the machine's is not there: a scratch folder, "/proc" or "/dev"; NULL: nothing. */
const char *plan_own_folder(const struct berm_plan *plan, struct str path);
/* In the hidden view everything that can be seen was granted for reading, mostly: then one rule on the root says so, and
 * the folders on the way to grants can be listed. */
bool plan_root_is_readable(const struct berm_plan *plan);

struct plan_question {
	enum plan_op op;
	struct str path; /* canonical: no symbolic link is left in it */
	mode_t mode;	 /* of the object on the machine, type and permissions; 0: there is none */
	const struct plan_condition *condition; /* what lies beside names; NULL: everything that rules wait for */
};

struct plan_answer {
	bool allowed;
	bool missing;			/* denied: not there, as the sandbox sees it */
	const struct plan_rule *by;	/* denied: the rule; allowed: the rule whose judge looks at the content */
	const struct plan_grant *grant; /* allowed: by which; denied: the grant whose rights do not suffice; or NULL */
	const char *why;		/* words, lower case; "" if rule or grant tell enough */
};
struct plan_answer plan_decide(const struct berm_plan *plan, const struct plan_question *question);

#endif
