/*
 * What a run was denied, and the policy lines that would allow it, as "berm learn" proposes them: by the policy that was in
 * force. For the end of a run; pure but for memory.
 */
#ifndef BERM_SESSION_OFFERS_H
#define BERM_SESSION_OFFERS_H

#include "audit/event_parse.h"
#include "policy/input.h"
#include "policy/learn_events.h"
#include "policy/learn_policy.h"
#include "session/denials.h"

struct offers {
	struct arena arena;
	struct event_list denials; /* oldest first */
	bool dropped;		   /* there were more, different ones */
	struct learn_events events;
	struct learn learn;
};

/* input->policy judges. workspace may be NULL. Errors: those of learn_policy_new, learn_events_read and learn_make. */
MUST_USE enum berm_code offers_new(const struct policy_input *input, const struct denials *denials,
				   struct offers **ret_offers, struct berm_err *err);
void offers_free(struct offers *offers); /* takes NULL */

/* What of events would become lines. learn: learn_init. rules: of policy. */
MUST_USE enum berm_code offers_judge(const struct policy_input *input, struct learn_policy *rules,
				     const struct learn_events *events, struct learn *learn, struct berm_err *err);

/* "filesystem.read: ~/.cargo/config.toml". */
void offers_put_line(const struct learn_line *line, struct buf *out);

#endif
