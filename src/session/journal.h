/* Where the events of a run go: one JSON object a line, appended to a file or a descriptor that was handed in. */
#ifndef BERM_SESSION_JOURNAL_H
#define BERM_SESSION_JOURNAL_H

#include "audit/event.h"
#include "session/denials.h"
#include "session/sources.h"

struct journal {
	int fd; /* -1: no events are kept */
	uint64_t seq;
	uint64_t generation;	 /* of the policy, from 1 */
	struct denials *denials; /* kept there as well, though no events are; or NULL */
	char session[64];
	struct buf line;
	struct berm_err failure; /* code OK: everything was written so far */
};

/* target: a file, "fd:N", or NULL: no events. A file is made if need be; one inside workspace (or NULL) is reached
 * without following links, which the sandbox of an earlier run may have left there. name: of the session, or NULL: one
 * is made up. Errors: INVALID (no such descriptor, or one that cannot be written), SYS. */
MUST_USE enum berm_code journal_open(const char *target, const char *workspace, const char *name,
				     struct journal *ret_journal, struct berm_err *err);
/* Writes one event; session, seq and, if it is 0, the time are filled in. A failure is kept in journal->failure: the
 * first ends the journal. */
void journal_put(struct journal *journal, struct event *event);
/* The policy with which a run starts: its profile, and the files it was read from. Without memory the files are left out. */
void journal_put_load(struct journal *journal, const struct sources *sources);
void journal_done(struct journal *journal);

/* The path of the file that target names, NULL if it names none. */
const char *journal_file(const char *target);

#endif
