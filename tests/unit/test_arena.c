#include "check.h"

#include <string.h>

#include "base/arena.h"

static void test_pieces_do_not_overlap(void **state)
{
	(void)state;
	auto_arena struct arena arena = {0};
	arena_init(&arena, 1 << 20);
	unsigned char *pieces[300];
	for (size_t i = 0; i < 300; i++) {
		pieces[i] = arena_alloc(&arena, i + 1);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		for (size_t at = 0; at <= i; at++)
			assert_int_equal(pieces[i][at], 0);
		memset(pieces[i], (int)(i & 0xff), i + 1);
	}
	for (size_t i = 0; i < 300; i++)
		for (size_t at = 0; at <= i; at++)
			assert_int_equal(pieces[i][at], i & 0xff);
}

static void test_texts_are_terminated(void **state)
{
	(void)state;
	auto_arena struct arena arena = {0};
	arena_init(&arena, 1 << 20);
	char *one = arena_text(&arena, (struct str){"abcdef", 3});
	char *empty = arena_text(&arena, STR(""));
	char *two = arena_text(&arena, STR("xyz"));
	assert_string_equal(one, "abc");
	assert_string_equal(empty, "");
	assert_string_equal(two, "xyz");
	assert_non_null(arena_alloc(&arena, 0));
}

static void test_maximum_is_kept(void **state)
{
	(void)state;
	auto_arena struct arena arena = {0};
	arena_init(&arena, 10000);
	assert_null(arena_alloc(&arena, 10001));
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_array(&arena, SIZE_MAX / 2, 4));
	size_t given = 0;
	while (arena_alloc(&arena, 100) != NULL)
		given += 100;
	assert_true(given > 5000 && given <= 10000);
	assert_null(arena_text(&arena, (struct str){"", SIZE_MAX}));
	arena_done(&arena);
	assert_non_null(arena_alloc(&arena, 9000)); /* all of it is there again */
}

static void test_large_pieces_have_blocks_of_their_own(void **state)
{
	(void)state;
	auto_arena struct arena arena = {0};
	arena_init(&arena, 10 << 20);
	char *large = arena_array(&arena, 1 << 20, 4);
	assert_non_null(large);
	memset(large, 1, 4 << 20);
	char *small = arena_alloc(&arena, 8);
	assert_non_null(small);
	assert_int_equal(*small, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_do_not_overlap),
		cmocka_unit_test(test_texts_are_terminated),
		cmocka_unit_test(test_maximum_is_kept),
		cmocka_unit_test(test_large_pieces_have_blocks_of_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
