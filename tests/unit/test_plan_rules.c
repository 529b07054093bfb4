/* How the supervisor finds rules and grants in a plan, against looking at all of them one by one. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/own.h"
#include "sandbox/plan_build.h"
#include "sandbox/plan_sort.h"

/* A file system in which every name is a folder. */
static enum seen look_folder(void *ctx, const char *path, char *ret_target, size_t size)
{
	(void)ctx;
	(void)path;
	(void)ret_target;
	(void)size;
	return SEEN_FOLDER;
}

static bool closed_never(void *ctx, const char *path)
{
	(void)ctx;
	(void)path;
	return false;
}

static bool list_nothing(void *ctx, const char *path, eyes_entry entry, void *arg)
{
	(void)ctx;
	(void)path;
	(void)entry;
	(void)arg;
	return true;
}

static const struct plan_eyes eyes = {.look = look_folder, .closed = closed_never, .list = list_nothing};

static struct berm_facts *good_facts(void)
{
	static const char *const missing[] = {
		"outer_landlock", "outer_plan", "is_root",	   "uid",	    "caps", "cgroup_memory",
		"cgroup_pids",	  "cgroup_cpu", "apparmor_userns", "userns_sysctl", "yama"};
	struct berm_facts *facts;
	assert_int_equal(berm_facts_load("", 0, &facts, NULL), BERM_OK);
	for (int fact = 0; fact < FACT_COUNT; fact++)
		facts->value[fact] = 1;
	for (size_t i = 0; i < ARRAY_LEN(missing); i++)
		assert_int_equal(berm_facts_set(facts, missing[i], 0, NULL), BERM_OK);
	facts->value[FACT_LANDLOCK_ABI] = 7;
	return facts;
}

static struct berm_plan *plan_of(const struct berm_caps *caps)
{
	struct berm_err err = {0};
	struct berm_plan *plan = NULL;
	struct berm_facts *facts = good_facts();
	enum berm_code code = build_plan(caps, facts, &eyes, false, &plan, &err);
	berm_facts_free(facts);
	if (code != BERM_OK)
		fail_msg("%s", err.msg);
	return plan;
}

static void add_rule(struct berm_caps *caps, unsigned right, const char *pattern, const char *except)
{
	struct berm_rule rule = {.size = sizeof rule, .right = right, .pattern = pattern, .except = except};
	assert_int_equal(berm_caps_rule(caps, &rule, NULL), BERM_OK);
}

static void add_path(struct berm_caps *caps, unsigned rights, enum berm_extent extent, const char *path)
{
	assert_int_equal(berm_caps_path(caps, path, rights, extent, NULL), BERM_OK);
}

static struct berm_caps *many_rules(void)
{
	struct berm_caps *caps;
	assert_int_equal(berm_caps_new(&caps, NULL), BERM_OK);
	add_path(caps, BERM_READ | BERM_WRITE | BERM_DELETE, BERM_TREE, "/w");
	add_path(caps, BERM_DENY, BERM_FILE, "/w/a/secret");
	add_path(caps, BERM_DENY, BERM_TREE, "/w/b");
	add_path(caps, BERM_PROTECT, BERM_FILE, "/w/a");
	add_path(caps, BERM_PROTECT, BERM_TREE, "/w/c");
	add_path(caps, BERM_PROTECT, BERM_FILE, "/w/a-b");
	add_path(caps, BERM_PROTECT, BERM_FILE, "/w/A");
	add_rule(caps, BERM_PROTECT, "**/.git/config", NULL);
	add_rule(caps, BERM_PROTECT, "**/.git/hooks/**", "**/.git/hooks/*.sample");
	add_rule(caps, BERM_DENY, "**/*.pem", NULL);
	add_rule(caps, BERM_DENY, "/w/*/deep/{x,y}", "/w/*/deep/x/free/**");
	add_rule(caps, BERM_DENY, "/w/d/**", "/w/d/open");
	add_rule(caps, BERM_PROTECT, "/w/[ab]/?", NULL);
	add_rule(caps, BERM_PROTECT, "**/{.git/x,y/{z,config}}", NULL);
	add_path(caps, BERM_REPLACE, BERM_FILE, "/h/.rc");
	return caps;
}

/* Every path of up to four of these names. */
static const char *const names[] = {"w",     "a",     "b",    "A",	"a-b",	    "c",     "d",      "deep",
				    "x",     "free",  "open", "secret", ".git",	    "hooks", "config", "t.sample",
				    "k.pem", "K.PEM", "h",    ".rc",	".rc.lock", "..rc.1"};

