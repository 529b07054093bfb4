/* What the tests of rules share: how rules are written, and short calls. */
#ifndef BERM_TESTS_SUP_RULES_H
#define BERM_TESTS_SUP_RULES_H

#include "sup_files.h"

#include <sys/syscall.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1 << 0)
#define RENAME_EXCHANGE (1 << 1)
#endif

#define PROTECT_IF(pattern_, ...)                                                                                      \
	{                                                                                                              \
		.size = sizeof(struct berm_rule), .pattern = (pattern_), .right = BERM_PROTECT, __VA_ARGS__            \
	}
#define PROTECT(pattern) PROTECT_IF(pattern, .except = NULL)

static inline void make_folder(const char *path)
{
	CHECK(mkdir(path, 0755) == 0 || errno == EEXIST);
}

/* Before a run, from outside. */
static inline void outside_put(const char *name, const char *text)
{
	char path[200];
	(void)snprintf(path, sizeof(path), "%s/%s", files.ws, name);
	files_put(path, text);
}

static inline void outside_folder(const char *name)
{
	char path[200];
	(void)snprintf(path, sizeof(path), "%s/%s", files.ws, name);
	make_folder(path);
}

static inline bool outside_holds(const char *name, const char *text)
{
	char path[200];
	(void)snprintf(path, sizeof(path), "%s/%s", files.ws, name);
	return files_hold(path, text);
}

static inline bool outside_exists(const char *name)
{
	char path[200];
	struct stat st = {0};
	(void)snprintf(path, sizeof(path), "%s/%s", files.ws, name);
	return lstat(path, &st) == 0;
}

static inline int open_write(const char *path)
{
	return open(path, O_WRONLY | O_CLOEXEC);
}

static inline int open_make(const char *path, int flags)
{
	return open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
}

static inline const char *fd_path(int fd)
{
	static char path[64];
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

#endif
