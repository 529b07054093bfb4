/*
 * A client and a server at the ends of a flow, over socket pairs, with a stand-in for what is behind it: the monitor, the
 * way to a host, and the flows that take over. Nothing waits: what was written is there at the next turn. Included once by
 * a program, which gets the stand-ins with it.
 */
#ifndef BERM_TESTS_HTTP_RIG_H
#define BERM_TESTS_HTTP_RIG_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/own.h"
#include "egress/flow.h"

#define RIG static __attribute__((unused))

enum { RIG_TURNS = 8, RIG_BYTES = 1 << 20 };

struct rig {
	struct egress egress;
	struct loop_source tick;
	int client;   /* the test's end */
	int upstream; /* the test's end of the last one; -1: none */
	/* Of the last question. */
	struct door_question question;
	char target[DOOR_TARGET_MAX];
	bool decide_only;
	unsigned asked, dials, over, tunnels, relays, events, closed, resets;
	uint64_t sent, received; /* as told of the last one that was closed */
	char detail[640];
	/* What is answered, at the next turn; held: not until rig_answer. */
	enum reach_outcome outcome;
	struct door_answer answer;
	struct net_address address, there;
	bool held;
	struct reach *waiting;
	struct loop_source later;
	struct egress_open *open;
	struct door_wait *recheck;
	/* Of the flow that took over. */
	struct flow_start taken;
	int taken_upstream;
	char first[1024], reply[1024];
};

static struct rig rig;
static char rig_bytes[RIG_BYTES];

/* ---- stand-ins ----------------------------------------------------------------------------------------------------- */

RIG void rig_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

RIG void rig_answer(void)
{
	struct reach *reach = rig.waiting;
	struct reach_result result = {
		.fd = -1, .outcome = rig.outcome, .answer = &rig.answer, .address = rig.address, .why = "why"};
	int pair[2] = {-1, -1};
	rig.waiting = NULL;
	loop_remove(&rig.later);
	if (reach == NULL)
		return;
	if (rig.decide_only && result.outcome == REACH_DONE)
		result.outcome = REACH_ALLOWED;
	if (result.outcome == REACH_DONE) {
		rig_close(&rig.upstream);
		(void)socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair);
		rig.dials++;
		rig.upstream = pair[0];
		result.fd = pair[1];
	}
	if (result.outcome == REACH_FAULT)
		result.answer = NULL;
	reach->job = NULL;
	reach->done(reach, &result);
}

static void rig_due(struct loop_source *source, uint32_t events)
{
	(void)source;
	(void)events;
	rig_answer();
}

enum berm_code reach_start(struct reach *reach, struct egress *egress, const struct reach_ask *ask, reach_done done,
			   struct berm_err *err)
{
	if (rig.waiting != NULL || ask->text.len >= sizeof(rig.target))
		return err_set(err, BERM_ERR_LIMIT, "too much waits");
	rig.question = *ask->question;
	memcpy(rig.target, ask->text.ptr, ask->text.len);
	rig.target[ask->text.len] = '\0';
	rig.decide_only = ask->decide_only;
	rig.there = ask->there;
	rig.asked++;
	reach->done = done;
	reach->job = (void *)&rig;
	rig.waiting = reach;
	loop_add_timer(&egress->loop, &rig.later, rig_due);
	loop_deadline(&rig.later, rig.held ? LOOP_NEVER : 0);
	return BERM_OK;
}

void reach_cancel(struct reach *reach)
{
	if (reach->job != NULL) {
		rig.waiting = NULL;
		loop_remove(&rig.later);
	}
	reach->job = NULL;
}

uint64_t reach_connection(const struct reach *reach)
{
	(void)reach;
	return rig.asked;
}

void door_tell(struct door *door, struct door_question *question, struct str text)
{
	(void)door;
	if (question->kind == DOOR_CLOSED) {
		rig.closed++;
		rig.sent = question->sent;
		rig.received = question->received;
		return;
	}
	rig.events++;
	size_t len = text.len < sizeof(rig.detail) - 1 ? text.len : sizeof(rig.detail) - 1;
	memcpy(rig.detail, text.ptr, len);
	rig.detail[len] = '\0';
}

enum berm_code door_ask(struct door *door, struct door_question *question, struct str text, struct door_wait *wait,
			door_done done, struct berm_err *err)
{
	(void)door;
	(void)text;
	(void)err;
	rig.question = *question;
	wait->done = done;
	wait->id = 1;
	rig.recheck = wait;
	return BERM_OK;
}

void door_withdraw(struct door *door, struct door_wait *wait)
{
	(void)door;
	if (wait->id != 0)
		rig.recheck = NULL;
	wait->id = 0;
}

void egress_open_add(struct egress *egress, struct egress_open *open, bool (*recheck)(struct egress_open *open))
{
	(void)egress;
	open->recheck = recheck;
	rig.open = open;
}

void egress_open_remove(struct egress *egress, struct egress_open *open)
{
	(void)egress;
	if (rig.open == open)
		rig.open = NULL;
}

