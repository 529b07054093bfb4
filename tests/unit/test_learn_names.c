#include "check.h"

#include <string.h>

#include "base/own.h"
#include "policy/learn_names.h"

static void test_versions(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t at;
	} cases[] = {
		{"1.2", 0},
		{"18.19.0", 0},
		{"v18.19.0", 0},
		{"3.11.2-rc1", 0},
		{"node-v18.2.0-linux", 5},
		{"pkg@1.0.0", 4},
		{"lib_2.3", 4},
		{"3f2a9c0b", 0},
		{"123e4567-e89b-12d3-a456-426614174000", 0},
		{"1", SIZE_MAX},
		{"v1", SIZE_MAX},
		{"1.", SIZE_MAX},
		{"deadbeef", SIZE_MAX},
		{"3f2a9c0", SIZE_MAX},
		{"x1.2", SIZE_MAX},
		{"1.2 3", SIZE_MAX},
		{"", SIZE_MAX},
		{"file.txt", SIZE_MAX},
		{"a-", SIZE_MAX},
		{"1.x", SIZE_MAX},
		{"123e4567-e89b-12d3-a456-42661417400z", SIZE_MAX},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(learn_version_at(str_from(cases[i].name)), cases[i].at);
}

static void test_shapes(void **state)
{
	(void)state;
	static const struct {
		const char *path, *shape;
	} cases[] = {
		{"/opt/1.2.3/x", "/opt/*/x"},
		{"/opt/node-v1.2/3f2a9c0b11", "/opt/node-*/*"},
		{"/opt/x", NULL},
		{"/", NULL},
		{"/opt/1.2.3/a*", NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *shape = "unset";
		auto_arena struct arena arena;
		arena_init(&arena, 65536);
		assert_int_equal(learn_shape(&arena, cases[i].path, &shape, NULL), BERM_OK);
		if (cases[i].shape == NULL)
			assert_null(shape);
		else
			assert_string_equal(shape, cases[i].shape);
	}
}

static void test_saved_files(void **state)
{
	(void)state;
	static const struct {
		const char *path, *file;
	} cases[] = {
		{"/a/x.json.lock", "/a/x.json"},
		{"/a/x.tmp", "/a/x"},
		{"/a/x.json.tmp.12.34", "/a/x.json"},
		{"/a/x.new", "/a/x"},
		{"/a/.lock", "/a/.lock"},
		{"/a/x.json", "/a/x.json"},
		{"/a.lock/x", "/a.lock/x"},
		{"/a/.tmp.12", "/a/.tmp.12"},
		{"/a/.x.swp", "/a/.x"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_true(str_eq(learn_saved_file(cases[i].path), str_from(cases[i].file)));
}

static void test_texts(void **state)
{
	(void)state;
	static const struct {
		const char *path, *home;
		bool pattern;
		const char *text;
	} cases[] = {
		{"/home/u/x", "/home/u", false, "~/x"},
		{"/home/u", "/home/u", false, "~"},
		{"/home/us/x", "/home/u", false, "/home/us/x"},
		{"/x", "/", false, "/x"},
		{"/x", NULL, false, "/x"},
		{"/x/a*b[c]", NULL, false, "/x/a\\*b\\[c\\]"},
		{"/home/u/a*", "/home/u", true, "~/a*"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena arena;
		arena_init(&arena, 65536);
		const char *text = learn_text(&arena, cases[i].path, cases[i].home, cases[i].pattern);
		assert_non_null(text);
		assert_string_equal(text, cases[i].text);
	}
}

static void test_widening(void **state)
{
	(void)state;
	assert_true(learn_may_widen("/opt/x", "/home/u", NULL));
	assert_true(learn_may_widen("/home/u/x", "/home/u", "/home/u/w"));
	assert_true(learn_may_widen("/home/u/.config/x", "/home/u", NULL));
	assert_true(learn_may_widen("/home/u/w/sub", "/home/u", "/home/u/w"));
	assert_false(learn_may_widen("/", NULL, NULL));
	assert_false(learn_may_widen("/opt", NULL, NULL));
	assert_false(learn_may_widen("/home/u", "/home/u", NULL));
	assert_false(learn_may_widen("/home", "/home/u", NULL));
	assert_false(learn_may_widen("/home/u/w", "/home/u", "/home/u/w"));
	assert_false(learn_may_widen("/home/u/w", "/home/u", "/home/u/w/deeper"));
	assert_false(learn_may_widen("/home/u/.config", "/home/u", NULL));
	assert_false(learn_may_widen("/srv/a/b", NULL, "/srv/a/b/c"));
}

static void test_inside(void **state)
{
	(void)state;
	assert_true(learn_is_in("/a/b", "/a"));
	assert_true(learn_is_in("/a", "/a"));
	assert_true(learn_is_in("/a", "/"));
	assert_false(learn_is_in("/ab", "/a"));
	assert_false(learn_is_in("/a", "/a/b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions), cmocka_unit_test(test_shapes),	  cmocka_unit_test(test_saved_files),
		cmocka_unit_test(test_texts),	 cmocka_unit_test(test_widening), cmocka_unit_test(test_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
