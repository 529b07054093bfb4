/*
 * Clients that know of the proxy: SOCKS 5 by its first byte, else HTTP. Replies of SOCKS are so short that a socket takes
 * them whole; a client whose socket does not is not waited for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/own.h"
#include "egress/flow.h"
#include "egress/proxy_login.h"
#include "format/socks.h"

enum {
	FIRST_BYTE_MS = 60000,
	READ_MAX = 4096, /* first bytes; a client of SOCKS sends no more before it was answered */
	SOCKS4 = 4,
	SOCKS5 = 5,
};

struct proxy_flow {
	struct loop_source source; /* first: a callback is given its address */
	struct flow_start flow;
	struct reach reach;
	struct socks socks;
	struct buf in;
	bool begun;   /* it is SOCKS */
	bool asking;  /* reach is at work */
	bool leaving; /* the last reply was sent: the client is waited for to close */
};

static void free_proxy(struct proxy_flow *p)
{
	loop_remove(&p->source);
	reach_cancel(&p->reach);
	buf_done(&p->in);
	free(p);
}

static void end(struct proxy_flow *p)
{
	struct flow_start flow = p->flow;
	free_proxy(p);
	flow_over(&flow);
}

static bool send_reply(struct proxy_flow *p)
{
	struct span reply = socks_reply_bytes(&p->socks);
	return reply.len == 0 ||
	       send(p->flow.client, reply.ptr, reply.len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)reply.len;
}

/* The reply must not be overtaken by the reset that a close with unread bytes is. */
static void leave(struct proxy_flow *p)
{
	if (!send_reply(p) || shutdown(p->flow.client, SHUT_WR) != 0) {
		end(p);
		return;
	}
	p->leaving = true;
	loop_want(&p->source, EPOLLIN);
	loop_deadline(&p->source, p->flow.egress->limits.linger_ms);
}

/* ---- the way to the host ------------------------------------------------------------------------------------------- */

static void open_tunnel(struct proxy_flow *p, const struct reach_result *result)
{
	struct flow_start flow = p->flow;
	struct socks socks = p->socks;
	auto_buf struct buf first = p->in;
	flow.host = socks.host;
	flow.port = socks.port;
	flow.http_rules = result->answer->http_rules != 0;
	flow.upstream = result->fd;
	flow.connection = reach_connection(&p->reach);
	if (result->answer->upstream_port == 0)
		flow.address = result->address;
	flow.first = buf_str(&first);
	buf_init(&p->in, READ_MAX);
	free_proxy(p);
	(void)socks_answer(&socks, SOCKS_OK, NULL, 0);
	struct span reply = socks_reply_bytes(&socks);
	flow_tunnel(&flow, (struct str){(const char *)reply.ptr, reply.len});
}

static void reached(struct reach *reach, const struct reach_result *result)
{
	static const enum socks_code codes[] = {
		[REACH_DENIED] = SOCKS_NOT_ALLOWED,
		[REACH_DONE] = SOCKS_OK,
		[REACH_ALLOWED] = SOCKS_FAILURE,
		[REACH_NO_NAME] = SOCKS_HOST_UNREACHABLE,
		[REACH_REFUSED] = SOCKS_CONNECTION_REFUSED,
		[REACH_TIMEOUT] = SOCKS_TTL_EXPIRED,
		[REACH_FAULT] = SOCKS_FAILURE,
	};
	struct proxy_flow *p = (struct proxy_flow *)(void *)((char *)reach - offsetof(struct proxy_flow, reach));
	if (result->outcome == REACH_DONE) {
		open_tunnel(p, result);
		return;
	}
	(void)socks_answer(&p->socks, codes[result->outcome], NULL, 0);
	leave(p);
}

