/* Contents that are judged: renamed into place, written in place, and there already when a rule begins to hold. */
#include "sup_rules.h"

#include "sandbox/sup_state.h"

/* ---- contents that are judged ------------------------------------------------------------------------------------- */

/* "good ..." is accepted; "stop", "die", "call" and "fill" do what the name says. */
static bool judge_word(const char *target, const uint8_t *content, size_t len, char *reason, size_t reason_size)
{
	(void)snprintf(reason, reason_size, "not good: %zu bytes for %s", len, target);
	if (len >= 4 && memcmp(content, "stop", 4) == 0)
		for (volatile int i = 0;; i++)
			continue;
	if (len >= 3 && memcmp(content, "die", 3) == 0)
		__builtin_trap();
	if (len >= 4 && memcmp(content, "call", 4) == 0)
		(void)unlink("mine");
	if (len >= 4 && memcmp(content, "fill", 4) == 0)
		memset(reason, 'r', reason_size);
	return len >= 4 && memcmp(content, "good", 4) == 0;
}

static void put_judged(const char *text)
{
	files_put("conf.lock", text);
}

static void offer_contents(void *arg)
{
	struct stat st = {0};
	char found[16] = "";
	(void)arg;
	CHECK_FAILS(open_make("conf", 0), EACCES); /* the judge does not accept an empty one */
	CHECK_FAILS(open_make("conf", O_EXCL), EACCES);
	put_judged("bad");
	CHECK_FAILS(rename("conf.lock", "conf"), EACCES);
	put_judged("good one");
	CHECK_FAILS(link("conf.lock", "conf"), EACCES);
	CHECK_FAILS(symlink("conf.lock", "conf"), EACCES);
	CHECK(chmod("conf.lock", 0640) == 0);
	int held = open("conf.lock", O_RDWR | O_CLOEXEC);
	CHECK(held >= 0 && link("conf.lock", "second") == 0);
	const struct timespec times[2] = {{1000, 0}, {2000, 0}};
	CHECK(futimens(held, times) == 0);
	CHECK(rename("conf.lock", "conf") == 0);
	CHECK_FAILS(lstat("conf.lock", &st), ENOENT);
	CHECK(lstat("conf", &st) == 0 && (st.st_mode & 07777) == 0640 && st.st_mtime == 2000 && st.st_nlink == 1);
	/* neither what was held open nor another name of it leads to the copy */
	CHECK(pwrite(held, "evil", 4, 0) == 4 && close(held) == 0);
	int fd = open("conf", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && read(fd, found, sizeof(found)) == 8 && memcmp(found, "good one", 8) == 0);
	CHECK_FAILS(truncate("conf", 0), EACCES);
	CHECK(chmod("conf", 0600) == 0);
	CHECK_FAILS(chmod("conf", 04755), EPERM);
	CHECK_FAILS(link("conf", "third"), EACCES);
	/* replaced, and again */
	put_judged("good two");
	CHECK_FAILS(renameat2(AT_FDCWD, "conf.lock", AT_FDCWD, "conf", RENAME_NOREPLACE), EEXIST);
	CHECK_FAILS(renameat2(AT_FDCWD, "conf.lock", AT_FDCWD, "conf", RENAME_EXCHANGE), EACCES);
	CHECK(rename("conf.lock", "conf") == 0 && files_hold("conf", "good two"));
	CHECK(symlink("second", "conf.lock") == 0);
	CHECK_FAILS(rename("conf.lock", "conf"), EACCES);
	CHECK(unlink("conf.lock") == 0);
	CHECK(mkdir("conf.d", 0755) == 0);
	CHECK_FAILS(rename("conf.d", "conf"), ENOTDIR);
	CHECK(unlink("conf") == 0);
	CHECK_FAILS(rename("conf.d", "conf"), EACCES);
	/* a judge that does not answer well has said no */
	static const char *const odd[] = {"stop", "die", "call", "fill", ""};
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		put_judged(odd[i]);
		CHECK_FAILS(rename("conf.lock", "conf"), EACCES);
	}
	char large[200];
	memset(large, 'x', sizeof(large));
	memcpy(large, "good", 4);
	large[100] = '\0';
	put_judged(large);
	CHECK(rename("conf.lock", "conf") == 0);
	large[100] = 'x';
	large[101] = '\0';
	put_judged(large);
	CHECK_FAILS(rename("conf.lock", "conf"), EACCES);
}

