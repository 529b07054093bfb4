/*
 * TCP on behalf. With a network of its own, or the host's granted, a call is done as it stands. Where the loopback is the
 * host's and nothing of it is granted, only loopback addresses pass, and only between sockets of this sandbox:
 *
 * - Whatever a task binds or listens on is narrowed to loopback, and the socket's cookie, which no other socket ever has,
 *   is kept. Nothing can listen that is not kept.
 * - Before a connect the kernel is asked who listens on the port. Every listener that could get the connection must be
 *   a kept one; afterwards it is asked again, because a listener may close and another take its port in between.
 * - No attempt is left pending: its repeated SYN might reach whoever has the port by then. Where a backlog is full the
 *   attempt is taken back, and made anew after another look, by a helper process.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/own.h"
#include "os/diag.h"
#include "os/sock.h"
#include "sandbox/sup_socket.h"
#include "sandbox/sup_state.h"
#include "sandbox/sup_target.h"

enum {
	KEPT_MAX = 1024,
	LISTENERS_MAX = 256, /* on one port: workers that share it */
	SETTLE_MS = 20,	     /* a handshake on loopback takes less, or waits for room */
	RETRY_MS = 20,
	PENDING_LIMIT_MS = 500,	   /* a program that does not wait may be the one that has to make room */
	WAITING_LIMIT_MS = 127000, /* as long as the kernel repeats a SYN */
	ATTEMPT_PENDING = -1,
};

enum reach { REACH_UNKNOWN = 0, REACH_FOREIGN, REACH_NOBODY, REACH_KEPT };

struct kept {
	uint64_t cookie;
	uint16_t port;
};

/* One supervisor a process. */
static struct {
	struct kept sockets[KEPT_MAX];
	size_t count, hand;
	struct diag_listener listeners[LISTENERS_MAX]; /* of the last question */
} kept_state;

static struct sup_answer refuse(const struct sock_call *sock, enum berm_request_op op, int error,
				const struct target *target, const char *detail)
{
	char text[TARGET_TEXT];
	return sup_socket_refuse(sock, op, error, target_text(target, text), detail);
}

/* ---- what may listen --------------------------------------------------------------------------------------------- */

static bool is_kept(uint64_t cookie)
{
	for (size_t i = 0; i < kept_state.count; i++)
		if (kept_state.sockets[i].cookie == cookie)
			return true;
	return false;
}

/* Asks who listens on a port; the answer is in kept_state. */
static ssize_t ask_listeners(uint16_t port)
{
	return diag_tcp_listeners(port, kept_state.listeners, LISTENERS_MAX);
}

static bool still_listens(const struct kept *kept)
{
	ssize_t count = ask_listeners(kept->port);
	for (ssize_t i = 0; i < count; i++)
		if (kept_state.listeners[i].cookie == kept->cookie)
			return true;
	return count < 0; /* not known: it keeps its place */
}

/* A free place, or the next one whose socket does not listen any more; NULL: a thousand do. */
static struct kept *find_room(void)
{
	if (kept_state.count < KEPT_MAX)
		return &kept_state.sockets[kept_state.count++];
	for (size_t i = 0; i < KEPT_MAX; i++) {
		struct kept *kept = &kept_state.sockets[kept_state.hand];
		kept_state.hand = (kept_state.hand + 1) % KEPT_MAX;
		if (!still_listens(kept))
			return kept;
	}
	return NULL;
}

/* Where the socket is bound. 0, or an errno. */
static int own_target(const struct sock_call *sock, struct target *ret_target)
{
	struct sock_call bound = {.domain = sock->domain, .len = sizeof(bound.addr)};
	if (getsockname(sock->fd, &bound.addr.any, &bound.len) < 0)
		return errno;
	return target_read(&bound, ret_target);
}

