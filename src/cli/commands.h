/*
 * The commands of berm as a table: it dispatches, and makes help, completions
 * and the man pages' lists. To add one: a file cmd_<name>.c with its option
 * table and its function, a declaration here, a row in commands.c, a man page.
 */
#ifndef BERM_CLI_COMMANDS_H
#define BERM_CLI_COMMANDS_H

#include "cli/options.h"

/* Exit statuses; docs/man/berm-run.1 lists them. A program's own pass through.
 */
enum {
	EXIT_YES = 0,
	EXIT_NO = 1,
	EXIT_USAGE = 2,
	EXIT_SOME_DENIED = 123,
	EXIT_TIME_LIMIT = 124,
	EXIT_REFUSED = 125,
	EXIT_NOT_EXECUTABLE = 126,
	EXIT_NOT_FOUND = 127,
	EXIT_SIGNALLED = 128, /* plus the signal */
};

struct command {
	const char *name; /* "run"; of a word below another: "policy show" */
	/* argv: NULL-terminated, from the word after the name. Returns the exit
   * status. */
	int (*run)(const struct command *self, const char *const *argv);
	const struct option_set *options;
	const char *operands;	     /* for the usage line: "[--] COMMAND [ARG...]" */
	const char *const *words;    /* what the first operand may be, NULL-terminated; or NULL */
	bool runs_program;	     /* the operands are a program and its arguments */
	bool takes_files;	     /* the operands are files */
	const struct command *below; /* the words that follow this one, up to one without a name; or NULL */
	const char *summary;	     /* a line */
	const char *about;	     /* a paragraph for help */
};

extern const struct command commands[];
extern const size_t command_count;

/* NULL: there is none. */
const struct command *commands_find(const char *name);
/* The same for a word below another one. */
const struct command *commands_find_below(const struct command *self, const char *word);
/* Its last word: "show" of "policy show". */
const char *commands_word(const struct command *command);
/* Says that there is no such command, and which is near. Returns EXIT_USAGE. */
int commands_unknown(const char *name);
/* Parses a command's options into target. Returns -1 to go on, or an exit
 * status: help was given, or usage was wrong and has been told. *ret_options is
 * the caller's if -1. */
int commands_parse(const struct command *self, const char *const *argv, void *target, struct options *ret_options);
/* The same for a word below another one. */
int commands_unknown_below(const struct command *self, const char *word);
/* What a command with words below it does: starts one of them, or lists them. */
int commands_below(const struct command *self, const char *const *argv);
/* Says what is wrong with the usage. Returns EXIT_USAGE. */
int commands_usage(const struct command *self, const struct berm_err *err, const struct option_hint *hint);
/* The whole program: argv as main got it. */
int commands_main(const char *const *argv);

int cmd_run(const struct command *self, const char *const *argv);
int cmd_shell(const struct command *self, const char *const *argv);
int cmd_why(const struct command *self, const char *const *argv);
int cmd_learn(const struct command *self, const char *const *argv);
int cmd_approve(const struct command *self, const char *const *argv);
int cmd_doctor(const struct command *self, const char *const *argv);
int cmd_completion(const struct command *self, const char *const *argv);
int cmd_help(const struct command *self, const char *const *argv);
int cmd_version(const struct command *self, const char *const *argv);
extern const struct option_set run_option_set, shell_option_set, why_option_set, learn_option_set, approve_option_set,
	doctor_option_set, completion_option_set, help_option_set, version_option_set;
/* Of a command with words below it. */
extern const struct option_set words_option_set;
extern const char *const completion_shells[];
extern const char *const why_words[];

#endif
