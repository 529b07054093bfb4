/* Walking the tree with all nodes at once that what was read so far leads to. */
#include <string.h>

#include "base/glob_trie_parts.h"

/* More nodes at once than this have no wildcards that people write: then the patterns are tried one by one. */
enum { NODES_AT_ONCE = 64, DEEP_AT_ONCE = 16 };

/* A "**" that was met stays: whatever comes may belong to it. */
struct walk {
	const struct glob_trie *trie;
	const struct trie_node *nodes;
	uint32_t now[NODES_AT_ONCE], next[NODES_AT_ONCE], deep[DEEP_AT_ONCE];
	size_t now_count, next_count, deep_count;
	bool fold, full;
};

static void meet_deep(struct walk *walk, uint32_t node)
{
	for (; node != 0; node = walk->nodes[node].deep) {
		for (size_t i = 0; i < walk->deep_count; i++)
			if (walk->deep[i] == node)
				return;
		if (walk->deep_count == DEEP_AT_ONCE)
			walk->full = true;
		else
			walk->deep[walk->deep_count++] = node;
	}
}

static void reach(struct walk *walk, uint32_t node)
{
	if (walk->next_count == NODES_AT_ONCE)
		walk->full = true;
	else
		walk->next[walk->next_count++] = node;
	meet_deep(walk, walk->nodes[node].deep);
}

static void try_tokens(struct walk *walk, uint32_t index, struct str name)
{
	const struct trie_tokens *all = walk->trie->tokens.items;
	for (const struct trie_tokens *tokens; index != 0; index = tokens->next) {
		tokens = &all[index - 1];
		if (glob_segment_matches(tokens->glob, &tokens->glob->segments[tokens->segment], name, walk->fold))
			reach(walk, tokens->node);
	}
}

static void try_edge(struct walk *walk, const struct trie_edge *wanted, struct str name)
{
	const struct trie_edge *edge = trie_find(walk->trie, wanted);
	if (edge != NULL)
		try_tokens(walk, walk->nodes[edge->node].loose, name);
}

static void try_prefixes(struct walk *walk, uint32_t from, struct str name)
{
	struct trie_edge wanted = {.hash = TRIE_HASH_START, .from = from, .kind = TRIE_PREFIX, .text = {name.ptr, 0}};
	for (uint64_t left = walk->nodes[from].prefixes >> 1; left != 0 && wanted.text.len < name.len; left >>= 1) {
		wanted.hash = trie_hash_byte(wanted.hash, name.ptr[wanted.text.len++]);
		if ((left & 1) != 0)
			try_edge(walk, &wanted, name);
	}
}

static void try_suffixes(struct walk *walk, uint32_t from, struct str name)
{
	size_t len = 0;
	for (uint64_t left = walk->nodes[from].suffixes >> 1; left != 0 && len < name.len; left >>= 1) {
		len++;
		if ((left & 1) == 0)
			continue;
		const struct str text = {name.ptr + name.len - len, len};
		const struct trie_edge wanted = {
			.hash = trie_hash(text), .from = from, .kind = TRIE_SUFFIX, .text = text};
		try_edge(walk, &wanted, name);
	}
}

static void leave(struct walk *walk, uint32_t from, struct trie_edge *wanted)
{
	const struct trie_node *node = &walk->nodes[from];
	wanted->from = from;
	const struct trie_edge *edge = trie_find(walk->trie, wanted);
	if (edge != NULL)
		reach(walk, edge->node);
	if (node->star != 0)
		reach(walk, node->star);
	if (node->loose != 0)
		try_tokens(walk, node->loose, wanted->text);
	if (node->prefixes != 0)
		try_prefixes(walk, from, wanted->text);
	if (node->suffixes != 0)
		try_suffixes(walk, from, wanted->text);
}

static void step(struct walk *walk, struct str name)
{
	struct trie_edge wanted = {.hash = trie_hash(name), .kind = TRIE_LITERAL, .text = name};
	const size_t deep_count = walk->deep_count; /* those that are met now may still be empty */
	walk->next_count = 0;
	for (size_t i = 0; i < walk->now_count; i++)
		leave(walk, walk->now[i], &wanted);
	for (size_t i = 0; i < deep_count; i++)
		leave(walk, walk->deep[i], &wanted);
	memcpy(walk->now, walk->next, walk->next_count * sizeof walk->now[0]);
	walk->now_count = walk->next_count;
}

/* The next label of a host, from its end. */
static bool last_label(struct str *rest, struct str *ret_label)
{
	if (rest->len == 0)
		return false;
	const char *dot = memrchr(rest->ptr, '.', rest->len);
	size_t begin = dot != NULL ? (size_t)(dot - rest->ptr) + 1 : 0;
	*ret_label = (struct str){rest->ptr + begin, rest->len - begin};
	rest->len = begin > 0 ? begin - 1 : 0;
	return true;
}

static void tell(const struct walk *walk, const uint32_t *nodes, size_t count, glob_trie_found found, void *context)
{
	for (size_t i = 0; i < count; i++)
		if (walk->nodes[nodes[i]].value != 0)
			found(context, walk->nodes[nodes[i]].value);
}

static void try_each(const struct walk *walk, uint32_t root, const struct glob_names *names, glob_trie_found found,
		     void *context)
{
	const struct trie_pattern *all = walk->trie->patterns.items;
	for (uint32_t index = walk->nodes[root].patterns; index != 0; index = all[index - 1].next) {
		const struct trie_pattern *pattern = &all[index - 1];
		const struct alternative *alternative = &pattern->glob->alternatives[pattern->alternative];
		uint32_t value = walk->nodes[pattern->node].value;
		if (value != 0 && glob_alternative_matches(pattern->glob, alternative, names, walk->fold))
			found(context, value);
	}
}

