/* Target: node_parse, node_parse_jsonc, node_parse_toml. A tree keeps its limits, each node has a place and a text that ends with a NUL, no
 * map has a key twice; a text that gives none has told why. */
#include <stdlib.h>
#include <string.h>

#include "format/node.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_keys(const struct node *map)
{
	for (const struct node *child = map->first; child != NULL; child = child->next) {
		if (child->key.ptr == NULL || child->key.ptr[child->key.len] != '\0' || child->key_line == 0)
			abort();
		if (map->count < 1000 && node_find(map, child->key.ptr) != child)
			abort();
	}
}

static size_t check_node(const struct node *node, size_t depth)
{
	size_t count = 0, all = 1;
	if (node->line == 0 || node->column == 0 || depth > NODE_MAX_DEPTH)
		abort();
	bool scalar = node->kind != NODE_LIST && node->kind != NODE_MAP;
	if (scalar && (node->text.ptr == NULL || node->text.ptr[node->text.len] != '\0' ||
		       strlen(node->text.ptr) != node->text.len))
		abort();
	if (node->kind == NODE_MAP)
		check_keys(node);
	for (const struct node *child = node->first; child != NULL; child = child->next, count++)
		all += check_node(child, depth + 1);
	if (count != node->count || (scalar && count > 0))
		abort();
	return all;
}

static void check_result(enum berm_code code, const struct node *root, const struct problems *problems)
{
	if ((code == BERM_OK) != (root != NULL) || (code == BERM_OK) != (problems->count == 0))
		abort();
	if (root != NULL && check_node(root, 0) > NODE_MAX_NODES)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena arena;
	const struct str text = {(const char *)data, size};
	struct problems problems = {0}, relaxed = {0}, tables = {0};
	const struct node *root = NULL, *other = NULL, *toml = NULL;
	arena_init(&arena, NODE_MAX_MEMORY);
	check_result(node_parse(&arena, text, "f", &root, &problems, NULL), root, &problems);
	check_result(node_parse_jsonc(&arena, text, "f", &other, &relaxed, NULL), other, &relaxed);
	check_result(node_parse_toml(&arena, text, "f", &toml, &tables, NULL), toml, &tables);
	return 0;
}
