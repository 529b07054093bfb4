/*
 * The one pattern engine for paths. Linear in the length of the text for each pattern part, no recursion over input.
 *
 *   *      any bytes but '/'            **     as a whole segment: any number of segments, none included
 *   ?      one byte but '/'             [a-z]  one byte of the set ([!a-z]: not of it), never '/'
 *   {a,b}  alternatives are expanded when the pattern is compiled (at most 64 results)
 *   \c     the byte c itself
 *
 * A leading dot is nothing special; a trailing '/' in pattern or path is ignored; empty and '.' segments in the
 * pattern are dropped; '..' in a pattern is an error. Patterns that start with neither '/' nor "**" are INVALID.
 * The published table of cases is tests/unit/glob_cases.h.
 */
#ifndef BERM_BASE_GLOB_H
#define BERM_BASE_GLOB_H

#include "base/str.h"

struct glob;

MUST_USE enum berm_code glob_new(struct str pattern, struct glob **ret_glob, struct berm_err *err);
void glob_free(struct glob *glob);
/* path: absolute and canonical ("/a/b"). fold_case: a letter of the path (ASCII) stands for itself in either case, which
 * only adds matches. No allocation. */
bool glob_match(const struct glob *glob, struct str path, bool fold_case);
/* Could any path below the directory 'path' match? (so that a walk or a rename of it must look closer) No allocation. */
bool glob_may_match_below(const struct glob *glob, struct str path, bool fold_case);
/* Is path a folder whose own name takes part in matches below it: does a beginning of the pattern that is longer than
 * its leading "**" match path, with something left to match below? "/p/.git/hooks" for a pattern of ".git", "hooks" and "*"
 * behind a "**" is one, "/p" is not. What lies below any other folder matches or not wherever the folder is moved to. */
bool glob_enters(const struct glob *glob, struct str path, bool fold_case);
/* The most names a match has behind the pattern's leading "**" (all names, if it has none); SIZE_MAX: no limit. */
size_t glob_reach(const struct glob *glob);
/* True if the pattern has no wildcard at all; then *ret_path is the path itself, borrowed from the glob. */
bool glob_literal(const struct glob *glob, struct str *ret_path);

#endif
