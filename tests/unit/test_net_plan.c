/* Which plan a filtered network gets on a machine that can filter it, and on one that cannot. */
#include "check.h"

#include <string.h>

#include "base/own.h"
#include "policy_rig.h"
#include "sandbox/caps.h"
#include "sandbox/plan.h"
#include "session/net_plan.h"

struct made {
	struct berm_caps *caps;
	struct berm_facts *facts;
	struct berm_plan *plan;
	struct problems problems;
	struct berm_err err;
};

static void made_drop(struct made *made)
{
	berm_plan_free(made->plan);
	berm_facts_free(made->facts);
	berm_caps_free(made->caps);
}
#define auto_made __attribute__((cleanup(made_drop))) struct made

static const char can[] = "landlock_abi=7\nseccomp_filter=1\nseccomp_listener=1\nseccomp_addfd=1\npidfd_getfd=1\n"
			  "process_vm=1\nuid=1000\n";
/* Inside another sandbox. */
static const char cannot[] =
	"landlock_abi=7\nseccomp_filter=1\npidfd_getfd=1\nprocess_vm=1\nuid=1000\nouter_landlock=1\n"
	"outer=sockets\tno local socket but named ones\nouter=network\tnetwork none\n";

static enum berm_code make(const struct policy *policy, const char *facts, bool draft, struct made *made)
{
	assert_int_equal(berm_caps_new(&made->caps, NULL), BERM_OK);
	assert_int_equal(berm_caps_network(made->caps, BERM_NET_FILTERED, NULL), BERM_OK);
	assert_int_equal(berm_facts_load(facts, strlen(facts), &made->facts, NULL), BERM_OK);
	const struct net_plan_request request = {policy, made->caps, made->facts, draft};
	return net_plan_make(&request, &made->plan, &made->problems, &made->err);
}

static void test_filtered_where_it_can_be(void **state)
{
	(void)state;
	const struct policy_doc doc = PROFILE("p", EXTENDS_NOTHING, LINE(KEY_NET_MODE, "filtered"));
	auto_rig struct rig rig = RIG(.layers = {.profiles = DOCS(&doc)});
	auto_made made = {0};
	MADE(&rig);
	assert_int_equal(make(rig.policy, can, false, &made), BERM_OK);
	assert_int_equal(made.plan->network, BERM_NET_FILTERED);
	assert_int_equal(made.caps->content_count, 2);
	assert_string_equal(made.caps->contents[0].path, "/etc/resolv.conf");
	assert_non_null(strstr(made.caps->contents[0].bytes, "\nnameserver 127.0.0.1\n"));
	assert_string_equal(made.caps->contents[1].path, "/etc/hosts");
	assert_non_null(strstr(made.caps->contents[1].bytes, "127.0.0.1\tlocalhost\n"));
}

/* Nothing is to be reached: then there is nothing that a filter would do. */
static void test_none_where_it_cannot(void **state)
{
	(void)state;
	const struct policy_doc doc = PROFILE("p", EXTENDS_NOTHING, LINE(KEY_NET_MODE, "filtered"),
					      LINE(KEY_NET_DEFAULT, "ask"), LINE(KEY_NET_DENY, "a.example"));
	auto_rig struct rig rig = RIG(.layers = {.profiles = DOCS(&doc)});
	auto_made made = {0}, draft = {0};
	MADE(&rig);
	if (make(rig.policy, cannot, false, &made) != BERM_OK)
		fail_msg("%s", made.err.msg);
	assert_int_equal(made.plan->network, BERM_NET_NONE);
	assert_int_equal(make(rig.policy, cannot, true, &draft), BERM_OK);
	assert_int_equal(draft.plan->network, BERM_NET_NONE);
	assert_false(draft.plan->refused);
}

static void test_hosts_are_refused_where_they_stand(void **state)
{
	(void)state;
	const struct policy_doc doc = PROFILE("p", EXTENDS_NOTHING, LINE(KEY_NET_MODE, "filtered"),
					      LINE(KEY_NET_ALLOW, "a.example"), LINE(KEY_NET_ALLOW, "b.example"));
	auto_rig struct rig rig = RIG(.layers = {.profiles = DOCS(&doc)});
	auto_made made = {0}, draft = {0};
	MADE(&rig);
	assert_int_equal(make(rig.policy, cannot, false, &made), BERM_ERR_UNSUPPORTED);
	assert_int_equal(made.problems.count, 2);
	assert_string_equal(made.problems.items[0].file, "profiles/p.yaml");
	assert_non_null(strstr(made.problems.items[0].text, "'a.example'"));
	assert_string_equal(made.problems.items[0].hint, "network.mode: host");
	assert_int_equal(make(rig.policy, cannot, true, &draft), BERM_OK);
	assert_true(draft.plan->refused);
	assert_int_equal(draft.problems.count, 2);
}

/* Something else that is refused is told by its own name. */
static void test_another_refusal(void **state)
{
	(void)state;
	const struct policy_doc doc = PROFILE("p", EXTENDS_NOTHING, LINE(KEY_NET_MODE, "filtered"));
	auto_rig struct rig rig = RIG(.layers = {.profiles = DOCS(&doc)});
	auto_made made = {0};
	MADE(&rig);
	assert_int_equal(berm_caps_new(&made.caps, NULL), BERM_OK);
	assert_int_equal(berm_caps_network(made.caps, BERM_NET_FILTERED, NULL), BERM_OK);
	assert_int_equal(berm_caps_backend(made.caps, BERM_BACKEND_NAMESPACES, NULL), BERM_OK);
	assert_int_equal(berm_facts_load(cannot, strlen(cannot), &made.facts, NULL), BERM_OK);
	const struct net_plan_request request = {rig.policy, made.caps, made.facts, false};
	assert_int_equal(net_plan_make(&request, &made.plan, &made.problems, &made.err), BERM_ERR_UNSUPPORTED);
	assert_null(strstr(made.err.msg, "network"));
	assert_int_equal(made.problems.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filtered_where_it_can_be),
		cmocka_unit_test(test_none_where_it_cannot),
		cmocka_unit_test(test_hosts_are_refused_where_they_stand),
		cmocka_unit_test(test_another_refusal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
