#include "session/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vterm.h>

#include "base/own.h"
#include "format/utf8.h"
#include "os/ev.h"
#include "os/fd.h"
#include "os/sys.h"

enum {
	CHUNK = 16 * 1024,
	QUEUE = 1024 * 1024, /* of the socket: what may be written before it is read */
	CELL_BYTES = 96,     /* of memory for a cell, in both buffers */
	BASE_BYTES = 1024 * 1024,
	CELL_TEXT = 128, /* bytes that paint one cell */
};

/* len bytes follow if feed; else rows first to last are asked for, and answered by a length and so many bytes. */
struct message {
	uint32_t feed, len;
	int32_t first, last;
};

/* ---- in its process: no system call but read, write and exit ------------------------------------------------------- */

/* Memory that was set aside; what is freed stays taken. */
static struct {
	uint8_t *bytes;
	size_t size, used;
} arena;

static void *take_memory(size_t size, void *data)
{
	size_t rounded = (size + 15) & ~(size_t)15;
	(void)data;
	if (rounded > arena.size - arena.used)
		sys_exit_thread(1);
	void *memory = arena.bytes + arena.used;
	arena.used += rounded;
	return memory;
}

static void give_memory(void *memory, void *data)
{
	(void)memory;
	(void)data;
}

/* Text for the terminal, which is sent as it gets full. */
struct painting {
	char bytes[CHUNK];
	size_t len;
	bool counts; /* nothing is sent: how much would be? */
	uint32_t total;
	int fd;
};

static void flush_painting(struct painting *painting)
{
	painting->total += (uint32_t)painting->len;
	if (!painting->counts && fd_write_full(painting->fd, painting->bytes, painting->len) < 0)
		sys_exit_thread(1);
	painting->len = 0;
}

static void paint_text(struct painting *painting, const char *text, size_t len)
{
	if (len > sizeof painting->bytes - painting->len)
		flush_painting(painting);
	memcpy(painting->bytes + painting->len, text, len);
	painting->len += len;
}

static size_t put_colour(char *at, size_t size, const VTermColor *colour, bool back)
{
	int written;
	if (back ? VTERM_COLOR_IS_DEFAULT_BG(colour) : VTERM_COLOR_IS_DEFAULT_FG(colour))
		return 0;
	if (VTERM_COLOR_IS_INDEXED(colour))
		written = snprintf(at, size, ";%d;5;%d", back ? 48 : 38, colour->indexed.idx);
	else
		written = snprintf(at, size, ";%d;2;%d;%d;%d", back ? 48 : 38, colour->rgb.red, colour->rgb.green,
				   colour->rgb.blue);
	return written > 0 && (size_t)written < size ? (size_t)written : 0;
}

/* "ESC [ 0 ; ... m" */
static size_t put_pen(char *text, size_t size, const VTermScreenCell *cell)
{
	const struct {
		bool on;
		const char *code;
	} attributes[] = {{cell->attrs.bold, ";1"},	      {cell->attrs.italic, ";3"},
			  {cell->attrs.underline == 1, ";4"}, {cell->attrs.blink, ";5"},
			  {cell->attrs.reverse, ";7"},	      {cell->attrs.strike, ";9"},
			  {cell->attrs.underline == 2, ";21"}};
	size_t len = 0;
	text[len++] = '\033';
	text[len++] = '[';
	text[len++] = '0';
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		if (!attributes[i].on)
			continue;
		memcpy(text + len, attributes[i].code, strlen(attributes[i].code));
		len += strlen(attributes[i].code);
	}
	len += put_colour(text + len, size - len, &cell->fg, false);
	len += put_colour(text + len, size - len, &cell->bg, true);
	text[len++] = 'm';
	return len;
}

static size_t put_chars(char *at, const VTermScreenCell *cell)
{
	size_t len = 0;
	if (cell->chars[0] == 0 || cell->chars[0] == UINT32_MAX) {
		at[0] = ' ';
		return 1;
	}
	for (size_t i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell->chars[i] != 0 && cell->chars[i] <= 0x10ffff; i++)
		len = (size_t)(utf8_put(at + len, cell->chars[i]) - at);
	return len;
}

