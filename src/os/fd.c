#include "os/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"

ssize_t fd_read_full(int fd, void *ret_bytes, size_t len)
{
	char *at = ret_bytes;
	size_t done = 0;
	while (done < len) {
		ssize_t n = read(fd, at + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int fd_write_full(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;
	while (len > 0) {
		ssize_t n = write(fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t fd_read_file(int dirfd, const char *path, char *ret_text, size_t size)
{
	if (size == 0) {
		errno = EINVAL;
		return -1;
	}
	auto_fd int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -1;
	ssize_t len = fd_read_full(fd, ret_text, size - 1);
	if (len >= 0)
		ret_text[len] = '\0';
	return len;
}

int fd_write_file(int dirfd, const char *path, const char *text)
{
	auto_fd int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -1;
	/* One write: the kernel's control files take their whole content in the first one. */
	size_t len = strlen(text);
	ssize_t n;
	do
		n = write(fd, text, len);
	while (n < 0 && errno == EINTR);
	if (n >= 0 && (size_t)n != len)
		errno = EIO;
	return n == (ssize_t)len ? 0 : -1;
}