static void test_judged_contents(void **state)
{
	(void)state;
	static const struct berm_rule rules[] = {
		PROTECT_IF("**/conf", .judge = judge_word, .judge_max_bytes = 100, .removable = true),
	};
	outside_put("mine", "mine");
	FILES_RUN(rules, offer_contents, NULL);
	assert_true(outside_holds("mine", "mine"));
	assert_true(outside_holds("second", "evil one"));
}

/* "ok..." or nothing */
static bool judge_ok(const char *target, const uint8_t *content, size_t len, char *reason, size_t reason_size)
{
	(void)target;
	(void)snprintf(reason, reason_size, "not ok");
	return len == 0 || (len >= 2 && memcmp(content, "ok", 2) == 0);
}

static int write_text(const char *path, int flags, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0640);
	if (fd < 0)
		return -1;
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return fd;
}

/* What was written is there as soon as this has been served. */
static bool now_holds(const char *path, const char *text)
{
	CHECK_FAILS(mkdir(".", 0), EEXIST);
	CHECK(close(open_make("next", 0)) == 0);
	return files_hold(path, text);
}

static void write_in_place(void *arg)
{
	struct stat st = {0};
	(void)arg;
	int fd = write_text("word", O_CREAT | O_EXCL, "ok one");
	CHECK(fd >= 0 && files_hold("word", "") && fcntl(fd, F_GETFL) == (O_WRONLY | 0100000));
	CHECK_FAILS(open_make("word", O_EXCL), EEXIST);
	const struct timespec times[2] = {{1000, 0}, {2000, 0}};
	CHECK(fchmod(fd, 0600) == 0 && futimens(fd, times) == 0);
	int again = dup(fd);
	CHECK(close(fd) == 0 && now_holds("word", "") && close(again) == 0 && now_holds("word", "ok one"));
	CHECK(lstat("word", &st) == 0 && (st.st_mode & 07777) == 0600 && st.st_mtime == 2000 && st.st_nlink == 1);
	/* what is not accepted is not there */
	CHECK(close(write_text("word", O_TRUNC, "bad")) == 0 && now_holds("word", "ok one"));
	CHECK(close(write_text("word", O_APPEND, " more")) == 0 && now_holds("word", "ok one more"));
	CHECK(close(write_text("word", 0, "no")) == 0 && now_holds("word", "ok one more"));
	/* a descriptor that was had before, or another of the same file, does not lead to it */
	fd = write_text("word", O_TRUNC, "ok two");
	int other = open(fd_path(fd), O_RDWR | O_CLOEXEC);
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
	CHECK(other >= 0 && page != MAP_FAILED && close(fd) == 0 && now_holds("word", "ok two"));
	memcpy(page, "bad", 3);
	CHECK(pwrite(other, "bad", 3, 0) == 3 && close(other) == 0 && now_holds("word", "ok two"));
	CHECK(munmap(page, 4096) == 0 && now_holds("word", "ok two"));
	/* only what still stands under the name is replaced */
	fd = write_text("word", O_TRUNC, "ok three");
	CHECK(unlink("word") == 0 && close(fd) == 0);
	CHECK_FAILS(lstat("word", &st), ENOENT);
	CHECK(mkdir("d", 0755) == 0);
	fd = write_text("d/word", O_CREAT, "ok four");
	CHECK(rename("d", "e") == 0 && close(fd) == 0 && now_holds("e/word", "ok four"));
	/* in a child that ends without closing, through a link, and by a program */
	pid_t pid = rig_fork();
	if (pid == 0) {
		(void)write_text("word", O_CREAT, "ok five");
		_exit(0);
	}
	CHECK(waitpid(pid, NULL, 0) == pid && now_holds("word", "ok five"));
	CHECK(symlink("word", "link") == 0 && close(write_text("link", O_TRUNC, "ok six")) == 0);
	CHECK(now_holds("word", "ok six") && mkdir("from", 0755) == 0);
	CHECK(system("cp -r e f && cat f/word > back && echo 'ok seven' > word && cat word > back") == 0);
	CHECK(now_holds("f/word", "ok four") && now_holds("word", "ok seven\n"));
	CHECK(chmod("word", 0400) == 0);
	CHECK_FAILS(open_write("word"), EACCES);
	/* they are few at a time */
	int fds[SUP_MAX_STAGES], extra;
	for (int i = 0; i < SUP_MAX_STAGES; i++)
		CHECK((fds[i] = write_text("e/word", 0, "ok")) >= 0);
	CHECK((extra = open_write("e/word")) < 0 && errno == ENFILE);
	for (int i = 0; i < SUP_MAX_STAGES; i++)
		CHECK(close(fds[i]) == 0);
	CHECK(close(write_text("e/word", O_TRUNC, "ok")) == 0 && now_holds("e/word", "ok"));
}

