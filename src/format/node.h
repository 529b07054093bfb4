/*
 * A document as a tree of maps, lists and scalars, each with its place in the text. One reader for YAML 1.2 (libyaml's
 * events; no tags, anchors, aliases, merge keys, duplicate keys, second documents), one for JSON (RFC 8259, positions
 * that no library gives), one for TOML, one result. Scalars follow JSON's rules: true, false, null and JSON's numbers are
 * what they are, everything else plain is text ("no", "1e", "0x1f", "12:30" are texts); quoted is always text.
 */
#ifndef BERM_FORMAT_NODE_H
#define BERM_FORMAT_NODE_H

#include "base/arena.h"
#include "format/problem.h"

enum {
	NODE_MAX_BYTES = 4 * 1024 * 1024, /* of a document */
	NODE_MAX_DEPTH = 32,
	NODE_MAX_NODES = 200000,
	NODE_MAX_MEMORY = 64 * 1024 * 1024,
};

enum node_kind { NODE_NULL = 0, NODE_BOOL, NODE_NUMBER, NODE_TEXT, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	bool plain;		       /* a scalar of YAML without quotes */
	uint32_t line, column;	       /* from 1 */
	struct str key;		       /* in a map: its key, NUL-terminated */
	uint32_t key_line, key_column; /* in a map */
	struct str text; /* scalars: the content, NUL-terminated ("true", "12", what a text says; no NUL within) */
	struct node *first, *next; /* children of lists and maps, in order; siblings */
	size_t count;		   /* of children */
};

/* Reads text, UTF-8. It is JSON if its first byte that is no white space is '[', or '{' with '"' or '}' behind it; else YAML.
 * file is the name for problems. The tree lives in arena. An empty document is an empty map. Errors: PARSE (all places are
 * in problems), LIMIT (bytes, depth, nodes), NOMEM. */
MUST_USE enum berm_code node_parse(struct arena *arena, struct str text, const char *file, const struct node **ret_root,
				   struct problems *problems, struct berm_err *err);
/* JSON with comments and trailing commas, as editors' and agents' settings have it. */
MUST_USE enum berm_code node_parse_jsonc(struct arena *arena, struct str text, const char *file,
					 const struct node **ret_root, struct problems *problems, struct berm_err *err);
/* TOML 1.0: tables, arrays of tables, keys with dots, the four kinds of text. Dates, and numbers that JSON would not have,
 * are a fault. */
MUST_USE enum berm_code node_parse_toml(struct arena *arena, struct str text, const char *file,
					const struct node **ret_root, struct problems *problems, struct berm_err *err);
/* The child of a map by its key; NULL: there is none, or node is NULL or no map. */
const struct node *node_find(const struct node *map, const char *key);
/* The text of that member; "" if there is none, or it is no text. */
static inline struct str node_find_text(const struct node *map, const char *key)
{
	const struct node *node = node_find(map, key);
	return node != NULL && node->kind == NODE_TEXT ? node->text : (struct str){"", 0};
}
/* "a map", "a list", "text", ... for messages. */
const char *node_kind_text(enum node_kind kind);

#endif
