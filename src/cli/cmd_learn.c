#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "cli/ask.h"
#include "cli/learn_runs.h"
#include "cli/learn_text.h"
#include "cli/policy_commands.h"
#include "cli/policy_run.h"
#include "cli/run_report.h"
#include "policy/learn_policy.h"
#include "policy/policy_text.h"
#include "session/offers.h"
#include "session/policy_file.h"
#include "session/user_file.h"

struct learn_choices {
	struct run_choices run;
	bool print, json, yes, closed;
	const char *runs, *into;
};

static const struct option_row rows[] = {
	{
		.name = "runs",
		.kind = OPTION_TEXT,
		.offset = offsetof(struct learn_choices, runs),
		.argument = "N",
		.help = "run the command again with what was learned, as long as something new is denied, at most N "
			"times; without it, once",
	},
	{
		.name = "closed",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct learn_choices, closed),
		.help = "while it is learned from, allow the command no more than the policy grants; without it, what "
			"would be asked for is allowed and recorded",
	},
	{
		.name = "into",
		.kind = OPTION_TEXT,
		.offset = offsetof(struct learn_choices, into),
		.complete = COMPLETE_PATH,
		.argument = "FILE",
		.help = "the policy file that lines are written into; without it policy.yaml of the configuration",
	},
	{
		.name = "print",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct learn_choices, print),
		.help = "print the lines as a policy, ask nothing, write nothing",
	},
	{
		.name = "json",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct learn_choices, json),
		.help = "print lines, events and what is not proposed as JSON, ask nothing, write nothing",
	},
	{
		.name = "yes",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct learn_choices, yes),
		.help = "write without asking",
	},
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set learn_option_set = {.rows = rows, .count = ARRAY_LEN(rows), .policy = &run_option_set};

enum { MAX_RUNS = 100, MAX_EVENTS_BYTES = 64 * 1024 * 1024 };

/* All that one "berm learn" holds. */
struct learning {
	const struct learn_choices *choices;
	const char *const *argv; /* of the command; NULL: events are read */
	const char *file;	 /* of the events; or NULL */
	uint64_t runs;
	struct run *run; /* only to be looked at: whose policy judges */
	struct floor_places places;
	struct learn_policy *rules;
	struct learn_events events;
	struct learn learn;
	struct problems *problems;
	struct berm_err err;
};

static void learning_done(struct learning *learning)
{
	learn_done(&learning->learn);
	learn_events_done(&learning->events);
	learn_policy_free(learning->rules);
	run_free(learning->run);
	free(learning->problems);
}
#define auto_learning __attribute__((cleanup(learning_done)))

/* ---- events ------------------------------------------------------------------------------------------------------ */

static enum berm_code judge(struct learning *learning)
{
	learn_done(&learning->learn);
	learn_init(&learning->learn);
	return offers_judge(run_input(learning->run), learning->rules, &learning->events, &learning->learn,
			    &learning->err);
}

static enum berm_code open_policy(struct learning *learning)
{
	learning->problems = calloc(1, sizeof(*learning->problems));
	if (learning->problems == NULL)
		return err_set(&learning->err, BERM_ERR_NOMEM, "learn from a run");
	TRY(policy_run_new(&learning->choices->run, &learning->run, learning->problems, &learning->err));
	learning->places = floor_places_of(run_input(learning->run));
	return learn_policy_new(run_policy(learning->run), &learning->places, &learning->rules, &learning->err);
}

static enum berm_code read_file(struct learning *learning)
{
	auto_buf struct buf text;
	buf_init(&text, MAX_EVENTS_BYTES);
	TRY(policy_file_read(AT_FDCWD, learning->file, learning->file, POLICY_FILE_NAMED, &text, &learning->err));
	TRY(learn_events_read(&learning->events, buf_str(&text), learning->file, learning->problems, &learning->err));
	return judge(learning);
}

static enum berm_code run_once(struct learning *learning, int *ret_status)
{
	struct policy_doc learned = {0};
	TRY(learn_document(&learning->learn, &learned, &learning->err));
	const struct learn_run how = {&learning->choices->run, learning->argv, &learned, learning->choices->closed};
	TRY(learn_runs_once(&how, &learning->events, ret_status, learning->problems, &learning->err));
	return judge(learning);
}

static enum berm_code put_learned(struct learning *learning, struct buf *out)
{
	struct policy_doc doc;
	TRY(learn_document(&learning->learn, &doc, &learning->err));
	buf_clear(out);
	policy_text_put(&doc, false, out);
	return buf_check(out, &learning->err);
}

/* Again as long as other lines come of it. */
static enum berm_code run_all(struct learning *learning)
{
	int status = 0;
	uint64_t count = 0;
	bool changed = true;
	auto_buf struct buf before, after;
	buf_init(&before, SAY_MAX);
	buf_init(&after, SAY_MAX);
	for (; changed && count < learning->runs; count++) {
		TRY(put_learned(learning, &before));
		TRY(run_once(learning, &status));
		TRY(put_learned(learning, &after));
		changed = !str_eq(buf_str(&before), buf_str(&after));
	}
	say_line("the command ended with status %d after %llu run%s", status, (unsigned long long)count,
		 count == 1 ? "" : "s");
	return BERM_OK;
}

