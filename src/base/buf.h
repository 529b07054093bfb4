/*
 * A growable byte buffer with a maximum that is given when it is made. Appends that fail leave a mark (failed), so a
 * printer checks once at its end; nothing is appended after a failure. Always NUL-terminated behind its last byte, once
 * anything was put in.
 */
#ifndef BERM_BASE_BUF_H
#define BERM_BASE_BUF_H

#include "base/str.h"

struct buf {
	char *data;
	size_t len, cap, max;
	bool failed;	/* an append did not fit or memory was out: the content is not whole */
	bool no_memory; /* it was memory */
};

void buf_init(struct buf *buf, size_t max_bytes);
void buf_done(struct buf *buf); /* releases the memory; the buffer is empty, with the same maximum */
void buf_clear(struct buf *buf);
void buf_put(struct buf *buf, const void *bytes, size_t len);
void buf_put_str(struct buf *buf, struct str text);
void buf_puts(struct buf *buf, const char *text);
void buf_putc(struct buf *buf, char byte);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
/* LIMIT or NOMEM if any append failed since buf_init or buf_clear. */
MUST_USE enum berm_code buf_check(const struct buf *buf, struct berm_err *err);
struct str buf_str(const struct buf *buf); /* borrowed, until the next append */
/* The content as a heap string that the caller frees; the buffer is empty afterwards. NULL if failed. */
char *buf_take(struct buf *buf);

#define auto_buf __attribute__((cleanup(buf_done)))

#endif
