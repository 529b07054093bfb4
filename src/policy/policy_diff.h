/*
 * What one policy says and another does not, line by line, and whether the second is wider or narrower for it. Pure.
 */
#ifndef BERM_POLICY_POLICY_DIFF_H
#define BERM_POLICY_POLICY_DIFF_H

#include "base/vec.h"
#include "policy/policy.h"

enum diff_effect { DIFF_NEUTRAL = 0, DIFF_WIDER, DIFF_NARROWER };

struct diff_line {
	const struct policy_entry *before, *after; /* one of them, or both: a setting that changed */
	enum diff_effect effect;
};

/* The lines in force of both; added, removed and changed ones into vec (of struct diff_line, initialised here; the caller
 * ends it), by key. Both policies are resolved for the same machine and run. Errors: LIMIT, NOMEM. */
MUST_USE enum berm_code policy_diff(const struct policy *before, const struct policy *after, struct vec *lines,
				    struct berm_err *err);
/* "neutral", "wider", "narrower". */
const char *policy_diff_word(enum diff_effect effect);

#endif
