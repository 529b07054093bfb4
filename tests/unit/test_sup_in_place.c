/* New files that are written in place under a judged name: the name comes with a content that was judged, or not at all. */
#include "sup_files.h"

#include <sys/syscall.h>

#include "sandbox/sup_state.h"

#define PROTECT_IF(pattern_, ...)                                                                                      \
	{                                                                                                              \
		.size = sizeof(struct berm_rule), .pattern = (pattern_), .right = BERM_PROTECT, __VA_ARGS__            \
	}

/* "ok...", and never nothing. */
static bool judge_ok(const char *target, const uint8_t *content, size_t len, char *reason, size_t reason_size)
{
	(void)target;
	(void)snprintf(reason, reason_size, "not ok");
	return len >= 2 && memcmp(content, "ok", 2) == 0;
}

static const struct berm_rule rules[] = {
	PROTECT_IF("**/.word", .in_place = true, .judge = judge_ok, .judge_max_bytes = 100),
	PROTECT_IF("**/later", .beside = "HEAD", .in_place = true, .judge = judge_ok),
};

static int write_text(const char *path, int flags, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0640);
	if (fd >= 0)
		CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return fd;
}

static bool put(const char *path, int flags, const char *text)
{
	int fd = write_text(path, flags, text);
	return fd >= 0 && close(fd) == 0;
}

/* What was closed has been looked at when this is served; git opens this file at each start. */
static void wait_served(void)
{
	CHECK_FAILS(mkdir(".", 0), EEXIST);
	CHECK(put("served", O_CREAT, ""));
}

static bool now_holds(const char *path, const char *text)
{
	wait_served();
	return files_hold(path, text);
}

static bool is_missing(const char *path)
{
	struct stat st = {0};
	wait_served();
	return lstat(path, &st) < 0 && errno == ENOENT;
}

static bool told_in_ws(enum berm_request_op op, int error, const char *name)
{
	char path[200];
	(void)snprintf(path, sizeof(path), "%s/%s", files.ws, name);
	return rig_told(op, error, path);
}

