#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "session/policy_file.h"
#include "sources_rig.h"

enum { TEXT_MAX = 8 * 1024 * 1024, OTHER_USER = 12345 };

struct got {
	struct buf text;
	struct berm_err err;
	enum berm_code code;
};

static void got_done(struct got *got)
{
	buf_done(&got->text);
}
#define auto_got __attribute__((cleanup(got_done))) struct got

static enum berm_code read_it(struct got *got, const struct place_rig *place, const char *name,
			      enum policy_file_trust trust)
{
	buf_done(&got->text);
	buf_init(&got->text, TEXT_MAX);
	got->err = (struct berm_err){.code = BERM_OK};
	auto_fd int dir = open(place->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	got->code = policy_file_read(dir, name, name, trust, &got->text, &got->err);
	return got->code;
}

static void refused(const struct place_rig *place, const char *name, enum policy_file_trust trust, enum berm_code code,
		    const char *part)
{
	auto_got got = {.code = BERM_OK};
	if (read_it(&got, place, name, trust) != code || strstr(got.err.msg, part) == NULL)
		fail_msg("%s: code %d, %s", name, (int)got.code, got.err.msg);
}

static void test_a_file_is_read_whole(void **state)
{
	const struct place_rig *place = *state;
	static char text[100000];
	auto_got got = {.code = BERM_OK};
	memset(text, 'x', sizeof text - 1);
	place_put(place, "large", text);
	place_put(place, "empty", "");
	static const enum policy_file_trust trusts[] = {POLICY_FILE_OWN, POLICY_FILE_PROJECT, POLICY_FILE_NAMED};
	for (size_t i = 0; i < ARRAY_LEN(trusts); i++) {
		assert_int_equal(read_it(&got, place, "large", trusts[i]), BERM_OK);
		assert_true(str_eq(buf_str(&got.text), str_from(text)));
		assert_int_equal(read_it(&got, place, "empty", trusts[i]), BERM_OK);
		assert_int_equal(got.text.len, 0);
	}
	refused(place, "none", POLICY_FILE_OWN, BERM_ERR_NOTFOUND, "there is no 'none'");
	refused(place, "large/none", POLICY_FILE_OWN, BERM_ERR_NOTFOUND, "there is no");
}

static void test_what_is_no_regular_file(void **state)
{
	const struct place_rig *place = *state;
	assert_int_equal(mkfifo(in_place(place, "fifo"), 0600), 0);
	assert_int_equal(mkdir(in_place(place, "folder"), 0700), 0);
	assert_int_equal(mknod(in_place(place, "socket"), S_IFSOCK | 0600, 0), 0);
	assert_int_equal(symlink("/dev/zero", in_place(place, "device")), 0);
	static const char *const names[] = {"fifo", "folder", "socket", "device"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		refused(place, names[i], POLICY_FILE_OWN, BERM_ERR_DENIED, "no regular file");
}

/* The user may keep it elsewhere; what comes with a project may not lead out of it. */
static void test_links(void **state)
{
	const struct place_rig *place = *state;
	auto_got got = {.code = BERM_OK};
	place_put(place, "real", "berm: 1\n");
	assert_int_equal(symlink("real", in_place(place, "link")), 0);
	assert_int_equal(symlink("nowhere", in_place(place, "dangling")), 0);
	assert_int_equal(read_it(&got, place, "link", POLICY_FILE_OWN), BERM_OK);
	refused(place, "link", POLICY_FILE_PROJECT, BERM_ERR_DENIED, "is a symbolic link");
	refused(place, "dangling", POLICY_FILE_PROJECT, BERM_ERR_DENIED, "is a symbolic link");
	refused(place, "dangling", POLICY_FILE_OWN, BERM_ERR_NOTFOUND, "there is no");
	assert_int_equal(chmod(in_place(place, "real"), 0666), 0);
	refused(place, "link", POLICY_FILE_OWN, BERM_ERR_DENIED, "others may write 'link'");
}

static void test_sizes(void **state)
{
	const struct place_rig *place = *state;
	auto_got got = {.code = BERM_OK};
	static const struct {
		enum policy_file_trust trust;
		size_t max;
	} cases[] = {{POLICY_FILE_OWN, POLICY_FILE_MAX_BYTES}, {POLICY_FILE_PROJECT, POLICY_FILE_PROJECT_MAX_BYTES}};
	NOT_TORTURED();
	place_put(place, "file", "");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(truncate(in_place(place, "file"), (off_t)cases[i].max), 0);
		assert_int_equal(read_it(&got, place, "file", cases[i].trust), BERM_OK);
		assert_int_equal(got.text.len, cases[i].max);
		assert_int_equal(truncate(in_place(place, "file"), (off_t)cases[i].max + 1), 0);
		refused(place, "file", cases[i].trust, BERM_ERR_LIMIT, "is larger than");
	}
}

static void test_whose_it_is(void **state)
{
	const struct place_rig *place = *state;
	auto_got got = {.code = BERM_OK};
	place_put(place, "file", "berm: 1\n");
	static const mode_t modes[] = {0620, 0602, 0666};
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		assert_int_equal(chmod(in_place(place, "file"), modes[i]), 0);
		refused(place, "file", POLICY_FILE_OWN, BERM_ERR_DENIED, "chmod go-w");
		assert_int_equal(read_it(&got, place, "file", POLICY_FILE_PROJECT), BERM_OK);
	}
	assert_int_equal(chmod(in_place(place, "file"), 0600), 0);
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(in_place(place, "file"), OTHER_USER, 0), 0);
	refused(place, "file", POLICY_FILE_OWN, BERM_ERR_DENIED, "somebody else (user 12345)");
	refused(place, "file", POLICY_FILE_SYSTEM, BERM_ERR_DENIED, "somebody else (user 12345)");
	assert_int_equal(read_it(&got, place, "file", POLICY_FILE_PROJECT), BERM_OK);
}

