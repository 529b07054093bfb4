#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "egress/http_parts.h"
#include "format/address_special.h"

#define FLOW_OF(pointer) ((struct http_flow *)(void *)((char *)(pointer)-offsetof(struct http_flow, reach)))

/* ---- the question -------------------------------------------------------------------------------------------------- */

/* A Host without a port goes where its connection does. */
static uint16_t port_of(const struct http_flow *h, const struct http1_request *request)
{
	return h->proxy ? url_port(&request->url) : h->flow.port;
}

static bool is_same_host(const struct http_flow *h, const struct http1_request *request)
{
	return h->port == port_of(h, request) && host_equal(&h->host, &request->url.authority.host);
}

bool http_ask_is_free(const struct http_flow *h, const struct http1_request *request)
{
	return h->covered && h->generation == h->flow.egress->generation && is_same_host(h, request);
}

bool http_ask_may_pass(const struct http_flow *h, const struct http1_request *request)
{
	return request->form != HTTP1_AUTHORITY && h->upstream.fd >= 0 && is_same_host(h, request) &&
	       (h->admitted || http_ask_is_free(h, request));
}

static void fill_question(const struct http_flow *h, const struct http1_request *request,
			  struct door_question *ret_question)
{
	flow_question(&h->flow, h->tunnel ? DOOR_CONNECT : DOOR_HTTP, ret_question);
	memcpy(ret_question->host, h->host.name, sizeof(ret_question->host));
	ret_question->port = h->port;
	ret_question->connection = h->connection;
	if (!h->tunnel)
		memcpy(ret_question->method, request->method.ptr, request->method.len);
}

/* The one upstream is the one that is asked for. */
static void turn_to(struct http_flow *h, const struct http1_request *request)
{
	h->tunnel = request->form == HTTP1_AUTHORITY;
	if (!h->tunnel && is_same_host(h, request))
		return;
	http_flow_drop_upstream(h);
	h->host = request->url.authority.host;
	h->port = port_of(h, request);
	h->covered = false;
}

/* What an address is that is not simply on the internet may be a matter of the request: it is asked for with it. */
static void judge_there(struct http_flow *h, const struct http1_request *request, struct net_address *ret_there)
{
	if (http_ask_is_free(h, request) || h->by_upstream_proxy)
		return;
	if (h->address.family == NET_NONE)
		http_flow_drop_upstream(h);
	else if (address_special(&h->address) != NULL)
		*ret_there = h->address;
}

static void reached(struct reach *reach, const struct reach_result *result);

void http_ask_start(struct http_flow *h, const struct http1_request *request)
{
	struct door_question question;
	struct berm_err err;
	struct reach_ask ask = {.question = &question, .text = STR("/")};
	turn_to(h, request);
	judge_there(h, request, &ask.there);
	fill_question(h, request, &question);
	if (request->form != HTTP1_ASTERISK)
		ask.text = (struct str){request->url.target.text, request->url.target.len};
	ask.decide_only = h->upstream.fd >= 0;
	h->admitted = false;
	h->asked_generation = h->flow.egress->generation;
	h->state = HTTP_ASKING;
	if (reach_start(&h->reach, h->flow.egress, &ask, reached, &err) != BERM_OK)
		http_flow_refuse(h, &(struct http_refusal){503, .error = "fault", .detail = err.msg});
}

/* ---- refusals ------------------------------------------------------------------------------------------------------ */

static void refuse(struct http_flow *h, const struct reach_result *result)
{
	char detail[HTTP_DETAIL_MAX];
	const struct http_refusal refusal = http_refusal_of(result, h->host.name, h->port, detail);
	http_flow_refuse(h, &refusal);
}

/* ---- the answer ---------------------------------------------------------------------------------------------------- */

/* False: out of memory. */
static bool adopt_upstream(struct http_flow *h, const struct reach_result *result)
{
	const struct door_answer *answer = result->answer;
	http_flow_attach(h, result->fd, reach_connection(&h->reach));
	h->by_upstream_proxy = answer->upstream_port != 0 && !h->tunnel;
	if (answer->upstream_port == 0)
		h->address = result->address;
	if (!h->by_upstream_proxy || answer->upstream_login[0] == '\0')
		return true;
	h->login = str_dup(str_from(answer->upstream_login));
	return h->login != NULL;
}

static void adopt_rules(struct http_flow *h, const struct door_answer *answer)
{
	if (h->tunnel) {
		h->flow.http_rules = answer->http_rules != 0;
		return;
	}
	if (answer->all_requests != 0)
		h->covered = true;
	else if (h->generation != h->asked_generation)
		h->covered = false;
	h->generation = h->asked_generation;
}

/* What CONNECT asked for: the client's connection is no longer HTTP. */
static void open_tunnel(struct http_flow *h)
{
	struct flow_start *flow = &h->flow;
	struct str kept = buf_str(&h->client.in);
	loop_remove(&h->client.source);
	http_flow_close_open(h);
	flow->host = h->host;
	flow->port = h->port;
	flow->connection = h->connection;
	flow->address = h->address;
	flow->generation = h->asked_generation;
	flow->upstream = h->upstream.fd;
	flow->first = str_skip(kept, h->head_len);
	h->upstream.fd = -1;
	h->handed = h->over = true;
	flow_tunnel(flow, STR("HTTP/1.1 200 Connection established\r\n\r\n"));
}

static void go_on(struct http_flow *h)
{
	if (h->tunnel) {
		open_tunnel(h);
		return;
	}
	h->state = HTTP_AT_HEAD;
	h->admitted = h->again = true;
}

static void reached(struct reach *reach, const struct reach_result *result)
{
	struct http_flow *h = FLOW_OF(reach);
	bool dialled = result->outcome == REACH_DONE;
	flow_settled(&h->flow);
	if (!dialled && result->outcome != REACH_ALLOWED) {
		refuse(h, result);
	} else if (dialled && !adopt_upstream(h, result)) {
		http_flow_reset(h);
	} else {
		adopt_rules(h, result->answer);
		go_on(h);
	}
	http_flow_settle(h);
}
