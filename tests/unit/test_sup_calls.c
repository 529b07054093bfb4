/*
 * The same calls on the same files, once by themselves and once on behalf: results, errnos, descriptor numbers, flags and
 * what became of the files must be equal.
 */
#include "sup_files.h"

#include <linux/fs.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <utime.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1 << 0)
#define RENAME_EXCHANGE (1 << 1)
#endif

/* An address where nothing is. */
static char *volatile nowhere = (char *)16; /* NOLINT(performance-no-int-to-ptr) */

/* ---- notes of what happened --------------------------------------------------------------------------------------- */

enum { MAX_NOTES = 6000, NOTE_TEXT = 100 };
struct note {
	char what[NOTE_TEXT], more[NOTE_TEXT];
	long result;
	int error;
};
struct notes {
	int count;
	struct note note[MAX_NOTES];
};
static struct notes *notes; /* shared with the task */

static void put_note(const char *what, long result, int error, const char *more)
{
	struct note *note = &notes->note[notes->count];
	if (notes->count == MAX_NOTES)
		_exit(1);
	notes->count++;
	(void)snprintf(note->what, sizeof(note->what), "%s", what);
	(void)snprintf(note->more, sizeof(note->more), "%s", more);
	note->result = result;
	note->error = result < 0 ? error : 0;
}

/* EAGAIN: a scoped walk that met a rename anywhere in the system wants to be tried again. */
#define CALL(call)                                                                                                     \
	do {                                                                                                           \
		long result_;                                                                                          \
		int tries_ = 0;                                                                                        \
		do                                                                                                     \
			result_ = (long)(call);                                                                        \
		while (result_ < 0 && errno == EAGAIN && ++tries_ < 50);                                               \
		put_note(#call, result_, errno, "");                                                                   \
	} while (0)

static void put_fd(const char *what, int fd)
{
	char more[NOTE_TEXT] = "";
	struct stat st = {0};
	int error = errno;
	if (fd >= 0 && fstat(fd, &st) == 0)
		(void)snprintf(more, sizeof(more), "%x %x %o %ld %ld", (unsigned)fcntl(fd, F_GETFL),
			       (unsigned)fcntl(fd, F_GETFD), st.st_mode, S_ISDIR(st.st_mode) ? 0L : (long)st.st_size,
			       S_ISDIR(st.st_mode) ? 0L : (long)st.st_nlink);
	put_note(what, fd, error, more);
	if (fd >= 0)
		(void)close(fd);
}

#define OPEN(call)                                                                                                     \
	do {                                                                                                           \
		int fd_, tries_ = 0;                                                                                   \
		do                                                                                                     \
			fd_ = (int)(call);                                                                             \
		while (fd_ < 0 && errno == EAGAIN && ++tries_ < 50);                                                   \
		put_fd(#call, fd_);                                                                                    \
	} while (0)

static void look(const char *path)
{
	struct stat st = {0};
	char more[NOTE_TEXT] = "";
	int result = lstat(path, &st);
	int error = errno;
	if (result == 0)
		(void)snprintf(more, sizeof(more), "%o %ld %ld", st.st_mode,
			       S_ISDIR(st.st_mode) ? 0L : (long)st.st_size,
			       S_ISDIR(st.st_mode) ? 0L : (long)st.st_nlink);
	put_note(path, result, error, more);
}

static void look_times(const char *path)
{
	struct stat st = {0};
	char more[NOTE_TEXT] = "";
	if (lstat(path, &st) == 0 && st.st_mtime < 1000000)
		(void)snprintf(more, sizeof(more), "%ld %ld %ld", (long)st.st_atime, (long)st.st_mtime,
			       (long)st.st_mtim.tv_nsec);
	put_note(path, 0, 0, more);
}

/* ---- where it happens --------------------------------------------------------------------------------------------- */

static char root[100]; /* the run's own folder, which is the current one */

static const char *absolute(const char *name)
{
	static char paths[4][200];
	static unsigned next;
	char *path = paths[next++ % 4];
	(void)snprintf(path, sizeof(paths[0]), "%s/%s", root, name);
	return path;
}

static const char *in_proc(const char *before, int fd, const char *after)
{
	static char path[100];
	(void)snprintf(path, sizeof(path), "%s%d%s", before, fd, after);
	return path;
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return;
	(void)close(fd);
}

static void make_tree(void)
{
	put("file", "content");
	put("ro", "ro");
	put("locked", "");
	CHECK(chmod("ro", 0444) == 0 && chmod("locked", 0) == 0);
	CHECK(mkdir("dir", 0755) == 0 && mkdir("unreadable", 0) == 0 && mkdir("dir/sub", 0755) == 0);
	put("dir/inner", "inner");
	CHECK(symlink("file", "to_file") == 0 && symlink("dir", "to_dir") == 0 &&
	      symlink("missing", "to_missing") == 0);
	CHECK(symlink("to_loop", "to_loop") == 0 && symlink(absolute("file"), "to_abs") == 0);
	CHECK(mknod("sock", S_IFSOCK | 0600, 0) == 0 && mkfifo("fifo", 0600) == 0);
	CHECK(symlink("../file", "dir/up") == 0 && symlink("inner", "dir/here") == 0);
	CHECK(symlink("/inner", "dir/root") == 0 && symlink("../inner", "dir/sub/back") == 0);
	CHECK(symlink("../../file", "dir/sub/out") == 0 && symlink("newer", "dir/dangling") == 0);
}

/* ---- open --------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int flags;
} open_flags[] = {
	{"", 0},
	{"creat", O_CREAT},
	{"creat excl", O_CREAT | O_EXCL},
	{"trunc", O_TRUNC},
	{"creat trunc", O_CREAT | O_TRUNC},
	{"append", O_APPEND},
	{"directory", O_DIRECTORY},
	{"nofollow", O_NOFOLLOW},
	{"creat nofollow", O_CREAT | O_NOFOLLOW},
	{"nonblock cloexec", O_NONBLOCK | O_CLOEXEC},
	{"creat directory", O_CREAT | O_DIRECTORY},
	{"path", O_PATH},
	{"sync noatime", O_SYNC | O_NOATIME},
	{"excl", O_EXCL},
	{"tmpfile", O_TMPFILE},
	{"tmpfile excl", O_TMPFILE | O_EXCL},
	{"creat excl nofollow cloexec", O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC},
	{"dsync", O_DSYNC},
};

static void open_in_all_ways(const char *label, const char *path)
{
	bool outside = strcmp(path, "..") == 0 || label[0] == '/';
	for (int access = 0; access < 4; access++) {
		for (size_t i = 0; i < ARRAY_LEN(open_flags); i++) {
			char what[NOTE_TEXT];
			int flags = open_flags[i].flags | access;
			if (outside && (flags & O_TMPFILE) == O_TMPFILE)
				continue;
			(void)snprintf(what, sizeof(what), "open %s %d %s", label, access, open_flags[i].name);
			put_fd(what,
			       open(path, flags, 0660)); /* NOLINT(android-cloexec-open): it may be wanted without */
			(void)unlink("missing");
			if ((flags & O_TRUNC) != 0)
				put("file", "content");
		}
	}
}

