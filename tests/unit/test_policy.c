#include "check.h"

#include "policy_rig.h"

/* ---- what documents extend ----------------------------------------------------------------------------------------- */

static void test_profiles_are_extended_left_to_right(void **state)
{
	(void)state;
	const struct policy_doc a = PROFILE("a", EXTENDS_NOTHING, LINE(KEY_READ, "/a"), LINE(KEY_NET_MODE, "host"));
	const struct policy_doc b = PROFILE("b", EXTENDS_NOTHING, LINE(KEY_READ, "/b"), LINE(KEY_NET_MODE, "none"));
	const struct policy_doc c = PROFILE("c", LINE(KEY_EXTENDS, "a"), LINE(KEY_EXTENDS, "b"), LINE(KEY_READ, "/c"));
	auto_rig struct rig rig = RIG(.known = DOCS(&a, &b, &c), .layers = {.profiles = DOCS(&c)});
	MADE(&rig);
	assert_true(rig_holds(&rig, KEY_READ, "/a") && rig_holds(&rig, KEY_READ, "/b"));
	assert_true(rig_entry(&rig, KEY_READ, "/a") < rig_entry(&rig, KEY_READ, "/b"));
	assert_true(rig_entry(&rig, KEY_READ, "/b") < rig_entry(&rig, KEY_READ, "/c"));
	assert_string_equal(rig_entry(&rig, KEY_READ, "/a")->via, "profile c > profile a");
	assert_string_equal(rig_entry(&rig, KEY_READ, "/c")->via, "");
	assert_int_equal(rig_entry(&rig, KEY_READ, "/a")->layer, LAYER_PROFILE);
	assert_string_equal(rig_setting(&rig, KEY_NET_MODE), "none");
	const struct policy_doc d = PROFILE("d", LINE(KEY_EXTENDS, "b"), LINE(KEY_EXTENDS, "a"));
	rig.layers.profiles = DOCS(&d);
	MADE(&rig);
	assert_string_equal(rig_setting(&rig, KEY_NET_MODE), "host");
}

static void test_a_profile_that_says_nothing_extends_the_default_one(void **state)
{
	(void)state;
	const struct policy_doc normal = PROFILE("default", EXTENDS_NOTHING, LINE(KEY_WRITE, "."));
	const struct policy_doc plain = PROFILE("plain", LINE(KEY_READ, "/x"));
	const struct policy_doc empty = PROFILE("empty", EXTENDS_NOTHING, LINE(KEY_READ, "/x"));
	const struct policy_doc own = DOC_FILE("/home/u/.config/berm/policy.yaml", LINE(KEY_READ, "/y"));
	auto_rig struct rig rig = RIG(.known = DOCS(&normal, &plain, &empty), .layers = {.profiles = DOCS(&plain)});
	MADE(&rig);
	assert_true(rig_holds(&rig, KEY_WRITE, "/w"));
	rig.layers.profiles = DOCS(&empty);
	rig.layers.user = DOCS(&own);
	MADE(&rig);
	assert_null(rig_entry(&rig, KEY_WRITE, "/w"));
	assert_int_equal(rig_entry(&rig, KEY_READ, "/y")->layer, LAYER_USER);
	rig.layers.profiles = DOCS(&normal);
	MADE(&rig);
	assert_int_equal(rig_count(&rig, KEY_WRITE), 1);
}

static void test_what_is_extended_twice_comes_once(void **state)
{
	(void)state;
	const struct policy_doc base = PROFILE("base", EXTENDS_NOTHING, LINE(KEY_READ, "/base"));
	const struct policy_doc a = PROFILE("a", LINE(KEY_EXTENDS, "base"));
	const struct policy_doc b = PROFILE("b", LINE(KEY_EXTENDS, "base"));
	auto_rig struct rig rig = RIG(.known = DOCS(&base, &a, &b), .layers = {.profiles = DOCS(&a, &b)});
	MADE(&rig);
	assert_int_equal(rig_count(&rig, KEY_READ), 1);
}

static void test_circles_are_told(void **state)
{
	(void)state;
	const struct policy_doc a = PROFILE("a", LINE(KEY_EXTENDS, "b"));
	const uint32_t closes = __LINE__ + 1;
	const struct policy_doc b = PROFILE("b", LINE(KEY_EXTENDS, "a"));
	const struct policy_doc self = PROFILE("self", LINE(KEY_EXTENDS, "self"));
	const struct policy_doc ring = GROUP("ring", LINE(KEY_GROUPS, "ring"));
	const struct policy_doc user = PROFILE("user", EXTENDS_NOTHING, LINE(KEY_GROUPS, "ring"));
	auto_rig struct rig rig = RIG(.known = DOCS(&a, &b, &self, &ring), .layers = {.profiles = DOCS(&a)});
	REFUSED(&rig, "goes in a circle: a (profiles/a.yaml:");
	assert_true(rig_has_problem(&rig, "-> b (profiles/b.yaml:", closes));
	rig.layers.profiles = DOCS(&self);
	REFUSED(&rig, "goes in a circle: self");
	rig.layers.profiles = DOCS(&user);
	REFUSED(&rig, "goes in a circle: ring");
}

