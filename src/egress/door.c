#include "egress/door.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/own.h"
#include "egress/door_message.h"
#include "egress/egress.h"

enum {
	SLOTS = 4096,	       /* numbers follow each other, so the waiting ones are spread evenly */
	MESSAGES_OF_TURN = 64, /* others have their turn then */
	PLACE_MS = 1,
	WITHDRAWALS_MAX = 2 * DOOR_QUEUE_MAX, /* a lost one would leave a person with a question that nobody has */
};

struct packet {
	struct packet *next;
	size_t len;
	uint8_t bytes[];
};

struct door {
	struct loop_source source; /* first: a callback gets it */
	struct egress *egress;
	const struct door_events *events;
	int fd;
	bool over, failed;
	uint64_t last_id;
	size_t waiting;
	struct door_wait *slots[SLOTS];
	struct packet *first, **end; /* what the socket has no place for */
	size_t queued;		     /* bytes */
	uint8_t bytes[DOOR_MESSAGE_MAX];
};

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static void drop_queue(struct door *door)
{
	while (door->first != NULL) {
		struct packet *packet = door->first;
		door->first = packet->next;
		free(packet);
	}
	door->end = &door->first;
	door->queued = 0;
}

static void end_door(struct door *door, bool failed)
{
	door->over = true;
	door->failed = failed;
	door->egress->stopping = true;
	loop_remove(&door->source);
	drop_queue(door);
}

void door_free(struct door *door)
{
	if (door == NULL)
		return;
	loop_remove(&door->source);
	drop_queue(door);
	(void)close(door->fd);
	free(door);
}

bool door_failed(const struct door *door)
{
	return door->failed;
}

/* ---- who waits --------------------------------------------------------------------------------------------------- */

static void link_wait(struct door *door, struct door_wait *wait)
{
	struct door_wait **slot = &door->slots[wait->id % SLOTS];
	wait->previous = NULL;
	wait->next = *slot;
	if (*slot != NULL)
		(*slot)->previous = wait;
	*slot = wait;
	door->waiting++;
}

static void unlink_wait(struct door *door, struct door_wait *wait)
{
	if (wait->previous != NULL)
		wait->previous->next = wait->next;
	else
		door->slots[wait->id % SLOTS] = wait->next;
	if (wait->next != NULL)
		wait->next->previous = wait->previous;
	wait->next = wait->previous = NULL;
	wait->id = 0;
	door->waiting--;
}

static struct door_wait *find_wait(const struct door *door, uint64_t id)
{
	struct door_wait *wait = door->slots[id % SLOTS];
	while (wait != NULL && wait->id != id)
		wait = wait->next;
	return wait;
}

/* ---- to the monitor ---------------------------------------------------------------------------------------------- */

