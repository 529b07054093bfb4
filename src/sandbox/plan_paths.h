/*
 * The names that a plan is about, as a tree of nodes by canonical path: symbolic links are resolved here, through a
 * handful of functions that look at the file system, so that tests can put a made-up one in its place. Each name is
 * looked at once; a folder of which many names are wanted is listed instead. The planner keeps its notes in the nodes.
 */
#ifndef BERM_SANDBOX_PLAN_PATHS_H
#define BERM_SANDBOX_PLAN_PATHS_H

#include "base/arena.h"
#include "base/vec.h"

enum seen { SEEN_UNKNOWN = 0, SEEN_MISSING, SEEN_FILE, SEEN_FOLDER, SEEN_LINK };

/* Called for each name in a folder; false stops the listing. */
typedef bool (*eyes_entry)(void *arg, struct str name, enum seen seen);

struct plan_eyes {
	void *ctx;
	/* What path names, links not followed; the target of a link goes to ret_target. What cannot be reached is missing. */
	enum seen (*look)(void *ctx, const char *path, char *ret_target, size_t size);
	/* True if this user can neither read, change, run nor search it, and does not own it. */
	bool (*closed)(void *ctx, const char *path);
	/* False if the folder could not be read to its end. seen may be SEEN_UNKNOWN. */
	bool (*list)(void *ctx, const char *path, eyes_entry entry, void *arg);
};

/* The file system of this process. */
extern const struct plan_eyes plan_eyes_real;

struct path_node {
	struct path_node *parent, *made_after, *made_before, *in_bucket;
	const char *path;   /* canonical, NUL-terminated */
	const char *target; /* of a link */
	uint32_t len, name_at, hash;
	uint32_t looks; /* how many names in this folder were looked at */
	enum seen seen;
	bool noted : 1;	 /* a link that is in links */
	bool whole : 1;	 /* a folder whose names all have nodes */
	bool listed : 1; /* found by listing its folder */

	/* ---- the planner's notes ---- */
	bool own_tree : 1;     /* own holds for all below as well */
	bool missing_tree : 1; /* so would missing */
	bool denied : 1;       /* by a deny line, here or above */
	bool masked : 1;       /* here */
	bool chain : 1;	       /* on the way to a denied name: what is around that is granted in its place */
	bool chain_listed : 1; /* all its names have nodes */
	bool chain_trap : 1;   /* and its reading is governed */
	bool chain_blind : 1;  /* and it cannot be listed */
	bool around : 1;       /* beside something denied, in a chain folder */
	bool closed : 1;       /* a folder with names that may be replaced */
	bool in_scratch : 1;
	bool told : 1;				     /* is in the plan's list of scratches already */
	bool walk : 1;				     /* looked through for names that a deny pattern matches */
	bool walked : 1;			     /* it was, by itself and not with a tree around it */
	bool walk_failed : 1;			     /* there were too many */
	bool walk_blind : 1;			     /* not all folders could be listed */
	unsigned own;				     /* rights granted by lines that name it, if it exists */
	unsigned missing;			     /* the same while it does not exist */
	unsigned inherited;			     /* rights of the trees around it */
	unsigned below;				     /* union of what is granted at it and below */
	uint32_t protect_here, deny_here, read_here; /* rules anchored here; later: here and below */
	uint32_t protect_deep, deny_deep, read_deep; /* such that hold for all below; later: here and above */
	const struct path_node *cover;		     /* whose grant covers it */
};

enum { PATHS_TARGET_SIZE = 4096 };

struct paths {
	const struct plan_eyes *eyes;
	struct arena *keep; /* paths and targets: they go into the plan */
	struct arena temp;  /* nodes */
	char *target;	    /* PATHS_TARGET_SIZE bytes */
	char *rest;	    /* as many, for a path that a link was put in front of */
	struct path_node **buckets;
	size_t bucket_count, node_count;
	struct path_node *root, *last; /* root.made_after ... last: parents come before what is in them */
	struct vec links;	       /* struct path_node *: passed on the way to something granted */
};

void paths_init(struct paths *paths); /* empty, with nothing to release yet */
/* keep outlives the paths; expected: about how many there will be. Errors: NOMEM. */
MUST_USE enum berm_code paths_start(struct paths *paths, const struct plan_eyes *eyes, struct arena *keep,
				    size_t expected, struct berm_err *err);
void paths_done(struct paths *paths);

enum {
	PATHS_NOTE_LINKS = 1 << 0, /* links that are passed go to links */
	PATHS_KEEP_LAST = 1 << 1,  /* the last name itself, not what it links to */
	PATHS_LASTING = 1 << 2,	   /* the text of path lives as long as the plan: a node may point into it */
};
/* The node of an absolute path. What does not exist has nodes as well. Errors: NOMEM. */
MUST_USE enum berm_code paths_resolve(struct paths *paths, struct str path, unsigned flags, struct path_node **ret_node,
				      struct berm_err *err);
/* Nodes for all names of a folder. *ret_whole: false if there are more than max, or they cannot be read. NOMEM. */
MUST_USE enum berm_code paths_list(struct paths *paths, struct path_node *folder, size_t max, bool *ret_whole,
				   size_t *ret_count, struct berm_err *err);

#endif
