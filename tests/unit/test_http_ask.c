#include "check.h"

#include "unit/http_checks.h"

static void test_a_denied_request_is_told_why(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, false);
	rig.outcome = REACH_DENIED;
	strcpy(rig.answer.rule, "network.deny: example.org");
	strcpy(rig.answer.grant, "--allow-net example.org");
	rig_say(rig.client, STR(GET));
	rig_turn();
	expect_status("HTTP/1.1 403 Forbidden\r\n",
		      "{\"error\":\"denied\",\"rule\":\"network.deny: example.org\","
		      "\"detail\":\"example.org, port 80: the policy does not allow it\","
		      "\"grant\":\"--allow-net example.org\",\"retry\":false}\n",
		      1);
	assert_int_equal(rig.upstream, -1);
	assert_int_equal(rig.over, 0); /* it lingers until the client has read */
	rig_close(&rig.client);
	rig_turn();
	assert_int_equal(rig.over, 1);
}

static void test_each_request_is_asked_for(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, true);
	exchange(GET, GET, OK_2, OK_2);
	assert_false(rig.decide_only);
	assert_string_equal(rig.question.method, "GET");
	assert_string_equal(rig.target, "/");
	exchange("PUT /a/../b?c HTTP/1.1\r\nHost: example.org\r\nContent-Length: 1\r\n\r\nx",
		 "PUT /b?c HTTP/1.1\r\nHost: example.org\r\nContent-Length: 1\r\n\r\nx", OK_2, OK_2);
	assert_int_equal(rig.asked, 2);
	assert_true(rig.decide_only); /* the connection is there */
	assert_int_equal(rig.there.family, NET_NONE);
	assert_int_equal(rig.question.connection, 1);
	assert_string_equal(rig.question.method, "PUT");
	assert_string_equal(rig.target, "/b?c");
	rig.outcome = REACH_DENIED;
	rig_say(rig.client, STR("GET /c HTTP/1.1\r\nHost: example.org\r\n\r\n"));
	rig_turn();
	expect_status("HTTP/1.1 403 Forbidden\r\n", "\"denied\"", 1);
	expect(rig.upstream, "", 1);
}

static const char *const tricks[] = {
	REQUEST("POST", "X-HTTP-Method-Override: DELETE\r\nContent-Length: 0\r\n"),
	REQUEST("GET", "X-Original-URL: /admin\r\n"),
	"GET /a%2fb HTTP/1.1\r\nHost: example.org\r\n\r\n",
	"OPTIONS * HTTP/1.1\r\nHost: example.org\r\n\r\n",
};

static void test_tricks_are_refused_where_requests_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tricks); i++) {
		auto_rig int end = 0;
		begin(false, true);
		rig_say(rig.client, str_from(tricks[i]));
		rig_turn();
		expect_status("HTTP/1.1 403 Forbidden\r\n", "told apart", 1);
		assert_int_equal(rig.asked, 0);
		assert_int_equal(rig.events, 1);
	}
}

static void test_tricks_are_none_where_they_are_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tricks); i++) {
		auto_rig int end = 0;
		begin(false, false);
		rig_say(rig.client, str_from(tricks[i]));
		rig_turn();
		struct str heard = rig_hear(rig.upstream, &end);
		assert_true(heard.len > 0);
	}
}

static void test_a_new_generation_is_asked(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, false);
	exchange(GET, GET, OK_2, OK_2);
	rig.egress.generation = 2;
	exchange(GET, GET, OK_2, OK_2);
	exchange(GET, GET, OK_2, OK_2);
	assert_int_equal(rig.asked, 3); /* this one tells requests apart */
	assert_true(rig.decide_only);
	rig.answer.all_requests = 1;
	exchange(GET, GET, OK_2, OK_2);
	exchange(GET, GET, OK_2, OK_2);
	assert_int_equal(rig.asked, 4);
}

