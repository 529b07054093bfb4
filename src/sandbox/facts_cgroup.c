/*
 * Where limits for a whole tree can come from: a cgroup v2 folder in which this user may make children that have the
 * controllers. That is our own folder, if nothing but children lives in it, or the one around it (the usual case: what
 * systemd-run --user starts).
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/own.h"
#include "os/fd.h"
#include "sandbox/facts.h"

#define CGROUP2_MAGIC 0x63677270

enum { FOLDER_SIZE = 1024, FILE_SIZE = FOLDER_SIZE + 64 };

static const struct {
	const char *name, *file;
	enum fact fact;
} controllers[] = {
	{"memory", "memory.max", FACT_CGROUP_MEMORY},
	{"pids", "pids.max", FACT_CGROUP_PIDS},
	{"cpu", "cpu.max", FACT_CGROUP_CPU},
};

static const char *find_mount(void)
{
	static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	struct statfs fs;
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (statfs(places[i], &fs) == 0 && fs.f_type == CGROUP2_MAGIC)
			return places[i];
	return NULL;
}

/* The path behind "0::" in /proc/self/cgroup. */
static bool find_own(char *ret_path, size_t size)
{
	char text[2048];
	ssize_t len = fd_read_file(AT_FDCWD, "/proc/self/cgroup", text, sizeof text);
	struct str rest = {text, len > 0 ? (size_t)len : 0}, line;
	while (str_next(&rest, '\n', &line)) {
		if (!str_starts(line, STR("0::/")) || line.len - 3 >= size)
			continue;
		memcpy(ret_path, line.ptr + 3, line.len - 3);
		ret_path[line.len - 3] = '\0';
		return true;
	}
	return false;
}

static bool join(char *ret_path, size_t size, const char *folder, const char *name)
{
	int len = snprintf(ret_path, size, "%s/%s", folder, name);
	return len > 0 && (size_t)len < size;
}

static bool may_write(const char *folder, const char *name)
{
	char path[FILE_SIZE];
	return join(path, sizeof path, folder, name) && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
}

/* Which of the controllers children of this folder get; the kernel asks for the folder's cgroup.procs when a process
 * moves between two children. */
static unsigned delegated(const char *folder)
{
	char path[FILE_SIZE], text[512];
	unsigned found = 0;
	if (*folder == '\0' || !join(path, sizeof path, folder, "cgroup.subtree_control") || !may_write(folder, ".") ||
	    !may_write(folder, "cgroup.procs"))
		return 0;
	ssize_t len = fd_read_file(AT_FDCWD, path, text, sizeof text);
	struct str rest = {text, len > 0 ? (size_t)len : 0}, word;
	if (rest.len > 0 && text[rest.len - 1] == '\n')
		rest.len--;
	while (str_next(&rest, ' ', &word))
		for (unsigned i = 0; i < ARRAY_LEN(controllers); i++)
			if (str_eq(word, str_from(controllers[i].name)))
				found |= 1U << i;
	return found;
}

/* Makes a child, looks which limits can be written there, and moves a process in. */
static unsigned tried(const char *folder, unsigned expected)
{
	char name[48], child[FILE_SIZE], procs[FILE_SIZE];
	unsigned found = 0;
	(void)snprintf(name, sizeof name, "berm-probe-%d", (int)getpid());
	if (!join(child, sizeof child, folder, name) || !join(procs, sizeof procs, child, "cgroup.procs") ||
	    mkdir(child, 0755) < 0)
		return 0;
	for (unsigned i = 0; i < ARRAY_LEN(controllers); i++)
		if (may_write(child, controllers[i].file))
			found |= 1U << i;
	if (!facts_try_join(procs))
		found = 0;
	(void)rmdir(child);
	return found & expected;
}

static bool take_folder(struct berm_facts *facts, const char *folder, bool try)
{
	unsigned found = delegated(folder);
	if (found != 0 && try)
		found = tried(folder, found);
	for (unsigned i = 0; i < ARRAY_LEN(controllers); i++)
		facts->value[controllers[i].fact] = (found >> i & 1) != 0;
	facts->cgroup[0] = '\0';
	if (found != 0)
		(void)snprintf(facts->cgroup, sizeof facts->cgroup, "%s", folder);
	return found != 0;
}

void facts_probe_cgroup(struct berm_facts *facts, bool try)
{
	char own[FOLDER_SIZE / 2], folder[FOLDER_SIZE];
	const char *mount = find_mount();
	if (mount == NULL || !find_own(own, sizeof own)) {
		(void)take_folder(facts, "", false);
		return;
	}
	bool top = strcmp(own, "/") == 0;
	(void)snprintf(folder, sizeof folder, "%s%s", mount, top ? "" : own);
	if (take_folder(facts, folder, try) || top)
		return;
	*strrchr(folder, '/') = '\0';
	(void)take_folder(facts, folder, try);
}
