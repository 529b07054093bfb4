/* Field by field, never a struct as it lies in memory: the two sides may be different builds one day. */
#include "sandbox/frame.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/own.h"

enum field_kind { FIELD_U64, FIELD_U32, FIELD_INT, FIELD_BOOL, FIELD_TEXT };
struct field {
	enum field_kind kind;
	size_t offset, size; /* in struct frame; size counts for texts */
};
#define FIELD(kind, member)                                                                                            \
	{                                                                                                              \
		kind, offsetof(struct frame, member), sizeof(((struct frame *)0)->member)                              \
	}
#define FIELDS(name, ...) static const struct field name[] = {__VA_ARGS__};

FIELDS(failure_fields, FIELD(FIELD_U32, failure.stage), FIELD(FIELD_INT, failure.sys),
       FIELD(FIELD_TEXT, failure.detail))
FIELDS(request_fields, FIELD(FIELD_U64, request.id), FIELD(FIELD_U32, request.kind), FIELD(FIELD_U32, request.op),
       FIELD(FIELD_BOOL, request.open), FIELD(FIELD_BOOL, request.withdrawn), FIELD(FIELD_U32, request.verdict),
       FIELD(FIELD_INT, request.error), FIELD(FIELD_U32, request.count), FIELD(FIELD_INT, request.pid),
       FIELD(FIELD_TEXT, request.exe), FIELD(FIELD_TEXT, request.object), FIELD(FIELD_TEXT, request.as),
       FIELD(FIELD_U64, request.dev), FIELD(FIELD_U64, request.ino), FIELD(FIELD_U32, request.mode),
       FIELD(FIELD_TEXT, request.rule), FIELD(FIELD_TEXT, request.detail), FIELD(FIELD_U64, request.time_ns))
FIELDS(status_fields, FIELD(FIELD_BOOL, status.exited), FIELD(FIELD_INT, status.exit_code),
       FIELD(FIELD_INT, status.signal), FIELD(FIELD_BOOL, status.wall_limit), FIELD(FIELD_U64, status.denied),
       FIELD(FIELD_U64, status.served))
FIELDS(signal_fields, FIELD(FIELD_INT, signal))
FIELDS(answer_fields, FIELD(FIELD_U64, answer.id), FIELD(FIELD_U32, answer.verdict))
FIELDS(swap_fields, FIELD(FIELD_U64, swap.generation), FIELD(FIELD_INT, swap.error))
FIELDS(network_fields, FIELD(FIELD_U32, network.present), FIELD(FIELD_U32, network.proxy_port))

static const struct {
	const struct field *fields;
	size_t count;
} layouts[] = {
	[FRAME_STARTED] = {NULL, 0},
	[FRAME_FAILED] = {failure_fields, ARRAY_LEN(failure_fields)},
	[FRAME_REQUEST] = {request_fields, ARRAY_LEN(request_fields)},
	[FRAME_WITHDRAWN] = {answer_fields, ARRAY_LEN(answer_fields)},
	[FRAME_STOPPED] = {signal_fields, ARRAY_LEN(signal_fields)},
	[FRAME_STATUS] = {status_fields, ARRAY_LEN(status_fields)},
	[FRAME_MAPPED] = {NULL, 0},
	[FRAME_SIGNAL] = {signal_fields, ARRAY_LEN(signal_fields)},
	[FRAME_KILL] = {NULL, 0},
	[FRAME_ANSWER] = {answer_fields, ARRAY_LEN(answer_fields)},
	[FRAME_LEND] = {NULL, 0},
	[FRAME_LENT] = {NULL, 0},
	[FRAME_SWAP] = {swap_fields, ARRAY_LEN(swap_fields)},
	[FRAME_SWAPPED] = {swap_fields, ARRAY_LEN(swap_fields)},
	[FRAME_NETWORK] = {network_fields, ARRAY_LEN(network_fields)},
};

struct cursor {
	uint8_t *at;
	size_t left;
	bool failed;
};

/* Width bytes of a number, both ways: the cursor's bytes are read if value is wanted, else written. */
static void put_number(struct cursor *to, uint64_t value, size_t width)
{
	if (to->left < width) {
		to->failed = true;
		return;
	}
	for (size_t i = 0; i < width; i++)
		to->at[i] = (uint8_t)(value >> (8 * i));
	to->at += width;
	to->left -= width;
}

static uint64_t get_number(struct cursor *from, size_t width)
{
	uint64_t value = 0;
	if (from->left < width) {
		from->failed = true;
		return 0;
	}
	for (size_t i = 0; i < width; i++)
		value |= (uint64_t)from->at[i] << (8 * i);
	from->at += width;
	from->left -= width;
	return value;
}

static void put_field(struct cursor *to, const struct field *field, const void *value)
{
	static const size_t widths[] = {[FIELD_U64] = 8, [FIELD_U32] = 4, [FIELD_INT] = 4, [FIELD_BOOL] = 1};
	if (field->kind == FIELD_TEXT) {
		size_t len = strnlen(value, field->size - 1);
		put_number(to, len, 2);
		if (to->failed || to->left < len) {
			to->failed = true;
			return;
		}
		memcpy(to->at, value, len);
		to->at += len;
		to->left -= len;
		return;
	}
	uint64_t number = 0;
	memcpy(&number, value, field->size); /* little endian machines: x86_64 and arm64 */
	put_number(to, number, widths[field->kind]);
}

