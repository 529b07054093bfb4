#include "check.h"

#include "model/simulate.h"
#include "sandbox/bpf.h"

enum { ROOM = 4096, BIG = 3000 };

static struct sock_filter program[ROOM];

/* What the program answers when the accumulator is loaded with value by the program itself. */
static uint32_t run(uint32_t value)
{
	struct seccomp_data data = {.nr = (int)value};
	return simulate_run(program, &data, NULL);
}

static size_t finish_loaded(struct bpf *bpf, bpf_label top)
{
	(void)bpf_load(bpf, offsetof(struct seccomp_data, nr), top);
	size_t len = bpf_finish(bpf);
	assert_true(len > 0);
	assert_true(simulate_valid(program, len));
	return len;
}

static void test_begins_with_what_was_put_last(void **state)
{
	(void)state;
	struct bpf bpf;
	bpf_start(&bpf, program, ROOM);
	bpf_label no = bpf_return(&bpf, 7);
	bpf_label yes = bpf_return(&bpf, 8);
	assert_int_equal(finish_loaded(&bpf, bpf_jump(&bpf, BPF_JEQ, 5, yes, no)), 4);
	assert_int_equal(run(5), 8);
	assert_int_equal(run(6), 7);
}

static void test_each_compare(void **state)
{
	(void)state;
	static const struct {
		uint16_t op;
		uint32_t k, yes, no;
	} rows[] = {
		{BPF_JEQ, 5, 5, 4},
		{BPF_JGT, 5, 6, 5},
		{BPF_JGE, 5, 5, 4},
		{BPF_JSET, 6, 2, 9},
		{BPF_JGE, 0x80000000, 0xffffffff, 0x7fffffff}, /* unsigned */
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bpf bpf;
		bpf_start(&bpf, program, ROOM);
		bpf_label no = bpf_return(&bpf, 0);
		bpf_label yes = bpf_return(&bpf, 1);
		(void)finish_loaded(&bpf, bpf_jump(&bpf, rows[i].op, rows[i].k, yes, no));
		assert_int_equal(run(rows[i].yes), 1);
		assert_int_equal(run(rows[i].no), 0);
	}
}

static void test_mask(void **state)
{
	(void)state;
	struct bpf bpf;
	bpf_start(&bpf, program, ROOM);
	bpf_label no = bpf_return(&bpf, 0);
	bpf_label yes = bpf_return(&bpf, 1);
	(void)finish_loaded(&bpf, bpf_mask(&bpf, 0x0f, bpf_jump(&bpf, BPF_JEQ, 5, yes, no)));
	assert_int_equal(run(0xf5), 1);
	assert_int_equal(run(0xf6), 0);
}

static void test_same_return_is_put_once(void **state)
{
	(void)state;
	struct bpf bpf;
	bpf_start(&bpf, program, ROOM);
	bpf_label first = bpf_return(&bpf, 7);
	bpf_label other = bpf_return(&bpf, 8);
	assert_int_equal(bpf_return(&bpf, 7), first);
	assert_true(bpf_same(&bpf, first, first));
	assert_false(bpf_same(&bpf, first, other));
	assert_int_equal(bpf.len, 2);
}

static void test_more_values_than_are_remembered(void **state)
{
	(void)state;
	struct bpf bpf;
	bpf_start(&bpf, program, ROOM);
	for (uint32_t i = 0; i < 2 * BPF_RETURNS; i++)
		(void)bpf_return(&bpf, i);
	bpf_label again = bpf_return(&bpf, 2 * BPF_RETURNS - 1);
	assert_true(bpf_same(&bpf, again, again - 1));
	assert_int_equal(bpf_return(&bpf, 0), 0);
}

/* A test whose outcome changes nothing is left out, and the load in front of it. */
static void test_nothing_for_nothing(void **state)
{
	(void)state;
	struct bpf bpf;
	bpf_start(&bpf, program, ROOM);
	bpf_label only = bpf_return(&bpf, 7);
	assert_int_equal(bpf_jump(&bpf, BPF_JEQ, 5, only, only), only);
	assert_int_equal(bpf_mask(&bpf, 1, only), only);
	assert_int_equal(bpf_load(&bpf, 0, only), only);
	assert_int_equal(bpf_finish(&bpf), 1);
	assert_int_equal(run(1), 7);
}

