#include "session/git_paths.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "format/git_config.h"
#include "format/path.h"
#include "session/git_file.h"

enum { CONFIG_MAX_BYTES = 64 * 1024, CONFIG_FILES_MAX = 12 };

/* One configuration. user: what it says is the user's word, and not that of whoever wrote into the repository. */
struct config_file {
	char path[PATH_MAX];
	bool user, own; /* own: the configuration of the repository itself */
};

struct found {
	char *paths[GIT_PATHS_MAX + 1];
	size_t count;
};

/* Configurations to read, in the order in which they were heard of, and what they name. */
struct search {
	struct str top, git, home; /* git and home may be empty */
	struct config_file files[CONFIG_FILES_MAX];
	size_t file_count;
	const struct config_file *file; /* that is being read */
	struct found protect, read;
	bool no_memory;
	char path[PATH_MAX]; /* what a value names */
	char link[PATH_MAX + NAME_MAX + 2], real[PATH_MAX];
	char bytes[CONFIG_MAX_BYTES];
};

static void add_file(struct search *search, struct str folder, struct str name, bool user)
{
	if (search->file_count == CONFIG_FILES_MAX)
		return;
	struct config_file *file = &search->files[search->file_count];
	if (!path_resolve(folder, name, file->path, sizeof(file->path)))
		return;
	for (size_t i = 0; i < search->file_count; i++)
		if (strcmp(search->files[i].path, file->path) == 0)
			return;
	file->user = user;
	file->own = false;
	search->file_count++;
}

static void add_found(struct search *search, struct found *found, struct str path)
{
	if (found->count == GIT_PATHS_MAX)
		return;
	for (size_t i = 0; i < found->count; i++)
		if (str_eq(str_from(found->paths[i]), path))
			return;
	char *copy = str_dup(path);
	search->no_memory |= copy == NULL;
	if (copy != NULL)
		found->paths[found->count++] = copy;
}

/* Where a run may write. */
static bool is_within(const struct search *search, struct str path)
{
	return path_is_in(path, search->top) || (search->git.len > 0 && path_is_in(path, search->git));
}

/* Not all of what a run may write: that would leave nothing to work on. */
static bool is_part(const struct search *search, struct str path)
{
	return is_within(search, path) && !path_is_in(search->top, path) &&
	       (search->git.len == 0 || !path_is_in(search->git, path));
}

/* For a linked worktree the files of the main one are the repository's as well. */
static bool is_of_main_worktree(const struct search *search, struct str path)
{
	struct str main = path_parent(search->git);
	return search->file->own && main.len > 0 && str_eq(path_name(search->git), STR(".git")) &&
	       path_is_in(path, main);
}

static void add_read(struct search *search, struct str path)
{
	if (!is_within(search, path) && (search->file->user || is_of_main_worktree(search, path)))
		add_found(search, &search->read, path);
}

/* A value that is a path, into search->path: "~/" is the home folder, and what is relative starts from folder. */
static bool find_path(struct search *search, struct str folder, struct str value)
{
	if (!str_starts(value, STR("~/")))
		return path_resolve(folder, value, search->path, sizeof(search->path));
	struct str rest = {value.ptr + 2, value.len - 2};
	while (str_starts(rest, STR("/")))
		rest = (struct str){rest.ptr + 1, rest.len - 1};
	return search->home.len > 0 && path_resolve(search->home, rest, search->path, sizeof(search->path));
}

static void add_hooks(struct search *search, struct str value)
{
	if (!find_path(search, search->top, value))
		return;
	struct str folder = str_from(search->path);
	/* husky's hooks in ".husky/_" run those beside that folder */
	if (str_eq(path_name(folder), STR("_")) && is_part(search, path_parent(folder)))
		add_found(search, &search->protect, path_parent(folder));
	if (is_part(search, folder))
		add_found(search, &search->protect, folder);
	add_read(search, folder);
}

static void add_include(struct search *search, struct str value)
{
	if (!find_path(search, path_parent(str_from(search->file->path)), value))
		return;
	struct str path = str_from(search->path);
	if (is_part(search, path))
		add_found(search, &search->protect, path);
	add_read(search, path);
	add_file(search, STR("/"), path, search->file->user && !is_within(search, path));
}

/* Lists and texts: git reads them and runs nothing. */
static void add_list(struct search *search, struct str value)
{
	if (find_path(search, search->top, value))
		add_read(search, str_from(search->path));
}

/* Which keys name paths. */
static const struct {
	const char *section, *key;
	bool named;
	void (*add)(struct search *search, struct str value);
} keys[] = {
	{"core", "hookspath", false, add_hooks},       {"include", "path", false, add_include},
	{"includeif", "path", true, add_include},      {"core", "excludesfile", false, add_list},
	{"core", "attributesfile", false, add_list},   {"commit", "template", false, add_list},
	{"blame", "ignorerevsfile", false, add_list},  {"mailmap", "file", false, add_list},
	{"gpg", "allowedsignersfile", true, add_list},
};

