/* Names and what is written beside a file's content: on behalf, compared with the kernel's own doing. */
#include "sup_notes.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <utime.h>

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

static void test_names_and_marks_are_as_the_kernels(void **state)
{
	(void)state;
	static void (*const parts[])(void) = {
		bad_paths, links,  renames, renames_with_flags, truncations, names_that_are_taken_or_missing, removals,
		modes,	   owners, times,   attributes};
	notes_compare(parts, ARRAY_LEN(parts));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names_and_marks_are_as_the_kernels, files_setup, files_remove),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
