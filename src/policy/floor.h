/*
 * The never-grant floor: what no policy, flag, profile or approval grants, as a table. policy_caps refuses a grant of an
 * entry, and denies each entry that a grant lies around; the same table answers "berm policy floor" and "berm why". What
 * every sandbox has of its own (its /proc, its harmless devices) is no grant.
 */
#ifndef BERM_POLICY_FLOOR_H
#define BERM_POLICY_FLOOR_H

#include <stdbool.h>
#include <stddef.h>

struct policy_input;

enum floor_os { FLOOR_LINUX = 1, FLOOR_MACOS = 2, FLOOR_ANY = 3 };

struct floor_row {
	const char *class; /* "kernel interfaces", "memory of other processes", ... */
	const char
		*pattern; /* absolute glob, or with a leading "~", "$BERM_CONFIG", "$BERM_STATE" or "$BERM_RUNTIME" */
	unsigned
		rights; /* what is never granted on it, and below it: a set of enum berm_right; all, or changing alone */
	enum floor_os os;
	bool own; /* the sandbox has its own in its place, whatever is granted around it: no line is needed */
	const char *why;
};
extern const struct floor_row floor_rows[];
extern const size_t floor_row_count;
/* The kernel's file systems where they are mounted elsewhere (policy_input's kernel_mounts): no pattern, the same rights. */
extern const struct floor_row floor_mounts_row;

/* Where berm keeps its own, and whose it is: absolute; NULL: nowhere. */
struct floor_places {
	const char *home, *config, *state, *runtime;
};
/* Those of a run; borrowed from input. */
struct floor_places floor_places_of(const struct policy_input *input);

/* The row's pattern with its place filled in (special characters of the place are escaped). false: there is no such
 * place, or it does not fit. */
bool floor_pattern(const struct floor_row *row, const struct floor_places *places, char *ret_pattern, size_t size);

/* How a path lies to what a row closes. AROUND: something of the row may lie below it. */
enum floor_relation { FLOOR_APART = 0, FLOOR_AROUND, FLOOR_INSIDE };
/* path: absolute and canonical. Without memory to find out, INSIDE. */
enum floor_relation floor_relate(const struct floor_row *row, const struct floor_places *places, const char *path);

/* The row of this system that forbids one of these rights (a set of enum berm_right) on path (absolute, canonical);
 * NULL: none. */
const struct floor_row *floor_find(const char *path, unsigned rights, const struct floor_places *places);

#endif
