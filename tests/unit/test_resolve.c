#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "caps_rig.h"
#include "format/path.h"
#include "resolve_rig.h"

struct rights_case {
	const char *path;
	unsigned rights;
};

static void expect_rights(struct policy_input *input, const struct rights_case *cases, size_t count)
{
	auto_rig rig = {0};
	const struct berm_caps *caps = caps_of(&rig, input);
	for (size_t i = 0; i < count; i++)
		if (rights_at(caps, cases[i].path) != cases[i].rights)
			fail_msg("%s: %x", cases[i].path, rights_at(caps, cases[i].path));
}

static void test_what_is_granted_without_flags(void **state)
{
	(void)state;
	static const struct rights_case cases[] = {
		{"/home/u/project", ALL},
		{"/home/u/project/.env", ALL},
		{"/usr/bin/python3", RX},
		{"/usr/local/bin/x", RX},
		{"/lib64/ld-linux-x86-64.so.2", RX},
		{"/opt/tool/bin/x", RX},
		{"/etc/passwd", R},
		{"/etc/ssl/certs/ca-certificates.crt", R},
		{"/sys/devices/system/cpu/online", R},
		{"/home/u/.cargo/bin/cargo", RX},
		{"/home/u/.cargo/registry/index/x", R},
		{"/home/u/.rustup/toolchains/x/bin/rustc", RX},
		{"/home/u/go/bin/x", RX},
		{"/home/u/.local/bin/x", RX},
		{"/home/u/.gitconfig", R},
		{"/home/u/.config/git/config", R},
		/* closed */
		{"/", 0},
		{"/home", 0},
		{"/home/u", 0},
		{"/home/u/other", 0},
		{"/home/u/.ssh/id_ed25519", 0},
		{"/home/u/.cargo/credentials.toml", 0},
		{"/home/u/.config/git/credentials", 0},
		{"/home/u/.gem/credentials", 0},
		{"/home/u/.m2/settings.xml", 0},
		{"/home/u/.npmrc", 0},
		{"/home/u/.bashrc", 0},
		{"/home/u/.config/gh/hosts.yml", 0},
		{"/home/u/.local/share/keyrings/x", 0},
		{"/home/v", 0},
		{"/root", 0},
		{"/var/log/syslog", 0},
		{"/run/docker.sock", 0},
		{"/run/systemd/resolve/stub-resolv.conf", 0},
		{"/proc/1/environ", 0},
		{"/boot/grub", 0},
		{"/srv", 0},
		{"/mnt/x", 0},
	};
	struct policy_input input = ordinary();
	expect_rights(&input, cases, ARRAY_LEN(cases));
}

/* A path of a shipped line as the ordinary user has it; false: it has none there. */
static bool as_ordinary(const char *text, char *ret, size_t size)
{
	const char *home = text[0] == '~' ? "/home/u" : "";
	if (text[0] == '$' || strpbrk(text, "*?[{") != NULL)
		return false;
	(void)snprintf(ret, size, "%s%s", home, text + (text[0] == '~'));
	return true;
}

static bool is_for_macos(const struct policy_line *line)
{
	const char *os = policy_attr_find(line, ATTR_WHEN_OS);
	return os != NULL && strcmp(os, "macos") == 0;
}

typedef void (*each_line)(const struct berm_caps *caps, const char *path);

static void for_each_denied(const char *group, const struct berm_caps *caps, each_line look)
{
	const struct policy_doc *doc = builtin_find(POLICY_DOC_GROUP, group);
	char path[256];
	assert_non_null(doc);
	for (uint32_t i = 0; i < doc->line_count; i++)
		if (doc->lines[i].key == KEY_DENY && !is_for_macos(&doc->lines[i]) &&
		    as_ordinary(doc->lines[i].text, path, sizeof path))
			look(caps, path);
}

static void must_not_be_granted(const struct berm_caps *caps, const char *path)
{
	if (rights_at(caps, path) != 0)
		fail_msg("%s is granted", path);
}

static void must_be_denied(const struct berm_caps *caps, const char *path)
{
	if (!is_denied(caps, path))
		fail_msg("%s is open", path);
}

static void must_not_be_denied(const struct berm_caps *caps, const char *path)
{
	if (is_denied(caps, path))
		fail_msg("%s has a line", path);
}

static void test_no_secret_is_granted(void **state)
{
	(void)state;
	static const char *const groups[] = {"credentials", "keychains", "browsers", "shell-history"};
	struct policy_input input = ordinary();
	auto_rig rig = {0};
	const struct berm_caps *caps = caps_of(&rig, &input);
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		for_each_denied(groups[i], caps, must_not_be_granted);
		for_each_denied(groups[i], caps, must_not_be_denied);
	}
	for_each_denied("system-secrets", caps, must_be_denied);
}

