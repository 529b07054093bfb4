#include "egress/flow.h"
#include "format/http1.h"

enum { WORD_MAX = 256 }; /* bytes of what could be a method */

static bool is_gap(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct str skip_gaps(struct str text)
{
	while (text.len > 0 && is_gap(text.ptr[0]))
		text = str_skip(text, 1);
	return text;
}

/* Up to the end of a line, whichever it is; *ret_ends: there is one. */
static struct str first_line(struct str text, bool *ret_ends)
{
	size_t len = 0;
	while (len < text.len && text.ptr[len] != '\n' && text.ptr[len] != '\r')
		len++;
	*ret_ends = len < text.len;
	return (struct str){text.ptr, len};
}

/* "HTTP/" in any case, behind a gap. */
static bool names_version(struct str line)
{
	const struct str wanted = STR("HTTP/");
	for (size_t i = 1; i + wanted.len <= line.len; i++) {
		struct str there = {line.ptr + i, wanted.len};
		if (is_gap(line.ptr[i - 1]) && str_eq_nocase(there, wanted))
			return true;
	}
	return false;
}

/* A request of HTTP/0.9, which has no version: "GET /". */
static bool is_simple(struct str word, struct str rest)
{
	return str_eq_nocase(word, STR("GET")) && rest.len > 0 && rest.ptr[0] == '/';
}

/* What a server might take for a method; a line of it without a gap is none. */
static bool is_word(struct str word)
{
	for (size_t i = 0; i < word.len; i++) {
		unsigned char c = (unsigned char)word.ptr[i];
		if (c < '!' || c > '~')
			return false;
	}
	return word.len > 0 && word.len <= WORD_MAX;
}

int http_flow_looks(struct str first)
{
	bool ends = false;
	struct str text = skip_gaps(first), line = first_line(text, &ends);
	bool too_long = first.len >= HTTP1_HEAD_MAX; /* http_flow.c refuses it */
	struct str word = {line.ptr, 0};
	while (word.len < line.len && !is_gap(line.ptr[word.len]))
		word.len++;
	if (text.len == 0)
		return too_long ? 1 : -1;
	if (!is_word(word))
		return 0;
	struct str rest = skip_gaps(str_skip(line, word.len));
	if (names_version(line) || too_long)
		return 1;
	if (!ends)
		return -1;
	return is_simple(word, rest) ? 1 : 0;
}
