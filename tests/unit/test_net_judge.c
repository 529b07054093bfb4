/* Which addresses may be dialled: every row of the table of special addresses, under each policy that could open it. */
#include "check.h"

#include <string.h>

#include "base/own.h"
#include "format/address_special.h"
#include "policy_rig.h"
#include "session/net_judge.h"

#define auto_index auto_policy_index struct policy_index

static struct net_address address_of(const char *text)
{
	struct net_address address = {.family = NET_NONE};
	if (!address_parse(str_from(text), &address))
		fail_msg("no address: %s", text);
	return address;
}

static struct door_question asked(const char *host, uint16_t port, const struct net_address *address)
{
	struct door_question question = {.kind = DOOR_ADDRESSES, .id = 7, .port = port};
	(void)snprintf(question.host, sizeof question.host, "%s", host);
	if (address != NULL) {
		question.addresses[0] = *address;
		question.address_count = 1;
	}
	return question;
}

static bool may_dial(const struct policy_index *index, const char *host, const struct net_address *address,
		     struct net_judged *ret_judged)
{
	const struct door_question question = asked(host, 443, address);
	net_judge_addresses(index, &question, "", false, ret_judged);
	assert_true((ret_judged->allowed & ~1U) == 0);
	assert_true(ret_judged->allowed != 0 || ret_judged->text[0] != '\0');
	return ret_judged->allowed == 1;
}

static bool may(const struct policy_index *index, const char *host, const char *address)
{
	struct net_judged judged;
	const struct net_address at = address_of(address);
	return may_dial(index, host, &at, &judged);
}

