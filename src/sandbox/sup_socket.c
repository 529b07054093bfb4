#include "sandbox/sup_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"
#include "os/sock.h"
#include "sandbox/sup_target.h"
#include "sandbox/sup_task.h"

enum { PAYLOAD_MAX = 64 * 1024 }; /* more than a datagram of UDP can hold */

typedef struct sup_answer (*sock_act)(struct sock_call *sock);

/* There is one supervisor a process; what one call sends is copied here, by one call at a time. */
static uint8_t payload_bytes[PAYLOAD_MAX];

/* ---- as it stands ------------------------------------------------------------------------------------------------ */

bool sup_socket_own_network(const struct berm_plan *plan)
{
	return plan->net_namespace || plan->network == BERM_NET_HOST;
}

static struct sup_answer connect_waiting(struct call *call, void *ctx)
{
	const struct sock_call *sock = ctx;
	(void)call;
	return answer_result(connect(sock->fd, &sock->addr.any, sock->len));
}

struct sup_answer sup_socket_connect(struct sock_call *sock)
{
	if (sock_connect_briefly(sock->fd, &sock->addr.any, sock->len, SUP_CONNECT_US) == 0)
		return answer_value(0);
	if (errno != EINTR)
		return answer_errno(errno);
	return call_in_helper(sock->call, connect_waiting, sock);
}

struct sup_answer sup_socket_bind(struct sock_call *sock)
{
	return answer_result(bind(sock->fd, &sock->addr.any, sock->len));
}

struct sup_answer sup_socket_listen(struct sock_call *sock)
{
	return answer_result(listen(sock->fd, sock->backlog));
}

struct sup_answer sup_socket_refuse(const struct sock_call *sock, enum berm_request_op op, int error,
				    const char *object, const char *detail)
{
	const struct sup_notice notice = {
		.kind = sock->domain == AF_INET || sock->domain == AF_INET6 ? BERM_REQUEST_NET : BERM_REQUEST_SOCKET,
		.op = op,
		.error = error,
		.object = object,
		.detail = detail,
	};
	return call_refuse(sock->call, &notice);
}

/* Nothing but TCP can be looked up, and led elsewhere. */
bool sup_socket_is_tcp(const struct sock_call *sock)
{
	int protocol;
	return sock->type == SOCK_STREAM && sock_get_int(sock->fd, SOL_SOCKET, SO_PROTOCOL, &protocol) == 0 &&
	       protocol == IPPROTO_TCP;
}

/* ---- by family --------------------------------------------------------------------------------------------------- */

static const struct family {
	int domain;
	sock_act connect, bind, listen;
} families[] = {
	{AF_UNIX, sup_unix_connect, sup_unix_bind, sup_unix_listen},
	{AF_INET, sup_ip_connect, sup_ip_bind, sup_ip_listen},
	{AF_INET6, sup_ip_connect, sup_ip_bind, sup_ip_listen},
	{AF_NETLINK, sup_socket_connect, sup_socket_bind, sup_socket_listen}, /* of the kernel's alone: see socket */
};

static const struct family *find_family(int domain)
{
	static const struct family unknown = {0}; /* nothing is done with its sockets */
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (families[i].domain == domain)
			return &families[i];
	return &unknown;
}

/* The socket of the call's first argument. 0, or an errno. */
static int fetch_socket(struct sock_call *sock, int *ret_fd)
{
	auto_fd int fd = -1;
	int error = task_fd(sock->call, (int)sock->call->args[0], &fd);
	if (error != 0)
		return error;
	if (sock_get_int(fd, SOL_SOCKET, SO_DOMAIN, &sock->domain) < 0 ||
	    sock_get_int(fd, SOL_SOCKET, SO_TYPE, &sock->type) < 0)
		return errno;
	sock->fd = *ret_fd = take_fd(&fd);
	return 0;
}

/* The kernel takes the length as an int. */
static int fetch_address(struct sock_call *sock, uint64_t address, uint64_t length)
{
	int len = (int)length;
	if (len < 0 || (size_t)len > sizeof(sock->addr))
		return EINVAL;
	sock->len = (socklen_t)len;
	return task_read(sock->call, address, &sock->addr, (size_t)len);
}

