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
	"git clone -q lib top; mkdir -p top/a/b; cd top; git submodule --quiet add ../lib sub; git commit -q -m s;"
	"git worktree add -q ../linked; git worktree add -q inner; mkdir ../linked/deep sub/deep; cd ..;"
	"git clone -q --bare lib bare.git; git -C bare.git worktree add -q ../of_bare;"
	"git init -q --separate-git-dir=$PWD/apart joined; cp -a top/.git saved";

static const char restore[] = "rm -rf plain victim fake top/.git linked/deep/back; mkdir -p plain/x victim;"
			      "cp -a saved top/.git";

static char *the_world;

/* Made once, for tests that change it; what they changed is put back. */
static const char *fresh_world(void)
{
	if (the_world == NULL) {
		the_world = git_rig_new();
		assert_int_equal(git_rig_run(the_world, world), 0);
	}
	assert_int_equal(git_rig_run(the_world, restore), 0);
	return the_world;
}

static void test_top_levels(void **state)
{
	(void)state;
	const char *folder = fresh_world();
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
}

static const char *const hostile_files[] = {
	/* the other's worktree, but not ours */
	"echo gitdir: $PWD/top/.git/worktrees/linked >plain/.git",
	/* a repository, a home folder, a folder of nothing */
	"echo gitdir: $PWD/top/.git >plain/.git",
	"echo gitdir: $PWD/home >plain/.git",
	"echo gitdir: $PWD/victim >plain/.git",
	"echo gitdir: $PWD/apart >plain/.git",
	"echo gitdir: / >plain/.git",
	/* made to look like a worktree of a folder that is no repository */
	("mkdir -p victim/worktrees/w; cd victim/worktrees/w; echo ../.. >commondir; echo $OLDPWD/plain/.git "
	 ">gitdir;"
	 "echo ref: refs/heads/x >HEAD; echo gitdir: $PWD >$OLDPWD/plain/.git"),
	/* a commondir that leads on */
	("mkdir -p fake/worktrees/w; cd fake/worktrees/w; echo $OLDPWD/top/.git >commondir;"
	 "echo $OLDPWD/plain/.git >gitdir; echo gitdir: $PWD >$OLDPWD/plain/.git"),
	/* another's submodule */
	"echo gitdir: $PWD/top/.git/modules/sub >plain/.git",
	/* what is no link, or a link in another sense */
	"printf \"gitdir: \" >plain/.git",
	"mkfifo plain/.git",
	"head -c 9000 /dev/zero >plain/.git",
	"ln -s $PWD/linked/.git plain/.git",
	"ln -s $PWD/top/.git plain/.git",
};

static void test_a_git_file_that_nothing_points_back_to_widens_nothing(void **state)
{
	const char *folder = fresh_world();
	struct workspace workspace;
	char home[NAME_SIZE];
	assert_int_equal(git_rig_run(folder, *state), 0);
	(void)snprintf(home, sizeof home, "%s/home", folder);
	assert_int_equal(workspace_find(below(folder, "plain"), home, &workspace, NULL), BERM_OK);
	assert_string_equal(workspace.path, below(folder, "plain"));
	if (workspace.git_common != NULL)
		fail_msg("%s: %s", (const char *)*state, workspace.git_common);
	workspace_done(&workspace);
}

static const char *const changed_data[] = {
	"echo ../../../home >top/.git/worktrees/linked/commondir",
	"echo $PWD/plain/.git >top/.git/worktrees/linked/gitdir",
	"rm top/.git/worktrees/linked/gitdir",
	"rm top/.git/worktrees/linked/commondir",
	"rm top/.git/HEAD",
	("ln -sf $PWD/linked/deep/back top/.git/worktrees/linked/gitdir; echo $PWD/linked/.git "
	 ">linked/deep/back"),
};

static void test_a_worktree_whose_data_was_changed_is_alone(void **state)
{
	const char *folder = fresh_world();
	assert_int_equal(git_rig_run(folder, *state), 0);
	expect(folder, "linked", "linked", NULL, true);
}

static void test_a_submodule_whose_data_was_changed_is_alone(void **state)
{
	(void)state;
	const char *folder = fresh_world();
	assert_int_equal(git_rig_run(folder, "git config -f top/.git/modules/sub/config core.worktree ../../../a"), 0);
	expect(folder, "top/sub", "top/sub", NULL, true);
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
	const char *config;	    /* of the repository, '@' stands for the folder */
	const char *file, *content; /* one more, below the folder; or NULL */
	const char *paths, *reads;  /* below the folder, parted by spaces */
};