static const char *fd_path(int fd)
{
	static char path[64];
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

/* ---- one writer --------------------------------------------------------------------------------------------------- */

static void write_good(void *arg)
{
	struct stat st = {0};
	(void)arg;
	int fd = write_text(".word", O_CREAT | O_TRUNC, "ok one");
	CHECK(fd >= 0 && is_missing(".word"));
	CHECK(fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0640 && st.st_nlink == 0);
	CHECK(close(fd) == 0 && now_holds(".word", "ok one"));
	CHECK(lstat(".word", &st) == 0 && (st.st_mode & 07777) == 0640 && st.st_nlink == 1);
	/* without another call it comes by itself */
	CHECK(unlink(".word") == 0 && put(".word", O_CREAT | O_EXCL, "ok two"));
	for (int i = 0; i < 200 && !files_hold(".word", "ok two"); i++)
		CHECK(usleep(10000) == 0);
	CHECK(files_hold(".word", "ok two"));
	/* rewritten */
	CHECK(put(".word", O_CREAT | O_TRUNC, "ok three") && now_holds(".word", "ok three"));
	CHECK(put(".word", O_APPEND, "!") && now_holds(".word", "ok three!"));
	CHECK(put(".word", O_TRUNC, "bad") && now_holds(".word", "ok three!"));
	CHECK_FAILS(truncate(".word", 0), EACCES);
	CHECK_FAILS(write_text(".word", O_CREAT | O_EXCL, "ok"), EEXIST);
	/* moved away it is an ordinary file, and comes back through the judge */
	CHECK(rename(".word", "free") == 0 && put("free", O_TRUNC, "bad"));
	CHECK_FAILS(rename("free", ".word"), EACCES);
	CHECK(system("echo 'ok four' > .word && cat served && mkdir in && (cd in && echo 'ok five' > .word)") == 0);
	CHECK(now_holds(".word", "ok four\n") && now_holds("in/.word", "ok five\n"));
	CHECK(mkdir("folder", 0755) == 0 && mkdir("folder/.word", 0755) == 0 && put("folder/.word/x", O_CREAT, "bad"));
	CHECK(rename("folder/.word", "folder/plain") == 0);
}

static void test_good_content_gets_the_name(void **state)
{
	(void)state;
	FILES_RUN(rules, write_good, NULL);
	assert_true(told_in_ws(BERM_OP_WRITE, EACCES, ".word"));
	assert_false(told_in_ws(BERM_OP_CREATE, EACCES, ".word"));
}

static void write_bad(void *arg)
{
	char large[200];
	(void)arg;
	CHECK(put(".word", O_CREAT, "bad") && is_missing(".word"));
	CHECK(put(".word", O_CREAT | O_EXCL, "") && is_missing(".word"));
	memset(large, 'x', sizeof(large));
	memcpy(large, "ok", 2);
	large[sizeof(large) - 1] = '\0';
	CHECK(put(".word", O_CREAT, large) && is_missing(".word"));
	/* a reader makes an empty one */
	CHECK_FAILS(open(".word", O_RDONLY | O_CREAT | O_CLOEXEC, 0644), EACCES);
	CHECK_FAILS(mknod(".word", S_IFREG | 0644, 0), EACCES);
	CHECK_FAILS(mkfifo(".word", 0644), EACCES);
	CHECK_FAILS(open(".word/", O_WRONLY | O_CREAT | O_CLOEXEC, 0644), EISDIR);
	/* what is written has no way to the name */
	int fd = write_text(".word", O_CREAT, "bad");
	CHECK_FAILS(linkat(AT_FDCWD, fd_path(fd), AT_FDCWD, ".word", AT_SYMLINK_FOLLOW), EACCES);
	CHECK(linkat(fd, "", AT_FDCWD, ".word", AT_EMPTY_PATH) < 0);
	CHECK(linkat(AT_FDCWD, fd_path(fd), AT_FDCWD, "other", AT_SYMLINK_FOLLOW) == 0);
	CHECK_FAILS(link("other", ".word"), EACCES);
	CHECK_FAILS(symlink("other", ".word"), EACCES);
	CHECK(close(fd) == 0 && is_missing(".word"));
	/* nor by what is there: neither a further name nor an older descriptor leads to the file */
	fd = write_text(".word", O_CREAT, "ok one");
	int again = open(fd_path(fd), O_RDWR | O_CLOEXEC);
	CHECK(again >= 0 && close(fd) == 0 && now_holds(".word", "ok one"));
	CHECK(pwrite(again, "bad", 3, 0) == 3 && close(again) == 0 && now_holds(".word", "ok one"));
	CHECK_FAILS(link(".word", "second"), EACCES);
	fd = open(".word", O_RDONLY | O_CLOEXEC);
	CHECK_FAILS(linkat(AT_FDCWD, fd_path(fd), AT_FDCWD, "second", AT_SYMLINK_FOLLOW), EACCES);
	again = open(fd_path(fd), O_WRONLY | O_CLOEXEC);
	CHECK(again < 0 || (write(again, "bad", 3) == 3 && close(again) == 0));
	CHECK(now_holds(".word", "ok one"));
}

static void test_bad_content_never_gets_it(void **state)
{
	(void)state;
	FILES_RUN(rules, write_bad, NULL);
	assert_true(told_in_ws(BERM_OP_CREATE, EACCES, ".word"));
}

/* ---- several, and those that do not close ------------------------------------------------------------------------ */

static void write_at_once(void *arg)
{
	struct stat st = {0};
	(void)arg;
	int first = write_text(".word", O_CREAT, "ok one"), second = write_text(".word", O_CREAT, "ok two");
	CHECK_FAILS(write_text(".word", O_CREAT | O_EXCL, ""), EEXIST);
	CHECK(close(second) == 0 && now_holds(".word", "ok two") && close(first) == 0 && now_holds(".word", "ok two"));
	/* what came meanwhile stays */
	CHECK(mkdir("d", 0755) == 0);
	first = write_text("d/.word", O_CREAT, "ok one");
	CHECK(mkdir("d/.word", 0755) == 0 && close(first) == 0);
	wait_served();
	CHECK(lstat("d/.word", &st) == 0 && S_ISDIR(st.st_mode) && rmdir("d/.word") == 0);
	/* the folder is moved, or goes */
	first = write_text("d/.word", O_CREAT, "ok three");
	CHECK(rename("d", "e") == 0 && close(first) == 0 && now_holds("e/.word", "ok three"));
	CHECK(mkdir("d", 0755) == 0);
	first = write_text("d/.word", O_CREAT, "ok four");
	CHECK(rmdir("d") == 0 && mkdir("d", 0755) == 0 && close(first) == 0 && is_missing("d/.word"));
	/* a writer that is killed leaves what it wrote */
	int ready[2];
	char byte;
	CHECK(pipe(ready) == 0);
	pid_t pid = rig_fork();
	if (pid == 0) {
		CHECK(write_text("d/.word", O_CREAT, "ok five") >= 0 && write(ready[1], "", 1) == 1);
		for (;;)
			(void)pause();
	}
	CHECK(read(ready[0], &byte, 1) == 1 && is_missing("d/.word"));
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid && now_holds("d/.word", "ok five"));
	/* they are few at a time, and come free */
	int fds[SUP_MAX_STAGES];
	CHECK(unlink("d/.word") == 0);
	for (int i = 0; i < SUP_MAX_STAGES; i++)
		CHECK((fds[i] = write_text("d/.word", O_CREAT, "ok")) >= 0);
	CHECK_FAILS(write_text("d/.word", O_CREAT, "ok"), ENFILE);
	for (int i = 0; i < SUP_MAX_STAGES; i++)
		CHECK(close(fds[i]) == 0);
	CHECK(now_holds("d/.word", "ok") && unlink("d/.word") == 0 && put("d/.word", O_CREAT, "ok six"));
	CHECK(now_holds("d/.word", "ok six"));
}

