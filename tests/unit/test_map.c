#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/own.h"

static int items[3000];

static struct str key_of(size_t i, char *text, size_t size)
{
	int len = snprintf(text, size, "key %zu", i);
	return (struct str){text, (size_t)len};
}

static void test_finds_what_was_put(void **state)
{
	(void)state;
	auto_map struct map map = {0};
	map_init(&map, 10);
	assert_null(map_find(&map, STR("a")));
	assert_int_equal(map_put(&map, STR("a"), &items[0], NULL), BERM_OK);
	assert_int_equal(map_put(&map, STR("b"), &items[1], NULL), BERM_OK);
	assert_ptr_equal(map_find(&map, STR("a")), &items[0]);
	assert_ptr_equal(map_find(&map, STR("b")), &items[1]);
	assert_null(map_find(&map, STR("c")));
	assert_null(map_find(&map, STR("")));
	assert_null(map_find(&map, STR("a\0")));
}

static void test_keys_are_copied_and_may_hold_any_byte(void **state)
{
	(void)state;
	auto_map struct map map = {0};
	map_init(&map, 10);
	char key[] = "a\0b";
	assert_int_equal(map_put(&map, (struct str){key, 3}, &items[0], NULL), BERM_OK);
	key[2] = 'c';
	assert_null(map_find(&map, (struct str){key, 3}));
	assert_ptr_equal(map_find(&map, STR("a\0b")), &items[0]);
	assert_int_equal(map_put(&map, STR(""), &items[1], NULL), BERM_OK);
	assert_ptr_equal(map_find(&map, STR("")), &items[1]);
}

static void test_put_replaces(void **state)
{
	(void)state;
	auto_map struct map map = {0};
	map_init(&map, 1);
	assert_int_equal(map_put(&map, STR("a"), &items[0], NULL), BERM_OK);
	assert_int_equal(map_put(&map, STR("a"), &items[1], NULL), BERM_OK);
	assert_int_equal(map.len, 1);
	assert_ptr_equal(map_find(&map, STR("a")), &items[1]);
}

static void test_maximum_is_kept(void **state)
{
	(void)state;
	auto_map struct map map = {0};
	map_init(&map, 1);
	assert_int_equal(map_put(&map, STR("a"), &items[0], NULL), BERM_OK);
	struct berm_err err;
	assert_int_equal(map_put(&map, STR("b"), &items[0], &err), BERM_ERR_LIMIT);
	assert_string_equal(err.msg, "more than 1 keys");
	assert_null(map_find(&map, STR("b")));
}

static void test_many_keys_survive_growth_and_removal(void **state)
{
	(void)state;
	auto_map struct map map = {0};
	map_init(&map, ARRAY_LEN(items));
	char text[32];
	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		assert_int_equal(map_put(&map, key_of(i, text, sizeof(text)), &items[i], NULL), BERM_OK);
	for (size_t i = 0; i < ARRAY_LEN(items); i += 3)
		assert_ptr_equal(map_remove(&map, key_of(i, text, sizeof(text))), &items[i]);
	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		assert_ptr_equal(map_find(&map, key_of(i, text, sizeof(text))), i % 3 == 0 ? NULL : &items[i]);
	assert_int_equal(map.len, ARRAY_LEN(items) / 3 * 2);
}

static void test_remove_what_is_not_there(void **state)
{
	(void)state;
	auto_map struct map map = {0};
	map_init(&map, 10);
	assert_null(map_remove(&map, STR("a")));
	assert_int_equal(map_put(&map, STR("a"), &items[0], NULL), BERM_OK);
	assert_null(map_remove(&map, STR("b")));
	assert_ptr_equal(map_remove(&map, STR("a")), &items[0]);
	assert_null(map_remove(&map, STR("a")));
	assert_int_equal(map.len, 0);
}

static void test_walk_sees_each_key_once(void **state)
{
	(void)state;
	auto_map struct map map = {0};
	map_init(&map, 100);
	char text[32];
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(map_put(&map, key_of(i, text, sizeof(text)), &items[i], NULL), BERM_OK);
	bool seen[100] = {false};
	size_t cursor = 0, count = 0;
	struct str key;
	void *value;
	while (map_next(&map, &cursor, &key, &value)) {
		size_t index = (size_t)((int *)value - items);
		assert_false(seen[index]);
		seen[index] = true;
		assert_true(str_eq(key, key_of(index, text, sizeof(text))));
		count++;
	}
	assert_int_equal(count, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_what_was_put),
		cmocka_unit_test(test_keys_are_copied_and_may_hold_any_byte),
		cmocka_unit_test(test_put_replaces),
		cmocka_unit_test(test_maximum_is_kept),
		cmocka_unit_test(test_many_keys_survive_growth_and_removal),
		cmocka_unit_test(test_remove_what_is_not_there),
		cmocka_unit_test(test_walk_sees_each_key_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
