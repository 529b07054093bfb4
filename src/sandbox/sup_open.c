/*
 * open, creat, openat, openat2 for writing or creating (and for reading, where a tree's reading is governed), and umask.
 *
 * What it costs in system calls, from RECV to SEND, which are two themselves; beyond these two a wait in poll:
 *	a new file (O_EXCL): process_vm_readv, ID_VALID, openat2, ADDFD, close
 *	what exists, or may: process_vm_readv, openat2 (folder), fstatat, ID_VALID, openat2, fstat, fcntl, ADDFD, 2 close
 *	a relative path: fchdir, chdir (by /proc), getcwd more, and openat2 (folder), close less if it has no slash
 *	a path that passes a link: another openat2 (folder), fchdir, getcwd
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"
#include "os/sys.h"
#include "sandbox/sup_state.h"

/* What open and openat heed (O_SYNC and O_TMPFILE hold O_DSYNC and O_DIRECTORY); other bits they ignore. O_LARGEFILE is
 * set by the kernel for every 64-bit task. */
static const uint64_t OPEN_FLAGS = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC |
				   O_ASYNC | O_DIRECT | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE;

enum { PAGE = 4096 }; /* openat2 takes no more */

struct opening {
	struct call *call;
	int dirfd;
	const char *path;
	uint64_t flags, resolve;
	mode_t mode;
	struct place *place;
};

static bool makes_tmpfile(const struct opening *opening)
{
	return (opening->flags & O_TMPFILE) == O_TMPFILE;
}

static bool writes(const struct opening *opening)
{
	return (opening->flags & O_ACCMODE) != O_RDONLY || (opening->flags & O_TRUNC) != 0;
}

static bool reads(const struct opening *opening)
{
	return (opening->flags & O_ACCMODE) != O_WRONLY;
}

static struct sup_answer answer_fd(const struct opening *opening, int fd)
{
	return (struct sup_answer){.kind = SUP_FD, .fd = fd, .fd_cloexec = (opening->flags & O_CLOEXEC) != 0};
}

/* ---- the act ----------------------------------------------------------------------------------------------------- */

/* An object is there: nothing is to be made (a fortified libc ends a process that asks to and gives no mode), and the link
 * that leads to it is procfs's. */
static uint64_t of_object(uint64_t flags)
{
	return flags & ~(uint64_t)(O_CREAT | O_EXCL | O_NOFOLLOW);
}

/* RESOLVE_NO_SYMLINKS stands for O_NOFOLLOW, which the task would see in F_GETFL. */
static int open_place(const struct opening *opening, uint64_t flags)
{
	const struct place *place = opening->place;
	const struct os_open_how how = {
		.flags = flags | O_CLOEXEC,
		.mode = opening->mode,
		.resolve = opening->resolve | OS_RESOLVE_NO_SYMLINKS,
	};
	if (place->object < 0)
		return sys_openat2(place->folder, place->name, &how);
	char name[SUP_PROC_SIZE];
	self_fd_name(name, place->object);
	return openat(opening->call->sup->proc_fd, name, (int)(of_object(flags) | O_CLOEXEC));
}

/* A path that is open as O_PATH cannot change any more, whatever the supervisor does meanwhile. */
static struct sup_answer open_slowly(struct call *call, void *ctx)
{
	const struct opening *opening = ctx;
	char name[SUP_PROC_SIZE];
	self_fd_name(name, opening->place->object);
	int fd = openat(call->sup->proc_fd, name, (int)(of_object(opening->flags) | O_CLOEXEC));
	return fd < 0 ? answer_errno(errno) : answer_fd(opening, fd);
}

static struct sup_answer open_in_helper(const struct opening *opening)
{
	struct opening slow = *opening;
	slow.place = &opening->call->sup->places[1];
	int error = place_open_object(opening->place, &slow.place->object);
	return error != 0 ? answer_errno(error) : call_in_helper(opening->call, open_slowly, &slow);
}

