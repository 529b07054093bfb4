#include "base/glob_trie.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/glob_trie_parts.h"
#include "base/own.h"

enum { FIRST_SLOTS = 64, MAX_ITEMS = 8 * 1024 * 1024, MAX_TOKEN_BYTES = 256 * 1024 };

/* ---- room -------------------------------------------------------------------------------------------------------- */

static size_t vec_bytes(const struct vec *vec)
{
	return vec->cap * vec->item_size;
}

size_t glob_trie_size(const struct glob_trie *trie)
{
	return sizeof *trie + trie->arena.total + vec_bytes(&trie->nodes) + vec_bytes(&trie->edges) +
	       vec_bytes(&trie->tokens) + vec_bytes(&trie->patterns) + (trie->mask + 1) * sizeof *trie->slots;
}

static enum berm_code too_large(struct berm_err *err)
{
	return err_set(err, BERM_ERR_LIMIT, "the patterns take more than their share of memory");
}

static enum berm_code no_memory(struct berm_err *err)
{
	return err_set(err, BERM_ERR_NOMEM, "compile patterns");
}

/* The arena's maximum is that of the whole. */
static enum berm_code check_room(const struct glob_trie *trie, size_t more, struct berm_err *err)
{
	size_t used = glob_trie_size(trie);
	return used < trie->arena.max && more < trie->arena.max - used ? BERM_OK : too_large(err);
}

static enum berm_code keep_text(struct glob_trie *trie, struct str text, struct str *ret_kept, struct berm_err *err)
{
	TRY(check_room(trie, text.len, err));
	char *kept = arena_alloc(&trie->arena, text.len);
	if (kept == NULL)
		return no_memory(err);
	if (text.len > 0)
		memcpy(kept, text.ptr, text.len);
	*ret_kept = (struct str){kept, text.len};
	return BERM_OK;
}

static struct trie_node *node_at(const struct glob_trie *trie, uint32_t node)
{
	return vec_at(&trie->nodes, node);
}

static enum berm_code add_node(struct glob_trie *trie, uint32_t parent, uint32_t *ret_node, struct berm_err *err)
{
	const struct trie_node fresh = {.parent = parent};
	TRY(check_room(trie, sizeof fresh, err));
	uint32_t node = (uint32_t)trie->nodes.len;
	TRY(vec_push(&trie->nodes, &fresh, err));
	*ret_node = node;
	return BERM_OK;
}

/* ---- edges ------------------------------------------------------------------------------------------------------- */

uint32_t trie_hash(struct str text)
{
	uint32_t hash = TRIE_HASH_START;
	for (size_t i = 0; i < text.len; i++)
		hash = trie_hash_byte(hash, text.ptr[i]);
	return hash;
}

static size_t slot_of(const struct glob_trie *trie, const struct trie_edge *edge)
{
	uint64_t mixed = (edge->hash ^ ((uint64_t)edge->from << 3 | (uint64_t)edge->kind)) * 0x9e3779b97f4a7c15U;
	return (size_t)(mixed >> 32) & trie->mask;
}

static bool is_same(const struct trie_edge *edge, const struct trie_edge *wanted)
{
	if (edge->hash != wanted->hash || edge->from != wanted->from || edge->kind != wanted->kind)
		return false;
	return edge->fold ? str_eq_nocase(edge->text, wanted->text) : str_eq(edge->text, wanted->text);
}

const struct trie_edge *trie_find(const struct glob_trie *trie, const struct trie_edge *wanted)
{
	const struct trie_edge *edges = trie->edges.items;
	for (size_t slot = slot_of(trie, wanted); trie->slots[slot] != 0; slot = (slot + 1) & trie->mask) {
		const struct trie_edge *edge = &edges[trie->slots[slot] - 1];
		if (is_same(edge, wanted))
			return edge;
	}
	return NULL;
}

static void put_slot(struct glob_trie *trie, uint32_t index)
{
	size_t slot = slot_of(trie, vec_at(&trie->edges, index));
	while (trie->slots[slot] != 0)
		slot = (slot + 1) & trie->mask;
	trie->slots[slot] = index + 1;
}

