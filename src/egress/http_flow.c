#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/own.h"
#include "egress/http_parts.h"

enum {
	GONE = EPOLLERR | EPOLLHUP,
	LINGER_MAX_MS = 5000, /* for a client to read its last answer and to close */
};

#define FLOW_OF(pointer, member) ((struct http_flow *)(void *)((char *)(pointer)-offsetof(struct http_flow, member)))

/* ---- sending ------------------------------------------------------------------------------------------------------- */

static void send_more(struct http_flow *h, struct http_side *to, const struct span *parts, size_t count)
{
	uint64_t before = to->sent;
	if (!http_side_send(to, parts, count))
		http_flow_reset(h);
	h->moved |= to->sent != before;
}

void http_flow_flush(struct http_flow *h, struct http_side *to)
{
	send_more(h, to, NULL, 0);
}

void http_flow_pass(struct http_flow *h, struct http_side *from, struct http_side *to, struct span data)
{
	char head[HTTP1_CHUNK_HEAD_MAX];
	struct buf *out = http_side_gather();
	bool chunked = from->passed == HTTP1_BODY_CHUNKED;
	if (data.len == 0)
		return;
	if (chunked)
		buf_put(out, head, http1_print_chunk_head(head, data.len));
	if (data.len >= HTTP_DIRECT_MIN) {
		const struct span parts[] = {data, {(const uint8_t *)"\r\n", 2}};
		send_more(h, to, parts, chunked ? 2 : 1);
		return;
	}
	buf_put(out, data.ptr, data.len);
	if (chunked)
		buf_puts(out, "\r\n");
}

/* ---- ends ---------------------------------------------------------------------------------------------------------- */

void http_flow_reset(struct http_flow *h)
{
	buf_clear(http_side_gather());
	h->over = true;
	h->reset = true;
}

void http_flow_leave(struct http_flow *h)
{
	h->state = HTTP_LEAVING;
	buf_done(&h->client.in);
}

static void tell_closed(struct http_flow *h)
{
	struct door_question question;
	flow_question(&h->flow, DOOR_CLOSED, &question);
	memcpy(question.host, h->host.name, sizeof(question.host));
	question.port = h->port;
	question.connection = h->connection;
	question.sent = h->upstream.sent;
	question.received = h->upstream.received;
	door_tell(h->flow.egress->door, &question, (struct str){"", 0});
}

void http_flow_close_open(struct http_flow *h)
{
	egress_open_remove(h->flow.egress, &h->open);
	door_withdraw(h->flow.egress->door, &h->recheck);
}

void http_flow_drop_upstream(struct http_flow *h)
{
	if (h->upstream.fd < 0)
		return;
	loop_remove(&h->upstream.source);
	http_flow_close_open(h);
	if (h->connection != 0)
		tell_closed(h);
	(void)close(h->upstream.fd);
	http_side_done(&h->upstream);
	http_side_init(&h->upstream);
	h->connection = 0;
	h->requests = 0;
	h->upstream_close = h->by_upstream_proxy = false;
	h->address = (struct net_address){NET_NONE, {0}};
	free(take(h->login));
}

/* What waits for a side that does not take it. */
static void count_kept(struct http_flow *h)
{
	size_t kept = h->client.in.len + h->client.out.len + h->upstream.in.len + h->upstream.out.len;
	h->flow.egress->kept_bytes += kept;
	h->flow.egress->kept_bytes -= h->kept;
	h->kept = kept;
}

static void end(struct http_flow *h)
{
	reach_cancel(&h->reach);
	http_flow_drop_upstream(h);
	loop_remove(&h->client.source);
	loop_remove(&h->timer);
	http_side_done(&h->client);
	http_side_done(&h->upstream);
	count_kept(h);
	if (!h->handed && h->reset)
		flow_reset(&h->flow);
	else if (!h->handed)
		flow_over(&h->flow);
	free(h);
}

