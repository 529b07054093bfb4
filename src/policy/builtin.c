#include "policy/builtin.h"

#include <stdlib.h>
#include <string.h>

static int compare_doc(const void *name, const void *item)
{
	const struct policy_doc *doc = item;
	return strcmp(name, doc->name);
}

static int compare_program(const void *name, const void *item)
{
	const struct builtin_program *program = item;
	return strcmp(name, program->name);
}

const struct policy_doc *builtin_find(enum policy_doc_kind kind, const char *name)
{
	if (kind == POLICY_DOC_GROUP)
		return bsearch(name, builtin_groups, builtin_group_count, sizeof *builtin_groups, compare_doc);
	if (kind == POLICY_DOC_PROFILE)
		return bsearch(name, builtin_profiles, builtin_profile_count, sizeof *builtin_profiles, compare_doc);
	return NULL;
}

const struct policy_doc *builtin_for_program(const char *program)
{
	const struct builtin_program *found =
		bsearch(program, builtin_programs, builtin_program_count, sizeof *builtin_programs, compare_program);
	return found != NULL ? found->profile : NULL;
}
