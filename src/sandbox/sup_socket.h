/*
 * Sockets on behalf: what sup_socket.c, sup_unix.c and sup_ip.c share. The descriptor is fetched from the task once and
 * the address is copied once; what is judged is what is used, whatever other threads make of the number and the memory
 * meanwhile. Nothing here is ever continued.
 */
#ifndef BERM_SANDBOX_SUP_SOCKET_H
#define BERM_SANDBOX_SUP_SOCKET_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sandbox/supervise.h"

enum {
	SUP_CONNECT_US = 300, /* a connect that waits longer than this is handed to a helper process */
	SUP_OBJECT_SIZE = SUP_PATH_MAX + 8,
};

struct target;

struct sock_call {
	struct call *call;
	int fd; /* the task's very socket, borrowed */
	int domain, type;
	int backlog; /* listen */
	socklen_t len;
	union {
		struct sockaddr any;
		struct sockaddr_un un;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage all;
	} addr; /* connect, bind; zero beyond len */
};

/* As it stands, on the fetched socket. A connect that waits is handed to a helper process. */
struct sup_answer sup_socket_connect(struct sock_call *sock);
struct sup_answer sup_socket_bind(struct sock_call *sock);
struct sup_answer sup_socket_listen(struct sock_call *sock);
/* Refuses and tells. object: "unix:/path", "unix:@name", "127.0.0.1:80", "[::1]:80". */
struct sup_answer sup_socket_refuse(const struct sock_call *sock, enum berm_request_op op, int error,
				    const char *object, const char *detail);
bool sup_socket_is_tcp(const struct sock_call *sock);
/* The network is not the host's, or the host's is granted: addresses of IP need no judgement. */
bool sup_socket_own_network(const struct berm_plan *plan);

/* sup_door.c: of sockets on a loopback that is the host's only those with a door get through to each other. Before listen
 * and connect. 0, or an errno. */
int door_set(int fd, int domain);

/* sup_ip.c: the socket listens for this sandbox, and may be connected to. 0, or an errno. */
int sup_ip_keep(int fd, int domain);

/* sup_lead.c: where the ends of a filtered network are on the machine's loopback. Keeps them: where they listen is where
 * connections are led to. 0, or an errno. */
int sup_lead_keep(const struct berm_network_ends *ends);
/* Where a connection goes: *target, and the call's address with it, becomes an end, or stays on the loopback. *ret_told: its
 * origin is to be told. 0, or an errno. */
int sup_lead(struct sock_call *sock, struct target *target, bool *ret_told);

/* sup_capture.c: with a filtered network. Tells who began the connection of the call, which was to go to target, and waits so
 * long for room. 0, EAGAIN (nobody is told yet), or another errno. */
int sup_capture_tell(const struct sock_call *sock, const struct target *target, int wait_ms);
/* Nobody could be told, for this reason: there is no connection. */
struct sup_answer sup_capture_take_back(const struct sock_call *sock, const struct target *target, int error);
enum { SUP_TELL_MS = 1000 };
struct sup_answer sup_capture_connect(struct sock_call *sock);
/* May a datagram go to the call's address? DNS to anybody, else inside. */
bool sup_capture_may_send(const struct sock_call *sock);

struct sup_answer sup_unix_connect(struct sock_call *sock);
struct sup_answer sup_unix_bind(struct sock_call *sock);
struct sup_answer sup_unix_listen(struct sock_call *sock);
struct sup_answer sup_ip_connect(struct sock_call *sock);
struct sup_answer sup_ip_bind(struct sock_call *sock);
struct sup_answer sup_ip_listen(struct sock_call *sock);

#endif
