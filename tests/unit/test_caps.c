#include "check.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "sandbox/caps.h"

static struct berm_caps *new_caps(void)
{
	struct berm_caps *caps;
	assert_int_equal(berm_caps_new(&caps, NULL), BERM_OK);
	return caps;
}

static const struct cap_line *line_at(const struct berm_caps *caps, size_t index)
{
	return vec_at(&caps->lines, index);
}

static void assert_text(const struct berm_caps *caps, size_t index, const char *text)
{
	char line[256];
	caps_line_text(caps, line_at(caps, index), line, sizeof line);
	assert_string_equal(line, text);
}

static void test_lines_keep_order_and_words(void **state)
{
	(void)state;
	struct berm_caps *caps = new_caps();
	assert_int_equal(berm_caps_path(caps, "/usr", BERM_READ | BERM_EXEC, BERM_TREE, NULL), BERM_OK);
	assert_int_equal(berm_caps_path(caps, "/home/u/p", BERM_WRITE | BERM_READ | BERM_DELETE, BERM_TREE, NULL),
			 BERM_OK);
	assert_int_equal(berm_caps_path(caps, "/a b*", BERM_DENY, BERM_FILE, NULL), BERM_OK);
	assert_int_equal(berm_caps_path(caps, "/p", BERM_PROTECT, BERM_TREE, NULL), BERM_OK);
	assert_int_equal(berm_caps_path(caps, "/p", BERM_PROTECT, BERM_FILE, NULL), BERM_OK);
	assert_int_equal(berm_caps_path(caps, "/x", BERM_REPLACE | BERM_READ, BERM_FILE, NULL), BERM_OK);
	assert_int_equal(berm_caps_socket(caps, "/run/s", NULL), BERM_OK);
	assert_int_equal(berm_caps_scratch(caps, "/tmp", "TMPDIR", NULL), BERM_OK);
	static const char *const texts[] = {"read+exec /usr", "read+write+delete /home/u/p",
					    "deny /a b\\*",   "protect /p/**",
					    "protect /p",     "replace /x",
					    "socket /run/s",  "scratch /tmp"};
	assert_int_equal(caps->lines.len, ARRAY_LEN(texts));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_text(caps, i, texts[i]);
	assert_string_equal(line_at(caps, 2)->path.ptr, "/a b*");
	assert_int_equal(line_at(caps, 2)->kind, CAP_NARROW);
	assert_int_equal(line_at(caps, 5)->rights, BERM_REPLACE);
	assert_string_equal(line_at(caps, 7)->variable, "TMPDIR");
	berm_caps_free(caps);
}

static void test_relative_paths_start_here(void **state)
{
	(void)state;
	static char here[PATH_MAX], wanted[PATH_MAX + 8];
	struct berm_caps *caps = new_caps();
	assert_non_null(getcwd(here, sizeof here));
	assert_int_equal(berm_caps_path(caps, "./a", BERM_READ, BERM_FILE, NULL), BERM_OK);
	(void)snprintf(wanted, sizeof wanted, "%s/./a", here);
	assert_string_equal(line_at(caps, 0)->path.ptr, wanted);
	berm_caps_free(caps);
}

