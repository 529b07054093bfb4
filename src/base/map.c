#include "base/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#define FIRST_SLOTS 16 /* a power of two, like every later size */

/* ---- SipHash-1-3 (Aumasson, Bernstein 2012) ------------------------------------------------------------------- */

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

static uint64_t hash_text(const uint64_t seed[2], struct str text)
{
	uint64_t v[4] = {seed[0] ^ 0x736f6d6570736575, seed[1] ^ 0x646f72616e646f6d, seed[0] ^ 0x6c7967656e657261,
			 seed[1] ^ 0x7465646279746573};
	uint64_t word;
	size_t at = 0;
	for (; text.len - at >= sizeof(word); at += sizeof(word)) {
		memcpy(&word, text.ptr + at, sizeof(word));
		sip_word(v, word);
	}
	word = 0;
	if (text.len > at)
		memcpy(&word, text.ptr + at, text.len - at);
	sip_word(v, word | (uint64_t)text.len << 56);
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- slots ----------------------------------------------------------------------------------------------------- */

void map_init(struct map *map, size_t max_items)
{
	*map = (struct map){.max = max_items};
	/* 16 bytes, there in every program (getauxval(3)). */
	const void *random = (const void *)getauxval(AT_RANDOM); /* NOLINT(performance-no-int-to-ptr) */
	if (random != NULL)
		memcpy(map->seed, random, sizeof(map->seed));
}

void map_done(struct map *map)
{
	for (size_t i = 0; i < map->cap; i++)
		free(map->slots[i].key);
	free(map->slots);
	map_init(map, map->max);
}

/* The slot of the key, or the free one where it would go: at most three quarters are ever taken. */
static size_t find_slot(const struct map *map, uint64_t hash, struct str key)
{
	size_t mask = map->cap - 1, at = hash & mask;
	while (map->slots[at].key != NULL) {
		const struct map_slot *slot = &map->slots[at];
		if (slot->hash == hash && str_eq((struct str){slot->key, slot->key_len}, key))
			break;
		at = (at + 1) & mask;
	}
	return at;
}

static enum berm_code grow(struct map *map, struct berm_err *err)
{
	struct map larger = *map;
	larger.cap = FIRST_SLOTS;
	if (map->cap > 0 && !size_mul(map->cap, 2, &larger.cap))
		return err_set(err, BERM_ERR_LIMIT, "more keys than memory can hold");
	larger.slots = calloc(larger.cap, sizeof(*larger.slots));
	if (larger.slots == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < map->cap; i++) {
		const struct map_slot *slot = &map->slots[i];
		if (slot->key != NULL)
			larger.slots[find_slot(&larger, slot->hash, (struct str){slot->key, slot->key_len})] = *slot;
	}
	free(map->slots);
	*map = larger;
	return BERM_OK;
}

enum berm_code map_put(struct map *map, struct str key, void *value, struct berm_err *err)
{
	assert(value != NULL);
	uint64_t hash = hash_text(map->seed, key);
	if (map->cap > 0) {
		struct map_slot *slot = &map->slots[find_slot(map, hash, key)];
		if (slot->key != NULL) {
			slot->value = value;
			return BERM_OK;
		}
	}
	if (map->len >= map->max)
		return err_set(err, BERM_ERR_LIMIT, "more than %zu keys", map->max);
	if (map->len + 1 > map->cap / 4 * 3)
		TRY(grow(map, err));
	char *copy = str_dup(key);
	if (copy == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	map->slots[find_slot(map, hash, key)] = (struct map_slot){hash, copy, key.len, value};
	map->len++;
	return BERM_OK;
}

void *map_find(const struct map *map, struct str key)
{
	if (map->len == 0)
		return NULL;
	return map->slots[find_slot(map, hash_text(map->seed, key), key)].value;
}

/* Moves later slots of the same run into the hole, so that no search ends too early at it. */
static void close_hole(struct map *map, size_t hole)
{
	size_t mask = map->cap - 1;
	for (size_t at = (hole + 1) & mask; map->slots[at].key != NULL; at = (at + 1) & mask) {
		size_t home = map->slots[at].hash & mask;
		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		map->slots[hole] = map->slots[at];
		hole = at;
	}
	map->slots[hole] = (struct map_slot){0};
}

void *map_remove(struct map *map, struct str key)
{
	if (map->len == 0)
		return NULL;
	size_t at = find_slot(map, hash_text(map->seed, key), key);
	if (map->slots[at].key == NULL)
		return NULL;
	void *value = map->slots[at].value;
	free(map->slots[at].key);
	map->len--;
	close_hole(map, at);
	return value;
}

bool map_next(const struct map *map, size_t *cursor, struct str *ret_key, void **ret_value)
{
	while (*cursor < map->cap) {
		const struct map_slot *slot = &map->slots[(*cursor)++];
		if (slot->key == NULL)
			continue;
		*ret_key = (struct str){slot->key, slot->key_len};
		*ret_value = slot->value;
		return true;
	}
	return false;
}
