#include "session/home_links.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/own.h"
#include "base/vec.h"
#include "os/fd.h"

static bool is_link(DIR *folder, const struct dirent *entry)
{
	struct stat st;
	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_LNK;
	return fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

static enum berm_code put(struct vec *links, const char *path, const char *name, struct berm_err *err)
{
	size_t size = strlen(path) + strlen(name) + 2;
	char *link = malloc(size);
	if (link == NULL)
		return err_set(err, BERM_ERR_NOMEM, "look at the home folder");
	(void)snprintf(link, size, "%s/%s", path, name);
	enum berm_code code = vec_push(links, &link, err);
	if (code != BERM_OK)
		free(link);
	return code;
}

/* What cannot be listed has no links to tell. */
static enum berm_code look_into(const char *path, struct vec *links, struct berm_err *err)
{
	auto_folder DIR *folder = opendir(path);
	const struct dirent *entry;
	while (folder != NULL && (entry = readdir(folder)) != NULL) /* NOLINT(concurrency-mt-unsafe): our own stream */
		if (is_link(folder, entry))
			TRY(put(links, path, entry->d_name, err));
	return BERM_OK;
}

static enum berm_code find(const char *home, struct vec *links, struct berm_err *err)
{
	static const char *const below[] = {"", "/.config", "/.local", "/.local/share"};
	char *const end = NULL;
	char path[PATH_MAX];
	for (size_t i = 0; i < ARRAY_LEN(below); i++) {
		int len = snprintf(path, sizeof(path), "%s%s", home, below[i]);
		if (len > 0 && (size_t)len < sizeof(path))
			TRY(look_into(path, links, err));
	}
	return vec_push(links, &end, err);
}

enum berm_code home_links_find(const char *home, char ***ret_links, struct berm_err *err)
{
	struct vec links;
	vec_init(&links, sizeof(char *), HOME_LINKS_MAX + 1);
	enum berm_code code = find(home, &links, err);
	if (code == BERM_OK)
		*ret_links = vec_take(&links);
	vec_done_texts(&links);
	return code;
}
