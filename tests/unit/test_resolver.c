#include "check.h"

#include <string.h>

#include "egress/resolver.h"
#include "format/host.h"
#include "name_server.h"

static const struct server_row rows[] = {
	{.name = "both.example", DNS_A, "192.0.2.1", 60},
	{.name = "both.example", DNS_A, "192.0.2.2", 60},
	{.name = "both.example", DNS_AAAA, "2001:db8::1", 60},
	{.name = "both.example", DNS_AAAA, "2001:db8::2", 60},
	{.name = "both.example", DNS_AAAA, "2001:db8::3", 60},
	{.name = "four.example", DNS_A, "192.0.2.4", 60},
	{.name = "alias.example", DNS_CNAME, "more.example", 60},
	{.name = "more.example", DNS_CNAME, "four.example", 60},
	{.name = "mapped.example", DNS_AAAA, "::ffff:192.0.2.9", 60},
	{.name = "brief.example", DNS_A, "192.0.2.5", 0},
	{.name = "cut.example", DNS_A, "192.0.2.6", 60, .way = SERVER_CUTS},
	{.name = "old.example", DNS_A, "192.0.2.7", 60, .way = SERVER_NO_EDNS},
	{.name = "guess.example", DNS_A, "192.0.2.8", 60, .way = SERVER_OTHER_ID},
	{.name = "wrong.example", DNS_A, "192.0.2.10", 60, .way = SERVER_OTHER_NAME},
	{.name = "none.example"},
	{.name = "silent.example", .way = SERVER_SILENT},
	{.name = "broken.example", .code = DNS_SERVFAIL},
	{.name = "closed.example", .code = DNS_REFUSED},
};

struct rig {
	struct patience patience;
	struct egress_loop loop;
	struct name_server server;
	struct resolver *resolver;
};

static void rig_done(struct rig *rig)
{
	loop_remove(&rig->patience.source);
	resolver_free(rig->resolver);
	server_done(&rig->server);
	loop_done(&rig->loop);
}
#define auto_rig __attribute__((cleanup(rig_done)))
#define RIG_EMPTY                                                                                                      \
	{                                                                                                              \
		.loop = {.epoll_fd = -1 }                                                                              \
	}

static void rig_init(struct rig *rig, const char *hosts)
{
	assert_int_equal(loop_init(&rig->loop, NULL), BERM_OK);
	server_init(&rig->server, &rig->loop, rows, ARRAY_LEN(rows));
	if (hosts != NULL)
		server_write(&rig->server, "hosts", hosts);
	assert_int_equal(resolver_new_at(&rig->loop, rig->server.root, rig->server.port, &rig->resolver, NULL),
			 BERM_OK);
}

struct found {
	struct resolver_wait wait; /* first */
	int told;
	struct resolver_answer answer;
};

static void on_found(struct resolver_wait *wait, const struct resolver_answer *answer)
{
	struct found *found = (struct found *)wait;
	found->told++;
	found->answer = *answer;
}

static enum berm_code find(struct rig *rig, struct found *found, const char *name)
{
	*found = (struct found){0};
	return resolver_find(rig->resolver, str_from(name), &found->wait, on_found, NULL);
}

static void turn_until(struct rig *rig, const struct found *found)
{
	while (found->told == 0)
		patience_turn(&rig->patience, &rig->loop);
	patience_renew(&rig->patience);
	assert_int_equal(found->told, 1);
	assert_null(found->wait.job);
}

static void assert_addresses(const struct found *found, const char *expected)
{
	char text[ADDRESS_TEXT_SIZE], all[512] = "";
	for (size_t i = 0; i < found->answer.count; i++) {
		address_print(&found->answer.addresses[i], text);
		(void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i == 0 ? "" : " ", text);
	}
	assert_string_equal(all, expected);
	assert_int_equal(found->answer.outcome, RESOLVER_FOUND);
}

