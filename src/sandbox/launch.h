/*
 * One start of a plan: what spawn prepares in the caller (with the heap), and what the helper process and the agent
 * then use without it. The stages name what was being done when a start failed.
 */
#ifndef BERM_SANDBOX_LAUNCH_H
#define BERM_SANDBOX_LAUNCH_H

#include <linux/filter.h>
#include <signal.h>
#include <sys/types.h>

#include "base/err.h"
#include "sandbox/ends.h"
#include "sandbox/plan.h"
#include "sandbox/supervise.h"

#define LAUNCH_NO_PARENT ((size_t)-1)

enum { LAUNCH_STACK_SIZE = 64 * 1024, LAUNCH_DETAIL_SIZE = 200 };

enum launch_stage {
	STAGE_NONE = 0,
	STAGE_NAMESPACES, /* clone with the namespaces of the plan */
	STAGE_IDS,	  /* uid_map, gid_map */
	STAGE_VIEW,	  /* mounts; detail: the path */
	STAGE_LOOPBACK,
	STAGE_DROP,  /* capabilities, no_new_privs, dumpable */
	STAGE_AGENT, /* clone of the command's process */
	STAGE_LIMITS,
	STAGE_SESSION, /* session, process group, terminal */
	STAGE_CWD,
	STAGE_LANDLOCK,
	STAGE_SECCOMP,
	STAGE_STDIO,
	STAGE_EXEC,
	STAGE_COUNT
};

struct launch_failure {
	enum launch_stage stage; /* STAGE_NONE: nothing failed */
	int sys;
	char detail[LAUNCH_DETAIL_SIZE];
};

struct launch {
	const struct berm_plan *plan;
	const struct berm_command *command; /* borrowed from the caller of spawn; the fork copies it */
	struct supervisor *sup;		    /* NULL: nothing is on behalf */
	struct sock_filter *filter;
	size_t filter_len;
	char *cwd;	   /* where the command starts: its folder, the caller's, or NULL: where the helper is */
	char **envp;	   /* the final environment */
	char **programs;   /* paths to try, NULL-terminated */
	size_t *parents;   /* for each grant the nearest granted folder above it that exists, or LAUNCH_NO_PARENT */
	int *clones;	   /* for each grant: its tree while the visible view is being built */
	char *outer;	   /* plan_export, for a berm inside; or NULL */
	char *cgroup;	   /* folder made for this start, or NULL; the caller removes it */
	int cgroup_procs;  /* its cgroup.procs, or -1 */
	char *private_tmp; /* without namespaces: a folder made for this start, removed at its end; or NULL. The helper
			     * removes it; the caller, if the helper did not come to it */
	char *stack;	   /* LAUNCH_STACK_SIZE bytes for the agent's first steps */
	uid_t uid;
	gid_t gid;
	sigset_t mask;	 /* of the caller, given to the command */
	bool foreground; /* the caller is in the foreground of command->terminal */
	int control;	 /* the helper's end of the socket pair */
	void *region;	 /* addresses for later plans (live_image.h), or NULL */

	/* in the helper and the agent (which share memory until exec) */
	int proc_fd;		       /* the sandbox's /proc */
	int ruleset;		       /* Landlock; -1: none */
	int scratch_count;	       /* scratch folders that lie in grants, so far */
	int null_fd;		       /* /dev/null, open for both */
	int listener;		       /* -1: none */
	struct berm_network_ends ends; /* of a filtered network */
	int origins;		       /* where who began a connection is told; -1: nowhere */
	int host_fd; /* the host's tree as it is, out of reach of every path inside, for what is asked for; -1: none */
	struct launch_failure failure;
};

/* Notes the failure with the current errno and returns -1. detail may be NULL. */
int launch_fail(struct launch *launch, enum launch_stage stage, const char *detail);

/* In the caller, while the helper makes its namespaces: maps user and group onto themselves. 0, or -1. */
int ids_map(struct launch *launch, pid_t helper);

/* ---- in the helper process; 0, or -1 with launch->failure set; no heap ---- */
int ids_drop_bounding(struct launch *launch); /* what can go before the mounts and namespaces are all there */
int ids_drop(struct launch *launch);	      /* the rest: no capability, no_new_privs, not dumpable */
int view_build(struct launch *launch);
int landlock_build(struct launch *launch); /* fills launch->ruleset */
/* Starts the command: returns its pid, or -1. */
pid_t agent_start(struct launch *launch);
/* The helper's life from after the fork to its end. */
_Noreturn void keeper_main(struct launch *launch);

#endif
