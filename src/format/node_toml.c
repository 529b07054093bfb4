/* TOML 1.0 as far as settings of programs use it. Dates, and numbers that JSON would not have, are told and not read. */
#include <string.h>

#include "format/node_build.h"
#include "format/utf8.h"

enum {
	KEYS_MAX = 16,	   /* of one dotted key */
	NODES_MAX = 20000, /* names are looked for one by one */
	DIGITS = 4,	   /* of \u; \U has twice as many */
};

/* What made a table or an array, and so what may be added to it. */
enum made {
	MADE_PASSING = 0, /* a header names what stands in it */
	MADE_HEADER,
	MADE_DOTTED, /* by keys with dots */
	MADE_VALUE,  /* between braces or brackets: it is whole */
	MADE_TABLES, /* an array of tables, which are its headers */
};

struct box {
	struct node node; /* first: a map or a list of this reader is a box */
	struct node *last;
	enum made made;
	size_t depth;
};

struct name {
	struct str text;
	uint32_t line, column;
};

/* Where a value goes. */
struct target {
	struct box *box;
	struct name key; /* no text: into a list */
};

struct toml_in {
	struct node_build *build;
	const char *at, *end;
	const char *counted; /* line and column are this byte's */
	uint32_t line, column;
	struct box *table;		    /* of the newest header */
	struct box *levels[NODE_MAX_DEPTH]; /* brackets and braces that are open */
	size_t depth;
};

/* ---- places ------------------------------------------------------------------------------------------------------ */

static void count(struct toml_in *in)
{
	for (; in->counted < in->at; in->counted++) {
		bool ends = *in->counted == '\n';
		in->line += ends;
		in->column = ends ? 1 : in->column + (((uint8_t)*in->counted & 0xc0) != 0x80);
	}
}

/* The fault ends the reading. */
static enum berm_code stop(struct toml_in *in, const char *what)
{
	count(in);
	node_build_fault(in->build, in->line, in->column, "not TOML that is read here: %s", what);
	return BERM_ERR_PARSE;
}

static enum berm_code stop_name(struct toml_in *in, const struct name *name, const char *what)
{
	node_build_fault(in->build, name->line, name->column, "key '%.100s' %s", name->text.ptr, what);
	return BERM_ERR_PARSE;
}

static enum berm_code too_much(struct toml_in *in, const char *what)
{
	count(in);
	problem_add(in->build->problems, &(struct place){in->build->file, in->line, in->column}, "%s", what);
	return err_set(in->build->err, BERM_ERR_LIMIT, "%s:%u:%u: %s", in->build->file, (unsigned)in->line,
		       (unsigned)in->column, what);
}

/* ---- what lies between ------------------------------------------------------------------------------------------- */

static char peek(const struct toml_in *in)
{
	return in->at < in->end ? *in->at : '\0';
}

static bool take_byte(struct toml_in *in, char byte)
{
	bool there = in->at < in->end && *in->at == byte;
	in->at += there;
	return there;
}

static bool starts(const struct toml_in *in, struct str text)
{
	return str_starts((struct str){in->at, (size_t)(in->end - in->at)}, text);
}

static void skip_space(struct toml_in *in)
{
	while (in->at < in->end && (*in->at == ' ' || *in->at == '\t' || *in->at == '\r'))
		in->at++;
	if (peek(in) == '#')
		while (in->at < in->end && *in->at != '\n')
			in->at++;
}

static void skip_lines(struct toml_in *in)
{
	do
		skip_space(in);
	while (take_byte(in, '\n'));
}

