#include "check.h"

#include "policy_rig.h"

/* ---- the system's ceiling ---------------------------------------------------------------------------------------- */

static void test_the_systems_denies_are_there(void **state)
{
	(void)state;
	const struct policy_doc system = DOC_FILE("/etc/berm/policy.d/a.yaml", LINE(KEY_DENY, "/srv"),
						  LINE(KEY_ENV_SET, "HTTP_PROXY=http://p"), LINE(KEY_GROUPS, "g"));
	const struct policy_doc group = GROUP("g", LINE(KEY_DENY, "/g"));
	const struct policy_doc flags = FLAGS(LINE(KEY_ENV_SET, "HTTP_PROXY=http://q"), LINE(KEY_GROUPS, "-g"));
	auto_rig struct rig rig = RIG(.known = DOCS(&group), .layers = {.system = DOCS(&system), .flags = &flags});
	MADE(&rig);
	assert_int_equal(rig_entry(&rig, KEY_DENY, "/srv")->layer, LAYER_SYSTEM);
	assert_int_equal(rig_entry(&rig, KEY_DENY, "/g")->layer, LAYER_SYSTEM);
	assert_ptr_equal(rig_entry(&rig, KEY_ENV_SET, "HTTP_PROXY=http://q")->off,
			 rig_entry(&rig, KEY_ENV_SET, "HTTP_PROXY=http://p"));
}

