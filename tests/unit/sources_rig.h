/* A folder with files for tests of where policies come from. */
#ifndef BERM_TESTS_SOURCES_RIG_H
#define BERM_TESTS_SOURCES_RIG_H

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"

enum { PLACE_PATH = 256 };

struct place_rig {
	char root[64];
};

static int place_setup(void **state)
{
	static struct place_rig place;
	(void)umask(022);
	(void)snprintf(place.root, sizeof place.root, "/tmp/berm-sources-XXXXXX");
	if (mkdtemp(place.root) == NULL)
		return -1;
	*state = &place;
	return 0;
}

static int place_remove(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	(void)walk;
	return remove(path);
}

static int place_teardown(void **state)
{
	const struct place_rig *place = *state;
	return nftw(place->root, place_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* ROOT/NAME, in one of a few buffers. */
static const char *in_place(const struct place_rig *place, const char *name)
{
	static char paths[16][PLACE_PATH];
	static unsigned next;
	char *path = paths[next++ % 16];
	(void)snprintf(path, PLACE_PATH, "%s/%s", place->root, name);
	return path;
}

static void place_folders(const struct place_rig *place, const char *name)
{
	char path[PLACE_PATH];
	(void)snprintf(path, sizeof path, "%s/%s", place->root, name);
	for (char *slash = strchr(path + strlen(place->root) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
}

/* Writes ROOT/NAME and the folders above it. */
static void place_put(const struct place_rig *place, const char *name, const char *text)
{
	place_folders(place, name);
	auto_fd int fd = open(in_place(place, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

#define on_place(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

#endif