/* ---- refusals ------------------------------------------------------------------------------------------------------ */

void http_flow_refuse(struct http_flow *h, const struct http_refusal *refusal)
{
	struct buf *out = http_side_gather();
	buf_clear(out); /* what is not sent yet belongs to a message that is given up */
	if (h->answering == HTTP_ANSWERING || h->answering == HTTP_ANSWERED) {
		http_flow_reset(h);
		return;
	}
	http_refusal_print(refusal, out);
	char *end_of_head = h->asked.head && out->data != NULL ? strstr(out->data, "\r\n\r\n") : NULL;
	if (end_of_head != NULL)
		out->len = (size_t)(end_of_head - out->data) + 4;
	http_flow_flush(h, &h->client);
	reach_cancel(&h->reach);
	http_flow_drop_upstream(h);
	http_flow_leave(h);
}

void http_flow_refuse_own(struct http_flow *h, uint16_t status, const char *error, const char *detail)
{
	struct door_question question;
	flow_question(&h->flow, DOOR_EVENT, &question);
	memcpy(question.host, h->host.name, sizeof(question.host));
	question.port = h->port;
	question.connection = h->connection;
	door_tell(h->flow.egress->door, &question, str_from(detail));
	http_flow_refuse(h, &(struct http_refusal){.status = status, .error = error, .detail = detail});
}

/* ---- what is waited for -------------------------------------------------------------------------------------------- */

static bool reads_client(const struct http_flow *h)
{
	if (h->client.ended)
		return false;
	if (h->state == HTTP_IN_BODY)
		return http_side_pending(&h->upstream) == 0 && !h->upstream.broken;
	return h->state == HTTP_AT_HEAD || h->state == HTTP_LEAVING;
}

/* Also while nothing is asked of it: its end is to be noticed. */
static bool reads_upstream(const struct http_flow *h)
{
	return http_side_pending(&h->client) == 0;
}

/* Descriptors are left on where that costs nothing: what nobody wants yet mutes them when it comes. */
static void watch(struct http_flow *h, struct http_side *side, bool reads, loop_callback callback)
{
	bool writes = http_side_pending(side) > 0 && !side->broken;
	if (side->fd < 0)
		return;
	if (side->hung && !reads && !writes) {
		loop_remove(&side->source);
		return;
	}
	side->muted &= !reads;
	uint32_t events = (side->muted || side->ended ? 0U : (uint32_t)EPOLLIN) | (writes ? (uint32_t)EPOLLOUT : 0U);
	if (side->source.loop != NULL)
		loop_want(&side->source, events);
	else if (loop_add(&h->flow.egress->loop, &side->source, side->fd, events, callback, NULL) != BERM_OK)
		http_flow_reset(h);
}

static enum http_phase phase_of(const struct http_flow *h)
{
	static const enum http_phase phases[] = {
		[HTTP_AT_HEAD] = HTTP_IDLE,  [HTTP_ASKING] = HTTP_NO_PHASE, [HTTP_IN_BODY] = HTTP_EXCHANGE,
		[HTTP_SENT] = HTTP_EXCHANGE, [HTTP_LEAVING] = HTTP_LINGER,
	};
	if (http_side_pending(&h->client) > 0)
		return HTTP_EXCHANGE;
	if (h->state == HTTP_AT_HEAD && h->client.in.len > 0)
		return HTTP_SLOW_HEAD;
	return phases[h->state];
}

static void set_deadline(struct http_flow *h)
{
	const struct egress_limits *limits = &h->flow.egress->limits;
	enum http_phase phase = phase_of(h);
	const uint64_t times[] = {
		[HTTP_NO_PHASE] = LOOP_NEVER,
		[HTTP_IDLE] = limits->idle_ms,
		[HTTP_SLOW_HEAD] = limits->first_ms,

		[HTTP_EXCHANGE] = limits->idle_ms,
		[HTTP_LINGER] = limits->linger_ms < LINGER_MAX_MS ? limits->linger_ms : LINGER_MAX_MS,
	};
	if (phase != h->phase || (phase == HTTP_EXCHANGE && h->moved))
		loop_deadline(&h->timer, times[phase]);
	h->phase = phase;
	h->moved = false;
}