/* Of a policy with these lines. */
#define INDEX_OF(name, ...)                                                                                            \
	const struct policy_doc name##_doc = PROFILE("p", EXTENDS_NOTHING, __VA_ARGS__);                               \
	auto_rig struct rig name##_rig = RIG(.layers = {.profiles = DOCS(&name##_doc)});                               \
	auto_index *name = NULL;                                                                                       \
	MADE(&name##_rig);                                                                                             \
	assert_int_equal(policy_index_new(name##_rig.policy, &name, NULL), BERM_OK)

/* The base of each row, by a name without anything, by one with "private", by the row's own network, by the very address. */
static void test_every_special_range(void **state)
{
	(void)state;
	INDEX_OF(plain, LINE(KEY_NET_ALLOW, "a.example"));
	INDEX_OF(private, LINE_WITH(KEY_NET_ALLOW, "a.example", {ATTR_PRIVATE, "true"}));
	const struct address_special *row;
	for (size_t i = 0; (row = address_special_at(i)) != NULL; i++) {
		char range[ADDRESS_RANGE_SIZE + 2], very[ADDRESS_RANGE_SIZE + 2], text[ADDRESS_RANGE_SIZE];
		struct net_judged judged;
		const struct net_address *base = &row->range.base;
		const struct address_special *special = address_special(base);
		bool six = base->family == NET_IPV6;
		(void)address_print(base, text);
		(void)snprintf(very, sizeof very, six ? "[%s]" : "%s", text);
		(void)address_range_print(&row->range, text);
		(void)snprintf(range, sizeof range, six ? "[%s]" : "%s", text);
		assert_non_null(special);
		bool by_hand = special->class <= ADDRESS_METADATA;
		bool single = row->range.bits == (six ? 128 : 32);

		assert_false(may_dial(plain, "a.example", base, &judged));
		assert_non_null(strstr(judged.text, special->source));
		assert_true((judged.grant[0] == '\0') == by_hand);
		if (may_dial(private, "a.example", base, &judged) == by_hand)
			fail_msg("private: %s (%s)", text, special->name);

		INDEX_OF(wide, LINE(KEY_NET_ALLOW, "a.example"), LINE(KEY_NET_ALLOW, range));
		if (may_dial(wide, "a.example", base, &judged) != (!by_hand || single))
			fail_msg("network: %s (%s)", text, special->name);
		INDEX_OF(exact, LINE(KEY_NET_ALLOW, "a.example"), LINE(KEY_NET_ALLOW, very));
		if (!may_dial(exact, "a.example", base, &judged))
			fail_msg("address: %s (%s)", text, special->name);
		(void)address_print(base, text);
		assert_true(may_dial(exact, text, base, &judged));
		INDEX_OF(closed, LINE_WITH(KEY_NET_ALLOW, "a.example", {ATTR_PRIVATE, "true"}),
			 LINE(KEY_NET_ALLOW, very), LINE(KEY_NET_DENY, range));
		if (may_dial(closed, "a.example", base, &judged))
			fail_msg("denied: %s (%s)", text, special->name);
		assert_non_null(strstr(judged.text, "network.deny"));
	}
}

static void test_public_addresses(void **state)
{
	(void)state;
	INDEX_OF(index, LINE(KEY_NET_ALLOW, "a.example"), LINE(KEY_NET_ALLOW, "1.1.1.1"),
		 LINE(KEY_NET_DENY, "8.8.8.0/24"));
	assert_true(may(index, "a.example", "1.2.3.4"));
	assert_true(may(index, "a.example", "2606:4700::1"));
	assert_true(may(index, "1.1.1.1", "1.1.1.1"));
	assert_false(may(index, "a.example", "8.8.8.8"));
	assert_false(may(index, "a.example", "64:ff9b::808:808")); /* the same in IPv6 clothes */
	assert_false(may(index, "b.example", "1.2.3.4"));
	assert_false(may(index, "1.1.1.2", "1.1.1.2"));
}

static void test_ports_count(void **state)
{
	(void)state;
	struct net_judged judged;
	INDEX_OF(index, LINE(KEY_NET_ALLOW, "db.example:5432"), LINE(KEY_NET_ALLOW, "10.0.0.0/8:5432"));
	const struct net_address private = address_of("10.1.2.3");
	struct door_question question = asked("db.example", 5432, &private);
	net_judge_addresses(index, &question, "", false, &judged);
	assert_int_equal(judged.allowed, 1);
	INDEX_OF(other, LINE(KEY_NET_ALLOW, "db.example:5432"), LINE(KEY_NET_ALLOW, "10.0.0.0/8:5433"));
	net_judge_addresses(other, &question, "", false, &judged);
	assert_int_equal(judged.allowed, 0);
	assert_string_equal(judged.text, "10.1.2.3 is private (RFC 1918)");
	assert_string_equal(judged.grant, "--allow-net 10.1.2.3:5432");
}

static void test_each_address_is_judged(void **state)
{
	(void)state;
	struct net_judged judged;
	INDEX_OF(index, LINE(KEY_NET_ALLOW, "a.example"));
	struct door_question question = asked("a.example", 443, NULL);
	static const char *const texts[] = {"1.2.3.4", "127.0.0.1",	  "2606:4700::1",
					    "fe80::1", "169.254.169.254", "::ffff:10.0.0.1"};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		question.addresses[i] = address_of(texts[i]);
	question.address_count = ARRAY_LEN(texts);
	net_judge_addresses(index, &question, "", false, &judged);
	assert_int_equal(judged.allowed, 1U << 0 | 1U << 2);
	assert_non_null(strstr(judged.text, "127.0.0.1 is this machine"));
	question.addresses[0] = (struct net_address){.family = NET_NONE};
	question.address_count = DOOR_ADDRESSES_MAX;
	net_judge_addresses(index, &question, "", false, &judged);
	assert_int_equal(judged.allowed, 1U << 2);
}

/* Of a connection whose requests are judged one by one, what some request permits is nothing. */
static void test_requests_permit_for_themselves(void **state)
{
	(void)state;
	struct net_judged judged;
	INDEX_OF(index, LINE(KEY_NET_ALLOW, "a.example"),
		 LINE_WITH(KEY_NET_ALLOW, "a.example", {ATTR_PRIVATE, "true"}, {ATTR_HTTP, "GET /x/**"}));
	const struct net_address private = address_of("10.1.2.3");
	struct door_question question = asked("a.example", 443, &private);
	net_judge_addresses(index, &question, "", false, &judged);
	assert_int_equal(judged.allowed, 0);
	(void)snprintf(question.method, sizeof question.method, "GET");
	net_judge_addresses(index, &question, "/x/y", false, &judged);
	assert_int_equal(judged.allowed, 1);
	net_judge_addresses(index, &question, "/y", false, &judged);
	assert_int_equal(judged.allowed, 0);
}

static void test_what_a_person_let_pass(void **state)
{
	(void)state;
	struct net_judged judged;
	INDEX_OF(index, LINE(KEY_NET_DEFAULT, "ask"), LINE(KEY_NET_DENY, "closed.example"));
	struct net_address address = address_of("1.2.3.4");
	struct door_question question = asked("a.example", 443, &address);
	net_judge_addresses(index, &question, "", false, &judged);
	assert_int_equal(judged.allowed, 0);
	net_judge_addresses(index, &question, "", true, &judged);
	assert_int_equal(judged.allowed, 1);
	question.addresses[0] = address_of("10.0.0.1");
	net_judge_addresses(index, &question, "", true, &judged);
	assert_int_equal(judged.allowed, 0);
	question = asked("closed.example", 443, &address);
	net_judge_addresses(index, &question, "", true, &judged);
	assert_int_equal(judged.allowed, 0);
}

static void test_questions(void **state)
{
	(void)state;
	struct policy_verdict verdict;
	INDEX_OF(index, LINE(KEY_NET_ALLOW, "a.example:8080"),
		 LINE_WITH(KEY_NET_ALLOW, "b.example", {ATTR_BY, "gh"}, {ATTR_HTTP, "GET /x"}));
	struct door_question question = asked("a.example", 0, NULL);
	question.kind = DOOR_DNS;
	net_judge_question(index, &question, "", &verdict);
	assert_int_equal(verdict.answer, ANSWER_ALLOW);
	(void)snprintf(question.host, sizeof question.host, "c.example");
	net_judge_question(index, &question, "", &verdict);
	assert_int_equal(verdict.answer, ANSWER_DENY);
	assert_string_equal(verdict.grant, "--allow-net c.example");

	question = asked("b.example", 443, NULL);
	question.kind = DOOR_CONNECT;
	net_judge_question(index, &question, "", &verdict);
	assert_int_equal(verdict.answer, ANSWER_DENY);
	(void)snprintf(question.task.exe, sizeof question.task.exe, "/usr/bin/gh");
	net_judge_question(index, &question, "", &verdict);
	assert_int_equal(verdict.answer, ANSWER_ALLOW);
	assert_true(verdict.http_rules);
	question.kind = DOOR_HTTP;
	net_judge_question(index, &question, "/x", &verdict);
	assert_int_equal(verdict.answer, ANSWER_DENY); /* a request has a method */
	(void)snprintf(question.method, sizeof question.method, "GET");
	net_judge_question(index, &question, "/x", &verdict);
	assert_int_equal(verdict.answer, ANSWER_ALLOW);
	net_judge_question(index, &question, "/y", &verdict);
	assert_int_equal(verdict.answer, ANSWER_DENY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_special_range),
		cmocka_unit_test(test_public_addresses),
		cmocka_unit_test(test_ports_count),
		cmocka_unit_test(test_each_address_is_judged),
		cmocka_unit_test(test_requests_permit_for_themselves),
		cmocka_unit_test(test_what_a_person_let_pass),
		cmocka_unit_test(test_questions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