static const struct {
	enum reach_outcome outcome;
	const char *status, *part;
} failures[] = {
	{REACH_NO_NAME, "HTTP/1.1 502 Bad Gateway\r\n",
	 "\"error\":\"upstream_no_name\",\"rule\":null,\"detail\":\"example.org, port 80: "
	 "why\",\"grant\":null,\"retry\":true}"},
	{REACH_REFUSED, "HTTP/1.1 502 Bad Gateway\r\n", "\"error\":\"upstream_unreachable\""},
	{REACH_TIMEOUT, "HTTP/1.1 504 Gateway Timeout\r\n", "\"error\":\"upstream_timeout\""},
	{REACH_FAULT, "HTTP/1.1 503 Service Unavailable\r\n", "\"error\":\"fault\""},
};

static void test_failures_are_no_policy(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		auto_rig int end = 0;
		begin(false, false);
		rig.outcome = failures[i].outcome;
		rig_say(rig.client, STR(GET));
		rig_turn();
		expect_status(failures[i].status, failures[i].part, 1);
	}
}

static void test_a_rate_is_told(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, true);
	rig.outcome = REACH_DENIED;
	rig.answer.why = DOOR_BY_RATE;
	rig.answer.wait_ms = 61500;
	rig_say(rig.client, STR(GET));
	rig_turn();
	expect_status("HTTP/1.1 429 Too Many Requests\r\n", "\r\nRetry-After: 62\r\n", 1);
	assert_int_equal(rig.upstream, -1);
}

#define OF(host) "GET /a HTTP/1.1\r\nHost: " host "\r\n\r\n"

static void test_a_proxy_is_asked_for_several_hosts(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(true, false);
	exchange(TO("a.example") "\r\n", OF("a.example"), OK_2, OK_2);
	assert_string_equal(rig.question.host, "a.example");
	assert_int_equal(rig.question.port, 80);
	assert_true(rig.question.by_proxy);
	exchange(TO("a.example") "\r\n", OF("a.example"), OK_2, OK_2);
	assert_int_equal(rig.asked, 2); /* it was not said that all are allowed */
	exchange(TO("b.example:8080") "\r\n", OF("b.example:8080"), OK_2, OK_2);
	assert_int_equal(rig.asked, 3);
	assert_false(rig.decide_only);
	assert_string_equal(rig.question.host, "b.example");
	assert_int_equal(rig.question.port, 8080);
	rig.answer.all_requests = 1;
	exchange(TO("b.example:8080") "\r\n", OF("b.example:8080"), OK_2, OK_2);
	exchange(TO("b.example:8080") "\r\n", OF("b.example:8080"), OK_2, OK_2);
	assert_int_equal(rig.asked, 4);
	rig.answer.all_requests = 0;
	exchange(TO("b.example") "\r\n", OF("b.example"), OK_2, OK_2); /* another port is another host */
	assert_int_equal(rig.asked, 5);
}

static void test_a_tunnel_that_is_denied(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(true, false);
	rig.outcome = REACH_DENIED;
	rig_say(rig.client, STR("CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n"));
	rig_turn();
	expect_status("HTTP/1.1 403 Forbidden\r\n", "example.org, port 443", 1);
	assert_int_equal(rig.tunnels, 0);
}

static void test_a_tunnel_behind_a_request(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(true, false);
	exchange(TO("example.org") "\r\n", OF("example.org"), OK_2, OK_2);
	rig_say(rig.client, STR("CONNECT example.org:80 HTTP/1.1\r\nHost: example.org\r\n\r\n"));
	rig_turn();
	assert_int_equal(rig.question.kind, DOOR_CONNECT);
	assert_false(rig.decide_only); /* a tunnel has a connection of its own */
	assert_int_equal(rig.tunnels, 1);
	assert_int_equal(rig.closed, 1);
	assert_int_equal(rig.taken.connection, 2);
}