/* Puts down fillers that all lead to value, so that what stands behind them gets far away. */
static bpf_label fill(struct bpf *bpf, uint32_t value, uint32_t count)
{
	bpf_label at = bpf_return(bpf, value), other = bpf_return(bpf, value + 1);
	for (uint32_t i = 0; i < count; i++) {
		bpf_label next = bpf_load(bpf, 0, bpf_jump(bpf, BPF_JEQ, 1000 + i, other, at));
		at = next;
	}
	return at;
}

/* Every distance around the eight bits of a jump, for a return (which is copied) and for a test (a long jump). */
static void test_far_targets(void **state)
{
	(void)state;
	for (uint32_t between = 100; between < 160; between++)
		for (int far_yes = 0; far_yes < 2; far_yes++) {
			struct bpf bpf;
			bpf_start(&bpf, program, ROOM);
			bpf_label a = bpf_return(&bpf, 70), b = bpf_return(&bpf, 71);
			bpf_label far_test = bpf_load(&bpf, 0, bpf_jump(&bpf, BPF_JGT, 5000, b, a));
			bpf_label far_return = bpf_return(&bpf, 72);
			bpf_label low = fill(&bpf, 80, between);
			bpf_label mid = bpf_jump(&bpf, BPF_JEQ, 4000, far_return, low);
			bpf_label top = far_yes ? bpf_jump(&bpf, BPF_JGE, 4500, far_test, mid)
						: bpf_jump(&bpf, BPF_JGT, 4499, far_test, mid);
			bpf_label both = bpf_jump(&bpf, BPF_JEQ, 9000, far_test, far_return);
			(void)finish_loaded(&bpf, bpf_jump(&bpf, BPF_JGE, 8999, both, top));
			assert_int_equal(run(1), 80);
			assert_int_equal(run(1000), 81);
			assert_int_equal(run(1000 + between - 1), 81);
			assert_int_equal(run(4000), 72);
			assert_int_equal(run(4500), 70);
			assert_int_equal(run(5001), 71);
			assert_int_equal(run(8999), 72);
			assert_int_equal(run(9000), 71);
		}
}

static void test_load_reaches_what_is_not_next(void **state)
{
	(void)state;
	for (uint32_t between = 0; between < 300; between++) {
		struct bpf bpf;
		bpf_start(&bpf, program, ROOM);
		bpf_label no = bpf_return(&bpf, 0), yes = bpf_return(&bpf, 1);
		bpf_label wanted = bpf_jump(&bpf, BPF_JEQ, 5, yes, no);
		for (uint32_t i = 0; i < between; i++)
			(void)bpf_return(&bpf, 100 + i);
		(void)finish_loaded(&bpf, wanted);
		assert_int_equal(run(5), 1);
		assert_int_equal(run(6), 0);
	}
}

static uint64_t seed = 42;
static uint32_t next_random(void)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(seed >> 33);
}

/* The range that holds value, by looking at all of them. */
static size_t holder(const struct bpf_range *ranges, size_t count, uint32_t value)
{
	size_t at = 0;
	for (size_t i = 0; i < count; i++)
		if (ranges[i].first <= value)
			at = i;
	return at;
}

static size_t make_ranges(struct bpf_range *ranges, size_t max, uint32_t *answers, uint32_t kinds)
{
	size_t count = 1 + next_random() % max;
	uint32_t first = 0;
	for (size_t i = 0; i < count; i++) {
		ranges[i].first = first;
		answers[i] = next_random() % kinds;
		first += 1 + (next_random() % 3 == 0 ? next_random() % 50 : 0);
	}
	return count;
}

