/* What a sandbox answers to file questions: what it sees in a place, and what is let pass there. */
#include "check.h"

#include <string.h>
#include <sys/stat.h>

#include "base/own.h"
#include "sandbox/plan_build.h"
#include "sandbox/plan_decide.h"

enum { ALL = BERM_READ | BERM_WRITE | BERM_DELETE | BERM_EXEC, READ_EXEC = BERM_READ | BERM_EXEC };

struct fixture {
	struct plan_grant grants[5], around[1];
	struct plan_rule rules[2];
	struct plan_mask masks[1];
	struct plan_link links[1];
	struct plan_scratch scratches[1];
	uint32_t head, next[2];
	struct plan_owned owned;
	struct berm_plan plan;
};

/* A hidden view with a workspace in /w, programs in /usr, one file to be read, a link, a mask and two rules. */
static void fixture_init(struct fixture *fixture)
{
	*fixture = (struct fixture){
		.grants = {{.path = "/usr", .rights = READ_EXEC, .tree = true, .exists = true},
			   {.path = "/w", .rights = ALL, .tree = true, .exists = true, .govern = GOVERN_WRITE},
			   {.path = "/w/kept", .rights = ALL, .exists = true, .govern = GOVERN_WRITE},
			   {.path = "/x/docs/note", .rights = BERM_READ, .exists = true},
			   {.path = "/x/later", .rights = BERM_READ, .tree = true}},
		.rules = {{.path = "/w/secret", .right = BERM_DENY, .label = "secret", .tree = true},
			  {.path = "/w/hook", .right = BERM_PROTECT, .label = "hook"}},
		.masks = {{.path = "/w/secret"}},
		.links = {{.path = "/bin", .target = "usr/bin"}},
		.scratches = {{.path = "/tmp"}},
		.next = {2, 0},
	};
	fixture->owned =
		(struct plan_owned){.heads = &fixture->head, .head_count = 1, .next = fixture->next, .keyless = 1};
	fixture->plan = (struct berm_plan){
		.owned = &fixture->owned,
		.backend = BERM_BACKEND_NAMESPACES,
		.hidden = true,
		.landlock_abi = 7,
		.grants = fixture->grants,
		.grant_count = ARRAY_LEN(fixture->grants) - 1,
		.rules = fixture->rules,
		.rule_count = 2,
		.literal_count = 2,
		.masks = fixture->masks,
		.mask_count = 1,
		.links = fixture->links,
		.link_count = 1,
		.scratches = fixture->scratches,
		.scratch_count = 1,
	};
}

static void test_sights_of_the_hidden_view(void **state)
{
	(void)state;
	struct fixture fixture;
	static const struct {
		const char *path;
		enum plan_sight sight;
	} cases[] = {
		{"/", SIGHT_FOLDER},	       {"/w", SIGHT_REAL},
		{"/w/any/where", SIGHT_REAL},  {"/w/secret", SIGHT_MASKED},
		{"/w/secret/x", SIGHT_MASKED}, {"/w/secrets", SIGHT_REAL},
		{"/x", SIGHT_FOLDER},	       {"/x/docs", SIGHT_FOLDER},
		{"/x/docs/note", SIGHT_REAL},  {"/x/docs/other", SIGHT_HIDDEN},
		{"/x/later", SIGHT_HIDDEN},    {"/bin", SIGHT_LINK},
		{"/binary", SIGHT_HIDDEN},     {"/tmp", SIGHT_OWN},
		{"/tmp/x", SIGHT_OWN},	       {"/proc/1/maps", SIGHT_OWN},
		{"/dev/sda", SIGHT_OWN},       {"/sys", SIGHT_FOLDER},
		{"/sys/kernel", SIGHT_HIDDEN},
	};
	fixture_init(&fixture);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (plan_sight_of(&fixture.plan, str_from(cases[i].path)) != cases[i].sight)
			fail_msg("%s: %d", cases[i].path, (int)plan_sight_of(&fixture.plan, str_from(cases[i].path)));
}

static void test_sights_of_the_visible_view(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture);
	fixture.plan.hidden = false;
	fixture.plan.link_count = 0;
	assert_int_equal(plan_sight_of(&fixture.plan, STR("/x/docs/other")), SIGHT_REAL);
	assert_int_equal(plan_sight_of(&fixture.plan, STR("/w/secret")), SIGHT_MASKED);
	assert_int_equal(plan_sight_of(&fixture.plan, STR("/tmp/x")), SIGHT_OWN);
	assert_int_equal(plan_sight_of(&fixture.plan, STR("/run/x")), SIGHT_HIDDEN);
	const char *socket = "/run/socket";
	fixture.plan.sockets = &socket;
	fixture.plan.socket_count = 1;
	assert_int_equal(plan_sight_of(&fixture.plan, STR("/run/x")), SIGHT_REAL);
	fixture.plan.backend = BERM_BACKEND_LANDLOCK;
	assert_int_equal(plan_sight_of(&fixture.plan, STR("/tmp/x")), SIGHT_REAL);
}

