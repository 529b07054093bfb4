/*
 * The plan as libberm's own files see it: everything spawn and the supervisor need, resolved and sorted, so that
 * nothing is allocated or looked up after the fork. Made by plan.c from capabilities and facts; read-only afterwards.
 */
#ifndef BERM_SANDBOX_PLAN_H
#define BERM_SANDBOX_PLAN_H

#include "base/glob.h"
#include "berm/berm.h"
#include "sandbox/spec.h"

/* Rights of a tree that are left out of its Landlock rule and exercised on behalf by the supervisor. Reading covers
 * folders too, because a denied folder may not be listed. The kernel wants READ_FILE for execve as well, so nothing below
 * a tree whose reading is governed can be started: the plan governs reading only where EXEC was not granted, and closes
 * denied names in other trees by masks, or by granting everything around them. */
enum plan_govern {
	GOVERN_READ = 1 << 0,  /* LL_FS_READ_FILE, READ_DIR: a deny line */
	GOVERN_WRITE = 1 << 1, /* WRITE_FILE, TRUNCATE, MAKE_*, REMOVE_*, REFER: a deny, protect or replace line */
};

/* Beside enum berm_right in the rights of a grant, alone: the folder may be listed, nothing else. Only without
 * namespaces, for folders on the way to a denied name; what else is in them is in `around`. */
enum { PLAN_LIST = 1 << 16 };

struct plan_grant {
	const char *path; /* canonical: no symbolic link in it when the plan was made */
	unsigned rights;  /* BERM_READ | WRITE | DELETE | EXEC, with those of the trees around it; or PLAN_LIST */
	bool tree;	  /* a folder and all below it, else this one file */
	bool exists;
	bool closed;	 /* a folder that is there for REPLACE rules alone: nothing in it is allowed but what one of
			    * them matches; everything is governed */
	unsigned govern; /* set of enum plan_govern */
};

/* What may be asked for where no grant covers it. */
struct plan_ask {
	const char *path; /* canonical, as far as it exists */
	unsigned rights;  /* BERM_READ | WRITE | DELETE */
	bool tree;
	const char *label; /* the line in words */
};

/* Symbolic links passed on the way to a grant: recreated in the hidden view. */
struct plan_link {
	const char *path, *target;
};

/* A name that is denied (masked by a mode-000 object where there are namespaces). */
struct plan_mask {
	const char *path;
	bool folder;
};

/* What a file says inside. */
struct plan_content {
	const char *path, *bytes;
	size_t len;
};

struct plan_scratch {
	const char *path;     /* canonical or literal if it does not exist */
	const char *variable; /* or NULL */
};

/* DENY holds for what the rule matches and for all below that; PROTECT and REPLACE for what it matches alone (a literal
 * one with tree: and all below). plan_rules_at knows; use it rather than the pattern. */
struct plan_rule {
	const char *path;	       /* a literal rule's canonical path, else NULL */
	const char *key;	       /* lower case; a path that the rule matches has this component. NULL: unknown */
	struct glob *pattern, *except; /* pattern is NULL in a literal rule; except may be NULL */
	unsigned right; /* BERM_DENY, BERM_PROTECT or BERM_REPLACE (pattern: the file and its siblings) */
	bool tree;	/* literal: and all below path */
	bool mkdir_only, in_place, removable;
	const char *beside;		/* or NULL */
	berm_judge judge;		/* or NULL */
	berm_judge_change judge_change; /* or NULL */
	size_t judge_max_bytes;
	const char *label;
};

enum plan_line_kind {
	PLAN_LINE_FIXED = 0, /* a guarantee, or what a running sandbox cannot change */
	PLAN_LINE_LIMIT,     /* the same, and more of it narrows */
	PLAN_LINE_EXTRA,     /* the same, and less of it narrows */
	PLAN_LINE_GRANT,     /* path, rights */
	PLAN_LINE_SOCKET,    /* path */
	PLAN_LINE_RULE,	     /* rights: DENY, PROTECT or REPLACE; path or pattern */
};
struct plan_line {
	const char *guarantee, *line, *enforcer, *note;
	enum berm_hold hold;
	/* what the line is about, for whoever changes a running sandbox */
	enum plan_line_kind kind;
	unsigned rights;
	const char *path; /* canonical if it exists; of a rule as written. NULL: none */
	const struct glob *pattern;
};

/* How connections get to the ends of a filtered network. */
enum plan_capture {
	PLAN_CAPTURE_NONE = 0,
	PLAN_CAPTURE_RULES, /* by rules of nf_tables in a network of its own; the supervisor tells of each */
	PLAN_CAPTURE_LED,   /* in a network of its own the supervisor leads each socket there */
	PLAN_CAPTURE_HOST, /* the ends are on the machine's loopback, behind the door of sup_door.c; led there as well */
};

