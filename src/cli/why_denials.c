#include "cli/why_denials.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/event_parse.h"
#include "base/env.h"
#include "base/own.h"
#include "cli/commands.h"
#include "cli/denial_text.h"
#include "cli/say.h"
#include "os/fd.h"
#include "policy/resolve.h"
#include "session/denials.h"

enum { FILE_MAX = DENIALS_MAX_BYTES + EVENT_LINE_MAX, PIECE = 4096, WAIT_STEP_MS = 50, ARENA_MAX = 16 * 1024 * 1024 };

static const char *file_of_denials(void)
{
	const char *file = env_get((const char *const *)environ, POLICY_DENIALS_VARIABLE);
	return file != NULL && file[0] == '/' ? file : NULL;
}

bool why_denials_are_told(void)
{
	return file_of_denials() != NULL;
}

/* Of many denials the last are written a moment later: one that was written just now may be behind. */
static void await_last(const char *file)
{
	struct stat st;
	struct timespec now, step = {.tv_nsec = WAIT_STEP_MS * 1000000L};
	for (int i = 0; i < DENIALS_INTERVAL_MS / WAIT_STEP_MS + 2 && stat(file, &st) == 0; i++) {
		(void)clock_gettime(CLOCK_REALTIME, &now);
		int64_t age_ms =
			(int64_t)(now.tv_sec - st.st_mtim.tv_sec) * 1000 + (now.tv_nsec - st.st_mtim.tv_nsec) / 1000000;
		if (age_ms < 0 || age_ms > DENIALS_INTERVAL_MS + WAIT_STEP_MS)
			return;
		(void)nanosleep(&step, NULL);
	}
}

enum berm_code why_denials_read(struct buf *out, struct berm_err *err)
{
	char piece[PIECE];
	ssize_t got;
	struct stat st = {0};
	const char *file = file_of_denials();
	if (file == NULL)
		return err_set(err, BERM_ERR_NOTFOUND, "there is no file of denials");
	await_last(file);
	auto_fd int fd = open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return BERM_OK;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "open '%.160s'", file);
	if (!S_ISREG(st.st_mode))
		return err_set(err, BERM_ERR_INVALID, "'%.160s' is no file", file);
	while ((got = fd_read_full(fd, piece, sizeof piece)) > 0)
		buf_put(out, piece, (size_t)got);
	return got < 0 ? err_sys(err, "read '%.160s'", file) : buf_check(out, err);
}

/* As lines of JSON, or for people. */
static enum berm_code put_all(struct str text, bool json, struct buf *out, struct berm_err *err)
{
	struct event_list list;
	auto_arena struct arena arena;
	arena_init(&arena, ARENA_MAX);
	TRY(event_parse_all(&arena, text, DENIALS_MAX, &list, err));
	for (size_t i = 0; i < list.count; i++) {
		const struct event *event = &list.items[i];
		if (!event->decided || event->verdict != BERM_VERDICT_DENY)
			continue;
		if (json)
			buf_printf(out, "%.*s\n", (int)list.lines[i].len, list.lines[i].ptr);
		else
			denial_text_put(event, out);
	}
	return buf_check(out, err);
}

/* The first one may be on its way. */
static void await_first(void)
{
	const struct timespec step = {.tv_nsec = WAIT_STEP_MS * 1000000L};
	const char *file = file_of_denials();
	for (int i = 0; i < 2 && file != NULL && access(file, F_OK) < 0; i++)
		(void)nanosleep(&step, NULL);
}

int why_denials(bool json)
{
	struct berm_err err;
	auto_buf struct buf text, out;
	buf_init(&text, FILE_MAX);
	buf_init(&out, SAY_MAX);
	await_first();
	enum berm_code code = why_denials_read(&text, &err);
	if (code == BERM_OK)
		code = put_all(buf_str(&text), json, &out, &err);
	if (code != BERM_OK)
		return say_failure(&err, "", EXIT_REFUSED);
	bool denied = out.len > 0;
	if (!denied && !json)
		buf_puts(&out, "nothing that this sandbox tells of was denied\n");
	int status = say_result(&out);
	return status != 0 ? status : denied ? EXIT_NO : EXIT_YES;
}
