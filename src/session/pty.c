#include "session/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/own.h"
#include "format/vt.h"
#include "session/screen.h"

enum {
	CHUNK = 4096,
	UNWRITTEN_MAX = 1 << 18, /* that the terminal has not taken yet; then the command waits */
	DRAWN_MAX = 256 * 1024,
	END_MS = 1000, /* for the terminal to take what is left */
	FRAME_MODE = 2026,
	WRITTEN_BEFORE = 16, /* parts of what is there already that are looked at */
};

#define TYPED_MAX ((size_t)64 * 1024) /* that the command has not read yet */

enum drawing { NOT_DRAWN = 0, TO_BE_DRAWN, DRAWN };

struct pty {
	struct ev_loop *loop;
	int tty, master, command; /* the real terminal by a description of our own; both sides of the other one */
	struct ev_source from_tty, from_master, timer;
	struct termios modes;
	bool raw;
	bool one_screen; /* the terminal has no other one: lines are printed below, and stay */
	struct pty_size size;
	/* what the program has written */
	struct vt written;
	bool on_other, in_frame; /* it is on the other screen; in the middle of a picture */
	struct screen screen;	 /* of the other one */
	struct buf unwritten;
	/* what is typed */
	struct vt typed;
	struct buf unread;
	/* the drawing */
	enum drawing drawing;
	struct pty_drawer drawer;
	bool ready;
	int first_row; /* that is covered */
	struct buf kept;
};

/* ---- to the terminal ------------------------------------------------------------------------------------------------ */

static void want(struct pty *pty)
{
	bool room = pty->unwritten.len < UNWRITTEN_MAX && pty->kept.len < PTY_KEPT_MAX;
	uint32_t tty = (pty->unread.len < TYPED_MAX ? (uint32_t)EPOLLIN : 0U) |
		       (pty->unwritten.len > 0 ? (uint32_t)EPOLLOUT : 0U);
	uint32_t master = (room ? (uint32_t)EPOLLIN : 0U) | (pty->unread.len > 0 ? (uint32_t)EPOLLOUT : 0U);
	if (pty->from_tty.loop != NULL && ev_change(&pty->from_tty, tty, NULL) != BERM_OK)
		ev_remove(&pty->from_tty);
	if (pty->from_master.loop != NULL && ev_change(&pty->from_master, master, NULL) != BERM_OK)
		ev_remove(&pty->from_master);
}

/* Takes what was written off the front. */
static void write_some(int fd, struct buf *bytes)
{
	ssize_t n = bytes->len > 0 ? write(fd, bytes->data, bytes->len) : 0;
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		n = (ssize_t)bytes->len; /* nobody is there any more */
	if (n <= 0)
		return;
	memmove(bytes->data, bytes->data + n, bytes->len - (size_t)n);
	bytes->len -= (size_t)n;
}

static void put(struct pty *pty, const char *bytes, size_t len)
{
	buf_put(&pty->unwritten, bytes, len);
	if (pty->unwritten.failed) /* memory is out: the screen is not whole, the program goes on */
		buf_clear(&pty->unwritten);
}

static void puts_to(struct pty *pty, const char *text)
{
	put(pty, text, strlen(text));
}

/* ---- drawing -------------------------------------------------------------------------------------------------------- */

static void put_lines(struct pty *pty, struct str text)
{
	int count = 1, row;
	char at[32];
	for (size_t i = 0; i < text.len; i++)
		count += text.ptr[i] == '\n';
	row = count < pty->size.rows ? pty->size.rows - count : 0;
	if (row < pty->first_row)
		pty->first_row = row;
	for (int i = pty->first_row; i < row; i++) { /* covered by more lines before */
		(void)snprintf(at, sizeof at, "\033[%d;1H\033[0m\033[2K", i + 1);
		puts_to(pty, at);
	}
	while (text.len > 0) {
		const char *end = memchr(text.ptr, '\n', text.len);
		size_t len = end != NULL ? (size_t)(end - text.ptr) : text.len;
		(void)snprintf(at, sizeof at, "\033[%d;1H\033[0m\033[2K", ++row);
		puts_to(pty, at);
		put(pty, text.ptr, len);
		text.ptr += len + (end != NULL);
		text.len -= len + (end != NULL);
	}
	puts_to(pty, "\033[0m");
}

static void print_lines(struct pty *pty, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\n')
			puts_to(pty, "\r");
		put(pty, text.ptr + i, 1);
	}
	puts_to(pty, "\r\n");
}

void pty_redraw(struct pty *pty)
{
	auto_buf struct buf text;
	if (pty->drawing != DRAWN)
		return;
	buf_init(&text, DRAWN_MAX);
	pty->drawer.draw(pty->drawer.ctx, &pty->size, &text);
	if (text.failed || text.len == 0)
		return;
	if (pty->one_screen)
		print_lines(pty, buf_str(&text));
	else
		put_lines(pty, buf_str(&text));
	want(pty);
}

