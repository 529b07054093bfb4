#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "builtin_rig.h"
#include "os/fd.h"
#include "policy/builtin.h"
#include "policy/input.h"
#include "policy/learn_policy.h"
#include "policy/policy_answer.h"
#include "session/own_tests.h"

enum { LEAST_PROFILES = 18, ABOUT_MAX = 140, PAGE_MAX = 64 * 1024 };

static const char *const environment[] = {"PATH=/usr/bin:/home/u/bin", NULL};

static struct policy_input input_on(const char *os)
{
	return (struct policy_input){.cwd = "/home/u/w",
				     .workspace = "/home/u/w",
				     .home = "/home/u",
				     .real_home = "/home/u",
				     .envp = environment,
				     .os = os,
				     .uid = 1000,
				     .distro = "debian"};
}

static struct policy *resolve(const struct policy_doc *profile, const char *os)
{
	const struct policy_doc *const profiles[] = {profile, NULL};
	const struct policy_layers layers = {.profiles = profiles, .finder = builtin_finder};
	const struct policy_input input = input_on(os);
	static struct problems problems;
	struct policy *policy = NULL;
	struct berm_err err = {.msg = ""};
	memset(&problems, 0, sizeof problems);
	enum berm_code code = policy_make(&layers, &input, &policy, &problems, &err);
	if (code != BERM_OK && code != BERM_ERR_NOMEM)
		print_error("%s on %s: %s\n", profile->name, os, err.msg);
	assert_int_equal(code, BERM_OK);
	assert_int_equal(problems.count, 0);
	return policy;
}

static void test_every_profile_resolves_on_every_system(void **state)
{
	(void)state;
	assert_true(builtin_profile_count >= LEAST_PROFILES);
	for (size_t i = 0; i < builtin_profile_count; i++) {
		auto_policy struct policy *linux_policy = resolve(&builtin_profiles[i], "linux");
		auto_policy struct policy *mac_policy = resolve(&builtin_profiles[i], "macos");
		assert_true(linux_policy->count > 0);
		assert_true(mac_policy->count > 0);
	}
}

static void test_every_profile_is_told_in_a_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < builtin_profile_count; i++) {
		const char *about = builtin_profiles[i].about;
		assert_non_null(about);
		assert_true(strlen(about) > 2 && strlen(about) <= ABOUT_MAX);
		assert_true(about[strlen(about) - 1] != '.');
	}
}

/* What the profile promises about itself. */
static void test_every_profile_passes_its_own_tests(void **state)
{
	(void)state;
	const struct policy_input input = input_on("linux");
	for (size_t i = 0; i < builtin_profile_count; i++) {
		static struct problems problems;
		struct berm_err err = {.msg = ""};
		auto_policy struct policy *policy = resolve(&builtin_profiles[i], "linux");
		memset(&problems, 0, sizeof problems);
		enum berm_code code = own_tests_check(policy, &input, &problems, &err);
		if (code != BERM_OK && code != BERM_ERR_NOMEM)
			print_error("%s: %s\n", builtin_profiles[i].name, err.msg);
		assert_int_equal(code, BERM_OK);
	}
}

static enum policy_answer ask(const struct policy *policy, const struct policy_question *question)
{
	const struct floor_places places = {.home = "/home/u"};
	auto_learn_policy struct learn_policy *rules = NULL;
	struct policy_verdict verdict;
	struct berm_err err = {.msg = ""};
	assert_int_equal(learn_policy_new(policy, &places, &rules, &err), BERM_OK);
	struct policy_answer_context context = {policy, rules};
	assert_int_equal(policy_answer(&context, question, &verdict, &err), BERM_OK);
	return verdict.answer;
}

static enum policy_answer may(const char *profile, enum policy_op op, const char *path)
{
	const struct policy_doc *doc = builtin_find(POLICY_DOC_PROFILE, profile);
	assert_non_null(doc);
	auto_policy struct policy *policy = resolve(doc, "linux");
	const struct policy_question question = {.op = op, .path = path};
	return ask(policy, &question);
}

static enum policy_answer may_reach(const char *profile, const char *host)
{
	const struct policy_doc *doc = builtin_find(POLICY_DOC_PROFILE, profile);
	assert_non_null(doc);
	auto_policy struct policy *policy = resolve(doc, "linux");
	const struct policy_question question = {.op = POLICY_OP_CONNECT, .host = host, .port = 443};
	return ask(policy, &question);
}

