#include "check.h"

#include <string.h>

#include "base/own.h"
#include "policy/path_table.h"

static const char *const paths[] = {"/", "/a", "/a/b", "/a/b", "/a/bc", "/b", "/a/b/c/d"};

struct seen {
	unsigned values; /* a set */
	size_t count, most;
};

static bool see(void *context, uint32_t value)
{
	struct seen *seen = context;
	seen->values |= 1U << value;
	return ++seen->count < seen->most;
}

static struct seen around(const struct path_table *table, const char *path, size_t most)
{
	struct seen seen = {.most = most};
	path_table_around(table, str_from(path), see, &seen);
	return seen;
}

static void fill(struct path_table *table, struct arena *arena)
{
	assert_int_equal(path_table_init(table, arena, ARRAY_LEN(paths), NULL), BERM_OK);
	for (uint32_t i = 0; i < ARRAY_LEN(paths); i++)
		path_table_add(table, str_from(paths[i]), i);
}

struct around_case {
	const char *path;
	unsigned values;
};

static void test_what_is_around_a_path(void **state)
{
	(void)state;
	static const struct around_case cases[] = {
		{"/", 1},
		{"/a", 1 | 2},
		{"/a/b", 1 | 2 | 4 | 8},
		{"/a/bc", 1 | 2 | 16},
		{"/a/b/c", 1 | 2 | 4 | 8},
		{"/a/b/c/d/e", 1 | 2 | 4 | 8 | 64},
		{"/b/a", 1 | 32},
		{"/ab", 1},
		{"/c", 1},
	};
	auto_arena struct arena arena;
	struct path_table table;
	arena_init(&arena, 1 << 20);
	fill(&table, &arena);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(around(&table, cases[i].path, 100).values, cases[i].values);
}

static void test_the_shortest_comes_first_and_may_be_the_last(void **state)
{
	(void)state;
	auto_arena struct arena arena;
	struct path_table table;
	arena_init(&arena, 1 << 20);
	fill(&table, &arena);
	assert_int_equal(around(&table, "/a/b/c/d", 1).values, 1);
	assert_int_equal(around(&table, "/a/b/c/d", 2).values, 1 | 2);
}

static void test_an_empty_table_has_nothing(void **state)
{
	(void)state;
	auto_arena struct arena arena;
	struct path_table table;
	arena_init(&arena, 1 << 20);
	assert_int_equal(path_table_init(&table, &arena, 0, NULL), BERM_OK);
	assert_int_equal(around(&table, "/a/b", 100).count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_around_a_path),
		cmocka_unit_test(test_the_shortest_comes_first_and_may_be_the_last),
		cmocka_unit_test(test_an_empty_table_has_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
