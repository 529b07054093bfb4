#include "os/nl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/own.h"

#define LOOPBACK_INDEX 1 /* the first interface of every network namespace */
#define REPLY_SECONDS 5	 /* the kernel answers at once; this is for the day it does not */

/* ---- building -------------------------------------------------------------------------------------------------- */

struct nl_out nl_into(void *bytes, size_t cap)
{
	return (struct nl_out){.bytes = bytes, .cap = cap};
}

/* Room for len bytes, padded with zeros to the alignment of netlink; NULL if there is none. */
static void *reserve(struct nl_out *out, size_t len)
{
	size_t padded = NLMSG_ALIGN(len);
	if (out->failed || padded < len || padded > out->cap - out->len) {
		out->failed = true;
		return NULL;
	}
	uint8_t *at = out->bytes + out->len;
	memset(at, 0, padded);
	out->len += padded;
	return at;
}

static void append(struct nl_out *out, const void *bytes, size_t len)
{
	void *at = reserve(out, len);
	if (at != NULL && len > 0)
		memcpy(at, bytes, len);
}

void nl_begin(struct nl_out *out, uint16_t type, uint16_t flags, const void *header, size_t header_len)
{
	struct nlmsghdr message = {.nlmsg_type = type, .nlmsg_flags = flags | NLM_F_REQUEST};
	out->message = out->len;
	append(out, &message, sizeof(message));
	append(out, header, header_len);
}

void nl_put(struct nl_out *out, uint16_t type, const void *value, size_t len)
{
	if (len > UINT16_MAX - sizeof(struct nlattr)) {
		out->failed = true;
		return;
	}
	struct nlattr attribute = {.nla_len = (uint16_t)(sizeof(attribute) + len), .nla_type = type};
	append(out, &attribute, sizeof(attribute));
	append(out, value, len);
}

void nl_put_u32(struct nl_out *out, uint16_t type, uint32_t value)
{
	nl_put(out, type, &value, sizeof(value));
}

size_t nl_nest_begin(struct nl_out *out, uint16_t type)
{
	size_t nest = out->len;
	nl_put(out, type | NLA_F_NESTED, NULL, 0);
	return nest;
}

void nl_nest_end(struct nl_out *out, size_t nest)
{
	if (!out->failed && out->len - nest > UINT16_MAX)
		out->failed = true;
	if (out->failed)
		return;
	uint16_t len = (uint16_t)(out->len - nest);
	memcpy(out->bytes + nest + offsetof(struct nlattr, nla_len), &len, sizeof(len));
}

void nl_end(struct nl_out *out)
{
	if (out->failed)
		return;
	uint32_t len = (uint32_t)(out->len - out->message);
	memcpy(out->bytes + out->message + offsetof(struct nlmsghdr, nlmsg_len), &len, sizeof(len));
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

/* Steps over len bytes and their padding, which the last item may lack. */
static void step(struct span *rest, size_t len)
{
	size_t padded = NLMSG_ALIGN(len);
	size_t used = padded < rest->len ? padded : rest->len;
	*rest = (struct span){rest->ptr + used, rest->len - used};
}

bool nl_next_message(struct span *rest, struct nl_message *ret_message)
{
	struct nlmsghdr header;
	if (rest->len < sizeof(header))
		return false;
	memcpy(&header, rest->ptr, sizeof(header));
	if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > rest->len)
		return false;
	*ret_message = (struct nl_message){
		.type = header.nlmsg_type,
		.flags = header.nlmsg_flags,
		.seq = header.nlmsg_seq,
		.payload = {rest->ptr + sizeof(header), header.nlmsg_len - sizeof(header)},
	};
	step(rest, header.nlmsg_len);
	return true;
}

bool nl_next_attribute(struct span *rest, struct nl_attribute *ret_attribute)
{
	struct nlattr header;
	if (rest->len < sizeof(header))
		return false;
	memcpy(&header, rest->ptr, sizeof(header));
	if (header.nla_len < sizeof(header) || header.nla_len > rest->len)
		return false;
	*ret_attribute = (struct nl_attribute){
		.type = header.nla_type & (uint16_t)NLA_TYPE_MASK,
		.value = {rest->ptr + sizeof(header), header.nla_len - sizeof(header)},
	};
	step(rest, header.nla_len);
	return true;
}

/* ---- asking ---------------------------------------------------------------------------------------------------- */

/* The next datagram that the kernel sent, not another process. */
static ssize_t receive(int fd, void *answer, size_t cap)
{
	for (;;) {
		struct sockaddr_nl from = {0};
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(fd, answer, cap, 0, (struct sockaddr *)&from, &from_len);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n >= 0 && from.nl_pid == 0)
			return n;
	}
}

/* Sends one message and reads the first message of the answer. An error of the kernel's becomes -1 and errno. */
static int ask(int protocol, const struct nl_out *out, void *answer, size_t cap, struct nl_message *ret_message)
{
	if (out->failed) {
		errno = EMSGSIZE;
		return -1;
	}
	auto_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	const struct timeval limit = {.tv_sec = REPLY_SECONDS};
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0)
		return -1;
	if (send(fd, out->bytes, out->len, 0) != (ssize_t)out->len)
		return -1;
	ssize_t n = receive(fd, answer, cap);
	if (n < 0)
		return -1;
	struct span rest = {answer, (size_t)n};
	errno = EPROTO;
	if (!nl_next_message(&rest, ret_message))
		return -1;
	if (ret_message->type != NLMSG_ERROR)
		return 0;
	int32_t error;
	if (ret_message->payload.len < sizeof(error))
		return -1;
	memcpy(&error, ret_message->payload.ptr, sizeof(error));
	errno = -error;
	return error == 0 ? 0 : -1;
}

int nl_loopback_up(void)
{
	uint32_t request[32], answer[256];
	struct ifinfomsg link = {.ifi_index = LOOPBACK_INDEX, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	struct nl_out out = nl_into(request, sizeof(request));
	nl_begin(&out, RTM_NEWLINK, NLM_F_ACK, &link, sizeof(link));
	nl_end(&out);
	struct nl_message reply;
	return ask(NETLINK_ROUTE, &out, answer, sizeof(answer), &reply);
}

int nl_tcp_listener_inode(int family, const void *addr, uint16_t port, uint32_t *ret_inode)
{
	uint32_t request[32], answer[512];
	struct inet_diag_req_v2 query = {
		.sdiag_family = (uint8_t)family,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_states = 1U << TCP_LISTEN,
		.id = {.idiag_sport = htons(port), .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}},
	};
	memcpy(query.id.idiag_src, addr, family == AF_INET6 ? 16 : 4);
	struct nl_out out = nl_into(request, sizeof(request));
	nl_begin(&out, SOCK_DIAG_BY_FAMILY, 0, &query, sizeof(query));
	nl_end(&out);
	struct nl_message reply;
	if (ask(NETLINK_SOCK_DIAG, &out, answer, sizeof(answer), &reply) != 0)
		return -1;
	struct inet_diag_msg found;
	errno = EPROTO;
	if (reply.type != SOCK_DIAG_BY_FAMILY || reply.payload.len < sizeof(found))
		return -1;
	memcpy(&found, reply.payload.ptr, sizeof(found));
	errno = ENOENT;
	if (found.idiag_state != TCP_LISTEN)
		return -1;
	*ret_inode = found.idiag_inode;
	return 0;
}
