#include "sandbox/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/own.h"
#include "os/fd.h"

enum { SWEEP_MAX_DEPTH = 64 };

static int64_t now_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* "PID/stat": pid (comm) state ppid ...; the name may hold anything, so the last ')' counts. */
static pid_t parent_of(int proc_fd, const char *pid)
{
	char path[32], stat[512];
	size_t len = strlen(pid);
	if (len > 12)
		return -1;
	memcpy(path, pid, len);
	memcpy(path + len, "/stat", 6);
	if (fd_read_file(proc_fd, path, stat, sizeof stat) <= 0)
		return -1;
	const char *at = strrchr(stat, ')');
	if (at == NULL || at[1] != ' ' || at[2] == '\0' || at[3] != ' ')
		return -1;
	pid_t parent = 0;
	for (at += 4; *at >= '0' && *at <= '9' && parent < 100000000; at++)
		parent = parent * 10 + (*at - '0');
	return parent;
}

static pid_t number_of(const char *name)
{
	pid_t pid = 0;
	for (; *name >= '0' && *name <= '9' && pid < 100000000; name++)
		pid = pid * 10 + (*name - '0');
	return *name == '\0' ? pid : 0;
}

struct walk {
	int fd;
	size_t at, end;
	char bytes[4096];
};
struct entry {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

/* The next entry of a folder, by the raw call: opendir would use the heap. NULL at the end. */
static const struct entry *walk_next(struct walk *walk)
{
	if (walk->at >= walk->end) {
		long got = syscall(SYS_getdents64, walk->fd, walk->bytes, sizeof walk->bytes);
		if (got <= 0)
			return NULL;
		walk->at = 0;
		walk->end = (size_t)got;
	}
	const struct entry *entry = (const void *)(walk->bytes + walk->at);
	walk->at += entry->reclen;
	return entry;
}

/* Is self above pid? The chain is followed with a bound: a tree deeper than that is ended from the top in rounds. */
static bool descends(int proc_fd, const char *pid, pid_t self)
{
	char text[16];
	pid_t parent = parent_of(proc_fd, pid);
	for (int depth = 0; depth < SWEEP_MAX_DEPTH && parent > 1; depth++) {
		if (parent == self)
			return true;
		size_t n = sizeof text;
		text[--n] = '\0';
		for (pid_t rest = parent; rest > 0; rest /= 10)
			text[--n] = (char)('0' + rest % 10);
		parent = parent_of(proc_fd, text + n);
	}
	return parent == self;
}

static void signal_descendants(int proc_fd, pid_t self, int signal)
{
	struct walk walk = {.fd = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	auto_fd int owned = walk.fd;
	if (owned < 0)
		return;
	for (const struct entry *entry; (entry = walk_next(&walk)) != NULL;) {
		pid_t pid = number_of(entry->name);
		if (pid > 1 && pid != self && descends(proc_fd, entry->name, self))
			(void)kill(pid, signal);
	}
}

bool sweep_descendants(int proc_fd, int deadline_ms)
{
	int64_t end = now_ms() + deadline_ms;
	pid_t self = getpid();
	for (;;) {
		pid_t pid;
		while ((pid = waitpid(-1, NULL, WNOHANG | __WALL)) > 0)
			continue;
		if (pid < 0 && errno == ECHILD)
			return true;
		if (now_ms() >= end)
			return false;
		/* Stopped first, so that what forks faster than it is killed loses the race. */
		signal_descendants(proc_fd, self, SIGSTOP);
		signal_descendants(proc_fd, self, SIGKILL);
		struct timespec pause = {.tv_nsec = 200000};
		(void)nanosleep(&pause, NULL);
	}
}

/* The folders from the one that is removed down to the one that is being emptied. */
struct descent {
	struct {
		int fd;
		char name[NAME_MAX + 1];
		bool stuck; /* something in it cannot be removed: it stays, and what is below it is not tried again */
	} level[SWEEP_MAX_DEPTH];
	int depth;
	dev_t device;
};

/* Opens a folder that is not another file system's; one without permissions for its owner is given them. -1: none. */
static int open_below(int fd, const char *name, dev_t device)
{
	struct stat st;
	int sub = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0 && errno == EACCES && fchmodat(fd, name, 0700, 0) == 0)
		sub = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0)
		return -1;
	if (fstat(sub, &st) == 0 && st.st_dev == device && fchmod(sub, 0700) == 0)
		return sub;
	(void)close(sub);
	return -1;
}

/* Removes what is no folder, up to the first folder, which is entered: true. */
static bool enter_next(struct descent *descent)
{
	int at = descent->depth;
	struct walk walk = {.fd = descent->level[at].fd};
	(void)lseek(walk.fd, 0, SEEK_SET);
	for (const struct entry *entry; (entry = walk_next(&walk)) != NULL;) {
		if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0 ||
		    unlinkat(walk.fd, entry->name, 0) == 0 || descent->level[at].stuck || at + 1 == SWEEP_MAX_DEPTH)
			continue;
		int sub = open_below(walk.fd, entry->name, descent->device);
		if (sub < 0)
			continue;
		descent->level[at + 1].fd = sub;
		descent->level[at + 1].stuck = false;
		memcpy(descent->level[at + 1].name, entry->name, strnlen(entry->name, NAME_MAX) + 1);
		descent->depth++;
		return true;
	}
	return false;
}

/* descent is all zeros. */
static void empty_folder(struct descent *descent, int fd, dev_t device)
{
	descent->device = device;
	descent->level[0].fd = fd;
	for (;;) {
		if (enter_next(descent))
			continue;
		int done = descent->depth--;
		if (done == 0)
			return;
		(void)close(descent->level[done].fd);
		if (unlinkat(descent->level[done - 1].fd, descent->level[done].name, AT_REMOVEDIR) < 0)
			descent->level[done - 1].stuck = true;
	}
}

void sweep_folder(const char *path)
{
	struct stat st;
	auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	/* Too large for a stack, and the heap is not to be used in the helper. */
	void *memory = mmap(NULL, sizeof(struct descent), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return;
	empty_folder(memory, fd, st.st_dev);
	(void)munmap(memory, sizeof(struct descent));
	(void)rmdir(path);
}
