#include <stdlib.h>
#include <unistd.h>

#include "base/own.h"
#include "cli/ask.h"
#include "cli/policy_commands.h"
#include "cli/policy_run.h"
#include "cli/say.h"
#include "session/consent.h"

struct accept_choices {
	struct run_choices run; /* --accept-hash is in there */
	bool show;
};

static const struct option_row rows[] = {
	{
		.name = "show",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct accept_choices, show),
		.help = "print what would be agreed to, and the hash, and change nothing",
	},
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set policy_accept_option_set = {
	.rows = rows, .count = ARRAY_LEN(rows), .anywhere = true, .policy = &run_option_set};

/* What the project wants, against what is in force. */
struct accepting {
	const struct accept_choices *choices;
	const struct policy_doc *project;
	const char *state_folder;
	char hash[CONSENT_HASH_CHARS + 1];
};

static int store(const struct accepting *accepting)
{
	struct berm_err err;
	if (accepting->state_folder == NULL) {
		(void)err_set(&err, BERM_ERR_NOTFOUND, "no folder to keep a consent in");
		return say_failure(&err, "set HOME or BERM_STATE_DIR", EXIT_REFUSED);
	}
	if (consent_store(accepting->state_folder, accepting->project, &err) != BERM_OK)
		return say_failure(&err, "", EXIT_REFUSED);
	say_line("agreed to %s as it is now; a changed file asks again", accepting->project->file);
	return EXIT_YES;
}

static int wrong_hash(const struct accepting *accepting)
{
	struct berm_err err;
	(void)err_set(&err, BERM_ERR_DENIED, "the hash of '%s' is another", accepting->project->file);
	return say_failure(&err, "berm policy accept --show", EXIT_NO);
}

static int decide(const struct accepting *accepting)
{
	struct berm_err err;
	const char *hash = accepting->choices->run.accept_hash;
	if (accepting->choices->show)
		return EXIT_YES;
	if (hash != NULL)
		return consent_hash_is(accepting->project, hash) ? store(accepting) : wrong_hash(accepting);
	switch (ask_yes("agree?")) {
	case ASK_YES:
		return store(accepting);
	case ASK_NO:
		return EXIT_NO;
	case ASK_NOBODY:
	default:
		(void)err_set(&err, BERM_ERR_DENIED, "nobody is at a terminal to agree");
		return say_failure(&err, "berm policy accept --accept-hash HASH", EXIT_NO);
	}
}

static int present(struct accepting *accepting, const struct run *run)
{
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	consent_hash(accepting->project, accepting->hash);
	buf_printf(&out, "%s wants (\"+\": what is not granted yet):\n", accepting->project->file);
	(void)consent_diff(accepting->project, run_policy(run), &out);
	buf_printf(&out, "hash %s\n", accepting->hash);
	int status = say_result(&out);
	return status != 0 ? status : decide(accepting);
}

static int accept_project(const struct accept_choices *choices)
{
	struct berm_err err;
	struct run_choices look = choices->run;
	auto_run struct run *run = NULL;
	auto_free struct problems *problems = calloc(1, sizeof(*problems));
	look.request.accept_hash = NULL; /* what is in force without it */
	if (policy_run_new(&look, &run, problems, &err) != BERM_OK)
		return say_problems(problems, &err, EXIT_REFUSED);
	struct accepting accepting = {
		.choices = choices,
		.project = sources_project(run_sources(run)),
		.state_folder = sources_state_folder(run_sources(run)),
	};
	if (accepting.project == NULL || !consent_is_needed(accepting.project)) {
		say_line("the project wants nothing");
		return EXIT_YES;
	}
	if (run_unaccepted(run) == NULL && !choices->show) {
		say_line("agreed to already");
		return EXIT_YES;
	}
	return present(&accepting, run);
}

int cmd_policy_accept(const struct command *self, const char *const *argv)
{
	struct accept_choices choices = {0};
	struct berm_err err;
	auto_options struct options options = {0};
	int status = policy_run_parse(self, argv, &choices.run, &options);
	if (status < 0 && options.rest[0] != NULL) {
		(void)err_set(&err, BERM_ERR_INVALID, "unexpected argument '%.60s'", options.rest[0]);
		status = commands_usage(self, &err, NULL);
	}
	if (status < 0)
		status = accept_project(&choices);
	run_options_done(&choices.run);
	return status;
}
