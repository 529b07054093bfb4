#include "policy/path_table.h"

#include <string.h>

/* FNV-1a: the paths are of the user's own policy, nobody picks them to collide. */
#define HASH_START 2166136261U
#define HASH_STEP 16777619U

static uint32_t step(uint32_t hash, char c)
{
	unsigned char letter = (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	return (hash ^ letter) * HASH_STEP;
}

/* "/" is the folder around all others, and has no name. */
static struct str without_root(struct str path)
{
	return path.len == 1 && path.ptr[0] == '/' ? (struct str){path.ptr, 0} : path;
}

enum berm_code path_table_init(struct path_table *table, struct arena *arena, size_t room, struct berm_err *err)
{
	size_t heads = 16;
	while (heads < room * 2)
		heads *= 2;
	*table = (struct path_table){.room = room, .mask = heads - 1};
	table->items = arena_array(arena, room + 1, sizeof *table->items);
	table->heads = arena_array(arena, heads, sizeof *table->heads);
	if (table->items == NULL || table->heads == NULL)
		return err_set(err, BERM_ERR_NOMEM, "look for paths");
	return BERM_OK;
}

void path_table_add(struct path_table *table, struct str path, uint32_t value)
{
	path = without_root(path);
	uint32_t hash = HASH_START;
	for (size_t i = 0; i < path.len; i++)
		hash = step(hash, path.ptr[i]);
	uint32_t *head = &table->heads[(hash ^ hash >> 15) & table->mask];
	table->items[table->count++] =
		(struct path_table_item){.path = path, .hash = hash, .next = *head, .value = value};
	*head = (uint32_t)table->count;
}

static bool visit(const struct path_table *table, struct str path, uint32_t hash,
		  bool (*found)(void *context, uint32_t value), void *context)
{
	for (uint32_t at = table->heads[(hash ^ hash >> 15) & table->mask]; at != 0; at = table->items[at - 1].next) {
		const struct path_table_item *item = &table->items[at - 1];
		if (item->hash == hash && str_eq_nocase(item->path, path) && !found(context, item->value))
			return false;
	}
	return true;
}

void path_table_around(const struct path_table *table, struct str path, bool (*found)(void *context, uint32_t value),
		       void *context)
{
	path = without_root(path);
	uint32_t hash = HASH_START;
	for (size_t i = 0; i <= path.len; i++) {
		if ((i == path.len || path.ptr[i] == '/') &&
		    !visit(table, (struct str){path.ptr, i}, hash, found, context))
			return;
		if (i < path.len)
			hash = step(hash, path.ptr[i]);
	}
}
