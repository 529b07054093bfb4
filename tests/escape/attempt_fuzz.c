/*
 * Calls with arguments that no program would make: paths that end at the end of memory, addresses of every length,
 * messages whose parts are not there, descriptors that are something else. Aimed at whoever serves calls on behalf.
 * Everything named lies in the folder "fuzz", which is the working folder, so that without a
 * sandbox nothing else is touched either.
 */
#include "attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t state;

static uint64_t any(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t below(uint64_t limit)
{
	return any() % limit;
}

/* Two pages, of which the second is not there. */
static char *edge;

static char *at_the_edge(const void *bytes, size_t len)
{
	char *start = edge + 4096 - len;
	memcpy(start, bytes, len);
	return start;
}

static char *path(void)
{
	/* Nothing that lies outside of the folder we are in. */
	static const char *const names[] = {"a",
					    "b",
					    "d",
					    "d/e",
					    "d/../a",
					    "link",
					    "loop",
					    ".git/config",
					    ".envrc",
					    "./d/./e",
					    "/proc/self/cwd/a",
					    "/proc/self/fd/100/a",
					    "/dev/fd/101/e",
					    "d/",
					    ".git/hooks/x",
					    "",
					    "/proc/thread-self/cwd/d/x"};
	static char text[6000];
	switch (below(8)) {
	case 0:
		return (char *)(uintptr_t)any();
	case 1:
		memset(text, 'x', sizeof(text) - 1);
		text[below(sizeof(text) - 1)] = '\0';
		return text;
	case 2: /* without an end */
		return at_the_edge("endless", 7);
	case 3: {
		size_t len = (size_t)snprintf(text, sizeof(text), "x%c%c%c", (int)(1 + below(255)),
					      (int)(1 + below(255)), (int)(1 + below(255)));
		return at_the_edge(text, len + 1);
	}
	default:
		return (char *)(uintptr_t)names[below(sizeof(names) / sizeof(names[0]))];
	}
}

static long dirfd(void)
{
	static const long fds[] = {AT_FDCWD, AT_FDCWD, 100, 101, 0, -1, 9999, 102};
	return fds[below(8)];
}

static long flags(void)
{
	return (long)(any() & any() & 0xffffff);
}

static void file_call(void)
{
	struct open_how how = {.flags = (uint64_t)flags(), .mode = below(4096), .resolve = below(64)};
	long fd = -1;
	switch (below(16)) {
	case 0:
		fd = syscall(SYS_openat, dirfd(), path(), flags() | (below(2) ? O_CREAT : 0) | O_NONBLOCK, below(4096));
		break;
	case 1:
		fd = syscall(SYS_openat2, dirfd(), path(), below(4) ? (void *)&how : edge + 4090, below(40));
		break;
	case 2:
		syscall(SYS_mkdirat, dirfd(), path(), below(4096));
		break;
	case 3:
		syscall(SYS_unlinkat, dirfd(), path(), flags());
		break;
	case 4:
		syscall(SYS_renameat2, dirfd(), path(), dirfd(), path(), below(8));
		break;
	case 5:
		syscall(SYS_linkat, dirfd(), path(), dirfd(), path(), flags());
		break;
	case 6:
		syscall(SYS_symlinkat, path(), dirfd(), path());
		break;
	case 7:
		syscall(SYS_mknodat, dirfd(), path(), S_IFIFO | below(4096), below(4));
		break;
	case 8:
		syscall(SYS_truncate, path(), below(9000));
		break;
	case 9:
		syscall(SYS_fchmodat, dirfd(), path(), below(01777));
		break;
	case 10:
		syscall(SYS_fchmodat2, dirfd(), path(), below(01777), flags());
		break;
	case 11:
		syscall(SYS_utimensat, dirfd(), path(), below(2) ? NULL : path(), flags());
		break;
	case 12:
		syscall(SYS_setxattr, path(), path(), path(), below(70000), below(4));
		break;
	case 13:
		syscall(SYS_fchownat, dirfd(), path(), getuid(), getgid(), flags());
		break;
	case 14:
		syscall(NR_FILE_SETATTR, dirfd(), path(), path(), below(100), below(4));
		break;
	default:
		syscall(SYS_fchmod, dirfd(), below(01777));
		break;
	}
	if (fd > 102)
		close((int)fd);
}

/* An address with a length that may not fit. */
static void *address(socklen_t *ret_len)
{
	static struct sockaddr_storage room;
	struct sockaddr_un *un = (void *)&room;
	memset(&room, below(2) ? 0 : 'x', sizeof(room));
	un->sun_family = (sa_family_t)(below(3) ? AF_UNIX : below(20));
	snprintf(un->sun_path, sizeof(un->sun_path) - below(2), "%s", below(2) ? "sock" : "other");
	if (below(6) == 0)
		un->sun_path[0] = '\0';
	*ret_len = (socklen_t)(below(4) ? sizeof(*un) : below(300));
	if (below(4) == 0 && *ret_len <= sizeof(room))
		return at_the_edge(&room, *ret_len);
	return below(10) ? (void *)&room : (void *)(uintptr_t)any();
}

static void message_call(int fd)
{
	static char data[64];
	struct iovec parts[4] = {
		{data, below(64)}, {edge + 4000, below(300)}, {NULL, below(2)}, {(void *)(uintptr_t)any(), below(9)}};
	char control[128];
	memset(control, 0, sizeof(control));
	struct cmsghdr *head = (void *)control;
	head->cmsg_len = below(140);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = (int)below(4);
	struct mmsghdr messages[3];
	for (int i = 0; i < 3; i++) {
		socklen_t len;
		void *name = address(&len);
		messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = below(3) ? name : NULL,
							   .msg_namelen = len,
							   .msg_iov = parts,
							   .msg_iovlen = below(5),
							   .msg_control = below(3) ? NULL : control,
							   .msg_controllen = below(3) ? 0 : below(200)}};
	}
	if (below(2))
		syscall(SYS_sendmsg, fd, below(8) ? (void *)&messages[0].msg_hdr : edge + 4090,
			MSG_DONTWAIT | MSG_NOSIGNAL);
	else
		syscall(SYS_sendmmsg, fd, messages, below(5), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void socket_call(void)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW};
	int pair[2] = {-1, -1};
	socklen_t len;
	void *to = address(&len);
	int fd = below(8) ? socket(AF_UNIX, types[below(3)] | SOCK_NONBLOCK, 0) : (int)dirfd();
	switch (below(8)) {
	case 0:
		syscall(SYS_bind, fd, to, len);
		break;
	case 1:
		syscall(SYS_connect, fd, to, len);
		break;
	case 2:
		syscall(SYS_sendto, fd, path(), below(100), MSG_DONTWAIT | MSG_NOSIGNAL, to, len);
		break;
	case 3:
		message_call(fd);
		break;
	case 4:
		syscall(SYS_listen, fd, any());
		break;
	case 5:
		syscall(SYS_socketpair, AF_UNIX, types[below(4)] | (long)(below(2) * SOCK_CLOEXEC), below(3),
			below(6) ? (void *)pair : edge + 4092);
		break;
	case 6:
		syscall(SYS_socket, below(46), below(11), below(300));
		break;
	default:
		syscall(SYS_setsockopt, fd, below(50), below(80), path(), below(100));
		break;
	}
	if (fd > 102)
		close(fd);
	close(pair[0]);
	close(pair[1]);
}