static void begin_drawing(struct pty *pty)
{
	pty->drawing = DRAWN;
	pty->ready = false;
	pty->first_row = pty->size.rows;
	if (pty->one_screen)
		puts_to(pty, "\r\n");
	else if (pty->on_other)
		puts_to(pty, "\0337\033[?6l\033(B\017");
	else
		puts_to(pty, "\033[?1049h\033[2J");
	ev_set_deadline(&pty->timer, PTY_QUIET_MS);
	pty_redraw(pty);
}

/* The program paints it itself when it is told of another size. */
static void make_it_paint(struct pty *pty)
{
	struct winsize size = {.ws_row = (unsigned short)pty->size.rows, .ws_col = (unsigned short)pty->size.columns};
	struct winsize other = size;
	other.ws_row = size.ws_row > 1 ? (unsigned short)(size.ws_row - 1) : 2;
	(void)ioctl(pty->master, TIOCSWINSZ, &other);
	(void)ioctl(pty->master, TIOCSWINSZ, &size);
}

static void paint_anew(struct pty *pty)
{
	auto_buf struct buf picture;
	buf_init(&picture, SCREEN_PAINT_MAX);
	if (screen_paint(&pty->screen, pty->first_row, pty->size.rows - 1, &picture, NULL) == BERM_OK &&
	    !picture.failed)
		put(pty, picture.data, picture.len);
	else
		make_it_paint(pty);
	puts_to(pty, "\033[0m\0338");
}

/* ---- what the program writes ---------------------------------------------------------------------------------------- */

static void begin_screen(struct pty *pty)
{
	screen_end(&pty->screen);
	if (screen_begin(pty->size.rows, pty->size.columns, &pty->screen, NULL) == BERM_OK)
		screen_feed(&pty->screen, STR("\033[?1049h"));
}

static void emit(struct pty *pty, struct str bytes)
{
	put(pty, bytes.ptr, bytes.len);
	screen_feed(&pty->screen, bytes);
}

static bool has_param(const struct vt *vt, uint32_t a, uint32_t b, uint32_t c)
{
	for (size_t i = 0; i < vt->count; i++)
		if (vt->params[i] == a || vt->params[i] == b || vt->params[i] == c)
			return true;
	return false;
}

/* True: it went to the other screen just now. */
static bool note_sequence(struct pty *pty, enum vt_event event)
{
	const struct vt *vt = &pty->written;
	bool on = vt->final == 'h';
	if (event == VT_ESC && vt->final == 'c') /* a reset */
		pty->on_other = pty->in_frame = false;
	if (event != VT_CSI || vt->marker != '?' || (!on && vt->final != 'l'))
		return false;
	if (has_param(vt, FRAME_MODE, FRAME_MODE, FRAME_MODE))
		pty->in_frame = on;
	if (!has_param(vt, 47, 1047, 1049) || pty->on_other == on)
		return false;
	pty->on_other = on;
	return on;
}

static bool can_draw(const struct pty *pty)
{
	return pty->drawing == TO_BE_DRAWN && vt_is_ground(&pty->written) && !pty->in_frame;
}

/* Passes on what the program wrote, up to where a drawing begins: what comes then is kept. */
static void pass(struct pty *pty, struct str bytes)
{
	size_t from = 0, at = 0;
	while (at < bytes.len && !can_draw(pty)) {
		enum vt_event event = vt_take(&pty->written, (uint8_t)bytes.ptr[at++]);
		bool entered = event != VT_NONE && event != VT_CHAR && note_sequence(pty, event);
		if (entered || (!pty->on_other && screen_is_there(&pty->screen))) {
			emit(pty, (struct str){bytes.ptr + from, at - from});
			from = at;
			if (entered)
				begin_screen(pty);
			else
				screen_end(&pty->screen);
		}
	}
	emit(pty, (struct str){bytes.ptr + from, at - from});
	if (can_draw(pty))
		begin_drawing(pty);
	if (at < bytes.len)
		buf_put(&pty->kept, bytes.ptr + at, bytes.len - at);
}

/* False: there is nothing. */
static bool read_master(struct pty *pty)
{
	char bytes[CHUNK];
	ssize_t n = read(pty->master, bytes, sizeof bytes);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) { /* not as long as we have the command's side ourselves */
		ev_remove(&pty->from_master);
		return false;
	}
	if (pty->drawing == DRAWN)
		buf_put(&pty->kept, bytes, (size_t)n);
	else
		pass(pty, (struct str){bytes, (size_t)n});
	return true;
}

