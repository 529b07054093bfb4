#include "check.h"

#include <string.h>

#include "policy/doc.h"

static void test_every_key_is_described(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLICY_KEYS; i++) {
		const struct policy_key_row *row = &policy_keys[i];
		assert_non_null(row->path);
		assert_non_null(row->about);
		assert_non_null(row->example);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(row->path, policy_keys[j].path);
	}
	for (size_t i = 0; i < POLICY_ATTRS; i++) {
		assert_non_null(policy_attrs[i].name);
		assert_non_null(policy_attrs[i].about);
	}
}

static void test_rows_agree_with_themselves(void **state)
{
	(void)state;
	for (size_t i = 0; i < POLICY_KEYS; i++) {
		const struct policy_key_row *row = &policy_keys[i];
		bool worded = row->value == VALUE_WORD || row->value == VALUE_SOURCE || row->value == VALUE_TEST;
		assert_int_equal(row->words != NULL, worded);
		assert_int_equal(row->needs & ~row->attrs, 0);
		assert_int_equal(row->attrs >> POLICY_ATTRS, 0);
		assert_true(row->main == NULL || row->shape == SHAPE_LIST);
		assert_true(row->attrs == 0 || row->shape != SHAPE_SCALAR);
	}
	for (size_t i = 0; i < POLICY_ATTRS; i++) {
		const struct policy_attr_row *row = &policy_attrs[i];
		bool worded = row->value == VALUE_WORD || row->value == VALUE_SOURCE || row->value == VALUE_PHRASE;
		assert_int_equal(row->words != NULL, worded);
	}
}

static void test_attributes_are_found(void **state)
{
	(void)state;
	const struct policy_attr attrs[] = {
		{ATTR_BY, "gh"}, {ATTR_BY, "git"}, {ATTR_PRIVATE, "true"}, {ATTR_REMOVABLE, "false"}};
	const struct policy_line line = {.attrs = attrs, .attr_count = 4}, bare = {0};
	assert_string_equal(policy_attr_find(&line, ATTR_BY), "gh");
	assert_null(policy_attr_find(&line, ATTR_WHY));
	assert_null(policy_attr_find(&bare, ATTR_BY));
	assert_true(policy_attr_is(&line, ATTR_PRIVATE));
	assert_false(policy_attr_is(&line, ATTR_REMOVABLE));
	assert_false(policy_attr_is(&line, ATTR_BY));
	assert_false(policy_attr_is(&bare, ATTR_PRIVATE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_key_is_described),
		cmocka_unit_test(test_rows_agree_with_themselves),
		cmocka_unit_test(test_attributes_are_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
