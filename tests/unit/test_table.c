#include "check.h"

#include <string.h>

#include "ui/table.h"

static const char *const titles[] = {"name", "what it does"};

static void fill(struct table *table, const char *const *head)
{
	table_init(table, head, 2);
	const struct table_cell first[] = {{STR("run"), COLOUR_STRONG},
					   {STR("run a program in a sandbox"), COLOUR_PLAIN}};
	const struct table_cell second[] = {{STR("doctor"), COLOUR_STRONG}, {STR(""), COLOUR_PLAIN}};
	assert_int_equal(table_row(table, first, NULL), BERM_OK);
	assert_int_equal(table_row(table, second, NULL), BERM_OK);
}

static void printed(const struct table *table, size_t width, bool colour, const char *expected)
{
	auto_buf struct buf out;
	buf_init(&out, 4096);
	table_print(table, width, colour, &out);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	assert_string_equal(out.data != NULL ? out.data : "", expected);
}

static void test_columns_are_as_wide_as_their_text(void **state)
{
	(void)state;
	auto_table struct table table;
	fill(&table, titles);
	printed(&table, 80, false,
		"name    what it does\n"
		"run     run a program in a sandbox\n"
		"doctor\n");
}

static void test_the_widest_column_is_wrapped(void **state)
{
	(void)state;
	auto_table struct table table;
	fill(&table, NULL);
	table.indent = 2;
	printed(&table, 60, false,
		"  run     run a program in a sandbox\n"
		"  doctor\n");
	const struct table_cell wide[] = {{STR("x"), COLOUR_PLAIN},
					  {STR("one two three four five six seven eight nine ten"), COLOUR_PLAIN}};
	assert_int_equal(table_row(&table, wide, NULL), BERM_OK);
	printed(&table, 50, false,
		"  run     run a program in a sandbox\n"
		"  doctor\n"
		"  x       one two three four five six seven eight\n"
		"          nine ten\n");
}

static void test_narrow_rows_are_blocks(void **state)
{
	(void)state;
	auto_table struct table table;
	fill(&table, titles);
	printed(&table, 20, false,
		"run\n"
		"  run a program in a\n"
		"  sandbox\n"
		"doctor\n");
}

static void test_colour_is_around_the_text_alone(void **state)
{
	(void)state;
	auto_table struct table table;
	fill(&table, NULL);
	printed(&table, 80, true,
		"\x1b[1mrun\x1b[0m     run a program in a sandbox\n"
		"\x1b[1mdoctor\x1b[0m\n");
}

static void test_an_empty_table_prints_its_head(void **state)
{
	(void)state;
	auto_table struct table table;
	table_init(&table, titles, 2);
	printed(&table, 80, false, "name  what it does\n");
}

static void test_text_from_outside_is_made_printable(void **state)
{
	(void)state;
	auto_table struct table table;
	table_init(&table, NULL, 1);
	const struct table_cell cell[] = {{STR("a\x1b[2J\nb"), COLOUR_PLAIN}};
	assert_int_equal(table_row(&table, cell, NULL), BERM_OK);
	printed(&table, 80, false, "a?[2J?b\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns_are_as_wide_as_their_text),
		cmocka_unit_test(test_the_widest_column_is_wrapped),
		cmocka_unit_test(test_narrow_rows_are_blocks),
		cmocka_unit_test(test_colour_is_around_the_text_alone),
		cmocka_unit_test(test_an_empty_table_prints_its_head),
		cmocka_unit_test(test_text_from_outside_is_made_printable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