static struct str nth_path(size_t n, char buffer[static 256])
{
	size_t len = 0;
	for (size_t depth = 0; depth < 4; depth++) {
		size_t name = n % (ARRAY_LEN(names) + 1);
		n /= ARRAY_LEN(names) + 1;
		if (name < ARRAY_LEN(names))
			len += (size_t)snprintf(buffer + len, 256 - len, "/%s", names[name]);
	}
	if (len == 0)
		len = (size_t)snprintf(buffer, 256, "/");
	return (struct str){buffer, len};
}

static bool prefix_matches(const struct glob *glob, struct str path, bool above, bool fold)
{
	for (size_t len = path.len; len > 0; len--) {
		if (len != path.len && (!above || (path.ptr[len] != '/' && len != 1)))
			continue;
		if (glob_match(glob, (struct str){path.ptr, len}, fold))
			return true;
	}
	return false;
}

static bool same(const char *a, const char *b, size_t len, bool fold)
{
	return fold ? strncasecmp(a, b, len) == 0 : strncmp(a, b, len) == 0;
}

/* The definition, without any index. */
static bool holds(const struct plan_rule *rule, struct str path, bool fold)
{
	bool deny = rule->right == BERM_DENY, held;
	if (rule->path != NULL) {
		size_t len = strlen(rule->path);
		bool below = path.len > len && path.ptr[len] == '/';
		held = path.len >= len && same(path.ptr, rule->path, len, fold) &&
		       (path.len == len || (below && (deny || rule->tree)));
	} else {
		held = prefix_matches(rule->pattern, path, deny, fold);
	}
	return held && (rule->except == NULL || !prefix_matches(rule->except, path, deny, fold));
}

static bool cursor_gives(struct plan_cursor cursor, const struct plan_rule *wanted)
{
	const struct plan_rule *rule;
	while ((rule = plan_rule_next(&cursor)) != NULL)
		if (rule == wanted)
			return true;
	return false;
}

static void check_path(const struct berm_plan *plan, struct str path, bool fold, size_t *count)
{
	for (size_t i = 0; i < plan->rule_count; i++) {
		const struct plan_rule *rule = &plan->rules[i];
		bool wanted = holds(rule, path, fold);
		if (cursor_gives(plan_rules_at(plan, path, fold), rule) != wanted)
			fail_msg("'%s' %s at '%s'", rule->label, wanted ? "is not found" : "is found", path.ptr);
		*count += wanted;
	}
}

static void test_rules_at_a_path(void **state)
{
	(void)state;
	char buffer[256];
	size_t count = 0;
	struct berm_caps *caps = many_rules();
	struct berm_plan *plan = plan_of(caps);
	berm_caps_free(caps); /* the plan needs nothing of it */
	for (size_t n = 0; n < 279841; n += 101) {
		check_path(plan, nth_path(n, buffer), false, &count);
		check_path(plan, nth_path(n, buffer), true, &count);
	}
	assert_true(count > 100);
	berm_plan_free(plan);
}

/* What holds for something below must be told; more may be. */
static void test_rules_below_a_path(void **state)
{
	(void)state;
	char buffer[256];
	static const char *const folders[] = {"/",    "/w",   "/w/a",	   "/W/A", "/w/b/x",
					      "/w/c", "/w/d", "/w/a/.git", "/h",   "/q"};
	struct berm_caps *caps = many_rules();
	struct berm_plan *plan = plan_of(caps);
	berm_caps_free(caps);
	for (size_t f = 0; f < ARRAY_LEN(folders); f++) {
		struct str folder = str_from(folders[f]);
		for (size_t n = 0; n < 279841; n += 103) {
			struct str path = nth_path(n, buffer);
			bool below = path.len > folder.len && memcmp(path.ptr, folder.ptr, folder.len) == 0 &&
				     (folder.len == 1 || path.ptr[folder.len] == '/');
			for (size_t i = 0; below && i < plan->rule_count; i++)
				if (holds(&plan->rules[i], path, true) &&
				    !cursor_gives(plan_rules_below(plan, folder, true), &plan->rules[i]))
					fail_msg("'%s' holds for '%s' and is not found below '%s'",
						 plan->rules[i].label, path.ptr, folder.ptr);
		}
	}
	/* and it is no list of everything */
	const struct plan_rule *rule;
	struct plan_cursor cursor = plan_rules_below(plan, STR("/w/c"), false);
	while ((rule = plan_rule_next(&cursor)) != NULL)
		assert_true(rule->path == NULL || strncmp(rule->path, "/w/c", 4) == 0);
	berm_plan_free(plan);
}

