#include "cli/completion.h"

#include "cli/commands.h"

typedef void (*each_option)(struct buf *out, const struct command *command, const struct option_row *row);

static void for_each_option(struct buf *out, const struct command *command, each_option put)
{
	const struct option_row *row;
	for (size_t i = 0; (row = options_row(command->options, i)) != NULL; i++)
		put(out, command, row);
}

typedef void (*each_command)(struct buf *out, const struct command *command);

/* All commands, and the words below them. */
static void for_each_command(struct buf *out, each_command put)
{
	for (size_t i = 0; i < command_count; i++) {
		put(out, &commands[i]);
		for (const struct command *below = commands[i].below; below != NULL && below->name != NULL; below++)
			put(out, below);
	}
}

/* "policy|group": the commands that have words below them. */
static void put_parents(struct buf *out)
{
	const char *bar = "";
	for (size_t i = 0; i < command_count; i++) {
		if (commands[i].below == NULL)
			continue;
		buf_printf(out, "%s%s", bar, commands[i].name);
		bar = "|";
	}
}

static void put_below(struct buf *out, const struct command *command)
{
	for (const struct command *below = command->below; below->name != NULL; below++)
		buf_printf(out, "%s%s", below > command->below ? " " : "", commands_word(below));
}

static void put_words(struct buf *out, const char *const *words)
{
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		buf_printf(out, "%s%s", i > 0 ? " " : "", words[i]);
}

static void put_names(struct buf *out)
{
	for (size_t i = 0; i < command_count; i++)
		buf_printf(out, "%s%s", i > 0 ? " " : "", commands[i].name);
}

/* ---- bash
 * -----------------------------------------------------------------------------------------------------------
 */

/* "policy\\ show", as it stands in a pattern of case. */
static void bash_name(struct buf *out, const struct command *command)
{
	for (const char *at = command->name; *at != '\0'; at++)
		buf_printf(out, "%s%c", *at == ' ' ? "\\" : "", *at);
}

static void bash_option_word(struct buf *out, const struct command *command, const struct option_row *row)
{
	(void)command;
	if (row->letter != '\0')
		buf_printf(out, "-%c ", row->letter);
	buf_printf(out, "--%s ", row->name);
}

static void bash_option_pattern(struct buf *out, const struct command *command, const struct option_row *row)
{
	buf_putc(out, '\t');
	bash_name(out, command);
	buf_printf(out, ":--%s", row->name);
	if (row->letter == '\0')
		return;
	buf_putc(out, '|');
	bash_name(out, command);
	buf_printf(out, ":-%c", row->letter);
}

/* "run:--net|run:-n) ...;;": what may follow an option that wants a value. */
static void bash_option_value(struct buf *out, const struct command *command, const struct option_row *row)
{
	if (row->argument == NULL)
		return;
	bash_option_pattern(out, command, row);
	buf_puts(out, ") ");
	if (row->words != NULL) {
		buf_puts(out, "COMPREPLY=($(compgen -W '");
		put_words(out, row->words);
		buf_puts(out, "' -- \"$cur\"))");
	} else if (row->complete == COMPLETE_FOLDER) {
		buf_puts(out, "compopt -o filenames; COMPREPLY=($(compgen -d -- \"$cur\"))");
	} else if (row->complete == COMPLETE_PATH) {
		buf_puts(out, "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\"))");
	} else {
		buf_puts(out, "COMPREPLY=()");
	}
	buf_puts(out, "; return;;\n");
}

/* Walks over the options to the first operand: a program completes as it would
 * alone. */
static const char bash_head[] = "# bash completion for berm: source it\n"
				"_berm()\n"
				"{\n"
				"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
				"\tlocal command=${COMP_WORDS[1]} i first=2\n"
				"\tCOMPREPLY=()\n"
				"\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
				"\t\tCOMPREPLY=($(compgen -W '";
/* A command with words below it is known by both. */
static const char bash_below[] = ")\n"
				 "\t\tif [ \"$COMP_CWORD\" -gt 2 ]; then\n"
				 "\t\t\tcommand=\"$command ${COMP_WORDS[2]}\" first=3\n"
				 "\t\tfi;;\n"
				 "\tesac\n";
static const char bash_operand[] = "\tfor ((i = first; i < COMP_CWORD; i++)); do\n"
				   "\t\tcase $command:${COMP_WORDS[i]} in\n";
static const char bash_program[] = "\t\t*:--) ((i++)); break;;\n"
				   "\t\t*:-*) ;;\n"
				   "\t\t*) break;;\n"
				   "\t\tesac\n"
				   "\tdone\n"
				   "\tif [[ $programs == *\" $command \"* ]] && [ \"$i\" -lt \"$COMP_CWORD\" ]; then\n"
				   "\t\tif declare -F _command_offset >/dev/null; then\n"
				   "\t\t\t_command_offset \"$i\"\n"
				   "\t\telse\n"
				   "\t\t\tcompopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\"))\n"
				   "\t\tfi\n"
				   "\t\treturn\n"
				   "\tfi\n"
				   "\tcase $command:$prev in\n";

