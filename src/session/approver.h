/*
 * Who answers questions, behind one interface: a command, a list that another terminal looks at, several of these together.
 * An approver knows nothing of policies: what floor, deny and protect say was looked at before, and is again on the object
 * itself. What it shows is told by bytes from inside the sandbox: it escapes what commands a terminal.
 */
#ifndef BERM_SESSION_APPROVER_H
#define BERM_SESSION_APPROVER_H

#include "berm/berm.h"
#include "os/ev.h"

enum {
	APPROVAL_TEXT_MAX = 8192, /* bytes of a text of a question; longer is denied, not cut */
	APPROVAL_BY_SIZE = 16,
	APPROVAL_WHO_SIZE = 128,
	APPROVAL_REASON_SIZE = 256,
};

enum approval_kind {
	APPROVAL_FILE = 0,
	APPROVAL_EXEC,
	APPROVAL_SOCKET,
	APPROVAL_NET,
	APPROVAL_DNS,
	APPROVAL_HTTP,
	APPROVAL_PROCESS,
	APPROVAL_KINDS
};
/* "file", "exec", "socket", ..., NULL-terminated */
extern const char *const approval_kind_words[APPROVAL_KINDS + 1];

/* What one wants to know. Texts may be NULL but for op and object. */
struct approval_question {
	enum approval_kind kind;
	const char *op; /* "read"; of http the method */
	const char *
		object; /* what it is one and the same by: the final path, "example.org:443", "https://example.org/a?b" */
	const char *as; /* as the program wrote it */
	const char *exe;
	pid_t pid;	   /* as seen inside the sandbox */
	uint64_t dev, ino; /* 0: no such object */
	uint32_t mode;
	const char *host; /* NET, DNS, HTTP: a name or an address, lower case */
	uint16_t port;
	const char *method, *target; /* HTTP: target is the canonical path with its query */
	const char *rule;	     /* the line that asks */
	const char *reason;	     /* why, if the program said it: not to be believed */
};

enum approval_scope { APPROVAL_ONCE = 0, APPROVAL_SESSION, APPROVAL_ALWAYS, APPROVAL_SCOPES };
enum approval_extent { APPROVAL_OBJECT = 0, APPROVAL_FOLDER, APPROVAL_HOST, APPROVAL_EXTENTS };
extern const char *const approval_scope_words[APPROVAL_SCOPES + 1];
extern const char *const approval_extent_words[APPROVAL_EXTENTS + 1];

struct approval_answer {
	enum berm_verdict verdict; /* zero: deny, once */
	enum approval_scope scope;
	enum approval_extent extent; /* one that the question has not is the object alone */
	int64_t for_ms;		     /* SESSION: how long it holds; 0: as long as the session */
	char by[APPROVAL_BY_SIZE];   /* "program" */
	char who[APPROVAL_WHO_SIZE];
	char reason[APPROVAL_REASON_SIZE];
};

/* A question that is being asked, on behalf of all that want to know just this. Lives from ask to answer or withdraw. */
struct approval_prompt {
	uint64_t id; /* from 1, of the session */
	struct approval_question question;
	const char *session;
	const char *folder; /* what the extent FOLDER would be, absolute; NULL: it has none */
	int64_t asked_ms;   /* of the engine's clock; when the first wanted to know */
	int64_t until_ms;   /* when it is denied without an answer; 0: not shown yet */
	size_t waiting;	    /* how many calls wait for it */
};

struct approver;

struct approver_kind {
	const char *name; /* "program" */
	size_t room;	  /* prompts that it takes at once; further ones are kept back until then. 0: any number */
	/* Begins to ask; the answer comes later, from the loop, never from within this call. prompt is borrowed until it is
	 * answered or withdrawn. An error counts as nobody having been asked. */
	enum berm_code (*ask)(struct approver *approver, const struct approval_prompt *prompt, struct berm_err *err);
	/* The prompt is over (answered by another, timed out, its program gone): nothing more is to be shown or told of it.
	 * Also for one that was never asked. */
	void (*withdraw)(struct approver *approver, uint64_t id);
	void (*free)(struct approver *approver); /* withdraws everything */
};

/* Stands first in the struct of each kind. Descriptors and deadlines are sources of the loop, which is there from the start. */
struct approver {
	const struct approver_kind *kind;
	struct ev_loop *loop;
	/* Where answers go: whoever owns the approver sets it. The prompt is over when this returns; an answer to one that is
	 * over is lost. by and who of the answer are filled in by the approver. */
	void (*answered)(void *ctx, struct approver *from, uint64_t id, const struct approval_answer *answer);
	void *ctx;
};

void approver_free(struct approver *approver); /* takes NULL */
void approver_drop(struct approver **approver);
#define auto_approver __attribute__((cleanup(approver_drop)))

#endif
