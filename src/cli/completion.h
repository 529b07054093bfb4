/* Completions for three shells, made from the command and option tables. Pure:
 * text into a buffer. */
#ifndef BERM_CLI_COMPLETION_H
#define BERM_CLI_COMPLETION_H

#include "base/buf.h"

void completion_bash(struct buf *out);
void completion_zsh(struct buf *out);
void completion_fish(struct buf *out);

#endif
