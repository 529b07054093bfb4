/* The help texts, made from the command and option tables. Each prints and
 * returns the exit status. */
#ifndef BERM_CLI_HELP_H
#define BERM_CLI_HELP_H

#include "cli/commands.h"

int help_all(void);
int help_command(const struct command *command);
/* The generated part of a man page in mdoc(7): the options of a command, or
 * (NULL) the list of commands. */
int help_man(const struct command *command);

#endif
