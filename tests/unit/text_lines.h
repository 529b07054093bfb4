/* Lines of a text that a test makes mistakes in. */
#ifndef BERM_TESTS_TEXT_LINES_H
#define BERM_TESTS_TEXT_LINES_H

#include <string.h>

#include "base/buf.h"

/* Where a line of text begins; lines count from 1. */
static inline size_t line_start(const struct buf *text, uint32_t line)
{
	size_t at = 0;
	for (; line > 1 && at < text->len; at++)
		line -= text->data[at] == '\n';
	return at;
}

/* Of the line that begins at start, with its end. */
static inline size_t line_length(const struct buf *text, size_t start)
{
	const char *end = memchr(text->data + start, '\n', text->len - start);
	return end != NULL ? (size_t)(end - text->data) - start + 1 : text->len - start;
}

#endif
