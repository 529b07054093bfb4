/*
 * What an update of a running sandbox comes to: real sandboxes of both back-ends that do nothing but wait; tests/live tries
 * every path from inside. Here it is what the report says of each kind of line.
 */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "berm/berm.h"
#include "folder_rig.h"
#include "sandbox/box.h"

static char base[] = "/var/tmp/berm-live-XXXXXX";

struct wish {
	unsigned docs, work; /* rights */
	const char *deny, *protect, *socket;
	enum berm_network network;
	uint64_t files;		     /* limit of open files */
	bool ptrace, scratch, inner; /* work/cache is a scratch folder, and what is granted in it */
};

static const unsigned ALL = BERM_READ | BERM_WRITE | BERM_DELETE;

static const char *in_base(const char *name)
{
	static char text[4][128];
	static size_t turn;
	turn = (turn + 1) % 4;
	(void)snprintf(text[turn], sizeof text[turn], "%s/%s", base, name);
	return text[turn];
}

static void add_rule(struct berm_caps *caps, const char *pattern, unsigned right)
{
	const struct berm_rule rule = {.size = sizeof rule, .pattern = in_base(pattern), .right = right};
	assert_int_equal(berm_caps_rule(caps, &rule, NULL), BERM_OK);
}

static struct berm_plan *make_plan(const struct wish *wish, enum berm_backend backend)
{
	static const char *const system[] = {"/usr", "/bin", "/lib", "/lib64"};
	struct berm_caps *caps;
	struct berm_facts *facts;
	struct berm_plan *plan;
	assert_int_equal(berm_facts_probe(&facts, NULL), BERM_OK);
	assert_int_equal(berm_caps_new(&caps, NULL), BERM_OK);
	for (size_t i = 0; i < ARRAY_LEN(system); i++)
		assert_int_equal(berm_caps_path(caps, system[i], BERM_READ | BERM_EXEC, BERM_TREE, NULL), BERM_OK);
	if (wish->docs != 0)
		assert_int_equal(berm_caps_path(caps, in_base("docs"), wish->docs, BERM_TREE, NULL), BERM_OK);
	if (wish->work != 0)
		assert_int_equal(berm_caps_path(caps, in_base("work"), wish->work, BERM_TREE, NULL), BERM_OK);
	if (wish->scratch)
		assert_int_equal(berm_caps_scratch(caps, in_base("work/cache"), NULL, NULL), BERM_OK);
	if (wish->inner)
		assert_int_equal(berm_caps_path(caps, in_base("work/cache/x"), wish->work, BERM_TREE, NULL), BERM_OK);
	add_rule(caps, "**/always", BERM_PROTECT);
	if (wish->deny != NULL)
		add_rule(caps, wish->deny, BERM_DENY);
	if (wish->protect != NULL)
		add_rule(caps, wish->protect, BERM_PROTECT);
	if (wish->socket != NULL)
		assert_int_equal(berm_caps_socket(caps, in_base(wish->socket), NULL), BERM_OK);
	if (wish->files != 0)
		assert_int_equal(berm_caps_limit(caps, BERM_LIMIT_OPEN_FILES, wish->files, NULL), BERM_OK);
	if (wish->ptrace)
		assert_int_equal(berm_caps_allow(caps, BERM_EXTRA_PTRACE, NULL), BERM_OK);
	assert_int_equal(berm_caps_network(caps, wish->network, NULL), BERM_OK);
	assert_int_equal(berm_caps_backend(caps, backend, NULL), BERM_OK);
	struct berm_err err;
	enum berm_code code = berm_plan_make(caps, facts, &plan, &err);
	if (code != BERM_OK)
		print_message("%s\n", err.msg);
	assert_int_equal(code, BERM_OK);
	berm_caps_free(caps);
	berm_facts_free(facts);
	return plan;
}