enum { CHAIN = 12 };

static void test_depth_is_limited(void **state)
{
	(void)state;
	static char names[CHAIN][4];
	struct policy_line lines[CHAIN];
	struct policy_doc docs[CHAIN];
	const struct policy_doc *known[CHAIN + 1] = {NULL};
	for (size_t i = 0; i < CHAIN; i++) {
		(void)snprintf(names[i], sizeof names[i], "p%zu", i);
		lines[i] = (struct policy_line)LINE(KEY_EXTENDS, i + 1 < CHAIN ? names[i + 1] : "");
	}
	for (size_t i = 0; i < CHAIN; i++) {
		docs[i] = (struct policy_doc){.kind = POLICY_DOC_PROFILE, .file = "p.yaml", .name = names[i]};
		docs[i].lines = &lines[i];
		docs[i].line_count = 1;
		known[i] = &docs[i];
	}
	lines[CHAIN - 1].text = "";
	auto_rig struct rig rig = RIG(.known = known, .layers = {.profiles = DOCS(known[0])});
	for (size_t i = 0; i + 1 < CHAIN; i++)
		lines[i].text = names[i + 1];
	REFUSED(&rig, "more than 10 documents deep");
	rig.layers.profiles = DOCS(known[2]);
	MADE(&rig);
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

static void test_groups_come_in_and_go_out(void **state)
{
	(void)state;
	const struct policy_doc git = GROUP("git", LINE(KEY_READ, "~/.gitconfig"));
	const struct policy_doc docker = GROUP("docker", LINE(KEY_SOCKETS, "/run/docker.sock"));
	const struct policy_doc base = PROFILE("base", EXTENDS_NOTHING, LINE(KEY_GROUPS, "git"),
					       LINE(KEY_GROUPS, "docker"), LINE(KEY_GROUPS, "git"));
	const struct policy_doc without = PROFILE("without", LINE(KEY_EXTENDS, "base"), LINE(KEY_GROUPS, "-docker"));
	const struct policy_doc flags = FLAGS(LINE(KEY_GROUPS, "docker"));
	const struct policy_doc never = PROFILE("never", EXTENDS_NOTHING, LINE(KEY_GROUPS, "-docker"));
	auto_rig struct rig rig =
		RIG(.known = DOCS(&git, &docker, &base, &without), .layers = {.profiles = DOCS(&base)});
	MADE(&rig);
	assert_int_equal(rig_count(&rig, KEY_READ), 1);
	assert_string_equal(rig_entry(&rig, KEY_READ, "/home/u/.gitconfig")->via, "profile base > group git");
	assert_int_equal(rig_entry(&rig, KEY_READ, "/home/u/.gitconfig")->layer, LAYER_GROUP);
	assert_true(rig_holds(&rig, KEY_SOCKETS, "/run/docker.sock"));
	rig.layers.profiles = DOCS(&without);
	MADE(&rig);
	assert_null(rig_entry(&rig, KEY_SOCKETS, "/run/docker.sock"));
	assert_true(rig_holds(&rig, KEY_READ, "/home/u/.gitconfig"));
	rig.layers.flags = &flags;
	MADE(&rig);
	assert_true(rig_holds(&rig, KEY_SOCKETS, "/run/docker.sock"));
	assert_string_equal(rig_entry(&rig, KEY_SOCKETS, "/run/docker.sock")->via, "command line > group docker");
	rig.layers.flags = NULL;
	rig.layers.profiles = DOCS(&never);
	MADE(&rig);
}

static void test_required_groups_are_in_and_stay_in(void **state)
{
	(void)state;
	const struct policy_doc secrets = REQUIRED("secrets", LINE(KEY_DENY, "~/.ssh"));
	const struct policy_doc empty = PROFILE("empty", EXTENDS_NOTHING, LINE(KEY_TMP, "private"));
	const struct policy_doc out = PROFILE("out", EXTENDS_NOTHING, LINE(KEY_GROUPS, "-secrets"));
	const struct policy_doc flags = FLAGS(LINE(KEY_GROUPS, "-secrets"));
	auto_rig struct rig rig = RIG(.known = DOCS(&secrets), .layers = {.profiles = DOCS(&empty)});
	MADE(&rig);
	assert_true(rig_holds(&rig, KEY_DENY, "/home/u/.ssh"));
	assert_string_equal(rig_entry(&rig, KEY_DENY, "/home/u/.ssh")->via, "required > group secrets");
	rig.layers.flags = &flags;
	REFUSED(&rig, "'secrets' is required");
	rig.layers.flags = NULL;
	rig.layers.profiles = DOCS(&out);
	REFUSED(&rig, "'secrets' is required");
}

static void test_unknown_names_are_told_with_the_nearest(void **state)
{
	(void)state;
	const struct policy_doc git = GROUP("git", LINE(KEY_READ, "/x"));
	const struct policy_doc node = PROFILE("node-dev", EXTENDS_NOTHING, LINE(KEY_READ, "/x"));
	const struct policy_doc a = PROFILE("a", LINE(KEY_EXTENDS, "node-dew"), LINE(KEY_GROUPS, "gti"));
	auto_rig struct rig rig = RIG(.known = DOCS(&git, &node), .layers = {.profiles = DOCS(&a)});
	REFUSED(&rig, "no such group: 'gti'");
	assert_true(rig_has_problem(&rig, "no such profile: 'node-dew'", 0));
	assert_true(rig_has_hint(&rig, "git") && rig_has_hint(&rig, "node-dev"));
	static const char *const names[] = {"../git", "git/../git", "/etc/passwd", "GIT", "Git",
					    ".git",   "--git",	    "git\n",	   ""};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct policy_line line = LINE(KEY_GROUPS, names[i]);
		const struct policy_doc b = {
			.kind = POLICY_DOC_FILE, .file = "b.yaml", .lines = &line, .line_count = 1};
		rig.layers = (struct policy_layers){.user = DOCS(&b)};
		REFUSED(&rig, "group");
	}
}