static void on_client(struct loop_source *source, uint32_t events);
static void on_upstream(struct loop_source *source, uint32_t events);

/* The client has got all that there is for it. */
static void say_goodbye(struct http_flow *h)
{
	if (h->client.ended || h->client.broken || shutdown(h->client.fd, SHUT_WR) != 0)
		h->over = true;
}

void http_flow_settle(struct http_flow *h)
{
	bool left = h->phase == HTTP_LINGER;
	while (!h->over && h->again && h->state == HTTP_AT_HEAD)
		http_client_take(h, http_side_load(&h->client));
	if (!h->over && h->state == HTTP_AT_HEAD && h->client.ended)
		http_flow_leave(h);
	h->over |= h->client.broken;
	if (!h->over && !left && phase_of(h) == HTTP_LINGER)
		say_goodbye(h);
	if (!h->over)
		watch(h, &h->client, reads_client(h), on_client);
	if (!h->over)
		watch(h, &h->upstream, reads_upstream(h), on_upstream);
	if (h->over) {
		end(h);
		return;
	}
	count_kept(h);
	set_deadline(h);
}

/* ---- events -------------------------------------------------------------------------------------------------------- */

/* False: nothing to look at. *ret_whole: of an end. */
static bool read_side(struct http_flow *h, struct http_side *side, struct span *ret_bytes, bool *ret_whole)
{
	const struct egress *egress = h->flow.egress;
	size_t max = egress->kept_bytes < HTTP_KEPT_MAX ? egress->limits.connection_bytes : HTTP_READ_LITTLE;
	ssize_t n = http_side_read(side, max < HTTP_READ_MAX ? max : HTTP_READ_MAX, ret_bytes);
	if (n > 0)
		h->moved = true;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	side->ended = n <= 0;
	*ret_whole = n == 0;
	return true;
}

static void read_client(struct http_flow *h)
{
	struct span bytes;
	bool whole = false;
	if (!read_side(h, &h->client, &bytes, &whole))
		return;
	if (h->client.ended && (!whole || h->state == HTTP_IN_BODY || h->state == HTTP_LEAVING))
		h->over = true; /* a request that is cut off is none */
	else if (!h->client.ended && h->state != HTTP_LEAVING)
		http_client_take(h, bytes);
}

static void on_client(struct loop_source *source, uint32_t events)
{
	struct http_flow *h = FLOW_OF(source, client.source);
	if ((events & (uint32_t)GONE) != 0) {
		h->over = true;
		http_flow_settle(h);
		return;
	}
	if ((events & (uint32_t)EPOLLOUT) != 0) {
		h->moved = true;
		http_side_flush(&h->client);
	}
	if ((events & (uint32_t)EPOLLIN) != 0 && reads_client(h))
		read_client(h);
	else if ((events & (uint32_t)EPOLLIN) != 0)
		h->client.muted = true;
	http_flow_settle(h);
}

static void read_upstream(struct http_flow *h)
{
	struct span bytes;
	bool whole = false;
	if (!read_side(h, &h->upstream, &bytes, &whole))
		return;
	if (h->upstream.ended)
		http_upstream_end(h, whole);
	else
		http_upstream_take(h, bytes);
}

static void on_upstream(struct loop_source *source, uint32_t events)
{
	struct http_flow *h = FLOW_OF(source, upstream.source);
	bool comes = (events & (uint32_t)(EPOLLIN | GONE)) != 0;
	h->upstream.hung |= (events & (uint32_t)GONE) != 0;
	if ((events & (uint32_t)EPOLLOUT) != 0) {
		h->moved = true;
		http_side_flush(&h->upstream);
	}
	if (comes && reads_upstream(h))
		read_upstream(h);
	else if (comes)
		h->upstream.muted = true;
	http_flow_settle(h);
}

