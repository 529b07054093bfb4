#include "check.h"

#include <string.h>
#include <sys/eventfd.h>

#include "base/own.h"
#include "egress/dial.h"
#include "egress/reach.h"
#include "egress/tunnel.h"

/* ---- a monitor, a resolver and a network that say what the test wants ---------------------------------------------- */

struct stand {
	struct egress egress;
	struct door_question asked; /* the last */
	char text[64];
	unsigned questions, resolved, dialled, tunnels, done;
	struct door_wait *waiting;
	struct resolver_wait *resolving;
	struct dial *dial;
	uint16_t dialled_port;
	size_t dialled_count;
	struct net_address first;
	char name[64], request[256];
	struct tunnel *tunnel;
	struct reach reach;
	enum reach_outcome outcome;
	enum door_why why;
	int fd;
};
static struct stand stand;

enum berm_code door_ask(struct door *door, struct door_question *question, struct str text, struct door_wait *wait,
			door_done done, struct berm_err *err)
{
	(void)door;
	(void)err;
	question->id = ++stand.questions;
	stand.asked = *question;
	memcpy(stand.text, text.ptr, text.len < sizeof(stand.text) ? text.len : 0);
	wait->id = question->id;
	wait->done = done;
	stand.waiting = wait;
	return BERM_OK;
}

void door_withdraw(struct door *door, struct door_wait *wait)
{
	(void)door;
	if (wait->id != 0)
		stand.waiting = NULL;
	wait->id = 0;
}

enum berm_code resolver_find(struct resolver *resolver, struct str name, struct resolver_wait *wait, resolver_done done,
			     struct berm_err *err)
{
	(void)resolver;
	(void)err;
	stand.resolved++;
	memcpy(stand.name, name.ptr, name.len < sizeof(stand.name) ? name.len : 0);
	wait->done = done;
	wait->job = &stand;
	stand.resolving = wait;
	return BERM_OK;
}

void resolver_cancel(struct resolver *resolver, struct resolver_wait *wait)
{
	(void)resolver;
	wait->job = NULL;
	stand.resolving = NULL;
}

enum berm_code dial_start(struct dial *dial, struct egress_loop *loop, const struct dial_plan *plan, dial_done done,
			  struct berm_err *err)
{
	(void)loop;
	(void)err;
	stand.dialled++;
	stand.dialled_port = plan->port;
	stand.dialled_count = plan->count;
	stand.first = plan->addresses[0];
	dial->done = done;
	stand.dial = dial;
	return BERM_OK;
}

void dial_cancel(struct dial *dial)
{
	(void)dial;
	stand.dial = NULL;
}

enum berm_code tunnel_print(const char *host, uint16_t port, const char *login, struct buf *out, struct berm_err *err)
{
	(void)err;
	buf_printf(out, "%s %u %s", host, (unsigned)port, login);
	return BERM_OK;
}

enum berm_code tunnel_start(struct tunnel *tunnel, struct egress_loop *loop, int fd, struct str request,
			    tunnel_done done, struct berm_err *err)
{
	(void)loop;
	(void)fd;
	(void)err;
	stand.tunnels++;
	memcpy(stand.request, request.ptr, request.len < sizeof(stand.request) ? request.len : 0);
	tunnel->done = done;
	stand.tunnel = tunnel;
	return BERM_OK;
}

void tunnel_cancel(struct tunnel *tunnel)
{
	(void)tunnel;
	stand.tunnel = NULL;
}

/* ---- acts ---------------------------------------------------------------------------------------------------------- */

static void reached(struct reach *reach, const struct reach_result *result)
{
	(void)reach;
	stand.done++;
	stand.outcome = result->outcome;
	stand.fd = result->fd;
	stand.why = result->answer != NULL ? (enum door_why)result->answer->why : DOOR_BY_RULE;
}

static void end_stand(const int *unused)
{
	(void)unused;
	reach_cancel(&stand.reach);
	own_close(&stand.fd);
	loop_done(&stand.egress.loop);
}
#define auto_stand __attribute__((cleanup(end_stand), unused))

static void begin_there(enum door_kind kind, const char *host, bool decide_only, struct net_address there)
{
	struct door_question question = {.kind = (uint16_t)kind, .port = 443, .method = "GET"};
	const struct reach_ask ask = {&question, STR("/x"), decide_only, there};
	memset(&stand, 0, sizeof(stand));
	stand.fd = -1;
	stand.egress.limits.connect_ms = 60000;
	strcpy(question.host, host);
	assert_int_equal(loop_init(&stand.egress.loop, NULL), BERM_OK);
	assert_int_equal(reach_start(&stand.reach, &stand.egress, &ask, reached, NULL), BERM_OK);
}

