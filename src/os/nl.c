#include "os/nl.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
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
	struct nlmsghdr message = {.nlmsg_type = type, .nlmsg_flags = flags | NLM_F_REQUEST, .nlmsg_seq = out->count++};
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

static int open_and_send(int protocol, const struct nl_out *out)
{
	const struct timeval limit = {.tv_sec = REPLY_SECONDS};
	if (out->failed) {
		errno = EMSGSIZE;
		return -1;
	}
	auto_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0)
		return -1;
	return send(fd, out->bytes, out->len, 0) == (ssize_t)out->len ? take_fd(&fd) : -1;
}

/* What a message was answered with; false: it is no answer. */
static bool read_answer(const struct nl_message *reply, int32_t *ret_error)
{
	if (reply->type != NLMSG_ERROR || reply->payload.len < sizeof(*ret_error))
		return false;
	memcpy(ret_error, reply->payload.ptr, sizeof(*ret_error));
	return true;
}

int nl_transact(int protocol, const struct nl_out *out)
{
	auto_fd int fd = open_and_send(protocol, out);
	uint32_t answer[256];
	ssize_t n = fd < 0 ? -1 : receive(fd, answer, sizeof(answer));
	if (n < 0)
		return -1;
	struct span rest = {(const uint8_t *)answer, (size_t)n};
	struct nl_message reply;
	int32_t error = -EPROTO;
	if (nl_next_message(&rest, &reply) && read_answer(&reply, &error) && error == 0)
		return 0;
	errno = -error;
	return -1;
}

/* 1: goes on, 0: last was answered, -1: a message failed that may not. */
static int take_answer(const struct nl_message *reply, uint32_t last, uint32_t may_fail, uint32_t *failed)
{
	int32_t error;
	if (!read_answer(reply, &error))
		return 1;
	uint32_t bit = reply->seq < 32 ? 1U << reply->seq : 0;
	if (error != 0 && (may_fail & bit) == 0) {
		errno = -error;
		return -1;
	}
	if (error != 0)
		*failed |= bit;
	return reply->seq == last ? 0 : 1;
}

int nl_transact_many(int protocol, const struct nl_out *out, uint32_t last, uint32_t may_fail, uint32_t *ret_failed)
{
	auto_fd int fd = open_and_send(protocol, out);
	uint32_t answer[1024], failed = 0;
	int more = fd < 0 ? -1 : 1;
	while (more > 0) {
		ssize_t n = receive(fd, answer, sizeof(answer));
		struct span rest = {(const uint8_t *)answer, n < 0 ? 0 : (size_t)n};
		struct nl_message reply;
		if (n < 0)
			return -1;
		while (more > 0 && nl_next_message(&rest, &reply))
			more = take_answer(&reply, last, may_fail, &failed);
	}
	if (more == 0)
		*ret_failed = failed;
	return more;
}

int nl_loopback_up(void)
{
	uint32_t request[32];
	struct ifinfomsg link = {.ifi_index = LOOPBACK_INDEX, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	struct nl_out out = nl_into(request, sizeof(request));
	nl_begin(&out, RTM_NEWLINK, NLM_F_ACK, &link, sizeof(link));
	nl_end(&out);
	return nl_transact(NETLINK_ROUTE, &out);
}