/* An exchange in which nothing moves: whose turn is it? */
static void give_up(struct http_flow *h)
{
	const struct http_refusal of_client = {408, .error = "timeout",
					       .detail = "the request did not come to its end"};
	const struct http_refusal of_host = {504, .error = "upstream_timeout", .detail = "the host did not answer"};
	if (http_side_pending(&h->client) > 0)
		http_flow_reset(h);
	else
		http_flow_refuse(h, reads_client(h) ? &of_client : &of_host);
}

static void on_timer(struct loop_source *source, uint32_t events)
{
	struct http_flow *h = FLOW_OF(source, timer);
	enum http_phase phase = h->phase;
	(void)events;
	h->phase = HTTP_NO_PHASE;
	if (phase == HTTP_EXCHANGE || phase == HTTP_SLOW_HEAD)
		give_up(h);
	else
		h->over = true;
	http_flow_settle(h);
}

/* ---- new rules ----------------------------------------------------------------------------------------------------- */

/* What is under way to a host that is closed now ends; the next request is asked for anyway. */
static void rechecked(struct door_wait *wait, const struct door_answer *answer)
{
	struct http_flow *h = FLOW_OF(wait, recheck);
	if (answer->verdict == DOOR_ALLOW)
		return;
	if (h->answering != HTTP_SILENT)
		http_flow_reset(h);
	http_flow_drop_upstream(h);
	http_flow_settle(h);
}

static bool recheck(struct egress_open *open)
{
	struct http_flow *h = FLOW_OF(open, open);
	struct door *door = h->flow.egress->door;
	struct door_question question;
	door_withdraw(door, &h->recheck);
	flow_question(&h->flow, DOOR_RECHECK, &question);
	memcpy(question.host, h->host.name, sizeof(question.host));
	question.port = h->port;
	question.connection = h->connection;
	return door_ask(door, &question, (struct str){"", 0}, &h->recheck, rechecked, NULL) == BERM_OK;
}

/* ---- beginning ----------------------------------------------------------------------------------------------------- */

/* Heads are written as a whole; waiting for more would only hold them up. Other sockets than TCP have no such option. */
static void send_at_once(int fd)
{
	const int yes = 1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

void http_flow_attach(struct http_flow *h, int fd, uint64_t connection)
{
	http_flow_drop_upstream(h);
	send_at_once(fd);
	h->upstream.fd = fd;
	h->connection = connection;
	egress_open_add(h->flow.egress, &h->open, recheck);
}

static void begin(struct http_flow *h)
{
	struct flow_start *flow = &h->flow;
	h->proxy = flow->host.kind == HOST_NONE;
	h->host = flow->host;
	h->port = flow->port;
	h->covered = !h->proxy && !flow->http_rules;
	h->generation = flow->generation;
	h->client.fd = flow->client;
	if (flow->connection != 0)
		http_flow_attach(h, flow->upstream, flow->connection);
	h->address = flow->address;
	flow->connection = 0; /* from here on it is ours, not the flow's */
	send_at_once(flow->client);
	loop_add_timer(&flow->egress->loop, &h->timer, on_timer);
	buf_put_str(&h->client.in, flow->first);
	h->again = flow->first.len > 0;
	if (h->client.in.failed)
		http_flow_reset(h);
	flow->first = (struct str){"", 0};
}

void http_flow_start(struct flow_start *flow)
{
	struct http_flow *h = calloc(1, sizeof(*h));
	if (h == NULL) {
		if (flow->connection != 0)
			(void)close(flow->upstream);
		flow->connection = 0;
		flow_over(flow);
		return;
	}
	h->flow = *flow;
	h->timer.fd = -1;
	http_side_init(&h->client);
	http_side_init(&h->upstream);
	begin(h);
	http_flow_settle(h);
}
