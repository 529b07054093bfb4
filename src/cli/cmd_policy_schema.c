#include "base/own.h"
#include "cli/policy_commands.h"
#include "cli/say.h"
#include "policy/load.h"

static const struct option_row rows[] = {
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set policy_schema_option_set = {.rows = rows, .count = ARRAY_LEN(rows), .anywhere = true};

int cmd_policy_schema(const struct command *self, const char *const *argv)
{
	auto_options struct options options = {0};
	int status = commands_parse(self, argv, NULL, &options);
	if (status >= 0)
		return status;
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	policy_schema_print(&out);
	return say_result(&out);
}
