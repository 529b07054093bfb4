/* Opening on behalf, compared with opening. */
#include "sup_notes.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>

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

static void test_opens_are_as_the_kernels(void **state)
{
	(void)state;
	static void (*const parts[])(void) = {opens,
					      new_files,
					      opens_by_descriptor,
					      opens_with_how,
					      odd_hows,
					      opens_of_descriptors,
					      files_without_names,
					      threads,
					      fifos,
					      leases,
					      written_programs,
					      lost_folder,
					      deep_folders,
					      descriptors_run_out};
	notes_compare(parts, ARRAY_LEN(parts));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_opens_are_as_the_kernels, files_setup, files_remove),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
