/* What goes to a person: results on stdout, everything else on stderr, each in
 * one write, so that lines stay whole. */
#ifndef BERM_CLI_SAY_H
#define BERM_CLI_SAY_H

#include "base/buf.h"
#include "format/problem.h"

enum { SAY_MAX = 4 * 1024 * 1024 };

/* How wide text for a descriptor may be, and whether it gets colour. What is no terminal is read by programs: there, the
 * rows of a table are lines of any width. */
struct say_screen {
	size_t width, table_width;
	bool colour;
};
struct say_screen say_screen(int fd);

/* Writes a result to stdout. Returns the exit status: 0, or 125 if it could not
 * be made or written, which is told. */
int say_result(const struct buf *text);
/* "berm: TEXT" and, if hint is not empty, "try: HINT" on stderr. Returns
 * status. */
int say_failure(const struct berm_err *err, const char *hint, int status);
/* What is wrong with a policy, place by place, on stderr; where there is nothing of it (or problems is NULL), or where
 * it is not the whole story, what err says. Returns status. */
int say_problems(const struct problems *problems, const struct berm_err *err, int status);
/* "berm: TEXT" on stderr. */
void say_line(const char *format, ...) PRINTF_LIKE(1, 2);
/* The same for a text of several lines, which holds nothing unprintable; nothing if it is not whole. */
void say_text(const struct buf *text);

#endif
