#include <string.h>

#include "format/node_build.h"
#include "format/utf8.h"

/* What may come next. */
enum want {
	WANT_VALUE = 0,
	WANT_VALUE_OR_END, /* behind "[" */
	WANT_KEY,
	WANT_KEY_OR_END, /* behind "{" */
	WANT_COMMA_OR_END,
	WANT_NOTHING,
};

struct json_in {
	struct node_build *build;
	const char *at, *end;
	bool relaxed; /* comments, and a comma in front of an end */
	enum want want;
	const char *counted; /* line and column are this byte's */
	uint32_t line, column;
};

/* ---- places ------------------------------------------------------------------------------------------------------ */

static void count_to(struct json_in *in, const char *to)
{
	for (; in->counted < to; in->counted++) {
		bool ends = *in->counted == '\n';
		in->line += ends;
		in->column = ends ? 1 : in->column + (((uint8_t)*in->counted & 0xc0) != 0x80);
	}
}

/* Places only go forward. The fault ends the reading. */
static enum berm_code stop(struct json_in *in, const char *at, const char *what)
{
	count_to(in, at);
	node_build_fault(in->build, in->line, in->column, "not JSON: %s", what);
	return BERM_ERR_PARSE;
}

/* ---- what lies between ------------------------------------------------------------------------------------------- */

static enum berm_code skip_comment(struct json_in *in)
{
	const char *start = in->at;
	bool line = in->end - in->at > 1 && in->at[1] == '/';
	if (!line && (in->end - in->at < 2 || in->at[1] != '*'))
		return stop(in, start, "a '/' that starts no comment");
	in->at += 2;
	while (in->at < in->end &&
	       !(line ? *in->at == '\n' : in->at[-1] == '*' && *in->at == '/' && in->at > start + 2))
		in->at++;
	if (!line && in->at == in->end)
		return stop(in, start, "a comment without an end");
	in->at += !line;
	return BERM_OK;
}

static enum berm_code skip_white(struct json_in *in)
{
	while (in->at < in->end) {
		if (node_is_json_white(*in->at))
			in->at++;
		else if (in->relaxed && *in->at == '/')
			TRY(skip_comment(in));
		else
			break;
	}
	return BERM_OK;
}

/* ---- texts ------------------------------------------------------------------------------------------------------- */

static bool hex4(struct json_in *in, uint32_t *ret_unit)
{
	uint32_t unit = 0;
	if (in->end - in->at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		char c = in->at[i], low = (char)(c | 0x20);
		bool digit = c >= '0' && c <= '9';
		if (!digit && (low < 'a' || low > 'f'))
			return false;
		unit = unit << 4 | (uint32_t)(digit ? c - '0' : low - 'a' + 10);
	}
	in->at += 4;
	*ret_unit = unit;
	return true;
}

/* What stands behind "\u": a unit, or two that are a pair. */
static enum berm_code read_unicode(struct json_in *in, const char *start, char **to)
{
	uint32_t unit, second;
	if (!hex4(in, &unit))
		return stop(in, start, "'\\u' without four hex digits");
	if (unit == 0)
		return stop(in, start, "a NUL in a text");
	if (unit >= 0xdc00 && unit < 0xe000)
		return stop(in, start, "half of a surrogate pair");
	if (unit >= 0xd800 && unit < 0xdc00) {
		bool follows = in->end - in->at > 2 && in->at[0] == '\\' && in->at[1] == 'u';
		in->at += follows ? 2 : 0;
		if (!follows || !hex4(in, &second) || second < 0xdc00 || second > 0xdfff)
			return stop(in, start, "half of a surrogate pair");
		unit = 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
	}
	*to = utf8_put(*to, unit);
	return BERM_OK;
}

static enum berm_code read_escape(struct json_in *in, char **to)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *start = in->at++;
	if (in->at == in->end)
		return stop(in, start, "a text without an end");
	char name = *in->at++;
	if (name == 'u')
		return read_unicode(in, start, to);
	const char *found = memchr(names, name, sizeof names - 1);
	if (found == NULL)
		return stop(in, start, "an unknown escape in a text");
	*(*to)++ = values[found - names];
	return BERM_OK;
}

