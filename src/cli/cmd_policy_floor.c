#include <unistd.h>

#include "base/own.h"
#include "berm/berm.h"
#include "cli/policy_commands.h"
#include "cli/say.h"
#include "format/json_out.h"
#include "policy/floor.h"
#include "ui/table.h"

struct floor_choices {
	bool json, all;
};

static const struct option_row rows[] = {
	{
		.name = "json",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct floor_choices, json),
		.help = "as JSON, a row an object",
	},
	{
		.name = "all",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct floor_choices, all),
		.help = "rows of other systems as well",
	},
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set policy_floor_option_set = {.rows = rows, .count = ARRAY_LEN(rows)};

static bool is_shown(const struct floor_row *row, const struct floor_choices *choices)
{
	return choices->all || (row->os & FLOOR_LINUX) != 0;
}

static const char *rights_word(const struct floor_row *row)
{
	return (row->rights & BERM_READ) != 0 ? "read, write, run" : "write";
}

static const char *os_word(const struct floor_row *row)
{
	return row->os == FLOOR_ANY ? "any" : row->os == FLOOR_MACOS ? "macos" : "linux";
}

static void print_json(const struct floor_choices *choices, struct buf *out)
{
	struct json_out json;
	json_init(&json, out);
	json_array(&json, NULL);
	for (size_t i = 0; i < floor_row_count; i++) {
		const struct floor_row *row = &floor_rows[i];
		if (!is_shown(row, choices))
			continue;
		json_object(&json, NULL);
		json_text(&json, "class", str_from(row->class));
		json_text(&json, "pattern", str_from(row->pattern));
		json_text(&json, "never", str_from(rights_word(row)));
		json_text(&json, "os", str_from(os_word(row)));
		json_text(&json, "why", str_from(row->why));
		json_object_end(&json);
	}
	json_array_end(&json);
	buf_putc(out, '\n');
}

static enum berm_code print_table(const struct floor_choices *choices, struct buf *out, struct berm_err *err)
{
	static const char *const titles[] = {"what", "path", "never", "why"};
	const struct say_screen screen = say_screen(STDOUT_FILENO);
	auto_table struct table table;
	table_init(&table, titles, ARRAY_LEN(titles));
	for (size_t i = 0; i < floor_row_count; i++) {
		const struct floor_row *row = &floor_rows[i];
		const struct table_cell cells[] = {{.text = str_from(row->class)},
						   {.text = str_from(row->pattern)},
						   {.text = str_from(rights_word(row))},
						   {.text = str_from(row->why)}};
		if (is_shown(row, choices))
			TRY(table_row(&table, cells, err));
	}
	table_print(&table, screen.table_width, screen.colour, out);
	return BERM_OK;
}

int cmd_policy_floor(const struct command *self, const char *const *argv)
{
	struct floor_choices choices = {0};
	struct berm_err err;
	auto_options struct options options = {0};
	int status = commands_parse(self, argv, &choices, &options);
	if (status >= 0)
		return status;
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	if (choices.json)
		print_json(&choices, &out);
	else if (print_table(&choices, &out, &err) != BERM_OK)
		return say_failure(&err, "", EXIT_REFUSED);
	return say_result(&out);
}
