#include "format/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "format/node_build.h"
#include "format/utf8.h"

/* ---- what a reader builds ---------------------------------------------------------------------------------------- */

void node_build_fault(struct node_build *build, uint32_t line, uint32_t column, const char *format, ...)
{
	char text[sizeof((struct problem *)NULL)->text];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	problem_add(build->problems, &(struct place){build->file, line, column}, "%s", text);
	if (build->code == BERM_OK)
		build->code = err_set(build->err, BERM_ERR_PARSE, "%s:%u:%u: %s", build->file, (unsigned)line,
				      (unsigned)column, text);
}

static enum berm_code too_much(struct node_build *build, uint32_t line, uint32_t column, const char *what, size_t max)
{
	problem_add(build->problems, &(struct place){build->file, line, column}, "%s, at most %zu", what, max);
	return err_set(build->err, BERM_ERR_LIMIT, "%s:%u:%u: %s, at most %zu", build->file, (unsigned)line,
		       (unsigned)column, what, max);
}

static enum berm_code count_node(struct node_build *build, uint32_t line, uint32_t column)
{
	if (build->count >= NODE_MAX_NODES)
		return too_much(build, line, column, "too many values", NODE_MAX_NODES);
	build->count++;
	return BERM_OK;
}

bool node_build_wants_key(const struct node_build *build)
{
	return build->depth > 0 && build->open[build->depth - 1]->kind == NODE_MAP && build->key == NULL;
}

enum berm_code node_build_key(struct node_build *build, uint32_t line, uint32_t column, struct str text)
{
	TRY(count_node(build, line, column));
	struct node *node = arena_alloc(build->arena, sizeof *node);
	if (node == NULL)
		return node_build_no_memory(build);
	node->key = text;
	node->key_line = line;
	node->key_column = column;
	build->key = node;
	return BERM_OK;
}

/* The place in the tree where the next node goes. */
static struct node **next_place(struct node_build *build)
{
	if (build->depth == 0)
		return &build->root;
	struct node *parent = build->open[build->depth - 1], *last = build->last[build->depth - 1];
	return last != NULL ? &last->next : &parent->first;
}

static enum berm_code add_node(struct node_build *build, struct node value)
{
	struct node *node = build->key;
	if (node == NULL) {
		TRY(count_node(build, value.line, value.column));
		node = arena_alloc(build->arena, sizeof *node);
	}
	if (node == NULL)
		return node_build_no_memory(build);
	value.key = node->key;
	value.key_line = node->key_line;
	value.key_column = node->key_column;
	*node = value;
	*next_place(build) = node;
	build->key = NULL;
	if (build->depth > 0) {
		build->open[build->depth - 1]->count++;
		build->last[build->depth - 1] = node;
	}
	if (value.kind == NODE_MAP || value.kind == NODE_LIST) {
		build->open[build->depth] = node;
		build->last[build->depth++] = NULL;
	}
	return BERM_OK;
}

enum berm_code node_build_scalar(struct node_build *build, enum node_kind kind, uint32_t line, uint32_t column,
				 struct str text, bool plain)
{
	struct node node = {.kind = kind, .plain = plain, .line = line, .column = column, .text = text};
	return add_node(build, node);
}

enum berm_code node_build_open(struct node_build *build, enum node_kind kind, uint32_t line, uint32_t column)
{
	if (build->depth >= NODE_MAX_DEPTH)
		return too_much(build, line, column, "too many maps and lists within each other", NODE_MAX_DEPTH);
	return add_node(build, (struct node){.kind = kind, .line = line, .column = column});
}

static void tell_twice(struct node_build *build, const struct node *first, const struct node *again)
{
	node_build_fault(build, again->key_line, again->key_column, "key '%s' is there twice, first in line %u",
			 again->key.ptr, (unsigned)first->key_line);
}

static void find_twins_by_walk(struct node_build *build, const struct node *map)
{
	for (const struct node *child = map->first; child != NULL; child = child->next)
		for (const struct node *before = map->first; before != child; before = before->next)
			if (str_eq(before->key, child->key)) {
				tell_twice(build, before, child);
				break;
			}
}

static enum berm_code find_twins_by_map(struct node_build *build, const struct node *map)
{
	auto_map struct map seen;
	map_init(&seen, NODE_MAX_NODES);
	for (struct node *child = map->first; child != NULL; child = child->next) {
		const struct node *before = map_find(&seen, child->key);
		if (before != NULL)
			tell_twice(build, before, child);
		else
			TRY(map_put(&seen, child->key, child, build->err));
	}
	return BERM_OK;
}

enum berm_code node_build_close(struct node_build *build)
{
	enum { FEW = 16 };
	const struct node *node = build->open[--build->depth];
	if (node->kind != NODE_MAP)
		return BERM_OK;
	if (node->count > FEW)
		return find_twins_by_map(build, node);
	find_twins_by_walk(build, node);
	return BERM_OK;
}

/* ---- plain scalars ----------------------------------------------------------------------------------------------- */

static size_t digits(struct str text, size_t at)
{
	while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9')
		at++;
	return at;
}

/* RFC 8259, section 6. */
static bool is_number(struct str text)
{
	size_t at = text.len > 0 && text.ptr[0] == '-' ? 1 : 0;
	size_t end = digits(text, at);
	if (end == at || (end > at + 1 && text.ptr[at] == '0'))
		return false;
	at = end;
	if (at < text.len && text.ptr[at] == '.') {
		end = digits(text, at + 1);
		if (end == at + 1)
			return false;
		at = end;
	}
	if (at < text.len && (text.ptr[at] | 0x20) == 'e') {
		at++;
		if (at < text.len && (text.ptr[at] == '+' || text.ptr[at] == '-'))
			at++;
		end = digits(text, at);
		if (end == at)
			return false;
		at = end;
	}
	return at == text.len;
}

