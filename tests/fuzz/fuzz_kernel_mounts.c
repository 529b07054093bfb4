/* Target: kernel_mounts_parse. What it finds is a path of the text, without the escapes, and none of the usual ones. */
#include <stdlib.h>
#include <string.h>

#include "session/kernel_mounts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct berm_err err;
	char **paths = NULL;
	if (kernel_mounts_parse((struct str){(const char *)data, size}, &paths, &err) != BERM_OK) {
		if (paths != NULL)
			abort();
		return 0;
	}
	for (size_t i = 0; paths[i] != NULL; i++)
		if (strlen(paths[i]) > size || strcmp(paths[i], "/proc") == 0 || strncmp(paths[i], "/sys/", 5) == 0)
			abort();
	str_free_all(paths);
	return 0;
}
