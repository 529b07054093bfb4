/*
 * Who is asked, as the policy says it: the lines of approvals.by as a list, and whether any of them can be had in this run.
 * Pure. Who they are when it comes to asking: session/approver.h.
 */
#ifndef BERM_POLICY_APPROVERS_H
#define BERM_POLICY_APPROVERS_H

#include "policy/input.h"
#include "policy/policy.h"

enum policy_approver_kind {
	POLICY_APPROVER_TERMINAL = 0,
	POLICY_APPROVER_CONTROL,
	POLICY_APPROVER_DESKTOP,
	POLICY_APPROVER_WEBHOOK,
	POLICY_APPROVER_PROGRAM,
	POLICY_APPROVER_ALL,
	POLICY_APPROVER_ANY,
	POLICY_APPROVERS
};
extern const char *const policy_approver_words[POLICY_APPROVERS + 1];

/* Texts are the policy's, or in the arena. */
struct policy_approver {
	enum policy_approver_kind kind;
	const char *const *argv;	       /* PROGRAM: NULL-terminated */
	const char *url, *key;		       /* WEBHOOK */
	const struct policy_approver *members; /* ALL, ANY */
	size_t count;
	const struct policy_entry *entry; /* the line; NULL: nobody has said who */
};

/* The list in order; the first answer counts. Where nobody says who: the terminal, and, if the policy says that somebody is to
 * be asked, another one ("berm approve"). Errors: PARSE (a member that no loaded file has), NOMEM. */
MUST_USE enum berm_code policy_approvers_find(const struct policy *policy, struct arena *arena,
					      const struct policy_approver **ret_list, size_t *ret_count,
					      struct berm_err *err);
/* Can this one be had? answerers: what policy_input says; programs always. All of "all", one of "any". */
bool policy_approver_is_there(const struct policy_approver *approver, unsigned answerers);
/* Is what is to be asked asked of somebody in this run? False where it is allowed or denied anyway. Errors: as above. */
MUST_USE enum berm_code policy_approvers_ask(const struct policy_input *input, bool *ret_ask, struct berm_err *err);

#endif
