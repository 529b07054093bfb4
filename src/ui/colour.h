/*
 * Colour for text on a terminal: a handful of meanings, not a palette. Whether there is colour at all is decided once
 * by the caller and passed on.
 */
#ifndef BERM_UI_COLOUR_H
#define BERM_UI_COLOUR_H

#include "base/buf.h"

enum colour { COLOUR_PLAIN = 0, COLOUR_STRONG, COLOUR_FAINT, COLOUR_GOOD, COLOUR_WEAK, COLOUR_BAD };

/* no_color and term: the values of NO_COLOR and TERM, or NULL. NO_COLOR counts if it is not empty (no-color.org). */
bool colour_wanted(bool is_terminal, const char *no_color, const char *term);
/* What is appended between the two is in the colour, if on. */
void colour_start(struct buf *out, bool on, enum colour colour);
void colour_stop(struct buf *out, bool on, enum colour colour);

#endif
