/*
 * What the filter does, as data: one rule and one reason for each group of calls, the tests of arguments, and the
 * verdicts with the facts of the spec that they hang on. Read by seccomp.c and by nothing else but tests.
 */
#ifndef BERM_SANDBOX_SECCOMP_TABLE_H
#define BERM_SANDBOX_SECCOMP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/syscalls.h"

/* Where a test leads to: one of these, or another test of the same group (SECCOMP_GO). */
enum seccomp_to {
	TO_KILL = 0,
	/* Refused; the errno is one that programs take for "not on this machine" or "not for you". */
	TO_ENOSYS,
	TO_EPERM,
	TO_EACCES,
	TO_EINVAL,
	TO_ENOTTY,
	TO_EAFNOSUPPORT,
	TO_EPROTONOSUPPORT,
	TO_EOPNOTSUPP,
	TO_ENOPROTOOPT,
	TO_DONE,   /* success, and nothing is done */
	TO_NOTIFY, /* the supervisor answers */
	TO_ALLOW,
	/* These hang on the spec; the names say what the call wants. */
	TO_CHANGE,
	TO_CHANGE_OR_READ,
	TO_READ,
	TO_ACCESS,
	TO_EXEC,
	TO_MODE,
	TO_METADATA,
	TO_RARE_METADATA,
	TO_CONNECT,
	TO_LISTEN,
	TO_STEER,
	TO_SIGNAL,
	TO_OWNER,
	TO_PEER,
	TO_SUPERVISOR,
	TO_TRAPPED_PEER,
	TO_GROUP_OF_PEERS,
	TO_DATAGRAM_PAIR,
	TO_MEMFD,
	TO_PLAIN_MEMFD,
	TO_MEMFD_EXEC,
	TO_DUMPABLE,
	TO_TCP,
	TO_UDP,
	TO_WANTED_UDP,
	TO_IPC,
	TO_TRACE,
	TO_NAMESPACE,
	TO_CLONE3,
	TO_URING,
	TO_PERF,
	TO_COUNT
};
#define SECCOMP_GO(test) (0x80 | (test))
#define SECCOMP_IS_GO(to) (((to)&0x80) != 0)
#define SECCOMP_GO_TEST(to) ((to)&0x7f)

/* A verdict is an action, or depends on one fact. */
struct seccomp_verdict {
	uint32_t action; /* SECCOMP_RET_*, if there is no condition */
	bool conditional;
	uint8_t set, unset; /* enum seccomp_to, by the fact */
	size_t fact;	    /* offset of a bool in struct seccomp_spec */
};

struct seccomp_span {
	uint32_t first, last;
	uint8_t to;
};

/* One test: 32 bits of an argument, masked, looked up in spans; what no span holds goes to other. A test may only lead to
 * tests that stand behind it. */
struct seccomp_test {
	uint8_t word; /* SECCOMP_LOW(n), SECCOMP_HIGH(n) */
	uint8_t other;
	uint32_t mask;
	size_t count;
	const struct seccomp_span *spans; /* sorted, apart from each other */
};
#define SECCOMP_LOW(arg) (2 * (arg))
#define SECCOMP_HIGH(arg) (2 * (arg) + 1)

enum { SECCOMP_MAX_TESTS = 12, SECCOMP_MAX_SPANS = 32 };

struct seccomp_group {
	const char *name, *reason;
	uint8_t to; /* a verdict, or SECCOMP_GO(0) */
	uint8_t test_count;
	const struct seccomp_test *tests;
};

extern const struct seccomp_verdict seccomp_verdicts[TO_COUNT];
extern const struct seccomp_group seccomp_groups[GROUP_COUNT];

#endif
