/*
 * Permissions, owners, times, attributes. No Landlock right holds them, so a call is never continued here: what a path
 * leads to could be another object by then. The act is done on what was judged: the fetched descriptor, a name in a
 * governed folder, or an O_PATH descriptor by its entry in /proc.
 *
 * Where mounts hold what lies outside the grants, only rules are asked; without them (trap_metadata) the object must lie
 * in what may be written.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include "base/own.h"
#include "os/sys.h"
#include "sandbox/sup_state.h"

enum { XATTR_NAME_SIZE = 256, FILE_ATTR_MAX = 4096, AT_PLAIN = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH };

/* ---- what is changed --------------------------------------------------------------------------------------------- */

struct subject {
	struct call *call;
	struct place *place;
	int fd;		  /* the task's very descriptor, or -1: */
	int dir;	  /* then it is name in dir, */
	const char *name; /* and links in name are procfs's */
	char entry[SUP_PROC_SIZE];
	int keep; /* to be closed */
};

static void subject_done(struct subject *subject)
{
	if (subject->keep >= 0)
		(void)close(subject->keep);
}
#define auto_subject __attribute__((cleanup(subject_done)))

/* Governed folders stand still; elsewhere the object itself is held. */
static int subject_hold(struct subject *subject)
{
	struct place *place = subject->place;
	if (place->object < 0 && !place->exists)
		return ENOENT;
	if (place->object < 0 && place_folder_governed(place) && !S_ISLNK(place->st.st_mode)) {
		subject->dir = place->folder;
		subject->name = place->name;
		return 0;
	}
	int error = place_open_object(place, &subject->keep);
	if (error != 0)
		return error;
	self_fd_name(subject->entry, subject->keep);
	subject->dir = subject->call->sup->proc_fd;
	subject->name = subject->entry;
	return 0;
}

static int find_path(struct call *call, int dirfd, const char *path, int flags, struct place *place)
{
	size_t len = strlen(path);
	bool slash = len > 0 && path[len - 1] == '/';
	bool follow = (flags & AT_SYMLINK_NOFOLLOW) == 0 || slash;
	if (len == 0 && (flags & AT_EMPTY_PATH) != 0) {
		int fd = -1;
		int error = task_dirfd(call, dirfd, &fd);
		return error != 0 ? error : place_of_fd(call, fd, place);
	}
	unsigned how = PLACE_EVERYWHERE | PLACE_FOLDERS | PLACE_HERE | (follow ? PLACE_FOLLOW : 0U);
	int error = place_find(call, dirfd, path, how, 0, place);
	if (error >= 0)
		return error;
	/* A circle of links; or procfs, which does not let its own modes, owners and times be set. */
	struct stat st = {0};
	error = task_enter_dir(call, dirfd);
	return error == 0 && fstatat(AT_FDCWD, path, &st, 0) < 0 && errno == ELOOP ? ELOOP : EPERM;
}

static int subject_of_path(struct call *call, int dirfd, uint64_t address, int flags, struct subject *ret_subject)
{
	struct supervisor *sup = call->sup;
	sup->reason[0] = '\0';
	*ret_subject = (struct subject){.call = call, .place = &sup->places[0], .fd = -1, .name = "", .keep = -1};
	int error = task_path(call, address, sup->text[0], sizeof(sup->text[0]));
	if (error == 0)
		error = find_path(call, dirfd, sup->text[0], flags, ret_subject->place);
	if (error == 0 && !call_alive(call))
		error = ESRCH;
	return error != 0 ? error : subject_hold(ret_subject);
}

static int subject_of_fd(struct call *call, int number, struct subject *ret_subject)
{
	struct supervisor *sup = call->sup;
	int fd = -1;
	sup->reason[0] = sup->text[0][0] = '\0';
	*ret_subject = (struct subject){.call = call, .place = &sup->places[0], .fd = -1, .name = "", .keep = -1};
	int error = task_fd(call, number, &fd);
	if (error != 0)
		return error;
	ret_subject->fd = fd;
	error = place_of_fd(call, fd, ret_subject->place); /* which closes it */
	return error == 0 && !call_alive(call) ? ESRCH : error;
}

/* ---- may it be --------------------------------------------------------------------------------------------------- */

/* Nobody but who holds it open ever sees it. */
static bool is_private(const struct place *place)
{
	return place->unnamed && (place->path_len == 0 || place->st.st_nlink == 0);
}

