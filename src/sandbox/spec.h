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
	bool trap_changes;    /* open for writing or creating (told by the flags), openat2, creat, mkdir, mknod, unlink, rmdir,
			       * rename, link, symlink, truncate: a tree holds governed writing */
	bool trap_reads;      /* open for reading too: a tree holds governed reading */
	bool trap_modes;      /* chmod, fchmod, fchmodat, fchmodat2, file_setattr: protected names */
	bool trap_metadata;   /* all of chown, utime, xattr changes, FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR as well: nothing else
			       * holds metadata outside the grants */
	bool trap_connect;    /* connect, bind, sendto with an address: Unix sockets by path */
	bool trap_listen;     /* listen (and bind, connect): the host's loopback is the sandbox's */
	bool trap_signals;    /* kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_send_signal: nothing else
			       * scopes signals */
	bool trap_dumpable;   /* prctl(PR_SET_DUMPABLE, 0): answered with success, nothing done */
	bool trap_dgram_pair; /* socketpair(AF_UNIX, SOCK_DGRAM): served as SOCK_SEQPACKET */
	/* What is refused. */
	bool refuse_ip;	      /* no AF_INET, AF_INET6 socket at all */
	bool refuse_udp;      /* AF_INET and AF_INET6 only as SOCK_STREAM */
	bool no_own_network;  /* the network is the host's: routing netlink only for reading addresses */
	/* What is let through beyond the usual. */
	bool allow_ptrace;    /* ptrace, process_vm_*, kcmp, pidfd_getfd, personality(ADDR_NO_RANDOMIZE) */
	bool allow_userns;    /* clone, clone3, unshare, setns with namespaces; mount family inside */
	bool allow_io_uring;
	bool allow_memfd_exec; /* memfd_create without MFD_NOEXEC_SEAL */
	bool allow_perf;
};

/* True if the program needs a listener. */
bool seccomp_spec_traps(const struct seccomp_spec *spec);

#endif
