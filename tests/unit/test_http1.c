#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "format/http1.h"

static struct http1_request request;
static struct http1_response response;

static enum berm_code read_request(const char *head)
{
	struct berm_err err = {.code = BERM_OK};
	enum berm_code code = http1_read_request(str_from(head), &request, &err);
	assert_true(code == BERM_OK || err.msg[0] != '\0');
	return code;
}

static enum berm_code read_response(const char *head, struct http1_asked asked)
{
	return http1_read_response(str_from(head), &asked, &response, NULL);
}

#define HOST "Host: a.example\r\n"

/* ---- where a head ends ------------------------------------------------------------------------------------------- */

static void test_a_head_is_found_piece_by_piece(void **state)
{
	(void)state;
	static const char text[] = "GET / HTTP/1.1\r\n" HOST "\r\nbody";
	size_t whole = sizeof text - 1 - 4, len = 0;
	struct http1_find find = {.seen = 0};
	for (size_t i = 0; i < whole; i++) {
		assert_int_equal(http1_find_head(&find, (struct str){text, i}, &len, NULL), BERM_OK);
		assert_int_equal(len, 0);
	}
	assert_int_equal(http1_find_head(&find, (struct str){text, whole + 4}, &len, NULL), BERM_OK);
	assert_int_equal(len, whole);
}

static void test_what_is_no_head_is_refused_at_once(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"\r\nGET",	" GET",		"\tGET",    "\n",
		"\r",		"GET /\n",	"GET /\rX", "GET / HTTP/1.1\r\nA: b\n",
		"A\x01",	"A\x7f",	"A\r\n b",  "A\r\n\tb",
		"A\r\nB\r\n c", "\x16\x03\x01", "A\r\n\n",  "A\r\n\r\r",
		"A\x1b[0m",	"A\x80\x0b",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct http1_find find = {.seen = 0};
		size_t len = 7;
		assert_int_equal(http1_find_head(&find, str_from(texts[i]), &len, NULL), BERM_ERR_PARSE);
		assert_int_equal(len, 7);
	}
	struct http1_find find = {.seen = 0};
	size_t len = 0;
	assert_int_equal(http1_find_head(&find, (struct str){"A\0", 2}, &len, NULL), BERM_ERR_PARSE);
}

