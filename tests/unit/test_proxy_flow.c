#include "check.h"

#include "unit/http_rig.h"

#define RAW(literal) ((struct str){(literal), sizeof(literal) - 1})
#define HELLO "\5\1\0"
#define REQUEST                                                                                                        \
	"\5\1\0\3\x0b"                                                                                                 \
	"example.org\0\x16"

static void begin(void)
{
	assert_true(rig_begin());
	assert_true(rig_flow(true, false, proxy_flow_start, STR("")));
}

static void expect(struct str wanted, int wanted_end)
{
	int end = 0;
	struct str heard = rig_hear(rig.client, &end);
	assert_int_equal(heard.len, wanted.len);
	assert_memory_equal(heard.ptr, wanted.ptr, wanted.len);
	assert_int_equal(end, wanted_end);
}

static void say(struct str text)
{
	rig_say(rig.client, text);
	rig_turn();
}

static void test_socks_by_name(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin();
	say(RAW(HELLO));
	expect(RAW("\5\0"), 0);
	say(RAW(REQUEST));
	assert_int_equal(rig.asked, 1);
	assert_int_equal(rig.question.kind, DOOR_CONNECT);
	assert_true(rig.question.by_proxy);
	assert_string_equal(rig.question.host, "example.org");
	assert_int_equal(rig.question.port, 22);
	assert_int_equal(rig.tunnels, 1);
	assert_string_equal(rig.taken.host.name, "example.org");
	assert_int_equal(rig.taken.port, 22);
	assert_int_equal(rig.taken.connection, 1);
	assert_memory_equal(rig.reply, "\5\0\0\1\0\0\0\0\0\0", 10);
	assert_int_equal(rig.over, 0);
}

static void test_what_comes_behind_the_request_is_data(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin();
	rig.answer.http_rules = 1;
	say(RAW(HELLO REQUEST "data"));
	assert_int_equal(rig.tunnels, 1);
	assert_true(rig.taken.http_rules);
	assert_string_equal(rig.first, "data");
}

static void test_bytes_may_come_one_by_one(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin();
	struct str all = RAW(HELLO REQUEST);
	for (size_t i = 0; i < all.len; i++)
		rig_say(rig.client, (struct str){all.ptr + i, 1});
	rig_turn();
	assert_int_equal(rig.tunnels, 1);
}

static const struct {
	enum reach_outcome outcome;
	const char *reply;
} refusals[] = {
	{REACH_DENIED, "\5\2"},	 {REACH_NO_NAME, "\5\4"}, {REACH_REFUSED, "\5\5"},
	{REACH_TIMEOUT, "\5\6"}, {REACH_FAULT, "\5\1"},
};

static void test_socks_has_codes_for_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		auto_rig int end = 0;
		begin();
		rig.outcome = refusals[i].outcome;
		say(RAW(HELLO REQUEST));
		struct str heard = rig_hear(rig.client, &end);
		assert_int_equal(heard.len, 12);
		assert_memory_equal(heard.ptr + 2, refusals[i].reply, 2);
		assert_int_equal(end, 1);
		assert_int_equal(rig.tunnels, 0);
	}
}

static void test_a_token_is_asked_for(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin();
	rig_close(&rig.client);
	rig_turn();
	rig.egress.token = "secret";
	assert_true(rig_flow(true, false, proxy_flow_start, RAW("\5\2\0\2")));
	expect(RAW("\5\2"), 0);
	say(RAW("\1\4user\6secret"));
	expect(RAW("\1\0"), 0);
	say(RAW(REQUEST));
	assert_int_equal(rig.tunnels, 1);
}

static void test_another_token_is_none(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin();
	rig_close(&rig.client);
	rig_turn();
	rig.egress.token = "secret";
	assert_true(rig_flow(true, false, proxy_flow_start, RAW("\5\1\2\1\4user\6secre7" REQUEST)));
	expect(RAW("\5\2\1\1"), 1);
	assert_int_equal(rig.asked, 0);
}

static void test_no_login_is_no_login(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin();
	rig_close(&rig.client);
	rig_turn();
	rig.egress.token = "secret";
	assert_true(rig_flow(true, false, proxy_flow_start, RAW(HELLO REQUEST)));
	expect(RAW("\5\xff"), 1);
	assert_int_equal(rig.asked, 0);
}

static void test_socks4_is_refused_in_its_form(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin();
	say(RAW("\4\1\0\x50\xc0\0\2\1user\0"));
	struct str heard = rig_hear(rig.client, &end);
	assert_int_equal(heard.len, 8);
	assert_memory_equal(heard.ptr, "\0\x5b", 2);
	assert_int_equal(end, 1);
	assert_int_equal(rig.asked, 0);
}

static void test_http_goes_its_way(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin();
	say(STR("CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\nhello"));
	assert_int_equal(rig.question.kind, DOOR_CONNECT);
	assert_int_equal(rig.question.port, 443);
	assert_int_equal(rig.tunnels, 1);
	assert_string_equal(rig.taken.host.name, "example.org");
	assert_int_equal(rig.taken.port, 443);
	assert_string_equal(rig.first, "hello");
	assert_string_equal(rig.reply, "HTTP/1.1 200 Connection established\r\n\r\n");
}

static void test_a_client_that_goes_is_over(void **state)
{
	(void)state;
	auto_rig int end = 0;
	begin();
	rig.held = true;
	say(RAW(HELLO REQUEST));
	assert_non_null(rig.waiting);
	rig_close(&rig.client);
	rig_turn();
	assert_null(rig.waiting);
	assert_int_equal(rig.over, 1);
}

static void test_a_slow_client_is_over(void **state)
{
	(void)state;
	auto_rig int end = 0;
	assert_true(rig_begin());
	rig.egress.limits.first_ms = 1;
	assert_true(rig_flow(true, false, proxy_flow_start, RAW("\5")));
	rig_await_end();
	assert_int_equal(rig.over, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_socks_by_name),
		cmocka_unit_test(test_what_comes_behind_the_request_is_data),
		cmocka_unit_test(test_bytes_may_come_one_by_one),
		cmocka_unit_test(test_socks_has_codes_for_refusals),
		cmocka_unit_test(test_a_token_is_asked_for),
		cmocka_unit_test(test_another_token_is_none),
		cmocka_unit_test(test_no_login_is_no_login),
		cmocka_unit_test(test_socks4_is_refused_in_its_form),
		cmocka_unit_test(test_http_goes_its_way),
		cmocka_unit_test(test_a_client_that_goes_is_over),
		cmocka_unit_test(test_a_slow_client_is_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
