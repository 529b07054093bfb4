#include "os/diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/own.h"
#include "os/nl.h"

#define REPLY_SECONDS 5 /* the kernel answers at once; this is for the day it does not */

struct listing {
	struct diag_listener *listeners;
	size_t count, max;
	bool done;
};

static int ask(int fd, int family, uint16_t port)
{
	uint32_t request[32];
	struct inet_diag_req_v2 query = {
		.sdiag_family = (uint8_t)family,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_states = 1U << TCP_LISTEN,
		.id = {.idiag_sport = htons(port), .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}},
	};
	struct nl_out out = nl_into(request, sizeof(request));
	nl_begin(&out, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &query, sizeof(query));
	nl_end(&out);
	return send(fd, out.bytes, out.len, 0) == (ssize_t)out.len ? 0 : -1;
}

static bool is_v6only(struct span attributes)
{
	struct nl_attribute attribute;
	while (nl_next_attribute(&attributes, &attribute))
		if (attribute.type == INET_DIAG_SKV6ONLY && attribute.value.len >= 1)
			return attribute.value.ptr[0] != 0;
	return false;
}

/* 0, or an errno. */
static int take_listener(struct listing *listing, struct span payload)
{
	struct inet_diag_msg found;
	if (payload.len < sizeof(found))
		return EPROTO;
	if (listing->count == listing->max)
		return EOVERFLOW;
	memcpy(&found, payload.ptr, sizeof(found));
	struct diag_listener *listener = &listing->listeners[listing->count++];
	*listener = (struct diag_listener){
		.cookie = (uint64_t)found.id.idiag_cookie[1] << 32 | found.id.idiag_cookie[0],
		.family = found.idiag_family,
		.v6only = is_v6only((struct span){payload.ptr + sizeof(found), payload.len - sizeof(found)}),
	};
	memcpy(listener->addr, found.id.idiag_src, sizeof(listener->addr));
	return 0;
}

static int error_of(struct span payload)
{
	int32_t error;
	if (payload.len < sizeof(error))
		return EPROTO;
	memcpy(&error, payload.ptr, sizeof(error));
	return error < 0 ? -error : EPROTO;
}

static int take_message(struct listing *listing, const struct nl_message *message)
{
	if (message->type == NLMSG_DONE) {
		listing->done = true;
		return 0;
	}
	if (message->type == NLMSG_ERROR)
		return error_of(message->payload);
	return message->type == SOCK_DIAG_BY_FAMILY ? take_listener(listing, message->payload) : EPROTO;
}

/* One datagram of the answer; a cut one is an error, not the end. */
static int take_answer(int fd, struct listing *listing)
{
	uint32_t answer[1900]; /* the kernel fills at most 8 KiB less its own overhead */
	struct iovec part = {answer, sizeof(answer)};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	struct nl_message message;
	ssize_t n;
	do
		n = recvmsg(fd, &header, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno;
	if ((header.msg_flags & MSG_TRUNC) != 0)
		return EMSGSIZE;
	struct span rest = {(const uint8_t *)answer, (size_t)n};
	while (!listing->done && nl_next_message(&rest, &message)) {
		int error = take_message(listing, &message);
		if (error != 0)
			return error;
	}
	return listing->done || rest.len == 0 ? 0 : EPROTO;
}

static int list_family(int fd, int family, uint16_t port, struct listing *listing)
{
	int error = ask(fd, family, port) == 0 ? 0 : errno;
	listing->done = false;
	while (error == 0 && !listing->done)
		error = take_answer(fd, listing);
	return error;
}

ssize_t diag_tcp_listeners(uint16_t port, struct diag_listener *ret_listeners, size_t max)
{
	struct listing listing = {.listeners = ret_listeners, .max = max};
	const struct timeval limit = {.tv_sec = REPLY_SECONDS};
	auto_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0)
		return -1;
	int error = list_family(fd, AF_INET, port, &listing);
	if (error == 0)
		error = list_family(fd, AF_INET6, port, &listing);
	if (error == 0)
		return (ssize_t)listing.count;
	errno = error;
	return -1;
}