/* A call of a socket and an address. 0, or an errno. */
static int fetch_addressed(struct sock_call *sock, int *ret_fd)
{
	const struct call *call = sock->call;
	int error = fetch_socket(sock, ret_fd);
	if (error == 0)
		error = fetch_address(sock, call->args[1], call->args[2]);
	if (error != 0)
		return error;
	return sock->len < sizeof(sa_family_t) ? EINVAL : 0;
}

/* Does the act of the family, unless the task was gone while it was read. */
static struct sup_answer act_for(struct sock_call *sock, sock_act act, enum berm_request_op op)
{
	if (act == NULL)
		return sup_socket_refuse(sock, op, EACCES, "a socket of another family", NULL);
	return call_alive(sock->call) ? act(sock) : answer_errno(ESRCH);
}

static struct sup_answer handle_connect(struct call *call)
{
	struct sock_call sock = {.call = call};
	auto_fd int fd = -1;
	int error = fetch_addressed(&sock, &fd);
	const struct family *family = find_family(sock.domain);
	return error != 0 ? answer_errno(error) : act_for(&sock, family->connect, BERM_OP_CONNECT);
}

static struct sup_answer handle_bind(struct call *call)
{
	struct sock_call sock = {.call = call};
	auto_fd int fd = -1;
	int error = fetch_addressed(&sock, &fd);
	const struct family *family = find_family(sock.domain);
	return error != 0 ? answer_errno(error) : act_for(&sock, family->bind, BERM_OP_BIND);
}

static struct sup_answer handle_listen(struct call *call)
{
	struct sock_call sock = {.call = call, .backlog = (int)call->args[1]};
	auto_fd int fd = -1;
	int error = fetch_socket(&sock, &fd);
	const struct family *family = find_family(sock.domain);
	return error != 0 ? answer_errno(error) : act_for(&sock, family->listen, BERM_OP_LISTEN);
}

/* ---- sendto with an address -------------------------------------------------------------------------------------- */

struct send_call {
	struct sock_call sock;
	size_t payload_len;
	int flags;
};

static ssize_t send_now(const struct send_call *send, int more_flags)
{
	return sendto(send->sock.fd, payload_bytes, send->payload_len, send->flags | MSG_NOSIGNAL | more_flags,
		      &send->sock.addr.any, send->sock.len);
}

/* What the kernel would have raised in the task, had it done the call itself. */
static struct sup_answer sent(const struct send_call *send, ssize_t result)
{
	struct call *call = send->sock.call;
	int error = errno;
	if (result >= 0)
		return answer_value(result);
	if (error == EPIPE && (send->flags & MSG_NOSIGNAL) == 0 && send->sock.type == SOCK_STREAM && call_alive(call))
		(void)syscall(SYS_tkill, call->tid, SIGPIPE);
	return answer_errno(error);
}

static struct sup_answer send_waiting(struct call *call, void *ctx)
{
	(void)call;
	return sent(ctx, send_now(ctx, 0));
}

/* Streams never connect by it (MSG_FASTOPEN is refused); a datagram goes wherever its address says. */
static bool may_send(const struct sock_call *sock)
{
	if (sock->domain == AF_NETLINK)
		return true;
	if (sock->domain == AF_UNIX)
		return sock->type == SOCK_STREAM || sock->type == SOCK_SEQPACKET;
	if (sock->domain != AF_INET && sock->domain != AF_INET6)
		return false;
	const struct berm_plan *plan = supervisor_plan(sock->call->sup);
	if (sock->type == SOCK_STREAM || plan->capture == PLAN_CAPTURE_NONE)
		return sock->type == SOCK_STREAM || sup_socket_own_network(plan);
	return sup_capture_may_send(sock);
}

/* A stream may send a part; a datagram goes as a whole or not at all. */
static int fetch_payload(struct send_call *send)
{
	const struct call *call = send->sock.call;
	uint64_t len = call->args[2];
	if (len > PAYLOAD_MAX && send->sock.type != SOCK_STREAM)
		return EMSGSIZE;
	send->payload_len = len < PAYLOAD_MAX ? (size_t)len : PAYLOAD_MAX;
	return task_read(call, call->args[1], payload_bytes, send->payload_len);
}

