/*
 * Those at another terminal of the same user, by the session's control socket. The desk is where questions lie; it does
 * no I/O: run_ask.c gives it what came in by the socket.
 */
#ifndef BERM_SESSION_APPROVER_CONTROL_H
#define BERM_SESSION_APPROVER_CONTROL_H

#include "base/vec.h"
#include "format/json_out.h"
#include "session/approver.h"

struct approver_desk {
	struct vec papers;
};

void approver_desk_init(struct approver_desk *desk);
void approver_desk_done(struct approver_desk *desk); /* after those that lay something there */

/* Lays its questions on the desk, which is borrowed. Errors: NOMEM. */
MUST_USE enum berm_code approver_control_new(struct ev_loop *loop, struct approver_desk *desk,
					     struct approver **ret_approver, struct berm_err *err);

/* What lies there, oldest first, as the member "approvals". */
void approver_desk_put(const struct approver_desk *desk, int64_t now_ms, struct json_out *json);
/* Answers the question of this number; who: by whom, for events. Errors: NOTFOUND (it is over), those of approval_text_parse. */
MUST_USE enum berm_code approver_desk_answer(struct approver_desk *desk, uint64_t id, struct str json, const char *who,
					     struct berm_err *err);

#endif
