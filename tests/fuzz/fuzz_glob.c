/* Target: glob_new, glob_match, glob_may_match_below. Input: a pattern, a newline, a path. */
#include <stdlib.h>
#include <string.h>

#include "base/glob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* What matches is found below each folder above it, folded as well, and through a slash at its end. */
static void check_match(const struct glob *glob, struct str path)
{
	require(glob_match(glob, path, true));
	for (size_t len = 1; len < path.len; len++) {
		bool folder = path.ptr[len] == '/' && strspn(path.ptr + len, "/") < path.len - len;
		require(!folder || glob_may_match_below(glob, (struct str){path.ptr, len}, false));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	struct str path = {text, size}, pattern = {NULL, 0};
	struct glob *glob = NULL;
	struct berm_err err = {0};
	if (str_next(&path, '\n', &pattern) && glob_new(pattern, &glob, &err) == BERM_OK) {
		if (glob_match(glob, path, false))
			check_match(glob, path);
		struct str literal;
		require(!glob_literal(glob, &literal) || glob_match(glob, literal, false));
	} else if (pattern.ptr != NULL) {
		require(glob == NULL && err.code != BERM_OK && err.msg[0] != '\0');
	}
	glob_free(glob);
	free(text);
	return 0;
}
