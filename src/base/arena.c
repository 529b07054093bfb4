#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK ((size_t)4096)
#define LARGEST_BLOCK ((size_t)256 * 1024)

struct arena_block {
	struct arena_block *older;
	max_align_t first; /* where the memory begins */
};

void arena_init(struct arena *arena, size_t max_bytes)
{
	*arena = (struct arena){.max = max_bytes};
}

void arena_done(struct arena *arena)
{
	while (arena->blocks != NULL) {
		struct arena_block *block = arena->blocks;
		arena->blocks = block->older;
		free(block);
	}
	arena_init(arena, arena->max);
}

/* A block twice as large as all before it together, within limits, and large enough for size. */
static bool add_block(struct arena *arena, size_t size)
{
	size_t room = arena->total < FIRST_BLOCK ? FIRST_BLOCK : arena->total;
	if (room > LARGEST_BLOCK)
		room = LARGEST_BLOCK;
	if (room < size)
		room = size;
	if (arena->total > arena->max || room > arena->max - arena->total)
		room = size;
	if (arena->total > arena->max || room > arena->max - arena->total)
		return false;
	size_t bytes;
	if (!size_add(room, offsetof(struct arena_block, first), &bytes))
		return false;
	struct arena_block *block = malloc(bytes < sizeof *block ? sizeof *block : bytes);
	if (block == NULL)
		return false;
	block->older = arena->blocks;
	arena->blocks = block;
	arena->total += room;
	arena->at = (char *)&block->first;
	arena->end = arena->at + room;
	return true;
}

static void *cut(struct arena *arena, size_t size, size_t align)
{
	size_t skip = (size_t)(-(uintptr_t)arena->at & (align - 1));
	if (skip + size > (size_t)(arena->end - arena->at)) {
		if (!add_block(arena, size))
			return NULL;
		skip = 0;
	}
	char *given = arena->at + skip;
	arena->at = given + size;
	return memset(given, 0, size); /* not the whole block: what is not given out is never touched */
}

void *arena_alloc(struct arena *arena, size_t size)
{
	return size > arena->max ? NULL : cut(arena, size > 0 ? size : 1, _Alignof(max_align_t));
}

void *arena_array(struct arena *arena, size_t count, size_t item_size)
{
	size_t bytes;
	return size_mul(count, item_size, &bytes) ? arena_alloc(arena, bytes) : NULL;
}

char *arena_text(struct arena *arena, struct str text)
{
	if (text.len >= arena->max)
		return NULL;
	char *copy = cut(arena, text.len + 1, 1);
	if (copy != NULL && text.len > 0)
		memcpy(copy, text.ptr, text.len);
	return copy;
}
