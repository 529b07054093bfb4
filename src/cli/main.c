#include "cli/commands.h"
#include "session/streams.h"

int main(int argc, char **argv)
{
	(void)argc;
	streams_reserve();
	return commands_main((const char *const *)argv);
}
