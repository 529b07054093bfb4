/*
 * The workspace's own package cache: a folder below the user's data folder, one for each workspace, which tools inside
 * write to in place of the machine's caches ("filesystem.cache: private"). It is the sandbox's to write; nothing outside
 * uses what is in it. Beside it stands a link that says for which workspace it is, out of the sandbox's reach.
 */
#ifndef BERM_SESSION_PACKAGE_CACHE_H
#define BERM_SESSION_PACKAGE_CACHE_H

#include <limits.h>

#include "base/str.h"

/* The folder that holds those of all workspaces: "berm-packages" in $XDG_DATA_HOME if that lies in the home folder, else
 * in ~/.local/share. Not among the caches: those are a sandbox's to write with "cache: shared". False: there is no home
 * folder. home, as the user has it, may be NULL. */
bool package_cache_base(const char *const *envp, const char *home, char ret_base[static PATH_MAX]);
/* That of one workspace, or of the folder where a run without one was started. False: the path is too long. */
bool package_cache_path(const char *base, const char *workspace, char ret_path[static PATH_MAX]);
/* Does no symbolic link below the home folder lead elsewhere? What is not there is straight. */
bool package_cache_is_straight(const char *path, const char *home);
/* Once the folder was made: can it be used? Then the link is put beside it. */
bool package_cache_take(const char *path, const char *workspace);

struct package_cache_entry {
	const char *name;      /* in base */
	const char *workspace; /* by the link; "": there is none */
	uint64_t bytes;	       /* on disk */
	bool there;	       /* the workspace is */
};
/* Visits them by name. Errors: SYS, NOMEM, LIMIT. A base that is not there is empty. */
MUST_USE enum berm_code package_cache_each(const char *base,
					   enum berm_code (*visit)(void *context,
								   const struct package_cache_entry *entry,
								   struct berm_err *err),
					   void *context, struct berm_err *err);
/* Removes one by its name in base, whatever was put in it; no link is followed. Errors: NOTFOUND, SYS. */
MUST_USE enum berm_code package_cache_remove(const char *base, const char *name, struct berm_err *err);

#endif