static void put_file(const char *folder, const char *name, const char *text)
{
	char bytes[4 * NAME_SIZE];
	size_t len = 0;
	for (; *text != '\0'; text++)
		len += (size_t)snprintf(bytes + len, sizeof bytes - len, "%.*s", *text == '@' ? NAME_SIZE : 1,
					*text == '@' ? folder : text);
	git_rig_write(below(folder, name), bytes, len);
}

/* A list as its paths below the folder, parted by spaces. */
static void join(char **list, const char *folder, char *ret_text, size_t size)
{
	size_t len = 0;
	ret_text[0] = '\0';
	for (char **path = list; path != NULL && *path != NULL; path++) {
		if (strncmp(*path, folder, strlen(folder)) != 0)
			continue; /* this machine's /etc/gitconfig */
		len += (size_t)snprintf(ret_text + len, size - len, "%s%s", len > 0 ? " " : "",
					*path + strlen(folder) + 1);
	}
}

static void expect_paths(const char *folder, const struct paths_case *row)
{
	char top[NAME_SIZE], git[NAME_SIZE], home[NAME_SIZE], found[2 * NAME_SIZE], reads[2 * NAME_SIZE];
	struct git_paths paths;
	(void)snprintf(top, sizeof top, "%s/top", folder);
	(void)snprintf(git, sizeof git, "%s/top/.git", folder);
	(void)snprintf(home, sizeof home, "%s/home", folder);
	assert_int_equal(git_paths_find(top, git, home, &paths, NULL), BERM_OK);
	join(paths.protect, folder, found, sizeof found);
	join(paths.read, folder, reads, sizeof reads);
	git_paths_done(&paths);
	if (strcmp(found, row->paths) != 0 || strcmp(reads, row->reads) != 0)
		fail_msg("%s: %s; reads %s", row->config, found, reads);
}

static const struct paths_case paths_cases[] = {
	{"", NULL, NULL, "", ""},
	{"[core]\nhooksPath = .githooks\n", NULL, NULL, "top/.githooks", ""},
	{"[core]\nhooksPath = tools/git/../hooks/\n", NULL, NULL, "top/tools/hooks", ""},
	{"[core]\nhooksPath = @/top/h\n", NULL, NULL, "top/h", ""},
	{"[core]\nhooksPath = .husky/_\n", NULL, NULL, "top/.husky top/.husky/_", ""},
	{"[core]\nhooksPath = .\n", NULL, NULL, "", ""},
	{"[core]\nhooksPath = ..\n", NULL, NULL, "", ""},
	{"[core]\nhooksPath = /usr/share/hooks\n", NULL, NULL, "", ""},
	{"[core]\nhooksPath = ~/hooks\n", NULL, NULL, "", ""},
	{"[core]\nhooksPath = ~//../top/x\n", NULL, NULL, "top/x", ""},
	{"[core]\nhooksPath = a\n[core]\nhooksPath = b\nhooksPath = a\n", NULL, NULL, "top/a top/b", ""},
	{"[core]\nhooksPath =\nhooksPath\n[core \"x\"]\nhooksPath = h\n", NULL, NULL, "", ""},
	{"[include]\npath = ../.gitconfig\n", NULL, NULL, "top/.gitconfig", ""},
	{"[include]\npath = ../more\n", "top/more", "[core]\nhooksPath = h\n[include]\npath = last\n",
	 "top/more top/h top/last", ""},
	{"[includeIf \"gitdir:/x\"]\npath = ../more\n", NULL, NULL, "top/more", ""},
	{"[include]\npath = @/home/shared\n", "home/shared", "[core]\nhooksPath = sh\n", "top/sh", ""},
	{"", "home/.gitconfig", "[include]\npath = work\n[includeIf \"gitdir:x\"]\npath = ~/deep/inc\n", "",
	 "home/work home/deep/inc"},
	{"", "home/.gitconfig",
	 "[core]\nexcludesFile = ~/ig\nhooksPath = ~/gh\n[gpg \"ssh\"]\nallowedSignersFile = ~/sg\n", "",
	 "home/ig home/gh home/sg"},
	{"", "home/.gitconfig", "[include]\npath = @/top/inc\n", "top/inc", ""},
	{"[include]\npath = @/home/.ssh/id\n[core]\nexcludesFile = ~/ig\n", NULL, NULL, "", ""},
	{"[include]\npath = ../evil\n", "top/evil", "[include]\npath = @/home/.ssh/id\n", "top/evil", ""},
	{"", "home/.gitconfig", "[core]\nhooksPath = gh\n", "top/gh", ""},
	{"", "home/.config/git/config", "[core]\nhooksPath = xh\n", "top/xh", ""},
	{"", "top/.git/config.worktree", "[core]\nhooksPath = wh\n", "top/wh", ""},
	{"[alias]\n\tx = a\tb\n\ty = 1\n[core]\n\thooksPath = th\n", NULL, NULL, "top/th", ""},
	{"[include]\npath = ../ring\n", "top/ring", "[include]\npath = ring\n", "top/ring", ""},
	{"[include]\npath = ../pipe\n", NULL, NULL, "top/pipe", ""},
	{"[include]\npath = ../folder\n", NULL, NULL, "top/folder", ""},
};