struct berm_plan {
	enum berm_backend backend;	 /* NAMESPACES or LANDLOCK */
	bool hidden;			 /* a root of our own that holds only the grants */
	bool listener;			 /* install a listener (spec traps something) */
	bool wait_killable, sync_wakeup; /* listener features this kernel has */
	int landlock_abi;		 /* 0: none; only with the hidden view */
	uint64_t landlock_scoped;	 /* LL_SCOPE_* to ask for */
	uint64_t landlock_net;		 /* LL_NET_* to handle with no rule: nothing of it is allowed */
	enum berm_network network;
	enum plan_capture capture;
	bool pid_namespace, net_namespace, ipc_namespace, cgroup_namespace;
	bool user_is_root; /* host uid 0: /proc/sys and friends need read-only mounts */
	struct seccomp_spec spec;
	bool extra[BERM_EXTRA_COUNT];
	uint64_t limit[BERM_LIMIT_COUNT]; /* 0: none */
	const char *cgroup;		  /* v2 folder to make a child in, or NULL: rlimits */

	struct plan_grant *grants; /* sorted by strcmp: parents come before children; canonical and unique */
	size_t grant_count;
	struct plan_grant
		*around; /* for Landlock alone, without namespaces: names beside denied ones, which may be read
				    * and run (never changed) though the grant that they lie in gives that to nobody */
	size_t around_count;
	struct plan_ask *asks;
	size_t ask_count;
	bool allow_asked; /* nobody is asked: it is allowed */
	struct plan_link *links;
	size_t link_count;
	struct plan_mask *masks;
	size_t mask_count;
	struct plan_content *contents; /* with namespaces */
	size_t content_count;
	struct plan_scratch *scratches;
	size_t scratch_count;
	const char **sockets; /* canonical paths of granted Unix sockets */
	size_t socket_count;
	struct plan_rule
		*rules; /* the first literal_count are literal, sorted without regard to ASCII case, maybe repeated */
	size_t rule_count, literal_count;
	size_t judge_max_bytes; /* the largest of all rules; 0: no rule has a judge */
	struct plan_line *lines;
	size_t line_count;
	bool refused;		  /* a line is not held (only in a draft): must not be spawned */
	struct plan_owned *owned; /* the memory of all of it */
};

/* The longest grant that holds path: the path itself, or a tree above it. NULL: none. path is canonical. No heap. */
const struct plan_grant *plan_grant_at(const struct berm_plan *plan, struct str path);

/* The folder of path; "/" of "/x" and of "/". */
struct str plan_parent(struct str path);

/* The line by which path may be asked for: the longest one. NULL: none. No heap. */
const struct plan_ask *plan_ask_at(const struct berm_plan *plan, struct str path);

/* Walks the rules that hold for a path, or that may hold for something below it, in no particular order; the same rule
 * may come twice. "beside", in_place and alike are the caller's to look at. No heap; a handful of comparisons however
 * many rules there are.
 *	struct plan_cursor cursor = plan_rules_at(plan, path, fold_case);
 *	while ((rule = plan_rule_next(&cursor)) != NULL) */
struct plan_cursor {
	const struct berm_plan *plan;
	struct str path, rest; /* rest: what is left of path to look up by its components */
	uint32_t at;	       /* next rule of the chain that is being walked, as in the index */
	bool below, fold_case;
	int stage;
};
struct plan_cursor plan_rules_at(const struct berm_plan *plan, struct str path, bool fold_case);
struct plan_cursor plan_rules_below(const struct berm_plan *plan, struct str path, bool fold_case);
const struct plan_rule *plan_rule_next(struct plan_cursor *cursor);

/* Keeps the plan until one more berm_plan_free. A plan that was put together by hand (no owned memory) cannot be kept:
 * NULL. */
const struct berm_plan *plan_keep(const struct berm_plan *plan);

/* As berm_plan_make, but a line that cannot be held is a BERM_REFUSED line of the plan instead of a failure, and
 * refused is set. For berm doctor. */
MUST_USE enum berm_code plan_draft(const struct berm_caps *caps, const struct berm_facts *facts,
				   struct berm_plan **ret_plan, struct berm_err *err);
/* Inside a sandbox, memfd_create of this name gives a sealed memory file with the text of plan_export: what the outer
 * plan holds. Outside, the kernel makes an empty one that has no seals. */
#define PLAN_OUTER_NAME "berm-outer-plan"

/* The lines that this plan holds, for a berm that runs inside: "guarantee<TAB>line" each. On the heap, the caller frees;
 * NULL when memory is out. */
char *plan_export(const struct berm_plan *plan);

/* A grant that lies in a scratch folder (a workspace in /tmp) would get the scratch folder's Landlock rights, for these
 * hold for everything below. So what is governed in such a grant is governed in the whole scratch folder. */
unsigned plan_scratch_govern(const struct berm_plan *plan, const char *scratch);
/* Is the machine's own folder there, since it was granted itself? In the hidden view that is so of /dev/shm alone. */
bool plan_scratch_is_granted(const struct berm_plan *plan, const char *scratch);

/* The Landlock access bits of one grant on a kernel of this ABI: rights minus what is governed; only file rights
 * unless tree. A table, in landlock.c. */
uint64_t landlock_access(unsigned rights, unsigned govern, bool tree, int abi);
/* All file system bits this ABI can handle. */
uint64_t landlock_handled(int abi);

#endif
