/*
 * Files that the configurations which hold for a repository lead git to, beyond its own folder: hooks (core.hooksPath),
 * further configuration (include.path), and lists that it reads. What of that lies where a run may write is protected like
 * hooks; what the user's own configuration names elsewhere is to be read.
 */
#ifndef BERM_SESSION_GIT_PATHS_H
#define BERM_SESSION_GIT_PATHS_H

#include "base/err.h"

enum { GIT_PATHS_MAX = 64 };

/* Two lists on the heap, NULL-terminated; NULL if there is nothing in one. */
struct git_paths {
	char **protect;
	char **read;
};

/* top: the work tree, or the folder that a run may write. git: git's folder with the configuration, may be below top; or
 * NULL. home: or NULL. What cannot be read names nothing. Errors: NOMEM. */
MUST_USE enum berm_code git_paths_find(const char *top, const char *git, const char *home, struct git_paths *ret_paths,
				       struct berm_err *err);
void git_paths_done(struct git_paths *paths);

#endif
