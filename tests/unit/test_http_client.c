#include "check.h"

#include "unit/http_checks.h"

/* One request and its response; the answer with its end. */
static const struct {
	const char *request, *passed, *response, *answer;
	int end;
} exchanges[] = {
	/* What is sent is what was read, printed anew: one form of the path, no fields for one connection. */
	{"GET /a/./b/%7ec?q HTTP/1.1\r\nhost: EXAMPLE.org:80\r\nX-A:  b \r\nKeep-Alive: 1\r\nConnection: "
	 "x-gone\r\nX-Gone: 1\r\n\r\n",
	 "GET /a/b/~c?q HTTP/1.1\r\nHost: example.org\r\nX-A: b\r\n\r\n", OK_2, OK_2, 0},
	{"GET http://example.org/a HTTP/1.1\r\nHost: example.org\r\n\r\n",
	 "GET /a HTTP/1.1\r\nHost: example.org\r\n\r\n", OK_2, OK_2, 0},
	{"OPTIONS * HTTP/1.1\r\nHost: example.org\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: example.org\r\n\r\n", OK_2,
	 OK_2, 0},
	{REQUEST("GET", "Proxy-Authorization: Basic eA==\r\nProxy-Connection: close\r\n"), GET, OK_2, OK_2, 0},
	/* Bodies of a request. */
	{REQUEST("POST", "Content-Length: 3\r\n") "abc", REQUEST("POST", "Content-Length: 3\r\n") "abc", OK_2, OK_2, 0},
	{REQUEST("POST", CHUNKED) "3;x=y\r\nabc\r\n0\r\nX: trailer\r\n\r\n",
	 REQUEST("POST", CHUNKED) "3\r\nabc\r\n0\r\n\r\n", OK_2, OK_2, 0},
	/* Bodies of a response. */
	{GET, GET, RESPONSE(CHUNKED) "2\r\nok\r\n0\r\nX: trailer\r\n\r\n", RESPONSE(CHUNKED) "2\r\nok\r\n0\r\n\r\n", 0},
	{GET, GET, "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n", 0},
	{GET, GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
	 "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 0},
	{REQUEST("HEAD", ""), REQUEST("HEAD", ""), RESPONSE("Content-Length: 9\r\n"), RESPONSE("Content-Length: 9\r\n"),
	 0},
	{GET, GET, RESPONSE("Content-Length: 0\r\nConnection: close\r\n"), RESPONSE("Content-Length: 0\r\n"), 0},
	/* 1xx. */
	{GET, GET, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK_2,
	 "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK_2, 0},
	/* A client that wants its connection closed. */
	{REQUEST("GET", "Connection: close\r\n"), GET, OK_2,
	 RESPONSE("Content-Length: 2\r\nConnection: close\r\n") "ok", 1},
	/* Clients of 1.0 know no chunks, no 1xx, and name no host. */
	{"GET / HTTP/1.0\r\n\r\n", GET, "HTTP/1.1 100 Continue\r\n\r\n" RESPONSE(CHUNKED) "2\r\nok\r\n0\r\n\r\n",
	 RESPONSE("Connection: close\r\n") "ok", 1},
};

static void test_exchanges(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(exchanges); i++) {
		auto_rig int end = 0;
		begin(false, false);
		rig_say(rig.client, str_from(exchanges[i].request));
		rig_turn();
		expect(rig.upstream, exchanges[i].passed, 0);
		rig_say(rig.upstream, str_from(exchanges[i].response));
		rig_turn();
		expect(rig.client, exchanges[i].answer, exchanges[i].end);
		assert_int_equal(rig.resets, 0);
	}
}

/* The same, with each byte by itself. */
static void test_exchanges_byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(exchanges); i++) {
		auto_rig int end = 0;
		begin(false, false);
		for (struct str left = str_from(exchanges[i].request); left.len > 0; left = str_skip(left, 1))
			rig_say(rig.client, (struct str){left.ptr, 1});
		struct str heard = rig_hear(rig.upstream, &end);
		assert_true(str_starts(
			heard, (struct str){exchanges[i].passed, str_find(str_from(exchanges[i].passed), '\r')}));
		for (struct str left = str_from(exchanges[i].response); left.len > 0; left = str_skip(left, 1))
			rig_say(rig.upstream, (struct str){left.ptr, 1});
		heard = rig_hear(rig.client, &end);
		assert_true(str_starts(
			heard, (struct str){exchanges[i].answer, str_find(str_from(exchanges[i].answer), '\r')}));
		assert_int_equal(end, exchanges[i].end);
	}
}