static void test_the_systems_grants_are_maxima(void **state)
{
	(void)state;
	const struct policy_doc system =
		DOC_FILE("/etc/berm/policy.d/a.yaml", LINE(KEY_READ, "/usr"), LINE(KEY_WRITE, "."),
			 LINE(KEY_EXEC, "/opt/*/bin"), LINE(KEY_NET_ALLOW, "**.example.org"), LINE(KEY_MAY, "ptrace"));
	const struct policy_doc group =
		GROUP("g", LINE(KEY_READ, "/usr/share"), LINE(KEY_EXEC, "/usr"), LINE(KEY_READ, "/etc"),
		      LINE(KEY_WRITE, "./build"), LINE(KEY_EXEC, "/opt/x/bin/y"), LINE(KEY_READ, "/opt/x"),
		      LINE(KEY_READ, "/usr/**"), LINE(KEY_READ, "**/x"), LINE(KEY_NET_ALLOW, "a.example.org"),
		      LINE(KEY_NET_ALLOW, "*.example.org"), LINE(KEY_NET_ALLOW, "a.example.org:80"),
		      LINE(KEY_NET_ALLOW, "badexample.org"), LINE(KEY_MAY, "ptrace"), LINE(KEY_MAY, "userns"));
	const struct policy_doc p = PROFILE("p", EXTENDS_NOTHING, LINE(KEY_GROUPS, "g"));
	auto_rig struct rig rig = RIG(.known = DOCS(&group), .layers = {.system = DOCS(&system), .profiles = DOCS(&p)});
	MADE(&rig);
	static const struct {
		enum policy_key key;
		const char *text;
		bool holds;
	} rows[] = {
		{KEY_READ, "/usr/share", true},
		{KEY_EXEC, "/usr", false},
		{KEY_READ, "/etc", false},
		{KEY_WRITE, "/w/build", true},
		{KEY_EXEC, "/opt/x/bin/y", true},
		{KEY_READ, "/opt/x", false},
		{KEY_READ, "/usr/**", true},
		{KEY_READ, "**/x", false},
		{KEY_NET_ALLOW, "a.example.org", true},
		{KEY_NET_ALLOW, "*.example.org", true},
		{KEY_NET_ALLOW, "a.example.org:80", false},
		{KEY_NET_ALLOW, "badexample.org", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(rig_holds(&rig, rows[i].key, rows[i].text), rows[i].holds);
	assert_ptr_equal(rig_entry(&rig, KEY_READ, "/usr")->off, rig_entry(&rig, KEY_READ, "/usr"));
	assert_ptr_equal(rig_entry(&rig, KEY_MAY, "userns")->off, rig_entry(&rig, KEY_MAY, "ptrace"));
}

static void test_what_a_person_writes_beyond_the_ceiling_is_told(void **state)
{
	(void)state;
	const struct policy_doc system = DOC_FILE("/etc/berm/policy.d/a.yaml", LINE(KEY_READ, "/usr"),
						  LINE(KEY_NET_MODE, "filtered"), LINE(KEY_LIMIT_MEMORY, "4GiB"));
	const struct policy_doc read = FLAGS(LINE(KEY_READ, "/opt")), mode = FLAGS(LINE(KEY_NET_MODE, "host"));
	const struct policy_doc memory = FLAGS(LINE(KEY_LIMIT_MEMORY, "8GiB")),
				less = FLAGS(LINE(KEY_LIMIT_MEMORY, "1GiB"));
	auto_rig struct rig rig = RIG(.layers = {.system = DOCS(&system), .flags = &read});
	REFUSED(&rig, "more than the system's policy allows (/etc/berm/policy.d/a.yaml:");
	rig.layers.flags = &mode;
	REFUSED(&rig, "'network.mode: host' is wider than 'filtered' (/etc/berm/policy.d/a.yaml:");
	rig.layers.flags = &memory;
	REFUSED(&rig, "is wider than '4GiB'");
	rig.layers.flags = &less;
	MADE(&rig);
	assert_string_equal(rig_setting(&rig, KEY_LIMIT_MEMORY), "1GiB");
	assert_string_equal(rig_setting(&rig, KEY_NET_MODE), "nothing");
	rig.layers.flags = NULL;
	MADE(&rig);
	assert_string_equal(rig_setting(&rig, KEY_LIMIT_MEMORY), "4GiB");
}

static void test_what_is_shipped_gives_way_to_the_ceiling(void **state)
{
	(void)state;
	const struct policy_doc system = DOC_FILE("/etc/berm/policy.d/a.yaml", LINE(KEY_NET_MODE, "none"));
	const struct policy_doc filtered = DOC_FILE("/etc/berm/policy.d/a.yaml", LINE(KEY_NET_MODE, "filtered"));
	const struct policy_doc shipped = {.kind = POLICY_DOC_PROFILE,
					   .file = "profiles/default.yaml",
					   .name = "default",
					   .shipped = true,
					   LINES(EXTENDS_NOTHING, LINE(KEY_NET_MODE, "host"))};
	auto_rig struct rig rig = RIG(.layers = {.system = DOCS(&system), .profiles = DOCS(&shipped)});
	MADE(&rig);
	assert_string_equal(rig_setting(&rig, KEY_NET_MODE), "none");
	assert_ptr_equal(rig_entry(&rig, KEY_NET_MODE, "host")->off, rig_entry(&rig, KEY_NET_MODE, "none"));
	rig.layers.system = DOCS(&filtered);
	MADE(&rig);
	assert_string_equal(rig_setting(&rig, KEY_NET_MODE), "filtered");
}

/* ---- a project --------------------------------------------------------------------------------------------------- */

static void test_a_project_narrows(void **state)
{
	(void)state;
	const struct policy_doc p = PROFILE("p", EXTENDS_NOTHING, LINE(KEY_NET_MODE, "filtered"),
					    LINE(KEY_FS_DEFAULT, "ask"), LINE(KEY_LIMIT_MEMORY, "8GiB"));
	const struct policy_doc env = GROUP("env-files", LINE(KEY_DENY, "**/.env"));
	const struct policy_doc project = DOC_FILE(
		"/w/.berm.yaml", LINE(KEY_DENY, "./private"), LINE(KEY_PROTECT, "./Makefile"), LINE(KEY_ASK, "~/x"),
		LINE(KEY_NET_DENY, "gist.github.com"), LINE(KEY_NET_MODE, "none"), LINE(KEY_LIMIT_MEMORY, "2GiB"),
		LINE(KEY_GROUPS, "env-files"), LINE_WITH(KEY_COMMAND, "git push **", {ATTR_DECISION, "deny"}));
	const struct policy_doc flags = FLAGS(LINE(KEY_NET_MODE, "host"), LINE(KEY_LIMIT_MEMORY, "1GiB"));
	auto_rig struct rig rig =
		RIG(.known = DOCS(&env), .layers = {.profiles = DOCS(&p), .project = &project, .flags = &flags});
	MADE(&rig);
	assert_int_equal(rig_entry(&rig, KEY_DENY, "/w/private")->layer, LAYER_PROJECT);
	assert_int_equal(rig_entry(&rig, KEY_DENY, "**/.env")->layer, LAYER_PROJECT);
	assert_string_equal(rig_setting(&rig, KEY_NET_MODE), "none");
	assert_string_equal(rig_setting(&rig, KEY_LIMIT_MEMORY), "1GiB");
	assert_int_equal(rig_count(&rig, KEY_COMMAND), 1);
}

static void test_a_project_does_not_widen(void **state)
{
	(void)state;
	static const struct policy_attr allow[] = {{ATTR_DECISION, "allow"}};
	static const struct policy_line lines[] = {
		LINE(KEY_READ, "/opt"),
		LINE(KEY_WRITE, "~"),
		LINE(KEY_EXEC, "."),
		LINE(KEY_DELETE, "."),
		LINE(KEY_REPLACE, "~/.x"),
		LINE(KEY_SCRATCH, "/x"),
		LINE(KEY_NET_ALLOW, "x.org"),
		LINE(KEY_SOCKETS, "/x"),
		LINE(KEY_PUBLISH, "3000"),
		LINE(KEY_REACH, "5432"),
		LINE(KEY_UPSTREAM, "http://p"),
		LINE(KEY_ENV_PASS, "X"),
		LINE(KEY_ENV_SET, "LD_PRELOAD=/w/x.so"),
		LINE(KEY_MAY, "ptrace"),
		LINE(KEY_SECRET, "x"),
		LINE(KEY_APPROVALS_BY, "x"),
		LINE(KEY_TRUST_PUBLISHERS, "x"),
		LINE(KEY_PROGRAMS, "claude"),
		LINE(KEY_REQUIRED, "true"),
		{.key = KEY_COMMAND, .line = 7, .text = "x", .attrs = allow, .attr_count = 1},
		LINE(KEY_OVERRIDE, "~/.ssh"),
	};
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		const struct policy_doc project = {
			.kind = POLICY_DOC_FILE, .file = "/w/.berm.yaml", .lines = &lines[i], .line_count = 1};
		auto_rig struct rig rig = RIG(.layers = {.project = &project});
		assert_int_equal(rig_make(&rig), BERM_ERR_PARSE);
		assert_true(rig_has_problem(&rig, "a project's file narrows only", lines[i].line));
		assert_true(rig_has_hint(&rig, policy_keys[lines[i].key].wanted ? "wants: {" : "your own policy"));
	}
}

static void test_a_projects_settings_are_not_wider(void **state)
{
	(void)state;
	static const struct {
		enum policy_key key;
		const char *own, *project;
		bool narrower;
	} rows[] = {
		{KEY_NET_MODE, "filtered", "host", false},   {KEY_NET_MODE, "filtered", "filtered", true},
		{KEY_NET_MODE, NULL, "filtered", false},     {KEY_FS_DEFAULT, "deny", "ask", false},
		{KEY_FS_DEFAULT, "ask", "deny", true},	     {KEY_TMP, NULL, "host", false},
		{KEY_VIEW, "auto", "visible", false},	     {KEY_VIEW, "auto", "hidden", true},
		{KEY_CACHE, "private", "shared", false},     {KEY_BACKEND, NULL, "landlock", false},
		{KEY_BACKEND, NULL, "namespaces", true},     {KEY_LIMIT_WALL, "1h", "2h", false},
		{KEY_LIMIT_WALL, "1h", "30m", true},	     {KEY_LIMIT_FILES, NULL, "100", true},
		{KEY_APPROVALS_MODE, "ask", "allow", false}, {KEY_UNDO, "auto", "off", false},
		{KEY_UNDO, "auto", "overlay", true},	     {KEY_LIMIT_MEMORY, "1GiB", "1025MiB", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct policy_line own_line = LINE(rows[i].key, rows[i].own);
		const struct policy_line project_line = LINE(rows[i].key, rows[i].project);
		const struct policy_doc own = {
			.kind = POLICY_DOC_FILE, .file = "own", .lines = &own_line, .line_count = rows[i].own != NULL};
		const struct policy_doc project = {
			.kind = POLICY_DOC_FILE, .file = "/w/.berm.yaml", .lines = &project_line, .line_count = 1};
		auto_rig struct rig rig = RIG(.layers = {.user = DOCS(&own), .project = &project});
		if (rows[i].narrower)
			MADE(&rig);
		else
			REFUSED(&rig, "is wider than");
	}
}

static void test_a_project_names_only_groups_that_narrow(void **state)
{
	(void)state;
	const struct policy_doc node = GROUP("node", LINE(KEY_READ, "~/.nvm"));
	const struct policy_doc secrets = GROUP("secrets", LINE(KEY_DENY, "~/x"));
	const struct policy_doc p =
		PROFILE("p", EXTENDS_NOTHING, LINE(KEY_GROUPS, "node"), LINE(KEY_GROUPS, "secrets"));
	const struct policy_doc empty = PROFILE("empty", EXTENDS_NOTHING, LINE(KEY_TMP, "private"));
	const struct policy_doc in = DOC_FILE("/w/.berm.yaml", LINE(KEY_GROUPS, "node"));
	const struct policy_doc out = DOC_FILE("/w/.berm.yaml", LINE(KEY_GROUPS, "-node"));
	const struct policy_doc open = DOC_FILE("/w/.berm.yaml", LINE(KEY_GROUPS, "-secrets"));
	const struct policy_doc extends = DOC_FILE("/w/.berm.yaml", LINE(KEY_EXTENDS, "q"));
	const struct policy_doc q = PROFILE("q", EXTENDS_NOTHING, LINE(KEY_READ, "/q"));
	auto_rig struct rig rig =
		RIG(.known = DOCS(&node, &secrets, &p, &q), .layers = {.profiles = DOCS(&empty), .project = &in});
	REFUSED(&rig, "group 'node' has 'filesystem.read'");
	rig.layers.profiles = DOCS(&p);
	MADE(&rig);
	assert_int_equal(rig_entry(&rig, KEY_READ, "/home/u/.nvm")->layer, LAYER_GROUP);
	rig.layers.project = &out;
	MADE(&rig);
	assert_int_equal(rig_count(&rig, KEY_READ), 0);
	rig.layers.project = &open;
	REFUSED(&rig, "group 'secrets' denies or protects something");
	rig.layers.project = &extends;
	REFUSED(&rig, "profile 'q' has 'filesystem.read'");
}

static void test_a_projects_wishes_do_not_count(void **state)
{
	(void)state;
	const struct policy_doc project = DOC_FILE("/w/.berm.yaml", WANTED(KEY_READ, "/opt"), LINE(KEY_DENY, "/x"));
	const struct policy_doc own = DOC_FILE("/c/policy.yaml", WANTED(KEY_READ, "/opt"));
	auto_rig struct rig rig = RIG(.layers = {.project = &project});
	MADE(&rig);
	assert_null(rig_entry(&rig, KEY_READ, "/opt"));
	assert_true(rig_holds(&rig, KEY_DENY, "/x"));
	rig.layers = (struct policy_layers){.user = DOCS(&own)};
	REFUSED(&rig, "'wants' stands only in a project's file");
}

static void test_a_project_asks_only_about_what_is_granted(void **state)
{
	(void)state;
	const struct policy_doc p = PROFILE("p", EXTENDS_NOTHING, LINE(KEY_FS_DEFAULT, "deny"), LINE(KEY_WRITE, "."));
	const struct policy_doc inside = DOC_FILE("/w/.berm.yaml", LINE(KEY_ASK, "./deploy"));
	const struct policy_doc outside = DOC_FILE("/w/.berm.yaml", LINE(KEY_ASK, "~/Documents"));
	auto_rig struct rig rig = RIG(.layers = {.profiles = DOCS(&p), .project = &inside});
	MADE(&rig);
	rig.layers.project = &outside;
	REFUSED(&rig, "is denied without it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_systems_denies_are_there),
		cmocka_unit_test(test_the_systems_grants_are_maxima),
		cmocka_unit_test(test_what_a_person_writes_beyond_the_ceiling_is_told),
		cmocka_unit_test(test_what_is_shipped_gives_way_to_the_ceiling),
		cmocka_unit_test(test_a_project_narrows),
		cmocka_unit_test(test_a_project_does_not_widen),
		cmocka_unit_test(test_a_projects_settings_are_not_wider),
		cmocka_unit_test(test_a_project_names_only_groups_that_narrow),
		cmocka_unit_test(test_a_projects_wishes_do_not_count),
		cmocka_unit_test(test_a_project_asks_only_about_what_is_granted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
