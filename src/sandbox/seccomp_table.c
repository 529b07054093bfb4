#include "sandbox/seccomp_table.h"

#include <linux/errno.h>
#include <linux/seccomp.h>

#include "sandbox/spec.h"

/* ---- verdicts ---------------------------------------------------------------------------------------------------- */

#define ERRNO(number)                                                                                                  \
	{                                                                                                              \
		.action = SECCOMP_RET_ERRNO | (number)                                                                 \
	}
#define IF(fact_, set_, unset_)                                                                                        \
	{                                                                                                              \
		.conditional = true, .fact = offsetof(struct seccomp_spec, fact_), .set = (set_), .unset = (unset_)    \
	}

const struct seccomp_verdict seccomp_verdicts[TO_COUNT] = {
	[TO_KILL] = {.action = SECCOMP_RET_KILL_PROCESS},
	[TO_ENOSYS] = ERRNO(ENOSYS),
	[TO_EPERM] = ERRNO(EPERM),
	[TO_EACCES] = ERRNO(EACCES),
	[TO_EINVAL] = ERRNO(EINVAL),
	[TO_ENOTTY] = ERRNO(ENOTTY),
	[TO_EAFNOSUPPORT] = ERRNO(EAFNOSUPPORT),
	[TO_EPROTONOSUPPORT] = ERRNO(EPROTONOSUPPORT),
	[TO_EOPNOTSUPP] = ERRNO(EOPNOTSUPP),
	[TO_ENOPROTOOPT] = ERRNO(ENOPROTOOPT),
	[TO_DONE] = ERRNO(0),
	[TO_NOTIFY] = {.action = SECCOMP_RET_USER_NOTIF},
	[TO_ALLOW] = {.action = SECCOMP_RET_ALLOW},

	[TO_CHANGE] = IF(trap_changes, TO_NOTIFY, TO_ALLOW),
	[TO_CHANGE_OR_READ] = IF(trap_changes, TO_NOTIFY, TO_READ),
	[TO_READ] = IF(trap_reads, TO_NOTIFY, TO_ALLOW),
	[TO_ACCESS] = IF(trap_access, TO_NOTIFY, TO_ALLOW),
	[TO_EXEC] = IF(trap_exec, TO_NOTIFY, TO_ALLOW),
	[TO_MODE] = IF(trap_modes, TO_NOTIFY, TO_METADATA),
	[TO_METADATA] = IF(trap_metadata, TO_NOTIFY, TO_ALLOW),
	[TO_RARE_METADATA] = IF(trap_metadata, TO_EPERM, TO_ALLOW),
	[TO_CONNECT] = IF(trap_connect, TO_NOTIFY, TO_LISTEN),
	[TO_LISTEN] = IF(trap_listen, TO_NOTIFY, TO_ALLOW),
	[TO_STEER] = IF(trap_listen, TO_EPERM, TO_ALLOW),
	[TO_SIGNAL] = IF(trap_signals, TO_NOTIFY, TO_ALLOW),
	[TO_OWNER] = IF(trap_signals, TO_EPERM, TO_ALLOW),
	[TO_PEER] = IF(private_pids, TO_ALLOW, TO_TRAPPED_PEER),
	[TO_SUPERVISOR] = IF(private_pids, TO_EPERM, TO_TRAPPED_PEER),
	[TO_TRAPPED_PEER] = IF(trap_peers, TO_NOTIFY, TO_EPERM),
	[TO_GROUP_OF_PEERS] = IF(private_pids, TO_ALLOW, TO_EPERM),
	[TO_DATAGRAM_PAIR] = IF(trap_dgram_pair, TO_NOTIFY, TO_EPROTONOSUPPORT),
	[TO_MEMFD] = IF(allow_memfd_exec, TO_ALLOW, TO_PLAIN_MEMFD),
	[TO_PLAIN_MEMFD] = IF(trap_memfd, TO_NOTIFY, TO_ENOSYS),
	[TO_MEMFD_EXEC] = IF(allow_memfd_exec, TO_ALLOW, TO_EACCES),
	[TO_DUMPABLE] = IF(keep_dumpable, TO_DONE, TO_ALLOW),
	[TO_TCP] = IF(refuse_ip, TO_EAFNOSUPPORT, TO_ALLOW),
	[TO_UDP] = IF(refuse_ip, TO_EAFNOSUPPORT, TO_WANTED_UDP),
	[TO_WANTED_UDP] = IF(refuse_udp, TO_EPROTONOSUPPORT, TO_ALLOW),
	[TO_IPC] = IF(private_ipc, TO_ALLOW, TO_EPERM),
	[TO_TRACE] = IF(allow_ptrace, TO_ALLOW, TO_EPERM),
	[TO_NAMESPACE] = IF(allow_userns, TO_ALLOW, TO_EPERM),
	[TO_CLONE3] = IF(allow_userns, TO_ALLOW, TO_ENOSYS),
	[TO_URING] = IF(allow_io_uring, TO_ALLOW, TO_ENOSYS),
	[TO_PERF] = IF(allow_perf, TO_ALLOW, TO_EPERM),
};

