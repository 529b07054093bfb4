#include "base/own.h"
#include "cli/policy_commands.h"

static const struct option_row rows[] = {
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set words_option_set = {.rows = rows, .count = ARRAY_LEN(rows)};

const struct command policy_commands[] = {
	{
		.name = "policy schema",
		.run = cmd_policy_schema,
		.options = &policy_schema_option_set,
		.operands = "",
		.summary = "the JSON Schema of policy files, for editors",
		.about = "Prints the JSON Schema (2020-12) of policy files. An editor that knows it completes keys and "
			 "marks mistakes; docs/policy-reference.md is the same for readers.",
	},
	{
		.name = "policy apply",
		.run = cmd_policy_apply,
		.options = &policy_apply_option_set,
		.operands = "SESSION FILE",
		.takes_files = true,
		.summary = "change the policy of a session that runs",
		.about = "Gives a running session one more policy file, as if the run had been started with it, and "
			 "prints for "
			 "each line that differs whether it is in force now, for new opens only (what is open stays), "
			 "or "
			 "with the next run. A file applied later takes its place. Status 1: the file was refused, and "
			 "the "
			 "policy in force stays.",
	},
	{
		.name = "policy floor",
		.run = cmd_policy_floor,
		.options = &policy_floor_option_set,
		.operands = "",
		.summary = "what nothing ever grants",
		.about = "Prints the floor: what no policy, flag, profile or approval grants, and why.",
	},
	{.name = NULL},
};
