#include "session/git_paths.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "format/git_config.h"
#include "format/path.h"
#include "session/git_file.h"

enum { CONFIG_MAX_BYTES = 256 * 1024 };

/* Configurations to read, in the order in which they were heard of, and what they name. */
struct search {
	struct str top, git, home;
	char files[GIT_PATHS_MAX][PATH_MAX];
	size_t file_count;
	const char *file; /* that is being read */
	char *found[GIT_PATHS_MAX + 1];
	size_t found_count;
	bool no_memory;
	char path[PATH_MAX]; /* what a value names */
	char bytes[CONFIG_MAX_BYTES];
};

static void add_file(struct search *search, struct str folder, struct str name)
{
	if (search->file_count == GIT_PATHS_MAX)
		return;
	char *path = search->files[search->file_count];
	if (!path_resolve(folder, name, path, PATH_MAX))
		return;
	for (size_t i = 0; i < search->file_count; i++)
		if (strcmp(search->files[i], path) == 0)
			return;
	search->file_count++;
}

/* Only what a run may write; and not all of that, which would leave nothing to work on. */
static bool is_of_interest(const struct search *search, struct str path)
{
	bool within = path_is_in(path, search->top) || path_is_in(path, search->git);
	return within && !path_is_in(search->top, path) && !path_is_in(search->git, path);
}

static void add_found(struct search *search, struct str path)
{
	if (search->found_count == GIT_PATHS_MAX || !is_of_interest(search, path))
		return;
	for (size_t i = 0; i < search->found_count; i++)
		if (str_eq(str_from(search->found[i]), path))
			return;
	char *copy = str_dup(path);
	search->no_memory |= copy == NULL;
	if (copy != NULL)
		search->found[search->found_count++] = copy;
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
	if (str_eq(path_name(folder), STR("_")))
		add_found(search, path_parent(folder));
	add_found(search, folder);
}

static void add_include(struct search *search, struct str value)
{
	if (!find_path(search, path_parent(str_from(search->file)), value))
		return;
	add_found(search, str_from(search->path));
	add_file(search, STR("/"), str_from(search->path));
}

static bool visit(void *ctx, const struct git_config_entry *entry)
{
	struct search *search = ctx;
	if (!entry->has_value || entry->value.len == 0)
		return true;
	if (!entry->has_subsection && str_eq(entry->section, STR("core")) && str_eq(entry->key, STR("hookspath")))
		add_hooks(search, entry->value);
	bool include = (str_eq(entry->section, STR("include")) && !entry->has_subsection) ||
		       (str_eq(entry->section, STR("includeif")) && entry->has_subsection);
	if (include && str_eq(entry->key, STR("path")))
		add_include(search, entry->value);
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
static void read_file(struct search *search, const char *file)
{
	struct git_config_fault fault;
	struct span content;
	search->file = file;
	if (!git_file_read(AT_FDCWD, file, GIT_FILE_FOLLOW, search->bytes, sizeof(search->bytes), &content))
		return;
	while (content.len > 0 && !git_config_parse(content, visit, search, &fault))
		content = next_section(content, fault.line);
}

static enum berm_code take_found(struct search *search, char ***ret_paths, struct berm_err *err)
{
	char **paths = search->found_count > 0 ? calloc(search->found_count + 1, sizeof(*paths)) : NULL;
	if (search->no_memory || (search->found_count > 0 && paths == NULL)) {
		for (size_t i = 0; i < search->found_count; i++)
			free(search->found[i]);
		free(paths);
		return err_set(err, BERM_ERR_NOMEM, "find the hooks of a repository");
	}
	if (paths != NULL)
		memcpy(paths, search->found, search->found_count * sizeof(*paths));
	*ret_paths = paths;
	return BERM_OK;
}

enum berm_code git_paths_find(const char *top, const char *git, const char *home, char ***ret_paths,
			      struct berm_err *err)
{
	auto_free struct search *search = malloc(sizeof(*search));
	if (search == NULL)
		return err_set(err, BERM_ERR_NOMEM, "find the hooks of a repository");
	search->file_count = search->found_count = 0;
	search->no_memory = false;
	search->top = str_from(top);
	search->git = str_from(git);
	search->home = str_from(home);
	add_file(search, search->git, STR("config"));
	add_file(search, search->git, STR("config.worktree"));
	if (home != NULL) {
		add_file(search, search->home, STR(".gitconfig"));
		add_file(search, search->home, STR(".config/git/config"));
	}
	add_file(search, STR("/"), STR("etc/gitconfig"));
	for (size_t i = 0; i < search->file_count; i++)
		read_file(search, search->files[i]);
	return take_found(search, ret_paths, err);
}

void git_paths_free(char **paths)
{
	for (char **path = paths; path != NULL && *path != NULL; path++)
		free(*path);
	free(paths);
}
