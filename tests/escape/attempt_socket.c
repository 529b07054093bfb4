/* Talking to somebody outside: Unix sockets by path and by abstract name, IP by every road, odd families. */
#include "attempt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_un un;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t len;
};

static struct address unix_path(const char *path)
{
	struct address a = {.un = {.sun_family = AF_UNIX}, .len = sizeof(struct sockaddr_un)};
	strncpy(a.un.sun_path, path, sizeof(a.un.sun_path) - 1);
	return a;
}

static struct address abstract(const char *name)
{
	struct address a = {.un = {.sun_family = AF_UNIX}};
	strncpy(a.un.sun_path + 1, name, sizeof(a.un.sun_path) - 2);
	a.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
	return a;
}

static struct address ip(const char *host, const char *port)
{
	struct address a = {.len = sizeof(struct sockaddr_in)};
	if (strchr(host, ':')) {
		a.in6.sin6_family = AF_INET6;
		a.in6.sin6_port = htons((uint16_t)number(port));
		inet_pton(AF_INET6, host, &a.in6.sin6_addr);
		a.len = sizeof(struct sockaddr_in6);
		return a;
	}
	a.in.sin_family = AF_INET;
	a.in.sin_port = htons((uint16_t)number(port));
	inet_pton(AF_INET, host, &a.in.sin_addr);
	return a;
}

static int socket_type(const char *name)
{
	return strcmp(name, "dgram") == 0 ? SOCK_DGRAM : strcmp(name, "seqpacket") == 0 ? SOCK_SEQPACKET : SOCK_STREAM;
}

/* One connection with a word in it. */
static int talk(int fd, const struct address *to, const char *what)
{
	if (fd < 0)
		return refused("socket for %s", what);
	if (connect(fd, &to->any, to->len))
		return refused("connect to %s", what);
	if (send(fd, "hello", 5, MSG_NOSIGNAL) < 0)
		return refused("send to %s", what);
	return achieved("spoke to %s", what);
}

static int unix_connect(int argc, char **argv)
{
	struct address to = unix_path(argv[0]);
	return talk(socket(AF_UNIX, socket_type(argc > 1 ? argv[1] : "stream"), 0), &to, argv[0]);
}

static int unix_from_folder(int argc, char **argv)
{
	(void)argc;
	struct address to = unix_path(argv[1]);
	if (chdir(argv[0]))
		return refused("chdir %s", argv[0]);
	return talk(socket(AF_UNIX, SOCK_STREAM, 0), &to, argv[1]);
}

static int unix_magic(int argc, char **argv)
{
	(void)argc;
	char link[64];
	int fd = open(argv[0], O_PATH | O_CLOEXEC);
	if (fd < 0)
		return refused("O_PATH %s", argv[0]);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	struct address to = unix_path(link);
	return talk(socket(AF_UNIX, SOCK_STREAM, 0), &to, link);
}

static int abstract_connect(int argc, char **argv)
{
	struct address to = abstract(argv[0]);
	return talk(socket(AF_UNIX, socket_type(argc > 1 ? argv[1] : "stream"), 0), &to, argv[0]);
}

static long send_one(int fd, const char *how, const struct address *to)
{
	struct iovec part = {.iov_base = "hello", .iov_len = 5};
	struct mmsghdr message = {.msg_hdr = {.msg_name = (void *)(uintptr_t)&to->any,
					      .msg_namelen = to->len,
					      .msg_iov = &part,
					      .msg_iovlen = 1}};
	if (strcmp(how, "sendto") == 0)
		return sendto(fd, "hello", 5, 0, &to->any, to->len);
	if (strcmp(how, "sendmsg") == 0)
		return sendmsg(fd, &message.msg_hdr, 0);
	if (strcmp(how, "sendmmsg") == 0)
		return sendmmsg(fd, &message, 1, 0);
	return connect(fd, &to->any, to->len) ? -1 : send(fd, "hello", 5, 0);
}

static int unix_send(int argc, char **argv)
{
	(void)argc;
	struct address to = unix_path(argv[1]);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	return fd < 0 ? refused("datagram socket") : report(send_one(fd, argv[0], &to), argv[0]);
}

/* One end of a pair is a socket like any other. */
static int pair_send(int argc, char **argv)
{
	(void)argc;
	int pair[2];
	struct address to = unix_path(argv[1]);
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
		return refused("socketpair");
	return report(send_one(pair[0], argv[0], &to), argv[0]);
}

static int tcp(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[2] : "tcp";
	struct address to = ip(argv[0], argv[1]);
	int fd = socket(to.any.sa_family, SOCK_STREAM, strcmp(how, "mptcp") == 0 ? IPPROTO_MPTCP : 0);
	if (strcmp(how, "fastopen") != 0)
		return talk(fd, &to, argv[0]);
	if (fd < 0)
		return refused("socket");
	return report(sendto(fd, "hello", 5, MSG_FASTOPEN | MSG_NOSIGNAL, &to.any, to.len), "fast open");
}

/* The same by an option: the connection is made by the first write. */
static int tcp_fastopen_connect(int argc, char **argv)
{
	(void)argc;
	int one = 1, fd;
	struct address to = ip(argv[0], argv[1]);
	fd = socket(to.any.sa_family, SOCK_STREAM, 0);
	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one)))
		return refused("TCP_FASTOPEN_CONNECT");
	return talk(fd, &to, argv[0]);
}

