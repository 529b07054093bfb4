#include "session/package_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/env.h"
#include "base/own.h"
#include "base/vec.h"
#include "format/path.h"
#include "os/fd.h"

enum { NAME_CHARS = 32, HASH_BYTES = 8, FOLDERS_MAX = 1 << 20, ENTRIES_MAX = 100000, OWNER_ONLY = 0700 };

/* What the policy excepts from the rules for settings of editors and agents, as it does node_modules: groups. */
static const char base_name[] = "berm-packages";
static const char files_name[] = "files", link_name[] = "workspace";

/* ---- names ------------------------------------------------------------------------------------------------------- */

bool package_cache_base(const char *const *envp, const char *home, char ret_base[static PATH_MAX])
{
	const char *data = envp != NULL ? env_get(envp, "XDG_DATA_HOME") : NULL;
	if (home == NULL || home[0] != '/' || home[1] == '\0')
		return false;
	bool named = data != NULL && data[0] == '/' && path_is_in(str_from(data), str_from(home));
	int len = snprintf(ret_base, PATH_MAX, "%s%s/%s", named ? data : home, named ? "" : "/.local/share", base_name);
	return len > 0 && len < PATH_MAX;
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* "project-0123456789abcdef": for people, and for one path alone. */
static void name_of(const char *workspace, char ret_name[static NAME_CHARS + 2 + 2 * HASH_BYTES])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA2_CTX hash;
	struct str last = path_name(str_from(workspace));
	size_t len = 0;
	SHA256Init(&hash);
	SHA256Update(&hash, (const uint8_t *)workspace, strlen(workspace));
	SHA256Final(digest, &hash);
	for (; len < last.len && len < NAME_CHARS; len++)
		ret_name[len] = is_plain(last.ptr[len]) ? last.ptr[len] : '_';
	ret_name[len++] = '-';
	for (size_t i = 0; i < HASH_BYTES; i++, len += 2)
		(void)snprintf(ret_name + len, 3, "%02x", digest[i]);
}

bool package_cache_path(const char *base, const char *workspace, char ret_path[static PATH_MAX])
{
	char name[NAME_CHARS + 2 + 2 * HASH_BYTES];
	name_of(workspace, name);
	int len = snprintf(ret_path, PATH_MAX, "%s/%s/%s", base, name, files_name);
	return len > 0 && len < PATH_MAX;
}

static bool is_own(int fd)
{
	struct stat st = {0};
	return fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 022) == 0;
}

bool package_cache_is_straight(const char *path, const char *home)
{
	auto_free char *real_home = realpath(home, NULL);
	auto_free char *real = realpath(path, NULL);
	if (real == NULL)
		return errno == ENOENT;
	size_t len = real_home != NULL ? strlen(real_home) : 0;
	return len > 0 && strncmp(real, real_home, len) == 0 && strcmp(real + len, path + strlen(home)) == 0;
}

bool package_cache_take(const char *path, const char *workspace)
{
	auto_fd int files = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (files < 0 || !is_own(files) || faccessat(files, ".", W_OK, 0) < 0)
		return false;
	auto_fd int folder = openat(files, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder >= 0)
		(void)(symlinkat(workspace, folder, link_name) == 0); /* it may be there; it is told to people alone */
	return true;
}

/* ---- folders ----------------------------------------------------------------------------------------------------- */

/* Never through a link. NULL with errno if it cannot be listed. */
static DIR *open_folder(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	if (folder == NULL && fd >= 0)
		(void)close(fd);
	return folder;
}

