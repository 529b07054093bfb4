/*
 * What a run was denied, newest last, as the lines of events: for the report at its end, and for the program inside, which
 * can read it in a file of a folder that no other session has. The folder is there from the start, for a plan grants it
 * for reading; the file comes with the first denial, is written whole beside its name and renamed to it, so a reader never
 * sees half a line. What a run that was killed left is removed by the next one. Some folders stay, empty, for the next
 * runs: making one takes a third of a millisecond on a disk.
 */
#ifndef BERM_SESSION_DENIALS_H
#define BERM_SESSION_DENIALS_H

#include <limits.h>

#include "audit/event.h"

enum {
	DENIALS_MAX = 200,
	DENIALS_MAX_BYTES = 256 * 1024,
	DENIALS_SPARE = 3,	   /* folders that stay */
	DENIALS_BURST = 8,	   /* writes of the file at once, when none was made for a while */
	DENIALS_INTERVAL_MS = 250, /* and one more each */
};

struct denials;

MUST_USE enum berm_code denials_new(struct denials **ret_denials, struct berm_err *err);
void denials_free(struct denials *denials); /* takes NULL; the file is removed */

/* The folder that holds those of sessions: berm-denials in $XDG_RUNTIME_DIR, $XDG_STATE_HOME or ~/.local/state. home may be
 * NULL. False: there is no such place, or its path is too long. */
bool denials_base(const char *const *envp, const char *home, char ret_base[static PATH_MAX]);
/* Takes a folder in base for the session, and makes base if need be; empties those of sessions that are gone. Errors: DENIED (base is
 * another's, or others may use it), LIMIT, SYS. */
MUST_USE enum berm_code denials_open_folder(struct denials *denials, const char *base, struct berm_err *err);
/* NULL: there is none. */
const char *denials_folder(const struct denials *denials);
/* Of the file in a session's folder. */
extern const char denials_name[];

/* Keeps an event that denied: as the newest, with the count of what is equal to it but for time and process, which goes.
 * Without memory it is lost. */
void denials_put(struct denials *denials, const struct event *event);
/* Milliseconds until denials_write has something to do, or -1. */
int denials_timeout_ms(const struct denials *denials);
/* Writes the file, if it is behind and it is time to. */
void denials_write(struct denials *denials);

size_t denials_count(const struct denials *denials);
/* More were different than are kept. */
bool denials_dropped(const struct denials *denials);
/* Appends the lines, oldest first. */
void denials_text(const struct denials *denials, struct buf *out);

#endif
