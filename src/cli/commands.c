#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "cli/help.h"
#include "cli/policy_commands.h"
#include "cli/say.h"
#include "format/nearest.h"

const struct command commands[] = {
	{
		.name = "run",
		.run = cmd_run,
		.options = &run_option_set,
		.operands = "[--] COMMAND [ARG...]",
		.runs_program = true,
		.summary = "run a program in a sandbox",
		.about = "Runs a program that can change nothing but the workspace "
			 "(the git top level above the current "
			 "folder, else that folder), reads no more than programs and "
			 "libraries need, and has no network "
			 "unless it is given one. Its input and output are its own; "
			 "berm speaks on standard error.",
	},
	{
		.name = "shell",
		.run = cmd_shell,
		.options = &shell_option_set,
		.operands = "",
		.summary = "an interactive shell in a sandbox",
		.about = "Runs $SHELL, or /bin/sh, as \"berm run\" would.",
	},
	{
		.name = "doctor",
		.run = cmd_doctor,
		.options = &doctor_option_set,
		.operands = "",
		.summary = "what this machine can enforce, and how to get the rest",
		.about = "Tries out what kernel, user and container can hold, and "
			 "shows for each guarantee of the default "
			 "policy who enforces it here and what would make it stronger. "
			 "Changes nothing.",
	},
	{
		.name = "why",
		.run = cmd_why,
		.options = &why_option_set,
		.operands = "[QUESTION OBJECT]",
		.words = why_words,
		.summary = "would it be allowed, and by which line",
		.about = "Says what the policy of a run answers, and by which line: read, list, write, create, delete, "
			 "exec or socket PATH; connect HOST:PORT; GET, or another method, URL; run COMMAND. Files are "
			 "answered for where the path leads, by the plan of a run that would start here and now. Exit "
			 "status: 0 allowed, 1 denied, 3 would be asked. Inside a sandbox, without a question: what "
			 "was denied so far.",
	},
	{
		.name = "learn",
		.run = cmd_learn,
		.options = &learn_option_set,
		.operands = "-- COMMAND [ARG...] | EVENTS-FILE",
		.runs_program = true,
		.summary = "turn what a run was denied into policy lines",
		.about = "Runs COMMAND in a sandbox that allows and records what would be asked for and tells "
			 "everything "
			 "it denies, or reads the events of a run, and "
			 "proposes the narrowest policy lines that would allow it. What the floor, a deny or a protect "
			 "line closes is never proposed. Shows each line with the events behind it, and writes on yes.",
	},
	{
		.name = "approve",
		.run = cmd_approve,
		.options = &approve_option_set,
		.operands = "[SESSION]",
		.summary = "answer what a session asks",
		.about = "Shows what a session asks, one question after the other, and answers each by one key; "
			 "without a "
			 "terminal, and with --json, prints what waits. With an ID it answers that question. A session "
			 "is "
			 "asked for by its name; without one it is the only one that runs.",
	},
	{
		.name = "policy",
		.run = commands_below,
		.options = &words_option_set,
		.operands = "WORD [ARG...]",
		.below = policy_commands,
		.summary = "look at policies: check, show, compare, test, import",
		.about = "What a policy says, where each line comes from, and whether it does what it is meant to do.",
	},
	{
		.name = "profile",
		.run = commands_below,
		.options = &words_option_set,
		.operands = "WORD [ARG...]",
		.below = profile_commands,
		.summary = "profiles: what is granted to a kind of program",
		.about =
			"A profile says what a run gets: berm run -p NAME. Those of agents are used by themselves when "
			"the agent is run.",
	},
	{
		.name = "group",
		.run = commands_below,
		.options = &words_option_set,
		.operands = "WORD [ARG...]",
		.below = group_commands,
		.summary = "groups: lines that belong together, for one tool or purpose",
		.about = "A group is what one tool or purpose needs, or what is closed for one reason: profiles name "
			 "them, and berm run -g NAME adds one, -g -NAME takes one out.",
	},
	{
		.name = "cache",
		.run = commands_below,
		.options = &words_option_set,
		.operands = "WORD [ARG...]",
		.below = cache_commands,
		.summary = "package caches of workspaces: list, clear",
		.about =
			"What npm, pip, cargo, go and others fetch inside is kept for the workspace alone, and nothing "
			"outside uses it.",
	},
	{
		.name = "completion",
		.run = cmd_completion,
		.options = &completion_option_set,
		.operands = "bash|zsh|fish",
		.words = completion_shells,
		.summary = "completions for a shell",
		.about = "Prints the completions of berm for one shell: source them, "
			 "or put them where the shell looks.",
	},
	{
		.name = "help",
		.run = cmd_help,
		.options = &help_option_set,
		.operands = "[COMMAND [WORD]]",
		.summary = "help on berm or on one command",
		.about = "Prints the commands, or the options of one command.",
	},
	{
		.name = "version",
		.run = cmd_version,
		.options = &version_option_set,
		.operands = "",
		.summary = "the version of berm",
		.about = "Prints the version, as \"berm --version\" does.",
	},
};
const size_t command_count = ARRAY_LEN(commands);

