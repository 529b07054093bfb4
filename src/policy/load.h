/* From the text of a policy file to a document: every key, type and word is looked at; several mistakes are told at once. */
#ifndef BERM_POLICY_LOAD_H
#define BERM_POLICY_LOAD_H

#include "base/arena.h"
#include "format/node.h"
#include "policy/doc.h"

struct policy_from {
	enum policy_doc_kind kind;
	const char *file; /* as it is to be shown; copied */
};

/* Everything of the document lives in arena. Errors: PARSE (see problems; nothing of the file counts), LIMIT, NOMEM. */
MUST_USE enum berm_code policy_load(struct arena *arena, struct policy_from from, struct str text,
				    const struct policy_doc **ret_doc, struct problems *problems, struct berm_err *err);
/* The same from a tree that is there already, and lives as long as the document. */
MUST_USE enum berm_code policy_load_node(struct arena *arena, struct policy_from from, const struct node *root,
					 const struct policy_doc **ret_doc, struct problems *problems,
					 struct berm_err *err);
/* Is text a value of this kind? If not, a reason ("not a size: ..."), for flags and other places that are no file. */
MUST_USE enum berm_code policy_check_value(enum policy_value value, const char *const *words, struct str text,
					   struct berm_err *err);
/* The JSON Schema (2020-12) of policy files, and the reference page (Markdown). */
void policy_schema_print(struct buf *out);
void policy_reference_print(struct buf *out);

#endif