/* ---- what becomes of it ------------------------------------------------------------------------------------------ */

static enum berm_code find_target(const struct learning *learning, char ret_path[static PATH_MAX], struct berm_err *err)
{
	const char *into = learning->choices->into;
	const char *folder = sources_config_folder(run_sources(learning->run));
	if (into == NULL && folder == NULL)
		return err_set(err, BERM_ERR_NOTFOUND, "no folder for policies: neither HOME nor BERM_CONFIG_DIR");
	int len = into != NULL ? snprintf(ret_path, PATH_MAX, "%s", into)
			       : snprintf(ret_path, PATH_MAX, "%s/policy.yaml", folder);
	return len < PATH_MAX ? BERM_OK : err_set(err, BERM_ERR_LIMIT, "path too long");
}

static int write_lines(struct learning *learning, const char *path)
{
	struct policy_doc doc;
	if (learn_document(&learning->learn, &doc, &learning->err) != BERM_OK ||
	    user_file_insert(path, &doc, &learning->err) != BERM_OK)
		return say_failure(&learning->err, "--print, and put the lines in by hand", EXIT_REFUSED);
	say_line("%zu line%s written into %s", learning->learn.lines.len, learning->learn.lines.len == 1 ? "" : "s",
		 path);
	return EXIT_YES;
}

static int offer(struct learning *learning)
{
	char path[PATH_MAX];
	auto_buf struct buf question;
	buf_init(&question, (size_t)2 * PATH_MAX);
	if (find_target(learning, path, &learning->err) != BERM_OK)
		return say_failure(&learning->err, "--into FILE", EXIT_REFUSED);
	buf_printf(&question, "write these lines into %s?", path);
	if (buf_check(&question, &learning->err) != BERM_OK)
		return say_failure(&learning->err, "", EXIT_REFUSED);
	enum ask_answer answer = learning->choices->yes ? ASK_YES : ask_yes(question.data);
	if (answer == ASK_YES)
		return write_lines(learning, path);
	if (answer == ASK_NOBODY)
		say_line("nothing was written: nobody is at a terminal; --yes writes, --print prints a policy");
	return EXIT_YES;
}

static int print(struct learning *learning, struct buf *out)
{
	if (learning->choices->json)
		learn_text_json(&learning->learn, &learning->events, out);
	else if (put_learned(learning, out) != BERM_OK)
		return say_failure(&learning->err, "", EXIT_REFUSED);
	return say_result(out);
}

static int conclude(struct learning *learning)
{
	struct say_screen screen = say_screen(STDOUT_FILENO);
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	if (learning->choices->json || learning->choices->print)
		return print(learning, &out);
	learn_text_put(&learning->learn, &learning->events, &screen, &out);
	int status = say_result(&out);
	if (status != 0)
		return status;
	if (learning->learn.lines.len > 0)
		return offer(learning);
	say_line("%s", learning->events.items.len > 0 ? "no line is proposed" : "nothing was denied");
	return EXIT_YES;
}

static int learn_all(struct learning *learning)
{
	enum berm_code code = open_policy(learning);
	if (code == BERM_OK)
		code = learning->argv != NULL ? run_all(learning) : read_file(learning);
	if (code == BERM_OK)
		return conclude(learning);
	int status = learning->argv != NULL ? run_report_failure(code) : EXIT_REFUSED;
	return say_problems(learning->problems, &learning->err, status);
}

static int usage(const struct command *self, const char *what)
{
	struct berm_err err;
	const struct option_hint hint = {"berm learn -- COMMAND, or berm learn EVENTS-FILE"};
	(void)err_set(&err, BERM_ERR_INVALID, "%s", what);
	return commands_usage(self, &err, &hint);
}

int cmd_learn(const struct command *self, const char *const *argv)
{
	struct learn_choices choices = {.runs = "1"};
	auto_options struct options options = {0};
	int status = policy_run_parse(self, argv, &choices.run, &options);
	if (status >= 0) {
		run_options_done(&choices.run);
		return status;
	}
	auto_learning struct learning learning = {.choices = &choices};
	learn_init(&learning.learn);
	learn_events_init(&learning.events);
	const char *const *rest = options.rest;
	bool command = rest != argv && strcmp(rest[-1], "--") == 0;
	if (str_u64(str_from(choices.runs), MAX_RUNS, &learning.runs, NULL) != BERM_OK || learning.runs == 0)
		status = usage(self, "--runs is a number from 1 to 100");
	else if (rest[0] == NULL || (!command && rest[1] != NULL))
		status = usage(self,
			       rest[0] == NULL ? "neither a command nor events" : "a command stands behind \"--\"");
	if (status < 0) {
		learning.argv = command ? rest : NULL;
		learning.file = command ? NULL : rest[0];
		status = learn_all(&learning);
	}
	run_options_done(&choices.run);
	return status;
}
