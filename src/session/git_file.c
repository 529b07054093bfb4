#include "session/git_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/own.h"
#include "os/fd.h"

bool git_file_read(int dirfd, const char *path, enum git_file_follow follow, char *ret_bytes, size_t size,
		   struct span *ret_content)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (follow == GIT_FILE_NOFOLLOW ? O_NOFOLLOW : 0);
	struct stat st = {0};
	auto_fd int fd = openat(dirfd, path, flags);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	ssize_t len = fd_read_full(fd, ret_bytes, size);
	if (len < 0 || (size_t)len == size)
		return false;
	*ret_content = (struct span){(const uint8_t *)ret_bytes, (size_t)len};
	return true;
}
