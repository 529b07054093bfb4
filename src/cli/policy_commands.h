/*
 * The words of "berm policy", "berm profile", "berm group" and "berm cache", a table each. To add one: a file cmd_policy_<word>.c with
 * its option table and its function, a declaration here, a row in cmd_policy.c. Help, completions and the man page come
 * from the row. A word that resolves a policy has `.policy = &run_option_set` in its option_set and a struct that
 * begins with a struct run_choices: it then takes the same flags as "berm run".
 */
#ifndef BERM_CLI_POLICY_COMMANDS_H
#define BERM_CLI_POLICY_COMMANDS_H

#include "cli/commands.h"

/* Each ends with a row without a name. */
extern const struct command policy_commands[], profile_commands[], group_commands[], cache_commands[];

int cmd_policy_check(const struct command *self, const char *const *argv);
int cmd_policy_show(const struct command *self, const char *const *argv);
int cmd_policy_diff(const struct command *self, const char *const *argv);
int cmd_policy_test(const struct command *self, const char *const *argv);
int cmd_policy_accept(const struct command *self, const char *const *argv);
int cmd_policy_schema(const struct command *self, const char *const *argv);
int cmd_policy_floor(const struct command *self, const char *const *argv);
int cmd_policy_import(const struct command *self, const char *const *argv);
int cmd_policy_apply(const struct command *self, const char *const *argv);
extern const struct option_set policy_check_option_set, policy_show_option_set, policy_diff_option_set,
	policy_test_option_set, policy_accept_option_set, policy_schema_option_set, policy_floor_option_set,
	policy_import_option_set, policy_apply_option_set;

int cmd_profile_new(const struct command *self, const char *const *argv);
extern const struct option_set profile_new_option_set;

#endif
