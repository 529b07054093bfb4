/*
 * What a plan says to an act, by its grants and rules. The supervisor judges with these functions while the sandbox runs,
 * and "berm why" asks the same ones beforehand. Pure: paths are canonical, what lies beside a name is asked for.
 */
#ifndef BERM_SANDBOX_PLAN_ACT_H
#define BERM_SANDBOX_PLAN_ACT_H

#include <sys/types.h>

#include "sandbox/plan.h"

/* Names are compared without regard to ASCII case: on a file system that does the same, another spelling is the same
 * file. Elsewhere it protects a little too much. */
static const bool PLAN_FOLD = true;

extern const char PLAN_NOT_GRANTED[]; /* the rule, where there is none */

/* What is about to be done to a place. */
enum place_act {
	ACT_READ = 0,
	ACT_EXEC,  /* started; only ever told of */
	ACT_WRITE, /* the content of what exists */
	ACT_MAKE,  /* a file, a FIFO, a socket comes into being */
	ACT_MKDIR,
	ACT_SYMLINK,
	ACT_LINK,	 /* a further name of a file */
	ACT_LINK_FROM,	 /* a file gets a further name elsewhere */
	ACT_LEAVE,	 /* the name goes: renamed away */
	ACT_ARRIVE_FILE, /* the name comes to be by a rename: a regular file */
	ACT_ARRIVE_FOLDER,
	ACT_ARRIVE_OTHER,
	ACT_REMOVE,
	ACT_RMDIR,
	ACT_MODE, /* permissions; mode says which */
	ACT_META, /* owner, times, attributes */
	ACT_COUNT
};
enum berm_request_op plan_act_op(enum place_act act);
unsigned plan_act_needs(enum place_act act); /* the rights: a set of enum berm_right */
bool plan_act_of_name(enum place_act act);   /* changes the folder: its rights count */

struct place_verdict {
	const char *rule;	       /* NULL: allowed */
	int error;		       /* EACCES */
	const struct plan_rule *judge; /* allowed if this accepts the content (ARRIVE_FILE only) */
	const struct plan_rule *by;    /* the rule that refuses; NULL: no grant */
	const char *ask;	       /* allowed if the caller says so: the line that asks; NULL: anyway */
};

/* Some rules wait for a name beside a path. Is something of this name (or "a/b") in folder? */
struct plan_condition {
	bool (*beside)(void *ctx, struct str folder, const char *name);
	void *ctx;
};
/* Is there, beside path, what the rule waits for? */
bool plan_is_beside(const struct plan_rule *rule, struct str path, const struct plan_condition *condition);
/* Does a rule that matches path hold for it? A denied folder denies all below it, so what a DENY rule waits for may lie
 * beside any folder on the way. */
bool plan_rule_holds(const struct plan_rule *rule, struct str path, const struct plan_condition *condition);

/* Does this rule let the act pass, whatever the grant? mode: the new permissions of ACT_MODE. */
bool plan_rule_allows(const struct plan_rule *rule, enum place_act act, mode_t mode);
/* May this be done at path ("": an object that has none)? grant: what holds for it (of an act that is of the name: for its
 * folder), or NULL. */
struct place_verdict plan_judge_act(const struct berm_plan *plan, struct str path, const struct plan_grant *grant,
				    enum place_act act, mode_t mode, const struct plan_condition *condition);
/* Takes "../" off the front of what a rule waits for: how many there were. */
size_t plan_beside_ups(const char **beside);
/* Is path the folder ("": the root) itself, or below it? */
bool plan_lies_below(struct str path, struct str folder);
/* Does this rule match path? */
bool plan_rule_is_at(const struct berm_plan *plan, const struct plan_rule *wanted, struct str path);
/* Does the name of this folder take part in what the rule holds for below it? */
bool plan_rule_enters(const struct plan_rule *rule, struct str folder);
/* What a rule waits for is about to appear, and the rule matches a name of this type (DT_) that is there already. */
enum plan_arrival {
	ARRIVAL_REFUSED = 0,
	ARRIVAL_FINE,
	ARRIVAL_JUDGED, /* if the rule's judge accepts what is in it */
};
enum plan_arrival plan_rule_on_arrival(const struct plan_rule *rule, unsigned char type);
/* The rule that denies path, wherever it waits for something. *ret_inner: it is one whose exceptions may lie below, as those
 * of any other that does. */
const struct plan_rule *plan_denied_by(const struct berm_plan *plan, struct str path, bool *ret_inner);
/* Must the name stay where it is, because the plan grants or denies this path, or (of a folder) one below it, by name?
 * grant: of the path, or NULL. */
bool plan_is_pinned(const struct berm_plan *plan, const struct plan_grant *grant, struct str path, bool folder);

#endif
