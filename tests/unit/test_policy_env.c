#include "check.h"

#include <string.h>

#include "base/own.h"
#include "resolve_rig.h"

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

static void environment_done(char ***envp)
{
	str_free_all(*envp);
}
#define auto_environment __attribute__((cleanup(environment_done))) char **

static char **environment_with(struct policy_input *input, const struct policy_line *flags,
			       const struct policy_line *user)
{
	char **envp = NULL;
	struct berm_err err;
	auto_rig rig = {0};
	if (make(&rig, "default", input, flags, user) != BERM_OK || policy_environment(input, &envp, &err) != BERM_OK)
		fail_msg("no environment");
	return envp;
}

static char **environment_of(struct policy_input *input)
{
	return environment_with(input, no_lines, no_lines);
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
	auto_environment made = environment_of(&input);
	assert_string_equal(value_of(made, "PATH"), "/usr/bin");
	assert_string_equal(value_of(made, "LC_TIME"), "C");
	assert_string_equal(value_of(made, "SSL_CERT_FILE"), "/c.pem");
	assert_string_equal(value_of(made, "BERM_SANDBOX"), "1");
	assert_int_equal(count_of(made), 8);
}

static void test_the_environment_is_never_without_path_and_home(void **state)
{
	(void)state;
	static const char *const none[] = {NULL};
	struct policy_input input = ordinary();
	input.envp = none;
	auto_environment made = environment_of(&input);
	assert_string_equal(value_of(made, "HOME"), "/home/u");
	assert_non_null(strstr(value_of(made, "PATH"), "/usr/bin"));
	assert_int_equal(count_of(made), 3);
	input.envp = NULL;
	input.home = NULL;
	auto_environment bare = environment_of(&input);
	assert_int_equal(count_of(bare), 2);
	str_free_all(NULL);
}

static void test_what_is_asked_for_with_e(void **state)
{
	(void)state;
	static const char *const envp[] = {"PATH=/usr/bin", "HOME=/home/u", "TOKEN=t", "TERM=xterm", NULL};
	static const struct policy_line flags[] = {
		FLAG(KEY_ENV_PASS, "TOKEN"),
		FLAG(KEY_ENV_PASS, "ABSENT"),
		FLAG(KEY_ENV_SET, "TERM=dumb"),
		FLAG(KEY_ENV_SET, "EMPTY="),
		FLAG(KEY_ENV_SET, "EQUALS=a=b"),
		FLAG(KEY_ENV_SET, "EMPTY=x"),
		{.text = NULL},
	};
	struct policy_input input = ordinary();
	input.envp = envp;
	auto_environment made = environment_with(&input, flags, no_lines);
	assert_string_equal(value_of(made, "TOKEN"), "t");
	assert_null(value_of(made, "ABSENT"));
	assert_string_equal(value_of(made, "TERM"), "dumb");
	assert_string_equal(value_of(made, "EMPTY"), "x");
	assert_string_equal(value_of(made, "EQUALS"), "a=b");
	assert_int_equal(count_of(made), 7);
}

static bool go_is_there(const char *path)
{
	return strncmp(path, "/home/u/go", 10) == 0;
}

static void test_tools_are_led_to_the_caches_of_the_workspace(void **state)
{
	(void)state;
	static const char *const envp[] = {"PATH=/usr/bin", "HOME=/home/u", "GOPATH=/home/u/go:/home/u/go2",
					   "npm_config_cache=/home/u/other", NULL};
	static const char *const also[] = {"GOPROXY=https://p,direct", NULL};
	static const struct policy_line flags[] = {
		FLAG(KEY_NET_MODE, "host"), FLAG(KEY_ENV_SET, "PIP_CACHE_DIR=/mine"), {.text = NULL}};
	static const struct policy_line shared[] = {FLAG(KEY_CACHE, "shared"), {.text = NULL}};
	struct policy_input input = ordinary();
	input.envp = envp;
	input.also = also;
	input.readable = go_is_there;
	input.workspace_cache = "/home/u/k";
	auto_environment made = environment_with(&input, flags, no_lines);
	assert_string_equal(value_of(made, POLICY_PACKAGES_VARIABLE), "/home/u/k");
	assert_string_equal(value_of(made, "npm_config_cache"), "/home/u/k/npm");
	assert_string_equal(value_of(made, "PIP_CACHE_DIR"), "/mine");
	assert_string_equal(value_of(made, "GOPATH"), "/home/u/k/go");
	assert_string_equal(value_of(made, "GOPROXY"),
			    "file:///home/u/go/pkg/mod/cache/download,file:///home/u/go2/pkg/mod/cache/download,"
			    "https://p,direct");
	assert_null(value_of(made, "MAVEN_OPTS")); /* there is no repository to read */

	/* without a network what is there is read where it is */
	auto_environment offline = environment_of(&input);
	assert_string_equal(value_of(offline, "GOPATH"), "/home/u/go:/home/u/go2");
	assert_null(value_of(offline, "CARGO_HOME"));
	assert_string_equal(value_of(offline, "GOCACHE"), "/home/u/k/go-build");

	auto_environment through = environment_with(&input, shared, no_lines);
	assert_string_equal(value_of(through, "npm_config_cache"), "/home/u/other");
	input.workspace_cache = NULL;
	auto_environment nowhere = environment_of(&input);
	assert_string_equal(value_of(nowhere, "npm_config_cache"), "/home/u/other");
}

