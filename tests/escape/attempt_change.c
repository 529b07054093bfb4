/* Every call that changes a file or a name, each reachable by its own word: legacy numbers, "at" forms, and forms that
 * need no more than a descriptor opened for reading. */
#include "attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

/* path is what is changed, other is a second name for calls that take two. */
struct change {
	const char *name;
	long (*make)(const char *path, const char *other);
};

static long write_and_close(long fd)
{
	if (fd < 0)
		return fd;
	long wrote = write((int)fd, "planted", 7);
	close((int)fd);
	return wrote;
}

static int open_read(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC);
}

static const struct timespec old_times[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};

#define CHANGE(name, expression)                                                                                       \
	static long make_##name(const char *path, const char *other)                                                   \
	{                                                                                                              \
		(void)other;                                                                                           \
		return expression;                                                                                     \
	}

#ifdef SYS_open
CHANGE(open, write_and_close(syscall(SYS_open, path, O_WRONLY | O_CREAT, 0666)))
CHANGE(open_trunc, syscall(SYS_open, path, O_RDONLY | O_TRUNC))
CHANGE(creat, write_and_close(syscall(SYS_creat, path, 0666)))
CHANGE(unlink, syscall(SYS_unlink, path))
CHANGE(rmdir, syscall(SYS_rmdir, path))
CHANGE(mkdir, syscall(SYS_mkdir, path, 0777))
CHANGE(mknod, syscall(SYS_mknod, path, S_IFREG | 0666, 0))
CHANGE(rename, syscall(SYS_rename, path, other))
CHANGE(rename_to, syscall(SYS_rename, other, path))
CHANGE(link, syscall(SYS_link, path, other))
CHANGE(link_to, syscall(SYS_link, other, path))
CHANGE(symlink, syscall(SYS_symlink, "/etc/passwd", path))
CHANGE(chmod, syscall(SYS_chmod, path, 0777))
CHANGE(chown, syscall(SYS_chown, path, getuid(), getgid()))
CHANGE(lchown, syscall(SYS_lchown, path, getuid(), getgid()))
CHANGE(utime, syscall(SYS_utime, path, NULL))
CHANGE(utimes, syscall(SYS_utimes, path, NULL))
CHANGE(futimesat, syscall(SYS_futimesat, AT_FDCWD, path, NULL))
#endif
CHANGE(openat, write_and_close(openat(AT_FDCWD, path, O_WRONLY | O_CREAT, 0666)))
CHANGE(openat_rdwr, write_and_close(openat(AT_FDCWD, path, O_RDWR)))
CHANGE(truncate, truncate(path, 1))
CHANGE(unlinkat, unlinkat(AT_FDCWD, path, 0))
CHANGE(mkdirat, mkdirat(AT_FDCWD, path, 0777))
CHANGE(mkfifoat, mknodat(AT_FDCWD, path, S_IFIFO | 0666, 0))
CHANGE(renameat, syscall(SYS_renameat, AT_FDCWD, path, AT_FDCWD, other))
CHANGE(renameat_to, syscall(SYS_renameat, AT_FDCWD, other, AT_FDCWD, path))
CHANGE(renameat2, syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, other, 1))
CHANGE(exchange, syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, other, 2))
CHANGE(linkat, linkat(AT_FDCWD, path, AT_FDCWD, other, 0))
CHANGE(linkat_to, linkat(AT_FDCWD, other, AT_FDCWD, path, 0))
CHANGE(symlinkat, symlinkat("/etc/passwd", AT_FDCWD, path))
CHANGE(fchmodat, syscall(SYS_fchmodat, AT_FDCWD, path, 0777))
CHANGE(fchmodat2, syscall(SYS_fchmodat2, AT_FDCWD, path, 0777, 0))
CHANGE(fchownat, fchownat(AT_FDCWD, path, getuid(), getgid(), 0))
CHANGE(utimensat, utimensat(AT_FDCWD, path, old_times, 0))
CHANGE(setxattr, syscall(SYS_setxattr, path, "user.planted", "1", 1, 0))
CHANGE(lsetxattr, syscall(SYS_lsetxattr, path, "user.planted", "1", 1, 0))
CHANGE(removexattr, syscall(SYS_removexattr, path, "user.there"))
CHANGE(lremovexattr, syscall(SYS_lremovexattr, path, "user.there"))
CHANGE(fchmod, syscall(SYS_fchmod, open_read(path), 0777))
CHANGE(fchown, syscall(SYS_fchown, open_read(path), getuid(), getgid()))
CHANGE(futimens, syscall(SYS_utimensat, open_read(path), NULL, old_times, 0))
CHANGE(fsetxattr, syscall(SYS_fsetxattr, open_read(path), "user.planted", "1", 1, 0))
CHANGE(fremovexattr, syscall(SYS_fremovexattr, open_read(path), "user.there"))

/* An access list of three entries is nothing but a mode: rwxr--r--. */
static const struct {
	uint32_t version;
	struct {
		uint16_t tag, rights;
		uint32_t id;
	} entries[3];
} runnable = {2, {{1, 7, UINT32_MAX}, {4, 4, UINT32_MAX}, {32, 4, UINT32_MAX}}};
static const char acl_name[] = "system.posix_acl_access";

CHANGE(acl, syscall(SYS_setxattr, path, acl_name, &runnable, sizeof(runnable), 0))
CHANGE(lacl, syscall(SYS_lsetxattr, path, acl_name, &runnable, sizeof(runnable), 0))
CHANGE(facl, syscall(SYS_fsetxattr, open_read(path), acl_name, &runnable, sizeof(runnable), 0))

