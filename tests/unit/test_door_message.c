#include "check.h"

#include <string.h>

#include "base/own.h"
#include "egress/door_message.h"

static struct door_question question_of(enum door_kind kind)
{
	struct door_question q = {.kind = (uint16_t)kind, .id = 7, .task = {.pid = 12, .exe = "/usr/bin/curl"}};
	switch ((int)kind) {
	case DOOR_DNS:
		q.dns_type = 28;
		break;
	case DOOR_HTTP:
		strcpy(q.method, "GET");
		strcpy(q.host, "example.org");
		q.port = 443;
		break;
	case DOOR_CONNECT:
	case DOOR_ADDRESSES:
	case DOOR_RECHECK:
		strcpy(q.host, "example.org");
		q.port = 443;
		break;
	default:
		break;
	}
	if (kind == DOOR_ADDRESSES) {
		q.addresses[q.address_count++] = (struct net_address){NET_IPV6, {0x20, 1, [15] = 9}};
		q.addresses[q.address_count++] = (struct net_address){NET_IPV4, {192, 0, 2, 1}};
	}
	return q;
}

static struct str text_of(enum door_kind kind)
{
	return kind == DOOR_HTTP ? STR("/a?b=c") : STR("");
}

static bool goes_through(const struct door_question *question, struct str text, struct door_question *ret)
{
	static uint8_t bytes[DOOR_MESSAGE_MAX];
	struct str again;
	size_t len;
	if (door_print_question(question, text, bytes, &len, NULL) != BERM_OK)
		return false;
	assert_int_equal(door_parse_question((struct span){bytes, len}, ret, &again, NULL), BERM_OK);
	assert_true(str_eq(text, again));
	return true;
}

static bool is_taken(const struct door_question *question, struct str text)
{
	struct door_question again;
	return goes_through(question, text, &again);
}

/* All that is sent of them; what lies between their members is nothing. */
static bool same_question(const struct door_question *a, const struct door_question *b, struct str text)
{
	static uint8_t first[DOOR_MESSAGE_MAX], second[DOOR_MESSAGE_MAX];
	size_t first_len, second_len;
	assert_int_equal(door_print_question(a, text, first, &first_len, NULL), BERM_OK);
	assert_int_equal(door_print_question(b, text, second, &second_len, NULL), BERM_OK);
	return first_len == second_len && memcmp(first, second, first_len) == 0;
}

static bool same_answer(const struct door_answer *a, const struct door_answer *b)
{
	static uint8_t first[DOOR_ANSWER_MAX], second[DOOR_ANSWER_MAX];
	size_t first_len, second_len;
	assert_int_equal(door_print_answer(a, NULL, first, &first_len, NULL), BERM_OK);
	assert_int_equal(door_print_answer(b, NULL, second, &second_len, NULL), BERM_OK);
	return first_len == second_len && memcmp(first, second, first_len) == 0;
}

static void test_every_kind_of_question_comes_out_as_it_went_in(void **state)
{
	(void)state;
	for (enum door_kind kind = DOOR_DNS; kind <= DOOR_CLOSED; kind++) {
		struct door_question q = question_of(kind), again;
		q.by_proxy = 1;
		q.tls = 1;
		assert_true(goes_through(&q, text_of(kind), &again));
		q.version = DOOR_VERSION;
		q.text_len = (uint32_t)text_of(kind).len;
		assert_true(same_question(&q, &again, text_of(kind)));
	}
}

static void test_a_kind_that_is_none_goes_nowhere(void **state)
{
	(void)state;
	struct door_question q = question_of(DOOR_CLOSED);
	q.kind = DOOR_NONE;
	assert_false(is_taken(&q, STR("")));
	q.kind = DOOR_ANSWER;
	assert_false(is_taken(&q, STR("")));
	q.kind = 999;
	assert_false(is_taken(&q, STR("")));
	q = question_of(DOOR_CLOSED);
	q.id = 0;
	assert_false(is_taken(&q, STR("")));
}

static void test_what_a_kind_needs_is_there(void **state)
{
	(void)state;
	struct door_question q = question_of(DOOR_CONNECT);
	q.port = 0;
	assert_false(is_taken(&q, STR("")));
	q = question_of(DOOR_CONNECT);
	q.host[0] = '\0';
	assert_false(is_taken(&q, STR("")));
	q = question_of(DOOR_HTTP);
	q.method[0] = '\0';
	assert_false(is_taken(&q, STR("/")));
	q = question_of(DOOR_HTTP);
	assert_false(is_taken(&q, STR("")));
	q = question_of(DOOR_ADDRESSES);
	q.address_count = 0;
	assert_false(is_taken(&q, STR("")));
	q = question_of(DOOR_DNS);
	q.dns_type = 0;
	assert_false(is_taken(&q, STR("")));
}

