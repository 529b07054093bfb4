/*
 * A terminal between a program and the real one: what a terminal shows after a question was drawn and taken away is what it
 * would show without, cell by cell, with cursor and pen. The real terminal is the test's own pseudo terminal, whose other side is
 * read into an emulator.
 */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <vterm.h>

#include "base/own.h"
#include "os/fd.h"
#include "session/pty.h"

enum { ROWS = 12, COLUMNS = 40, TURN_MS = 20, SHORTLY_MS = 60, DEADLINE_MS = 8000, TEXT_MAX = 1 << 20 };

/* ---- berm's side: a process that leads a session on the terminal ----------------------------------------------------- */

static struct pty *pty;
static char keys[64];
static bool is_ready;

static void draw(void *ctx, const struct pty_size *size, struct buf *out)
{
	(void)ctx;
	buf_printf(out, "question (%d x %d)\nanswer: %s", size->columns, size->rows, is_ready ? "[o]nce" : "...");
}

static void on_ready(void *ctx)
{
	(void)ctx;
	is_ready = true;
	pty_redraw(pty);
}

static void on_key(void *ctx, uint32_t key)
{
	(void)ctx;
	size_t len = strlen(keys);
	if (len + 1 < sizeof keys)
		keys[len] = (char)key;
	if (key == 'o')
		pty_undraw(pty);
}

static void turn(struct ev_loop *loop, int64_t for_ms)
{
	int64_t end_ms = ev_now_ms() + for_ms;
	while (ev_now_ms() < end_ms)
		if (ev_turn(loop, TURN_MS, NULL) != BERM_OK)
			_exit(2);
}

/* What the program writes is given in three parts: before, while the question is there, and after. */
struct story {
	const char *before, *meanwhile, *after;
	const char *typed; /* once keys are taken; ends with "o" */
	const char *typed_early;
	const char *keys;    /* that the question got */
	const char *command; /* and what the program got */
	const char *term;
	bool one_screen;
};

static void program_writes(const char *text)
{
	if (text != NULL && fd_write_full(pty_command_fd(pty), text, strlen(text)) < 0)
		_exit(3);
}

