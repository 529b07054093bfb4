/*
 * access and faccessat: what may be asked for lies on mounts that are only read, so the kernel says that it cannot be written
 * to. Where it could be after a question, the host's mounts are asked instead. Nothing hangs on the answer, so for all else
 * the kernel gives it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/sys.h"
#include "sandbox/sup_state.h"

static struct sup_answer answer_access(struct call *call, const char *path, int dirfd, int mode, int flags)
{
	struct supervisor *sup = call->sup;
	struct place *place = &sup->places[0];
	char name[SUP_PROC_SIZE];
	unsigned how = PLACE_FOLDERS | ((flags & AT_SYMLINK_NOFOLLOW) != 0 ? PLACE_NOFOLLOW : PLACE_FOLLOW);
	if (place_find(call, dirfd, path, how, 0, place) != 0 || !place->exists || !call_alive(call) ||
	    place->ask == NULL || !place_governed(place, GOVERN_WRITE))
		return answer_continue();
	struct place_verdict verdict = place_judge_act(call, place, ACT_WRITE, 0);
	if (verdict.rule != NULL)
		return answer_errno(EACCES);
	if (verdict.ask == NULL || place_hold(call, place, ACT_WRITE) != 0)
		return answer_continue();
	self_fd_name(name, place->object);
	return answer_result(faccessat(sup->proc_fd, name, mode, flags & AT_EACCESS));
}

/* Only a question for writing is answered otherwise here. */
static struct sup_answer serve_access_at(struct call *call, int dirfd, const uint64_t *args, int flags)
{
	int mode = (int)args[1];
	if ((mode & W_OK) == 0 || (mode & ~(R_OK | W_OK)) != 0 || (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EACCESS)) != 0 ||
	    task_path(call, args[0], call->sup->text[0], sizeof(call->sup->text[0])) != 0)
		return answer_continue();
	return answer_access(call, call->sup->text[0], dirfd, mode, flags);
}

static struct sup_answer serve_faccessat(struct call *call)
{
	return serve_access_at(call, (int)call->args[0], call->args + 1, 0);
}

static struct sup_answer serve_faccessat2(struct call *call)
{
	return serve_access_at(call, (int)call->args[0], call->args + 1, (int)call->args[3]);
}

#ifdef SYS_access
static struct sup_answer serve_access(struct call *call)
{
	return serve_access_at(call, AT_FDCWD, call->args, 0);
}
#endif

const struct sup_row sup_access_rows[] = {
	{SYS_faccessat, serve_faccessat},
	{OS_NR_faccessat2, serve_faccessat2},
#ifdef SYS_access
	{SYS_access, serve_access},
#endif
	{-1, NULL},
};