static void test_a_proxy_of_the_user_is_asked_in_its_form(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, false);
	rig.answer.upstream_port = 3128;
	strcpy(rig.answer.upstream_host, "proxy.example");
	strcpy(rig.answer.upstream_login, "Basic dTpw");
	exchange(REQUEST("GET", "Proxy-Authorization: Basic eA==\r\n"),
		 "GET http://example.org/ HTTP/1.1\r\nHost: example.org\r\nProxy-Authorization: Basic dTpw\r\n\r\n",
		 OK_2, OK_2);
}

/* One request may lead to a private address where another may not. */
static void test_a_special_address_is_judged_for_each_request(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, true);
	rig.address = (struct net_address){NET_IPV4, {10, 0, 0, 1}};
	exchange(GET, GET, OK_2, OK_2);
	assert_int_equal(rig.there.family, NET_NONE);
	exchange(GET, GET, OK_2, OK_2);
	assert_true(rig.decide_only);
	assert_true(address_equal(&rig.there, &rig.address));
	rig.answer.all_requests = 1; /* no longer told apart */
	exchange(GET, GET, OK_2, OK_2);
	exchange(GET, GET, OK_2, OK_2);
	assert_int_equal(rig.asked, 3);
	assert_int_equal(rig.dials, 1);
}

static void test_an_address_that_is_not_known_is_not_used_again(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, true);
	rig.address = (struct net_address){NET_NONE, {0}};
	exchange(GET, GET, OK_2, OK_2);
	exchange(GET, GET, OK_2, OK_2);
	assert_int_equal(rig.dials, 2);
}

static void recheck(enum door_verdict verdict)
{
	struct door_answer answer = {.verdict = (uint8_t)verdict};
	assert_true(rig.open->recheck(rig.open));
	assert_int_equal(rig.question.kind, DOOR_RECHECK);
	assert_string_equal(rig.question.host, "example.org");
	assert_int_equal(rig.question.port, 80);
	assert_int_equal(rig.question.connection, 1);
	struct door_wait *wait = rig.recheck;
	wait->id = 0;
	wait->done(wait, &answer);
	rig_turn();
}

static void test_new_rules_end_what_they_deny(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, false);
	rig_say(rig.client, STR(GET));
	rig_turn();
	expect(rig.upstream, GET, 0);
	recheck(DOOR_ALLOW);
	rig_say(rig.upstream, STR(OK_2));
	rig_turn();
	expect(rig.client, OK_2, 0);
	rig_say(rig.client, STR(GET));
	rig_turn();
	recheck(DOOR_DENY);
	assert_int_equal(rig.resets, 1);
	assert_null(rig.open);
}

static void test_new_rules_leave_the_client_where_nothing_is_under_way(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, false);
	exchange(GET, GET, OK_2, OK_2);
	recheck(DOOR_DENY);
	assert_int_equal(rig.over, 0);
	expect(rig.upstream, "", 1);
	exchange(GET, GET, OK_2, OK_2); /* after a question */
	assert_int_equal(rig.asked, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_denied_request_is_told_why),
		cmocka_unit_test(test_each_request_is_asked_for),
		cmocka_unit_test(test_tricks_are_refused_where_requests_are_told_apart),
		cmocka_unit_test(test_tricks_are_none_where_they_are_not),
		cmocka_unit_test(test_a_new_generation_is_asked),
		cmocka_unit_test(test_failures_are_no_policy),
		cmocka_unit_test(test_a_rate_is_told),
		cmocka_unit_test(test_a_proxy_is_asked_for_several_hosts),
		cmocka_unit_test(test_a_tunnel_that_is_denied),
		cmocka_unit_test(test_a_tunnel_behind_a_request),
		cmocka_unit_test(test_a_proxy_of_the_user_is_asked_in_its_form),
		cmocka_unit_test(test_a_special_address_is_judged_for_each_request),
		cmocka_unit_test(test_an_address_that_is_not_known_is_not_used_again),
		cmocka_unit_test(test_new_rules_end_what_they_deny),
		cmocka_unit_test(test_new_rules_leave_the_client_where_nothing_is_under_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
