#include "session/policy_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "os/fd.h"

enum { READ_STEP = 16 * 1024, NAME_BYTES = 64, OWN_MODE = 0600 };

static enum berm_code not_opened(struct berm_err *err, const char *shown)
{
	if (errno == ENOENT || errno == ENOTDIR)
		return err_set(err, BERM_ERR_NOTFOUND, "there is no '%.180s'", shown);
	if (errno == ELOOP)
		return err_set(err, BERM_ERR_DENIED, "'%.180s' is a symbolic link", shown);
	return err_sys(err, "open '%.160s'", shown);
}

/* In a namespace without root, root's files are whose /etc is. */
static bool is_systems(uid_t owner)
{
	struct stat etc;
	return owner == 0 || (stat("/etc", &etc) == 0 && etc.st_uid == owner);
}

static enum berm_code check_owner(const struct stat *st, enum policy_file_trust trust, const char *shown,
				  struct berm_err *err)
{
	bool own = trust == POLICY_FILE_OWN;
	if (!own && trust != POLICY_FILE_SYSTEM)
		return BERM_OK;
	if (own ? st->st_uid != geteuid() && st->st_uid != 0 : !is_systems(st->st_uid))
		return err_set(err, BERM_ERR_DENIED, "'%.140s' belongs to somebody else (user %u)", shown,
			       (unsigned)st->st_uid);
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_set(err, BERM_ERR_DENIED, "others may write '%.100s': chmod go-w it", shown);
	return BERM_OK;
}

/* A sandbox around this process closes a folder that its owner may read: here it is none. */
static bool is_closed_from_outside(const char *path)
{
	struct stat st;
	return stat(path, &st) < 0 || (st.st_uid == geteuid() && (st.st_mode & S_IRUSR) != 0);
}

enum berm_code policy_file_open_folder(const char *path, enum policy_file_trust trust, int *ret_fd,
				       struct berm_err *err)
{
	struct stat st;
	auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == EACCES && trust == POLICY_FILE_OWN && is_closed_from_outside(path))
		return err_set(err, BERM_ERR_NOTFOUND, "'%.180s' is closed", path);
	if (fd < 0)
		return not_opened(err, path);
	if (fstat(fd, &st) < 0)
		return err_sys(err, "look at '%.160s'", path);
	TRY(check_owner(&st, trust, path, err));
	*ret_fd = take_fd(&fd);
	return BERM_OK;
}

static enum berm_code check_file(int fd, const char *shown, enum policy_file_trust trust, size_t max,
				 struct berm_err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_sys(err, "look at '%.160s'", shown);
	if (!S_ISREG(st.st_mode))
		return err_set(err, BERM_ERR_DENIED, "'%.180s' is no regular file", shown);
	if (st.st_size < 0 || (size_t)st.st_size > max)
		return err_set(err, BERM_ERR_LIMIT, "'%.160s' is larger than %zu KiB", shown, max / 1024);
	return check_owner(&st, trust, shown, err);
}

/* It may grow while it is read. */
static enum berm_code read_all(int fd, const char *shown, size_t max, struct buf *out, struct berm_err *err)
{
	char bytes[READ_STEP / 4];
	ssize_t got;
	size_t total = 0;
	while ((got = fd_read_full(fd, bytes, sizeof bytes)) > 0) {
		total += (size_t)got;
		if (total > max)
			return err_set(err, BERM_ERR_LIMIT, "'%.160s' is larger than %zu KiB", shown, max / 1024);
		buf_put(out, bytes, (size_t)got);
	}
	return got < 0 ? err_sys(err, "read '%.160s'", shown) : buf_check(out, err);
}

enum berm_code policy_file_read(int dirfd, const char *name, const char *shown, enum policy_file_trust trust,
				struct buf *out, struct berm_err *err)
{
	bool hostile = trust == POLICY_FILE_PROJECT;
	size_t max = hostile ? POLICY_FILE_PROJECT_MAX_BYTES : POLICY_FILE_MAX_BYTES;
	auto_fd int fd = openat(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (hostile ? O_NOFOLLOW : 0));
	if (fd < 0 && errno == ENXIO)
		return err_set(err, BERM_ERR_DENIED, "'%.180s' is no regular file", shown);
	if (fd < 0)
		return not_opened(err, shown);
	TRY(check_file(fd, shown, trust, max, err));
	return read_all(fd, shown, max, out, err);
}

static enum berm_code write_all(int fd, const char *shown, struct str content, struct berm_err *err)
{
	if (fd_write_full(fd, content.ptr, content.len) < 0 || fsync(fd) < 0)
		return err_sys(err, "write '%.160s'", shown);
	return BERM_OK;
}

enum berm_code policy_file_write(int dirfd, const char *name, const char *shown, struct str content,
				 struct berm_err *err)
{
	char temporary[NAME_BYTES];
	uint64_t random = 0;
	if (getrandom(&random, sizeof random, 0) < 0)
		return err_sys(err, "write '%.160s'", shown);
	(void)snprintf(temporary, sizeof temporary, ".%.24s.%016llx", name, (unsigned long long)random);
	auto_fd int fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, OWN_MODE);
	if (fd < 0)
		return err_sys(err, "write '%.160s'", shown);
	enum berm_code code = write_all(fd, shown, content, err);
	if (code == BERM_OK && renameat(dirfd, temporary, dirfd, name) < 0)
		code = err_sys(err, "write '%.160s'", shown);
	if (code != BERM_OK)
		(void)unlinkat(dirfd, temporary, 0);
	return code;
}
