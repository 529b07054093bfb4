#include "cli/help.h"

#include <string.h>
#include <unistd.h>

#include "cli/options_text.h"
#include "cli/say.h"
#include "ui/table.h"
#include "ui/text.h"

static void put_title(struct buf *out, const struct say_screen *screen, const char *title)
{
	colour_start(out, screen->colour, COLOUR_STRONG);
	buf_puts(out, title);
	colour_stop(out, screen->colour, COLOUR_STRONG);
}

static void put_usage(struct buf *out, const struct say_screen *screen, const struct command *command)
{
	put_title(out, screen, "usage:");
	buf_printf(out, " berm %s [OPTIONS]%s%s\n", command->name, command->operands[0] != '\0' ? " " : "",
		   command->operands);
}

static enum berm_code put_commands(struct buf *out, const struct say_screen *screen, const struct command *first,
				   size_t count, struct berm_err *err)
{
	auto_table struct table table;
	table_init(&table, NULL, 2);
	table.indent = 2;
	for (size_t i = 0; i < count; i++) {
		const struct table_cell cells[] = {{str_from(commands_word(&first[i])), COLOUR_STRONG},
						   {str_from(first[i].summary), COLOUR_PLAIN}};
		TRY(table_row(&table, cells, err));
	}
	table_print(&table, screen->width, screen->colour, out);
	return BERM_OK;
}

int help_all(void)
{
	struct say_screen screen = say_screen(STDOUT_FILENO);
	struct berm_err err;
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	put_title(&out, &screen, "usage:");
	buf_puts(&out, " berm COMMAND [OPTIONS] [ARG...]\n\n");
	if (put_commands(&out, &screen, commands, command_count, &err) != BERM_OK)
		return say_failure(&err, "", EXIT_REFUSED);
	buf_puts(&out, "\n\"berm help COMMAND\" says more.\n");
	return say_result(&out);
}

/* A command with words below it. */
static int help_below(const struct command *command)
{
	struct say_screen screen = say_screen(STDOUT_FILENO);
	struct berm_err err;
	size_t count = 0;
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	while (command->below[count].name != NULL)
		count++;
	put_title(&out, &screen, "usage:");
	buf_printf(&out, " berm %s WORD [OPTIONS] [ARG...]\n\n", command->name);
	text_put_wrapped(&out, str_from(command->about), 0, screen.width);
	buf_puts(&out, "\n\n");
	if (put_commands(&out, &screen, command->below, count, &err) != BERM_OK)
		return say_failure(&err, "", EXIT_REFUSED);
	buf_printf(&out, "\n\"berm help %s WORD\" says more.\n", command->name);
	return say_result(&out);
}

int help_command(const struct command *command)
{
	struct say_screen screen = say_screen(STDOUT_FILENO);
	if (command->below != NULL)
		return help_below(command);
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	put_usage(&out, &screen, command);
	buf_putc(&out, '\n');
	text_put_wrapped(&out, str_from(command->about), 0, screen.width);
	buf_putc(&out, '\n');
	buf_putc(&out, '\n');
	put_title(&out, &screen, "options:");
	buf_putc(&out, '\n');
	options_text_help(command->options, screen.width, screen.colour, &out);
	return say_result(&out);
}

/* ".Ss policy show" with usage, text and options, for each word below. */
static void put_man_below(struct buf *out, const struct command *below)
{
	for (; below->name != NULL; below++) {
		buf_printf(out, ".Ss %s", below->name);
		if (below->operands[0] != '\0')
			buf_printf(out, " %s", below->operands);
		buf_putc(out, '\n');
		options_text_mdoc_sentence(below->about, out);
		options_text_mdoc(below->options, out);
	}
}

int help_man(const struct command *command)
{
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	if (command != NULL && command->below != NULL) {
		put_man_below(&out, command->below);
		return say_result(&out);
	}
	if (command != NULL) {
		options_text_mdoc(command->options, &out);
		return say_result(&out);
	}
	buf_puts(&out, ".Bl -tag -width completion\n");
	for (size_t i = 0; i < command_count; i++)
		buf_printf(&out, ".It Cm %s\n%s\n", commands[i].name, commands[i].summary);
	buf_puts(&out, ".El\n");
	return say_result(&out);
}
