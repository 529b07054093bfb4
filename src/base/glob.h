/*
 * The one pattern engine, for paths, host names, the paths of URLs and the words of commands. Linear in the length of the text for each pattern
 * part, no recursion over input, one allocation for a pattern.
 *
 *   *      any bytes within a segment    **     as a whole segment: any number of segments
 *   ?      one byte of a segment         [a-z]  one byte of the set ([!a-z]: not of it)
 *   {a,b}  alternatives are expanded when the pattern is compiled (at most 64 results)
 *   \c     the byte c itself
 *
 * What a segment is, and what else differs, is the kind's (docs/patterns.md):
 *
 *          segments       **            case             also
 *   PATH   between '/'    zero or more  as asked         begins with '/' or "**"
 *   HOST   between '.'    one or more   never matters    letters, digits, '-' and '_' only; one '.' at the end is ignored
 *   URL    between '/'    zero or more  counts           as PATH; no '?'; "%7e" is '~', and "%2f" is "%2F", never '/'
 *   WORDS  the words      zero or more  counts           the pattern's are parted by spaces; a word may hold any byte, or be
 *                                                        empty; '.' and '..' are words like others
 *
 * A leading dot of a path is nothing special; a trailing '/' in pattern or path is ignored; empty and '.' segments in the
 * pattern are dropped; '..' in a pattern is an error. An empty label of a host is an error, and matches nothing.
 * The published table of cases is tests/unit/glob_cases.h.
 */
#ifndef BERM_BASE_GLOB_H
#define BERM_BASE_GLOB_H

#include "base/str.h"

struct glob;

enum glob_kind { GLOB_PATH = 0, GLOB_HOST, GLOB_URL, GLOB_WORDS };

/* Errors: INVALID, PARSE (not a pattern), LIMIT (4096 bytes, 64 alternatives), NOMEM. */
MUST_USE enum berm_code glob_new(enum glob_kind kind, struct str pattern, struct glob **ret_glob, struct berm_err *err);
void glob_free(struct glob *glob);
/* A copy in memory of the caller's, glob_copy_size bytes, aligned for any type: it is not given to glob_free. */
size_t glob_copy_size(const struct glob *glob);
struct glob *glob_copy(const struct glob *glob, void *memory);
/* path: absolute and canonical ("/a/b"); of a URL: without its query, as RFC 3986 6.2.2 writes it; a host: its name, in any
 * case. fold_case: a letter of the path (ASCII) stands for itself in either case, which only adds matches. False of WORDS.
 * No allocation. */
bool glob_match(const struct glob *glob, struct str path, bool fold_case);
/* For WORDS, false of the others: first and what follows it, NULL-terminated, are the words of a command. No allocation. */
bool glob_match_words(const struct glob *glob, const char *first, const char *const *rest);
/* The next three are for PATH and URL alone; false, or all, of the others. */
/* Could any path below the directory 'path' match? (so that a walk or a rename of it must look closer) No allocation. */
bool glob_may_match_below(const struct glob *glob, struct str path, bool fold_case);
/* Is path a folder whose own name takes part in matches below it: does a beginning of the pattern that is longer than
 * its leading "**" match path, with something left to match below? "/p/.git/hooks" for a pattern of ".git", "hooks" and "*"
 * behind a "**" is one, "/p" is not. What lies below any other folder matches or not wherever the folder is moved to. */
bool glob_enters(const struct glob *glob, struct str path, bool fold_case);
/* The most names a match has behind the pattern's leading "**" (all names, if it has none); SIZE_MAX: no limit. */
size_t glob_reach(const struct glob *glob);
/* True if the pattern has no wildcard at all; then *ret_path is the path itself (a host: as written, without a final dot),
 * borrowed from the glob. Never of WORDS. */
bool glob_literal(const struct glob *glob, struct str *ret_path);

#endif
