/*
 * Puts lines into a policy file that a person wrote, without touching what stands there: comments, order and form stay.
 * Pure. The result is read back, and is given out only if it says what it said, and the new lines.
 */
#ifndef BERM_POLICY_POLICY_INSERT_H
#define BERM_POLICY_POLICY_INSERT_H

#include "base/buf.h"
#include "policy/doc.h"

/* text: the file as it is, YAML or JSON; may be empty. lines: of lists ("filesystem.read") alone. Appends the new text to
 * out. Errors: PARSE (the file is no policy), UNSUPPORTED (a form into which nothing can be put), LIMIT, NOMEM. */
MUST_USE enum berm_code policy_insert(struct str text, const struct policy_doc *lines, struct buf *out,
				      struct berm_err *err);

#endif
