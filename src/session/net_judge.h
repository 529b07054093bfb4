/*
 * What the policy says to the questions of @egress: the monitor's side of the network filter, without descriptors or
 * events. A name is judged by the policy's lines; an address that a name leads to, or that a program asked for, by what kind
 * of address it is as well.
 */
#ifndef BERM_SESSION_NET_JUDGE_H
#define BERM_SESSION_NET_JUDGE_H

#include "egress/door.h"
#include "policy/decide.h"

/* DNS, CONNECT, RECHECK, HTTP; anything else is denied. target: of HTTP, NUL-terminated. */
void net_judge_question(const struct policy_index *index, const struct door_question *question, const char *target,
			struct policy_verdict *ret_verdict);

struct net_judged {
	uint16_t allowed; /* bit i: the question's addresses[i] may be dialled */
	/* Of the first that may not: */
	const struct policy_entry *by; /* the line that closes it; NULL: the kind of address */
	char text[256];		       /* "10.0.0.5 is private (RFC 1918)" */
	char grant[128];	       /* the flag that would open it; "": none */
};
/* ADDRESSES: the question was judged before, and passed, or (approved) a person let it pass. With the host closed none of them is
 * allowed. */
void net_judge_addresses(const struct policy_index *index, const struct door_question *question, const char *target,
			 bool approved, struct net_judged *ret_judged);

#endif
