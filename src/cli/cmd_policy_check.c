#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "cli/policy_commands.h"
#include "cli/policy_run.h"
#include "cli/say.h"
#include "format/json_out.h"

struct check_choices {
	struct run_choices run;
	bool json;
};

static const struct option_row rows[] = {
	{
		.name = "json",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct check_choices, json),
		.help = "as JSON, a file an object",
	},
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set policy_check_option_set = {
	.rows = rows, .count = ARRAY_LEN(rows), .anywhere = true, .policy = &run_option_set};

/* What was found out about one policy. */
struct check {
	const char *name; /* the file, or NULL: the policy in force here */
	enum berm_code code;
	struct berm_err err;
	struct problems *problems;
	struct run *run; /* or NULL */
};

static void check_done(struct check *check)
{
	run_free(check->run);
	free(check->problems);
}
#define auto_check __attribute__((cleanup(check_done)))

static void look(const struct check_choices *choices, struct check *check)
{
	check->problems = calloc(1, sizeof(*check->problems));
	if (check->problems == NULL)
		check->code = err_set(&check->err, BERM_ERR_NOMEM, "check a policy");
	else if (check->name != NULL)
		check->code = policy_run_of(&choices->run, check->name, &check->run, check->problems, &check->err);
	else
		check->code = policy_run_new(&choices->run, &check->run, check->problems, &check->err);
}

/* The status for one: it is right, it is not, or nobody knows. */
static int status_of(const struct check *check)
{
	if (check->code == BERM_OK)
		return run_is_refused(check->run) || check->problems->count > 0 ? EXIT_NO : EXIT_YES;
	return check->code == BERM_ERR_NOMEM || check->code == BERM_ERR_SYS ? EXIT_REFUSED : EXIT_NO;
}

static size_t count_lines(const struct policy *policy, enum policy_key key)
{
	size_t count = 0;
	for (size_t i = 0; i < policy->count; i++)
		count += policy->entries[i].off == NULL && (key == POLICY_KEYS || policy->entries[i].line->key == key);
	return count;
}

/* Lines of the plan that nobody holds here. */
static void put_refused(const struct berm_plan *plan, struct buf *out)
{
	struct berm_plan_line line;
	for (size_t i = 0; berm_plan_line(plan, i, &line); i++)
		if (line.hold == BERM_REFUSED)
			buf_printf(out, "cannot be held here: %s: %s\n", line.line, line.note);
}

static void put_counts(const struct run *run, struct buf *out)
{
	size_t tests = count_lines(run_policy(run), KEY_TEST);
	buf_printf(out, "%zu lines, ", count_lines(run_policy(run), POLICY_KEYS));
	if (tests > 0)
		buf_printf(out, "%zu test%s passed", tests, tests == 1 ? "" : "s");
	else
		buf_puts(out, "no tests");
}

static int tell(const struct check *check)
{
	struct berm_err err;
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	if (check->code != BERM_OK)
		return say_problems(check->problems, &check->err, status_of(check));
	if (check->problems->count > 0) {
		(void)err_set(&err, BERM_ERR_UNSUPPORTED, "lines cannot be held");
		return say_problems(check->problems, &err, EXIT_NO);
	}
	if (run_is_refused(check->run)) {
		put_refused(run_plan(check->run), &out);
	} else {
		buf_printf(&out, "%s: ok, ", check->name != NULL ? check->name : "policy");
		put_counts(check->run, &out);
		buf_putc(&out, '\n');
	}
	int status = say_result(&out);
	return status != 0 ? status : status_of(check);
}

static void put_problems(const struct check *check, struct json_out *json)
{
	json_array(json, "problems");
	for (size_t i = 0; check->problems != NULL && i < check->problems->count; i++) {
		const struct problem *problem = &check->problems->items[i];
		json_object(json, NULL);
		if (problem->file[0] != '\0')
			json_text(json, "file", str_from(problem->file));
		json_u64(json, "line", problem->line);
		json_u64(json, "column", problem->column);
		json_text(json, "text", str_from(problem->text));
		if (problem->hint[0] != '\0')
			json_text(json, "try", str_from(problem->hint));
		json_object_end(json);
	}
	if (check->code != BERM_OK && (check->problems == NULL || check->problems->count == 0)) {
		json_object(json, NULL);
		json_text(json, "text", str_from(check->err.msg));
		json_object_end(json);
	}
	json_array_end(json);
}

static void put_json(const struct check *check, struct json_out *json)
{
	json_object(json, NULL);
	if (check->name != NULL)
		json_text(json, "file", str_from(check->name));
	json_bool(json, "ok", status_of(check) == EXIT_YES);
	put_problems(check, json);
	json_array(json, "refused");
	struct berm_plan_line line;
	for (size_t i = 0; check->run != NULL && berm_plan_line(run_plan(check->run), i, &line); i++)
		if (line.hold == BERM_REFUSED)
			json_text(json, NULL, str_from(line.line));
	json_array_end(json);
	if (check->run != NULL) {
		json_u64(json, "lines", count_lines(run_policy(check->run), POLICY_KEYS));
		json_u64(json, "tests", count_lines(run_policy(check->run), KEY_TEST));
	}
	json_object_end(json);
}

static int check_one(const struct check_choices *choices, const char *name, struct json_out *json)
{
	auto_check struct check check = {.name = name};
	look(choices, &check);
	if (json == NULL)
		return tell(&check);
	put_json(&check, json);
	return status_of(&check);
}

/* The worst of them is the status. */
static int check_all(const struct check_choices *choices, const char *const *files)
{
	struct json_out json;
	int worst = EXIT_YES;
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	json_init(&json, &out);
	json_array(&json, NULL);
	for (size_t i = 0; i == 0 || files[i] != NULL; i++) {
		int status = check_one(choices, files[i], choices->json ? &json : NULL);
		worst = status > worst ? status : worst;
		if (files[i] == NULL)
			break;
	}
	json_array_end(&json);
	buf_putc(&out, '\n');
	int status = choices->json ? say_result(&out) : 0;
	return status != 0 ? status : worst;
}

int cmd_policy_check(const struct command *self, const char *const *argv)
{
	struct check_choices choices = {0};
	auto_options struct options options = {0};
	int status = policy_run_parse(self, argv, &choices.run, &options);
	if (status < 0)
		status = check_all(&choices, options.rest);
	run_options_done(&choices.run);
	return status;
}
