/*
 * From a path as it is written in a policy ("~/.ssh", "./build", "$CARGO_HOME/bin") to the absolute ones it stands
 * for. The table of variables: docs/layers.md. What the environment names is granted only if it is harmless.
 */
#ifndef BERM_POLICY_POLICY_VARS_H
#define BERM_POLICY_POLICY_VARS_H

#include "base/arena.h"
#include "policy/input.h"

/* What the path is for. */
enum policy_use {
	POLICY_USE_GRANT = 0, /* what the environment names must be harmless */
	POLICY_USE_SOCKET,    /* the same, for a path by itself: what is around it may be wide */
	POLICY_USE_GUARD,     /* denied, protected, asked: every value that the variable may have */
	POLICY_USE_PLAIN,     /* what the environment says, else what stands for it */
};

struct policy_vars_cache;
struct policy_vars {
	const struct policy_input *input;
	struct arena *arena;
	const char *home, *real_home; /* without a slash at the end; NULL: none */
	const char **closed; /* denied paths, set by the caller before the first grant; sorted when they are needed */
	size_t closed_count;
	bool closed_sorted;
	struct policy_vars_cache *cache;
};

struct policy_vars_request {
	const char *text;
	const char *folder; /* what "." and relative paths mean; NULL: they stand for nothing */
	enum policy_use use;
	bool pattern; /* a glob: what is put in is escaped; "**" at the beginning stays */
	bool shipped; /* what is not there need not be looked at closer */
};
/* paths points to one, or to memory of the arena: do not copy. */
struct policy_vars_paths {
	const char *one[2];
	const char *const *paths; /* NULL-terminated */
};

/* What it gives out lives in arena. Errors: NOMEM. */
MUST_USE enum berm_code policy_vars_init(struct policy_vars *vars, const struct policy_input *input,
					 struct arena *arena, struct berm_err *err);
/* The paths that the text stands for; none: a variable that is not set, no home, no workspace. Errors: PARSE (no such
 * variable, another's home, above "/", too long), NOMEM. */
MUST_USE enum berm_code policy_vars_paths(struct policy_vars *vars, const struct policy_vars_request *request,
					  struct policy_vars_paths *ret_paths, struct berm_err *err);
/* The hosts that "$NAME" stands for, NULL-terminated; NULL: none. Errors: PARSE (no such variable). */
MUST_USE enum berm_code policy_vars_hosts(const struct policy_vars *vars, const char *text,
					  const char *const **ret_hosts, struct berm_err *err);
/* "$CARGO_HOME" for "$CARGO_HOM/bin"; NULL: nothing is near. */
const char *policy_vars_nearest(const char *text);
/* "~" for "$HOME/x": what is written here instead of a variable that is none; NULL: nothing. */
const char *policy_vars_instead(const char *text);
/* May a folder that the environment names be granted? Not a wide one, none that holds the home folder or a denied path;
 * with around none in a denied path. What counts is also where it leads. */
bool policy_vars_is_harmless(struct policy_vars *vars, const char *path, bool around);
/* Does the pattern hold more than one name: has it a wildcard that is not escaped? */
bool policy_vars_is_wild(const char *pattern);
/* A pattern that is not wild without its escapes: the pattern itself, or ret_path. */
const char *policy_vars_plain(const char *pattern, char ret_path[static PATH_MAX]);

#endif