/* A file with a lease lets an open wait for its holder: so it is opened without waiting, first. */
static struct sup_answer open_regular(const struct opening *opening)
{
	struct stat st = {0};
	bool waits = (opening->flags & O_NONBLOCK) == 0;
	auto_fd int fd = open_place(opening, opening->flags | O_NONBLOCK);
	if (fd < 0)
		return waits && errno == EWOULDBLOCK ? open_in_helper(opening) : answer_errno(errno);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return answer_errno(EAGAIN); /* another object has got the name, from outside */
	if (waits && fcntl(fd, F_SETFL, (int)(opening->flags & (O_APPEND | O_DIRECT | O_NOATIME))) < 0)
		return answer_errno(errno);
	return answer_fd(opening, take_fd(&fd));
}

static struct sup_answer open_plainly(const struct opening *opening)
{
	int fd = open_place(opening, opening->flags);
	return fd < 0 ? answer_errno(errno) : answer_fd(opening, fd);
}

static struct sup_answer open_fifo(const struct opening *opening)
{
	bool waits = (opening->flags & O_NONBLOCK) == 0 && (opening->flags & O_ACCMODE) != O_RDWR;
	return waits ? open_in_helper(opening) : open_plainly(opening);
}

/* The rule whose judge decides what may come to be there by a rename; NULL: nothing may, or all. */
static const struct plan_rule *judge_of(const struct opening *opening)
{
	struct place_verdict verdict = place_judge_act(opening->call, opening->place, ACT_ARRIVE_FILE, 0);
	return verdict.rule == NULL ? verdict.judge : NULL;
}

/* What the file system itself would say to it. */
static int access_errno(const struct opening *opening)
{
	const struct place *place = opening->place;
	int need = writes(opening) ? W_OK | (reads(opening) ? R_OK : 0) : R_OK;
	char name[SUP_PROC_SIZE];
	int dir = place->folder;
	if (place->object >= 0) {
		self_fd_name(name, place->object);
		dir = opening->call->sup->proc_fd;
	}
	return faccessat(dir, place->object >= 0 ? name : place->name, need, 0) < 0 ? errno : 0;
}

/* In place of a file whose content is judged the task gets one beside, whose content will be. */
static struct sup_answer open_staged(const struct opening *opening, const struct plan_rule *rule)
{
	int fd = -1;
	int error = stage_open(opening->call, opening->place, (int)opening->flags, 0, &fd);
	if (error == EFBIG) /* larger than what the judge takes */
		return place_refuse(opening->call, opening->place, ACT_WRITE, opening->path, rule->label, EACCES);
	return error != 0 ? answer_errno(error) : answer_fd(opening, fd);
}

/* ---- what exists ------------------------------------------------------------------------------------------------- */

/* Of what cannot be opened like this anyway the kernel tells the errno. */
static bool is_vain(const struct opening *opening)
{
	mode_t type = opening->place->st.st_mode & S_IFMT;
	if (type == S_IFDIR)
		return writes(opening) || (opening->flags & O_CREAT) != 0;
	return type == S_IFLNK || type == S_IFSOCK || (opening->flags & O_DIRECTORY) != 0;
}

/* False: *ret_answer says why not, or what it gets instead. *ask is set if somebody is to be asked. */
static bool may_write(const struct opening *opening, const char **ask, struct sup_answer *ret_answer)
{
	const struct place *place = opening->place;
	struct place_verdict verdict = place_judge_act(opening->call, place, ACT_WRITE, 0);
	if (verdict.ask != NULL)
		*ask = verdict.ask;
	if (verdict.rule == NULL)
		return true;
	const struct plan_rule *judge = S_ISREG(place->st.st_mode) ? judge_of(opening) : NULL;
	if (judge == NULL) {
		*ret_answer = place_refuse(opening->call, place, ACT_WRITE, opening->path, verdict.rule, verdict.error);
		return false;
	}
	int error = access_errno(opening);
	*ret_answer = error != 0 ? answer_errno(error) : open_staged(opening, judge);
	return false;
}

