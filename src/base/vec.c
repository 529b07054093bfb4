#include "base/vec.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define FIRST_ITEMS 8

void vec_init(struct vec *vec, size_t item_size, size_t max_items)
{
	assert(item_size > 0);
	*vec = (struct vec){.item_size = item_size, .max = max_items};
}

void vec_done(struct vec *vec)
{
	free(vec->items);
	vec_init(vec, vec->item_size, vec->max);
}

static enum berm_code grow(struct vec *vec, struct berm_err *err)
{
	size_t cap = FIRST_ITEMS, bytes;
	if (vec->cap > 0 && !size_mul(vec->cap, 2, &cap))
		cap = vec->max;
	if (cap > vec->max)
		cap = vec->max;
	if (!size_mul(cap, vec->item_size, &bytes))
		return err_set(err, BERM_ERR_LIMIT, "more items than memory can hold");
	void *items = realloc(vec->items, bytes);
	if (items == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	vec->items = items;
	vec->cap = cap;
	return BERM_OK;
}

enum berm_code vec_push(struct vec *vec, const void *item, struct berm_err *err)
{
	if (vec->len >= vec->max)
		return err_set(err, BERM_ERR_LIMIT, "more than %zu items", vec->max);
	if (vec->len == vec->cap)
		TRY(grow(vec, err));
	memcpy((char *)vec->items + vec->len * vec->item_size, item, vec->item_size);
	vec->len++;
	return BERM_OK;
}

void *vec_at(const struct vec *vec, size_t index)
{
	assert(index < vec->len);
	return (char *)vec->items + index * vec->item_size;
}

void vec_remove(struct vec *vec, size_t index)
{
	assert(index < vec->len);
	char *at = (char *)vec->items + index * vec->item_size;
	vec->len--;
	memmove(at, at + vec->item_size, (vec->len - index) * vec->item_size);
}

void *vec_take(struct vec *vec)
{
	void *items = vec->items;
	vec_init(vec, vec->item_size, vec->max);
	return items;
}

void vec_done_texts(struct vec *vec)
{
	for (size_t i = 0; i < vec->len; i++)
		free(*(char **)vec_at(vec, i));
	vec_done(vec);
}
