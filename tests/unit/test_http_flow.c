#include "check.h"

#include "unit/http_rig.h"

#define GET "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"
#define OK_2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* Exactly this has come. */
static void expect(int fd, const char *text, int wanted_end)
{
	int end = 0;
	struct str heard = rig_hear(fd, &end);
	assert_string_equal(heard.ptr, text);
	assert_int_equal(end, wanted_end);
}

static void expect_status(const char *line, const char *part, int wanted_end)
{
	int end = 0;
	struct str heard = rig_hear(rig.client, &end);
	assert_true(str_starts(heard, str_from(line)));
	assert_non_null(strstr(heard.ptr, part));
	assert_non_null(strstr(heard.ptr, "\r\nConnection: close\r\n"));
	assert_int_equal(end, wanted_end);
}

static void begin(bool proxy, bool http_rules)
{
	assert_true(rig_begin());
	assert_true(rig_flow(proxy, http_rules, http_flow_start, STR("")));
}

static void exchange(const char *request, const char *passed, const char *response, const char *answer)
{
	rig_say(rig.client, str_from(request));
	rig_turn();
	expect(rig.upstream, passed, 0);
	rig_say(rig.upstream, str_from(response));
	rig_turn();
	expect(rig.client, answer, 0);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_connection_serves_many_requests),
		cmocka_unit_test(test_a_denied_request_is_told_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
