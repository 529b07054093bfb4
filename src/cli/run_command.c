#include "cli/run_command.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "cli/explain.h"
#include "cli/plan_text.h"
#include "cli/run_report.h"
#include "cli/say.h"

static int fail(enum berm_code code, const struct berm_err *err)
{
	return say_failure(err, "", run_report_failure(code));
}

enum { MAX_REPORT = 64 * 1024 };

static void say_before(const struct run *run, const struct run_choices *choices)
{
	if (choices->quiet)
		return;
	bool by_program;
	const char *profile = run_profile(run, &by_program);
	if (by_program)
		say_line("profile %s, by the program's name", profile);
	if (run_unaccepted(run) != NULL)
		say_line("the project wants more than it gets: see 'berm policy accept'");
	if (choices->verbose && explain_stricter(run) != NULL)
		say_line("%s", explain_stricter(run));
	if (policy_says(run_policy(run), KEY_CACHE, "shared"))
		say_line("caches are the host's: what is put there inside is used outside later");
	if (run_workspace(run) == NULL && choices->request.flags == NULL)
		say_line("no workspace: %s", run_no_workspace(run));
}

/* Not before: a machine that refuses namespaces is found out by the start itself. */
static void say_started(const struct run *run, const struct run_choices *choices)
{
	if (choices->verbose && !choices->quiet)
		say_line("back-end: %s; workspace: %s; session: %s", plan_text_backend(run_plan(run)),
			 run_workspace(run) != NULL ? run_workspace(run) : "none", run_session(run));
}

static void say_after(const struct run_result *result, const struct run_choices *choices)
{
	auto_buf struct buf report;
	buf_init(&report, MAX_REPORT);
	if (result->events_failure.code != BERM_OK) /* silence is for talk, not for a record with holes */
		say_line("events are not complete: %s", result->events_failure.msg);
	if (choices->quiet)
		return;
	if (result->status.wall_limit)
		say_line("time limit reached: everything in the sandbox was ended");
	run_report_denials(result, &report);
	say_text(&report);
	if (choices->verbose)
		say_line("%llu calls served, %llu denied", (unsigned long long)result->status.served,
			 (unsigned long long)result->status.denied);
}

static int execute(struct run *run, const struct run_choices *choices)
{
	struct berm_err err;
	struct run_result result;
	say_before(run, choices);
	enum berm_code code = run_start(run, &err);
	if (code != BERM_OK)
		return fail(code, &err);
	say_started(run, choices);
	if (run_finish(run, &result, &err) != BERM_OK)
		return say_failure(&err, "", EXIT_REFUSED);
	say_after(&result, choices);
	return run_report_status(&result.status, choices->fail_on_deny);
}

static void say_refused(const char *text)
{
	say_line("%s", text);
}

static int prepare_and_run(struct run_choices *choices, const struct options *options)
{
	struct berm_err err;
	struct run *run;
	const struct berm_err unheld = {.code = BERM_ERR_UNSUPPORTED};
	auto_free struct problems *problems = calloc(1, sizeof(*problems));
	if (run_new(&choices->request, &run, problems, &err) != BERM_OK)
		return say_problems(problems, &err, EXIT_REFUSED);
	int status = choices->explain ? explain_run(run, choices, options) : execute(run, choices);
	if (problems != NULL && problems->count > 0)
		(void)say_problems(problems, &unheld, status);
	run_free(run);
	return status;
}

int run_command(const struct command *self, const char *const *argv, const char *const *fixed)
{
	struct berm_err err;
	struct option_hint hint;
	auto_options struct options options = {0};
	auto_run_choices struct run_choices choices = {0};
	int status = commands_parse(self, argv, &choices, &options);
	if (status >= 0)
		return status;
	if (run_options_apply(&options, &choices, &hint, &err) != BERM_OK)
		return commands_usage(self, &err, &hint);
	choices.request.argv = fixed != NULL ? fixed : options.rest;
	choices.request.envp = (const char *const *)environ;
	choices.request.examine = choices.explain;
	choices.request.tell = choices.quiet ? NULL : say_refused;
	if (choices.request.argv[0] == NULL && !choices.explain) {
		(void)err_set(&err, BERM_ERR_INVALID, "no command to run");
		return commands_usage(self, &err, NULL);
	}
	return prepare_and_run(&choices, &options);
}
