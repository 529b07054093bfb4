/*
 * Policies of other sandboxes, made at random, always the same ones: what is imported from them never lets anything pass
 * that they close. What they close is found out from what was written, by a model of each that knows nothing of berm's.
 * SEED=N is another beginning than the four that are always tried, and IMPORT_CASES=N makes as many of each kind.
 */
#include "check.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/own.h"
#include "builtin_rig.h"
#include "foreign_rig.h"
#include "policy/import.h"
#include "policy/load.h"
#include "policy/resolve.h"
#include "sandbox/plan_build.h"
#include "sandbox/plan_decide.h"

enum { CASES = 60, MAX = 1 << 20 };

/* ---- a small machine --------------------------------------------------------------------------------------------- */

enum { PLACES_MAX = 96 };
struct place_row {
	char path[64];
	bool folder;
};
static struct place_row places[PLACES_MAX];
static size_t place_count;

/* Three parts of a path; "" is none. */
static void add_place(bool folder, const char *one, const char *two, const char *three)
{
	assert_true(place_count < PLACES_MAX);
	struct place_row *row = &places[place_count++];
	row->folder = folder;
	int len = snprintf(row->path, sizeof row->path, "%s%s%s%s%s", one, two[0] != '\0' ? "/" : "", two,
			   three[0] != '\0' ? "/" : "", three);
	assert_true(len > 0 && (size_t)len < sizeof row->path);
}