static void paint_row(struct painting *painting, const VTermScreen *shown, int row, int columns)
{
	char text[2 * CELL_TEXT], pen[CELL_TEXT] = "";
	size_t pen_len = 0;
	int len = snprintf(text, sizeof text, "\033[%d;1H\033[0m\033[2K", row + 1);
	paint_text(painting, text, (size_t)len);
	for (VTermPos at = {.row = row}; at.col < columns;) {
		VTermScreenCell cell;
		char next[CELL_TEXT];
		if (vterm_screen_get_cell(shown, at, &cell) == 0)
			return;
		size_t next_len = put_pen(next, sizeof next, &cell);
		if (next_len != pen_len || memcmp(next, pen, next_len) != 0) {
			paint_text(painting, next, next_len);
			memcpy(pen, next, next_len);
			pen_len = next_len;
		}
		paint_text(painting, text, put_chars(text, &cell));
		at.col += cell.width > 1 ? cell.width : 1;
	}
}

/* Twice: its length stands in front. */
static void paint(int fd, VTerm *term, const struct message *message)
{
	static struct painting painting;
	int rows, columns;
	vterm_get_size(term, &rows, &columns);
	painting.fd = fd;
	painting.counts = true;
	painting.total = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (int row = message->first; row <= message->last && row < rows; row++)
			paint_row(&painting, vterm_obtain_screen(term), row, columns);
		flush_painting(&painting);
		if (pass == 0 && fd_write_full(fd, &painting.total, sizeof painting.total) < 0)
			sys_exit_thread(1);
		painting.counts = false;
	}
}

static bool feed(int fd, VTerm *term, uint32_t len)
{
	static char bytes[CHUNK];
	while (len > 0) {
		size_t part = len < sizeof bytes ? len : sizeof bytes;
		if (fd_read_full(fd, bytes, part) != (ssize_t)part)
			return false;
		(void)vterm_input_write(term, bytes, part);
		len -= (uint32_t)part;
	}
	return true;
}

static _Noreturn void serve(int fd, VTerm *term)
{
	struct message message;
	while (fd_read_full(fd, &message, sizeof message) == (ssize_t)sizeof message) {
		if (message.feed == 0)
			paint(fd, term, &message);
		else if (!feed(fd, term, message.len))
			break;
	}
	sys_exit_thread(0);
}

