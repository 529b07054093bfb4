/* Names that rules wait for, looked for in a folder of files. */
#include "check.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "sandbox/plan_build.h"
#include "session/why_await.h"

static char base[PATH_MAX];

static const char *in(const char *name)
{
	static char path[2 * PATH_MAX];
	(void)snprintf(path, sizeof(path), "%s/%s", base, name);
	return path;
}

static void put(const char *name, const char *text)
{
	auto_fd int fd = open(in(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static int make_tree(void **state)
{
	(void)state;
	char name[] = "/tmp/berm-await-XXXXXX";
	assert_true(mkdtemp(name) != NULL && realpath(name, base) != NULL);
	assert_true(mkdir(in("bad"), 0755) == 0 && mkdir(in("good"), 0755) == 0 && mkdir(in("bad/hooks"), 0755) == 0 &&
		    mkdir(in("good/hooks"), 0755) == 0);
	put("bad/config", "bad");
	put("good/config", "good");
	put("bad/hooks/push", "");
	return 0;
}

static int remove_tree(void **state)
{
	(void)state;
	static const char *const names[] = {"bad/hooks/push", "bad/hooks",   "bad/config", "bad",
					    "good/hooks",     "good/config", "good",	   ""};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_true(remove(in(names[i])) == 0);
	return 0;
}

static bool judge_good(const char *target, const uint8_t *content, size_t len, char *reason, size_t reason_size)
{
	(void)target;
	(void)reason;
	(void)reason_size;
	return len == 4 && memcmp(content, "good", 4) == 0;
}

struct fixture {
	struct plan_rule rule;
	uint32_t head, next;
	struct plan_owned owned;
	struct berm_plan plan;
};

static void fixture_init(struct fixture *fixture, const char *pattern, const char *beside)
{
	*fixture = (struct fixture){
		.rule = {.right = BERM_PROTECT, .beside = beside, .label = "waits", .judge_max_bytes = 100}};
	assert_int_equal(glob_new(GLOB_PATH, str_from(pattern), &fixture->rule.pattern, NULL), BERM_OK);
	fixture->owned =
		(struct plan_owned){.heads = &fixture->head, .head_count = 1, .next = &fixture->next, .keyless = 1};
	fixture->plan = (struct berm_plan){.owned = &fixture->owned, .rules = &fixture->rule, .rule_count = 1};
}

static void fixture_done(struct fixture *fixture)
{
	glob_free(fixture->rule.pattern);
}
#define auto_fixture __attribute__((cleanup(fixture_done)))

static bool is_fine(const struct fixture *fixture, const char *name)
{
	const struct plan_rule *rule = NULL;
	assert_int_equal(why_await(&fixture->plan, in(name), &rule, NULL), BERM_OK);
	assert_true(rule == NULL || rule == &fixture->rule);
	return rule == NULL;
}

static void test_a_judge_looks_at_what_is_there(void **state)
{
	(void)state;
	auto_fixture struct fixture fixture = {0};
	fixture_init(&fixture, "**/config", "refs");
	assert_false(is_fine(&fixture, "good/refs")); /* nobody judges */
	fixture.rule.judge = judge_good;
	assert_true(is_fine(&fixture, "good/refs"));
	assert_false(is_fine(&fixture, "bad/refs"));
	assert_false(is_fine(&fixture, "bad/REFS"));
	assert_true(is_fine(&fixture, "bad/HEAD"));
	fixture.rule.judge_max_bytes = 3;
	assert_false(is_fine(&fixture, "good/refs"));
	fixture.rule.right = BERM_DENY;
	assert_false(is_fine(&fixture, "good/refs"));
}

static void test_a_folder_deeper(void **state)
{
	(void)state;
	auto_fixture struct fixture fixture = {0};
	fixture_init(&fixture, "**/hooks/*", "../refs");
	assert_true(is_fine(&fixture, "good/refs"));
	assert_false(is_fine(&fixture, "bad/refs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_judge_looks_at_what_is_there),
		cmocka_unit_test(test_a_folder_deeper),
	};
	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
