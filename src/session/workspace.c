#include "session/workspace.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "format/git_config.h"
#include "format/git_link.h"
#include "format/path.h"
#include "session/git_file.h"

enum { MAX_DEPTH = 256, CONFIG_MAX_BYTES = 32 * 1024 };

/* ---- the walk up ------------------------------------------------------------------------------------------------- */

struct walk {
	const char *home; /* canonical, or NULL */
	uid_t owner;	  /* of the current folder */
	dev_t device;
	int fd;		     /* the folder looked at */
	char path[PATH_MAX]; /* its path */
	struct stat git;     /* its .git, not followed */
	char home_path[PATH_MAX], git_dir[PATH_MAX], common[PATH_MAX];
};

/* Git's rule of safe.directory: somebody else's .git, put into a folder above us, is not ours to heed. */
static bool is_trusted(const struct walk *walk, const struct stat *top, const struct stat *git)
{
	uid_t me = geteuid();
	if (git->st_uid == me || git->st_uid == 0)
		return true;
	return git->st_uid == walk->owner && top->st_uid == walk->owner;
}

static bool is_too_wide(const char *path, const char *home)
{
	return strcmp(path, "/") == 0 || (home != NULL && path_is_in(str_from(home), str_from(path)));
}

static bool is_there(int dirfd, const char *name)
{
	return faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Would git take this folder for a repository? */
static bool is_repository(int dirfd)
{
	return is_there(dirfd, "HEAD") && is_there(dirfd, "objects") && is_there(dirfd, "refs");
}

static bool is_top_level(struct walk *walk)
{
	struct stat here = {0};
	if (fstatat(walk->fd, ".git", &walk->git, AT_SYMLINK_NOFOLLOW) < 0 || fstat(walk->fd, &here) < 0 ||
	    !is_trusted(walk, &here, &walk->git))
		return false;
	if (!S_ISDIR(walk->git.st_mode))
		return S_ISREG(walk->git.st_mode) || S_ISLNK(walk->git.st_mode);
	auto_fd int git = openat(walk->fd, ".git", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return git >= 0 && is_repository(git);
}

/* One folder up. False: there is none, or it is on another file system, where git does not look either. */
static bool walk_up(struct walk *walk)
{
	struct stat st = {0};
	size_t len = path_parent(str_from(walk->path)).len;
	int fd = openat(walk->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	(void)close(walk->fd);
	walk->fd = fd;
	walk->path[len] = '\0';
	return len > 0 && fstat(fd, &st) == 0 && st.st_dev == walk->device && !is_too_wide(walk->path, walk->home);
}

/* Goes up to the first top level. False: there is none. */
static bool walk_to_top(struct walk *walk)
{
	for (int depth = 0; depth < MAX_DEPTH; depth++) {
		if (is_top_level(walk))
			return true;
		if (!walk_up(walk))
			return false;
	}
	return false;
}

static bool walk_begin(struct walk *walk, const char *cwd)
{
	struct stat st = {0};
	size_t len = strlen(cwd);
	walk->fd = open(cwd, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (walk->fd < 0 || fstat(walk->fd, &st) < 0 || len >= sizeof(walk->path))
		return false;
	walk->owner = st.st_uid;
	walk->device = st.st_dev;
	memcpy(walk->path, cwd, len + 1);
	return true;
}

/* ---- a .git file ------------------------------------------------------------------------------------------------- */

/* The folder or file that a link in the folder leads to, canonical. False: no such link, or nothing there. */
static bool read_link(int dirfd, const char *folder, const char *name, char ret_path[static PATH_MAX])
{
	char bytes[PATH_MAX];
	struct span content;
	struct str target;
	if (!git_file_read(dirfd, name, GIT_FILE_NOFOLLOW, bytes, sizeof(bytes), &content) ||
	    !git_link_parse(git_link_kind_of(str_from(name)), content, &target) ||
	    !path_resolve(str_from(folder), target, ret_path, PATH_MAX) || realpath(ret_path, bytes) == NULL)
		return false;
	memcpy(ret_path, bytes, strlen(bytes) + 1);
	return true;
}

static bool is_same_file(const char *path, const struct stat *other)
{
	struct stat st = {0};
	return lstat(path, &st) == 0 && st.st_dev == other->st_dev && st.st_ino == other->st_ino;
}

static bool is_own_folder(const struct walk *walk, int fd)
{
	struct stat st = {0};
	return fstat(fd, &st) == 0 && is_trusted(walk, &st, &st);
}

/* git is REPOSITORY/worktrees/NAME, and its `gitdir` names our .git file. */
static bool find_linked(const struct walk *walk, int git_fd, const char *git, char ret_common[static PATH_MAX])
{
	char back[PATH_MAX];
	if (!read_link(git_fd, git, "commondir", ret_common) || !read_link(git_fd, git, "gitdir", back) ||
	    !is_same_file(back, &walk->git))
		return false;
	struct str worktrees = path_parent(str_from(git));
	if (!str_eq(path_name(worktrees), STR("worktrees")) || !str_eq(path_parent(worktrees), str_from(ret_common)))
		return false;
	auto_fd int fd = open(ret_common, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && is_repository(fd) && is_there(fd, "config") && is_own_folder(walk, fd);
}

struct module {
	char worktree[PATH_MAX]; /* the last core.worktree; "": none */
	char bytes[CONFIG_MAX_BYTES];
};

static bool visit_worktree(void *ctx, const struct git_config_entry *entry)
{
	struct module *module = ctx;
	bool named = !entry->has_subsection && str_eq(entry->section, STR("core")) &&
		     str_eq(entry->key, STR("worktree")) && entry->has_value;
	if (!named || entry->value.len >= sizeof(module->worktree))
		return true;
	memcpy(module->worktree, entry->value.ptr, entry->value.len);
	module->worktree[entry->value.len] = '\0';
	return true;
}

/* git is REPOSITORY/.git/.../modules/NAME, and its core.worktree names our folder. */
static bool is_module(const struct walk *walk, int git_fd, const char *git)
{
	char path[PATH_MAX];
	struct stat here = {0};
	struct span content;
	auto_free struct module *module = malloc(sizeof(*module));
	if (module == NULL || strstr(git, "/.git/") == NULL || strstr(git, "/modules/") == NULL ||
	    !is_repository(git_fd) ||
	    !git_file_read(git_fd, "config", GIT_FILE_NOFOLLOW, module->bytes, sizeof(module->bytes), &content))
		return false;
	module->worktree[0] = '\0';
	if (!git_config_parse(content, visit_worktree, module, NULL) || module->worktree[0] == '\0')
		return false;
	return path_resolve(str_from(git), str_from(module->worktree), path, sizeof(path)) &&
	       fstat(walk->fd, &here) == 0 && is_same_file(path, &here);
}

/* Follows the .git file to what is to be granted beyond the workspace: walk->common, "" if it leads nowhere, or to what
 * does not point back. */
static void follow_git_file(struct walk *walk)
{
	char *git = walk->git_dir, *common = walk->common;
	if (!read_link(walk->fd, walk->path, ".git", git) || path_is_in(str_from(git), str_from(walk->path)))
		return;
	auto_fd int fd = open(git, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || !is_own_folder(walk, fd) || find_linked(walk, fd, git, common))
		return;
	common[0] = '\0';
	if (is_module(walk, fd, git))
		memcpy(common, git, strlen(git) + 1);
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static enum berm_code set_text(char **field, const char *text, struct berm_err *err)
{
	*field = str_dup(str_from(text));
	return *field != NULL ? BERM_OK : err_set(err, BERM_ERR_NOMEM, "find the workspace");
}

/* git's folder for this work tree: outside of it only if it points back. */
static enum berm_code fill_git(struct walk *walk, struct workspace *workspace, struct berm_err *err)
{
	workspace->git = true;
	if (S_ISREG(walk->git.st_mode))
		follow_git_file(walk);
	if (walk->common[0] != '\0' && is_too_wide(walk->common, walk->home))
		walk->common[0] = '\0';
	if (walk->common[0] != '\0')
		return set_text(&workspace->git_common, walk->common, err);
	if (!path_resolve(str_from(walk->path), STR(".git"), walk->common, sizeof(walk->common)))
		walk->common[0] = '\0';
	return BERM_OK;
}

static enum berm_code refuse_wide(const char *cwd, const char *home, struct berm_err *err)
{
	const char *what = "holds your home folder";
	if (strcmp(cwd, "/") == 0)
		what = "is no folder to work in";
	else if (home != NULL && strcmp(cwd, home) == 0)
		what = "is your home folder";
	return err_set(err, BERM_ERR_INVALID, "the current folder '%.100s' %s; name what may be changed with -w", cwd,
		       what);
}

static enum berm_code find(struct walk *walk, const char *cwd, const char *home, struct workspace *workspace,
			   struct berm_err *err)
{
	walk->fd = -1;
	walk->home = home != NULL && realpath(home, walk->home_path) != NULL ? walk->home_path : home;
	if (is_too_wide(cwd, walk->home))
		return refuse_wide(cwd, walk->home, err);
	bool top = walk_begin(walk, cwd) && walk_to_top(walk);
	TRY(set_text(&workspace->path, top ? walk->path : cwd, err));
	if (top)
		TRY(fill_git(walk, workspace, err));
	return git_paths_find(workspace->path, top && walk->common[0] != '\0' ? walk->common : NULL, walk->home,
			      &workspace->git_paths, err);
}

enum berm_code workspace_find(const char *cwd, const char *home, struct workspace *ret_workspace, struct berm_err *err)
{
	struct workspace found = {.path = NULL};
	auto_free struct walk *walk = calloc(1, sizeof(*walk));
	if (walk == NULL)
		return err_set(err, BERM_ERR_NOMEM, "find the workspace");
	enum berm_code code = find(walk, cwd, home, &found, err);
	own_close(&walk->fd);
	if (code == BERM_OK)
		*ret_workspace = found;
	else
		workspace_done(&found);
	return code;
}

void workspace_done(struct workspace *workspace)
{
	free(workspace->path);
	free(workspace->git_common);
	git_paths_done(&workspace->git_paths);
	*workspace = (struct workspace){.path = NULL};
}