static void opens(void)
{
	static const char *const paths[] = {
		"file",	   "file/",  "dir",	"dir/",		"dir/.",	 "dir/..",
		".",	   "..",     "missing", "missing/",	"missing/x",	 "file/x",
		"to_file", "to_dir", "to_dir/", "to_dir/inner", "to_missing",	 "to_loop",
		"to_abs",  "sock",   "ro",	"dir//inner",	"./dir/../file", "unreadable/x",
		"",	   "/",	     "//",	"locked",	"/dev/null",	 "/dev/fd/999"};
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		open_in_all_ways(paths[i], paths[i]);
	open_in_all_ways("absolute", absolute("file"));
	open_in_all_ways("absolute link", absolute("dir/../to_file"));
}

static void new_files(void)
{
	static const mode_t masks[] = {0, 022, 077, 0777};
	for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
		(void)umask(masks[i]);
		OPEN(open("new", O_CREAT | O_RDWR, 07777));
		CALL(unlink("new"));
		OPEN(open("new", O_CREAT | O_EXCL | O_WRONLY, 0666));
		CALL(unlink("new"));
		OPEN(open(absolute("new"), O_CREAT | O_EXCL | O_WRONLY, 0666));
		CALL(unlink("new"));
		OPEN(creat("new", 0666));
		CALL(unlink("new"));
		CALL(mkdir("new", 01777));
		look("new");
		CALL(rmdir("new"));
		CALL(mknod("new", S_IFREG | 0666, 0));
		look("new");
		CALL(unlink("new"));
		CALL(mkfifo("new", 0666));
		look("new");
		CALL(unlink("new"));
	}
	(void)umask(022);
}

static int open_how(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	const struct os_open_how how = {flags, mode, resolve};
	return sys_openat2(dirfd, path, &how);
}

