#include "format/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "format/utf8.h"

/* Texts quote what a stranger may have written: nothing in them moves a cursor, and none ends within a character. */
static void make_harmless(char *text)
{
	struct str rest = str_from(text);
	char *to = text;
	while (rest.len > 0) {
		size_t len = utf8_length(rest);
		bool shown = len > 0 && !utf8_is_control(rest, len);
		for (size_t i = 0; shown && i < len; i++)
			*to++ = rest.ptr[i];
		if (!shown)
			*to++ = '?';
		len = len > 0 ? len : 1;
		rest = (struct str){rest.ptr + len, rest.len - len};
	}
	*to = '\0';
}

/* The document may be gone when the problem is shown. */
static void put_file(struct problem *problem, const char *file)
{
	size_t len = file != NULL ? strlen(file) : 0, room = sizeof problem->file - 1;
	if (len > 0)
		memcpy(problem->file, file + (len > room ? len - room : 0), (len > room ? room : len) + 1);
	make_harmless(problem->file);
}

void problem_add(struct problems *problems, const struct place *at, const char *format, ...)
{
	if (problems == NULL)
		return;
	problems->more |= problems->count == PROBLEMS_MAX;
	if (problems->more)
		return;
	struct problem *problem = &problems->items[problems->count++];
	*problem = (struct problem){.line = at->line, .column = at->column};
	put_file(problem, at->file);
	va_list args;
	va_start(args, format);
	(void)vsnprintf(problem->text, sizeof problem->text, format, args);
	va_end(args);
	make_harmless(problem->text);
}

void problem_hint(struct problems *problems, const char *format, ...)
{
	if (problems == NULL || problems->count == 0 || problems->more)
		return;
	struct problem *problem = &problems->items[problems->count - 1];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(problem->hint, sizeof problem->hint, format, args);
	va_end(args);
	make_harmless(problem->hint);
}

/* "FILE:LINE:COLUMN", or as much of it as is known. */
static void put_place(const struct problem *problem, struct buf *out)
{
	buf_puts(out, problem->file[0] != '\0' ? problem->file : "policy");
	if (problem->line > 0)
		buf_printf(out, ":%u", (unsigned)problem->line);
	if (problem->line > 0 && problem->column > 0)
		buf_printf(out, ":%u", (unsigned)problem->column);
}

void problems_print(const struct problems *problems, struct buf *out)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->items[i];
		put_place(problem, out);
		buf_printf(out, ": %s\n", problem->text);
		if (problem->hint[0] != '\0')
			buf_printf(out, "  try: %s\n", problem->hint);
	}
	if (problems->more)
		buf_puts(out, "and more\n");
}

enum berm_code problems_check(const struct problems *problems, struct berm_err *err)
{
	if (problems->count == 0)
		return BERM_OK;
	const struct problem *first = &problems->items[0];
	const char *file = first->file[0] != '\0' ? first->file : "policy";
	if (first->line == 0)
		return err_set(err, BERM_ERR_PARSE, "%s: %s", file, first->text);
	return err_set(err, BERM_ERR_PARSE, "%s:%u:%u: %s", file, (unsigned)first->line, (unsigned)first->column,
		       first->text);
}
