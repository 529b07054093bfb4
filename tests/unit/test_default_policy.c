#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "format/git_config.h"
#include "format/path.h"
#include "policy/default_policy.h"
#include "policy/grants.h"
#include "policy/rules.h"
#include "sandbox/caps.h"

static const char *const bare_env[] = {"PATH=/usr/bin:/bin", "HOME=/home/u", NULL};

static struct policy_input ordinary(void)
{
	return (struct policy_input){.cwd = "/home/u/project/src",
				     .workspace = "/home/u/project",
				     .git = true,
				     .home = "/home/u",
				     .envp = bare_env};
}

static struct berm_caps *caps_of(const struct policy_input *input)
{
	struct berm_caps *caps;
	struct berm_err err;
	if (policy_caps(input, &caps, &err) != BERM_OK)
		fail_msg("%s", err.msg);
	return caps;
}

static const struct cap_line *line_at(const struct berm_caps *caps, size_t index)
{
	return (const struct cap_line *)caps->lines.items + index;
}

static bool has_line(const struct berm_caps *caps, const char *text)
{
	char line[512];
	for (size_t i = 0; i < caps->lines.len; i++) {
		caps_line_text(caps, line_at(caps, i), line, sizeof line);
		if (strcmp(line, text) == 0)
			return true;
	}
	return false;
}

static void must_have(const struct berm_caps *caps, const char *text)
{
	if (!has_line(caps, text))
		fail_msg("no line '%s'", text);
}

static void must_not_have(const struct berm_caps *caps, const char *text)
{
	if (has_line(caps, text))
		fail_msg("a line '%s'", text);
}

/* The rights that all lines around a path give together. */
static unsigned rights_at(const struct berm_caps *caps, const char *path)
{
	unsigned rights = 0;
	for (size_t i = 0; i < caps->lines.len; i++) {
		const struct cap_line *line = line_at(caps, i);
		bool around = str_eq(line->path, str_from(path)) ||
			      (line->extent == BERM_TREE && path_is_in(str_from(path), line->path));
		if (line->kind == CAP_GRANT && around)
			rights |= line->rights;
	}
	return rights;
}

static bool is_denied(const struct berm_caps *caps, const char *path)
{
	for (size_t i = 0; i < caps->lines.len; i++) {
		const struct cap_line *line = line_at(caps, i);
		if (line->kind == CAP_NARROW && line->rights == BERM_DENY && path_is_in(str_from(path), line->path))
			return true;
	}
	return false;
}

enum { R = BERM_READ, RX = BERM_READ | BERM_EXEC, ALL = BERM_READ | BERM_WRITE | BERM_DELETE | BERM_EXEC };

struct rights_case {
	const char *path;
	unsigned rights;
};