/* 1: sent, 0: no place, -1: the monitor is gone. */
static int send_now(int fd, const uint8_t *bytes, size_t len)
{
	ssize_t sent;
	do {
		sent = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return 1;
	return errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM ? 0 : -1;
}

static enum berm_code enqueue(struct door *door, size_t len, size_t max, struct berm_err *err)
{
	if (door->queued + len > max)
		return err_set(err, BERM_ERR_LIMIT, "too many questions wait for the monitor");
	struct packet *packet = malloc(sizeof(*packet) + len);
	if (packet == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	packet->next = NULL;
	packet->len = len;
	memcpy(packet->bytes, door->bytes, len);
	*door->end = packet;
	door->end = &packet->next;
	door->queued += len;
	loop_want(&door->source, EPOLLIN | EPOLLOUT);
	return BERM_OK;
}

/* What is in door->bytes. */
static enum berm_code send_message(struct door *door, size_t len, size_t queue_max, struct berm_err *err)
{
	int sent = door->first != NULL ? 0 : send_now(door->fd, door->bytes, len);
	if (sent == 0)
		return enqueue(door, len, queue_max, err);
	if (sent > 0)
		return BERM_OK;
	end_door(door, false);
	return err_set(err, BERM_ERR_CLOSED, "the monitor is gone");
}

static void send_queue(struct door *door)
{
	while (door->first != NULL) {
		struct packet *packet = door->first;
		int sent = send_now(door->fd, packet->bytes, packet->len);
		if (sent < 0)
			end_door(door, false);
		if (sent <= 0)
			return;
		door->first = packet->next;
		door->queued -= packet->len;
		free(packet);
	}
	door->end = &door->first;
	loop_want(&door->source, EPOLLIN);
}

static enum berm_code send_question(struct door *door, struct door_question *question, struct str text,
				    size_t queue_max, struct berm_err *err)
{
	size_t len;
	if (door->over)
		return err_set(err, BERM_ERR_CLOSED, "the monitor is gone");
	question->version = DOOR_VERSION;
	question->text_len = (uint32_t)text.len;
	TRY(door_print_question(question, text, door->bytes, &len, err));
	return send_message(door, len, queue_max, err);
}

enum berm_code door_ask(struct door *door, struct door_question *question, struct str text, struct door_wait *wait,
			door_done done, struct berm_err *err)
{
	if (door->waiting >= DOOR_WAITING_MAX)
		return err_set(err, BERM_ERR_LIMIT, "too many questions wait for an answer");
	question->id = ++door->last_id;
	TRY(send_question(door, question, text, DOOR_QUEUE_MAX, err));
	*wait = (struct door_wait){.done = done, .id = question->id};
	link_wait(door, wait);
	return BERM_OK;
}

void door_withdraw(struct door *door, struct door_wait *wait)
{
	if (wait->id == 0)
		return;
	struct door_question question = {.kind = DOOR_WITHDRAW, .id = wait->id};
	unlink_wait(door, wait);
	(void)send_question(door, &question, STR(""), WITHDRAWALS_MAX, NULL);
}

void door_tell(struct door *door, struct door_question *question, struct str text)
{
	if (question->id == 0)
		question->id = ++door->last_id;
	(void)send_question(door, question, text, question->kind == DOOR_CLOSED ? WITHDRAWALS_MAX : DOOR_QUEUE_MAX,
			    NULL);
}

/* ---- from the monitor -------------------------------------------------------------------------------------------- */

struct arrival {
	ssize_t len; /* of recvmsg */
	int fds[DOOR_END_COUNT];
	size_t fd_count;
	bool cut;
};

static void close_arrived(struct arrival *arrival)
{
	for (size_t i = 0; i < arrival->fd_count; i++)
		(void)close(arrival->fds[i]);
	arrival->fd_count = 0;
}

static void keep_fds(struct msghdr *message, struct arrival *ret)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count && ret->fd_count < DOOR_END_COUNT; i++)
			memcpy(&ret->fds[ret->fd_count++], CMSG_DATA(part) + i * sizeof(int), sizeof(int));
	}
}