static enum berm_code end_line(struct toml_in *in)
{
	skip_space(in);
	return in->at == in->end || take_byte(in, '\n') ? BERM_OK : stop(in, "something more on the line");
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

static bool take_digits(struct toml_in *in, int digits, uint32_t *ret_value)
{
	uint32_t value = 0;
	for (; digits > 0 && in->at < in->end; digits--, in->at++) {
		char c = *in->at, low = (char)(c | 0x20);
		bool digit = c >= '0' && c <= '9';
		if (!digit && (low < 'a' || low > 'f'))
			return false;
		value = value << 4 | (uint32_t)(digit ? c - '0' : low - 'a' + 10);
	}
	*ret_value = value;
	return digits == 0;
}

/* A line that ends with a backslash goes on with what is not white. */
static bool joins_lines(struct toml_in *in)
{
	const char *at = in->at;
	while (at < in->end && (*at == ' ' || *at == '\t' || *at == '\r'))
		at++;
	if (at == in->end || *at != '\n')
		return false;
	while (at < in->end && node_is_json_white(*at))
		at++;
	in->at = at;
	return true;
}

/* Behind the backslash. */
static enum berm_code take_escape(struct toml_in *in, bool lines, char **to)
{
	static const char letters[] = "btnfr\"\\", bytes[] = "\b\t\n\f\r\"\\";
	char c = peek(in);
	const char *letter = c != '\0' ? strchr(letters, c) : NULL;
	uint32_t value;
	if (lines && joins_lines(in))
		return BERM_OK;
	in->at += in->at < in->end;
	if (letter != NULL) {
		*(*to)++ = bytes[letter - letters];
		return BERM_OK;
	}
	if ((c != 'u' && c != 'U') || !take_digits(in, c == 'u' ? DIGITS : 2 * DIGITS, &value))
		return stop(in, "an escape that there is not");
	if (value == 0 || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return stop(in, "an escape of what is no character");
	*to = utf8_put(*to, value);
	return BERM_OK;
}

/* Where the text's end is, from in->at on; NULL: there is none. */
static const char *find_close(const struct toml_in *in, char quote, bool lines)
{
	for (const char *at = in->at; at < in->end; at++) {
		if (*at == '\n' && !lines)
			return NULL;
		if (*at == '\\' && quote == '"')
			at++;
		else if (*at == quote && (!lines || (in->end - at >= 3 && at[1] == quote && at[2] == quote)))
			return at;
	}
	return NULL;
}

static enum berm_code take_text(struct toml_in *in, struct str *ret_text)
{
	char quote = *in->at;
	const char three[] = {quote, quote, quote};
	bool lines = starts(in, (struct str){three, 3});
	const char *close;
	count(in);
	in->at += lines ? 3 : 1;
	if (lines && !take_byte(in, '\n') && starts(in, STR("\r\n")))
		in->at += 2;
	close = find_close(in, quote, lines);
	if (close == NULL)
		return stop(in, "a text without an end");
	while (lines && in->end - close > 3 && close[3] == quote) /* up to two more belong to the text */
		close++;
	char *text = arena_text(in->build->arena, (struct str){in->at, (size_t)(close - in->at)}), *to = text;
	if (text == NULL)
		return node_build_no_memory(in->build);
	while (in->at < close) {
		char c = *in->at++;
		if (c == '\\' && quote == '"')
			TRY(take_escape(in, lines, &to));
		else
			*to++ = c;
	}
	*to = '\0';
	in->at = close + (lines ? 3 : 1);
	*ret_text = (struct str){text, (size_t)(to - text)};
	return BERM_OK;
}

/* ---- the tree ---------------------------------------------------------------------------------------------------- */

static struct box *find(const struct box *map, struct str key)
{
	struct node *child = map->node.first;
	while (child != NULL && !str_eq(child->key, key))
		child = child->next;
	return (struct box *)child;
}

static bool is_box(const struct box *box)
{
	return box->node.kind == NODE_MAP || box->node.kind == NODE_LIST;
}

/* value has its kind, place and text. */
static enum berm_code add(struct toml_in *in, const struct target *target, struct node value, enum made made,
			  struct box **ret_box)
{
	bool box = value.kind == NODE_MAP || value.kind == NODE_LIST;
	struct box *parent = target->box;
	if (in->build->count++ >= NODES_MAX)
		return too_much(in, "too many values");
	if (parent->depth + 1 >= NODE_MAX_DEPTH)
		return too_much(in, "too many tables and arrays within each other");
	struct box *added = arena_alloc(in->build->arena, box ? sizeof *added : sizeof added->node);
	if (added == NULL)
		return node_build_no_memory(in->build);
	value.key = target->key.text;
	value.key_line = target->key.line;
	value.key_column = target->key.column;
	added->node = value;
	if (box) {
		added->made = made;
		added->depth = parent->depth + 1;
	}
	*(parent->last != NULL ? &parent->last->next : &parent->node.first) = &added->node;
	parent->last = &added->node;
	parent->node.count++;
	*ret_box = added;
	return BERM_OK;
}

static enum berm_code add_table(struct toml_in *in, struct box *parent, const struct name *key, enum made made,
				struct box **ret_box)
{
	struct target target = {.box = parent};
	if (key != NULL)
		target.key = *key;
	return add(in, &target, (struct node){.kind = NODE_MAP, .line = in->line, .column = in->column}, made, ret_box);
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static enum berm_code take_name(struct toml_in *in, struct name *ret_name)
{
	const char *start = in->at;
	count(in);
	*ret_name = (struct name){.line = in->line, .column = in->column};
	if (starts(in, STR("\"\"\"")) || starts(in, STR("'''")))
		return stop(in, "a key of several lines");
	if (peek(in) == '"' || peek(in) == '\'')
		return take_text(in, &ret_name->text);
	while (in->at < in->end && is_bare(*in->at))
		in->at++;
	if (in->at == start)
		return stop(in, "a key is expected");
	ret_name->text = (struct str){arena_text(in->build->arena, (struct str){start, (size_t)(in->at - start)}),
				      (size_t)(in->at - start)};
	return ret_name->text.ptr != NULL ? BERM_OK : node_build_no_memory(in->build);
}

/* "a.b.c" */
static enum berm_code take_names(struct toml_in *in, struct name names[static KEYS_MAX], size_t *ret_count)
{
	size_t count_of = 0;
	do {
		if (count_of == KEYS_MAX)
			return too_much(in, "too many keys with dots between them");
		skip_space(in);
		TRY(take_name(in, &names[count_of++]));
		skip_space(in);
	} while (take_byte(in, '.'));
	*ret_count = count_of;
	return BERM_OK;
}

/* The table that one name more leads to. */
static enum berm_code step(struct toml_in *in, struct box *from, const struct name *name, enum made made,
			   struct box **ret_box)
{
	struct box *child = find(from, name->text);
	if (child == NULL)
		return add_table(in, from, name, made, ret_box);
	bool tables = is_box(child) && child->made == MADE_TABLES;
	bool open = is_box(child) && (made == MADE_DOTTED ? child->made == MADE_DOTTED : child->made != MADE_VALUE);
	if (!open)
		return stop_name(in, name, "is there already, as something that nothing can be added to");
	*ret_box = tables ? (struct box *)child->last : child;
	return BERM_OK;
}

static enum berm_code walk(struct toml_in *in, struct box *from, const struct name *names, size_t count_of,
			   enum made made, struct box **ret_box)
{
	struct box *box = from;
	for (size_t i = 0; i + 1 < count_of; i++)
		TRY(step(in, box, &names[i], made, &box));
	*ret_box = box;
	return BERM_OK;
}

/* "a.b =" in a table */
static enum berm_code take_target(struct toml_in *in, struct box *table, struct target *ret_target)
{
	struct name names[KEYS_MAX];
	size_t count_of;
	TRY(take_names(in, names, &count_of));
	if (!take_byte(in, '='))
		return stop(in, "'=' is expected behind the key");
	TRY(walk(in, table, names, count_of, MADE_DOTTED, &ret_target->box));
	ret_target->key = names[count_of - 1];
	if (find(ret_target->box, ret_target->key.text) != NULL)
		return stop_name(in, &ret_target->key, "is there twice");
	return BERM_OK;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static enum berm_code take_scalar(struct toml_in *in, const struct target *target)
{
	struct box *added;
	const char *start = in->at;
	struct node node = {.kind = NODE_TEXT, .line = in->line, .column = in->column};
	if (peek(in) == '"' || peek(in) == '\'') {
		TRY(take_text(in, &node.text));
		return add(in, target, node, MADE_VALUE, &added);
	}
	while (in->at < in->end && (is_bare(*in->at) || *in->at == '+' || *in->at == '.' || *in->at == ':'))
		in->at++;
	node.text = (struct str){start, (size_t)(in->at - start)};
	node.kind = node_plain_kind(node.text);
	if (node.text.len == 0 || (node.kind != NODE_BOOL && node.kind != NODE_NUMBER)) {
		in->at = start;
		return stop(in, "a value is expected: a text in quotes, a plain number, true, false, '[' or '{'");
	}
	node.text.ptr = arena_text(in->build->arena, node.text);
	if (node.text.ptr == NULL)
		return node_build_no_memory(in->build);
	return add(in, target, node, MADE_VALUE, &added);
}

/* Closes what is closed here. *ret_more: a value follows, into *ret_target. */
static enum berm_code next_target(struct toml_in *in, struct target *ret_target, bool *ret_more)
{
	for (*ret_more = false; in->depth > 0 && !*ret_more;) {
		struct box *open = in->levels[in->depth - 1];
		bool list = open->node.kind == NODE_LIST, first = open->node.first == NULL;
		char end = list ? ']' : '}';
		list ? skip_lines(in) : skip_space(in);
		bool comma = !first && take_byte(in, ',');
		list ? skip_lines(in) : skip_space(in);
		if ((list || !comma) && take_byte(in, end)) {
			in->depth--;
			continue;
		}
		if (!first && !comma)
			return stop(in, list ? "',' or ']' is expected" : "',' or '}' is expected");
		*ret_target = (struct target){.box = open};
		*ret_more = true;
		return list ? BERM_OK : take_target(in, open, ret_target);
	}
	return BERM_OK;
}

/* A bracket or brace opens. */
static enum berm_code open_level(struct toml_in *in, const struct target *target)
{
	struct box *box = NULL;
	enum node_kind kind = *in->at == '[' ? NODE_LIST : NODE_MAP;
	TRY(add(in, target, (struct node){.kind = kind, .line = in->line, .column = in->column}, MADE_VALUE, &box));
	if (box == NULL || in->depth == NODE_MAX_DEPTH)
		return too_much(in, "too many tables and arrays within each other");
	in->levels[in->depth++] = box;
	in->at++;
	return BERM_OK;
}

static enum berm_code take_value(struct toml_in *in, struct target target)
{
	bool more = true;
	while (more) {
		skip_space(in);
		count(in);
		if (peek(in) == '[' || peek(in) == '{')
			TRY(open_level(in, &target));
		else
			TRY(take_scalar(in, &target));
		TRY(next_target(in, &target, &more));
	}
	return BERM_OK;
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static enum berm_code open_table(struct toml_in *in, struct box *parent, const struct name *name)
{
	struct box *box = find(parent, name->text);
	if (box == NULL)
		return add_table(in, parent, name, MADE_HEADER, &in->table);
	if (box->node.kind != NODE_MAP || box->made != MADE_PASSING)
		return stop_name(in, name, "is there already");
	box->made = MADE_HEADER;
	in->table = box;
	return BERM_OK;
}

static enum berm_code open_tables(struct toml_in *in, struct box *parent, const struct name *name)
{
	struct box *list = find(parent, name->text);
	const struct target target = {parent, *name};
	if (list != NULL && (list->node.kind != NODE_LIST || list->made != MADE_TABLES))
		return stop_name(in, name, "is there already");
	if (list == NULL)
		TRY(add(in, &target, (struct node){.kind = NODE_LIST, .line = in->line, .column = in->column},
			MADE_TABLES, &list));
	return add_table(in, list, NULL, MADE_HEADER, &in->table);
}

/* "[a.b]" and "[[a.b]]" */
static enum berm_code take_header(struct toml_in *in, struct box *root)
{
	struct name names[KEYS_MAX];
	size_t count_of;
	struct box *parent;
	bool tables = starts(in, STR("[["));
	in->at += tables ? 2 : 1;
	TRY(take_names(in, names, &count_of));
	if (!starts(in, tables ? STR("]]") : STR("]")))
		return stop(in, tables ? "']]' is expected" : "']' is expected");
	in->at += tables ? 2 : 1;
	TRY(walk(in, root, names, count_of, MADE_PASSING, &parent));
	TRY(tables ? open_tables(in, parent, &names[count_of - 1]) : open_table(in, parent, &names[count_of - 1]));
	return end_line(in);
}

static enum berm_code take_assignment(struct toml_in *in)
{
	struct target target;
	TRY(take_target(in, in->table, &target));
	TRY(take_value(in, target));
	return end_line(in);
}

enum berm_code node_toml_read(struct node_build *build, struct str text)
{
	struct box *root = arena_alloc(build->arena, sizeof *root);
	struct toml_in in = {.build = build,
			     .at = text.ptr,
			     .end = text.ptr + text.len,
			     .counted = text.ptr,
			     .line = 1,
			     .column = 1,
			     .table = root};
	if (root == NULL)
		return node_build_no_memory(build);
	root->node = (struct node){.kind = NODE_MAP, .line = 1, .column = 1};
	root->made = MADE_HEADER;
	build->root = &root->node;
	for (skip_lines(&in); in.at < in.end; skip_lines(&in)) {
		count(&in);
		TRY(peek(&in) == '[' ? take_header(&in, root) : take_assignment(&in));
	}
	return BERM_OK;
}
