#include "check.h"

#include "base/own.h"
#include "format/git_link.h"
#include "format/path.h"
#include "git_rig.h"

struct judge_case {
	const char *target, *content;
	const char *reason; /* NULL: taken */
};

static const char NO_LINK[] = "is not a link of git's";
static const char NO_GIT[] = "leads to no folder named .git";
static const char ELSEWHERE[] = "leads to another part of the system";
static const char NOT_OWN[] = "does not lead to the repository that it lies in";
static const char STRAY[] = "does not lie in a linked worktree's folder";

static const struct judge_case judge_cases[] = {
	/* .git */
	{"/home/u/w/.git", "gitdir: /home/u/p/.git/worktrees/w\n", NULL},
	{"/home/u/w/.git", "gitdir: /home/u/p/.git/worktrees/w", NULL},
	{"/home/u/w/.git", "gitdir: ../p/.git/worktrees/w\n", NULL},
	{"/home/u/p/s/.git", "gitdir: ../.git/modules/s\n", NULL},
	{"/home/u/p/a/b/.git", "gitdir: ../../.git/modules/a/b\n", NULL},
	{"/home/u/p/s/t/.git", "gitdir: ../../.git/modules/s/modules/t\n", NULL},
	{"/home/u/w/.git", "gitdir: /home/u/x/../p/.git\n", NULL},
	{"/home/u/w/.git", "gitdir: data\n", NO_GIT},
	{"/home/u/w/.git", "gitdir: ../p\n", NO_GIT},
	{"/home/u/w/.git", "gitdir: ../p.git\n", NO_GIT},
	{"/home/u/w/.git", "gitdir: /home/u/p/.git/../data\n", NO_GIT},
	{"/home/u/w/.git", "gitdir: /home/u/p/.git/data\n", NO_GIT},
	{"/home/u/w/.git", "gitdir: /home/u/p/.git/worktrees\n", NO_GIT},
	{"/home/u/w/.git", "gitdir: /home/u/p/.git/worktrees/a/b\n", NO_GIT},
	{"/home/u/w/.git", "gitdir: /home/u/p/.git/modules\n", NO_GIT},
	{"/home/u/w/.git", "gitdir: /home/u/p/.git/refs/heads\n", NO_GIT},
	{"/home/u/w/.git", "gitdir: /home/u/p/.git/modules/a/refs/x\n", NO_GIT},
	{"/home/u/w/.git", "gitdir: /home/u/p/.git/modules/a/.git\n", NO_GIT},
	{"/home/u/w/.git", "gitdir: /proc/1/root/p/.git\n", ELSEWHERE},
	{"/home/u/w/.git", "gitdir: /tmp/p/.git\n", ELSEWHERE},
	{"/home/u/w/.git", "gitdir: ../../../tmp/p/.git\n", ELSEWHERE},
	{"/home/u/w/.git", "gitdir: ../../../../x/.git\n", "leads above /"},
	{"/home/u/w/.git", "gitdir: ../../../proc/1/root/home/u/p/.git\n", ELSEWHERE},
	{"/proc/1/root/w/.git", "gitdir: /proc/1/root/p/.git\n", ELSEWHERE},
	{"/tmp/a/w/.git", "gitdir: /tmp/a/p/.git/worktrees/w\n", NULL},
	{"/tmp/a/w/.git", "gitdir: /tmp/b/p/.git\n", ELSEWHERE},
	{"/tmp/a/w/.git", "gitdir: /tmp/ab/.git\n", ELSEWHERE},
	{"/tmp/a/w/.git", "gitdir: /tmp/.git\n", ELSEWHERE},
	{"/dev/shm/a/w/.git", "gitdir: /dev/shm/b/.git\n", ELSEWHERE},
	{"/dev/shm/a/w/.git", "gitdir: /dev/fd/3/.git\n", ELSEWHERE},
	{"/var/tmp/a/w/.git", "gitdir: /var/lib/p/.git\n", ELSEWHERE},
	{"/home/u/w/s/.git", "gitdir: ../../p/.git/worktrees/w/modules/s\n", NULL},
	{"/home/u/w/s/.git", "gitdir: ../../p/.git/worktrees/w/modules\n", NO_GIT},
	{"/home/u/w/s/.git", "gitdir: ../../p/.git/worktrees/w/logs/s\n", NO_GIT},
	{"/home/u/w/.git", "gitdir: \n", NO_LINK},
	{"/home/u/w/.git", "gitdir:/home/u/p/.git\n", NO_LINK},
	{"/home/u/w/.git", "/home/u/p/.git\n", NO_LINK},
	{"/home/u/w/.git", "gitdir: /home/u/p/.git\n\n", NO_LINK},
	{"/home/u/w/.git", "gitdir: /home/u/p/.git\r\n", NO_LINK},
	{"/home/u/w/.git", "gitdir: /home/u/p/.git \n", NO_LINK},
	{"/home/u/w/.git", "gitdir: /home/u/p/.git\nx", NO_LINK},
	{"/home/u/w/.git", "", NO_LINK},
	/* commondir */
	{"/home/u/p/.git/worktrees/w/commondir", "../..\n", NULL},
	{"/home/u/p/.git/worktrees/w/commondir", "/home/u/p/.git\n", NULL},
	{"/home/u/p/.git/modules/s/worktrees/w/commondir", "../..\n", NULL},
	{"/home/u/p/.git/worktrees/w/commondir", "../../data\n", NOT_OWN},
	{"/home/u/p/.git/worktrees/w/commondir", "/home/u/q/.git\n", NOT_OWN},
	{"/home/u/p/.git/worktrees/w/commondir", "..\n", NOT_OWN},
	{"/home/u/p/.git/commondir", "../data\n", STRAY},
	{"/home/u/p/.git/commondir", "../..\n", STRAY},
	{"/home/u/p/data/worktrees/w/commondir", "../..\n", STRAY},
	{"/home/u/p/.git/worktrees/w/commondir", "gitdir: ../..\n", NOT_OWN},
	/* gitdir */
	{"/home/u/p/.git/worktrees/w/gitdir", "/home/u/w/.git\n", NULL},
	{"/home/u/p/.git/worktrees/w/gitdir", "../../../../w/.git\n", NULL},
	{"/home/u/p/.git/worktrees/w/gitdir", "/home/u/w/x\n", "leads to no file named .git"},
	{"/home/u/p/.git/worktrees/w/gitdir", "/tmp/w/.git\n", ELSEWHERE},
	{"/home/u/p/.git/gitdir", "/home/u/w/.git\n", STRAY},
	/* no link at all */
	{"/home/u/p/.git/HEAD", "gitdir: /home/u/p/.git\n", NO_LINK},
};

