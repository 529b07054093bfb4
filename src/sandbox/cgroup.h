/*
 * Limits for the whole tree, where a cgroup v2 folder with the controllers was delegated to us: one child folder for
 * each start, made and removed by the caller, joined by the command's process before it runs.
 */
#ifndef BERM_SANDBOX_CGROUP_H
#define BERM_SANDBOX_CGROUP_H

#include "base/err.h"
#include "berm/berm.h"

/* Makes a folder below parent and writes the limits (0: none). *ret_path is the caller's to free, *ret_procs_fd to
 * close. Nothing is left behind on failure. Errors: SYS, NOMEM. */
MUST_USE enum berm_code cgroup_make(const char *parent, const uint64_t limit[static BERM_LIMIT_COUNT], char **ret_path,
				    int *ret_procs_fd, struct berm_err *err);
/* Moves the calling process in. 0, or -1. Async-signal-safe. */
int cgroup_join(int procs_fd);
/* Kills what is in it (cgroup.kill, Linux 5.14) and removes the folder; NULL is fine. */
void cgroup_remove(const char *path);

#endif
