#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "cli/policy_run.h"
#include "cli/say.h"
#include "cli/why_denials.h"
#include "cli/why_hook.h"
#include "format/json_out.h"
#include "policy/question.h"
#include "session/why.h"
#include "ui/text.h"

enum { EXIT_ASK = 3, PLACE_MAX = 512, OBJECT_MAX = 64 * 1024, ARENA_MAX = 1024 * 1024 };

struct why_choices {
	struct run_choices run;
	bool json, batch;
	const char *by, *hook;
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
		.name = "batch",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct why_choices, batch),
		.help = "questions from standard input, a word, a tab and what it is about in each line; answers as "
			"JSON lines",
	},
	{
		.name = "json",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct why_choices, json),
		.help = "the answer as JSON",
	},
	{
		.name = "hook",
		.kind = OPTION_TEXT,
		.offset = offsetof(struct why_choices, hook),
		.argument = "AGENT",
		.help = "inside a sandbox, as a hook of claude-code, codex, gemini-cli or opencode: tells the model "
			"what "
			"was denied while a tool ran",
	},
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set why_option_set = {.rows = rows, .count = ARRAY_LEN(rows), .policy = &run_option_set};
const char *const why_words[] = {"read", "list", "write", "create", "delete", "exec",	 "socket", "connect", "GET",
				 "HEAD", "POST", "PUT",	  "PATCH",  "DELETE", "OPTIONS", "run",	   NULL};

/* ---- the question ------------------------------------------------------------------------------------------------ */

/* A path from the current folder (links and ".." stay: where they lead is looked at), or the words of a command with
 * spaces between. */
static enum berm_code put_object(const char *word, const char *const *rest, struct buf *object, struct berm_err *err)
{
	enum policy_op op;
	if (!question_find_op(word, &op) || !question_is_file(op)) {
		for (size_t i = 0; rest[i] != NULL; i++)
			buf_printf(object, "%s%s", i > 0 ? " " : "", rest[i]);
		return buf_check(object, err);
	}
	auto_free char *cwd = rest[0][0] == '/' ? NULL : getcwd(NULL, 0);
	if (rest[0][0] != '/' && cwd == NULL)
		return err_sys(err, "find the current folder");
	buf_printf(object, "%s%s%s", cwd != NULL ? cwd : "", cwd != NULL ? "/" : "", rest[0]);
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
	if (rest[0] == NULL)
		return err_set(err, BERM_ERR_INVALID, "no question, and this is no sandbox that tells what was denied");
	for (size_t i = 0; rest[0] != NULL && why_words[i] != NULL; i++)
		known |= strcmp(rest[0], why_words[i]) == 0;
	if (!known || rest[1] == NULL)
		return err_set(err, BERM_ERR_INVALID, known ? "'%.40s' of what" : "no such question: '%.40s'", rest[0]);
	if (rest[2] != NULL && strcmp(rest[0], "run") != 0)
		return err_set(err, BERM_ERR_INVALID, "unexpected argument '%.60s'", rest[2]);
	TRY(put_object(rest[0], rest + 1, object, err));
	TRY(parse(arena, rest[0], object->data, ret_question, err));
	/* A command in one word is taken apart as a shell does; the words of several are what they are. */
	if (rest[2] != NULL)
		ret_question->argv = rest + 1;
	return BERM_OK;
}

/* ---- the answer -------------------------------------------------------------------------------------------------- */

static const char *const answer_words[] = {
	[ANSWER_DENY] = "denied", [ANSWER_ASK] = "would be asked", [ANSWER_ALLOW] = "allowed"};
static const int statuses[] = {[ANSWER_DENY] = EXIT_NO, [ANSWER_ASK] = EXIT_ASK, [ANSWER_ALLOW] = EXIT_YES};

static const struct {
	int error;
	const char *name, *words;
} ends[] = {
	{ENOENT, "ENOENT", "not there"},       {EEXIST, "EEXIST", "there already"},
	{EISDIR, "EISDIR", "a folder"},	       {ENOTDIR, "ENOTDIR", "no folder"},
	{ELOOP, "ELOOP", "a circle of links"}, {ENOTEMPTY, "ENOTEMPTY", "a folder that is not empty"},
};

