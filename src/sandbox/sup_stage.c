/*
 * Writing in place under a name whose content is judged (cp, tar, an editor). What the task writes is a file beside, without
 * a name; when the last descriptor that can write it is closed, its content is judged like one that is renamed there, and a
 * copy takes the name. inotify tells of the close before the task goes on, and what it told is looked at before the next
 * call is served, so a task sees what it wrote as soon as it does anything here.
 *
 * Where nothing stands under the name and an empty file is not accepted, nothing does until then (git writes a .git file
 * like this): the name comes with the content, or not at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/own.h"
#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/sup_state.h"

enum { EVENTS_SIZE = 4096, TASK_FLAGS = O_ACCMODE | O_APPEND | O_NONBLOCK | O_SYNC | O_DSYNC | O_NOATIME };

static void drop(struct supervisor *sup, struct sup_stage *stage)
{
	(void)inotify_rm_watch(sup->events_fd, stage->watch);
	(void)close(stage->content);
	(void)close(stage->folder);
	stage->used = false;
	if (--sup->stage_count > 0)
		return;
	(void)close(sup->events_fd);
	sup->events_fd = -1;
}

/* ---- when it is opened ------------------------------------------------------------------------------------------- */

/* A file without a name, in the folder if its file system has such; else in memory. */
static int make_unnamed(int folder, int *ret_fd)
{
	int fd = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
		fd = memfd_create("content", MFD_CLOEXEC);
	if (fd < 0)
		return errno;
	*ret_fd = fd;
	return 0;
}

/* Is another about to come under this name? */
static bool is_awaited(const struct supervisor *sup, const struct sup_stage *stage)
{
	for (size_t i = 0; i < SUP_MAX_STAGES; i++) {
		const struct sup_stage *other = &sup->stages[i];
		if (other->used && other->fresh && other->dev == stage->dev && other->ino == stage->ino &&
		    strcmp(other->name, stage->name) == 0)
			return true;
	}
	return false;
}

/* What stands under the name, or, if nothing does, the folder. */
static int note_object(struct supervisor *sup, struct sup_stage *stage, int flags, mode_t *mode)
{
	struct stat st = {0};
	int seen = fstatat(stage->folder, stage->name, &st, AT_SYMLINK_NOFOLLOW);
	stage->fresh = seen < 0 && errno == ENOENT;
	if (stage->fresh)
		seen = fstat(stage->folder, &st);
	if (seen < 0)
		return errno;
	if (!stage->fresh && !S_ISREG(st.st_mode))
		return EACCES;
	stage->dev = st.st_dev;
	stage->ino = st.st_ino;
	if (!stage->fresh)
		*mode = st.st_mode;
	return stage->fresh && (flags & O_EXCL) != 0 && is_awaited(sup, stage) ? EEXIST : 0;
}

static int copy_into(struct supervisor *sup, const struct sup_stage *stage, int to)
{
	auto_fd int from = openat(stage->folder, stage->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (from < 0)
		return errno;
	ssize_t n = fd_read_full(from, sup->content, sup->content_size);
	if (n < 0)
		return errno;
	if ((size_t)n >= sup->content_size)
		return EFBIG;
	return fd_write_full(to, sup->content, (size_t)n) < 0 ? errno : 0;
}

static int reopen(struct supervisor *sup, int fd, int flags, int *ret_fd)
{
	char name[SUP_PROC_SIZE];
	self_fd_name(name, fd);
	int again = openat(sup->proc_fd, name, flags | O_CLOEXEC);
	if (again < 0)
		return errno;
	*ret_fd = again;
	return 0;
}

static int watch(struct supervisor *sup, struct sup_stage *stage)
{
	char path[SUP_PROC_SIZE + sizeof("/proc/")] = "";
	char name[SUP_PROC_SIZE];
	size_t at = 0;
	self_fd_name(name, stage->content);
	(void)text_put(path, sizeof(path), &at, "/proc/");
	(void)text_put(path, sizeof(path), &at, name);
	stage->watch = inotify_add_watch(sup->events_fd, path, IN_CLOSE_WRITE);
	return stage->watch < 0 ? errno : 0;
}

/* The name's folder, opened by its canonical path. */
static int note_place(struct supervisor *sup, const struct place *place, struct sup_stage *stage)
{
	const struct os_open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = OS_RESOLVE_NO_SYMLINKS};
	size_t len = place->name_at > 1 ? place->name_at - 1 : 1;
	size_t name_len = place->path_len - place->name_at;
	if (place->path_len == 0 || name_len >= sizeof(stage->name))
		return EACCES;
	memcpy(sup->join, place->path, len);
	sup->join[len] = '\0';
	memcpy(stage->name, place->path + place->name_at, name_len + 1);
	stage->folder = sys_openat2(AT_FDCWD, sup->join, &how);
	return stage->folder < 0 ? errno : 0;
}

