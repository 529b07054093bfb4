#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/own.h"
#include "sandbox/ends.h"
#include "sandbox/netns_rules.h"

enum {
	BACKLOG = 4096,		/* as the kernel's own maximum */
	ORIGINS_SIZE = 4 << 20, /* some thousand connections, if it is granted */
	PORT_TRIES = 16,
};

/* One end to be made. */
struct wanted {
	bool six, datagrams;
	bool any; /* on every address, else on the loopback */
	uint16_t port;
};

union end_address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t set_address(const struct wanted *want, union end_address *ret_address)
{
	memset(ret_address, 0, sizeof(*ret_address));
	if (!want->six) {
		ret_address->in.sin_family = AF_INET;
		ret_address->in.sin_port = htons(want->port);
		ret_address->in.sin_addr.s_addr = htonl(want->any ? INADDR_ANY : INADDR_LOOPBACK);
		return sizeof(ret_address->in);
	}
	ret_address->in6.sin6_family = AF_INET6;
	ret_address->in6.sin6_port = htons(want->port);
	ret_address->in6.sin6_addr = want->any ? in6addr_any : in6addr_loopback;
	return sizeof(ret_address->in6);
}

static bool switch_on(int fd, int level, int name)
{
	const int on = 1;
	return setsockopt(fd, level, name, &on, sizeof(on)) == 0;
}

/* Transparent: it gets what is for other addresses, and answers from them. */
static bool set_options(int fd, const struct wanted *want)
{
	int level = want->six ? IPPROTO_IPV6 : IPPROTO_IP;
	if (want->six && !switch_on(fd, level, IPV6_V6ONLY))
		return false;
	if (!switch_on(fd, level, want->six ? IPV6_TRANSPARENT : IP_TRANSPARENT))
		return false;
	return !want->datagrams || switch_on(fd, level, want->six ? IPV6_RECVPKTINFO : IP_PKTINFO);
}

static int open_end(const struct wanted *want)
{
	union end_address address;
	socklen_t len = set_address(want, &address);
	int type = (want->datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
	auto_fd int fd = socket(want->six ? AF_INET6 : AF_INET, type, 0);
	if (fd < 0 || !set_options(fd, want) || bind(fd, &address.any, len) < 0)
		return -1;
	if (!want->datagrams && listen(fd, BACKLOG) < 0)
		return -1;
	return take_fd(&fd);
}

static int open_pair(struct wanted want, bool six, int ret_fds[static 2])
{
	ret_fds[0] = open_end(&want);
	if (ret_fds[0] < 0 || !six)
		return ret_fds[0] < 0 ? -1 : 0;
	want.six = true;
	ret_fds[1] = open_end(&want);
	return ret_fds[1] < 0 ? -1 : 0;
}

int ends_open(bool six, struct berm_network_ends *ret_ends)
{
	const struct wanted tcp = {.port = NETNS_TCP_PORT}, proxy = {.port = NETNS_PROXY_PORT};
	const struct wanted dns = {.any = true, .port = NETNS_DNS_PORT};
	struct wanted queries = dns;
	struct berm_network_ends ends;
	queries.datagrams = true;
	ends_clear(&ends);
	ends.proxy_port = NETNS_PROXY_PORT;
	if (open_pair(tcp, six, ends.tcp) < 0 || open_pair(queries, six, ends.dns_udp) < 0 ||
	    open_pair(dns, six, ends.dns_tcp) < 0 || open_pair(proxy, six, ends.proxy) < 0) {
		ends_close(&ends);
		return -1;
	}
	*ret_ends = ends;
	return 0;
}

/* ---- on the machine's loopback ------------------------------------------------------------------------------------- */

static int listen_on_loopback(int domain, uint16_t port, int (*prepare)(int fd, int domain))
{
	const struct wanted want = {.six = domain == AF_INET6, .port = port};
	union end_address address;
	socklen_t len = set_address(&want, &address);
	auto_fd int fd = socket(domain, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || (want.six && !switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY)) || bind(fd, &address.any, len) < 0)
		return -1;
	int error = prepare(fd, domain);
	errno = error != 0 ? error : errno;
	return error != 0 || listen(fd, BACKLOG) < 0 ? -1 : take_fd(&fd);
}

static uint16_t port_of(int fd)
{
	union end_address address = {0};
	socklen_t len = sizeof(address);
	return getsockname(fd, &address.any, &len) == 0 ? ntohs(address.in.sin_port)
							: 0; /* at the same place in both */
}

/* Of both families where the machine has both, on one port. */
static int listen_in_both(int (*prepare)(int fd, int domain), int ret_fds[static 2])
{
	for (int i = 0; i < PORT_TRIES; i++) {
		auto_fd int four = listen_on_loopback(AF_INET, 0, prepare);
		if (four < 0)
			return -1;
		int six = listen_on_loopback(AF_INET6, port_of(four), prepare);
		if (six < 0 && errno == EADDRINUSE)
			continue;
		ret_fds[0] = take_fd(&four);
		ret_fds[1] = six;
		return 0;
	}
	errno = EADDRINUSE;
	return -1;
}

int ends_open_host(int (*prepare)(int fd, int domain), struct berm_network_ends *ret_ends)
{
	struct berm_network_ends ends;
	ends_clear(&ends);
	if (listen_in_both(prepare, ends.tcp) < 0 || listen_in_both(prepare, ends.dns_tcp) < 0 ||
	    listen_in_both(prepare, ends.proxy) < 0) {
		ends_close(&ends);
		return -1;
	}
	ends.proxy_port = port_of(ends.proxy[0]);
	*ret_ends = ends;
	return 0;
}

/* ---- origins ------------------------------------------------------------------------------------------------------- */

int ends_origins(struct berm_network_ends *ends, int *ret_origins)
{
	const int size = ORIGINS_SIZE;
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -1;
	if (setsockopt(pair[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	ends->origins = pair[0];
	*ret_origins = pair[1];
	return 0;
}
