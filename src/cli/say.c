#include "cli/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/env.h"
#include "cli/commands.h"
#include "os/fd.h"
#include "ui/colour.h"
#include "ui/text.h"

enum { WIDTH_ELSEWHERE = 100, WIDTH_LEAST = 20, LINE_MAX_BYTES = 8192 };

struct say_screen say_screen(int fd)
{
	struct winsize size = {0};
	bool is_terminal = isatty(fd) == 1;
	struct say_screen screen = {.width = WIDTH_ELSEWHERE};
	if (is_terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		screen.width = size.ws_col < WIDTH_LEAST ? WIDTH_LEAST : size.ws_col;
	screen.table_width = is_terminal ? screen.width : SIZE_MAX;
	const char *const *envp = (const char *const *)environ;
	screen.colour = colour_wanted(is_terminal, env_get(envp, "NO_COLOR"), env_get(envp, "TERM"));
	return screen;
}

int say_result(const struct buf *text)
{
	struct berm_err err;
	if (buf_check(text, &err) != BERM_OK)
		return say_failure(&err, "", EXIT_REFUSED);
	if (text->len > 0 && fd_write_full(STDOUT_FILENO, text->data, text->len) < 0) {
		(void)err_sys(&err, "write to standard output");
		return say_failure(&err, "", EXIT_REFUSED);
	}
	return 0;
}

/* Whoever closed stderr does not want to hear. */
static void say_to_stderr(const struct buf *text)
{
	if (buf_check(text, NULL) == BERM_OK && fd_write_full(STDERR_FILENO, text->data, text->len) < 0)
		return;
}

int say_failure(const struct berm_err *err, const char *hint, int status)
{
	auto_buf struct buf text;
	buf_init(&text, LINE_MAX_BYTES);
	buf_puts(&text, "berm: ");
	text_put_safe(&text, str_from(err->msg));
	buf_putc(&text, '\n');
	if (hint[0] != '\0') {
		buf_puts(&text, "try: ");
		text_put_safe(&text, str_from(hint));
		buf_putc(&text, '\n');
	}
	say_to_stderr(&text);
	return status;
}

int say_problems(const struct problems *problems, const struct berm_err *err, int status)
{
	bool whole = err->code != BERM_ERR_NOMEM && err->code != BERM_ERR_SYS && err->code != BERM_ERR_LIMIT;
	if (problems == NULL || problems->count == 0)
		return say_failure(err, "", status);
	auto_buf struct buf text;
	buf_init(&text, SAY_MAX);
	buf_puts(&text, "berm: ");
	problems_print(problems, &text);
	say_to_stderr(&text);
	return whole ? status : say_failure(err, "", status);
}

void say_line(const char *format, ...)
{
	char line[LINE_MAX_BYTES / 2];
	auto_buf struct buf text;
	va_list args;
	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	buf_init(&text, LINE_MAX_BYTES);
	buf_puts(&text, "berm: ");
	text_put_safe(&text, str_from(line));
	buf_putc(&text, '\n');
	say_to_stderr(&text);
}

void say_text(const struct buf *text)
{
	auto_buf struct buf line;
	buf_init(&line, SAY_MAX);
	if (buf_check(text, NULL) != BERM_OK || text->len == 0)
		return;
	buf_puts(&line, "berm: ");
	buf_put_str(&line, buf_str(text));
	buf_putc(&line, '\n');
	say_to_stderr(&line);
}
