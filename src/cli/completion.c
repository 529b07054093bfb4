#include "cli/completion.h"

#include "cli/commands.h"

typedef void (*each_option)(struct buf *out, const struct command *command, const struct option_row *row);

static void for_each_option(struct buf *out, const struct command *command, each_option put)
{
	for (size_t i = 0; i < command->options->count; i++)
		put(out, command, &command->options->rows[i]);
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

static void bash_option_word(struct buf *out, const struct command *command, const struct option_row *row)
{
	(void)command;
	if (row->letter != '\0')
		buf_printf(out, "-%c ", row->letter);
	buf_printf(out, "--%s ", row->name);
}

/* "run:--net|run:-n) ...;;": what may follow an option that wants a value. */
static void bash_option_value(struct buf *out, const struct command *command, const struct option_row *row)
{
	if (row->argument == NULL)
		return;
	buf_printf(out, "\t%s:--%s", command->name, row->name);
	if (row->letter != '\0')
		buf_printf(out, "|%s:-%c", command->name, row->letter);
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
				"\tlocal command=${COMP_WORDS[1]} i\n"
				"\tCOMPREPLY=()\n"
				"\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
				"\t\tCOMPREPLY=($(compgen -W '";
static const char bash_operand[] = "\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
				   "\t\tcase $command:${COMP_WORDS[i]} in\n";
static const char bash_program[] = "\t\t*:--) ((i++)); break;;\n"
				   "\t\t*:-*) ;;\n"
				   "\t\t*) break;;\n"
				   "\t\tesac\n"
				   "\tdone\n"
				   "\tif [ \"$command\" = run ] && [ \"$i\" -lt \"$COMP_CWORD\" ]; then\n"
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
	buf_printf(out, "\t\t%s:--%s", command->name, row->name);
	if (row->letter != '\0')
		buf_printf(out, "|%s:-%c", command->name, row->letter);
	buf_puts(out, ") ((i++));;\n");
}

static void bash_command(struct buf *out, const struct command *command)
{
	buf_printf(out, "\t%s:-*) COMPREPLY=($(compgen -W '", command->name);
	for_each_option(out, command, bash_option_word);
	buf_puts(out, "' -- \"$cur\"));;\n");
	if (command->runs_program)
		buf_printf(out, "\t%s:*) COMPREPLY=($(compgen -c -- \"$cur\"));;\n", command->name);
	if (command->words == NULL)
		return;
	buf_printf(out, "\t%s:*) COMPREPLY=($(compgen -W '", command->name);
	put_words(out, command->words);
	buf_puts(out, "' -- \"$cur\"));;\n");
}

void completion_bash(struct buf *out)
{
	buf_puts(out, bash_head);
	put_names(out);
	buf_puts(out, "' -- \"$cur\"))\n\t\treturn\n\tfi\n");
	buf_puts(out, bash_operand);
	for (size_t i = 0; i < command_count; i++)
		for_each_option(out, &commands[i], bash_skip_value);
	buf_puts(out, bash_program);
	for (size_t i = 0; i < command_count; i++)
		for_each_option(out, &commands[i], bash_option_value);
	buf_puts(out, "\tesac\n\tcase $command:$cur in\n");
	for (size_t i = 0; i < command_count; i++)
		bash_command(out, &commands[i]);
	buf_puts(out, "\thelp:*) COMPREPLY=($(compgen -W '");
	put_names(out);
	buf_puts(out, "' -- \"$cur\"));;\n\tesac\n}\ncomplete -F _berm berm\n");
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

static void zsh_command(struct buf *out, const struct command *command)
{
	buf_printf(out, "\t%s)\n\t\t_arguments -s -S", command->name);
	for_each_option(out, command, zsh_option);
	if (command->runs_program)
		buf_puts(out, " \\\n\t\t\t'(-):program: _command_names -e' "
			      "\\\n\t\t\t'*::argument: _normal'");
	if (command->words != NULL) {
		buf_puts(out, " \\\n\t\t\t'1:word:(");
		put_words(out, command->words);
		buf_puts(out, ")'");
	}
	buf_puts(out, "\n\t\t;;\n");
}

void completion_zsh(struct buf *out)
{
	buf_puts(out, "#compdef berm\n# zsh completion for berm: put it into a "
		      "folder of $fpath as _berm\n"
		      "_berm()\n{\n\tlocal -a names\n\tnames=(\n");
	for (size_t i = 0; i < command_count; i++) {
		buf_printf(out, "\t\t'%s:", commands[i].name);
		zsh_text(out, commands[i].summary);
		buf_puts(out, "'\n");
	}
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

static void fish_option(struct buf *out, const struct command *command, const struct option_row *row)
{
	buf_printf(out, "complete -c berm -n '__fish_seen_subcommand_from %s'", command->name);
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

static void fish_command(struct buf *out, const struct command *command)
{
	buf_printf(out, "complete -c berm -n __fish_use_subcommand -f -a %s -d ", command->name);
	fish_text(out, command->summary);
	buf_putc(out, '\n');
	for_each_option(out, command, fish_option);
	if (command->runs_program)
		buf_printf(out,
			   "complete -c berm -n '__fish_seen_subcommand_from %s' -x -a "
			   "'(__fish_complete_subcommand --fcs-skip=2)'\n",
			   command->name);
	if (command->words == NULL)
		return;
	buf_printf(out, "complete -c berm -n '__fish_seen_subcommand_from %s' -f -a '", command->name);
	put_words(out, command->words);
	buf_puts(out, "'\n");
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