static bool visit(void *ctx, const struct git_config_entry *entry)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (entry->has_value && entry->value.len > 0 && keys[i].named == entry->has_subsection &&
		    str_eq(entry->section, str_from(keys[i].section)) && str_eq(entry->key, str_from(keys[i].key)))
			keys[i].add(ctx, entry->value);
	return true;
}

/* The next line that starts a section, after that many lines; empty if there is none. */
static struct span next_section(struct span content, unsigned lines)
{
	for (size_t i = 0; i + 1 < content.len; i++) {
		if (content.ptr[i] != '\n')
			continue;
		lines -= lines > 0;
		if (lines == 0 && content.ptr[i + 1] == '[')
			return (struct span){content.ptr + i + 1, content.len - i - 1};
	}
	return (struct span){content.ptr, 0};
}

/* The parser is strict. Where it gives up, git may well go on, so the search does with the next section. */
static void read_file(struct search *search, const struct config_file *file)
{
	struct git_config_fault fault;
	struct span content;
	search->file = file;
	if (!git_file_read(AT_FDCWD, file->path, GIT_FILE_FOLLOW, search->bytes, sizeof(search->bytes), &content))
		return;
	while (content.len > 0 && !git_config_parse(content, visit, search, &fault))
		content = next_section(content, fault.line);
}

static void add_first_files(struct search *search)
{
	if (search->git.len > 0) {
		add_file(search, search->git, STR("config"), false);
		add_file(search, search->git, STR("config.worktree"), false);
		for (size_t i = 0; i < search->file_count; i++)
			search->files[i].own = true;
	}
	if (search->home.len > 0) {
		add_file(search, search->home, STR(".gitconfig"), !is_within(search, search->home));
		add_file(search, search->home, STR(".config/git/config"), !is_within(search, search->home));
	}
	add_file(search, STR("/"), STR("etc/gitconfig"), true);
}

/* A hook that is a link into what a run may write is what it leads to. */
static void add_linked_hooks(struct search *search)
{
	char *folder = search->path, *path = search->link, *real = search->real;
	if (search->git.len == 0 || !path_resolve(search->git, STR("hooks"), folder, sizeof(search->path)))
		return;
	DIR *dir = opendir(folder);
	struct dirent *entry;
	while (dir != NULL && (entry = readdir(dir)) != NULL) { /* NOLINT(concurrency-mt-unsafe): a stream of our own */
		if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
			continue;
		(void)snprintf(path, sizeof(search->link), "%s/%s", folder, entry->d_name);
		if (realpath(path, real) != NULL && is_part(search, str_from(real)))
			add_found(search, &search->protect, str_from(real));
	}
	if (dir != NULL)
		(void)closedir(dir);
	/* The folder itself as a link: the same for all in it. */
	if (realpath(folder, real) != NULL && strcmp(real, folder) != 0 && is_part(search, str_from(real)))
		add_found(search, &search->protect, str_from(real));
}

/* False: memory is out. */
static bool take_list(struct found *found, char ***ret_paths)
{
	char **paths = found->count > 0 ? calloc(found->count + 1, sizeof(*paths)) : NULL;
	if (found->count > 0 && paths == NULL)
		return false;
	if (paths != NULL)
		memcpy(paths, found->paths, found->count * sizeof(*paths));
	found->count = 0;
	*ret_paths = paths;
	return true;
}

static void found_done(struct found *found)
{
	for (size_t i = 0; i < found->count; i++)
		free(found->paths[i]);
}

static enum berm_code take_found(struct search *search, struct git_paths *ret_paths, struct berm_err *err)
{
	struct git_paths paths = {NULL, NULL};
	bool good = !search->no_memory && take_list(&search->protect, &paths.protect) &&
		    take_list(&search->read, &paths.read);
	found_done(&search->protect);
	found_done(&search->read);
	if (!good) {
		git_paths_done(&paths);
		return err_set(err, BERM_ERR_NOMEM, "find the hooks of a repository");
	}
	*ret_paths = paths;
	return BERM_OK;
}

enum berm_code git_paths_find(const char *top, const char *git, const char *home, struct git_paths *ret_paths,
			      struct berm_err *err)
{
	auto_free struct search *search = malloc(sizeof(*search));
	if (search == NULL)
		return err_set(err, BERM_ERR_NOMEM, "find the hooks of a repository");
	search->file_count = search->protect.count = search->read.count = 0;
	search->no_memory = false;
	search->top = str_from(top);
	search->git = str_from(git);
	search->home = str_from(home);
	add_first_files(search);
	for (size_t i = 0; i < search->file_count; i++)
		read_file(search, &search->files[i]);
	add_linked_hooks(search);
	return take_found(search, ret_paths, err);
}

static void list_free(char **list)
{
	for (char **path = list; path != NULL && *path != NULL; path++)
		free(*path);
	free(list);
}

void git_paths_done(struct git_paths *paths)
{
	list_free(paths->protect);
	list_free(paths->read);
	*paths = (struct git_paths){NULL, NULL};
}
