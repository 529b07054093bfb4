#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/own.h"
#include "cli/policy_commands.h"
#include "cli/policy_list.h"
#include "cli/policy_run.h"
#include "policy/policy_diff.h"
#include "ui/colour.h"
#include "ui/text.h"

struct diff_choices {
	struct run_choices run;
	bool json;
};

static const struct option_row rows[] = {
	{
		.name = "json",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct diff_choices, json),
		.help = "as JSON, a difference an object",
	},
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set policy_diff_option_set = {
	.rows = rows, .count = ARRAY_LEN(rows), .anywhere = true, .policy = &run_option_set};

enum { PLACE_MAX = 512, VALUE_MAX = 64 * 1024 };

static void put_side(const struct policy_entry *entry, const char *sign, struct buf *out)
{
	char place[PLACE_MAX];
	auto_buf struct buf value;
	buf_init(&value, VALUE_MAX);
	policy_list_value(entry, &value);
	policy_entry_place(entry, place, sizeof(place));
	buf_printf(out, "%s %s: ", sign, policy_keys[entry->line->key].path);
	text_put_safe(out, buf_str(&value));
	buf_printf(out, "  (%s)", place);
}

static void put_line(const struct diff_line *line, const struct say_screen *screen, struct buf *out)
{
	static const enum colour colours[] = {
		[DIFF_NEUTRAL] = COLOUR_PLAIN, [DIFF_WIDER] = COLOUR_BAD, [DIFF_NARROWER] = COLOUR_GOOD};
	colour_start(out, screen->colour, colours[line->effect]);
	if (line->before != NULL)
		put_side(line->before, "-", out);
	if (line->before != NULL && line->after != NULL)
		buf_putc(out, '\n');
	if (line->after != NULL)
		put_side(line->after, "+", out);
	buf_printf(out, "  %s", policy_diff_word(line->effect));
	colour_stop(out, screen->colour, colours[line->effect]);
	buf_putc(out, '\n');
}

static void put_text(const struct vec *lines, struct buf *out)
{
	struct say_screen screen = say_screen(STDOUT_FILENO);
	const struct diff_line *items = lines->items;
	size_t counts[DIFF_NARROWER + 1] = {0};
	for (size_t i = 0; i < lines->len; i++) {
		put_line(&items[i], &screen, out);
		counts[items[i].effect]++;
	}
	buf_printf(out, "%zu wider, %zu narrower, %zu neutral\n", counts[DIFF_WIDER], counts[DIFF_NARROWER],
		   counts[DIFF_NEUTRAL]);
}

static void put_side_json(const struct policy_entry *entry, const char *key, struct json_out *json)
{
	char place[PLACE_MAX];
	policy_entry_place(entry, place, sizeof(place));
	json_object(json, key);
	json_text(json, "value", str_from(entry->text));
	json_text(json, "at", str_from(place));
	json_object_end(json);
}

static void put_json(const struct vec *lines, struct buf *out)
{
	struct json_out json;
	const struct diff_line *items = lines->items;
	json_init(&json, out);
	json_array(&json, NULL);
	for (size_t i = 0; i < lines->len; i++) {
		const struct policy_entry *some = items[i].after != NULL ? items[i].after : items[i].before;
		json_object(&json, NULL);
		json_text(&json, "line", str_from(policy_keys[some->line->key].path));
		if (items[i].before != NULL)
			put_side_json(items[i].before, "before", &json);
		if (items[i].after != NULL)
			put_side_json(items[i].after, "after", &json);
		json_text(&json, "effect", str_from(policy_diff_word(items[i].effect)));
		json_object_end(&json);
	}
	json_array_end(&json);
	buf_putc(out, '\n');
}

static int compare(const struct diff_choices *choices, const char *const *names)
{
	struct berm_err err;
	auto_run struct run *before = NULL;
	auto_run struct run *after = NULL;
	auto_free struct problems *problems = calloc(1, sizeof(*problems));
	auto_vec struct vec lines;
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	vec_init(&lines, sizeof(struct diff_line), 1); /* policy_diff makes room */
	if (policy_run_of(&choices->run, names[0], &before, problems, &err) != BERM_OK ||
	    policy_run_of(&choices->run, names[1], &after, problems, &err) != BERM_OK)
		return say_problems(problems, &err, EXIT_REFUSED);
	if (policy_diff(run_policy(before), run_policy(after), &lines, &err) != BERM_OK)
		return say_failure(&err, "", EXIT_REFUSED);
	if (choices->json)
		put_json(&lines, &out);
	else
		put_text(&lines, &out);
	int status = say_result(&out);
	return status != 0 ? status : lines.len > 0 ? EXIT_NO : EXIT_YES;
}

static int usage(const struct command *self)
{
	struct berm_err err;
	const struct option_hint hint = {"berm policy diff default FILE"};
	(void)err_set(&err, BERM_ERR_INVALID, "two profiles or files are compared");
	return commands_usage(self, &err, &hint);
}

int cmd_policy_diff(const struct command *self, const char *const *argv)
{
	struct diff_choices choices = {0};
	auto_options struct options options = {0};
	int status = policy_run_parse(self, argv, &choices.run, &options);
	if (status < 0) {
		const char *const *rest = options.rest;
		bool two = rest[0] != NULL && rest[1] != NULL && rest[2] == NULL;
		status = two ? compare(&choices, rest) : usage(self);
	}
	run_options_done(&choices.run);
	return status;
}