static void make_machine(void)
{
	static const char *const others[] = {"/usr",  "/usr/bin", "/usr/lib", "/etc", "/tmp",
					     "/home", "/opt",	  "/dev",     "/proc"};
	place_count = 0;
	for (size_t r = 0; r < ARRAY_LEN(roots); r++) {
		add_place(true, roots[r], "", "");
		for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
			add_place(true, roots[r], folders[i], "");
			add_place(true, roots[r], folders[i], "sub");
			for (size_t j = 0; j < ARRAY_LEN(files); j++)
				add_place(false, roots[r], folders[i], files[j]);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		add_place(true, others[i], "", "");
}

static enum seen look(void *ctx, const char *path, char *ret_target, size_t size)
{
	(void)ctx;
	(void)ret_target;
	(void)size;
	for (size_t i = 0; i < place_count; i++)
		if (strcmp(places[i].path, path) == 0)
			return places[i].folder ? SEEN_FOLDER : SEEN_FILE;
	return strcmp(path, "/") == 0 ? SEEN_FOLDER : SEEN_MISSING;
}

static bool is_closed(void *ctx, const char *path)
{
	(void)ctx;
	(void)path;
	return false;
}

static bool list_folder(void *ctx, const char *path, eyes_entry entry, void *arg)
{
	size_t len = strcmp(path, "/") == 0 ? 0 : strlen(path);
	(void)ctx;
	for (size_t i = 0; i < place_count; i++) {
		const char *name = places[i].path;
		if (strncmp(name, path, len) != 0 || name[len] != '/' || strchr(name + len + 1, '/') != NULL)
			continue;
		if (!entry(arg, str_from(name + len + 1), places[i].folder ? SEEN_FOLDER : SEEN_FILE))
			return false;
	}
	return true;
}

/* ---- what berm makes of it --------------------------------------------------------------------------------------- */

struct ours {
	struct arena arena;
	struct buf text;
	struct imported imported;
	struct policy *policy;
	struct policy_index *index;
	struct berm_caps *caps;
	struct berm_facts *facts;
	struct berm_plan *plan;
	struct problems problems;
};

static void ours_done(struct ours *ours)
{
	berm_plan_free(ours->plan);
	berm_facts_free(ours->facts);
	berm_caps_free(ours->caps);
	policy_index_free(ours->index);
	policy_free(ours->policy);
	buf_done(&ours->text);
	arena_done(&ours->arena);
}
#define auto_ours __attribute__((cleanup(ours_done))) struct ours

static const struct policy_doc *import_document(struct ours *ours, enum import_kind kind, const struct foreign *foreign)
{
	const struct policy_doc *doc = NULL;
	const struct policy_from from = {POLICY_DOC_PROFILE, "imported.yaml"};
	enum berm_code code = import_text(&ours->arena, (struct import_from){kind, "s"}, buf_str(&foreign->text),
					  &ours->imported, &ours->problems, NULL);
	if (code != BERM_OK)
		fail_msg("not imported:\n%s", foreign->text.data);
	assert_int_equal(import_put(&ours->imported, &ours->text, NULL), BERM_OK);
	assert_int_equal(policy_load(&ours->arena, from, buf_str(&ours->text), &doc, &ours->problems, NULL), BERM_OK);
	return doc;
}

static void make_facts(struct ours *ours, bool namespaces)
{
	static const char all[] = "kernel=6.12.0\nlandlock_abi=6\nseccomp_filter=1\nseccomp_listener=1\n"
				  "seccomp_wait_killable=1\nseccomp_sync_wakeup=1\nseccomp_addfd=1\npidfd_getfd=1\n"
				  "process_vm=1\nptrace=1\nuid=1000\n";
	static const char more[] =
		"user_namespace=1\nmount_namespace=1\npid_namespace=1\nnet_namespace=1\n"
		"ipc_namespace=1\nuts_namespace=1\ncgroup_namespace=1\nopen_tree=1\nmount_setattr=1\n"
		"proc_mount=1\ntmpfs_mount=1\ndevpts_mount=1\nmove_mount_link=1\noverlay=1\n"
		"loopback_up=1\nnf_tables=1\n";
	auto_buf struct buf text;
	buf_init(&text, MAX);
	buf_puts(&text, all);
	buf_puts(&text, namespaces ? more : "");
	assert_int_equal(buf_check(&text, NULL), BERM_OK);
	assert_int_equal(berm_facts_load(text.data, text.len, &ours->facts, NULL), BERM_OK);
}

/* False: nothing would start, and a line is told. Without a plan: this version cannot hold a line. */
static bool import_and_resolve(struct ours *ours, enum import_kind kind, const struct foreign *foreign)
{
	static const char *const no_env[] = {"PATH=/usr/bin", NULL};
	static const struct plan_eyes eyes = {.look = look, .closed = is_closed, .list = list_folder};
	struct policy_input input = {
		.cwd = workspace, .workspace = workspace, .home = home, .envp = no_env, .os = "linux"};
	struct berm_err err = {.code = BERM_OK};
	arena_init(&ours->arena, IMPORT_MAX_MEMORY);
	buf_init(&ours->text, MAX);
	const struct policy_doc *const profiles[] = {import_document(ours, kind, foreign), NULL};
	const struct policy_layers layers = {.profiles = profiles, .finder = builtin_finder};
	if (policy_make(&layers, &input, &ours->policy, &ours->problems, &err) != BERM_OK)
		return false;
	assert_int_equal(policy_index_new(ours->policy, &ours->index, &err), BERM_OK);
	input.policy = ours->policy;
	enum berm_code code = policy_caps(&input, &ours->caps, NULL, &ours->problems, &err);
	if (code != BERM_OK)
		return code == BERM_ERR_UNSUPPORTED;
	make_facts(ours, draw(2) == 0);
	code = build_plan(ours->caps, ours->facts, &eyes, true, &ours->plan, &err);
	if (code != BERM_OK && code != BERM_ERR_UNSUPPORTED)
		fail_msg("%s:\n%s", err.msg, foreign->text.data);
	return true;
}

/* ---- one against the other --------------------------------------------------------------------------------------- */

static size_t questions, allowed, planned;

/* The report says that names on the way to an exception can be listed. */
static bool tells_of_names(const struct ours *ours)
{
	for (size_t i = 0; i < ours->imported.left_count; i++)
		if (strstr(ours->imported.lefts[i].why, "names in it can be listed") != NULL)
			return true;
	return false;
}

static void check_place(const struct ours *ours, const struct foreign *foreign, const char *path, mode_t mode)
{
	static const char *const words[] = {"read", "list", "write", "create", "delete", "exec"};
	unsigned open = opened_at(foreign, path);
	for (unsigned op = PLAN_OP_READ; op <= PLAN_OP_EXEC; op++) {
		bool way = op == PLAN_OP_LIST &&
			   (tells_of_names(ours) || plan_sight_of(ours->plan, str_from(path)) == SIGHT_FOLDER);
		bool fits = op == PLAN_OP_CREATE ? mode == 0 : mode != 0;
		if (!fits || way || (S_ISDIR(mode) ? op != PLAN_OP_LIST : op == PLAN_OP_LIST))
			continue;
		const struct plan_question question = {.op = (enum plan_op)op, .path = str_from(path), .mode = mode};
		struct plan_answer answer = plan_decide(ours->plan, &question);
		questions++;
		allowed += answer.allowed;
		if (answer.allowed && (open >> op & 1) == 0)
			fail_msg("%s %s is closed there and open here:\n%s\n%s", words[op], path, foreign->text.data,
				 ours->text.data);
	}
}

static void check_places(const struct ours *ours, const struct foreign *foreign)
{
	char path[PATTERN_MAX];
	for (size_t i = 0; i < place_count; i++) {
		bool ours_alone = strncmp(places[i].path, "/srv", 4) != 0 && strncmp(places[i].path, "/data", 5) != 0 &&
				  strncmp(places[i].path, home, sizeof home - 1) != 0;
		if (ours_alone)
			continue;
		check_place(ours, foreign, places[i].path, places[i].folder ? S_IFDIR | 0755 : S_IFREG | 0755);
		(void)snprintf(path, sizeof path, "%.63s/new", places[i].path);
		if (places[i].folder)
			check_place(ours, foreign, path, 0);
	}
}

static void check_question(const struct ours *ours, const struct foreign *foreign,
			   const struct policy_question *question)
{
	struct policy_verdict verdict = {0};
	policy_decide(ours->index, question, &verdict);
	questions++;
	bool passes = verdict.answer == ANSWER_ALLOW && !(question->op == POLICY_OP_CONNECT && verdict.http_rules);
	allowed += passes;
	if (passes && !is_host_open(foreign, question))
		fail_msg("%s:%u (%s %s by %s) is closed there and open here:\n%s\n%s", question->host, question->port,
			 question->method != NULL ? question->method : "",
			 question->target != NULL ? question->target : "",
			 question->program != NULL ? question->program : "?", foreign->text.data, ours->text.data);
}

static void check_requests(const struct ours *ours, const struct foreign *foreign, struct policy_question question)
{
	check_question(ours, foreign, &question);
	question.op = POLICY_OP_HTTP;
	for (size_t i = 0; i < ARRAY_LEN(methods) * ARRAY_LEN(targets); i++) {
		question.method = methods[i % ARRAY_LEN(methods)];
		question.target = targets[i / ARRAY_LEN(methods)];
		check_question(ours, foreign, &question);
	}
}

static void check_hosts(const struct ours *ours, const struct foreign *foreign)
{
	bool filtered = policy_says(ours->policy, KEY_NET_MODE, "filtered");
	bool host = policy_says(ours->policy, KEY_NET_MODE, "host");
	if (host && !foreign->hosts_open)
		fail_msg("the network is the machine's:\n%s", foreign->text.data);
	for (size_t i = 0; filtered && i < ARRAY_LEN(hosts) * ARRAY_LEN(ports); i++) {
		struct policy_question question = {.op = POLICY_OP_CONNECT,
						   .host = hosts[i / ARRAY_LEN(ports)],
						   .port = ports[i % ARRAY_LEN(ports)]};
		check_requests(ours, foreign, question);
		for (size_t t = 0; t < ARRAY_LEN(tools); t++) {
			question.program = tools[t];
			check_requests(ours, foreign, question);
		}
	}
}

static void check_commands(const struct ours *ours, const struct foreign *foreign)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		char words[64], *at = words;
		const char *argv[8] = {NULL};
		(void)snprintf(words, sizeof words, "%s", commands[i]);
		for (size_t n = 0; at != NULL && n < ARRAY_LEN(argv) - 1; n++) {
			argv[n] = at;
			at = strchr(at, ' ');
			if (at != NULL)
				*at++ = '\0';
		}
		const struct policy_question question = {.op = POLICY_OP_RUN, .argv = argv};
		struct policy_verdict verdict = {0};
		policy_decide(ours->index, &question, &verdict);
		questions++;
		allowed += verdict.answer == ANSWER_ALLOW;
		if (verdict.answer == ANSWER_ALLOW && is_command_closed(foreign, commands[i]))
			fail_msg("'%s' is closed there and open here:\n%s\n%s", commands[i], foreign->text.data,
				 ours->text.data);
	}
}

