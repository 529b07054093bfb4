/* Target: HTTP flows and clients of the proxy. The first byte chooses the kind of flow and what the monitor says; the rest
 * is a play, in lines that end with 0xff: "C..." the client sends, "U..." the server does, "H" the client sends no more, "X"
 * the server closes. Whatever both send, what the server hears is requests that it cannot read in two ways, each of them
 * for a host, and where they are told apart with a method and a target, that was asked for. */
#include <stdlib.h>

#include "format/http1.h"
#include "unit/http_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PROXY = 1, RULES = 2, DENIED = 4, TOKEN = 8, ALL = 16, UPSTREAM_PROXY = 32, RATE = 64 };

static struct http1_request request;
static struct buf heard = {.max = 1 << 22};
static struct http1_find find;
static struct http1_body body;
static bool in_body;
static unsigned connection; /* that heard is of */

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* What was judged is what is sent. */
static void check_request(uint8_t kind)
{
	struct str host = host_text(&request.url.authority.host);
	must(request.has_host && request.head.minor == 1 && request.form != HTTP1_AUTHORITY);
	must(str_eq(host, str_from(rig.question.host)));
	must(url_port(&request.url) == rig.question.port);
	must((request.form == HTTP1_ABSOLUTE) == ((kind & UPSTREAM_PROXY) != 0) || request.form == HTTP1_ASTERISK);
	if ((kind & PROXY) == 0)
		must(str_eq(host, STR("example.org")));
	if ((kind & (PROXY | RULES)) == 0 || (kind & ALL) != 0 || request.form == HTTP1_ASTERISK)
		return;
	must(str_eq(request.method, str_from(rig.question.method)));
	must(str_eq((struct str){request.url.target.text, request.url.target.len}, str_from(rig.target)));
	must((kind & PROXY) != 0 || (!request.overrides && !request.url.target.encoded_slash));
}

static size_t read_head(struct str bytes, uint8_t kind)
{
	size_t len = 0;
	must(http1_find_head(&find, bytes, &len, NULL) == BERM_OK);
	if (len == 0)
		return 0;
	must(http1_read_request((struct str){bytes.ptr, len}, &request, NULL) == BERM_OK);
	check_request(kind);
	find = (struct http1_find){.seen = 0};
	http1_body_start(&body, &request.head.framing);
	in_body = !body.done;
	return len;
}

static size_t read_body(struct str bytes)
{
	struct http1_piece piece;
	must(http1_body_step(&body, (struct span){(const uint8_t *)bytes.ptr, bytes.len}, &piece, NULL) == BERM_OK);
	in_body = !piece.done;
	return piece.used;
}

static void read_heard(uint8_t kind)
{
	struct str left = buf_str(&heard);
	size_t used = 1;
	while (left.len > 0 && used > 0) {
		used = in_body ? read_body(left) : read_head(left, kind);
		left = str_skip(left, used);
	}
	if (left.len > 0)
		memmove(heard.data, left.ptr, left.len);
	heard.len = left.len;
}

static void listen_to(uint8_t kind)
{
	int end = 0;
	if (connection != rig.dials) {
		buf_clear(&heard);
		find = (struct http1_find){.seen = 0};
		in_body = false;
		connection = rig.dials;
	}
	if (rig.upstream < 0 || rig.tunnels + rig.relays > 0)
		return;
	buf_put_str(&heard, rig_hear(rig.upstream, &end));
	read_heard(kind);
}

static void act(struct str line)
{
	struct str text = str_skip(line, 1);
	if (line.ptr[0] == 'C')
		rig_say(rig.client, text);
	else if (line.ptr[0] == 'U' && rig.upstream >= 0)
		rig_say(rig.upstream, text);
	else if (line.ptr[0] == 'H')
		(void)shutdown(rig.client, SHUT_WR);
	else if (line.ptr[0] == 'X')
		rig_close(&rig.upstream);
	rig_turn();
}

/* The client gets answers of HTTP, or those of SOCKS. */
static void hear_client(uint8_t kind, bool *first)
{
	int end = 0;
	struct str text = rig_hear(rig.client, &end);
	if (*first && text.len > 0 && (kind & PROXY) == 0)
		must(str_starts(STR("HTTP/1.1 "), text) || str_starts(text, STR("HTTP/1.1 ")));
	*first &= text.len == 0;
}

static void play(struct str script, uint8_t kind)
{
	struct str line = {"", 0};
	bool first = true;
	while (rig.over == 0 && rig.tunnels + rig.relays == 0 && str_next(&script, (char)0xff, &line)) {
		if (line.len == 0)
			continue;
		act(line);
		listen_to(kind);
		hear_client(kind, &first);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	uint8_t kind = data[0];
	must(rig_begin());
	connection = 0;
	rig.outcome = (kind & DENIED) != 0 ? REACH_DENIED : REACH_DONE;
	rig.egress.token = (kind & TOKEN) != 0 ? "secret" : NULL;
	rig.answer.all_requests = (kind & ALL) != 0;
	rig.answer.upstream_port = (kind & UPSTREAM_PROXY) != 0 ? 3128 : 0;
	rig.answer.why = (kind & RATE) != 0 ? DOOR_BY_RATE : DOOR_BY_RULE;
	must(rig_flow((kind & PROXY) != 0, (kind & RULES) != 0,
		      (kind & PROXY) != 0 ? proxy_flow_start : http_flow_start, (struct str){"", 0}));
	play((struct str){(const char *)data + 1, size - 1}, kind);
	must((kind & DENIED) == 0 || rig.dials == 0);
	rig_end(NULL);
	must(rig.over + rig.tunnels + rig.relays == 1);
	return 0;
}
