/* Policy files of the user's own, written for them: made anew, or with lines put in. */
#ifndef BERM_SESSION_USER_FILE_H
#define BERM_SESSION_USER_FILE_H

#include "base/buf.h"
#include "policy/doc.h"

/* Makes a file that is not there, and the folders around it, for the user alone. Errors: INVALID (it is there), SYS. */
MUST_USE enum berm_code user_file_new(const char *path, struct str text, struct berm_err *err);
/* Puts lines into a policy file, which is made if it is not there; what stands in it stays as it is. Errors: those of
 * policy_insert and of reading and writing policy files. */
MUST_USE enum berm_code user_file_insert(const char *path, const struct policy_doc *lines, struct berm_err *err);

#endif
