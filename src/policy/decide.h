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
	POLICY_OP_NAME, /* may this host's name be known at all, with some port, to some program? */
};

struct policy_question {
	enum policy_op op;
	const char *path;	 /* READ to SOCKET: absolute */
	const char *host;	 /* CONNECT, HTTP, NAME: a name or an address, without brackets */
	uint16_t port;		 /* CONNECT, HTTP */
	const char *method;	 /* HTTP */
	const char *target;	 /* HTTP: canonical path, with its query */
	const char *operation;	 /* HTTP: of GraphQL, "query:NAME"; NULL: not known, or none */
	const char *program;	 /* the opened executable, absolute; NULL: not known */
	const char *const *argv; /* RUN: NULL-terminated */
};

struct policy_verdict {
	enum policy_answer answer;
	const struct policy_entry *by; /* the line; NULL: the floor, or nothing names it */
	const char *rule;	       /* "filesystem.deny", "floor", "default" */
	char text[256];		       /* the line as written, the floor's entry, or why */
	char grant[512];	       /* what would allow it: a policy line or flags; "": nothing does */
	/* CONNECT, HTTP: a line that allows this permits private addresses: it has "private", or names an address or a
	 * network. What a name resolves to is asked for like a host of its own: "network.deny" closes it, and a network
	 * that allows it and is private permits it to the name as well. */
	bool private_ok;
	bool address_ok; /* CONNECT, HTTP: a line that allows this names this very address, and no network around it */
	/* CONNECT that is not denied: what may be sent is decided by request. Then each is asked for as HTTP, and its
	 * private_ok counts, not that of the connection; what is not HTTP is not sent. */
	bool http_rules;
};

/* Of the lines that are in force. A program that is not known (NULL) is none of those that a grant is for, and each of those
 * that a denial is for; so with an operation. Borrows policy. Errors: PARSE (a text that is no host, path or command;
 * loaded files have none), LIMIT (64 MiB), NOMEM. */
struct policy_index;
MUST_USE enum berm_code policy_index_new(const struct policy *policy, struct policy_index **ret_index,
					 struct berm_err *err);
void policy_index_free(struct policy_index *index);
void policy_index_drop(struct policy_index **index);
#define auto_policy_index __attribute__((cleanup(policy_index_drop)))
/* Bytes that the index takes. */
size_t policy_index_size(const struct policy_index *index);
/* CONNECT, HTTP, RUN and NAME, which a line for any port, program or request allows, and none but one for all of them denies;
 * anything else is denied. The line that is told is the first of those that decide; where a connection
 * is allowed by lines with and without "http", the first without. */
void policy_decide(const struct policy_index *index, const struct policy_question *question,
		   struct policy_verdict *ret_verdict);

#endif