struct question {
	enum plan_op op;
	const char *path;
	mode_t mode;
	bool allowed, missing;
};

static void ask(const struct fixture *fixture, const struct question *questions, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct plan_question asked = {
			.op = questions[i].op, .path = str_from(questions[i].path), .mode = questions[i].mode};
		struct plan_answer answer = plan_decide(&fixture->plan, &asked);
		if (answer.allowed != questions[i].allowed || answer.missing != questions[i].missing)
			fail_msg("%s, op %d: %s", questions[i].path, (int)questions[i].op,
				 answer.allowed ? "allowed" : "denied");
	}
}

static void test_answers_by_grants_and_rules(void **state)
{
	(void)state;
	struct fixture fixture;
	static const struct question questions[] = {
		{PLAN_OP_READ, "/w/f", S_IFREG, true, false},
		{PLAN_OP_WRITE, "/w/f", S_IFREG, true, false},
		{PLAN_OP_EXEC, "/w/f", S_IFREG, true, false},
		{PLAN_OP_CREATE, "/w/new", 0, true, false},
		{PLAN_OP_DELETE, "/w/f", S_IFREG, true, false},
		{PLAN_OP_DELETE, "/w/kept", S_IFREG, false, false},
		{PLAN_OP_DELETE, "/w", S_IFDIR, false, false},
		{PLAN_OP_READ, "/w/hook", S_IFREG, true, false},
		{PLAN_OP_WRITE, "/w/hook", S_IFREG, false, false},
		{PLAN_OP_CREATE, "/w/hook", 0, false, false},
		{PLAN_OP_READ, "/w/secret", S_IFREG, false, false},
		{PLAN_OP_READ, "/usr/bin/cc", S_IFREG, true, false},
		{PLAN_OP_EXEC, "/usr/bin/cc", S_IFREG, true, false},
		{PLAN_OP_WRITE, "/usr/bin/cc", S_IFREG, false, false},
		{PLAN_OP_CREATE, "/usr/new", 0, false, false},
		{PLAN_OP_EXEC, "/x/docs/note", S_IFREG, false, false},
		{PLAN_OP_DELETE, "/x/docs/note", S_IFREG, false, false},
		{PLAN_OP_READ, "/x/docs/other", S_IFREG, false, true},
		{PLAN_OP_CREATE, "/x/docs/other", 0, false, false},
		{PLAN_OP_CREATE, "/y/other", 0, false, true},
		{PLAN_OP_LIST, "/x/docs", S_IFDIR, true, false},
		{PLAN_OP_READ, "/x/docs", S_IFDIR, true, false},
	};
	fixture_init(&fixture);
	ask(&fixture, questions, ARRAY_LEN(questions));
	const struct plan_question secret = {.op = PLAN_OP_READ, .path = STR("/w/secret"), .mode = S_IFREG};
	assert_ptr_equal(plan_decide(&fixture.plan, &secret).by, &fixture.rules[0]);
	fixture.grants[0].rights = BERM_EXEC; /* now no rule on the root says that all may be read */
	const struct question listed = {PLAN_OP_LIST, "/x/docs", S_IFDIR, false, false};
	ask(&fixture, &listed, 1);
}

static void test_own_folders(void **state)
{
	(void)state;
	struct fixture fixture;
	static const struct question questions[] = {
		{PLAN_OP_CREATE, "/tmp/x", 0, true, false},	   {PLAN_OP_READ, "/tmp/x", 0, false, true},
		{PLAN_OP_LIST, "/tmp", S_IFDIR, true, false},	   {PLAN_OP_DELETE, "/tmp", S_IFDIR, false, false},
		{PLAN_OP_READ, "/dev/null", 0, true, false},	   {PLAN_OP_WRITE, "/dev/null", 0, true, false},
		{PLAN_OP_READ, "/dev/sda", 0, false, true},	   {PLAN_OP_CREATE, "/dev/x", 0, false, true},
		{PLAN_OP_READ, "/proc/self/maps", 0, true, false}, {PLAN_OP_READ, "/proc/1/maps", 0, false, true},
		{PLAN_OP_READ, "/proc/kcore", 0, false, false},	   {PLAN_OP_EXEC, "/proc/self/exe", 0, false, false},
		{PLAN_OP_READ, "/proc/version", 0, true, false},   {PLAN_OP_WRITE, "/proc/version", 0, false, false},
	};
	static const struct question without[] = {
		{PLAN_OP_READ, "/dev/null", 0, true, false},	     {PLAN_OP_READ, "/dev/sda", 0, false, false},
		{PLAN_OP_READ, "/proc/1/status", 0, true, false},    {PLAN_OP_READ, "/proc/1/maps", 0, false, false},
		{PLAN_OP_READ, "/dev/shm/x", S_IFREG, false, false}, {PLAN_OP_CREATE, "/dev/shm/x", 0, true, false},
		{PLAN_OP_CREATE, "/tmp/x", 0, false, false},
	};
	const struct question link = {PLAN_OP_DELETE, "/tmp/link", S_IFLNK, true, false};
	fixture_init(&fixture);
	ask(&fixture, questions, ARRAY_LEN(questions));
	fixture.links[0].path = link.path;
	ask(&fixture, &link, 1);
	fixture.plan.backend = BERM_BACKEND_LANDLOCK;
	fixture.plan.hidden = false;
	ask(&fixture, without, ARRAY_LEN(without));
}

