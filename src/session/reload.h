/*
 * While a run goes on, the policy files it was made from are watched. When one changes, appears or goes, all of them are read
 * anew, checked, tested and made into a plan, which the sandbox then gets as a whole; a mistake leaves the last good one in
 * force. Folders are watched, since editors save by rename; a burst of changes is one reload.
 */
#ifndef BERM_SESSION_RELOAD_H
#define BERM_SESSION_RELOAD_H

#include <time.h>

#include "berm/berm.h"
#include "format/problem.h"

enum {
	RELOAD_AFTER_MS = 300,	/* watching begins: the end of a watch takes the kernel longer than a short run lasts */
	RELOAD_QUIET_MS = 60,	/* after the last change */
	RELOAD_LATEST_MS = 400, /* after the first */
	RELOAD_MAX_FILES = 256,
};

/* The run, as it is asked for a plan. */
struct reload_maker {
	void *ctx;
	/* Everything from the files to the plan, which the caller frees. text: a further document that somebody asks for, called
	 * file; or text.ptr is NULL. What was made beside the plan (policy, sources) waits for keep. Problems are added. */
	enum berm_code (*make)(void *ctx, const char *file, struct str text, struct berm_plan **ret_plan,
			       struct problems *problems, struct berm_err *err);
	/* The plan that was made last is in force (or, false, is not): what was made with it stays, or goes. */
	void (*keep)(void *ctx, bool in_force);
	/* A file to watch, absolute, whether it is there or not; with a slash at its end a folder, for all in it. NULL past the
	 * end. */
	const char *(*file)(void *ctx, size_t index);
	struct timespec read; /* CLOCK_REALTIME: what changed later than this has to be read again */
};

struct reload;

/* maker and box are borrowed. Errors: SYS, NOMEM. */
MUST_USE enum berm_code reload_new(const struct reload_maker *maker, struct berm_sandbox *box,
				   struct reload **ret_reload, struct berm_err *err);
void reload_free(struct reload *reload); /* takes NULL */
/* To be polled for reading, asked anew before each wait (-1: nothing yet); then, and after reload_timeout_ms (-1: never), reload_next. */
int reload_fd(const struct reload *reload);
int reload_timeout_ms(const struct reload *reload);

enum reload_outcome {
	RELOAD_NOTHING = 0,
	RELOAD_DONE,	/* berm_sandbox_change tells the lines */
	RELOAD_REFUSED, /* the last good one is in force still; err and reload_problems say why */
};
/* A mistake is told once, until something else is found. */
enum reload_outcome reload_next(struct reload *reload, struct berm_err *err);
/* At once, with a further document that stays a part of the policy until another one comes. Lines that
 * narrow and wait for the next run are told, as after a change of a file. */
enum reload_outcome reload_apply(struct reload *reload, const char *file, struct str text, struct berm_err *err);
/* What came of it, for a person or a program: {"ok", "generation", "error", "problems": [{"file", "line", "column", "text",
 * "hint"}], "changes": [{"line", "guarantee", "change": "added" | "removed", "narrows", "when": "now" | "new opens" | "next
 * run", "note"}]}. err: of one that was refused, or NULL. */
void reload_report(const struct reload *reload, const struct berm_err *err, struct buf *out);
/* "now", "new opens", "next run" */
const char *reload_when(enum berm_when when);
/* Of the last reload. */
const struct problems *reload_problems(const struct reload *reload);

#endif
