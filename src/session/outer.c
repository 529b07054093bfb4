#include "session/outer.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "os/fd.h"
#include "os/uapi.h"

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE, MAX_TEXT = 4 * 1024 * 1024 };

enum berm_code outer_make(struct str text, int *ret_fd, struct berm_err *err)
{
	auto_fd int fd = memfd_create("berm-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
		fd = memfd_create("berm-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return err_sys(err, "make a memory file for the plan");
	if (fd_write_full(fd, text.ptr, text.len) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return err_sys(err, "seal the plan");
	*ret_fd = take_fd(&fd);
	return BERM_OK;
}

bool outer_read(const char *value, struct buf *ret_text)
{
	uint64_t fd;
	struct stat st;
	if (value == NULL || str_u64(str_from(value), INT_MAX, &fd, NULL) != BERM_OK)
		return false;
	int seals = fcntl((int)fd, F_GET_SEALS);
	if (seals < 0 || (seals & SEALS) != SEALS || fstat((int)fd, &st) < 0 || st.st_size > MAX_TEXT)
		return false;
	size_t size = (size_t)st.st_size;
	auto_free char *text = malloc(size + 1);
	if (text == NULL || pread((int)fd, text, size, 0) != st.st_size)
		return false;
	buf_put(ret_text, text, size);
	return buf_check(ret_text, NULL) == BERM_OK;
}