static int keep(const struct sock_call *sock)
{
	uint64_t cookie;
	struct target target = {0};
	int error = own_target(sock, &target);
	if (error != 0)
		return error;
	if (sock_cookie(sock->fd, &cookie) < 0)
		return errno;
	if (is_kept(cookie))
		return 0;
	struct kept *kept = find_room();
	if (kept == NULL)
		return ENOBUFS;
	*kept = (struct kept){.cookie = cookie, .port = target.port};
	return 0;
}

int sup_ip_keep(int fd, int domain)
{
	const struct sock_call sock = {.fd = fd, .domain = domain};
	return keep(&sock);
}

/* Could a connection to target get to this listener? The kernel prefers the exact address; here both count. */
static bool could_get(const struct diag_listener *listener, const struct target *target)
{
	struct target own = {.family = AF_INET, .addr = {0}};
	if (listener->family == AF_INET6)
		own = target_of6(listener->addr, 0);
	else
		memcpy(own.addr, listener->addr, 4);
	if (own.family == target->family)
		return target_is_any(&own) || memcmp(own.addr, target->addr, target->family == AF_INET ? 4 : 16) == 0;
	return own.family == AF_INET6 && target_is_any(&own) && !listener->v6only;
}

static enum reach find_reach(const struct target *target)
{
	enum reach reach = REACH_NOBODY;
	if (target->port == 0) /* nobody's; and the question would be for all ports */
		return REACH_NOBODY;
	ssize_t count = ask_listeners(target->port);
	if (count < 0)
		return REACH_UNKNOWN;
	for (ssize_t i = 0; i < count; i++) {
		if (!could_get(&kept_state.listeners[i], target))
			continue;
		if (!is_kept(kept_state.listeners[i].cookie))
			return REACH_FOREIGN;
		reach = REACH_KEPT;
	}
	return reach;
}

/* ---- connect ----------------------------------------------------------------------------------------------------- */

struct attempt {
	struct sock_call sock;
	struct target target;
	struct target asked; /* as the program has it, where it is led elsewhere */
	bool told;	     /* who began it is told to the filter */
	bool waits;	     /* the socket is one that waits */
	int result;	     /* connected: what the program is answered */
};

/* Waits until the handshake is over or SETTLE_MS have passed. */
static int settled_state(int fd, int timeout_ms)
{
	struct pollfd poll_one = {.fd = fd, .events = POLLOUT};
	int state = sock_tcp_state(fd);
	if (state != TCP_SYN_SENT || timeout_ms == 0)
		return state;
	(void)poll(&poll_one, 1, timeout_ms);
	return sock_tcp_state(fd);
}

/* What became of an attempt that connect itself did not end: 0, an errno, or ATTEMPT_PENDING. */
static int settle(struct attempt *attempt, int error, int timeout_ms)
{
	int cause = 0;
	attempt->waits = error == EINTR;
	int state = settled_state(attempt->sock.fd, timeout_ms);
	if (state == TCP_SYN_SENT)
		return ATTEMPT_PENDING;
	if (state < 0 || state == TCP_CLOSE) {
		(void)sock_get_int(attempt->sock.fd, SOL_SOCKET, SO_ERROR, &cause);
		return cause != 0 ? cause : ECONNREFUSED;
	}
	return attempt->waits ? 0 : error;
}

/* Looks, connects, looks again. 0, an errno, or ATTEMPT_PENDING: taken back, nothing is under way. */
static int try_connect(struct attempt *attempt, int timeout_ms)
{
	const struct sock_call *sock = &attempt->sock;
	enum reach reach = find_reach(&attempt->target);
	if (reach != REACH_KEPT)
		return reach == REACH_NOBODY ? ECONNREFUSED : EACCES;
	int error = door_set(sock->fd, sock->domain);
	if (error != 0)
		return error;
	if (sock_connect_briefly(sock->fd, &sock->addr.any, sock->len, SUP_CONNECT_US) < 0)
		error = errno;
	if (error == EINPROGRESS || error == EINTR)
		error = settle(attempt, error, timeout_ms);
	else if (error != 0)
		return error;
	reach = find_reach(&attempt->target);
	if (error == ATTEMPT_PENDING || reach == REACH_FOREIGN || reach == REACH_UNKNOWN)
		(void)sock_disconnect(sock->fd);
	return reach == REACH_FOREIGN || reach == REACH_UNKNOWN ? EACCES : error;
}

