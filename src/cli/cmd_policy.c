#include "base/own.h"
#include "cli/policy_commands.h"

static const struct option_row rows[] = {
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set words_option_set = {.rows = rows, .count = ARRAY_LEN(rows)};

const struct command policy_commands[] = {
	{.name = NULL},
};
