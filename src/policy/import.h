/*
 * Policies of other sandboxes and agents as policies of berm: the same or narrower, never wider in silence. What has no equal
 * is told line by line; what closed something there and closes nothing here is marked, and so is what is wider here.
 * Pure: bytes in, a document out. docs/import.md has the tables.
 */
#ifndef BERM_POLICY_IMPORT_H
#define BERM_POLICY_IMPORT_H

#include "base/arena.h"
#include "format/problem.h"
#include "policy/doc.h"

enum import_kind {
	IMPORT_UNKNOWN = 0, /* is to be seen from the content */
	IMPORT_SRT,
	IMPORT_LANDRUN,
	IMPORT_CLAUDE,
	IMPORT_LANDLOCK,
	IMPORT_NONO,
	IMPORT_OPENSHELL,
	IMPORT_KINDS
};

enum { IMPORT_MAX_LINES = 20000, IMPORT_MAX_MEMORY = 64 * 1024 * 1024 };

/* A line of the source without an equal. */
struct import_left {
	uint32_t line, column; /* 0: none, it is a flag or something that is not written */
	bool narrows;	       /* it closed something there, and the result does not; or the result is wider */
	const char *what, *why;
};
struct imported {
	enum import_kind kind;
	const char *file; /* of the source, as it is to be shown */
	struct policy_doc doc;
	const struct import_left *lefts;
	size_t left_count, narrows;
};

struct import_from {
	enum import_kind kind;
	const char *file; /* as it is to be shown; borrowed */
};

/* "srt", "landrun", "claude", "landlockconfig", "nono", "openshell"; NULL-terminated, in the order of the enum, without UNKNOWN. */
extern const char *const import_names[];
/* UNKNOWN: there is none of that name. */
enum import_kind import_find(const char *name);

/* Everything of *ret_imported lives in arena. Errors: PARSE (see problems), INVALID (a kind that cannot be seen from the
 * content), LIMIT, NOMEM. */
MUST_USE enum berm_code import_text(struct arena *arena, struct import_from from, struct str text,
				    struct imported *ret_imported, struct problems *problems, struct berm_err *err);
/* From flags of landrun, NULL-terminated. */
MUST_USE enum berm_code import_flags(struct arena *arena, const char *const *argv, struct imported *ret_imported,
				     struct berm_err *err);
/* The policy file: what is left as comments, then the lines. It has been loaded back. Errors: LIMIT, NOMEM, PARSE (it
 * could not be loaded: a defect, nothing is to be written). */
MUST_USE enum berm_code import_put(const struct imported *imported, struct buf *out, struct berm_err *err);

#endif