static struct sup_answer tell(struct attempt *attempt, int wait_ms);

/* In a helper process. */
static struct sup_answer tell_patiently(struct call *call, void *ctx)
{
	(void)call;
	return tell(ctx, SUP_TELL_MS);
}

static struct sup_answer tell(struct attempt *attempt, int wait_ms)
{
	int error = sup_capture_tell(&attempt->sock, &attempt->asked, wait_ms);
	if (error == EAGAIN && wait_ms == 0)
		return call_in_helper(attempt->sock.call, tell_patiently, attempt);
	if (error != 0)
		return sup_capture_take_back(&attempt->sock, &attempt->asked, error);
	return attempt->result == 0 ? answer_value(0) : answer_errno(attempt->result);
}

static struct sup_answer attempted(struct attempt *attempt, int error, int wait_ms)
{
	if (attempt->told && (error == 0 || error == EINPROGRESS)) {
		attempt->result = error;
		return tell(attempt, wait_ms);
	}
	if (error == 0)
		return answer_value(0);
	if (error == EACCES)
		return refuse(&attempt->sock, BERM_OP_CONNECT, EACCES, &attempt->target,
			      "the listener is not of this sandbox");
	return answer_errno(error);
}

/* In a helper process: until there is room. */
static struct sup_answer connect_patiently(struct call *call, void *ctx)
{
	struct attempt *attempt = ctx;
	const struct timespec pause = {.tv_nsec = RETRY_MS * 1000000L};
	int64_t begin = sup_now_ms();
	int error;
	(void)call;
	while ((error = try_connect(attempt, SETTLE_MS)) == ATTEMPT_PENDING) {
		int64_t limit = attempt->waits ? WAITING_LIMIT_MS : PENDING_LIMIT_MS;
		if (sup_now_ms() - begin > limit)
			return answer_errno(attempt->waits ? ETIMEDOUT : ECONNREFUSED);
		(void)nanosleep(&pause, NULL);
	}
	return attempted(attempt, error, SUP_TELL_MS);
}

/* With the filter on the machine's loopback. A second call for the same connection asks how far it is. */
static int lead(struct attempt *attempt)
{
	attempt->asked = attempt->target;
	int error = sup_lead(&attempt->sock, &attempt->target, &attempt->told);
	attempt->told = attempt->told && sock_tcp_state(attempt->sock.fd) == TCP_CLOSE;
	return error;
}

struct sup_answer sup_ip_connect(struct sock_call *sock)
{
	struct attempt attempt = {.sock = *sock};
	const struct berm_plan *plan = supervisor_plan(sock->call->sup);
	bool own = sup_socket_own_network(plan);
	if (sock->addr.any.sa_family == AF_UNSPEC || (own && plan->capture == PLAN_CAPTURE_NONE))
		return sup_socket_connect(sock);
	if (own)
		return sup_capture_connect(sock);
	int error = target_read(sock, &attempt.target);
	if (error != 0)
		return answer_errno(error);
	if (target_is_any(&attempt.target))
		target_set_loopback(&attempt.sock, &attempt.target, false);
	bool tcp = sup_socket_is_tcp(sock);
	if (tcp && plan->capture == PLAN_CAPTURE_HOST)
		error = lead(&attempt);
	if (error != 0)
		return answer_errno(error);
	if (!tcp || !target_is_loopback(&attempt.target))
		return refuse(sock, BERM_OP_CONNECT, EACCES, &attempt.target, NULL);
	error = try_connect(&attempt, 0);
	if (error == ATTEMPT_PENDING)
		return call_in_helper(sock->call, connect_patiently, &attempt);
	return attempted(&attempt, error, 0);
}