static size_t number_of(const char *name, size_t otherwise)
{
	const char *text = getenv(name);
	return text != NULL ? (size_t)strtoull(text, NULL, 10) : otherwise;
}

static size_t try_document(enum import_kind kind, void (*make)(struct foreign *foreign))
{
	auto_foreign foreign = {.path_count = 0};
	auto_ours ours = {.policy = NULL};
	buf_init(&foreign.text, MAX);
	foreign.wild = draw(3) == 0;
	make(&foreign);
	assert_int_equal(buf_check(&foreign.text, NULL), BERM_OK);
	if (!import_and_resolve(&ours, kind, &foreign))
		return 0;
	planned += ours.plan != NULL;
	if (ours.plan != NULL)
		check_places(&ours, &foreign);
	check_hosts(&ours, &foreign);
	check_commands(&ours, &foreign);
	return 1;
}

/* Documents that start nothing are right, but too many of them show nothing. */
static void try_seed(enum import_kind kind, void (*make)(struct foreign *foreign), size_t seed)
{
	size_t count = number_of("IMPORT_CASES", CASES), policies = 0;
	state_of_draws = 0x9e3779b97f4a7c15U * (seed + 1) + (uint64_t)kind;
	questions = allowed = planned = 0;
	for (size_t i = 0; i < count; i++)
		policies += try_document(kind, make);
	print_message("seed %zu: %zu of %zu are policies, %zu of them have a plan; %zu of %zu questions are allowed\n",
		      seed, policies, count, planned, allowed, questions);
	assert_true(planned > count / 5 && allowed > questions / 100);
}