/* ---- tests of arguments ------------------------------------------------------------------------------------------ */
/* Each argument is read as wide as the kernel reads it: the low 32 bits of what it declares as int, both halves of a
 * pointer. */

#define ALL 0xffffffffU
#define ARG SECCOMP_LOW
#define IS(value, to_)                                                                                                 \
	{                                                                                                              \
		(value), (value), (to_)                                                                                \
	}
#define TEST(word_, mask_, other_, ...)                                                                                \
	{                                                                                                              \
		.word = (word_), .mask = (mask_), .other = (other_),                                                   \
		.spans = (const struct seccomp_span[]){__VA_ARGS__},                                                   \
		.count = sizeof((const struct seccomp_span[]){__VA_ARGS__}) / sizeof(struct seccomp_span)              \
	}
#define ANY_BIT(word_, mask_, yes, no) TEST(word_, mask_, yes, IS(0, no))
#define POINTER(n, set, null) ANY_BIT(SECCOMP_LOW(n), ALL, set, SECCOMP_GO(1)), ANY_BIT(SECCOMP_HIGH(n), ALL, set, null)
#define TESTS(array) .to = SECCOMP_GO(0), .tests = (array), .test_count = sizeof(array) / sizeof((array)[0])

/* O_ACCMODE, O_CREAT, O_TRUNC and the bit of O_TMPFILE that is not O_DIRECTORY; the same on both architectures. */
#define OPEN_CHANGES (03U | 0100U | 01000U | 020000000U)
static const struct seccomp_test open_tests[] = {ANY_BIT(ARG(1), OPEN_CHANGES, TO_CHANGE_OR_READ, TO_READ)};
static const struct seccomp_test openat_tests[] = {ANY_BIT(ARG(2), OPEN_CHANGES, TO_CHANGE_OR_READ, TO_READ)};

static const struct seccomp_test exec_tests[] = {TEST(ARG(5), ALL, TO_EXEC, IS(SECCOMP_OWN_START, TO_ALLOW))};

/* By type byte first: btrfs and bcachefs make, snapshot and remove subvolumes with an ioctl that neither Landlock nor a trap
 * on mkdir sees, and a snapshot holds files that were not granted; f2fs changes files through a read-only descriptor.
 * Then single ones, in the order of their numbers. */
