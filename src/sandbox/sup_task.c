#include "sandbox/sup_task.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/own.h"
#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/sup_state.h"

enum {
	PAGE = 4096,	  /* the smallest there is: a read that stays inside one page fails as a whole or not at all */
	FIRST_READ = 256, /* nearly every path is shorter */
	UMASK_LIFE_MS = 250,
	OS_PIDFD_THREAD = O_EXCL, /* 6.9 */
};

/* ---- names in /proc, without stdio ------------------------------------------------------------------------------- */

bool text_put(char *text, size_t size, size_t *at, const char *more)
{
	size_t len = strlen(more);
	if (len >= size - *at)
		return false;
	memcpy(text + *at, more, len + 1);
	*at += len;
	return true;
}

bool text_put_number(char *text, size_t size, size_t *at, uint64_t number)
{
	char digits[21];
	size_t begin = sizeof(digits) - 1;
	digits[begin] = '\0';
	do
		digits[--begin] = (char)('0' + number % 10);
	while ((number /= 10) != 0);
	return text_put(text, size, at, digits + begin);
}

void proc_name(char ret_name[static SUP_PROC_SIZE], pid_t tid, const char *what)
{
	size_t at = 0;
	(void)text_put_number(ret_name, SUP_PROC_SIZE, &at, (uint64_t)tid);
	(void)text_put(ret_name, SUP_PROC_SIZE, &at, "/");
	(void)text_put(ret_name, SUP_PROC_SIZE, &at, what);
}

void proc_fd_name(char ret_name[static SUP_PROC_SIZE], pid_t tid, int fd)
{
	size_t at = 0;
	(void)text_put_number(ret_name, SUP_PROC_SIZE, &at, (uint64_t)tid);
	(void)text_put(ret_name, SUP_PROC_SIZE, &at, "/fd/");
	(void)text_put_number(ret_name, SUP_PROC_SIZE, &at, (uint64_t)fd);
}

