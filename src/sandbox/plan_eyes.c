/* The file system as the planner sees it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"
#include "sandbox/plan_paths.h"

static enum seen look_real(void *ctx, const char *path, char *ret_target, size_t size)
{
	struct stat st = {0};
	(void)ctx;
	if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return SEEN_MISSING;
	if (S_ISDIR(st.st_mode))
		return SEEN_FOLDER;
	if (!S_ISLNK(st.st_mode))
		return SEEN_FILE;
	ssize_t len = readlink(path, ret_target, size);
	if (len <= 0 || (size_t)len == size)
		return SEEN_MISSING;
	ret_target[len] = '\0';
	return SEEN_LINK;
}

static bool refused(const char *path, int mode)
{
	return faccessat(AT_FDCWD, path, mode, AT_EACCESS) < 0 && errno == EACCES;
}

static bool closed_real(void *ctx, const char *path)
{
	struct stat st = {0};
	(void)ctx;
	if (geteuid() == 0 || !refused(path, R_OK) || !refused(path, W_OK) || !refused(path, X_OK))
		return false;
	return fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_uid != geteuid();
}

/* struct linux_dirent64 of getdents64(2). */
struct entry {
	uint64_t ino;
	int64_t off;
	uint16_t len;
	uint8_t type;
	char name[];
};

static enum seen seen_of(uint8_t type)
{
	switch (type) {
	case DT_DIR:
		return SEEN_FOLDER;
	case DT_LNK:
		return SEEN_LINK;
	case DT_UNKNOWN:
		return SEEN_UNKNOWN;
	default:
		return SEEN_FILE;
	}
}

static bool pass_on(const char *bytes, size_t len, eyes_entry entry, void *arg)
{
	for (size_t at = 0; at < len;) {
		const struct entry *dirent = (const struct entry *)(const void *)(bytes + at);
		at += dirent->len;
		if (strcmp(dirent->name, ".") == 0 || strcmp(dirent->name, "..") == 0)
			continue;
		if (!entry(arg, str_from(dirent->name), seen_of(dirent->type)))
			return false;
	}
	return true;
}

static bool list_real(void *ctx, const char *path, eyes_entry entry, void *arg)
{
	_Alignas(uint64_t) char bytes[4096];
	(void)ctx;
	auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	for (;;) {
		long len = syscall(SYS_getdents64, fd, bytes, sizeof bytes);
		if (len <= 0)
			return len == 0;
		if (!pass_on(bytes, (size_t)len, entry, arg))
			return false;
	}
}

const struct plan_eyes plan_eyes_real = {.look = look_real, .closed = closed_real, .list = list_real};
