/*
 * The system call filter: an allow-list with a reason for each group (seccomp_table.c), compiled to classic BPF as a
 * balanced search tree by number (the kernel runs the program once for every call number when it is installed). The
 * architecture is checked first: a call of another one (int 0x80 on x86_64) kills the process; x32 numbers and those
 * that are not listed get ENOSYS so that libraries fall back; listed but refused ones get EPERM or the errno of their
 * row. Constant cost per call.
 */
#ifndef BERM_SANDBOX_SECCOMP_H
#define BERM_SANDBOX_SECCOMP_H

#include <linux/filter.h>

#include "base/err.h"
#include "sandbox/spec.h"

enum { SECCOMP_MAX_INSTRUCTIONS = 2048 };

/* Compiles for one architecture (AUDIT_ARCH_X86_64 or AUDIT_ARCH_AARCH64, whichever this runs on) into the caller's array
 * of SECCOMP_MAX_INSTRUCTIONS. No heap, no system call, the same bytes for the same spec. Errors: UNSUPPORTED
 * (architecture), LIMIT. */
MUST_USE enum berm_code seccomp_compile(const struct seccomp_spec *spec, uint32_t audit_arch,
					struct sock_filter *ret_program, size_t *ret_len, struct berm_err *err);

/* The architecture this binary runs on. */
uint32_t seccomp_native_arch(void);

/* A second, tiny list for the throw-away judge: read, write, rt_sigreturn, exit and exit_group; everything else kills the
 * process. ret_program: the caller's, SECCOMP_MAX_INSTRUCTIONS as well. Returns the length, 0 for an unknown
 * architecture. */
size_t seccomp_judge_program(uint32_t audit_arch, struct sock_filter *ret_program);

#endif