static struct berm_sandbox *start(const struct wish *wish, enum berm_backend backend)
{
	static const char *const argv[] = {"sleep", "60", NULL}, *const envp[] = {"PATH=/usr/bin:/bin", NULL};
	const struct berm_command command = {
		.size = sizeof command, .argv = argv, .envp = envp, .cwd = "/", .stdio = {-1, -1, -1}, .terminal = -1};
	struct berm_plan *plan = make_plan(wish, backend);
	struct berm_sandbox *box;
	assert_int_equal(berm_sandbox_spawn(plan, &command, &box, NULL), BERM_OK);
	berm_plan_free(plan);
	assert_int_equal(berm_sandbox_generation(box), 1);
	return box;
}

static enum berm_code update(struct berm_sandbox *box, const struct wish *wish, enum berm_backend backend,
			     enum berm_update how)
{
	struct berm_err err = {0};
	struct berm_plan *plan = make_plan(wish, backend);
	enum berm_code code = berm_sandbox_update(box, plan, how, &err);
	berm_plan_free(plan);
	return code;
}

/* When the line that begins so is in force; -1: it is not among the changes. */
static int when(const struct berm_sandbox *box, bool added, const char *line)
{
	struct berm_change change;
	for (size_t i = 0; berm_sandbox_change(box, i, &change); i++)
		if (change.added == added && strncmp(change.line, line, strlen(line)) == 0)
			return (int)change.when;
	return -1;
}

static size_t count(const struct berm_sandbox *box)
{
	struct berm_change change;
	size_t index = 0;
	while (berm_sandbox_change(box, index, &change))
		index++;
	return index;
}