void self_fd_name(char ret_name[static SUP_PROC_SIZE], int fd)
{
	size_t at = 0;
	(void)text_put(ret_name, SUP_PROC_SIZE, &at, "self/fd/");
	(void)text_put_number(ret_name, SUP_PROC_SIZE, &at, (uint64_t)fd);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

int task_read(const struct call *call, uint64_t address, void *ret_bytes, size_t len)
{
	if (len == 0)
		return 0;
	ssize_t n = sys_process_read(call->tid, address, ret_bytes, len);
	if (n < 0 && errno != EFAULT)
		return errno;
	return n == (ssize_t)len ? 0 : EFAULT;
}

int task_write(const struct call *call, uint64_t address, const void *bytes, size_t len)
{
	if (len == 0)
		return 0;
	ssize_t n = sys_process_write(call->tid, address, bytes, len);
	if (n < 0 && errno != EFAULT)
		return errno;
	return n == (ssize_t)len ? 0 : EFAULT;
}

/* In pieces that end at a page: what lies behind the NUL need not be there. */
int task_path(const struct call *call, uint64_t address, char *ret_path, size_t size)
{
	size_t len = 0, want = FIRST_READ;
	while (len < size) {
		size_t piece = PAGE - ((address + len) & (PAGE - 1));
		piece = piece < want ? piece : want;
		piece = piece < size - len ? piece : size - len;
		int error = task_read(call, address + len, ret_path + len, piece);
		if (error != 0)
			return error;
		if (memchr(ret_path + len, '\0', piece) != NULL)
			return 0;
		len += piece;
		want = PAGE;
	}
	return ENAMETOOLONG;
}

/* ---- descriptors ------------------------------------------------------------------------------------------------- */

int task_dirfd(const struct call *call, int dirfd, int *ret_fd)
{
	char name[SUP_PROC_SIZE];
	if (dirfd != AT_FDCWD && dirfd < 0)
		return EBADF;
	if (dirfd == AT_FDCWD)
		proc_name(name, call->tid, "cwd");
	else
		proc_fd_name(name, call->tid, dirfd);
	int fd = openat(call->sup->proc_fd, name, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT && dirfd != AT_FDCWD ? EBADF : errno;
	*ret_fd = fd;
	return 0;
}

/* The task's folder in /proc, kept open. fresh: one that is kept may be of a task that is gone. */
static int proc_folder(const struct call *call, bool fresh, int *ret_fd)
{
	struct supervisor *sup = call->sup;
	struct sup_proc *slot = &sup->procs[(unsigned)call->tid % SUP_PROC_SLOTS];
	if (slot->tid == call->tid && !fresh) {
		*ret_fd = slot->fd;
		return 0;
	}
	char name[SUP_PROC_SIZE];
	proc_name(name, call->tid, "");
	int fd = openat(sup->proc_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? ESRCH : errno;
	if (slot->tid != 0)
		(void)close(slot->fd);
	*slot = (struct sup_proc){.tid = call->tid, .fd = fd};
	*ret_fd = fd;
	return 0;
}

int task_enter_dir(const struct call *call, int dirfd)
{
	char name[SUP_PROC_SIZE] = "cwd";
	size_t at = 0;
	if (dirfd != AT_FDCWD && dirfd < 0)
		return EBADF;
	if (dirfd != AT_FDCWD) {
		(void)text_put(name, sizeof(name), &at, "fd/");
		(void)text_put_number(name, sizeof(name), &at, (uint64_t)dirfd);
	}
	for (int attempt = 0; attempt < 2; attempt++) {
		int folder = -1;
		int error = proc_folder(call, attempt > 0, &folder);
		if (error != 0)
			return error;
		if (fchdir(folder) == 0 && chdir(name) == 0)
			return 0;
		if (errno != ENOENT && errno != ESRCH)
			return errno;
	}
	return dirfd != AT_FDCWD ? EBADF : errno;
}

/* A number of a line "Key:\t123" in base; false if the line is not there. */
static bool status_number(const char *status, const char *key, unsigned base, unsigned *ret_number)
{
	const char *at = strstr(status, key);
	if (at == NULL)
		return false;
	unsigned number = 0;
	for (at += strlen(key); *at == ' ' || *at == '\t'; at++)
		continue;
	if (*at < '0' || *at > '9')
		return false;
	for (; *at >= '0' && *at <= '9'; at++)
		number = number * base + (unsigned)(*at - '0');
	*ret_number = number;
	return true;
}

/* Reads the first lines of TID/status. */
static int read_status(const struct call *call, char *ret_status, size_t size)
{
	char name[SUP_PROC_SIZE];
	proc_name(name, call->tid, "status");
	auto_fd int fd = openat(call->sup->proc_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	ssize_t n = read(fd, ret_status, size - 1);
	if (n < 0)
		return errno;
	ret_status[n] = '\0';
	return 0;
}

/* A mask of signals, in hexadecimal digits; none if the line is not there. */
static uint64_t status_signals(const char *status, const char *key)
{
	const char *at = strstr(status, key);
	uint64_t mask = 0;
	for (at = at != NULL ? at + strlen(key) : ""; *at == ' ' || *at == '\t'; at++)
		continue;
	for (; (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'f'); at++)
		mask = mask << 4 | (uint64_t)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
	return mask;
}

bool task_is_signalled(struct supervisor *sup, pid_t tid)
{
	static const int urgent[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
	const struct call call = {.sup = sup, .tid = tid};
	char status[4096];
	if (read_status(&call, status, sizeof(status)) != 0)
		return false;
	uint64_t pending = status_signals(status, "\nSigPnd:") | status_signals(status, "\nShdPnd:");
	uint64_t shut = status_signals(status, "\nSigBlk:") | status_signals(status, "\nSigIgn:");
	for (size_t i = 0; i < ARRAY_LEN(urgent); i++)
		if ((pending & ~shut & (uint64_t)1 << (urgent[i] - 1)) != 0)
			return true;
	return false;
}

int task_group(const struct call *call, pid_t *ret_tgid)
{
	char status[512];
	unsigned tgid;
	int error = read_status(call, status, sizeof(status));
	if (error != 0)
		return error;
	if (!status_number(status, "\nTgid:", 10, &tgid))
		return ESRCH;
	*ret_tgid = (pid_t)tgid;
	return 0;
}

/* Of the thread itself since 6.9, before that of its group's leader, which shares its descriptors (but for threads that
 * asked not to: they get their leader's). *ret_own: it is the task's own, so it may be kept under the task's number. */
static int open_pidfd(const struct call *call, int *ret_fd, bool *ret_own)
{
	int fd = sys_pidfd_open(call->tid, OS_PIDFD_THREAD);
	if (fd < 0 && errno == EINVAL)
		fd = sys_pidfd_open(call->tid, 0);
	*ret_own = fd >= 0;
	if (fd < 0 && (errno == EINVAL || errno == ENOENT)) {
		pid_t leader;
		int error = task_group(call, &leader);
		if (error != 0)
			return error;
		fd = sys_pidfd_open(leader, 0);
	}
	if (fd < 0)
		return errno;
	*ret_fd = fd;
	return 0;
}

static int get_fd(int pidfd, int fd, int *ret_fd)
{
	int got = sys_pidfd_getfd(pidfd, fd);
	if (got < 0)
		return errno;
	*ret_fd = got;
	return 0;
}

/* A kept pidfd names one task for ever: once that is gone the kernel says ESRCH, and only then can its number name
 * another. */
int task_fd(const struct call *call, int fd, int *ret_fd)
{
	struct sup_pidfd *slot = &call->sup->pidfds[(unsigned)call->tid % SUP_PIDFD_SLOTS];
	if (fd < 0)
		return EBADF;
	if (slot->tid == call->tid) {
		int error = get_fd(slot->fd, fd, ret_fd);
		if (error != ESRCH)
			return error;
	}
	if (slot->tid != 0)
		(void)close(slot->fd);
	slot->tid = 0;
	bool own;
	auto_fd int fresh = -1;
	int error = open_pidfd(call, &fresh, &own);
	if (error != 0)
		return error;
	error = get_fd(fresh, fd, ret_fd);
	if (own && error != ESRCH)
		*slot = (struct sup_pidfd){.tid = call->tid, .fd = take_fd(&fresh)};
	return error;
}

/* ---- credentials and limits -------------------------------------------------------------------------------------- */

static struct sup_mask *find_mask(struct supervisor *sup, pid_t tid)
{
	int64_t now = sup_now_ms();
	for (size_t i = 0; i < SUP_MASK_SLOTS; i++)
		if (sup->masks[i].tid == tid && sup->masks[i].until_ms > now)
			return &sup->masks[i];
	return NULL;
}

static int learn_mask(const struct call *call, struct sup_mask *ret_mask)
{
	char status[512];
	unsigned mask, tgid;
	int error = read_status(call, status, sizeof(status));
	if (error != 0)
		return error;
	if (!status_number(status, "\nUmask:", 8, &mask) || !status_number(status, "\nTgid:", 10, &tgid))
		return ESRCH;
	*ret_mask = (struct sup_mask){
		.tid = call->tid, .tgid = (pid_t)tgid, .umask = mask, .until_ms = sup_now_ms() + UMASK_LIFE_MS};
	return 0;
}

static struct sup_mask *keep_mask(struct supervisor *sup, const struct sup_mask *mask)
{
	for (size_t i = 0; i < SUP_MASK_SLOTS; i++)
		if (sup->masks[i].tid == mask->tid)
			sup->masks[i].tid = 0;
	struct sup_mask *slot = &sup->masks[sup->mask_next++ % SUP_MASK_SLOTS];
	*slot = *mask;
	return slot;
}

int task_umask(const struct call *call, mode_t *ret_umask)
{
	struct supervisor *sup = call->sup;
	struct sup_mask *mask = sup->plan->spec.trap_changes ? find_mask(sup, call->tid) : NULL;
	if (mask == NULL) {
		struct sup_mask fresh;
		int error = learn_mask(call, &fresh);
		if (error != 0)
			return error;
		mask = keep_mask(sup, &fresh);
	}
	if (sup->umask != mask->umask)
		(void)umask(mask->umask);
	sup->umask = mask->umask;
	if (ret_umask != NULL)
		*ret_umask = mask->umask;
	return 0;
}

void task_umask_changes(const struct call *call, mode_t now)
{
	struct supervisor *sup = call->sup;
	struct sup_mask *mask = find_mask(sup, call->tid);
	struct sup_mask fresh;
	if (mask == NULL) {
		if (learn_mask(call, &fresh) != 0) {
			memset(sup->masks, 0, sizeof(sup->masks));
			return;
		}
		mask = keep_mask(sup, &fresh);
	}
	pid_t tgid = mask->tgid;
	for (size_t i = 0; i < SUP_MASK_SLOTS; i++)
		if (sup->masks[i].tgid == tgid)
			sup->masks[i].umask = now & 0777;
}

uint64_t task_file_limit(const struct call *call)
{
	struct rlimit limit;
	if (prlimit(call->tid, RLIMIT_FSIZE, NULL, &limit) < 0)
		return 0;
	return limit.rlim_cur;
}

void task_exe(const struct call *call, char *ret_exe, size_t size)
{
	char name[SUP_PROC_SIZE], path[512];
	static const char hex[] = "0123456789abcdef";
	proc_name(name, call->tid, "exe");
	ssize_t n = readlinkat(call->sup->proc_fd, name, path, sizeof(path));
	size_t at = 0;
	for (ssize_t i = 0; i < n && at + 5 < size; i++) {
		unsigned char byte = (unsigned char)path[i];
		if (byte >= 0x20 && byte != 0x7f && byte != '\\') {
			ret_exe[at++] = (char)byte;
			continue;
		}
		ret_exe[at++] = '\\';
		ret_exe[at++] = 'x';
		ret_exe[at++] = hex[byte >> 4];
		ret_exe[at++] = hex[byte & 15];
	}
	if (size > 0)
		ret_exe[at] = '\0';
}
