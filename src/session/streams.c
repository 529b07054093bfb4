#include "session/streams.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

void streams_reserve(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* The lowest free number is this one. With O_PATH it can be neither read nor written. */
		int placeholder = open("/dev/null", O_PATH | O_CLOEXEC);
		if (placeholder != fd)
			return;
	}
}

int streams_for_command(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	return flags < 0 || (flags & O_PATH) != 0 ? INT_MAX : fd;
}
