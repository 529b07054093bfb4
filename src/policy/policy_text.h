/* Policy lines as YAML that policy_load reads back: for import, learn, accept, profile new. */
#ifndef BERM_POLICY_POLICY_TEXT_H
#define BERM_POLICY_POLICY_TEXT_H

#include "base/buf.h"
#include "policy/doc.h"

/* Appends the document: berm: 1, name, about, extends and groups first, then sections in the order of the table, one
 * entry a line, an entry's ATTR_WHY as a comment behind it if comments is set, texts quoted where YAML needs it. */
void policy_text_put(const struct policy_doc *doc, bool comments, struct buf *out);
/* One scalar, quoted if it needs to be. */
void policy_text_scalar(const char *text, struct buf *out);

#endif
