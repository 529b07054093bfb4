/*
 * ops: does random file operations in the folder it is started in and prints what each gave, so that two runs can be
 * compared: one without a sandbox, one where everything outside the grants is asked for.
 *
 *   ops SEED COUNT
 *
 * Links are told by where they lead to, files by type, mode, size and content; numbers of inodes and times are not.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { NAMES = 10, HELD = 4, TEXT = 512, LINKS = 3 };

static uint64_t state;
static int held[HELD];
static size_t op_count;

static unsigned dice(unsigned sides)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(state >> 33) % sides;
}

/* What root may do for being root, nothing in a sandbox may: as root nothing is closed to its owner. */
static mode_t random_mode(mode_t owner)
{
	return (mode_t)(dice(01000) | (getuid() == 0 ? owner : 0));
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static char cwd[TEXT / 2];

static const char *name_of(char *text)
{
	static const char *const names[NAMES] = {"a", "b", "d", "d/x", "d/e", "d/e/y", "s", "s/x", "f", "none/z"};
	const char *name = names[dice(NAMES)];
	switch (dice(6)) {
	case 0: /* as an absolute path */
		(void)snprintf(text, TEXT, "%s/%s", cwd, name);
		break;
	case 1:
		(void)snprintf(text, TEXT, "./d/../%s", name);
		break;
	case 2:
		(void)snprintf(text, TEXT, "%s/", name);
		break;
	default:
		(void)snprintf(text, TEXT, "%s", name);
	}
	return text;
}

/* The tree of each run has another name: it is cut out of what is told. */
static const char *told(const char *text)
{
	size_t len = strlen(cwd);
	return strncmp(text, cwd, len) == 0 ? text + len : text;
}

static void tell(const char *what, const char *first, const char *second, long result, int error)
{
	printf("%zu %s %s %s: %s\n", op_count, what, told(first), told(second),
	       result < 0 ? strerrorname_np(error) : "done");
}

/* ---- operations -------------------------------------------------------------------------------------------------- */

static void tell_fd(int fd)
{
	struct stat st;
	char text[16] = "";
	int flags = fcntl(fd, F_GETFL);
	if (fstat(fd, &st) < 0)
		return;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	printf("  fd type %o mode %o size %ld flags %o cloexec %d read %zd %s\n", st.st_mode & S_IFMT,
	       st.st_mode & 07777, S_ISREG(st.st_mode) ? (long)st.st_size : 0, (unsigned)(flags & ~O_NOFOLLOW),
	       fcntl(fd, F_GETFD), n < 0 ? -errno : n, text);
}

static void do_open(void)
{
	static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR};
	static const int bits[] = {O_CREAT,   O_EXCL,	  O_TRUNC, O_APPEND,  O_NOFOLLOW, O_DIRECTORY,
				   O_CLOEXEC, O_NONBLOCK, O_SYNC,  O_NOATIME, O_NOCTTY};
	char text[TEXT];
	int flags = modes[dice(3)] | (dice(2) ? O_CREAT : 0);
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		flags |= dice(4) == 0 ? bits[i] : 0;
	mode_t mode = (mode_t)(dice(2) ? 0666 : random_mode(0600));
	name_of(text);
	int fd = dice(8) == 0 && (flags & O_DIRECTORY) != 0 ? open(text, O_TMPFILE | O_RDWR, mode)
							    : open(text, flags | O_NONBLOCK, mode);
	tell("open", text, "", fd, errno);
	if (fd < 0)
		return;
	if ((flags & O_ACCMODE) != O_RDONLY && dice(2))
		printf("  wrote %zd\n", write(fd, "words", 1 + dice(5)));
	tell_fd(fd);
	int *slot = &held[dice(HELD)];
	if (*slot >= 0)
		(void)close(*slot);
	*slot = fd;
}

static void do_one(void)
{
	char text[TEXT];
	name_of(text);
	long result;
	const char *what;
	const struct timespec times[2] = {{.tv_sec = 1000000}, {.tv_sec = 2000000}};
	switch (dice(11)) {
	case 0:
		what = "mkdir", result = mkdir(text, dice(2) ? 0777 : random_mode(0700));
		break;
	case 1:
		what = "rmdir", result = rmdir(text);
		break;
	case 2:
		what = "unlink", result = unlink(text);
		break;
	case 3:
		what = "mkfifo", result = mkfifo(text, 0666);
		break;
	case 4:
		what = "truncate", result = truncate(text, dice(20));
		break;
	case 5:
		what = "chmod", result = chmod(text, random_mode(0700));
		break;
	case 6:
		what = "utimensat", result = utimensat(AT_FDCWD, text, times, dice(2) ? AT_SYMLINK_NOFOLLOW : 0);
		break;
	case 7:
		what = "access", result = access(text, (int)dice(8) & (R_OK | W_OK));
		break;
	case 8:
		what = "setxattr", result = setxattr(text, "user.berm", "1", 1, 0);
		break;
	case 9:
		what = "chown", result = lchown(text, getuid(), (gid_t)-1);
		break;
	default:
		what = "mksock", result = mknod(text, S_IFSOCK | 0600, 0);
	}
	tell(what, text, "", result, errno);
}

