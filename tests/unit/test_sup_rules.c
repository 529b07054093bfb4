/* What rules forbid inside a folder that may be written, by every road to it, and what they leave alone. */
#include "sup_rules.h"

#include <pthread.h>

/* ---- a name that is protected ------------------------------------------------------------------------------------- */

static void attack_existing(void *arg)
{
	const char *name = arg;
	char in_folder[100];
	(void)snprintf(in_folder, sizeof(in_folder), "./way/../%s", name);
	CHECK_FAILS(open_write(name), EACCES);
	CHECK_FAILS(open(name, O_RDWR | O_CLOEXEC), EACCES);
	CHECK_FAILS(open(name, O_RDONLY | O_TRUNC | O_CLOEXEC), EACCES);
	CHECK_FAILS(open_make(name, O_TRUNC), EACCES);
	CHECK_FAILS(open_make(name, O_EXCL), EEXIST);
	CHECK_FAILS(open_write(in_folder), EACCES);
	CHECK_FAILS(truncate(name, 0), EACCES);
	CHECK_FAILS(unlink(name), EACCES);
	CHECK_FAILS(rename(name, "elsewhere"), EACCES);
	CHECK_FAILS(rename("mine", name), EACCES);
	CHECK_FAILS(renameat2(AT_FDCWD, "mine", AT_FDCWD, name, RENAME_EXCHANGE), EACCES);
	CHECK_FAILS(renameat2(AT_FDCWD, name, AT_FDCWD, "mine", RENAME_EXCHANGE), EACCES);
	CHECK_FAILS(link(name, "second"), EACCES);
	CHECK_FAILS(chmod(name, 0777), EPERM);
	CHECK_FAILS(syscall(SYS_utimensat, AT_FDCWD, name, NULL, 0), EPERM);
	int fd = open(name, O_RDONLY | O_CLOEXEC), byte;
	CHECK(fd >= 0 && read(fd, &byte, 1) == 1);
	CHECK_FAILS(fchmod(fd, 0777), EPERM);
	CHECK_FAILS(open_write(fd_path(fd)), EACCES);
	CHECK_FAILS(chmod(fd_path(fd), 0777), EPERM);
	CHECK_FAILS(truncate(fd_path(fd), 0), EACCES);
	CHECK_FAILS(linkat(AT_FDCWD, fd_path(fd), AT_FDCWD, "second", AT_SYMLINK_FOLLOW), EACCES);
	CHECK(linkat(fd, "", AT_FDCWD, "second", AT_EMPTY_PATH) < 0);
	CHECK(symlink(name, "alias") == 0);
	CHECK_FAILS(open_write("alias"), EACCES);
	CHECK_FAILS(open_make("alias", O_TRUNC), EACCES);
	CHECK_FAILS(truncate("alias", 0), EACCES);
	CHECK_FAILS(chmod("alias", 0777), EPERM);
	CHECK_FAILS(linkat(AT_FDCWD, "alias", AT_FDCWD, "second", AT_SYMLINK_FOLLOW), EACCES);
	(void)snprintf(in_folder, sizeof(in_folder), "/proc/self/cwd/%s", name);
	CHECK_FAILS(open_write(in_folder), EACCES);
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK_FAILS(openat(here, name, O_WRONLY | O_CLOEXEC), EACCES);
	CHECK_FAILS(unlinkat(here, name, 0), EACCES);
	CHECK(unlink("alias") == 0 && close(fd) == 0 && close(here) == 0);
}

static void attack_missing(void *arg)
{
	const char *name = arg;
	CHECK_FAILS(open_make(name, 0), EACCES);
	CHECK_FAILS(open_make(name, O_EXCL), EACCES);
	CHECK_FAILS(open_write(name), ENOENT);
	CHECK_FAILS(creat(name, 0644), EACCES);
	CHECK_FAILS(mkdir(name, 0755), EACCES);
	CHECK_FAILS(mkfifo(name, 0644), EACCES);
	CHECK_FAILS(mknod(name, S_IFREG | 0644, 0), EACCES);
	CHECK_FAILS(symlink("mine", name), EACCES);
	CHECK_FAILS(link("mine", name), EACCES);
	CHECK_FAILS(rename("mine", name), EACCES);
	CHECK_FAILS(rename("folder", name), EACCES);
	CHECK_FAILS(renameat2(AT_FDCWD, "mine", AT_FDCWD, name, RENAME_NOREPLACE), EACCES);
	int fd = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	CHECK(fd >= 0);
	CHECK_FAILS(linkat(AT_FDCWD, fd_path(fd), AT_FDCWD, name, AT_SYMLINK_FOLLOW), EACCES);
	CHECK(symlink(name, "alias") == 0);
	CHECK_FAILS(open_make("alias", 0), EACCES);
	CHECK(unlink("alias") == 0 && close(fd) == 0);
}

