/*
 * Job control of a run: signals that berm gets are the command's, and a stopped command stops berm, so that the shell
 * that started berm sees one job.
 */
#ifndef BERM_SESSION_JOBS_H
#define BERM_SESSION_JOBS_H

#include "base/err.h"
#include "berm/berm.h"
#include "session/terminal.h"

struct jobs {
	struct terminal *terminal;
	struct berm_sandbox *box;
	int signal_fd; /* readable when a signal is to be passed on */
};

/* Before the spawn: what would end us from now on is kept, and the command gets it once it runs. Leaves the signal mask
 * alone, because the command inherits it. */
void jobs_catch(void);
/* After the spawn, so that the command starts with the caller's signal mask. Borrows both. */
MUST_USE enum berm_code jobs_begin(struct terminal *terminal, struct berm_sandbox *box, struct jobs *ret_jobs,
				   struct berm_err *err);
/* Passes on what signal_fd has. */
void jobs_signals(struct jobs *jobs);
/* The command was stopped by this signal: stops berm, or gives the command the terminal that it wanted. */
void jobs_stopped(struct jobs *jobs, int signal);
void jobs_done(struct jobs *jobs);

#endif
