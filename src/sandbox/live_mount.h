/* The work of the process that changes a running sandbox's mounts; for live_mount.c and live_worker.c only. */
#ifndef BERM_SANDBOX_LIVE_MOUNT_H
#define BERM_SANDBOX_LIVE_MOUNT_H

#include <sys/types.h>

#include "sandbox/live.h"

/* What is mounted, and where it comes from. */
struct work_entry {
	const char *path;
	enum live_kind kind;
	uint64_t attributes;
	int fd; /* its clone */
};
/* A tree of mounts that appears as one: entries[first], with the others mounted in it. */
struct work_tree {
	size_t first, count;
	bool make; /* its place is made in the view's own root, or in scratch space */
	int fd;
};
/* A tree comes, or the topmost mount at a path goes. */
struct work_op {
	const char *path; /* NULL: trees[tree] comes */
	size_t tree;
	bool must; /* the sandbox can move what it lies in, so that it is not there proves nothing */
};

struct live_work {
	int user_fd, mount_fd; /* borrowed */
	int channel;	       /* our end, then the process's */
	pid_t pid;	       /* 0: it has ended */
	bool hidden, tried;
	struct work_entry *masks; /* first of what narrows: over what stays where it is */
	struct work_op *narrow, *widen;
	struct work_entry *entries;
	struct work_tree *trees;
	const struct plan_link *links;
	size_t mask_count, narrow_count, widen_count, entry_count, tree_count, link_count;
	struct vec mounts; /* struct live_mount: what the sandbox has afterwards */
};

enum work_step { WORK_PREPARED = 1, WORK_NARROWED, WORK_WIDENED };
struct work_answer {
	int step, error; /* the step that is done, or that failed with this errno */
	char path[200];
};

/* live_worker.c: from after the fork to its end; no heap. */
_Noreturn void live_worker_main(struct live_work *work);

#endif
