#include <stdlib.h>
#include <unistd.h>

#include "base/own.h"
#include "cli/policy_commands.h"
#include "cli/policy_list.h"
#include "cli/policy_run.h"
#include "ui/text.h"

struct show_choices {
	struct run_choices run;
	bool origin, json;
};

static const struct option_row rows[] = {
	{
		.name = "origin",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct show_choices, origin),
		.help = "with each line the layer, the file and the place it comes from, and lines that others take "
			"away",
	},
	{
		.name = "json",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct show_choices, json),
		.help = "as JSON, with everything that is known of each line",
	},
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set policy_show_option_set = {
	.rows = rows, .count = ARRAY_LEN(rows), .anywhere = true, .policy = &run_option_set};

static void print_json(const struct run *run, struct buf *out)
{
	struct json_out json;
	bool by_program;
	json_init(&json, out);
	json_object(&json, NULL);
	json_text(&json, "profile", str_from(run_profile(run, &by_program)));
	if (run_workspace(run) != NULL)
		json_text(&json, "workspace", str_from(run_workspace(run)));
	policy_list_json(run_policy(run), &json);
	json_object_end(&json);
	buf_putc(out, '\n');
}

static enum berm_code print_text(const struct run *run, bool origin, struct buf *out, struct berm_err *err)
{
	struct say_screen screen = say_screen(STDOUT_FILENO);
	bool by_program;
	auto_buf struct buf head;
	buf_init(&head, SAY_MAX);
	buf_printf(&head, "profile %s", run_profile(run, &by_program));
	if (run_workspace(run) != NULL)
		buf_printf(&head, ", workspace %s", run_workspace(run));
	TRY(buf_check(&head, err));
	text_put_wrapped(out, buf_str(&head), 2, screen.width);
	buf_puts(out, "\n\n");
	TRY(policy_list_text(run_policy(run), origin, &screen, out, err));
	if (run_unaccepted(run) != NULL)
		buf_puts(out, "\nThe project wants more: \"berm policy accept --show\".\n");
	return BERM_OK;
}

static int show(const struct show_choices *choices)
{
	struct berm_err err;
	auto_run struct run *run = NULL;
	auto_free struct problems *problems = calloc(1, sizeof(*problems));
	auto_buf struct buf out;
	buf_init(&out, (size_t)4 * SAY_MAX);
	if (policy_run_new(&choices->run, &run, problems, &err) != BERM_OK)
		return say_problems(problems, &err, EXIT_REFUSED);
	if (choices->json)
		print_json(run, &out);
	else if (print_text(run, choices->origin, &out, &err) != BERM_OK)
		return say_failure(&err, "", EXIT_REFUSED);
	return say_result(&out);
}

int cmd_policy_show(const struct command *self, const char *const *argv)
{
	struct show_choices choices = {0};
	auto_options struct options options = {0};
	int status = policy_run_parse(self, argv, &choices.run, &options);
	if (status < 0)
		status = show(&choices);
	run_options_done(&choices.run);
	return status;
}