static void expect_rights(const struct policy_input *input, const struct rights_case *cases, size_t count)
{
	struct berm_caps *caps = caps_of(input);
	for (size_t i = 0; i < count; i++)
		if (rights_at(caps, cases[i].path) != cases[i].rights)
			fail_msg("%s: %x", cases[i].path, rights_at(caps, cases[i].path));
	berm_caps_free(caps);
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

static void test_no_secret_is_granted(void **state)
{
	(void)state;
	struct policy_input input = ordinary();
	struct berm_caps *caps = caps_of(&input);
	for (size_t i = 0; i < grant_home_secret_count; i++) {
		char path[256];
		(void)snprintf(path, sizeof path, "/home/u/%s", grant_home_secrets[i]);
		if (rights_at(caps, path) != 0)
			fail_msg("%s is granted", path);
	}
	for (size_t i = 0; i < grant_etc_secret_count; i++)
		assert_true(is_denied(caps, grant_etc_secrets[i]));
	berm_caps_free(caps);
}

static bool only_these(const char *path)
{
	return strcmp(path, "/etc/sudoers") == 0 || strcmp(path, "/usr") == 0 || strcmp(path, "/home/u/.rustup") == 0;
}

static bool only_what_is_no_probe(const char *path)
{
	for (size_t i = 0; i < grant_etc_probe_count; i++)
		if (strcmp(path, grant_etc_probes[i]) == 0)
			return false;
	return true;
}

static void test_what_is_not_there_or_closed_needs_no_line(void **state)
{
	(void)state;
	struct policy_input input = ordinary();
	input.readable = only_these;
	struct berm_caps *caps = caps_of(&input);
	assert_true(is_denied(caps, "/etc/sudoers"));
	assert_false(is_denied(caps, "/etc/shadow"));
	assert_int_equal(rights_at(caps, "/usr/bin"), RX);
	assert_int_equal(rights_at(caps, "/opt"), 0);
	assert_int_equal(rights_at(caps, "/home/u/.rustup"), RX);
	assert_int_equal(rights_at(caps, "/home/u/.cargo/bin"), 0);
	/* the workspace and what flags say is another matter */
	assert_int_equal(rights_at(caps, "/home/u/project"), ALL);
	berm_caps_free(caps);

	input.readable = only_what_is_no_probe;
	caps = caps_of(&input);
	for (size_t i = 0; i < grant_etc_secret_count; i++)
		assert_false(is_denied(caps, grant_etc_secrets[i]));
	assert_int_equal(rights_at(caps, "/etc/hosts"), R);
	berm_caps_free(caps);
}

static void test_names_are_protected_where_something_is_writable(void **state)
{
	(void)state;
	struct policy_input input = ordinary();
	struct berm_caps *caps = caps_of(&input);
	size_t rules = 0;
	for (size_t i = 0; i < caps->lines.len; i++)
		rules += line_at(caps, i)->kind == CAP_RULE;
	assert_int_equal(rules, policy_rule_count + 2);
	berm_caps_free(caps);

	input.workspace = NULL;
	input.git = false;
	caps = caps_of(&input);
	for (size_t i = 0; i < caps->lines.len; i++)
		assert_int_not_equal(line_at(caps, i)->kind, CAP_RULE);
	berm_caps_free(caps);

	static const struct policy_flag flag = {POLICY_WRITE, "/data"};
	input.flags = &flag;
	input.flag_count = 1;
	input.no_default = true;
	caps = caps_of(&input);
	must_have(caps, "protect agent settings: **/.mcp.json (except **/node_modules/**)");
	berm_caps_free(caps);
}

static void test_the_own_repository_stays(void **state)
{
	(void)state;
	static const char *const paths[] = {"/home/u/project/.githooks", NULL};
	struct policy_input input = ordinary();
	input.git_common = "/home/u/main/.git";
	input.git_paths = paths;
	struct berm_caps *caps = caps_of(&input);
	must_have(caps, "protect /home/u/project/.git");
	must_have(caps, "protect git configuration: /home/u/project/.git/config (judged)");
	must_have(caps,
		  "protect git hooks: /home/u/project/.git/hooks/*/** (except /home/u/project/.git/hooks/*.sample)");
	must_have(caps, "protect git configuration: /home/u/main/.git/config (judged)");
	must_have(caps, "protect git hooks: /home/u/main/.git/hooks/*/** (except /home/u/main/.git/hooks/*.sample)");
	must_have(caps, "protect /home/u/project/.githooks/**");
	assert_int_equal(rights_at(caps, "/home/u/main/.git/objects"), ALL);
	assert_int_equal(rights_at(caps, "/home/u/main"), 0);
	berm_caps_free(caps);

	input.git = false;
	caps = caps_of(&input);
	must_not_have(caps, "protect /home/u/project/.git");
	berm_caps_free(caps);
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

static void test_names_with_pattern_letters_are_taken_as_they_are(void **state)
{
	(void)state;
	struct policy_input input = ordinary();
	input.workspace = "/w/a[1]*{b,c}";
	struct berm_caps *caps = caps_of(&input);
	must_have(caps, "protect git configuration: /w/a\\[1\\]\\*\\{b\\,c\\}/.git/config (judged)");
	berm_caps_free(caps);
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
	struct berm_caps *caps = caps_of(&input);
	must_have(caps, "scratch /data/cache");
	must_not_have(caps, "scratch /home/u/.cache");
	berm_caps_free(caps);
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
	struct berm_caps *caps = caps_of(&input);
	must_have(caps, "scratch /tmp");
	must_have(caps, "scratch /var/tmp");
	must_have(caps, "scratch /home/u/.cache");
	must_have(caps, "scratch /home/u/.npm");
	berm_caps_free(caps);

	/* in the workspace a cache is the workspace's */
	static const char *const envp[] = {"XDG_CACHE_HOME=/home/u/project/.cache", NULL};
	input.envp = envp;
	input.extra[BERM_EXTRA_HOST_TMP] = true;
	caps = caps_of(&input);
	must_not_have(caps, "scratch /home/u/project/.cache");
	must_not_have(caps, "scratch /tmp");
	assert_int_equal(rights_at(caps, "/tmp/x"), ALL);
	berm_caps_free(caps);
}

static void test_flags(void **state)
{
	(void)state;
	static const struct policy_flag flags[] = {
		{POLICY_READ, "/data"},	   {POLICY_WRITE, "../out"}, {POLICY_EXEC, "./tools"},	  {POLICY_DENY, ".env"},
		{POLICY_DENY, "**/*.pem"}, {POLICY_DENY, "*.key"},   {POLICY_PROTECT, "/a/b{c}"}, {POLICY_PROTECT, "."},
	};
	static const char *const sockets[] = {"/run/x.sock"};
	struct policy_input input = ordinary();
	input.flags = flags;
	input.flag_count = ARRAY_LEN(flags);
	input.sockets = sockets;
	input.socket_count = 1;
	input.limit[BERM_LIMIT_MEMORY] = 1 << 30;
	input.extra[BERM_EXTRA_PTRACE] = true;
	struct berm_caps *caps = caps_of(&input);
	assert_int_equal(rights_at(caps, "/data/x"), R);
	assert_int_equal(rights_at(caps, "/home/u/project/out/x"), ALL);
	assert_int_equal(rights_at(caps, "/home/u/project/src/tools/x"), ALL);
	assert_true(is_denied(caps, "/home/u/project/src/.env"));
	must_have(caps, "deny **/*.pem");
	must_have(caps, "deny *.key: /home/u/project/src/*.key");
	must_have(caps, "protect /a/b{c}");
	must_have(caps, "protect /home/u/project/src/**");
	assert_int_equal(caps->limit[BERM_LIMIT_MEMORY], 1 << 30);
	assert_int_equal(caps->limit[BERM_LIMIT_WALL_MS], 0);
	assert_true(caps->extra[BERM_EXTRA_PTRACE]);
	assert_false(caps->extra[BERM_EXTRA_USERNS]);
	assert_int_equal(caps->network, BERM_NET_NONE);
	berm_caps_free(caps);
}

static void refused(struct policy_flag flag, enum berm_code code)
{
	struct policy_input input = ordinary();
	struct berm_caps *caps = NULL;
	input.flags = &flag;
	input.flag_count = 1;
	assert_int_equal(policy_caps(&input, &caps, NULL), code);
	assert_null(caps);
}

static void test_flags_that_cannot_be(void **state)
{
	(void)state;
	refused((struct policy_flag){POLICY_WRITE, "/"}, BERM_ERR_INVALID);
	refused((struct policy_flag){POLICY_READ, "../../../../../x"}, BERM_ERR_INVALID);
	refused((struct policy_flag){POLICY_DENY, "[z-a"}, BERM_ERR_PARSE);
	refused((struct policy_flag){POLICY_READ, "a\nb"}, BERM_ERR_INVALID);
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
		{{"../.."}, "/home/u/.netrc", "/home/u/x"},
		{{"/home/u/.config"}, "/home/u/.config/gcloud", "/home/u/.config/nvim"},
		{{"/home/u", "/home/u/.aws"}, "/home/u/.ssh", "/home/u/.aws"},
		{{"/home/u", "/home/u/.ssh/known_hosts"}, "/home/u/.aws", "/home/u/.ssh/known_hosts"},
		{{"/home/u/.ssh"}, NULL, "/home/u/.ssh/id_rsa"},
		{{"/home/user2"}, NULL, "/home/u/.ssh"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct policy_flag flags[3];
		struct policy_input input = ordinary();
		for (; cases[i].granted[input.flag_count] != NULL; input.flag_count++)
			flags[input.flag_count] = (struct policy_flag){POLICY_READ, cases[i].granted[input.flag_count]};
		input.flags = flags;
		struct berm_caps *caps = caps_of(&input);
		if (cases[i].closed != NULL && !is_denied(caps, cases[i].closed))
			fail_msg("%s: %s is open", cases[i].granted[0], cases[i].closed);
		if (is_denied(caps, cases[i].open))
			fail_msg("%s: %s is closed", cases[i].granted[0], cases[i].open);
		berm_caps_free(caps);
	}
}

static void test_a_home_behind_a_link(void **state)
{
	(void)state;
	static const struct policy_flag flag = {POLICY_READ, "/data"};
	static const char *const envp[] = {"PATH=/data/u/.docker/bin:/data/u", NULL};
	struct policy_input input = ordinary();
	input.flags = &flag;
	input.flag_count = 1;
	struct berm_caps *caps = caps_of(&input);
	assert_false(is_denied(caps, "/home/u/.ssh/id_rsa"));
	berm_caps_free(caps);
	input.real_home = "/data/u";
	caps = caps_of(&input);
	assert_true(is_denied(caps, "/home/u/.ssh/id_rsa")); /* the plan follows the link */
	assert_int_equal(rights_at(caps, "/home/u/.cargo/bin/x"), RX);
	berm_caps_free(caps);
	input.flag_count = 0;
	input.envp = envp;
	caps = caps_of(&input);
	assert_int_equal(rights_at(caps, "/data/u/.docker/config.json"), 0);
	assert_int_equal(rights_at(caps, "/data/u/.docker/bin/x"), RX);
	assert_int_equal(rights_at(caps, "/data/u/x"), 0);
	berm_caps_free(caps);
}

static void test_the_hosts_network_brings_its_resolver(void **state)
{
	(void)state;
	static const struct rights_case cases[] = {{"/run/systemd/resolve/stub-resolv.conf", R},
						   {"/run/docker.sock", 0}};
	struct policy_input input = ordinary();
	input.network = BERM_NET_HOST;
	expect_rights(&input, cases, ARRAY_LEN(cases));
}

static void test_without_home(void **state)
{
	(void)state;
	static const struct rights_case cases[] = {{"/usr/bin/x", RX}, {"/home/u/.cargo/bin", 0}, {"/.ssh", 0}};
	struct policy_input input = ordinary();
	input.home = NULL;
	expect_rights(&input, cases, ARRAY_LEN(cases));
	input.home = "/";
	input.flags = (const struct policy_flag[]){{POLICY_READ, "/"}};
	input.flag_count = 1;
	struct berm_caps *caps = caps_of(&input);
	assert_true(is_denied(caps, "/.ssh"));
	berm_caps_free(caps);
}

/* ---- the environment --------------------------------------------------------------------------------------------- */

static const char *value_of(char **envp, const char *name)
{
	size_t len = strlen(name);
	for (; *envp != NULL; envp++)
		if (strncmp(*envp, name, len) == 0 && (*envp)[len] == '=')
			return *envp + len + 1;
	return NULL;
}

static size_t count_of(char **envp)
{
	size_t count = 0;
	while (envp[count] != NULL)
		count++;
	return count;
}

static char **environment_of(const struct policy_input *input)
{
	char **envp;
	struct berm_err err;
	if (policy_environment(input, &envp, &err) != BERM_OK)
		fail_msg("%s", err.msg);
	return envp;
}

static void test_the_environment_is_a_short_list(void **state)
{
	(void)state;
	static const char *const envp[] = {
		"PATH=/usr/bin",
		"HOME=/home/u",
		"LC_TIME=C",
		"LANG=C.UTF-8",
		"TERM=xterm",
		"LC_=x",
		"GITHUB_TOKEN=secret",
		"SSH_AUTH_SOCK=/x",
		"DISPLAY=:0",
		"DBUS_SESSION_BUS_ADDRESS=x",
		"OPENAI_API_KEY=s",
		"AWS_SECRET_ACCESS_KEY=s",
		"LD_PRELOAD=/x.so",
		"BASH_ENV=/x",
		"TMPDIR=/run/user/1",
		"NODE_OPTIONS=--x",
		"GIT_CONFIG_COUNT=1",
		"XAUTHORITY=/x",
		"PATHX=1",
		"nonsense",
		"=odd",
		"SSL_CERT_FILE=/c.pem",
		"NPM_CONFIG_TOKEN=s",
		NULL,
	};
	struct policy_input input = ordinary();
	input.envp = envp;
	char **made = environment_of(&input);
	assert_string_equal(value_of(made, "PATH"), "/usr/bin");
	assert_string_equal(value_of(made, "LC_TIME"), "C");
	assert_string_equal(value_of(made, "SSL_CERT_FILE"), "/c.pem");
	assert_int_equal(count_of(made), 7);
	policy_environment_free(made);
}

static void test_the_environment_is_never_without_path_and_home(void **state)
{
	(void)state;
	static const char *const none[] = {NULL};
	struct policy_input input = ordinary();
	input.envp = none;
	char **made = environment_of(&input);
	assert_string_equal(value_of(made, "HOME"), "/home/u");
	assert_non_null(strstr(value_of(made, "PATH"), "/usr/bin"));
	assert_int_equal(count_of(made), 2);
	policy_environment_free(made);
	input.envp = NULL;
	input.home = NULL;
	made = environment_of(&input);
	assert_int_equal(count_of(made), 1);
	policy_environment_free(made);
	policy_environment_free(NULL);
}

static void test_what_is_asked_for_with_e(void **state)
{
	(void)state;
	static const char *const envp[] = {"PATH=/usr/bin", "HOME=/home/u", "TOKEN=t", "TERM=xterm", NULL};
	static const char *const given[] = {"TOKEN", "ABSENT", "TERM=dumb", "EMPTY=", "EQUALS=a=b", "EMPTY=x"};
	static const char *const wrong[] = {"=x"};
	struct policy_input input = ordinary();
	input.envp = envp;
	input.env = given;
	input.env_count = ARRAY_LEN(given);
	char **made = environment_of(&input);
	assert_string_equal(value_of(made, "TOKEN"), "t");
	assert_null(value_of(made, "ABSENT"));
	assert_string_equal(value_of(made, "TERM"), "dumb");
	assert_string_equal(value_of(made, "EMPTY"), "x");
	assert_string_equal(value_of(made, "EQUALS"), "a=b");
	assert_int_equal(count_of(made), 6);
	policy_environment_free(made);

	input.env = wrong;
	input.env_count = 1;
	made = NULL;
	assert_int_equal(policy_environment(&input, &made, NULL), BERM_ERR_INVALID);
	assert_null(made);
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
		cmocka_unit_test(test_names_with_pattern_letters_are_taken_as_they_are),
		cmocka_unit_test(test_tools_are_where_variables_say),
		cmocka_unit_test(test_folders_of_path),
		cmocka_unit_test(test_scratch_folders),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_flags_that_cannot_be),
		cmocka_unit_test(test_a_wide_grant_does_not_mean_the_secrets),
		cmocka_unit_test(test_a_home_behind_a_link),
		cmocka_unit_test(test_the_hosts_network_brings_its_resolver),
		cmocka_unit_test(test_without_home),
		cmocka_unit_test(test_the_environment_is_a_short_list),
		cmocka_unit_test(test_the_environment_is_never_without_path_and_home),
		cmocka_unit_test(test_what_is_asked_for_with_e),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