static void test_writing_in_place_is_judged_at_the_close(void **state)
{
	(void)state;
	static const struct berm_rule rules[] = {
		PROTECT_IF("**/word", .judge = judge_ok, .judge_max_bytes = 100, .removable = true),
	};
	char word[200];
	FILES_RUN(rules, write_in_place, NULL);
	(void)snprintf(word, sizeof(word), "%s/word", files.ws);
	assert_true(rig_told(BERM_OP_WRITE, EACCES, word));
}

/* ---- names that wait for others ----------------------------------------------------------------------------------- */

static void make_repositories(void *arg)
{
	(void)arg;
	/* without the other name nothing holds */
	CHECK(mkdir("a", 0755) == 0 && close(open_make("a/conf", O_EXCL)) == 0);
	files_put("a/conf", "bad");
	CHECK(mkdir("a/hook", 0755) == 0 && close(open_make("a/hook/x", O_EXCL)) == 0);
	/* making it looks at what is there */
	CHECK_FAILS(open_make("a/HEAD", 0), EACCES);
	CHECK_FAILS(open_make("a/HEAD", O_EXCL), EACCES);
	CHECK_FAILS(mkdir("a/HEAD", 0755), EACCES);
	CHECK_FAILS(symlink("x", "a/HEAD"), EACCES);
	files_put("a/H.lock", "ref");
	CHECK_FAILS(rename("a/H.lock", "a/HEAD"), EACCES);
	CHECK_FAILS(link("a/H.lock", "a/HEAD"), EACCES);
	CHECK(unlink("a/hook/x") == 0);
	CHECK_FAILS(rename("a/H.lock", "a/HEAD"), EACCES);
	files_put("a/conf", "good");
	int held = open("a/conf", O_RDWR | O_CLOEXEC);
	CHECK(rename("a/H.lock", "a/HEAD") == 0);
	CHECK(pwrite(held, "evil", 4, 0) == 4 && close(held) == 0);
	CHECK(files_hold("a/conf", "good"));
	/* and from then on it holds */
	CHECK(close(write_text("a/conf", O_TRUNC, "bad")) == 0 && now_holds("a/conf", "good"));
	CHECK_FAILS(open_make("a/hook/x", 0), EACCES);
	CHECK(close(open_make("a/hook/x.sample", 0)) == 0);
	files_put("a/c.lock", "bad");
	CHECK_FAILS(rename("a/c.lock", "a/conf"), EACCES);
	/* a folder is moved to where the other name is */
	CHECK(mkdir("b", 0755) == 0 && mkdir("b/hook2", 0755) == 0 && close(open_make("b/hook2/x", 0)) == 0);
	CHECK(close(open_make("b/HEAD", 0)) == 0);
	CHECK_FAILS(rename("b/hook2", "b/hook"), EACCES);
	CHECK(rename("b/hook2", "b/hookx") == 0);
	CHECK(mkdir("c", 0755) == 0 && mkdir("c/hook", 0755) == 0 && close(open_make("c/hook/x", 0)) == 0);
	CHECK_FAILS(rename("c/hook", "b/hook"), EACCES);
	CHECK(rename("c", "d") == 0);
	/* links */
	CHECK(symlink("../d", "b/linked") == 0);
	CHECK_FAILS(symlink("../d/hook", "b/hook"), EACCES);
	CHECK(mkdir("e", 0755) == 0 && symlink("../d/hook", "e/hook") == 0);
	CHECK_FAILS(open_make("e/HEAD", 0), EACCES);
}

static void test_names_that_wait(void **state)
{
	(void)state;
	static const struct berm_rule rules[] = {
		PROTECT_IF("**/conf", .beside = "HEAD", .judge = judge_word, .removable = true),
		PROTECT_IF("**/hook/*", .beside = "../HEAD", .except = "**/hook/*.*"),
	};
	FILES_RUN(rules, make_repositories, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_judged_contents, files_setup, files_remove),
		cmocka_unit_test_setup_teardown(test_writing_in_place_is_judged_at_the_close, files_setup,
						files_remove),
		cmocka_unit_test_setup_teardown(test_names_that_wait, files_setup, files_remove),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
