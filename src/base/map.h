/*
 * A hash map from text to pointers, with a maximum. Keys are copied, values belong to the caller. The hash is keyed with
 * the random bytes that the kernel gives each program, so keys chosen by an enemy do not collide on purpose.
 */
#ifndef BERM_BASE_MAP_H
#define BERM_BASE_MAP_H

#include "base/str.h"

struct map_slot {
	uint64_t hash;
	char *key; /* NULL: free */
	size_t key_len;
	void *value;
};
struct map {
	struct map_slot *slots;
	size_t len, cap, max;
	uint64_t seed[2];
};

void map_init(struct map *map, size_t max_items);
void map_done(struct map *map); /* releases keys and slots; the map is empty, with the same maximum */
/* Adds, or replaces the value of a key that is there. value must not be NULL. Errors: LIMIT, NOMEM; the map is as
 * before. */
MUST_USE enum berm_code map_put(struct map *map, struct str key, void *value, struct berm_err *err);
/* The value, or NULL. */
void *map_find(const struct map *map, struct str key);
/* Takes a key out; its value, or NULL if it was not there. */
void *map_remove(struct map *map, struct str key);
/* Walks in no particular order: start with *cursor = 0; false at the end. The map must not change meanwhile. ret_key is
 * borrowed from the map. */
bool map_next(const struct map *map, size_t *cursor, struct str *ret_key, void **ret_value);

#define auto_map __attribute__((cleanup(map_done)))

#endif