enum { IOCTL_TYPE = 0, IOCTL_BTRFS, IOCTL_NUMBER };
static const struct seccomp_test ioctl_tests[] = {
	[IOCTL_TYPE] = TEST(ARG(1), 0xff00, SECCOMP_GO(IOCTL_NUMBER), IS(0x9400, SECCOMP_GO(IOCTL_BTRFS)),
			    IS(0xbc00, TO_ENOTTY), IS(0xf500, TO_RARE_METADATA)),
	[IOCTL_BTRFS] = TEST(ARG(1), ALL, TO_ENOTTY, IS(0x40049409, TO_ALLOW), /* FICLONE */
			     IS(0x4020940d, TO_ALLOW),			       /* FICLONERANGE */
			     IS(0xc0189436, TO_ALLOW)),			       /* FIDEDUPERANGE */
	[IOCTL_NUMBER] = TEST(ARG(1), ALL, TO_ALLOW, IS(0x5412, TO_EPERM),     /* TIOCSTI */
			      {0x541c, 0x541d, TO_EPERM},		       /* TIOCLINUX, TIOCCONS */
			      IS(0x5423, TO_EPERM),			       /* TIOCSETD */
			      IS(0x6609, TO_RARE_METADATA),		       /* EXT4_IOC_MIGRATE */
			      IS(0x660c, TO_RARE_METADATA),		       /* EXT4_IOC_ALLOC_DA_BLKS */
			      {0x8901, 0x8902, TO_OWNER},		       /* FIOSETOWN, SIOCSPGRP */
			      IS(0x40046602, TO_METADATA),		       /* FS_IOC32_SETFLAGS */
			      IS(0x40047211, TO_RARE_METADATA),		       /* FAT_IOCTL_SET_ATTRIBUTES */
			      IS(0x40047602, TO_RARE_METADATA),		       /* FS_IOC32_SETVERSION */
			      IS(0x40086602, TO_METADATA),		       /* FS_IOC_SETFLAGS */
			      IS(0x40086604, TO_RARE_METADATA),		       /* EXT4_IOC_SETVERSION_OLD */
			      IS(0x40087602, TO_RARE_METADATA),		       /* FS_IOC_SETVERSION */
			      IS(0x40186f04, TO_ENOTTY),		       /* OCFS2_IOC_REFLINK: copies by path */
			      IS(0x401c5820, TO_METADATA),		       /* FS_IOC_FSSETXATTR */
			      IS(0x40806685, TO_RARE_METADATA),		       /* FS_IOC_ENABLE_VERITY */
			      IS(0x800c6613, TO_RARE_METADATA)),	       /* FS_IOC_SET_ENCRYPTION_POLICY */
};

/* An owner gets SIGIO, or any signal that F_SETSIG names. F_SETOWN has it in a register, F_SETOWN_EX behind a pointer. */
static const struct seccomp_test fcntl_tests[] = {
	TEST(ARG(1), ALL, TO_ALLOW, IS(8, TO_SIGNAL), IS(15, TO_OWNER)),
};

#define MFD_NOEXEC_SEAL_BIT 0x08U
#define MFD_EXEC_BIT 0x10U
static const struct seccomp_test memfd_tests[] = {
	ANY_BIT(ARG(1), MFD_NOEXEC_SEAL_BIT, TO_ALLOW, SECCOMP_GO(1)),
	ANY_BIT(ARG(1), MFD_EXEC_BIT, TO_MEMFD_EXEC, TO_MEMFD),
};

/* CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. CLONE_NEWTIME lies in clone's signal number. */
#define NEW_NAMESPACES 0x7e020000U
#define NEW_TIME_NAMESPACE 0x80U
static const struct seccomp_test clone_tests[] = {ANY_BIT(ARG(0), NEW_NAMESPACES, TO_NAMESPACE, TO_ALLOW)};
static const struct seccomp_test unshare_tests[] = {
	ANY_BIT(ARG(0), NEW_NAMESPACES | NEW_TIME_NAMESPACE, TO_NAMESPACE, TO_ALLOW),
};