/* Refused before anything is sent or asked. */
static const struct {
	const char *request, *status;
} mistakes[] = {
	{"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", "HTTP/1.1 421 Misdirected Request\r\n"},
	{"GET / HTTP/1.1\r\nHost: example.org:81\r\n\r\n", "HTTP/1.1 421 Misdirected Request\r\n"},
	{"GET http://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n", "HTTP/1.1 421 Misdirected Request\r\n"},
	{"GET http://example.com/ HTTP/1.1\r\nHost: example.org\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
	{"GET https://example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n", "HTTP/1.1 421 Misdirected Request\r\n"},
	{"CONNECT example.org:80 HTTP/1.1\r\nHost: example.org\r\n\r\n", "HTTP/1.1 405 Method Not Allowed\r\n"},
	{"CONNECT example.com:80 HTTP/1.1\r\nHost: example.com\r\n\r\n", "HTTP/1.1 421 Misdirected Request\r\n"},
	{"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
	{"GET / HTTP/1.1\r\nHost: example.org\r\nHost: example.org\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
	{"GET / HTTP/1.1\r\nHost : example.org\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
	{"GET / HTTP/1.1\nHost: example.org\n\n", "HTTP/1.1 400 Bad Request\r\n"},
	{REQUEST("POST", "Content-Length: 1\r\n" CHUNKED) "0\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
	{REQUEST("POST", "Transfer-Encoding: gzip, chunked\r\n") "0\r\n\r\n", "HTTP/1.1 501 Not Implemented\r\n"},
	{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 501 Not Implemented\r\n"},
	{"GET /\r\n", "HTTP/1.1 400 Bad Request\r\n"},
	{"get / http/1.1\r\nHost: example.org\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
	{"GET /../x HTTP/1.1\r\nHost: example.org\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
};

static void test_mistakes_are_refused_unasked(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
		auto_rig int end = 0;
		begin(false, false);
		rig_say(rig.client, str_from(mistakes[i].request));
		rig_say(rig.client, STR(GET)); /* what comes behind it is not looked at */
		rig_turn();
		expect_status(mistakes[i].status, "\"retry\":false}\n", 1);
		assert_int_equal(rig.asked, 0);
		assert_int_equal(rig.events, 1);
	}
}

static void say_long(const char *before, char byte, size_t count, const char *behind)
{
	auto_free char *text = malloc(count);
	assert_non_null(text);
	memset(text, byte, count);
	rig_say(rig.client, str_from(before));
	rig_say(rig.client, (struct str){text, count});
	rig_say(rig.client, str_from(behind));
	rig_turn();
}

static void test_long_targets_have_a_status_of_their_own(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, false);
	say_long("GET /", 'a', 8200, " HTTP/1.1\r\nHost: example.org\r\n\r\n");
	expect_status("HTTP/1.1 414 URI Too Long\r\n", "retry", 1);
}

static void test_long_heads_have_a_status_of_their_own(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, false);
	say_long("GET / HTTP/1.1\r\nHost: example.org\r\nX: ", 'a', 40000, "\r\n\r\n");
	expect_status("HTTP/1.1 431 Request Header Fields Too Large\r\n", "retry", 1);
}

static void test_pipelined_requests_are_served_in_order(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, false);
	rig_say(rig.client, STR(GET REQUEST("POST", "Content-Length: 2\r\n") "hi" GET));
	rig_turn();
	expect(rig.upstream, GET, 0);
	rig_say(rig.upstream, STR(OK_2));
	rig_turn();
	expect(rig.client, OK_2, 0);
	expect(rig.upstream, REQUEST("POST", "Content-Length: 2\r\n") "hi", 0);
	rig_say(rig.upstream, STR(OK_2));
	rig_turn();
	expect(rig.client, OK_2, 0);
	expect(rig.upstream, GET, 0);
}

static void test_expect_is_passed_on(void **state)
{
	(void)state;
	const char *head = REQUEST("POST", "Expect: 100-continue\r\nContent-Length: 2\r\n");
	auto_rig int end = 0;
	begin(false, false);
	exchange(head, head, "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n");
	exchange("hi", "hi", OK_2, OK_2);
}

static void test_a_request_that_is_cut_off_is_none(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, false);
	rig_say(rig.client, STR(REQUEST("POST", CHUNKED) "3\r\nabc\r\n"));
	rig_turn();
	expect(rig.upstream, REQUEST("POST", CHUNKED) "3\r\nabc\r\n", 0);
	assert_int_equal(shutdown(rig.client, SHUT_WR), 0);
	rig_turn();
	expect(rig.upstream, "", 1);
	assert_int_equal(rig.over, 1);
}

static void test_a_bad_chunk_is_refused(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, false);
	rig_say(rig.client, STR(REQUEST("POST", CHUNKED) "3\r\nabcd\r\n0\r\n\r\n"));
	rig_turn();
	expect_status("HTTP/1.1 400 Bad Request\r\n", "chunked", 1);
	(void)rig_hear(rig.upstream, &end);
	assert_int_equal(end, 1);
}

static void test_a_half_closed_client_gets_its_answer(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, false);
	rig_say(rig.client, STR(GET));
	assert_int_equal(shutdown(rig.client, SHUT_WR), 0);
	rig_turn();
	expect(rig.upstream, GET, 0);
	rig_say(rig.upstream, STR(OK_2));
	rig_turn();
	expect(rig.client, OK_2, 1);
}

static void test_other_upgrades_are_left_out(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, false);
	exchange(REQUEST("GET", "Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n"), GET,
		 OK_2, OK_2);
}

