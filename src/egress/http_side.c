#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "egress/http_parts.h"

enum { PARTS_MAX = 2, GATHER_MAX = 4 * HTTP_SCRATCH };

static uint8_t scratch[HTTP_SCRATCH];
static struct buf gather = {.max = GATHER_MAX};

void http_side_init(struct http_side *side)
{
	*side = (struct http_side){.source = {.fd = -1}, .fd = -1};
	buf_init(&side->in, HTTP_SCRATCH);
	buf_init(&side->out, 2UL * GATHER_MAX);
}

void http_side_done(struct http_side *side)
{
	buf_done(&side->in);
	buf_done(&side->out);
	side->out_at = 0;
}

size_t http_side_pending(const struct http_side *side)
{
	return side->out.len - side->out_at;
}

struct span http_side_load(struct http_side *side)
{
	struct str kept = buf_str(&side->in);
	memcpy(scratch, kept.ptr, kept.len);
	return (struct span){scratch, kept.len};
}

ssize_t http_side_read(struct http_side *side, size_t max, struct span *ret_bytes)
{
	struct span bytes = http_side_load(side);
	size_t room = sizeof(scratch) - bytes.len;
	ssize_t n = recv(side->fd, scratch + bytes.len, max < room ? max : room, MSG_DONTWAIT);
	if (n > 0) {
		side->received += (uint64_t)n;
		bytes.len += (size_t)n;
	}
	*ret_bytes = bytes;
	return n;
}

bool http_side_keep(struct http_side *side, struct span rest)
{
	if (rest.len == 0) {
		buf_done(&side->in);
		return true;
	}
	buf_clear(&side->in);
	buf_put(&side->in, rest.ptr, rest.len);
	return !side->in.failed;
}

struct buf *http_side_gather(void)
{
	return &gather;
}

/* What is left of parts when their first done bytes were sent. */
static void keep_parts(struct http_side *side, const struct iovec *parts, size_t count, size_t done)
{
	for (size_t i = 0; i < count; i++) {
		size_t skip = done < parts[i].iov_len ? done : parts[i].iov_len;
		done -= skip;
		buf_put(&side->out, (const char *)parts[i].iov_base + skip, parts[i].iov_len - skip);
	}
}

static size_t send_parts(struct http_side *side, struct iovec *parts, size_t count)
{
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
	ssize_t n = sendmsg(side->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		side->broken = true;
	if (n <= 0)
		return 0;
	side->sent += (uint64_t)n;
	return (size_t)n;
}

/* sendmsg only reads, but its struct has no const. */
static struct iovec as_iovec(const void *bytes, size_t len)
{
	const union {
		const void *given;
		void *taken;
	} pointer = {bytes};
	return (struct iovec){pointer.taken, len};
}

bool http_side_send(struct http_side *side, const struct span *parts, size_t count)
{
	struct iovec all[PARTS_MAX + 1] = {{gather.data, gather.len}};
	size_t total = gather.len, sent = 0;
	bool whole = !gather.failed;
	for (size_t i = 0; i < count && i < PARTS_MAX; i++) {
		all[i + 1] = as_iovec(parts[i].ptr, parts[i].len);
		total += parts[i].len;
	}
	if (whole && total > 0 && side->fd >= 0 && !side->broken) {
		if (http_side_pending(side) == 0)
			sent = send_parts(side, all, count + 1);
		if (sent < total && !side->broken)
			keep_parts(side, all, count + 1, sent);
	}
	buf_clear(&gather);
	return whole && !side->out.failed;
}

void http_side_flush(struct http_side *side)
{
	struct iovec part = {side->out.data + side->out_at, http_side_pending(side)};
	if (part.iov_len == 0)
		return;
	side->out_at += send_parts(side, &part, 1);
	if (!side->broken && side->out_at < side->out.len)
		return;
	buf_done(&side->out);
	side->out_at = 0;
}