/* Options of the kernel's list that act on the caller alone. */
enum { PRCTL_OPTION = 0, PRCTL_DUMPABLE };
static const struct seccomp_test prctl_tests[] = {
	[PRCTL_OPTION] = TEST(ARG(0), ALL, TO_EINVAL, {1, 3, TO_ALLOW}, /* PDEATHSIG, GET_DUMPABLE */
			      IS(4, SECCOMP_GO(PRCTL_DUMPABLE)),	/* SET_DUMPABLE */
			      {5, 8, TO_ALLOW},				/* UNALIGN, KEEPCAPS */
			      {13, 16, TO_ALLOW},			/* TIMING, NAME */
			      {21, 30, TO_ALLOW},	 /* SECCOMP, CAPBSET, TSC, SECUREBITS, TIMERSLACK */
			      {33, 34, TO_ALLOW},	 /* MCE_KILL */
			      IS(35, TO_TRACE),		 /* SET_MM */
			      {36, 42, TO_ALLOW},	 /* SUBREAPER, NO_NEW_PRIVS, TID_ADDRESS, THP */
			      IS(47, TO_ALLOW),		 /* CAP_AMBIENT */
			      {50, 56, TO_ALLOW},	 /* SVE, SPECULATION, PAC, TAGGED_ADDR */
			      {59, 61, TO_ALLOW},	 /* SYSCALL_USER_DISPATCH, PAC_ENABLED_KEYS */
			      {63, 68, TO_ALLOW},	 /* SME, MDWE, MEMORY_MERGE */
			      {74, 78, TO_ALLOW},	 /* SHADOW_STACK, TIMER_CREATE_RESTORE, FUTEX_HASH */
			      IS(0x41555856, TO_ALLOW),	 /* GET_AUXV */
			      IS(0x53564d41, TO_ALLOW),	 /* SET_VMA */
			      IS(0x59616d61, TO_TRACE)), /* SET_PTRACER */
	[PRCTL_DUMPABLE] = ANY_BIT(ARG(1), ALL, TO_ALLOW, TO_DUMPABLE),
};

/* PER_LINUX, PER_LINUX32, each with UNAME26 or without, asking; ADDR_NO_RANDOMIZE for debuggers. */
static const struct seccomp_test personality_tests[] = {
	TEST(ARG(0), ALL, TO_EPERM, IS(0, TO_ALLOW), IS(8, TO_ALLOW), IS(0x20000, TO_ALLOW), IS(0x20008, TO_ALLOW),
	     IS(0x40000, TO_TRACE), IS(0x40008, TO_TRACE), IS(0xffffffff, TO_ALLOW)),
};

static const struct seccomp_test sched_set_tests[] = {
	TEST(ARG(0), ALL, TO_PEER, IS(0, TO_ALLOW), IS(1, TO_SUPERVISOR)),
};
/* PRIO_PROCESS is 0, IOPRIO_WHO_PROCESS is 1; the others name a group or a user. */
static const struct seccomp_test setpriority_tests[] = {
	TEST(ARG(0), ALL, TO_GROUP_OF_PEERS, IS(0, SECCOMP_GO(1))),
	TEST(ARG(1), ALL, TO_PEER, IS(0, TO_ALLOW), IS(1, TO_SUPERVISOR)),
};
static const struct seccomp_test ioprio_set_tests[] = {
	TEST(ARG(0), ALL, TO_GROUP_OF_PEERS, IS(1, SECCOMP_GO(1))),
	TEST(ARG(1), ALL, TO_PEER, IS(0, TO_ALLOW), IS(1, TO_SUPERVISOR)),
};
/* Asking is free; new limits for another process are judged by its number. */
static const struct seccomp_test prlimit_tests[] = {
	POINTER(2, SECCOMP_GO(2), TO_ALLOW),
	TEST(ARG(0), ALL, TO_PEER, IS(0, TO_ALLOW), IS(1, TO_SUPERVISOR)),
};

/* Families AF_UNIX 1, AF_INET 2, AF_INET6 10, AF_NETLINK 16; types STREAM 1, DGRAM 2, SEQPACKET 5 below the flags
 * SOCK_CLOEXEC and SOCK_NONBLOCK; protocols TCP 6, UDP 17, NETLINK_ROUTE 0. AF_UNIX takes SOCK_RAW for SOCK_DGRAM. */