static void place_of(const struct policy_verdict *verdict, char ret_place[static PLACE_MAX])
{
	ret_place[0] = '\0';
	if (verdict->by != NULL)
		policy_entry_place(verdict->by, ret_place, PLACE_MAX);
}

/* What else must be known. */
static const char *note_on(const struct policy_verdict *verdict)
{
	bool by_request = verdict->by != NULL && verdict->by->line->key == KEY_NET_ALLOW &&
			  policy_attr_find(verdict->by->line, ATTR_HTTP) != NULL;
	return by_request ? "what is inside TLS cannot be read in this version: with 'http' only plain HTTP passes"
			  : NULL;
}

static const char *end_words(int error)
{
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (ends[i].error == error)
			return ends[i].words;
	return error == ENAMETOOLONG ? "too long" : NULL;
}

/* "denied: filesystem.deny: ~/.ssh  (groups/credentials.yaml:7:5)" */
static void put_text(const struct why_answer *answer, struct buf *out)
{
	char place[PLACE_MAX];
	const struct policy_verdict *verdict = &answer->verdict;
	const char *note = note_on(verdict);
	const char *end = end_words(answer->error);
	place_of(verdict, place);
	if (end != NULL && verdict->answer == ANSWER_ALLOW)
		buf_printf(out, "%s; as for the policy: ", end);
	buf_printf(out, "%s%s", answer_words[verdict->answer],
		   answer->judged ? " if the judge accepts the content" : "");
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
	if (verdict->answer != ANSWER_ALLOW && verdict->grant[0] != '\0') {
		buf_puts(out, "try: ");
		text_put_safe(out, str_from(verdict->grant));
		buf_putc(out, '\n');
	}
	if (end != NULL && verdict->answer != ANSWER_ALLOW)
		buf_printf(out, "note: %s\n", end);
	if (verdict->http_rules)
		buf_puts(out, "note: what is sent there is decided request by request, by lines with http\n");
	if (note != NULL)
		buf_printf(out, "note: %s\n", note);
}

static void put_error(struct json_out *json, int error)
{
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (ends[i].error == error)
			json_text(json, "errno", str_from(ends[i].name));
	if (error == ENAMETOOLONG)
		json_text(json, "errno", STR("ENAMETOOLONG"));
}

static void put_json(const struct policy_question *question, const struct why_answer *answer, struct buf *out)
{
	char place[PLACE_MAX];
	struct json_out json;
	const struct policy_verdict *verdict = &answer->verdict;
	json_init(&json, out);
	json_object(&json, NULL);
	place_of(verdict, place);
	json_text(&json, "op", str_from(question_op_word(question->op)));
	if (answer->path[0] != '\0')
		json_text(&json, "path", str_from(answer->path));
	json_text(&json, "answer", str_from(question_answer_word(verdict->answer)));
	put_error(&json, answer->error);
	if (answer->judged)
		json_bool(&json, "judged", true);
	json_text(&json, "rule", str_from(verdict->rule));
	json_text(&json, "text", str_from(verdict->text));
	if (place[0] != '\0')
		json_text(&json, "at", str_from(place));
	if (verdict->private_ok)
		json_bool(&json, "private", true);
	if (verdict->http_rules)
		json_bool(&json, "by-request", true);
	if (verdict->answer != ANSWER_ALLOW && verdict->grant[0] != '\0')
		json_text(&json, "try", str_from(verdict->grant));
	if (note_on(verdict) != NULL)
		json_text(&json, "note", str_from(note_on(verdict)));
	json_object_end(&json);
	buf_putc(out, '\n');
}

/* ---- one question, or many --------------------------------------------------------------------------------------- */

