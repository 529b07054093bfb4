/* Sockets: the few questions about a descriptor that berm asks, and a connect that does not wait for long. No heap. */
#ifndef BERM_OS_SOCK_H
#define BERM_OS_SOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* One int of the socket's own: SO_DOMAIN, SO_TYPE, SO_PROTOCOL, IPV6_V6ONLY, ... 0, or -1 with errno. */
int sock_get_int(int fd, int level, int name, int *ret_value);
/* A number that no other socket has or will have until the next boot (SO_COOKIE, Linux 4.12). 0, or -1 with errno. */
int sock_cookie(int fd, uint64_t *ret_cookie);
/* The state of a TCP socket (TCP_ESTABLISHED, TCP_SYN_SENT, ...), or -1 with errno. */
int sock_tcp_state(int fd);
/* Dissolves the association of a socket: the opposite of connect. 0, or -1 with errno. */
int sock_disconnect(int fd);
/* connect(2) that is interrupted after limit_us if it would still wait: -1 with EINTR; a TCP connection then goes on
 * being made, of a Unix socket nothing has happened. Neither the file's flags nor the socket's options are touched,
 * which other processes may share. Takes ITIMER_REAL and SIGALRM for itself; for processes of one thread that keep
 * SIGALRM blocked. */
int sock_connect_briefly(int fd, const struct sockaddr *addr, socklen_t len, uint32_t limit_us);

#endif
