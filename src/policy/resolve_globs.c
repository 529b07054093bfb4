/*
 * Many closings with wildcards: which of them meet a grant is asked of one tree of their patterns. Few are looked at one by
 * one, which takes less than making the tree.
 */
#include <stdlib.h>

#include "format/path.h"
#include "policy/resolve_build.h"

enum { MANY = 24, TREE_MAX = 64 * 1024 * 1024, CHANGED = 2, READ = 1 };

/* Patterns that are the same share a node: a list of those that have it. */
struct link {
	uint32_t closing, next; /* next: from 1 */
};
struct closing_globs {
	struct glob_trie *trie;
	uint32_t root;
	struct vec links;
	struct vec heads; /* of nodes: uint32_t, of links from 1; a node's value is an index of it, from 1 */
	struct vec nodes; /* of uint32_t: the nodes of heads */
	uint8_t *marks;	  /* in the arena */
};

static bool is_one(const struct closing *closing)
{
	return !closing->literal && closing->key.len == 0;
}

bool resolve_globs_has(const struct building *b, const struct closing *closing)
{
	return b->many != NULL && is_one(closing);
}

/* ---- making it --------------------------------------------------------------------------------------------------- */

struct adding {
	struct closing_globs *many;
	uint32_t closing;
};

static enum berm_code add_link(void *context, uint32_t node, struct berm_err *err)
{
	const struct adding *adding = context;
	struct closing_globs *many = adding->many;
	uint32_t value = glob_trie_value(many->trie, node);
	struct link link = {.closing = adding->closing};
	if (value == 0) {
		TRY(vec_push(&many->heads, &(uint32_t){0}, err));
		TRY(vec_push(&many->nodes, &node, err));
		value = (uint32_t)many->heads.len;
		glob_trie_set(many->trie, node, value);
	}
	uint32_t *head = vec_at(&many->heads, value - 1);
	link.next = *head;
	TRY(vec_push(&many->links, &link, err));
	*head = (uint32_t)many->links.len;
	return BERM_OK;
}

static enum berm_code add_all(struct building *b)
{
	struct closing_globs *many = b->many;
	for (size_t i = 0; i < b->closings.len; i++) {
		const struct closing *closing = vec_at(&b->closings, i);
		struct adding adding = {many, (uint32_t)i};
		const struct glob_trie_sink sink = {add_link, &adding};
		if (is_one(closing))
			TRY(glob_trie_add(many->trie, many->root, GLOB_PATH, str_from(closing->pattern), &sink,
					  b->err));
	}
	many->marks = arena_alloc(&b->arena, glob_trie_nodes(many->trie));
	return many->marks != NULL ? BERM_OK : err_set(b->err, BERM_ERR_NOMEM, "resolve a policy");
}

enum berm_code resolve_globs_find(struct building *b)
{
	size_t count = 0;
	for (size_t i = 0; i < b->closings.len; i++)
		count += is_one(vec_at(&b->closings, i));
	if (count < MANY)
		return BERM_OK;
	b->many = calloc(1, sizeof *b->many);
	if (b->many == NULL)
		return err_set(b->err, BERM_ERR_NOMEM, "resolve a policy");
	vec_init(&b->many->links, sizeof(struct link), UINT32_MAX);
	vec_init(&b->many->heads, sizeof(uint32_t), UINT32_MAX);
	vec_init(&b->many->nodes, sizeof(uint32_t), UINT32_MAX);
	TRY(glob_trie_new(TREE_MAX, &b->many->trie, b->err));
	TRY(glob_trie_root(b->many->trie, &b->many->root, b->err));
	/* as the supervisor compares what is closed */
	glob_trie_fold(b->many->trie, b->many->root);
	return add_all(b);
}

void resolve_globs_done(struct building *b)
{
	if (b->many == NULL)
		return;
	glob_trie_free(b->many->trie);
	vec_done(&b->many->links);
	vec_done(&b->many->heads);
	vec_done(&b->many->nodes);
	free(b->many);
	b->many = NULL;
}

/* ---- asking it --------------------------------------------------------------------------------------------------- */

struct asking {
	const struct building *b;
	struct str name;
	bool (*found)(void *context, uint32_t value);
	void *context;
	bool ended; /* whoever asks has heard enough */
};

static void found_node(void *context, uint32_t value)
{
	struct asking *asking = context;
	const struct closing_globs *many = asking->b->many;
	uint32_t index = *(const uint32_t *)vec_at(&many->heads, value - 1);
	for (const struct link *link; index != 0 && !asking->ended; index = link->next) {
		link = vec_at(&many->links, index - 1);
		const struct closing *closing = vec_at(&asking->b->closings, link->closing);
		if (closing->stem.len <= 1 || path_is_in(asking->name, closing->stem))
			asking->ended = !asking->found(asking->context, link->closing);
	}
}

void resolve_globs_meet(const struct building *b, const struct claim *claim, struct str name,
			bool (*found)(void *context, uint32_t value), void *context)
{
	struct asking asking = {.b = b, .name = name, .found = found, .context = context, .ended = claim->dropped};
	if (b->many == NULL || claim->dropped)
		return;
	bool tree = claim->extent == BERM_TREE && claim->rights != 0;
	bool changes = (claim->rights & (BERM_WRITE | BERM_DELETE | BERM_REPLACE)) != 0;
	const struct glob_trie_near near = {.found = found_node,
					    .context = &asking,
					    .marks = tree ? b->many->marks : NULL,
					    .bits = changes ? (READ | CHANGED) : READ};
	glob_trie_near(b->many->trie, b->many->root, name, &near);
}

void resolve_globs_want(struct building *b)
{
	const struct closing_globs *many = b->many;
	if (many == NULL)
		return;
	glob_trie_spread(many->trie, many->marks);
	for (size_t i = 0; i < many->nodes.len; i++) {
		uint8_t marks = many->marks[*(const uint32_t *)vec_at(&many->nodes, i)];
		uint32_t index = *(const uint32_t *)vec_at(&many->heads, i);
		for (const struct link *link; index != 0; index = link->next) {
			link = vec_at(&many->links, index - 1);
			struct closing *closing = vec_at(&b->closings, link->closing);
			closing->wanted |= (marks & (closing->rights == BERM_DENY ? READ : CHANGED)) != 0;
		}
	}
}
