/* A pattern into memory that somebody else owns, in one piece. */
#include <stdint.h>
#include <string.h>

#include "base/glob_parts.h"

static size_t rounded(size_t size)
{
	const size_t unit = _Alignof(max_align_t);
	return (size + unit - 1) / unit * unit;
}

size_t glob_copy_size(const struct glob *glob)
{
	return rounded(sizeof *glob) + rounded(glob->alternative_count * sizeof(struct alternative)) +
	       rounded(glob->segment_count * sizeof(struct segment)) +
	       rounded(glob->token_count * sizeof(struct token)) + rounded(glob->set_count * sizeof(struct set)) +
	       rounded(glob->text_len);
}

/* Copies size bytes to *at, which moves on. */
static void *put(char **at, const void *bytes, size_t size)
{
	char *here = *at;
	if (size > 0)
		memcpy(here, bytes, size);
	*at += rounded(size);
	return here;
}

struct glob *glob_copy(const struct glob *glob, void *memory)
{
	char *at = memory;
	struct glob *copy = put(&at, glob, sizeof *glob);
	copy->alternatives = put(&at, glob->alternatives, glob->alternative_count * sizeof(struct alternative));
	copy->segments = put(&at, glob->segments, glob->segment_count * sizeof(struct segment));
	copy->tokens = put(&at, glob->tokens, glob->token_count * sizeof(struct token));
	copy->sets = put(&at, glob->sets, glob->set_count * sizeof(struct set));
	copy->text = put(&at, glob->text, glob->text_len);
	return copy;
}
