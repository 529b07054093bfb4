/* A copied pattern matches what the pattern matches, also when that is gone. */
#include "check.h"

#include <string.h>

#include "base/glob.h"
#include "base/own.h"

static void a_copy_stands_alone(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *path;
		bool matches;
	} cases[] = {
		{"/a/b", "/a/b", true},
		{"/a/b", "/a/c", false},
		{"**/{x,y}*.[kK]ey", "/q/r/x1.key", true},
		{"**/{x,y}*.[kK]ey", "/q/r/z1.key", false},
		{"/home/*/.git/**", "/home/u/.git/hooks/p", true},
		{"/home/*/.git/**", "/home/u/w/.git/hooks", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct glob *glob = NULL;
		assert_int_equal(glob_new(GLOB_PATH, str_from(cases[i].pattern), &glob, NULL), BERM_OK);
		auto_free void *memory = malloc(glob_copy_size(glob));
		const struct glob *copy = memory != NULL ? glob_copy(glob, memory) : NULL;
		bool reach = copy == NULL || glob_reach(copy) == glob_reach(glob);
		glob_free(glob);
		assert_true(reach);
		assert_non_null(copy);
		assert_int_equal(glob_match(copy, str_from(cases[i].path), false), cases[i].matches);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_copy_stands_alone)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
