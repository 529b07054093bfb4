/* Whether a pattern of capabilities concerns a path, by the globs alone. */
#ifndef BERM_TESTS_PATTERN_MET_H
#define BERM_TESTS_PATTERN_MET_H

#include "base/glob.h"
#include "format/path.h"

/* Does the pattern match the path or a folder above it? */
static inline bool is_met(const char *pattern, const char *path)
{
	struct glob *glob;
	if (glob_new(GLOB_PATH, str_from(pattern), &glob, NULL) != BERM_OK)
		fail_msg("'%s' is no pattern", pattern);
	struct str at = str_from(path);
	bool met = glob_match(glob, at, true);
	while (!met && at.len > 1) {
		at = path_parent(at);
		met = at.len > 0 && glob_match(glob, at, true);
	}
	glob_free(glob);
	return met;
}

#endif
