/* All that is known about the machine and the run, for policies to be resolved by: passed in, so that policy is pure. */
#ifndef BERM_POLICY_INPUT_H
#define BERM_POLICY_INPUT_H

#include <limits.h>

#include "base/str.h"
#include "berm/berm.h"

/* A variable that the environment does not have, or not so: "$NPM_REGISTRIES" of hosts, "$GPG_AGENT_SOCK". */
struct policy_variable {
	const char *name;
	const char *const *values; /* NULL-terminated */
};

struct policy;

struct policy_input {
	const char *cwd;	     /* absolute: what relative flags start from */
	const char *workspace;	     /* absolute, or NULL: none */
	const char *workspace_cache; /* where packages are kept for the workspace alone, or NULL: nowhere */
	const char *git_common;	     /* a linked worktree's common git folder, or NULL */
	bool git;		     /* workspace is a git top level */
	/* What git runs or reads because a configuration says so (core.hooksPath, include.path), NULL-terminated, or NULL:
	 * protected like hooks. */
	const char *const *git_paths;
	/* What git reads or runs elsewhere because the user's own configuration says so, NULL-terminated, or NULL: granted,
	 * unless it is a secret. */
	const char *const *git_reads;
	const char *home;      /* absolute, as the user has it, or NULL */
	const char *real_home; /* the same without symbolic links; NULL: home has none */
	/* Symbolic links in the home folder and in those in it where settings are, absolute, NULL-terminated, or NULL: what is
	 * closed by way of one of these is closed where it leads. */
	const char *const *links;
	/* Where the kernel's file systems are mounted besides /proc, /sys and /dev, absolute, NULL-terminated, or NULL: on the
	 * floor, wherever that is. */
	const char *const *kernel_mounts;
	const char *const *envp; /* the environment berm was started with, NULL-terminated */
	const char *const
		*kept; /* what berm itself writes in this run, NULL-terminated, or NULL: nothing inside changes it */
	/* The folder where the sandbox may read what it was denied, and berm's own program, which tells of it; absolute, or NULL.
	 * Granted unless a line closes them. */
	const char *denials_folder, *program;
	const struct policy *policy; /* for policy_caps and policy_environment; policy_make does not look at it */
	bool look; /* policy_caps: nothing is started, so lines that this version cannot hold are problems and no failure */
	/* Is this path there, and may the user read it? Asked for what the default policy grants, and for the secrets below
	 * /etc that it closes: where the answer is no, no line is needed. NULL: yes. */
	bool (*readable)(const char *path);
	/* Where does this path lead without symbolic links? False: nowhere. Asked for what variables name. NULL: as it is. */
	bool (*resolve)(const char *path, char ret_real[static PATH_MAX]);
	/* Further secrets of the system that the user may read (root: what others may not), NULL-terminated, or NULL. */
	const char *const *closed;
	/* What conditions ask: as in when.os and when.arch, NULL: what berm was built for; distro: ID and then ID_LIKE of
	 * os-release, separated by spaces, or NULL. */
	const char *os, *arch, *distro;
	uint32_t uid; /* what "$UID" is */
	unsigned
		answerers; /* set of 1 << enum policy_approver_kind (approvers.h): who could be asked if the policy names him */
	/* Berm's own, absolute, or NULL: nothing inside touches them. runtime: where sockets of sessions may be. */
	const char *config_folder, *state_folder, *runtime_folder;
	const struct policy_variable *variables; /* these come before what the table of variables says */
	size_t variable_count;
	/* Asked for variables that are not among these, for what is only looked for if a policy names it; the values live as
	 * long as the policy. NULL-terminated; NULL: nothing is known. NULL: nobody is asked. */
	const char *const *(*values)(void *context, const char *name);
	void *values_context;
	/* For policy_environment: "NAME=VALUE" for variables that nothing else sets, NULL-terminated, or NULL. */
	const char *const *also;
};

#endif
