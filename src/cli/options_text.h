/* The texts that are made from an option table: the list in --help and the option part of a man page. */
#ifndef BERM_CLI_OPTIONS_TEXT_H
#define BERM_CLI_OPTIONS_TEXT_H

#include "base/buf.h"
#include "cli/options.h"

/* "  -r, --read PATH   read files ...", a line or more each, wrapped to width. */
/* What says what the policy is stands below a title of its own. */
void options_text_help(const struct option_set *set, size_t width, bool colour, struct buf *out);
/* A ".Bl -tag" list in mdoc(7); of the policy's rows only a sentence. */
void options_text_mdoc(const struct option_set *set, struct buf *out);
/* A text in mdoc(7) as a sentence: its first letter large, with a full stop. */
void options_text_mdoc_sentence(const char *text, struct buf *out);

#endif
