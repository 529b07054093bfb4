/*
 * Borrowed text and bytes by value. A struct str or span owns nothing and lives no longer than what it points into;
 * NUL-terminated strings are for the edge to the operating system.
 */
#ifndef BERM_BASE_STR_H
#define BERM_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct str {
	const char *ptr;
	size_t len;
};
struct span {
	const uint8_t *ptr;
	size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})

struct str str_from(const char *text); /* NULL gives an empty str */
bool str_eq(struct str a, struct str b);
bool str_eq_nocase(struct str a, struct str b); /* ASCII case folded */
bool str_starts(struct str text, struct str prefix);
bool str_ends(struct str text, struct str suffix);
/* Takes the next piece up to (not including) the separator off the front of *rest; false when nothing is left. */
bool str_next(struct str *rest, char separator, struct str *ret_piece);
/* text without its first count bytes, which it has. */
struct str str_skip(struct str text, size_t count);
/* Where the first such byte is; text.len: nowhere. */
size_t str_find(struct str text, char byte);
/* Is it digits, and at least one? */
bool str_is_number(struct str text);
/* Decimal, no sign, no spaces, at most max. Errors: PARSE, LIMIT. */
MUST_USE enum berm_code str_u64(struct str text, uint64_t max, uint64_t *ret_value, struct berm_err *err);
/* 1024-based sizes "512", "64KiB", "8GiB" (also K, M, G, T) and durations "90", "90s", "15m", "2h", "1d", "500ms". */
MUST_USE enum berm_code str_size(struct str text, uint64_t *ret_bytes, struct berm_err *err);
MUST_USE enum berm_code str_duration_ms(struct str text, uint64_t *ret_ms, struct berm_err *err);
/* Sum and product of sizes; false when the result does not fit. */
bool size_add(size_t a, size_t b, size_t *ret_sum);
bool size_mul(size_t a, size_t b, size_t *ret_product);
/* Copies on the heap; the caller frees. NULL when memory is out. */
char *str_dup(struct str text);
/* Texts on the heap, NULL-terminated, in an array that is too. Takes NULL. */
void str_free_all(char **texts);

#endif
