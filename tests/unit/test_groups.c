#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "builtin_rig.h"
#include "os/fd.h"
#include "policy/builtin.h"
#include "policy/input.h"
#include "policy/policy.h"

enum { LEAST_GROUPS = 45, ABOUT_MAX = 140, PAGE_MAX = 64 * 1024 };

static const char *const given[] = {"host.corp.example", NULL};

static const char *const *values(void *context, const char *name)
{
	static const char *const lists[] = {"NPM_REGISTRIES", "PIP_INDEXES",	    "CARGO_REGISTRIES",
					    "GO_PROXIES",     "MAVEN_REPOSITORIES", "APT_MIRRORS"};
	(void)context;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (strcmp(name, lists[i]) == 0)
			return given;
	return NULL;
}

/* What one group comes to on a system. */
static struct policy *resolve(const struct policy_doc *group, const char *os)
{
	static struct problems problems;
	const struct policy_line lines[] = {
		{.key = KEY_GROUPS, .line = 1, .column = 1, .text = group->name},
		/* An empty list of extends. */
		{.key = KEY_EXTENDS, .line = 1, .column = 1, .text = ""},
		{.key = KEY_NET_MODE, .line = 1, .column = 1, .text = "host"},
	};
	const struct policy_doc profile = {
		.kind = POLICY_DOC_PROFILE, .file = "test", .name = "test", .lines = lines, .line_count = 3};
	static struct policy_doc kept;
	static struct policy_line kept_lines[3];
	memcpy(kept_lines, lines, sizeof lines);
	kept = profile;
	kept.lines = kept_lines;
	const struct policy_doc *const profiles[] = {&kept, NULL};
	const char *const envp[] = {"SSH_AUTH_SOCK=/tmp/ssh-x/agent.1", "PATH=/usr/bin:/home/u/bin", NULL};
	const struct policy_layers layers = {.profiles = profiles, .finder = builtin_finder};
	const struct policy_input input = {.cwd = "/home/u/w",
					   .workspace = "/home/u/w",
					   .home = "/home/u",
					   .real_home = "/home/u",
					   .envp = envp,
					   .os = os,
					   .uid = 1000,
					   .distro = "debian",
					   .values = values};
	struct policy *policy = NULL;
	struct berm_err err = {.msg = ""};
	memset(&problems, 0, sizeof problems);
	enum berm_code code = policy_make(&layers, &input, &policy, &problems, &err);
	if (code != BERM_OK && code != BERM_ERR_NOMEM)
		print_error("%s on %s: %s\n", group->name, os, err.msg);
	assert_int_equal(code, BERM_OK);
	return policy;
}

/* Entries of the group itself, not of the required ones. */
static size_t entries_of(const struct policy *policy, const struct policy_doc *group)
{
	size_t count = 0;
	for (size_t i = 0; i < policy->count; i++)
		count += policy->entries[i].doc == group;
	for (size_t i = 0; i < POLICY_KEYS; i++)
		count += policy->setting[i] != NULL && policy->setting[i]->doc == group;
	return count;
}

static void test_every_group_is_told_in_a_line(void **state)
{
	(void)state;
	assert_true(builtin_group_count >= LEAST_GROUPS);
	for (size_t i = 0; i < builtin_group_count; i++) {
		const char *about = builtin_groups[i].about;
		assert_non_null(about);
		assert_true(strlen(about) > 10 && strlen(about) <= ABOUT_MAX);
		assert_true(about[strlen(about) - 1] != '.');
		assert_null(strchr(about, '\n'));
	}
}

static bool same_attrs(const struct policy_line *a, const struct policy_line *b)
{
	for (enum policy_attr_key key = 0; key < POLICY_ATTRS; key++) {
		const char *of_a = policy_attr_find(a, key), *of_b = policy_attr_find(b, key);
		if (key == ATTR_WHY || key == ATTR_LABEL)
			continue;
		if ((of_a == NULL) != (of_b == NULL) || (of_a != NULL && of_b != NULL && strcmp(of_a, of_b) != 0))
			return false;
	}
	return true;
}

static void test_no_line_stands_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < builtin_group_count; i++) {
		const struct policy_doc *group = &builtin_groups[i];
		for (uint32_t a = 0; a < group->line_count; a++)
			for (uint32_t b = a + 1; b < group->line_count; b++) {
				const struct policy_line *one = &group->lines[a], *other = &group->lines[b];
				bool same = one->key == other->key && one->text != NULL && other->text != NULL &&
					    strcmp(one->text, other->text) == 0 && same_attrs(one, other);
				if (same)
					print_error("%s: %s\n", group->file, one->text);
				assert_false(same);
			}
	}
}