void flow_question(const struct flow_start *flow, enum door_kind kind, struct door_question *ret_question)
{
	*ret_question = (struct door_question){.kind = (uint16_t)kind, .port = flow->port, .by_proxy = flow->by_proxy};
	memcpy(ret_question->host, flow->host.name, sizeof(ret_question->host));
}

void flow_over(struct flow_start *flow)
{
	rig.over++;
	if (flow->connection != 0)
		rig_close(&flow->upstream);
	rig_close(&flow->client);
}

void flow_reset(struct flow_start *flow)
{
	rig.resets++;
	flow_over(flow);
}

void flow_settled(struct flow_start *flow)
{
	flow->half_open = false;
}

static void rig_take(const struct flow_start *flow, int upstream, struct str first, struct str reply)
{
	rig.taken = *flow;
	rig.taken_upstream = upstream;
	memcpy(rig.first, first.ptr, first.len < sizeof(rig.first) ? first.len : 0);
	memcpy(rig.reply, reply.ptr, reply.len < sizeof(rig.reply) ? reply.len : 0);
}

void flow_tunnel(struct flow_start *flow, struct str reply)
{
	rig.tunnels++;
	rig_take(flow, flow->upstream, flow->first, reply);
}

void relay_start(struct flow_start *flow, int upstream, struct str to_upstream, struct str to_client,
		 uint64_t connection)
{
	(void)connection;
	rig.relays++;
	rig_take(flow, upstream, to_upstream, to_client);
}

/* ---- turns --------------------------------------------------------------------------------------------------------- */

static void rig_ticked(struct loop_source *source, uint32_t events)
{
	(void)source;
	(void)events;
}

RIG void rig_turn_once(void)
{
	if (loop_turn(&rig.egress.loop, NULL) != BERM_OK)
		abort();
}

RIG void rig_turn(void)
{
	for (int i = 0; i < RIG_TURNS; i++) {
		loop_deadline(&rig.tick, 0);
		rig_turn_once();
	}
}

/* Until the flow is over; for deadlines. */
RIG void rig_await_end(void)
{
	loop_deadline(&rig.tick, LOOP_NEVER);
	for (int i = 0; i < 1000 && rig.over == 0; i++)
		rig_turn_once();
}

RIG bool rig_begin(void)
{
	static const struct egress_limits limits = {
		.connections = 10,
		.half_open = 10,
		.connection_bytes = 65536,
		.origin_ms = 60000,
		.first_ms = 60000,
		.connect_ms = 60000,
		.idle_ms = 60000,
		.linger_ms = 60000,
		.names = 10,
	};
	memset(&rig, 0, sizeof(rig));
	rig.client = rig.upstream = rig.taken_upstream = rig.taken.client = -1;
	rig.later.fd = -1;
	rig.egress.limits = limits;
	rig.outcome = REACH_DONE;
	rig.address = (struct net_address){NET_IPV4, {9, 9, 9, 9}};
	rig.answer = (struct door_answer){.verdict = DOOR_ALLOW};
	if (loop_init(&rig.egress.loop, NULL) != BERM_OK)
		return false;
	loop_add_timer(&rig.egress.loop, &rig.tick, rig_ticked);
	return true;
}

/* Whatever still runs ends, for its client has gone. */
RIG void rig_end(const int *unused)
{
	(void)unused;
	rig_close(&rig.client);
	rig_close(&rig.upstream);
	rig_turn();
	if (rig.relays + rig.tunnels > 0) {
		rig_close(&rig.taken.client);
		rig_close(&rig.taken_upstream);
	}
	loop_done(&rig.egress.loop);
}
#define auto_rig __attribute__((cleanup(rig_end), unused))

/* A transparent flow to example.org, port 80, or (proxy) one of a proxy's client. */
RIG bool rig_flow(bool proxy, bool http_rules, void (*start)(struct flow_start *flow), struct str first)
{
	int pair[2];
	struct flow_start flow = {.egress = &rig.egress, .by_proxy = proxy, .http_rules = http_rules, .first = first};
	if (!proxy && !host_read(STR("example.org"), false, &flow.host, NULL))
		return false;
	flow.port = proxy ? 0 : 80;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	rig.client = pair[0];
	flow.client = pair[1];
	start(&flow);
	rig_turn();
	return true;
}

RIG void rig_say(int fd, struct str text)
{
	while (text.len > 0) {
		ssize_t n = send(fd, text.ptr, text.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			return;
		text = str_skip(text, n > 0 ? (size_t)n : 0);
		rig_turn();
		if (n < 0)
			return;
	}
}

/* What has come, until the next call. *ret_end: 0 open, 1 ended, -1 reset. */
RIG struct str rig_hear(int fd, int *ret_end)
{
	size_t len = 0;
	*ret_end = 0;
	while (len < sizeof(rig_bytes) - 1 && *ret_end == 0) {
		ssize_t n = recv(fd, rig_bytes + len, sizeof(rig_bytes) - 1 - len, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			*ret_end = n == 0 ? 1 : -1;
		else
			len += (size_t)n;
		rig_turn();
	}
	rig_bytes[len] = '\0';
	return (struct str){rig_bytes, len};
}

#endif
