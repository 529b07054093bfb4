#include <string.h>

#include "base/own.h"
#include "egress/http_parts.h"
#include "egress/proxy_login.h"

static struct http1_request request; /* of one thread; used up before the next one is read */

/* ---- what is refused without asking -------------------------------------------------------------------------------- */

/* Longer targets are a limit like any other to the parser, and have a status of their own. */
static bool has_long_line(struct str head)
{
	return str_find(head, '\r') > URL_TARGET_MAX;
}

static void refuse_head(struct http_flow *h, enum berm_code code, const struct berm_err *err, struct str head)
{
	uint16_t status = http1_status_of(code);
	if (code == BERM_ERR_LIMIT && has_long_line(head))
		status = 414;
	http_flow_refuse_own(h, status, "bad_request", err->msg);
}

/* NULL: a proxy may be asked for this. */
static const char *proxy_mistake(void)
{
	if (request.form == HTTP1_ORIGIN || request.form == HTTP1_ASTERISK)
		return "this is a proxy: ask it for http://HOST/..., or with CONNECT HOST:PORT";
	if (request.form == HTTP1_ABSOLUTE && request.url.scheme != URL_HTTP)
		return "a proxy is asked for https with CONNECT HOST:PORT";
	return NULL;
}

static bool check_proxy(struct http_flow *h)
{
	const char *token = h->flow.egress->token;
	const char *mistake = proxy_mistake();
	if (token != NULL && !proxy_login_shown(token, &request.head)) {
		http_flow_refuse(h, &(struct http_refusal){
					    407,
					    .error = "login",
					    .detail = "this proxy wants its token, as a password or a bearer's",
					    .field = "Proxy-Authenticate: Basic realm=\"berm\"",
				    });
		return false;
	}
	if (mistake != NULL)
		http_flow_refuse_own(h, 400, "bad_request", mistake);
	return mistake == NULL;
}

/* A name that leads here leads to one host: a request to it for another would be served by whoever that host knows. */
static bool check_host(struct http_flow *h)
{
	struct url_authority *authority = &request.url.authority;
	if (!request.has_host) {
		authority->host = h->flow.host;
		authority->port = h->flow.port;
	}
	bool here = host_equal(&authority->host, &h->flow.host) &&
		    (authority->port == 0 || authority->port == h->flow.port) && request.url.scheme == URL_HTTP;
	if (!here)
		http_flow_refuse_own(h, 421, "misdirected", "the request is for another host than its connection");
	else if (request.form == HTTP1_AUTHORITY)
		http_flow_refuse_own(h, 405, "bad_request", "CONNECT is for proxies");
	return here && request.form != HTTP1_AUTHORITY;
}

/* NULL: what is judged is what the server will take it for. */
static const char *trick(void)
{
	if (request.overrides)
		return "a field that names another method or target, where requests are told apart";
	if (request.url.target.encoded_slash)
		return "'%2F' in a path, where requests are told apart";
	return request.form == HTTP1_ASTERISK ? "OPTIONS *, where requests are told apart" : NULL;
}

static bool check_tricks(struct http_flow *h)
{
	/* Whether requests are told apart is known before the question, or by its answer. */
	bool known = h->admitted || (!h->proxy && !h->covered);
	const char *what = trick();
	if (what == NULL || !known || request.form == HTTP1_AUTHORITY || http_ask_is_free(h, &request))
		return true;
	http_flow_refuse_own(h, 403, "denied", what);
	return false;
}

static bool is_allowed_here(struct http_flow *h)
{
	return (h->proxy ? check_proxy(h) : check_host(h)) && check_tricks(h);
}

/* ---- heads --------------------------------------------------------------------------------------------------------- */