static void test_the_judge(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(judge_cases); i++) {
		const struct judge_case *row = &judge_cases[i];
		char reason[128];
		bool taken = git_link_judge(row->target, (const uint8_t *)row->content, strlen(row->content), reason,
					    sizeof reason);
		if (taken != (row->reason == NULL))
			fail_msg("%s: %s", row->target, row->content);
		assert_string_equal(reason, taken ? "" : row->reason);
	}
}

static void test_a_long_path_is_refused(void **state)
{
	(void)state;
	static char content[GIT_LINK_PATH_MAX + 64];
	char reason[8];
	memset(content, 'x', sizeof content - 1);
	memcpy(content, "gitdir: /home/", 14);
	strcpy(content + sizeof content - 8, "/.git\n");
	assert_false(git_link_judge("/home/u/.git", (const uint8_t *)content, strlen(content), reason, sizeof reason));
	assert_string_equal(reason, "is not ");
}

static void test_kinds_are_told_by_name(void **state)
{
	(void)state;
	assert_int_equal(git_link_kind_of(STR("/a/.git")), GIT_LINK_FILE);
	assert_int_equal(git_link_kind_of(STR("commondir")), GIT_LINK_COMMON);
	assert_int_equal(git_link_kind_of(STR("/a/gitdir")), GIT_LINK_BACK);
	assert_int_equal(git_link_kind_of(STR("/a/x.git")), GIT_LINK_NONE);
	assert_int_equal(git_link_kind_of(STR("")), GIT_LINK_NONE);
}

struct resolve_case {
	const char *folder, *path, *result;
};

static void test_paths_as_text(void **state)
{
	(void)state;
	static const struct resolve_case cases[] = {
		{"/a/b", "c", "/a/b/c"},       {"/a/b", "../c", "/a/c"},   {"/a/b", "/c//d/./e/", "/c/d/e"},
		{"/a/b", "../..", "/"},	       {"/a/b", "../../..", NULL}, {"/", "a", "/a"},
		{"/a/b", "c/../../d", "/a/d"}, {"/a", "", "/a"},	   {"", "x", "/x"},
	};
	char resolved[64];
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool good = path_resolve(str_from(cases[i].folder), str_from(cases[i].path), resolved, sizeof resolved);
		assert_int_equal(good, cases[i].result != NULL);
		if (good)
			assert_string_equal(resolved, cases[i].result);
	}
	assert_true(path_resolve(STR("/"), STR("abc"), resolved, 5));
	assert_false(path_resolve(STR("/"), STR("abcd"), resolved, 5));
	assert_true(path_is_in(STR("/a/b"), STR("/a")));
	assert_true(path_is_in(STR("/a"), STR("/a/")));
	assert_true(path_is_in(STR("/a"), STR("/")));
	assert_false(path_is_in(STR("/ab"), STR("/a")));
	assert_false(path_is_in(STR("/a"), STR("/a/b")));
	assert_true(str_eq(path_name(STR("/a/b")), STR("b")));
	assert_true(str_eq(path_parent(STR("/a/b")), STR("/a")));
	assert_true(str_eq(path_parent(STR("/a")), STR("")));
}

/* A link of that name somewhere below the folder is what the judge takes. */
static void taken(const char *folder, const char *name)
{
	char path[1024], content[1024], reason[128];
	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	size_t len = git_rig_read(path, content, sizeof content);
	if (!git_link_judge(path, (const uint8_t *)content, len, reason, sizeof reason))
		fail_msg("%s: %s: %s", path, reason, content);
}

static void test_what_git_writes_is_taken(void **state)
{
	(void)state;
	char *folder = git_rig_new();
	assert_int_equal(git_rig_run(folder,
				     "git init -q lib; git -C lib commit -q --allow-empty -m x; git clone -q lib top;"
				     "cd top; git submodule --quiet add ../lib sub; git commit -q -m sub;"
				     "git worktree add -q ../linked; git worktree add -q inner;"
				     "git -C sub worktree add -q ../../of_sub"),
			 0);
	taken(folder, "linked/.git");
	taken(folder, "top/inner/.git");
	taken(folder, "top/sub/.git");
	taken(folder, "of_sub/.git");
	taken(folder, "top/.git/worktrees/linked/commondir");
	taken(folder, "top/.git/worktrees/linked/gitdir");
	taken(folder, "top/.git/worktrees/inner/gitdir");
	taken(folder, "top/.git/modules/sub/worktrees/of_sub/commondir");
	git_rig_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_judge),
		cmocka_unit_test(test_a_long_path_is_refused),
		cmocka_unit_test(test_kinds_are_told_by_name),
		cmocka_unit_test(test_paths_as_text),
		cmocka_unit_test(test_what_git_writes_is_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