/* Fills the stage and gives the task's descriptor. Our own that can write is gone before the watch begins. */
static int fill(struct supervisor *sup, struct sup_stage *stage, int flags, mode_t mode, int *ret_fd)
{
	auto_fd int first = -1;
	auto_fd int task = -1;
	int error = note_object(sup, stage, flags, &mode);
	if (error == 0)
		error = make_unnamed(stage->folder, &first);
	if (error == 0 && !stage->fresh && (flags & O_TRUNC) == 0)
		error = copy_into(sup, stage, first);
	if (error == 0)
		error = reopen(sup, first, O_RDONLY, &stage->content);
	if (error == 0)
		error = reopen(sup, first, flags & TASK_FLAGS, &task);
	if (error == 0 && fchmod(first, mode & 0777) < 0)
		error = errno;
	if (first >= 0)
		(void)close(take_fd(&first));
	if (error == 0)
		error = watch(sup, stage);
	if (error == 0)
		*ret_fd = take_fd(&task);
	return error;
}

int stage_open(struct call *call, const struct place *place, int flags, mode_t mode, int *ret_fd)
{
	struct supervisor *sup = call->sup;
	size_t slot = 0;
	while (slot < SUP_MAX_STAGES && sup->stages[slot].used)
		slot++;
	if (slot == SUP_MAX_STAGES)
		return ENFILE;
	if (sup->events_fd < 0)
		sup->events_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (sup->events_fd < 0)
		return errno;
	struct sup_stage *stage = &sup->stages[slot];
	*stage = (struct sup_stage){.content = -1, .folder = -1, .tid = call->tid};
	int error = note_place(sup, place, stage);
	if (error == 0)
		error = fill(sup, stage, flags, mode, ret_fd);
	if (error == 0) {
		stage->used = true;
		sup->stage_count++;
		return 0;
	}
	if (stage->content >= 0)
		(void)close(stage->content);
	if (stage->folder >= 0)
		(void)close(stage->folder);
	if (sup->stage_count == 0)
		(void)close(sup->events_fd);
	if (sup->stage_count == 0)
		sup->events_fd = -1;
	return error;
}

/* ---- when it is closed ------------------------------------------------------------------------------------------- */

/* Where the name is by now, since its folder may have been moved. false: what stood under it is gone, and with it what
 * was written. */
static bool find_again(const struct call *call, const struct sup_stage *stage, struct place *place)
{
	int folder = fcntl(stage->folder, F_DUPFD_CLOEXEC, 3);
	if (folder < 0 || place_in_folder(call, folder, stage->name, place) != 0 || place_look(place) != 0)
		return false;
	return stage->fresh || (place->exists && place->st.st_ino == stage->ino && place->st.st_dev == stage->dev);
}

/* Gives the judged copy its name; what is new does not take the place of what came meanwhile. 0, or an errno with the
 * rule. */
static int publish(struct call *call, const struct sup_stage *stage, const struct place *place, const char **ret_rule)
{
	char copy[JUDGE_NAME_SIZE];
	struct place_verdict verdict = place_judge_act(call, place, ACT_ARRIVE_FILE, 0);
	*ret_rule = verdict.rule != NULL ? verdict.rule : verdict.judge != NULL ? verdict.judge->label : NULL;
	if (verdict.rule != NULL)
		return verdict.error;
	if (stage->fresh && place->exists)
		return EEXIST;
	int error = stage->fresh ? place_check_beside(call, place, ret_rule) : 0;
	if (error == 0)
		error = judge_content(call, verdict.judge, place->folder, place->path, stage->content, copy);
	if (error != 0)
		return error;
	if (renameat2(place->folder, copy, place->folder, place->name, stage->fresh ? RENAME_NOREPLACE : 0) < 0) {
		error = errno;
		(void)unlinkat(place->folder, copy, 0);
	}
	return error;
}

static void commit(struct supervisor *sup, const struct sup_stage *stage)
{
	struct call call = {.sup = sup, .tid = stage->tid};
	struct place *place = &sup->places[0];
	const char *rule = NULL;
	sup->reason[0] = '\0';
	if (!find_again(&call, stage, place))
		return;
	int error = publish(&call, stage, place, &rule);
	if (error != 0)
		(void)place_refuse(&call, place, stage->fresh ? ACT_MAKE : ACT_WRITE, place->path, rule, error);
}

static void closed(struct supervisor *sup, int wd)
{
	for (size_t i = 0; i < SUP_MAX_STAGES; i++) {
		struct sup_stage *stage = &sup->stages[i];
		if (!stage->used || stage->watch != wd)
			continue;
		commit(sup, stage);
		place_done(&sup->places[0]);
		drop(sup, stage);
	}
}

void stage_collect(struct supervisor *sup)
{
	_Alignas(struct inotify_event) char buffer[EVENTS_SIZE];
	while (sup->stage_count > 0) { /* the last one closes what is read from */
		ssize_t n = read(sup->events_fd, buffer, sizeof(buffer));
		if (n <= 0)
			return;
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(buffer + at);
			at += (ssize_t)(sizeof(*event) + event->len);
			if ((event->mask & IN_CLOSE_WRITE) != 0)
				closed(sup, event->wd);
		}
	}
}
