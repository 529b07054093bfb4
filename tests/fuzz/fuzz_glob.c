/* Target: glob_new, glob_match, glob_may_match_below. Input: a pattern, a newline, a path; for
 * each kind. */
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
static void check_match(enum glob_kind kind, const struct glob *glob, struct str path)
{
	require(glob_match(glob, path, true));
	for (size_t len = 1; len < path.len && kind != GLOB_HOST; len++) {
		bool folder = path.ptr[len] == '/' && strspn(path.ptr + len, "/") < path.len - len;
		require(!folder || glob_may_match_below(glob, (struct str){path.ptr, len}, false));
	}
}

static void check_kind(enum glob_kind kind, struct str pattern, struct str path)
{
	struct glob *glob = NULL;
	struct berm_err err = {0};
	if (glob_new(kind, pattern, &glob, &err) == BERM_OK) {
		if (glob_match(glob, path, false))
			check_match(kind, glob, path);
		struct str literal;
		require(!glob_literal(glob, &literal) || glob_match(glob, literal, false));
	} else {
		require(glob == NULL && err.code != BERM_OK && err.msg[0] != '\0');
	}
	glob_free(glob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	struct str path = {text, size}, pattern = {NULL, 0};
	for (int kind = GLOB_PATH; str_next(&path, '\n', &pattern) && kind <= GLOB_URL; kind++) {
		check_kind((enum glob_kind)kind, pattern, path);
		path = (struct str){text, size};
	}
	free(text);
	return 0;
}
