#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "cli/policy_run.h"
#include "cli/say.h"
#include "format/json_out.h"
#include "format/path.h"
#include "policy/question.h"
#include "session/why.h"
#include "ui/text.h"

enum { EXIT_ASK = 3, PLACE_MAX = 512, OBJECT_MAX = 64 * 1024, ARENA_MAX = 1024 * 1024 };

struct why_choices {
	struct run_choices run;
	bool json;
	const char *by;
};

static const struct option_row rows[] = {
	{
		.name = "by",
		.kind = OPTION_TEXT,
		.offset = offsetof(struct why_choices, by),
		.complete = COMPLETE_PATH,
		.argument = "PROGRAM",
		.help = "the program that asks, for lines that are for some programs only",
	},
	{
		.name = "json",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct why_choices, json),
		.help = "the answer as JSON",
	},
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set why_option_set = {.rows = rows, .count = ARRAY_LEN(rows), .policy = &run_option_set};
const char *const why_words[] = {"read", "list", "write", "create", "delete", "exec",	 "socket", "connect", "GET",
				 "HEAD", "POST", "PUT",	  "PATCH",  "DELETE", "OPTIONS", "run",	   NULL};

/* ---- the question ------------------------------------------------------------------------------------------------ */

/* A path from the current folder, or the words of a command with spaces between. */
static enum berm_code put_object(const char *word, const char *const *rest, struct buf *object, struct berm_err *err)
{
	char path[PATH_MAX];
	enum policy_op op;
	if (!question_find_op(word, &op) || !question_is_file(op)) {
		for (size_t i = 0; rest[i] != NULL; i++)
			buf_printf(object, "%s%s", i > 0 ? " " : "", rest[i]);
		return buf_check(object, err);
	}
	auto_free char *cwd = getcwd(NULL, 0);
	if (cwd == NULL)
		return err_sys(err, "find the current folder");
	if (!path_resolve(str_from(cwd), str_from(rest[0]), path, sizeof(path)))
		return err_set(err, BERM_ERR_INVALID, "leads above '/', or too long: '%.100s'", rest[0]);
	buf_puts(object, path);
	return buf_check(object, err);
}

/* Methods are written as in HTTP: "delete PATH" and "DELETE URL" are two things. */
static enum berm_code parse(struct arena *arena, const char *word, const char *object,
			    struct policy_question *ret_question, struct berm_err *err)
{
	bool method = isupper((unsigned char)word[0]) != 0;
	TRY(question_parse(arena, method ? "get" : word, object, ret_question, err));
	if (method)
		ret_question->method = word;
	return BERM_OK;
}

static enum berm_code read_question(const char *const *rest, struct arena *arena, struct buf *object,
				    struct policy_question *ret_question, struct berm_err *err)
{
	bool known = false;
	for (size_t i = 0; rest[0] != NULL && why_words[i] != NULL; i++)
		known |= strcmp(rest[0], why_words[i]) == 0;
	if (!known || rest[1] == NULL)
		return err_set(err, BERM_ERR_INVALID, known ? "'%.40s' of what" : "no such question: '%.40s'",
			       rest[0] != NULL ? rest[0] : "");
	if (rest[2] != NULL && strcmp(rest[0], "run") != 0)
		return err_set(err, BERM_ERR_INVALID, "unexpected argument '%.60s'", rest[2]);
	TRY(put_object(rest[0], rest + 1, object, err));
	return parse(arena, rest[0], object->data, ret_question, err);
}

/* ---- the answer -------------------------------------------------------------------------------------------------- */

static const char *const answer_words[] = {
	[ANSWER_DENY] = "denied", [ANSWER_ASK] = "would be asked", [ANSWER_ALLOW] = "allowed"};
static const int statuses[] = {[ANSWER_DENY] = EXIT_NO, [ANSWER_ASK] = EXIT_ASK, [ANSWER_ALLOW] = EXIT_YES};

