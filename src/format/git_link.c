#include "format/git_link.h"

#include <string.h>

#include "format/path.h"

enum git_link_kind git_link_kind_of(struct str path)
{
	struct str name = path_name(path);
	if (str_eq(name, STR(".git")))
		return GIT_LINK_FILE;
	if (str_eq(name, STR("commondir")))
		return GIT_LINK_COMMON;
	return str_eq(name, STR("gitdir")) ? GIT_LINK_BACK : GIT_LINK_NONE;
}

static bool is_plain(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
			return false;
	return text.len > 0 && text.len < GIT_LINK_PATH_MAX;
}

bool git_link_parse(enum git_link_kind kind, struct span content, struct str *ret_path)
{
	static const struct str mark = {"gitdir: ", 8};
	struct str path = {(const char *)content.ptr, content.len};
	if (path.len > 0 && path.ptr[path.len - 1] == '\n')
		path.len--;
	if (kind == GIT_LINK_FILE) {
		if (!str_starts(path, mark))
			return false;
		path.ptr += mark.len;
		path.len -= mark.len;
	}
	/* git takes blanks at the end off a gitdir file and keeps them elsewhere */
	if (kind == GIT_LINK_NONE || !is_plain(path) || path.ptr[path.len - 1] == ' ')
		return false;
	*ret_path = path;
	return true;
}

/* Names that git gives to the parts of a repository: no repository stands under one of them. */
static bool is_repository_name(struct str name)
{
	static const char *const parts[] = {".git", "refs", "logs", "objects", "hooks", "info", "reftable"};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (str_eq(name, str_from(parts[i])))
			return false;
	return name.len > 0;
}

/* What follows ".git/modules/". */
static bool is_module(struct str rest)
{
	struct str name;
	while (str_next(&rest, '/', &name))
		if (!is_repository_name(name))
			return false;
	return true;
}

static bool is_below_git(struct str rest)
{
	struct str name;
	if (!str_next(&rest, '/', &name))
		return true; /* .git itself */
	if (rest.len == 0)
		return false;
	if (str_eq(name, STR("modules")))
		return is_module(rest);
	if (!str_eq(name, STR("worktrees")) || !str_next(&rest, '/', &name) || !is_repository_name(name))
		return false;
	if (!str_next(&rest, '/', &name))
		return true;
	return str_eq(name, STR("modules")) && rest.len > 0 && is_module(rest);
}

bool git_link_is_repository(struct str path)
{
	struct str name;
	if (!str_starts(path, STR("/")))
		return false;
	while (str_next(&path, '/', &name))
		if (str_eq(name, STR(".git")))
			return is_below_git(path);
	return false;
}

/* "/home" of "/home/u/x"; of what lies where everybody may make folders, the one that was made: "/tmp/x" of "/tmp/x/y". A
 * link that leaves it leads to another kind of place (/proc, /tmp) than it lies in. */
static struct str top_folder(struct str path)
{
	static const char *const shared[] = {"/tmp", "/var/tmp", "/dev/shm", "/run/user"};
	size_t len = 1;
	for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++)
		if (path_is_in(path, str_from(shared[i])) && strlen(shared[i]) < path.len)
			len = strlen(shared[i]) + 1;
	const char *slash = path.len > len ? memchr(path.ptr + len, '/', path.len - len) : NULL;
	return slash == NULL ? path : (struct str){path.ptr, (size_t)(slash - path.ptr)};
}

/* Is folder REPOSITORY/worktrees/NAME? */
static bool worktree_of(struct str folder, struct str *ret_repository)
{
	struct str worktrees = path_parent(folder);
	if (!str_eq(path_name(worktrees), STR("worktrees")))
		return false;
	*ret_repository = path_parent(worktrees);
	return git_link_is_repository(*ret_repository);
}

static const char *link_objection(enum git_link_kind kind, struct str target, struct str place)
{
	struct str repository;
	if (path_is_in(place, STR("/proc")) || path_is_in(place, STR("/sys")) ||
	    !str_eq(top_folder(target), top_folder(place)))
		return "leads to another part of the system";
	if (kind == GIT_LINK_FILE)
		return git_link_is_repository(place) ? NULL : "leads to no folder named .git";
	if (!worktree_of(path_parent(target), &repository))
		return "does not lie in a linked worktree's folder";
	if (kind == GIT_LINK_COMMON)
		return str_eq(place, repository) ? NULL : "does not lead to the repository that it lies in";
	return str_eq(path_name(place), STR(".git")) ? NULL : "leads to no file named .git";
}

static void reason_set(char *reason, size_t size, const char *text)
{
	size_t len = strlen(text);
	if (size == 0)
		return;
	if (len >= size)
		len = size - 1;
	memcpy(reason, text, len);
	reason[len] = '\0';
}

bool git_link_judge(const char *target, const uint8_t *content, size_t len, char *reason, size_t reason_size)
{
	char resolved[GIT_LINK_PATH_MAX];
	struct str path, self = str_from(target);
	enum git_link_kind kind = git_link_kind_of(self);
	const char *objection = "is not a link of git's";
	if (git_link_parse(kind, (struct span){content, len}, &path)) {
		objection = "leads above /";
		if (path_resolve(path_parent(self), path, resolved, sizeof resolved))
			objection = link_objection(kind, self, str_from(resolved));
	}
	reason_set(reason, reason_size, objection == NULL ? "" : objection);
	return objection == NULL;
}
