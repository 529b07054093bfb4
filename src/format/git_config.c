#include "format/git_config.h"

#include <string.h>

/*
 * Follows git's config.c, from 2.30 to 2.50. Left out on purpose, because versions differ or nobody writes it: a tab
 * between two words of a value (2.45 keeps it, earlier ones make it a space), NUL and other control bytes, a return
 * that ends no line, keys before the first section, empty subsections, [a.b "c"], a backslash as the last byte.
 */

enum { CHAR_END = -1 };

struct reader {
	struct span rest;
	unsigned line; /* of the next byte */
	git_config_visit visit;
	void *ctx;
	struct git_config_fault fault;
	char name[GIT_CONFIG_NAME_MAX]; /* section, then subsection */
	size_t section_len, name_len;
	bool has_section, has_subsection;
};

static bool fault(struct reader *reader, const char *what)
{
	reader->fault = (struct git_config_fault){.line = reader->line, .what = what};
	return false;
}

static bool is_alpha(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_key_char(int c)
{
	return is_alpha(c) || (c >= '0' && c <= '9') || c == '-';
}

static bool is_blank(int c)
{
	return c == ' ' || c == '\t';
}

static char lower(int c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static int peek(const struct reader *reader)
{
	if (reader->rest.len == 0)
		return CHAR_END;
	return reader->rest.ptr[0] == '\r' ? '\n' : reader->rest.ptr[0];
}

/* One byte; "\r\n" is one newline (bytes_are_plain has seen that no other '\r' is there). */
static int next(struct reader *reader)
{
	int c = peek(reader);
	if (c == CHAR_END)
		return c;
	size_t taken = reader->rest.ptr[0] == '\r' ? 2 : 1;
	reader->rest.ptr += taken;
	reader->rest.len -= taken;
	reader->line += c == '\n';
	return c;
}

static bool byte_is_plain(const struct span *content, size_t i)
{
	uint8_t c = content->ptr[i];
	if (c == '\r')
		return i + 1 < content->len && content->ptr[i + 1] == '\n';
	return (c >= 0x20 && c != 0x7f) || c == '\t' || c == '\n';
}

static bool bytes_are_plain(struct reader *reader)
{
	for (size_t i = 0; i < reader->rest.len; i++) {
		if (!byte_is_plain(&reader->rest, i))
			return fault(reader, "holds a control byte");
		reader->line += reader->rest.ptr[i] == '\n';
	}
	reader->line = 1;
	return true;
}

static void skip_line(struct reader *reader)
{
	int c;
	do
		c = next(reader);
	while (c != '\n' && c != CHAR_END);
}

static bool name_put(struct reader *reader, char c)
{
	if (reader->name_len == sizeof reader->name)
		return fault(reader, "has a name that is too long");
	reader->name[reader->name_len++] = c;
	return true;
}

/* Behind the blank in [section "subsection"]. */
static bool parse_subsection(struct reader *reader)
{
	while (is_blank(peek(reader)))
		(void)next(reader);
	if (next(reader) != '"')
		return fault(reader, "has a broken section header");
	for (;;) {
		int c = next(reader);
		if (c == '"')
			break;
		if (c == '\\')
			c = next(reader);
		if (c == CHAR_END || c == '\n' || c == '\t')
			return fault(reader, "has a broken section header");
		if (!name_put(reader, (char)c))
			return false;
	}
	if (next(reader) != ']')
		return fault(reader, "has a broken section header");
	return true;
}

/* The part of [section] and [section.subsection] up to its last letter: lower case, the first dot parts the two. */
static bool parse_section_name(struct reader *reader)
{
	for (;; (void)next(reader)) {
		int c = peek(reader);
		bool parts = c == '.' && !reader->has_subsection;
		if (!is_key_char(c) && c != '.')
			return true;
		if (parts)
			reader->section_len = reader->name_len;
		reader->has_subsection |= parts;
		if (!parts && !name_put(reader, lower(c)))
			return false;
	}
}

static bool parse_header_text(struct reader *reader)
{
	reader->name_len = reader->section_len = 0;
	reader->has_subsection = false;
	if (!parse_section_name(reader))
		return false;
	if (!reader->has_subsection)
		reader->section_len = reader->name_len;
	int c = next(reader);
	if (is_blank(c) && !reader->has_subsection) {
		reader->has_subsection = true;
		if (!parse_subsection(reader))
			return false;
	} else if (c != ']') {
		return fault(reader, "has a broken section header");
	}
	if (reader->section_len == 0 || (reader->has_subsection && reader->name_len == reader->section_len))
		return fault(reader, "has an empty section name");
	reader->has_section = true;
	return true;
}

static bool parse_header(struct reader *reader)
{
	unsigned line = reader->line;
	bool good = parse_header_text(reader);
	if (!good)
		reader->fault.line = line;
	return good;
}

struct value {
	char *bytes;
	size_t len;
	size_t blanks; /* that count only if something follows */
	bool tab;      /* one of them is a tab */
	bool quoted;
};

static bool value_put(struct reader *reader, struct value *value, char c)
{
	if (value->len == GIT_CONFIG_VALUE_MAX)
		return fault(reader, "has a value that is too long");
	value->bytes[value->len++] = c;
	return true;
}

static bool value_flush_blanks(struct reader *reader, struct value *value)
{
	if (value->blanks > 0 && value->tab)
		return fault(reader, "has a tab inside a value");
	for (; value->blanks > 0; value->blanks--)
		if (!value_put(reader, value, ' '))
			return false;
	return true;
}

static bool value_escape(struct reader *reader, struct value *value)
{
	static const char escapes[][2] = {{'n', '\n'}, {'t', '\t'}, {'b', '\b'}, {'\\', '\\'}, {'"', '"'}};
	if (peek(reader) == CHAR_END)
		return fault(reader, "ends in a backslash");
	int c = next(reader);
	if (c == '\n')
		return true;
	for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++)
		if (escapes[i][0] == c)
			return value_put(reader, value, escapes[i][1]);
	return fault(reader, "has an unknown escape");
}

static void value_blank(struct value *value, int c)
{
	if (value->len == 0)
		return;
	value->blanks++;
	value->tab |= c == '\t';
}

/* One byte of a value that is neither its end nor a comment's start. */
static bool value_byte(struct reader *reader, struct value *value, int c)
{
	if (is_blank(c) && !value->quoted) {
		value_blank(value, c);
		return true;
	}
	if (!value_flush_blanks(reader, value))
		return false;
	value->tab = false;
	if (c == '\\')
		return value_escape(reader, value);
	if (c == '"') {
		value->quoted = !value->quoted;
		return true;
	}
	return value_put(reader, value, (char)c);
}

/* Behind the '='. */
static bool parse_value(struct reader *reader, struct value *value)
{
	for (;;) {
		int c = peek(reader);
		bool end = c == '\n' || c == CHAR_END;
		if (end && value->quoted)
			return fault(reader, "has a quote that is not closed");
		if (end || (!value->quoted && (c == '#' || c == ';'))) {
			skip_line(reader);
			return true;
		}
		(void)next(reader);
		if (!value_byte(reader, value, c))
			return false;
	}
}

static bool tell(struct reader *reader, struct str key, const struct value *value, unsigned line)
{
	const struct git_config_entry entry = {
		.section = {reader->name, reader->section_len},
		.subsection = {reader->name + reader->section_len, reader->name_len - reader->section_len},
		.key = key,
		.value = {value == NULL ? "" : value->bytes, value == NULL ? 0 : value->len},
		.has_subsection = reader->has_subsection,
		.has_value = value != NULL,
		.line = line,
	};
	if (reader->visit(reader->ctx, &entry))
		return true;
	reader->fault = (struct git_config_fault){.line = line, .what = NULL};
	return false;
}

static bool parse_key(struct reader *reader)
{
	char key[GIT_CONFIG_NAME_MAX], bytes[GIT_CONFIG_VALUE_MAX];
	size_t len = 0;
	unsigned line = reader->line;
	if (!reader->has_section)
		return fault(reader, "has a key before the first section");
	for (; is_key_char(peek(reader)); key[len++] = lower(next(reader)))
		if (len == sizeof key)
			return fault(reader, "has a name that is too long");
	while (is_blank(peek(reader)))
		(void)next(reader);
	int c = peek(reader);
	if (c == '\n' || c == CHAR_END)
		return tell(reader, (struct str){key, len}, NULL, line);
	if (c != '=')
		return fault(reader, "has a key without '='");
	(void)next(reader);
	struct value value = {.bytes = bytes};
	return parse_value(reader, &value) && tell(reader, (struct str){key, len}, &value, line);
}

static bool parse_one(struct reader *reader)
{
	int c = peek(reader);
	if (is_alpha(c))
		return parse_key(reader);
	if (c == '#' || c == ';') {
		skip_line(reader);
		return true;
	}
	(void)next(reader);
	if (c == '[')
		return parse_header(reader);
	if (c == '\n' || is_blank(c))
		return true;
	return fault(reader, "is not git configuration");
}

bool git_config_parse(struct span content, git_config_visit visit, void *ctx, struct git_config_fault *ret_fault)
{
	static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
	struct reader reader = {.rest = content, .line = 1, .visit = visit, .ctx = ctx};
	if (content.len >= sizeof mark && memcmp(content.ptr, mark, sizeof mark) == 0) {
		reader.rest.ptr += sizeof mark;
		reader.rest.len -= sizeof mark;
	}
	bool good = bytes_are_plain(&reader);
	while (good && reader.rest.len > 0)
		good = parse_one(&reader);
	if (!good && ret_fault != NULL)
		*ret_fault = reader.fault;
	return good;
}