static struct place_verdict judge_subject(const struct subject *subject, enum place_act act, mode_t mode)
{
	const struct place_verdict allowed = {0};
	const struct call *call = subject->call;
	const struct place *place = subject->place;
	const struct plan_grant *grant = place->grant;
	if (is_private(place))
		return allowed;
	if (place->unnamed && place->ask != NULL) /* it lost the name by which it was asked for */
		return (struct place_verdict){.ask = place->ask->label};
	if ((grant == NULL || (!grant->closed && (grant->rights & BERM_WRITE) == 0)) && place->ask == NULL) {
		bool held = !call->sup->plan->spec.trap_metadata; /* by read-only mounts */
		if (held || (grant == NULL && place_own(call, place)))
			return allowed;
		return (struct place_verdict){.rule = PLAN_NOT_GRANTED, .error = EPERM};
	}
	return place_judge_act(call, place, act, mode);
}

/* What was asked about is held by its place, and is to be changed there, even if the task named it by a descriptor: that
 * may be one of a mount that is only read. */
static int subject_hold_asked(struct subject *subject)
{
	subject_done(subject);
	subject->fd = subject->keep = -1;
	return subject_hold(subject);
}

/* True if it was refused. */
static bool is_refused(struct subject *subject, enum place_act act, mode_t mode, struct sup_answer *ret_answer)
{
	struct place_verdict verdict = judge_subject(subject, act, mode);
	verdict.error = verdict.rule != NULL ? EPERM : 0;
	if (!place_permits(subject->call, subject->place, act, subject->call->sup->text[0], &verdict, ret_answer))
		return true;
	if (verdict.ask == NULL)
		return false;
	int error = subject_hold_asked(subject);
	*ret_answer = answer_errno(error);
	return error != 0;
}

/* ---- permissions ------------------------------------------------------------------------------------------------- */

static struct sup_answer change_mode(struct call *call, int dirfd, uint64_t address, mode_t mode, int flags)
{
	auto_subject struct subject subject = {.keep = -1};
	struct sup_answer answer;
	if ((flags & ~AT_PLAIN) != 0)
		return answer_errno(EINVAL);
	int error = subject_of_path(call, dirfd, address, flags, &subject);
	if (error != 0)
		return answer_errno(error);
	if (is_refused(&subject, ACT_MODE, mode, &answer))
		return answer;
	return answer_result(fchmodat(subject.dir, subject.name, mode & 07777, 0));
}

static struct sup_answer serve_fchmodat(struct call *call)
{
	return change_mode(call, (int)call->args[0], call->args[1], (mode_t)call->args[2], 0);
}

static struct sup_answer serve_fchmodat2(struct call *call)
{
	return change_mode(call, (int)call->args[0], call->args[1], (mode_t)call->args[2], (int)call->args[3]);
}

static struct sup_answer serve_fchmod(struct call *call)
{
	auto_subject struct subject subject = {.keep = -1};
	struct sup_answer answer;
	mode_t mode = (mode_t)call->args[1];
	int error = subject_of_fd(call, (int)call->args[0], &subject);
	if (error != 0)
		return answer_errno(error);
	if (is_refused(&subject, ACT_MODE, mode, &answer))
		return answer;
	return answer_result(subject.fd >= 0 ? fchmod(subject.fd, mode & 07777)
					     : fchmodat(subject.dir, subject.name, mode & 07777, 0));
}

/* ---- owners ------------------------------------------------------------------------------------------------------ */

static struct sup_answer change_owner(struct call *call, int dirfd, const uint64_t *args, int flags)
{
	auto_subject struct subject subject = {.keep = -1};
	struct sup_answer answer;
	if ((flags & ~AT_PLAIN) != 0)
		return answer_errno(EINVAL);
	int error = subject_of_path(call, dirfd, args[0], flags, &subject);
	if (error != 0)
		return answer_errno(error);
	if (is_refused(&subject, ACT_META, 0, &answer))
		return answer;
	return answer_result(fchownat(subject.dir, subject.name, (uid_t)args[1], (gid_t)args[2], 0));
}

static struct sup_answer serve_fchownat(struct call *call)
{
	return change_owner(call, (int)call->args[0], call->args + 1, (int)call->args[4]);
}