static void test_literals_below_keep_to_their_folder(void **state)
{
	(void)state;
	static const char *const paths[] = {"/w/a",   "/w/a/1", "/w/a/2", "/w/a-1",
					    "/w/a.1", "/w/B/1", "/w/b/2", "/w/b0"};
	static const struct {
		const char *folder;
		bool fold;
		size_t count;
	} cases[] = {{"/w/a", false, 2}, {"/w/a", true, 2}, {"/w/b", false, 1},	  {"/w/b", true, 2},
		     {"/w", false, 8},	 {"/", false, 8},   {"/w/a/1", false, 0}, {"/x", false, 0}};
	struct berm_caps *caps;
	assert_int_equal(berm_caps_new(&caps, NULL), BERM_OK);
	add_path(caps, BERM_READ | BERM_WRITE, BERM_TREE, "/w");
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		add_path(caps, BERM_PROTECT, BERM_FILE, paths[i]);
	struct berm_plan *plan = plan_of(caps);
	berm_caps_free(caps);
	assert_int_equal(plan->literal_count, ARRAY_LEN(paths));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t count = 0;
		struct plan_cursor cursor = plan_rules_below(plan, str_from(cases[i].folder), cases[i].fold);
		while (plan_rule_next(&cursor) != NULL)
			count++;
		assert_int_equal(count, cases[i].count);
	}
	berm_plan_free(plan);
}

static void test_grant_at_is_the_longest(void **state)
{
	(void)state;
	static const struct {
		const char *path, *grant;
	} cases[] = {
		{"/", NULL},
		{"/usr", "/usr"},
		{"/usr/lib/x", "/usr"},
		{"/usr-local", NULL},
		{"/home/u/p", "/home/u/p"},
		{"/home/u/p/a", "/home/u/p"},
		{"/home/u/p-q", "/home/u/p-q"},
		{"/home/u/p-q/r", "/home/u/p-q"},
		{"/home/u/p/sub/x", "/home/u/p/sub"},
		{"/home/u", NULL},
		{"/home/u/p/su", "/home/u/p"},
	};
	struct berm_caps *caps;
	assert_int_equal(berm_caps_new(&caps, NULL), BERM_OK);
	add_path(caps, BERM_READ | BERM_EXEC, BERM_TREE, "/usr");
	add_path(caps, BERM_READ | BERM_WRITE, BERM_TREE, "/home/u/p");
	add_path(caps, BERM_READ, BERM_TREE, "/home/u/p-q");
	add_path(caps, BERM_DELETE, BERM_TREE, "/home/u/p/sub");
	add_path(caps, BERM_READ, BERM_TREE, "/usr/share"); /* adds nothing to /usr */
	struct berm_plan *plan = plan_of(caps);
	berm_caps_free(caps);
	assert_int_equal(plan->grant_count, 4);
	for (size_t i = 1; i < plan->grant_count; i++)
		assert_true(strcmp(plan->grants[i - 1].path, plan->grants[i].path) < 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct plan_grant *grant = plan_grant_at(plan, str_from(cases[i].path));
		if (cases[i].grant == NULL)
			assert_null(grant);
		else
			assert_string_equal(grant->path, cases[i].grant);
	}
	/* rights add up inwards */
	assert_int_equal(plan_grant_at(plan, STR("/home/u/p/sub"))->rights, BERM_READ | BERM_WRITE | BERM_DELETE);
	berm_plan_free(plan);
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void test_sort_is_that_of_strcmp(void **state)
{
	(void)state;
	enum { COUNT = 3000 };
	static char text[COUNT][48];
	static const char *sorted[COUNT];
	static struct sort_item items[COUNT];
	uint32_t random = 1;
	struct arena temp;
	arena_init(&temp, 1 << 24);
	for (size_t i = 0; i < COUNT; i++) {
		int len = snprintf(text[i], sizeof text[i], "/home/user/a/long/beginning/");
		for (; len < 28 + (int)(random >> 8 & 15); len++) {
			random = random * 1664525 + 1013904223;
			text[i][len] = "ab/-\377Z"[(random >> 16) % 6];
		}
		text[i][len] = '\0';
		random = random * 1664525 + 1013904223;
		sorted[i] = text[i];
		items[i] = (struct sort_item){.path = text[i], .len = (uint32_t)len, .index = (uint32_t)i};
	}
	qsort(sorted, COUNT, sizeof sorted[0], compare_paths);
	assert_true(plan_sort(items, COUNT, false, &temp));
	for (size_t i = 0; i < COUNT; i++) {
		assert_string_equal(items[i].path, sorted[i]);
		assert_ptr_equal(items[i].path, text[items[i].index]);
	}
	assert_true(plan_sort(items, COUNT, true, &temp));
	for (size_t i = 1; i < COUNT; i++)
		assert_true(strcasecmp(items[i - 1].path, items[i].path) <= 0);
	arena_done(&temp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_at_a_path),
		cmocka_unit_test(test_rules_below_a_path),
		cmocka_unit_test(test_literals_below_keep_to_their_folder),
		cmocka_unit_test(test_grant_at_is_the_longest),
		cmocka_unit_test(test_sort_is_that_of_strcmp),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