static bool program_reads(const char *wanted)
{
	char seen[64] = "";
	size_t have = 0;
	struct pollfd one = {.fd = pty_command_fd(pty), .events = POLLIN};
	while (have < strlen(wanted) && poll(&one, 1, DEADLINE_MS) == 1) {
		ssize_t n = read(one.fd, seen + have, sizeof seen - 1 - have);
		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	return strcmp(seen, wanted) == 0 && poll(&one, 1, 0) == 0;
}

static _Noreturn void berm(const char *name, const struct story *story)
{
	const struct pty_drawer drawer = {.draw = draw, .ready = on_ready, .key = on_key};
	struct ev_loop loop;
	struct termios raw;
	if (setsid() < 0)
		_exit(4);
	int terminal = open(name, O_RDWR | O_CLOEXEC);
	if (terminal < 0 || ioctl(terminal, TIOCSCTTY, 0) < 0 || ev_init(&loop, NULL) != BERM_OK ||
	    pty_new(&loop, story->term, &pty, NULL) != BERM_OK)
		_exit(5);
	(void)tcgetattr(pty_command_fd(pty), &raw);
	cfmakeraw(&raw);
	(void)tcsetattr(pty_command_fd(pty), TCSANOW, &raw);
	program_writes(story->before);
	turn(&loop, SHORTLY_MS);
	if (!pty_draw(pty, &drawer) || pty_draw(pty, &drawer))
		_exit(6);
	program_writes(story->meanwhile); /* what is there is read before any time is over */
	int64_t end_ms = ev_now_ms() + DEADLINE_MS;
	while (strchr(keys, 'o') == NULL && ev_now_ms() < end_ms)
		turn(&loop, TURN_MS);
	program_writes(story->after);
	turn(&loop, SHORTLY_MS);
	if (strcmp(keys, story->keys) != 0 || !program_reads(story->command))
		_exit(7);
	pty_free(pty);
	ev_done(&loop);
	_exit(0);
}

/* ---- the terminal's side ---------------------------------------------------------------------------------------------- */

static VTerm *emulator(void)
{
	VTerm *term = vterm_new(ROWS, COLUMNS);
	assert_non_null(term);
	vterm_set_utf8(term, 1);
	vterm_screen_enable_altscreen(vterm_obtain_screen(term), 1);
	vterm_screen_reset(vterm_obtain_screen(term), 1);
	return term;
}

static void feed(VTerm *term, const char *text)
{
	if (text != NULL)
		(void)vterm_input_write(term, text, strlen(text));
}

/* Feeds what comes until the other side is gone; types when the text is there. */
static void show(int master, VTerm *term, const struct story *story)
{
	static char all[TEXT_MAX];
	size_t len = 0;
	bool early = story->typed_early == NULL, typed = false;
	struct pollfd one = {.fd = master, .events = POLLIN};
	memset(all, 0, sizeof all);
	while (poll(&one, 1, DEADLINE_MS) == 1) {
		ssize_t n = read(master, all + len, sizeof all - 1 - len);
		if (n <= 0)
			break;
		(void)vterm_input_write(term, all + len, (size_t)n);
		len += (size_t)n;
		if (!early && strstr(all, "question") != NULL) {
			early = true;
			assert_int_equal(fd_write_full(master, story->typed_early, strlen(story->typed_early)), 0);
		}
		if (!typed && strstr(all, "[o]nce") != NULL) {
			typed = true;
			assert_int_equal(fd_write_full(master, story->typed, strlen(story->typed)), 0);
		}
	}
	assert_true(typed);
}

/* What is behind the last character of a cell is nothing. */
static bool same_chars(const VTermScreenCell *a, const VTermScreenCell *b)
{
	uint32_t first = a->chars[0] != 0 ? a->chars[0] : ' ', second = b->chars[0] != 0 ? b->chars[0] : ' ';
	for (size_t i = 1; first == second && first != 0 && i < VTERM_MAX_CHARS_PER_CELL; i++) {
		first = a->chars[i];
		second = b->chars[i];
		if (a->chars[i - 1] == 0 || b->chars[i - 1] == 0)
			return true;
	}
	return first == second;
}

static bool same_attributes(const VTermScreenCellAttrs *a, const VTermScreenCellAttrs *b)
{
	return a->bold == b->bold && a->underline == b->underline && a->italic == b->italic && a->blink == b->blink &&
	       a->reverse == b->reverse && a->strike == b->strike;
}

static void compare(VTerm *seen, VTerm *wanted)
{
	VTermPos a, b;
	for (int row = 0; row < ROWS; row++)
		for (int column = 0; column < COLUMNS; column++) {
			const VTermPos at = {row, column};
			VTermScreenCell one, other;
			(void)vterm_screen_get_cell(vterm_obtain_screen(seen), at, &one);
			(void)vterm_screen_get_cell(vterm_obtain_screen(wanted), at, &other);
			if (!same_chars(&one, &other))
				fail_msg("row %d, column %d: %x instead of %x", row, column, one.chars[0],
					 other.chars[0]);
			if (!same_attributes(&one.attrs, &other.attrs) || !vterm_color_is_equal(&one.fg, &other.fg) ||
			    !vterm_color_is_equal(&one.bg, &other.bg))
				fail_msg("row %d, column %d: another pen", row, column);
		}
	vterm_state_get_cursorpos(vterm_obtain_state(seen), &a);
	vterm_state_get_cursorpos(vterm_obtain_state(wanted), &b);
	assert_int_equal(a.row, b.row);
	assert_int_equal(a.col, b.col);
	for (VTermAttr attr = VTERM_ATTR_BOLD; attr < VTERM_ATTR_FOREGROUND; attr++) {
		VTermValue one = {0}, other = {0};
		(void)vterm_state_get_penattr(vterm_obtain_state(seen), attr, &one);
		(void)vterm_state_get_penattr(vterm_obtain_state(wanted), attr, &other);
		assert_int_equal(one.number, other.number);
	}
}

static void run(const struct story *story)
{
	struct winsize size = {.ws_row = ROWS, .ws_col = COLUMNS};
	VTerm *seen = emulator(), *wanted = emulator();
	int status;
	auto_fd int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
	char name[64];
	assert_int_equal(ptsname_r(master, name, sizeof name), 0);
	auto_fd int held = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	pid_t pid = fork();
	if (pid == 0)
		berm(name, story);
	own_close(&held);
	held = -1;
	show(master, seen, story);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
	feed(wanted, story->before);
	feed(wanted, story->meanwhile);
	feed(wanted, story->after);
	if (!story->one_screen)
		compare(seen, wanted);
	vterm_free(seen);
	vterm_free(wanted);
}

/* ---- stories ------------------------------------------------------------------------------------------------------------ */

#define LINES                                                                                                          \
	"one\r\ntwo\r\nthree\r\nfour\r\nfive\r\nsix\r\nseven\r\neight\r\nnine\r\nten\r\neleven\r\ntwelve\r\nthirteen"

static void test_usual_screen(void **state)
{
	(void)state;
	NOT_TORTURED();
	run(&(const struct story){.before = LINES "\033[3;5H\033[1;31mred",
				  .meanwhile = " and more\r\nbelow",
				  .after = "\033[0m end",
				  .typed = "zo",
				  .keys = "zo",
				  .command = "",
				  .term = "xterm-256color"});
}

/* Lowest lines in colours, wide and combined characters, a cursor that waits at the end of its line, a part that scrolls. */
static void test_full_screen(void **state)
{
	(void)state;
	NOT_TORTURED();
	run(&(const struct story){.before = LINES
				  "\033[?1049h\033[2J\033[H\033[2;10rtop\033[11;1H\033[44;38;2;1;2;3mstatus\033[K"
				  "\033[12;1H\033[0;7m\xe4\xbd\xa0\xe5\xa5\xbd e\xcc\x81\033[0m\033[12;38Habc",
				  .meanwhile = "\033[5;1Hx",
				  .after = "y\033[10;1H\r\nz",
				  .typed = "o",
				  .keys = "o",
				  .command = "",
				  .term = "xterm"});
}

/* The question waits for the end of a sequence, and of a picture that is shown as a whole. */
static void test_between_sequences(void **state)
{
	(void)state;
	NOT_TORTURED();
	run(&(const struct story){.before = "a\033[1;3",
				  .meanwhile = "1mred",
				  .after = "\r\n",
				  .typed = "o",
				  .keys = "o",
				  .command = "",
				  .term = "xterm"});
	run(&(const struct story){.before = "\033[?1049h\033[H\033[?2026hhalf",
				  .meanwhile = " of it\033[?2026l",
				  .after = "",
				  .typed = "o",
				  .keys = "o",
				  .command = "",
				  .term = "xterm"});
}

/* What was typed for the program is the program's, and answers nothing. */
static void test_typed_before(void **state)
{
	(void)state;
	NOT_TORTURED();
	run(&(const struct story){.before = "prompt> ",
				  .after = "",
				  .typed_early = "onward",
				  .typed = "\033]lo\033\\\033[111;1:3u\033[Moooo",
				  .keys = "o",
				  .command = "onward",
				  .term = "xterm"});
}

static void test_one_screen(void **state)
{
	(void)state;
	NOT_TORTURED();
	run(&(const struct story){.before = "x",
				  .after = "y",
				  .typed = "o",
				  .keys = "o",
				  .command = "",
				  .term = "dumb",
				  .one_screen = true});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usual_screen),	  cmocka_unit_test(test_full_screen),
		cmocka_unit_test(test_between_sequences), cmocka_unit_test(test_typed_before),
		cmocka_unit_test(test_one_screen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
