/* Folders with real git repositories in them, for tests that have git as their oracle. */
#ifndef BERM_TESTS_GIT_RIG_H
#define BERM_TESTS_GIT_RIG_H

#include "check.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Not inlined: the gate limits stack frames. */
#define GIT_RIG __attribute__((noinline, unused)) static

/* Nothing of this user's or this machine's configuration. */
#define GIT_QUIET                                                                                                      \
	"env -i GIT_TEST_FSYNC=0 PATH=\"$PATH\" HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null "  \
	"GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=b GIT_ALLOW_PROTOCOL=file:ssh "

enum { GIT_RIG_MAX = 4096 };
static char *git_rig_folders[GIT_RIG_MAX];
static size_t git_rig_count;

GIT_RIG void git_rig_delete(const char *path)
{
	char line[1024];
	(void)snprintf(line, sizeof line, "rm -rf '%s'", path);
	if (system(line) != 0)
		(void)fprintf(stderr, "cannot remove %s\n", path);
}

/* What tests left that ended early. */
GIT_RIG void git_rig_clean(void)
{
	for (size_t i = 0; i < git_rig_count; i++) {
		if (git_rig_folders[i] != NULL)
			git_rig_delete(git_rig_folders[i]);
		free(git_rig_folders[i]);
	}
}

/* An empty folder, with a canonical path; removed by git_rig_remove, or else at the end of the program. */
GIT_RIG char *git_rig_new(void)
{
	char name[] = "/tmp/berm-test-git-XXXXXX";
	assert_true(git_rig_count < GIT_RIG_MAX && (git_rig_count > 0 || atexit(git_rig_clean) == 0));
	assert_non_null(mkdtemp(name));
	char *path = realpath(name, NULL);
	assert_non_null(path);
	git_rig_folders[git_rig_count++] = path;
	return path;
}

GIT_RIG void git_rig_remove(char *path)
{
	for (size_t i = 0; i < git_rig_count; i++)
		if (git_rig_folders[i] == path)
			git_rig_folders[i] = NULL;
	git_rig_delete(path);
	free(path);
}

/* The exit status of a script (without single quotes in it) that runs in the folder. */
GIT_RIG int git_rig_run(const char *folder, const char *script)
{
	char line[6000];
	(void)snprintf(line, sizeof line, "cd '%s' && " GIT_QUIET "sh -ec '%s' >/dev/null 2>&1", folder, script);
	return system(line);
}

/* The first line that the script prints. */
GIT_RIG void git_rig_ask(const char *folder, const char *script, char *ret_line, size_t size)
{
	char line[6000];
	(void)snprintf(line, sizeof line, "cd '%s' && " GIT_QUIET "sh -ec '%s' 2>/dev/null", folder, script);
	FILE *pipe = popen(line, "r");
	assert_non_null(pipe);
	ret_line[0] = '\0';
	if (fgets(ret_line, (int)size, pipe) != NULL)
		ret_line[strcspn(ret_line, "\n")] = '\0';
	(void)pclose(pipe);
}

GIT_RIG void git_rig_write(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

GIT_RIG size_t git_rig_read(const char *path, char *ret_bytes, size_t size)
{
	FILE *file = fopen(path, "r");
	if (file == NULL)
		fail_msg("no file %s", path);
	size_t len = fread(ret_bytes, 1, size - 1, file);
	ret_bytes[len] = '\0';
	(void)fclose(file);
	return len;
}

#endif
