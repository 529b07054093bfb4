#include "os/sys.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

int sys_landlock_create_ruleset(const struct ll_ruleset_attr *attr, size_t size, uint32_t flags)
{
	return (int)syscall(OS_NR_landlock_create_ruleset, attr, size, flags);
}

int sys_landlock_add_path(int ruleset_fd, int parent_fd, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = parent_fd};
	return (int)syscall(OS_NR_landlock_add_rule, ruleset_fd, LL_RULE_PATH_BENEATH, &rule, 0);
}

int sys_landlock_add_port(int ruleset_fd, uint16_t port, uint64_t access)
{
	struct {
		uint64_t allowed_access, port;
	} rule = {access, port}; /* struct landlock_net_port_attr, ABI 4 */
	return (int)syscall(OS_NR_landlock_add_rule, ruleset_fd, LL_RULE_NET_PORT, &rule, 0);
}

int sys_landlock_restrict_self(int ruleset_fd, uint32_t flags)
{
	return (int)syscall(OS_NR_landlock_restrict_self, ruleset_fd, flags);
}

int sys_seccomp_filter(const struct sock_fprog *program, unsigned long flags)
{
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
}

int sys_seccomp_strict(void)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0);
}

int sys_seccomp_action_avail(uint32_t action)
{
	return (int)syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
}

int sys_seccomp_notif_sizes(struct seccomp_notif_sizes *ret_sizes)
{
	return (int)syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, ret_sizes);
}

int sys_openat2(int dirfd, const char *path, const struct os_open_how *how)
{
	return (int)syscall(OS_NR_openat2, dirfd, path, how, sizeof(*how));
}

int sys_open_tree(int dirfd, const char *path, unsigned flags)
{
	return (int)syscall(OS_NR_open_tree, dirfd, path, flags);
}

int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	return (int)syscall(OS_NR_move_mount, from_fd, from, to_fd, to, flags);
}

int sys_mount_setattr(int dirfd, const char *path, unsigned flags, const struct os_mount_attr *attr)
{
	return (int)syscall(OS_NR_mount_setattr, dirfd, path, flags, attr, sizeof(*attr));
}

int sys_fsopen(const char *type, unsigned flags)
{
	return (int)syscall(OS_NR_fsopen, type, flags);
}

int sys_fsconfig(int fs_fd, unsigned command, const char *key, const char *value)
{
	return (int)syscall(OS_NR_fsconfig, fs_fd, command, key, value, 0);
}

int sys_fsmount(int fs_fd, unsigned flags, unsigned attributes)
{
	return (int)syscall(OS_NR_fsmount, fs_fd, flags, attributes);
}

int sys_pidfd_open(pid_t pid, unsigned flags)
{
	return (int)syscall(OS_NR_pidfd_open, pid, flags);
}

int sys_pidfd_getfd(int pidfd, int fd)
{
	return (int)syscall(OS_NR_pidfd_getfd, pidfd, fd, 0);
}

int sys_pidfd_send_signal(int pidfd, int signal)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	return (int)syscall(OS_NR_close_range, first, last, flags);
}

int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

/* What CLONE_CLEAR_SIGHAND does: caught signals go back to their default, ignored ones stay ignored. */
static void clear_handlers(void)
{
	struct sigaction action;
	for (int sig = 1; sig < NSIG; sig++) {
		if (sigaction(sig, NULL, &action) < 0 || action.sa_handler == SIG_IGN || action.sa_handler == SIG_DFL)
			continue;
		action = (struct sigaction){.sa_handler = SIG_DFL};
		(void)sigaction(sig, &action, NULL);
	}
}

/* Container run times answer clone3 with ENOSYS, because its flags cannot be filtered. The descriptor of the child goes
 * where the third argument points, on every architecture. */
static pid_t fork_by_clone(uint64_t flags, int exit_signal, int *pidfd)
{
	unsigned long old_flags = (unsigned long)(flags & ~OS_CLONE_CLEAR_SIGHAND) | (unsigned)exit_signal;
	pid_t pid = (pid_t)syscall(SYS_clone, old_flags, 0, pidfd, 0, 0);
	if (pid == 0 && (flags & OS_CLONE_CLEAR_SIGHAND) != 0)
		clear_handlers();
	return pid;
}

_Noreturn void sys_exit_thread(int status)
{
	for (;;)
		(void)syscall(SYS_exit, status);
}

pid_t sys_fork(uint64_t flags, int exit_signal, int *ret_pidfd)
{
	struct clone_args args = {.flags = flags, .exit_signal = (unsigned)exit_signal};
	int pidfd = -1;
	args.pidfd = (uint64_t)(uintptr_t)&pidfd;
	pid_t pid = (pid_t)syscall(OS_NR_clone3, &args, sizeof(args));
	if (pid < 0 && errno == ENOSYS)
		pid = fork_by_clone(flags, exit_signal, &pidfd);
	if (pid > 0 && (flags & CLONE_PIDFD) != 0)
		*ret_pidfd = pidfd;
	return pid;
}

int sys_not_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int sys_become_subreaper(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

int sys_end_with_parent(void)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL);
}

int sys_set_name(const char *name)
{
	return prctl(PR_SET_NAME, name);
}

/* The address is the other process's: it is never followed here. */
static struct iovec remote(uint64_t address, size_t len)
{
	return (struct iovec){(void *)(uintptr_t)address, len}; /* NOLINT(performance-no-int-to-ptr) */
}

ssize_t sys_process_read(pid_t pid, uint64_t address, void *ret_bytes, size_t len)
{
	struct iovec here = {ret_bytes, len};
	struct iovec there = remote(address, len);
	return process_vm_readv(pid, &here, 1, &there, 1, 0);
}

ssize_t sys_process_write(pid_t pid, uint64_t address, const void *bytes, size_t len)
{
	struct iovec here = {(void *)(uintptr_t)bytes, len}; /* NOLINT(performance-no-int-to-ptr) */
	struct iovec there = remote(address, len);
	return process_vm_writev(pid, &here, 1, &there, 1, 0);
}