static void receive(struct door *door, struct arrival *ret)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(DOOR_END_COUNT * sizeof(int))];
	} control;
	struct iovec bytes = {door->bytes, sizeof(door->bytes)};
	struct msghdr message = {
		.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	*ret = (struct arrival){0};
	do {
		ret->len = recvmsg(door->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (ret->len < 0 && errno == EINTR);
	if (ret->len <= 0)
		return;
	keep_fds(&message, ret);
	ret->cut = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
}

/* Puts each descriptor at the place that its bit has. */
static bool place_fds(struct arrival *arrival, uint16_t present, int ret_fds[DOOR_END_COUNT])
{
	size_t used = 0;
	if ((size_t)__builtin_popcount(present) != arrival->fd_count)
		return false;
	for (size_t i = 0; i < DOOR_END_COUNT; i++)
		ret_fds[i] = (present >> i & 1) != 0 ? arrival->fds[used++] : -1;
	arrival->fd_count = 0;
	return true;
}

static void deliver(struct door *door, const struct door_answer *answer)
{
	struct door_wait *wait = find_wait(door, answer->id);
	if (wait == NULL)
		return; /* withdrawn */
	unlink_wait(door, wait);
	wait->done(wait, answer);
}

/* False: a message that the monitor never sends. */
static bool take_answer(struct door *door, struct arrival *arrival)
{
	struct door_answer answer;
	struct door_ends ends;
	int fds[DOOR_END_COUNT];
	struct span bytes = {door->bytes, (size_t)arrival->len};
	if (arrival->cut || door_parse_answer(bytes, &answer, &ends, NULL) != BERM_OK ||
	    !place_fds(arrival, ends.present, fds))
		return false;
	if (answer.kind == DOOR_ANSWER)
		deliver(door, &answer);
	else if (answer.kind == DOOR_RELOADED)
		door->events->reloaded(door->egress, &answer);
	else
		door->events->ends(door->egress, &ends, fds);
	return true;
}

/* False: nothing more for now. */
static bool take_message(struct door *door, uint32_t events)
{
	struct arrival arrival;
	receive(door, &arrival);
	if (arrival.len < 0 && errno == EAGAIN && (events & EPOLLERR) == 0)
		return false;
	if (arrival.len <= 0) {
		end_door(door, false);
		return false;
	}
	bool good = take_answer(door, &arrival);
	close_arrived(&arrival);
	if (!good)
		end_door(door, true);
	return !door->over;
}

static void door_ready(struct loop_source *source, uint32_t events)
{
	struct door *door = (struct door *)source;
	if ((events & EPOLLOUT) != 0)
		send_queue(door);
	for (int i = 0; i < MESSAGES_OF_TURN && !door->over; i++)
		if (!take_message(door, events))
			return;
}

enum berm_code door_new(struct egress *egress, int fd, const struct door_events *events, struct door **ret_door,
			struct berm_err *err)
{
	struct door *door = calloc(1, sizeof(*door));
	if (door == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	door->egress = egress;
	door->events = events;
	door->fd = fd;
	door->end = &door->first;
	enum berm_code code = loop_add(&egress->loop, &door->source, fd, EPOLLIN, door_ready, err);
	if (code != BERM_OK) {
		free(door);
		return code;
	}
	*ret_door = door;
	return BERM_OK;
}

/* ---- the monitor's side ------------------------------------------------------------------------------------------ */

/* So that a flood of questions waits at @egress, and not for a place for its answers. The kernel says yes while three
 * quarters are free, enough for what is told unasked. */
static bool has_place(int fd)
{
	struct pollfd poller = {.fd = fd, .events = POLLOUT};
	return poll(&poller, 1, PLACE_MS) > 0;
}

enum berm_code door_take(int fd, uint8_t *bytes, struct door_question *ret_question, struct str *ret_text,
			 struct berm_err *err)
{
	if (!has_place(fd))
		return err_set(err, BERM_ERR_TIMEOUT, "answers wait for @egress");
	ssize_t len;
	do { /* without room for descriptors, so the kernel closes what comes with it */
		len = recv(fd, bytes, DOOR_MESSAGE_MAX, MSG_DONTWAIT | MSG_TRUNC);
	} while (len < 0 && errno == EINTR);
	if (len < 0 && errno == EAGAIN)
		return err_set(err, BERM_ERR_TIMEOUT, "no question");
	if (len <= 0)
		return err_set(err, BERM_ERR_CLOSED, "@egress is gone");
	if (len > DOOR_MESSAGE_MAX)
		return err_set(err, BERM_ERR_PARSE, "a question of %zd bytes", len);
	return door_parse_question((struct span){bytes, (size_t)len}, ret_question, ret_text, err);
}

static enum berm_code send_answer(int fd, struct msghdr *message, struct berm_err *err)
{
	ssize_t sent;
	do {
		sent = sendmsg(fd, message, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return BERM_OK;
	if (errno == EAGAIN || errno == ENOBUFS)
		return err_set(err, BERM_ERR_LIMIT, "@egress does not fetch its answers");
	if (errno == EPIPE || errno == ECONNRESET)
		return err_set(err, BERM_ERR_CLOSED, "@egress is gone");
	return err_sys(err, "answer to @egress");
}

enum berm_code door_send(int fd, const struct door_answer *answer, struct berm_err *err)
{
	uint8_t bytes[DOOR_ANSWER_MAX];
	struct iovec part = {bytes, 0};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	if (answer->kind == DOOR_ENDS)
		return err_set(err, BERM_ERR_INVALID, "ends without their descriptors");
	TRY(door_print_answer(answer, NULL, bytes, &part.iov_len, err));
	return send_answer(fd, &message, err);
}

/* Closes up the gaps; returns how many there are. */
static size_t gather(const int fds[DOOR_END_COUNT], int ret_fds[DOOR_END_COUNT], uint16_t *ret_present)
{
	size_t count = 0;
	unsigned present = 0;
	for (size_t i = 0; i < DOOR_END_COUNT; i++) {
		if (fds[i] < 0)
			continue;
		present |= 1U << i;
		ret_fds[count++] = fds[i];
	}
	*ret_present = (uint16_t)present;
	return count;
}

enum berm_code door_send_ends(int fd, const int fds[DOOR_END_COUNT], uint16_t proxy_port, struct berm_err *err)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(DOOR_END_COUNT * sizeof(int))];
	} control = {.bytes = {0}};
	int given[DOOR_END_COUNT];
	struct door_answer answer = {.kind = DOOR_ENDS};
	struct door_ends ends = {.proxy_port = proxy_port};
	size_t size = gather(fds, given, &ends.present) * sizeof(int);
	uint8_t bytes[DOOR_ANSWER_MAX];
	struct iovec part = {bytes, 0};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	TRY(door_print_answer(&answer, &ends, bytes, &part.iov_len, err));
	if (size > 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(size);
		control.align =
			(struct cmsghdr){.cmsg_len = CMSG_LEN(size), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.align), given, size);
	}
	return send_answer(fd, &message, err);
}
