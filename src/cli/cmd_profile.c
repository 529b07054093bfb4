#include "cli/named.h"
#include "cli/policy_commands.h"

static int list(const struct command *self, const char *const *argv)
{
	return named_list(self, argv, POLICY_DOC_PROFILE);
}

static int show(const struct command *self, const char *const *argv)
{
	return named_show(self, argv, POLICY_DOC_PROFILE);
}

const struct command profile_commands[] = {
	{
		.name = "profile list",
		.run = list,
		.options = &named_list_option_set,
		.operands = "",
		.summary = "the profiles there are",
		.about = "Lists the profiles that are shipped, and the user's own in the folder profiles of the "
			 "configuration, with the programs that get each when no profile is named.",
	},
	{
		.name = "profile show",
		.run = show,
		.options = &named_show_option_set,
		.operands = "NAME",
		.summary = "what one profile says",
		.about = "Prints the lines of a profile as they are written. What they come to with everything that "
			 "it extends: berm policy show -p NAME.",
	},
	{
		.name = "profile new",
		.run = cmd_profile_new,
		.options = &profile_new_option_set,
		.operands = "NAME",
		.summary = "begin a profile of one's own",
		.about = "Writes a file with comments into the folder profiles of the configuration, to be edited. "
			 "A file that is there is left alone.",
	},
	{.name = NULL},
};