/* One question, of what weighs more. What the file system refuses anyway is not worth one. */
static bool may_after_asking(const struct opening *opening, const char *ask, struct sup_answer *ret_answer)
{
	int error = access_errno(opening);
	if (error != 0 && error != EROFS) {
		*ret_answer = answer_errno(error);
		return false;
	}
	const struct place_verdict verdict = {.ask = ask};
	return place_permits(opening->call, opening->place, writes(opening) ? ACT_WRITE : ACT_READ, opening->path,
			     &verdict, ret_answer);
}

static struct sup_answer open_existing(const struct opening *opening)
{
	struct place *place = opening->place;
	struct sup_answer answer;
	const char *ask = NULL;
	unsigned govern = (writes(opening) ? GOVERN_WRITE : 0U) | (reads(opening) ? GOVERN_READ : 0U);
	mode_t type = place->st.st_mode & S_IFMT;
	if (type == S_IFCHR || type == S_IFBLK)
		return answer_continue();
	if (!place_governed(place, govern)) {
		if (!is_vain(opening))
			place_report(opening->call, place, writes(opening) ? ACT_WRITE : ACT_READ, opening->path);
		return answer_continue();
	}
	if (is_vain(opening))
		return open_plainly(opening);
	if (reads(opening)) { /* of what is governed for writing alone, too: here no Landlock asks for the right */
		struct place_verdict verdict = place_judge_act(opening->call, place, ACT_READ, 0);
		if (verdict.rule != NULL)
			return place_refuse(opening->call, place, ACT_READ, opening->path, verdict.rule, verdict.error);
		ask = verdict.ask;
	}
	if (writes(opening) && !may_write(opening, &ask, &answer))
		return answer;
	if (ask != NULL && !may_after_asking(opening, ask, &answer))
		return answer;
	if (type == S_IFDIR)
		return open_plainly(opening);
	return type == S_IFREG ? open_regular(opening) : open_fifo(opening);
}

/* ---- what does not ----------------------------------------------------------------------------------------------- */

/* Some programs (all that use libgit2) make a file that is judged, close it, and replace it by a rename: so it is made, if
 * an empty one is accepted. What the task writes is judged when it is closed. */
