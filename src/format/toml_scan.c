#include "format/toml_scan.h"

#include <string.h>

struct scan {
	const char *at, *end;
	struct str keys[TOML_KEYS_MAX]; /* of the table, then of the value */
	size_t table_keys, key_count;
	size_t table;
	struct level {
		char open;	  /* '[' or '{' */
		size_t key_count; /* when it was opened */
	} levels[TOML_DEPTH_MAX];
	size_t depth;
	toml_visit visit;
	void *context;
};

static char peek(const struct scan *s)
{
	return s->at < s->end ? *s->at : '\0';
}

static bool take_byte(struct scan *s, char byte)
{
	if (s->at >= s->end || *s->at != byte)
		return false;
	s->at++;
	return true;
}

static bool take_text(struct scan *s, struct str text)
{
	if (!str_starts((struct str){s->at, (size_t)(s->end - s->at)}, text))
		return false;
	s->at += text.len;
	return true;
}

static void skip_space(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r'))
		s->at++;
}

static void skip_comment(struct scan *s)
{
	if (peek(s) == '#')
		while (s->at < s->end && *s->at != '\n')
			s->at++;
}

/* Spaces, comments and line ends. */
static void skip_lines(struct scan *s)
{
	do {
		skip_space(s);
		skip_comment(s);
	} while (take_byte(s, '\n'));
}

/* Nothing more on the line. */
static bool end_line(struct scan *s)
{
	skip_space(s);
	skip_comment(s);
	return s->at == s->end || take_byte(s, '\n');
}

/* ---- strings and keys -------------------------------------------------------------------------------------------- */

static bool take_long_string(struct scan *s, char quote, struct toml_value *ret)
{
	const char three[] = {quote, quote, quote};
	const char *start = s->at;
	while (!take_text(s, (struct str){three, 3})) {
		if (s->at >= s->end)
			return false;
		s->at += *s->at == '\\' && quote == '"' && s->at + 1 < s->end ? 2 : 1;
	}
	ret->value = (struct str){start, (size_t)(s->at - start) - 3};
	while (take_byte(s, quote)) /* up to two may stand before the end */
		ret->value.len++;
	ret->escaped = true;
	return true;
}

static bool take_string(struct scan *s, struct toml_value *ret)
{
	char quote = *s->at;
	const char three[] = {quote, quote, quote};
	ret->text = true;
	if (take_text(s, (struct str){three, 3}))
		return take_long_string(s, quote, ret);
	const char *start = ++s->at;
	while (s->at < s->end && *s->at != quote && *s->at != '\n') {
		bool escape = *s->at == '\\' && quote == '"';
		ret->escaped |= escape;
		s->at += escape && s->at + 1 < s->end ? 2 : 1;
	}
	ret->value = (struct str){start, (size_t)(s->at - start)};
	return take_byte(s, quote);
}

static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool take_key(struct scan *s)
{
	struct toml_value quoted = {.key_count = 0};
	const char *start = s->at;
	if (s->key_count == TOML_KEYS_MAX)
		return false;
	if (peek(s) == '"' || peek(s) == '\'') {
		if (!take_string(s, &quoted))
			return false;
		s->keys[s->key_count++] = quoted.value;
		return true;
	}
	while (s->at < s->end && is_bare(*s->at))
		s->at++;
	s->keys[s->key_count++] = (struct str){start, (size_t)(s->at - start)};
	return s->at > start;
}

/* "a.b.c" behind what is there already. */
static bool take_keys(struct scan *s)
{
	do {
		skip_space(s);
		if (!take_key(s))
			return false;
		skip_space(s);
	} while (take_byte(s, '.'));
	return true;
}

static bool take_assignment(struct scan *s)
{
	return take_keys(s) && take_byte(s, '=');
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static bool tell(struct scan *s, struct toml_value *value)
{
	value->keys = s->keys;
	value->key_count = s->key_count;
	value->table = s->table;
	return s->visit(s->context, value);
}

static bool take_scalar(struct scan *s)
{
	struct toml_value value = {.key_count = 0};
	const char *start = s->at;
	if (peek(s) == '"' || peek(s) == '\'')
		return take_string(s, &value) && tell(s, &value);
	while (s->at < s->end && (is_bare(*s->at) || *s->at == '+' || *s->at == '.' || *s->at == ':'))
		s->at++;
	value.value = (struct str){start, (size_t)(s->at - start)};
	return value.value.len > 0 && tell(s, &value);
}

/* Closes what is closed here. Returns true where a value, or for a table a key, has to follow. */
static bool needs_more(struct scan *s, bool *ret_ok)
{
	while (s->depth > 0) {
		const struct level *level = &s->levels[s->depth - 1];
		s->key_count = level->key_count;
		skip_lines(s);
		bool comma = take_byte(s, ',');
		skip_lines(s);
		if (take_byte(s, level->open == '[' ? ']' : '}')) {
			s->depth--;
			continue;
		}
		*ret_ok = comma && (level->open == '[' || take_assignment(s));
		return *ret_ok;
	}
	return false;
}

/* At an opening bracket. Returns true where an item of it has to follow. */
static bool enters(struct scan *s, bool *ret_ok)
{
	char open = peek(s);
	*ret_ok = s->depth < TOML_DEPTH_MAX;
	if (!*ret_ok)
		return false;
	s->levels[s->depth++] = (struct level){open, s->key_count};
	s->at++;
	skip_lines(s);
	if (peek(s) == (open == '[' ? ']' : '}'))
		return false;
	*ret_ok = open == '[' || take_assignment(s);
	return *ret_ok;
}

static bool take_value(struct scan *s)
{
	bool ok = true;
	for (;;) {
		skip_space(s);
		if (peek(s) == '[' || peek(s) == '{') {
			if (enters(s, &ok))
				continue;
		} else {
			ok = take_scalar(s);
		}
		if (!ok || !needs_more(s, &ok))
			return ok;
	}
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static bool take_table(struct scan *s)
{
	bool array = take_text(s, STR("[["));
	if (!array)
		s->at++;
	s->key_count = 0;
	s->table++;
	if (!take_keys(s) || !take_text(s, array ? STR("]]") : STR("]")))
		return false;
	s->table_keys = s->key_count;
	return end_line(s);
}

static bool take_line(struct scan *s)
{
	if (peek(s) == '[')
		return take_table(s);
	s->key_count = s->table_keys;
	return take_assignment(s) && take_value(s) && end_line(s);
}

bool toml_scan(struct str text, toml_visit visit, void *context)
{
	struct scan scan = {.at = text.ptr, .end = text.ptr + text.len, .visit = visit, .context = context};
	if (text.len == 0)
		return true;
	for (skip_lines(&scan); scan.at < scan.end; skip_lines(&scan))
		if (!take_line(&scan))
			return false;
	return true;
}

bool toml_is(const struct toml_value *value, const char *const *keys)
{
	size_t i = 0;
	for (; i < value->key_count && keys[i] != NULL; i++)
		if (strcmp(keys[i], "*") != 0 && !str_eq(value->keys[i], str_from(keys[i])))
			return false;
	return i == value->key_count && keys[i] == NULL;
}