static void test_paths_that_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		unsigned rights;
		enum berm_extent extent;
		const char *message;
	} cases[] = {
		{"/a", 0, BERM_TREE, "rights 0 of '/a' are not a set"},
		{"/a", 1 << 9, BERM_TREE, "rights 0x200"},
		{"/a", BERM_DENY | BERM_READ, BERM_TREE, "deny of '/a' cannot go with"},
		{"/a", BERM_PROTECT | BERM_READ, BERM_TREE, "protect of '/a' cannot go with"},
		{"/a", BERM_PROTECT | BERM_DENY, BERM_TREE, "cannot go with"},
		{"/a", BERM_REPLACE, BERM_TREE, "replace of '/a' is for one file"},
		{"/a", BERM_REPLACE | BERM_EXEC, BERM_FILE, "replace of '/a' is for one file"},
		{"/a", BERM_READ, (enum berm_extent)7, "extent 7"},
		{"/", BERM_WRITE, BERM_TREE, "writing cannot be granted for '/'"},
		{"//./", BERM_READ | BERM_WRITE, BERM_TREE, "writing cannot be granted for '/'"},
		{"/a/..", BERM_WRITE, BERM_TREE, "writing cannot be granted for '/'"},
		{"/../..", BERM_DELETE, BERM_TREE, "writing cannot be granted for '/'"},
		{"", BERM_READ, BERM_TREE, "a path is empty"},
		{"/a\nb", BERM_READ, BERM_TREE, "holds a newline"},
		{NULL, BERM_READ, BERM_TREE, "no path"},
	};
	struct berm_caps *caps = new_caps();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct berm_err err = {0};
		enum berm_code code = berm_caps_path(caps, cases[i].path, cases[i].rights, cases[i].extent, &err);
		assert_int_equal(code, BERM_ERR_INVALID);
		if (strstr(err.msg, cases[i].message) == NULL)
			fail_msg("'%s' is not in '%s'", cases[i].message, err.msg);
	}
	char *large = malloc(PATH_MAX + 1);
	assert_non_null(large);
	memset(large, 'a', PATH_MAX);
	large[0] = '/';
	large[PATH_MAX] = '\0';
	assert_int_equal(berm_caps_path(caps, large, BERM_READ, BERM_TREE, NULL), BERM_ERR_LIMIT);
	free(large);
	assert_int_equal(caps->lines.len, 0);
	/* and their neighbours */
	assert_int_equal(berm_caps_path(caps, "/", BERM_READ | BERM_EXEC, BERM_TREE, NULL), BERM_OK);
	assert_int_equal(berm_caps_path(caps, "/a/../b", BERM_WRITE, BERM_TREE, NULL), BERM_OK);
	berm_caps_free(caps);
}

static bool accept(const char *target, const uint8_t *content, size_t len, char *reason, size_t reason_size)
{
	(void)target;
	(void)content;
	(void)len;
	(void)reason;
	(void)reason_size;
	return true;
}

static void test_rules_that_are_refused(void **state)
{
	(void)state;
	static const struct {
		struct berm_rule rule;
		enum berm_code code;
	} cases[] = {
		{{.size = sizeof(struct berm_rule), .right = BERM_DENY}, BERM_ERR_INVALID},
		{{.size = 8, .pattern = "/a", .right = BERM_DENY}, BERM_ERR_INVALID},
		{{.size = sizeof(struct berm_rule), .pattern = "/a", .right = BERM_READ}, BERM_ERR_INVALID},
		{{.size = sizeof(struct berm_rule), .pattern = "/a", .right = BERM_DENY | BERM_PROTECT},
		 BERM_ERR_INVALID},
		{{.size = sizeof(struct berm_rule), .pattern = "a/b", .right = BERM_DENY}, BERM_ERR_INVALID},
		{{.size = sizeof(struct berm_rule), .pattern = "/a/../b", .right = BERM_DENY}, BERM_ERR_INVALID},
		{{.size = sizeof(struct berm_rule), .pattern = "/a[", .right = BERM_DENY}, BERM_ERR_PARSE},
		{{.size = sizeof(struct berm_rule), .pattern = "/a\nb", .right = BERM_DENY}, BERM_ERR_INVALID},
		{{.size = sizeof(struct berm_rule), .pattern = "/a", .except = "/b[", .right = BERM_DENY},
		 BERM_ERR_PARSE},
		{{.size = sizeof(struct berm_rule), .pattern = "/a", .right = BERM_DENY, .judge = accept},
		 BERM_ERR_INVALID},
		{{.size = sizeof(struct berm_rule), .pattern = "/a", .right = BERM_DENY, .mkdir_only = true},
		 BERM_ERR_INVALID},
		{{.size = sizeof(struct berm_rule), .pattern = "/a", .right = BERM_DENY, .beside = "b"},
		 BERM_ERR_INVALID},
		{{.size = sizeof(struct berm_rule), .pattern = "/a", .right = BERM_PROTECT, .beside = "b/c"},
		 BERM_ERR_INVALID},
		{{.size = sizeof(struct berm_rule), .pattern = "/a", .right = BERM_PROTECT, .beside = "../.."},
		 BERM_ERR_INVALID},
	};
	struct berm_caps *caps = new_caps();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		enum berm_code code = berm_caps_rule(caps, &cases[i].rule, NULL);
		if (code != cases[i].code)
			fail_msg("rule %zu: code %d", i, code);
	}
	assert_int_equal(berm_caps_rule(caps, NULL, NULL), BERM_ERR_INVALID);
	assert_int_equal(caps->lines.len, 0);
	berm_caps_free(caps);
}

