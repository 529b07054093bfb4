/* Where grants meet what is closed: links, the sandbox's own folders, and what a person is told. */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "caps_rig.h"
#include "resolve_rig.h"

static void refused(struct policy_line flag, enum berm_code code)
{
	struct policy_input input = ordinary();
	auto_rig rig = {0};
	assert_int_equal(make(&rig, "default", &input, FLAGS(flag), no_lines), code);
	assert_null(rig.caps);
}

/* Dotfiles are kept elsewhere: what is closed by way of a link is closed though no grant lies around its name. */
static void test_secrets_behind_links_are_closed(void **state)
{
	(void)state;
	static const char *const links[] = {"/home/u/.ssh", "/home/u/.config", NULL};
	struct policy_input input = ordinary();
	auto_rig rig = {0};
	const struct berm_caps *caps = caps_of(&rig, &input);
	assert_false(is_denied(caps, "/home/u/.ssh/id_rsa"));
	assert_false(is_denied(caps, "/home/u/.config/gh/hosts.yml"));
	input.links = links;
	caps = caps_of(&rig, &input);
	assert_true(is_denied(caps, "/home/u/.ssh/id_rsa")); /* the plan follows the link */
	assert_true(is_denied(caps, "/home/u/.config/gh/hosts.yml"));
	assert_false(is_denied(caps, "/home/u/.aws/credentials"));
}

static bool lead_to_secrets(const char *path, char ret_real[static PATH_MAX])
{
	bool planted = strcmp(path, "/home/u/out/link") == 0;
	(void)snprintf(ret_real, PATH_MAX, "%s", planted ? "/home/u/.aws" : path);
	return true;
}

/* A shipped line in a folder that can be written: what ran there yesterday may have left a link. */
static void test_a_link_in_a_writable_folder_opens_nothing(void **state)
{
	(void)state;
	static const struct policy_line line = {.key = KEY_READ, .line = 1, .text = "~/out/link"};
	static const struct policy_doc planted = {.kind = POLICY_DOC_PROFILE,
						  .file = "profiles/p.yaml",
						  .shipped = true,
						  .lines = &line,
						  .line_count = 1};
	for (int writable = 0; writable < 2; writable++) {
		struct policy_input input = ordinary();
		auto_rig rig = {.profiles = {&planted}};
		const struct policy_line flag = FLAG(KEY_WRITE, "/home/u/out"), none = {.text = NULL};
		const struct policy_line flags[] = {writable != 0 ? flag : none, none};
		rig.flags = (struct policy_doc){.kind = POLICY_DOC_FLAGS,
						.file = "command line",
						.folder = input.cwd,
						.lines = flags,
						.line_count = (uint32_t)count_lines(flags)};
		const struct policy_layers layers = {
			.profiles = rig.profiles, .flags = &rig.flags, .finder = {NULL, find_builtin, no_name}};
		input.resolve = lead_to_secrets;
		assert_int_equal(policy_make(&layers, &input, &rig.policy, &rig.problems, &rig.err), BERM_OK);
		input.policy = rig.policy;
		assert_int_equal(policy_caps(&input, &rig.caps, NULL, &rig.problems, &rig.err), BERM_OK);
		assert_int_equal(has_line(rig.caps, "read /home/u/out/link"), writable == 0);
	}
}

static void test_the_sandboxs_own_folders(void **state)
{
	(void)state;
	struct policy_input input = ordinary();
	auto_rig rig = {0};
	must_have(caps_of(&rig, &input), "scratch /tmp");
	const struct berm_caps *caps = caps_with(&rig, &input, FLAGS(FLAG(KEY_WRITE, "/tmp")));
	must_not_have(caps, "scratch /tmp");
	must_have(caps, "scratch /var/tmp");
	assert_int_equal(rights_at(caps, "/tmp/x"), ALL);
	must_have(caps_with(&rig, &input, FLAGS(FLAG(KEY_READ, "/tmp/x"))), "scratch /tmp");
	caps = caps_with(&rig, &input, FLAGS(FLAG(KEY_READ, "/tmp"), FLAG(KEY_TMP, "host")));
	must_not_have(caps, "scratch /tmp");
	refused((struct policy_line)FLAG(KEY_READ, "/tmp"), BERM_ERR_INVALID);
	refused((struct policy_line)FLAG(KEY_EXEC, "/var/tmp"), BERM_ERR_INVALID);
}

