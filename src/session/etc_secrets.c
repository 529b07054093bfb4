#include "session/etc_secrets.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/vec.h"

enum { SECRETS_MAX = 512, FOLDERS_MAX = 16384 };

struct search {
	struct vec found;   /* char *, owned */
	struct vec folders; /* char *, owned: to look into, in the order in which they were met */
	dev_t device;	    /* other file systems are not looked into */
	struct berm_err *err;
};

static enum berm_code put(struct vec *paths, const char *path, struct berm_err *err)
{
	char *copy = strdup(path);
	if (copy == NULL)
		return err_set(err, BERM_ERR_NOMEM, "look for what root alone may read");
	enum berm_code code = vec_push(paths, &copy, err);
	if (code != BERM_OK)
		free(copy);
	return code;
}

/* Too many of them: the whole folder, in the last place. */
static enum berm_code add(struct search *search, const char *path)
{
	if (search->found.len > SECRETS_MAX)
		return BERM_OK;
	return put(&search->found, search->found.len < SECRETS_MAX ? path : "/etc", search->err);
}

static bool is_for_root_alone(const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return (st->st_mode & (S_IROTH | S_IXOTH)) != (S_IROTH | S_IXOTH);
	return S_ISREG(st->st_mode) && (st->st_mode & S_IROTH) == 0;
}

/* A function of its own: its buffer is not paid for by each name that is looked at. */
__attribute__((noinline)) static enum berm_code take(struct search *search, const char *path, const char *name,
						     bool closed)
{
	char full[PATH_MAX];
	int len = snprintf(full, sizeof(full), "%s/%s", path, name);
	if (len < 0 || (size_t)len >= sizeof(full))
		return err_set(search->err, BERM_ERR_LIMIT, "path too long below '/etc': '%.100s'", name);
	return closed ? add(search, full) : put(&search->folders, full, search->err);
}

static enum berm_code look_at(DIR *folder, const char *path, const struct dirent *entry, struct search *search)
{
	struct stat st;
	if (entry->d_type == DT_LNK || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
	    fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return BERM_OK;
	bool closed = is_for_root_alone(&st);
	if (!closed && (!S_ISDIR(st.st_mode) || st.st_dev != search->device))
		return BERM_OK;
	return take(search, path, entry->d_name, closed);
}

/* A folder that cannot be looked at is closed as a whole. */
static enum berm_code look_into(const char *path, struct search *search)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	enum berm_code code = BERM_OK;
	if (folder == NULL)
		return add(search, path);
	while ((entry = readdir(folder)) != NULL && code == BERM_OK) /* NOLINT(concurrency-mt-unsafe): our own stream */
		code = look_at(folder, path, entry, search);
	(void)closedir(folder);
	return code;
}

/* A walk of its own: most of /etc is links, which fts looks at one by one, and every start of root pays for that. */
static enum berm_code find(struct search *search)
{
	struct stat st;
	char *const end = NULL;
	if (stat("/etc", &st) < 0)
		return err_sys(search->err, "look for what root alone may read");
	search->device = st.st_dev;
	TRY(put(&search->folders, "/etc", search->err));
	for (size_t i = 0; i < search->folders.len && search->found.len <= SECRETS_MAX; i++)
		TRY(look_into(*(char **)vec_at(&search->folders, i), search));
	return vec_push(&search->found, &end, search->err);
}

enum berm_code etc_secrets_find(char ***ret_paths, struct berm_err *err)
{
	struct search search = {.err = err};
	*ret_paths = NULL;
	if (geteuid() != 0)
		return BERM_OK;
	vec_init(&search.found, sizeof(char *), SECRETS_MAX + 2);
	vec_init(&search.folders, sizeof(char *), FOLDERS_MAX);
	enum berm_code code = find(&search);
	if (code == BERM_OK)
		*ret_paths = vec_take(&search.found);
	vec_done_texts(&search.folders);
	vec_done_texts(&search.found);
	return code;
}