static void attack_names(void *arg)
{
	static const char *const existing[] = {".rc", ".set/inner", ".set/deep/er"};
	static const char *const missing[] = {".RC", "way/.rc", "way/.Rc", ".set/other", ".set/deep/more", ".hook/x"};
	char absolute[200];
	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(existing); i++) {
		attack_existing((void *)(uintptr_t)existing[i]);
		(void)snprintf(absolute, sizeof(absolute), "%s/%s", files.ws, existing[i]);
		CHECK_FAILS(open_write(absolute), EACCES);
		CHECK_FAILS(open_make(absolute, O_EXCL), EEXIST);
	}
	for (size_t i = 0; i < ARRAY_LEN(missing); i++) {
		attack_missing((void *)(uintptr_t)missing[i]);
		(void)snprintf(absolute, sizeof(absolute), "%s/%s", files.ws, missing[i]);
		CHECK_FAILS(open_make(absolute, O_EXCL), EACCES);
	}
	/* what is left alone */
	CHECK(close(open_make(".hook/x.sample", O_EXCL)) == 0 && unlink(".hook/x.sample") == 0);
	CHECK(close(open_make(".rcx", O_EXCL)) == 0 && rename(".rcx", "rc") == 0 && unlink("rc") == 0);
	CHECK(mkdir(".hook/sub", 0755) < 0 && errno == EACCES);
	/* below what a path can tell */
	char deep[201];
	memset(deep, 'd', 200);
	deep[200] = '\0';
	for (int i = 0; i < 25; i++)
		CHECK(mkdir(deep, 0755) == 0 && chdir(deep) == 0);
	CHECK(close(open_make("rc", O_EXCL)) == 0);
	CHECK_FAILS(open_make(".rc", O_EXCL), EACCES);
	CHECK_FAILS(open_make(".rc", 0), EACCES);
	CHECK_FAILS(rename("rc", ".rc"), EACCES);
	CHECK_FAILS(link("rc", ".rc"), EACCES);
	CHECK_FAILS(mkdir(".set", 0755), EACCES);
}

static void test_protected_names(void **state)
{
	(void)state;
	static const struct berm_rule rules[] = {
		PROTECT_IF("**/.rc", .label = "start files"),
		PROTECT("**/.set/**"),
		PROTECT_IF("**/.hook/*", .except = "**/.hook/*.sample"),
	};
	char rc[200];
	outside_folder("way");
	outside_folder("folder");
	outside_folder(".set");
	outside_folder(".set/deep");
	outside_folder(".hook");
	outside_put("mine", "mine");
	outside_put(".rc", "kept");
	outside_put(".set/inner", "kept");
	outside_put(".set/deep/er", "kept");
	FILES_RUN(rules, attack_names, NULL);
	assert_true(outside_holds(".rc", "kept") && outside_holds(".set/inner", "kept"));
	assert_true(outside_holds(".set/deep/er", "kept") && outside_holds("mine", "mine"));
	assert_false(outside_exists("second") || outside_exists("elsewhere") || outside_exists(".set/other"));
	(void)snprintf(rc, sizeof(rc), "%s/.rc", files.ws);
	assert_true(rig_told(BERM_OP_WRITE, EACCES, rc));
	assert_true(rig_told(BERM_OP_DELETE, EACCES, rc));
}

/* ---- folders that are moved --------------------------------------------------------------------------------------- */