static bool only_these(const char *path)
{
	return strcmp(path, "/etc") == 0 || strcmp(path, "/etc/sudoers") == 0 || strcmp(path, "/usr") == 0 ||
	       strcmp(path, "/home/u/.rustup") == 0;
}

static bool only_what_is_no_probe(const char *path)
{
	static const char *const probes[] = {"/etc/shadow", "/etc/sudoers", "/etc/ssl/private", "/root"};
	for (size_t i = 0; i < ARRAY_LEN(probes); i++)
		if (strcmp(path, probes[i]) == 0)
			return false;
	return true;
}

static void test_what_is_not_there_or_closed_needs_no_line(void **state)
{
	(void)state;
	struct policy_input input = ordinary();
	input.readable = only_these;
	auto_rig rig = {0};
	const struct berm_caps *caps = caps_of(&rig, &input);
	assert_true(is_denied(caps, "/etc/sudoers"));
	assert_false(is_denied(caps, "/etc/shadow"));
	assert_int_equal(rights_at(caps, "/usr/bin"), RX);
	assert_int_equal(rights_at(caps, "/opt"), 0);
	assert_int_equal(rights_at(caps, "/home/u/.rustup"), RX);
	assert_int_equal(rights_at(caps, "/home/u/.cargo/bin"), 0);
	/* the workspace and what flags say is another matter */
	assert_int_equal(rights_at(caps, "/home/u/project"), ALL);

	input.readable = only_what_is_no_probe;
	caps = caps_of(&rig, &input);
	for_each_denied("system-secrets", caps, must_not_be_denied);
	assert_int_equal(rights_at(caps, "/etc/hosts"), R);
}

static size_t count_protected(const char *group)
{
	const struct policy_doc *doc = builtin_find(POLICY_DOC_GROUP, group);
	size_t count = 0;
	for (uint32_t i = 0; i < doc->line_count; i++)
		count += doc->lines[i].key == KEY_PROTECT;
	return count;
}

/* Without those that protect policies. */
static size_t count_rules(const struct berm_caps *caps)
{
	size_t count = 0;
	for (size_t i = 0; i < caps->lines.len; i++)
		count += line_at(caps, i)->kind == CAP_RULE && strcmp(line_at(caps, i)->rule->label, "policy") != 0;
	return count;
}

static void test_names_are_protected_where_something_is_writable(void **state)
{
	(void)state;
	static const char *const groups[] = {"git-persistence", "shell-startup", "login-startup", "editor-settings",
					     "agent-settings"};
	size_t lines = 0;
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		lines += count_protected(groups[i]);
	struct policy_input input = ordinary();
	auto_rig rig = {0};
	assert_int_equal(count_rules(caps_of(&rig, &input)), lines + 2);

	input.workspace = NULL;
	input.git = false;
	assert_int_equal(count_rules(caps_of(&rig, &input)), 0);

	rig_done(&rig);
	rig = (struct rig){0};
	assert_int_equal(make(&rig, "none", &input, FLAGS(FLAG(KEY_WRITE, "/data")), no_lines), BERM_OK);
	must_have(rig.caps, "protect agent settings: **/.mcp.json (except **/{node_modules,berm-packages}/**)");
	assert_int_equal(rights_at(rig.caps, "/usr/bin/x"), RX);
	assert_int_equal(rights_at(rig.caps, "/home/u/.rustup/x"), 0);
}

static void test_the_own_repository_stays(void **state)
{
	(void)state;
	static const char *const paths[] = {"/home/u/project/.githooks", NULL};
	struct policy_input input = ordinary();
	input.git_common = "/home/u/main/.git";
	input.git_paths = paths;
	auto_rig rig = {0};
	const struct berm_caps *caps = caps_of(&rig, &input);
	must_have(caps, "protect /home/u/project/.git");
	must_have(caps, "protect git configuration: /home/u/project/.git/config (judged)");
	must_have(caps,
		  "protect git hooks: /home/u/project/.git/hooks/*/** (except /home/u/project/.git/hooks/*.sample)");
	must_have(caps, "protect git configuration: /home/u/main/.git/config (judged)");
	must_have(caps, "protect git hooks: /home/u/main/.git/hooks/*/** (except /home/u/main/.git/hooks/*.sample)");
	must_have(caps, "protect /home/u/project/.githooks/**");
	assert_int_equal(rights_at(caps, "/home/u/main/.git/objects"), ALL);
	assert_int_equal(rights_at(caps, "/home/u/main"), 0);

	input.git = false;
	caps = caps_of(&rig, &input);
	must_not_have(caps, "protect /home/u/project/.git");
}