static void match(const struct glob_trie *trie, uint32_t root, const struct glob_names *names, glob_trie_found found,
		  void *context)
{
	const struct trie_node *nodes = trie->nodes.items;
	struct walk walk = {.trie = trie, .nodes = nodes, .now = {root}, .now_count = 1, .fold = nodes[root].fold};
	const bool from_end = nodes[root].kind == GLOB_HOST;
	struct glob_names forward = *names;
	struct str backward = names->rest, name;
	meet_deep(&walk, nodes[root].deep);
	while ((walk.now_count > 0 || walk.deep_count > 0) && !walk.full &&
	       (from_end ? last_label(&backward, &name) : glob_next_name(&forward, &name)))
		step(&walk, name);
	if (walk.full) {
		try_each(&walk, root, names, found, context);
		return;
	}
	tell(&walk, walk.now, walk.now_count, found, context);
	tell(&walk, walk.deep, walk.deep_count, found, context);
}

void glob_trie_match(const struct glob_trie *trie, uint32_t root, struct str text, glob_trie_found found, void *context)
{
	const struct trie_node *node = vec_at(&trie->nodes, root);
	if (node->kind == GLOB_WORDS || node->patterns == 0 || !glob_is_subject(node->kind, &text))
		return;
	const struct glob_names names = {.rest = text, .separator = glob_separator(node->kind)};
	match(trie, root, &names, found, context);
}

void glob_trie_match_words(const struct glob_trie *trie, uint32_t root, const char *first, const char *const *rest,
			   glob_trie_found found, void *context)
{
	const struct trie_node *node = vec_at(&trie->nodes, root);
	const struct glob_names names = {.first = first, .words = rest};
	if (node->kind == GLOB_WORDS && node->patterns != 0)
		match(trie, root, &names, found, context);
}

/* ---- paths and what lies around them ----------------------------------------------------------------------------- */

/* In the upper half of a byte: the node itself and all behind it; in the lower: what is behind it alone. */
enum { MARK_SHIFT = 4, MARK_BITS = 15 };

static void mark_open(const struct walk *walk, const struct glob_trie_near *near)
{
	for (size_t i = 0; i < walk->now_count; i++)
		near->marks[walk->now[i]] |= near->bits;
	for (size_t i = 0; i < walk->deep_count; i++)
		near->marks[walk->deep[i]] |= (uint8_t)(near->bits << MARK_SHIFT);
}

/* Does it match the path, or a folder above it? */
static bool matches_above(const struct trie_pattern *pattern, struct str path, bool fold)
{
	const struct alternative *alternative = &pattern->glob->alternatives[pattern->alternative];
	while (path.len > 1) {
		const struct glob_names names = {.rest = path, .separator = '/'};
		if (glob_alternative_matches(pattern->glob, alternative, &names, fold))
			return true;
		const char *slash = memrchr(path.ptr, '/', path.len);
		path.len = slash != NULL ? (size_t)(slash - path.ptr) : 0;
	}
	return false;
}

static void near_each(const struct walk *walk, uint32_t root, struct str path, const struct glob_trie_near *near)
{
	const struct trie_pattern *all = walk->trie->patterns.items;
	for (uint32_t index = walk->nodes[root].patterns; index != 0; index = all[index - 1].next) {
		const struct trie_pattern *pattern = &all[index - 1];
		const struct alternative *alternative = &pattern->glob->alternatives[pattern->alternative];
		uint32_t value = walk->nodes[pattern->node].value;
		if (near->marks != NULL && glob_alternative_below(pattern->glob, alternative, path, walk->fold))
			near->marks[pattern->node] |= (uint8_t)(near->bits << MARK_SHIFT);
		if (value != 0 && matches_above(pattern, path, walk->fold))
			near->found(near->context, value);
	}
}

void glob_trie_near(const struct glob_trie *trie, uint32_t root, struct str path, const struct glob_trie_near *near)
{
	const struct trie_node *nodes = trie->nodes.items;
	struct walk walk = {.trie = trie, .nodes = nodes, .now = {root}, .now_count = 1, .fold = nodes[root].fold};
	struct glob_names rest = {.rest = path, .separator = '/'};
	struct str name;
	if (nodes[root].kind != GLOB_PATH || nodes[root].patterns == 0 || !str_starts(path, STR("/")))
		return;
	meet_deep(&walk, nodes[root].deep);
	while (!walk.full && glob_next_name(&rest, &name)) {
		step(&walk, name);
		tell(&walk, walk.now, walk.full ? 0 : walk.now_count, near->found, near->context);
		tell(&walk, walk.deep, walk.full ? 0 : walk.deep_count, near->found, near->context);
	}
	if (walk.full)
		near_each(&walk, root, path, near);
	else if (near->marks != NULL)
		mark_open(&walk, near);
}

void glob_trie_spread(const struct glob_trie *trie, uint8_t *marks)
{
	const struct trie_node *nodes = trie->nodes.items;
	for (size_t i = 0; i < trie->nodes.len; i++) {
		uint8_t above = marks[nodes[i].parent];
		if (nodes[i].parent != 0)
			marks[i] |= (uint8_t)((above >> MARK_SHIFT | (above & MARK_BITS)) << MARK_SHIFT);
	}
	for (size_t i = 0; i < trie->nodes.len; i++)
		marks[i] = (uint8_t)(marks[i] >> MARK_SHIFT);
}
