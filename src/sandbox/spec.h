/*
 * What the seccomp program of a sandbox must do, as plain facts without policy: made by the plan, compiled by
 * seccomp.c, interpreted by the model tests.
 */
#ifndef BERM_SANDBOX_SPEC_H
#define BERM_SANDBOX_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seccomp_spec {
	/* What goes to the listener. Nothing of this set: no listener is installed. */
	bool trap_changes; /* open for writing or creating (told by the flags), openat2, creat, mkdir, mknod, unlink, rmdir,
			       * rename, link, symlink, truncate, umask: a tree holds governed writing */
	bool trap_reads;  /* open for reading too: a tree holds governed reading */
	bool trap_access; /* access, faccessat, faccessat2: what may be asked for lies on mounts that are only read */
	bool trap_exec;	  /* execve, execveat: all of what is refused is to be told */
	bool trap_modes;  /* chmod, fchmod, fchmodat, fchmodat2, file_setattr: protected names */
	bool trap_metadata; /* all of chown, utime, xattr changes, FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR as well: nothing else
			       * holds metadata outside the grants. Rarer ioctls of the kind are refused */
	bool trap_connect; /* connect, bind, sendto with an address: Unix sockets by path (and netlink, which glibc binds and
			       * sends to with an address) */
	bool trap_listen; /* listen (and bind, connect, sendto): the host's loopback is the sandbox's. Options that lead
			    * packets elsewhere (source routes, another interface) are refused */
	bool trap_signals; /* kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_send_signal and
			       * fcntl(F_SETOWN): nothing else scopes signals. The owner's forms behind a pointer are refused */
	bool trap_peers;   /* prlimit64 with new limits, setpriority, ioprio_set and sched_set* that name a process by
			       * number: there is no own pid namespace, and nothing else holds other processes' limits and
			       * priorities. The number is in a register, so CONTINUE is safe. Without it they are refused */
	bool trap_dgram_pair; /* socketpair(AF_UNIX, SOCK_DGRAM): served as SOCK_SEQPACKET; else refused */
	bool trap_memfd; /* memfd_create with neither MFD_NOEXEC_SEAL nor MFD_EXEC: made with the first and handed in;
			       * else ENOSYS, as if there were none */
	/* What is refused, or answered without being done. */
	bool keep_dumpable; /* prctl(PR_SET_DUMPABLE, 0): answered with success, nothing done; no listener needed */
	bool refuse_ip;	    /* no AF_INET, AF_INET6 socket at all */
	bool refuse_udp;    /* AF_INET and AF_INET6 only as SOCK_STREAM */
	/* What the sandbox has of its own, so that calls on it reach nothing outside. */
	bool private_ipc;  /* an ipc namespace: System V IPC and POSIX message queues are let through */
	bool private_pids; /* a pid namespace: calls that name processes by number are let through, but for new limits of
			       * the supervisor, which is number 1 there */
	/* What is let through beyond the usual. */
	bool allow_ptrace; /* ptrace, process_vm_*, kcmp, pidfd_getfd, personality(ADDR_NO_RANDOMIZE) */
	bool allow_userns; /* clone, clone3, unshare, setns with namespaces; mount family inside */
	bool allow_io_uring;
	bool allow_memfd_exec; /* memfd_create without MFD_NOEXEC_SEAL */
	bool allow_perf;
};

/* The sixth argument, which execve does not have, of the start of the command itself: berm waits for it, so nobody would
 * answer a trap. Whoever else writes it is not told of, nothing more. */
enum { SECCOMP_OWN_START = 0x6265726d };

/* True if the program needs a listener. */
bool seccomp_spec_traps(const struct seccomp_spec *spec);

#endif
