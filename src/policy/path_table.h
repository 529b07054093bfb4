/*
 * Paths, found by what lies around them: for each folder that a path is in, and the path itself, the entries that have
 * this path, in either case of its letters (ASCII): on some file systems that is the same. Made once with room for all of
 * them; texts are borrowed.
 */
#ifndef BERM_POLICY_PATH_TABLE_H
#define BERM_POLICY_PATH_TABLE_H

#include "base/arena.h"

struct path_table_item {
	struct str path;
	uint32_t hash, next; /* next: index of the next of its chain, from 1 */
	uint32_t value;
};
struct path_table {
	struct path_table_item *items;
	uint32_t *heads;
	size_t count, room, mask;
};

/* Lives in arena. Errors: NOMEM. */
MUST_USE enum berm_code path_table_init(struct path_table *table, struct arena *arena, size_t room,
					struct berm_err *err);
/* path: absolute, without a slash at its end. There must be room. */
void path_table_add(struct path_table *table, struct str path, uint32_t value);
/* Calls found for each entry whose path is path or a folder around it, the shortest first, until it returns false. */
void path_table_around(const struct path_table *table, struct str path, bool (*found)(void *context, uint32_t value),
		       void *context);

#endif
