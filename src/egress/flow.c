/*
 * What was led here. While the host is asked for and dialled the client's first bytes are looked at, as they come: they
 * say what it speaks, so how a refusal looks best, and for TLS and HTTP whether the name in them is the name that was
 * asked for. A protocol in which the server speaks first has none, and goes as it is.
 */
#include "egress/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/own.h"
#include "format/tls_hello.h"

enum {
	REFUSAL_MAX = 8192,
	REFUSED_MS = 1000, /* for first bytes, so that a refusal has a form */
	EDGES = EPOLLIN | EPOLLRDHUP,
	/* RFC 8446 6.2, RFC 6066 3 */
	ALERT_ACCESS_DENIED = 49,
	ALERT_DECODE_ERROR = 50,
	ALERT_UNRECOGNIZED_NAME = 112,
};

enum phase { ASKING = 0, REFUSED, OPEN };
enum form { NOTHING = 0, UNSURE, HTTP, TLS, BAD_TLS, OTHER };

struct flow {
	struct loop_source client; /* first: a callback is given its address */
	struct loop_source upstream;
	struct flow_start start;
	struct reach reach;
	struct buf first;
	bool client_ended;
	enum phase phase;
	struct tls_hello hello;
	struct buf refusal; /* REFUSED: as HTTP */
};

static void free_flow(struct flow *flow)
{
	loop_remove(&flow->client);
	loop_remove(&flow->upstream);
	reach_cancel(&flow->reach);
	buf_done(&flow->first);
	buf_done(&flow->refusal);
	free(flow);
}

static void reset(struct flow *flow)
{
	struct flow_start start = flow->start;
	free_flow(flow);
	flow_reset(&start);
}

static void answer_text(struct flow *flow, struct str text)
{
	struct flow_start start = flow->start;
	free_flow(flow);
	flow_answer(&start, text);
}

static void answer_alert(struct flow *flow, char alert)
{
	const char record[] = {0x15, 3, 3, 0, 2, 2, alert}; /* fatal */
	answer_text(flow, (struct str){record, sizeof(record)});
}

/* Refused here, where nobody was asked: the monitor is told. */
static void tell_refused(const struct flow *flow, struct str detail)
{
	struct door_question question;
	flow_question(&flow->start, DOOR_EVENT, &question);
	question.connection = flow->start.connection;
	question.tls = flow->hello.size > 0;
	door_tell(flow->start.egress->door, &question, detail);
}

/* ---- the ways ------------------------------------------------------------------------------------------------------ */

static void go_http(struct flow *flow)
{
	auto_buf struct buf first = flow->first;
	struct flow_start start = flow->start;
	buf_init(&flow->first, 0);
	free_flow(flow);
	start.first = buf_str(&first);
	http_flow_start(&start);
}

static void go_raw(struct flow *flow)
{
	auto_buf struct buf first = flow->first;
	struct flow_start start = flow->start;
	buf_init(&flow->first, 0);
	free_flow(flow);
	uint64_t connection = start.connection;
	start.connection = 0;
	relay_start(&start, start.upstream, buf_str(&first), (struct str){0}, connection);
}

/* NULL: it may pass. A literal address has no name to compare with. */
static const char *tls_mistake(const struct flow *flow)
{
	const struct tls_hello *hello = &flow->hello;
	if (hello->ech == TLS_ECH_INNER || hello->esni)
		return "the server's name is hidden";
	if (flow->start.host.kind != HOST_NAME)
		return NULL;
	if (hello->name[0] == '\0')
		return "no server is named";
	return strcmp(hello->name, flow->start.host.name) != 0 ? "another server is named" : NULL;
}

static void go_tls(struct flow *flow)
{
	const char *mistake = tls_mistake(flow);
	if (flow->start.http_rules)
		mistake = "TLS, where only plain HTTP may pass";
	if (mistake == NULL) {
		go_raw(flow);
		return;
	}
	tell_refused(flow, str_from(mistake));
	answer_alert(flow, flow->start.http_rules ? ALERT_ACCESS_DENIED : ALERT_UNRECOGNIZED_NAME);
}

static void refuse_http(struct flow *flow)
{
	auto_buf struct buf refusal = flow->refusal;
	buf_init(&flow->refusal, 0);
	answer_text(flow, buf_str(&refusal));
}

/* ---- first bytes --------------------------------------------------------------------------------------------------- */

static enum form look(struct flow *flow)
{
	static const enum form forms[] = {
		[TLS_HELLO_BAD] = BAD_TLS,
		[TLS_HELLO_NEED_MORE] = UNSURE,
		[TLS_HELLO_NOT_TLS] = OTHER,
		[TLS_HELLO_OK] = TLS,
	};
	struct str first = buf_str(&flow->first);
	if (first.len == 0)
		return NOTHING;
	int http = http_flow_looks(first);
	if (http > 0)
		return HTTP;
	struct span bytes = {(const uint8_t *)first.ptr, first.len};
	enum form form = forms[tls_hello_read(bytes, &flow->hello, NULL)];
	return form == OTHER && http < 0 ? UNSURE : form;
}

static void step_open(struct flow *flow, enum form form)
{
	bool raw = !flow->start.http_rules;
	if (form == HTTP) {
		go_http(flow);
	} else if (form == TLS) {
		go_tls(flow);
	} else if (form == BAD_TLS) {
		tell_refused(flow, STR("a TLS hello that is none"));
		answer_alert(flow, ALERT_DECODE_ERROR);
	} else if (raw && (form == OTHER || flow->client_ended)) {
		go_raw(flow);
	} else if (form == OTHER) {
		tell_refused(flow, STR("no HTTP, where only HTTP may pass"));
		reset(flow);
	} else if (flow->client_ended) {
		reset(flow);
	}
}