static void test_a_head_has_a_maximum(void **state)
{
	(void)state;
	static char text[HTTP1_HEAD_MAX + 1];
	struct http1_find find = {.seen = 0};
	size_t len = 0;
	memset(text, 'a', sizeof text);
	memcpy(text + HTTP1_HEAD_MAX - 4, "\r\n\r\n", 4);
	assert_int_equal(http1_find_head(&find, (struct str){text, HTTP1_HEAD_MAX}, &len, NULL), BERM_OK);
	assert_int_equal(len, HTTP1_HEAD_MAX);
	memset(text, 'a', sizeof text);
	find = (struct http1_find){.seen = 0};
	assert_int_equal(http1_find_head(&find, (struct str){text, HTTP1_HEAD_MAX - 1}, &len, NULL), BERM_OK);
	assert_int_equal(http1_find_head(&find, (struct str){text, sizeof text}, &len, NULL), BERM_ERR_LIMIT);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static void test_a_request(void **state)
{
	(void)state;
	assert_int_equal(read_request("POST //a/%7eb?c HTTP/1.1\r\nHost: A.Example:8080\r\nX:  y z \t\r\nEmpty:\r\n"
				      "content-length: 10\r\nExpect: 100-Continue\r\n\r\n"),
			 BERM_OK);
	assert_true(str_eq(request.method, STR("POST")));
	assert_true(str_eq(request.raw_target, STR("//a/%7eb?c")));
	assert_string_equal(request.url.target.text, "/a/~b?c");
	assert_string_equal(request.url.authority.host.name, "a.example");
	assert_int_equal(url_port(&request.url), 8080);
	assert_int_equal(request.form, HTTP1_ORIGIN);
	assert_int_equal(request.head.minor, 1);
	assert_int_equal(request.head.framing.kind, HTTP1_BODY_LENGTH);
	assert_int_equal(request.head.framing.length, 10);
	assert_int_equal(request.head.field_count, 5);
	assert_true(str_eq(http1_find_field(&request.head, STR("x"))->value, STR("y z")));
	assert_int_equal(http1_find_field(&request.head, STR("empty"))->value.len, 0);
	assert_null(http1_find_field(&request.head, STR("xx")));
	assert_true(request.expect_continue && request.has_host);
	assert_false(request.head.close || request.overrides);
}

static void test_forms_of_a_target(void **state)
{
	(void)state;
	assert_int_equal(read_request("GET http://A.example/b HTTP/1.1\r\n" HOST "\r\n"), BERM_OK);
	assert_int_equal(request.form, HTTP1_ABSOLUTE);
	assert_string_equal(request.url.authority.host.name, "a.example");
	assert_int_equal(read_request("GET https://a.example HTTP/1.1\r\nHost: a.example:443\r\n\r\n"), BERM_OK);
	assert_int_equal(request.url.scheme, URL_HTTPS);
	assert_int_equal(read_request("GET http://a.example/ HTTP/1.0\r\n\r\n"), BERM_OK);
	assert_true(request.has_host);
	assert_int_equal(read_request("CONNECT a.example:443 HTTP/1.1\r\n" HOST "\r\n"), BERM_OK);
	assert_int_equal(request.form, HTTP1_AUTHORITY);
	assert_int_equal(url_port(&request.url), 443);
	assert_int_equal(read_request("CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nContent-Length: 0\r\n\r\n"),
			 BERM_OK);
	assert_int_equal(request.head.framing.kind, HTTP1_BODY_NONE);
	assert_int_equal(read_request("CONNECT a.example:443 HTTP/1.0\r\n\r\n"), BERM_OK);
	assert_int_equal(read_request("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), BERM_OK);
	assert_int_equal(request.form, HTTP1_ASTERISK);
	assert_string_equal(request.url.target.text, "*");
}

static void test_bad_request_lines(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"GET /",
		"GET",
		"GET  / HTTP/1.1",
		"GET /  HTTP/1.1",
		"GET / HTTP/1.1 ",
		"GET\t/ HTTP/1.1",
		"GET / a HTTP/1.1",
		"get / HTTP/1.1",
		"GeT / HTTP/1.1",
		"G(T / HTTP/1.1",
		"GET1 / HTTP/1.1",
		"ABCDEFGHIJKLMNOPQRSTUVWXY / HTTP/1.1",
		"GET / http/1.1",
		"GET / HTTP/1.11",
		"GET / HTTP/1",
		"GET / HTTP/1,1",
		"GET / HTTPS/1.1",
		"GET / ICE/1.0",
		"GET a HTTP/1.1",
		"GET * HTTP/1.1",
		"GET ? HTTP/1.1",
		"GET /a#b HTTP/1.1",
		"GET /../a HTTP/1.1",
		"GET /a%00 HTTP/1.1",
		"GET a.example:80 HTTP/1.1",
		"GET http://u@a.example/ HTTP/1.1",
		"GET http://a.example/#b HTTP/1.1",
		"GET ftp://a.example/ HTTP/1.1",
		"CONNECT a.example HTTP/1.1",
		"CONNECT a.example:0 HTTP/1.1",
		"CONNECT http://a.example:443 HTTP/1.1",
		"CONNECT a.example:443/ HTTP/1.1",
		"CONNECT /a HTTP/1.1",
		"CONNECT * HTTP/1.1",
	};
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		char head[256];
		(void)snprintf(head, sizeof head, "%s\r\n" HOST "\r\n", lines[i]);
		assert_int_equal(read_request(head), BERM_ERR_PARSE);
	}
}

static void test_other_versions(void **state)
{
	(void)state;
	assert_int_equal(read_request("PRI * HTTP/2.0\r\n\r\n"), BERM_ERR_UNSUPPORTED);
	assert_int_equal(read_request("GET / HTTP/1.2\r\n" HOST "\r\n"), BERM_ERR_UNSUPPORTED);
	assert_int_equal(read_request("GET / HTTP/0.9\r\n" HOST "\r\n"), BERM_ERR_UNSUPPORTED);
}

/* Fields behind a good request line, with its Host. */
static enum berm_code read_with(const char *fields)
{
	static char head[512]; /* the request borrows from it */
	(void)snprintf(head, sizeof head, "GET / HTTP/1.1\r\n" HOST "%s\r\n", fields);
	return read_request(head);
}

static void test_bad_fields(void **state)
{
	(void)state;
	static const char *const fields[] = {
		"A : b\r\n",
		"A\t: b\r\n",
		" A: b\r\n",
		"A: b\r\n c\r\n",
		": b\r\n",
		"A\r\n",
		"A b: c\r\n",
		"A(: b\r\n",
		"\xc3\xa4: b\r\n",
		"A: b\nC: d\r\n",
		"A: b\rC: d\r\n",
		"A: \x01\r\n",
		"Content_Length: 5\r\n",
		"transfer_encoding: chunked\r\n",
		"Content-Length: 5\r\nContent-Length: 5\r\n",
		"Content-Length: 5\r\nContent-Length: 6\r\n",
		"Content-Length: 5, 5\r\n",
		"Content-Length:\t5\r\n",
		"Content-Length: 5 \t\r\n",
		"Content-Length:\r\n",
		"Content-Length: +5\r\n",
		"Content-Length: -5\r\n",
		"Content-Length: 0x5\r\n",
		"Content-Length: 5 5\r\n",
		"Content-Length: 5.0\r\n",
		"Content-Length: 9223372036854775808\r\n",
		"Content-Length: 99999999999999999999999\r\n",
		"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
		"Transfer-Encoding : chunked\r\n",
		"Transfer-Encoding: chunked\t\r\n",
		"Host: a.example\r\n",
		"host: b.example\r\n",
		"Connection: close, host\r\n",
		"Connection: Content-Length\r\nContent-Length: 5\r\n",
		"Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n",
		"Connection: a b\r\n",
		"Connection: \"close\"\r\n",
	};
	assert_int_equal(read_with("A: b\r\n"), BERM_OK);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		assert_int_equal(read_with(fields[i]), BERM_ERR_PARSE);
}

static void test_codings(void **state)
{
	(void)state;
	static const char *const values[] = {"gzip, chunked",	 "chunked, gzip", "identity",	 "xchunked",
					     "chunked, chunked", "chunked;q=1",	  "\"chunked\"", "",
					     ",chunked",	 "\x0b"};
	assert_int_equal(read_with("Transfer-Encoding: Chunked\r\n"), BERM_OK);
	assert_int_equal(request.head.framing.kind, HTTP1_BODY_CHUNKED);
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		char field[128];
		(void)snprintf(field, sizeof field, "Transfer-Encoding: %s\r\n", values[i]);
		assert_int_not_equal(read_with(field), BERM_OK);
	}
	assert_int_equal(read_request("POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"), BERM_ERR_PARSE);
}

