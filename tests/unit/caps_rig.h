/* Questions about capabilities, for tests of what policies come to. */
#ifndef BERM_TESTS_UNIT_CAPS_RIG_H
#define BERM_TESTS_UNIT_CAPS_RIG_H

#include <stdbool.h>
#include <string.h>

#include "format/path.h"
#include "sandbox/caps.h"

static inline const struct cap_line *line_at(const struct berm_caps *caps, size_t index)
{
	return (const struct cap_line *)caps->lines.items + index;
}

static inline bool has_line(const struct berm_caps *caps, const char *text)
{
	char line[512];
	for (size_t i = 0; i < caps->lines.len; i++) {
		caps_line_text(caps, line_at(caps, i), line, sizeof line);
		if (strcmp(line, text) == 0)
			return true;
	}
	return false;
}

static inline void must_have(const struct berm_caps *caps, const char *text)
{
	if (!has_line(caps, text))
		fail_msg("no line '%s'", text);
}

static inline void must_not_have(const struct berm_caps *caps, const char *text)
{
	if (has_line(caps, text))
		fail_msg("a line '%s'", text);
}

/* The rights that all lines around a path give together. */
static inline unsigned rights_at(const struct berm_caps *caps, const char *path)
{
	unsigned rights = 0;
	for (size_t i = 0; i < caps->lines.len; i++) {
		const struct cap_line *line = line_at(caps, i);
		bool around = str_eq(line->path, str_from(path)) ||
			      (line->extent == BERM_TREE && path_is_in(str_from(path), line->path));
		if (line->kind == CAP_GRANT && around)
			rights |= line->rights;
	}
	return rights;
}

static inline bool is_denied(const struct berm_caps *caps, const char *path)
{
	for (size_t i = 0; i < caps->lines.len; i++) {
		const struct cap_line *line = line_at(caps, i);
		if (line->kind == CAP_NARROW && line->rights == BERM_DENY && path_is_in(str_from(path), line->path))
			return true;
	}
	return false;
}

enum { R = BERM_READ, RX = BERM_READ | BERM_EXEC, ALL = BERM_READ | BERM_WRITE | BERM_DELETE | BERM_EXEC };

#endif
