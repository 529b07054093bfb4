/* A temporary folder of a test's own, and its end. */
#ifndef BERM_FOLDER_RIG_H
#define BERM_FOLDER_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* path: an array that ends in "XXXXXX", or in what an earlier folder was called there. 0, or -1. */
static inline int folder_make(char *path)
{
	memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	return mkdtemp(path) != NULL ? 0 : -1;
}

/* With all that is in it. 0, or -1. */
static inline int folder_remove(const char *path)
{
	char command[256];
	(void)snprintf(command, sizeof command, "rm -rf '%s'", path);
	return system(command) == 0 ? 0 : -1;
}

#endif
