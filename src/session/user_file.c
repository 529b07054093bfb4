#include "session/user_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "os/fd.h"
#include "policy/policy_insert.h"
#include "session/policy_file.h"

/* The path with the folder's end as a '\0': the folder, and the name behind it. */
static enum berm_code take_apart(const char *path, char ret_folder[static PATH_MAX], const char **ret_name,
				 struct berm_err *err)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash != NULL ? (size_t)(slash - path) : 0;
	if (len >= PATH_MAX)
		return err_set(err, BERM_ERR_LIMIT, "path too long: '%.60s'", path);
	memcpy(ret_folder, len > 0 ? path : slash != NULL ? "/" : ".", len > 0 ? len : 1);
	ret_folder[len > 0 ? len : 1] = '\0';
	*ret_name = slash != NULL ? slash + 1 : path;
	return BERM_OK;
}

static enum berm_code make_folders(char *folder, struct berm_err *err)
{
	for (char *slash = folder; slash != NULL;) {
		slash = strchr(slash + 1, '/');
		if (slash != NULL)
			*slash = '\0';
		bool made = mkdir(folder, 0700) == 0 || errno == EEXIST;
		int error = errno;
		if (slash != NULL)
			*slash = '/';
		errno = error;
		if (!made)
			return err_sys(err, "make the folder '%s'", folder);
	}
	return BERM_OK;
}

enum berm_code user_file_new(const char *path, struct str text, struct berm_err *err)
{
	char folder[PATH_MAX];
	const char *name;
	TRY(take_apart(path, folder, &name, err));
	TRY(make_folders(folder, err));
	auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return err_set(err, BERM_ERR_INVALID, "'%s' is there already", path);
	if (fd < 0)
		return err_sys(err, "make '%s'", path);
	if (fd_write_full(fd, text.ptr, text.len) == 0)
		return BERM_OK;
	enum berm_code code = err_sys(err, "write '%s'", path);
	(void)unlink(path);
	return code;
}

enum berm_code user_file_insert(const char *path, const struct policy_doc *lines, struct berm_err *err)
{
	char folder[PATH_MAX];
	const char *name;
	auto_fd int dirfd = -1;
	auto_buf struct buf before, after;
	buf_init(&before, POLICY_FILE_MAX_BYTES);
	buf_init(&after, POLICY_FILE_MAX_BYTES);
	TRY(take_apart(path, folder, &name, err));
	TRY(make_folders(folder, err));
	TRY(policy_file_open_folder(folder, POLICY_FILE_OWN, &dirfd, err));
	enum berm_code code = policy_file_read(dirfd, name, path, POLICY_FILE_OWN, &before, err);
	if (code != BERM_OK && code != BERM_ERR_NOTFOUND)
		return code;
	TRY(policy_insert(buf_str(&before), lines, &after, err));
	return policy_file_write(dirfd, name, path, buf_str(&after), err);
}
