#include "base/env.h"

#include <string.h>

const char *env_get(const char *const *envp, const char *name)
{
	size_t len = strlen(name);
	for (; envp != NULL && *envp != NULL; envp++) {
		if (strncmp(*envp, name, len) == 0 && (*envp)[len] == '=')
			return *envp + len + 1;
	}
	return NULL;
}