enum node_kind node_plain_kind(struct str text)
{
	if (text.len == 0 || str_eq(text, STR("null")))
		return NODE_NULL;
	if (str_eq(text, STR("true")) || str_eq(text, STR("false")))
		return NODE_BOOL;
	return is_number(text) ? NODE_NUMBER : NODE_TEXT;
}

/* ---- the text as a whole ----------------------------------------------------------------------------------------- */

/* Line separators of Unicode, on which versions of YAML disagree. */
static bool is_odd_break(struct str text, size_t len)
{
	return len == 3 && (memcmp(text.ptr, "\xe2\x80\xa8", 3) == 0 || memcmp(text.ptr, "\xe2\x80\xa9", 3) == 0);
}

static const char *wrong_with(struct str rest, size_t len)
{
	char byte = rest.ptr[0];
	if (len == 0)
		return "not UTF-8";
	if (utf8_is_control(rest, len) && byte != '\t' && byte != '\n' && byte != '\r')
		return "a control character";
	return is_odd_break(rest, len) ? "a line separator that programs read in different ways" : NULL;
}

/* The first character that may stand nowhere. */
static void check_characters(struct node_build *build, struct str text)
{
	uint32_t line = 1, column = 1;
	for (size_t at = 0, len; at < text.len; at += len) {
		struct str rest = {text.ptr + at, text.len - at};
		uint8_t byte = (uint8_t)rest.ptr[0];
		bool plain = byte >= 0x20 && byte < 0x7f;
		len = plain ? 1 : utf8_length(rest);
		const char *what = plain ? NULL : wrong_with(rest, len);
		if (what != NULL) {
			node_build_fault(build, line, column, "byte 0x%02x: %s", byte, what);
			return;
		}
		bool ends = byte == '\n';
		line += ends;
		column = ends ? 1 : column + 1;
	}
}

bool node_is_json_white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t skip_white(struct str text, size_t at)
{
	while (at < text.len && node_is_json_white(text.ptr[at]))
		at++;
	return at;
}

/* A bracket begins JSON; a brace does unless the first key has no quotes, which is YAML's way of writing a map in a line. */
static bool is_json(struct str text)
{
	size_t at = skip_white(text, 0), next = skip_white(text, at + 1);
	char first = at < text.len ? text.ptr[at] : '\0', second = next < text.len ? text.ptr[next] : '\0';
	return first == '[' || (first == '{' && (second == '"' || second == '}' || second == '\0'));
}

enum form { FORM_YAML_OR_JSON = 0, FORM_JSONC, FORM_TOML };

static enum berm_code read_as(struct node_build *build, struct str text, enum form form)
{
	if (form == FORM_TOML)
		return node_toml_read(build, text);
	if (form == FORM_JSONC || is_json(text))
		return node_json_read(build, text, form == FORM_JSONC);
	return node_yaml_read(build, text);
}

static enum berm_code parse(struct node_build *build, struct str text, enum form form, const struct node **ret_root)
{
	static const struct node empty = {.kind = NODE_MAP, .line = 1, .column = 1};
	if (text.len > NODE_MAX_BYTES)
		return too_much(build, 0, 0, "too many bytes", NODE_MAX_BYTES);
	if (str_starts(text, STR("\xef\xbb\xbf"))) /* a byte order mark */
		text = (struct str){text.ptr + 3, text.len - 3};
	check_characters(build, text);
	if (build->code != BERM_OK)
		return build->code;
	TRY(read_as(build, text, form));
	if (build->code != BERM_OK)
		return build->code;
	bool nothing = build->root == NULL || (build->root->kind == NODE_NULL && build->root->text.len == 0);
	*ret_root = nothing ? &empty : build->root;
	return BERM_OK;
}

enum berm_code node_parse(struct arena *arena, struct str text, const char *file, const struct node **ret_root,
			  struct problems *problems, struct berm_err *err)
{
	struct node_build build = {.arena = arena, .file = file, .problems = problems, .err = err};
	return parse(&build, text, FORM_YAML_OR_JSON, ret_root);
}

enum berm_code node_parse_jsonc(struct arena *arena, struct str text, const char *file, const struct node **ret_root,
				struct problems *problems, struct berm_err *err)
{
	struct node_build build = {.arena = arena, .file = file, .problems = problems, .err = err};
	return parse(&build, text, FORM_JSONC, ret_root);
}

enum berm_code node_parse_toml(struct arena *arena, struct str text, const char *file, const struct node **ret_root,
			       struct problems *problems, struct berm_err *err)
{
	struct node_build build = {.arena = arena, .file = file, .problems = problems, .err = err};
	return parse(&build, text, FORM_TOML, ret_root);
}

/* ---- the tree ---------------------------------------------------------------------------------------------------- */

const struct node *node_find(const struct node *map, const char *key)
{
	struct str wanted = str_from(key);
	const struct node *child = map != NULL && map->kind == NODE_MAP ? map->first : NULL;
	while (child != NULL && !str_eq(child->key, wanted))
		child = child->next;
	return child;
}

const char *node_kind_text(enum node_kind kind)
{
	static const char *const texts[] = {
		[NODE_NULL] = "nothing", [NODE_BOOL] = "true or false", [NODE_NUMBER] = "a number",
		[NODE_TEXT] = "a text",	 [NODE_LIST] = "a list",	[NODE_MAP] = "a map",
	};
	return texts[kind];
}