static void opens_by_descriptor(void)
{
	int dir = open("dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC), path = open("dir", O_PATH | O_CLOEXEC);
	int file = open("file", O_RDONLY | O_CLOEXEC);
	OPEN(openat(dir, "inner", O_RDWR));
	OPEN(openat(path, "inner", O_RDWR));
	OPEN(openat(dir, "new", O_RDWR | O_CREAT, 0600));
	CALL(unlinkat(dir, "new", 0));
	OPEN(openat(dir, "new", O_RDWR | O_CREAT | O_EXCL, 0600));
	OPEN(openat(path, "new", O_RDWR | O_CREAT | O_EXCL, 0600));
	CALL(unlinkat(path, "new", 0));
	OPEN(openat(file, "x", O_RDWR));
	OPEN(openat(file, "x", O_RDWR | O_CREAT | O_EXCL, 0600));
	OPEN(openat(file, "", O_RDWR));
	OPEN(openat(999, "x", O_RDWR));
	OPEN(openat(999, "x", O_RDWR | O_CREAT | O_EXCL, 0600));
	OPEN(openat(-5, "x", O_WRONLY));
	OPEN(openat(999, absolute("file"), O_RDWR));
	OPEN(openat(dir, "../file", O_RDWR));
	OPEN(openat(dir, "..", O_TMPFILE | O_RDWR, 0600));
	CALL(mkdirat(dir, "made", 0700));
	CALL(unlinkat(dir, "made", 0));
	CALL(unlinkat(dir, "made", AT_REMOVEDIR));
	CALL(unlinkat(dir, "inner", AT_REMOVEDIR));
	CALL(unlinkat(dir, "inner", 77));
	CALL(mkdirat(999, "x", 0));
	CALL(symlinkat("t", dir, "link"));
	CALL(unlinkat(dir, "link", 0));
	CALL(linkat(dir, "inner", AT_FDCWD, "hard", 0));
	CALL(unlink("hard"));
	(void)close(dir);
	(void)close(path);
	(void)close(file);
}

static void opens_with_how(void)
{
	static const uint64_t resolves[] = {OS_RESOLVE_BENEATH,
					    OS_RESOLVE_IN_ROOT,
					    OS_RESOLVE_NO_SYMLINKS,
					    OS_RESOLVE_NO_XDEV,
					    OS_RESOLVE_NO_MAGICLINKS,
					    OS_RESOLVE_BENEATH | OS_RESOLVE_NO_SYMLINKS,
					    OS_RESOLVE_BENEATH | OS_RESOLVE_IN_ROOT};
	static const char *const paths[] = {"inner",   "up",	    "here",   "root",		"sub/back", "sub/out",
					    "../file", "/inner",    "sub/..", "sub/../inner",	"missing",  "dangling",
					    "/",       "/sub/back", "sub/",   "/proc/self/fd/0"};
	int dir = open("dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_LEN(resolves); i++) {
		bool scoped = (resolves[i] & (OS_RESOLVE_BENEATH | OS_RESOLVE_IN_ROOT)) != 0;
		for (size_t k = 0; k < ARRAY_LEN(paths); k++) {
			if (!scoped && (paths[k][0] == '/' || strcmp(paths[k], "root") == 0))
				continue; /* it would leave the folder */
			OPEN(open_how(dir, paths[k], O_RDWR, 0, resolves[i]));
			OPEN(open_how(dir, paths[k], O_RDWR | O_CREAT, 0640, resolves[i]));
			(void)unlinkat(dir, "missing", 0);
			(void)unlinkat(dir, "newer", 0);
			OPEN(open_how(dir, paths[k], O_RDWR | O_CREAT | O_EXCL, 0640, resolves[i]));
			(void)unlinkat(dir, "missing", 0);
		}
	}
	(void)close(dir);
}

static void odd_hows(void)
{
	struct {
		struct os_open_how how;
		uint64_t more[10];
	} large = {.how = {O_RDWR, 0, 0}};
	OPEN(open_how(AT_FDCWD, "file", O_RDWR, 0600, 0));
	OPEN(open_how(AT_FDCWD, "file", O_RDWR | 1ULL << 40, 0, 0));
	OPEN(open_how(AT_FDCWD, "new", O_RDWR | O_CREAT, 0170600, 0));
	OPEN(open_how(AT_FDCWD, "file", O_RDWR, 0, 0x1000));
	CALL(syscall(OS_NR_openat2, AT_FDCWD, "file", NULL, 24));
	CALL(syscall(OS_NR_openat2, AT_FDCWD, "file", &large, 8));
	CALL(syscall(OS_NR_openat2, AT_FDCWD, "file", &large, 100000));
	put_fd("large", (int)syscall(OS_NR_openat2, AT_FDCWD, "file", &large, sizeof(large)));
	large.more[3] = 1;
	CALL(syscall(OS_NR_openat2, AT_FDCWD, "file", &large, sizeof(large)));
}

/* ---- names of descriptors ----------------------------------------------------------------------------------------- */

static void opens_of_descriptors(void)
{
	int file = open("file", O_RDWR | O_CLOEXEC), dir = open("dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int flags[] = {O_RDWR,	       O_WRONLY | O_APPEND,	 O_RDWR | O_TRUNC, O_RDWR | O_NOFOLLOW,
			     O_RDWR | O_CREAT, O_RDWR | O_CREAT | O_EXCL};
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		OPEN(open(in_proc("/proc/self/fd/", file, ""), flags[i], 0600));
	put("file", "content");
	OPEN(open(in_proc("/dev/fd/", file, ""), O_RDWR));
	OPEN(open(in_proc("/proc/thread-self/fd/", file, ""), O_RDWR));
	char name[140];
	(void)snprintf(name, sizeof(name), "/proc/%d/fd/%d", getpid(), file);
	OPEN(open(name, O_RDWR));
	OPEN(open("/proc/self/fd/998", O_RDWR));
	OPEN(open(in_proc("/proc/self/fd/", dir, "/inner"), O_RDWR));
	OPEN(open(in_proc("/proc/self/fd/", dir, "/new"), O_RDWR | O_CREAT, 0600));
	CALL(unlinkat(dir, "new", 0));
	OPEN(open("/proc/self/cwd/file", O_RDWR));
	(void)snprintf(name, sizeof(name), "/proc/self/root%s/file", root);
	OPEN(open(name, O_RDWR));
	CALL(chmod(in_proc("/dev/fd/", file, ""), 0601));
	CALL(chmod(in_proc("/proc/self/fd/", file, ""), 0644));
	CALL(truncate(in_proc("/proc/self/fd/", file, ""), 3));
	look("file");
	put("file", "content");
	int ends[2];
	CALL(pipe2(ends, O_CLOEXEC));
	OPEN(open(in_proc("/proc/self/fd/", ends[1], ""), O_WRONLY));
	CALL(fchmod(ends[0], 0600));
	(void)close(ends[0]);
	(void)close(ends[1]);
	(void)close(file);
	(void)close(dir);
}

static void files_without_names(void)
{
	int gone = open("gone", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	CALL(unlink("gone"));
	OPEN(open(in_proc("/proc/self/fd/", gone, ""), O_RDWR));
	CALL(linkat(AT_FDCWD, in_proc("/proc/self/fd/", gone, ""), AT_FDCWD, "back", AT_SYMLINK_FOLLOW));
	CALL(fchmod(gone, 0644));
	(void)close(gone);
	put("x (deleted)", "x");
	int named = open("x (deleted)", O_RDONLY | O_CLOEXEC);
	OPEN(open(in_proc("/proc/self/fd/", named, ""), O_RDWR));
	CALL(fchmod(named, 0611));
	look("x (deleted)");
	(void)close(named);
	CALL(unlink("x (deleted)"));
	int temporary = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0640);
	OPEN(open(in_proc("/proc/self/fd/", temporary, ""), O_RDWR));
	CALL(linkat(AT_FDCWD, in_proc("/proc/self/fd/", temporary, ""), AT_FDCWD, "made", AT_SYMLINK_FOLLOW));
	look("made");
	CALL(linkat(AT_FDCWD, in_proc("/proc/self/fd/", temporary, ""), AT_FDCWD, "made", AT_SYMLINK_FOLLOW));
	CALL(unlink("made"));
	(void)close(temporary);
	temporary = open("dir", O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0640);
	CALL(linkat(AT_FDCWD, in_proc("/proc/self/fd/", temporary, ""), AT_FDCWD, "made", AT_SYMLINK_FOLLOW));
	(void)close(temporary);
	int dir = open("dir", O_PATH | O_CLOEXEC), file = open("file", O_RDONLY | O_CLOEXEC);
	CALL(linkat(dir, "", AT_FDCWD, "made", AT_EMPTY_PATH));
	CALL(linkat(999, "", AT_FDCWD, "made", AT_EMPTY_PATH));
	CALL(linkat(file, "", AT_FDCWD, "made", 0));
	CALL(linkat(AT_FDCWD, "file", AT_FDCWD, "made", 0x8000));
	(void)close(dir);
	(void)close(file);
}

/* ---- names -------------------------------------------------------------------------------------------------------- */

static void bad_paths(void)
{
	static char big[5000];
	memset(big, 'a', sizeof(big) - 1);
	OPEN(open(nowhere, O_WRONLY));
	OPEN(open(nowhere, O_WRONLY | O_CREAT, 0));
	CALL(mkdir(nowhere, 0));
	CALL(rename("file", nowhere));
	CALL(rename(nowhere, "file"));
	CALL(unlink(nowhere));
	CALL(symlink(nowhere, "x"));
	CALL(symlink("x", nowhere));
	CALL(symlink("", "x"));
	CALL(link(nowhere, "x"));
	CALL(chmod(nowhere, 0));
	CALL(truncate(nowhere, 0));
	OPEN(open(big, O_WRONLY | O_CREAT, 0600));
	big[300] = '\0';
	OPEN(open(big, O_WRONLY | O_CREAT, 0600));
	CALL(mkdir(big, 0700));
	big[255] = '\0';
	OPEN(open(big, O_WRONLY | O_CREAT, 0600));
	CALL(unlink(big));
	memset(big, '/', sizeof(big));
	big[0] = '.';
	big[4094] = 'y';
	big[4095] = '\0';
	OPEN(open(big, O_WRONLY | O_CREAT, 0600));
	CALL(unlink("y"));
	memmove(big + 1, big, 4096);
	OPEN(open(big, O_WRONLY | O_CREAT, 0600));
	/* up to the end of what is mapped */
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CALL(munmap(page + 4096, 4096));
	memcpy(page + 4096 - 5, "file", 5);
	OPEN(open(page + 4096 - 5, O_RDWR));
	memcpy(page + 4096 - 5, "filex", 5);
	OPEN(open(page + 4096 - 5, O_RDWR));
}

static void names_that_are_taken_or_missing(void)
{
	static const char *const paths[] = {"dir",	    "file",    "to_missing", "to_dir", "missing/x", "file/x",
					    "new/",	    ".",       "..",	     "dir/.",  "/",	    "",
					    "unreadable/x", "to_loop", "to_loop/x",  "dir/",   "file/"};
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		CALL(mkdir(paths[i], 0700));
		look(paths[i]);
		CALL(rmdir("new"));
		CALL(symlink("t", paths[i]));
		CALL(mknod(paths[i], S_IFREG | 0600, 0));
		CALL(link("file", paths[i]));
		CALL(link(paths[i], "linked"));
		CALL(unlink("linked"));
		CALL(rename("ro", paths[i]));
		if (access("ro", F_OK) != 0)
			CALL(rename(paths[i], "ro"));
		if (strcmp(paths[i], "to_missing") == 0 && access("ro", F_OK) == 0)
			CALL(symlink("missing", "to_missing"));
		look("ro");
		if (access("file", F_OK) != 0)
			put("file", "content");
	}
}

