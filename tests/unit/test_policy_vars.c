#include "check.h"

#include <string.h>

#include "base/own.h"
#include "policy/policy_vars.h"

struct rig {
	struct arena arena;
	struct policy_input input;
	struct policy_vars vars;
	struct policy_vars_paths paths;
	struct berm_err err;
};

static void rig_done(struct rig *rig)
{
	arena_done(&rig->arena);
}

#define auto_rig __attribute__((cleanup(rig_done)))

static const char *const no_variables[] = {NULL};

static void rig_init(struct rig *rig, const char *const *envp)
{
	*rig = (struct rig){.input = {.home = "/home/u", .envp = envp != NULL ? envp : no_variables, .uid = 1000}};
	arena_init(&rig->arena, 1 << 20);
	assert_int_equal(policy_vars_init(&rig->vars, &rig->input, &rig->arena, &rig->err), BERM_OK);
}

static const char *const *paths(struct rig *rig, const char *text, enum policy_use use)
{
	const struct policy_vars_request request = {.text = text, .folder = "/w", .use = use, .pattern = true};
	assert_int_equal(policy_vars_paths(&rig->vars, &request, &rig->paths, &rig->err), BERM_OK);
	return rig->paths.paths;
}

/* The only path, or "" if there is none. */
static const char *path(struct rig *rig, const char *text, enum policy_use use)
{
	const char *const *found = paths(rig, text, use);
	if (found[0] == NULL)
		return "";
	assert_null(found[1]);
	return found[0];
}

