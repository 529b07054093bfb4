/*
 * From what a run was refused to policy lines that would allow it: the narrowest ones, generalised by the rules that
 * docs/learn.md states. Pure: what the policy in force says to a path is asked of a judge. Nothing that the floor, a
 * deny or a protect line closes is ever proposed.
 */
#ifndef BERM_POLICY_LEARN_H
#define BERM_POLICY_LEARN_H

#include "base/vec.h"
#include "policy/decide.h"

enum { LEARN_MAX_EVENTS = 100000, LEARN_FILES_OF_A_FOLDER = 3, LEARN_WHY_MAX = 400 };

struct learn_event {
	enum policy_op op;
	const char *object;  /* absolute path; CONNECT: "host:port" */
	bool folder;	     /* it is one, or (CREATE) is to become one */
	const char *program; /* or NULL */
	uint64_t seq;	     /* in its session */
	uint32_t count;
};

enum learn_word { LEARN_FORBIDDEN = 0, LEARN_ALLOWED, LEARN_OPEN };

/* What is known of the run, and what the policy in force says. */
struct learn_judge {
	const char *home, *workspace; /* absolute and canonical, or NULL */
	void *context;
	/* FORBIDDEN: the floor, a deny or protect line says no; ALLOWED: a line allows it already; OPEN: no line says
	 * anything, or it would be asked. tree: of all below path too; FORBIDDEN then if a line names anything there.
	 * ret_why: which line, or "" if none. */
	enum learn_word (*look)(void *context, enum policy_op op, const char *object, bool tree,
				char ret_why[static LEARN_WHY_MAX]);
};

struct learn_line {
	enum policy_key key; /* READ, WRITE, REPLACE, EXEC, SOCKETS, NET_ALLOW */
	const char *text;    /* as in a policy file: "~/.cargo/config.toml" */
	bool file;	     /* extent: file */
	const char *why;     /* which rule made it, or what is to be known about it; "" */
	size_t *events;	     /* indexes of those behind it */
	size_t event_count;
};
struct learn_skipped {
	size_t event;
	const char *why; /* it is not proposed */
};
struct learn {
	struct arena arena;
	struct vec lines;   /* of struct learn_line, by key and text */
	struct vec skipped; /* of struct learn_skipped, in order */
};

void learn_init(struct learn *learn);
void learn_done(struct learn *learn);
/* Errors: LIMIT, NOMEM. */
MUST_USE enum berm_code learn_make(const struct learn_event *events, size_t count, const struct learn_judge *judge,
				   struct learn *learn, struct berm_err *err);
/* The lines as those of a document, in the arena of learn. Errors: NOMEM. */
MUST_USE enum berm_code learn_document(struct learn *learn, struct policy_doc *ret_doc, struct berm_err *err);

#define auto_learn __attribute__((cleanup(learn_done)))

#endif
