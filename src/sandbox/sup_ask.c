/*
 * What no grant covers and a line asks about. What is asked about is held first: the very object, or the folder of a name,
 * by a descriptor; where the sandbox's own mounts are only read, the same one on the host's mounts, if it is the same. Then
 * the caller is asked by a process that stands for the supervisor in this one call: it waits, goes on with the handler where
 * that was, answers the task and ends. The supervisor goes on to others meanwhile. Paths can change while one waits: what
 * does not lie where it lay any more is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "os/sys.h"
#include "sandbox/sup_state.h"

/* ---- holding ----------------------------------------------------------------------------------------------------- */

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* What lies at the first len bytes of path on the host's mounts, if that is what st tells of. */
static int open_twin(const struct supervisor *sup, const char *path, size_t len, const struct stat *st, int *ret_fd)
{
	char text[SUP_PATH_MAX];
	struct stat there = {0};
	const struct os_open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
					.resolve = OS_RESOLVE_BENEATH | OS_RESOLVE_NO_SYMLINKS};
	if (len >= sizeof(text))
		return ENAMETOOLONG;
	memcpy(text, path, len);
	text[len] = '\0';
	auto_fd int fd = sys_openat2(sup->questions.host_fd, len > 1 ? text + 1 : ".", &how);
	if (fd < 0 || fstat(fd, &there) < 0)
		return errno;
	if (!is_same(st, &there))
		return EACCES; /* something of the sandbox's own lies over it */
	*ret_fd = take_fd(&fd);
	return 0;
}

static int hold_object(const struct call *call, struct place *place, bool changes)
{
	struct supervisor *sup = call->sup;
	auto_fd int fd = -1;
	auto_fd int twin = -1;
	if (place->unnamed) /* the task's own descriptor is all there is of it */
		return place->object >= 0 ? 0 : EACCES;
	int error = place_open_object(place, &fd);
	if (error != 0)
		return error;
	if (fstat(fd, &place->st) < 0)
		return errno;
	if (place->path_len == 0)
		return EACCES;
	/* Folders are read in the sandbox's own view: one of the host's mounts would lead around masks. */
	if (sup->questions.host_fd >= 0 && (changes || !S_ISDIR(place->st.st_mode))) {
		error = open_twin(sup, place->path, place->path_len, &place->st, &twin);
		if (error != 0 && place->object < 0) /* else the task's own descriptor is the object as well */
			return error;
	}
	place_done(place);
	place->object = twin >= 0 ? take_fd(&twin) : take_fd(&fd);
	place->looked = place->exists = true;
	return 0;
}

static size_t folder_len(const struct place *place)
{
	return place->name_at > 1 ? place->name_at - 1 : 1;
}

static int hold_folder(const struct call *call, struct place *place)
{
	struct supervisor *sup = call->sup;
	struct stat st = {0};
	auto_fd int fd = -1;
	if (place->folder == -1)
		return EACCES;
	if (sup->questions.host_fd < 0 && place->folder >= 0)
		return 0;
	if (fstatat(place->folder, "", &st, AT_EMPTY_PATH) < 0)
		return errno;
	if (sup->questions.host_fd >= 0) {
		int error = open_twin(sup, place->path, folder_len(place), &st, &fd);
		if (error != 0)
			return error;
	} else {
		fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return errno;
	}
	place_done(place);
	place->folder = take_fd(&fd);
	return 0;
}

int place_hold(const struct call *call, struct place *place, enum place_act act)
{
	return plan_act_of_name(act) ? hold_folder(call, place) : hold_object(call, place, act != ACT_READ);
}

/* Is what is held where it was? */
__attribute__((noinline)) static bool is_in_place(const struct supervisor *sup, const struct place *place)
{
	char name[SUP_PROC_SIZE], path[SUP_PATH_MAX];
	bool object = place->object >= 0;
	if (place->unnamed)
		return true;
	size_t len = object ? place->path_len : folder_len(place);
	self_fd_name(name, object ? place->object : place->folder);
	ssize_t n = readlinkat(sup->proc_fd, name, path, sizeof(path));
	return n >= 0 && (size_t)n == len && memcmp(path, place->path, len) == 0;
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

bool place_permits(struct call *call, struct place *place, enum place_act act, const char *as,
		   const struct place_verdict *verdict, struct sup_answer *ret_answer)
{
	struct supervisor *sup = call->sup;
	if (verdict->rule != NULL || verdict->error != 0) {
		*ret_answer = place_refuse(call, place, act, as, verdict->rule, verdict->error);
		return false;
	}
	if (verdict->ask == NULL)
		return true;
	int error = place_look(place);
	if (error == 0)
		error = place_hold(call, place, act);
	if (error == 0 && !call_alive(call))
		error = ESRCH;
	if (error != 0) {
		*ret_answer = answer_errno(error);
		return false;
	}
	struct sup_notice question = place_notice(place, act, as, verdict->ask);
	question.detail = sup->reason;
	if (sup->plan->allow_asked) {
		question.allowed = true;
		call_tell(call, &question);
		return true;
	}
	if (sup->questions.ask == NULL) {
		*ret_answer = place_refuse(call, place, act, as, verdict->ask, EACCES);
		return false;
	}
	if (!sup_go_on(call, true, ret_answer))
		return false;
	*ret_answer = answer_errno(EACCES);
	return sup->questions.ask(sup->notify_ctx, call, &question, sup->asking.id, sup->asking.answers) &&
	       is_in_place(sup, place);
}
