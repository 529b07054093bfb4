#include "check.h"

#include <limits.h>
#include <sys/stat.h>

#include "base/own.h"
#include "git_rig.h"
#include "session/git_paths.h"
#include "session/workspace.h"

enum { NAME_SIZE = 512 };

static const char *below(const char *folder, const char *name)
{
	static char path[NAME_SIZE];
	(void)snprintf(path, sizeof path, "%s%s%s", folder, name[0] != '\0' ? "/" : "", name);
	return path;
}

/* The workspace from FOLDER/CWD, with FOLDER/HOME as the home folder. path and common: as below FOLDER; common may be
 * NULL. */
static void expect(const char *folder, const char *cwd, const char *path, const char *common, bool git)
{
	struct workspace workspace;
	struct berm_err err;
	char home[NAME_SIZE], from[NAME_SIZE];
	(void)snprintf(home, sizeof home, "%s/home", folder);
	(void)snprintf(from, sizeof from, "%s", below(folder, cwd));
	if (workspace_find(from, home, &workspace, &err) != BERM_OK)
		fail_msg("%s: %s", cwd, err.msg);
	assert_string_equal(workspace.path, below(folder, path));
	if (common == NULL && workspace.git_common != NULL)
		fail_msg("%s: %s", cwd, workspace.git_common);
	if (common != NULL)
		assert_string_equal(workspace.git_common, below(folder, common));
	assert_int_equal(workspace.git, git);
	workspace_done(&workspace);
	assert_null(workspace.path);
}

/* Git itself says the same of the top level. */
static void git_agrees(const char *folder, const char *cwd, const char *path)
{
	char from[NAME_SIZE], line[NAME_SIZE];
	(void)snprintf(from, sizeof from, "%s", below(folder, cwd));
	git_rig_ask(from, "git rev-parse --show-toplevel", line, sizeof line);
	assert_string_equal(line, below(folder, path));
}

static const char world[] =
	"mkdir home; git init -q lib; git -C lib commit -q --allow-empty -m x;"
	"git clone -q lib top; mkdir -p top/a/b plain/x; cd top; git submodule --quiet add ../lib sub; git commit -q "
	"-m s;"
	"git worktree add -q ../linked; git worktree add -q inner; mkdir ../linked/deep sub/deep; cd ..;"
	"git clone -q --bare lib bare.git; git -C bare.git worktree add -q ../of_bare 2>/dev/null;"
	"mkdir victim; git init -q --separate-git-dir=$PWD/apart joined";

static void test_top_levels(void **state)
{
	(void)state;
	char *folder = git_rig_new();
	assert_int_equal(git_rig_run(folder, world), 0);
	expect(folder, "top", "top", NULL, true);
	expect(folder, "top/a/b", "top", NULL, true);
	expect(folder, "top/.git/hooks", "top", NULL, true);
	expect(folder, "plain/x", "plain/x", NULL, false);
	expect(folder, "bare.git", "bare.git", NULL, false);
	expect(folder, "linked", "linked", "top/.git", true);
	expect(folder, "linked/deep", "linked", "top/.git", true);
	expect(folder, "top/inner", "top/inner", "top/.git", true);
	expect(folder, "top/sub/deep", "top/sub", "top/.git/modules/sub", true);
	expect(folder, "of_bare", "of_bare", "bare.git", true);
	git_agrees(folder, "top/a/b", "top");
	git_agrees(folder, "linked/deep", "linked");
	git_agrees(folder, "top/inner", "top/inner");
	git_agrees(folder, "top/sub/deep", "top/sub");
	git_agrees(folder, "of_bare", "of_bare");
	git_rig_remove(folder);
}