static void test_what_the_users_git_reads(void **state)
{
	(void)state;
	static const char *const reads[] = {"/home/u/.gitconfig-work",
					    "/home/u/.ssh/config",
					    "/home/u",
					    "/home/u/.config",
					    "/",
					    "/home/u/.githooks",
					    NULL};
	static const struct rights_case cases[] = {
		{"/home/u/.gitconfig-work", RX},
		{"/home/u/.githooks/pre-commit", RX},
		{"/home/u/.ssh/config", 0},
		{"/home/u/.config/x", 0},
		{"/home/u/x", 0},
	};
	struct policy_input input = ordinary();
	input.git_reads = reads;
	expect_rights(&input, cases, ARRAY_LEN(cases));
}

static void test_what_was_denied_may_be_read(void **state)
{
	(void)state;
	static const struct rights_case cases[] = {
		{"/home/u/.local/state/berm-denials/0/denials.jsonl", BERM_READ},
		{"/home/u/.local/state/berm-denials/1/denials.jsonl", 0},
		{"/home/u/tools/berm", RX},
		{"/home/u/tools/other", 0},
	};
	struct policy_input input = ordinary();
	input.program = "/home/u/tools/berm"; /* for the denials alone */
	auto_rig rig = {0};
	assert_int_equal(rights_at(caps_of(&rig, &input), "/home/u/tools/berm"), 0);
	input.denials_folder = "/home/u/.local/state/berm-denials/0";
	expect_rights(&input, cases, ARRAY_LEN(cases));
	/* nothing that is written inside is berm's, whatever is granted around it */
	must_have(caps_with(&rig, &input, FLAGS(FLAG(KEY_WRITE, "/home/u/.local/state"))),
		  "protect /home/u/.local/state/berm-denials/0/**");
	static const char *const file = "/home/u/.local/state/berm-denials/0/denials.jsonl";
	const struct berm_caps *caps = caps_with(&rig, &input, FLAGS(FLAG(KEY_DENY, "/home/u/.local/state")));
	assert_int_equal(rights_at(caps, file), 0);
	caps = caps_with(&rig, &input, FLAGS(FLAG(KEY_DENY, "/home/u/.local/other")));
	assert_int_equal(rights_at(caps, file), BERM_READ);
}

static void test_names_with_pattern_letters_are_taken_as_they_are(void **state)
{
	(void)state;
	struct policy_input input = ordinary();
	input.workspace = "/w/a[1]*{b,c}";
	auto_rig rig = {0};
	const struct berm_caps *caps = caps_of(&rig, &input);
	must_have(caps, "protect git configuration: /w/a\\[1\\]\\*\\{b\\,c\\}/.git/config (judged)");
}

static void test_tools_are_where_variables_say(void **state)
{
	(void)state;
	static const char *const envp[] = {
		"CARGO_HOME=/data/cargo",
		"NVM_DIR=relative",
		"PYENV_ROOT=/data/pyenv",
		"SSL_CERT_FILE=/home/u/corp.pem",
		"NODE_EXTRA_CA_CERTS=/home/u/.ssh/id_rsa",
		"XDG_CACHE_HOME=/data/cache",
		NULL,
	};
	static const struct rights_case cases[] = {
		{"/data/cargo/bin/cargo", RX}, {"/data/cargo/credentials.toml", 0},  {"/home/u/.cargo/bin/cargo", 0},
		{"/home/u/.nvm/x", RX},	       {"/data/pyenv/shims/python", RX},     {"/home/u/corp.pem", R},
		{"/home/u/.ssh/id_rsa", 0},    {"/home/u/.rustup/toolchains/x", RX}, {"/data/other", 0},
	};
	struct policy_input input = ordinary();
	input.envp = envp;
	expect_rights(&input, cases, ARRAY_LEN(cases));
	auto_rig rig = {0};
	const struct berm_caps *caps = caps_of(&rig, &input);
	must_have(caps, "scratch /data/cache");
	must_not_have(caps, "scratch /home/u/.cache");
}

static void test_folders_of_path(void **state)
{
	(void)state;
	static const char *const envp[] = {
		"PATH=/usr/bin:/data/conda/bin:/data/jdk/bin/:/snap/bin:/tools:/srv/x/scripts:relative/bin:.::/home/u:/"
		":/home:"
		"/home/u/.docker/bin:/home/u/.config:/home/u/proj/node_modules/.bin:/home/u/venv/bin:/home/u/.local/"
		"bin:"
		"/home/u/bin:/root/bin:/home/u/.ssh/../x/bin:/tmp",
		NULL,
	};
	static const struct rights_case cases[] = {
		{"/data/conda/lib/x.so", RX},
		{"/data/jdk/lib/server/libjvm.so", RX},
		{"/data/other", 0},
		{"/snap/bin/x", RX},
		{"/snap/core", 0},
		{"/tools/x", RX},
		{"/srv/x/scripts/y", RX},
		{"/srv/x/z", 0},
		{"/home/u/x", 0},
		{"/home/u/.docker/bin/docker", RX},
		{"/home/u/.docker/config.json", 0},
		{"/home/u/.config/gh", 0},
		{"/home/u/proj/node_modules/.bin/x", RX},
		{"/home/u/venv/lib/python3/x.py", RX},
		{"/home/u/.local/bin/x", RX},
		{"/home/u/.local/share/keyrings", 0},
		{"/root/bin/x", RX},
		{"/root/x", 0},
		{"/tmp/x", 0},
	};
	struct policy_input input = ordinary();
	input.envp = envp;
	expect_rights(&input, cases, ARRAY_LEN(cases));
}