static struct sup_answer send_payload(struct send_call *send)
{
	ssize_t result = send_now(send, MSG_DONTWAIT);
	int error = errno;
	if (result >= 0 || error != EAGAIN || (send->flags & MSG_DONTWAIT) != 0)
		return sent(send, result);
	if ((fcntl(send->sock.fd, F_GETFL) & O_NONBLOCK) != 0)
		return answer_errno(EAGAIN);
	return call_in_helper(send->sock.call, send_waiting, send);
}

/* With MSG_ZEROCOPY the kernel would go on reading from here after the answer: there is no memory for that, which
 * programs are told so that they send by copy. */
static int check_flags(const struct send_call *send)
{
	if ((send->flags & MSG_FASTOPEN) != 0)
		return EOPNOTSUPP;
	return (send->flags & MSG_ZEROCOPY) != 0 ? ENOBUFS : 0;
}

static struct sup_answer refuse_datagram(const struct sock_call *sock)
{
	struct target target;
	char text[TARGET_TEXT];
	bool ip = (sock->domain == AF_INET || sock->domain == AF_INET6) && target_read(sock, &target) == 0;
	return sup_socket_refuse(sock, BERM_OP_SEND, EACCES,
				 ip ? target_text(&target, text) : "a datagram with an address", NULL);
}

static struct sup_answer handle_sendto(struct call *call)
{
	struct send_call send = {.sock = {.call = call}, .flags = (int)call->args[3]};
	auto_fd int fd = -1;
	if (call->args[4] == 0)
		return answer_continue(); /* names nobody, and that is in a register */
	int error = fetch_socket(&send.sock, &fd);
	if (error == 0)
		error = fetch_address(&send.sock, call->args[4], call->args[5]);
	if (error == 0)
		error = check_flags(&send);
	if (error != 0)
		return answer_errno(error);
	if (!may_send(&send.sock))
		return refuse_datagram(&send.sock);
	error = fetch_payload(&send);
	if (error != 0)
		return answer_errno(error);
	return call_alive(call) ? send_payload(&send) : answer_errno(ESRCH);
}

/* ---- socketpair of datagrams ------------------------------------------------------------------------------------- */

/* Each end of a datagram pair could send to any address by sendmsg, which nobody can judge; sequenced packets keep the
 * borders of messages and are connected for good. */
static struct sup_answer handle_socketpair(struct call *call)
{
	int flags = (int)call->args[1] & (SOCK_CLOEXEC | SOCK_NONBLOCK);
	int pair[2], numbers[2];
	if ((int)call->args[0] != AF_UNIX)
		return answer_errno(EAFNOSUPPORT);
	if (((int)call->args[1] & ~(SOCK_CLOEXEC | SOCK_NONBLOCK | 0xf)) != 0)
		return answer_errno(EINVAL);
	/* As the kernel does: the place for the numbers is tried before anything is handed in. */
	int error = task_read(call, call->args[3], numbers, sizeof(numbers));
	if (error == 0)
		error = task_write(call, call->args[3], numbers, sizeof(numbers));
	if (error != 0)
		return answer_errno(error);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | (flags & SOCK_NONBLOCK), (int)call->args[2], pair) < 0)
		return answer_errno(errno);
	auto_fd int first = pair[0];
	auto_fd int second = pair[1];
	bool cloexec = (flags & SOCK_CLOEXEC) != 0;
	numbers[0] = call_add_fd(call, first, cloexec);
	numbers[1] = numbers[0] < 0 ? numbers[0] : call_add_fd(call, second, cloexec);
	if (numbers[1] < 0)
		return answer_errno(-numbers[1]);
	error = task_write(call, call->args[3], numbers, sizeof(numbers));
	return error == 0 ? answer_value(0) : answer_errno(error);
}

const struct sup_row sup_socket_rows[] = {
	{SYS_connect, handle_connect},	     {SYS_bind, handle_bind},
	{SYS_listen, handle_listen},	     {SYS_sendto, handle_sendto},
	{SYS_socketpair, handle_socketpair}, {-1, NULL},
};
