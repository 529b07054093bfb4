#include "base/own.h"
#include "cli/help.h"
#include "cli/say.h"

struct help_choices {
	bool man;
};

static const struct option_row rows[] = {
	{
		.name = "man",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct help_choices, man),
		.help = "print the part of the man page that is made from the tables",
	},
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set help_option_set = {.rows = rows, .count = ARRAY_LEN(rows)};

int cmd_help(const struct command *self, const char *const *argv)
{
	struct help_choices choices = {0};
	auto_options struct options options = {0};
	int status = commands_parse(self, argv, &choices, &options);
	if (status >= 0)
		return status;
	const char *name = options.rest[0];
	const struct command *command = name != NULL ? commands_find(name) : NULL;
	if (name != NULL && command == NULL)
		return commands_unknown(name);
	if (command != NULL && command->below != NULL && options.rest[1] != NULL) {
		const struct command *below = commands_find_below(command, options.rest[1]);
		if (below == NULL)
			return commands_unknown_below(command, options.rest[1]);
		command = below;
	}
	if (choices.man)
		return help_man(command);
	return command != NULL ? help_command(command) : help_all();
}