static void begin(enum door_kind kind, const char *host, bool decide_only)
{
	begin_there(kind, host, decide_only, (struct net_address){NET_NONE, {0}});
}

static void answer(const struct door_answer *answer)
{
	struct door_wait *wait = stand.waiting;
	assert_non_null(wait);
	stand.waiting = NULL;
	wait->id = 0;
	wait->done(wait, answer);
}

static void allow(unsigned addresses)
{
	answer(&(struct door_answer){.verdict = DOOR_ALLOW, .allowed = (uint16_t)addresses});
}

static void resolve(void)
{
	const struct resolver_answer found = {
		RESOLVER_FOUND, 2, {{NET_IPV4, {10, 0, 0, 1}}, {NET_IPV4, {9, 9, 9, 9}}}, NULL};
	struct resolver_wait *wait = stand.resolving;
	assert_non_null(wait);
	stand.resolving = NULL;
	wait->job = NULL;
	wait->done(wait, &found);
}

static void connect_dial(void)
{
	struct dial *dial = stand.dial;
	assert_non_null(dial);
	stand.dial = NULL;
	dial->done(dial, &(struct dial_result){DIAL_DONE, eventfd(0, EFD_CLOEXEC), stand.first});
}

/* ---- the tests ----------------------------------------------------------------------------------------------------- */

static void test_what_is_dialled_was_judged(void **state)
{
	(void)state;
	auto_stand int end = 0;
	begin(DOOR_HTTP, "example.org", false);
	assert_int_equal(stand.asked.kind, DOOR_HTTP);
	assert_string_equal(stand.text, "/x");
	assert_int_equal(stand.resolved, 0); /* nothing leaves before the answer */
	allow(0);
	assert_string_equal(stand.name, "example.org");
	resolve();
	assert_int_equal(stand.asked.kind, DOOR_ADDRESSES);
	assert_int_equal(stand.asked.address_count, 2);
	assert_string_equal(stand.asked.method, "GET");
	assert_string_equal(stand.text, "/x");
	assert_int_equal(stand.asked.connection, 1);
	assert_int_equal(stand.dialled, 0);
	allow(2);
	assert_int_equal(stand.dialled_count, 1);
	assert_int_equal(stand.first.bytes[0], 9);
	assert_int_equal(stand.dialled_port, 443);
	connect_dial();
	assert_int_equal(stand.done, 1);
	assert_int_equal(stand.outcome, REACH_DONE);
	assert_int_equal(reach_connection(&stand.reach), 1);
}

static void test_an_address_is_not_resolved(void **state)
{
	(void)state;
	auto_stand int end = 0;
	begin(DOOR_CONNECT, "192.0.2.1", false);
	allow(0);
	assert_int_equal(stand.resolved, 0);
	assert_int_equal(stand.asked.kind, DOOR_ADDRESSES);
	assert_int_equal(stand.asked.address_count, 1);
}

static void test_no_address_may_be_dialled(void **state)
{
	(void)state;
	auto_stand int end = 0;
	begin(DOOR_CONNECT, "example.org", false);
	allow(0);
	resolve();
	allow(0);
	assert_int_equal(stand.done, 1);
	assert_int_equal(stand.outcome, REACH_DENIED);
	assert_int_equal(stand.why, DOOR_BY_ADDRESS);
	assert_int_equal(stand.dialled, 0);
}

static void test_a_denial_ends_it(void **state)
{
	(void)state;
	auto_stand int end = 0;
	begin(DOOR_CONNECT, "example.org", false);
	answer(&(struct door_answer){.why = DOOR_BY_PERSON, .allowed = 3, .wait_ms = 5});
	assert_int_equal(stand.outcome, REACH_DENIED);
	assert_int_equal(stand.why, DOOR_BY_PERSON);
	assert_int_equal(stand.resolved, 0);
}

static void test_a_decision_alone_dials_nothing(void **state)
{
	(void)state;
	auto_stand int end = 0;
	begin(DOOR_HTTP, "example.org", true);
	allow(0);
	assert_int_equal(stand.done, 1);
	assert_int_equal(stand.outcome, REACH_ALLOWED);
	assert_int_equal(stand.resolved, 0);
}

