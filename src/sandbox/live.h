/*
 * A running sandbox gets another plan: what the caller keeps for that, and the parts of one update in calling order.
 * Landlock's rules and the filter stay as they were at the start; mounts and the supervisor's plan change. So an update
 * first finds out what those two can hold (live_rights.c), makes the mounts that narrow (live_mount.c), swaps the plan
 * (live_image.c), and then makes the mounts that widen. docs/decisions/008-live-changes.md.
 */
#ifndef BERM_SANDBOX_LIVE_H
#define BERM_SANDBOX_LIVE_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/vec.h"
#include "sandbox/plan.h"

/* ---- mounts ------------------------------------------------------------------------------------------------------ */

enum live_kind {
	LIVE_TREE = 0,
	LIVE_FILE,
	LIVE_MASK_FILE,
	LIVE_MASK_FOLDER,
	LIVE_SCRATCH,
	LIVE_COVER, /* an empty folder in which only further mounts are seen */
};
/* One that the sandbox has, or is to have. */
struct live_mount {
	const char *path;
	enum live_kind kind;
	uint64_t attributes; /* of a grant */
	size_t parent;	     /* the mount it is mounted on; LIVE_ROOT: the view's own root */
	bool gone;
};
#define LIVE_ROOT ((size_t)-1)

/* ---- what lasts -------------------------------------------------------------------------------------------------- */

struct live {
	const struct berm_plan *base;	       /* the sandbox was started with it; NULL: it cannot be changed */
	const struct berm_plan *now;	       /* the one in force, as it was given */
	const struct berm_plan *before, *told; /* whose lines the changes name: the one before, and one that failed */
	struct plan_grant *grants;	       /* what is granted in force; NULL: the base's */
	size_t grant_count;
	struct arena texts; /* of mounts and notes */
	struct vec mounts;  /* struct live_mount, in the order in which they came to be; filled at the first update */
	struct vec changes; /* struct berm_change, of the last update */
	struct vec pending; /* const char *: lines of the plan in force that wait for the next run */
	void *region;
	uint64_t generation; /* from 1 */
	int reply_fd;	     /* the helper's acknowledgements; -1: not asked for yet */
	int user_fd, mount_fd;
	bool mounts_known; /* false after an update was cut short: then no mount is changed any more */
	bool lost;	   /* the helper did not answer: what it holds is not known */
	atomic_flag busy;
};

void live_begin(struct live *live, const struct berm_plan *plan);
void live_done(struct live *live);

/* ---- one update -------------------------------------------------------------------------------------------------- */

struct live_step {
	const struct berm_plan *base, *now, *next;
	const struct plan_grant *old_grants;
	size_t old_count;
	bool can_mount;
	struct plan_grant
		*grants; /* what will be granted: the next plan's, less what cannot be had, more of it governed */
	unsigned *here;	 /* for each of them the rights that will be in force */
	size_t grant_count;
	struct vec loose;   /* const char *: here or below more stays open than the plan says */
	struct vec unruled; /* const char *: granted trees in which the rules of the plan cannot hold */
	struct vec unshown; /* grants of next that the view has no place for: in scratch folders in granted ones */
	struct arena paths; /* of masks that were found */
	struct vec
		walked; /* const char *: trees in which names were looked for and masked, and new ones of the host are not */
	struct vec masks; /* struct plan_mask: the plan's and those in place of a grant that Landlock still has */
};
void live_step_init(struct live_step *step, const struct live *live, const struct berm_plan *next);
void live_step_done(struct live_step *step);

/* live_rights.c: fills the rest. Errors: NOMEM. */
MUST_USE enum berm_code live_find_rights(struct live_step *step, struct berm_err *err);
/* The rights in force afterwards at a path, of those that the plan grants. */
unsigned live_rights_here(const struct live_step *step, const char *path);

/* live_walk.c: adds a mask for each name below folder that a deny line of the next plan matches. *ret_whole: all of it
 * was looked through. */
MUST_USE enum berm_code live_mask_denied(struct live_step *step, const char *folder, bool *ret_whole,
					 struct berm_err *err);

/* live_report.c: what becomes of each line that differs. *ret_failed: the first that narrows and cannot be put in force,
 * or NULL. */
MUST_USE enum berm_code live_report(struct live *live, const struct live_step *step, struct vec *changes,
				    const char **ret_failed, struct berm_err *err);

/* live_mount.c */
struct live_work; /* the process that mounts, and what it is to do */
/* Nothing to do: *ret_work is NULL. The work is prepared, and nothing is changed yet. */
MUST_USE enum berm_code live_mount_prepare(struct live *live, const struct live_step *step, struct live_work **ret_work,
					   struct berm_err *err);
MUST_USE enum berm_code live_mount_narrow(struct live_work *work, struct berm_err *err); /* takes NULL */
MUST_USE enum berm_code live_mount_widen(struct live_work *work, struct berm_err *err);	 /* takes NULL */
/* done: all of it was put in force, and becomes what the sandbox has. Else, if anything was tried, the mounts are unknown
 * from now on. */
void live_mount_end(struct live *live, struct live_work *work, bool done); /* takes NULL */

#endif
