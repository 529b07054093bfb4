#include "session/terminal.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "os/fd.h"

void terminal_open(struct terminal *terminal)
{
	*terminal = (struct terminal){.fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)};
	if (terminal->fd < 0)
		return;
	terminal->wanted = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
	terminal->at_once = terminal->wanted && terminal_is_ours(terminal);
	terminal->has_modes = tcgetattr(terminal->fd, &terminal->modes) == 0;
}

int terminal_for_command(const struct terminal *terminal)
{
	return terminal->at_once ? terminal->fd : -1;
}

bool terminal_is_ours(const struct terminal *terminal)
{
	return terminal->fd >= 0 && tcgetpgrp(terminal->fd) == getpgrp();
}

void terminal_started(struct terminal *terminal)
{
	if (!terminal->at_once)
		return;
	pid_t group = tcgetpgrp(terminal->fd);
	if (group > 0 && group != getpgrp())
		terminal->group = group;
	terminal->given = true;
}

/* ---- the command's group, where it never had the terminal ---------------------------------------------------------- */

struct process {
	pid_t pid, parent, group, session;
};

/* "PID (NAME) STATE PARENT GROUP SESSION ..."; the name may hold anything, so its last ')' counts. */
static bool read_process(int proc_fd, const char *name, struct process *ret_process)
{
	char path[32], text[512];
	struct process process = {.pid = (pid_t)strtol(name, NULL, 10)};
	if (process.pid <= 0)
		return false;
	(void)snprintf(path, sizeof(path), "%d/stat", (int)process.pid);
	if (fd_read_file(proc_fd, path, text, sizeof(text)) <= 0)
		return false;
	const char *at = strrchr(text, ')');
	if (at == NULL || strlen(at) < 4)
		return false;
	pid_t *const fields[] = {&process.parent, &process.group, &process.session};
	at += 3; /* ") S" */
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		char *end;
		*fields[i] = (pid_t)strtol(at, &end, 10);
		at = end;
	}
	*ret_process = process;
	return true;
}

/* The first child of parent in our session (the network filter is in one of its own), or that leads a group there; 0: none. */
static pid_t find_child(DIR *proc, pid_t parent, bool leader)
{
	struct process process;
	const struct dirent *entry;
	rewinddir(proc);
	while ((entry = readdir(proc)) != NULL) { /* NOLINT(concurrency-mt-unsafe): nobody else has this one */
		if (!read_process(dirfd(proc), entry->d_name, &process) || process.parent != parent ||
		    process.session != getsid(0))
			continue;
		if (!leader || process.group == process.pid)
			return process.pid;
	}
	return 0;
}

/* The command is the child of the sandbox's helper, which is our only child that has such a one. */
static pid_t find_group(void)
{
	DIR *proc = opendir("/proc");
	if (proc == NULL)
		return 0;
	pid_t helper = find_child(proc, getpid(), false);
	pid_t group = helper > 0 ? find_child(proc, helper, true) : 0;
	(void)closedir(proc);
	return group;
}

/* ---- to and fro ---------------------------------------------------------------------------------------------------- */

/* A group in the background that touches the terminal gets SIGTTOU, unless it blocks it. */
static sigset_t block_stop(void)
{
	sigset_t blocked, before;
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGTTOU);
	(void)pthread_sigmask(SIG_BLOCK, &blocked, &before);
	return before;
}

/* Modes are set at once: whoever waits for the output to drain waits for ever on a terminal that nobody reads. */
void terminal_take_back(struct terminal *terminal)
{
	if (!terminal->given)
		return;
	pid_t group = tcgetpgrp(terminal->fd);
	if (group > 0)
		terminal->group = group;
	terminal->has_command_modes = tcgetattr(terminal->fd, &terminal->command_modes) == 0;
	sigset_t before = block_stop();
	(void)tcsetpgrp(terminal->fd, getpgrp());
	if (terminal->has_modes)
		(void)tcsetattr(terminal->fd, TCSANOW, &terminal->modes);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	terminal->given = false;
}

void terminal_give(struct terminal *terminal)
{
	if (terminal->given || !terminal->wanted || !terminal_is_ours(terminal))
		return;
	if (terminal->group == 0)
		terminal->group = find_group();
	if (terminal->group == 0)
		return;
	sigset_t before = block_stop();
	if (terminal->has_command_modes)
		(void)tcsetattr(terminal->fd, TCSANOW, &terminal->command_modes);
	terminal->given = tcsetpgrp(terminal->fd, terminal->group) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void terminal_done(struct terminal *terminal)
{
	if (terminal->fd < 0)
		return;
	terminal_take_back(terminal);
	(void)close(terminal->fd);
	terminal->fd = -1;
}