static int setup(void **state)
{
	(void)state;
	if (folder_make(base) < 0 || mkdir(in_base("docs"), 0755) < 0 || mkdir(in_base("work"), 0755) < 0 ||
	    mkdir(in_base("work/cache"), 0755) < 0 || mkdir(in_base("work/cache/x"), 0755) < 0)
		return -1;
	int fd = open(in_base("docs/a.key"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	return fd < 0 || close(fd) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	return folder_remove(base);
}

static const struct wish usual = {.work = BERM_READ | BERM_WRITE | BERM_DELETE};

static void with_namespaces_files_come_and_go(void **state)
{
	(void)state;
	NOT_TORTURED();
	struct wish wish = usual;
	struct berm_sandbox *box = start(&wish, BERM_BACKEND_NAMESPACES);
	assert_int_equal(update(box, &wish, BERM_BACKEND_NAMESPACES, BERM_UPDATE_WHOLE), BERM_OK);
	assert_int_equal(count(box), 0);
	wish.docs = BERM_READ;
	wish.deny = "**/*.key";
	assert_int_equal(update(box, &wish, BERM_BACKEND_NAMESPACES, BERM_UPDATE_WHOLE), BERM_OK);
	assert_int_equal(when(box, true, "read /"), BERM_WHEN_NOW);
	assert_int_equal(when(box, true, "deny /"), BERM_WHEN_NEW_OPENS);
	wish.docs = BERM_READ | BERM_EXEC; /* Landlock was not told of it */
	assert_int_equal(update(box, &wish, BERM_BACKEND_NAMESPACES, BERM_UPDATE_WHOLE), BERM_OK);
	assert_int_equal(when(box, true, "read+exec /"), BERM_WHEN_NEXT_RUN);
	assert_int_equal(when(box, false, "read /"), BERM_WHEN_NEW_OPENS);
	wish = (struct wish){.docs = ALL, .protect = "**/p"};
	assert_int_equal(update(box, &wish, BERM_BACKEND_NAMESPACES, BERM_UPDATE_WHOLE), BERM_OK);
	assert_int_equal(when(box, true, "read+write+delete"), BERM_WHEN_NOW);
	assert_int_equal(when(box, false, "read+write+delete"), BERM_WHEN_NEW_OPENS);
	assert_int_equal(when(box, false, "deny"), BERM_WHEN_NOW);
	assert_int_equal(when(box, true, "protect"), BERM_WHEN_NEW_OPENS);
	assert_int_equal(berm_sandbox_generation(box), 5);
	berm_sandbox_free(box);
}

/* What was mounted there at the start stays and goes; what comes later has no place. */
static void a_scratch_folder_in_a_grant_takes_no_grants_later(void **state)
{
	(void)state;
	NOT_TORTURED();
	struct wish wish = usual;
	wish.scratch = true;
	struct berm_sandbox *box = start(&wish, BERM_BACKEND_NAMESPACES);
	wish.inner = true;
	assert_int_equal(update(box, &wish, BERM_BACKEND_NAMESPACES, BERM_UPDATE_WHOLE), BERM_OK);
	assert_int_equal(when(box, true, "read+write"), BERM_WHEN_NEXT_RUN);
	berm_sandbox_free(box);
	box = start(&wish, BERM_BACKEND_NAMESPACES);
	wish.docs = BERM_READ;
	assert_int_equal(update(box, &wish, BERM_BACKEND_NAMESPACES, BERM_UPDATE_WHOLE), BERM_OK);
	assert_int_equal(when(box, true, "read /"), BERM_WHEN_NOW);
	wish.inner = false;
	assert_int_equal(update(box, &wish, BERM_BACKEND_NAMESPACES, BERM_UPDATE_WHOLE), BERM_OK);
	assert_int_equal(when(box, false, "read+write"), BERM_WHEN_NEW_OPENS);
	berm_sandbox_free(box);
}

static void without_namespaces_what_landlock_granted_stays(void **state)
{
	(void)state;
	NOT_TORTURED();
	struct wish wish = {.docs = BERM_READ, .work = ALL};
	struct berm_sandbox *box = start(&wish, BERM_BACKEND_LANDLOCK);
	wish.docs = 0;
	assert_int_equal(update(box, &wish, BERM_BACKEND_LANDLOCK, BERM_UPDATE_WHOLE), BERM_ERR_UNSUPPORTED);
	assert_int_equal(when(box, false, "read /"), BERM_WHEN_NEXT_RUN);
	assert_int_equal(berm_sandbox_generation(box), 1);
	assert_int_equal(update(box, &wish, BERM_BACKEND_LANDLOCK, BERM_UPDATE_PARTIAL), BERM_OK);
	assert_int_equal(when(box, false, "read /"), BERM_WHEN_NEXT_RUN);
	assert_int_equal(berm_sandbox_generation(box), 2);
	wish.protect = "work/**/p"; /* changes there are done on behalf since the start */
	assert_int_equal(update(box, &wish, BERM_BACKEND_LANDLOCK, BERM_UPDATE_WHOLE), BERM_OK);
	assert_int_equal(when(box, true, "protect"), BERM_WHEN_NEW_OPENS);
	wish.socket = "docs/s";
	assert_int_equal(update(box, &wish, BERM_BACKEND_LANDLOCK, BERM_UPDATE_WHOLE), BERM_OK);
	assert_int_equal(when(box, true, "socket"), BERM_WHEN_NOW);
	berm_sandbox_free(box);
}

static void what_is_fixed_waits_for_the_next_run(void **state)
{
	(void)state;
	NOT_TORTURED();
	struct wish wish = usual;
	struct berm_sandbox *box = start(&wish, BERM_BACKEND_LANDLOCK);
	wish.ptrace = true; /* widens: nothing to fail for */
	wish.network = BERM_NET_HOST;
	assert_int_equal(update(box, &wish, BERM_BACKEND_LANDLOCK, BERM_UPDATE_WHOLE), BERM_OK);
	assert_int_equal(when(box, true, "ptrace"), -1);
	assert_int_equal(when(box, true, "network host"), BERM_WHEN_NEXT_RUN);
	wish.files = 100;
	assert_int_equal(update(box, &wish, BERM_BACKEND_LANDLOCK, BERM_UPDATE_WHOLE), BERM_ERR_UNSUPPORTED);
	assert_int_equal(when(box, true, "limit open-files=100"), BERM_WHEN_NEXT_RUN);
	berm_sandbox_free(box);
}

static bool narrows(const struct berm_sandbox *box, const char *line)
{
	struct berm_change change;
	for (size_t i = 0; berm_sandbox_change(box, i, &change); i++)
		if (change.added && strcmp(change.line, line) == 0)
			return change.narrows;
	fail_msg("no change '%s'", line);
	return false;
}

static void a_network_of_fewer_names_narrows(void **state)
{
	(void)state;
	NOT_TORTURED();
	static const char *const lines[] = {[BERM_NET_NONE] = "network none",
					    [BERM_NET_HOST] = "network host",
					    [BERM_NET_FILTERED] = "network filtered"};
	static const struct {
		enum berm_network from, to;
		bool narrows;
	} rows[] = {
		{BERM_NET_HOST, BERM_NET_FILTERED, true},  {BERM_NET_HOST, BERM_NET_NONE, true},
		{BERM_NET_FILTERED, BERM_NET_NONE, true},  {BERM_NET_FILTERED, BERM_NET_HOST, false},
		{BERM_NET_NONE, BERM_NET_FILTERED, false}, {BERM_NET_NONE, BERM_NET_HOST, false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wish wish = usual;
		wish.network = rows[i].from;
		struct berm_sandbox *box = start(&wish, BERM_BACKEND_NAMESPACES);
		wish.network = rows[i].to;
		/* What narrows and cannot be put in force fails as a whole. */
		assert_int_equal(update(box, &wish, BERM_BACKEND_NAMESPACES, BERM_UPDATE_WHOLE),
				 rows[i].narrows ? BERM_ERR_UNSUPPORTED : BERM_OK);
		assert_int_equal(narrows(box, lines[rows[i].to]), rows[i].narrows);
		assert_int_equal(when(box, true, lines[rows[i].to]), BERM_WHEN_NEXT_RUN);
		berm_sandbox_free(box);
	}
}

static void other_plans_and_ended_sandboxes_are_refused(void **state)
{
	(void)state;
	NOT_TORTURED();
	struct wish wish = usual;
	struct berm_sandbox *box = start(&wish, BERM_BACKEND_LANDLOCK);
	assert_int_equal(update(box, &wish, BERM_BACKEND_NAMESPACES, BERM_UPDATE_PARTIAL), BERM_ERR_INVALID);
	berm_sandbox_kill(box);
	assert_int_equal(berm_sandbox_wait(box, NULL, NULL), BERM_OK);
	assert_int_equal(update(box, &wish, BERM_BACKEND_LANDLOCK, BERM_UPDATE_PARTIAL), BERM_ERR_CLOSED);
	assert_int_equal(berm_sandbox_generation(box), 1);
	berm_sandbox_free(box);
}

/* What another update is changing, and whether the helper has answered it yet, says nothing to the second one. */
static void a_second_update_finds_the_first_at_work(void **state)
{
	(void)state;
	NOT_TORTURED();
	struct wish wish = usual;
	struct berm_sandbox *box = start(&wish, BERM_BACKEND_LANDLOCK);
	assert_false(atomic_flag_test_and_set(&box->live.busy));
	box->live.lost = true; /* the first one waits for an answer */
	assert_int_equal(update(box, &wish, BERM_BACKEND_LANDLOCK, BERM_UPDATE_PARTIAL), BERM_ERR_TIMEOUT);
	atomic_flag_clear(&box->live.busy); /* and gave up */
	assert_int_equal(update(box, &wish, BERM_BACKEND_LANDLOCK, BERM_UPDATE_PARTIAL), BERM_ERR_CLOSED);
	box->live.lost = false;
	assert_int_equal(update(box, &wish, BERM_BACKEND_LANDLOCK, BERM_UPDATE_PARTIAL), BERM_OK);
	assert_int_equal(berm_sandbox_generation(box), 2);
	berm_sandbox_free(box);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(with_namespaces_files_come_and_go, setup, teardown),
		cmocka_unit_test_setup_teardown(a_scratch_folder_in_a_grant_takes_no_grants_later, setup, teardown),
		cmocka_unit_test_setup_teardown(without_namespaces_what_landlock_granted_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_fixed_waits_for_the_next_run, setup, teardown),
		cmocka_unit_test_setup_teardown(a_network_of_fewer_names_narrows, setup, teardown),
		cmocka_unit_test_setup_teardown(a_second_update_finds_the_first_at_work, setup, teardown),
		cmocka_unit_test_setup_teardown(other_plans_and_ended_sandboxes_are_refused, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
