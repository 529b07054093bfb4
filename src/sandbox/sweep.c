#include "sandbox/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
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

/* Empties the folder level by level: a subfolder is entered, emptied and removed before the next is looked at. */
static void empty_folder(int fd, dev_t device, int depth)
{
	struct walk walk = {.fd = fd};
	for (const struct entry *entry; (entry = walk_next(&walk)) != NULL;) {
		struct stat st;
		if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0)
			continue;
		if (unlinkat(fd, entry->name, 0) == 0 || depth >= SWEEP_MAX_DEPTH)
			continue;
		auto_fd int sub = openat(fd, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		/* a folder without permissions for its owner */
		if (sub < 0 && errno == EACCES && fchmodat(fd, entry->name, 0700, 0) == 0)
			sub = openat(fd, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub < 0 || fstat(sub, &st) < 0 || st.st_dev != device)
			continue;
		(void)fchmod(sub, 0700);
		empty_folder(sub, device, depth + 1);
		(void)unlinkat(fd, entry->name, AT_REMOVEDIR);
	}
}

void sweep_folder(const char *path)
{
	struct stat st;
	auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	empty_folder(fd, st.st_dev, 0);
	(void)rmdir(path);
}