static void removals(void)
{
	static const char *const files_in[] = {"dir", "dir/", "file/",	"missing", "missing/",
					       ".",   "",     "file/x", "to_dir/", "/"};
	static const char *const folders_in[] = {"file",    "dir",    ".",	 "dir/..", "/",
						 "missing", "to_dir", "to_dir/", "",	   "dir/."};
	for (size_t i = 0; i < ARRAY_LEN(files_in); i++)
		CALL(unlink(files_in[i]));
	for (size_t i = 0; i < ARRAY_LEN(folders_in); i++)
		CALL(rmdir(folders_in[i]));
	CALL(mkdir("n/", 0700));
	CALL(rmdir("n/"));
	CALL(mknod("dev", S_IFDIR | 0600, 0));
	CALL(mknod("dev", 0x5000 | 0600, 0));
	CALL(mknod("sk", S_IFSOCK | 0700, 0));
	look("sk");
	CALL(unlink("sk"));
}

static void links(void)
{
	CALL(link("file", "h1"));
	look("file");
	CALL(link("to_file", "h3"));
	look("h3");
	CALL(linkat(AT_FDCWD, "to_file", AT_FDCWD, "h4", AT_SYMLINK_FOLLOW));
	look("h4");
	CALL(link("file/", "h5"));
	CALL(link("file", "h5/"));
	CALL(link("to_missing", "h6"));
	CALL(linkat(AT_FDCWD, "to_missing", AT_FDCWD, "h7", AT_SYMLINK_FOLLOW));
	CALL(link("fifo", "h8"));
	CALL(unlink("h1"));
	CALL(unlink("h3"));
	CALL(unlink("h4"));
	CALL(unlink("h6"));
	CALL(unlink("h8"));
}

