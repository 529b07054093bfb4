#include "session/agent_sockets.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/own.h"

enum { DEADLINE_MS = 2000, MS_PER_S = 1000, NS_PER_MS = 1000000 };

static const struct known_socket {
	const char *pattern, *group;
} known[] = {
	{"*/S.gpg-agent", "gpg-agent"},	    {"*/S.keyboxd", "gpg-agent"},     {"*/ssh-*/agent.*", "ssh-agent"},
	{"*/S.gpg-agent.ssh", "ssh-agent"}, {"*/keyring*/ssh", "ssh-agent"},  {"*/keyring*/.ssh", "ssh-agent"},
	{"*/gcr/ssh", "ssh-agent"},	    {"*/openssh_agent", "ssh-agent"}, {"*/ssh-agent*", "ssh-agent"},
	{"*/.ssh/agent*", "ssh-agent"},
};

const char *agent_sockets_group(const char *path, const char *auth)
{
	if (auth != NULL && auth[0] == '/' && strcmp(path, auth) == 0)
		return "ssh-agent";
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (fnmatch(known[i].pattern, path, 0) == 0)
			return known[i].group;
	return NULL;
}

const char *agent_sockets_group_of_file(const char *path)
{
	static const struct known_socket files[] = {
		{"*/.gnupg", "gpg-agent"}, {"*/.gnupg/*", "gpg-agent"}, {"*/.ssh/*", "ssh-agent"}};
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (fnmatch(files[i].pattern, path, 0) == 0)
			return files[i].group;
	return NULL;
}

/* ---- gpgconf ----------------------------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
	struct timespec now = {0};
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

/* Reads until the end; -1: it takes too long, says too much, or an error. */
static ssize_t read_all(int fd, char *ret_text, size_t size)
{
	size_t len = 0;
	int64_t end = now_ms() + DEADLINE_MS;
	struct pollfd watch = {.fd = fd, .events = POLLIN};
	for (;;) {
		int64_t left = end - now_ms();
		if (left <= 0 || len == size || poll(&watch, 1, (int)left) < 0)
			return -1;
		if (watch.revents == 0)
			continue;
		ssize_t got = read(fd, ret_text + len, size - len);
		if (got <= 0)
			return got < 0 ? -1 : (ssize_t)len;
		len += (size_t)got;
	}
}

/* Starts the program with its output in a pipe; the end to read from, or -1. */
static int start(const char *program, const char *home, pid_t *ret_pid)
{
	char variable[PATH_MAX + sizeof "GNUPGHOME="], list[] = "--list-dirs", what[] = "agent-socket",
						       name[] = "gpgconf";
	char *const argv[] = {name, list, what, NULL}, *const envp[] = {variable, NULL};
	int pipes[2];
	posix_spawn_file_actions_t actions;
	int len = snprintf(variable, sizeof variable, "GNUPGHOME=%s", home);
	if (len >= (int)sizeof variable || pipe2(pipes, O_CLOEXEC) < 0)
		return -1;
	auto_fd int out = pipes[0], in = pipes[1];
	if (posix_spawn_file_actions_init(&actions) != 0)
		return -1;
	bool ok = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
		  posix_spawn_file_actions_adddup2(&actions, in, STDOUT_FILENO) == 0 &&
		  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
		  posix_spawn(ret_pid, program, &actions, NULL, argv, envp) == 0;
	(void)posix_spawn_file_actions_destroy(&actions);
	return ok ? take_fd(&out) : -1;
}

__attribute__((noinline)) bool agent_sockets_ask_gpgconf(const char *program, const char *home, char *ret_path,
							 size_t size)
{
	pid_t pid = -1;
	int status = 0;
	auto_fd int fd = start(program, home, &pid);
	if (fd < 0)
		return false;
	ssize_t len = read_all(fd, ret_path, size);
	if (len < 0)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (len > 0 && ret_path[len - 1] == '\n')
		len--;
	if (len <= 0 || status != 0 || (size_t)len >= size || memchr(ret_path, '\n', (size_t)len) != NULL ||
	    !str_ends((struct str){ret_path, (size_t)len}, STR("/S.gpg-agent")))
		return false;
	ret_path[len] = '\0';
	return ret_path[0] == '/';
}

bool agent_sockets_find_gpg(const char *home, char *ret_path, size_t size)
{
	static const char *const programs[] = {"/usr/bin/gpgconf", "/usr/local/bin/gpgconf",
					       "/opt/homebrew/bin/gpgconf", "/run/current-system/sw/bin/gpgconf"};
	for (size_t i = 0; i < ARRAY_LEN(programs); i++)
		if (access(programs[i], X_OK) == 0)
			return agent_sockets_ask_gpgconf(programs[i], home, ret_path, size);
	return false;
}
