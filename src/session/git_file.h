/* Small files of git's that may be hostile: regular, of bounded size, no links followed, never waited for. */
#ifndef BERM_SESSION_GIT_FILE_H
#define BERM_SESSION_GIT_FILE_H

#include "base/str.h"

enum git_file_follow { GIT_FILE_NOFOLLOW = 0, GIT_FILE_FOLLOW = 1 };

/* The content of a file, into size bytes. False: it is not there, not a regular file, larger, or cannot be read. */
MUST_USE bool git_file_read(int dirfd, const char *path, enum git_file_follow follow, char *ret_bytes, size_t size,
			    struct span *ret_content);

#endif