static void on_master(struct ev_source *source, uint32_t events)
{
	struct pty *pty = (struct pty *)(void *)((char *)source - offsetof(struct pty, from_master));
	if ((events & EPOLLOUT) != 0)
		write_some(pty->master, &pty->unread);
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
		(void)read_master(pty);
	write_some(pty->tty, &pty->unwritten);
	want(pty);
}

/* ---- what is typed --------------------------------------------------------------------------------------------------- */

/* Sequences and characters are looked at even when they are the command's: a reply of the terminal that began before keys
 * were the drawing's is none. */
static void type(struct pty *pty, struct str bytes)
{
	size_t at = 0, from = 0;
	while (at < bytes.len) {
		bool ours = pty->drawing == DRAWN && pty->ready;
		uint32_t key = vt_key(&pty->typed, vt_take(&pty->typed, (uint8_t)bytes.ptr[at]));
		at++;
		if (!ours)
			continue;
		buf_put(&pty->unread, bytes.ptr + from, at - 1 - from);
		from = at;
		if (key != 0)
			pty->drawer.key(pty->drawer.ctx, key);
	}
	buf_put(&pty->unread, bytes.ptr + from, at - from);
	if (pty->drawing == DRAWN && !pty->ready)
		ev_set_deadline(&pty->timer, PTY_QUIET_MS);
}

static void read_tty(struct pty *pty)
{
	char bytes[CHUNK / 4];
	ssize_t n = read(pty->tty, bytes, sizeof bytes);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		ev_remove(&pty->from_tty);
	else
		type(pty, (struct str){bytes, (size_t)n});
	write_some(pty->master, &pty->unread);
}

static void on_tty(struct ev_source *source, uint32_t events)
{
	struct pty *pty = (struct pty *)(void *)((char *)source - offsetof(struct pty, from_tty));
	if ((events & EPOLLOUT) != 0)
		write_some(pty->tty, &pty->unwritten);
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
		read_tty(pty);
	want(pty);
}

/* ---- time ------------------------------------------------------------------------------------------------------------ */

static void on_time(struct ev_source *source, uint32_t events)
{
	struct pty *pty = (struct pty *)(void *)((char *)source - offsetof(struct pty, timer));
	(void)events;
	if (pty->drawing == TO_BE_DRAWN) { /* it never comes to an end */
		pty->in_frame = false;
		pty->written = (struct vt){0};
		begin_drawing(pty);
	} else if (pty->drawing == DRAWN && !pty->ready) {
		pty->typed = (struct vt){.keys = true};
		pty->ready = true;
		pty->drawer.ready(pty->drawer.ctx);
	}
	write_some(pty->tty, &pty->unwritten);
	want(pty);
}

bool pty_draw(struct pty *pty, const struct pty_drawer *drawer)
{
	if (pty->drawing != NOT_DRAWN)
		return false;
	for (int i = 0; i < WRITTEN_BEFORE && pty->from_master.loop != NULL && read_master(pty);)
		i++; /* what belongs below the drawing */
	pty->drawer = *drawer;
	pty->drawing = TO_BE_DRAWN;
	if (can_draw(pty))
		begin_drawing(pty);
	else
		ev_set_deadline(&pty->timer, PTY_GROUND_MS);
	write_some(pty->tty, &pty->unwritten);
	want(pty);
	return true;
}

void pty_undraw(struct pty *pty)
{
	bool drawn = pty->drawing == DRAWN;
	pty->drawing = NOT_DRAWN;
	pty->ready = false;
	ev_set_deadline(&pty->timer, EV_NEVER);
	if (!drawn)
		return;
	if (!pty->one_screen && pty->on_other)
		paint_anew(pty);
	else if (!pty->one_screen)
		puts_to(pty, "\033[0m\033[?1049l");
	struct buf kept = pty->kept;
	buf_init(&pty->kept, 2 * PTY_KEPT_MAX);
	pass(pty, buf_str(&kept));
	buf_done(&kept);
	write_some(pty->tty, &pty->unwritten);
	want(pty);
}

/* ---- the real terminal ------------------------------------------------------------------------------------------------ */

static bool is_ours(const struct pty *pty)
{
	return tcgetpgrp(pty->tty) == getpgrp();
}

static bool get_size(const struct pty *pty, struct winsize *ret_size)
{
	return ioctl(pty->tty, TIOCGWINSZ, ret_size) == 0 && ret_size->ws_row > 0 && ret_size->ws_col > 0;
}

static void take_size(struct pty *pty)
{
	struct winsize size;
	if (!get_size(pty, &size) || (size.ws_row == pty->size.rows && size.ws_col == pty->size.columns))
		return;
	pty->size = (struct pty_size){size.ws_row, size.ws_col};
	(void)ioctl(pty->master, TIOCSWINSZ, &size);
	if (pty->on_other)
		begin_screen(pty); /* the program paints it anew */
	pty->first_row = pty->size.rows;
	pty_redraw(pty);
}

