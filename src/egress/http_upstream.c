#include "base/own.h"
#include "egress/http_parts.h"

static struct http1_response response; /* of one thread; used up before the next one is read */

/* ---- ends ---------------------------------------------------------------------------------------------------------- */

static void refuse_response(struct http_flow *h, const char *detail)
{
	http_flow_refuse(h, &(struct http_refusal){502, .error = "upstream_failed", .detail = detail});
}

/* A response may be over before its request: then the request goes on, unless one of both sides will close. */
void http_upstream_finish(struct http_flow *h)
{
	bool cut = h->state == HTTP_IN_BODY && !h->client.body.done;
	bool ends = h->close || h->upstream_close || h->upstream.fd < 0;
	if (h->answering != HTTP_ANSWERED || (cut && !ends))
		return;
	h->answering = HTTP_SILENT;
	if (ends)
		http_flow_drop_upstream(h);
	if (cut || h->close) {
		http_flow_leave(h);
		return;
	}
	h->state = HTTP_AT_HEAD;
	h->again = true;
}

/* A server may close a connection on which nothing was answered for a while, and then gets a request that it never read.
 * A client is used to that from servers: it is told in the same way, and knows what it may send again. */
static bool is_stale(const struct http_flow *h)
{
	return h->requests > 1 && h->informal == 0 && h->upstream.in.len == 0;
}

void http_upstream_end(struct http_flow *h, bool whole)
{
	bool complete = whole && http1_body_end(&h->upstream.body, NULL) == BERM_OK;
	bool stale = h->answering == HTTP_AT_STATUS && is_stale(h);
	enum http_answering answering = h->answering;
	http_flow_drop_upstream(h);
	if (answering == HTTP_AT_STATUS && stale)
		http_flow_leave(h);
	else if (answering == HTTP_AT_STATUS)
		refuse_response(h, "the host closed the connection without an answer");
	else if (answering == HTTP_ANSWERING && !complete)
		http_flow_reset(h); /* nobody may take it for the whole */
	else if (answering == HTTP_ANSWERING)
		h->answering = HTTP_ANSWERED;
	http_upstream_finish(h);
}

/* ---- heads --------------------------------------------------------------------------------------------------------- */

static bool print_head(struct http_flow *h)
{
	const struct http1_print how = {.close = h->close};
	struct berm_err err;
	if (http1_print_response(&response, h->minor, &how, http_side_gather(), &err) == BERM_OK)
		return true;
	refuse_response(h, err.msg);
	return false;
}

/* 100 Continue and its like; a client of HTTP/1.0 does not know them (RFC 9110 15.2). */
static void pass_informal(struct http_flow *h)
{
	if (++h->informal > HTTP_INFORMAL_MAX)
		refuse_response(h, "too many responses in front of the response");
	else if (h->minor > 0)
		(void)print_head(h);
}

static void begin_response(struct http_flow *h)
{
	struct http1_framing framing = http1_response_framing(&response, h->minor);
	h->upstream_close |= response.head.close;
	/* Also if the rest of the request has nowhere to go. */
	h->close |= framing.kind == HTTP1_BODY_CLOSE || (h->upstream_close && h->state == HTTP_IN_BODY);
	if (!print_head(h))
		return;
	h->upstream.passed = framing.kind;
	http1_body_start(&h->upstream.body, &response.head.framing);
	h->answering = h->upstream.body.done ? HTTP_ANSWERED : HTTP_ANSWERING;
}

/* A websocket: what follows is no HTTP. rest: of the server, behind its head. */
static void hand_over(struct http_flow *h, struct span rest)
{
	auto_buf struct buf up, down;
	struct http_side *client = &h->client, *upstream = &h->upstream;
	buf_init(&up, 3UL * HTTP_SCRATCH);
	buf_init(&down, 3UL * HTTP_SCRATCH);
	if (upstream->out.len > 0)
		buf_put(&up, upstream->out.data + upstream->out_at, http_side_pending(upstream));
	buf_put_str(&up, buf_str(&client->in));
	buf_put_str(&down, buf_str(http_side_gather()));
	buf_put(&down, rest.ptr, rest.len);
	buf_clear(http_side_gather());
	if (up.failed || down.failed) {
		http_flow_reset(h);
		return;
	}
	loop_remove(&client->source);
	loop_remove(&upstream->source);
	http_flow_close_open(h);
	h->flow.host = h->host;
	h->flow.port = h->port;
	int fd = take_fd(&upstream->fd);
	h->handed = h->over = true;
	relay_start(&h->flow, fd, buf_str(&up), buf_str(&down), h->connection);
}

static size_t take_head(struct http_flow *h, struct span bytes)
{
	struct str text = {(const char *)bytes.ptr, bytes.len};
	struct berm_err err;
	size_t len = 0;
	if (http1_find_head(&h->upstream.find, text, &len, &err) != BERM_OK) {
		refuse_response(h, err.msg);
		return 0;
	}
	if (len == 0)
		return 0;
	h->upstream.find = (struct http1_find){.seen = 0};
	if (http1_read_response((struct str){text.ptr, len}, &h->asked, &response, &err) != BERM_OK) {
		refuse_response(h, err.msg);
		return 0;
	}
	if (response.status >= 200) {
		begin_response(h);
	} else if (response.head.framing.kind != HTTP1_BODY_TUNNEL) {
		pass_informal(h);
	} else if (print_head(h)) {
		hand_over(h, (struct span){bytes.ptr + len, bytes.len - len});
		return bytes.len;
	}
	return len;
}

/* ---- bodies -------------------------------------------------------------------------------------------------------- */

static size_t take_body(struct http_flow *h, struct span bytes)
{
	struct http1_piece piece;
	if (http1_body_step(&h->upstream.body, bytes, &piece, NULL) != BERM_OK) {
		http_flow_reset(h);
		return 0;
	}
	http_flow_pass(h, &h->upstream, &h->client, piece.data);
	if (!piece.done)
		return piece.used;
	if (h->upstream.passed == HTTP1_BODY_CHUNKED)
		buf_puts(http_side_gather(), "0\r\n\r\n");
	h->answering = HTTP_ANSWERED;
	return piece.used;
}

static size_t take_some(struct http_flow *h, struct span bytes)
{
	if (h->answering == HTTP_AT_STATUS)
		return take_head(h, bytes);
	return h->answering == HTTP_ANSWERING ? take_body(h, bytes) : 0;
}

void http_upstream_take(struct http_flow *h, struct span bytes)
{
	size_t used = 0;
	while (!h->over && h->state != HTTP_LEAVING && used < bytes.len) {
		size_t step = take_some(h, (struct span){bytes.ptr + used, bytes.len - used});
		if (step == 0)
			break;
		used += step;
	}
	if (h->over || h->state == HTTP_LEAVING)
		return;
	http_flow_flush(h, &h->client);
	struct span rest = {bytes.ptr + used, bytes.len - used};
	/* More than was asked for: whatever it is, it is no answer to the next request. */
	if (rest.len > 0 && (h->answering == HTTP_ANSWERED || h->answering == HTTP_SILENT))
		http_flow_drop_upstream(h);
	else if (!http_side_keep(&h->upstream, rest))
		http_flow_reset(h);
	http_upstream_finish(h);
}
