/*
 * What @egress gives up before the first byte from inside: every descriptor but its own, files, programs, other processes,
 * every kind of socket but TCP and UDP, and every system call that does not stand in the list of confine.c. It works the
 * same without namespaces, as an ordinary user; what the kernel does not have (Landlock) is left out, the list stays.
 */
#ifndef BERM_EGRESS_CONFINE_H
#define BERM_EGRESS_CONFINE_H

#include <stddef.h>

#include "base/err.h"

/* First of all: closes every descriptor but keep_fd; 0, 1 and 2 become /dev/null. Errors: SYS. */
MUST_USE enum berm_code confine_descriptors(int keep_fd, struct berm_err *err);
/* Last, when everything is opened: for good. descriptors: how many are wanted; *ret_descriptors: how many there may be. A
 * call that is not in the list kills this process, one that looks for a file fails. Errors: SYS, UNSUPPORTED. */
MUST_USE enum berm_code confine_process(size_t descriptors, size_t *ret_descriptors, struct berm_err *err);

#endif
