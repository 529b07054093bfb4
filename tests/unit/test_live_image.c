/* A plan in its sealed memory file: the copy says what the plan says, and nothing else is taken for one. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/own.h"
#include "sandbox/live_image.h"

static const char FACTS[] = "landlock_abi=7\nseccomp_filter=1\nseccomp_listener=1\nseccomp_addfd=1\npidfd_getfd=1\n"
			    "process_vm=1\n";

static bool yes(const char *target, const uint8_t *content, size_t len, char *reason, size_t reason_size)
{
	(void)target;
	(void)content;
	(void)len;
	(void)reason;
	(void)reason_size;
	return true;
}

static void drop_plan(struct berm_plan **plan)
{
	berm_plan_free(*plan);
}
#define auto_plan __attribute__((cleanup(drop_plan)))

static void drop_caps(struct berm_caps **caps)
{
	berm_caps_free(*caps);
}

static void drop_facts(struct berm_facts **facts)
{
	berm_facts_free(*facts);
}

static void drop_region(void **region)
{
	live_region_free(*region);
}
#define auto_region __attribute__((cleanup(drop_region)))

static struct berm_plan *make_plan(berm_judge judge)
{
	__attribute__((cleanup(drop_caps))) struct berm_caps *caps = NULL;
	__attribute__((cleanup(drop_facts))) struct berm_facts *facts = NULL;
	struct berm_plan *plan = NULL;
	assert_int_equal(berm_facts_load(FACTS, strlen(FACTS), &facts, NULL), BERM_OK);
	assert_int_equal(berm_caps_new(&caps, NULL), BERM_OK);
	assert_int_equal(berm_caps_path(caps, "/usr", BERM_READ | BERM_EXEC, BERM_TREE, NULL), BERM_OK);
	assert_int_equal(berm_caps_path(caps, "/tmp", BERM_READ | BERM_WRITE, BERM_TREE, NULL), BERM_OK);
	assert_int_equal(berm_caps_socket(caps, "/run/some.sock", NULL), BERM_OK);
	const struct berm_rule rules[] = {
		{.size = sizeof rules[0],
		 .pattern = "/tmp/**/{a,b}*.key",
		 .except = "/tmp/x/**",
		 .right = BERM_PROTECT},
		{.size = sizeof rules[0],
		 .pattern = "**/.git/config",
		 .right = BERM_PROTECT,
		 .judge = judge,
		 .label = "git"},
		{.size = sizeof rules[0], .pattern = "**/hooks/*", .right = BERM_PROTECT, .beside = "HEAD"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		assert_int_equal(berm_caps_rule(caps, &rules[i], NULL), BERM_OK);
	assert_int_equal(berm_plan_make(caps, facts, &plan, NULL), BERM_OK);
	return plan;
}

static struct live_content content_of(const struct berm_plan *plan)
{
	return (struct live_content){.base = plan,
				     .plan = plan,
				     .grants = plan->grants,
				     .grant_count = plan->grant_count,
				     .masks = plan->masks,
				     .mask_count = plan->mask_count,
				     .generation = 2};
}

static size_t rules_at(const struct berm_plan *plan, const char *path, const struct plan_rule **ret_last)
{
	struct plan_cursor cursor = plan_rules_at(plan, str_from(path), true);
	const struct plan_rule *rule;
	size_t count = 0;
	while ((rule = plan_rule_next(&cursor)) != NULL) {
		*ret_last = rule;
		count++;
	}
	return count;
}

static void a_copy_says_the_same(void **state)
{
	(void)state;
	static const char *const paths[] = {"/tmp/a1.key", "/tmp/x/a1.key", "/tmp/q/.git/config", "/tmp/hooks/h",
					    "/tmp/c"};
	auto_plan struct berm_plan *plan = make_plan(yes);
	auto_region void *region = live_region_new();
	const struct live_content content = content_of(plan);
	auto_fd int fd = -1;
	assert_non_null(region);
	assert_int_equal(live_image_make(region, &content, &fd, NULL), BERM_OK);
	const struct live_image *image = live_image_map(region, 2, fd);
	assert_non_null(image);
	assert_ptr_equal(image, live_region_slot(region, 2));
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		const struct plan_rule *one = NULL, *other = NULL;
		assert_int_equal(rules_at(plan, paths[i], &one), rules_at(&image->plan, paths[i], &other));
		assert_int_equal(one == NULL, other == NULL);
		if (one != NULL && other != NULL)
			assert_string_equal(one->label, other->label);
	}
	const struct plan_grant *grant = plan_grant_at(&image->plan, STR("/usr/bin/env"));
	assert_non_null(grant);
	assert_string_equal(grant->path, "/usr");
	assert_int_equal(image->plan.socket_count, 1);
	assert_string_equal(image->plan.sockets[0], "/run/some.sock");
	assert_int_equal(image->beside_count, 1);
	assert_string_equal(image->beside_rules[0]->beside, "HEAD");
}

static void nobody_can_change_it(void **state)
{
	(void)state;
	auto_plan struct berm_plan *plan = make_plan(yes);
	auto_region void *region = live_region_new();
	const struct live_content content = content_of(plan);
	auto_fd int fd = -1;
	assert_int_equal(live_image_make(region, &content, &fd, NULL), BERM_OK);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_true(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	assert_int_equal(mprotect(live_region_slot(region, 2), 4096, PROT_READ | PROT_WRITE), -1);
}

static void a_judge_that_was_not_there_accepts_nothing(void **state)
{
	(void)state;
	auto_plan struct berm_plan *base = make_plan(NULL);
	auto_plan struct berm_plan *plan = make_plan(yes);
	auto_region void *region = live_region_new();
	struct live_content content = content_of(plan);
	const struct plan_rule *rule = NULL;
	auto_fd int fd = -1;
	content.base = base;
	assert_int_equal(live_image_make(region, &content, &fd, NULL), BERM_OK);
	const struct live_image *image = live_image_map(region, 2, fd);
	assert_non_null(image);
	assert_int_equal(rules_at(&image->plan, "/tmp/.git/config", &rule), 1);
	assert_non_null(rule);
	assert_true(rule->judge == NULL);
}

static void other_files_are_refused(void **state)
{
	(void)state;
	auto_plan struct berm_plan *plan = make_plan(yes);
	auto_region void *region = live_region_new();
	const struct live_content content = content_of(plan);
	auto_fd int fd = -1;
	auto_fd int plain = memfd_create("plain", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(live_image_make(region, &content, &fd, NULL), BERM_OK);
	assert_null(live_image_map(region, 3, fd)); /* of another generation */
	assert_int_equal(errno, EPROTO);
	assert_int_equal(ftruncate(plain, 65536), 0);
	assert_null(live_image_map(region, 2, plain)); /* not sealed */
	assert_int_equal(errno, EPROTO);
	assert_int_equal(fcntl(plain, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL), 0);
	assert_null(live_image_map(region, 2, plain)); /* not an image */
	assert_int_equal(errno, EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_says_the_same),
		cmocka_unit_test(nobody_can_change_it),
		cmocka_unit_test(a_judge_that_was_not_there_accepts_nothing),
		cmocka_unit_test(other_files_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
