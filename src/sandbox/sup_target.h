/* Addresses of IP as the supervisor judges them: read once, as the kernel would take them for the socket. No system call. */
#ifndef BERM_SANDBOX_SUP_TARGET_H
#define BERM_SANDBOX_SUP_TARGET_H

#include "sandbox/sup_socket.h"

enum { TARGET_TEXT = INET6_ADDRSTRLEN + 16 };

struct target {
	int family; /* of the address: AF_INET for ::ffff:a.b.c.d too */
	uint8_t addr[16];
	uint16_t port;
};

struct target target_of6(const uint8_t addr[16], uint16_t port);
/* Of the call's address, for its socket. 0, or an errno. */
int target_read(const struct sock_call *sock, struct target *ret_target);
size_t target_size(const struct target *target); /* of addr, in bytes */
bool target_is_any(const struct target *target);
bool target_is_loopback(const struct target *target);
/* "127.0.0.1:80", "[::1]:80" */
const char *target_text(const struct target *target, char ret_text[static TARGET_TEXT]);
/* Makes the loopback of it, in the call as well; mapped: IPv4's, though the socket is of IPv6. The port stays. */
void target_set_loopback(struct sock_call *sock, struct target *target, bool mapped);

#endif
