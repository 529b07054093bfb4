/*
 * Who listens here: sock_diag, which tells sockets apart by cookie. An inode number would not do: the kernel counts them
 * in 32 bits, so whoever opens sockets for an hour or two gets a chosen one. No heap.
 */
#ifndef BERM_OS_DIAG_H
#define BERM_OS_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct diag_listener {
	uint64_t cookie;  /* as sock_cookie gives it */
	int family;	  /* AF_INET or AF_INET6 */
	uint8_t addr[16]; /* of AF_INET the first four */
	bool v6only;
};

/* All TCP sockets of this network namespace that listen on port (host order), of both families. Returns their number, or
 * -1 with errno: EOVERFLOW if they are more than max, ENOENT if this kernel has no sock_diag for TCP. */
ssize_t diag_tcp_listeners(uint16_t port, struct diag_listener *ret_listeners, size_t max);

#endif
