/*
 * A growable array of items of one size, with a maximum that is given when it is made. It owns the array, not what the
 * items point to: their owner releases that before vec_done.
 */
#ifndef BERM_BASE_VEC_H
#define BERM_BASE_VEC_H

#include <stddef.h>

#include "base/err.h"

struct vec {
	void *items; /* an array of len items; may be read as such */
	size_t len, cap, max, item_size;
};

void vec_init(struct vec *vec, size_t item_size, size_t max_items);
void vec_done(struct vec *vec); /* releases the array; the vector is empty, with the same maximum */
/* Copies item_size bytes from item to the end. Moves the array. Errors: LIMIT, NOMEM; the vector is as before. */
MUST_USE enum berm_code vec_push(struct vec *vec, const void *item, struct berm_err *err);
/* The item, borrowed until the next push or removal. index must be below len. */
void *vec_at(const struct vec *vec, size_t index);
/* Takes one item out; those behind it move up. index must be below len. */
void vec_remove(struct vec *vec, size_t index);
/* The array, which the caller now frees; NULL if nothing was ever pushed. The vector is empty. */
void *vec_take(struct vec *vec);

/* Of texts on the heap (char *), which the vector owns: releases them and the array. */
void vec_done_texts(struct vec *vec);

#define auto_vec __attribute__((cleanup(vec_done)))

#endif
