#include "base/own.h"
#include "berm/berm.h"
#include "cli/commands.h"
#include "cli/say.h"

static const struct option_row rows[] = {
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set version_option_set = {.rows = rows, .count = ARRAY_LEN(rows)};

int cmd_version(const struct command *self, const char *const *argv)
{
	auto_options struct options options = {0};
	int status = commands_parse(self, argv, NULL, &options);
	if (status >= 0)
		return status;
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	buf_printf(&out, "berm %s\n", berm_version());
	return say_result(&out);
}