static void test_what_a_kind_has_not_is_not_there(void **state)
{
	(void)state;
	struct door_question q = question_of(DOOR_CONNECT);
	assert_false(is_taken(&q, STR("/a")));
	strcpy(q.method, "GET");
	assert_false(is_taken(&q, STR("")));
	q = question_of(DOOR_DNS);
	q.port = 53;
	assert_false(is_taken(&q, STR("")));
	q = question_of(DOOR_WITHDRAW);
	q.sent = 1;
	assert_false(is_taken(&q, STR("")));
}

static void test_hosts_are_canonical(void **state)
{
	(void)state;
	static const struct {
		const char *host;
		bool good;
	} rows[] = {{"example.org", true},	 {"192.0.2.1", true}, {"2001:db8::1", true}, {"Example.org", false},
		    {"example.org.", false},	 {"127.1", false},    {"a b", false},	     {"2001:DB8::1", false},
		    {"::ffff:192.0.2.1", false}, {"[::1]", false}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct door_question q = question_of(DOOR_CONNECT);
		strcpy(q.host, rows[i].host);
		if (is_taken(&q, STR("")) != rows[i].good)
			fail_msg("%s", rows[i].host);
	}
}

static void test_texts_have_their_alphabet(void **state)
{
	(void)state;
	struct door_question q = question_of(DOOR_HTTP);
	assert_true(is_taken(&q, STR("/a%20b")));
	assert_false(is_taken(&q, STR("/a b")));
	assert_false(is_taken(&q, STR("/a\r\nHost: b")));
	assert_false(is_taken(&q, STR("/\xc3\xa4")));
	strcpy(q.method, "G T");
	assert_false(is_taken(&q, STR("/")));
	q = question_of(DOOR_EVENT);
	assert_true(is_taken(&q, STR("no hello came")));
	assert_false(is_taken(&q, STR("no\nhello")));
	q = question_of(DOOR_CONNECT);
	strcpy(q.task.exe, "/bin/\x1b[2J");
	assert_false(is_taken(&q, STR("")));
	q = question_of(DOOR_CONNECT);
	q.task.pid = -1;
	assert_false(is_taken(&q, STR("")));
	q = question_of(DOOR_CONNECT);
	q.tls = 2;
	assert_false(is_taken(&q, STR("")));
}

static void test_a_target_has_a_maximum(void **state)
{
	(void)state;
	static char target[DOOR_TARGET_MAX + 1];
	memset(target, 'a', sizeof(target));
	struct door_question q = question_of(DOOR_HTTP);
	memset(q.host, 'a', 63);
	assert_true(is_taken(&q, (struct str){target, DOOR_TARGET_MAX}));
	assert_false(is_taken(&q, (struct str){target, DOOR_TARGET_MAX + 1}));
}

static void test_addresses_are_of_a_family(void **state)
{
	(void)state;
	struct door_question q = question_of(DOOR_ADDRESSES);
	q.addresses[1].bytes[4] = 1; /* behind an IPv4 address */
	assert_false(is_taken(&q, STR("")));
	q = question_of(DOOR_ADDRESSES);
	q.addresses[0].family = NET_NONE;
	assert_false(is_taken(&q, STR("")));
	q = question_of(DOOR_ADDRESSES);
	q.address_count = DOOR_ADDRESSES_MAX + 1;
	assert_false(is_taken(&q, STR("")));
}

static void test_bytes_that_are_no_question_are_refused(void **state)
{
	(void)state;
	static uint8_t bytes[DOOR_MESSAGE_MAX];
	struct door_question q = question_of(DOOR_ADDRESSES);
	struct str text;
	size_t len;
	assert_int_equal(door_print_question(&q, STR(""), bytes, &len, NULL), BERM_OK);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(door_parse_question((struct span){bytes, cut}, &q, &text, NULL), BERM_ERR_PARSE);
	assert_int_equal(door_parse_question((struct span){bytes, len + 1}, &q, &text, NULL), BERM_ERR_PARSE);
	bytes[0]++; /* version */
	assert_int_equal(door_parse_question((struct span){bytes, len}, &q, &text, NULL), BERM_ERR_PARSE);
}