/* ---- bind, listen ------------------------------------------------------------------------------------------------ */

/* A socket of IPv6 that takes IPv4 as well gets that one: it is what "localhost" can always fall back to. */
static bool takes_both(const struct sock_call *sock)
{
	int v6only = 1;
	return sock->domain == AF_INET6 && sock_get_int(sock->fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only) == 0 &&
	       v6only == 0;
}

static struct sup_answer bind_and_keep(struct sock_call *sock)
{
	if (bind(sock->fd, &sock->addr.any, sock->len) < 0)
		return answer_errno(errno);
	int error = keep(sock);
	return error == 0 ? answer_value(0) : answer_errno(error);
}

struct sup_answer sup_ip_bind(struct sock_call *sock)
{
	struct target target = {0};
	if (sup_socket_own_network(supervisor_plan(sock->call->sup)))
		return sup_socket_bind(sock);
	/* The kernel takes 0.0.0.0 without a family; no other address. */
	if (sock->domain == AF_INET && sock->addr.any.sa_family == AF_UNSPEC &&
	    sock->addr.in.sin_addr.s_addr == INADDR_ANY)
		sock->addr.any.sa_family = AF_INET;
	int error = target_read(sock, &target);
	if (error != 0)
		return answer_errno(error);
	if (target_is_any(&target))
		target_set_loopback(sock, &target, takes_both(sock));
	if (!sup_socket_is_tcp(sock) || !target_is_loopback(&target))
		return refuse(sock, BERM_OP_BIND, EADDRNOTAVAIL, &target, NULL);
	return bind_and_keep(sock);
}

/* An unbound socket would listen on every address of the machine. One that is bound is so by us, and kept, or it got its
 * address from a connect, and could lose it again: then it may not listen. */
static int bind_first(const struct sock_call *sock)
{
	struct sock_call any = *sock;
	struct target target = {.family = sock->domain};
	uint64_t cookie;
	if (sock_cookie(sock->fd, &cookie) < 0)
		return errno;
	if (is_kept(cookie))
		return 0;
	any.addr.all = (struct sockaddr_storage){.ss_family = (sa_family_t)sock->domain};
	any.len = sock->domain == AF_INET ? sizeof(any.addr.in) : sizeof(any.addr.in6);
	target_set_loopback(&any, &target, takes_both(sock));
	if (bind(any.fd, &any.addr.any, any.len) < 0)
		return errno;
	return keep(sock);
}

/* A port is shared with whoever else asked for SO_REUSEPORT, but not with the host. */
static struct sup_answer listen_alone(struct sock_call *sock)
{
	struct target target = {0};
	int error = own_target(sock, &target);
	if (error != 0)
		return answer_errno(error);
	enum reach reach = target_is_loopback(&target) ? find_reach(&target) : REACH_UNKNOWN;
	if (reach == REACH_FOREIGN)
		return answer_errno(EADDRINUSE);
	if (reach == REACH_UNKNOWN)
		return refuse(sock, BERM_OP_LISTEN, EACCES, &target, "cannot tell who listens there");
	error = door_set(sock->fd, sock->domain);
	return error == 0 ? sup_socket_listen(sock) : answer_errno(error);
}

struct sup_answer sup_ip_listen(struct sock_call *sock)
{
	struct target none = {.family = sock->domain};
	if (sup_socket_own_network(supervisor_plan(sock->call->sup)))
		return sup_socket_listen(sock);
	if (!sup_socket_is_tcp(sock))
		return refuse(sock, BERM_OP_LISTEN, EACCES, &none, NULL);
	int error = bind_first(sock);
	return error == 0 ? listen_alone(sock) : answer_errno(error);
}