static const char *const no_proxy_requests[] = {
	GET,
	"OPTIONS * HTTP/1.1\r\nHost: example.org\r\n\r\n",
	"GET https://example.org/ HTTP/1.1\r\nHost: example.org\r\n\r\n",
	"CONNECT example.org HTTP/1.1\r\nHost: example.org\r\n\r\n",
	"GET / HTTP/1.0\r\n\r\n",
};

static void test_what_a_proxy_is_not_asked(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(no_proxy_requests); i++) {
		auto_rig int end = 0;
		begin(true, false);
		rig_say(rig.client, str_from(no_proxy_requests[i]));
		rig_turn();
		expect_status("HTTP/1.1 400 Bad Request\r\n", "CONNECT", 1);
		assert_int_equal(rig.asked, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exchanges),
		cmocka_unit_test(test_exchanges_byte_by_byte),
		cmocka_unit_test(test_mistakes_are_refused_unasked),
		cmocka_unit_test(test_long_targets_have_a_status_of_their_own),
		cmocka_unit_test(test_long_heads_have_a_status_of_their_own),
		cmocka_unit_test(test_pipelined_requests_are_served_in_order),
		cmocka_unit_test(test_expect_is_passed_on),
		cmocka_unit_test(test_a_request_that_is_cut_off_is_none),
		cmocka_unit_test(test_a_bad_chunk_is_refused),
		cmocka_unit_test(test_a_half_closed_client_gets_its_answer),
		cmocka_unit_test(test_other_upgrades_are_left_out),
		cmocka_unit_test(test_what_a_proxy_is_not_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