static void test_groups_of_groups(void **state)
{
	(void)state;
	const struct policy_doc a = GROUP("a", LINE(KEY_READ, "/a"));
	const struct policy_doc all = GROUP("all", LINE(KEY_GROUPS, "a"));
	const struct policy_doc bad = GROUP("bad", LINE(KEY_GROUPS, "-a"));
	const struct policy_doc in = PROFILE("in", EXTENDS_NOTHING, LINE(KEY_GROUPS, "all"));
	const struct policy_doc out = PROFILE("out", LINE(KEY_EXTENDS, "in"), LINE(KEY_GROUPS, "-all"));
	const struct policy_doc worse = PROFILE("worse", LINE(KEY_EXTENDS, "in"), LINE(KEY_GROUPS, "bad"));
	auto_rig struct rig rig = RIG(.known = DOCS(&a, &all, &bad, &in), .layers = {.profiles = DOCS(&in)});
	MADE(&rig);
	assert_string_equal(rig_entry(&rig, KEY_READ, "/a")->via, "profile in > group all > group a");
	rig.layers.profiles = DOCS(&out);
	REFUSED(&rig, "'all' is made of others");
	rig.layers.profiles = DOCS(&worse);
	REFUSED(&rig, "a group takes no other out");
}

/* ---- conditions -------------------------------------------------------------------------------------------------- */

static void test_conditions_of_lines(void **state)
{
	(void)state;
	const struct policy_doc p =
		PROFILE("p", EXTENDS_NOTHING, LINE(KEY_NET_MODE, "host"),
			LINE_WITH(KEY_READ, "/linux", {ATTR_WHEN_OS, "linux"}),
			LINE_WITH(KEY_READ, "/macos", {ATTR_WHEN_OS, "macos"}),
			LINE_WITH(KEY_READ, "/either", {ATTR_WHEN_OS, "macos"}, {ATTR_WHEN_OS, "linux"}),
			LINE_WITH(KEY_READ, "/both", {ATTR_WHEN_OS, "linux"}, {ATTR_WHEN_ARCH, "arm64"}),
			LINE_WITH(KEY_READ, "/debian", {ATTR_WHEN_DISTRO, "debian"}),
			LINE_WITH(KEY_READ, "/deb", {ATTR_WHEN_DISTRO, "deb"}),
			LINE_WITH(KEY_READ, "/host", {ATTR_WHEN_NETWORK, "host"}),
			LINE_WITH(KEY_READ, "/none", {ATTR_WHEN_NETWORK, "none"}));
	const struct policy_doc flags = FLAGS(LINE(KEY_NET_MODE, "none"));
	auto_rig struct rig rig = RIG(.layers = {.profiles = DOCS(&p)});
	rig.input.distro = "ubuntu debian";
	MADE(&rig);
	assert_true(rig_holds(&rig, KEY_READ, "/linux") && rig_holds(&rig, KEY_READ, "/either"));
	assert_true(rig_holds(&rig, KEY_READ, "/debian") && rig_holds(&rig, KEY_READ, "/host"));
	assert_int_equal(rig_count(&rig, KEY_READ), 4);
	rig.input.arch = "arm64";
	rig.input.distro = NULL;
	rig.layers.flags = &flags;
	MADE(&rig);
	assert_true(rig_holds(&rig, KEY_READ, "/both") && rig_holds(&rig, KEY_READ, "/none"));
	assert_int_equal(rig_count(&rig, KEY_READ), 4);
}

