/* Target: git_link_judge. The first byte chooses the file, the rest is its content; what is taken leads to a resolved
 * absolute path below the same top folder. */
#include <stdlib.h>
#include <string.h>

#include "format/git_link.h"
#include "format/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const targets[] = {
		"/home/u/w/.git",
		"/home/u/p/.git/worktrees/w/commondir",
		"/home/u/p/.git/worktrees/w/gitdir",
		"/home/u/p/elsewhere/commondir",
	};
	char reason[64], resolved[GIT_LINK_PATH_MAX];
	struct str path;
	if (size == 0)
		return 0;
	const char *target = targets[data[0] % 4];
	bool taken = git_link_judge(target, data + 1, size - 1, reason, sizeof reason);
	if (taken != (reason[0] == '\0') || memchr(reason, '\0', sizeof reason) == NULL)
		abort();
	if (!taken)
		return 0;
	struct str folder = {target, (size_t)(strrchr(target, '/') - target)};
	if (!git_link_parse(git_link_kind_of(str_from(target)), (struct span){data + 1, size - 1}, &path) ||
	    !path_resolve(folder, path, resolved, sizeof resolved))
		abort();
	if (strncmp(resolved, "/home/", 6) != 0 || strstr(resolved, "/../") != NULL ||
	    strstr(resolved, "/.git") == NULL)
		abort();
	return 0;
}
