/*
 * From a merged policy to what libberm is told: capabilities and environment of one run. Pure: everything about the
 * machine is passed in. What the default profile comes to: docs/default-policy.md.
 */
#ifndef BERM_POLICY_RESOLVE_H
#define BERM_POLICY_RESOLVE_H

#include "format/problem.h"
#include "policy/input.h"
#include "policy/policy.h"

/* Which line of the policy a capability comes from, in the order of the capabilities. */
struct policy_origin {
	const struct policy_entry *entry; /* NULL: a line of the run's own */
	const char *words;		  /* of such a line, "the workspace's repository"; else NULL */
};
struct policy_origins {
	struct policy_origin *items; /* policy_origins_done frees */
	size_t count, room;
};
void policy_origins_done(struct policy_origins *origins);

/* input->policy becomes capabilities. origins, problems: or NULL. Lines that are closed by another, though a person named them,
 * and lines that this version cannot hold are problems where they stand, all of them are told. Errors: INVALID (a path
 * that cannot be granted, or is closed), UNSUPPORTED (a line that cannot be held), PARSE (a pattern), LIMIT, NOMEM. */
MUST_USE enum berm_code policy_caps(const struct policy_input *input, struct berm_caps **ret_caps,
				    struct policy_origins *origins, struct problems *problems, struct berm_err *err);

/* Tells a run inside this one where the workspace's packages are kept. */
#define POLICY_PACKAGES_VARIABLE "BERM_PACKAGES"
/* Tells a program inside in which file of the input's denials_folder it can read what it was denied. */
#define POLICY_DENIALS_VARIABLE "BERM_DENIALS"
#define POLICY_DENIALS_FILE "denials.jsonl"
/* The environment of the run: what the policy passes and sets. On the heap, NULL-terminated; the caller frees with
 * str_free_all. Errors: NOMEM. */
MUST_USE enum berm_code policy_environment(const struct policy_input *input, char ***ret_envp, struct berm_err *err);

/* What the policy says of a limit; 0: nothing. Errors: PARSE. */
MUST_USE enum berm_code policy_limit(const struct policy *policy, enum berm_limit limit, uint64_t *ret_value,
				     struct berm_err *err);

/* The line that a denial names by its rule's words (the label, else the path or pattern), for this object. NULL: none of the policy's. */
const struct policy_entry *policy_find_rule(const struct policy *policy, const char *rule, const char *object);
/* The line that closes a path which nothing grants anyway, so that no flag opens it. NULL: none does. */
const struct policy_entry *policy_find_closing(const struct policy *policy, const char *object);

#endif
