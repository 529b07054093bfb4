/* Policies made of what is shipped alone. */
#ifndef BERM_TESTS_BUILTIN_RIG_H
#define BERM_TESTS_BUILTIN_RIG_H

#include "policy/builtin.h"
#include "policy/policy.h"

static const struct policy_doc *find_builtin(void *context, enum policy_doc_kind kind, const char *name,
					     struct problems *problems)
{
	(void)context;
	(void)problems;
	return builtin_find(kind, name);
}

static const char *builtin_name_at(void *context, enum policy_doc_kind kind, size_t index)
{
	(void)context;
	return kind == POLICY_DOC_GROUP && index < builtin_group_count ? builtin_groups[index].name : NULL;
}

__attribute__((unused)) static void free_policy(struct policy **policy)
{
	policy_free(*policy);
}
#define auto_policy __attribute__((cleanup(free_policy)))

static const struct policy_finder builtin_finder = {NULL, find_builtin, builtin_name_at};

#endif