static void do_two(void)
{
	char first[TEXT], second[TEXT];
	name_of(first);
	name_of(second);
	long result;
	const char *what;
	unsigned flags = dice(3);
	switch (dice(4)) {
	case 0:
		what = "rename", result = rename(first, second);
		break;
	case 1:
		what = "renameat2", result = renameat2(AT_FDCWD, first, AT_FDCWD, second, flags);
		break;
	case 2:
		what = "link", result = linkat(AT_FDCWD, first, AT_FDCWD, second, dice(2) ? AT_SYMLINK_FOLLOW : 0);
		break;
	default:
		(void)snprintf(first, sizeof(first), "%s",
			       (const char *const[LINKS]){"a", "d", "nowhere"}[dice(LINKS)]);
		what = "symlink", result = symlink(first, second);
	}
	tell(what, first, second, result, errno);
}

static void do_held(void)
{
	int fd = held[dice(HELD)];
	long result;
	const char *what;
	struct stat st;
	/* A folder that was removed lies on a mount that is only read: docs/supervision.md. */
	if (fd < 0 || fstat(fd, &st) < 0 || (S_ISDIR(st.st_mode) && st.st_nlink == 0))
		return;
	switch (dice(5)) {
	case 0:
		what = "fchmod", result = fchmod(fd, random_mode(0700));
		break;
	case 1:
		what = "futimens", result = futimens(fd, NULL);
		break;
	case 2:
		what = "ftruncate", result = ftruncate(fd, dice(20));
		break;
	case 3:
		what = "fsetxattr", result = fsetxattr(fd, "user.berm", "2", 1, 0);
		break;
	default:
		what = "write", result = write(fd, "more", 4);
	}
	tell(what, "", "", result, errno);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void tell_tree(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, by_name);
	printf("%s: %d\n", path, count < 0 ? -errno : count);
	for (int i = 0; i < count; i++) {
		char name[2 * TEXT], target[TEXT] = "", value[16] = "";
		struct stat st;
		const char *entry = entries[i]->d_name;
		(void)snprintf(name, sizeof(name), "%s/%s", path, entry);
		if (strcmp(entry, ".") == 0 || strcmp(entry, "..") == 0 || lstat(name, &st) < 0)
			continue;
		(void)!readlink(name, target, sizeof(target) - 1);
		ssize_t n = S_ISLNK(st.st_mode) ? 0 : getxattr(name, "user.berm", value, sizeof(value));
		printf("%s %o links %lu size %ld time %ld attribute %zd %s\n", name, st.st_mode,
		       S_ISDIR(st.st_mode) ? 0 : (unsigned long)st.st_nlink, S_ISREG(st.st_mode) ? (long)st.st_size : 0,
		       st.st_mtime == 2000000 ? 1L : 0L, n, target);
		if (S_ISDIR(st.st_mode))
			tell_tree(name);
	}
}

static void do_umask(void)
{
	printf("%zu umask %o\n", op_count, umask(dice(2) ? 022 : random_mode(0) & (getuid() == 0 ? 077 : 0777)));
}

int main(int argc, char **argv)
{
	static void (*const ops[])(void) = {do_open, do_open, do_open, do_one, do_one, do_one, do_two, do_two, do_held};
	if (argc != 3 || getcwd(cwd, sizeof(cwd)) == NULL)
		return 2;
	state = strtoull(argv[1], NULL, 10) * 2654435761U + 1;
	for (size_t i = 0; i < HELD; i++)
		held[i] = -1;
	(void)umask(022);
	(void)signal(SIGPIPE, SIG_IGN); /* a FIFO that nobody reads */
	size_t count = strtoull(argv[2], NULL, 10);
	for (op_count = 0; op_count < count; op_count++) {
		if (dice(40) == 0)
			do_umask();
		else
			ops[dice(sizeof(ops) / sizeof(ops[0]))]();
		if (op_count % 100 == 99)
			tell_tree(".");
	}
	tell_tree(".");
	return 0;
}
