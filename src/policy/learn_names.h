/*
 * Names as learning sees them: which parts of a path are a version or a hash, which folders are never proposed as a
 * whole, and how a path is written in a policy file. Pure.
 */
#ifndef BERM_POLICY_LEARN_NAMES_H
#define BERM_POLICY_LEARN_NAMES_H

#include "base/arena.h"

/* Of a component that is a version or a hash the length of what stands before it ("node-" of "node-v18.2.0", 0 of
 * "3f2a9c0b11"); SIZE_MAX: it is neither. */
size_t learn_version_at(struct str name);
/* The path with each such component as what stands before it and a '*'; NULL: it has none, or a wildcard in a name.
 * Errors: NOMEM. */
MUST_USE enum berm_code learn_shape(struct arena *arena, const char *path, const char **ret_shape,
				    struct berm_err *err);
/* A folder that may be granted as a whole: not the root or a folder of it, not the home folder, the workspace or what
 * holds them, not a folder of the home that many programs share. */
bool learn_may_widen(const char *folder, const char *home, const char *workspace);
/* A reason why no policy line can be learned for this path ("a folder of the kernel's"), or NULL. */
const char *learn_never(const char *path);
/* Is "host:port" one of the machine's own? */
bool learn_is_loopback(const char *address);
/* As in a policy file: "~/x" below home, wildcards that are part of the name escaped. pattern: it is one already, of
 * names without wildcards of their own. NULL: no memory. */
char *learn_text(struct arena *arena, const char *path, const char *home, bool pattern);
/* The file that a lock or temporary file belongs to: "x.json" of "x.json.lock", "x.json.tmp.12"; the path itself if it
 * is neither. */
struct str learn_saved_file(const char *path);
/* Is path the folder, or below it? */
bool learn_is_in(const char *path, const char *folder);

#endif
