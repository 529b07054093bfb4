#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"

struct unit {
	struct str suffix;
	uint64_t factor;
};

struct str str_from(const char *text)
{
	if (text == NULL)
		return (struct str){"", 0};
	return (struct str){text, strlen(text)};
}

bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static unsigned lower(char c)
{
	unsigned byte = (unsigned char)c;
	return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
}

bool str_eq_nocase(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (lower(a.ptr[i]) != lower(b.ptr[i]))
			return false;
	}
	return true;
}

bool str_starts(struct str text, struct str prefix)
{
	return text.len >= prefix.len && str_eq((struct str){text.ptr, prefix.len}, prefix);
}

bool str_ends(struct str text, struct str suffix)
{
	if (text.len < suffix.len)
		return false;
	return suffix.len == 0 || memcmp(text.ptr + text.len - suffix.len, suffix.ptr, suffix.len) == 0;
}

struct str str_skip(struct str text, size_t count)
{
	return (struct str){text.ptr + count, text.len - count};
}

size_t str_find(struct str text, char byte)
{
	const char *at = text.len > 0 ? memchr(text.ptr, byte, text.len) : NULL;
	return at != NULL ? (size_t)(at - text.ptr) : text.len;
}

bool str_is_number(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
	return text.len > 0;
}

bool str_next(struct str *rest, char separator, struct str *ret_piece)
{
	if (rest->len == 0)
		return false;
	const char *end = memchr(rest->ptr, separator, rest->len);
	size_t len = end != NULL ? (size_t)(end - rest->ptr) : rest->len;
	size_t used = end != NULL ? len + 1 : len;
	*ret_piece = (struct str){rest->ptr, len};
	*rest = (struct str){rest->ptr + used, rest->len - used};
	return true;
}

/* Messages quote at most this much of what they complain about. */
#define QUOTED(text) (int)((text).len < 60 ? (text).len : 60), (text).ptr

enum berm_code str_u64(struct str text, uint64_t max, uint64_t *ret_value, struct berm_err *err)
{
	if (text.len == 0)
		return err_set(err, BERM_ERR_PARSE, "number expected, found nothing");
	uint64_t value = 0;
	bool fits = true;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return err_set(err, BERM_ERR_PARSE, "not a number: '%.*s'", QUOTED(text));
		uint64_t digit = (uint64_t)(text.ptr[i] - '0');
		/* Goes on after an overflow: "99…9x" is no number rather than a large one. */
		if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value))
			fits = false;
	}
	if (!fits || value > max)
		return err_set(err, BERM_ERR_LIMIT, "number '%.*s' is larger than %llu", QUOTED(text),
			       (unsigned long long)max);
	*ret_value = value;
	return BERM_OK;
}

/* Digits and one suffix of the table; the longest that fits is meant, so tables put long before short. */
static enum berm_code parse_units(struct str text, const struct unit *units, size_t count, const char *what,
				  uint64_t *ret_value, struct berm_err *err)
{
	for (size_t i = 0; i < count; i++) {
		struct str suffix = units[i].suffix;
		if (!str_ends(text, suffix))
			continue;
		uint64_t value;
		enum berm_code code = str_u64((struct str){text.ptr, text.len - suffix.len}, UINT64_MAX, &value, err);
		if (code == BERM_ERR_PARSE)
			break;
		if (code != BERM_OK || __builtin_mul_overflow(value, units[i].factor, &value))
			return err_set(err, BERM_ERR_LIMIT, "%s too large: '%.*s'", what, QUOTED(text));
		*ret_value = value;
		return BERM_OK;
	}
	return err_set(err, BERM_ERR_PARSE, "not a %s: '%.*s'", what, QUOTED(text));
}

enum berm_code str_size(struct str text, uint64_t *ret_bytes, struct berm_err *err)
{
	static const struct unit units[] = {
		{{"KiB", 3}, 1ULL << 10}, {{"MiB", 3}, 1ULL << 20}, {{"GiB", 3}, 1ULL << 30},
		{{"TiB", 3}, 1ULL << 40}, {{"K", 1}, 1ULL << 10},   {{"M", 1}, 1ULL << 20},
		{{"G", 1}, 1ULL << 30},	  {{"T", 1}, 1ULL << 40},   {{"", 0}, 1},
	};
	return parse_units(text, units, ARRAY_LEN(units), "size", ret_bytes, err);
}

enum berm_code str_duration_ms(struct str text, uint64_t *ret_ms, struct berm_err *err)
{
	static const struct unit units[] = {
		{{"ms", 2}, 1},
		{{"s", 1}, 1000},
		{{"m", 1}, 60ULL * 1000},
		{{"h", 1}, 3600ULL * 1000},
		{{"d", 1}, 86400ULL * 1000},
		{{"", 0}, 1000},
	};
	return parse_units(text, units, ARRAY_LEN(units), "duration", ret_ms, err);
}

bool size_add(size_t a, size_t b, size_t *ret_sum)
{
	size_t sum;
	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*ret_sum = sum;
	return true;
}

bool size_mul(size_t a, size_t b, size_t *ret_product)
{
	size_t product;
	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*ret_product = product;
	return true;
}

char *str_dup(struct str text)
{
	size_t size;
	if (!size_add(text.len, 1, &size))
		return NULL;
	char *copy = malloc(size);
	if (copy == NULL)
		return NULL;
	if (text.len > 0)
		memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return copy;
}

void str_free_all(char **texts)
{
	for (size_t i = 0; texts != NULL && texts[i] != NULL; i++)
		free(texts[i]);
	free(texts);
}
