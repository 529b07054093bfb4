/* The tree of patterns, for glob_trie.c, which makes it, and glob_trie_match.c. */
#ifndef BERM_BASE_GLOB_TRIE_PARTS_H
#define BERM_BASE_GLOB_TRIE_PARTS_H

#include "base/arena.h"
#include "base/glob_parts.h"
#include "base/glob_trie.h"
#include "base/vec.h"

/* Edges with wildcards are found by the bytes that stand in front of the first of them, or behind the last. */
enum { TRIE_EDGE_BYTES = 63 };

enum trie_edge_kind {
	TRIE_KEY = 0,
	TRIE_LITERAL,
	TRIE_TOKENS, /* text: the tokens, so that the same ones are one edge */
	TRIE_PREFIX, /* node: the first of the edges with tokens that begin with text */
	TRIE_SUFFIX,
};
struct trie_edge {
	uint32_t hash;
	uint32_t from, node;
	enum trie_edge_kind kind;
	bool fold;
	struct str text;
};
/* A segment with wildcards. */
struct trie_tokens {
	const struct glob *glob;
	uint32_t segment; /* of glob */
	uint32_t node;	  /* where it leads to */
	uint32_t next;	  /* index of the next with the same beginning or end, from 1 */
};
struct trie_node {
	uint32_t value;
	uint32_t parent;	     /* 0: a root; lower than the node */
	uint32_t star, deep;	     /* nodes; 0: none */
	uint32_t loose;		     /* of trie_tokens, from 1: wildcards at both ends */
	uint64_t prefixes, suffixes; /* bit n: there is one of n bytes */
	uint32_t patterns;	     /* of a root: of trie_pattern, from 1 */
	enum glob_kind kind;	     /* of a root */
	bool fold;		     /* of a root */
};
/* An alternative of a pattern, for where they are tried one by one. */
struct trie_pattern {
	const struct glob *glob;
	uint32_t alternative, node, next;
};

struct glob_trie {
	struct arena arena;
	struct vec nodes, edges, tokens, patterns;
	uint32_t *slots; /* indices of edges, from 1 */
	size_t mask;	 /* number of slots - 1 */
	bool fold;	 /* of the pattern that is being added */
};

/* FNV-1a over letters in lower case, so that one hash serves both comparisons. */
#define TRIE_HASH_START 2166136261U
static inline uint32_t trie_hash_byte(uint32_t hash, char c)
{
	const unsigned char byte = (unsigned char)c;
	return (hash ^ (byte >= 'A' && byte <= 'Z' ? byte | 0x20U : byte)) * 16777619U;
}
uint32_t trie_hash(struct str text);
/* NULL: there is none. */
const struct trie_edge *trie_find(const struct glob_trie *trie, const struct trie_edge *wanted);

#endif
