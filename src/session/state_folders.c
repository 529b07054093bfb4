#include "session/state_folders.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "format/path.h"
#include "policy/resolve.h"

enum { FOLDER_MODE = 0700 };

/* The folder of this name in fd, made if it is missing; fd is closed. Negative: it is a link, no folder, or closed. */
static int enter(int fd, struct str name)
{
	char text[NAME_MAX + 1];
	int next = -1;
	if (name.len < sizeof text) {
		memcpy(text, name.ptr, name.len);
		text[name.len] = '\0';
		(void)mkdirat(fd, text, FOLDER_MODE); /* it may be there */
		next = openat(fd, text, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	(void)close(fd);
	return next;
}

static void make(const char *home, const char *path)
{
	struct str name, rest = str_from(path + strlen(home));
	int fd = open(home, O_PATH | O_DIRECTORY | O_CLOEXEC);
	while (fd >= 0 && str_next(&rest, '/', &name))
		if (name.len > 0)
			fd = enter(fd, name);
	if (fd >= 0)
		(void)close(fd);
}

static bool is_meant(const struct policy_entry *entry, const char *home)
{
	return policy_attr_is(entry->line, ATTR_MAKE) && entry->off == NULL && entry->path != NULL &&
	       entry->layer != LAYER_PROJECT && strpbrk(entry->path, "*?[{\\") == NULL &&
	       path_is_in(str_from(entry->path), str_from(home));
}

void state_folders_make(const struct policy *policy, const struct policy_input *input)
{
	const char *home = input->home;
	if (home == NULL || home[0] != '/' || home[1] == '\0')
		return;
	for (size_t i = 0; i < policy->count; i++) {
		const struct policy_entry *entry = &policy->entries[i];
		if (is_meant(entry, home) && access(entry->path, F_OK) < 0 &&
		    policy_find_closing(policy, entry->path) == NULL)
			make(home, entry->path);
	}
}