/* What people write without thinking. */
static const struct {
	const char *word, *name;
} other_names[] = {{"--version", "version"}, {"-V", "version"}, {"--help", "help"}, {"-h", "help"}};

const struct command *commands_find(const char *name)
{
	for (size_t i = 0; i < command_count; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

int commands_unknown(const char *name)
{
	struct berm_err err;
	struct option_hint hint = {""};
	struct nearest nearest;
	nearest_init(&nearest, name);
	for (size_t i = 0; i < command_count; i++)
		nearest_offer(&nearest, commands[i].name);
	(void)err_set(&err, BERM_ERR_INVALID, "unknown command '%.60s'", name);
	(void)snprintf(hint.text, sizeof(hint.text), "berm %s", nearest.best != NULL ? nearest.best : "help");
	return say_failure(&err, hint.text, EXIT_USAGE);
}

const char *commands_word(const struct command *command)
{
	const char *space = strrchr(command->name, ' ');
	return space != NULL ? space + 1 : command->name;
}

const struct command *commands_find_below(const struct command *self, const char *word)
{
	for (const struct command *below = self->below; below != NULL && below->name != NULL; below++) {
		if (strcmp(commands_word(below), word) == 0)
			return below;
	}
	return NULL;
}

int commands_unknown_below(const struct command *self, const char *word)
{
	struct berm_err err;
	struct option_hint hint;
	struct nearest nearest;
	nearest_init(&nearest, word);
	for (const struct command *below = self->below; below != NULL && below->name != NULL; below++)
		nearest_offer(&nearest, commands_word(below));
	(void)err_set(&err, BERM_ERR_INVALID, "unknown word '%.60s' after '%s'", word, self->name);
	if (nearest.best != NULL)
		(void)snprintf(hint.text, sizeof(hint.text), "berm %s %s", self->name, nearest.best);
	else
		(void)snprintf(hint.text, sizeof(hint.text), "berm help %s", self->name);
	return say_failure(&err, hint.text, EXIT_USAGE);
}

int commands_below(const struct command *self, const char *const *argv)
{
	auto_options struct options options = {0};
	int status = commands_parse(self, argv, NULL, &options);
	if (status >= 0)
		return status;
	if (options.rest == NULL || options.rest[0] == NULL)
		return help_command(self);
	const struct command *below = commands_find_below(self, options.rest[0]);
	return below != NULL ? below->run(below, options.rest + 1) : commands_unknown_below(self, options.rest[0]);
}

int commands_usage(const struct command *self, const struct berm_err *err, const struct option_hint *hint)
{
	struct option_hint help;
	if (hint != NULL && hint->text[0] != '\0')
		return say_failure(err, hint->text, EXIT_USAGE);
	(void)snprintf(help.text, sizeof(help.text), "berm help %s", self->name);
	return say_failure(err, help.text, EXIT_USAGE);
}

int commands_parse(const struct command *self, const char *const *argv, void *target, struct options *ret_options)
{
	struct berm_err err;
	struct option_hint hint;
	struct options options;
	if (options_parse(self->options, argv, target, &options, &hint, &err) != BERM_OK)
		return commands_usage(self, &err, &hint);
	if (options.help) {
		options_done(&options);
		return help_command(self);
	}
	if (self->operands[0] == '\0' && options.rest[0] != NULL) {
		(void)err_set(&err, BERM_ERR_INVALID, "unexpected argument '%.60s'", options.rest[0]);
		options_done(&options);
		return commands_usage(self, &err, NULL);
	}
	*ret_options = options;
	return -1;
}

int commands_main(const char *const *argv)
{
	if (argv[0] == NULL || argv[1] == NULL)
		return help_all();
	const char *name = argv[1];
	for (size_t i = 0; i < ARRAY_LEN(other_names); i++) {
		if (strcmp(name, other_names[i].word) == 0)
			name = other_names[i].name;
	}
	const struct command *command = commands_find(name);
	return command != NULL ? command->run(command, argv + 2) : commands_unknown(name);
}