static void test_a_git_file_that_nothing_points_back_to_widens_nothing(void **state)
{
	(void)state;
	static const char *const scripts[] = {
		/* the other's worktree, but not ours */
		"echo gitdir: $PWD/top/.git/worktrees/linked >plain/.git",
		/* a repository, a home folder, a folder of nothing */
		"echo gitdir: $PWD/top/.git >plain/.git",
		"echo gitdir: $PWD/home >plain/.git",
		"echo gitdir: $PWD/victim >plain/.git",
		"echo gitdir: $PWD/apart >plain/.git",
		"echo gitdir: / >plain/.git",
		/* made to look like a worktree of a folder that is no repository */
		"mkdir -p victim/worktrees/w; cd victim/worktrees/w; echo ../.. >commondir; echo $OLDPWD/plain/.git "
		">gitdir;"
		"echo ref: refs/heads/x >HEAD; echo gitdir: $PWD >$OLDPWD/plain/.git",
		/* a commondir that leads on */
		"mkdir -p fake/worktrees/w; cd fake/worktrees/w; echo $OLDPWD/top/.git >commondir;"
		"echo $OLDPWD/plain/.git >gitdir; echo gitdir: $PWD >$OLDPWD/plain/.git",
		/* another's submodule */
		"echo gitdir: $PWD/top/.git/modules/sub >plain/.git",
		/* what is no link, or a link in another sense */
		"printf \"gitdir: \" >plain/.git",
		"mkfifo plain/.git",
		"head -c 9000 /dev/zero >plain/.git",
		"ln -s $PWD/linked/.git plain/.git",
		"ln -s $PWD/top/.git plain/.git",
	};
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		char *folder = git_rig_new();
		struct workspace workspace;
		char home[NAME_SIZE];
		assert_int_equal(git_rig_run(folder, world), 0);
		assert_int_equal(git_rig_run(folder, scripts[i]), 0);
		(void)snprintf(home, sizeof home, "%s/home", folder);
		assert_int_equal(workspace_find(below(folder, "plain"), home, &workspace, NULL), BERM_OK);
		assert_string_equal(workspace.path, below(folder, "plain"));
		if (workspace.git_common != NULL)
			fail_msg("%s: %s", scripts[i], workspace.git_common);
		workspace_done(&workspace);
		git_rig_remove(folder);
	}
}

static void test_a_worktree_whose_data_was_changed_is_alone(void **state)
{
	(void)state;
	static const char *const scripts[] = {
		"echo ../../../home >top/.git/worktrees/linked/commondir",
		"echo $PWD/plain/.git >top/.git/worktrees/linked/gitdir",
		"rm top/.git/worktrees/linked/gitdir",
		"rm top/.git/worktrees/linked/commondir",
		"rm top/.git/HEAD",
		"ln -sf $PWD/linked/deep/back top/.git/worktrees/linked/gitdir; echo $PWD/linked/.git "
		">linked/deep/back",
	};
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		char *folder = git_rig_new();
		assert_int_equal(git_rig_run(folder, world), 0);
		expect(folder, "linked", "linked", "top/.git", true);
		assert_int_equal(git_rig_run(folder, scripts[i]), 0);
		expect(folder, "linked", "linked", NULL, true);
		git_rig_remove(folder);
	}
	char *folder = git_rig_new();
	assert_int_equal(git_rig_run(folder, world), 0);
	assert_int_equal(git_rig_run(folder, "git config -f top/.git/modules/sub/config core.worktree ../../../a"), 0);
	expect(folder, "top/sub", "top/sub", NULL, true);
	git_rig_remove(folder);
}

static void refused(const char *cwd, const char *home, const char *text)
{
	struct workspace workspace;
	struct berm_err err;
	assert_int_equal(workspace_find(cwd, home, &workspace, &err), BERM_ERR_INVALID);
	if (strstr(err.msg, text) == NULL || strstr(err.msg, "-w") == NULL)
		fail_msg("%s", err.msg);
}

static void test_home_and_root_are_no_workspace(void **state)
{
	(void)state;
	char *folder = git_rig_new();
	char home[NAME_SIZE], link[NAME_SIZE];
	assert_int_equal(
		git_rig_run(folder, "mkdir -p home/u/x; git init -q home; git init -q home/u; ln -s home/u way"), 0);
	(void)snprintf(home, sizeof home, "%s/home/u", folder);
	(void)snprintf(link, sizeof link, "%s/way", folder);
	refused("/", home, "no folder to work in");
	refused("/", NULL, "no folder to work in");
	refused(home, home, "is your home folder");
	refused(home, link, "is your home folder");
	refused(below(folder, "home"), home, "holds your home folder");
	refused(folder, home, "holds your home folder");

	/* a repository in the home folder, or above, is not a reason to grant the home folder */
	struct workspace workspace;
	assert_int_equal(workspace_find(below(folder, "home/u/x"), home, &workspace, NULL), BERM_OK);
	assert_string_equal(workspace.path, below(folder, "home/u/x"));
	assert_false(workspace.git);
	workspace_done(&workspace);
	assert_int_equal(workspace_find(below(folder, "home/u/x"), NULL, &workspace, NULL), BERM_OK);
	assert_string_equal(workspace.path, below(folder, "home/u"));
	workspace_done(&workspace);
	git_rig_remove(folder);
}

static void test_a_foreign_git_folder_above_is_not_heeded(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip(); /* only root can make files of others */
	char *folder = git_rig_new();
	assert_int_equal(
		git_rig_run(folder, "mkdir -p home shared/mine; git init -q shared; chown -R 4242 shared/.git"), 0);
	expect(folder, "shared/mine", "shared/mine", NULL, false);
	/* all of it is one other user's: then the folder is theirs anyway */
	assert_int_equal(git_rig_run(folder, "chown -R 4242 shared"), 0);
	expect(folder, "shared/mine", "shared", NULL, true);
	git_rig_remove(folder);
}

