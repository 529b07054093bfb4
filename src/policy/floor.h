/*
 * The never-grant floor: what no policy, flag, profile or approval grants, as a table. policy_caps denies each entry that
 * a grant would cover; the same table answers "berm policy floor" and "berm why".
 */
#ifndef BERM_POLICY_FLOOR_H
#define BERM_POLICY_FLOOR_H

#include "policy/doc.h"

struct floor_row {
	const char *class;   /* "kernel interfaces", "memory of other processes", ... */
	const char *pattern; /* absolute glob, or with a leading "~" or "$BERM_STATE" for berm's own */
	unsigned rights;     /* what is never granted on it: a set of enum berm_right; all of them, or writing alone */
	const char *why;
};
extern const struct floor_row floor_rows[];
extern const size_t floor_row_count;

/* The row that forbids this right on path (absolute, canonical; home, state: where berm keeps its own, or NULL); NULL: none. */
const struct floor_row *floor_find(const char *path, unsigned right, const char *home, const char *state);

#endif
