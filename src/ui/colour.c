#include "ui/colour.h"

#include <string.h>

static const char *const codes[] = {
	[COLOUR_PLAIN] = "",	    [COLOUR_STRONG] = "\x1b[1m", [COLOUR_FAINT] = "\x1b[2m",
	[COLOUR_GOOD] = "\x1b[32m", [COLOUR_WEAK] = "\x1b[33m",	 [COLOUR_BAD] = "\x1b[31m",
};

bool colour_wanted(bool is_terminal, const char *no_color, const char *term)
{
	if (!is_terminal || (no_color != NULL && no_color[0] != '\0'))
		return false;
	return term != NULL && strcmp(term, "dumb") != 0;
}

void colour_start(struct buf *out, bool on, enum colour colour)
{
	if (on)
		buf_puts(out, codes[colour]);
}

void colour_stop(struct buf *out, bool on, enum colour colour)
{
	if (on && colour != COLOUR_PLAIN)
		buf_puts(out, "\x1b[0m");
}
