/*
 * The symbolic links in the home folder: settings and secrets kept elsewhere, as programs that manage dotfiles do it. Looked
 * at by listing, which tells links without a look at each name.
 */
#ifndef BERM_SESSION_HOME_LINKS_H
#define BERM_SESSION_HOME_LINKS_H

#include "base/err.h"

enum { HOME_LINKS_MAX = 4096 };

/* Those in home itself, in .config, .local and .local/share: absolute paths, NULL-terminated, on the heap; the caller frees
 * with str_free_all. A folder that cannot be listed has none. Errors: LIMIT (more than HOME_LINKS_MAX), NOMEM. */
MUST_USE enum berm_code home_links_find(const char *home, char ***ret_links, struct berm_err *err);

#endif