static struct sup_answer serve_fchown(struct call *call)
{
	auto_subject struct subject subject = {.keep = -1};
	struct sup_answer answer;
	int error = subject_of_fd(call, (int)call->args[0], &subject);
	if (error != 0)
		return answer_errno(error);
	if (is_refused(&subject, ACT_META, 0, &answer))
		return answer;
	uid_t owner = (uid_t)call->args[1];
	gid_t group = (gid_t)call->args[2];
	return answer_result(subject.fd >= 0 ? fchown(subject.fd, owner, group)
					     : fchownat(subject.dir, subject.name, owner, group, 0));
}

/* ---- times ------------------------------------------------------------------------------------------------------- */

/* times is NULL: now. A path of NULL is the descriptor itself. */
static struct sup_answer change_times(struct call *call, int dirfd, uint64_t address, const struct timespec *times,
				      int flags)
{
	auto_subject struct subject subject = {.keep = -1};
	struct sup_answer answer;
	bool by_fd = address == 0 && dirfd != AT_FDCWD;
	if ((flags & ~(by_fd ? 0 : AT_PLAIN)) != 0)
		return answer_errno(EINVAL);
	int error =
		by_fd ? subject_of_fd(call, dirfd, &subject) : subject_of_path(call, dirfd, address, flags, &subject);
	if (error != 0)
		return answer_errno(error);
	if (is_refused(&subject, ACT_META, 0, &answer))
		return answer;
	return answer_result(subject.fd >= 0 ? futimens(subject.fd, times)
					     : utimensat(subject.dir, subject.name, times, 0));
}

static struct sup_answer serve_utimensat(struct call *call)
{
	struct timespec times[2];
	uint64_t address = call->args[2];
	int error = address == 0 ? 0 : task_read(call, address, times, sizeof(times));
	if (error != 0)
		return answer_errno(error);
	if (address != 0 && times[0].tv_nsec == UTIME_OMIT && times[1].tv_nsec == UTIME_OMIT)
		return answer_value(0);
	return change_times(call, (int)call->args[0], call->args[1], address == 0 ? NULL : times, (int)call->args[3]);
}

/* ---- attributes -------------------------------------------------------------------------------------------------- */

struct attribute {
	char name[XATTR_NAME_SIZE];
	const void *value; /* NULL: remove it */
	size_t size;
	int flags;
};

/* The kernel's: an empty name and one that is too long are ERANGE. */
static int read_attribute_name(const struct call *call, uint64_t address, struct attribute *ret_attribute)
{
	int error = task_path(call, address, ret_attribute->name, sizeof(ret_attribute->name));
	if (error == ENAMETOOLONG || (error == 0 && ret_attribute->name[0] == '\0'))
		return ERANGE;
	return error;
}

static int read_attribute(const struct call *call, const uint64_t *args, struct attribute *ret_attribute)
{
	struct supervisor *sup = call->sup;
	*ret_attribute = (struct attribute){.value = sup->value, .size = args[2], .flags = (int)args[3]};
	if ((ret_attribute->flags & ~(XATTR_CREATE | XATTR_REPLACE)) != 0)
		return EINVAL;
	int error = read_attribute_name(call, args[0], ret_attribute);
	if (error != 0)
		return error;
	if (ret_attribute->size > sizeof(sup->value))
		return E2BIG;
	return task_read(call, args[1], sup->value, ret_attribute->size);
}

static int apply_attribute(const struct subject *subject, const struct attribute *attribute)
{
	bool by_fd = subject->fd >= 0;
	if (!by_fd && subject->dir != AT_FDCWD && fchdir(subject->dir) < 0)
		return -1;
	if (attribute->value == NULL)
		return by_fd ? fremovexattr(subject->fd, attribute->name) : removexattr(subject->name, attribute->name);
	if (by_fd)
		return fsetxattr(subject->fd, attribute->name, attribute->value, attribute->size, attribute->flags);
	return setxattr(subject->name, attribute->name, attribute->value, attribute->size, attribute->flags);
}

static struct sup_answer change_attribute(struct call *call, int dirfd, uint64_t address,
					  const struct attribute *attribute, int flags)
{
	auto_subject struct subject subject = {.keep = -1};
	struct sup_answer answer;
	int error = subject_of_path(call, dirfd, address, flags, &subject);
	if (error != 0)
		return answer_errno(error);
	return is_refused(&subject, ACT_META, 0, &answer) ? answer
							  : answer_result(apply_attribute(&subject, attribute));
}