static long make_aclat(const char *path, const char *other)
{
	(void)other;
	struct {
		uint64_t value;
		uint32_t size, flags;
	} args = {.value = (uintptr_t)&runnable, .size = sizeof(runnable)};
	return syscall(NR_SETXATTRAT, AT_FDCWD, path, 0, acl_name, &args, sizeof(args));
}

static long make_openat2(const char *path, const char *other)
{
	(void)other;
	struct open_how how = {.flags = O_WRONLY | O_CREAT | O_CLOEXEC, .mode = 0666};
	return write_and_close(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)));
}

/* An unnamed file that gets its name afterwards. */
static long make_tmpfile(const char *path, const char *other)
{
	char link[64];
	int fd = open(other, O_TMPFILE | O_WRONLY, 0666);
	if (fd < 0)
		return -1;
	long wrote = write(fd, "planted", 7);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	long result = linkat(AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
	close(fd);
	return wrote < 0 ? -1 : result;
}

static long make_setflags(const char *path, const char *other)
{
	(void)other;
	int flags = 0, fd = open_read(path);
	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags))
		return -1;
	flags |= FS_NODUMP_FL;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static long make_fssetxattr(const char *path, const char *other)
{
	(void)other;
	struct fsxattr attr = {0};
	int fd = open_read(path);
	if (fd < 0 || ioctl(fd, FS_IOC_FSGETXATTR, &attr))
		return -1;
	attr.fsx_xflags |= FS_XFLAG_NODUMP;
	return ioctl(fd, FS_IOC_FSSETXATTR, &attr);
}

/* struct file_attr of Linux 6.17 begins with the 64-bit xflags and has 24 bytes. */
static long make_file_setattr(const char *path, const char *other)
{
	(void)other;
	uint64_t attr[3] = {0};
	if (syscall(NR_FILE_GETATTR, AT_FDCWD, path, attr, sizeof(attr), 0) < 0)
		return -1;
	attr[0] |= FS_XFLAG_NODUMP;
	return syscall(NR_FILE_SETATTR, AT_FDCWD, path, attr, sizeof(attr), 0);
}

/* struct xattr_args of Linux 6.13: value, size, flags. */
static long make_setxattrat(const char *path, const char *other)
{
	(void)other;
	struct {
		uint64_t value;
		uint32_t size, flags;
	} args = {.value = (uintptr_t) "1", .size = 1};
	return syscall(NR_SETXATTRAT, AT_FDCWD, path, 0, "user.planted", &args, sizeof(args));
}

static long make_fchmodat2_empty(const char *path, const char *other)
{
	(void)other;
	int fd = open(path, O_PATH | O_CLOEXEC);
	return syscall(SYS_fchmodat2, fd, "", 0777, AT_EMPTY_PATH);
}

static long make_fchownat_empty(const char *path, const char *other)
{
	(void)other;
	int fd = open(path, O_PATH | O_CLOEXEC);
	return fchownat(fd, "", getuid(), getgid(), AT_EMPTY_PATH);
}

static long make_chmod_magic(const char *path, const char *other)
{
	(void)other;
	char link[64];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", open(path, O_PATH | O_CLOEXEC));
	return chmod(link, 0777);
}

#define ROW(name)                                                                                                      \
	{                                                                                                              \
#name, make_##name                                                                                     \
	}
static const struct change changes[] = {
#ifdef SYS_open
	ROW(open),	     ROW(open_trunc),	ROW(creat),
	ROW(unlink),	     ROW(rmdir),	ROW(mkdir),
	ROW(mknod),	     ROW(rename),	ROW(rename_to),
	ROW(link),	     ROW(link_to),	ROW(symlink),
	ROW(chmod),	     ROW(chown),	ROW(lchown),
	ROW(utime),	     ROW(utimes),	ROW(futimesat),
#endif
	ROW(openat),	     ROW(openat_rdwr),	ROW(truncate),
	ROW(unlinkat),	     ROW(mkdirat),	ROW(mkfifoat),
	ROW(renameat),	     ROW(renameat_to),	ROW(renameat2),
	ROW(exchange),	     ROW(linkat),	ROW(linkat_to),
	ROW(symlinkat),	     ROW(fchmodat),	ROW(fchmodat2),
	ROW(fchownat),	     ROW(utimensat),	ROW(setxattr),
	ROW(lsetxattr),	     ROW(removexattr),	ROW(lremovexattr),
	ROW(fchmod),	     ROW(fchown),	ROW(futimens),
	ROW(fsetxattr),	     ROW(fremovexattr), ROW(openat2),
	ROW(tmpfile),	     ROW(setflags),	ROW(fssetxattr),
	ROW(file_setattr),   ROW(setxattrat),	ROW(fchmodat2_empty),
	ROW(fchownat_empty), ROW(chmod_magic),	ROW(acl),
	ROW(lacl),	     ROW(facl),		ROW(aclat),
};

static int change(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		if (strcmp(changes[i].name, argv[0]) == 0)
			return report(changes[i].make(argv[1], argc > 2 ? argv[2] : "other"), argv[0]);
	fprintf(stderr, "attempt: no change is called %s\n", argv[0]);
	return USAGE;
}

static int list_changes(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		puts(changes[i].name);
	return ACHIEVED;
}

const struct attempt change_attempts[] = {
	{"change", change, 2, "CALL PATH [OTHER]"},
	{"changes", list_changes, 0, ""},
	{NULL, NULL, 0, NULL},
};
