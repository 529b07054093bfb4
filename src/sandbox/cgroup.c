#include "sandbox/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/own.h"
#include "os/fd.h"

enum { REMOVE_TRIES = 50 };

static const struct {
	enum berm_limit limit;
	const char *file;
} files[] = {
	{BERM_LIMIT_MEMORY, "memory.max"},
	{BERM_LIMIT_PROCESSES, "pids.max"},
};

static enum berm_code write_limits(int fd, const char *path, const uint64_t limit[static BERM_LIMIT_COUNT],
				   struct berm_err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char number[24];
		if (limit[files[i].limit] == 0)
			continue;
		(void)snprintf(number, sizeof number, "%llu", (unsigned long long)limit[files[i].limit]);
		if (fd_write_file(fd, files[i].file, number) < 0)
			return err_sys(err, "write '%s/%s'", path, files[i].file);
	}
	/* Without it memory.max only moves the work to the swap device. */
	if (limit[BERM_LIMIT_MEMORY] != 0 && fd_write_file(fd, "memory.swap.max", "0") < 0 && errno != ENOENT)
		return err_sys(err, "write '%s/memory.swap.max'", path);
	return BERM_OK;
}

static enum berm_code open_made(const char *path, const uint64_t limit[static BERM_LIMIT_COUNT], int *ret_procs_fd,
				struct berm_err *err)
{
	auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open '%s'", path);
	TRY(write_limits(fd, path, limit, err));
	int procs = openat(fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (procs < 0)
		return err_sys(err, "open '%s/cgroup.procs'", path);
	*ret_procs_fd = procs;
	return BERM_OK;
}

enum berm_code cgroup_make(const char *parent, const uint64_t limit[static BERM_LIMIT_COUNT], char **ret_path,
			   int *ret_procs_fd, struct berm_err *err)
{
	struct timespec now;
	auto_buf struct buf buf;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	buf_init(&buf, 4096);
	buf_printf(&buf, "%s/berm-%d-%lld%09ld", parent, (int)getpid(), (long long)now.tv_sec, now.tv_nsec);
	auto_free char *path = buf_take(&buf);
	if (path == NULL)
		return err_set(err, BERM_ERR_NOMEM, "make a cgroup");
	if (mkdir(path, 0755) < 0)
		return err_sys(err, "make '%s'", path);
	enum berm_code code = open_made(path, limit, ret_procs_fd, err);
	if (code != BERM_OK)
		(void)rmdir(path);
	else
		*ret_path = take(path);
	return code;
}

int cgroup_join(int procs_fd)
{
	return fd_write_full(procs_fd, "0\n", 2);
}

/* What was killed leaves the folder a moment later; a folder that stays busy is left to its owner. */
void cgroup_remove(const char *path)
{
	if (path == NULL)
		return;
	auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		(void)fd_write_file(fd, "cgroup.kill", "1");
	for (int i = 0; i < REMOVE_TRIES && rmdir(path) < 0 && errno == EBUSY; i++) {
		struct timespec pause = {.tv_nsec = 10000000};
		(void)nanosleep(&pause, NULL);
	}
}
