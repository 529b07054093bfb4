/*
 * Memory for many small things that all live as long as their owner: given out piece by piece, given back at once. Not
 * for things that grow or go one by one.
 */
#ifndef BERM_BASE_ARENA_H
#define BERM_BASE_ARENA_H

#include "base/str.h"

struct arena_block;
struct arena {
	struct arena_block *blocks;
	char *at, *end; /* what is free in the newest block */
	size_t total, max;
};

void arena_init(struct arena *arena, size_t max_bytes);
void arena_done(struct arena *arena); /* releases everything; the arena is empty, with the same maximum */
/* size bytes of zeros, aligned for any type; NULL when memory is out or the maximum would be passed. */
void *arena_alloc(struct arena *arena, size_t size);
/* The same for an array; NULL also if count * item_size does not fit. */
void *arena_array(struct arena *arena, size_t count, size_t item_size);
/* A NUL-terminated copy of text (which may hold no NUL); not aligned. */
char *arena_text(struct arena *arena, struct str text);

#define auto_arena __attribute__((cleanup(arena_done)))

#endif
