#include "cli/learn_runs.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/own.h"
#include "cli/policy_run.h"
#include "cli/run_report.h"
#include "os/fd.h"

enum { MAX_EVENTS_BYTES = 64 * 1024 * 1024, PIECE = 4096, MAX_MEMORY = 16 * 1024 * 1024 };

static bool has_key(const struct policy_doc *doc, enum policy_key key)
{
	for (uint32_t i = 0; doc != NULL && i < doc->line_count; i++)
		if (doc->lines[i].key == key)
			return true;
	return false;
}

static size_t put_lines(struct policy_line *to, const struct policy_doc *doc)
{
	if (doc == NULL || doc->line_count == 0)
		return 0;
	memcpy(to, doc->lines, doc->line_count * sizeof(*to));
	return doc->line_count;
}

/* The flags as they were given, what was learned, and unless a flag says it: the back-end, and that what is to be asked for is
 * allowed, and told. */
static enum berm_code join_flags(struct arena *arena, const struct learn_run *how, struct policy_doc *ret_doc,
				 struct berm_err *err)
{
	const struct policy_doc *flags = how->choices->request.flags, *learned = how->learned;
	size_t room = (flags != NULL ? flags->line_count : 0) + (learned != NULL ? learned->line_count : 0) + 2;
	struct policy_line *lines = arena_array(arena, room, sizeof(*lines));
	if (lines == NULL)
		return err_set(err, BERM_ERR_NOMEM, "run to learn");
	size_t count = put_lines(lines, flags);
	count += put_lines(lines + count, learned);
	if (!has_key(flags, KEY_BACKEND))
		lines[count++] = (struct policy_line){.key = KEY_BACKEND, .text = "landlock"};
	if (!how->closed && !has_key(flags, KEY_APPROVALS_MODE))
		lines[count++] = (struct policy_line){.key = KEY_APPROVALS_MODE, .text = "allow"};
	*ret_doc = (struct policy_doc){.kind = POLICY_DOC_FLAGS, .file = "command line", .lines = lines};
	ret_doc->line_count = (uint32_t)count;
	return BERM_OK;
}

static enum berm_code read_events(int fd, struct buf *out, struct berm_err *err)
{
	char piece[PIECE];
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, "read events");
	for (;;) {
		ssize_t got = fd_read_full(fd, piece, sizeof(piece));
		if (got < 0)
			return err_sys(err, "read events");
		if (got == 0)
			return buf_check(out, err);
		buf_put(out, piece, (size_t)got);
	}
}

static enum berm_code run_it(const struct run_request *request, int *ret_status, struct problems *problems,
			     struct berm_err *err)
{
	struct run_result result;
	auto_run struct run *run = NULL;
	TRY(run_new(request, &run, problems, err));
	TRY(run_start(run, err));
	TRY(run_finish(run, &result, err));
	*ret_status = run_report_status(&result.status, false);
	if (result.events_failure.code != BERM_OK)
		return err_set(err, result.events_failure.code, "%s", result.events_failure.msg);
	return BERM_OK;
}

enum berm_code learn_runs_once(const struct learn_run *how, struct learn_events *events, int *ret_status,
			       struct problems *problems, struct berm_err *err)
{
	char target[32];
	struct policy_doc flags;
	struct run_request request = how->choices->request;
	auto_arena struct arena arena;
	auto_buf struct buf text;
	auto_fd int fd = memfd_create("events", MFD_CLOEXEC);
	arena_init(&arena, MAX_MEMORY);
	buf_init(&text, MAX_EVENTS_BYTES);
	if (fd < 0)
		return err_sys(err, "make room for events");
	TRY(join_flags(&arena, how, &flags, err));
	(void)snprintf(target, sizeof(target), "fd:%d", fd);
	request.flags = &flags;
	request.events = target;
	request.argv = how->argv;
	request.envp = (const char *const *)environ;
	request.tell_all = true;
	TRY(run_it(&request, ret_status, problems, err));
	TRY(read_events(fd, &text, err));
	return learn_events_read(events, buf_str(&text), "events", problems, err);
}
