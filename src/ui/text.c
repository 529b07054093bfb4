#include "ui/text.h"

#include "format/utf8.h"

/* Characters that make text run the other way (U+202A to E, U+2066 to 9), so that a line reads as something else. */
static bool turns_text(struct str text, size_t len)
{
	if (len != 3 || text.ptr[0] != '\xe2')
		return false;
	unsigned char second = (unsigned char)text.ptr[1], third = (unsigned char)text.ptr[2];
	return (second == 0x80 && third >= 0xaa && third <= 0xae) || (second == 0x81 && third >= 0xa6 && third <= 0xa9);
}

/* Length of the character at the start of text (not empty), 0 if there is no valid printable one. */
static size_t sequence_len(struct str text)
{
	size_t len = utf8_length(text);
	return len == 0 || utf8_is_control(text, len) || turns_text(text, len) ? 0 : len;
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

void text_put_safe(struct buf *out, struct str text)
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
		text_put_safe(out, line);
	}
}
