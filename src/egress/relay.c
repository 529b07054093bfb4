/*
 * Bytes both ways, as they come. What is read goes through a buffer that all connections share; only what the other side does
 * not take at once is kept, and nothing more is read then. Readiness is told once (edges), so an ordinary turn is a read and
 * a write. An end is passed on as an end, a reset as a reset.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/own.h"
#include "egress/flow.h"
#include "egress/pipes.h"

enum {
	CLIENT = 0,
	UPSTREAM = 1,
	ROUNDS = 8,		      /* reads of one side in a turn: the others wait meanwhile */
	KEPT_MAX = 128 * 1024 * 1024, /* by all connections; beyond it little is read at a time */
	CHUNK_WHEN_FULL = 4096,
	PIPE_WORTH = 16384,
	EDGES = EPOLLIN | EPOLLOUT | EPOLLRDHUP,
};

struct relay_side {
	struct loop_source source; /* first: a callback is given its address */
	struct relay *relay;
	int fd;
	bool readable, writable;
	bool hung_up; /* the end is among what can be read */
	bool ended;   /* it was read */
	bool shut;    /* the other side's end was passed on to it */
	char *kept;   /* for it */
	size_t kept_len, kept_at;
	bool bulk;		/* it comes faster than a buffer takes it */
	struct pipe_user piped; /* for it as well, never both */
};

struct relay {
	struct flow_start flow;
	struct relay_side sides[2];
	uint64_t read[2];
	uint64_t active_ms;
	bool lingers; /* one side has ended */
	uint64_t connection;
	struct egress_open open;
	struct door_wait wait;
};

enum progress { WAITS = 0, MORE, BROKEN };

/* ---- the end ------------------------------------------------------------------------------------------------------- */

static void drop_kept(struct relay *relay, struct relay_side *side)
{
	relay->flow.egress->kept_bytes -= side->kept_len;
	free(take(side->kept));
	side->kept_len = side->kept_at = 0;
}

static void tell_closed(const struct relay *relay)
{
	struct door_question question;
	flow_question(&relay->flow, DOOR_CLOSED, &question);
	question.connection = relay->connection;
	question.sent = relay->read[CLIENT];
	question.received = relay->read[UPSTREAM];
	door_tell(relay->flow.egress->door, &question, (struct str){0});
}

