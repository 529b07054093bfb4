/*
 * What this kernel, user and container can hold, as one number a fact. Everything is found by trying it, never from a
 * version number. The plan reads nothing of the machine but this (and paths).
 */
#ifndef BERM_SANDBOX_FACTS_H
#define BERM_SANDBOX_FACTS_H

#include "base/str.h"
#include "berm/berm.h"

enum fact {
	FACT_LANDLOCK_ABI,
	FACT_LANDLOCK_ERRATA,
	FACT_SECCOMP_FILTER,
	FACT_SECCOMP_LISTENER,
	FACT_SECCOMP_WAIT_KILLABLE,
	FACT_SECCOMP_SYNC_WAKEUP,
	FACT_SECCOMP_ADDFD,
	FACT_PIDFD_GETFD,
	FACT_PROCESS_VM,
	FACT_PTRACE,
	FACT_USER_NAMESPACE,
	FACT_MOUNT_NAMESPACE,
	FACT_PID_NAMESPACE,
	FACT_NET_NAMESPACE,
	FACT_IPC_NAMESPACE,
	FACT_UTS_NAMESPACE,
	FACT_CGROUP_NAMESPACE,
	FACT_OPEN_TREE,
	FACT_MOUNT_SETATTR,
	FACT_PROC_MOUNT,
	FACT_TMPFS_MOUNT,
	FACT_DEVPTS_MOUNT,
	FACT_MOVE_MOUNT_LINK,
	FACT_OVERLAY,
	FACT_LOOPBACK_UP,
	FACT_NF_TABLES,
	FACT_CGROUP_MEMORY,
	FACT_CGROUP_PIDS,
	FACT_CGROUP_CPU,
	FACT_UID,
	FACT_IS_ROOT,
	FACT_CAPS,
	FACT_NO_NEW_PRIVS,
	FACT_IN_CONTAINER,
	FACT_OUTER_LANDLOCK,
	FACT_OUTER_PLAN,
	FACT_YAMA,
	FACT_APPARMOR_USERNS,
	FACT_USERNS_SYSCTL,
	FACT_COUNT
};

struct fact_info {
	const char *name;
	const char *about;   /* what it is, in words that go after "needs" */
	const char *improve; /* what would bring it about; NULL: nothing to improve */
	bool assumed;	     /* facts_probe_quick takes it as there, since only a child can try it */
};
extern const struct fact_info fact_table[FACT_COUNT];

/* One line that an outer berm holds. */
struct outer_line {
	struct str guarantee, line;
};

struct berm_facts {
	long value[FACT_COUNT];
	char kernel[64];   /* for showing only */
	char cgroup[1024]; /* the v2 folder in which the controllers were delegated, "" if there is none */
	char *outer_text;
	struct outer_line *outer; /* sorted; points into outer_text */
	size_t outer_count;
};

/* For a start that cannot wait: asks what can be asked without side effects and takes the rest as there (some 10 us).
 * If spawn then fails with UNSUPPORTED: berm_facts_probe, and plan again. Knows nothing of cgroups. */
MUST_USE enum berm_code facts_probe_quick(struct berm_facts **ret_facts, struct berm_err *err);
/* Looks for a delegated cgroup folder (some 60 us); try: also puts a throw-away process into a child of it. */
void facts_probe_cgroup(struct berm_facts *facts, bool try);

/* The same machine without namespaces and mounts. */
void facts_without_namespaces(struct berm_facts *facts);
/* What a berm around this one holds, as plan_export wrote it there; sets outer_plan. Errors: PARSE (with the line's
 * number), LIMIT, NOMEM; the facts are as before. */
MUST_USE enum berm_code facts_set_outer(struct berm_facts *facts, const char *text, size_t len, struct berm_err *err);
/* Does the outer berm hold exactly this line? */
bool facts_outer_holds(const struct berm_facts *facts, struct str guarantee, struct str line);

/* The outer berm's lines of one guarantee: start with *cursor = 0; false after the last. */
bool facts_outer_next(const struct berm_facts *facts, struct str guarantee, size_t *cursor, struct str *ret_line);

/* What would bring a missing fact about on this very machine; never NULL. */
const char *facts_improve(const struct berm_facts *facts, enum fact fact);

/* ---- between facts.c, facts_try.c and facts_cgroup.c ---- */
/* Tries in throw-away children what only they can find out, and fills it in. A child that hangs or dies leaves what it
 * did not come to at 0. */
MUST_USE enum berm_code facts_try(struct berm_facts *facts, struct berm_err *err);
/* Can a throw-away child move itself into the cgroup with this cgroup.procs? */
bool facts_try_join(const char *procs_path);

#endif