static void take_terminal(struct pty *pty)
{
	struct termios raw = pty->modes;
	if (pty->raw || !is_ours(pty))
		return;
	cfmakeraw(&raw);
	if (tcsetattr(pty->tty, TCSANOW, &raw) < 0)
		return;
	pty->raw = true;
	if (ev_add(pty->loop, &pty->from_tty, pty->tty, EPOLLIN, on_tty, NULL) != BERM_OK)
		return; /* nothing can be typed: what is asked is denied in time */
	want(pty);
}

void pty_look(struct pty *pty)
{
	take_terminal(pty);
	take_size(pty);
	write_some(pty->tty, &pty->unwritten);
	want(pty);
}

void pty_leave(struct pty *pty)
{
	ev_remove(&pty->from_tty);
	if (pty->raw && is_ours(pty))
		(void)tcsetattr(pty->tty, TCSANOW, &pty->modes);
	pty->raw = false;
}

/* ---- life ------------------------------------------------------------------------------------------------------------- */

static enum berm_code open_both(struct pty *pty, struct berm_err *err)
{
	pty->tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (pty->tty < 0 || tcgetattr(pty->tty, &pty->modes) < 0)
		return err_sys(err, "open the terminal");
	if (!is_ours(pty))
		return err_set(err, BERM_ERR_NOTFOUND, "berm is in the background of the terminal");
	pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (pty->master < 0 || grantpt(pty->master) < 0 || unlockpt(pty->master) < 0 ||
	    fcntl(pty->master, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return err_sys(err, "make a terminal for the command");
	pty->command = ioctl(pty->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (pty->command < 0 || tcsetattr(pty->command, TCSANOW, &pty->modes) < 0)
		return err_sys(err, "make a terminal for the command");
	return BERM_OK;
}

static enum berm_code begin(struct pty *pty, struct berm_err *err)
{
	struct winsize size;
	TRY(open_both(pty, err));
	if (!get_size(pty, &size))
		size = (struct winsize){.ws_row = 24, .ws_col = 80};
	pty->size = (struct pty_size){size.ws_row, size.ws_col};
	(void)ioctl(pty->master, TIOCSWINSZ, &size);
	ev_add_timer(pty->loop, &pty->timer, on_time);
	TRY(ev_add(pty->loop, &pty->from_master, pty->master, EPOLLIN, on_master, err));
	take_terminal(pty);
	return BERM_OK;
}

/* Those that show one screen, and take the sequences for another as nothing, or as text. */
static bool has_one_screen(const char *term)
{
	return term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0 || strcmp(term, "linux") == 0;
}

enum berm_code pty_new(struct ev_loop *loop, const char *term, struct pty **ret_pty, struct berm_err *err)
{
	struct pty *pty = calloc(1, sizeof *pty);
	if (pty == NULL)
		return err_set(err, BERM_ERR_NOMEM, "prepare a terminal");
	pty->loop = loop;
	pty->tty = pty->master = pty->command = -1;
	pty->one_screen = has_one_screen(term);
	pty->typed.keys = true;
	screen_clear(&pty->screen);
	buf_init(&pty->unwritten, 4 * PTY_KEPT_MAX + SCREEN_PAINT_MAX);
	buf_init(&pty->unread, 2 * TYPED_MAX);
	buf_init(&pty->kept, 2 * PTY_KEPT_MAX);
	enum berm_code code = begin(pty, err);
	if (code == BERM_OK)
		*ret_pty = pty;
	else
		pty_free(pty);
	return code;
}

/* Everything that the command has left, as far as the terminal takes it in time. */
static void write_rest(struct pty *pty)
{
	struct pollfd room = {.fd = pty->tty, .events = POLLOUT};
	int64_t end_ms = ev_now_ms() + END_MS;
	bool more = true;
	while ((more || pty->unwritten.len > 0) && ev_now_ms() < end_ms) {
		more = pty->unwritten.len < UNWRITTEN_MAX && pty->from_master.loop != NULL && read_master(pty);
		write_some(pty->tty, &pty->unwritten);
		if (pty->unwritten.len > 0)
			(void)poll(&room, 1, END_MS / 10);
	}
}

void pty_free(struct pty *pty)
{
	if (pty == NULL)
		return;
	if (pty->drawing != NOT_DRAWN)
		pty_undraw(pty);
	if (pty->from_master.loop != NULL)
		write_rest(pty);
	ev_remove(&pty->from_master);
	ev_remove(&pty->timer);
	pty_leave(pty);
	screen_end(&pty->screen);
	buf_done(&pty->unwritten);
	buf_done(&pty->unread);
	buf_done(&pty->kept);
	own_close(&pty->command);
	own_close(&pty->master);
	own_close(&pty->tty);
	free(pty);
}

int pty_command_fd(const struct pty *pty)
{
	return pty->command;
}
