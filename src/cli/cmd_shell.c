#include <unistd.h>

#include "base/env.h"
#include "cli/run_command.h"

int cmd_shell(const struct command *self, const char *const *argv)
{
	const char *shell = env_get((const char *const *)environ, "SHELL");
	const char *const command[] = {shell != NULL && shell[0] == '/' ? shell : "/bin/sh", NULL};
	return run_command(self, argv, command);
}