static struct sup_answer change_attribute_of_fd(struct call *call, const struct attribute *attribute)
{
	auto_subject struct subject subject = {.keep = -1};
	struct sup_answer answer;
	int error = subject_of_fd(call, (int)call->args[0], &subject);
	if (error != 0)
		return answer_errno(error);
	return is_refused(&subject, ACT_META, 0, &answer) ? answer
							  : answer_result(apply_attribute(&subject, attribute));
}

static struct sup_answer set_attribute(struct call *call, int flags)
{
	struct attribute attribute;
	int error = read_attribute(call, call->args + 1, &attribute);
	return error != 0 ? answer_errno(error) : change_attribute(call, AT_FDCWD, call->args[0], &attribute, flags);
}

static struct sup_answer serve_setxattr(struct call *call)
{
	return set_attribute(call, 0);
}

static struct sup_answer serve_lsetxattr(struct call *call)
{
	return set_attribute(call, AT_SYMLINK_NOFOLLOW);
}

static struct sup_answer serve_fsetxattr(struct call *call)
{
	struct attribute attribute;
	int error = read_attribute(call, call->args + 1, &attribute);
	return error != 0 ? answer_errno(error) : change_attribute_of_fd(call, &attribute);
}

static struct sup_answer remove_attribute(struct call *call, int flags)
{
	struct attribute attribute = {0};
	int error = read_attribute_name(call, call->args[1], &attribute);
	return error != 0 ? answer_errno(error) : change_attribute(call, AT_FDCWD, call->args[0], &attribute, flags);
}

static struct sup_answer serve_removexattr(struct call *call)
{
	return remove_attribute(call, 0);
}

static struct sup_answer serve_lremovexattr(struct call *call)
{
	return remove_attribute(call, AT_SYMLINK_NOFOLLOW);
}

static struct sup_answer serve_fremovexattr(struct call *call)
{
	struct attribute attribute = {0};
	int error = read_attribute_name(call, call->args[1], &attribute);
	return error != 0 ? answer_errno(error) : change_attribute_of_fd(call, &attribute);
}

/* setxattrat(dirfd, path, flags, name, struct xattr_args *, size), removexattrat(dirfd, path, flags, name): 6.13 */
static struct sup_answer serve_setxattrat(struct call *call)
{
	struct {
		uint64_t value;
		uint32_t size, flags;
	} given;
	struct attribute attribute;
	int flags = (int)call->args[2];
	if ((flags & ~AT_PLAIN) != 0 || call->args[5] < sizeof(given))
		return answer_errno(EINVAL);
	if (call->args[5] > sizeof(given))
		return answer_errno(E2BIG);
	int error = task_read(call, call->args[4], &given, sizeof(given));
	if (error != 0)
		return answer_errno(error);
	const uint64_t args[] = {call->args[3], given.value, given.size, given.flags};
	error = read_attribute(call, args, &attribute);
	return error != 0 ? answer_errno(error)
			  : change_attribute(call, (int)call->args[0], call->args[1], &attribute, flags);
}

static struct sup_answer serve_removexattrat(struct call *call)
{
	struct attribute attribute = {0};
	int flags = (int)call->args[2];
	if ((flags & ~AT_PLAIN) != 0)
		return answer_errno(EINVAL);
	int error = read_attribute_name(call, call->args[3], &attribute);
	return error != 0 ? answer_errno(error)
			  : change_attribute(call, (int)call->args[0], call->args[1], &attribute, flags);
}

/* ---- flags of the file system ------------------------------------------------------------------------------------ */

/* file_setattr(dirfd, path, struct file_attr *, size, flags): 6.17 */
static struct sup_answer serve_file_setattr(struct call *call)
{
	auto_subject struct subject subject = {.keep = -1};
	struct sup_answer answer;
	struct supervisor *sup = call->sup;
	size_t size = call->args[3];
	int flags = (int)call->args[4];
	if ((flags & ~AT_PLAIN) != 0)
		return answer_errno(EINVAL);
	if (size > FILE_ATTR_MAX)
		return answer_errno(E2BIG);
	int error = task_read(call, call->args[2], sup->value, size);
	if (error == 0)
		error = subject_of_path(call, (int)call->args[0], call->args[1], flags, &subject);
	if (error != 0)
		return answer_errno(error);
	if (is_refused(&subject, ACT_META, 0, &answer))
		return answer;
	return answer_result(syscall(OS_NR_file_setattr, subject.dir, subject.name, sup->value, size, 0));
}

