#include "cli/commands.h"

int main(int argc, char **argv)
{
	(void)argc;
	return commands_main((const char *const *)argv);
}
