/*
 * TOML (1.0) as a stream of scalars, each with the path of keys that leads to it; arrays tell their items under one path.
 * For files of other tools in which a few keys are looked for: no tree, no heap. Pure, async-signal-safe.
 */
#ifndef BERM_FORMAT_TOML_SCAN_H
#define BERM_FORMAT_TOML_SCAN_H

#include "base/str.h"

enum { TOML_KEYS_MAX = 8, TOML_DEPTH_MAX = 8 };

/* Borrowed, and only until the visitor returns. */
struct toml_value {
	const struct str *keys; /* from the top; quotes taken off */
	size_t key_count;
	size_t table;	  /* which [table] or [[table]] of the file it stands in, from 1; 0: in front of the first */
	struct str value; /* a string without quotes, else the scalar as written */
	bool text;	  /* it is a string */
	bool escaped;	  /* a string with escapes, which are as written, or of several lines */
};
/* Returns false to stop. */
typedef bool (*toml_visit)(void *context, const struct toml_value *value);

/* False: not TOML as far as it was looked at, deeper than the limits, or stopped. Keys before that have been told. */
bool toml_scan(struct str text, toml_visit visit, void *context);
/* Do the keys of value read like these, the last argument being NULL? "*" stands for any one key. */
bool toml_is(const struct toml_value *value, const char *const *keys);

#endif