static void test_writers_at_once(void **state)
{
	(void)state;
	FILES_RUN(rules, write_at_once, NULL);
	assert_true(told_in_ws(BERM_OP_CREATE, EEXIST, ".word"));
	assert_true(told_in_ws(BERM_OP_CREATE, EEXIST, "d/.word"));
}

/* ---- together with a name that the rule waits for --------------------------------------------------------------- */

static void write_beside(void *arg)
{
	(void)arg;
	CHECK(mkdir("a", 0755) == 0 && put("a/later", O_CREAT, "bad"));
	CHECK_FAILS(write_text("a/HEAD", O_CREAT, ""), EACCES);
	CHECK(put("a/later", O_TRUNC, "ok"));
	int held = open("a/later", O_RDWR | O_CLOEXEC);
	CHECK(held >= 0 && put("a/HEAD", O_CREAT, "") && pwrite(held, "bad", 3, 0) == 3);
	CHECK(now_holds("a/later", "ok") && put("a/later", O_TRUNC, "bad") && now_holds("a/later", "ok"));
	CHECK(unlink("a/later") == 0 && put("a/later", O_CREAT, "bad") && is_missing("a/later"));
	/* it begins to hold while the file is written */
	CHECK(mkdir("b", 0755) == 0 && put("b/HEAD", O_CREAT, ""));
	int fd = write_text("b/later", O_CREAT, "bad");
	CHECK(unlink("b/HEAD") == 0 && put("b/HEAD", O_CREAT, "") && close(fd) == 0 && is_missing("b/later"));
}

static void test_names_that_wait(void **state)
{
	(void)state;
	FILES_RUN(rules, write_beside, NULL);
}

/* ---- symbolic links into /proc ------------------------------------------------------------------------------------ */

static void link_to_proc(void *arg)
{
	static const char *const refused[] = {
		"/proc/1/root/tmp", "/proc",	  "//proc/./1/root", "/x/../proc/self/cwd",    "/dev/fd/3",
		"/dev//fd",	    "../proc/12", "a/proc/7/root",   "../../../../../../proc",
	};
	static const char *const taken[] = {"/proc2", "proc", "a/proc", "../proc/mounts", "/dev/null", "/x/proc/fs"};
	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		CHECK_FAILS(symlink(refused[i], "link"), EACCES);
		CHECK_FAILS(symlinkat(refused[i], AT_FDCWD, "link"), EACCES);
	}
	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		CHECK(symlink(taken[i], "link") == 0 && unlink("link") == 0);
}

static void test_links_into_proc(void **state)
{
	(void)state;
	FILES_RUN(rules, link_to_proc, NULL);
	assert_true(told_in_ws(BERM_OP_CREATE, EACCES, "link"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good_content_gets_the_name, files_setup, files_remove),
		cmocka_unit_test_setup_teardown(test_bad_content_never_gets_it, files_setup, files_remove),
		cmocka_unit_test_setup_teardown(test_writers_at_once, files_setup, files_remove),
		cmocka_unit_test_setup_teardown(test_names_that_wait, files_setup, files_remove),
		cmocka_unit_test_setup_teardown(test_links_into_proc, files_setup, files_remove),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