static struct sup_answer serve_ioctl(struct call *call)
{
	auto_subject struct subject subject = {.keep = -1};
	struct sup_answer answer;
	unsigned flags;
	struct fsxattr attributes;
	uint32_t command = (uint32_t)call->args[1];
	bool short_form = command != FS_IOC_FSSETXATTR;
	if (short_form && command != FS_IOC_SETFLAGS && command != FS_IOC32_SETFLAGS)
		return answer_errno(ENOTTY);
	void *value = short_form ? (void *)&flags : (void *)&attributes;
	int error = task_read(call, call->args[2], value, short_form ? sizeof(flags) : sizeof(attributes));
	if (error == 0)
		error = subject_of_fd(call, (int)call->args[0], &subject);
	if (error != 0)
		return answer_errno(error);
	if (is_refused(&subject, ACT_META, 0, &answer))
		return answer;
	if (subject.fd < 0) { /* it was asked about */
		auto_fd int fd = openat(subject.dir, subject.name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		return answer_result(fd < 0 ? -1 : ioctl(fd, command, value));
	}
	return answer_result(ioctl(subject.fd, command, value));
}

/* ---- old calls --------------------------------------------------------------------------------------------------- */

#ifdef SYS_chmod
static struct sup_answer serve_chmod(struct call *call)
{
	return change_mode(call, AT_FDCWD, call->args[0], (mode_t)call->args[1], 0);
}

static struct sup_answer serve_chown(struct call *call)
{
	return change_owner(call, AT_FDCWD, call->args, 0);
}

static struct sup_answer serve_lchown(struct call *call)
{
	return change_owner(call, AT_FDCWD, call->args, AT_SYMLINK_NOFOLLOW);
}

static struct sup_answer serve_utime(struct call *call)
{
	struct utimbuf given = {0};
	uint64_t address = call->args[1];
	int error = address == 0 ? 0 : task_read(call, address, &given, sizeof(given));
	if (error != 0)
		return answer_errno(error);
	const struct timespec times[2] = {{.tv_sec = given.actime}, {.tv_sec = given.modtime}};
	return change_times(call, AT_FDCWD, call->args[0], address == 0 ? NULL : times, 0);
}

static struct sup_answer serve_old_times(struct call *call, int dirfd, uint64_t path, uint64_t address)
{
	struct timeval given[2] = {{0}};
	struct timespec times[2];
	int error = address == 0 ? 0 : task_read(call, address, given, sizeof(given));
	if (error != 0)
		return answer_errno(error);
	for (size_t i = 0; address != 0 && i < 2; i++) {
		if (given[i].tv_usec < 0 || given[i].tv_usec >= 1000000)
			return answer_errno(EINVAL);
		times[i] = (struct timespec){.tv_sec = given[i].tv_sec, .tv_nsec = given[i].tv_usec * 1000};
	}
	return change_times(call, dirfd, path, address == 0 ? NULL : times, 0);
}

static struct sup_answer serve_utimes(struct call *call)
{
	return serve_old_times(call, AT_FDCWD, call->args[0], call->args[1]);
}

static struct sup_answer serve_futimesat(struct call *call)
{
	return serve_old_times(call, (int)call->args[0], call->args[1], call->args[2]);
}
#endif

const struct sup_row sup_meta_rows[] = {
	{SYS_fchmod, serve_fchmod},
	{SYS_fchmodat, serve_fchmodat},
	{OS_NR_fchmodat2, serve_fchmodat2},
	{SYS_fchown, serve_fchown},
	{SYS_fchownat, serve_fchownat},
	{SYS_utimensat, serve_utimensat},
	{SYS_setxattr, serve_setxattr},
	{SYS_lsetxattr, serve_lsetxattr},
	{SYS_fsetxattr, serve_fsetxattr},
	{OS_NR_setxattrat, serve_setxattrat},
	{SYS_removexattr, serve_removexattr},
	{SYS_lremovexattr, serve_lremovexattr},
	{SYS_fremovexattr, serve_fremovexattr},
	{OS_NR_removexattrat, serve_removexattrat},
	{OS_NR_file_setattr, serve_file_setattr},
	{SYS_ioctl, serve_ioctl},
#ifdef SYS_chmod
	{SYS_chmod, serve_chmod},
	{SYS_chown, serve_chown},
	{SYS_lchown, serve_lchown},
	{SYS_utime, serve_utime},
	{SYS_utimes, serve_utimes},
	{SYS_futimesat, serve_futimesat},
#endif
	{-1, NULL},
};