/* Half of the slots are free always. */
static enum berm_code grow_slots(struct glob_trie *trie, struct berm_err *err)
{
	size_t count = 2 * (trie->mask + 1);
	if (2 * (trie->edges.len + 1) <= trie->mask + 1)
		return BERM_OK;
	TRY(check_room(trie, count * sizeof *trie->slots, err));
	uint32_t *slots = calloc(count, sizeof *slots);
	if (slots == NULL)
		return no_memory(err);
	free(trie->slots);
	trie->slots = slots;
	trie->mask = count - 1;
	for (size_t i = 0; i < trie->edges.len; i++)
		put_slot(trie, (uint32_t)i);
	return BERM_OK;
}

static enum berm_code add_edge(struct glob_trie *trie, struct trie_edge *edge, struct berm_err *err)
{
	TRY(keep_text(trie, edge->text, &edge->text, err));
	TRY(grow_slots(trie, err));
	TRY(vec_push(&trie->edges, edge, err));
	put_slot(trie, (uint32_t)trie->edges.len - 1);
	return BERM_OK;
}

/* The edge with this text, which is added, with a node behind it, if it is not there. */
static enum berm_code follow(struct glob_trie *trie, struct trie_edge *edge, uint32_t *ret_node, bool *ret_fresh,
			     struct berm_err *err)
{
	edge->hash = trie_hash(edge->text);
	const struct trie_edge *found = trie_find(trie, edge);
	*ret_fresh = found == NULL;
	if (found == NULL) {
		TRY(add_node(trie, edge->from, &edge->node, err));
		TRY(add_edge(trie, edge, err));
	}
	*ret_node = found != NULL ? found->node : edge->node;
	return BERM_OK;
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

static void put_tokens(const struct glob *glob, const struct segment *segment, struct buf *out)
{
	for (uint32_t i = 0; i < segment->len; i++) {
		const struct token *token = &glob->tokens[segment->first + i];
		buf_putc(out, (char)token->kind);
		if (token->kind == TOKEN_BYTE)
			buf_putc(out, (char)token->byte);
		else if (token->kind == TOKEN_SET || token->kind == TOKEN_NOT_SET)
			buf_put(out, &glob->sets[token->set], sizeof glob->sets[token->set]);
	}
}

/* Bytes without a wildcard at the beginning, or at the end, of a segment with tokens. */
static size_t edge_bytes(const struct glob *glob, const struct segment *segment, bool at_end,
			 char ret_bytes[static TRIE_EDGE_BYTES])
{
	size_t len = 0;
	for (; len < TRIE_EDGE_BYTES && len < segment->len; len++) {
		const struct token *token = &glob->tokens[segment->first + (at_end ? segment->len - 1 - len : len)];
		if (token->kind != TOKEN_BYTE)
			break;
		ret_bytes[len] = (char)token->byte;
	}
	for (size_t i = 0; at_end && i < len / 2; i++) {
		char byte = ret_bytes[i];
		ret_bytes[i] = ret_bytes[len - 1 - i];
		ret_bytes[len - 1 - i] = byte;
	}
	return len;
}

/* Chains the newest of the tokens into the list of their node that is looked at for names with such an edge. */
static enum berm_code chain_tokens(struct glob_trie *trie, uint32_t from, const struct trie_tokens *tokens,
				   struct berm_err *err)
{
	const struct segment *segment = &tokens->glob->segments[tokens->segment];
	char front[TRIE_EDGE_BYTES], back[TRIE_EDGE_BYTES];
	size_t front_len = edge_bytes(tokens->glob, segment, false, front);
	size_t back_len = edge_bytes(tokens->glob, segment, true, back);
	bool behind = back_len > front_len;
	size_t len = behind ? back_len : front_len;
	struct trie_edge edge = {.from = from,
				 .kind = behind ? TRIE_SUFFIX : TRIE_PREFIX,
				 .fold = trie->fold,
				 .text = {behind ? back : front, len}};
	uint32_t *head = &node_at(trie, from)->loose, list;
	bool fresh;
	if (len > 0) {
		TRY(follow(trie, &edge, &list, &fresh, err));
		head = &node_at(trie, list)->loose;
	}
	struct trie_tokens chained = *tokens;
	chained.next = *head;
	TRY(vec_push(&trie->tokens, &chained, err));
	*head = (uint32_t)trie->tokens.len;
	struct trie_node *node = node_at(trie, from);
	*(behind ? &node->suffixes : &node->prefixes) |= (uint64_t)(len > 0) << len;
	return BERM_OK;
}

static enum berm_code add_tokens(struct glob_trie *trie, uint32_t from, const struct glob *glob, uint32_t segment,
				 uint32_t *ret_node, struct berm_err *err)
{
	auto_buf struct buf text;
	buf_init(&text, MAX_TOKEN_BYTES);
	put_tokens(glob, &glob->segments[segment], &text);
	TRY(buf_check(&text, err));
	struct trie_edge edge = {.from = from, .kind = TRIE_TOKENS, .text = buf_str(&text)};
	bool fresh;
	TRY(follow(trie, &edge, ret_node, &fresh, err));
	const struct trie_tokens tokens = {.glob = glob, .segment = segment, .node = *ret_node};
	return fresh ? chain_tokens(trie, from, &tokens, err) : BERM_OK;
}

static bool is_star(const struct glob *glob, const struct segment *segment)
{
	return segment->kind == SEGMENT_TOKENS && segment->len == 1 && glob->tokens[segment->first].kind == TOKEN_STAR;
}

/* What a node has one of. */
static enum berm_code add_only(struct glob_trie *trie, uint32_t from, bool deep, uint32_t *ret_node,
			       struct berm_err *err)
{
	uint32_t there = deep ? node_at(trie, from)->deep : node_at(trie, from)->star;
	if (there == 0) {
		TRY(add_node(trie, from, &there, err));
		struct trie_node *node = node_at(trie, from);
		*(deep ? &node->deep : &node->star) = there;
	}
	*ret_node = there;
	return BERM_OK;
}

static enum berm_code add_segment(struct glob_trie *trie, uint32_t from, const struct glob *glob, uint32_t index,
				  uint32_t *ret_node, struct berm_err *err)
{
	const struct segment *segment = &glob->segments[index];
	bool fresh;
	if (segment->kind == SEGMENT_DEEP || is_star(glob, segment))
		return add_only(trie, from, segment->kind == SEGMENT_DEEP, ret_node, err);
	if (segment->kind == SEGMENT_TOKENS)
		return add_tokens(trie, from, glob, index, ret_node, err);
	struct trie_edge edge = {.from = from,
				 .kind = TRIE_LITERAL,
				 .fold = trie->fold,
				 .text = {glob->text + segment->first, segment->len}};
	return follow(trie, &edge, ret_node, &fresh, err);
}

/* ---- patterns ---------------------------------------------------------------------------------------------------- */

/* The labels of hosts from the last one on: what they share is at their end. */
static enum berm_code add_alternative(struct glob_trie *trie, uint32_t root, const struct glob *glob, uint32_t index,
				      uint32_t *ret_node, struct berm_err *err)
{
	const struct alternative *alternative = &glob->alternatives[index];
	uint32_t node = root;
	for (uint32_t i = 0; i < alternative->len; i++) {
		uint32_t part = glob->kind == GLOB_HOST ? alternative->len - 1 - i : i;
		TRY(add_segment(trie, node, glob, alternative->first + part, &node, err));
	}
	/* A pattern without a segment ("/") ends where it begins: the root may have a value as a key has. */
	struct trie_pattern pattern = {glob, index, node, node_at(trie, root)->patterns};
	TRY(vec_push(&trie->patterns, &pattern, err));
	node_at(trie, root)->patterns = (uint32_t)trie->patterns.len;
	*ret_node = node;
	return BERM_OK;
}

static enum berm_code keep_glob(struct glob_trie *trie, const struct glob *glob, const struct glob **ret_kept,
				struct berm_err *err)
{
	size_t size = glob_copy_size(glob);
	TRY(check_room(trie, size, err));
	void *memory = arena_alloc(&trie->arena, size);
	if (memory == NULL)
		return no_memory(err);
	*ret_kept = glob_copy(glob, memory);
	return BERM_OK;
}

static enum berm_code compile(struct glob_trie *trie, enum glob_kind kind, struct str pattern,
			      const struct glob **ret_glob, struct berm_err *err)
{
	struct glob *glob = NULL;
	TRY(glob_new(kind, pattern, &glob, err));
	enum berm_code code = keep_glob(trie, glob, ret_glob, err);
	glob_free(glob);
	return code;
}

enum berm_code glob_trie_add(struct glob_trie *trie, uint32_t root, enum glob_kind kind, struct str pattern,
			     const struct glob_trie_sink *sink, struct berm_err *err)
{
	const struct glob *glob;
	uint32_t node;
	TRY(compile(trie, kind, pattern, &glob, err));
	node_at(trie, root)->kind = kind;
	node_at(trie, root)->fold |= kind == GLOB_HOST;
	for (uint32_t i = 0; i < glob->alternative_count; i++) {
		trie->fold = node_at(trie, root)->fold; /* whoever was told of the one before may have added others */
		TRY(add_alternative(trie, root, glob, i, &node, err));
		TRY(sink->added(sink->context, node, err));
	}
	return BERM_OK;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

enum berm_code glob_trie_root(struct glob_trie *trie, uint32_t *ret_node, struct berm_err *err)
{
	return add_node(trie, 0, ret_node, err);
}

enum berm_code glob_trie_key(struct glob_trie *trie, uint32_t node, struct str key, uint32_t *ret_node,
			     struct berm_err *err)
{
	struct trie_edge edge = {.from = node, .kind = TRIE_KEY, .text = key};
	bool fresh;
	return follow(trie, &edge, ret_node, &fresh, err);
}

uint32_t glob_trie_find(const struct glob_trie *trie, uint32_t node, struct str key)
{
	const struct trie_edge wanted = {.hash = trie_hash(key), .from = node, .kind = TRIE_KEY, .text = key};
	const struct trie_edge *found = trie_find(trie, &wanted);
	return found != NULL ? found->node : 0;
}

void glob_trie_fold(struct glob_trie *trie, uint32_t root)
{
	node_at(trie, root)->fold = true;
}

size_t glob_trie_nodes(const struct glob_trie *trie)
{
	return trie->nodes.len;
}

uint32_t glob_trie_value(const struct glob_trie *trie, uint32_t node)
{
	return node_at(trie, node)->value;
}

void glob_trie_set(struct glob_trie *trie, uint32_t node, uint32_t value)
{
	node_at(trie, node)->value = value;
}

void glob_trie_free(struct glob_trie *trie)
{
	if (trie == NULL)
		return;
	arena_done(&trie->arena);
	vec_done(&trie->nodes);
	vec_done(&trie->edges);
	vec_done(&trie->tokens);
	vec_done(&trie->patterns);
	free(trie->slots);
	free(trie);
}

enum berm_code glob_trie_new(size_t max_bytes, struct glob_trie **ret_trie, struct berm_err *err)
{
	uint32_t none;
	struct glob_trie *trie = calloc(1, sizeof *trie);
	if (trie == NULL)
		return no_memory(err);
	arena_init(&trie->arena, max_bytes);
	vec_init(&trie->nodes, sizeof(struct trie_node), MAX_ITEMS);
	vec_init(&trie->edges, sizeof(struct trie_edge), MAX_ITEMS);
	vec_init(&trie->tokens, sizeof(struct trie_tokens), MAX_ITEMS);
	vec_init(&trie->patterns, sizeof(struct trie_pattern), MAX_ITEMS);
	trie->slots = calloc(FIRST_SLOTS, sizeof *trie->slots);
	trie->mask = FIRST_SLOTS - 1;
	enum berm_code code = trie->slots != NULL ? add_node(trie, 0, &none, err) : no_memory(err);
	if (code == BERM_OK)
		*ret_trie = trie;
	else
		glob_trie_free(trie);
	return code;
}
