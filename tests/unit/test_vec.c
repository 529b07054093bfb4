#include "check.h"

#include <stdlib.h>

#include "base/own.h"
#include "base/vec.h"

static void test_push_keeps_order(void **state)
{
	(void)state;
	auto_vec struct vec vec = {0};
	vec_init(&vec, sizeof(int), 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(vec_push(&vec, &i, NULL), BERM_OK);
	for (int i = 0; i < 100; i++)
		assert_int_equal(*(int *)vec_at(&vec, (size_t)i), i);
}

static void test_maximum_is_kept(void **state)
{
	(void)state;
	auto_vec struct vec vec = {0};
	vec_init(&vec, sizeof(int), 3);
	int item = 7;
	for (int i = 0; i < 3; i++)
		assert_int_equal(vec_push(&vec, &item, NULL), BERM_OK);
	struct berm_err err;
	assert_int_equal(vec_push(&vec, &item, &err), BERM_ERR_LIMIT);
	assert_string_equal(err.msg, "more than 3 items");
	assert_int_equal(vec.len, 3);
}

static void test_item_sizes_cannot_wrap(void **state)
{
	(void)state;
	auto_vec struct vec vec = {0};
	vec_init(&vec, SIZE_MAX / 2, SIZE_MAX);
	char item = 0;
	assert_int_equal(vec_push(&vec, &item, NULL), BERM_ERR_LIMIT);
	assert_int_equal(vec.len, 0);
}

static void test_remove_closes_the_gap(void **state)
{
	(void)state;
	auto_vec struct vec vec = {0};
	vec_init(&vec, sizeof(int), 10);
	for (int i = 0; i < 4; i++)
		assert_int_equal(vec_push(&vec, &i, NULL), BERM_OK);
	vec_remove(&vec, 1);
	vec_remove(&vec, 2);
	assert_int_equal(vec.len, 2);
	assert_int_equal(*(int *)vec_at(&vec, 0), 0);
	assert_int_equal(*(int *)vec_at(&vec, 1), 2);
}

static void test_take_hands_over(void **state)
{
	(void)state;
	auto_vec struct vec vec = {0};
	vec_init(&vec, sizeof(int), 10);
	assert_null(vec_take(&vec));
	int item = 5;
	assert_int_equal(vec_push(&vec, &item, NULL), BERM_OK);
	auto_free int *items = vec_take(&vec);
	assert_int_equal(items[0], 5);
	assert_int_equal(vec.len, 0);
	assert_int_equal(vec_push(&vec, &item, NULL), BERM_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_push_keeps_order),       cmocka_unit_test(test_maximum_is_kept),
		cmocka_unit_test(test_item_sizes_cannot_wrap), cmocka_unit_test(test_remove_closes_the_gap),
		cmocka_unit_test(test_take_hands_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
