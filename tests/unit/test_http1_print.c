#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "format/http1.h"

static struct http1_request request;
static struct http1_response response;

static void prints_request(const char *head, struct http1_print how, const char *expected)
{
	auto_buf struct buf out = {0};
	buf_init(&out, 4096);
	assert_int_equal(http1_read_request(str_from(head), &request, NULL), BERM_OK);
	assert_int_equal(http1_print_request(&request, &how, &out, NULL), BERM_OK);
	assert_string_equal(out.data, expected);
	assert_int_equal(http1_read_request(buf_str(&out), &request, NULL), BERM_OK);
}

static void prints_response(const char *head, struct http1_asked asked, uint8_t client_minor, const char *expected)
{
	auto_buf struct buf out = {0};
	const struct http1_print how = {.close = false};
	buf_init(&out, 4096);
	assert_int_equal(http1_read_response(str_from(head), &asked, &response, NULL), BERM_OK);
	assert_int_equal(http1_print_response(&response, client_minor, &how, &out, NULL), BERM_OK);
	assert_string_equal(out.data, expected);
	assert_int_equal(http1_read_response(buf_str(&out), &asked, &response, NULL), BERM_OK);
}

static void test_a_request_is_written_anew(void **state)
{
	(void)state;
	prints_request(
		"GET http://A.Example:80//b/../c%7e?d%2f HTTP/1.1\r\nAccept: x\r\nHost: a.example\r\n"
		"Connection: keep-alive, X-Own\r\nX-Own: y\r\nProxy-Connection: z\r\nKeep-Alive: 1\r\nTE: trailers\r\n"
		"Trailer: q\r\nUpgrade: h2c\r\nProxy-Authorization: w\r\nHTTP2-Settings: v\r\nCookie: u\r\n\r\n",
		(struct http1_print){.close = false},
		"GET /c~?d%2F HTTP/1.1\r\nHost: a.example\r\nAccept: x\r\nCookie: u\r\n\r\n");
	prints_request("POST / HTTP/1.1\r\nHost: a.example:8080\r\ncontent-length: 007\r\n\r\n",
		       (struct http1_print){.close = true},
		       "POST / HTTP/1.1\r\nHost: a.example:8080\r\nContent-Length: 7\r\nConnection: close\r\n\r\n");
	prints_request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:chunked\r\n\r\n",
		       (struct http1_print){.close = false},
		       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
	prints_request("POST / HTTP/1.1\r\nHost: [::1]:81\r\nContent-Length: 0\r\n\r\n",
		       (struct http1_print){.close = false},
		       "POST / HTTP/1.1\r\nHost: [::1]:81\r\nContent-Length: 0\r\n\r\n");
}

static void test_a_request_for_another_proxy(void **state)
{
	(void)state;
	prints_request("GET /b HTTP/1.1\r\nHost: a.example:8080\r\n\r\n", (struct http1_print){.absolute = true},
		       "GET http://a.example:8080/b HTTP/1.1\r\nHost: a.example:8080\r\n\r\n");
	prints_request("OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n", (struct http1_print){.absolute = true},
		       "OPTIONS http://a.example HTTP/1.1\r\nHost: a.example\r\n\r\n");
	prints_request("OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n", (struct http1_print){.absolute = false},
		       "OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n");
}