static void bash_skip_value(struct buf *out, const struct command *command, const struct option_row *row)
{
	if (row->argument == NULL)
		return;
	buf_putc(out, '\t');
	bash_option_pattern(out, command, row);
	buf_puts(out, ") ((i++));;\n");
}

static void bash_skip_values(struct buf *out, const struct command *command)
{
	for_each_option(out, command, bash_skip_value);
}

static void bash_option_values(struct buf *out, const struct command *command)
{
	for_each_option(out, command, bash_option_value);
}

static void bash_program_name(struct buf *out, const struct command *command)
{
	if (command->runs_program)
		buf_printf(out, "%s ", command->name);
}

/* What completes an operand. */
static void bash_operands(struct buf *out, const struct command *command)
{
	if (command->runs_program)
		buf_puts(out, "compgen -c");
	else if (command->takes_files)
		buf_puts(out, "compgen -f");
	else {
		buf_puts(out, "compgen -W '");
		put_words(out, command->words);
		if (command->below != NULL)
			put_below(out, command);
		buf_putc(out, '\'');
	}
}

static void bash_command(struct buf *out, const struct command *command)
{
	buf_putc(out, '\t');
	bash_name(out, command);
	buf_puts(out, ":-*) COMPREPLY=($(compgen -W '");
	for_each_option(out, command, bash_option_word);
	buf_puts(out, "' -- \"$cur\"));;\n");
	buf_putc(out, '\t');
	bash_name(out, command);
	buf_puts(out, ":*) COMPREPLY=($(");
	bash_operands(out, command);
	buf_puts(out, " -- \"$cur\"));;\n");
}

void completion_bash(struct buf *out)
{
	buf_puts(out, bash_head);
	put_names(out);
	buf_puts(out, "' -- \"$cur\"))\n\t\treturn\n\tfi\n\tlocal programs=' ");
	for_each_command(out, bash_program_name);
	buf_puts(out, "'\n\tcase $command in\n\t");
	put_parents(out);
	buf_puts(out, bash_below);
	buf_puts(out, bash_operand);
	for_each_command(out, bash_skip_values);
	buf_puts(out, bash_program);
	for_each_command(out, bash_option_values);
	buf_puts(out, "\tesac\n\tcase $command:$cur in\n");
	buf_puts(out, "\thelp:[!-]*|help:) COMPREPLY=($(compgen -W '");
	put_names(out);
	buf_puts(out, "' -- \"$cur\"));;\n");
	for_each_command(out, bash_command);
	buf_puts(out, "\tesac\n}\ncomplete -F _berm berm\n");
}

/* ---- zsh
 * ------------------------------------------------------------------------------------------------------------
 */

/* Text inside single quotes and an _arguments description. */
static void zsh_text(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			buf_puts(out, "'\\''");
		else if (*text == '[' || *text == ']' || *text == ':' || *text == '\\')
			buf_printf(out, "\\%c", *text);
		else
			buf_putc(out, *text);
	}
}

static void zsh_value(struct buf *out, const struct option_row *row)
{
	if (row->argument == NULL)
		return;
	buf_putc(out, ':');
	zsh_text(out, row->argument);
	buf_putc(out, ':');
	if (row->words != NULL) {
		buf_putc(out, '(');
		put_words(out, row->words);
		buf_putc(out, ')');
	} else if (row->complete == COMPLETE_FOLDER) {
		buf_puts(out, "_files -/");
	} else if (row->complete == COMPLETE_PATH) {
		buf_puts(out, "_files");
	} else {
		buf_putc(out, ' ');
	}
}

static void zsh_option(struct buf *out, const struct command *command, const struct option_row *row)
{
	(void)command;
	const char *repeat = row->kind == OPTION_USE ? "'*'" : "";
	buf_printf(out, " \\\n\t\t\t%s", repeat);
	if (row->letter != '\0')
		buf_printf(out, "{-%c%s,--%s%s}'[", row->letter, row->argument != NULL ? "+" : "", row->name,
			   row->argument != NULL ? "=" : "");
	else
		buf_printf(out, "--%s%s'[", row->name, row->argument != NULL ? "=" : "");
	zsh_text(out, row->help);
	buf_putc(out, ']');
	zsh_value(out, row);
	buf_putc(out, '\'');
}

/* The branch of one command; indent: tabs before it. */
static void zsh_arguments(struct buf *out, const struct command *command)
{
	buf_printf(out, "\t%s)\n\t\t_arguments -s -S", commands_word(command));
	for_each_option(out, command, zsh_option);
	if (command->runs_program)
		buf_puts(out, " \\\n\t\t\t'(-):program: _command_names -e' "
			      "\\\n\t\t\t'*::argument: _normal'");
	if (command->takes_files)
		buf_puts(out, " \\\n\t\t\t'*:file:_files'");
	if (command->words != NULL) {
		buf_puts(out, " \\\n\t\t\t'1:word:(");
		put_words(out, command->words);
		buf_puts(out, ")'");
	}
	buf_puts(out, "\n\t\t;;\n");
}

