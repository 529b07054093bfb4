/*
 * Text for terminals: how wide it is, and where a line ends. What is not printable (control bytes, bytes that are not
 * UTF-8) is shown as '?', so that a path cannot command the terminal. Every code point counts as one column.
 */
#ifndef BERM_UI_TEXT_H
#define BERM_UI_TEXT_H

#include "base/buf.h"

/* Columns that the text takes. */
size_t text_width(struct str text);
/* Takes the part of *rest off that fits into width columns (at least 1), broken at a space where there is one and in the
 * middle of a word where there is none; spaces around the break are dropped. False when nothing is left. */
bool text_next_line(struct str *rest, size_t width, struct str *ret_line);
/* Appends the text with what is not printable as '?'. */
void text_put_safe(struct buf *out, struct str text);
/* Appends the text wrapped to width columns, each line but the first indented. width includes the indent; the caller
 * has put the first line's indent already. No newline at the end. */
void text_put_wrapped(struct buf *out, struct str text, size_t indent, size_t width);
void text_put_spaces(struct buf *out, size_t count);

#endif
