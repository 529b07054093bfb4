/*
 * Events: what happened, one JSON object a line. One table of fields writes the lines and prints their JSON Schema, so
 * the two cannot differ. Nothing here does I/O. docs/events.md describes the fields for readers.
 */
#ifndef BERM_AUDIT_EVENT_H
#define BERM_AUDIT_EVENT_H

#include <stdint.h>

#include "base/buf.h"
#include "berm/berm.h"

enum {
	EVENT_LINE_MAX = 64 * 1024, /* no event is longer */
	EVENT_GRANT_MAX = 1200,
	EVENT_COMMAND_MAX = 4096, /* bytes of the command's words that are shown */
};

enum event_kind {
	EVENT_FILE = 0,
	EVENT_SOCKET,
	EVENT_NET,
	EVENT_PROCESS,
	EVENT_SESSION,
	EVENT_LIMIT,
	EVENT_POLICY,
	EVENT_DNS,
	EVENT_HTTP,
	EVENT_ROLE,
	EVENT_APPROVAL,
	EVENT_KINDS
};

/* Which line of the policy decided. Strings may be NULL. */
struct event_by {
	const char *rule;  /* "filesystem.protect" */
	const char *text;  /* the line itself: the rule's label or pattern, the flag */
	const char *layer; /* "default", "flag" */
	const char *at;	   /* where the line stands, for policies from files */
	bool narrows;	   /* a deny or protect line: no grant lifts it */
};

/* Strings are borrowed and may be NULL: then the field is left out. */
struct event {
	uint64_t seq;
	int64_t time_ns; /* CLOCK_REALTIME */
	const char *session;
	uint64_t generation; /* of the policy, from 1 */
	enum event_kind kind;
	const char *op;
	struct {
		const char *path, *as;
		uint64_t dev, ino; /* 0: no such object */
		uint32_t mode;
		const char *record;	     /* kind DNS: "AAAA" */
		const char *method, *target; /* kind HTTP */
	} object;
	struct {
		int64_t pid; /* 0: unknown */
		const char *exe;
	} task;
	bool decided; /* verdict and error count */
	enum berm_verdict verdict;
	int error;
	struct event_by by;
	char grant[EVENT_GRANT_MAX]; /* "": none would */
	const char *detail;
	uint32_t count;
	/* kind SESSION, op start: */
	const char *const *command; /* NULL-terminated, or NULL */
	const char *workspace, *backend;
	/* kind SESSION, op stop: */
	const struct berm_status *status; /* or NULL */
	const char *const *offers;	  /* "filesystem.read: ~/.foo", NULL-terminated, or NULL */
	/* kind POLICY, op load: */
	const char *const *files; /* NULL-terminated, or NULL */
	/* kind POLICY, op reload: */
	const char *const *changes; /* "added read /srv: now", NULL-terminated, or NULL */
	/* kind APPROVAL: what was asked and who answered; object and task are the question's */
	struct {
		uint64_t id;	       /* of the prompt, from 1 in the session */
		const char *kind, *op; /* "file", "read" */
		uint64_t waiting;      /* calls that wait for it */
		const char *scope, *extent;
		const char *by, *who; /* "program", "approve" */
		const char *kept;     /* the file that has a line now */
	} approval;
	/* kind LIMIT: */
	const char *limit; /* "wall" */
	uint64_t limit_value;
	/* kind NET, op close: bytes that went out and came in */
	uint64_t sent, received;
	/* kind ROLE, op died: */
	const char *role; /* "egress" */
};

/* From a request to its event, seq and session apart; borrows from both. */
void event_from_request(const struct berm_request *request, const struct event_by *by, struct event *ret_event);
/* Appends the event as one line with its newline. */
void event_print(const struct event *event, struct buf *out);
/* Appends the JSON Schema (2020-12) of one line. */
void event_schema(struct buf *out);
/* "read", "write", ... */
const char *event_op_word(enum berm_request_op op);
/* "file", "folder", ...; NULL: not known. */
const char *event_type_word(uint32_t mode);
/* The name of an errno ("EACCES"), or NULL if it has none here. */
const char *event_errno_name(int error);
/* The denial as one line for people on stderr, without newline: what, by which line, that retrying will not help, what
 * would allow it. Not printable bytes are '?'. */
void event_sentence(const struct event *event, struct buf *out);

#endif
