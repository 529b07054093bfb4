#include "base/own.h"
#include "cli/policy_commands.h"

static const struct option_row rows[] = {
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set words_option_set = {.rows = rows, .count = ARRAY_LEN(rows)};

const struct command policy_commands[] = {
	{
		.name = "policy check",
		.run = cmd_policy_check,
		.options = &policy_check_option_set,
		.operands = "[FILE...]",
		.takes_files = true,
		.summary = "look for mistakes, run the tests, plan for this machine",
		.about = "Loads and merges what a run here would go by, or each FILE as a profile, runs its tests, and "
			 "plans for this machine. Each mistake is told with its file, line and column and a way out. "
			 "Starts nothing.",
	},
	{
		.name = "policy show",
		.run = cmd_policy_show,
		.options = &policy_show_option_set,
		.operands = "",
		.summary = "the policy as it would be in force",
		.about = "Prints every line of the policy that a run here would go by, after profiles, groups, the "
			 "user's file, the project's and flags have been merged.",
	},
	{
		.name = "policy diff",
		.run = cmd_policy_diff,
		.options = &policy_diff_option_set,
		.operands = "A B",
		.takes_files = true,
		.summary = "what one policy says and another does not",
		.about = "Compares two profiles, by name or file, line by line, and says of each difference whether B "
			 "is wider or narrower for it. Exit status 1: they differ.",
	},
	{
		.name = "policy test",
		.run = cmd_policy_test,
		.options = &policy_test_option_set,
		.operands = "[FILE...]",
		.takes_files = true,
		.summary = "run the tests that a policy brings along",
		.about = "Runs the tests of what a run here would go by, or of each FILE as a profile, a line each. "
			 "Exit status 1: one failed. A policy that fails its own tests starts nothing.",
	},
	{
		.name = "policy accept",
		.run = cmd_policy_accept,
		.options = &policy_accept_option_set,
		.operands = "",
		.summary = "agree to what the project's file wants",
		.about = "Shows what the .berm.yaml of the project wants beyond what is granted, asks at the terminal, "
			 "and keeps the consent for this content of the file. With --accept-hash nobody is asked: "
			 "the hash is what --show prints.",
	},
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
		.name = "policy import",
		.run = cmd_policy_import,
		.options = &policy_import_option_set,
		.operands = "FILE",
		.takes_files = true,
		.summary = "a policy from the settings of another sandbox",
		.about = "Writes what FILE says, the settings of sandbox-runtime (srt) or Claude Code, or the command "
			 "line "
			 "of landrun, as a policy that is as narrow or narrower. Flags of landrun may stand behind -- "
			 "in "
			 "place of FILE. What has no equal is told, and stands in the file as a comment. Status 1: "
			 "something that closed is missing, or the result is wider; each such line is marked.",
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