static void test_conditions_of_documents_and_groups(void **state)
{
	(void)state;
	const struct policy_doc mac =
		GROUP("mac", LINE_WITH(KEY_WHEN, "", {ATTR_WHEN_OS, "macos"}), LINE(KEY_READ, "/mac"));
	const struct policy_doc net =
		GROUP("net", LINE_WITH(KEY_WHEN, "", {ATTR_WHEN_NETWORK, "host"}), LINE(KEY_READ, "/net"));
	const struct policy_doc dns = GROUP("dns", LINE(KEY_READ, "/dns"));
	const struct policy_doc p =
		PROFILE("p", EXTENDS_NOTHING, LINE(KEY_GROUPS, "mac"), LINE(KEY_GROUPS, "net"),
			LINE_WITH(KEY_GROUPS, "dns", {ATTR_WHEN_NETWORK, "host"}), LINE(KEY_NET_MODE, "host"));
	const struct policy_doc flags = FLAGS(LINE(KEY_NET_MODE, "none"));
	auto_rig struct rig rig = RIG(.known = DOCS(&mac, &net, &dns), .layers = {.profiles = DOCS(&p)});
	MADE(&rig);
	assert_null(rig_entry(&rig, KEY_READ, "/mac"));
	assert_true(rig_holds(&rig, KEY_READ, "/net") && rig_holds(&rig, KEY_READ, "/dns"));
	rig.layers.flags = &flags;
	MADE(&rig);
	assert_int_equal(rig_count(&rig, KEY_READ), 0);
	rig.input.os = "macos";
	MADE(&rig);
	assert_int_equal(rig_count(&rig, KEY_READ), 1);
}

