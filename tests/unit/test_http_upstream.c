#include "check.h"

#include "unit/http_checks.h"

static void test_an_early_response_does_not_stop_the_request(void **state)
{
	(void)state;
	const char *head = REQUEST("POST", "Content-Length: 4\r\n");
	auto_rig int end = 0;
	begin(false, false);
	exchange(head, head, OK_2, OK_2);
	rig_say(rig.client, STR("body" GET));
	rig_turn();
	expect(rig.upstream, "body" GET, 0);
	rig_say(rig.upstream, STR(OK_2));
	rig_turn();
	expect(rig.client, OK_2, 0);
}

static void test_a_server_that_closes_early_ends_the_request(void **state)
{
	(void)state;
	const char *head = REQUEST("POST", "Content-Length: 4\r\n");
	auto_rig int end = 0;
	begin(false, false);
	rig_say(rig.client, str_from(head));
	rig_turn();
	expect(rig.upstream, head, 0);
	rig_say(rig.upstream, STR("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
	rig_turn();
	expect(rig.client, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 1);
	expect(rig.upstream, "", 1);
	assert_int_equal(rig.resets, 0);
}

static const char *const bad_responses[] = {
	"",
	"SSH-2.0-x\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n" CHUNKED "\r\n",
	"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
	"HTTP/1.1 20",
	"HTTP/2 200 OK\r\n\r\n",
};

static void test_bad_responses_are_not_passed_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_responses); i++) {
		auto_rig int end = 0;
		begin(false, false);
		rig_say(rig.client, STR(GET));
		rig_turn();
		rig_say(rig.upstream, str_from(bad_responses[i]));
		rig_close(&rig.upstream);
		rig_turn();
		expect_status("HTTP/1.1 502 Bad Gateway\r\n", "\"upstream_failed\"", 1);
	}
}

static const struct {
	const char *response;
	unsigned resets; /* 0: it is whole */
} cuts[] = {
	{RESPONSE("Content-Length: 3\r\n") "ab", 1},
	{RESPONSE(CHUNKED) "3\r\nabc\r\n", 1},
	{RESPONSE(CHUNKED) "zz\r\n", 1},
	{RESPONSE("") "ab", 0},
};

static void test_a_response_that_is_cut_off_is_not_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		auto_rig int end = 0;
		begin(false, false);
		rig_say(rig.client, STR(GET));
		rig_turn();
		expect(rig.upstream, GET, 0);
		rig_say(rig.upstream, str_from(cuts[i].response));
		rig_close(&rig.upstream);
		rig_turn();
		(void)rig_hear(rig.client, &end);
		assert_int_equal(rig.resets, cuts[i].resets);
		assert_int_equal(end, 1);
	}
}

/* As from the server itself: the client knows what it may send again. */
static void test_a_connection_that_was_closed_meanwhile(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, false);
	exchange(GET, GET, OK_2, OK_2);
	rig_say(rig.client, STR(GET));
	rig_turn();
	rig_close(&rig.upstream);
	rig_turn();
	expect(rig.client, "", 1);
	assert_int_equal(rig.resets, 0);
}

static void test_a_connection_that_ended_is_made_anew(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, false);
	exchange(GET, GET, OK_2, OK_2);
	rig_close(&rig.upstream);
	rig_turn();
	exchange(GET, GET, OK_2, OK_2);
	assert_int_equal(rig.asked, 2);
	/* More than was asked for is no answer to the next request. */
	rig_say(rig.upstream, STR(OK_2));
	rig_turn();
	exchange(GET, GET, OK_2 OK_2, OK_2);
	exchange(GET, GET, OK_2, OK_2);
	assert_int_equal(rig.asked, 4);
}

static void test_too_many_informal_responses(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, false);
	rig_say(rig.client, STR(GET));
	rig_turn();
	for (int i = 0; i < 20; i++)
		rig_say(rig.upstream, STR("HTTP/1.1 102 Processing\r\n\r\n"));
	rig_turn();
	struct str heard = rig_hear(rig.client, &end);
	assert_non_null(strstr(heard.ptr, "HTTP/1.1 502 Bad Gateway\r\n"));
	assert_int_equal(end, 1);
}

#define UPGRADE REQUEST("GET", "Sec-WebSocket-Key: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n")
#define SWITCHED "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"

static void test_a_websocket_is_relayed(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin(false, false);
	rig_say(rig.client, STR(UPGRADE "early"));
	rig_turn();
	expect(rig.upstream, UPGRADE, 0);
	rig_say(rig.upstream, STR(SWITCHED "frame"));
	rig_turn();
	assert_int_equal(rig.relays, 1);
	assert_int_equal(rig.over, 0);
	assert_string_equal(rig.reply, SWITCHED "frame");
	assert_string_equal(rig.first, "early");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_early_response_does_not_stop_the_request),
		cmocka_unit_test(test_a_server_that_closes_early_ends_the_request),
		cmocka_unit_test(test_bad_responses_are_not_passed_on),
		cmocka_unit_test(test_a_response_that_is_cut_off_is_not_whole),
		cmocka_unit_test(test_a_connection_that_was_closed_meanwhile),
		cmocka_unit_test(test_a_connection_that_ended_is_made_anew),
		cmocka_unit_test(test_too_many_informal_responses),
		cmocka_unit_test(test_a_websocket_is_relayed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