enum { SOCKET_FAMILY = 0, SOCKET_UNIX, SOCKET_IP, SOCKET_STREAM, SOCKET_DGRAM, SOCKET_NETLINK };
#define SOCKET_TYPE 0x0fU
static const struct seccomp_test socket_tests[] = {
	[SOCKET_FAMILY] =
		TEST(ARG(0), ALL, TO_EAFNOSUPPORT, IS(1, SECCOMP_GO(SOCKET_UNIX)), IS(2, SECCOMP_GO(SOCKET_IP)),
		     IS(10, SECCOMP_GO(SOCKET_IP)), IS(16, SECCOMP_GO(SOCKET_NETLINK))),
	[SOCKET_UNIX] = TEST(ARG(1), SOCKET_TYPE, TO_EPROTONOSUPPORT, IS(1, TO_ALLOW), IS(5, TO_ALLOW)),
	[SOCKET_IP] = TEST(ARG(1), SOCKET_TYPE, TO_EPROTONOSUPPORT, IS(1, SECCOMP_GO(SOCKET_STREAM)),
			   IS(2, SECCOMP_GO(SOCKET_DGRAM))),
	[SOCKET_STREAM] = TEST(ARG(2), ALL, TO_EPROTONOSUPPORT, IS(0, TO_TCP), IS(6, TO_TCP)),
	[SOCKET_DGRAM] = TEST(ARG(2), ALL, TO_EPROTONOSUPPORT, IS(0, TO_UDP), IS(17, TO_UDP)),
	[SOCKET_NETLINK] = TEST(ARG(2), ALL, TO_EPROTONOSUPPORT, IS(0, TO_ALLOW)),
};
static const struct seccomp_test socketpair_tests[] = {
	TEST(ARG(0), ALL, TO_EAFNOSUPPORT, IS(1, SECCOMP_GO(1))),
	TEST(ARG(1), SOCKET_TYPE, TO_EPROTONOSUPPORT, IS(1, TO_ALLOW), {2, 3, TO_DATAGRAM_PAIR}, IS(5, TO_ALLOW)),
};

/* TCP Fast Open connects without connect(), so neither a trap nor Landlock would see it. */
#define MSG_FASTOPEN_BIT 0x20000000U
static const struct seccomp_test sendto_tests[] = {
	POINTER(4, SECCOMP_GO(2), SECCOMP_GO(3)),
	ANY_BIT(ARG(3), MSG_FASTOPEN_BIT, TO_EOPNOTSUPP, TO_CONNECT),
	ANY_BIT(ARG(3), MSG_FASTOPEN_BIT, TO_EOPNOTSUPP, TO_ALLOW),
};
static const struct seccomp_test sendmsg_tests[] = {ANY_BIT(ARG(2), MSG_FASTOPEN_BIT, TO_EOPNOTSUPP, TO_ALLOW)};
static const struct seccomp_test sendmmsg_tests[] = {ANY_BIT(ARG(3), MSG_FASTOPEN_BIT, TO_EOPNOTSUPP, TO_ALLOW)};
/* By level: SOL_IP, SOL_SOCKET, SOL_TCP, SOL_IPV6. TCP_FASTOPEN_CONNECT; TCP_ULP (which makes TLS, SMC or MPTCP of a
 * socket). Where loopback is the host's, what is sent to it must not go elsewhere: a source route (IP_OPTIONS,
 * IPV6_RTHDR, IPV6_2292PKTOPTIONS) or another interface (SO_BINDTODEVICE, SO_BINDTOIFINDEX) takes whole packets of a
 * connection to ::1 out of the machine, even if it is set after the connection was made. */