static void check_switch(size_t max, uint32_t kinds)
{
	static struct bpf_range ranges[BIG], used[BIG];
	static uint32_t answers[BIG];
	size_t count = make_ranges(ranges, max, answers, kinds);
	struct bpf bpf;
	bpf_start(&bpf, program, ROOM);
	for (size_t i = 0; i < count; i++)
		ranges[i].to = bpf_return(&bpf, answers[i]);
	memcpy(used, ranges, count * sizeof(ranges[0]));
	size_t len = finish_loaded(&bpf, bpf_switch(&bpf, used, count));
	for (size_t i = 0; i < count; i++)
		for (uint32_t off = 0; off < 3; off++) {
			uint32_t value = ranges[i].first + off - 1;
			assert_int_equal(run(value), answers[holder(ranges, count, value)]);
		}
	assert_int_equal(run(UINT32_MAX), answers[count - 1]);
	size_t depth = 4;
	while (((size_t)1 << (depth - 4)) < count)
		depth++;
	assert_in_range(simulate_longest(program, len), 1, 2 * depth); /* trampolines included */
}

static void test_switch_answers_as_a_list_would(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++)
		check_switch(9, 2 + next_random() % 3);
	for (int i = 0; i < 60; i++)
		check_switch(800, 2 + next_random() % 20);
}

static void test_single_value_is_one_compare(void **state)
{
	(void)state;
	struct bpf bpf;
	bpf_start(&bpf, program, ROOM);
	bpf_label usual = bpf_return(&bpf, 1), single = bpf_return(&bpf, 2);
	struct bpf_range ranges[] = {{0, usual}, {5, single}, {6, usual}};
	assert_int_equal(finish_loaded(&bpf, bpf_switch(&bpf, ranges, 3)), 4);
	assert_int_equal(run(4), 1);
	assert_int_equal(run(5), 2);
	assert_int_equal(run(6), 1);
}

/* Two values in the middle are not one value. */
static void test_two_values_are_two_compares(void **state)
{
	(void)state;
	struct bpf bpf;
	bpf_start(&bpf, program, ROOM);
	bpf_label usual = bpf_return(&bpf, 1), single = bpf_return(&bpf, 2);
	struct bpf_range ranges[] = {{0, usual}, {5, single}, {7, usual}};
	assert_int_equal(finish_loaded(&bpf, bpf_switch(&bpf, ranges, 3)), 5);
	assert_int_equal(run(4), 1);
	assert_int_equal(run(5), 2);
	assert_int_equal(run(6), 2);
	assert_int_equal(run(7), 1);
}

/* The same program into every smaller array: never a write past its end, and always noticed. */
static void test_too_small_is_noticed(void **state)
{
	(void)state;
	struct sock_filter small[200];
	size_t need = 0;
	for (size_t room = sizeof(small) / sizeof(small[0]); room > 0; room--) {
		struct bpf bpf;
		memset(small, 0xee, sizeof(small));
		bpf_start(&bpf, small, room);
		bpf_label top = fill(&bpf, 50, 60);
		top = bpf_jump(&bpf, BPF_JEQ, 7, bpf_return(&bpf, 3), top);
		(void)bpf_load(&bpf, 0, bpf_mask(&bpf, 0xff, top));
		size_t len = bpf_finish(&bpf);
		if (need == 0)
			need = len;
		assert_int_equal(len, room < need ? 0 : need);
		for (size_t i = room; i < sizeof(small) / sizeof(small[0]); i++)
			assert_int_equal(small[i].code, 0xeeee);
	}
	assert_in_range(need, 100, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_begins_with_what_was_put_last),
		cmocka_unit_test(test_each_compare),
		cmocka_unit_test(test_mask),
		cmocka_unit_test(test_same_return_is_put_once),
		cmocka_unit_test(test_more_values_than_are_remembered),
		cmocka_unit_test(test_nothing_for_nothing),
		cmocka_unit_test(test_far_targets),
		cmocka_unit_test(test_load_reaches_what_is_not_next),
		cmocka_unit_test(test_switch_answers_as_a_list_would),
		cmocka_unit_test(test_single_value_is_one_compare),
		cmocka_unit_test(test_two_values_are_two_compares),
		cmocka_unit_test(test_too_small_is_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