static void test_hooks_and_includes(void **state)
{
	static char *folder;
	const struct paths_case *row = *state;
	if (folder == NULL) {
		folder = git_rig_new();
		assert_int_equal(git_rig_run(folder, "mkdir -p home/.config/git top/.git top/folder; mkfifo top/pipe"),
				 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(paths_cases); i++)
		if (paths_cases[i].file != NULL)
			(void)unlink(below(folder, paths_cases[i].file)); /* of the case before */
	put_file(folder, "top/.git/config", row->config);
	if (row->file != NULL)
		put_file(folder, row->file, row->content);
	expect_paths(folder, row);
}

static void test_a_linked_worktree_reads_what_the_main_one_includes(void **state)
{
	(void)state;
	char *folder = git_rig_new(), top[NAME_SIZE], git[NAME_SIZE], reads[NAME_SIZE];
	struct git_paths paths;
	assert_int_equal(git_rig_run(folder, "mkdir -p linked main/.git"), 0);
	put_file(folder, "main/.git/config", "[include]\npath = ../inc\npath = ../../else\n");
	(void)snprintf(top, sizeof top, "%s/linked", folder);
	(void)snprintf(git, sizeof git, "%s/main/.git", folder);
	assert_int_equal(git_paths_find(top, git, NULL, &paths, NULL), BERM_OK);
	join(paths.read, folder, reads, sizeof reads);
	assert_string_equal(reads, "main/inc");
	git_paths_done(&paths);
	assert_int_equal(git_paths_find(top, NULL, NULL, &paths, NULL), BERM_OK);
	assert_null(paths.protect);
	git_paths_done(&paths);
	git_rig_remove(folder);
}

static struct CMUnitTest tests[80];
static size_t test_count;

static void add(const char *name, CMUnitTestFunction function, const void *parameter)
{
	assert_in_range(test_count, 0, ARRAY_LEN(tests) - 1);
	tests[test_count++] =
		(struct CMUnitTest){.name = name, .test_func = function, .initial_state = (void *)(uintptr_t)parameter};
}

#define ADD(function, parameter) add(#function, function, parameter)

int main(void)
{
	ADD(test_top_levels, NULL);
	for (size_t i = 0; i < ARRAY_LEN(hostile_files); i++)
		ADD(test_a_git_file_that_nothing_points_back_to_widens_nothing, hostile_files[i]);
	for (size_t i = 0; i < ARRAY_LEN(changed_data); i++)
		ADD(test_a_worktree_whose_data_was_changed_is_alone, changed_data[i]);
	ADD(test_a_submodule_whose_data_was_changed_is_alone, NULL);
	ADD(test_home_and_root_are_no_workspace, NULL);
	ADD(test_a_foreign_git_folder_above_is_not_heeded, NULL);
	ADD(test_an_empty_git_folder_is_passed_over, NULL);
	for (size_t i = 0; i < ARRAY_LEN(paths_cases); i++)
		ADD(test_hooks_and_includes, &paths_cases[i]);
	ADD(test_a_linked_worktree_reads_what_the_main_one_includes, NULL);
	return _cmocka_run_group_tests("workspace", tests, test_count, NULL, NULL);
}