static void zsh_name(struct buf *out, const struct command *command)
{
	buf_printf(out, "\t\t'%s:", commands_word(command));
	zsh_text(out, command->summary);
	buf_puts(out, "'\n");
}

static void zsh_command(struct buf *out, const struct command *command)
{
	if (command->below == NULL) {
		zsh_arguments(out, command);
		return;
	}
	buf_printf(out, "\t%s)\n\t\tif (( CURRENT == 2 )); then\n\t\tnames=(\n", command->name);
	for (const struct command *below = command->below; below->name != NULL; below++)
		zsh_name(out, below);
	buf_puts(out, "\t\t)\n\t\t_describe word names\n\t\treturn\n\tfi\n"
		      "\tshift words\n\t(( CURRENT-- ))\n\tcase $words[1] in\n");
	for (const struct command *below = command->below; below->name != NULL; below++)
		zsh_arguments(out, below);
	buf_puts(out, "\tesac\n\t;;\n");
}

void completion_zsh(struct buf *out)
{
	buf_puts(out, "#compdef berm\n# zsh completion for berm: put it into a "
		      "folder of $fpath as _berm\n"
		      "_berm()\n{\n\tlocal -a names\n\tnames=(\n");
	for (size_t i = 0; i < command_count; i++)
		zsh_name(out, &commands[i]);
	buf_puts(out, "\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe command "
		      "names\n\t\treturn\n\tfi\n"
		      "\tshift words\n\t(( CURRENT-- ))\n\tcase $words[1] in\n");
	for (size_t i = 0; i < command_count; i++)
		zsh_command(out, &commands[i]);
	buf_puts(out, "\tesac\n}\nif [ \"$funcstack[1]\" = _berm ]; then\n\t_berm "
		      "\"$@\"\nelse\n\tcompdef _berm berm\nfi\n");
}

/* ---- fish
 * -----------------------------------------------------------------------------------------------------------
 */

static void fish_text(struct buf *out, const char *text)
{
	buf_putc(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'' || *text == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *text);
	}
	buf_putc(out, '\'');
}

/* "complete -c berm -n '...'": where the words of a command have been given. */
static void fish_condition(struct buf *out, const struct command *command)
{
	struct str rest = str_from(command->name), word;
	buf_puts(out, "complete -c berm -n '");
	for (const char *and = ""; str_next(&rest, ' ', &word); and = "; and ") {
		buf_printf(out, "%s__fish_seen_subcommand_from ", and);
		buf_put_str(out, word);
	}
	buf_putc(out, '\'');
}

static void fish_option(struct buf *out, const struct command *command, const struct option_row *row)
{
	fish_condition(out, command);
	if (row->letter != '\0')
		buf_printf(out, " -s %c", row->letter);
	buf_printf(out, " -l %s", row->name);
	if (row->words != NULL) {
		buf_puts(out, " -x -a '");
		put_words(out, row->words);
		buf_putc(out, '\'');
	} else if (row->argument != NULL && row->complete == COMPLETE_NONE) {
		buf_puts(out, " -x");
	} else if (row->argument != NULL) {
		buf_puts(out, " -r -F");
	}
	buf_puts(out, " -d ");
	fish_text(out, row->help);
	buf_putc(out, '\n');
}

static void fish_operands(struct buf *out, const struct command *command)
{
	if (command->runs_program) {
		fish_condition(out, command);
		buf_puts(out, " -x -a '(__fish_complete_subcommand --fcs-skip=2)'\n");
	}
	if (command->words == NULL)
		return;
	fish_condition(out, command);
	buf_puts(out, " -f -a '");
	put_words(out, command->words);
	buf_puts(out, "'\n");
}

/* A word below another: offered where none of its siblings was given. */
static void fish_below(struct buf *out, const struct command *command, const struct command *below)
{
	buf_printf(out, "complete -c berm -n '__fish_seen_subcommand_from %s; and not __fish_seen_subcommand_from ",
		   command->name);
	put_below(out, command);
	buf_printf(out, "' -f -a %s -d ", commands_word(below));
	fish_text(out, below->summary);
	buf_putc(out, '\n');
	for_each_option(out, below, fish_option);
	fish_operands(out, below);
}

static void fish_command(struct buf *out, const struct command *command)
{
	buf_printf(out, "complete -c berm -n __fish_use_subcommand -f -a %s -d ", command->name);
	fish_text(out, command->summary);
	buf_putc(out, '\n');
	for_each_option(out, command, fish_option);
	fish_operands(out, command);
	for (const struct command *below = command->below; below != NULL && below->name != NULL; below++)
		fish_below(out, command, below);
}

void completion_fish(struct buf *out)
{
	buf_puts(out, "# fish completion for berm: put it into "
		      "~/.config/fish/completions as berm.fish\n");
	for (size_t i = 0; i < command_count; i++)
		fish_command(out, &commands[i]);
	buf_puts(out, "complete -c berm -n '__fish_seen_subcommand_from help' -f -a '");
	put_names(out);
	buf_puts(out, "'\n");
}