static void test_an_agent_has_its_own_log_in_alone(void **state)
{
	static const struct {
		const char *profile, *login, *settings, *host;
	} rows[] = {
		{"claude-code", "/home/u/.claude/.credentials.json", "/home/u/.claude/settings.json",
		 "api.anthropic.com"},
		{"codex", "/home/u/.codex/auth.json", "/home/u/.codex/config.toml", "api.openai.com"},
		{"opencode", "/home/u/.local/share/opencode/auth.json", "/home/u/w/opencode.json", "opencode.ai"},
		{"gemini-cli", "/home/u/.gemini/oauth_creds.json", "/home/u/.gemini/settings.json",
		 "generativelanguage.googleapis.com"},
		{"copilot-cli", "/home/u/.copilot/config.json", "/home/u/.copilot/mcp-config.json", "api.github.com"},
		{"aider", "/home/u/.aider/oauth-keys.env", "/home/u/w/.aider.conf.yml", "api.openai.com"},
		{"openclaw", "/home/u/.openclaw/secrets.json", "/home/u/.openclaw/openclaw.json", "api.anthropic.com"},
	};
	enum { ROWS = sizeof rows / sizeof *rows };
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		assert_int_equal(may(rows[i].profile, POLICY_OP_WRITE, rows[i].login), ANSWER_ALLOW);
		assert_int_equal(may(rows[i].profile, POLICY_OP_READ, rows[(i + 1) % ROWS].login), ANSWER_DENY);
		assert_int_equal(may(rows[i].profile, POLICY_OP_WRITE, rows[i].settings), ANSWER_DENY);
		assert_int_equal(may(rows[i].profile, POLICY_OP_READ, "/home/u/.ssh/id_ed25519"), ANSWER_DENY);
		assert_int_equal(may_reach(rows[i].profile, rows[i].host), ANSWER_ALLOW);
		assert_int_equal(may_reach(rows[i].profile, "github.com"), ANSWER_ALLOW);
		assert_int_equal(may_reach(rows[i].profile, "example.org"), ANSWER_ASK);
	}
	assert_int_equal(may("default", POLICY_OP_READ, "/home/u/.codex/auth.json"), ANSWER_DENY);
}

static void test_the_narrow_ones_are_narrow(void **state)
{
	(void)state;
	assert_int_equal(may("strict", POLICY_OP_WRITE, "/home/u/w/file"), ANSWER_ALLOW);
	assert_int_equal(may("strict", POLICY_OP_EXEC, "/usr/bin/true"), ANSWER_ALLOW);
	assert_int_equal(may("strict", POLICY_OP_EXEC, "/home/u/.local/bin/tool"), ANSWER_DENY);
	assert_int_equal(may("strict", POLICY_OP_READ, "/home/u/file"), ANSWER_DENY);
	assert_int_equal(may("strict", POLICY_OP_READ, "/home/u/w/.env"), ANSWER_DENY);
	assert_int_equal(may("read-only", POLICY_OP_READ, "/home/u/w/file"), ANSWER_ALLOW);
	assert_int_equal(may("read-only", POLICY_OP_EXEC, "/home/u/w/file"), ANSWER_ALLOW);
	assert_int_equal(may("read-only", POLICY_OP_WRITE, "/home/u/w/file"), ANSWER_ASK);
	assert_int_equal(may("ci", POLICY_OP_WRITE, "/home/u/w/file"), ANSWER_ALLOW);
	assert_int_equal(may("ci", POLICY_OP_READ, "/home/u/file"), ANSWER_DENY);
	assert_int_equal(may("ci", POLICY_OP_WRITE, "/home/u/w/.github/workflows/a.yml"), ANSWER_DENY);
	assert_int_equal(may_reach("ci", "example.org"), ANSWER_DENY);
	assert_int_equal(may_reach("strict", "github.com"), ANSWER_DENY);
	assert_int_equal(may_reach("build-offline", "github.com"), ANSWER_DENY);
	assert_int_equal(may_reach("node-dev", "github.com"), ANSWER_ALLOW);
	assert_int_equal(may_reach("node-dev", "example.org"), ANSWER_ASK);
}

/* The agents are found by what is typed. */
static void test_agents_have_their_profile(void **state)
{
	static const char *const rows[][2] = {
		{"claude", "claude-code"},  {"codex", "codex"}, {"opencode", "opencode"}, {"gemini", "gemini-cli"},
		{"copilot", "copilot-cli"}, {"aider", "aider"}, {"openclaw", "openclaw"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct policy_doc *profile = builtin_for_program(rows[i][0]);
		assert_non_null(profile);
		assert_string_equal(profile->name, rows[i][1]);
	}
	for (size_t i = 1; i < builtin_program_count; i++)
		assert_true(strcmp(builtin_programs[i - 1].name, builtin_programs[i].name) != 0);
}

/* docs/profiles.md has a row for each, with its own words. */
static void test_the_page_for_readers_has_them_all(void **state)
{
	(void)state;
	auto_free char *page = calloc(1, PAGE_MAX);
	assert_non_null(page);
	if (fd_read_file(AT_FDCWD, "docs/profiles.md", page, PAGE_MAX) <= 0)
		skip(); /* tests run in the project's folder; elsewhere there is no page */
	for (size_t i = 0; i < builtin_profile_count; i++) {
		char name[80];
		(void)snprintf(name, sizeof name, "\n| `%s` |", builtin_profiles[i].name);
		const char *row = strstr(page, name);
		if (row == NULL || strstr(row, builtin_profiles[i].about) == NULL)
			print_error("docs/profiles.md does not tell of %s\n", builtin_profiles[i].name);
		assert_non_null(row);
		assert_non_null(strstr(row, builtin_profiles[i].about));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_profile_resolves_on_every_system),
		cmocka_unit_test(test_every_profile_is_told_in_a_line),
		cmocka_unit_test(test_every_profile_passes_its_own_tests),
		cmocka_unit_test(test_an_agent_has_its_own_log_in_alone),
		cmocka_unit_test(test_the_narrow_ones_are_narrow),
		cmocka_unit_test(test_agents_have_their_profile),
		cmocka_unit_test(test_the_page_for_readers_has_them_all),
	};
	return cmocka_run_group_tests_name("profiles", tests, NULL, NULL);
}
