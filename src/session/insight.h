/*
 * Where a path leads as a sandbox with a given plan will see it: name by name, links followed where they can be seen, with
 * the machine's own permissions. Looks at the machine, changes nothing.
 */
#ifndef BERM_SESSION_INSIGHT_H
#define BERM_SESSION_INSIGHT_H

#include <limits.h>
#include <sys/stat.h>

#include "sandbox/plan_decide.h"

enum { INSIGHT_GROUPS = 256 };

/* A place that was found, or where the way to it ended. */
struct insight_place {
	char path[PATH_MAX]; /* canonical as far as it leads, the rest as it is written */
	int error;	     /* 0: it is there, as the sandbox sees it. ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG */
	bool last;	     /* ENOENT: only the last name is missing */
	enum plan_sight sight;
	struct stat st; /* of what is there; of what is the sandbox's own st_mode alone, 0: not known */
};

struct insight {
	const struct berm_plan *plan;
	uid_t uid; /* of whoever runs inside, where nobody has a capability */
	gid_t groups[INSIGHT_GROUPS];
	size_t group_count;
	char rest[PATH_MAX], text[PATH_MAX]; /* room for one search */
	struct insight_place nearby;
};
void insight_init(struct insight *insight, const struct berm_plan *plan);

/* path: absolute. follow: a final link is followed. */
void insight_find(struct insight *insight, const char *path, bool follow, struct insight_place *ret_place);
/* Do the machine's permissions let this user do that? bit: 4 read, 2 write, 1 run or search. */
bool insight_may(const struct insight *insight, const struct stat *st, unsigned bit);
/* Is the name there, as the sandbox sees it? A final link is not followed. */
bool insight_exists(struct insight *insight, struct str folder, const char *name);

#endif
