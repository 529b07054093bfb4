/*
 * What the readers of YAML and JSON share: a tree is put together from events, one after the other, with its limits and
 * its rules about keys. Not for others: they have node.h.
 */
#ifndef BERM_FORMAT_NODE_BUILD_H
#define BERM_FORMAT_NODE_BUILD_H

#include "format/node.h"

struct node_build {
	struct arena *arena;
	const char *file;
	struct problems *problems;
	struct berm_err *err;
	struct node *open[NODE_MAX_DEPTH]; /* maps and lists that are not closed yet, outermost first */
	struct node *last[NODE_MAX_DEPTH]; /* the newest child of each */
	size_t depth, count;
	struct node *key;    /* in a map: has its key and waits for its value */
	struct node *root;   /* NULL: nothing yet */
	enum berm_code code; /* what the first mistake was; OK: none */
};

/* A mistake of the text: told, and the reader may go on. */
void node_build_fault(struct node_build *build, uint32_t line, uint32_t column, const char *format, ...)
	PRINTF_LIKE(4, 5);
/* Is the next scalar the key of a map? */
bool node_build_wants_key(const struct node_build *build);
/* All return the failure after which the reader stops: LIMIT, NOMEM. text is kept; it ends with a NUL and lives as long
 * as the arena. */
MUST_USE enum berm_code node_build_key(struct node_build *build, uint32_t line, uint32_t column, struct str text);
MUST_USE enum berm_code node_build_scalar(struct node_build *build, enum node_kind kind, uint32_t line, uint32_t column,
					  struct str text, bool plain);
MUST_USE enum berm_code node_build_open(struct node_build *build, enum node_kind kind, uint32_t line, uint32_t column);
MUST_USE enum berm_code node_build_close(struct node_build *build);
/* NOMEM; a macro, so that analyzers see that it is never OK. */
#define node_build_no_memory(build) err_set((build)->err, BERM_ERR_NOMEM, "%s: out of memory", (build)->file)

/* JSON's true, false, null, and numbers; everything else is TEXT. */
enum node_kind node_plain_kind(struct str text);
/* Of JSON's four. */
bool node_is_json_white(char c);

/* The readers. Text is UTF-8 without control bytes. They return what stops them; mistakes are in build. */
MUST_USE enum berm_code node_yaml_read(struct node_build *build, struct str text);
MUST_USE enum berm_code node_json_read(struct node_build *build, struct str text, bool relaxed);
/* Makes the tree itself: tables may be added to long after they were begun. */
MUST_USE enum berm_code node_toml_read(struct node_build *build, struct str text);

#endif