enum { SOCKOPT_LEVEL = 0, SOCKOPT_IP, SOCKOPT_SOCKET, SOCKOPT_TCP, SOCKOPT_IPV6 };
static const struct seccomp_test setsockopt_tests[] = {
	[SOCKOPT_LEVEL] = TEST(ARG(1), ALL, TO_ALLOW, IS(0, SECCOMP_GO(SOCKOPT_IP)), IS(1, SECCOMP_GO(SOCKOPT_SOCKET)),
			       IS(6, SECCOMP_GO(SOCKOPT_TCP)), IS(41, SECCOMP_GO(SOCKOPT_IPV6))),
	[SOCKOPT_IP] = TEST(ARG(2), ALL, TO_ALLOW, IS(4, TO_STEER)),
	[SOCKOPT_SOCKET] = TEST(ARG(2), ALL, TO_ALLOW, IS(25, TO_STEER), IS(62, TO_STEER)),
	/* 14, 32: TCP_MD5SIG, the door of sup_door.c; 38 to 42: TCP_AO, which would replace it */
	[SOCKOPT_TCP] = TEST(ARG(2), ALL, TO_ALLOW, IS(14, TO_STEER), {30, 31, TO_ENOPROTOOPT}, IS(32, TO_STEER),
			     {38, 42, TO_STEER}),
	[SOCKOPT_IPV6] = TEST(ARG(2), ALL, TO_ALLOW, IS(6, TO_STEER), IS(57, TO_STEER)),
};

/* ---- groups ------------------------------------------------------------------------------------------------------ */

