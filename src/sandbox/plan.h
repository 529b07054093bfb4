/*
 * The plan as libberm's own files see it: everything spawn and the supervisor need, resolved and sorted, so that
 * nothing is allocated or looked up after the fork. Made by plan.c from capabilities and facts; read-only afterwards.
 */
#ifndef BERM_SANDBOX_PLAN_H
#define BERM_SANDBOX_PLAN_H

#include "base/glob.h"
#include "berm/berm.h"
#include "sandbox/spec.h"

/* Rights of a tree that are left out of its Landlock rule and exercised on behalf by the supervisor. */
enum plan_govern {
	GOVERN_READ = 1 << 0,  /* LL_FS_READ_FILE: a deny line */
	GOVERN_WRITE = 1 << 1, /* WRITE_FILE, TRUNCATE, MAKE_*, REMOVE_*, REFER: a deny, protect or replace line */
};

struct plan_grant {
	char *path;	   /* canonical: no symbolic link in it when the plan was made */
	unsigned rights;   /* BERM_READ | WRITE | DELETE | EXEC */
	bool tree;	   /* a folder and all below it, else this one file */
	bool exists;
	unsigned govern;   /* set of enum plan_govern */
};

/* Symbolic links passed on the way to a grant: recreated in the hidden view. */
struct plan_link {
	char *path, *target;
};

/* A name that is denied (masked by a mode-000 object where there are namespaces). */
struct plan_mask {
	char *path;
	bool folder;
};

struct plan_scratch {
	char *path;	/* canonical or literal if it does not exist */
	char *variable; /* or NULL */
};

struct plan_rule {
	struct glob *pattern, *except; /* except may be NULL */
	unsigned right;		       /* BERM_DENY, BERM_PROTECT or BERM_REPLACE (pattern: the file and its siblings) */
	char *beside;		       /* or NULL */
	bool mkdir_only, in_place, removable;
	berm_judge judge; /* or NULL */
	size_t judge_max_bytes;
	char *label;
};

struct plan_line {
	char *guarantee, *line, *enforcer, *note;
	enum berm_hold hold;
};

struct berm_plan {
	enum berm_backend backend; /* NAMESPACES or LANDLOCK */
	bool hidden;		   /* a root of our own that holds only the grants */
	bool listener;		   /* install a listener (spec traps something) */
	bool wait_killable, sync_wakeup; /* listener features this kernel has */
	int landlock_abi;	   /* 0: none; only with the hidden view */
	uint64_t landlock_scoped;  /* LL_SCOPE_* to ask for */
	uint64_t landlock_net;	   /* LL_NET_* to handle with no rule: nothing of it is allowed */
	enum berm_network network;
	bool pid_namespace, net_namespace, ipc_namespace, cgroup_namespace;
	bool user_is_root;	   /* host uid 0: /proc/sys and friends need read-only mounts */
	struct seccomp_spec spec;
	bool extra[BERM_EXTRA_COUNT];
	uint64_t limit[BERM_LIMIT_COUNT]; /* 0: none */
	char *cgroup;			  /* v2 folder to make a child in, or NULL: rlimits */

	struct plan_grant *grants; /* sorted by path, byte order: parents come before children; canonical and unique */
	size_t grant_count;
	struct plan_link *links;
	size_t link_count;
	struct plan_mask *masks;
	size_t mask_count;
	struct plan_scratch *scratches;
	size_t scratch_count;
	char **sockets; /* canonical paths of granted Unix sockets */
	size_t socket_count;
	struct plan_rule *rules;
	size_t rule_count;
	struct plan_line *lines;
	size_t line_count;
};

/* The Landlock access bits of one grant on a kernel of this ABI: rights minus what is governed; only file rights
 * unless tree. A table, in landlock.c. */
uint64_t landlock_access(unsigned rights, unsigned govern, bool tree, int abi);
/* All file system bits this ABI can handle. */
uint64_t landlock_handled(int abi);

#endif
