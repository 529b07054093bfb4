/* "berm why" without a question, inside a sandbox: what it was denied, as the file that BERM_DENIALS names has it. */
#ifndef BERM_CLI_WHY_DENIALS_H
#define BERM_CLI_WHY_DENIALS_H

#include "base/buf.h"

/* Does the environment name a file of denials? */
bool why_denials_are_told(void);
/* The file's text; nothing if there is none yet. Errors: SYS, LIMIT, INVALID (no regular file). */
MUST_USE enum berm_code why_denials_read(struct buf *out, struct berm_err *err);
/* Prints them, newest last; json: the lines as they are. Returns the exit status: EXIT_YES if there are none, EXIT_NO if
 * something was denied, EXIT_REFUSED. */
int why_denials(bool json);

#endif