static void renames(void)
{
	static const struct {
		const char *from, *to;
	} pairs[] = {
		{"r1", "r1"},
		{"r1", "r3"},
		{"r3", "r2"},
		{"missing", "r2"},
		{"r2", "missing/x"},
		{"r2", "rd"},
		{"rd", "r2"},
		{"rd", "rd2"},
		{"rd2", "rd3"},
		{"rd3", "rd3/y"},
		{"rd3/x", "rd3"},
		{"r2", "r2/"},
		{"r2", "new/"},
		{"rd3", "rd4/"},
		{"rd4/", "rd3"},
		{"r2/", "r9"},
		{".", "r9"},
		{"r2", "."},
		{"rd3/..", "r9"},
		{"", "x"},
		{"x", ""},
		{"file", "file/x"},
		{"to_dir", "ld"},
		{"ld", "to_dir"},
		{"to_dir/", "ld"},
		{"r2", "to_missing"},
		{"to_missing", "r2"},
		{"unreadable", "unr"},
		{"unr", "unreadable"},
		{"/", "x"},
		{"r2", "rd3/r2"},
		{"rd3/r2", "r2"},
		{"fifo", "fifo2"},
		{"fifo2", "fifo"},
		{"r2", "to_dir/r2"},
		{"to_dir/r2", "r2"},
		{"r2", "r2h"},
		{"../x", "r9"},
	};
	put("r1", "1");
	put("r2", "22");
	CALL(mkdir("rd", 0755));
	CALL(mkdir("rd2", 0755));
	CALL(mkdir("rd3", 0755));
	put("rd2/x", "x");
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		CALL(rename(pairs[i].from, pairs[i].to));
		look(pairs[i].from);
		look(pairs[i].to);
	}
	CALL(rename("r2h", "r2"));
	CALL(symlink("missing", "to_missing"));
	CALL(link("r2", "r2l"));
	CALL(rename("r2", "r2l"));
	look("r2");
	CALL(unlink("r2l"));
}