/* Maven splits its options at blanks. */
static void test_a_path_is_not_taken_for_two_words(void **state)
{
	(void)state;
	static const struct policy_line flags[] = {FLAG(KEY_NET_MODE, "host"), {.text = NULL}};
	struct policy_input input = ordinary();
	input.workspace_cache = "/home/u/k";
	auto_environment made = environment_with(&input, flags, no_lines);
	assert_string_equal(value_of(made, "MAVEN_OPTS"),
			    "-Dmaven.repo.local=/home/u/k/maven -Dmaven.repo.local.tail=/home/u/.m2/repository");
	assert_null(value_of(made, "GOPROXY")); /* nobody said what follows */
	input.workspace_cache = "/home/u/k k";
	auto_environment blank = environment_with(&input, flags, no_lines);
	assert_null(value_of(blank, "MAVEN_OPTS"));
	assert_string_equal(value_of(blank, "CARGO_HOME"), "/home/u/k k/cargo");
}

static void test_what_files_set_and_pass(void **state)
{
	(void)state;
	static const char *const envp[] = {"PATH=/usr/bin", "HOME=/home/u", "MY_A_KEY=a", "MY_KEY=b",
					   "TERM=xterm",    "CI=0",	    NULL};
	static const struct policy_line user[] = {FLAG(KEY_ENV_SET, "TERM=dumb"),
						  FLAG(KEY_ENV_SET, "CI=1"),
						  FLAG(KEY_ENV_PASS, "MY_*_KEY"),
						  {.text = NULL}};
	static const struct policy_line flags[] = {FLAG(KEY_ENV_PASS, "CI"), {.text = NULL}};
	struct policy_input input = ordinary();
	input.envp = envp;
	auto_environment made = environment_with(&input, flags, user);
	assert_string_equal(value_of(made, "TERM"), "dumb");
	assert_string_equal(value_of(made, "CI"), "0"); /* a flag is stronger */
	assert_string_equal(value_of(made, "MY_A_KEY"), "a");
	assert_null(value_of(made, "MY_KEY"));
}

static void test_what_is_set_unless_something_else_does(void **state)
{
	(void)state;
	static const char *const envp[] = {"PATH=/usr/bin", "HOME=/home/u", "TERM=xterm", NULL};
	static const char *const also[] = {"npm_config_registry=https://r.example/", "TERM=dumb", "CI=2", NULL};
	static const struct policy_line flags[] = {FLAG(KEY_ENV_SET, "CI=1"), {.text = NULL}};
	struct policy_input input = ordinary();
	input.envp = envp;
	input.also = also;
	auto_environment made = environment_with(&input, flags, no_lines);
	assert_string_equal(value_of(made, "npm_config_registry"), "https://r.example/");
	assert_string_equal(value_of(made, "TERM"), "xterm");
	assert_string_equal(value_of(made, "CI"), "1");
}

static void test_a_file_of_denials_is_told(void **state)
{
	(void)state;
	static const char *const envp[] = {"BERM_DENIALS=/forged", NULL};
	struct policy_input input = ordinary();
	input.envp = envp;
	auto_environment without = environment_of(&input);
	assert_null(value_of(without, "BERM_DENIALS"));
	input.denials_folder = "/run/user/1/berm-denials/0";
	auto_environment with = environment_with(&input, FLAGS(FLAG(KEY_ENV_PASS, "BERM_*")), no_lines);
	assert_string_equal(value_of(with, "BERM_DENIALS"), "/run/user/1/berm-denials/0/denials.jsonl");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_environment_is_a_short_list),
		cmocka_unit_test(test_the_environment_is_never_without_path_and_home),
		cmocka_unit_test(test_what_is_asked_for_with_e),
		cmocka_unit_test(test_tools_are_led_to_the_caches_of_the_workspace),
		cmocka_unit_test(test_a_path_is_not_taken_for_two_words),
		cmocka_unit_test(test_what_files_set_and_pass),
		cmocka_unit_test(test_what_is_set_unless_something_else_does),
		cmocka_unit_test(test_a_file_of_denials_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
