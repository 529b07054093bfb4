#include "policy/policy_insert.h"

#include <string.h>

#include "base/own.h"
#include "format/json_out.h"
#include "format/node.h"
#include "policy/load.h"
#include "policy/policy_text.h"

enum { MAX_MEMORY = 64 * 1024 * 1024, MAX_ITEM = 64 * 1024 };

/* One line on its way into a text. */
struct inserting {
	struct str text;
	const struct policy_line *line;
	bool json;
	char section[32], key[32]; /* "filesystem", "read" */
	struct buf *out;
	struct berm_err *err;
};

/* ---- places ------------------------------------------------------------------------------------------------------ */

/* Columns count characters. */
static size_t offset_of(struct str text, uint32_t line, uint32_t column)
{
	size_t at = 0;
	for (; line > 1 && at < text.len; at++)
		line -= text.ptr[at] == '\n';
	for (; column > 1 && at < text.len && text.ptr[at] != '\n'; column--) {
		at++;
		while (at < text.len && ((unsigned char)text.ptr[at] & 0xc0) == 0x80)
			at++;
	}
	return at;
}

static size_t line_start(struct str text, size_t at)
{
	while (at > 0 && text.ptr[at - 1] != '\n')
		at--;
	return at;
}

static char char_at(struct str text, size_t at)
{
	return at < text.len ? text.ptr[at] : '\0';
}

/* ---- what is put in ---------------------------------------------------------------------------------------------- */

static void put_scalar(const struct inserting *inserting, const char *text, struct buf *out)
{
	struct json_out json;
	if (!inserting->json) {
		policy_text_scalar(text, out);
		return;
	}
	json_init(&json, out);
	json_text(&json, NULL, str_from(text));
}

/* "~/x", or with its attributes "{path: ~/x, extent: file}". */
static void put_item(const struct inserting *inserting, struct buf *out)
{
	const struct policy_line *line = inserting->line;
	const char *main = policy_keys[line->key].main;
	if (line->attr_count == 0 || main == NULL) {
		put_scalar(inserting, line->text, out);
		return;
	}
	buf_putc(out, '{');
	put_scalar(inserting, main, out);
	buf_puts(out, ": ");
	put_scalar(inserting, line->text, out);
	for (uint32_t i = 0; i < line->attr_count; i++) {
		buf_puts(out, ", ");
		put_scalar(inserting, policy_attrs[line->attrs[i].key].name, out);
		buf_puts(out, ": ");
		put_scalar(inserting, line->attrs[i].text, out);
	}
	buf_putc(out, '}');
}

/* "read: [ITEM]" */
static void put_list(const struct inserting *inserting, struct buf *out)
{
	put_scalar(inserting, inserting->key, out);
	buf_puts(out, ": [");
	put_item(inserting, out);
	buf_putc(out, ']');
}

static enum berm_code splice(const struct inserting *inserting, size_t at, const struct buf *piece)
{
	buf_put(inserting->out, inserting->text.ptr, at);
	buf_put_str(inserting->out, buf_str(piece));
	buf_put(inserting->out, inserting->text.ptr + at, inserting->text.len - at);
	TRY(buf_check(piece, inserting->err));
	return buf_check(inserting->out, inserting->err);
}

static enum berm_code no_way(const struct inserting *inserting)
{
	return err_set(inserting->err, BERM_ERR_UNSUPPORTED, "nothing can be put into '%s.%s' as it is written",
		       inserting->section, inserting->key);
}

/* ---- where ------------------------------------------------------------------------------------------------------- */

/* Behind the bracket that opens a list or map in one line. */
static enum berm_code into_brackets(const struct inserting *inserting, const struct node *node, bool map)
{
	size_t at = offset_of(inserting->text, node->line, node->column);
	auto_buf struct buf piece;
	buf_init(&piece, MAX_ITEM);
	if (map)
		put_list(inserting, &piece);
	else
		put_item(inserting, &piece);
	if (node->count > 0)
		buf_puts(&piece, ", ");
	return splice(inserting, at + 1, &piece);
}

static bool has_bracket(const struct inserting *inserting, const struct node *node)
{
	char c = char_at(inserting->text, offset_of(inserting->text, node->line, node->column));
	return c == (node->kind == NODE_MAP ? '{' : '[');
}

/* A line of its own before the one in which at lies, as deep as that one. */
static enum berm_code before_line(const struct inserting *inserting, size_t at, bool item)
{
	size_t start = line_start(inserting->text, at), end = start;
	auto_buf struct buf piece;
	buf_init(&piece, MAX_ITEM);
	while (char_at(inserting->text, end) == ' ')
		end++;
	if (item && char_at(inserting->text, end) != '-')
		return no_way(inserting);
	buf_put(&piece, inserting->text.ptr + start, end - start);
	if (item) {
		buf_puts(&piece, "- ");
		put_item(inserting, &piece);
	} else {
		put_list(inserting, &piece);
	}
	buf_putc(&piece, '\n');
	return splice(inserting, start, &piece);
}

static enum berm_code into_list(const struct inserting *inserting, const struct node *list)
{
	if (list->kind != NODE_LIST)
		return no_way(inserting);
	if (has_bracket(inserting, list))
		return into_brackets(inserting, list, false);
	return list->first == NULL
		       ? no_way(inserting)
		       : before_line(inserting, offset_of(inserting->text, list->first->line, list->first->column),
				     true);
}