static void test_scratch_folders(void **state)
{
	(void)state;
	struct policy_input input = ordinary();
	auto_rig rig = {0};
	const struct berm_caps *caps = caps_of(&rig, &input);
	must_have(caps, "scratch /tmp");
	must_have(caps, "scratch /var/tmp");
	must_have(caps, "scratch /home/u/.cache");
	must_have(caps, "scratch /home/u/.npm");

	/* where the workspace has caches of its own, they are granted as folders are */
	static const char *const kept[] = {"/home/u/k", NULL};
	static const struct policy_variable variable = {"WORKSPACE_CACHE", kept};
	input.variables = &variable;
	input.variable_count = 1;
	input.workspace_cache = kept[0];
	caps = caps_of(&rig, &input);
	must_have(caps, "scratch /home/u/.cache");
	must_not_have(caps, "scratch /home/u/.npm");
	assert_int_equal(rights_at(caps, "/home/u/k/npm"), ALL);
	assert_int_equal(rights_at(caps, "/home/u/.npm/x"), 0);
	input.variable_count = 0;
	input.workspace_cache = NULL;

	/* in the workspace a cache is the workspace's */
	static const char *const envp[] = {"XDG_CACHE_HOME=/home/u/project/.cache", NULL};
	input.envp = envp;
	caps = caps_with(&rig, &input, FLAGS(FLAG(KEY_TMP, "host")));
	must_not_have(caps, "scratch /home/u/project/.cache");
	must_not_have(caps, "scratch /tmp");
	assert_int_equal(rights_at(caps, "/tmp/x"), ALL);
	assert_true(caps->extra[BERM_EXTRA_HOST_TMP]);

	/* shared: they are the host's */
	input.envp = bare_env;
	caps = caps_with(&rig, &input, FLAGS(FLAG(KEY_CACHE, "shared")));
	must_not_have(caps, "scratch /home/u/.cache");
	must_have(caps, "scratch /tmp");
	assert_int_equal(rights_at(caps, "/home/u/.npm/x"), ALL);
}

static void test_flags(void **state)
{
	(void)state;
	static const struct policy_line flags[] = {
		FLAG(KEY_READ, "/data"),
		FLAG(KEY_WRITE, "./../out"),
		FLAG(KEY_EXEC, "./tools"),
		FLAG(KEY_DENY, "./.env"),
		FLAG(KEY_DENY, "**/*.pem"),
		FLAG(KEY_DENY, "./*.key"),
		FLAG(KEY_PROTECT, "/a/b{c}"),
		FLAG(KEY_PROTECT, "."),
		FLAG(KEY_READ, "./a\\[1\\]"),
		FLAG(KEY_SOCKETS, "/run/x.sock"),
		FLAG(KEY_LIMIT_MEMORY, "1GiB"),
		FLAG(KEY_MAY, "ptrace"),
		{.text = NULL},
	};
	struct policy_input input = ordinary();
	auto_rig rig = {0};
	const struct berm_caps *caps = caps_with(&rig, &input, flags);
	assert_int_equal(rights_at(caps, "/data/x"), R);
	assert_int_equal(rights_at(caps, "/home/u/project/out/x"), ALL);
	assert_int_equal(rights_at(caps, "/home/u/project/src/tools/x"), ALL);
	assert_true(is_denied(caps, "/home/u/project/src/.env"));
	must_have(caps, "deny **/*.pem");
	must_have(caps, "deny ./*.key: /home/u/project/src/*.key");
	must_have(caps, "protect /a/b{c}: /a/b{c}/**");
	must_have(caps, "protect /home/u/project/src/**");
	must_have(caps, "read /home/u/project/src/a\\[1\\]");
	must_have(caps, "socket /run/x.sock");
	assert_int_equal(caps->limit[BERM_LIMIT_MEMORY], 1 << 30);
	assert_int_equal(caps->limit[BERM_LIMIT_WALL_MS], 0);
	assert_true(caps->extra[BERM_EXTRA_PTRACE]);
	assert_false(caps->extra[BERM_EXTRA_USERNS]);
	assert_int_equal(caps->network, BERM_NET_FILTERED);
}