static void ask(struct proxy_flow *p)
{
	struct door_question question;
	const struct reach_ask ask = {.question = &question, .text = {"", 0}};
	flow_question(&p->flow, DOOR_CONNECT, &question);
	memcpy(question.host, p->socks.host.name, sizeof(question.host));
	question.port = p->socks.port;
	p->asking = true;
	p->flow.generation = p->flow.egress->generation;
	loop_deadline(&p->source, LOOP_NEVER); /* reach.c has its own */
	loop_want(&p->source, 0);
	if (reach_start(&p->reach, p->flow.egress, &ask, reached, NULL) != BERM_OK) {
		(void)socks_answer(&p->socks, SOCKS_FAILURE, NULL, 0);
		leave(p);
	}
}

/* ---- the conversation ---------------------------------------------------------------------------------------------- */

static enum socks_step log_in(struct proxy_flow *p)
{
	const char *token = p->flow.egress->token;
	bool fits = token != NULL && proxy_login_fits(token, p->socks.user, p->socks.password);
	return socks_login(&p->socks, fits);
}

/* Takes what is there off the front of p->in. */
static enum socks_step feed(struct proxy_flow *p)
{
	struct str text = buf_str(&p->in);
	struct span bytes = {(const uint8_t *)text.ptr, text.len};
	enum socks_step step = socks_feed(&p->socks, &bytes);
	if (bytes.len > 0)
		memmove(p->in.data, p->in.data + (p->in.len - bytes.len), bytes.len);
	p->in.len = bytes.len;
	return step == SOCKS_LOGIN ? log_in(p) : step;
}

static void converse(struct proxy_flow *p)
{
	enum socks_step step = SOCKS_REPLY;
	while (step == SOCKS_REPLY) {
		step = feed(p);
		if (step == SOCKS_REPLY && !send_reply(p)) {
			end(p);
			return;
		}
	}
	if (step == SOCKS_CONNECT)
		ask(p);
	else if (step == SOCKS_REFUSED)
		leave(p);
}

static void go_http(struct proxy_flow *p)
{
	struct flow_start flow = p->flow;
	auto_buf struct buf first = p->in;
	flow.first = buf_str(&first);
	buf_init(&p->in, READ_MAX);
	free_proxy(p);
	http_flow_start(&flow);
}

static void look(struct proxy_flow *p)
{
	char first = p->in.data[0];
	if (!p->begun && first != SOCKS4 && first != SOCKS5) {
		go_http(p);
		return;
	}
	if (!p->begun)
		loop_deadline(&p->source, p->flow.egress->limits.first_ms);
	p->begun = true;
	converse(p);
}

static void client_ready(struct loop_source *source, uint32_t events)
{
	struct proxy_flow *p = (struct proxy_flow *)(void *)source;
	char bytes[READ_MAX];
	bool gone = (events & (LOOP_DEADLINE | (uint32_t)EPOLLERR)) != 0 || (p->asking && !p->leaving);
	ssize_t n = gone ? 0 : recv(p->flow.client, bytes, sizeof(bytes) - p->in.len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && p->leaving)
		return;
	if (n > 0)
		buf_put(&p->in, bytes, (size_t)n);
	if (n <= 0 || p->in.failed)
		end(p);
	else
		look(p);
}

void proxy_flow_start(struct flow_start *flow)
{
	struct proxy_flow *p = calloc(1, sizeof(*p));
	struct flow_start copy = *flow;
	if (p == NULL) {
		flow_over(&copy);
		return;
	}
	p->flow = copy;
	p->source.fd = -1;
	buf_init(&p->in, READ_MAX);
	buf_put_str(&p->in, flow->first);
	p->flow.first = (struct str){"", 0};
	socks_init(&p->socks, flow->egress->token != NULL);
	if (p->in.failed ||
	    loop_add(&flow->egress->loop, &p->source, flow->client, EPOLLIN, client_ready, NULL) != BERM_OK) {
		end(p);
		return;
	}
	uint32_t idle_ms = flow->egress->limits.idle_ms;
	loop_deadline(&p->source, idle_ms < FIRST_BYTE_MS ? idle_ms : FIRST_BYTE_MS);
	if (p->in.len > 0)
		look(p);
}
