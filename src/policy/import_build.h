/*
 * What the importers share: lines and leftovers are collected, each value looked at before it becomes a line. The first
 * failure (LIMIT, NOMEM) is kept; nothing is added after it. Not for others: they have import.h.
 */
#ifndef BERM_POLICY_IMPORT_BUILD_H
#define BERM_POLICY_IMPORT_BUILD_H

#include "base/vec.h"
#include "format/node.h"
#include "policy/import.h"

enum { IMPORT_ATTRS_MAX = 64 };

struct import {
	struct arena *arena;
	struct berm_err *err;
	struct vec lines, lefts; /* struct policy_line, struct import_left */
	enum berm_code code;
	const char *name, *about;
};

/* Where a line comes from: a node, or NULL. */
typedef const struct node *import_at;

/* A formatted text of the arena; "" after a failure. */
const char *import_format(struct import *in, const char *format, ...) PRINTF_LIKE(2, 3);
void import_left(struct import *in, import_at at, bool narrows, const char *what, const char *why);
/* Does the key close something? Then it is narrower with it. */
bool import_closes(enum policy_key key);
/* A line; what is no value of the key is left, with narrows as the key says. */
void import_line(struct import *in, import_at at, enum policy_key key, const char *text);
/* The same with attributes, of which the texts are borrowed. False: it was left. */
bool import_line_with(struct import *in, import_at at, enum policy_key key, const char *text,
		      const struct policy_attr *attrs, size_t count);
/* The same line with the path's kind: a file alone. */
void import_file(struct import *in, import_at at, enum policy_key key, const char *text);

/* Calls each for the texts of a list, or for one text; what is neither is left. map: NULL is fine. */
typedef void (*import_each)(struct import *in, import_at item, const char *text, const void *context);
void import_texts(struct import *in, import_at list, bool closes, import_each each, const void *context);
/* A node's text with its key, for leftovers: "KEY: TEXT". */
const char *import_show(struct import *in, import_at node);
bool import_is_true(import_at node);

/* What a section's key becomes. map: the section. */
struct import_row;
typedef void (*import_take)(struct import *in, import_at node, const struct import_row *row, import_at map);
struct import_row {
	const char *key; /* NULL: every other one */
	import_take put; /* NULL: it is left, unless it says nothing: null, or an empty list or map */
	bool narrows;
	const char *why; /* NULL, and no put: it is no policy, and needs no word */
	int into;	 /* for put: the policy's key, or what else makes the difference */
};
/* Each key of a map by its row; what no row knows is left, as something that may have closed something. */
void import_rows(struct import *in, import_at map, const struct import_row *rows, size_t count);

/* A row's put: a map of variables and their texts is environment.set. */
void import_variables(struct import *in, import_at node, const struct import_row *row, import_at map);

/* A path that is taken by its letters. */
const char *import_literal(struct import *in, const char *path);
/* A pattern with these wildcards of ours ("*", "?", "["); the rest are letters. */
const char *import_pattern(struct import *in, const char *path, const char *wildcards);
/* "a suffix and any labels in front": "*.x" is "**.x". */
const char *import_host(struct import *in, const char *host);

void import_srt(struct import *in, import_at root);
/* Sections that Claude Code has as well. */
void import_srt_network(struct import *in, import_at node, const struct import_row *row, import_at map);
void import_srt_filesystem(struct import *in, import_at node, const struct import_row *row, import_at map);
void import_claude(struct import *in, import_at root);
void import_landlock(struct import *in, import_at root);
void import_nono(struct import *in, import_at root);
void import_openshell(struct import *in, import_at root);
/* argv of landrun, and a text with its command line. PARSE: what only a shell could read. */
void import_landrun(struct import *in, const char *const *argv);
MUST_USE enum berm_code import_landrun_words(struct arena *arena, const char *file, struct str text,
					     const char *const **ret_argv, struct problems *problems,
					     struct berm_err *err);

#endif
