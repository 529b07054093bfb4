#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 128

void buf_init(struct buf *buf, size_t max_bytes)
{
	*buf = (struct buf){.max = max_bytes};
}

void buf_done(struct buf *buf)
{
	free(buf->data);
	buf_init(buf, buf->max);
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
	buf->no_memory = false;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

/* Makes room for len more bytes and the NUL behind them. */
static bool reserve(struct buf *buf, size_t len)
{
	if (buf->failed)
		return false;
	size_t end, size;
	if (!size_add(buf->len, len, &end) || end > buf->max || !size_add(end, 1, &size)) {
		buf->failed = true;
		return false;
	}
	if (size <= buf->cap)
		return true;
	size_t cap = buf->cap > 0 ? buf->cap : FIRST_SIZE;
	while (cap < size) {
		if (!size_mul(cap, 2, &cap))
			cap = size;
	}
	char *data = realloc(buf->data, cap);
	if (data == NULL) {
		buf->failed = buf->no_memory = true;
		return false;
	}
	buf->data = data;
	buf->cap = cap;
	return true;
}

void buf_put(struct buf *buf, const void *bytes, size_t len)
{
	if (!reserve(buf, len))
		return;
	if (len > 0)
		memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_put_str(struct buf *buf, struct str text)
{
	buf_put(buf, text.ptr, text.len);
}

void buf_puts(struct buf *buf, const char *text)
{
	buf_put(buf, text, strlen(text));
}

void buf_putc(struct buf *buf, char byte)
{
	buf_put(buf, &byte, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		buf->failed = true;
	else if (reserve(buf, (size_t)len)) {
		(void)vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
		buf->len += (size_t)len;
	}
	va_end(again);
}

enum berm_code buf_check(const struct buf *buf, struct berm_err *err)
{
	if (buf->no_memory)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	if (buf->failed)
		return err_set(err, BERM_ERR_LIMIT, "text is longer than %zu bytes", buf->max);
	return BERM_OK;
}

struct str buf_str(const struct buf *buf)
{
	return buf->data != NULL ? (struct str){buf->data, buf->len} : STR("");
}

char *buf_take(struct buf *buf)
{
	buf_put(buf, "", 0); /* an empty text is a string as well */
	if (buf->failed)
		return NULL;
	char *text = buf->data;
	buf_init(buf, buf->max);
	return text;
}
