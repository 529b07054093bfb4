/*
 * What a policy says to one request, and by which line. The same functions answer "berm why", policy tests, and the run.
 * File questions are answered from the plan (sandbox/plan_decide.h: what the supervisor and the kernel hold), the others
 * from an index of the policy's lines: tries over host labels and path segments, no allocation for a decision.
 */
#ifndef BERM_POLICY_DECIDE_H
#define BERM_POLICY_DECIDE_H

#include "policy/policy.h"

enum policy_answer { ANSWER_DENY = 0, ANSWER_ASK, ANSWER_ALLOW };

enum policy_op {
	POLICY_OP_READ = 0,
	POLICY_OP_LIST,
	POLICY_OP_WRITE, /* change what is there */
	POLICY_OP_CREATE,
	POLICY_OP_DELETE,
	POLICY_OP_EXEC,
	POLICY_OP_SOCKET, /* connect to a Unix socket */
	POLICY_OP_CONNECT,
	POLICY_OP_HTTP,
	POLICY_OP_RUN,
};

struct policy_question {
	enum policy_op op;
	const char *path;	 /* READ to SOCKET: absolute */
	const char *host;	 /* CONNECT, HTTP: a name or an address, without brackets */
	uint16_t port;		 /* CONNECT, HTTP */
	const char *method;	 /* HTTP */
	const char *target;	 /* HTTP: canonical path, with its query */
	const char *program;	 /* the opened executable, absolute; NULL: not known */
	const char *const *argv; /* RUN: NULL-terminated */
};

struct policy_verdict {
	enum policy_answer answer;
	const struct policy_entry *by; /* the line; NULL: the floor, or nothing names it */
	const char *rule;	       /* "filesystem.deny", "floor", "default" */
	char text[256];		       /* the line as written, the floor's entry, or why */
	char grant[512];	       /* what would allow it: a policy line or flags; "": nothing does */
};

struct policy_index;
MUST_USE enum berm_code policy_index_new(const struct policy *policy, struct policy_index **ret_index,
					 struct berm_err *err);
void policy_index_free(struct policy_index *index);
/* Bytes that the index takes. */
size_t policy_index_size(const struct policy_index *index);
/* CONNECT, HTTP and RUN. */
void policy_decide(const struct policy_index *index, const struct policy_question *question,
		   struct policy_verdict *ret_verdict);

#endif
