#include "cli/named.h"
#include "cli/policy_commands.h"

static int list(const struct command *self, const char *const *argv)
{
	return named_list(self, argv, POLICY_DOC_GROUP);
}

static int show(const struct command *self, const char *const *argv)
{
	return named_show(self, argv, POLICY_DOC_GROUP);
}

const struct command group_commands[] = {
	{
		.name = "group list",
		.run = list,
		.options = &named_list_option_set,
		.operands = "",
		.summary = "the groups there are",
		.about = "Lists the groups that are shipped, and the user's own in the folder groups of the "
			 "configuration. \"always\": it is in every policy and no policy takes it out.",
	},
	{
		.name = "group show",
		.run = show,
		.options = &named_show_option_set,
		.operands = "NAME",
		.summary = "what one group says",
		.about = "Prints the lines of a group as they are written, each with its reason.",
	},
	{.name = NULL},
};