static int udp(int argc, char **argv)
{
	(void)argc;
	struct address to = ip(argv[1], argv[2]);
	int fd = socket(to.any.sa_family, SOCK_DGRAM, 0);
	return fd < 0 ? refused("socket") : report(send_one(fd, argv[0], &to), argv[0]);
}

/* Says READY and its port, then waits for somebody. */
static int wait_for_visitor(int fd, const char *what)
{
	struct address own = {.len = sizeof(struct sockaddr_in6)};
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	getsockname(fd, &own.any, &own.len);
	printf("READY %d\n", own.any.sa_family == AF_UNIX ? 0 : ntohs(own.in.sin_port));
	fflush(stdout);
	if (poll(&poll_fd, 1, 300) <= 0 || accept(fd, NULL, NULL) < 0) {
		errno = ETIMEDOUT;
		return refused("nobody came to %s", what);
	}
	return achieved("a visitor at %s", what);
}

static int tcp_listen(int argc, char **argv)
{
	(void)argc;
	struct address own = ip(argv[0], argv[1]);
	int fd = socket(own.any.sa_family, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, &own.any, own.len) || listen(fd, 5))
		return refused("listen on %s", argv[0]);
	return wait_for_visitor(fd, argv[0]);
}

/* Without bind the kernel picks a port on every address. */
static int tcp_listen_unbound(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || listen(fd, 5))
		return refused("listen without bind");
	return wait_for_visitor(fd, "an unbound socket");
}

static int abstract_listen(int argc, char **argv)
{
	(void)argc;
	struct address own = abstract(argv[0]);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, &own.any, own.len) || listen(fd, 5))
		return refused("listen on @%s", argv[0]);
	return wait_for_visitor(fd, argv[0]);
}

static int unix_bind(int argc, char **argv)
{
	(void)argc;
	struct address own = unix_path(argv[0]);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, &own.any, own.len))
		return refused("bind %s", argv[0]);
	return achieved("bound %s", argv[0]);
}

static int open_socket(int argc, char **argv)
{
	(void)argc;
	int fd = socket((int)number(argv[0]), (int)number(argv[1]), (int)number(argv[2]));
	return report(fd, "socket");
}

/* Every family but Unix, IPv4, IPv6 and netlink, with every type. */
static int odd_families(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	char found[512] = "";
	for (int family = 3; family < 64; family++) {
		for (int type = 1; type < 11 && family != AF_INET6 && family != AF_NETLINK; type++) {
			int fd = socket(family, type, 0);
			size_t used = strlen(found);
			if (fd >= 0)
				snprintf(found + used, sizeof(found) - used, " %d/%d", family, type);
			if (fd >= 0)
				close(fd);
		}
	}
	errno = EAFNOSUPPORT;
	return found[0] ? achieved("families/types:%s", found) : refused("no odd family");
}

/* An address more for the loopback of the host. */
static int add_address(int argc, char **argv)
{
	(void)argc;
	struct {
		struct nlmsghdr head;
		struct ifaddrmsg body;
		struct rtattr attr;
		struct in_addr addr;
	} ask = {.head = {.nlmsg_len = sizeof(ask),
			  .nlmsg_type = RTM_NEWADDR,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE},
		 .body = {.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = 1},
		 .attr = {.rta_len = sizeof(struct rtattr) + 4, .rta_type = IFA_LOCAL}};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr body;
		char more[512];
	} answer = {0};
	inet_pton(AF_INET, argv[0], &ask.addr);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0 || send(fd, &ask, sizeof(ask), 0) < 0 || recv(fd, &answer, sizeof(answer), 0) < 0)
		return refused("netlink");
	errno = -answer.body.error;
	return answer.body.error ? refused("RTM_NEWADDR") : achieved("address %s", argv[0]);
}

const struct attempt socket_attempts[] = {
	{"unix-connect", unix_connect, 1, "PATH [stream|dgram|seqpacket]"},
	{"unix-from-folder", unix_from_folder, 2, "FOLDER NAME"},
	{"unix-magic", unix_magic, 1, "PATH"},
	{"unix-send", unix_send, 2, "sendto|sendmsg|sendmmsg|connect PATH"},
	{"pair-send", pair_send, 2, "sendto|sendmsg|sendmmsg|connect PATH"},
	{"unix-bind", unix_bind, 1, "PATH"},
	{"abstract", abstract_connect, 1, "NAME [TYPE]"},
	{"abstract-listen", abstract_listen, 1, "NAME"},
	{"tcp", tcp, 2, "ADDRESS PORT [tcp|mptcp|fastopen]"},
	{"tcp-fastopen-connect", tcp_fastopen_connect, 2, "ADDRESS PORT"},
	{"udp", udp, 3, "sendto|sendmsg|sendmmsg|connect ADDRESS PORT"},
	{"listen", tcp_listen, 2, "ADDRESS PORT"},
	{"listen-unbound", tcp_listen_unbound, 0, ""},
	{"socket", open_socket, 3, "FAMILY TYPE PROTOCOL"},
	{"families", odd_families, 0, ""},
	{"add-address", add_address, 1, "ADDRESS"},
	{NULL, NULL, 0, NULL},
};