/* The next entry but "." and ".."; NULL: no more. */
static const char *next_name(DIR *folder)
{
	const struct dirent *entry;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
	while ((entry = readdir(folder)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return entry->d_name;
	return NULL;
}

/* ---- sizes ------------------------------------------------------------------------------------------------------- */

#define auto_texts __attribute__((cleanup(vec_done_texts)))

/* folder/name onto texts; folder "" stands for none. */
static enum berm_code add_text(struct vec *texts, const char *folder, const char *name, struct berm_err *err)
{
	char *text = NULL;
	if (asprintf(&text, "%s%s%s", folder, folder[0] != '\0' ? "/" : "", name) < 0)
		return err_set(err, BERM_ERR_NOMEM, "look at package caches");
	enum berm_code code = vec_push(texts, &text, err);
	if (code != BERM_OK)
		free(text);
	return code;
}

/* Adds up one folder, and puts those in it onto folders. What cannot be looked at counts nothing. */
static enum berm_code measure_folder(int base, const char *path, struct vec *folders, uint64_t *bytes,
				     struct berm_err *err)
{
	const char *name;
	auto_folder DIR *folder = open_folder(base, path);
	while (folder != NULL && (name = next_name(folder)) != NULL) {
		struct stat st = {0};
		if (fstatat(dirfd(folder), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		*bytes += (uint64_t)st.st_blocks * 512;
		if (S_ISDIR(st.st_mode))
			TRY(add_text(folders, path, name, err));
	}
	return BERM_OK;
}

static enum berm_code measure(int base, const char *name, uint64_t *ret_bytes, struct berm_err *err)
{
	auto_texts struct vec folders;
	vec_init(&folders, sizeof(char *), FOLDERS_MAX);
	*ret_bytes = 0;
	TRY(add_text(&folders, "", name, err));
	while (folders.len > 0) {
		auto_free char *path = *(char **)vec_at(&folders, folders.len - 1);
		folders.len--;
		TRY(measure_folder(base, path, &folders, ret_bytes, err));
	}
	return BERM_OK;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void read_workspace(int base, const char *name, char ret_workspace[static PATH_MAX])
{
	ssize_t len = -1;
	auto_fd int folder = openat(base, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder >= 0)
		len = readlinkat(folder, link_name, ret_workspace, PATH_MAX - 1);
	ret_workspace[len > 0 ? len : 0] = '\0';
}

__attribute__((noinline)) static enum berm_code
visit_one(int base, const char *name,
	  enum berm_code (*visit)(void *context, const struct package_cache_entry *entry, struct berm_err *err),
	  void *context, struct berm_err *err)
{
	char workspace[PATH_MAX];
	struct package_cache_entry entry = {.name = name, .workspace = workspace};
	read_workspace(base, name, workspace);
	entry.there = workspace[0] == '/' && access(workspace, F_OK) == 0;
	TRY(measure(base, name, &entry.bytes, err));
	return visit(context, &entry, err);
}

enum berm_code package_cache_each(const char *base,
				  enum berm_code (*visit)(void *context, const struct package_cache_entry *entry,
							  struct berm_err *err),
				  void *context, struct berm_err *err)
{
	const char *name;
	auto_texts struct vec names;
	vec_init(&names, sizeof(char *), ENTRIES_MAX);
	auto_folder DIR *folder = open_folder(AT_FDCWD, base);
	if (folder == NULL)
		return errno == ENOENT ? BERM_OK : err_sys(err, "open '%.160s'", base);
	while ((name = next_name(folder)) != NULL)
		TRY(add_text(&names, "", name, err));
	if (names.len > 0)
		qsort(names.items, names.len, sizeof(char *), compare_names);
	for (size_t i = 0; i < names.len; i++)
		TRY(visit_one(dirfd(folder), *(char **)vec_at(&names, i), visit, context, err));
	return BERM_OK;
}

/* ---- removing ---------------------------------------------------------------------------------------------------- */

/* Tools take the rights to their folders from themselves. By descriptor: a name may have become a link meanwhile. */
static void open_up(int dirfd, const char *name)
{
	char path[32];
	auto_fd int fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	(void)chmod(path, OWNER_ONLY);
}

/* A folder that is not empty goes up into top, under a name that nothing there has: however deep it is, nothing is followed
 * down. */
static int lift(int dirfd, const char *name, int top, uint64_t *number)
{
	char free_name[32];
	open_up(dirfd, name);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return 0;
	do {
		(void)snprintf(free_name, sizeof free_name, ".%llx", (unsigned long long)++*number);
	} while (faccessat(top, free_name, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
	return renameat(dirfd, name, top, free_name);
}

/* Empties the folder name of top and removes it. */
static int remove_folder(int top, const char *name, uint64_t *number)
{
	const char *entry;
	open_up(top, name);
	auto_folder DIR *folder = open_folder(top, name);
	if (folder == NULL)
		return -1;
	while ((entry = next_name(folder)) != NULL)
		if (unlinkat(dirfd(folder), entry, 0) < 0 && errno != ENOENT &&
		    lift(dirfd(folder), entry, top, number) < 0)
			return -1;
	return unlinkat(top, name, AT_REMOVEDIR);
}

/* The first thing in top goes; false: nothing is left, or it cannot be removed (errno). */
static bool remove_first(int top, uint64_t *number)
{
	auto_folder DIR *folder = open_folder(top, ".");
	errno = folder != NULL ? 0 : errno;
	const char *name = folder != NULL ? next_name(folder) : NULL;
	if (name == NULL)
		return false;
	return unlinkat(top, name, 0) == 0 || remove_folder(top, name, number) == 0;
}

enum berm_code package_cache_remove(const char *base, const char *name, struct berm_err *err)
{
	uint64_t number = 0;
	bool is_name = name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL;
	auto_fd int folder = open(base, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_fd int top =
		is_name && folder >= 0 ? openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	if (top < 0)
		return err_set(err, BERM_ERR_NOTFOUND, "there is no package cache '%.100s'", name);
	while (remove_first(top, &number))
		continue;
	if (unlinkat(folder, name, AT_REMOVEDIR) < 0)
		return err_sys(err, "remove '%.160s/%.100s'", base, name);
	return BERM_OK;
}