static bool ends_with(const char *text, const char *end)
{
	return strlen(text) > strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static void test_every_group_says_something_on_its_system(void **state)
{
	NOT_TORTURED();
	(void)state;
	for (size_t i = 0; i < builtin_group_count; i++) {
		const struct policy_doc *group = &builtin_groups[i];
		bool macos = ends_with(group->name, "-macos");
		auto_policy struct policy *on_linux = resolve(group, "linux");
		auto_policy struct policy *on_macos = resolve(group, "macos");
		if (entries_of(macos ? on_macos : on_linux, group) == 0)
			print_error("%s says nothing\n", group->name);
		assert_true(entries_of(macos ? on_macos : on_linux, group) > 0);
		/* What is of macOS alone says nothing elsewhere. */
		assert_true(!macos || entries_of(on_linux, group) == 0);
	}
}

static bool has_path(const struct policy *policy, const char *path)
{
	for (size_t i = 0; i < policy->count; i++)
		if (policy->entries[i].line->key == KEY_DENY && policy->entries[i].path != NULL &&
		    strcmp(policy->entries[i].path, path) == 0)
			return true;
	return false;
}

static void test_secrets_are_closed_on_both_systems(void **state)
{
	NOT_TORTURED();
	(void)state;
	static const char *const closed[] = {
		"credentials", "keychains", "browsers", "shell-history", "agent-logins", "env-files", "key-files",
	};
	for (size_t i = 0; i < sizeof closed / sizeof *closed; i++) {
		const struct policy_doc *group = builtin_find(POLICY_DOC_GROUP, closed[i]);
		assert_non_null(group);
		auto_policy struct policy *on_linux = resolve(group, "linux");
		auto_policy struct policy *on_macos = resolve(group, "macos");
		for (size_t k = 0; k < on_linux->count; k++) {
			const struct policy_entry *entry = &on_linux->entries[k];
			if (entry->line->key == KEY_DENY && entry->path != NULL)
				assert_true(has_path(on_macos, entry->path));
		}
	}
}

/* What nono closes is closed here, by a group that no policy takes out or by the default profile's. */
static void test_what_others_close_is_closed(void **state)
{
	NOT_TORTURED();
	(void)state;
	static const char *const both[] = {
		".ssh",
		".gnupg",
		".aws",
		".azure",
		".config/gcloud",
		".gcloud",
		".kube",
		".docker",
		".git-credentials",
		".netrc",
		".npmrc",
		".vault-token",
		".credentials",
		".secrets",
		".keys",
		".pki",
		".terraform.d",
		".config/op",
		".password-store",
		".1password",
		".op",
		".local/share/keyrings",
		".mozilla",
		".config/google-chrome",
		".config/chromium",
		".bash_history",
		".zsh_history",
		".history",
		".python_history",
	};
	/* The required ones are in every policy. */
	auto_policy struct policy *policy = resolve(builtin_find(POLICY_DOC_GROUP, "git"), "linux");
	for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
		char path[64];
		(void)snprintf(path, sizeof path, "/home/u/%s", both[i]);
		if (!has_path(policy, path))
			print_error("%s is open\n", path);
		assert_true(has_path(policy, path));
	}
}

static bool has_host(const struct policy *policy, const char *host)
{
	for (size_t i = 0; i < policy->count; i++)
		if (policy->entries[i].line->key == KEY_NET_ALLOW && strcmp(policy->entries[i].text, host) == 0)
			return true;
	return false;
}

static void test_registries_are_those_of_the_machine(void **state)
{
	NOT_TORTURED();
	(void)state;
	static const char *const names[] = {"package-registries", "os-mirrors"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		auto_policy struct policy *policy = resolve(builtin_find(POLICY_DOC_GROUP, names[i]), "linux");
		assert_true(has_host(policy, "host.corp.example"));
		assert_false(has_host(policy, "registry.npmjs.org"));
	}
}

static bool grants_socket(const struct policy *policy, const char *path)
{
	for (size_t i = 0; i < policy->count; i++)
		if (policy->entries[i].line->key == KEY_SOCKETS && policy->entries[i].path != NULL &&
		    strcmp(policy->entries[i].path, path) == 0)
			return true;
	return false;
}

static void test_agents_have_their_socket_and_no_key(void **state)
{
	NOT_TORTURED();
	(void)state;
	auto_policy struct policy *ssh = resolve(builtin_find(POLICY_DOC_GROUP, "ssh-agent"), "linux");
	assert_true(grants_socket(ssh, "/tmp/ssh-x/agent.1"));
	assert_true(has_path(ssh, "/home/u/.ssh/**"));
	auto_policy struct policy *gpg = resolve(builtin_find(POLICY_DOC_GROUP, "gpg-agent"), "linux");
	assert_true(grants_socket(gpg, "/run/user/1000/gnupg/S.gpg-agent"));
	assert_true(has_path(gpg, "/home/u/.gnupg/**"));
}

static void test_docker_says_what_it_is(void **state)
{
	(void)state;
	const struct policy_doc *docker = builtin_find(POLICY_DOC_GROUP, "docker");
	assert_non_null(docker);
	assert_non_null(strstr(docker->about, "root"));
	assert_non_null(strstr(docker->about, "override"));
}

/* docs/groups.md has a row for each, with its own words. */
static void test_the_page_for_readers_has_them_all(void **state)
{
	(void)state;
	auto_free char *page = calloc(1, PAGE_MAX);
	assert_non_null(page);
	if (fd_read_file(AT_FDCWD, "docs/groups.md", page, PAGE_MAX) <= 0)
		skip(); /* tests run in the project's folder; elsewhere there is no page */
	for (size_t i = 0; i < builtin_group_count; i++) {
		char name[80];
		(void)snprintf(name, sizeof name, "\n| `%s` |", builtin_groups[i].name);
		const char *row = strstr(page, name);
		bool told = row != NULL && strstr(row, builtin_groups[i].about) != NULL;
		if (!told)
			print_error("docs/groups.md does not tell of %s\n", builtin_groups[i].name);
		assert_true(told);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_group_is_told_in_a_line),
		cmocka_unit_test(test_no_line_stands_twice),
		cmocka_unit_test(test_every_group_says_something_on_its_system),
		cmocka_unit_test(test_secrets_are_closed_on_both_systems),
		cmocka_unit_test(test_what_others_close_is_closed),
		cmocka_unit_test(test_registries_are_those_of_the_machine),
		cmocka_unit_test(test_agents_have_their_socket_and_no_key),
		cmocka_unit_test(test_the_page_for_readers_has_them_all),
		cmocka_unit_test(test_docker_says_what_it_is),
	};
	return cmocka_run_group_tests_name("groups", tests, NULL, NULL);
}