static void test_every_variable_of_the_table(void **state)
{
	(void)state;
	static const struct {
		const char *text, *path;
	} rows[] = {
		{"$ASDF_DATA_DIR", "/home/u/.asdf"},
		{"$BUN_INSTALL", "/home/u/.bun"},
		{"$CARGO_HOME/bin", "/home/u/.cargo/bin"},
		{"$CARGO_HTTP_CAINFO", ""},
		{"$CLAUDE_CONFIG_DIR", "/home/u/.claude"},
		{"$CODEX_HOME", "/home/u/.codex"},
		{"$CODEX_SQLITE_HOME", ""},
		{"$CONDA_PREFIX", ""},
		{"$COPILOT_HOME", "/home/u/.copilot"},
		{"$CURL_CA_BUNDLE", ""},
		{"$DENO_DIR", "/home/u/.cache/deno"},
		{"$DENO_INSTALL", "/home/u/.deno"},
		{"$FNM_DIR", "/home/u/.local/share/fnm"},
		{"$GIT_SSL_CAINFO", ""},
		{"$GNUPGHOME", "/home/u/.gnupg"},
		{"$GOPATH", "/home/u/go"},
		{"$GOROOT", "/home/u/sdk"},
		{"$GRADLE_USER_HOME", "/home/u/.gradle"},
		{"$JAVA_HOME", ""},
		{"$MISE_DATA_DIR", "/home/u/.local/share/mise"},
		{"$NIX_SSL_CERT_FILE", ""},
		{"$NODE_EXTRA_CA_CERTS", ""},
		{"$NVM_DIR", "/home/u/.nvm"},
		{"$N_PREFIX", "/home/u/n"},
		{"$OPENCLAW_STATE_DIR", "/home/u/.openclaw"},
		{"$PATH", ""},
		{"$PIPX_HOME", "/home/u/.local/share/pipx"},
		{"$PIP_CERT", ""},
		{"$PLAYWRIGHT_BROWSERS_PATH", "/home/u/.cache/ms-playwright"},
		{"$PNPM_HOME", "/home/u/.local/share/pnpm"},
		{"$PYENV_ROOT", "/home/u/.pyenv"},
		{"$RBENV_ROOT", "/home/u/.rbenv"},
		{"$REQUESTS_CA_BUNDLE", ""},
		{"$RUSTUP_HOME", "/home/u/.rustup"},
		{"$SDKMAN_DIR/candidates", "/home/u/.sdkman/candidates"},
		{"$SSH_AUTH_SOCK", ""},
		{"$SSL_CERT_DIR", ""},
		{"$SSL_CERT_FILE", ""},
		{"$TMPDIR", "/tmp"},
		{"$TOOL_ROOTS", ""},
		{"$VIRTUAL_ENV", ""},
		{"$VOLTA_HOME", "/home/u/.volta"},
		{"$WORKSPACE_CACHE", ""},
		{"$XDG_CACHE_HOME", "/home/u/.cache"},
		{"$XDG_CONFIG_HOME", "/home/u/.config"},
		{"$XDG_DATA_HOME", "/home/u/.local/share"},
		{"$XDG_RUNTIME_DIR/x", "/run/user/1000/x"},
		{"$XDG_STATE_HOME", "/home/u/.local/state"},
		{"$npm_config_cache", "/home/u/.npm"},
		{"/run/user/$UID/bus", "/run/user/1000/bus"},
		{"/run/user/$UIDX", "/run/user/$UIDX"},
	};
	auto_rig struct rig rig;
	rig_init(&rig, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(path(&rig, rows[i].text, POLICY_USE_GRANT), rows[i].path);
	const char *const *sockets = paths(&rig, "$GPG_AGENT_SOCK", POLICY_USE_SOCKET);
	assert_string_equal(sockets[0], "/run/user/1000/gnupg/S.gpg-agent");
	assert_string_equal(sockets[1], "/home/u/.gnupg/S.gpg-agent");
	assert_null(sockets[2]);
}

static void test_the_environment_names_folders(void **state)
{
	(void)state;
	static const char *const envp[] = {"CARGO_HOME=/opt/../data//cargo/", "NVM_DIR=relative", "GOPATH=/a:/b::c:/a",
					   "SSH_AUTH_SOCK=/tmp/ssh-x/agent.1", NULL};
	auto_rig struct rig rig;
	rig_init(&rig, envp);
	assert_string_equal(path(&rig, "$CARGO_HOME/bin", POLICY_USE_GRANT), "/data/cargo/bin");
	assert_string_equal(path(&rig, "$NVM_DIR", POLICY_USE_GRANT), "/home/u/.nvm");
	assert_string_equal(path(&rig, "$SSH_AUTH_SOCK", POLICY_USE_SOCKET), "/tmp/ssh-x/agent.1");
	const char *const *found = paths(&rig, "$GOPATH/pkg", POLICY_USE_GRANT);
	assert_string_equal(found[0], "/a/pkg");
	assert_string_equal(found[1], "/b/pkg");
	assert_null(found[2]);
}

/* A variable that was set on purpose does not take a secret out of what is denied. */
static void test_a_guard_holds_for_each_value(void **state)
{
	(void)state;
	static const char *const envp[] = {"CARGO_HOME=/", "GRADLE_USER_HOME=/home/u/.gradle", NULL};
	auto_rig struct rig rig;
	rig_init(&rig, envp);
	const char *const *found = paths(&rig, "$CARGO_HOME/credentials", POLICY_USE_GUARD);
	assert_string_equal(found[0], "/credentials");
	assert_string_equal(found[1], "/home/u/.cargo/credentials");
	assert_string_equal(path(&rig, "$GRADLE_USER_HOME/gradle.properties", POLICY_USE_GUARD),
			    "/home/u/.gradle/gradle.properties");
	assert_string_equal(path(&rig, "$CARGO_HOME/bin", POLICY_USE_GRANT), "");
	assert_string_equal(path(&rig, "$GRADLE_USER_HOME/jdks", POLICY_USE_GRANT), "/home/u/.gradle/jdks");
}

static bool lead_to_secret(const char *asked, char ret_real[static PATH_MAX])
{
	if (strcmp(asked, "/nowhere") == 0)
		return false;
	strcpy(ret_real, strcmp(asked, "/link") == 0	   ? "/home/u/.ssh/keys"
			 : strcmp(asked, "/homelink") == 0 ? "/real/u"
			 : strcmp(asked, "/seen") == 0	   ? "/real/u/.ssh"
							   : asked);
	return true;
}

static void test_what_is_harmless(void **state)
{
	(void)state;
	const char *closed[] = {"/home/u/.ssh", "/home/u/.config/gh", "/home/u/.aws", "/opt/secret/key"};
	static const struct {
		const char *path;
		bool alone, around;
	} rows[] = {
		{"/data/tools", true, true},
		{"/", false, false},
		{"/home", false, false},
		{"/etc", false, false},
		{"/tmp", false, false},
		{"/home/u", false, false},
		{"/home/u/.local", false, false},
		{"/home/u/.local/bin", true, true},
		{"/home/u/.ssh", false, false},
		{"/home/u/.sshx", true, true},
		{"/home/u/.config", false, false},
		{"/home/u/.config/ghx", true, true},
		{"/opt/secret", false, false},
		{"/opt/secret/key/x", true, false},
		{"/home/u/.ssh/agent", true, false},
		{"/link", true, false},
		{"/nowhere", false, false},
		{"/homelink", false, false},
		{"/seen", false, false},
	};
	auto_rig struct rig rig;
	rig_init(&rig, NULL);
	rig.input.real_home = "/real/u";
	rig.input.resolve = lead_to_secret;
	assert_int_equal(policy_vars_init(&rig.vars, &rig.input, &rig.arena, &rig.err), BERM_OK);
	rig.vars.closed = closed;
	rig.vars.closed_count = ARRAY_LEN(closed);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(policy_vars_is_harmless(&rig.vars, rows[i].path, false), rows[i].alone);
		assert_int_equal(policy_vars_is_harmless(&rig.vars, rows[i].path, true), rows[i].around);
	}
}