static struct sup_answer open_judged(const struct opening *opening, const struct plan_rule *rule)
{
	const struct place *place = opening->place;
	char copy[JUDGE_NAME_SIZE];
	mode_t mask = 0;
	int error = task_umask(opening->call, &mask);
	if (error != 0)
		return answer_errno(error);
	auto_fd int empty = memfd_create("empty", MFD_CLOEXEC);
	if (empty < 0 || fchmod(empty, opening->mode & 0777 & ~mask) < 0)
		return answer_errno(errno);
	error = judge_content(opening->call, rule, place->folder, place->path, empty, copy);
	if (error == EACCES)
		return place_refuse(opening->call, place, ACT_MAKE, opening->path, rule->label, error);
	if (error != 0)
		return answer_errno(error);
	if (renameat2(place->folder, copy, place->folder, place->name, RENAME_NOREPLACE) < 0) {
		error = errno;
		(void)unlinkat(place->folder, copy, 0);
		return answer_errno(error);
	}
	if (writes(opening))
		return open_staged(opening, rule);
	int fd = openat(place->folder, place->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? answer_errno(errno) : answer_fd(opening, fd);
}

/* Programs that write in place what is never accepted empty, as git does a .git file. */
static struct sup_answer open_unborn(const struct opening *opening)
{
	mode_t mask = 0;
	int fd = -1;
	if (opening->place->slash)
		return answer_errno(EISDIR);
	int error = task_umask(opening->call, &mask);
	if (error == 0)
		error = stage_open(opening->call, opening->place, (int)opening->flags, opening->mode & ~mask, &fd);
	return error != 0 ? answer_errno(error) : answer_fd(opening, fd);
}

static struct sup_answer open_new(const struct opening *opening)
{
	struct call *call = opening->call;
	struct place *place = opening->place;
	const char *rule = NULL;
	if (!place_folder_governed(place)) {
		place_report(call, place, ACT_MAKE, opening->path);
		return answer_continue();
	}
	struct place_verdict verdict = place_judge_act(call, place, ACT_MAKE, 0);
	if (verdict.rule != NULL) {
		if (place_look(place) == 0 && place->exists)
			return answer_errno(EEXIST); /* not looked up before only if the call wants it new */
		verdict.judge = judge_of(opening);
		if (verdict.judge == NULL)
			return place_refuse(call, place, ACT_MAKE, opening->path, verdict.rule, verdict.error);
	}
	int error = place_check_beside(call, place, &rule);
	if (error != 0)
		return place_refuse(call, place, ACT_MAKE, opening->path, rule, error);
	struct sup_answer answer;
	if (verdict.ask != NULL && !place_permits(call, place, ACT_MAKE, opening->path, &verdict, &answer))
		return answer;
	if (verdict.judge != NULL)
		return verdict.judge->in_place && writes(opening) ? open_unborn(opening)
								  : open_judged(opening, verdict.judge);
	error = task_umask(call, NULL);
	if (error != 0)
		return answer_errno(error);
	answer = open_plainly(opening);
	if (answer.kind != SUP_FD || scratch_remember(call->sup, place, answer.fd))
		return answer;
	(void)close(answer.fd);
	(void)unlinkat(place->folder, place->name, 0);
	return answer_errno(ENFILE);
}

/* Something new at a path without links, the usual case, is one walk of the kernel: the text is judged, and the file is
 * made only if the text is where it comes to be. false: that is not the case here. */
static bool open_new_plainly(const struct opening *opening, struct sup_answer *ret_answer)
{
	struct call *call = opening->call;
	struct place *place = opening->place;
	if (opening->resolve != 0 || place_guess(call, opening->dirfd, opening->path, place) != 0 ||
	    !place_folder_governed(place) || place->holder == &call->sup->shared || place_is_awaited(call, place))
		return false;
	struct place_verdict verdict = place_judge_act(call, place, ACT_MAKE, 0);
	if (verdict.rule != NULL || verdict.ask != NULL || task_umask(call, NULL) != 0 || !call_alive(call))
		return false;
	const struct os_open_how how = {
		.flags = opening->flags | O_CLOEXEC,
		.mode = opening->mode,
		.resolve = OS_RESOLVE_NO_SYMLINKS,
	};
	int fd = sys_openat2(AT_FDCWD, opening->path, &how);
	if (fd < 0 && errno == ELOOP)
		return false;
	*ret_answer = fd < 0 ? answer_errno(errno) : answer_fd(opening, fd);
	return true;
}

static struct sup_answer open_tmpfile(const struct opening *opening)
{
	struct call *call = opening->call;
	struct place *place = opening->place;
	int error = place_find_folder(call, opening->dirfd, opening->path, opening->resolve, place);
	if (error > 0)
		return answer_errno(error);
	if (error < 0 || !place_governed(place, GOVERN_WRITE))
		return answer_continue();
	struct place_verdict verdict = place_judge_act(call, place, ACT_META, 0);
	struct sup_answer answer;
	/* A folder is what is held; what is made in it has no name. */
	if (!place_permits(call, place, ACT_META, opening->path, &verdict, &answer))
		return answer;
	error = task_umask(call, NULL);
	if (error != 0 || !call_alive(call))
		return answer_errno(error != 0 ? error : ESRCH);
	const struct os_open_how how = {.flags = opening->flags | O_CLOEXEC, .mode = opening->mode};
	int fd = sys_openat2(place->object, ".", &how);
	return fd < 0 ? answer_errno(errno) : answer_fd(opening, fd);
}

/* ---- the calls --------------------------------------------------------------------------------------------------- */

static bool ends_in_slash(const char *path)
{
	size_t len = strlen(path);
	return len > 0 && path[len - 1] == '/';
}

/* A slash behind a name follows a link in any case. */
static bool follows(const struct opening *opening)
{
	return (opening->flags & O_NOFOLLOW) == 0 || ends_in_slash(opening->path);
}

/* "/", ".", "..", and paths that end in them: a folder, named as a whole. */
static bool names_whole(const char *path)
{
	size_t len = strlen(path);
	while (len > 0 && path[len - 1] == '/')
		len--;
	const char *slash = memrchr(path, '/', len);
	struct str name = {slash == NULL ? path : slash + 1, len - (size_t)(slash == NULL ? 0 : slash + 1 - path)};
	return len == 0 ? path[0] == '/' : str_eq(name, STR(".")) || str_eq(name, STR(".."));
}

/* Such a folder, or one that a link leads to by such a name, can only be read, which is on behalf where reading is
 * governed. */
static struct sup_answer open_whole(const struct opening *opening)
{
	struct call *call = opening->call;
	struct place *place = opening->place;
	if (!reads(opening) || writes(opening) || (!names_whole(opening->path) && !follows(opening)) ||
	    place_find_folder(call, opening->dirfd, opening->path, opening->resolve, place) != 0 ||
	    !place_governed(place, GOVERN_READ))
		return answer_continue();
	struct place_verdict verdict = place_judge_act(call, place, ACT_READ, 0);
	struct sup_answer answer;
	if (!place_permits(call, place, ACT_READ, opening->path, &verdict, &answer))
		return answer;
	if (!call_alive(call))
		return answer_errno(ESRCH);
	const struct os_open_how how = {.flags = opening->flags | O_CLOEXEC};
	int fd = sys_openat2(place->object, ".", &how);
	return fd < 0 ? answer_errno(errno) : answer_fd(opening, fd);
}

static struct sup_answer open_named(const struct opening *opening)
{
	struct place *place = opening->place;
	bool creates = (opening->flags & O_CREAT) != 0;
	bool fresh = creates && (opening->flags & O_EXCL) != 0;
	struct sup_answer answer;
	if (fresh && open_new_plainly(opening, &answer))
		return answer;
	bool vain = creates && !fresh && ends_in_slash(opening->path); /* what is to be made is no folder */
	unsigned how = fresh || vain ? PLACE_BLIND : follows(opening) ? PLACE_FOLLOW : PLACE_NOFOLLOW;
	int error = place_find(opening->call, opening->dirfd, opening->path, how | PLACE_HERE, opening->resolve, place);
	if (error != 0)
		return error < 0 ? open_whole(opening) : answer_errno(error);
	if (vain)
		return answer_errno(EISDIR);
	if (!call_alive(opening->call))
		return answer_errno(ESRCH);
	if (!fresh && place->exists)
		return open_existing(opening);
	return creates ? open_new(opening) : answer_errno(ENOENT);
}

/* Where something may be asked for, each open for reading comes here. Most are of what is granted and passes no link: then
 * Landlock lets it pass, which is all that going on means. */
static bool reads_what_is_granted(const struct opening *opening)
{
	const struct berm_plan *plan = opening->call->sup->plan;
	const char *path = opening->path;
	if (plan->ask_count == 0 || opening->resolve != 0 || path[0] != '/' || !place_is_plain(path))
		return false;
	const struct plan_grant *grant = plan_grant_at(plan, str_from(path));
	if (grant == NULL || (grant->rights & BERM_READ) == 0 || (grant->govern & GOVERN_READ) != 0)
		return false;
	const struct os_open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = OS_RESOLVE_NO_SYMLINKS};
	auto_fd int fd = sys_openat2(AT_FDCWD, path, &how);
	return fd >= 0 || errno == ENOENT;
}