static void test_an_empty_git_folder_is_passed_over(void **state)
{
	(void)state;
	char *folder = git_rig_new();
	assert_int_equal(git_rig_run(folder, "mkdir home; git init -q top; mkdir -p top/a/.git top/a/b"), 0);
	expect(folder, "top/a/b", "top", NULL, true);
	git_agrees(folder, "top/a/b", "top");
	git_rig_remove(folder);
}

/* ---- where git looks for hooks ----------------------------------------------------------------------------------- */

struct paths_case {
	const char *script;
	const char *paths; /* below the folder, parted by spaces */
};

static void expect_paths(const char *folder, const struct paths_case *row)
{
	char top[NAME_SIZE], git[NAME_SIZE], home[NAME_SIZE], found[4 * NAME_SIZE];
	char **paths = NULL;
	size_t len = 0;
	(void)snprintf(top, sizeof top, "%s/top", folder);
	(void)snprintf(git, sizeof git, "%s/top/.git", folder);
	(void)snprintf(home, sizeof home, "%s/home", folder);
	assert_int_equal(git_paths_find(top, git, home, &paths, NULL), BERM_OK);
	found[0] = '\0';
	for (char **path = paths; path != NULL && *path != NULL; path++) {
		assert_true(strncmp(*path, folder, strlen(folder)) == 0);
		len += (size_t)snprintf(found + len, sizeof found - len, "%s%s", len > 0 ? " " : "",
					*path + strlen(folder) + 1);
	}
	git_paths_free(paths);
	if (strcmp(found, row->paths) != 0)
		fail_msg("%s: %s", row->script, found);
}

static void test_hooks_and_includes(void **state)
{
	(void)state;
	static const struct paths_case cases[] = {
		{"true", ""},
		{"git config core.hooksPath .githooks", "top/.githooks"},
		{"git config core.hooksPath tools/git/../hooks/", "top/tools/hooks"},
		{"git config core.hooksPath $PWD/h", "top/h"},
		{"git config core.hooksPath .husky/_", "top/.husky top/.husky/_"},
		{"git config core.hooksPath .", ""},
		{"git config core.hooksPath ..", ""},
		{"git config core.hooksPath /usr/share/hooks", ""},
		{"git config core.hooksPath \"~/hooks\"", ""},
		{"git config core.hooksPath \"~/../top/x\"", "top/x"},
		{"git config core.hooksPath a; git config --add core.hooksPath b", "top/a top/b"},
		{"git config include.path ../.gitconfig", "top/.gitconfig"},
		{"git config include.path ../more; git config -f more core.hooksPath h; git config -f more "
		 "include.path last",
		 "top/more top/h top/last"},
		{"git config includeIf.gitdir:/x.path ../more", "top/more"},
		{"git config include.path ../../home/shared; git config -f ../home/shared core.hooksPath sh", "top/sh"},
		{"git config -f ../home/.gitconfig core.hooksPath gh", "top/gh"},
		{"mkdir -p ../home/.config/git; git config -f ../home/.config/git/config core.hooksPath xh", "top/xh"},
		{"git config extensions.worktreeConfig true; git config --worktree core.hooksPath wh", "top/wh"},
		{"printf \"[alias]\\n\\tx = a\\tb\\n[core]\\n\\thooksPath = th\\n\" >>.git/config", "top/th"},
		{"git config include.path ../ring; git config -f ring include.path ring", "top/ring"},
		{"mkfifo pipe; git config include.path ../pipe", "top/pipe"},
		{"git config core.hooksPath \"\"", ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *folder = git_rig_new(), top[NAME_SIZE];
		assert_int_equal(git_rig_run(folder, "mkdir home; git init -q top"), 0);
		(void)snprintf(top, sizeof top, "%s/top", folder);
		assert_int_equal(git_rig_run(top, cases[i].script), 0);
		expect_paths(folder, &cases[i]);
		git_rig_remove(folder);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_top_levels),
		cmocka_unit_test(test_a_git_file_that_nothing_points_back_to_widens_nothing),
		cmocka_unit_test(test_a_worktree_whose_data_was_changed_is_alone),
		cmocka_unit_test(test_home_and_root_are_no_workspace),
		cmocka_unit_test(test_a_foreign_git_folder_above_is_not_heeded),
		cmocka_unit_test(test_an_empty_git_folder_is_passed_over),
		cmocka_unit_test(test_hooks_and_includes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