static void run_for(long ms, uint64_t seed)
{
	struct timespec t;
	state = seed * 0x9e3779b97f4a7c15u + 1;
	clock_gettime(CLOCK_MONOTONIC, &t);
	int64_t end = t.tv_sec * 1000 + t.tv_nsec / 1000000 + ms;
	do {
		for (int i = 0; i < 50; i++) {
			if (below(3))
				file_call();
			else
				socket_call();
		}
		close_range(103, ~0U, 0);
		clock_gettime(CLOCK_MONOTONIC, &t);
	} while (t.tv_sec * 1000 + t.tv_nsec / 1000000 < end);
}

/* fuzz SEED MS: then one ordinary call must still be served. */
static int fuzz(int argc, char **argv)
{
	(void)argc;
	if (mkdir("fuzz", 0755) || chdir("fuzz") || mkdir("d", 0755) || symlink("a", "link") || symlink("loop", "loop"))
		return refused("the folder");
	edge = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(edge + 4096, 4096, PROT_NONE);
	dup2(open(".", O_RDONLY | O_DIRECTORY), 100);
	dup2(open("d", O_PATH | O_DIRECTORY), 101);
	dup2(open("a", O_RDWR | O_CREAT, 0644), 102);
	pid_t pid = fork();
	run_for(number(argv[1]), (uint64_t)number(argv[0]) * 2 + (pid == 0));
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	fchmod(100, 0755);
	int fd = open("../fuzz-end", O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0)
		return refused("an ordinary call after the others");
	return achieved("still served");
}

const struct attempt fuzz_attempts[] = {
	{"fuzz", fuzz, 2, "SEED MS"},
	{NULL, NULL, 0, NULL},
};
