/* UTF-8 (RFC 3629) in bytes that may be anything. */
#ifndef BERM_FORMAT_UTF8_H
#define BERM_FORMAT_UTF8_H

#include "base/str.h"

/* Bytes of the character that text starts with, 1 to 4; 0 if it starts with none (or is empty). */
size_t utf8_length(struct str text);
/* Is the character of that length one that commands a terminal (C0, DEL, C1)? */
bool utf8_is_control(struct str text, size_t len);
/* Writes the character, 1 to 4 bytes; returns what is behind it. c is at most 0x10ffff and no surrogate. */
char *utf8_put(char *to, uint32_t c);

#endif