static void test_an_address_that_is_there_is_judged_too(void **state)
{
	(void)state;
	for (unsigned allowed = 0; allowed < 2; allowed++) {
		auto_stand int end = 0;
		begin_there(DOOR_HTTP, "example.org", true, (struct net_address){NET_IPV4, {10, 0, 0, 1}});
		allow(0);
		assert_int_equal(stand.done, 0);
		assert_int_equal(stand.asked.kind, DOOR_ADDRESSES);
		assert_int_equal(stand.asked.address_count, 1);
		assert_int_equal(stand.asked.addresses[0].bytes[0], 10);
		allow(allowed);
		assert_int_equal(stand.outcome, allowed == 1 ? REACH_ALLOWED : REACH_DENIED);
		assert_int_equal(stand.why, allowed == 1 ? DOOR_BY_RULE : DOOR_BY_ADDRESS);
		assert_int_equal(stand.dialled + stand.resolved, 0);
	}
}

static void test_a_rate_holds_for_a_while(void **state)
{
	(void)state;
	for (int decide_only = 0; decide_only < 2; decide_only++) {
		auto_stand int end = 0;
		begin(DOOR_HTTP, "example.org", decide_only != 0);
		uint64_t begun = stand.egress.loop.now_ms;
		answer(&(struct door_answer){.verdict = DOOR_ALLOW, .wait_ms = 4});
		assert_int_equal(stand.done + stand.resolved, 0);
		for (int i = 0; i < 100 && stand.done + stand.resolved == 0; i++)
			assert_int_equal(loop_turn(&stand.egress.loop, NULL), BERM_OK);
		assert_int_equal(stand.done, decide_only);
		assert_int_equal(stand.resolved, 1 - decide_only);
		assert_true(stand.egress.loop.now_ms >= begun + 4);
	}
}

static void test_a_rate_does_not_hold_for_long(void **state)
{
	(void)state;
	auto_stand int end = 0;
	begin(DOOR_CONNECT, "example.org", false);
	answer(&(struct door_answer){.verdict = DOOR_ALLOW, .wait_ms = 10001});
	assert_int_equal(stand.done, 1);
	assert_int_equal(stand.outcome, REACH_DENIED);
	assert_int_equal(stand.why, DOOR_BY_RATE);
	assert_int_equal(stand.resolved, 0);
}

static void test_a_deadline_for_all_of_it(void **state)
{
	(void)state;
	auto_stand int end = 0;
	begin(DOOR_CONNECT, "example.org", false);
	stand.egress.limits.connect_ms = 3;
	allow(0);
	for (int i = 0; i < 100 && stand.done == 0; i++)
		assert_int_equal(loop_turn(&stand.egress.loop, NULL), BERM_OK);
	assert_int_equal(stand.outcome, REACH_TIMEOUT);
	assert_null(stand.resolving);
}

/* The user's own proxy is dialled instead: through it for a connection, to it for a request. */
static void test_an_upstream_proxy(void **state)
{
	(void)state;
	const struct door_answer proxy = {.verdict = DOOR_ALLOW,
					  .upstream_port = 3128,
					  .upstream_host = "9.9.9.9",
					  .upstream_login = "Basic eA=="};
	for (int http = 0; http < 2; http++) {
		auto_stand int end = 0;
		begin(http != 0 ? DOOR_HTTP : DOOR_CONNECT, "example.org", false);
		answer(&proxy);
		assert_int_equal(stand.questions, 1);
		assert_int_equal(stand.dialled_port, 3128);
		assert_int_equal(stand.first.bytes[0], 9);
		connect_dial();
		assert_int_equal(stand.tunnels, 1 - http);
		assert_int_equal(stand.done, http);
		if (http == 0) {
			assert_string_equal(stand.request, "example.org 443 Basic eA==");
			stand.tunnel->done(stand.tunnel, TUNNEL_DONE);
		}
		assert_int_equal(stand.done, 1);
		assert_int_equal(stand.outcome, REACH_DONE);
	}
}

static void test_who_cancels_is_not_called(void **state)
{
	(void)state;
	auto_stand int end = 0;
	begin(DOOR_CONNECT, "example.org", false);
	reach_cancel(&stand.reach);
	assert_null(stand.waiting);
	assert_int_equal(stand.done, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_dialled_was_judged),
		cmocka_unit_test(test_an_address_is_not_resolved),
		cmocka_unit_test(test_no_address_may_be_dialled),
		cmocka_unit_test(test_a_denial_ends_it),
		cmocka_unit_test(test_a_decision_alone_dials_nothing),
		cmocka_unit_test(test_an_address_that_is_there_is_judged_too),
		cmocka_unit_test(test_a_rate_holds_for_a_while),
		cmocka_unit_test(test_a_rate_does_not_hold_for_long),
		cmocka_unit_test(test_a_deadline_for_all_of_it),
		cmocka_unit_test(test_an_upstream_proxy),
		cmocka_unit_test(test_who_cancels_is_not_called),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
