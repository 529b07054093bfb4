#include "check.h"

#include <stdio.h>

#include "unit/http_checks.h"

static void test_one_connection_serves_many_requests(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, false);
	exchange(GET, GET, OK_2, OK_2);
	exchange(GET, GET, OK_2, OK_2);
	assert_int_equal(rig.asked, 1); /* for the connection, and no more */
	assert_int_equal(rig.question.kind, DOOR_HTTP);
	assert_string_equal(rig.question.host, "example.org");
	assert_int_equal(rig.question.port, 80);
	rig_close(&rig.client);
	rig_turn();
	assert_int_equal(rig.over, 1);
	assert_int_equal(rig.closed, 1);
	assert_int_equal(rig.sent, 2 * (sizeof(GET) - 1));
	assert_int_equal(rig.received, 2 * (sizeof(OK_2) - 1));
}

static void test_a_refusal_of_head_has_no_body(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, false);
	rig.outcome = REACH_DENIED;
	rig_say(rig.client, STR(REQUEST("HEAD", "")));
	rig_turn();
	struct str heard = rig_hear(rig.client, &end);
	assert_true(str_starts(heard, STR("HTTP/1.1 403 Forbidden\r\n")));
	assert_true(str_ends(heard, STR("\r\n\r\n")));
	assert_int_equal(end, 1);
}

static void test_a_connection_that_is_there_is_used(void **state)
{
	(void)state;
	auto_rig int end = 0;
	int pair[2], client[2];
	assert_true(rig_begin());
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, client), 0);
	struct flow_start flow = {
		.egress = &rig.egress, .client = client[1], .port = 80, .connection = 7, .first = STR(GET)};
	rig.client = client[0];
	rig.upstream = pair[0];
	flow.upstream = pair[1];
	assert_true(host_read(STR("example.org"), false, &flow.host, NULL));
	http_flow_start(&flow);
	rig_turn();
	expect(rig.upstream, GET, 0);
	assert_int_equal(rig.asked, 0);
}

/* Both sides are slower than the other: everything arrives, and little is kept meanwhile. */
static void test_large_bodies_pass_slow_readers(void **state)
{
	(void)state;
	enum { SIZE = 4 << 20 };
	auto_rig int end = 0;
	auto_free char *body = malloc(SIZE);
	assert_non_null(body);
	for (size_t i = 0; i < SIZE; i++)
		body[i] = (char)('a' + i * 7 % 26 + i / 4096 % 3);
	begin(false, false);
	rig_say(rig.client, STR(GET));
	rig_turn();
	expect(rig.upstream, GET, 0);
	rig_say(rig.upstream, STR(RESPONSE(CHUNKED)));
	size_t said = 0, heard_len = 0, stuck = 0;
	auto_buf struct buf heard;
	buf_init(&heard, 8 << 20);
	while (said < SIZE || stuck < 4) {
		char head[32];
		(void)snprintf(head, sizeof(head), "%x\r\n", (unsigned)SIZE);
		if (said == 0)
			rig_say(rig.upstream, str_from(head));
		ssize_t n = said < SIZE ? send(rig.upstream, body + said, SIZE - said, MSG_DONTWAIT) : 0;
		said += n > 0 ? (size_t)n : 0;
		rig_turn();
		struct str some = rig_hear(rig.client, &end);
		stuck = some.len == 0 ? stuck + 1 : 0;
		assert_true(stuck < 8);
		buf_put_str(&heard, some);
	}
	rig_say(rig.upstream, STR("\r\n0\r\n\r\n"));
	rig_turn();
	buf_put_str(&heard, rig_hear(rig.client, &end));
	assert_false(heard.failed);
	assert_int_equal(end, 0);
	struct str rest = buf_str(&heard);
	assert_true(str_starts(rest, STR(RESPONSE(CHUNKED))));
	rest = str_skip(rest, sizeof(RESPONSE(CHUNKED)) - 1);
	while (heard_len < SIZE) {
		char *behind = NULL;
		size_t len = strtoul(rest.ptr, &behind, 16);
		assert_true(len > 0 && len <= SIZE - heard_len);
		assert_memory_equal(behind + 2, body + heard_len, len);
		heard_len += len;
		rest = str_skip(rest, (size_t)(behind - rest.ptr) + 2 + len + 2);
	}
	assert_true(str_eq(rest, STR("0\r\n\r\n")));
}

static void test_a_client_that_goes_while_asked_is_over(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, false);
	rig.held = true;
	rig_say(rig.client, STR(GET));
	rig_turn();
	assert_non_null(rig.waiting);
	rig_close(&rig.client);
	rig_turn();
	assert_null(rig.waiting);
	assert_int_equal(rig.over, 1);
}

static void test_slow_heads_end(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, false);
	rig.egress.limits.first_ms = 1;
	rig.egress.limits.linger_ms = 1;
	rig_say(rig.client, STR("GET / HT"));
	rig_await_end();
	expect_status("HTTP/1.1 408 Request Timeout\r\n", "timeout", 1);
}

static void test_idle_connections_end(void **state)
{
	(void)state;
	auto_rig int end = 0;
	assert_true(rig_begin());
	rig.egress.limits.idle_ms = 1;
	assert_true(rig_flow(false, false, http_flow_start, STR("")));
	rig_await_end();
	expect(rig.client, "", 1);
}

static void test_a_host_that_does_not_answer(void **state)
{
	(void)state;
	auto_rig int end = 0;
	assert_true(rig_begin());
	rig.egress.limits.idle_ms = 20;
	rig.egress.limits.linger_ms = 1;
	assert_true(rig_flow(false, false, http_flow_start, STR(GET)));
	rig_await_end();
	expect_status("HTTP/1.1 504 Gateway Timeout\r\n", "upstream_timeout", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_connection_serves_many_requests),
		cmocka_unit_test(test_a_refusal_of_head_has_no_body),
		cmocka_unit_test(test_a_connection_that_is_there_is_used),
		cmocka_unit_test(test_large_bodies_pass_slow_readers),
		cmocka_unit_test(test_a_client_that_goes_while_asked_is_over),
		cmocka_unit_test(test_slow_heads_end),
		cmocka_unit_test(test_idle_connections_end),
		cmocka_unit_test(test_a_host_that_does_not_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
