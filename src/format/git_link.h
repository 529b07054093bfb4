/*
 * The one-line files by which git finds a repository elsewhere: a `.git` file ("gitdir: PATH"), `commondir` (PATH) and
 * `gitdir` (PATH of the linked worktree's .git file). Paths are resolved by their text alone. No heap, no system call,
 * async-signal-safe.
 */
#ifndef BERM_FORMAT_GIT_LINK_H
#define BERM_FORMAT_GIT_LINK_H

#include "base/str.h"

enum { GIT_LINK_PATH_MAX = 4096 };

enum git_link_kind {
	GIT_LINK_NONE = 0,
	GIT_LINK_FILE,	 /* .git */
	GIT_LINK_COMMON, /* commondir */
	GIT_LINK_BACK,	 /* gitdir */
};

/* Which link a file of this path is, by its last component. */
enum git_link_kind git_link_kind_of(struct str path);

/* The path in a link's content: one line, one optional newline, no control byte, at most GIT_LINK_PATH_MAX. Borrowed from
 * content. */
MUST_USE bool git_link_parse(enum git_link_kind kind, struct span content, struct str *ret_path);

/* Is an absolute, resolved path one where git keeps repositories: PREFIX/.git, and below that worktrees/NAME or
 * modules/NAME, modules within both included? */
bool git_link_is_repository(struct str path);

/* A berm_judge for all three kinds: the place that the link leads to is one of git_link_is_repository (for `gitdir`: a
 * file named .git), and shares its top folder with the link; never /proc or /sys, and in /tmp and alike what stands there. */
bool git_link_judge(const char *target, const uint8_t *content, size_t len, char *reason, size_t reason_size);

#endif
