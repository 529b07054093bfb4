/*
 * What is wrong with a text that a person wrote: several places at once, each with line, column and a way out. A reader
 * collects them and goes on where it can; nothing here prints.
 */
#ifndef BERM_FORMAT_PROBLEM_H
#define BERM_FORMAT_PROBLEM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { PROBLEMS_MAX = 20 };

struct problem {
	char file[256];	       /* as it is to be shown, its end if it is longer; "": not known */
	uint32_t line, column; /* from 1; 0: the file as a whole */
	char text[240];	       /* lower case, no full stop, subject in quotes */
	char hint[160];	       /* what to try; "" if nothing */
};
/* Starts as {0}. */
struct problems {
	size_t count;
	bool more; /* than fit */
	struct problem items[PROBLEMS_MAX];
};

/* Where something stands. */
struct place {
	const char *file; /* borrowed */
	uint32_t line, column;
};

/* Keeps one. problems may be NULL. */
void problem_add(struct problems *problems, const struct place *at, const char *format, ...) PRINTF_LIKE(3, 4);
/* The way out of the one added last. */
void problem_hint(struct problems *problems, const char *format, ...) PRINTF_LIKE(2, 3);
/* "FILE:LINE:COLUMN: TEXT" and, if there is a hint, a line "  try: HINT" for each. */
void problems_print(const struct problems *problems, struct buf *out);
/* PARSE with the first one's words if there is any, else OK. */
MUST_USE enum berm_code problems_check(const struct problems *problems, struct berm_err *err);

#endif
