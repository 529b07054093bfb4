#include "check.h"

#include <signal.h>
#include <sys/resource.h>

#include "sources_rig.h"

#include "session/user_file.h"

static const struct policy_line lines[] = {{.key = KEY_READ, .text = "~/x"}};
static const struct policy_doc added = {.file = "new", .lines = lines, .line_count = 1};

static void expect_content(const char *path, const char *text)
{
	char content[4096];
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	ssize_t len = read(fd, content, sizeof content - 1);
	assert_true(len >= 0);
	content[len] = '\0';
	assert_string_equal(content, text);
}

static unsigned mode_of(const char *path)
{
	struct stat st;
	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void put_file(const struct place_rig *place, const char *name, const char *text)
{
	place_put(place, name, text);
	assert_int_equal(chmod(in_place(place, name), 0600), 0);
}

/* ---- a new file -------------------------------------------------------------------------------------------------- */

static void test_a_new_file_is_its_owners(void **state)
{
	const struct place_rig *place = *state;
	struct berm_err err;
	const char *path = in_place(place, "a/b/p.yaml");
	assert_int_equal(user_file_new(path, STR("berm: 1\n"), &err), BERM_OK);
	expect_content(path, "berm: 1\n");
	assert_int_equal(mode_of(path), 0600);
	assert_int_equal(mode_of(in_place(place, "a")), 0700);
	assert_int_equal(mode_of(in_place(place, "a/b")), 0700);
	assert_int_equal(user_file_new(in_place(place, "a/b/q.yaml"), STR(""), &err), BERM_OK);
	expect_content(in_place(place, "a/b/q.yaml"), "");
}

static void test_what_is_there_stays(void **state)
{
	const struct place_rig *place = *state;
	struct berm_err err = {0};
	put_file(place, "p.yaml", "mine\n");
	assert_int_equal(user_file_new(in_place(place, "p.yaml"), STR("berm: 1\n"), &err), BERM_ERR_INVALID);
	assert_non_null(strstr(err.msg, "is there already"));
	expect_content(in_place(place, "p.yaml"), "mine\n");
}

/* A link in its place is not followed, to nothing and to something. */
static void test_a_link_is_not_followed(void **state)
{
	const struct place_rig *place = *state;
	struct berm_err err;
	put_file(place, "other", "mine\n");
	assert_int_equal(symlink("elsewhere", in_place(place, "p.yaml")), 0);
	assert_int_equal(symlink("other", in_place(place, "q.yaml")), 0);
	assert_int_equal(user_file_new(in_place(place, "p.yaml"), STR("x"), &err), BERM_ERR_INVALID);
	assert_int_equal(user_file_new(in_place(place, "q.yaml"), STR("x"), &err), BERM_ERR_INVALID);
	assert_int_not_equal(access(in_place(place, "elsewhere"), F_OK), 0);
	expect_content(in_place(place, "other"), "mine\n");
}

static void test_no_folder_no_file(void **state)
{
	const struct place_rig *place = *state;
	struct berm_err err = {0};
	put_file(place, "file", "mine\n");
	assert_int_equal(user_file_new(in_place(place, "file/p.yaml"), STR("x"), &err), BERM_ERR_SYS);
	assert_int_equal(user_file_insert(in_place(place, "file/b/p.yaml"), &added, &err), BERM_ERR_SYS);
	char path[2 * PATH_MAX];
	memset(path, 'a', sizeof path);
	memcpy(path + sizeof path - 3, "/x", 3);
	path[0] = '/';
	assert_int_equal(user_file_new(path, STR("x"), &err), BERM_ERR_LIMIT);
	assert_int_equal(user_file_insert(path, &added, &err), BERM_ERR_LIMIT);
}

static void unlimit(const struct rlimit *before)
{
	(void)setrlimit(RLIMIT_FSIZE, before);
}

/* Half a file would be another policy, and the next attempt would find it in its way. */
static void test_half_a_file_is_none(void **state)
{
	const struct place_rig *place = *state;
	struct berm_err err;
	__attribute__((cleanup(unlimit))) struct rlimit before;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	const struct rlimit little = {4, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	enum berm_code code = user_file_new(in_place(place, "p.yaml"), STR("berm: 1\n"), &err);
	unlimit(&before);
	assert_int_equal(code, BERM_ERR_SYS);
	assert_int_not_equal(access(in_place(place, "p.yaml"), F_OK), 0);
	assert_int_equal(user_file_new(in_place(place, "p.yaml"), STR("berm: 1\n"), &err), BERM_OK);
}

/* ---- lines put in ------------------------------------------------------------------------------------------------ */

static void test_lines_are_put_into_what_is_there(void **state)
{
	const struct place_rig *place = *state;
	struct berm_err err = {0};
	put_file(place, "p.yaml", "berm: 1\nfilesystem:\n  read: [/a] # mine\n");
	assert_int_equal(user_file_insert(in_place(place, "p.yaml"), &added, &err), BERM_OK);
	expect_content(in_place(place, "p.yaml"), "berm: 1\nfilesystem:\n  read: [~/x, /a] # mine\n");
	assert_int_equal(mode_of(in_place(place, "p.yaml")), 0600);
}

static void test_a_file_that_is_not_there_is_made(void **state)
{
	const struct place_rig *place = *state;
	struct berm_err err = {0};
	assert_int_equal(user_file_insert(in_place(place, "a/p.yaml"), &added, &err), BERM_OK);
	expect_content(in_place(place, "a/p.yaml"), "berm: 1\nfilesystem:\n  read: [~/x]\n");
	assert_int_equal(mode_of(in_place(place, "a/p.yaml")), 0600);
	assert_int_equal(mode_of(in_place(place, "a")), 0700);
}

static void expect_untouched(const struct place_rig *place, const char *text, enum berm_code code)
{
	struct berm_err err = {0};
	put_file(place, "p.yaml", text);
	assert_int_equal(user_file_insert(in_place(place, "p.yaml"), &added, &err), code);
	expect_content(in_place(place, "p.yaml"), text);
}

static void test_what_cannot_be_done_changes_nothing(void **state)
{
	const struct place_rig *place = *state;
	expect_untouched(place, "berm: 1\nfilesystem: [\n", BERM_ERR_PARSE);
	expect_untouched(place, "berm: 1\nfilesystem:\n  read:\n", BERM_ERR_UNSUPPORTED);
	expect_untouched(place, "no policy\n", BERM_ERR_PARSE);
}

/* A file or a folder that others may write is nobody's policy. */
static void test_what_others_may_write_is_left_alone(void **state)
{
	const struct place_rig *place = *state;
	struct berm_err err;
	put_file(place, "a/p.yaml", "berm: 1\n");
	assert_int_equal(chmod(in_place(place, "a/p.yaml"), 0602), 0);
	assert_int_equal(user_file_insert(in_place(place, "a/p.yaml"), &added, &err), BERM_ERR_DENIED);
	assert_int_equal(chmod(in_place(place, "a/p.yaml"), 0600), 0);
	assert_int_equal(chmod(in_place(place, "a"), 0777), 0);
	assert_int_equal(user_file_insert(in_place(place, "a/p.yaml"), &added, &err), BERM_ERR_DENIED);
	expect_content(in_place(place, "a/p.yaml"), "berm: 1\n");
	assert_int_equal(chmod(in_place(place, "a"), 0700), 0);
	assert_int_equal(user_file_insert(in_place(place, "a/p.yaml"), &added, &err), BERM_OK);
}

static void go_back(const int *folder)
{
	assert_int_equal(fchdir(*folder), 0);
	(void)close(*folder);
}

/* A name alone is one in the current folder. */
static void test_a_name_without_a_folder(void **state)
{
	const struct place_rig *place = *state;
	struct berm_err err;
	__attribute__((cleanup(go_back))) int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(chdir(place->root), 0);
	assert_int_equal(user_file_new("p.yaml", STR("berm: 1\n"), &err), BERM_OK);
	assert_int_equal(user_file_insert("p.yaml", &added, &err), BERM_OK);
	expect_content(in_place(place, "p.yaml"), "berm: 1\nfilesystem:\n  read: [~/x]\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_place(test_a_new_file_is_its_owners),
		on_place(test_what_is_there_stays),
		on_place(test_a_link_is_not_followed),
		on_place(test_no_folder_no_file),
		on_place(test_half_a_file_is_none),
		on_place(test_lines_are_put_into_what_is_there),
		on_place(test_a_file_that_is_not_there_is_made),
		on_place(test_what_cannot_be_done_changes_nothing),
		on_place(test_what_others_may_write_is_left_alone),
		on_place(test_a_name_without_a_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