/* Every one of them: a line without a way out is found by looking at all. */
static void expect_ways(const struct rig *rig, const char *subject)
{
	for (size_t i = 0; i < rig->problems.count; i++) {
		const struct problem *problem = &rig->problems.items[i];
		if (problem->file[0] == '\0' || problem->line == 0 || problem->hint[0] == '\0')
			fail_msg("%s: '%s' has no place or no way out", subject, problem->text);
	}
}

/* Patterns of all shapes in every line that takes one: what is refused is refused with a place and a way. */
static void test_no_pattern_is_refused_without_a_way(void **state)
{
	(void)state;
	NOT_TORTURED();
	static const enum policy_key keys[] = {KEY_READ,    KEY_WRITE,	 KEY_EXEC,	   KEY_DELETE,
					       KEY_DENY,    KEY_PROTECT, KEY_ASK,	   KEY_SOCKETS,
					       KEY_REPLACE, KEY_SCRATCH, KEY_TRUST_REQUIRE};
	static const char *const patterns[] = {"/srv/*",     "**/x",   "./*.md",  "/srv/[ab]/x", "/{a,b}",  "~/*/x",
					       "/*",	     "/",      "/srv/**", "/proc/*",	 "$PATH/*", "$HOME/*",
					       "/srv/a\\*b", "/tmp/*", "/dev/*",  "~/.ssh/*",	 "/srv/?"};
	size_t refusals = 0;
	for (size_t i = 0; i < ARRAY_LEN(keys) * ARRAY_LEN(patterns); i++) {
		struct policy_input input = ordinary();
		auto_rig rig = {0};
		const char *pattern = patterns[i % ARRAY_LEN(patterns)];
		const struct policy_line flags[] = {FLAG(keys[i / ARRAY_LEN(patterns)], pattern), {.text = NULL}};
		bool refused = make(&rig, "default", &input, flags, no_lines) != BERM_OK;
		if (refused && rig.problems.count == 0)
			fail_msg("%s: %s: no line is told", pattern, rig.err.msg);
		expect_ways(&rig, pattern);
		refusals += refused;
	}
	assert_true(refusals > 20 && refusals < ARRAY_LEN(keys) * ARRAY_LEN(patterns));
}

