/* Tries each question of standard input ("op<TAB>path") and prints the errno, one a line. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_and_close(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

static int try_read(const char *path)
{
	return open_and_close(path, O_RDONLY | O_NONBLOCK);
}

static int try_list(const char *path)
{
	DIR *dir = opendir(path);
	if (dir == NULL)
		return errno;
	errno = 0;
	(void)readdir(dir);
	int error = errno;
	(void)closedir(dir);
	return error;
}

static int try_write(const char *path)
{
	return open_and_close(path, O_WRONLY | O_NONBLOCK);
}

static int try_create(const char *path)
{
	return open_and_close(path, O_WRONLY | O_CREAT | O_EXCL);
}

static int try_unlink(const char *path)
{
	return unlink(path) == 0 ? 0 : errno;
}

static int try_rmdir(const char *path)
{
	return rmdir(path) == 0 ? 0 : errno;
}

/* What is no program, but may be started, ends with ENOEXEC. */
static int try_exec(const char *path)
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(0); /* a shell would read our questions */
		char name[] = "true", *argv[] = {name, NULL}, *envp[] = {NULL};
		(void)execve(path, argv, envp);
		_exit(errno == ENOEXEC ? 0 : errno);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static const struct {
	const char *word;
	int (*attempt)(const char *path);
} ops[] = {
	{"read", try_read},	{"list", try_list},   {"write", try_write}, {"create", try_create},
	{"unlink", try_unlink}, {"rmdir", try_rmdir}, {"exec", try_exec},
};

int main(void)
{
	static char line[8192];
	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		char *tab = strchr(line, '\t');
		int error = -1;
		for (size_t i = 0; tab != NULL && i < sizeof ops / sizeof ops[0]; i++)
			if (strncmp(line, ops[i].word, (size_t)(tab - line)) == 0 &&
			    strlen(ops[i].word) == (size_t)(tab - line))
				error = ops[i].attempt(tab + 1);
		(void)printf("%d\n", error);
		(void)fflush(stdout); /* before there are children */
	}
	return 0;
}