static void move_folders(void *arg)
{
	(void)arg;
	/* the same names lie under the same rules before and after */
	CHECK(mkdir("proj", 0755) == 0 && mkdir("proj/src", 0755) == 0);
	CHECK(rename("host", "moved") == 0 && rename("moved", "host") == 0);
	CHECK(rename("host/.git", "host/git") < 0 && errno == EACCES);
	CHECK(rename("host/.git/hooks", "host/.git/away") < 0 && errno == EACCES);
	/* what would come under a rule */
	CHECK(mkdir("bad", 0755) == 0 && close(open_make("bad/post", O_EXCL)) == 0);
	CHECK(mkdir("proj/.git", 0755) == 0);
	CHECK_FAILS(rename("bad", "proj/.git/hooks"), EACCES);
	CHECK(mkdir("whole", 0755) == 0 && mkdir("whole/hooks", 0755) == 0);
	CHECK(close(open_make("whole/hooks/post", O_EXCL)) == 0);
	CHECK_FAILS(rename("whole", "proj/.git/x/../../.git2/../.git"), ENOENT);
	CHECK(rmdir("proj/.git") == 0);
	CHECK_FAILS(rename("whole", "proj/.git"), EACCES);
	CHECK_FAILS(renameat2(AT_FDCWD, "whole", AT_FDCWD, "host/.git", RENAME_EXCHANGE), EACCES);
	CHECK(mkdir("proj/.git", 0755) == 0 && mkdir("proj/.git/hooks", 0755) == 0);
	CHECK_FAILS(renameat2(AT_FDCWD, "whole/hooks", AT_FDCWD, "proj/.git/hooks", RENAME_EXCHANGE), EACCES);
	/* nothing in it that matters */
	CHECK(close(open_make("proj/.git/hooks/post.sample", O_EXCL)) == 0);
	CHECK(rename("proj/.git/hooks", "proj/plain") == 0 && rename("proj/plain", "proj/.git/hooks") == 0);
	/* links whose own name takes part */
	CHECK(rename("proj/.git/hooks", "proj/plain") == 0);
	CHECK_FAILS(symlink("../../bad", "proj/.git/hooks"), EACCES);
	CHECK(symlink("../../bad", "link") == 0);
	CHECK_FAILS(rename("link", "proj/.git/hooks"), EACCES);
	CHECK_FAILS(link("link", "proj/.git/hooks"), EACCES);
	CHECK(mkdir("carry", 0755) == 0 && symlink("../bad", "carry/hooks") == 0);
	CHECK(rmdir("proj/.git") == 0);
	CHECK_FAILS(rename("carry", "proj/.git"), EACCES);
	CHECK(rename("carry", "proj/carried") == 0);
	/* too much to look at is for the task to copy */
	CHECK(mkdir("many", 0755) == 0);
	for (int i = 0; i < 10100; i++) {
		char name[64];
		(void)snprintf(name, sizeof(name), "many/%d.sample", i);
		CHECK(close(open_make(name, O_EXCL)) == 0);
	}
	CHECK(mkdir("proj/.git", 0755) == 0);
	CHECK_FAILS(rename("many", "proj/.git/hooks"), EXDEV);
	CHECK(rename("many", "proj/many") == 0);
}

static void test_moved_folders(void **state)
{
	(void)state;
	static const struct berm_rule rules[] = {
		PROTECT_IF("**/.git/hooks/*", .except = "**/.git/hooks/*.sample"),
		PROTECT_IF("**/.git", .mkdir_only = true, .removable = true),
	};
	outside_folder("host");
	outside_folder("host/.git");
	outside_folder("host/.git/hooks");
	outside_put("host/.git/hooks/post", "kept");
	FILES_RUN(rules, move_folders, NULL);
	assert_true(outside_holds("host/.git/hooks/post", "kept"));
	assert_false(outside_exists("proj/.git/hooks/post"));
}

/* ---- kinds of rules ----------------------------------------------------------------------------------------------- */

