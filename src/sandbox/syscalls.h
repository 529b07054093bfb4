/*
 * Every system call that the filter knows: its name, its number on each architecture (the kernel's tables, by hand: the
 * distribution's headers are older than the kernels this runs on), and the group whose rule holds for it. A number that
 * does not stand here gets ENOSYS.
 */
#ifndef BERM_SANDBOX_SYSCALLS_H
#define BERM_SANDBOX_SYSCALLS_H

#include <stddef.h>
#include <stdint.h>

enum syscalls_arch { SYSCALLS_X86_64 = 0, SYSCALLS_ARM64, SYSCALLS_ARCH_COUNT };

/* Their rules and reasons: seccomp_table.c. */
enum seccomp_group_id {
	GROUP_DATA = 0,
	GROUP_NAMES,
	GROUP_ACCESS,
	GROUP_OPEN,
	GROUP_OPENAT,
	GROUP_OPENAT2,
	GROUP_CHANGES,
	GROUP_MODES,
	GROUP_METADATA,
	GROUP_IOCTL,
	GROUP_FCNTL,
	GROUP_MEMORY,
	GROUP_MEMFD,
	GROUP_EXEC,
	GROUP_PROCESS,
	GROUP_CLONE,
	GROUP_CLONE3,
	GROUP_UNSHARE,
	GROUP_PRCTL,
	GROUP_PERSONALITY,
	GROUP_IDENTITY,
	GROUP_THREADS,
	GROUP_SCHED,
	GROUP_SCHED_SET,
	GROUP_SETPRIORITY,
	GROUP_IOPRIO_SET,
	GROUP_LIMITS,
	GROUP_HANDLERS,
	GROUP_SIGNALS,
	GROUP_TIME,
	GROUP_EVENTS,
	GROUP_AIO,
	GROUP_SOCKET,
	GROUP_SOCKETPAIR,
	GROUP_CONNECT,
	GROUP_LISTEN,
	GROUP_SENDTO,
	GROUP_SENDMSG,
	GROUP_SENDMMSG,
	GROUP_SETSOCKOPT,
	GROUP_SOCKETS,
	GROUP_IPC,
	GROUP_CONFINE,
	GROUP_TRACE,
	GROUP_MOUNT,
	GROUP_URING,
	GROUP_PERF,
	GROUP_KEYS,
	GROUP_KERNEL,
	GROUP_MACHINE,
	GROUP_HANDLES,
	GROUP_OLD,
	GROUP_COUNT
};

struct syscalls_row {
	const char *name;
	int16_t nr[SYSCALLS_ARCH_COUNT]; /* -1: not there */
	uint8_t group;			 /* enum seccomp_group_id */
};

enum { SYSCALLS_MAX_NR = 469 };

/* In the order of the groups; not sorted by number. */
extern const struct syscalls_row syscalls_rows[];
extern const size_t syscalls_count;

#endif