static void test_errors_tell_the_line_and_a_way(void **state)
{
	(void)state;
	static const struct {
		enum policy_key key;
		const char *path, *text, *hint;
	} cases[] = {
		{KEY_WRITE, "/", "'/' cannot be written as a whole", "the folders in it"},
		{KEY_READ, "/tmp", "'/tmp' is the sandbox's own", "a folder in it"},
		{KEY_READ, "/proc", "'/proc' is never granted", "own"},
		{KEY_READ, "/dev/sda", "'/dev/sda' is never granted", "without this line"},
		{KEY_WRITE, "/boot", "'/boot' is never granted", "reading it"},
		{KEY_READ, "/home/u/.ssh", "'/home/u/.ssh' is closed by", "override"},
		{KEY_READ, "/srv/*", "no pattern can be granted", "the folder around it, '/srv', and filesystem.deny"},
		{KEY_WRITE, "/srv/a/b*/c", "no pattern can be granted", "the folder around it, '/srv/a', and"},
		{KEY_EXEC, "**/x", "no pattern can be granted", "the folders that are meant, by their names, and"},
		{KEY_DELETE, "./*.o", "no pattern can be granted", "'/home/u/project/src', and filesystem.deny"},
		{KEY_SCRATCH, "/", "'/' cannot be a scratch folder", "a folder of its own"},
		{KEY_REPLACE, "/", "writing cannot be granted for '/'", "a folder that is not the root"},
		{KEY_READ, "$HOME/x", "no variable for paths", "~/x"},
		{KEY_DENY, "$PWD", "no variable for paths", "."},
		{KEY_PROTECT, "$NOPE/x", "no variable for paths", "the path itself"},
		{KEY_WRITE, "$CARGO_HOM/x", "no variable for paths", "$CARGO_HOME"},
		{KEY_UPSTREAM, "http://proxy:1", "a proxy cannot be used", "without this line"},
		{KEY_TRUST_REQUIRE, "**/x", "signatures cannot be required", "filesystem.protect"},
		{KEY_MAY, "nonsense", "not known in this version", "without this line"},
		{KEY_LIMIT_MEMORY, "0", "a limit of 0", "GiB"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct policy_input input = ordinary();
		auto_rig rig = {0};
		const struct policy_line flags[] = {FLAG(cases[i].key, cases[i].path), {.text = NULL}};
		assert_int_not_equal(make(&rig, "default", &input, flags, no_lines), BERM_OK);
		const struct problem *problem = &rig.problems.items[0];
		assert_int_equal(rig.problems.count, 1);
		assert_string_equal(problem->file, "command line");
		assert_int_equal(problem->line, 1);
		if (strstr(problem->text, cases[i].text) == NULL || strstr(problem->hint, cases[i].hint) == NULL)
			fail_msg("%s: %s (%s)", cases[i].path, problem->text, problem->hint);
	}
}

/* A chroot: what the kernel shows there is on the floor as well. */
static void test_the_kernels_folders_elsewhere(void **state)
{
	(void)state;
	static const char *const mounts[] = {"/srv/jail/proc", "/home/u/project/c[1]/sys", "/nowhere/near", NULL};
	struct policy_input input = ordinary();
	auto_rig rig = {0};
	input.kernel_mounts = mounts;
	const struct berm_caps *caps = caps_with(&rig, &input, FLAGS(FLAG(KEY_WRITE, "/srv")));
	assert_true(is_denied(caps, "/srv/jail/proc/sys/kernel/core_pattern"));
	assert_true(is_denied(caps, "/home/u/project/c[1]/sys/x"));
	assert_false(is_denied(caps, "/srv/jail/etc"));
	must_not_have(caps, "deny /nowhere/near");
	auto_rig named = {0};
	input = ordinary();
	input.kernel_mounts = mounts;
	assert_int_equal(make(&named, "default", &input, FLAGS(FLAG(KEY_READ, "/srv/jail/proc/1")), no_lines),
			 BERM_ERR_INVALID);
	assert_non_null(strstr(named.problems.items[0].text, "is never granted: kernel interfaces"));
}

/* What lifts a line depends on where it stands. */
static void test_the_way_out_is_one(void **state)
{
	(void)state;
	static const struct policy_line read[] = {FLAG(KEY_READ, "/srv/a/x"), {.text = NULL}};
	static const struct policy_line deny[] = {FLAG(KEY_DENY, "/srv/*"), {.text = NULL}};
	static const struct policy_line both[] = {FLAG(KEY_READ, "/srv/a/x"), FLAG(KEY_DENY, "/srv/*"), {.text = NULL}};
	struct policy_input input = ordinary();
	auto_rig own = {0}, flags = {0};
	assert_int_equal(make(&own, "default", &input, read, deny), BERM_ERR_INVALID);
	assert_non_null(strstr(own.problems.items[0].text, "'/srv/a/x' is closed by 'filesystem.deny: /srv/*'"));
	assert_non_null(strstr(own.problems.items[0].text, "policy.yaml:1)"));
	assert_string_equal(own.problems.items[0].hint, "{path: \"/srv/*\", except: [\"/srv/a/x\"]} there");
	input = ordinary();
	assert_int_equal(make(&flags, "default", &input, both, no_lines), BERM_ERR_INVALID);
	assert_string_equal(flags.problems.items[0].hint, "one of the two");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secrets_behind_links_are_closed),
		cmocka_unit_test(test_a_link_in_a_writable_folder_opens_nothing),
		cmocka_unit_test(test_the_sandboxs_own_folders),
		cmocka_unit_test(test_no_pattern_is_refused_without_a_way),
		cmocka_unit_test(test_errors_tell_the_line_and_a_way),
		cmocka_unit_test(test_the_way_out_is_one),
		cmocka_unit_test(test_the_kernels_folders_elsewhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
