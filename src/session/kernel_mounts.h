/*
 * Where the kernel's file systems are mounted besides /proc, /sys and /dev: in a chroot or a container's root, in which a grant
 * of the folder around it would open them.
 */
#ifndef BERM_SESSION_KERNEL_MOUNTS_H
#define BERM_SESSION_KERNEL_MOUNTS_H

#include "base/err.h"
#include "base/str.h"

enum { KERNEL_MOUNTS_MAX = 4096 };

/* The mount points in a text like /proc/self/mountinfo (proc(5)), on the heap, NULL-terminated; the caller frees with
 * str_free_all. Errors: LIMIT (more than KERNEL_MOUNTS_MAX), PARSE, NOMEM. */
MUST_USE enum berm_code kernel_mounts_parse(struct str mountinfo, char ***ret_paths, struct berm_err *err);
/* Those of this process. Errors: the same, SYS. */
MUST_USE enum berm_code kernel_mounts_find(char ***ret_paths, struct berm_err *err);

#endif
