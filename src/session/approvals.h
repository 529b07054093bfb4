/*
 * The one door for what is to be asked, of files and of the network alike. Equal questions are one prompt; what an answer
 * covers is not asked again; prompts wait in line, and no more of them appear in a second than a person can look at. What
 * floor, deny and protect lines say is not looked at here: a question is asked only if none of them closes it.
 */
#ifndef BERM_SESSION_APPROVALS_H
#define BERM_SESSION_APPROVALS_H

#include "session/approver.h"

enum {
	APPROVALS_MAX_PROMPTS = 256,
	APPROVALS_MAX_WAITING = 1024, /* calls, in all */
	APPROVALS_MAX_REMEMBERED = 1024,
	APPROVALS_TIMEOUT_MS = 60000,
	APPROVALS_RATE = 10, /* prompts a second */
	APPROVALS_BURST = 5,
};

enum approvals_mode { APPROVALS_DENY = 0, APPROVALS_ASK, APPROVALS_ALLOW };

/* What the policy says; a changed one is given by approvals_change. */
struct approvals_policy {
	enum approvals_mode mode;
	int64_t timeout_ms;	   /* from when the prompt is shown; 0: APPROVALS_TIMEOUT_MS */
	unsigned rate;		   /* prompts a second; 0: APPROVALS_RATE */
	struct approver *approver; /* kept from then on; NULL: nobody can be asked */
};

enum approval_event {
	APPROVAL_ASKED = 0,
	APPROVAL_ANSWERED,
	APPROVAL_EXPIRED,
	APPROVAL_WITHDRAWN, /* nobody wants to know any more */
};
struct approval_note {
	enum approval_event event;
	const struct approval_prompt *prompt;
	const struct approval_answer *answer; /* ANSWERED, EXPIRED */
	const char *kept; /* ALWAYS: the file that has the line now; NULL: it is not written, and not_kept says why */
	const char *not_kept; /* also of a session's answer that could not be remembered, and holds once; or NULL */
};

/* Whoever runs the engine. */
struct approvals_owner {
	void *ctx;
	int64_t (*now_ms)(void); /* NULL: ev_now_ms */
	/* Writes an answer down for later sessions. *ret_file lives until the next call. NULL: nothing can be written. */
	enum berm_code (*keep)(void *ctx, const struct approval_prompt *prompt, const struct approval_answer *answer,
			       const char **ret_file, struct berm_err *err);
	void (*note)(void *ctx, const struct approval_note *note); /* or NULL */
	const char *session; /* borrowed, with home, as long as the engine lives */
	const char *home;    /* no folder around it is allowed as a whole; or NULL */
};

struct approvals;

MUST_USE enum berm_code approvals_new(const struct approvals_owner *owner, struct approvals **ret_approvals,
				      struct berm_err *err);
void approvals_free(struct approvals *approvals); /* takes NULL; what waits is denied */
void approvals_drop(struct approvals **approvals);
#define auto_approvals __attribute__((cleanup(approvals_drop)))

/* For whoever makes an approver. */
struct ev_loop *approvals_loop(struct approvals *approvals);
/* The policy, at first (mode deny until then) and when it has changed: what is being asked is asked anew. */
void approvals_change(struct approvals *approvals, const struct approvals_policy *policy);

/* Is called once for each question; may ask further ones. answer is borrowed. */
typedef void (*approvals_done)(void *ctx, const struct approval_answer *answer);
/* Asks. Copies the question. Returns 0 if the answer is there at once (done was called: an earlier answer covers it, nobody
 * can be asked, too much waits), else the id by which it can be withdrawn. */
uint64_t approvals_ask(struct approvals *approvals, const struct approval_question *question, approvals_done done,
		       void *ctx);
/* The call is over: done is not called. Nothing if it was answered. */
void approvals_withdraw(struct approvals *approvals, uint64_t id);

/* To be polled for reading; then, and after approvals_timeout_ms (-1: never), approvals_run. */
int approvals_fd(const struct approvals *approvals);
int approvals_timeout_ms(const struct approvals *approvals);
void approvals_run(struct approvals *approvals);

/* Prompts that are open, in the order in which they came, also those that are not shown yet; NULL past the end. */
const struct approval_prompt *approvals_prompt(const struct approvals *approvals, size_t index);

#endif
