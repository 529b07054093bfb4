/*
 * A session's control socket: what runs can be changed from another terminal of the same user. One request and one answer a
 * connection, each a length (four bytes, big endian) and a JSON object. The folder belongs to the user alone, and nothing
 * inside a sandbox reaches it: no policy grants it, and a connection is refused to whoever descends from this process.
 */
#ifndef BERM_SESSION_CONTROL_H
#define BERM_SESSION_CONTROL_H

#include <limits.h>

#include "base/buf.h"

enum {
	CONTROL_MAX = 5 * 1024 * 1024, /* bytes of a message */
	CONTROL_NAME_MAX = 64,
	CONTROL_CLIENTS = 4,
	CONTROL_DEADLINE_MS = 2000 /* of a client, from its first byte to its last; of an answer the same */
};

/* Where the sockets are: $BERM_STATE_DIR/sessions, $XDG_RUNTIME_DIR/berm, or sessions in the state folder. home may be NULL.
 * Errors: NOTFOUND (there is no such place), LIMIT. */
MUST_USE enum berm_code control_folder(const char *const *envp, const char *home, char ret_folder[static PATH_MAX],
				       struct berm_err *err);
/* Letters, digits, '.', '_', '-', at most CONTROL_NAME_MAX, not a dot first. */
bool control_is_name(const char *session);

/* ---- the session -------------------------------------------------------------------------------------------------- */

struct control;

struct control_request {
	const char *op, *file; /* "apply"; what the text is called; borrowed until the answer */
	struct str text;
	const char *who; /* "uid 1000, pid 4711": who asks; filled in by control_next */
};

/* Makes the folder if need be, and the socket in it; removes sockets of sessions that are gone. Errors: DENIED (the folder is
 * another's, or others may use it), INVALID (the name), LIMIT (a session of this name runs), SYS, NOMEM. */
MUST_USE enum berm_code control_open(const char *folder, const char *session, struct control **ret_control,
				     struct berm_err *err);
void control_free(struct control *control); /* takes NULL; the socket is removed */
/* To be polled for reading; then control_next until it says false. */
int control_fd(const struct control *control);
/* Milliseconds until control_next has something to do, or -1. */
int control_timeout_ms(const struct control *control);
/* A request that is whole; bad ones are answered here. Each is to be answered before the next one is asked for. */
bool control_next(struct control *control, struct control_request *ret_request);
void control_answer(struct control *control, struct str json);

/* ---- the other side ----------------------------------------------------------------------------------------------- */

/* How many sessions run, and the name of one of them. Errors: NOTFOUND (none), DENIED, SYS. */
MUST_USE enum berm_code control_find(const char *folder, char ret_session[static CONTROL_NAME_MAX + 1],
				     size_t *ret_count, struct berm_err *err);
/* Sends a request to a session and waits for its answer, a JSON object. Errors: NOTFOUND (no such session), INVALID (the
 * name), LIMIT, TIMEOUT, CLOSED, SYS. */
MUST_USE enum berm_code control_ask(const char *folder, const char *session, const struct control_request *request,
				    struct buf *answer, struct berm_err *err);

#endif
