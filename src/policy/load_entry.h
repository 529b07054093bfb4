/* The part of the loader that reads what stands behind a key: scalars, lists, entries with attributes. */
#ifndef BERM_POLICY_LOAD_ENTRY_H
#define BERM_POLICY_LOAD_ENTRY_H

#include "base/arena.h"
#include "base/vec.h"
#include "format/node.h"
#include "policy/doc.h"

/* One file on its way to a document. */
struct load {
	struct arena *arena;
	enum policy_doc_kind kind;
	const char *file;
	struct problems *problems;
	struct berm_err *err;
	struct vec lines;    /* struct policy_line */
	struct vec attrs;    /* struct policy_attr, of the entry that is being read */
	enum berm_code code; /* PARSE after the first mistake */
};

/* A mistake of the file: told, and the loader goes on. */
void load_fault(struct load *load, const struct place *at, const char *format, ...) PRINTF_LIKE(3, 4);
/* Is what is told still kept? If not, a way out need not be looked for. */
bool load_is_heard(const struct load *load);
/* "expected WHAT, found ..." */
void load_expect(struct load *load, const struct node *node, const char *what);
/* Reads what stands behind the row's key. Errors: NOMEM, LIMIT; mistakes are in load. */
MUST_USE enum berm_code load_row(struct load *load, enum policy_key key, bool wanted, const struct node *node);

#endif