static int rename_with(const char *from, const char *to, unsigned flags)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void renames_with_flags(void)
{
	const unsigned noreplace = RENAME_NOREPLACE, exchange = RENAME_EXCHANGE;
	int dir = open("dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CALL(rename_with("r2", "file", noreplace));
	CALL(rename_with("r2", "rx", noreplace));
	CALL(rename_with("rx", "rd3", exchange));
	look("rx");
	look("rd3");
	CALL(rename_with("rx", "rd3", exchange));
	CALL(rename_with("rx", "none", exchange));
	CALL(rename_with("none", "rx", exchange));
	CALL(rename_with("rx", "rd3", exchange | noreplace));
	CALL(rename_with("rx", "rd3", 64));
	CALL(rename_with("rd3", "rd3/y", exchange));
	CALL(renameat2(dir, "inner", AT_FDCWD, "inn", 0));
	CALL(renameat2(AT_FDCWD, "inn", dir, "inner", 0));
	CALL(renameat2(999, "inner", AT_FDCWD, "inn", 0));
	CALL(renameat(AT_FDCWD, "rx", AT_FDCWD, "ry"));
	look("ry");
	(void)close(dir);
}

static void truncations(void)
{
	static const char *const paths[] = {"file", "dir",   "missing", "to_file", "fifo",
					    "sock", "file/", "to_loop", "dir/.",   "ro"};
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		CALL(truncate(paths[i], 3));
		look("file");
		CALL(truncate(paths[i], 30));
		look("file");
		CALL(truncate(paths[i], -1));
	}
	struct rlimit limit = {20, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
	(void)signal(SIGXFSZ, SIG_IGN);
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CALL(truncate("file", 25));
	CALL(truncate("file", 10));
	CALL(truncate("file", 21));
	CALL(truncate("file", 20));
	CHECK(setrlimit(RLIMIT_FSIZE, &none) == 0);
}

/* ---- permissions, owners, times, attributes ----------------------------------------------------------------------- */

enum { NR_FCHMODAT2 = 452, NR_FILE_SETATTR = 469 };

static void modes(void)
{
	static const char *const paths[] = {"file",    "to_file",	   "dir",	 "dir/",  "dir/.", ".",
					    "missing", "to_loop",	   "to_missing", "file/", "",	   "fifo",
					    "sock",    "/proc/self/status"};
	int file = open("file", O_RDONLY | O_CLOEXEC), dir = open("dir", O_PATH | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		CALL(chmod(paths[i], 0700));
		look("file");
		look("dir");
		CALL(syscall(NR_FCHMODAT2, AT_FDCWD, paths[i], 0755, AT_SYMLINK_NOFOLLOW));
	}
	CALL(fchmod(file, 0640));
	look("file");
	CALL(fchmod(dir, 0));
	CALL(fchmod(999, 0));
	CALL(chmod("/dev/fd/999", 0));
	CALL(fchmodat(dir, "inner", 0604, 0));
	look("dir/inner");
	CALL(fchmodat(dir, "up", 0644, 0));
	CALL(fchmodat(999, "x", 0, 0));
	CALL(chmod("file", 07777));
	look("file");
	CALL(syscall(NR_FCHMODAT2, file, "", 0600, AT_EMPTY_PATH));
	look("file");
	CALL(syscall(NR_FCHMODAT2, dir, "", 0711, AT_EMPTY_PATH));
	CALL(syscall(NR_FCHMODAT2, AT_FDCWD, "file", 0644, 0x8000));
	CALL(syscall(NR_FCHMODAT2, AT_FDCWD, "", 0755, AT_EMPTY_PATH));
	CALL(syscall(NR_FILE_SETATTR, AT_FDCWD, "file", nowhere, 24, 0));
	CALL(syscall(NR_FILE_SETATTR, AT_FDCWD, "file", NULL, 100000, 0));
	CALL(syscall(NR_FILE_SETATTR, AT_FDCWD, "file", root, 2, 0));
	CALL(syscall(NR_FILE_SETATTR, AT_FDCWD, "file", root, 24, 8));
	(void)close(file);
	(void)close(dir);
}

static void owners(void)
{
	int file = open("file", O_RDONLY | O_CLOEXEC), dir = open("dir", O_PATH | O_CLOEXEC);
	uid_t uid = getuid();
	gid_t gid = getgid();
	CALL(chown("file", uid, gid));
	CALL(chown("file", (uid_t)-1, (gid_t)-1));
	CALL(chown("file", uid + 1, gid));
	CALL(chown("missing", uid, gid));
	CALL(lchown("to_loop", uid, gid));
	CALL(chown("to_loop", uid, gid));
	CALL(fchown(file, uid, gid));
	CALL(fchown(dir, uid, gid));
	CALL(fchownat(dir, "inner", uid, gid, AT_SYMLINK_NOFOLLOW));
	CALL(fchownat(file, "", uid, gid, AT_EMPTY_PATH));
	CALL(fchownat(file, "", uid, gid, 0));
	CALL(fchownat(dir, "inner", uid, gid, 0x8000));
	(void)close(file);
	(void)close(dir);
}

static void times(void)
{
	const struct timespec both[2] = {{1000, 5}, {2000, 6}}, odd[2] = {{1, 2000000000}, {1, 1}};
	const struct timespec omit[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}}, one[2] = {{3000, 7}, {0, UTIME_OMIT}};
	const struct timeval old[2] = {{4000, 8}, {5000, 9}}, bad[2] = {{1, 2000000}, {1, 1}};
	const struct utimbuf oldest = {6000, 7000};
	int file = open("file", O_RDONLY | O_CLOEXEC), dir = open("dir", O_PATH | O_CLOEXEC);
	CALL(utimensat(AT_FDCWD, "file", both, 0));
	look_times("file");
	CALL(utimensat(AT_FDCWD, "file", odd, 0));
	CALL(utimensat(AT_FDCWD, "missing", omit, 0));
	CALL(utimensat(AT_FDCWD, "file", one, 0));
	look_times("file");
	CALL(utimensat(AT_FDCWD, "to_loop", both, AT_SYMLINK_NOFOLLOW));
	look_times("to_loop");
	CALL(utimensat(AT_FDCWD, "to_loop", both, 0));
	CALL(utimensat(dir, "inner", both, 0));
	look_times("dir/inner");
	CALL(utimensat(AT_FDCWD, "dir/..", NULL, 0));
	CALL(utimensat(AT_FDCWD, "file", (const struct timespec *)(const void *)nowhere, 0));
	CALL(futimens(file, both));
	look_times("file");
	CALL(futimens(999, both));
	CALL(futimens(dir, both));
	CALL(syscall(SYS_utimensat, file, NULL, NULL, AT_SYMLINK_NOFOLLOW));
	CALL(syscall(SYS_utimensat, AT_FDCWD, NULL, NULL, 0));
	CALL(utimes("file", old));
	look_times("file");
	CALL(utimes("file", bad));
	CALL(utimes("file", NULL));
	CALL(utime("file", &oldest));
	look_times("file");
	CALL(utime("ro", NULL));
	(void)close(file);
	(void)close(dir);
}

