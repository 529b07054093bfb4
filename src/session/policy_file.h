/*
 * Reads policy files: each only once, so that what was judged is what is used; a file that others than its readers may
 * change is refused, and no name makes berm wait or read without end.
 */
#ifndef BERM_SESSION_POLICY_FILE_H
#define BERM_SESSION_POLICY_FILE_H

#include <sys/types.h>

#include "base/buf.h"

enum policy_file_trust {
	POLICY_FILE_NAMED = 0, /* the person has named it: any regular file */
	POLICY_FILE_OWN,       /* the user's or root's, and nobody else may write it */
	POLICY_FILE_SYSTEM,    /* root's (or whose /etc is), and nobody else may write it */
	POLICY_FILE_PROJECT,   /* inside the workspace, and so hostile: no link is followed */
};

enum { POLICY_FILE_MAX_BYTES = 4 * 1024 * 1024, POLICY_FILE_PROJECT_MAX_BYTES = 256 * 1024 };

/* Opens a folder that holds such files. *ret_fd is the caller's. Errors: NOTFOUND (also a folder of the user's that a sandbox
 * around berm closes), DENIED
 * (others may write it), SYS. */
MUST_USE enum berm_code policy_file_open_folder(const char *path, enum policy_file_trust trust, int *ret_fd,
						struct berm_err *err);
/* Appends the content of the file name, seen from the folder dirfd, to out. shown: its path for messages. Errors:
 * NOTFOUND, DENIED (others may write it; a link, a FIFO, a folder), LIMIT (too large), SYS, NOMEM. */
MUST_USE enum berm_code policy_file_read(int dirfd, const char *name, const char *shown, enum policy_file_trust trust,
					 struct buf *out, struct berm_err *err);
/* Writes the file name in the folder dirfd anew, for its owner alone, whole or not at all. Errors: SYS. */
MUST_USE enum berm_code policy_file_write(int dirfd, const char *name, const char *shown, struct str content,
					  struct berm_err *err);

#endif
