/*
 * The path of a folder that lies deeper than the kernel can tell (more than PATH_MAX bytes): programs get there step by
 * step. We climb to where it can tell again, and find on the way what each folder is called in the one above.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"
#include "sandbox/sup_state.h"

struct climb {
	int child; /* the folder that was reached */
	char *tail;
	size_t at; /* where what was found begins in tail */
};

/* The name of child in parent, put in front of the tail. The buffer of the walk is free while a path is looked for. */
static int find_name(struct supervisor *sup, struct climb *climb, int parent)
{
	struct stat child = {0}, st = {0};
	uint8_t *buffer = sup->walk.buffer;
	if (fstat(climb->child, &child) < 0)
		return errno;
	for (;;) {
		long n = syscall(SYS_getdents64, parent, buffer, sizeof(sup->walk.buffer));
		if (n <= 0)
			return n < 0 ? errno : ENOENT;
		for (long at = 0; at < n;) {
			const struct sup_entry *entry = (const void *)(buffer + at);
			at += entry->len;
			if (entry->ino != child.st_ino || fstatat(parent, entry->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			    st.st_ino != child.st_ino || st.st_dev != child.st_dev || strcmp(entry->name, ".") == 0)
				continue;
			size_t len = strlen(entry->name);
			if (len + 1 > climb->at)
				return ENAMETOOLONG;
			climb->at -= len;
			memcpy(climb->tail + climb->at, entry->name, len);
			climb->tail[--climb->at] = '/';
			return 0;
		}
	}
}

/* One folder up. *ret_len is the length of its path, 0 if that is still too long. */
static int climb_up(struct supervisor *sup, struct climb *climb, char *ret_path, size_t size, size_t *ret_len)
{
	int parent = openat(climb->child, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return errno;
	int error = find_name(sup, climb, parent);
	(void)close(climb->child);
	climb->child = parent;
	if (error != 0)
		return error;
	if (fchdir(parent) < 0)
		return errno;
	long len = syscall(SYS_getcwd, ret_path, size);
	*ret_len = len > 0 && ret_path[0] == '/' ? (size_t)len - 1 : 0;
	return len < 0 && errno != ENAMETOOLONG && errno != ERANGE ? errno : 0;
}

static int climb_all(struct supervisor *sup, int folder, char *ret_path, size_t size, size_t *ret_len)
{
	struct climb climb = {.tail = sup->tail, .at = sizeof(sup->tail)};
	size_t len = 0;
	climb.child = openat(folder, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (climb.child < 0)
		return errno;
	int error = 0;
	while (error == 0 && len == 0)
		error = climb_up(sup, &climb, ret_path, size, &len);
	(void)close(climb.child);
	if (error != 0)
		return error == EACCES || error == ENOENT ? ENAMETOOLONG : error;
	size_t tail_len = sizeof(sup->tail) - climb.at;
	len = len == 1 ? 0 : len; /* "/" */
	if (len + tail_len >= size)
		return ENAMETOOLONG;
	memcpy(ret_path + len, climb.tail + climb.at, tail_len);
	ret_path[len + tail_len] = '\0';
	*ret_len = len + tail_len;
	return 0;
}

int deep_path(struct supervisor *sup, int folder, char *ret_path, size_t size, size_t *ret_len)
{
	auto_fd int start = openat(folder, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (start < 0)
		return errno;
	int error = climb_all(sup, start, ret_path, size, ret_len);
	return fchdir(start) < 0 ? errno : error;
}