static void attributes(void)
{
	static char large[70000];
	char found[8] = "";
	int file = open("file", O_RDONLY | O_CLOEXEC), dir = open("dir", O_PATH | O_CLOEXEC);
	unsigned flags = 0;
	CALL(setxattr("file", "user.x", "one", 3, 0));
	CALL(setxattr("file", "user.x", "two", 3, XATTR_CREATE));
	CALL(fsetxattr(file, "user.x", "two", 3, XATTR_REPLACE));
	CALL(getxattr("file", "user.x", found, sizeof(found)));
	put_note(found, 0, 0, "");
	CALL(setxattr("to_file", "user.y", "", 0, 0));
	CALL(lsetxattr("to_file", "user.y", "", 0, 0));
	CALL(setxattr("file", "", "", 0, 0));
	CALL(setxattr("file", large, "", 0, 0));
	CALL(setxattr("file", "user.big", large, sizeof(large), 0));
	CALL(setxattr("file", "user.x", "", 0, 77));
	CALL(setxattr("file", "user.x", nowhere, 3, 0));
	CALL(setxattr("file", nowhere, "", 0, 0));
	CALL(setxattr("file", "security.x", "", 0, 0));
	CALL(setxattr("missing", "user.x", "", 0, 0));
	CALL(fsetxattr(dir, "user.x", "", 0, 0));
	CALL(removexattr("file", "user.x"));
	CALL(removexattr("file", "user.x"));
	CALL(fremovexattr(file, "user.y"));
	CALL(lremovexattr("to_file", "user.y"));
	CALL(ioctl(file, FS_IOC_GETFLAGS, &flags));
	CALL(ioctl(file, FS_IOC_SETFLAGS, &flags));
	CALL(ioctl(file, FS_IOC_SETFLAGS, nowhere));
	CALL(ioctl(999, FS_IOC_SETFLAGS, &flags));
	(void)close(file);
	(void)close(dir);
}

/* ---- what takes more than one ------------------------------------------------------------------------------------- */

static void *open_in_thread(void *arg)
{
	(void)arg;
	OPEN(open("file", O_RDWR | O_APPEND));
	OPEN(open(in_proc("/proc/", getpid(), "/fd/0"), O_WRONLY | O_NOFOLLOW));
	int file = open("file", O_RDONLY | O_CLOEXEC);
	CALL(fchmod(file, 0641));
	(void)close(file);
	return NULL;
}

static void *change_mask(void *arg)
{
	(void)arg;
	(void)umask(027);
	return NULL;
}

static void threads(void)
{
	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, open_in_thread, NULL) == 0 && pthread_join(thread, NULL) == 0);
	CHECK(pthread_create(&thread, NULL, change_mask, NULL) == 0 && pthread_join(thread, NULL) == 0);
	OPEN(open("masked", O_CREAT | O_WRONLY, 0666)); /* a umask is that of all threads */
	pid_t pid = rig_fork();
	if (pid == 0) {
		(void)umask(0);
		OPEN(open("unmasked", O_CREAT | O_WRONLY, 0666));
		_exit(0);
	}
	CHECK(waitpid(pid, NULL, 0) == pid);
	OPEN(open("masked2", O_CREAT | O_WRONLY, 0666)); /* but not of children */
	(void)umask(022);
	OPEN(open("masked3", O_CREAT | O_WRONLY, 0666));
}

/* A child that reads one byte of the FIFO, at once or after a while. */
static pid_t read_fifo(useconds_t pause_us)
{
	pid_t pid = rig_fork();
	if (pid > 0)
		return pid;
	char byte;
	(void)usleep(pause_us);
	int fd = open("fifo", O_RDONLY | O_CLOEXEC);
	_exit(fd < 0 || read(fd, &byte, 1) < 0);
}

static void fifos(void)
{
	CALL(chmod("fifo", 0600));
	OPEN(open("fifo", O_WRONLY | O_NONBLOCK));
	OPEN(open("fifo", O_RDWR));
	pid_t reader = read_fifo(0);
	OPEN(open("fifo", O_WRONLY));
	CHECK(waitpid(reader, NULL, 0) == reader);
	reader = read_fifo(30000);
	OPEN(open("fifo", O_WRONLY | O_APPEND | O_CLOEXEC));
	CHECK(waitpid(reader, NULL, 0) == reader);
}

static void leases(void)
{
	(void)signal(SIGIO, SIG_IGN);
	int file = open("file", O_RDONLY | O_CLOEXEC);
	CALL(fcntl(file, F_SETLEASE, F_RDLCK));
	OPEN(open("file", O_WRONLY | O_NONBLOCK));
	CALL(fcntl(file, F_SETLEASE, F_UNLCK));
	int ready[2];
	char byte = 0;
	CHECK(pipe2(ready, O_CLOEXEC) == 0);
	pid_t pid = rig_fork();
	if (pid == 0) { /* gives its lease back after a while */
		CHECK(fcntl(file, F_SETLEASE, F_RDLCK) == 0 && write(ready[1], &byte, 1) == 1);
		CHECK(usleep(50000) == 0 && fcntl(file, F_SETLEASE, F_UNLCK) == 0);
		_exit(0);
	}
	CHECK(read(ready[0], &byte, 1) == 1 && close(ready[0]) == 0 && close(ready[1]) == 0);
	OPEN(open("file", O_WRONLY | O_APPEND));
	CHECK(waitpid(pid, NULL, 0) == pid);
	(void)close(file);
}

static void descriptors_run_out(void)
{
	int fds[40], count = 0;
	struct rlimit limit = {20, 64}, before;
	CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0 && setrlimit(RLIMIT_NOFILE, &limit) == 0);
	while (count < 40 && (fds[count] = open("file", O_WRONLY | O_CLOEXEC)) >= 0)
		count++;
	put_note("descriptors", count, 0, "");
	put_note("then", -1, errno, "");
	while (count > 0)
		(void)close(fds[--count]);
}