static void test_rules_keep_what_they_were_given(void **state)
{
	(void)state;
	char pattern[] = "**/.git/config", label[] = "git";
	struct berm_caps *caps = new_caps();
	struct berm_rule rule = {.size = sizeof rule,
				 .pattern = pattern,
				 .right = BERM_PROTECT,
				 .except = "/x/**",
				 .beside = "../HEAD",
				 .mkdir_only = true,
				 .judge = accept,
				 .label = label};
	assert_int_equal(berm_caps_rule(caps, &rule, NULL), BERM_OK);
	pattern[0] = label[0] = '?';
	const struct cap_rule *kept = line_at(caps, 0)->rule;
	assert_string_equal(kept->pattern.ptr, "**/.git/config");
	assert_string_equal(kept->label, "git");
	assert_string_equal(kept->beside, "../HEAD");
	assert_int_equal(kept->judge_max_bytes, 1 << 20);
	assert_true(glob_match(kept->glob, STR("/a/.git/config"), false));
	assert_text(caps, 0, "protect git: **/.git/config (except /x/**, beside ../HEAD, made by mkdir alone, judged)");
	berm_caps_free(caps);
}

static void test_literal_rules_need_no_pattern_engine(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *path; /* NULL: not a literal */
		bool tree;
	} cases[] = {
		{"/a/b", "/a/b", false}, {"/a/b/", "/a/b", false}, {"/a/b/**", "/a/b", true},
		{"/a/**/", "/a", true},	 {"/a/*", NULL, false},	   {"/**", NULL, false},
		{"**/a", NULL, false},	 {"/a\\b", NULL, false},   {"/a{b,c}", NULL, false},
	};
	struct berm_caps *caps = new_caps();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct berm_rule rule = {.size = sizeof rule, .pattern = cases[i].pattern, .right = BERM_DENY};
		assert_int_equal(berm_caps_rule(caps, &rule, NULL), BERM_OK);
		const struct cap_rule *kept = line_at(caps, i)->rule;
		assert_int_equal(kept->glob == NULL, cases[i].path != NULL);
		if (cases[i].path == NULL)
			continue;
		assert_true(str_eq(kept->path, str_from(cases[i].path)));
		assert_int_equal(kept->tree, cases[i].tree);
	}
	berm_caps_free(caps);
}

static void test_values_may_be_set_anew(void **state)
{
	(void)state;
	struct berm_caps *caps = new_caps();
	assert_int_equal(berm_caps_limit(caps, BERM_LIMIT_MEMORY, 1000, NULL), BERM_OK);
	assert_int_equal(berm_caps_allow(caps, BERM_EXTRA_PTRACE, NULL), BERM_OK);
	assert_int_equal(berm_caps_limit(caps, BERM_LIMIT_WALL_MS, 1500, NULL), BERM_OK);
	assert_int_equal(berm_caps_limit(caps, BERM_LIMIT_MEMORY, (uint64_t)8 << 30, NULL), BERM_OK);
	assert_int_equal(berm_caps_allow(caps, BERM_EXTRA_PTRACE, NULL), BERM_OK);
	assert_int_equal(berm_caps_view(caps, BERM_VIEW_HIDDEN, NULL), BERM_OK);
	assert_int_equal(berm_caps_backend(caps, BERM_BACKEND_LANDLOCK, NULL), BERM_OK);
	assert_int_equal(berm_caps_network(caps, BERM_NET_HOST, NULL), BERM_OK);
	static const char *const texts[] = {"limit memory=8GiB", "allow ptrace", "limit wall=1500ms", "view hidden",
					    "backend landlock"};
	assert_int_equal(caps->lines.len, ARRAY_LEN(texts));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_text(caps, i, texts[i]);
	assert_int_equal(caps->network, BERM_NET_HOST);
	berm_caps_free(caps);
}

