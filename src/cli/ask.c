#include "cli/ask.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "os/fd.h"

enum { MAX_ANSWER = 64, MAX_QUESTION = 1024 };

/* What else was typed is no part of the answer, and nobody's. */
static bool read_line(char *ret_line, size_t size)
{
	size_t len = 0;
	for (;;) {
		char byte;
		ssize_t got = read(STDIN_FILENO, &byte, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || byte == '\n')
			break;
		if (len + 1 < size)
			ret_line[len++] = byte;
		else
			len = size; /* too long to be a yes */
	}
	ret_line[len < size ? len : 0] = '\0';
	return len > 0 && len < size;
}

enum ask_answer ask_yes(const char *question)
{
	char line[MAX_ANSWER];
	if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1)
		return ASK_NOBODY;
	auto_buf struct buf text;
	buf_init(&text, MAX_QUESTION);
	buf_printf(&text, "berm: %s [y/n] ", question);
	if (buf_check(&text, NULL) != BERM_OK || fd_write_full(STDERR_FILENO, text.data, text.len) < 0)
		return ASK_NOBODY;
	if (!read_line(line, sizeof(line)))
		return ASK_NO;
	return strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0 ? ASK_YES : ASK_NO;
}
