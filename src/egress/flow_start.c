/* What every way of a connection begins and ends with. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/own.h"
#include "egress/flow.h"

enum { CLOSING_MS = 2000, CLOSING_BYTES = 1024 * 1024 };

void flow_question(const struct flow_start *flow, enum door_kind kind, struct door_question *ret_question)
{
	*ret_question = (struct door_question){
		.kind = (uint16_t)kind,
		.task = flow->task,
		.port = flow->port,
		.by_proxy = flow->by_proxy,
	};
	memcpy(ret_question->host, flow->host.name, sizeof(ret_question->host));
}

void flow_settled(struct flow_start *flow)
{
	if (flow->half_open)
		flow->egress->half_open--;
	flow->half_open = false;
}

/* It was dialled, and nothing came of it. */
static void close_upstream(struct flow_start *flow)
{
	struct door_question question;
	if (flow->connection == 0)
		return;
	flow_question(flow, DOOR_CLOSED, &question);
	question.connection = flow->connection;
	door_tell(flow->egress->door, &question, (struct str){0});
	(void)close(flow->upstream);
	flow->connection = 0;
}

void flow_over(struct flow_start *flow)
{
	struct egress *egress = flow->egress;
	flow_settled(flow);
	close_upstream(flow);
	if (flow->held.family != NET_NONE)
		synthetic_release(egress->names, &flow->held, egress->loop.now_ms);
	flow->held = (struct net_address){0};
	(void)close(take_fd(&flow->client));
	egress->connections--;
}

void flow_reset(struct flow_start *flow)
{
	static const struct linger at_once = {.l_onoff = 1};
	(void)setsockopt(flow->client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	flow_over(flow);
}

/* ---- the last answer ----------------------------------------------------------------------------------------------- */

struct closing {
	struct loop_source source; /* first: a callback is given its address */
	struct flow_start flow;
	size_t thrown_away;
};

static void closing_ready(struct loop_source *source, uint32_t events)
{
	struct closing *closing = (struct closing *)(void *)source;
	uint8_t *scratch = closing->flow.egress->scratch;
	ssize_t n = events == LOOP_DEADLINE ? 0 : recv(closing->flow.client, scratch, EGRESS_SCRATCH, MSG_DONTWAIT);
	closing->thrown_away += n > 0 ? (size_t)n : 0;
	if (n > 0 && closing->thrown_away < CLOSING_BYTES)
		return;
	struct flow_start flow = closing->flow;
	loop_remove(source);
	free(closing);
	flow_over(&flow);
}

/* A close with bytes unread is a reset, which may overtake the answer. */
void flow_answer(struct flow_start *flow, struct str text)
{
	struct closing *closing = calloc(1, sizeof(*closing));
	close_upstream(flow);
	flow_settled(flow);
	if (closing == NULL ||
	    send(flow->client, text.ptr, text.len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)text.len ||
	    shutdown(flow->client, SHUT_WR) != 0 ||
	    loop_add(&flow->egress->loop, &closing->source, flow->client, EPOLLIN, closing_ready, NULL) != BERM_OK) {
		free(closing);
		flow_reset(flow);
		return;
	}
	closing->flow = *flow;
	loop_deadline(&closing->source, CLOSING_MS);
}
