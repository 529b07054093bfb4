/* From the lines of a policy to those who are asked in a run, and to words about them. */
#ifndef BERM_SESSION_APPROVER_BUILD_H
#define BERM_SESSION_APPROVER_BUILD_H

#include "policy/approvers.h"
#include "session/approvals.h"
#include "session/approver_control.h"
#include "session/pty.h"

/* What there is for them; borrowed as long as they live. */
struct approver_means {
	struct ev_loop *loop;
	const char *const *envp;
	struct approver_desk *desk; /* NULL: nobody gets in by the control socket */
	struct pty *pty;	    /* NULL: nothing is asked on the terminal */
	unsigned answerers;	    /* of the policy's input */
};

/* Mode, timeout, rate and who is asked; ret_policy->approver is NULL if nobody is there, and the caller's else. Errors: those of
 * policy_approvers_find and of each approver. */
MUST_USE enum berm_code approver_build(const struct policy *policy, const struct approver_means *means,
				       struct approvals_policy *ret_policy, struct berm_err *err);
/* "program /opt/approve, control (berm approve), or nobody answers within 60s: denied", for people. Errors: as before. */
MUST_USE enum berm_code approver_describe(const struct policy_input *input, struct buf *out, struct berm_err *err);

#endif
