#include "cli/run_command.h"

int cmd_run(const struct command *self, const char *const *argv)
{
	return run_command(self, argv, NULL);
}
