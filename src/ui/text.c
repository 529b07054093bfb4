#include "ui/text.h"

struct range {
	uint32_t first, last;
};

/* Code points that are shown as '?': controls (C0, DEL, C1), surrogates, and what makes text run the other way, so that
 * a line reads as something else. */
static const struct range unprintable[] = {
	{0x00, 0x1f}, {0x7f, 0x9f}, {0x202a, 0x202e}, {0x2066, 0x2069}, {0xd800, 0xdfff},
};

/* How UTF-8 sequences begin: the bits that are fixed, their value, the length, and the least that needs it. */
static const struct {
	unsigned char mask, value;
	size_t len;
	uint32_t least;
} forms[] = {
	{0x80, 0x00, 1, 0},
	{0xe0, 0xc0, 2, 0x80},
	{0xf0, 0xe0, 3, 0x800},
	{0xf8, 0xf0, 4, 0x10000},
};

static bool is_printable(uint32_t point)
{
	for (size_t i = 0; i < sizeof(unprintable) / sizeof(unprintable[0]); i++) {
		if (point >= unprintable[i].first && point <= unprintable[i].last)
			return false;
	}
	return point <= 0x10ffff;
}

/* The code point of len bytes, or UINT32_MAX if they do not follow the first. */
static uint32_t decode(const unsigned char *bytes, size_t len, unsigned char mask)
{
	uint32_t point = bytes[0] & (unsigned char)~mask;
	for (size_t i = 1; i < len; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return UINT32_MAX;
		point = point << 6 | (bytes[i] & 0x3f);
	}
	return point;
}

/* Length of the UTF-8 sequence at the start of text (not empty), 0 if there is no valid printable one. */
static size_t sequence_len(struct str text)
{
	const unsigned char *bytes = (const unsigned char *)text.ptr;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if ((bytes[0] & forms[i].mask) != forms[i].value || text.len < forms[i].len)
			continue;
		uint32_t point = decode(bytes, forms[i].len, forms[i].mask);
		return point >= forms[i].least && is_printable(point) ? forms[i].len : 0;
	}
	return 0;
}

/* Bytes that take one column: a valid sequence, or one bad byte shown as '?'. */
static size_t column_len(struct str text)
{
	size_t len = sequence_len(text);
	return len > 0 ? len : 1;
}

static struct str after(struct str text, size_t len)
{
	return (struct str){text.ptr + len, text.len - len};
}

size_t text_width(struct str text)
{
	size_t width = 0;
	for (; text.len > 0; text = after(text, column_len(text)))
		width++;
	return width;
}

static struct str skip_spaces(struct str text)
{
	while (text.len > 0 && text.ptr[0] == ' ')
		text = after(text, 1);
	return text;
}

bool text_next_line(struct str *rest, size_t width, struct str *ret_line)
{
	struct str text = skip_spaces(*rest);
	if (text.len == 0) {
		*rest = text;
		return false;
	}
	size_t used = 0, columns = 0, at_space = 0;
	for (; used < text.len && columns < width; columns++) {
		if (text.ptr[used] == ' ')
			at_space = used;
		used += column_len(after(text, used));
	}
	bool whole = used == text.len || text.ptr[used] == ' ';
	size_t len = whole || at_space == 0 ? used : at_space;
	*rest = skip_spaces(after(text, len));
	while (len > 0 && text.ptr[len - 1] == ' ')
		len--;
	*ret_line = (struct str){text.ptr, len};
	return true;
}

void text_put(struct buf *out, struct str text)
{
	while (text.len > 0) {
		size_t len = sequence_len(text);
		if (len > 0)
			buf_put(out, text.ptr, len);
		else
			buf_putc(out, '?');
		text = after(text, len > 0 ? len : 1);
	}
}

void text_put_spaces(struct buf *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buf_putc(out, ' ');
}

void text_put_wrapped(struct buf *out, struct str text, size_t indent, size_t width)
{
	size_t room = width > indent ? width - indent : 1;
	struct str line;
	for (bool first = true; text_next_line(&text, room, &line); first = false) {
		if (!first) {
			buf_putc(out, '\n');
			text_put_spaces(out, indent);
		}
		text_put(out, line);
	}
}
