/*
 * The other side, started by the harness outside of the sandbox: a process with a secret in its memory, its environment
 * and an open file, that writes down each signal it gets; and a parent as careless as a sandbox's must not be.
 */
#include "attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int log_fd;

static void note(int sig)
{
	char text[3] = {(char)('0' + sig / 10), (char)('0' + sig % 10), '\n'};
	ssize_t ignored = write(log_fd, text, sizeof(text));
	(void)ignored;
}

/* Prints "PID ADDRESS FD": the address of SECRET in memory and the descriptor of FILE. */
static _Noreturn int victim(int argc, char **argv)
{
	(void)argc;
	int fd = open(argv[2], O_RDWR);
	char *secret = strdup(argv[1]);
	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			signal(sig, note);
	/* Its being there says that the handlers are. */
	log_fd = open(argv[0], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	/* The argument itself shows in /proc/PID/cmdline; only the copy stays. */
	memset(argv[1], 'x', strlen(argv[1]));
	printf("%d %lu %d\n", (int)getpid(), (unsigned long)(uintptr_t)secret, fd);
	fflush(stdout);
	for (;;)
		pause();
}

/* Stands where a sandbox's own processes stand when nothing is sandboxed: the parent of the attempt, same user. */
static int careless_parent(int argc, char **argv)
{
	(void)argc;
	pid_t pid = fork();
	if (pid == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	int status;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

const struct attempt victim_attempts[] = {
	{"victim", victim, 3, "LOG SECRET FILE"},
	{"parent", careless_parent, 1, "PROGRAM [ARG...]"},
	{NULL, NULL, 0, NULL},
};
