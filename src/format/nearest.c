#include "format/nearest.h"

#include <stdint.h>
#include <string.h>

void nearest_init(struct nearest *nearest, const char *word)
{
	*nearest = (struct nearest){.word = word, .distance = SIZE_MAX};
}

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t nearest_distance(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);
	if (a_len > NEAREST_MAX_LEN || b_len > NEAREST_MAX_LEN)
		return SIZE_MAX;
	/* Rows i-2, i-1 and i of the usual table (optimal string alignment). */
	size_t rows[3][NEAREST_MAX_LEN + 1] = {{0}};
	size_t *before = rows[0], *last = rows[1], *row = rows[2];
	for (size_t j = 0; j <= b_len; j++)
		last[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t exchange = last[j - 1] + (a[i - 1] != b[j - 1]);
			row[j] = min(exchange, min(last[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min(row[j], before[j - 2] + 1);
		}
		size_t *oldest = before;
		before = last;
		last = row;
		row = oldest;
	}
	return last[b_len];
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
	size_t len = strlen(nearest->word);
	size_t distance = nearest_distance(nearest->word, candidate);
	/* A beginning is as good as one slip: "--prot" means "--protect". */
	if (len >= 2 && strncmp(candidate, nearest->word, len) == 0)
		distance = min(distance, 1);
	if (distance > 1 + len / 4 || distance >= nearest->distance)
		return;
	nearest->best = candidate;
	nearest->distance = distance;
}
