/*
 * The default policy's protected names: what something outside the sandbox runs later without being told to. A table
 * of data with the reason beside each row; docs/default-policy.md is its prose.
 */
#ifndef BERM_POLICY_RULES_H
#define BERM_POLICY_RULES_H

#include <stddef.h>

#include "base/str.h"
#include "berm/berm.h"

struct policy_rule {
	const char *group; /* "git", "shell", "editor", "agent" */
	const char *why;   /* who runs it, and when */
	struct berm_rule rule;
};
extern const struct policy_rule policy_rules[];
extern const size_t policy_rule_count;

/* A judged git configuration, not removable; the pattern is to be filled in. */
extern const struct berm_rule policy_git_config;

/* The row that a denial names: by the rule's label, or its pattern. NULL: none of ours. */
const struct policy_rule *policy_rule_find(const char *label);

#endif
