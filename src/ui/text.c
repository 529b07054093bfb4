#include "ui/text.h"

/* Length of the UTF-8 sequence at the start of text (not empty), 0 if there is no valid printable one. */
static size_t sequence_len(struct str text)
{
	const unsigned char *byte = (const unsigned char *)text.ptr;
	if (byte[0] < 0x80)
		return byte[0] >= 0x20 && byte[0] != 0x7f ? 1 : 0;
	size_t len = byte[0] >= 0xf0 ? 4 : byte[0] >= 0xe0 ? 3 : 2;
	if (byte[0] < 0xc2 || byte[0] > 0xf4 || text.len < len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Overlong forms, surrogates, beyond U+10FFFF; C1 controls; bidirectional overrides change what a line says. */
	if ((byte[0] == 0xe0 && byte[1] < 0xa0) || (byte[0] == 0xed && byte[1] > 0x9f) ||
	    (byte[0] == 0xf0 && byte[1] < 0x90) || (byte[0] == 0xf4 && byte[1] > 0x8f))
		return 0;
	if (byte[0] == 0xc2 && byte[1] < 0xa0)
		return 0;
	if (byte[0] == 0xe2 && ((byte[1] == 0x80 && byte[2] >= 0xaa && byte[2] <= 0xae) ||
				(byte[1] == 0x81 && byte[2] >= 0xa6 && byte[2] <= 0xa9)))
		return 0;
	return len;
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