static void test_only_what_is_harmless_is_granted(void **state)
{
	(void)state;
	static const char *const envp[] = {"CARGO_HOME=/home/u",     "RUSTUP_HOME=/home/u/.ssh",      "NVM_DIR=/home",
					   "VOLTA_HOME=/data/volta", "SSL_CERT_FILE=/home/u/.ssh/ca", NULL};
	const char *closed[] = {"/home/u/.ssh"};
	auto_rig struct rig rig;
	rig_init(&rig, envp);
	rig.vars.closed = closed;
	rig.vars.closed_count = 1;
	static const struct {
		const char *text, *path;
	} rows[] = {{"$CARGO_HOME/bin", ""}, {"$RUSTUP_HOME", ""},	     {"$NVM_DIR", ""},
		    {"$NVM_DIR/*", ""},	     {"$VOLTA_HOME", "/data/volta"}, {"$VOLTA_HOME/*/bin", "/data/volta/*/bin"},
		    {"$SSL_CERT_FILE", ""}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(path(&rig, rows[i].text, POLICY_USE_GRANT), rows[i].path);
	assert_string_equal(path(&rig, "$CARGO_HOME", POLICY_USE_PLAIN), "/home/u");
}

/* In a run inside a run variables lead to the package cache, where no file of the user's is. */
static void test_what_an_outer_run_has_set_is_none_of_the_users(void **state)
{
	(void)state;
	static const char *const envp[] = {"CARGO_HOME=/home/u/k/cargo", "GOPATH=/home/u/k/go:/data/go",
					   "NVM_DIR=/home/u/kk", NULL};
	auto_rig struct rig rig;
	rig_init(&rig, envp);
	rig.input.workspace_cache = "/home/u/k";
	assert_string_equal(path(&rig, "$CARGO_HOME", POLICY_USE_GUARD), "/home/u/.cargo");
	assert_string_equal(path(&rig, "$GOPATH", POLICY_USE_GRANT), "/data/go");
	assert_string_equal(path(&rig, "$NVM_DIR", POLICY_USE_PLAIN), "/home/u/kk");
}

static void test_folders_of_path_and_what_is_around_them(void **state)
{
	(void)state;
	static const char *const envp[] = {
		"PATH=/usr/bin:/data/go/bin:/home/u/tool:/data/go/bin/:relative:/x/../bin:/home/u/bin:/opt/x/bin:",
		NULL};
	auto_rig struct rig rig;
	rig_init(&rig, envp);
	const char *const *found = paths(&rig, "$PATH", POLICY_USE_GRANT);
	assert_string_equal(found[0], "/data/go/bin");
	assert_string_equal(found[1], "/home/u/tool");
	assert_string_equal(found[2], "/home/u/bin");
	assert_null(found[3]);
	assert_string_equal(path(&rig, "$TOOL_ROOTS/lib", POLICY_USE_GRANT), "/data/go/lib");
}

static bool is_there(const char *asked)
{
	return strcmp(asked, "/data/go/lib") == 0;
}

static void test_what_is_shipped_asks_whether_it_is_there(void **state)
{
	(void)state;
	static const char *const envp[] = {"PATH=/data/go/bin", NULL};
	auto_rig struct rig rig;
	rig_init(&rig, envp);
	rig.input.readable = is_there;
	const struct policy_vars_request lib = {.text = "$TOOL_ROOTS/lib", .pattern = true, .shipped = true};
	const struct policy_vars_request src = {.text = "$TOOL_ROOTS/src", .pattern = true, .shipped = true};
	const struct policy_vars_request own = {.text = "$TOOL_ROOTS/src", .pattern = true};
	assert_int_equal(policy_vars_paths(&rig.vars, &lib, &rig.paths, &rig.err), BERM_OK);
	assert_string_equal(rig.paths.paths[0], "/data/go/lib");
	assert_int_equal(policy_vars_paths(&rig.vars, &src, &rig.paths, &rig.err), BERM_OK);
	assert_null(rig.paths.paths[0]);
	assert_int_equal(policy_vars_paths(&rig.vars, &own, &rig.paths, &rig.err), BERM_OK);
	assert_string_equal(rig.paths.paths[0], "/data/go/src");
}

static void test_values_from_the_caller_come_first(void **state)
{
	(void)state;
	static const char *const envp[] = {"GPG_AGENT_SOCK=/tmp/x", "NPM_REGISTRIES=evil.example", NULL};
	const struct policy_variable given = {"GPG_AGENT_SOCK",
					      (const char *const[]){"/run/user/1000/gnupg/d.x/S.gpg-agent", NULL}};
	const char *const *hosts = no_variables;
	auto_rig struct rig rig;
	rig_init(&rig, envp);
	rig.input.variables = &given;
	rig.input.variable_count = 1;
	assert_string_equal(path(&rig, "$GPG_AGENT_SOCK", POLICY_USE_SOCKET), "/run/user/1000/gnupg/d.x/S.gpg-agent");
	assert_int_equal(policy_vars_hosts(&rig.vars, "$NPM_REGISTRIES", &hosts, &rig.err), BERM_OK);
	assert_null(hosts);
	assert_int_equal(policy_vars_hosts(&rig.vars, "$CARGO_HOME", &hosts, &rig.err), BERM_ERR_PARSE);
	assert_int_equal(policy_vars_hosts(&rig.vars, "$NPM_REGISTRIES/x", &hosts, &rig.err), BERM_ERR_PARSE);
}

static void test_patterns(void **state)
{
	(void)state;
	char plain[PATH_MAX];
	static const struct {
		const char *pattern, *plain;
		bool wild;
	} rows[] = {{"/a/b", "/a/b", false},	 {"/a\\*b", "/a*b", false}, {"/a*", "/a*", true},
		    {"/a\\\\b", "/a\\b", false}, {"/a[b]", "/a[b]", true},  {"/{a,b}", "/{a,b}", true},
		    {"/a?", "/a?", true},	 {"/a\\", "/a\\", false},   {"/a]", "/a]", false}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(policy_vars_is_wild(rows[i].pattern), rows[i].wild);
		if (!rows[i].wild)
			assert_string_equal(policy_vars_plain(rows[i].pattern, plain), rows[i].plain);
	}
}

static void test_crooked_paths_are_made_straight(void **state)
{
	(void)state;
	static const struct {
		const char *text, *path;
	} rows[] = {{"/a/", "/a"},
		    {"/", "/"},
		    {"//", "/"},
		    {"/a//b", "/a/b"},
		    {"/a/./b", "/a/b"},
		    {"/a/../b", "/b"},
		    {"/a/..", "/"},
		    {"/a/.b", "/a/.b"},
		    {"/a/..b", "/a/..b"},
		    {"/a/...", "/a/..."},
		    {"/a/.", "/a"},
		    {".", "/w"},
		    {"./", "/w"},
		    {"../x", "/x"},
		    {"a/*/b/", "/w/a/*/b"},
		    {"../x/*", "/x/*"},
		    {"**/x/", "**/x/"},
		    {"~/../v", "/home/v"},
		    {"", "/w"}};
	auto_rig struct rig rig;
	rig_init(&rig, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(path(&rig, rows[i].text, POLICY_USE_GRANT), rows[i].path);
}

static void test_what_is_too_long_is_told(void **state)
{
	(void)state;
	char text[PATH_MAX + 2];
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	auto_rig struct rig rig;
	rig_init(&rig, NULL);
	for (const char *front = "/~x"; *front != '\0'; front++) {
		text[0] = *front;
		text[1] = *front == '~' ? '/' : 'a';
		const struct policy_vars_request request = {.text = text, .folder = "/w"};
		assert_int_equal(policy_vars_paths(&rig.vars, &request, &rig.paths, &rig.err), BERM_ERR_PARSE);
	}
}

static void test_the_nearest_variable(void **state)
{
	(void)state;
	assert_string_equal(policy_vars_nearest("$CARGO_HOM/x"), "CARGO_HOME");
	assert_string_equal(policy_vars_nearest("$NPM_REGISTRYS"), "NPM_REGISTRIES");
	assert_null(policy_vars_nearest("$"));
	assert_null(policy_vars_nearest("$COMPLETELY_ELSE"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_variable_of_the_table),
		cmocka_unit_test(test_the_environment_names_folders),
		cmocka_unit_test(test_a_guard_holds_for_each_value),
		cmocka_unit_test(test_what_is_harmless),
		cmocka_unit_test(test_only_what_is_harmless_is_granted),
		cmocka_unit_test(test_what_an_outer_run_has_set_is_none_of_the_users),
		cmocka_unit_test(test_folders_of_path_and_what_is_around_them),
		cmocka_unit_test(test_what_is_shipped_asks_whether_it_is_there),
		cmocka_unit_test(test_values_from_the_caller_come_first),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_crooked_paths_are_made_straight),
		cmocka_unit_test(test_what_is_too_long_is_told),
		cmocka_unit_test(test_the_nearest_variable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