static void use_kinds(void *arg)
{
	(void)arg;
	/* mkdir only */
	CHECK(mkdir("only", 0755) == 0);
	CHECK_FAILS(open_make("x/only", 0), ENOENT);
	CHECK(mkdir("x", 0755) == 0);
	CHECK_FAILS(open_make("x/only", 0), EACCES);
	CHECK_FAILS(symlink("..", "x/only"), EACCES);
	CHECK_FAILS(rename("x", "y/../only"), ENOENT);
	CHECK_FAILS(rename("only", "other"), EACCES);
	CHECK(close(open_make("only/inside", 0)) == 0 && unlink("only/inside") == 0 && rmdir("only") == 0);
	CHECK_FAILS(rename("x", "only"), EACCES);
	/* in place */
	CHECK(close(open_make("place", O_EXCL)) == 0 && close(open_write("place")) == 0 && chmod("place", 0600) == 0);
	CHECK(rename("place", "free") == 0);
	CHECK_FAILS(rename("free", "place"), EACCES);
	CHECK_FAILS(link("free", "place"), EACCES);
	CHECK_FAILS(symlink("free", "place"), EACCES);
	CHECK(mkdir("place", 0755) == 0 && rmdir("place") == 0);
	CHECK_FAILS(rename("x", "place"), EACCES);
	/* removable */
	CHECK_FAILS(open_write("gone"), EACCES);
	CHECK(unlink("gone") == 0);
	CHECK_FAILS(open_make("gone", 0), EACCES);
	CHECK(rename("gone2", "went") == 0 && unlink("went") == 0);
}

static void test_kinds_of_rules(void **state)
{
	(void)state;
	static const struct berm_rule rules[] = {
		PROTECT_IF("**/only", .mkdir_only = true),
		PROTECT_IF("**/place", .in_place = true),
		PROTECT_IF("**/gone*", .removable = true),
	};
	outside_put("gone", "x");
	outside_put("gone2", "x");
	FILES_RUN(rules, use_kinds, NULL);
}

/* ---- rights of grants --------------------------------------------------------------------------------------------- */