static void test_folders(void **state)
{
	const struct place_rig *place = *state;
	struct berm_err err;
	auto_fd int fd = -1;
	place_put(place, "dir/file", "x");
	assert_int_equal(policy_file_open_folder(in_place(place, "none"), POLICY_FILE_OWN, &fd, &err),
			 BERM_ERR_NOTFOUND);
	assert_int_equal(policy_file_open_folder(in_place(place, "dir/file"), POLICY_FILE_OWN, &fd, &err),
			 BERM_ERR_NOTFOUND);
	assert_int_equal(chmod(in_place(place, "dir"), 0775), 0);
	assert_int_equal(policy_file_open_folder(in_place(place, "dir"), POLICY_FILE_OWN, &fd, &err), BERM_ERR_DENIED);
	assert_int_equal(fd, -1);
	assert_int_equal(chmod(in_place(place, "dir"), 0755), 0);
	assert_int_equal(policy_file_open_folder(in_place(place, "dir"), POLICY_FILE_OWN, &fd, &err), BERM_OK);
	assert_true(fd >= 0);
}

static void test_writing_is_all_or_nothing(void **state)
{
	const struct place_rig *place = *state;
	struct berm_err err;
	auto_got got = {.code = BERM_OK};
	place_put(place, "file", "before");
	assert_int_equal(symlink("elsewhere", in_place(place, "link")), 0);
	auto_fd int dir = open(place->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	assert_int_equal(policy_file_write(dir, "file", "file", STR("after"), &err), BERM_OK);
	assert_int_equal(read_it(&got, place, "file", POLICY_FILE_OWN), BERM_OK);
	assert_true(str_eq(buf_str(&got.text), STR("after")));
	assert_int_equal(policy_file_write(dir, "link", "link", STR("text"), &err), BERM_OK);
	assert_int_equal(access(in_place(place, "elsewhere"), F_OK),
			 -1); /* the link went, nothing was written through */
	assert_int_equal(mkdir(in_place(place, "folder"), 0700), 0);
	assert_int_not_equal(policy_file_write(dir, "folder", "folder", STR("text"), &err), BERM_OK);
	assert_int_equal(rmdir(in_place(place, "folder")), 0);
	assert_int_equal(policy_file_write(dir, "no/file", "no/file", STR("x"), &err), BERM_ERR_SYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_place(test_a_file_is_read_whole),
		on_place(test_what_is_no_regular_file),
		on_place(test_links),
		on_place(test_sizes),
		on_place(test_whose_it_is),
		on_place(test_folders),
		on_place(test_writing_is_all_or_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