static enum berm_code into_section(const struct inserting *inserting, const struct node *section)
{
	const struct node *list = node_find(section, inserting->key);
	if (list != NULL)
		return into_list(inserting, list);
	if (section->kind != NODE_MAP)
		return no_way(inserting);
	if (has_bracket(inserting, section))
		return into_brackets(inserting, section, true);
	if (section->first == NULL)
		return no_way(inserting);
	return before_line(inserting, offset_of(inserting->text, section->first->key_line, section->first->key_column),
			   false);
}

/* A new section: at the end of YAML, at the beginning of JSON. */
static enum berm_code new_section(const struct inserting *inserting, const struct node *root)
{
	struct str text = inserting->text;
	auto_buf struct buf piece;
	buf_init(&piece, MAX_ITEM);
	bool brackets = root->count > 0 ? has_bracket(inserting, root) : inserting->json;
	if (!brackets && text.len > 0 && text.ptr[text.len - 1] != '\n')
		buf_putc(&piece, '\n');
	put_scalar(inserting, inserting->section, &piece);
	buf_puts(&piece, brackets ? ": {" : ":\n  ");
	put_list(inserting, &piece);
	buf_puts(&piece, brackets ? "}" : "\n");
	if (brackets && root->count > 0)
		buf_puts(&piece, ", ");
	size_t at = brackets ? offset_of(text, root->line, root->column) + 1 : text.len;
	return splice(inserting, at, &piece);
}

static bool set_names(struct inserting *inserting)
{
	const char *path = policy_keys[inserting->line->key].path, *dot = strchr(path, '.');
	if (dot == NULL || strchr(dot + 1, '.') != NULL || policy_keys[inserting->line->key].shape != SHAPE_LIST)
		return false;
	size_t len = (size_t)(dot - path);
	if (len >= sizeof(inserting->section) || strlen(dot + 1) >= sizeof(inserting->key))
		return false;
	memcpy(inserting->section, path, len);
	inserting->section[len] = '\0';
	memcpy(inserting->key, dot + 1, strlen(dot + 1) + 1);
	return true;
}

static enum berm_code insert_line(struct str text, const struct policy_line *line, struct buf *out,
				  struct berm_err *err)
{
	const struct node *root;
	struct inserting inserting = {.text = text, .line = line, .out = out, .err = err};
	auto_arena struct arena arena;
	arena_init(&arena, MAX_MEMORY);
	if (!set_names(&inserting))
		return err_set(err, BERM_ERR_UNSUPPORTED, "'%s' cannot be put into a file",
			       policy_keys[line->key].path);
	TRY(node_parse(&arena, text, "policy", &root, NULL, err));
	inserting.json = text.len > 0 && text.ptr[strspn(text.ptr, " \t\r\n")] == '{';
	const struct node *section = node_find(root, inserting.section);
	return section != NULL ? into_section(&inserting, section) : new_section(&inserting, root);
}

/* ---- reading back ------------------------------------------------------------------------------------------------ */

static bool is_same(const struct policy_line *a, const struct policy_line *b)
{
	if (a->key != b->key || a->wanted != b->wanted || strcmp(a->text, b->text) != 0 ||
	    a->attr_count != b->attr_count)
		return false;
	for (uint32_t i = 0; i < a->attr_count; i++)
		if (a->attrs[i].key != b->attrs[i].key || strcmp(a->attrs[i].text, b->attrs[i].text) != 0)
			return false;
	return true;
}

static size_t count_same(const struct policy_doc *doc, const struct policy_line *line)
{
	size_t count = 0;
	for (uint32_t i = 0; i < doc->line_count; i++)
		count += is_same(&doc->lines[i], line);
	return count;
}

/* All that was there, and all that was put in, and nothing else. */
static bool is_whole(const struct policy_doc *before, const struct policy_doc *added, const struct policy_doc *after)
{
	if (after->line_count != before->line_count + added->line_count)
		return false;
	for (uint32_t i = 0; i < after->line_count; i++) {
		const struct policy_line *line = &after->lines[i];
		if (count_same(after, line) != count_same(before, line) + count_same(added, line))
			return false;
	}
	return true;
}

static enum berm_code check(struct str before, const struct policy_doc *added, struct str after, struct berm_err *err)
{
	const struct policy_from from = {POLICY_DOC_FILE, "policy"};
	const struct policy_doc *was, *is;
	auto_arena struct arena arena;
	arena_init(&arena, MAX_MEMORY);
	TRY(policy_load(&arena, from, before, &was, NULL, err));
	enum berm_code code = policy_load(&arena, from, after, &is, NULL, err);
	if (code == BERM_ERR_PARSE || (code == BERM_OK && !is_whole(was, added, is)))
		return err_set(err, BERM_ERR_UNSUPPORTED, "the file is written in a way that lines cannot be put into");
	return code;
}

static enum berm_code insert_all(struct str text, const struct policy_doc *lines, struct buf *now, struct berm_err *err)
{
	buf_put_str(now, text.len > 0 ? text : STR("berm: 1\n"));
	for (uint32_t i = 0; i < lines->line_count; i++) {
		auto_buf struct buf next;
		buf_init(&next, now->max);
		TRY(buf_check(now, err));
		TRY(insert_line(buf_str(now), &lines->lines[i], &next, err));
		buf_clear(now);
		buf_put_str(now, buf_str(&next));
	}
	return buf_check(now, err);
}

enum berm_code policy_insert(struct str text, const struct policy_doc *lines, struct buf *out, struct berm_err *err)
{
	auto_buf struct buf now;
	buf_init(&now, NODE_MAX_BYTES);
	TRY(insert_all(text, lines, &now, err));
	TRY(check(text.len > 0 ? text : STR("berm: 1\n"), lines, buf_str(&now), err));
	buf_put_str(out, buf_str(&now));
	return buf_check(out, err);
}
