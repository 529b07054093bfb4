/*
 * Groups and profiles that are shipped in the program: constants, sorted by name. tools/builtin.c makes them from groups
 * and profiles when berm is built.
 */
#ifndef BERM_POLICY_BUILTIN_H
#define BERM_POLICY_BUILTIN_H

#include "policy/doc.h"

extern const struct policy_doc builtin_groups[], builtin_profiles[];
extern const size_t builtin_group_count, builtin_profile_count;

/* Which profile names a program, sorted by program. */
struct builtin_program {
	const char *name;
	const struct policy_doc *profile;
};
extern const struct builtin_program builtin_programs[];
extern const size_t builtin_program_count;

/* NULL: there is none of that name. */
const struct policy_doc *builtin_find(enum policy_doc_kind kind, const char *name);
/* The profile that names this program ("claude"); NULL: none. */
const struct policy_doc *builtin_for_program(const char *program);

#endif