static const char *in_grant(const char *folder, const char *name)
{
	static char paths[4][200];
	static unsigned next;
	char *path = paths[next++ % 4];
	(void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void use_grants(void *arg)
{
	(void)arg;
	/* no removing there */
	CHECK(close(open_make(in_grant(files.keep, "f"), O_EXCL)) == 0);
	CHECK(close(open_make(in_grant(files.keep, "g"), O_EXCL)) == 0);
	CHECK_FAILS(unlink(in_grant(files.keep, "f")), EACCES);
	CHECK_FAILS(rename(in_grant(files.keep, "f"), in_grant(files.keep, "g")), EACCES);
	CHECK(rename(in_grant(files.keep, "f"), in_grant(files.keep, "h")) == 0);
	CHECK(mkdir(in_grant(files.keep, "d"), 0755) == 0);
	CHECK_FAILS(rmdir(in_grant(files.keep, "d")), EACCES);
	/* nothing gets more rights than it had */
	CHECK_FAILS(rename(in_grant(files.keep, "h"), in_grant(files.ws, "h")), EXDEV);
	CHECK_FAILS(link(in_grant(files.keep, "h"), in_grant(files.ws, "h")), EXDEV);
	CHECK_FAILS(rename(in_grant(files.keep, "d"), in_grant(files.ws, "d")), EXDEV);
	CHECK(close(open_make(in_grant(files.ws, "k"), O_EXCL)) == 0);
	CHECK(rename(in_grant(files.ws, "k"), in_grant(files.keep, "k")) == 0);
	CHECK(close(open_make(in_grant(files.ws, "o"), O_EXCL)) == 0);
	CHECK(rename(in_grant(files.ws, "o"), in_grant(files.other, "o")) == 0);
	CHECK(link(in_grant(files.other, "o"), in_grant(files.ws, "o")) == 0);
	/* outside */
	CHECK_FAILS(open_write(in_grant(files.outside, "secret")), EACCES);
	CHECK_FAILS(open_make(in_grant(files.outside, "new"), 0), EACCES);
	CHECK_FAILS(mkdir(in_grant(files.outside, "new"), 0755), EACCES);
	CHECK_FAILS(unlink(in_grant(files.outside, "secret")), EACCES);
	CHECK_FAILS(link(in_grant(files.outside, "secret"), in_grant(files.ws, "s")), EXDEV);
	CHECK_FAILS(rename(in_grant(files.outside, "secret"), in_grant(files.ws, "s")), EXDEV);
	CHECK(rename(in_grant(files.ws, "o"), in_grant(files.outside, "o")) < 0);
	CHECK_FAILS(truncate(in_grant(files.outside, "secret"), 0), EACCES);
	CHECK_FAILS(chmod(in_grant(files.outside, "secret"), 0777), EPERM);
	CHECK_FAILS(syscall(SYS_utimensat, AT_FDCWD, in_grant(files.outside, "secret"), NULL, 0), EPERM);
	int fd = open(in_grant(files.outside, "secret"), O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_FAILS(fchmod(fd, 0777), EPERM);
	CHECK_FAILS(futimens(fd, NULL), EPERM);
	CHECK_FAILS(linkat(AT_FDCWD, fd_path(fd), AT_FDCWD, "s", AT_SYMLINK_FOLLOW), EXDEV);
	CHECK(symlink(in_grant(files.outside, "secret"), "s") == 0);
	CHECK_FAILS(open_write("s"), EACCES);
	CHECK_FAILS(chmod("s", 0777), EPERM);
	/* what is refused by itself is not told */
	CHECK_FAILS(mkdir(files.outside, 0755), EEXIST);
	CHECK_FAILS(mkdir("/usr", 0755), EEXIST);
	CHECK_FAILS(open_make("/usr/new", 0), EACCES);
	CHECK_FAILS(unlink("/usr/missing"), ENOENT);
	/* a grant stays where it is */
	CHECK_FAILS(rename(files.other, in_grant(files.ws, "x")), EXDEV);
	CHECK(rmdir(files.other) < 0);
	CHECK_FAILS(rename(in_grant(files.keep, "parent"), in_grant(files.keep, "x")), EBUSY);
	CHECK_FAILS(rename(in_grant(files.keep, "parent/nested"), in_grant(files.keep, "x")), EBUSY);
	CHECK_FAILS(rename(in_grant(files.keep, "d"), in_grant(files.keep, "parent/nested")), EBUSY);
	CHECK(close(open_make(in_grant(files.keep, "parent/nested/f"), O_EXCL)) == 0);
	CHECK(unlink(in_grant(files.keep, "parent/nested/f")) == 0);
}

static void grant_nested(struct berm_caps *caps)
{
	const unsigned all = BERM_READ | BERM_WRITE | BERM_DELETE;
	assert_int_equal(berm_caps_path(caps, in_grant(files.keep, "parent/nested"), all, BERM_TREE, NULL), BERM_OK);
}

static void test_grants(void **state)
{
	(void)state;
	static const struct berm_rule rules[] = {PROTECT("**/.rc")};
	files_put(in_grant(files.outside, "secret"), "kept");
	make_folder(in_grant(files.keep, "parent"));
	make_folder(in_grant(files.keep, "parent/nested"));
	files_more = grant_nested;
	FILES_RUN(rules, use_grants, NULL);
	files_more = NULL;
	assert_true(files_hold(in_grant(files.outside, "secret"), "kept"));
	assert_true(rig_told(BERM_OP_WRITE, EACCES, in_grant(files.outside, "secret")));
	assert_true(rig_told(BERM_OP_CREATE, EACCES, in_grant(files.outside, "new")));
	assert_false(rig_told(BERM_OP_CREATE, EACCES, files.outside) || rig_told(BERM_OP_CREATE, EACCES, "/usr"));
	assert_false(rig_told(BERM_OP_CREATE, EACCES, "/usr/new") || rig_told(BERM_OP_DELETE, EACCES, "/usr/missing"));
}

static void use_replace(void *arg)
{
	(void)arg;
	CHECK(chdir(in_grant(files.base, "closed")) == 0);
	CHECK(files_hold("save.json", "old"));
	CHECK_FAILS(open_make("other", 0), EACCES);
	CHECK_FAILS(open_write("secret"), EACCES);
	CHECK_FAILS(unlink("secret"), EACCES);
	CHECK_FAILS(rename("secret", "save.json.x"), EACCES);
	CHECK(close(open_make("save.json.tmp", O_EXCL)) == 0);
	files_put("save.json.tmp", "new");
	CHECK_FAILS(rename("save.json.tmp", "secret"), EACCES);
	CHECK_FAILS(link("secret", "save.json.l"), EACCES);
	CHECK_FAILS(symlink("secret", "save.json.s"), EACCES);
	CHECK(mkdir("save.json.lock", 0755) == 0 && rmdir("save.json.lock") == 0);
	CHECK(rename("save.json.tmp", "save.json") == 0);
	CHECK_FAILS(rename("save.json", in_grant(files.ws, "taken")), EXDEV);
	CHECK_FAILS(rename(in_grant(files.ws, "mine"), "save.json"), EXDEV);
	CHECK(unlink("save.json") == 0 && close(open_make("save.json", O_EXCL)) == 0);
	files_put("save.json", "newer");
}

static void grant_replace(struct berm_caps *caps)
{
	assert_int_equal(berm_caps_path(caps, in_grant(files.base, "closed/save.json"), BERM_REPLACE, BERM_FILE, NULL),
			 BERM_OK);
}

static void test_atomic_saves_in_a_closed_folder(void **state)
{
	(void)state;
	static const struct berm_rule rules[] = {PROTECT("**/.rc")};
	make_folder(in_grant(files.base, "closed"));
	files_put(in_grant(files.base, "closed/save.json"), "old");
	files_put(in_grant(files.base, "closed/secret"), "kept");
	outside_put("mine", "mine");
	files_more = grant_replace;
	FILES_RUN(rules, use_replace, NULL);
	files_more = NULL;
	assert_true(files_hold(in_grant(files.base, "closed/save.json"), "newer"));
	assert_true(files_hold(in_grant(files.base, "closed/secret"), "kept"));
}

/* ---- races -------------------------------------------------------------------------------------------------------- */

enum { RACE_ROUNDS = 3000 };

static char raced_path[64] = "racer/aaaaa";
static volatile int raced_fd, stop_racing;

/* Whether it works is not the point. */
static void attempt(int result)
{
	(void)result;
}

static void *swap_memory(void *arg)
{
	(void)arg;
	while (!stop_racing) {
		memcpy(raced_path, "racer/aaaaa", 12);
		memcpy(raced_path, "racer/.rc/x", 12);
	}
	return NULL;
}

static void *swap_links(void *arg)
{
	(void)arg;
	while (!stop_racing) {
		CHECK(rename("racer/one", "racer/link") == 0 && symlink("aaaaa", "racer/one") == 0);
		CHECK(rename("racer/two", "racer/link") == 0 && symlink(".rc/x", "racer/two") == 0);
	}
	return NULL;
}

static void *swap_folders(void *arg)
{
	(void)arg;
	while (!stop_racing) {
		CHECK(rename("racer/safe", "racer/way") == 0 && rename("racer/way", "racer/safe") == 0);
		attempt(symlink(".rc", "racer/way"));
		attempt(unlink("racer/way"));
	}
	return NULL;
}

static void *swap_descriptors(void *arg)
{
	const int *fds = arg;
	while (!stop_racing)
		CHECK(dup2(fds[0], raced_fd) >= 0 && dup2(fds[1], raced_fd) >= 0);
	return NULL;
}

static pthread_t start_racing(void *(*swap)(void *arg), void *arg)
{
	pthread_t thread;
	stop_racing = 0;
	CHECK(pthread_create(&thread, NULL, swap, arg) == 0);
	return thread;
}

static void end_racing(pthread_t thread)
{
	stop_racing = 1;
	CHECK(pthread_join(thread, NULL) == 0);
}

static void write_evil(int fd)
{
	if (fd >= 0)
		CHECK(write(fd, "evil", 4) == 4 && close(fd) == 0);
}

static void race(void *arg)
{
	(void)arg;
	pthread_t thread = start_racing(swap_memory, NULL);
	for (int i = 0; i < RACE_ROUNDS; i++) {
		write_evil(open_write(raced_path));
		write_evil(open_make(raced_path, O_TRUNC));
		attempt(truncate(raced_path, 0));
		attempt(chmod(raced_path, 0666));
		attempt(utimensat(AT_FDCWD, raced_path, NULL, 0));
	}
	end_racing(thread);
	CHECK(symlink("aaaaa", "racer/one") == 0 && symlink(".rc/x", "racer/two") == 0);
	thread = start_racing(swap_links, NULL);
	for (int i = 0; i < RACE_ROUNDS; i++) {
		write_evil(open_write("racer/link"));
		attempt(truncate("racer/link", 0));
		attempt(chmod("racer/link", 0666));
	}
	end_racing(thread);
	CHECK(mkdir("racer/safe", 0755) == 0 && close(open_make("racer/safe/x", 0)) == 0);
	thread = start_racing(swap_folders, NULL);
	for (int i = 0; i < RACE_ROUNDS; i++) {
		write_evil(open_write("racer/way/x"));
		attempt(unlink("racer/way/y"));
		attempt(rename("racer/aaaaa", "racer/way/y"));
		write_evil(open_make("racer/aaaaa", 0));
	}
	end_racing(thread);
	int fds[2] = {open("racer/aaaaa", O_RDWR | O_CLOEXEC), open("racer/.rc/x", O_RDONLY | O_CLOEXEC)};
	raced_fd = dup(fds[0]);
	thread = start_racing(swap_descriptors, fds);
	for (int i = 0; i < RACE_ROUNDS; i++) {
		attempt(fchmod(raced_fd, 0666));
		attempt(futimens(raced_fd, NULL));
		write_evil(open_write(fd_path(raced_fd)));
	}
	end_racing(thread);
}

static void test_races_are_lost(void **state)
{
	(void)state;
	static const struct berm_rule rules[] = {PROTECT("**/.rc/**")};
	struct stat before = {0}, after = {0};
	outside_folder("racer");
	outside_folder("racer/.rc");
	outside_put("racer/.rc/x", "kept");
	outside_put("racer/aaaaa", "mine");
	assert_int_equal(lstat(in_grant(files.ws, "racer/.rc/x"), &before), 0);
	FILES_RUN(rules, race, NULL);
	assert_int_equal(lstat(in_grant(files.ws, "racer/.rc/x"), &after), 0);
	assert_true(outside_holds("racer/.rc/x", "kept") && before.st_mode == after.st_mode);
	assert_true(before.st_mtim.tv_sec == after.st_mtim.tv_sec && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
	assert_false(outside_exists("racer/.rc/y"));
}

/* ---- calls that wait ---------------------------------------------------------------------------------------------- */

static void *open_fifo(void *arg)
{
	(void)arg;
	int fd = open_write("fifo");
	return (void *)(intptr_t)(fd < 0 ? errno : 0); /* NOLINT(performance-no-int-to-ptr) */
}

static void wait_for_readers(void *arg)
{
	enum { THREADS = 8, PROCESSES = SUP_MAX_HELPERS - 8 };
	pthread_t threads[THREADS];
	pid_t children[PROCESSES];
	void *result;
	(void)arg;
	CHECK(mkfifo("fifo", 0600) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, open_fifo, NULL) == 0);
	for (int i = 0; i < PROCESSES; i++) {
		children[i] = rig_fork();
		if (children[i] == 0)
			_exit(open_write("fifo") < 0);
	}
	/* others are served meanwhile; more than the helpers that there are do not wait */
	int fd = -1;
	for (int i = 0; i < 500 && fd < 0; i++) {
		CHECK(close(open_make("meanwhile", 0)) == 0 && usleep(1000) == 0);
		pid_t probe = rig_fork();
		int status = 0;
		if (probe == 0) {
			(void)alarm(1);
			_exit(open_write("fifo") < 0 && errno == EAGAIN ? 42 : 0);
		}
		CHECK(waitpid(probe, &status, 0) == probe);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 42)
			fd = 0;
	}
	CHECK(fd == 0);
	/* those who are killed give their helpers back */
	for (int i = 0; i < PROCESSES; i++)
		CHECK(kill(children[i], SIGKILL) == 0 && waitpid(children[i], NULL, 0) == children[i]);
	CHECK(usleep(600000) == 0);
	pid_t late = rig_fork();
	if (late == 0)
		_exit(open_write("fifo") < 0);
	CHECK(usleep(50000) == 0);
	int reader = open("fifo", O_RDONLY | O_CLOEXEC), status = 0;
	CHECK(reader >= 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], &result) == 0 && result == NULL);
	CHECK(waitpid(late, &status, 0) == late && status == 0);
}

static void test_calls_that_wait(void **state)
{
	(void)state;
	static const struct berm_rule rules[] = {PROTECT("**/.rc")};
	FILES_RUN(rules, wait_for_readers, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_protected_names, files_setup, files_remove),
		cmocka_unit_test_setup_teardown(test_moved_folders, files_setup, files_remove),
		cmocka_unit_test_setup_teardown(test_kinds_of_rules, files_setup, files_remove),
		cmocka_unit_test_setup_teardown(test_grants, files_setup, files_remove),
		cmocka_unit_test_setup_teardown(test_atomic_saves_in_a_closed_folder, files_setup, files_remove),
		cmocka_unit_test_setup_teardown(test_races_are_lost, files_setup, files_remove),
		cmocka_unit_test_setup_teardown(test_calls_that_wait, files_setup, files_remove),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