static void test_the_network_does_not_hang_on_itself(void **state)
{
	(void)state;
	const struct policy_doc p = PROFILE("p", EXTENDS_NOTHING, LINE_WITH(KEY_WHEN, "", {ATTR_WHEN_NETWORK, "none"}),
					    LINE(KEY_NET_MODE, "host"));
	auto_rig struct rig rig = RIG(.layers = {.profiles = DOCS(&p)});
	REFUSED(&rig, "'network.mode' is set by a document");
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

static void test_paths_become_absolute(void **state)
{
	(void)state;
	const struct policy_doc p =
		PROFILE("p", EXTENDS_NOTHING, LINE(KEY_READ, "~"), LINE(KEY_READ, "~/x/"), LINE(KEY_READ, "./build"),
			LINE(KEY_READ, "src/../lib"), LINE(KEY_READ, "/opt//a/./b"), LINE(KEY_DENY, "**/.env"),
			LINE(KEY_DENY, "*.pem"), LINE(KEY_WRITE, "."));
	const struct policy_doc own = {
		.kind = POLICY_DOC_FILE, .file = "own", .folder = "/f", LINES(LINE(KEY_READ, "y"))};
	const struct policy_doc flags = FLAGS(LINE(KEY_READ, "z"), LINE(KEY_READ, ".."));
	auto_rig struct rig rig = RIG(.layers = {.profiles = DOCS(&p), .user = DOCS(&own), .flags = &flags});
	MADE(&rig);
	static const char *const reads[] = {"/home/u",	"/home/u/x", "/w/build", "/w/lib",
					    "/opt/a/b", "/f/y",	     "/w/sub/z", "/w"};
	for (size_t i = 0; i < ARRAY_LEN(reads); i++)
		assert_true(rig_holds(&rig, KEY_READ, reads[i]));
	assert_true(rig_holds(&rig, KEY_DENY, "**/.env") && rig_holds(&rig, KEY_DENY, "/w/*.pem"));
	assert_true(rig_holds(&rig, KEY_WRITE, "/w"));
	rig.input.home = NULL;
	rig.input.workspace = NULL;
	MADE(&rig);
	assert_int_equal(rig_count(&rig, KEY_READ), 4);
	assert_int_equal(rig_count(&rig, KEY_WRITE), 0);
}

static void test_what_is_put_into_a_pattern_is_escaped(void **state)
{
	(void)state;
	const struct policy_doc p = PROFILE("p", EXTENDS_NOTHING, LINE(KEY_DENY, "./*.pem"), LINE(KEY_DENY, "~/.ssh"),
					    LINE(KEY_SCRATCH, "~/.cache"));
	auto_rig struct rig rig = RIG(.layers = {.profiles = DOCS(&p)});
	rig.input.workspace = "/w[1]";
	rig.input.home = "/home/{u}";
	MADE(&rig);
	assert_true(rig_holds(&rig, KEY_DENY, "/w\\[1\\]/*.pem"));
	assert_true(rig_holds(&rig, KEY_DENY, "/home/\\{u\\}/.ssh"));
	assert_true(rig_holds(&rig, KEY_SCRATCH, "/home/{u}/.cache"));
}

static void test_paths_that_cannot_be_are_told(void **state)
{
	(void)state;
	static const struct {
		const char *text, *said;
	} rows[] = {
		{"~root/x", "the own home folder only"}, {"/../x", "leads above '/'"},
		{"../../x", "leads above '/'"},		 {"$NO_SUCH/x", "no variable for paths"},
		{"$", "no variable for paths"},		 {"${HOME}/x", "no variable for paths"},
		{"$CARGO_HOME.d", "no variable"},	 {"$UID", "no variable"},
		{"/a/*/../b", "'..' behind a wildcard"}, {"$NPM_REGISTRIES", "no variable"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct policy_line line = LINE(KEY_READ, rows[i].text);
		const struct policy_doc own = {.kind = POLICY_DOC_FILE, .file = "own", .lines = &line, .line_count = 1};
		auto_rig struct rig rig = RIG(.layers = {.user = DOCS(&own)});
		REFUSED(&rig, rows[i].said);
	}
	const struct policy_doc near = DOC_FILE("own", LINE(KEY_READ, "$CARGO_HOM/bin"));
	auto_rig struct rig rig = RIG(.layers = {.user = DOCS(&near)});
	REFUSED(&rig, "no variable");
	assert_true(rig_has_hint(&rig, "$CARGO_HOME"));
}

static void test_exceptions_are_resolved(void **state)
{
	(void)state;
	const struct policy_doc p = PROFILE(
		"p", EXTENDS_NOTHING,
		LINE_WITH(KEY_DENY, "~/.ssh", {ATTR_EXCEPT, "~/.ssh/*.pub"}, {ATTR_EXCEPT, "~/.ssh/known_hosts"}),
		LINE(KEY_DENY, "~/.gnupg"));
	auto_rig struct rig rig = RIG(.layers = {.profiles = DOCS(&p)});
	MADE(&rig);
	const struct policy_entry *ssh = rig_entry(&rig, KEY_DENY, "/home/u/.ssh");
	assert_non_null(ssh);
	assert_string_equal(ssh->except[0], "/home/u/.ssh/*.pub");
	assert_string_equal(ssh->except[1], "/home/u/.ssh/known_hosts");
	assert_null(ssh->except[2]);
	assert_null(rig_entry(&rig, KEY_DENY, "/home/u/.gnupg")->except);
}

static void test_hosts_of_variables(void **state)
{
	(void)state;
	const struct policy_doc p = PROFILE("p", EXTENDS_NOTHING, LINE(KEY_NET_ALLOW, "$NPM_REGISTRIES"),
					    LINE(KEY_NET_ALLOW, "$PIP_INDEXES"), LINE(KEY_NET_ALLOW, "example.org"));
	const struct policy_doc bad = PROFILE("bad", EXTENDS_NOTHING, LINE(KEY_NET_ALLOW, "$CARGO_HOME"));
	const struct policy_variable npm = {"NPM_REGISTRIES",
					    (const char *const[]){"a.example:443", "b.example", NULL}};
	auto_rig struct rig rig = RIG(.layers = {.profiles = DOCS(&p)});
	rig.input.variables = &npm;
	rig.input.variable_count = 1;
	MADE(&rig);
	assert_int_equal(rig_count(&rig, KEY_NET_ALLOW), 3);
	assert_true(rig_holds(&rig, KEY_NET_ALLOW, "a.example:443") && rig_holds(&rig, KEY_NET_ALLOW, "example.org"));
	rig.layers.profiles = DOCS(&bad);
	REFUSED(&rig, "no variable for hosts");
}

/* ---- overrides --------------------------------------------------------------------------------------------------- */

static void test_an_override_lifts_a_deny_of_a_group(void **state)
{
	(void)state;
	const struct policy_doc secrets = REQUIRED("secrets", LINE(KEY_DENY, "~/.ssh"), LINE(KEY_DENY, "~/.aws"),
						   LINE(KEY_DENY, "**/.env"), LINE(KEY_DENY, "~/.gnupg/**"),
						   LINE(KEY_PROTECT, "**/.envrc"), LINE(KEY_PROTECT, "**/.ssh/**"));
	const struct policy_doc own =
		DOC_FILE("/c/policy.yaml", LINE_WITH(KEY_OVERRIDE, "~/.aws", {ATTR_WHY, "no secret there"}),
			 LINE_WITH(KEY_OVERRIDE, "~/.ssh/known_hosts", {ATTR_WHY, "no secret"}),
			 LINE_WITH(KEY_OVERRIDE, "./test/.env", {ATTR_WHY, "of tests"}),
			 LINE_WITH(KEY_OVERRIDE, "~/.gnupg/*.pub", {ATTR_WHY, "public"}),
			 LINE_WITH(KEY_OVERRIDE, "**/.envrc", {ATTR_WHY, "mine"}));
	auto_rig struct rig rig = RIG(.known = DOCS(&secrets), .layers = {.user = DOCS(&own)});
	MADE(&rig);
	const struct policy_entry *aws = rig_entry(&rig, KEY_DENY, "/home/u/.aws");
	assert_ptr_equal(aws->off, rig_entry(&rig, KEY_OVERRIDE, "/home/u/.aws"));
	assert_true(rig_holds(&rig, KEY_DENY, "/home/u/.ssh"));
	assert_string_equal(rig_entry(&rig, KEY_DENY, "/home/u/.ssh")->except[0], "/home/u/.ssh/known_hosts");
	assert_string_equal(rig_entry(&rig, KEY_DENY, "**/.env")->except[0], "/w/test/.env");
	assert_string_equal(rig_entry(&rig, KEY_DENY, "/home/u/.gnupg/**")->except[0], "/home/u/.gnupg/*.pub");
	assert_false(rig_holds(&rig, KEY_PROTECT, "**/.envrc"));
	assert_true(rig_holds(&rig, KEY_PROTECT, "**/.ssh/**"));
	assert_null(rig_entry(&rig, KEY_PROTECT, "**/.ssh/**")->except);
}

static void test_an_override_that_lifts_nothing_is_told(void **state)
{
	(void)state;
	const struct policy_doc secrets = REQUIRED("secrets", LINE(KEY_DENY, "~/.ssh"));
	const struct policy_doc around =
		DOC_FILE("/c/policy.yaml", LINE_WITH(KEY_OVERRIDE, "~", {ATTR_WHY, "all of it"}));
	const struct policy_doc beside =
		DOC_FILE("/c/policy.yaml", LINE_WITH(KEY_OVERRIDE, "~/.ssh2", {ATTR_WHY, "x"}));
	const struct policy_doc bare = DOC_FILE("/c/policy.yaml", LINE(KEY_OVERRIDE, "~/.ssh"));
	const struct policy_doc shipped = {.kind = POLICY_DOC_PROFILE,
					   .file = "profiles/s.yaml",
					   .name = "s",
					   .shipped = true,
					   LINES(EXTENDS_NOTHING, LINE_WITH(KEY_OVERRIDE, "~/.x", {ATTR_WHY, "x"}))};
	auto_rig struct rig rig = RIG(.known = DOCS(&secrets), .layers = {.user = DOCS(&around)});
	REFUSED(&rig, "the override of '~' lifts nothing");
	assert_true(rig_has_hint(&rig, "name '~/.ssh'"));
	rig.layers.user = DOCS(&beside);
	REFUSED(&rig, "lifts nothing");
	rig.layers.user = DOCS(&bare);
	REFUSED(&rig, "needs a reason");
	rig.layers = (struct policy_layers){.profiles = DOCS(&shipped)};
	MADE(&rig);
}

static void test_who_may_not_override(void **state)
{
	(void)state;
	const struct policy_doc secrets = REQUIRED("secrets", LINE(KEY_DENY, "~/.ssh"));
	const struct policy_doc override = DOC_FILE("/x.yaml", LINE_WITH(KEY_OVERRIDE, "~/.ssh", {ATTR_WHY, "x"}));
	const struct policy_doc flags = FLAGS(LINE_WITH(KEY_OVERRIDE, "~/.ssh", {ATTR_WHY, "x"}));
	const struct policy_doc group = GROUP("g", LINE_WITH(KEY_OVERRIDE, "~/.ssh", {ATTR_WHY, "x"}));
	const struct policy_doc in = PROFILE("in", EXTENDS_NOTHING, LINE(KEY_GROUPS, "g"));
	auto_rig struct rig rig = RIG(.known = DOCS(&secrets, &group));
	rig.layers = (struct policy_layers){.project = &override};
	REFUSED(&rig, "a project's file narrows only: 'override: ~/.ssh'");
	rig.layers = (struct policy_layers){.flags = &flags};
	REFUSED(&rig, "an override stands in your own policy.yaml");
	rig.layers = (struct policy_layers){.system = DOCS(&override)};
	REFUSED(&rig, "an override stands in your own policy.yaml");
	rig.layers = (struct policy_layers){.profiles = DOCS(&in)};
	REFUSED(&rig, "an override stands in your own policy.yaml");
	rig.layers = (struct policy_layers){.user = DOCS(&override)};
	MADE(&rig);
}

static void test_what_no_override_lifts(void **state)
{
	(void)state;
	const struct policy_doc system = DOC_FILE("/etc/berm/policy.d/a.yaml", LINE(KEY_DENY, "/opt/secret"));
	const struct policy_doc project = DOC_FILE("/w/.berm.yaml", LINE(KEY_DENY, "/opt/project"));
	const struct policy_doc one =
		DOC_FILE("/c/policy.yaml", LINE_WITH(KEY_OVERRIDE, "/opt/secret", {ATTR_WHY, "x"}));
	const struct policy_doc two =
		DOC_FILE("/c/policy.yaml", LINE_WITH(KEY_OVERRIDE, "/opt/project", {ATTR_WHY, "x"}));
	auto_rig struct rig rig = RIG(.layers = {.system = DOCS(&system), .project = &project, .user = DOCS(&one)});
	REFUSED(&rig, "lifts nothing");
	assert_true(rig_has_hint(&rig, "denied by /etc/berm/policy.d/a.yaml"));
	rig.layers.user = DOCS(&two);
	REFUSED(&rig, "lifts nothing");
}

/* ---- grants of what is denied ------------------------------------------------------------------------------------ */

static void test_a_grant_of_what_is_denied_is_told(void **state)
{
	(void)state;
	const struct policy_doc secrets = REQUIRED("secrets", LINE(KEY_DENY, "~/.aws"),
						   LINE_WITH(KEY_DENY, "~/.ssh", {ATTR_EXCEPT, "~/.ssh/known_hosts"}));
	const struct policy_doc agent = GROUP("agent", LINE(KEY_READ, "~/.ssh"));
	static const struct {
		const char *path;
		bool denied;
	} rows[] = {{"~/.aws", true},  {"~/.aws/config", true},	      {"~/.ssh/id_rsa", true},
		    {"~/.ssh", false}, {"~/.ssh/known_hosts", false}, {"~", false},
		    {"~/.awsx", false}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct policy_line line = LINE(KEY_READ, rows[i].path);
		const struct policy_doc flags = {
			.kind = POLICY_DOC_FLAGS, .file = "command line", .lines = &line, .line_count = 1};
		auto_rig struct rig rig = RIG(.known = DOCS(&secrets), .layers = {.flags = &flags});
		if (!rows[i].denied) {
			MADE(&rig);
			continue;
		}
		REFUSED(&rig, "and deny wins");
		assert_true(rig_has_problem(&rig, "groups/secrets.yaml:", 0));
		assert_true(rig_has_hint(&rig, "override: [{path: "));
	}
	const struct policy_doc p = PROFILE("p", EXTENDS_NOTHING, LINE(KEY_GROUPS, "agent"));
	const struct policy_doc own = DOC_FILE("/c/policy.yaml", LINE_WITH(KEY_OVERRIDE, "~/.aws", {ATTR_WHY, "x"}),
					       LINE(KEY_READ, "~/.aws/config"));
	auto_rig struct rig rig =
		RIG(.known = DOCS(&secrets, &agent), .layers = {.profiles = DOCS(&p), .user = DOCS(&own)});
	MADE(&rig);
}

/* ---- settings, berm's own, words --------------------------------------------------------------------------------- */

static void test_the_strongest_setting_counts(void **state)
{
	(void)state;
	const struct policy_doc tmp = GROUP("host-temp", LINE(KEY_TMP, "host"));
	const struct policy_doc base =
		PROFILE("base", EXTENDS_NOTHING, LINE(KEY_TMP, "private"), LINE(KEY_VIEW, "auto"),
			LINE(KEY_ENV_SET, "A=base"), LINE(KEY_ENV_SET, "AB=base"));
	const struct policy_doc top =
		PROFILE("top", LINE(KEY_EXTENDS, "base"), LINE(KEY_GROUPS, "host-temp"), LINE(KEY_VIEW, "hidden"));
	const struct policy_doc own = DOC_FILE("/c/policy.yaml", LINE(KEY_VIEW, "visible"), LINE(KEY_ENV_SET, "A=own"));
	const struct policy_doc flags = FLAGS(LINE(KEY_VIEW, "auto"), LINE(KEY_ENV_SET, "A=flag"));
	auto_rig struct rig rig = RIG(.known = DOCS(&tmp, &base), .layers = {.profiles = DOCS(&top)});
	MADE(&rig);
	assert_string_equal(rig_setting(&rig, KEY_TMP), "host");
	assert_string_equal(rig_setting(&rig, KEY_VIEW), "hidden");
	rig.layers.user = DOCS(&own);
	MADE(&rig);
	assert_string_equal(rig_setting(&rig, KEY_VIEW), "visible");
	assert_ptr_equal(rig_entry(&rig, KEY_ENV_SET, "A=base")->off, rig_entry(&rig, KEY_ENV_SET, "A=own"));
	rig.layers.flags = &flags;
	MADE(&rig);
	assert_string_equal(rig_setting(&rig, KEY_VIEW), "auto");
	assert_ptr_equal(rig_entry(&rig, KEY_ENV_SET, "A=base")->off, rig_entry(&rig, KEY_ENV_SET, "A=flag"));
	assert_true(rig_holds(&rig, KEY_ENV_SET, "AB=base"));
}

static void test_berms_own_files_are_protected(void **state)
{
	(void)state;
	const struct policy_doc own = DOC_FILE("/w/my.yaml", LINE(KEY_WRITE, "."));
	auto_rig struct rig rig = RIG(.layers = {.user = DOCS(&own)});
	rig.input.config_folder = "/home/u/.config/berm";
	rig.input.state_folder = "/home/u/.local/state/berm";
	MADE(&rig);
	assert_int_equal(rig_entry(&rig, KEY_PROTECT, "/w/.berm.yaml")->layer, LAYER_RUN);
	assert_true(rig_holds(&rig, KEY_PROTECT, "/home/u/.config/berm/**"));
	assert_true(rig_holds(&rig, KEY_PROTECT, "/w/my.yaml"));
	assert_true(rig_holds(&rig, KEY_DENY, "/home/u/.local/state/berm"));
}

static void test_entries_stand_in_order_of_layers(void **state)
{
	(void)state;
	const struct policy_doc group = REQUIRED("g", LINE(KEY_DENY, "/g"), LINE(KEY_READ, "/gr"));
	const struct policy_doc system = DOC_FILE("s", LINE(KEY_DENY, "/s"));
	const struct policy_doc p = PROFILE("p", EXTENDS_NOTHING, LINE(KEY_READ, "/p"));
	const struct policy_doc own = DOC_FILE("u", LINE(KEY_READ, "/u"));
	const struct policy_doc project = DOC_FILE("/w/.berm.yaml", LINE(KEY_DENY, "/j"));
	const struct policy_doc flags = FLAGS(LINE(KEY_READ, "/f"));
	auto_rig struct rig rig = RIG(.known = DOCS(&group), .layers = {.system = DOCS(&system),
									.profiles = DOCS(&p),
									.user = DOCS(&own),
									.project = &project,
									.flags = &flags});
	MADE(&rig);
	assert_int_equal(rig.policy->count, 8);
	assert_int_equal(rig.policy->generation, 1);
	for (size_t i = 1; i < rig.policy->count; i++)
		assert_true(rig.policy->entries[i - 1].layer <= rig.policy->entries[i].layer);
}

static void test_entries_as_text(void **state)
{
	(void)state;
	const struct policy_line line = {.key = KEY_DENY, .line = 7, .column = 5, .text = "~/.ssh"},
				 none = {.text = ""};
	const struct policy_doc doc = {.file = "groups/x.yaml"};
	const struct policy_entry entry = {.doc = &doc, .line = &line}, whole = {.doc = &doc, .line = &none};
	auto_buf struct buf out;
	buf_init(&out, 100);
	char place[64];
	policy_entry_place(&entry, place, sizeof place);
	assert_string_equal(place, "groups/x.yaml:7:5");
	policy_entry_place(&whole, place, sizeof place);
	assert_string_equal(place, "groups/x.yaml");
	policy_entry_text(&entry, &out);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	assert_string_equal(out.data, "filesystem.deny: ~/.ssh");
	assert_string_equal(policy_layer_words[LAYER_PROJECT], "project");
}

enum { MANY = 70000 };

static void test_the_number_of_lines_is_limited(void **state)
{
	NOT_TORTURED();
	(void)state;
	auto_free struct policy_line *lines = calloc(MANY, sizeof *lines);
	assert_non_null(lines);
	for (size_t i = 0; i < MANY; i++)
		lines[i] = (struct policy_line)LINE(KEY_DENY, "~/x");
	const struct policy_doc own = {.kind = POLICY_DOC_FILE, .file = "own", .lines = lines, .line_count = MANY};
	auto_rig struct rig rig = RIG(.layers = {.user = DOCS(&own)});
	assert_int_equal(rig_make(&rig), BERM_ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profiles_are_extended_left_to_right),
		cmocka_unit_test(test_a_profile_that_says_nothing_extends_the_default_one),
		cmocka_unit_test(test_what_is_extended_twice_comes_once),
		cmocka_unit_test(test_circles_are_told),
		cmocka_unit_test(test_depth_is_limited),
		cmocka_unit_test(test_groups_come_in_and_go_out),
		cmocka_unit_test(test_required_groups_are_in_and_stay_in),
		cmocka_unit_test(test_unknown_names_are_told_with_the_nearest),
		cmocka_unit_test(test_groups_of_groups),
		cmocka_unit_test(test_conditions_of_lines),
		cmocka_unit_test(test_conditions_of_documents_and_groups),
		cmocka_unit_test(test_the_network_does_not_hang_on_itself),
		cmocka_unit_test(test_paths_become_absolute),
		cmocka_unit_test(test_what_is_put_into_a_pattern_is_escaped),
		cmocka_unit_test(test_paths_that_cannot_be_are_told),
		cmocka_unit_test(test_exceptions_are_resolved),
		cmocka_unit_test(test_hosts_of_variables),
		cmocka_unit_test(test_an_override_lifts_a_deny_of_a_group),
		cmocka_unit_test(test_an_override_that_lifts_nothing_is_told),
		cmocka_unit_test(test_who_may_not_override),
		cmocka_unit_test(test_what_no_override_lifts),
		cmocka_unit_test(test_a_grant_of_what_is_denied_is_told),
		cmocka_unit_test(test_the_strongest_setting_counts),
		cmocka_unit_test(test_berms_own_files_are_protected),
		cmocka_unit_test(test_entries_stand_in_order_of_layers),
		cmocka_unit_test(test_entries_as_text),
		cmocka_unit_test(test_the_number_of_lines_is_limited),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