static void test_a_websocket(void **state)
{
	(void)state;
	static const char head[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
				   "Sec-WebSocket-Key: k\r\n\r\n";
	prints_request(head, (struct http1_print){.keep_websocket = true, .close = true},
		       "GET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: k\r\nConnection: upgrade\r\n"
		       "Upgrade: websocket\r\n\r\n");
	prints_request(head, (struct http1_print){.keep_websocket = false},
		       "GET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: k\r\n\r\n");
	prints_request("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
		       (struct http1_print){.keep_websocket = true}, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

static void test_added_fields(void **state)
{
	(void)state;
	const struct http1_field add[] = {{STR("Authorization"), STR("Bearer x")}};
	prints_request("GET / HTTP/1.1\r\nHost: a\r\nauthorization: y\r\nB: c\r\n\r\n",
		       (struct http1_print){.add = add, .add_count = 1},
		       "GET / HTTP/1.1\r\nHost: a\r\nB: c\r\nAuthorization: Bearer x\r\n\r\n");
}

static void test_fields_that_cannot_be_added(void **state)
{
	(void)state;
	const struct http1_field fields[] = {
		{STR("Host"), STR("b")},
		{STR("content-length"), STR("1")},
		{STR("Transfer-Encoding"), STR("chunked")},
		{STR("Connection"), STR("a")},
		{STR("a b"), STR("c")},
		{STR(""), STR("c")},
		{STR("A"), STR("b\r\nHost: c")},
		{STR("A"), STR("b\nc")},
		{STR("A"), STR("b\0c")},
	};
	auto_buf struct buf out = {0};
	buf_init(&out, 4096);
	assert_int_equal(http1_read_request(STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), &request, NULL), BERM_OK);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const struct http1_print how = {.add = &fields[i], .add_count = 1};
		assert_int_equal(http1_print_request(&request, &how, &out, NULL), BERM_ERR_INVALID);
	}
	assert_int_equal(out.len, 0);
}

static void test_what_cannot_be_forwarded(void **state)
{
	(void)state;
	const struct http1_print how = {.close = false};
	auto_buf struct buf out = {0};
	buf_init(&out, 4096);
	assert_int_equal(http1_read_request(STR("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"), &request, NULL), BERM_OK);
	assert_int_equal(http1_print_request(&request, &how, &out, NULL), BERM_ERR_INVALID);
	assert_int_equal(http1_read_request(STR("GET / HTTP/1.0\r\n\r\n"), &request, NULL), BERM_OK);
	assert_int_equal(http1_print_request(&request, &how, &out, NULL), BERM_ERR_INVALID);
	assert_int_equal(url_authority_parse(STR("b"), &request.url.authority, NULL), BERM_OK);
	assert_int_equal(http1_print_request(&request, &how, &out, NULL), BERM_OK);
	assert_string_equal(out.data, "GET / HTTP/1.1\r\nHost: b\r\n\r\n");
	auto_buf struct buf small = {0};
	buf_init(&small, 8);
	assert_int_equal(http1_print_request(&request, &how, &small, NULL), BERM_ERR_LIMIT);
}

static void test_responses(void **state)
{
	(void)state;
	const struct http1_asked plain = {.head = false}, head = {.head = true}, websocket = {.websocket = true};
	prints_response(
		"HTTP/1.1 200 OK\r\nConnection: x\r\nX: y\r\nKeep-Alive: 5\r\nContent-Length: 3\r\nZ: \xe4\r\n\r\n",
		plain, 1, "HTTP/1.1 200 OK\r\nZ: \xe4\r\nContent-Length: 3\r\n\r\n");
	prints_response("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n", plain, 1,
			"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n");
	prints_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", plain, 0,
			"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	prints_response("HTTP/1.0 200 OK\r\nServer: s\r\n\r\n", plain, 1,
			"HTTP/1.1 200 OK\r\nServer: s\r\nConnection: close\r\n\r\n");
	prints_response("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", head, 1,
			"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
	prints_response("HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n", plain, 1, "HTTP/1.1 204 No\r\n\r\n");
	prints_response("HTTP/1.1 103 Hints\r\nLink: l\r\n\r\n", plain, 1, "HTTP/1.1 103 Hints\r\nLink: l\r\n\r\n");
	prints_response("HTTP/1.1 101 Yes\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", websocket, 1,
			"HTTP/1.1 101 Yes\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_request_is_written_anew),
		cmocka_unit_test(test_a_request_for_another_proxy),
		cmocka_unit_test(test_a_websocket),
		cmocka_unit_test(test_added_fields),
		cmocka_unit_test(test_fields_that_cannot_be_added),
		cmocka_unit_test(test_what_cannot_be_forwarded),
		cmocka_unit_test(test_responses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