static void get_field(struct cursor *from, const struct field *field, void *ret_value)
{
	static const size_t widths[] = {[FIELD_U64] = 8, [FIELD_U32] = 4, [FIELD_INT] = 4, [FIELD_BOOL] = 1};
	if (field->kind == FIELD_TEXT) {
		size_t len = (size_t)get_number(from, 2);
		if (from->failed || len > field->size - 1 || len > from->left) {
			from->failed = true;
			return;
		}
		memcpy(ret_value, from->at, len);
		((char *)ret_value)[len] = '\0';
		from->at += len;
		from->left -= len;
		return;
	}
	uint64_t number = get_number(from, widths[field->kind]);
	if (field->kind == FIELD_BOOL)
		number = number != 0;
	memcpy(ret_value, &number, field->size);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): written through the cursor */
size_t frame_print(const struct frame *frame, uint8_t bytes[static FRAME_MAX])
{
	struct cursor to = {.at = bytes, .left = FRAME_MAX};
	put_number(&to, frame->type, 1);
	for (size_t i = 0; i < layouts[frame->type].count; i++) {
		const struct field *field = &layouts[frame->type].fields[i];
		put_field(&to, field, (const uint8_t *)frame + field->offset);
	}
	return to.failed ? 0 : FRAME_MAX - to.left;
}

bool frame_parse(const uint8_t *bytes, size_t len, struct frame *ret_frame)
{
	uint8_t copy[FRAME_MAX];
	if (len < 1 || len > sizeof copy || bytes[0] < FRAME_STARTED || bytes[0] >= ARRAY_LEN(layouts))
		return false;
	memcpy(copy, bytes, len);
	struct cursor from = {.at = copy + 1, .left = len - 1};
	memset(ret_frame, 0, sizeof *ret_frame);
	ret_frame->type = (enum frame_type)bytes[0];
	for (size_t i = 0; i < layouts[bytes[0]].count; i++) {
		const struct field *field = &layouts[bytes[0]].fields[i];
		get_field(&from, field, (uint8_t *)ret_frame + field->offset);
	}
	return !from.failed && from.left == 0;
}

union fd_space {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(FRAME_MAX_FDS * sizeof(int))];
};

int frame_send_fds(int fd, const struct frame *frame, const int *fds, size_t count)
{
	uint8_t bytes[FRAME_MAX];
	union fd_space space = {0};
	struct iovec part = {.iov_base = bytes, .iov_len = frame_print(frame, bytes)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	if (part.iov_len == 0 || count > FRAME_MAX_FDS) {
		errno = EMSGSIZE;
		return -1;
	}
	if (count > 0) {
		message.msg_control = space.bytes;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		space.header.cmsg_level = SOL_SOCKET;
		space.header.cmsg_type = SCM_RIGHTS;
		space.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&space.header), fds, count * sizeof(int));
	}
	ssize_t sent;
	do
		sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

int frame_send(int fd, const struct frame *frame)
{
	return frame_send_fds(fd, frame, NULL, 0);
}

static void take_fds(struct msghdr *message, int ret_fds[static FRAME_MAX_FDS])
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(message);
	if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
		return;
	size_t len = header->cmsg_len - CMSG_LEN(0);
	memcpy(ret_fds, CMSG_DATA(header), len < FRAME_MAX_FDS * sizeof(int) ? len : FRAME_MAX_FDS * sizeof(int));
}

void frame_close_fds(int fds[static FRAME_MAX_FDS])
{
	for (size_t i = 0; i < FRAME_MAX_FDS; i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]);
		fds[i] = -1;
	}
}

int frame_recv_fds(int fd, bool wait, struct frame *ret_frame, int ret_fds[static FRAME_MAX_FDS])
{
	uint8_t bytes[FRAME_MAX];
	union fd_space space;
	ssize_t got;
	for (size_t i = 0; i < FRAME_MAX_FDS; i++)
		ret_fds[i] = -1;
	/* Where the other side went without reading what we had sent, that is told once, before what it had sent. */
	do {
		struct iovec part = {.iov_base = bytes, .iov_len = sizeof bytes};
		struct msghdr message = {.msg_iov = &part,
					 .msg_iovlen = 1,
					 .msg_control = space.bytes,
					 .msg_controllen = sizeof space.bytes};
		got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
		if (got >= 0)
			take_fds(&message, ret_fds);
	} while (got < 0 && (errno == EINTR || errno == ECONNRESET));
	if (got <= 0)
		return got < 0 ? -1 : 0;
	if (frame_parse(bytes, (size_t)got, ret_frame))
		return 1;
	frame_close_fds(ret_fds);
	errno = EPROTO;
	return -1;
}

int frame_recv(int fd, bool wait, struct frame *ret_frame)
{
	int fds[FRAME_MAX_FDS];
	int got = frame_recv_fds(fd, wait, ret_frame, fds);
	frame_close_fds(fds);
	return got;
}