static void test_lengths(void **state)
{
	(void)state;
	assert_int_equal(read_with(""), BERM_OK);
	assert_int_equal(request.head.framing.kind, HTTP1_BODY_NONE);
	assert_int_equal(read_with("Content-Length: 9223372036854775807\r\n"), BERM_OK);
	assert_true(request.head.framing.length == INT64_MAX);
	assert_int_equal(read_with("Content-Length: 0\r\n"), BERM_OK);
	assert_int_equal(request.head.framing.kind, HTTP1_BODY_LENGTH);
}

static void test_hosts(void **state)
{
	(void)state;
	static const char *const heads[] = {
		"GET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost:\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: u@a.example\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a.example/b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a.example, b.example\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: http://a.example\r\n\r\n",
		"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n",
		"GET http://a.example/ HTTP/1.1\r\n\r\n",
		"GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n",
		"GET http://a.example/ HTTP/1.1\r\nHost: a.example:81\r\n\r\n",
		"GET http://a.example:81/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
		"CONNECT a.example:443 HTTP/1.1\r\nHost: b.example:443\r\n\r\n",
		"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:444\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		assert_int_equal(read_request(heads[i]), BERM_ERR_PARSE);
	assert_int_equal(read_request("GET http://a.example:80/ HTTP/1.1\r\n" HOST "\r\n"), BERM_OK);
	assert_int_equal(read_request("GET / HTTP/1.0\r\n\r\n"), BERM_OK);
	assert_false(request.has_host);
	assert_int_equal(request.url.authority.host.kind, HOST_NONE);
	assert_true(request.head.close);
}

static void test_connect_has_no_body(void **state)
{
	(void)state;
	assert_int_equal(read_request("CONNECT a.example:443 HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n"),
			 BERM_ERR_PARSE);
	assert_int_equal(read_request("CONNECT a.example:443 HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"),
			 BERM_ERR_PARSE);
}

static void test_upgrades(void **state)
{
	(void)state;
	static const struct {
		const char *fields;
		enum http1_upgrade upgrade;
	} rows[] = {
		{"Connection: Upgrade\r\nUpgrade: WebSocket\r\n", HTTP1_UPGRADE_WEBSOCKET},
		{"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n", HTTP1_UPGRADE_WEBSOCKET},
		{"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n", HTTP1_UPGRADE_OTHER},
		{"Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n", HTTP1_UPGRADE_OTHER},
		{"Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n", HTTP1_UPGRADE_OTHER},
		{"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\n", HTTP1_UPGRADE_OTHER},
		{"Upgrade: websocket\r\n", HTTP1_UPGRADE_NONE},
		{"Connection: Upgrade\r\n", HTTP1_UPGRADE_NONE},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(read_with(rows[i].fields), BERM_OK);
		assert_int_equal(request.head.upgrade, rows[i].upgrade);
	}
	assert_int_equal(read_request("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"), BERM_OK);
	assert_int_equal(request.head.upgrade, HTTP1_UPGRADE_NONE);
}

static void test_connections_and_overrides(void **state)
{
	(void)state;
	assert_int_equal(read_with("Connection: keep-alive\r\nConnection: , CLOSE\r\n"), BERM_OK);
	assert_true(request.head.close);
	assert_int_equal(read_with("Connection: keep-alive\r\n"), BERM_OK);
	assert_false(request.head.close);
	assert_int_equal(read_with("x-http-method-override: DELETE\r\n"), BERM_OK);
	assert_true(request.overrides);
	assert_int_equal(read_with("X-Rewrite-Url: /a\r\n"), BERM_OK);
	assert_true(request.overrides);
	assert_int_equal(read_with("Connection: x-a\r\nX-A: b\r\nX-B: c\r\nProxy-Authorization: d\r\n"), BERM_OK);
	for (size_t i = 0; i < request.head.field_count; i++) {
		const struct http1_field *field = &request.head.fields[i];
		bool stays = str_eq(field->name, STR("Host")) || str_eq(field->name, STR("X-B"));
		assert_int_equal(http1_is_hop_field(&request.head, field), !stays);
	}
}

static void test_fields_have_a_maximum(void **state)
{
	(void)state;
	static char head[8192];
	for (size_t extra = 0; extra < 2; extra++) {
		size_t len = (size_t)snprintf(head, sizeof head, "GET / HTTP/1.1\r\n" HOST);
		for (size_t i = 1; i < HTTP1_FIELDS_MAX + extra; i++)
			len += (size_t)snprintf(head + len, sizeof head - len, "A: b\r\n");
		(void)snprintf(head + len, sizeof head - len, "\r\n");
		assert_int_equal(read_request(head), extra == 0 ? BERM_OK : BERM_ERR_LIMIT);
	}
}

static void test_heads_are_whole_and_alone(void **state)
{
	(void)state;
	assert_int_equal(read_request(""), BERM_ERR_PARSE);
	assert_int_equal(read_request("GET / HTTP/1.1\r\n" HOST), BERM_ERR_PARSE);
	assert_int_equal(read_request("GET / HTTP/1.1\r\n" HOST "\r\nGET"), BERM_ERR_PARSE);
}

static void test_statuses(void **state)
{
	(void)state;
	assert_int_equal(http1_status_of(BERM_ERR_PARSE), 400);
	assert_int_equal(http1_status_of(BERM_ERR_LIMIT), 431);
	assert_int_equal(http1_status_of(BERM_ERR_UNSUPPORTED), 501);
	assert_int_equal(http1_status_of(BERM_ERR_NOMEM), 500);
}

/* ---- responses --------------------------------------------------------------------------------------------------- */

static void test_framing_of_responses(void **state)
{
	(void)state;
	static const struct {
		const char *head;
		struct http1_asked asked;
		enum http1_body_kind kind;
		uint64_t length;
		bool close;
	} rows[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", {.head = false}, HTTP1_BODY_LENGTH, 3, false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", {.head = true}, HTTP1_BODY_NONE, 3, false},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		 {.head = false},
		 HTTP1_BODY_CHUNKED,
		 0,
		 false},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", {.head = true}, HTTP1_BODY_NONE, 0, false},
		{"HTTP/1.1 200\r\n\r\n", {.head = false}, HTTP1_BODY_CLOSE, 0, true},
		{"HTTP/1.1 200 \r\nConnection: close\r\nContent-Length: 3\r\n\r\n",
		 {.head = false},
		 HTTP1_BODY_LENGTH,
		 3,
		 true},
		{"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", {.head = false}, HTTP1_BODY_LENGTH, 3, true},
		{"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", {.head = false}, HTTP1_BODY_NONE, 0, false},
		{"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", {.head = false}, HTTP1_BODY_NONE, 3, false},
		{"HTTP/1.1 100 Continue\r\n\r\n", {.head = false}, HTTP1_BODY_NONE, 0, false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", {.connect = true}, HTTP1_BODY_TUNNEL, 0, true},
		{"HTTP/1.1 407 No\r\nContent-Length: 3\r\n\r\n", {.connect = true}, HTTP1_BODY_LENGTH, 3, false},
		{"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		 {.websocket = true},
		 HTTP1_BODY_TUNNEL,
		 0,
		 false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(read_response(rows[i].head, rows[i].asked), BERM_OK);
		assert_int_equal(response.head.framing.kind, rows[i].kind);
		assert_int_equal(response.head.framing.length, rows[i].length);
		assert_int_equal(response.head.close, rows[i].close);
	}
	assert_int_equal(read_response("HTTP/1.1 404 Not there\r\nA: b\r\n\r\n", (struct http1_asked){.head = false}),
			 BERM_OK);
	assert_int_equal(response.status, 404);
	assert_true(str_eq(response.reason, STR("Not there")));
}

static void test_bad_responses(void **state)
{
	(void)state;
	static const char *const heads[] = {
		"HTTP/1.1\r\n\r\n",
		"HTTP/1.1 20\r\n\r\n",
		"HTTP/1.1 2000 OK\r\n\r\n",
		"HTTP/1.1 099 OK\r\n\r\n",
		"HTTP/1.1 600 OK\r\n\r\n",
		"HTTP/1.1 2x0 OK\r\n\r\n",
		"HTTP/1.1  200 OK\r\n\r\n",
		"HTTP/2 200 OK\r\n\r\n",
		"ICY 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 204 OK\r\nContent-Length: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
		"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		assert_int_equal(read_response(heads[i], (struct http1_asked){.head = false}), BERM_ERR_PARSE);
	assert_int_equal(read_response("HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
				       (struct http1_asked){.websocket = true}),
			 BERM_ERR_PARSE);
	assert_int_equal(read_response("HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\n\r\n",
				       (struct http1_asked){.websocket = true}),
			 BERM_ERR_PARSE);
	assert_int_equal(read_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
				       (struct http1_asked){.head = false}),
			 BERM_ERR_UNSUPPORTED);
	assert_int_equal(read_response("HTTP/2.0 200 OK\r\n\r\n", (struct http1_asked){.head = false}),
			 BERM_ERR_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_head_is_found_piece_by_piece),
		cmocka_unit_test(test_what_is_no_head_is_refused_at_once),
		cmocka_unit_test(test_a_head_has_a_maximum),
		cmocka_unit_test(test_a_request),
		cmocka_unit_test(test_forms_of_a_target),
		cmocka_unit_test(test_bad_request_lines),
		cmocka_unit_test(test_other_versions),
		cmocka_unit_test(test_bad_fields),
		cmocka_unit_test(test_codings),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_connect_has_no_body),
		cmocka_unit_test(test_upgrades),
		cmocka_unit_test(test_connections_and_overrides),
		cmocka_unit_test(test_fields_have_a_maximum),
		cmocka_unit_test(test_heads_are_whole_and_alone),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_framing_of_responses),
		cmocka_unit_test(test_bad_responses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
