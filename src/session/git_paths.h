/*
 * Where git looks for hooks and configuration beyond its own folder: core.hooksPath and include.path of the
 * configurations that hold for a repository. What of that lies where a run may write is protected like hooks.
 */
#ifndef BERM_SESSION_GIT_PATHS_H
#define BERM_SESSION_GIT_PATHS_H

#include "base/err.h"

enum { GIT_PATHS_MAX = 16 };

/* top: the work tree. git: git's folder with the configuration; may be below top. home: or NULL. *ret_paths: those below
 * top or git, on the heap, NULL-terminated, NULL if there are none; freed with git_paths_free. What cannot be read names
 * nothing. Errors: NOMEM. */
MUST_USE enum berm_code git_paths_find(const char *top, const char *git, const char *home, char ***ret_paths,
				       struct berm_err *err);
void git_paths_free(char **paths);

#endif