static struct door_answer an_answer(void)
{
	return (struct door_answer){.kind = DOOR_ANSWER,
				    .id = 7,
				    .generation = 3,
				    .verdict = DOOR_ALLOW,
				    .why = DOOR_BY_PERSON,
				    .http_rules = 1,
				    .all_requests = 1,
				    .allowed = 5,
				    .upstream_port = 3128,
				    .wait_ms = 20,
				    .upstream_host = "proxy.example.org",
				    .upstream_login = "Basic YTpi",
				    .rule = "network.allow[0] \"example.org\"",
				    .grant = "--allow-net example.org"};
}

static bool is_answer(const struct door_answer *answer, const struct door_ends *ends, struct door_answer *ret)
{
	uint8_t bytes[DOOR_ANSWER_MAX];
	struct door_ends again;
	size_t len;
	if (door_print_answer(answer, ends, bytes, &len, NULL) != BERM_OK)
		return false;
	if (door_parse_answer((struct span){bytes, len}, ret, &again, NULL) != BERM_OK)
		return false;
	assert_int_equal(again.present, ends != NULL ? ends->present : 0);
	assert_int_equal(again.proxy_port, ends != NULL ? ends->proxy_port : 0);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(door_parse_answer((struct span){bytes, cut}, ret, &again, NULL), BERM_ERR_PARSE);
	return true;
}

static void test_answers_come_out_as_they_went_in(void **state)
{
	(void)state;
	struct door_answer answer = an_answer(), again;
	assert_true(is_answer(&answer, NULL, &again));
	answer.version = DOOR_VERSION;
	assert_true(same_answer(&answer, &again));
	struct door_answer told = {.kind = DOOR_RELOADED, .close_denied = 1, .generation = 4};
	assert_true(is_answer(&told, NULL, &again));
	assert_int_equal(again.close_denied, 1);
	told = (struct door_answer){.kind = DOOR_ENDS};
	struct door_ends ends = {0x1ff, 3128};
	assert_true(is_answer(&told, &ends, &again));
}

static void test_rules_are_made_plain(void **state)
{
	(void)state;
	struct door_answer answer = an_answer(), again;
	strcpy(answer.rule, "a\nb\x7f");
	memset(answer.grant, 'x', sizeof(answer.grant));
	assert_true(is_answer(&answer, NULL, &again));
	assert_string_equal(again.rule, "a?b?");
	assert_int_equal(strlen(again.grant), sizeof(answer.grant) - 1);
}

static void test_answers_that_cannot_be_are_refused(void **state)
{
	(void)state;
	struct door_answer again, good = an_answer(), answer = good;
	struct door_ends ends = {1U << DOOR_END_COUNT, 1};
	answer.verdict = 2;
	assert_false(is_answer(&answer, NULL, &again));
	answer = good;
	answer.why = DOOR_BY_FAULT + 1;
	assert_false(is_answer(&answer, NULL, &again));
	answer = good;
	answer.all_requests = 2;
	assert_false(is_answer(&answer, NULL, &again));
	answer = good;
	answer.id = 0;
	assert_false(is_answer(&answer, NULL, &again));
	answer = good;
	answer.kind = DOOR_RELOADED;
	assert_false(is_answer(&answer, NULL, &again));
	answer = good;
	answer.upstream_port = 0;
	assert_false(is_answer(&answer, NULL, &again));
	answer = good;
	strcpy(answer.upstream_host, "Proxy");
	assert_false(is_answer(&answer, NULL, &again));
	answer = good;
	strcpy(answer.upstream_login, "a\r\nb");
	assert_false(is_answer(&answer, NULL, &again));
	answer = (struct door_answer){.kind = DOOR_ENDS};
	assert_false(is_answer(&answer, &ends, &again));
	ends.present = 1;
	assert_false(is_answer(&good, &ends, &again)); /* ends in an answer that has none */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_of_question_comes_out_as_it_went_in),
		cmocka_unit_test(test_a_kind_that_is_none_goes_nowhere),
		cmocka_unit_test(test_what_a_kind_needs_is_there),
		cmocka_unit_test(test_what_a_kind_has_not_is_not_there),
		cmocka_unit_test(test_hosts_are_canonical),
		cmocka_unit_test(test_texts_have_their_alphabet),
		cmocka_unit_test(test_a_target_has_a_maximum),
		cmocka_unit_test(test_addresses_are_of_a_family),
		cmocka_unit_test(test_bytes_that_are_no_question_are_refused),
		cmocka_unit_test(test_answers_come_out_as_they_went_in),
		cmocka_unit_test(test_rules_are_made_plain),
		cmocka_unit_test(test_answers_that_cannot_be_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