static void test_values_that_are_refused(void **state)
{
	(void)state;
	struct berm_caps *caps = new_caps();
	assert_int_equal(berm_caps_limit(caps, BERM_LIMIT_MEMORY, 0, NULL), BERM_ERR_INVALID);
	assert_int_equal(berm_caps_limit(caps, BERM_LIMIT_COUNT, 1, NULL), BERM_ERR_INVALID);
	assert_int_equal(berm_caps_limit(caps, (enum berm_limit) - 1, 1, NULL), BERM_ERR_INVALID);
	assert_int_equal(berm_caps_allow(caps, BERM_EXTRA_COUNT, NULL), BERM_ERR_INVALID);
	assert_int_equal(berm_caps_view(caps, (enum berm_view)9, NULL), BERM_ERR_INVALID);
	assert_int_equal(berm_caps_backend(caps, (enum berm_backend)9, NULL), BERM_ERR_INVALID);
	assert_int_equal(berm_caps_network(caps, (enum berm_network)9, NULL), BERM_ERR_INVALID);
	assert_int_equal(berm_caps_network(caps, (enum berm_network)(BERM_NET_FILTERED + 1), NULL), BERM_ERR_INVALID);
	assert_int_equal(caps->network, BERM_NET_NONE);
	assert_int_equal(berm_caps_network(caps, BERM_NET_FILTERED, NULL), BERM_OK);
	assert_int_equal(caps->network, BERM_NET_FILTERED);
	assert_int_equal(berm_caps_scratch(caps, "/", NULL, NULL), BERM_ERR_INVALID);
	assert_int_equal(berm_caps_scratch(caps, "/tmp", "A=B", NULL), BERM_ERR_INVALID);
	assert_int_equal(berm_caps_scratch(caps, "/tmp", "", NULL), BERM_ERR_INVALID);
	assert_int_equal(berm_caps_scratch(caps, "/tmp", "1A", NULL), BERM_ERR_INVALID);
	assert_int_equal(berm_caps_socket(caps, NULL, NULL), BERM_ERR_INVALID);
	assert_int_equal(caps->lines.len, 0);
	berm_caps_free(caps);
}

static void test_lines_have_a_maximum(void **state)
{
	(void)state;
	char path[32];
	struct berm_err err;
	struct berm_caps *caps = new_caps();
	for (int i = 0; i < CAPS_MAX_LINES; i++) {
		(void)snprintf(path, sizeof path, "/p/%d", i);
		assert_int_equal(berm_caps_path(caps, path, BERM_READ, BERM_FILE, NULL), BERM_OK);
	}
	assert_int_equal(berm_caps_path(caps, "/one/more", BERM_READ, BERM_FILE, &err), BERM_ERR_LIMIT);
	assert_string_equal(err.msg, "more than 8192 lines of capabilities");
	assert_int_equal(berm_caps_allow(caps, BERM_EXTRA_PERF, NULL), BERM_ERR_LIMIT);
	assert_false(caps->extra[BERM_EXTRA_PERF]);
	berm_caps_free(caps);
	berm_caps_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_keep_order_and_words),
		cmocka_unit_test(test_relative_paths_start_here),
		cmocka_unit_test(test_paths_that_are_refused),
		cmocka_unit_test(test_rules_that_are_refused),
		cmocka_unit_test(test_rules_keep_what_they_were_given),
		cmocka_unit_test(test_literal_rules_need_no_pattern_engine),
		cmocka_unit_test(test_values_may_be_set_anew),
		cmocka_unit_test(test_values_that_are_refused),
		cmocka_unit_test(test_lines_have_a_maximum),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