static void step_refused(struct flow *flow, enum form form)
{
	if (form == HTTP)
		refuse_http(flow);
	else if (form == TLS || form == BAD_TLS)
		answer_alert(flow, ALERT_ACCESS_DENIED);
	else if (form == OTHER || flow->client_ended)
		reset(flow);
}

static void step(struct flow *flow)
{
	enum form form = look(flow);
	if (flow->phase == OPEN)
		step_open(flow, form);
	else if (flow->phase == REFUSED)
		step_refused(flow, form);
	else if (form == NOTHING && flow->client_ended)
		reset(flow); /* it did not want to wait */
}

/* False: the client is gone. */
static bool read_first(struct flow *flow)
{
	while (!flow->client_ended && flow->first.len < TLS_HELLO_MAX) {
		uint8_t *scratch = flow->start.egress->scratch;
		ssize_t n = recv(flow->start.client, scratch, TLS_HELLO_MAX - flow->first.len, MSG_DONTWAIT);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (n == 0)
			flow->client_ended = true;
		if (n > 0 && flow->first.len == 0 && flow->phase != REFUSED)
			loop_deadline(&flow->client, flow->start.egress->limits.first_ms);
		buf_put(&flow->first, scratch, (size_t)n);
		if (flow->first.failed)
			return false;
	}
	return true;
}

static void client_due(struct flow *flow)
{
	if (flow->phase == ASKING)
		return; /* whether it is late is seen when there is an answer */
	if (flow->phase == OPEN && flow->first.len > 0)
		tell_refused(flow, STR("first bytes that did not come to an end"));
	reset(flow);
}

static void client_ready(struct loop_source *source, uint32_t events)
{
	struct flow *flow = (struct flow *)(void *)source;
	if (events == LOOP_DEADLINE)
		client_due(flow);
	else if (read_first(flow))
		step(flow);
	else
		reset(flow);
}

/* The server speaks first. */
static void upstream_ready(struct loop_source *source, uint32_t events)
{
	struct flow *flow = (struct flow *)(void *)((char *)source - offsetof(struct flow, upstream));
	(void)events;
	loop_remove(source);
	if (flow->first.len == 0 && !flow->start.http_rules)
		go_raw(flow);
}

/* ---- the way to the host ------------------------------------------------------------------------------------------- */

/* The server is listened to where the client has said nothing yet. */
static void begin_open(struct flow *flow)
{
	struct egress *egress = flow->start.egress;
	flow->phase = OPEN;
	flow_settled(&flow->start);
	loop_deadline(&flow->client, flow->first.len > 0 ? egress->limits.first_ms : egress->limits.idle_ms);
	if (flow->first.len == 0 && loop_add(&egress->loop, &flow->upstream, flow->start.upstream,
					     EDGES | (uint32_t)EPOLLET, upstream_ready, NULL) != BERM_OK)
		reset(flow);
	else
		step(flow);
}

static void open_flow(struct flow *flow, const struct reach_result *result)
{
	flow->start.upstream = result->fd;
	if (result->answer->upstream_port == 0)
		flow->start.address = result->address;
	flow->start.connection = reach_connection(&flow->reach);
	flow->start.http_rules = result->answer->http_rules != 0;
	begin_open(flow);
}

static void refuse(struct flow *flow, const struct reach_result *result)
{
	char detail[HTTP_DETAIL_MAX];
	const struct http_refusal refusal = http_refusal_of(result, flow->start.host.name, flow->start.port, detail);
	http_refusal_print(&refusal, &flow->refusal);
	flow->phase = REFUSED;
	loop_deadline(&flow->client, REFUSED_MS);
	step(flow);
}

static void reached(struct reach *reach, const struct reach_result *result)
{
	struct flow *flow = (struct flow *)(void *)((char *)reach - offsetof(struct flow, reach));
	if (result->outcome == REACH_DONE)
		open_flow(flow, result);
	else
		refuse(flow, result);
}

void flow_start(const struct flow_start *start)
{
	struct flow *flow = calloc(1, sizeof(*flow));
	struct flow_start copy = *start;
	struct door_question question;
	const struct reach_ask ask = {.question = &question};
	if (flow == NULL) {
		flow_reset(&copy);
		return;
	}
	flow->start = copy;
	flow->start.generation = start->egress->generation;
	buf_init(&flow->first, TLS_HELLO_MAX + 1);
	buf_init(&flow->refusal, REFUSAL_MAX);
	flow_question(start, DOOR_CONNECT, &question);
	if (loop_add(&start->egress->loop, &flow->client, start->client, EDGES | (uint32_t)EPOLLET, client_ready,
		     NULL) != BERM_OK ||
	    reach_start(&flow->reach, start->egress, &ask, reached, NULL) != BERM_OK)
		reset(flow);
}

void flow_tunnel(struct flow_start *start, struct str reply)
{
	struct flow *flow = calloc(1, sizeof(*flow));
	struct flow_start copy = *start;
	if (flow == NULL) {
		flow_reset(&copy);
		return;
	}
	flow->start = copy;
	flow->start.first = (struct str){"", 0};
	buf_init(&flow->first, TLS_HELLO_MAX + 1);
	buf_init(&flow->refusal, REFUSAL_MAX);
	buf_put_str(&flow->first, start->first);
	if (flow->first.failed ||
	    send(start->client, reply.ptr, reply.len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)reply.len ||
	    loop_add(&start->egress->loop, &flow->client, start->client, EDGES | (uint32_t)EPOLLET, client_ready,
		     NULL) != BERM_OK)
		reset(flow);
	else
		begin_open(flow);
}