static struct sup_answer serve_open(struct call *call, int dirfd, uint64_t address, const struct os_open_how *how)
{
	struct supervisor *sup = call->sup;
	struct opening opening = {
		.call = call,
		.dirfd = dirfd,
		.path = sup->text[0],
		.flags = how->flags,
		.resolve = how->resolve,
		.mode = (mode_t)how->mode,
		.place = &sup->places[0],
	};
	bool changes = writes(&opening) || (how->flags & O_CREAT) != 0 || makes_tmpfile(&opening);
	if ((how->flags & O_PATH) != 0 || (!changes && !sup->plan->spec.trap_reads))
		return answer_continue();
	int error = task_path(call, address, sup->text[0], sizeof(sup->text[0]));
	if (error != 0)
		return answer_errno(error);
	sup->reason[0] = '\0';
	if (!changes && reads_what_is_granted(&opening))
		return answer_continue();
	return makes_tmpfile(&opening) ? open_tmpfile(&opening) : open_named(&opening);
}

/* The kernel checks flags before it looks at the path, which is empty here. */
static int flags_errno(const struct os_open_how *how)
{
	return sys_openat2(-1, "", how) < 0 && errno != ENOENT ? errno : 0;
}

static struct sup_answer serve_old_open(struct call *call, int dirfd, const uint64_t *args)
{
	const uint64_t tmpfile_bit = O_TMPFILE & ~O_DIRECTORY;
	uint64_t flags = (uint32_t)args[1] & OPEN_FLAGS;
	bool makes = (flags & (O_CREAT | tmpfile_bit)) != 0;
	const struct os_open_how how = {.flags = flags, .mode = makes ? args[2] & 07777 : 0};
	if ((flags & tmpfile_bit) != 0 || (flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY)) {
		int error = flags_errno(&how); /* not every kernel has or allows these */
		if (error != 0)
			return answer_errno(error);
	}
	return serve_open(call, dirfd, args[0], &how);
}