static _Noreturn void screen_main(int fd, int rows, int columns)
{
	static const VTermAllocatorFunctions functions = {take_memory, give_memory};
	VTermAllocatorFunctions copy = functions;
	const struct rlimit none = {0, 0};
	if (dup2(fd, 3) < 0 || sys_close_range(4, ~0U, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
		_exit(1);
	(void)sys_close_range(0, 2, 0);
	VTerm *term = vterm_new_with_allocator(rows, columns, &copy, NULL);
	if (term == NULL || sys_not_dumpable() < 0)
		_exit(1);
	vterm_set_utf8(term, 1);
	VTermScreen *shown = vterm_obtain_screen(term);
	vterm_screen_enable_altscreen(shown, 1);
	vterm_screen_reset(shown, 1);
	if (sys_seccomp_strict() < 0)
		_exit(1);
	serve(3, term);
}

/* ---- outside -------------------------------------------------------------------------------------------------------- */

void screen_clear(struct screen *screen)
{
	*screen = (struct screen){.fd = -1};
}

static enum berm_code begin_process(int rows, int columns, const int pair[static 2], struct screen *ret_screen,
				    struct berm_err *err)
{
	arena.size = (size_t)rows * (size_t)columns * CELL_BYTES + BASE_BYTES;
	arena.used = 0;
	arena.bytes =
		mmap(NULL, arena.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (arena.bytes == MAP_FAILED)
		return err_sys(err, "memory for a screen");
	pid_t pid = fork();
	if (pid == 0)
		screen_main(pair[1], rows, columns);
	int error = errno;
	(void)munmap(arena.bytes, arena.size);
	errno = error;
	if (pid < 0)
		return err_sys(err, "start a process for the screen");
	*ret_screen = (struct screen){.pid = pid, .fd = pair[0], .rows = rows, .columns = columns};
	return BERM_OK;
}

enum berm_code screen_begin(int rows, int columns, struct screen *ret_screen, struct berm_err *err)
{
	const int size = QUEUE;
	int pair[2];
	if (rows < 1 || columns < 1 || rows > SCREEN_ROWS_MAX || columns > SCREEN_COLUMNS_MAX)
		return err_set(err, BERM_ERR_LIMIT, "a screen of %d by %d", columns, rows);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, "make a socket pair");
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	enum berm_code code = begin_process(rows, columns, pair, ret_screen, err);
	(void)close(pair[1]);
	if (code != BERM_OK)
		(void)close(pair[0]);
	return code;
}

void screen_end(struct screen *screen)
{
	if (screen->fd < 0)
		return;
	(void)close(screen->fd);
	/* Whoever ended the whole tree has reaped it as well: then the number may be another's. */
	if (waitpid(screen->pid, NULL, WNOHANG) == 0) {
		(void)kill(screen->pid, SIGKILL);
		(void)waitpid(screen->pid, NULL, 0);
	}
	screen_clear(screen);
}

bool screen_is_there(const struct screen *screen)
{
	return screen->fd >= 0;
}

static bool put(const struct screen *screen, const void *bytes, size_t len)
{
	return send(screen->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len;
}

void screen_feed(struct screen *screen, struct str bytes)
{
	while (screen_is_there(screen) && bytes.len > 0) {
		const struct message message = {.feed = 1, .len = (uint32_t)(bytes.len < CHUNK ? bytes.len : CHUNK)};
		if (!put(screen, &message, sizeof message) || !put(screen, bytes.ptr, message.len))
			screen_end(screen);
		bytes.ptr += message.len;
		bytes.len -= message.len;
	}
}

/* As much as there is, until the deadline. 0: nothing came. */
static size_t get(const struct screen *screen, void *bytes, size_t len, int64_t end_ms)
{
	struct pollfd one = {.fd = screen->fd, .events = POLLIN};
	int64_t left_ms = end_ms - ev_now_ms();
	if (left_ms <= 0 || poll(&one, 1, (int)left_ms) != 1)
		return 0;
	ssize_t n = recv(screen->fd, bytes, len, MSG_DONTWAIT);
	return n > 0 ? (size_t)n : 0;
}

static bool get_full(const struct screen *screen, void *bytes, size_t len, int64_t end_ms)
{
	size_t have = 0, part;
	while (have < len && (part = get(screen, (uint8_t *)bytes + have, len - have, end_ms)) > 0)
		have += part;
	return have == len;
}

static bool fetch(const struct screen *screen, struct buf *out)
{
	char bytes[CHUNK / 4];
	uint32_t len;
	int64_t end_ms = ev_now_ms() + SCREEN_PAINT_MS;
	if (!get_full(screen, &len, sizeof len, end_ms) || len > SCREEN_PAINT_MAX)
		return false;
	while (len > 0) {
		size_t part = get(screen, bytes, len < sizeof bytes ? len : sizeof bytes, end_ms);
		if (part == 0)
			return false;
		buf_put(out, bytes, part);
		len -= (uint32_t)part;
	}
	return true;
}

enum berm_code screen_paint(struct screen *screen, int first, int last, struct buf *out, struct berm_err *err)
{
	const struct message message = {.first = first, .last = last};
	if (!screen_is_there(screen))
		return err_set(err, BERM_ERR_CLOSED, "what the screen shows is not known");
	if (put(screen, &message, sizeof message) && fetch(screen, out))
		return BERM_OK;
	screen_end(screen);
	return err_set(err, BERM_ERR_TIMEOUT, "what the screen shows is not told");
}
