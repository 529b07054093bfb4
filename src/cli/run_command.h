/* What run and shell have in common: from a command line to an exit status. */
#ifndef BERM_CLI_RUN_COMMAND_H
#define BERM_CLI_RUN_COMMAND_H

#include "cli/commands.h"

/* argv: options, and behind them what to run, unless fixed (not NULL) is that. */
int run_command(const struct command *self, const char *const *argv, const char *const *fixed);

#endif
