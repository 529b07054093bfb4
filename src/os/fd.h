/* Descriptors: whole reads and writes, and small files by path. Async-signal-safe. */
#ifndef BERM_OS_FD_H
#define BERM_OS_FD_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Reads until len bytes, end of file or an error; EINTR is retried. Returns the bytes read, or -1. */
ssize_t fd_read_full(int fd, void *ret_bytes, size_t len);
/* Writes all; EINTR and short writes are retried. 0, or -1. */
int fd_write_full(int fd, const void *bytes, size_t len);
/* The text of a small file, NUL-terminated, cut at size - 1. Returns its length, or -1. */
ssize_t fd_read_file(int dirfd, const char *path, char *ret_text, size_t size);
/* Opens path for writing (no creation) and writes all of text in one write. 0, or -1. */
int fd_write_file(int dirfd, const char *path, const char *text);

static inline void fd_close_folder(DIR **folder)
{
	if (*folder != NULL)
		(void)closedir(*folder);
}
#define auto_folder __attribute__((cleanup(fd_close_folder)))

#endif