const struct seccomp_group seccomp_groups[GROUP_COUNT] = {
	[GROUP_DATA] = {"data", "act on descriptors; what they reach was decided when they were opened",
			.to = TO_ALLOW},
	[GROUP_NAMES] = {"names", "look up, list, ask and watch; Landlock and the view decide what is there",
			 .to = TO_ALLOW},
	[GROUP_ACCESS] = {"access", "ask what may be done; a mount that is only read says no to what may be asked for",
			  .to = TO_ACCESS},
	[GROUP_OPEN] = {"open", "the flags, in a register, tell whether anything can change", TESTS(open_tests)},
	[GROUP_OPENAT] = {"openat", "the flags, in a register, tell whether anything can change", TESTS(openat_tests)},
	[GROUP_OPENAT2] = {"openat2", "its flags are in memory, where they could change after a look",
			   .to = TO_CHANGE_OR_READ},
	[GROUP_CHANGES] = {"changes",
			   "make, remove, rename, link or cut something that is named by a path; and the umask, "
			   "which is taken over when something is made on behalf",
			   .to = TO_CHANGE},
	[GROUP_MODES] = {"modes",
			 "change permissions, which Landlock does not handle; an access list in an attribute does too",
			 .to = TO_MODE},
	[GROUP_METADATA] = {"metadata", "change owner, times, attributes, which Landlock does not handle",
			    .to = TO_METADATA},
	[GROUP_IOCTL] = {"ioctl", "terminals need it; typing into them, and file systems' back doors, are refused",
			 TESTS(ioctl_tests)},
	[GROUP_FCNTL] = {"fcntl", "an owner of a descriptor gets signals: scoped like them", TESTS(fcntl_tests)},
	[GROUP_MEMORY] = {"memory", "the caller's own address space; code made at run time is ordinary work",
			  .to = TO_ALLOW},
	[GROUP_MEMFD] = {"memfd", "a file in memory can be run unless it is sealed when it is made",
			 TESTS(memfd_tests)},
	[GROUP_EXEC] = {"exec", "Landlock decides; looked at only where all of what is refused is to be told",
			TESTS(exec_tests)},
	[GROUP_PROCESS] = {"process", "start, wait for and describe processes; the kernel's own trampolines",
			   .to = TO_ALLOW},
	[GROUP_CLONE] = {"clone", "processes and threads; namespaces are new capabilities on a large kernel surface",
			 TESTS(clone_tests)},
	[GROUP_CLONE3] = {"clone3", "its flags are in memory; libraries fall back to clone", .to = TO_CLONE3},
	[GROUP_UNSHARE] = {"unshare", "may part with files, folder and semaphores, not get namespaces",
			   TESTS(unshare_tests)},
	[GROUP_PRCTL] = {"prctl", "what acts on the caller alone; unknown options do not exist", TESTS(prctl_tests)},
	[GROUP_PERSONALITY] = {"personality", "no weakening of address space layout", TESTS(personality_tests)},
	[GROUP_IDENTITY] = {"identity", "programs ask and set what they already are; there is no capability for more",
			    .to = TO_ALLOW},
	[GROUP_THREADS] = {"threads", "wait for and wake each other on shared memory", .to = TO_ALLOW},
	[GROUP_SCHED] = {"scheduling", "ask for priorities and processors", .to = TO_ALLOW},
	[GROUP_SCHED_SET] = {"scheduling of a process", "of the caller, or of one inside", TESTS(sched_set_tests)},
	[GROUP_SETPRIORITY] = {"priority", "of the caller, or of one inside", TESTS(setpriority_tests)},
	[GROUP_IOPRIO_SET] = {"input and output priority", "of the caller, or of one inside", TESTS(ioprio_set_tests)},
	[GROUP_LIMITS] = {"limits", "of the caller, or of one inside; never of the supervisor", TESTS(prlimit_tests)},
	[GROUP_HANDLERS] = {"signal handlers", "receive signals", .to = TO_ALLOW},
	[GROUP_SIGNALS] = {"signals", "send them; a pid namespace or Landlock scopes them, else the supervisor",
			   .to = TO_SIGNAL},
	[GROUP_TIME] = {"time", "ask, sleep, own timers", .to = TO_ALLOW},
	[GROUP_EVENTS] = {"events", "wait for descriptors", .to = TO_ALLOW},
	[GROUP_AIO] = {"aio", "old asynchronous reads and writes of open descriptors; databases", .to = TO_ALLOW},
	[GROUP_SOCKET] = {"socket",
			  "Unix streams, TCP, UDP, routing tables; every other family and protocol is surface",
			  TESTS(socket_tests)},
	[GROUP_SOCKETPAIR] = {"socketpair", "a datagram pair could send to any address", TESTS(socketpair_tests)},
	[GROUP_CONNECT] = {"connect, bind", "the address is in memory: on behalf where it matters", .to = TO_CONNECT},
	[GROUP_LISTEN] = {"listen", "an unbound socket listens on every address", .to = TO_LISTEN},
	[GROUP_SENDTO] = {"sendto", "with an address it is a connect", TESTS(sendto_tests)},
	[GROUP_SENDMSG] = {"sendmsg", "addresses reach nothing: Unix datagrams are refused, UDP where it matters",
			   TESTS(sendmsg_tests)},
	[GROUP_SENDMMSG] = {"sendmmsg", "as sendmsg", TESTS(sendmmsg_tests)},
	[GROUP_SETSOCKOPT] = {"setsockopt", "no other protocol on top of TCP, no connect and no other way by option",
			      TESTS(setsockopt_tests)},
	[GROUP_SOCKETS] = {"sockets", "act on sockets that are there", .to = TO_ALLOW},
	[GROUP_IPC] = {"ipc", "names that are not files: only where they are the sandbox's own", .to = TO_IPC},
	[GROUP_CONFINE] = {"confine", "programs may narrow themselves further", .to = TO_ALLOW},
	[GROUP_TRACE] = {"trace", "read, write and steer other processes: off unless asked for", .to = TO_TRACE},
	[GROUP_MOUNT] = {"mount", "mounts, roots, host names: only inside user namespaces, off unless asked for",
			 .to = TO_NAMESPACE},
	[GROUP_URING] = {"io_uring", "does calls that no filter sees; libraries fall back", .to = TO_URING},
	[GROUP_PERF] = {"perf", "large kernel surface: off unless asked for", .to = TO_PERF},
	[GROUP_KEYS] = {"keys", "keyrings are not namespaced: keys of the user are in reach", .to = TO_EPERM},
	[GROUP_KERNEL] = {"kernel", "power over the kernel or around path checks", .to = TO_EPERM},
	[GROUP_MACHINE] = {"machine", "settings of the whole machine", .to = TO_EPERM},
	[GROUP_HANDLES] = {"handles", "names of files without paths; programs take this for a file system without",
			   .to = TO_EOPNOTSUPP},
	[GROUP_OLD] = {"old", "long gone or of no use to a 64-bit program", .to = TO_ENOSYS},
};