static struct sup_answer serve_openat(struct call *call)
{
	return serve_old_open(call, (int)call->args[0], call->args + 1);
}

#ifdef SYS_open
static struct sup_answer serve_open_call(struct call *call)
{
	return serve_old_open(call, AT_FDCWD, call->args);
}

static struct sup_answer serve_creat(struct call *call)
{
	const uint64_t args[] = {call->args[0], O_CREAT | O_WRONLY | O_TRUNC, call->args[1]};
	return serve_old_open(call, AT_FDCWD, args);
}
#endif

/* A larger struct than ours may only hold zeros there. */
static int read_how(const struct call *call, struct os_open_how *ret_how)
{
	const size_t size = call->args[3];
	char *rest = call->sup->join;
	if (size < sizeof(*ret_how))
		return EINVAL;
	if (size > PAGE)
		return E2BIG;
	int error = task_read(call, call->args[2], ret_how, sizeof(*ret_how));
	if (error == 0)
		error = task_read(call, call->args[2] + sizeof(*ret_how), rest, size - sizeof(*ret_how));
	if (error != 0)
		return error;
	for (size_t i = 0; i < size - sizeof(*ret_how); i++)
		if (rest[i] != 0)
			return E2BIG;
	return 0;
}

static struct sup_answer serve_openat2(struct call *call)
{
	struct os_open_how how;
	int error = read_how(call, &how);
	if (error == 0)
		error = flags_errno(&how);
	if (error != 0)
		return answer_errno(error);
	return serve_open(call, (int)call->args[0], call->args[1], &how);
}

/* Its only argument is a number, so the kernel does it, and what is remembered of the task follows. */
static struct sup_answer serve_umask(struct call *call)
{
	task_umask_changes(call, (mode_t)call->args[0]);
	return answer_continue();
}

const struct sup_row sup_open_rows[] = {
	{SYS_openat, serve_openat},
	{OS_NR_openat2, serve_openat2},
	{SYS_umask, serve_umask},
#ifdef SYS_open
	{SYS_open, serve_open_call},
	{SYS_creat, serve_creat},
#endif
	{-1, NULL},
};
