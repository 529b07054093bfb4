/*
 * Connections of a filtered network. Each connect is done here on the fetched socket, and who did it and where it was going is
 * told to whoever has the ends, once it has begun; nobody else can tell, so what is connected in another way (io_uring) is
 * closed at the end. Where rules bring every connection to the ends it is done as it stands; elsewhere the socket is
 * connected to the end instead. If nobody can be told, the connection is taken back. Here are those of a network of the
 * sandbox's own; on the machine's loopback they are made by sup_ip.c, and led by sup_lead.c.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "base/own.h"
#include "os/sock.h"
#include "sandbox/netns_rules.h"
#include "sandbox/sup_socket.h"
#include "sandbox/sup_state.h"
#include "sandbox/sup_target.h"
#include "sandbox/sup_task.h"

struct attempt {
	struct sock_call sock;
	struct target target; /* as the program asked for it */
	bool begun;	      /* and goes on being made */
};

/* ---- what is captured -------------------------------------------------------------------------------------------- */

/* Does it stay inside? */
static bool is_own(const struct target *target)
{
	const void *own = target->family == AF_INET ? (const void *)netns_own4 : netns_own6;
	return target_is_any(target) || target_is_loopback(target) ||
	       memcmp(target->addr, own, target_size(target)) == 0;
}

/* DNS gets to its end by itself, from whatever address: that listens on all of them. */
static bool is_captured(const struct target *target)
{
	if (target->port == NETNS_DNS_PORT)
		return false;
	return !is_own(target) || target->port == NETNS_TCP_PORT || target->port == NETNS_PROXY_PORT;
}

bool sup_capture_may_send(const struct sock_call *sock)
{
	struct target target;
	if (target_read(sock, &target) != 0)
		return true; /* the kernel refuses it, or knows it as the address of the other family, which stays inside */
	return is_own(&target) || target.port == NETNS_DNS_PORT;
}

/* ---- telling ----------------------------------------------------------------------------------------------------- */

static void fill_program(const struct call *call, struct berm_origin *origin)
{
	char name[SUP_PROC_SIZE];
	struct stat exe;
	proc_name(name, call->tid, "exe");
	if (fstatat(supervisor_proc_fd(call->sup), name, &exe, 0) == 0) {
		origin->exe_dev = exe.st_dev;
		origin->exe_ino = exe.st_ino;
	}
	task_exe(call, origin->exe, sizeof(origin->exe));
}

/* 0, or an errno. */
static int fill_origin(const struct sock_call *sock, const struct target *target, struct berm_origin *ret_origin)
{
	struct sock_call bound = {.domain = sock->domain, .len = sizeof(bound.addr)};
	struct target source = {0};
	if (getsockname(sock->fd, &bound.addr.any, &bound.len) < 0)
		return errno;
	int error = target_read(&bound, &source);
	if (error != 0)
		return error;
	*ret_origin = (struct berm_origin){
		.size = sizeof(*ret_origin),
		.family = source.family == AF_INET ? 4 : 6,
		.protocol = IPPROTO_TCP,
		.source_port = source.port,
		.destination_port = target->port,
		.pid = sock->call->tid,
	};
	memcpy(ret_origin->source, source.addr, sizeof(source.addr));
	memcpy(ret_origin->destination, target->addr, sizeof(target->addr));
	fill_program(sock->call, ret_origin);
	return 0;
}

int sup_capture_tell(const struct sock_call *sock, const struct target *target, int wait_ms)
{
	struct pollfd room = {.fd = sock->call->sup->origins, .events = POLLOUT};
	int64_t end = sup_now_ms() + wait_ms;
	struct berm_origin origin;
	int error = fill_origin(sock, target, &origin);
	while (error == 0 && send(room.fd, &origin, sizeof(origin), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		int64_t left = end - sup_now_ms();
		if (errno != EAGAIN || left <= 0)
			error = errno;
		else
			(void)poll(&room, 1, (int)left);
	}
	return error;
}

struct sup_answer sup_capture_take_back(const struct sock_call *sock, const struct target *target, int error)
{
	char text[TARGET_TEXT];
	(void)sock_disconnect(sock->fd);
	return sup_socket_refuse(sock, BERM_OP_CONNECT, ECONNREFUSED, target_text(target, text),
				 error == EAGAIN ? "the filter does not keep up" : "the filter is gone");
}

/* ---- connect ----------------------------------------------------------------------------------------------------- */

static struct sup_answer wait_connected(const struct attempt *attempt, int error)
{
	if (error == EINTR) /* it goes on by itself; the answer is what it comes to */
		return answer_result(connect(attempt->sock.fd, &attempt->sock.addr.any, attempt->sock.len));
	return error == 0 ? answer_value(0) : answer_errno(error);
}

static struct sup_answer finish_waiting(struct call *call, void *ctx)
{
	const struct attempt *attempt = ctx;
	(void)call;
	return wait_connected(attempt, attempt->begun ? EINTR : 0);
}

/* In a helper process, until there is room for what is told. */
static struct sup_answer tell_patiently(struct call *call, void *ctx)
{
	struct attempt *attempt = ctx;
	int error = sup_capture_tell(&attempt->sock, &attempt->target, SUP_TELL_MS);
	(void)call;
	if (error != 0)
		return sup_capture_take_back(&attempt->sock, &attempt->target, error);
	return wait_connected(attempt, attempt->begun ? EINTR : 0);
}

static struct sup_answer connect_and_tell(struct attempt *attempt)
{
	struct sock_call *sock = &attempt->sock;
	int error = sock_connect_briefly(sock->fd, &sock->addr.any, sock->len, SUP_CONNECT_US) == 0 ? 0 : errno;
	if (error != 0 && error != EINPROGRESS && error != EINTR)
		return answer_errno(error);
	int told = sup_capture_tell(sock, &attempt->target, 0);
	attempt->begun = error == EINTR;
	if (told == EAGAIN && error != EINPROGRESS)
		return call_in_helper(sock->call, tell_patiently, attempt);
	if (told != 0)
		return sup_capture_take_back(sock, &attempt->target, told);
	return error == EINTR ? call_in_helper(sock->call, finish_waiting, attempt) : wait_connected(attempt, error);
}

/* To the end in place of where the program wants to go. */
static void lead(struct attempt *attempt)
{
	struct sock_call *sock = &attempt->sock;
	struct target end = attempt->target;
	target_set_loopback(sock, &end, false);
	if (sock->domain == AF_INET)
		sock->addr.in.sin_port = htons(NETNS_TCP_PORT);
	else
		sock->addr.in6.sin6_port = htons(NETNS_TCP_PORT);
}

struct sup_answer sup_capture_connect(struct sock_call *sock)
{
	struct attempt attempt = {.sock = *sock};
	/* A second call for the same connection asks how far it is. */
	if (!sup_socket_is_tcp(sock) || sock_tcp_state(sock->fd) != TCP_CLOSE ||
	    target_read(sock, &attempt.target) != 0 || !is_captured(&attempt.target))
		return sup_socket_connect(sock);
	if (supervisor_plan(sock->call->sup)->capture == PLAN_CAPTURE_LED && !is_own(&attempt.target))
		lead(&attempt);
	return connect_and_tell(&attempt);
}
