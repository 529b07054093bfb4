#include <stdlib.h>
#include <unistd.h>

#include "base/own.h"
#include "cli/policy_commands.h"
#include "cli/policy_run.h"
#include "cli/say.h"
#include "format/json_out.h"
#include "policy/question.h"
#include "session/own_tests.h"
#include "ui/colour.h"
#include "ui/text.h"

struct test_choices {
	struct run_choices run;
	bool json;
};

static const struct option_row rows[] = {
	{
		.name = "json",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct test_choices, json),
		.help = "as JSON, a test an object",
	},
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set policy_test_option_set = {
	.rows = rows, .count = ARRAY_LEN(rows), .anywhere = true, .policy = &run_option_set};

enum { PLACE_MAX = 512 };

/* What all files come to. */
struct testing {
	const struct test_choices *choices;
	size_t passed, failed;
	struct json_out json;
	struct buf out;
};

/* "ok   read ~/.ssh is deny  (FILE:7:5)", and of one that fails what the answer is and why. */
static void put_test(struct testing *testing, const struct policy_test *test)
{
	char place[PLACE_MAX];
	struct say_screen screen = say_screen(STDOUT_FILENO);
	bool passed = test->got == test->expected;
	enum colour colour = passed ? COLOUR_GOOD : COLOUR_BAD;
	auto_buf struct buf text;
	buf_init(&text, SAY_MAX);
	policy_test_text(test, &text);
	policy_entry_place(test->entry, place, sizeof(place));
	colour_start(&testing->out, screen.colour, colour);
	buf_puts(&testing->out, passed ? "ok    " : "FAILED");
	colour_stop(&testing->out, screen.colour, colour);
	buf_putc(&testing->out, ' ');
	text_put_safe(&testing->out, buf_str(&text));
	buf_printf(&testing->out, "  (%s)\n", place);
	if (!passed)
		buf_printf(&testing->out, "       it is %s: %s\n", question_answer_word(test->got), test->by);
	testing->out.failed |= text.failed;
}

static void put_json(struct testing *testing, const struct policy_test *test)
{
	char place[PLACE_MAX];
	struct json_out *json = &testing->json;
	policy_entry_place(test->entry, place, sizeof(place));
	json_object(json, NULL);
	json_text(json, "test", str_from(test->entry->line->text));
	if (test->program != NULL)
		json_text(json, "by", str_from(test->program));
	json_text(json, "is", str_from(question_answer_word(test->expected)));
	json_text(json, "got", str_from(question_answer_word(test->got)));
	json_bool(json, "passed", test->got == test->expected);
	json_text(json, "because", str_from(test->by));
	json_text(json, "at", str_from(place));
	json_object_end(json);
}

/* Returns a status to end with, or -1. */
static int test_one(struct testing *testing, const char *file)
{
	struct berm_err err;
	auto_run struct run *run = NULL;
	auto_free struct problems *problems = calloc(1, sizeof(*problems));
	auto_policy_tests struct policy_tests tests;
	policy_tests_init(&tests);
	enum berm_code code = file != NULL ? policy_run_of(&testing->choices->run, file, &run, problems, &err)
					   : policy_run_new(&testing->choices->run, &run, problems, &err);
	if (code == BERM_OK)
		code = own_tests_run(run_policy(run), run_input(run), &tests, problems, &err);
	if (code != BERM_OK)
		return say_problems(problems, &err, EXIT_REFUSED);
	const struct policy_test *items = tests.items.items;
	for (size_t i = 0; i < tests.items.len; i++) {
		if (testing->choices->json)
			put_json(testing, &items[i]);
		else
			put_test(testing, &items[i]);
	}
	testing->passed += tests.passed;
	testing->failed += tests.failed;
	if (problems == NULL || problems->count == 0)
		return -1;
	(void)err_set(&err, BERM_ERR_PARSE, "a test cannot be read");
	(void)say_problems(problems, &err, EXIT_NO);
	return -1;
}

static int test_all(struct testing *testing, const char *const *files)
{
	json_init(&testing->json, &testing->out);
	if (testing->choices->json)
		json_array(&testing->json, NULL);
	for (size_t i = 0; i == 0 || files[i] != NULL; i++) {
		int status = test_one(testing, files[i]);
		if (status >= 0)
			return status;
		if (files[i] == NULL)
			break;
	}
	if (testing->choices->json) {
		json_array_end(&testing->json);
		buf_putc(&testing->out, '\n');
	} else {
		buf_printf(&testing->out, "%zu passed, %zu failed\n", testing->passed, testing->failed);
	}
	int status = say_result(&testing->out);
	return status != 0 ? status : testing->failed > 0 ? EXIT_NO : EXIT_YES;
}

int cmd_policy_test(const struct command *self, const char *const *argv)
{
	struct test_choices choices = {0};
	auto_options struct options options = {0};
	struct testing testing = {.choices = &choices};
	int status = policy_run_parse(self, argv, &choices.run, &options);
	buf_init(&testing.out, SAY_MAX);
	choices.run.request.untested = true;
	if (status < 0)
		status = test_all(&testing, options.rest);
	buf_done(&testing.out);
	run_options_done(&choices.run);
	return status;
}
