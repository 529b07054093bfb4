#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "caps_rig.h"
#include "policy/policy.h"
#include "resolve_rig.h"

/* What a person protects is a folder with all in it, in whatever words; a line about names is about those alone. */
static void test_what_is_protected_is_protected_as_a_whole(void **state)
{
	(void)state;
	static const struct policy_attr except[] = {{ATTR_EXCEPT, "./lib/gen"}};
	static const struct policy_attr excepts[] = {{ATTR_EXCEPT, "./k/a"}, {ATTR_EXCEPT, "./k/b/**"}};
	static const struct policy_attr label[] = {{ATTR_LABEL, "packages"}};
	static const struct policy_attr file[] = {{ATTR_EXTENT, "file"}};
	static const struct policy_attr in_place[] = {{ATTR_IN_PLACE, "true"}};
	static const struct policy_attr judged[] = {{ATTR_ACCEPT, "git-config"}};
	const struct policy_line flags[] = {
		{.key = KEY_WRITE, .line = 1, .text = "."},
		{.key = KEY_PROTECT, .line = 2, .text = "./lib", .attrs = except, .attr_count = 1},
		{.key = KEY_PROTECT, .line = 3, .text = "./pk", .attrs = label, .attr_count = 1},
		{.key = KEY_PROTECT, .line = 4, .text = "./*/gen/"},
		{.key = KEY_PROTECT, .line = 5, .text = "./k", .attrs = excepts, .attr_count = 2},
		{.key = KEY_PROTECT, .line = 6, .text = "./m*", .attrs = file, .attr_count = 1},
		{.key = KEY_PROTECT, .line = 7, .text = "./n*", .attrs = in_place, .attr_count = 1},
		{.key = KEY_PROTECT, .line = 8, .text = "./o*", .attrs = judged, .attr_count = 1},
		{.text = NULL},
	};
	struct policy_input input = ordinary();
	auto_rig rig = {0};
	const struct berm_caps *caps = caps_with(&rig, &input, flags);
	must_have(caps, "protect ./lib: /home/u/project/src/lib/** (except /home/u/project/src/lib/gen/**)");
	must_have(caps, "protect packages: /home/u/project/src/pk/**");
	must_have(caps, "protect ./*/gen/: /home/u/project/src/*/gen/**");
	must_have(caps, "protect ./k: /home/u/project/src/k/** "
			"(except {/home/u/project/src/k/a/**,/home/u/project/src/k/b/**})");
	must_have(caps, "protect ./m*: /home/u/project/src/m*");
	must_have(caps, "protect ./n*: /home/u/project/src/n* (the name alone)");
	must_have(caps, "protect ./o*: /home/u/project/src/o* (judged)");
	must_have(caps, "protect shell start files: **/.bashrc (except **/{node_modules,berm-packages}/**)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_protected_is_protected_as_a_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
