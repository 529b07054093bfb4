/* Running what may not be run, and leaving something that runs on. */
#include "attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* What the programs of these rows do when they were started all the same. */
static int say(int argc, char **argv)
{
	(void)argc;
	return achieved("%s", argv[0]);
}

static int exec_path(int argc, char **argv)
{
	(void)argc;
	execve(argv[0], argv, environ);
	return refused("execve %s", argv[0]);
}

static int exec_fd(int argc, char **argv)
{
	(void)argc;
	int fd = open(argv[0], O_RDONLY);
	if (fd < 0)
		return refused("open %s", argv[0]);
	syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
	return refused("execveat %s", argv[0]);
}

/* A program that never was a file. */
static int exec_memfd(int argc, char **argv)
{
	(void)argc;
	static char bytes[1 << 16];
	int from = open(argv[0], O_RDONLY | O_CLOEXEC);
	int to = (int)syscall(SYS_memfd_create, "x", MFD_CLOEXEC);
	if (from < 0 || to < 0)
		return refused("memfd_create");
	ssize_t got;
	while ((got = read(from, bytes, sizeof(bytes))) > 0)
		if (write(to, bytes, (size_t)got) != got)
			return refused("write to the memfd");
	syscall(SYS_execveat, to, "", argv, environ, AT_EMPTY_PATH);
	return refused("execveat of a memfd");
}

/* Maps a file as code: what a loader does. */
static int map_exec(int argc, char **argv)
{
	(void)argc;
	int fd = open(argv[0], O_RDONLY | O_CLOEXEC);
	void *map = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return refused("executable map of %s", argv[0]);
	return achieved("%s mapped as code", argv[0]);
}

/* ---- what is left behind ---- */

/* Lives until the harness has looked and takes PROOF away. */
static _Noreturn void linger(const char *proof)
{
	for (int i = 0; i < 600 && access(proof, F_OK) == 0; i++)
		usleep(50000);
	_exit(0);
}

/* Forks twice into a session of its own, deaf to every signal that can be ignored. */
static int daemonise(int argc, char **argv)
{
	if (fork() == 0) {
		setsid();
		for (int sig = 1; sig < 32; sig++)
			signal(sig, SIG_IGN);
		if (argc > 1)
			prctl(PR_SET_NAME, argv[1]);
		if (fork() == 0)
			linger(argv[0]);
		_exit(0);
	}
	wait(NULL);
	return achieved("a process in the background");
}

/* Processes that fork and leave faster than a list of them can be made. */
static int hydra(int argc, char **argv)
{
	long generations = argc > 1 ? number(argv[1]) : 300;
	for (int i = 0; i < 4; i++) {
		if (fork() != 0)
			continue;
		setsid();
		for (int generation = 0; generation < generations && access(argv[0], F_OK) == 0; generation++)
			if (fork() != 0)
				_exit(0);
		linger(argv[0]);
	}
	return achieved("four families of processes");
}

/* A stopped process handles no signal but one. */
static int leave_stopped(int argc, char **argv)
{
	(void)argc;
	pid_t pid = fork();
	if (pid == 0) {
		setsid();
		raise(SIGSTOP);
		linger(argv[0]);
	}
	waitpid(pid, NULL, WUNTRACED);
	return achieved("a stopped process");
}

/* The process makes itself the one that orphans are given to. */
static int leave_subreaper(int argc, char **argv)
{
	(void)argc;
	if (fork() == 0) {
		setsid();
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		if (fork() == 0) {
			if (fork() == 0)
				linger(argv[0]);
			_exit(0);
		}
		linger(argv[0]);
	}
	return achieved("a family of its own");
}

/* ---- who we are ---- */

static int effective_user(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	if (geteuid() == getuid())
		return refused("effective user %d", (int)geteuid());
	return achieved("effective user %d", (int)geteuid());
}

/* All five sets as /proc shows them; prctl and capget could be answered by somebody else. */
static int capabilities(int argc, char **argv)
{
	(void)argc;
	const char *only = argv[0];
	char line[256];
	FILE *status = fopen("/proc/thread-self/status", "re");
	unsigned long long any = 0;
	while (status && fgets(line, sizeof(line), status))
		if (strncmp(line, only, strlen(only)) == 0)
			any |= strtoull(strchr(line, ':') + 1, NULL, 16);
	errno = EPERM;
	return any ? achieved("%s %llx", only, any) : refused("%s is empty", only);
}

static int core_limit(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	struct rlimit limit;
	getrlimit(RLIMIT_CORE, &limit);
	errno = EPERM;
	return limit.rlim_cur ? achieved("core limit %llu", (unsigned long long)limit.rlim_cur)
			      : refused("core limit 0");
}

const struct attempt exec_attempts[] = {
	{"say", say, 1, "WORD"},
	{"exec", exec_path, 1, "PROGRAM [ARG...]"},
	{"exec-fd", exec_fd, 1, "PROGRAM [ARG...]"},
	{"exec-memfd", exec_memfd, 1, "PROGRAM [ARG...]"},
	{"map-exec", map_exec, 1, "PATH"},
	{"daemon", daemonise, 1, "PROOF [NAME]"},
	{"hydra", hydra, 1, "PROOF [GENERATIONS]"},
	{"stopped", leave_stopped, 1, "PROOF"},
	{"subreaper", leave_subreaper, 1, "PROOF"},
	{"euid", effective_user, 0, ""},
	{"caps", capabilities, 1, "CapEff"},
	{"core", core_limit, 0, ""},
	{NULL, NULL, 0, NULL},
};
