#include "policy/import_build.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "berm/berm.h"
#include "format/path.h"
#include "policy/floor.h"
#include "policy/load.h"
#include "policy/policy_text.h"

enum { FORMAT_MAX = 4608, ALONE_MAX = 1024 * 1024 };

/* ---- texts ------------------------------------------------------------------------------------------------------- */

static void fail(struct import *in, enum berm_code code)
{
	if (in->code == BERM_OK)
		in->code = code;
}

static void no_memory(struct import *in)
{
	fail(in, err_set(in->err, BERM_ERR_NOMEM, "import a policy"));
}

const char *import_format(struct import *in, const char *format, ...)
{
	char text[FORMAT_MAX];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	/* What is longer is no path and no host: the loader refuses it, as it is. */
	size_t kept = len < 0 ? 0 : (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
	const char *copy = arena_text(in->arena, (struct str){text, kept});
	if (copy == NULL)
		no_memory(in);
	return copy != NULL ? copy : "";
}

const char *import_show(struct import *in, import_at node)
{
	const char *key = node->key.ptr != NULL ? node->key.ptr : "", *between = node->key.ptr != NULL ? ": " : "";
	if (node->text.ptr != NULL)
		return import_format(in, "%.200s%s%.300s", key, between, node->text.ptr);
	return node->key.ptr != NULL ? import_format(in, "%.200s", key) : node_kind_text(node->kind);
}

bool import_is_true(import_at node)
{
	return node != NULL && node->kind == NODE_BOOL && str_eq(node->text, STR("true"));
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static void push(struct import *in, struct vec *vec, const void *item)
{
	if (in->code == BERM_OK)
		fail(in, vec_push(vec, item, in->err));
}

void import_left(struct import *in, import_at at, bool narrows, const char *what, const char *why)
{
	struct import_left left = {.narrows = narrows, .what = what, .why = why};
	if (at != NULL) {
		left.line = at->key_line != 0 ? at->key_line : at->line;
		left.column = at->key_line != 0 ? at->key_column : at->column;
	}
	push(in, &in->lefts, &left);
}

bool import_closes(enum policy_key key)
{
	return key == KEY_DENY || key == KEY_PROTECT || key == KEY_ASK || key == KEY_NET_DENY || key == KEY_COMMAND ||
	       key == KEY_DELETE;
}

static const struct policy_attr *copy_attrs(struct import *in, const struct policy_attr *attrs, size_t count)
{
	if (count == 0)
		return NULL;
	struct policy_attr *copy = arena_array(in->arena, count, sizeof *copy);
	if (copy == NULL)
		no_memory(in);
	else
		memcpy(copy, attrs, count * sizeof *copy);
	return copy;
}

static enum berm_code check(enum policy_key key, const char *text, const struct policy_attr *attrs, size_t count,
			    struct berm_err *err)
{
	const struct policy_key_row *row = &policy_keys[key];
	TRY(policy_check_value(row->value, row->words, str_from(text), err));
	for (size_t i = 0; i < count; i++) {
		const struct policy_attr_row *attr = &policy_attrs[attrs[i].key];
		TRY(policy_check_value(attr->value, attr->words, str_from(attrs[i].text), err));
	}
	return BERM_OK;
}

/* Characters that no policy may hold, and whatever else the loader refuses: the line by itself is written and loaded. */
static enum berm_code check_alone(const struct policy_line *line, struct berm_err *err)
{
	auto_arena struct arena arena;
	auto_buf struct buf text;
	const struct policy_doc *loaded,
		doc = {.kind = POLICY_DOC_PROFILE, .file = "import", .lines = line, .line_count = 1};
	arena_init(&arena, ALONE_MAX);
	buf_init(&text, ALONE_MAX);
	policy_text_put(&doc, false, &text);
	TRY(buf_check(&text, err));
	struct problems *problems = arena_alloc(&arena, sizeof *problems);
	enum berm_code code = policy_load(&arena, (struct policy_from){POLICY_DOC_PROFILE, "import"}, buf_str(&text),
					  &loaded, problems, err);
	if (code == BERM_OK || code == BERM_ERR_NOMEM)
		return code;
	return err_set(err, BERM_ERR_PARSE, "a text that no policy can hold");
}

/* A variable that is set already: a map has each name once. */
static bool is_set(const struct import *in, const char *text)
{
	size_t len = strcspn(text, "=");
	const struct policy_line *lines = in->lines.items;
	for (size_t i = 0; i < in->lines.len; i++)
		if (lines[i].key == KEY_ENV_SET && strncmp(lines[i].text, text, len) == 0 && lines[i].text[len] == '=')
			return true;
	return false;
}

/* What the floor closes needs no line: a run would refuse it, where the old sandbox took it or left it out. */
static enum berm_code check_floor(const struct policy_line *line, struct berm_err *err)
{
	static const struct floor_places nowhere = {NULL, NULL, NULL, NULL};
	static const unsigned rights[POLICY_KEYS] = {
		[KEY_READ] = BERM_READ,
		[KEY_EXEC] = BERM_READ | BERM_EXEC,
		[KEY_WRITE] = BERM_READ | BERM_WRITE | BERM_EXEC | BERM_DELETE,
	};
	char path[PATH_MAX];
	if (rights[line->key] == 0 || line->text[0] != '/' ||
	    !path_resolve(STR("/"), str_from(line->text), path, sizeof path))
		return BERM_OK;
	const struct floor_row *row = floor_find(path, rights[line->key], &nowhere);
	if (row == NULL)
		return BERM_OK;
	return err_set(err, BERM_ERR_PARSE, "is never granted: %s%s", row->class,
		       row->own ? "; the sandbox has its own" : "");
}

static enum berm_code check_line(const struct import *in, const struct policy_line *line, struct berm_err *err)
{
	if (line->key == KEY_EXTENDS && line->text[0] == '\0') /* "extends: []" */
		return BERM_OK;
	if (line->key == KEY_ENV_SET && is_set(in, line->text))
		return err_set(err, BERM_ERR_PARSE, "is set already");
	TRY(check(line->key, line->text, line->attrs, line->attr_count, err));
	TRY(check_floor(line, err));
	return check_alone(line, err);
}

bool import_line_with(struct import *in, import_at at, enum policy_key key, const char *text,
		      const struct policy_attr *attrs, size_t count)
{
	struct berm_err why = {0};
	struct policy_line line = {.key = key, .text = text};
	if (in->code != BERM_OK)
		return false;
	line.line = at != NULL ? at->line : 0;
	line.column = at != NULL ? at->column : 0;
	line.attrs = copy_attrs(in, attrs, count);
	line.attr_count = line.attrs != NULL ? (uint32_t)count : 0;
	enum berm_code code = in->code == BERM_OK ? check_line(in, &line, &why) : in->code;
	if (code == BERM_ERR_NOMEM)
		no_memory(in);
	if (code == BERM_OK)
		push(in, &in->lines, &line);
	else
		import_left(in, at, import_closes(key), import_format(in, "%s: %.300s", policy_keys[key].path, text),
			    import_format(in, "%s", why.msg));
	return code == BERM_OK && in->code == BERM_OK;
}

void import_line(struct import *in, import_at at, enum policy_key key, const char *text)
{
	(void)import_line_with(in, at, key, text, NULL, 0);
}

void import_file(struct import *in, import_at at, enum policy_key key, const char *text)
{
	(void)import_line_with(in, at, key, text, &(struct policy_attr){ATTR_EXTENT, "file"}, 1);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

static bool is_scalar(import_at node)
{
	return node->kind == NODE_TEXT || node->kind == NODE_NUMBER;
}

void import_texts(struct import *in, import_at list, bool closes, import_each each, const void *context)
{
	if (list == NULL || list->kind == NODE_NULL)
		return;
	if (is_scalar(list)) {
		each(in, list, list->text.ptr, context);
		return;
	}
	if (list->kind != NODE_LIST)
		import_left(in, list, closes, import_show(in, list), "not a list of texts");
	for (import_at item = list->first; list->kind == NODE_LIST && item != NULL; item = item->next) {
		if (is_scalar(item))
			each(in, item, item->text.ptr, context);
		else
			import_left(in, item, closes, import_show(in, list), "an entry that is no text");
	}
}

static bool says_nothing(import_at node)
{
	bool holds = node->kind == NODE_LIST || node->kind == NODE_MAP;
	return node->kind == NODE_NULL || (holds && node->first == NULL);
}

static void take_row(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	static const struct import_row unknown = {.narrows = true, .why = "a key that is not known"};
	const struct import_row *by = row != NULL ? row : &unknown;
	if (by->put != NULL)
		by->put(in, node, by, map);
	else if (by->why != NULL && (row == NULL || !says_nothing(node)))
		import_left(in, node, by->narrows, import_show(in, node), by->why);
}

void import_rows(struct import *in, import_at map, const struct import_row *rows, size_t count)
{
	if (map == NULL || map->kind == NODE_NULL)
		return;
	if (map->kind != NODE_MAP) {
		import_left(in, map, true, import_show(in, map), "not a map");
		return;
	}
	for (import_at node = map->first; node != NULL; node = node->next) {
		size_t i = 0;
		while (i < count && rows[i].key != NULL && !str_eq(node->key, str_from(rows[i].key)))
			i++;
		take_row(in, node, i < count ? &rows[i] : NULL, map);
	}
}

void import_variables(struct import *in, import_at node, const struct import_row *row, import_at map)
{
	(void)row;
	(void)map;
	if (node->kind != NODE_MAP && node->kind != NODE_NULL)
		import_left(in, node, false, import_show(in, node), "not a map");
	for (import_at item = node->kind == NODE_MAP ? node->first : NULL; item != NULL; item = item->next)
		if (item->text.ptr != NULL && strchr(item->key.ptr, '=') == NULL)
			import_line(in, item, KEY_ENV_SET, import_format(in, "%s=%s", item->key.ptr, item->text.ptr));
		else
			import_left(in, item, false, import_show(in, item), "no variable and its text");
}

/* ---- paths and hosts --------------------------------------------------------------------------------------------- */

const char *import_pattern(struct import *in, const char *path, const char *wildcards)
{
	char text[FORMAT_MAX];
	size_t len = 0;
	bool anchored = path[0] == '/' || strcmp(path, "~") == 0 || strncmp(path, "~/", 2) == 0 || path[0] == '$' ||
			strcmp(path, ".") == 0 || strncmp(path, "./", 2) == 0 || strncmp(path, "**/", 3) == 0;
	if (path[0] == '\0')
		return "";
	if (!anchored)
		len = 2;
	memcpy(text, "./", 2);
	for (; *path != '\0' && len + 2 < sizeof text; path++) {
		if (strchr("*?[]{}\\", *path) != NULL && strchr(wildcards, *path) == NULL)
			text[len++] = '\\';
		text[len++] = *path;
	}
	text[len] = '\0';
	return import_format(in, "%s", text);
}

const char *import_literal(struct import *in, const char *path)
{
	bool variable = path[0] == '$' || strncmp(path, "**/", 3) == 0;
	return import_pattern(in, variable ? import_format(in, "./%s", path) : path, "");
}

const char *import_host(struct import *in, const char *host)
{
	return strncmp(host, "*.", 2) == 0 ? import_format(in, "*%s", host) : host;
}