static void place_of(const struct policy_verdict *verdict, char ret_place[static PLACE_MAX])
{
	ret_place[0] = '\0';
	if (verdict->by != NULL)
		policy_entry_place(verdict->by, ret_place, PLACE_MAX);
}

/* What else must be known. */
static const char *note_on(const struct policy_question *question, const struct policy_verdict *verdict)
{
	bool asks_host = question->op == POLICY_OP_CONNECT || question->op == POLICY_OP_HTTP;
	bool by_name = verdict->by != NULL && verdict->by->line->key == KEY_NET_ALLOW;
	return asks_host && by_name ? "this version has no filter for names: a run has no network but with -n host"
				    : NULL;
}

/* "denied: filesystem.deny: ~/.ssh  (groups/credentials.yaml:7:5)" */
static void put_text(const struct policy_question *question, const struct policy_verdict *verdict, struct buf *out)
{
	char place[PLACE_MAX];
	const char *note = note_on(question, verdict);
	place_of(verdict, place);
	buf_printf(out, "%s", answer_words[verdict->answer]);
	if (verdict->by != NULL)
		buf_printf(out, ": %s", verdict->rule);
	if (verdict->text[0] != '\0') {
		buf_puts(out, ": ");
		text_put_safe(out, str_from(verdict->text));
	}
	if (place[0] != '\0') {
		buf_puts(out, " (");
		text_put_safe(out, str_from(place));
		buf_putc(out, ')');
	}
	buf_putc(out, '\n');
	if (note != NULL)
		buf_printf(out, "note: %s\n", note);
}

static void put_json(const struct policy_question *question, const struct policy_verdict *verdict, struct buf *out)
{
	char place[PLACE_MAX];
	struct json_out json;
	json_init(&json, out);
	json_object(&json, NULL);
	place_of(verdict, place);
	json_text(&json, "op", str_from(question_op_word(question->op)));
	json_text(&json, "answer", str_from(question_answer_word(verdict->answer)));
	json_text(&json, "rule", str_from(verdict->rule));
	json_text(&json, "text", str_from(verdict->text));
	if (place[0] != '\0')
		json_text(&json, "at", str_from(place));
	if (note_on(question, verdict) != NULL)
		json_text(&json, "note", str_from(note_on(question, verdict)));
	json_object_end(&json);
	buf_putc(out, '\n');
}

static int answer(const struct why_choices *choices, const struct policy_question *question)
{
	struct berm_err err;
	struct policy_verdict verdict;
	auto_run struct run *run = NULL;
	auto_free struct problems *problems = calloc(1, sizeof(*problems));
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	enum berm_code code = policy_run_new(&choices->run, &run, problems, &err);
	if (code == BERM_OK)
		code = why_answer(run_policy(run), run_input(run), question, &verdict, &err);
	if (code != BERM_OK)
		return say_problems(problems, &err, EXIT_REFUSED);
	if (choices->json)
		put_json(question, &verdict, &out);
	else
		put_text(question, &verdict, &out);
	int status = say_result(&out);
	return status != 0 ? status : statuses[verdict.answer];
}

static int ask(const struct command *self, const struct why_choices *choices, const char *const *rest)
{
	struct berm_err err;
	struct policy_question question;
	auto_arena struct arena arena;
	auto_buf struct buf object;
	arena_init(&arena, ARENA_MAX);
	buf_init(&object, OBJECT_MAX);
	if (read_question(rest, &arena, &object, &question, &err) != BERM_OK)
		return commands_usage(self, &err, NULL);
	question.program = choices->by;
	return answer(choices, &question);
}

int cmd_why(const struct command *self, const char *const *argv)
{
	struct why_choices choices = {0};
	auto_options struct options options = {0};
	int status = policy_run_parse(self, argv, &choices.run, &options);
	choices.run.request.untested = true;
	if (status < 0)
		status = ask(self, &choices, options.rest);
	run_options_done(&choices.run);
	return status;
}
