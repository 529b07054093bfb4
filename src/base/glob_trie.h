/*
 * Thousands of patterns at once: which of them match a text, in time that goes with the text and with the wildcards that
 * lie on its way, not with their number. The parts of patterns are the edges of a tree in one hash table; what matches is
 * what base/glob says. Made once, read by any number of threads, no allocation for a match. A node has a number, from 1,
 * and a value of the caller's, 0 until it is set.
 */
#ifndef BERM_BASE_GLOB_TRIE_H
#define BERM_BASE_GLOB_TRIE_H

#include "base/glob.h"

struct glob_trie;

/* Errors: NOMEM. */
MUST_USE enum berm_code glob_trie_new(size_t max_bytes, struct glob_trie **ret_trie, struct berm_err *err);
void glob_trie_free(struct glob_trie *trie);
/* Bytes that it takes. */
size_t glob_trie_size(const struct glob_trie *trie);

/* A node that nothing leads to, for a set of patterns, or of keys, of its own. Errors: LIMIT, NOMEM. */
MUST_USE enum berm_code glob_trie_root(struct glob_trie *trie, uint32_t *ret_node, struct berm_err *err);
/* The node behind this key, which is made if it is not there. Patterns of a node and its keys do not meet. Errors: LIMIT,
 * NOMEM. */
MUST_USE enum berm_code glob_trie_key(struct glob_trie *trie, uint32_t node, struct str key, uint32_t *ret_node,
				      struct berm_err *err);
/* The node behind a key; 0: there is none. */
uint32_t glob_trie_find(const struct glob_trie *trie, uint32_t node, struct str key);
/* Adds a pattern below a root or key. All patterns of one are of the same kind. Calls sink->added for the node of each of its
 * alternatives; patterns that are the same have the same node. Errors: those of glob_new and of added; LIMIT, NOMEM. */
struct glob_trie_sink {
	enum berm_code (*added)(void *context, uint32_t node, struct berm_err *err);
	void *context;
};
MUST_USE enum berm_code glob_trie_add(struct glob_trie *trie, uint32_t root, enum glob_kind kind, struct str pattern,
				      const struct glob_trie_sink *sink, struct berm_err *err);

/* Letters of the patterns of this root stand for themselves in either case; said before the first of them is added. */
void glob_trie_fold(struct glob_trie *trie, uint32_t root);

uint32_t glob_trie_value(const struct glob_trie *trie, uint32_t node);
void glob_trie_set(struct glob_trie *trie, uint32_t node, uint32_t value);

/* Calls found with the value of each node below root whose pattern matches: in no particular order, once each or, where
 * so many wildcards meet that the patterns are tried one by one, more often. Values 0 are left out. */
typedef void (*glob_trie_found)(void *context, uint32_t value);
void glob_trie_match(const struct glob_trie *trie, uint32_t root, struct str text, glob_trie_found found,
		     void *context);
/* The same for WORDS. */
void glob_trie_match_words(const struct glob_trie *trie, uint32_t root, const char *first, const char *const *rest,
			   glob_trie_found found, void *context);

/* For PATH: what lies in a folder, or around it. Calls found for patterns that match the path or a folder above it, "/" left
 * out; each maybe more than once. With marks, which has a byte for each node, all 0 at first, notes which patterns could
 * match below the path, as one of the bits 0 to 3; glob_trie_spread, once after all paths, makes of the notes a set of these
 * bits in the byte of each pattern's node. */
struct glob_trie_near {
	glob_trie_found found;
	void *context;
	uint8_t *marks; /* or NULL */
	uint8_t bits;
};
void glob_trie_near(const struct glob_trie *trie, uint32_t root, struct str path, const struct glob_trie_near *near);
size_t glob_trie_nodes(const struct glob_trie *trie);
void glob_trie_spread(const struct glob_trie *trie, uint8_t *marks);

#endif