static void assert_found(struct rig *rig, const char *name, const char *expected)
{
	struct found found;
	assert_int_equal(find(rig, &found, name), BERM_OK);
	assert_int_equal(found.told, 0);
	turn_until(rig, &found);
	assert_addresses(&found, expected);
}

static void assert_outcome(struct rig *rig, const char *name, enum resolver_outcome outcome)
{
	struct found found;
	assert_int_equal(find(rig, &found, name), BERM_OK);
	turn_until(rig, &found);
	assert_int_equal(found.answer.outcome, outcome);
	assert_int_equal(found.answer.count, 0);
	assert_non_null(found.answer.why);
}

static void test_addresses_come_in_turns(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig, NULL);
	assert_found(&rig, "both.example", "2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 2001:db8::3");
	assert_found(&rig, "four.example", "192.0.2.4");
	assert_found(&rig, "mapped.example", "192.0.2.9");
}

static void test_aliases_are_followed(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig, NULL);
	assert_found(&rig, "alias.example", "192.0.2.4");
}

static void test_what_has_no_address(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig, NULL);
	assert_outcome(&rig, "none.example", RESOLVER_FOUND);
	assert_outcome(&rig, "missing.example", RESOLVER_NO_NAME);
	assert_outcome(&rig, "broken.example", RESOLVER_FAILED);
	assert_outcome(&rig, "closed.example", RESOLVER_FAILED);
}

static void test_no_search_domain_is_tried(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig, NULL);
	assert_outcome(&rig, "missing", RESOLVER_NO_NAME);
	assert_int_equal(rig.server.asked, 2);
	assert_string_equal(rig.server.last, "missing");
}

static void test_a_record_of_another_name_is_none(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig, NULL);
	assert_outcome(&rig, "wrong.example", RESOLVER_FOUND);
}

static void test_servers_of_many_kinds(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig, NULL);
	assert_found(&rig, "cut.example", "192.0.2.6");
	assert_true(rig.server.asked_tcp > 0);
	assert_found(&rig, "old.example", "192.0.2.7");
	assert_found(&rig, "guess.example", "192.0.2.8");
}

static void test_a_silent_server_has_a_deadline(void **state)
{
	(void)state;
	NOT_TORTURED(); /* it waits as long as it takes */
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig, NULL);
	uint64_t begin_ms = rig.loop.now_ms;
	assert_outcome(&rig, "silent.example", RESOLVER_TIMEOUT);
	assert_in_range(rig.loop.now_ms - begin_ms, 4900, 7000);
}

static void test_the_same_name_is_asked_for_once(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig, NULL);
	struct found first, second, third;
	assert_int_equal(find(&rig, &first, "four.example"), BERM_OK);
	assert_int_equal(find(&rig, &second, "four.example"), BERM_OK);
	turn_until(&rig, &first);
	turn_until(&rig, &second);
	assert_addresses(&second, "192.0.2.4");
	assert_int_equal(find(&rig, &third, "four.example"), BERM_OK); /* kept */
	assert_int_equal(third.told, 0);
	turn_until(&rig, &third);
	assert_addresses(&third, "192.0.2.4");
	assert_int_equal(rig.server.asked, 2);
}

static void test_what_is_not_kept(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig, NULL);
	for (int i = 0; i < 2; i++)
		assert_found(&rig, "brief.example", "192.0.2.5"); /* TTL 0 */
	assert_int_equal(rig.server.asked, 4);
	for (int i = 0; i < 2; i++)
		assert_outcome(&rig, "missing.example", RESOLVER_NO_NAME);
	assert_int_equal(rig.server.asked, 8);
}

static void test_nobody_is_told_after_a_cancel(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig, NULL);
	struct found first, second, third;
	assert_int_equal(find(&rig, &first, "four.example"), BERM_OK);
	assert_int_equal(find(&rig, &second, "four.example"), BERM_OK);
	assert_int_equal(find(&rig, &third, "missing.example"), BERM_OK);
	resolver_cancel(rig.resolver, &first.wait);
	resolver_cancel(rig.resolver, &third.wait);
	resolver_cancel(rig.resolver, &third.wait);
	turn_until(&rig, &second);
	assert_found(&rig, "both.example", "2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 2001:db8::3");
	assert_int_equal(first.told + third.told, 0);
}

