/*
 * Where the ends of a filtered network are on the machine's loopback, behind the door of sup_door.c: every connection that is
 * not to the loopback is led to one. Datagrams there are none: a socket that may send them may send them to any address,
 * and nobody could judge the calls by which it does (sendmsg names its address in memory).
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/own.h"
#include "sandbox/netns_rules.h"
#include "sandbox/sup_socket.h"
#include "sandbox/sup_target.h"

/* One supervisor a process. In host order, of both families; 0: there is none. */
static struct {
	uint16_t tcp, dns, proxy;
	bool six;
} lead_state;

/* 0 without a socket. */
static int keep_end(int fd, int domain, uint16_t *ret_port)
{
	struct sock_call bound = {.domain = domain, .len = sizeof(bound.addr)};
	struct target target = {0};
	if (fd < 0)
		return 0;
	if (getsockname(fd, &bound.addr.any, &bound.len) < 0)
		return errno;
	int error = target_read(&bound, &target);
	*ret_port = target.port;
	return error != 0 ? error : sup_ip_keep(fd, domain);
}

static int keep_pair(const int fds[static 2], uint16_t *ret_port)
{
	int error = keep_end(fds[0], AF_INET, ret_port);
	return error != 0 ? error : keep_end(fds[1], AF_INET6, ret_port);
}

int sup_lead_keep(const struct berm_network_ends *ends)
{
	lead_state.six = ends->tcp[1] >= 0 && ends->dns_tcp[1] >= 0;
	int error = keep_pair(ends->tcp, &lead_state.tcp);
	if (error == 0)
		error = keep_pair(ends->dns_tcp, &lead_state.dns);
	return error != 0 ? error : keep_pair(ends->proxy, &lead_state.proxy);
}

static void set_port(struct sock_call *sock, struct target *target, uint16_t port)
{
	target->port = port;
	if (sock->domain == AF_INET)
		sock->addr.in.sin_port = htons(port);
	else
		sock->addr.in6.sin6_port = htons(port);
}

int sup_lead(struct sock_call *sock, struct target *target, bool *ret_told)
{
	bool dns = target->port == NETNS_DNS_PORT;
	*ret_told = !dns;
	if (target_is_loopback(target) && !dns) {
		*ret_told = target->port == lead_state.proxy || target->port == lead_state.tcp;
		return 0;
	}
	if (target->family == AF_INET6 && !lead_state.six)
		return ENETUNREACH;
	target_set_loopback(sock, target, target->family == AF_INET);
	set_port(sock, target, dns ? lead_state.dns : lead_state.tcp);
	return 0;
}
