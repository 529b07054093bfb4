#include "check.h"

#include <string.h>

#include "base/own.h"
#include "cli/options.h"
#include "cli/options_text.h"
#include "format/nearest.h"

struct target {
	bool quiet, loud;
	const char *name;
};

static const char *const words[] = {"none", "host", NULL};
static const struct option_row rows[] = {
	{.letter = 'q',
	 .name = "quiet",
	 .kind = OPTION_FLAG,
	 .offset = offsetof(struct target, quiet),
	 .help = "say nothing"},
	{.letter = 'l',
	 .name = "loud",
	 .kind = OPTION_FLAG,
	 .offset = offsetof(struct target, loud),
	 .help = "say more"},
	{.name = "name",
	 .kind = OPTION_TEXT,
	 .offset = offsetof(struct target, name),
	 .argument = "NAME",
	 .help = "a name"},
	{.letter = 'r',
	 .name = "read",
	 .kind = OPTION_USE,
	 .mark = 7,
	 .argument = "PATH",
	 .help = "a path",
	 .line = "fs.read"},
	{.letter = 'n',
	 .name = "net",
	 .kind = OPTION_USE,
	 .mark = 8,
	 .argument = "MODE",
	 .words = words,
	 .help = "a mode"},
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
static const struct option_set set = {.rows = rows, .count = ARRAY_LEN(rows)};

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

static void fails(const char *const *argv, const char *message, const char *try)
{
	struct target target = {0};
	struct options options = {.use_count = 99};
	struct option_hint hint;
	struct berm_err err;
	assert_int_equal(options_parse(&set, argv, &target, &options, &hint, &err), BERM_ERR_INVALID);
	assert_string_equal(err.msg, message);
	assert_string_equal(hint.text, try);
	assert_int_equal(options.use_count, 99); /* untouched */
}

static void test_flags_texts_and_uses(void **state)
{
	(void)state;
	struct target target = {0};
	auto_options struct options options = {0};
	struct option_hint hint;
	const char *const *argv =
		ARGV("-q", "--name", "a", "-r", "/x", "-r/y", "--read=/z", "--name=b", "-n", "none", "prog", "-l");
	assert_int_equal(options_parse(&set, argv, &target, &options, &hint, NULL), BERM_OK);
	assert_true(target.quiet);
	assert_false(target.loud); /* behind the first word that is no option */
	assert_string_equal(target.name, "b");
	assert_int_equal(options.use_count, 4);
	assert_string_equal(options.uses[0].value, "/x");
	assert_string_equal(options.uses[1].value, "/y");
	assert_string_equal(options.uses[2].value, "/z");
	assert_int_equal(options.uses[2].row->mark, 7);
	assert_string_equal(options.uses[3].value, "none");
	assert_string_equal(options.rest[0], "prog");
	assert_string_equal(options.rest[1], "-l");
	assert_string_equal(hint.text, "");
}

static void test_letters_stand_together(void **state)
{
	(void)state;
	struct target target = {0};
	auto_options struct options options = {0};
	struct option_hint hint;
	assert_int_equal(options_parse(&set, ARGV("-qlr", "/x"), &target, &options, &hint, NULL), BERM_OK);
	assert_true(target.quiet && target.loud);
	assert_string_equal(options.uses[0].value, "/x");
	assert_null(options.rest[0]);
}

static void test_two_dashes_end_options(void **state)
{
	(void)state;
	struct target target = {0};
	auto_options struct options options = {0};
	struct option_hint hint;
	assert_int_equal(options_parse(&set, ARGV("-q", "--", "-l", "--"), &target, &options, &hint, NULL), BERM_OK);
	assert_false(target.loud);
	assert_string_equal(options.rest[0], "-l");
	assert_string_equal(options.rest[1], "--");
}

static void test_a_dash_alone_is_no_option(void **state)
{
	(void)state;
	struct target target = {0};
	auto_options struct options options = {0};
	struct option_hint hint;
	assert_int_equal(options_parse(&set, ARGV("-", "-q"), &target, &options, &hint, NULL), BERM_OK);
	assert_string_equal(options.rest[0], "-");
	assert_false(target.quiet);
}

static void test_help_ends_parsing(void **state)
{
	(void)state;
	struct target target = {0};
	auto_options struct options options = {0};
	struct option_hint hint;
	assert_int_equal(options_parse(&set, ARGV("-qh", "--nonsense"), &target, &options, &hint, NULL), BERM_OK);
	assert_true(options.help);
}

static void test_values_may_be_empty_or_begin_with_a_dash(void **state)
{
	(void)state;
	struct target target = {0};
	auto_options struct options options = {0};
	struct option_hint hint;
	assert_int_equal(options_parse(&set, ARGV("--name=", "-r", "-x", "--read=--y"), &target, &options, &hint, NULL),
			 BERM_OK);
	assert_string_equal(target.name, "");
	assert_string_equal(options.uses[0].value, "-x");
	assert_string_equal(options.uses[1].value, "--y");
}

static void test_unknown_options_name_the_nearest(void **state)
{
	(void)state;
	fails(ARGV("--raed", "x"), "unknown option '--raed'", "--read");
	fails(ARGV("--quite"), "unknown option '--quite'", "--quiet");
	fails(ARGV("--zzzzzz"), "unknown option '--zzzzzz'", "");
	fails(ARGV("--rea=x"), "unknown option '--rea'", "--read"); /* no abbreviations */
	fails(ARGV("-z"), "unknown option '-z'", "");
	fails(ARGV("-qz"), "unknown option '-z'", "");
}

static void test_values_must_be_there(void **state)
{
	(void)state;
	fails(ARGV("-r"), "no value for option '--read'", "--read=PATH");
	fails(ARGV("--name"), "no value for option '--name'", "--name=NAME");
	fails(ARGV("--read", "--quiet"), "no value for option '--read'", "--read=PATH");
	fails(ARGV("--quiet=1"), "option '--quiet' takes no value", "");
}

static void test_distance(void **state)
{
	(void)state;
	assert_int_equal(nearest_distance("", ""), 0);
	assert_int_equal(nearest_distance("abc", "abc"), 0);
	assert_int_equal(nearest_distance("abc", ""), 3);
	assert_int_equal(nearest_distance("abc", "acb"), 1);
	assert_int_equal(nearest_distance("kitten", "sitting"), 3);
	assert_int_equal(nearest_distance("a long word that is longer than the longest", "a"), SIZE_MAX);
}

static void test_nearest_keeps_the_best(void **state)
{
	(void)state;
	struct nearest nearest;
	nearest_init(&nearest, "docter");
	nearest_offer(&nearest, "run");
	assert_null(nearest.best);
	nearest_offer(&nearest, "doctor");
	nearest_offer(&nearest, "docker");
	assert_string_equal(nearest.best, "doctor"); /* the first of two that are as near */
	nearest_offer(&nearest, "docter");
	assert_string_equal(nearest.best, "docter");
}

static void test_help_is_aligned_and_wrapped(void **state)
{
	(void)state;
	auto_buf struct buf out;
	buf_init(&out, 4096);
	options_text_help(&(struct option_set){.rows = rows + 2, .count = 2}, 80, false, &out);
	assert_string_equal(out.data, "      --name NAME  a name\n"
				      "  -r, --read PATH  a path\n");
	buf_clear(&out);
	options_text_help(&(struct option_set){.rows = rows + 3, .count = 1}, 40, false, &out);
	assert_string_equal(out.data, "  -r, --read PATH\n        a path\n");
}

static void test_man_text_is_a_list_of_sentences(void **state)
{
	(void)state;
	auto_buf struct buf out;
	buf_init(&out, 4096);
	options_text_mdoc(&(struct option_set){.rows = rows + 3, .count = 1}, &out);
	assert_string_equal(out.data, ".Bl -tag -width Ds\n"
				      ".It Fl r , Fl \\-read Ar PATH\n"
				      "A path.\n"
				      "Policy line:\n"
				      ".Li fs.read\n"
				      ".El\n");
}

static void test_operands_between_options(void **state)
{
	(void)state;
	static const struct option_set anywhere = {.rows = rows, .count = ARRAY_LEN(rows), .anywhere = true};
	struct target target = {0};
	struct options options;
	struct option_hint hint;
	assert_int_equal(options_parse(&anywhere, ARGV("a", "-q", "b", "--name", "n", "--", "-l"), &target, &options,
				       &hint, NULL),
			 BERM_OK);
	const char *expected[] = {"a", "b", "-l", NULL};
	for (size_t i = 0; expected[i] != NULL; i++)
		expected[i] = options.rest[i] != NULL && strcmp(options.rest[i], expected[i]) == 0 ? expected[i] : NULL;
	bool ended = options.rest[3] == NULL;
	options_done(&options);
	assert_true(expected[0] != NULL && expected[1] != NULL && expected[2] != NULL && ended);
	assert_true(target.quiet && !target.loud);
	assert_string_equal(target.name, "n");
}

/* A set with the rows of another that say what the policy is; the others of that set are unknown. */
static void test_policy_rows(void **state)
{
	(void)state;
	static const struct option_row own[] = {
		{.name = "origin", .kind = OPTION_FLAG, .offset = offsetof(struct target, loud), .help = "where from"},
	};
	static const struct option_set with = {.rows = own, .count = ARRAY_LEN(own), .policy = &set};
	struct target target = {0};
	struct options options;
	struct option_hint hint;
	struct berm_err err;
	assert_int_equal(
		options_parse(&with, ARGV("--origin", "-r", "/x", "--read=/y"), &target, &options, &hint, &err),
		BERM_OK);
	size_t count = options.use_count;
	options_done(&options);
	assert_int_equal(count, 2);
	assert_true(target.loud);
	/* neither a line nor marked */
	assert_int_equal(options_parse(&with, ARGV("--quiet"), &target, &options, &hint, &err), BERM_ERR_INVALID);
	assert_string_equal(err.msg, "unknown option '--quiet'");
	assert_string_equal(options_row(&with, 0)->name, "origin");
	assert_string_equal(options_row(&with, 1)->name, "read");
	assert_null(options_row(&with, 2));
	assert_null(options_row(&set, ARRAY_LEN(rows)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operands_between_options),
		cmocka_unit_test(test_policy_rows),
		cmocka_unit_test(test_flags_texts_and_uses),
		cmocka_unit_test(test_letters_stand_together),
		cmocka_unit_test(test_two_dashes_end_options),
		cmocka_unit_test(test_a_dash_alone_is_no_option),
		cmocka_unit_test(test_help_ends_parsing),
		cmocka_unit_test(test_values_may_be_empty_or_begin_with_a_dash),
		cmocka_unit_test(test_unknown_options_name_the_nearest),
		cmocka_unit_test(test_values_must_be_there),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_nearest_keeps_the_best),
		cmocka_unit_test(test_help_is_aligned_and_wrapped),
		cmocka_unit_test(test_man_text_is_a_list_of_sentences),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