static int answer_one(const struct why_choices *choices, struct why *why, const char *const *rest, struct berm_err *err)
{
	struct policy_question question;
	auto_free struct why_answer *answer = calloc(1, sizeof(*answer));
	auto_arena struct arena arena;
	auto_buf struct buf object, out;
	arena_init(&arena, ARENA_MAX);
	buf_init(&object, OBJECT_MAX);
	buf_init(&out, SAY_MAX);
	enum berm_code code = answer != NULL ? read_question(rest, &arena, &object, &question, err)
					     : err_set(err, BERM_ERR_NOMEM, "answer a question");
	question.program = choices->by;
	if (code == BERM_OK)
		code = why_ask(why, &question, answer, err);
	if (code != BERM_OK)
		return say_problems(NULL, err, EXIT_REFUSED);
	if (choices->json || choices->batch)
		put_json(&question, answer, &out);
	else
		put_text(answer, &out);
	int status = say_result(&out);
	return status != 0 || choices->batch ? status : statuses[answer->verdict.answer];
}

/* The line without its end: "read<TAB>/etc/passwd". */
static int answer_line(const struct why_choices *choices, struct why *why, char *line, struct berm_err *err)
{
	char *tab = strchr(line, '\t');
	const char *rest[] = {line, NULL, NULL};
	if (tab != NULL) {
		*tab = '\0';
		rest[1] = tab + 1;
	}
	return answer_one(choices, why, rest, err);
}

static int answer_all(const struct why_choices *choices, struct why *why, struct berm_err *err)
{
	auto_free char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int status = EXIT_YES;
	while (status == EXIT_YES && (len = getline(&line, &room, stdin)) > 0) {
		if (line[len - 1] == '\n')
			line[len - 1] = '\0';
		status = answer_line(choices, why, line, err);
	}
	return status;
}

/* A wrong question is told before the policy is read. */
static int check(const struct command *self, const struct why_choices *choices, const char *const *rest)
{
	struct berm_err err;
	struct policy_question question;
	auto_arena struct arena arena;
	auto_buf struct buf object;
	arena_init(&arena, ARENA_MAX);
	buf_init(&object, OBJECT_MAX);
	if (choices->batch && rest[0] == NULL)
		return EXIT_YES;
	enum berm_code code = choices->batch ? err_set(&err, BERM_ERR_INVALID, "unexpected argument '%.60s'", rest[0])
					     : read_question(rest, &arena, &object, &question, &err);
	return code == BERM_OK ? EXIT_YES : commands_usage(self, &err, NULL);
}

static int ask(const struct why_choices *choices, const char *const *rest)
{
	struct berm_err err;
	auto_run struct run *run = NULL;
	auto_why struct why *why = NULL;
	auto_free struct problems *problems = calloc(1, sizeof(*problems));
	enum berm_code code = policy_run_new(&choices->run, &run, problems, &err);
	if (code == BERM_OK)
		code = why_new(run, &why, &err);
	if (code != BERM_OK)
		return say_problems(problems, &err, EXIT_REFUSED);
	if (run_is_refused(run))
		say_line("a run like this does not start here; berm run --explain tells what cannot be held");
	return choices->batch ? answer_all(choices, why, &err) : answer_one(choices, why, rest, &err);
}

static int run_hook(const struct command *self, const struct why_choices *choices, const char *const *rest)
{
	struct berm_err err;
	const struct hook_agent *agent = why_hook_find(choices->hook);
	if (agent != NULL && rest[0] == NULL)
		return why_hook(agent);
	(void)err_set(&err, BERM_ERR_INVALID, agent == NULL ? "no hook for '%.40s'" : "unexpected argument '%.40s'",
		      agent == NULL ? choices->hook : rest[0]);
	return commands_usage(self, &err, NULL);
}

int cmd_why(const struct command *self, const char *const *argv)
{
	struct why_choices choices = {0};
	auto_options struct options options = {0};
	int status = policy_run_parse(self, argv, &choices.run, &options);
	choices.run.request.untested = true;
	if (status < 0 && choices.hook != NULL) {
		status = run_hook(self, &choices, options.rest);
	} else if (status < 0 && options.rest[0] == NULL && !choices.batch && why_denials_are_told()) {
		status = why_denials(choices.json);
	} else if (status < 0) {
		status = check(self, &choices, options.rest);
		status = status == EXIT_YES ? ask(&choices, options.rest) : status;
	}
	run_options_done(&choices.run);
	return status;
}
