/* The known word that somebody most likely meant: for "try:" lines. */
#ifndef BERM_FORMAT_NEAREST_H
#define BERM_FORMAT_NEAREST_H

#include <stddef.h>

enum { NEAREST_MAX_LEN = 40 };

struct nearest {
	const char *word; /* as it was written */
	const char *best; /* the nearest candidate so far, or NULL: none is near */
	size_t distance;
};

void nearest_init(struct nearest *nearest, const char *word);
/* Keeps the candidate (borrowed) if it is near and nearer than what was offered before. */
void nearest_offer(struct nearest *nearest, const char *candidate);
/* Insertions, removals, exchanges and swaps of neighbours that lead from a to b. Words longer than NEAREST_MAX_LEN are
 * as far apart as can be. */
size_t nearest_distance(const char *a, const char *b);

#endif