static void refused(struct policy_line flag, enum berm_code code)
{
	struct policy_input input = ordinary();
	auto_rig rig = {0};
	assert_int_equal(make(&rig, "default", &input, FLAGS(flag), no_lines), code);
	assert_null(rig.caps);
}

static void test_flags_that_cannot_be(void **state)
{
	(void)state;
	refused((struct policy_line)FLAG(KEY_WRITE, "/"), BERM_ERR_INVALID);
	refused((struct policy_line)FLAG(KEY_READ, "./../../../../../x"), BERM_ERR_PARSE);
	refused((struct policy_line)FLAG(KEY_DENY, "./[z-a"), BERM_ERR_PARSE);
	refused((struct policy_line)FLAG(KEY_READ, "./a\nb"), BERM_ERR_INVALID);
	refused((struct policy_line)FLAG(KEY_READ, "/data/*/x"), BERM_ERR_UNSUPPORTED);
}

struct sweep_case {
	const char *granted[3];
	const char *closed, *open; /* denied; not denied */
};

static void test_a_wide_grant_does_not_mean_the_secrets(void **state)
{
	(void)state;
	static const struct sweep_case cases[] = {
		{{"/home/u"}, "/home/u/.ssh/id_rsa", "/home/u/Documents"},
		{{"/home/u"}, "/home/u/.config/gh/hosts.yml", "/home/u/.config/x"},
		{{"/home"}, "/home/u/.aws", "/home/v"},
		{{"/"}, "/home/u/.aws", "/srv"},
		{{"./../.."}, "/home/u/.netrc", "/home/u/x"},
		{{"/home/u/.config"}, "/home/u/.config/gcloud", "/home/u/.config/nvim"},
		{{"/home/user2"}, NULL, "/home/u/.ssh"},
		/* an exception is open where it is named, and nothing else is then */
		{{"/home/u/.ssh/known_hosts"}, NULL, "/home/u/.ssh/known_hosts"},
		{{"/home/u/.ssh/id_rsa.pub"}, NULL, "/home/u/.ssh/id_rsa.pub"},
		{{"/home/u/.docker/bin"}, NULL, "/home/u/.docker/bin/x"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct policy_line flags[4] = {{.text = NULL}};
		struct policy_input input = ordinary();
		auto_rig rig = {0};
		for (size_t k = 0; k < 3 && cases[i].granted[k] != NULL; k++)
			flags[k] = (struct policy_line)FLAG(KEY_READ, cases[i].granted[k]);
		const struct berm_caps *caps = caps_with(&rig, &input, flags);
		if (cases[i].closed != NULL && !is_denied(caps, cases[i].closed))
			fail_msg("%s: %s is open", cases[i].granted[0], cases[i].closed);
		if (is_denied(caps, cases[i].open))
			fail_msg("%s: %s is closed", cases[i].granted[0], cases[i].open);
	}
}

/* Exceptions are those of the line, where the rest of its folder is granted. */
static void test_what_is_excepted_and_named_is_open_in_a_wide_grant(void **state)
{
	(void)state;
	static const struct policy_line flags[] = {
		FLAG(KEY_READ, "/home/u"), FLAG(KEY_READ, "/home/u/.ssh/known_hosts"), {.text = NULL}};
	struct policy_input input = ordinary();
	auto_rig rig = {0};
	const struct berm_caps *caps = caps_with(&rig, &input, flags);
	assert_false(is_denied(caps, "/home/u/.ssh"));
	assert_true(is_denied(caps, "/home/u/.aws/x"));
	bool found = false;
	for (size_t i = 0; i < caps->lines.len; i++) {
		const struct cap_line *line = line_at(caps, i);
		bool own = line->kind == CAP_RULE && line->rights == BERM_DENY &&
			   str_eq(line->rule->path, STR("/home/u/.ssh"));
		found |= own;
		if (own)
			assert_non_null(strstr(line->rule->except_text, "known_hosts"));
	}
	assert_true(found);
}

/* A group grants the folder for what is excepted in it: the rest of it stays closed. */
static void test_a_group_opens_what_is_excepted(void **state)
{
	(void)state;
	struct policy_input input = ordinary();
	auto_rig rig = {0};
	const struct berm_caps *caps = caps_with(&rig, &input, FLAGS(FLAG(KEY_GROUPS, "ssh-agent")));
	assert_int_equal(rights_at(caps, "/home/u/.ssh/known_hosts"), R);
	assert_false(is_denied(caps, "/home/u/.ssh")); /* by a rule instead */
	size_t rules = 0;
	for (size_t i = 0; i < caps->lines.len; i++) {
		const struct cap_line *line = line_at(caps, i);
		bool closes = line->kind == CAP_RULE && line->rights == BERM_DENY;
		rules += closes && str_eq(line->rule->pattern, STR("/home/u/.ssh/*"));
	}
	assert_int_equal(rules, 2); /* of the group, and of credentials */
}

struct closed_case {
	enum policy_key key;
	const char *path;
	const char *word; /* in the message */
};

static void test_what_is_closed_cannot_be_named(void **state)
{
	(void)state;
	static const struct closed_case cases[] = {
		{KEY_READ, "/home/u/.ssh", "groups/credentials.yaml"},
		{KEY_READ, "/home/u/.ssh/id_rsa", "~/.ssh"},
		{KEY_WRITE, "/home/u/.config/gh", "~/.config/gh"},
		{KEY_SOCKETS, "/home/u/.gnupg/S.gpg-agent.extra", "~/.gnupg"},
		{KEY_READ, "/etc/shadow", "groups/system-secrets.yaml"},
		{KEY_READ, "/proc/1/environ", "memory"},
		{KEY_READ, "/dev/sda", "raw devices"},
		{KEY_WRITE, "/sys/kernel/x", "kernel interfaces"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct policy_input input = ordinary();
		auto_rig rig = {0};
		const struct policy_line flags[] = {FLAG(cases[i].key, cases[i].path), {.text = NULL}};
		if (make(&rig, "default", &input, flags, no_lines) == BERM_OK || rig.problems.count != 1)
			fail_msg("%s: %s", cases[i].path, rig.err.msg);
		assert_string_equal(rig.problems.items[0].file, "command line");
		if (strstr(rig.problems.items[0].text, cases[i].word) == NULL)
			fail_msg("%s: %s", cases[i].path, rig.problems.items[0].text);
	}
}

static void test_what_cannot_be_held_is_told_line_by_line(void **state)
{
	(void)state;
	static const struct policy_attr deny[] = {{ATTR_DECISION, "deny"}}, allow[] = {{ATTR_DECISION, "allow"}};
	static const struct policy_line user[] = {
		{.key = KEY_COMMAND, .line = 1, .text = "git push **", .attrs = deny, .attr_count = 1},
		{.key = KEY_COMMAND, .line = 2, .text = "ls", .attrs = allow, .attr_count = 1},
		FLAG(KEY_PUBLISH, "3000"),
		FLAG(KEY_REACH, "5432"),
		FLAG(KEY_UPSTREAM, "http://proxy:3128"),
		FLAG(KEY_TRUST_REQUIRE, "**/AGENTS.md"),
		FLAG(KEY_UNDO, "snapshot"),
		{.text = NULL},
	};
	struct policy_input input = ordinary();
	auto_rig rig = {0};
	assert_int_equal(make(&rig, "default", &input, no_lines, user), BERM_ERR_UNSUPPORTED);
	assert_int_equal(rig.problems.count, 6);
	assert_string_equal(rig.problems.items[0].file, "/home/u/.config/berm/policy.yaml");

	/* who only looks is told, and goes on */
	input.look = true;
	rig_done(&rig);
	rig = (struct rig){0};
	assert_int_equal(make(&rig, "default", &input, no_lines, user), BERM_OK);
	assert_int_equal(rig.problems.count, 6);
	input.look = false;

	/* what can */
	static const struct policy_line fine[] = {FLAG(KEY_UNDO, "off"),
						  FLAG(KEY_APPROVALS_MODE, "deny"),
						  FLAG(KEY_NET_DENY, "example.org"),
						  {.text = NULL}};
	(void)caps_with(&rig, &input, fine);

	/* a host cannot be closed where there is no filter */
	static const struct policy_line open[] = {
		FLAG(KEY_NET_MODE, "host"), FLAG(KEY_NET_DENY, "example.org"), {.text = NULL}};
	rig_done(&rig);
	rig = (struct rig){0};
	assert_int_equal(make(&rig, "default", &input, open, no_lines), BERM_ERR_UNSUPPORTED);
}

static void test_what_is_to_be_asked_is_closed(void **state)
{
	(void)state;
	static const struct policy_line user[] = {
		FLAG(KEY_ASK, "~/Documents"), FLAG(KEY_READ, "~/Documents/x"), {.text = NULL}};
	struct policy_input input = ordinary();
	auto_rig rig = {0};
	assert_int_equal(make(&rig, "default", &input, no_lines, user), BERM_OK);
	assert_true(is_denied(rig.caps, "/home/u/Documents/x"));
}

static void test_exceptions_of_the_users_own_lines_hold(void **state)
{
	(void)state;
	static const struct policy_attr except[] = {{ATTR_EXCEPT, "~/.config/a,b"}, {ATTR_EXCEPT, "~/.config/c{1,2}"}};
	static const struct policy_line user[] = {
		{.key = KEY_DENY, .line = 1, .text = "~/.config", .attrs = except, .attr_count = 2},
		FLAG(KEY_READ, "~"),
		{.text = NULL},
	};
	struct policy_input input = ordinary();
	auto_rig rig = {0};
	assert_int_equal(make(&rig, "default", &input, no_lines, user), BERM_OK);
	must_have(rig.caps, "deny ~/.config: /home/u/.config (except {/home/u/.config/a\\,b,/home/u/.config/c{1,2}})");
}

static void test_deleting_only_where_it_is_said(void **state)
{
	(void)state;
	static const struct policy_line user[] = {FLAG(KEY_DELETE, "~/project/build"), {.text = NULL}};
	struct policy_input input = ordinary();
	auto_rig rig = {0};
	assert_int_equal(make(&rig, "default", &input, no_lines, user), BERM_OK);
	assert_int_equal(rights_at(rig.caps, "/home/u/project/x"), ALL & ~BERM_DELETE);
	assert_int_equal(rights_at(rig.caps, "/home/u/project/build/x"), ALL);
}

/* It is told by line, with another folder that is written, and with one that is closed. */
static void test_deleting_without_writing_is_refused(void **state)
{
	(void)state;
	static const struct policy_line refused_lines[][4] = {
		{FLAG(KEY_DELETE, "/srv/x"), {.text = NULL}},
		{FLAG(KEY_READ, "/srv"), FLAG(KEY_DELETE, "/srv/x"), {.text = NULL}},
		{FLAG(KEY_WRITE, "/srv/x/y"), FLAG(KEY_DELETE, "/srv/x"), {.text = NULL}},
	};
	static const struct policy_line held[][3] = {
		{FLAG(KEY_WRITE, "/srv"), FLAG(KEY_DELETE, "/srv/x"), {.text = NULL}},
		{FLAG(KEY_WRITE, "/srv/x"), FLAG(KEY_DELETE, "/srv/x"), {.text = NULL}},
		{FLAG(KEY_DELETE, "~/project/a"), {.text = NULL}},
	};
	for (size_t i = 0; i < ARRAY_LEN(refused_lines); i++) {
		struct policy_input input = ordinary();
		auto_rig rig = {0};
		assert_int_equal(make(&rig, "default", &input, no_lines, refused_lines[i]), BERM_ERR_UNSUPPORTED);
		assert_non_null(strstr(rig.problems.items[0].text, "nothing can be removed where nothing can be"));
		assert_non_null(strstr(rig.problems.items[0].hint, "filesystem.write"));
	}
	for (size_t i = 0; i < ARRAY_LEN(held); i++) {
		struct policy_input input = ordinary();
		auto_rig rig = {0};
		assert_int_equal(make(&rig, "default", &input, no_lines, held[i]), BERM_OK);
	}
}

static void test_a_denial_finds_its_line(void **state)
{
	(void)state;
	struct policy_input input = ordinary();
	auto_rig rig = {0};
	(void)caps_of(&rig, &input);
	const struct policy *policy = rig.policy;
	const struct policy_entry *entry = policy_find_rule(policy, "editor settings", "/home/u/project/.idea/x.xml");
	assert_non_null(entry);
	assert_string_equal(entry->line->text, "**/.idea/**");
	assert_string_equal(entry->doc->name, "editor-settings");
	entry = policy_find_rule(policy, "folders named .git", "/w/.git");
	assert_string_equal(entry->line->text, "**/.git");
	assert_non_null(policy_find_rule(policy, "editor settings", NULL));
	assert_string_equal(policy_find_rule(policy, "/home/u/.ssh", "/home/u/.ssh/x")->line->text, "~/.ssh");
	assert_null(policy_find_rule(policy, "not granted", "/x"));
	assert_null(policy_find_rule(policy, "", "/x"));
	assert_null(policy_find_rule(policy, NULL, "/x"));
	/* what no line of the capabilities had to close */
	assert_string_equal(policy_find_closing(policy, "/home/u/.aws/credentials")->line->text, "~/.aws");
	assert_null(policy_find_closing(policy, "/home/u/.ssh/known_hosts"));
	assert_non_null(policy_find_closing(policy, "/home/u/.ssh"));
	assert_null(policy_find_closing(policy, "/home/u/x"));
	assert_null(policy_find_closing(policy, ""));
	assert_null(policy_find_closing(policy, "@abstract"));
}

static void test_each_capability_has_an_origin(void **state)
{
	(void)state;
	struct policy_input input = ordinary();
	struct policy_origins origins = {0};
	struct berm_caps *caps;
	auto_rig rig = {0};
	(void)caps_of(&rig, &input);
	assert_int_equal(policy_caps(&input, &caps, &origins, NULL, NULL), BERM_OK);
	berm_caps_free(rig.caps);
	rig.caps = caps;
	assert_int_equal(origins.count, caps->lines.len);
	for (size_t i = 0; i < origins.count; i++) {
		assert_true(origins.items[i].entry != NULL || origins.items[i].words != NULL);
		if (origins.items[i].entry != NULL && line_at(caps, i)->kind == CAP_RULE)
			assert_string_equal(line_at(caps, i)->rule->label,
					    policy_attr_find(origins.items[i].entry->line, ATTR_LABEL));
	}
	policy_origins_done(&origins);
}

static void test_a_home_behind_a_link(void **state)
{
	(void)state;
	static const struct policy_line flags[] = {FLAG(KEY_READ, "/data"), {.text = NULL}};
	static const char *const envp[] = {"PATH=/data/u/.docker/bin:/data/u", NULL};
	struct policy_input input = ordinary();
	auto_rig rig = {0};
	const struct berm_caps *caps = caps_with(&rig, &input, flags);
	assert_false(is_denied(caps, "/home/u/.ssh/id_rsa"));
	input.real_home = "/data/u";
	caps = caps_with(&rig, &input, flags);
	assert_true(is_denied(caps, "/home/u/.ssh/id_rsa")); /* the plan follows the link */
	assert_int_equal(rights_at(caps, "/home/u/.cargo/bin/x"), RX);
	input.envp = envp;
	caps = caps_of(&rig, &input);
	assert_int_equal(rights_at(caps, "/data/u/.docker/config.json"), 0);
	assert_int_equal(rights_at(caps, "/data/u/.docker/bin/x"), RX);
	assert_int_equal(rights_at(caps, "/data/u/x"), 0);
}

static void test_the_hosts_network_brings_its_resolver(void **state)
{
	(void)state;
	static const struct rights_case cases[] = {{"/run/systemd/resolve/stub-resolv.conf", R},
						   {"/run/docker.sock", 0}};
	struct policy_input input = ordinary();
	auto_rig rig = {0};
	const struct berm_caps *caps = caps_with(&rig, &input, FLAGS(FLAG(KEY_NET_MODE, "host")));
	assert_int_equal(caps->network, BERM_NET_HOST);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(rights_at(caps, cases[i].path), cases[i].rights);
}

static void test_without_home(void **state)
{
	(void)state;
	static const struct rights_case cases[] = {{"/usr/bin/x", RX}, {"/home/u/.cargo/bin", 0}, {"/.ssh", 0}};
	struct policy_input input = ordinary();
	input.home = NULL;
	expect_rights(&input, cases, ARRAY_LEN(cases));
	input.home = "/";
	auto_rig rig = {0};
	const struct berm_caps *caps = caps_with(&rig, &input, FLAGS(FLAG(KEY_READ, "/")));
	assert_true(is_denied(caps, "/.ssh"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_granted_without_flags),
		cmocka_unit_test(test_no_secret_is_granted),
		cmocka_unit_test(test_what_is_not_there_or_closed_needs_no_line),
		cmocka_unit_test(test_names_are_protected_where_something_is_writable),
		cmocka_unit_test(test_the_own_repository_stays),
		cmocka_unit_test(test_what_the_users_git_reads),
		cmocka_unit_test(test_what_was_denied_may_be_read),
		cmocka_unit_test(test_names_with_pattern_letters_are_taken_as_they_are),
		cmocka_unit_test(test_tools_are_where_variables_say),
		cmocka_unit_test(test_folders_of_path),
		cmocka_unit_test(test_scratch_folders),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_flags_that_cannot_be),
		cmocka_unit_test(test_a_wide_grant_does_not_mean_the_secrets),
		cmocka_unit_test(test_a_home_behind_a_link),
		cmocka_unit_test(test_what_is_excepted_and_named_is_open_in_a_wide_grant),
		cmocka_unit_test(test_a_group_opens_what_is_excepted),
		cmocka_unit_test(test_what_is_closed_cannot_be_named),
		cmocka_unit_test(test_what_cannot_be_held_is_told_line_by_line),
		cmocka_unit_test(test_what_is_to_be_asked_is_closed),
		cmocka_unit_test(test_exceptions_of_the_users_own_lines_hold),
		cmocka_unit_test(test_deleting_only_where_it_is_said),
		cmocka_unit_test(test_deleting_without_writing_is_refused),
		cmocka_unit_test(test_a_denial_finds_its_line),
		cmocka_unit_test(test_each_capability_has_an_origin),
		cmocka_unit_test(test_the_hosts_network_brings_its_resolver),
		cmocka_unit_test(test_without_home),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