static void end(struct relay *relay, bool reset)
{
	static const struct linger at_once = {.l_onoff = 1};
	struct egress *egress = relay->flow.egress;
	for (int i = 0; i < 2; i++) {
		loop_remove(&relay->sides[i].source);
		drop_kept(relay, &relay->sides[i]);
		pipes_return(egress->pipes, &relay->sides[i].piped);
	}
	egress_open_remove(egress, &relay->open);
	door_withdraw(egress->door, &relay->wait);
	tell_closed(relay);
	if (reset)
		(void)setsockopt(relay->sides[UPSTREAM].fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	own_close(&relay->sides[UPSTREAM].fd);
	if (reset)
		flow_reset(&relay->flow);
	else
		flow_over(&relay->flow);
	free(relay);
}

/* ---- moving -------------------------------------------------------------------------------------------------------- */

static bool keep(struct relay *relay, struct relay_side *side, const void *bytes, size_t len)
{
	char *kept = malloc(len);
	if (kept == NULL)
		return false;
	memcpy(kept, bytes, len);
	side->kept = kept;
	side->kept_len = len;
	side->kept_at = 0;
	relay->flow.egress->kept_bytes += len;
	return true;
}

/* The bytes that it took; -1: it is broken. */
static ssize_t give(struct relay_side *side, const void *bytes, size_t len)
{
	ssize_t n = send(side->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -1;
	if (n < (ssize_t)len)
		side->writable = false;
	return n > 0 ? n : 0;
}

static enum progress give_kept(struct relay *relay, struct relay_side *side)
{
	ssize_t n = give(side, side->kept + side->kept_at, side->kept_len - side->kept_at);
	if (n < 0)
		return BROKEN;
	side->kept_at += (size_t)n;
	if (side->kept_at < side->kept_len)
		return WAITS;
	drop_kept(relay, side);
	return MORE;
}

/* For TCP a short read has emptied the socket; the end tells itself by an edge of its own, or has done so already. */
static ssize_t take_some(struct relay *relay, struct relay_side *from)
{
	struct egress *egress = relay->flow.egress;
	size_t max = egress->kept_bytes < KEPT_MAX ? egress->limits.connection_bytes : CHUNK_WHEN_FULL;
	if (max > sizeof(egress->scratch))
		max = sizeof(egress->scratch);
	ssize_t n = recv(from->fd, egress->scratch, max, MSG_DONTWAIT);
	if (n < (ssize_t)max && (n < 0 || !from->hung_up))
		from->readable = false;
	if (n == 0)
		from->ended = true;
	if (n > 0)
		relay->read[from == &relay->sides[UPSTREAM]] += (uint64_t)n;
	return n;
}

/* ---- much of it: without a copy ---- */

static enum progress drain(struct relay *relay, struct relay_side *to)
{
	if (!to->writable)
		return WAITS;
	ssize_t n = pipes_drain(relay->flow.egress->pipes, &to->piped, to->fd);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return BROKEN;
	if (to->piped.bytes > 0)
		to->writable = false;
	return MORE;
}

static enum progress fill(struct relay *relay, struct relay_side *from, struct relay_side *to)
{
	ssize_t n = pipes_fill(relay->flow.egress->pipes, &to->piped, from->fd);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return BROKEN;
	if (n < 0)
		from->readable = false;
	if (n == 0)
		from->ended = true;
	if (n > 0)
		relay->read[from == &relay->sides[UPSTREAM]] += (uint64_t)n;
	/* It has become little: the pipe is worth more elsewhere. */
	if (n > 0 && n < PIPE_WORTH)
		to->bulk = false;
	return n < 0 ? WAITS : MORE;
}

static enum progress pass_end_on(struct relay_side *to)
{
	if (!to->shut && shutdown(to->fd, SHUT_WR) != 0)
		return BROKEN;
	to->shut = true;
	return WAITS;
}

/* One read, one write, or both. */
static enum progress move(struct relay *relay, struct relay_side *from, struct relay_side *to)
{
	struct egress *egress = relay->flow.egress;
	if (to->kept != NULL)
		return to->writable ? give_kept(relay, to) : WAITS;
	if (to->piped.bytes > 0)
		return drain(relay, to);
	if (from->ended)
		return pass_end_on(to);
	if (!from->readable || !to->writable)
		return WAITS;
	if (to->bulk && pipes_borrow(egress->pipes, &to->piped))
		return fill(relay, from, to);
	pipes_return(egress->pipes, &to->piped);
	ssize_t n = take_some(relay, from);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? WAITS : BROKEN;
	if (n == 0)
		return MORE;
	to->bulk = n == EGRESS_SCRATCH;
	uint8_t *bytes = egress->scratch;
	ssize_t given = give(to, bytes, (size_t)n);
	if (given < 0 || (given < n && !keep(relay, to, bytes + given, (size_t)(n - given))))
		return BROKEN;
	return MORE;
}

static enum progress move_all(struct relay *relay, struct relay_side *from, struct relay_side *to)
{
	enum progress progress = MORE;
	for (int i = 0; i < ROUNDS && progress == MORE; i++)
		progress = move(relay, from, to);
	return progress;
}

/* False: it is over. */
static bool pump(struct relay *relay)
{
	struct relay_side *client = &relay->sides[CLIENT], *upstream = &relay->sides[UPSTREAM];
	enum progress up = move_all(relay, client, upstream);
	enum progress down = up != BROKEN ? move_all(relay, upstream, client) : BROKEN;
	if (down == BROKEN) {
		end(relay, true);
		return false;
	}
	relay->active_ms = relay->flow.egress->loop.now_ms;
	if (up == MORE || down == MORE) {
		loop_deadline(&upstream->source, 0);
	} else if (client->shut && upstream->shut) {
		end(relay, false);
		return false;
	}
	if (!relay->lingers && (client->ended || upstream->ended)) {
		relay->lingers = true;
		loop_deadline(&client->source, relay->flow.egress->limits.linger_ms);
	}
	return true;
}

/* ---- events -------------------------------------------------------------------------------------------------------- */

/* Set once and looked at when it is due: bytes that come only note the time. */
static void check_idle(struct relay *relay)
{
	const struct egress_limits *limits = &relay->flow.egress->limits;
	uint64_t now_ms = relay->flow.egress->loop.now_ms;
	uint64_t due_ms = relay->active_ms + (relay->lingers ? limits->linger_ms : limits->idle_ms);
	if (due_ms <= now_ms)
		end(relay, true);
	else
		loop_deadline(&relay->sides[CLIENT].source, due_ms - now_ms);
}

static bool may_give(const struct relay *relay, const struct relay_side *from)
{
	const struct relay_side *to = &relay->sides[from == &relay->sides[CLIENT] ? UPSTREAM : CLIENT];
	return to->kept == NULL && to->piped.bytes == 0 && to->writable;
}

static void side_ready(struct loop_source *source, uint32_t events)
{
	struct relay_side *side = (struct relay_side *)(void *)source;
	struct relay *relay = side->relay;
	if (events == LOOP_DEADLINE && side == &relay->sides[CLIENT]) {
		check_idle(relay);
		return;
	}
	if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
		side->readable = true;
	if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
		side->hung_up = true;
	if ((events & EPOLLOUT) != 0)
		side->writable = true;
	/* What a reset left to be read goes out if it can at once: it is not waited for. */
	if (pump(relay) && (events & EPOLLERR) != 0 && side->readable && !may_give(relay, side))
		end(relay, true);
}

static void rechecked(struct door_wait *wait, const struct door_answer *answer)
{
	struct relay *relay = (struct relay *)(void *)((char *)wait - offsetof(struct relay, wait));
	if (answer->verdict != DOOR_ALLOW)
		end(relay, true);
}

static bool recheck(struct egress_open *open)
{
	struct relay *relay = (struct relay *)(void *)((char *)open - offsetof(struct relay, open));
	struct door *door = relay->flow.egress->door;
	struct door_question question;
	door_withdraw(door, &relay->wait);
	flow_question(&relay->flow, DOOR_RECHECK, &question);
	question.connection = relay->connection;
	return door_ask(door, &question, (struct str){0}, &relay->wait, rechecked, NULL) == BERM_OK;
}

/* ---- the beginning ------------------------------------------------------------------------------------------------- */

static bool prepare_side(struct relay *relay, int which, int fd, struct str first)
{
	struct relay_side *side = &relay->sides[which];
	int yes = 1;
	side->relay = relay;
	side->fd = fd;
	side->readable = side->writable = true;
	if (which == CLIENT) /* upstream was dialled so */
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	return (first.len == 0 || keep(relay, side, first.ptr, first.len)) &&
	       loop_add(&relay->flow.egress->loop, &side->source, fd, EDGES | (uint32_t)EPOLLET, side_ready, NULL) ==
		       BERM_OK;
}

void relay_start(struct flow_start *flow, int upstream, struct str to_upstream, struct str to_client,
		 uint64_t connection)
{
	struct egress *egress = flow->egress;
	struct relay *relay = calloc(1, sizeof(*relay));
	if (relay == NULL) {
		(void)close(upstream);
		flow_reset(flow);
		return;
	}
	flow_settled(flow);
	relay->flow = *flow;
	relay->flow.connection = 0; /* upstream is told apart from here on */
	relay->flow.first = (struct str){0};
	relay->connection = connection;
	relay->active_ms = egress->loop.now_ms;
	relay->read[CLIENT] = to_upstream.len;
	relay->read[UPSTREAM] = to_client.len;
	egress_open_add(egress, &relay->open, recheck);
	bool prepared = prepare_side(relay, CLIENT, flow->client, to_client);
	if (!prepare_side(relay, UPSTREAM, upstream, to_upstream) || !prepared) {
		end(relay, true);
		return;
	}
	loop_deadline(&relay->sides[CLIENT].source, egress->limits.idle_ms);
	(void)pump(relay);
}