static void lost_folder(void)
{
	CHECK(mkdir("lost", 0755) == 0 && chdir("lost") == 0);
	CALL(rmdir("../lost"));
	OPEN(open("x", O_CREAT | O_WRONLY, 0600));
	OPEN(open("x", O_CREAT | O_EXCL | O_WRONLY, 0600));
	CALL(mkdir("y", 0700));
	OPEN(open("../file", O_WRONLY));
	CALL(unlink("x"));
	CALL(rename("x", "y"));
	OPEN(open(".", O_TMPFILE | O_WRONLY, 0600));
	CALL(chmod(".", 0700));
	CHECK(chdir(root) == 0);
}

/* Below what a path can tell. */
static void deep_folders(void)
{
	char name[201];
	memset(name, 'd', 200);
	name[200] = '\0';
	for (int i = 0; i < 30; i++)
		CHECK(mkdir(name, 0755) == 0 && chdir(name) == 0);
	OPEN(open("f", O_CREAT | O_WRONLY, 0644));
	OPEN(open("f", O_CREAT | O_EXCL | O_WRONLY, 0644));
	OPEN(open("./g", O_CREAT | O_EXCL | O_WRONLY, 0644));
	OPEN(open("f", O_RDWR | O_APPEND));
	CALL(mkdir("x", 0755));
	CALL(rename("f", "x/f"));
	CALL(rename("x/f", "../f"));
	CALL(rename("x", "y"));
	CALL(symlink("g", "s"));
	OPEN(open("s", O_WRONLY));
	CALL(link("g", "h"));
	CALL(chmod("g", 0600));
	CALL(truncate("g", 10));
	look("g");
	CALL(unlink("h"));
	CALL(rmdir("y"));
	CALL(unlink("../f"));
	CHECK(chdir(root) == 0);
}

/* A program that was just written can be started: nobody holds it open for writing any more. */
static void written_programs(void)
{
	static char bytes[64 * 1024];
	for (int i = 0; i < 20; i++) {
		int from = open("/bin/true", O_RDONLY | O_CLOEXEC), status = 0;
		ssize_t n = read(from, bytes, sizeof(bytes));
		(void)close(from);
		int to = open("program", O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0755);
		CHECK(n > 0 && n < (ssize_t)sizeof(bytes) && write(to, bytes, (size_t)n) == n && close(to) == 0);
		pid_t pid = rig_fork();
		if (pid == 0) {
			(void)execl("./program", "program", NULL);
			_exit(errno == ETXTBSY ? 26 : 99);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		put_note("program", WEXITSTATUS(status), 0, "");
	}
}

/* ---- twice -------------------------------------------------------------------------------------------------------- */

static void do_all(void *arg)
{
	static void (*const parts[])(void) = {opens,
					      new_files,
					      opens_by_descriptor,
					      opens_with_how,
					      odd_hows,
					      opens_of_descriptors,
					      bad_paths,
					      files_without_names,
					      links,
					      renames,
					      renames_with_flags,
					      truncations,
					      names_that_are_taken_or_missing,
					      removals,
					      modes,
					      owners,
					      times,
					      attributes,
					      threads,
					      fifos,
					      leases,
					      written_programs,
					      lost_folder,
					      deep_folders,
					      descriptors_run_out};
	(void)snprintf(root, sizeof(root), "%s/%s", files.ws, (const char *)arg);
	CHECK(sys_close_range(3, ~0U, 0) == 0); /* so that numbers are the same */
	CHECK(mkdir(root, 0755) == 0 && chdir(root) == 0);
	make_tree();
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		parts[i]();
}

static int compare(const struct notes *plain, const struct notes *served)
{
	int different = 0;
	assert_int_equal(plain->count, served->count);
	for (int i = 0; i < plain->count; i++) {
		const struct note *a = &plain->note[i], *b = &served->note[i];
		if (a->result == b->result && a->error == b->error && strcmp(a->what, b->what) == 0 &&
		    strcmp(a->more, b->more) == 0)
			continue;
		print_error("%s: by itself %ld, %s [%s]; on behalf %s: %ld, %s [%s]\n", a->what, a->result,
			    strerror(a->error), a->more, b->what, b->result, strerror(b->error), b->more);
		different++;
	}
	return different;
}

static struct notes *shared_notes(void)
{
	void *memory = mmap(NULL, sizeof(struct notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	return memory;
}

static void test_served_calls_are_as_the_kernels(void **state)
{
	(void)state;
	static const struct berm_rule rules[] = {
		{.size = sizeof(rules[0]), .pattern = "**/.protected/**", .right = BERM_PROTECT}};
	static char folders[2][6] = {"plain", "serve"}; /* as long as each other: links have their length */
	struct notes *plain = shared_notes(), *served = shared_notes();
	int status = 0;
	notes = plain;
	pid_t pid = fork();
	if (pid == 0) {
		do_all(folders[0]);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	notes = served;
	FILES_RUN(rules, do_all, folders[1]);
	print_message("%d calls compared\n", plain->count);
	assert_int_equal(compare(plain, served), 0);
	(void)munmap(plain, sizeof(*plain));
	(void)munmap(served, sizeof(*served));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_served_calls_are_as_the_kernels),
	};
	return cmocka_run_group_tests(tests, files_setup, files_remove);
}