static void begin_exchange(struct http_flow *h)
{
	const struct http1_framing *framing = &request.head.framing;
	h->client.passed = framing->kind;
	http1_body_start(&h->client.body, framing);
	h->state = h->client.body.done ? HTTP_SENT : HTTP_IN_BODY;
	h->answering = HTTP_AT_STATUS;
	h->upstream.find = (struct http1_find){.seen = 0};
	h->informal = 0;
	h->requests++;
	h->admitted = false;
	h->client.find = (struct http1_find){.seen = 0};
	h->head_len = 0;
}

static bool pass_head(struct http_flow *h)
{
	const struct http1_field login = {STR("Proxy-Authorization"), str_from(h->login)};
	const struct http1_print how = {
		.absolute = h->by_upstream_proxy,
		.keep_websocket = true,
		.add = &login,
		.add_count = h->login != NULL ? 1 : 0,
	};
	struct berm_err err;
	enum berm_code code = http1_print_request(&request, &how, http_side_gather(), &err);
	if (code != BERM_OK) {
		refuse_head(h, code, &err, (struct str){"", 0});
		return false;
	}
	begin_exchange(h);
	return true;
}

static bool find_head(struct http_flow *h, struct str bytes)
{
	struct berm_err err;
	if (h->head_len > 0)
		return true;
	enum berm_code code = http1_find_head(&h->client.find, bytes, &h->head_len, &err);
	if (code != BERM_OK)
		refuse_head(h, code, &err, bytes);
	return code == BERM_OK && h->head_len > 0;
}

static size_t take_head(struct http_flow *h, struct span bytes)
{
	struct str text = {(const char *)bytes.ptr, bytes.len};
	struct berm_err err;
	h->asked = (struct http1_asked){.head = str_starts(text, STR("HEAD "))};
	if (!find_head(h, text))
		return 0;
	struct str head = {text.ptr, h->head_len};
	enum berm_code code = http1_read_request(head, &request, &err);
	if (code != BERM_OK) {
		refuse_head(h, code, &err, head);
		return 0;
	}
	h->asked.websocket = request.head.upgrade == HTTP1_UPGRADE_WEBSOCKET;
	h->minor = request.head.minor;
	h->close = request.head.close || h->flow.egress->stopping;
	if (!is_allowed_here(h))
		return 0;
	if (!http_ask_may_pass(h, &request)) {
		http_ask_start(h, &request);
		return 0;
	}
	return pass_head(h) ? head.len : 0;
}

/* ---- bodies -------------------------------------------------------------------------------------------------------- */

static size_t take_body(struct http_flow *h, struct span bytes)
{
	struct http1_piece piece;
	struct berm_err err;
	if (http1_body_step(&h->client.body, bytes, &piece, &err) != BERM_OK) {
		http_flow_refuse_own(h, 400, "bad_request", err.msg);
		return 0;
	}
	http_flow_pass(h, &h->client, &h->upstream, piece.data);
	if (!piece.done)
		return piece.used;
	if (h->client.passed == HTTP1_BODY_CHUNKED)
		buf_puts(http_side_gather(), "0\r\n\r\n");
	if (h->answering == HTTP_ANSWERED)
		http_upstream_finish(h);
	else
		h->state = HTTP_SENT;
	return piece.used;
}

static size_t take_some(struct http_flow *h, struct span bytes)
{
	if (h->state == HTTP_AT_HEAD)
		return take_head(h, bytes);
	return h->state == HTTP_IN_BODY ? take_body(h, bytes) : 0;
}

void http_client_take(struct http_flow *h, struct span bytes)
{
	size_t used = 0;
	h->again = false;
	while (!h->over && !h->again && used < bytes.len) {
		size_t step = take_some(h, (struct span){bytes.ptr + used, bytes.len - used});
		if (step == 0)
			break;
		used += step;
	}
	http_flow_flush(h, &h->upstream);
	if (h->state == HTTP_LEAVING)
		buf_done(&h->client.in);
	else if (!http_side_keep(&h->client, (struct span){bytes.ptr + used, bytes.len - used}))
		http_flow_reset(h);
}