static void try_kind(enum import_kind kind, void (*make)(struct foreign *foreign))
{
	static const size_t seeds[] = {1, 2, 3, 4};
	NOT_TORTURED();
	make_machine();
	for (size_t i = 0; i < ARRAY_LEN(seeds) && getenv("SEED") == NULL; i++)
		try_seed(kind, make, seeds[i]);
	if (getenv("SEED") != NULL)
		try_seed(kind, make, number_of("SEED", 0));
}

static void test_sandbox_runtime(void **state)
{
	(void)state;
	try_kind(IMPORT_SRT, make_srt);
}

static void test_landrun(void **state)
{
	(void)state;
	try_kind(IMPORT_LANDRUN, make_landrun);
}

static void test_landlockconfig(void **state)
{
	(void)state;
	try_kind(IMPORT_LANDLOCK, make_landlock);
}

static void test_nono(void **state)
{
	(void)state;
	try_kind(IMPORT_NONO, make_nono);
}

static void test_openshell(void **state)
{
	(void)state;
	try_kind(IMPORT_OPENSHELL, make_openshell);
}

static void test_claude(void **state)
{
	(void)state;
	try_kind(IMPORT_CLAUDE, make_claude);
}

/* The models themselves: what they take for closed, and what for open. */
static void test_the_models(void **state)
{
	(void)state;
	assert_true(path_fits("/srv/*/x", "/srv/a/x", false) && path_fits("/srv/a", "/srv/a/x", true));
	assert_true(path_fits("/srv/**/x", "/srv/x", false) && path_fits("/srv/**/x", "/srv/a/b/x", false));
	assert_true(path_fits("/**", "/", false) && path_fits("/a/**", "/a/b/c", false));
	assert_false(path_fits("/srv/a", "/srv/a/x", false) || path_fits("/srv/a", "/srv/ab", true));
	assert_false(path_fits("/srv/*/x", "/srv/x", true) || path_fits("/srv/*.md", "/srv/a", true));
	assert_true(host_fits("*.a.example", "y.x.a.example", false) && host_fits("a.example", "a.example", true));
	assert_true(host_fits("*.a.example", "x.a.example", true));
	assert_false(host_fits("*.a.example", "a.example", false) || host_fits("*.a.example", "ba.example", false));
	assert_false(host_fits("*.a.example", "y.x.a.example", true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_models), cmocka_unit_test(test_sandbox_runtime),
		cmocka_unit_test(test_landrun),	   cmocka_unit_test(test_landlockconfig),
		cmocka_unit_test(test_nono),	   cmocka_unit_test(test_openshell),
		cmocka_unit_test(test_claude),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
