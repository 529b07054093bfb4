#include "session/outer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "sandbox/plan.h"

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE, MAX_TEXT = 4 * 1024 * 1024 };

bool outer_read(int fd, struct buf *ret_text)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) < 0 || st.st_size > MAX_TEXT)
		return false;
	size_t size = (size_t)st.st_size;
	auto_free char *text = malloc(size + 1);
	if (text == NULL || pread(fd, text, size, 0) != st.st_size)
		return false;
	buf_put(ret_text, text, size);
	return buf_check(ret_text, NULL) == BERM_OK;
}

bool outer_find(struct buf *ret_text)
{
	auto_fd int fd = memfd_create(PLAN_OUTER_NAME, MFD_CLOEXEC);
	return fd >= 0 && outer_read(fd, ret_text);
}