/* in->at is behind the opening quote; an escape is never shorter than what it stands for. */
static enum berm_code read_text(struct json_in *in, struct str *ret_text)
{
	const char *start = in->at - 1, *close = in->at;
	while (close < in->end && *close != '"')
		close += *close == '\\' && in->end - close > 1 ? 2 : 1;
	if (close >= in->end)
		return stop(in, start, "a text without an end");
	char *text = arena_text(in->build->arena, (struct str){in->at, (size_t)(close - in->at)}), *to = text;
	if (text == NULL)
		return node_build_no_memory(in->build);
	while (in->at < close) {
		if ((uint8_t)*in->at < 0x20)
			return stop(in, in->at, "a line break or tab within a text: write it as '\\n' or '\\t'");
		if (*in->at == '\\')
			TRY(read_escape(in, &to));
		else
			*to++ = *in->at++;
	}
	*to = '\0';
	in->at = close + 1;
	*ret_text = (struct str){text, (size_t)(to - text)};
	return BERM_OK;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static bool is_bare(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '-' ||
	       c == '.' || c == '_';
}

/* true, false, null, a number. */
static enum berm_code read_bare(struct json_in *in)
{
	const char *start = in->at;
	while (in->at < in->end && is_bare(*in->at))
		in->at++;
	struct str text = {start, (size_t)(in->at - start)};
	enum node_kind kind = node_plain_kind(text);
	if (text.len == 0 || kind == NODE_TEXT)
		return stop(in, start, text.len == 0 ? "expected a value" : "expected a value; texts stand in '\"'");
	const char *copy = arena_text(in->build->arena, text);
	if (copy == NULL)
		return node_build_no_memory(in->build);
	return node_build_scalar(in->build, kind, in->line, in->column, (struct str){copy, text.len}, false);
}

static enum berm_code read_value(struct json_in *in)
{
	struct str text;
	char c = *in->at;
	if (c == '{' || c == '[') {
		in->at++;
		in->want = c == '{' ? WANT_KEY_OR_END : WANT_VALUE_OR_END;
		return node_build_open(in->build, c == '{' ? NODE_MAP : NODE_LIST, in->line, in->column);
	}
	in->want = in->build->depth > 0 ? WANT_COMMA_OR_END : WANT_NOTHING;
	if (c != '"')
		return read_bare(in);
	in->at++;
	uint32_t line = in->line, column = in->column;
	TRY(read_text(in, &text));
	return node_build_scalar(in->build, NODE_TEXT, line, column, text, false);
}

static enum berm_code read_key(struct json_in *in)
{
	struct str text;
	uint32_t line = in->line, column = in->column;
	if (*in->at != '"')
		return stop(in, in->at, "expected a key in '\"'");
	in->at++;
	TRY(read_text(in, &text));
	TRY(node_build_key(in->build, line, column, text));
	TRY(skip_white(in));
	if (in->at == in->end || *in->at != ':')
		return stop(in, in->at, "expected ':' behind the key");
	in->at++;
	in->want = WANT_VALUE;
	return BERM_OK;
}

static enum berm_code read_end(struct json_in *in)
{
	in->at++;
	TRY(node_build_close(in->build));
	in->want = in->build->depth > 0 ? WANT_COMMA_OR_END : WANT_NOTHING;
	return BERM_OK;
}

static enum berm_code read_comma_or_end(struct json_in *in, char end)
{
	if (*in->at == end)
		return read_end(in);
	if (*in->at != ',')
		return stop(in, in->at, end == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
	in->at++;
	if (end == '}')
		in->want = in->relaxed ? WANT_KEY_OR_END : WANT_KEY;
	else
		in->want = in->relaxed ? WANT_VALUE_OR_END : WANT_VALUE;
	return BERM_OK;
}

static enum berm_code read_next(struct json_in *in)
{
	const struct node_build *build = in->build;
	bool map = build->depth > 0 && build->open[build->depth - 1]->kind == NODE_MAP;
	char end = map ? '}' : ']';
	if ((in->want == WANT_VALUE_OR_END || in->want == WANT_KEY_OR_END) && *in->at == end)
		return read_end(in);
	if (in->want == WANT_NOTHING)
		return stop(in, in->at, "something behind the end");
	if (in->want == WANT_COMMA_OR_END)
		return read_comma_or_end(in, end);
	if (in->want == WANT_KEY || in->want == WANT_KEY_OR_END)
		return read_key(in);
	return read_value(in);
}

enum berm_code node_json_read(struct node_build *build, struct str text, bool relaxed)
{
	struct json_in in = {.build = build,
			     .at = text.ptr,
			     .end = text.ptr + text.len,
			     .relaxed = relaxed,
			     .counted = text.ptr,
			     .line = 1,
			     .column = 1};
	TRY(skip_white(&in));
	while (in.at < in.end) {
		count_to(&in, in.at);
		TRY(read_next(&in));
		TRY(skip_white(&in));
	}
	if (in.want == WANT_NOTHING || (relaxed && build->root == NULL))
		return BERM_OK;
	return stop(&in, in.at, "the text ends too early");
}
