/* Paths as text: nothing here looks at a file system. Pure, no heap, async-signal-safe. */
#ifndef BERM_FORMAT_PATH_H
#define BERM_FORMAT_PATH_H

#include "base/str.h"

/* The last component; the whole text if it has no slash. */
struct str path_name(struct str path);
/* What stands in front of the last component and its slash; "" for "/x" and for "x". */
struct str path_parent(struct str path);
/* Is path the folder itself, or below it? Slashes at the folder's end do not count; "/" and "" hold every absolute path. */
bool path_is_in(struct str path, struct str folder);
/* path as seen from folder (absolute), with empty components, "." and ".." taken out; NUL-terminated in ret. False: it
 * leads above "/", or does not fit. */
MUST_USE bool path_resolve(struct str folder, struct str path, char *ret, size_t size);

#endif