static void test_hosts_come_first(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig, "# ours\n192.0.2.77 Four.example short # old\n2001:db8::77\tshort\nfe80::1%lo bad.example\n");
	assert_found(&rig, "four.example", "192.0.2.77");
	assert_found(&rig, "short", "192.0.2.77 2001:db8::77");
	assert_found(&rig, "localhost", "::1 127.0.0.1");
	assert_found(&rig, "a.localhost", "::1 127.0.0.1");
	assert_int_equal(rig.server.asked, 0);
	assert_outcome(&rig, "bad.example", RESOLVER_NO_NAME);
}

/* Asked for while others are told, and cancelled then. */
struct chain {
	struct resolver_wait wait; /* first */
	struct rig *rig;
	struct found *other, *next;
};

static void on_chain(struct resolver_wait *wait, const struct resolver_answer *answer)
{
	struct chain *chain = (struct chain *)wait;
	(void)answer;
	resolver_cancel(chain->rig->resolver, &chain->other->wait);
	assert_int_equal(find(chain->rig, chain->next, "four.example"), BERM_OK);
	assert_int_equal(chain->next->told, 0);
}

static void test_a_callback_may_find_and_cancel(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig, NULL);
	struct found other, next = {0};
	struct chain chain = {.rig = &rig, .other = &other, .next = &next};
	assert_int_equal(find(&rig, &other, "four.example"), BERM_OK);
	assert_int_equal(resolver_find(rig.resolver, STR("four.example"), &chain.wait, on_chain, NULL), BERM_OK);
	turn_until(&rig, &next);
	assert_int_equal(other.told, 0);
	assert_addresses(&next, "192.0.2.4");
}

static void test_lookups_have_a_maximum(void **state)
{
	(void)state;
	NOT_TORTURED(); /* a thousand names, each time */
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig, NULL);
	static struct found found[RESOLVER_NAMES_MAX + 1];
	char name[32];
	enum berm_code code = BERM_OK;
	for (size_t i = 0; i <= RESOLVER_NAMES_MAX; i++) {
		assert_int_equal(code, BERM_OK);
		(void)snprintf(name, sizeof(name), "n%zu.example", i);
		code = find(&rig, &found[i], name);
	}
	assert_int_equal(code, BERM_ERR_LIMIT);
	turn_until(&rig, &found[RESOLVER_NAMES_MAX - 1]);
	assert_found(&rig, "four.example", "192.0.2.4");
	for (size_t i = 0; i < RESOLVER_NAMES_MAX; i++)
		resolver_cancel(rig.resolver, &found[i].wait);
}

static void test_an_end_in_the_middle(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig, NULL);
	struct found first, second;
	assert_int_equal(find(&rig, &first, "four.example"), BERM_OK);
	assert_int_equal(find(&rig, &second, "localhost"), BERM_OK);
	resolver_free(rig.resolver);
	rig.resolver = NULL;
	assert_int_equal(first.told + second.told, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_come_in_turns),
		cmocka_unit_test(test_aliases_are_followed),
		cmocka_unit_test(test_what_has_no_address),
		cmocka_unit_test(test_no_search_domain_is_tried),
		cmocka_unit_test(test_a_record_of_another_name_is_none),
		cmocka_unit_test(test_servers_of_many_kinds),
		cmocka_unit_test(test_a_silent_server_has_a_deadline),
		cmocka_unit_test(test_the_same_name_is_asked_for_once),
		cmocka_unit_test(test_what_is_not_kept),
		cmocka_unit_test(test_nobody_is_told_after_a_cancel),
		cmocka_unit_test(test_hosts_come_first),
		cmocka_unit_test(test_a_callback_may_find_and_cancel),
		cmocka_unit_test(test_lookups_have_a_maximum),
		cmocka_unit_test(test_an_end_in_the_middle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