/* Granted, /dev/shm is the machine's; with a grant of its own path a scratch folder gives way in the visible view. */
static void test_own_folders_that_are_granted(void **state)
{
	(void)state;
	struct fixture fixture;
	const struct question own = {PLAN_OP_CREATE, "/dev/shm/x", 0, true, false};
	const struct question granted = {PLAN_OP_CREATE, "/dev/shm/x", 0, false, false};
	fixture_init(&fixture);
	ask(&fixture, &own, 1);
	assert_false(plan_scratch_is_granted(&fixture.plan, "/dev/shm"));
	fixture.grants[0].path = "/dev/shm"; /* may be read */
	assert_true(plan_scratch_is_granted(&fixture.plan, "/dev/shm"));
	ask(&fixture, &granted, 1);
	assert_int_equal(plan_sight_of(&fixture.plan, STR("/dev/shm/x")), SIGHT_REAL);
	fixture.grants[0].exists = false;
	assert_false(plan_scratch_is_granted(&fixture.plan, "/dev/shm"));
	fixture.grants[0] = (struct plan_grant){.path = "/tmp", .rights = BERM_READ, .tree = true, .exists = true};
	assert_false(plan_scratch_is_granted(&fixture.plan, "/tmp"));
	fixture.plan.hidden = false;
	assert_true(plan_scratch_is_granted(&fixture.plan, "/tmp"));
	assert_false(plan_scratch_is_granted(&fixture.plan, "/tmp/below"));
}

/* Without namespaces rules hold in /dev/shm, which is everybody's. */
static void test_rules_in_shared_memory(void **state)
{
	(void)state;
	struct fixture fixture;
	const struct question free_name = {PLAN_OP_CREATE, "/dev/shm/hook", 0, true, false};
	const struct question protected_name = {PLAN_OP_CREATE, "/dev/shm/hook", 0, false, false};
	fixture_init(&fixture);
	fixture.rules[1].path = "/dev/shm/hook";
	ask(&fixture, &free_name, 1);
	fixture.plan.backend = BERM_BACKEND_LANDLOCK;
	fixture.plan.hidden = false;
	ask(&fixture, &protected_name, 1);
}

static void test_what_lies_around_a_denied_name(void **state)
{
	(void)state;
	struct fixture fixture;
	static const struct question questions[] = {
		{PLAN_OP_LIST, "/x/docs", S_IFDIR, true, false},
		{PLAN_OP_READ, "/x/docs", S_IFDIR, true, false},
		{PLAN_OP_READ, "/x/docs/note", S_IFREG, true, false},
		{PLAN_OP_READ, "/x/docs/other", S_IFREG, false, false},
	};
	fixture_init(&fixture);
	fixture.plan.backend = BERM_BACKEND_LANDLOCK;
	fixture.plan.hidden = false;
	fixture.plan.mask_count = 0;
	fixture.grants[3] = (struct plan_grant){.path = "/x/docs", .rights = PLAN_LIST, .tree = true, .exists = true};
	fixture.around[0] = (struct plan_grant){.path = "/x/docs/note", .rights = BERM_READ, .exists = true};
	fixture.plan.around = fixture.around;
	fixture.plan.around_count = 1;
	ask(&fixture, questions, ARRAY_LEN(questions));
}

static void test_removing_needs_a_writable_mount(void **state)
{
	(void)state;
	struct fixture fixture;
	const struct question denied = {PLAN_OP_DELETE, "/w/f", S_IFREG, false, false};
	const struct question allowed = {PLAN_OP_DELETE, "/w/f", S_IFREG, true, false};
	fixture_init(&fixture);
	fixture.grants[1].rights = BERM_READ | BERM_DELETE;
	ask(&fixture, &denied, 1);
	fixture.plan.backend = BERM_BACKEND_LANDLOCK;
	fixture.plan.hidden = false;
	ask(&fixture, &allowed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sights_of_the_hidden_view),
		cmocka_unit_test(test_sights_of_the_visible_view),
		cmocka_unit_test(test_answers_by_grants_and_rules),
		cmocka_unit_test(test_own_folders),
		cmocka_unit_test(test_own_folders_that_are_granted),
		cmocka_unit_test(test_rules_in_shared_memory),
		cmocka_unit_test(test_what_lies_around_a_denied_name),
		cmocka_unit_test(test_removing_needs_a_writable_mount),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
