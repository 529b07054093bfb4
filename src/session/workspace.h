/*
 * The workspace of a run: the git top level above the current folder, else that folder; never "/", the home folder or
 * one above it. For a linked worktree or a submodule also the folder outside of it where git keeps its data, if the
 * data points back: a hostile .git file widens nothing.
 */
#ifndef BERM_SESSION_WORKSPACE_H
#define BERM_SESSION_WORKSPACE_H

#include <stdbool.h>

#include "base/err.h"
#include "session/git_paths.h"

struct workspace {
	char *path;		    /* canonical; NULL: none (the folder is not granted unless named) */
	char *git_common;	    /* git's folder outside path that belongs to it, or NULL */
	struct git_paths git_paths; /* what git's configuration leads to besides */
	bool git;		    /* path is a git top level */
};

/* cwd: the current folder, canonical. home: the home folder, or NULL. Errors: INVALID (cwd is "/", the home folder, or
 * above it: the text says to name it with -w), NOMEM. */
MUST_USE enum berm_code workspace_find(const char *cwd, const char *home, struct workspace *ret_workspace,
				       struct berm_err *err);
void workspace_done(struct workspace *workspace);

#define auto_workspace __attribute__((cleanup(workspace_done)))

#endif
