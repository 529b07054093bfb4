#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/own.h"
#include "cli/commands.h"
#include "cli/plan_text.h"
#include "cli/say.h"
#include "session/run.h"
#include "ui/table.h"
#include "ui/text.h"

struct doctor_choices {
	bool json;
};

static const struct option_row rows[] = {
	{
		.name = "json",
		.kind = OPTION_FLAG,
		.offset = offsetof(struct doctor_choices, json),
		.help = "as JSON, with every fact that was found",
	},
	{.letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "this text"},
};
const struct option_set doctor_option_set = {.rows = rows, .count = ARRAY_LEN(rows)};

static void put_facts(const char *facts, struct json_out *json)
{
	struct str rest = str_from(facts), line, name;
	json_object(json, "facts");
	while (str_next(&rest, '\n', &line)) {
		char key[64];
		if (!str_next(&line, '=', &name) || name.len >= sizeof(key))
			continue;
		memcpy(key, name.ptr, name.len);
		key[name.len] = '\0';
		char *end;
		long long number = strtoll(line.ptr, &end, 10);
		if (line.len > 0 && end == line.ptr + line.len)
			json_i64(json, key, number);
		else
			json_text(json, key, line);
	}
	json_object_end(json);
}

static void print_json(const struct run *run, const struct utsname *kernel, const char *facts, struct buf *out)
{
	struct json_out json;
	json_init(&json, out);
	json_object(&json, NULL);
	json_text(&json, "version", str_from(berm_version()));
	json_text(&json, "kernel", str_from(kernel->release));
	json_text(&json, "machine", str_from(kernel->machine));
	json_text(&json, "backend", str_from(plan_text_backend(run_plan(run))));
	json_bool(&json, "refused", run_is_refused(run));
	plan_text_json(run_plan(run), NULL, &json);
	put_facts(facts, &json);
	json_object_end(&json);
	buf_putc(out, '\n');
}

static enum berm_code print_text(const struct run *run, const struct utsname *kernel, struct buf *out,
				 struct berm_err *err)
{
	struct say_screen screen = say_screen(STDOUT_FILENO);
	auto_buf struct buf head;
	buf_init(&head, SAY_MAX);
	buf_printf(&head, "berm %s on Linux %s (%s), uid %u", berm_version(), kernel->release, kernel->machine,
		   (unsigned)getuid());
	TRY(buf_check(&head, err));
	text_put_wrapped(out, buf_str(&head), 0, screen.width);
	buf_printf(out, "\nback-end: %s\n\n", plan_text_backend(run_plan(run)));
	TRY(plan_text_guarantees(run_plan(run), &screen, out, err));
	if (!run_is_refused(run))
		return BERM_OK;
	buf_putc(out, '\n');
	colour_start(out, screen.colour, COLOUR_BAD);
	text_put_wrapped(out, STR("the default policy cannot be held here: \"berm run\" starts nothing"), 0,
			 screen.width);
	colour_stop(out, screen.colour, COLOUR_BAD);
	buf_putc(out, '\n');
	return BERM_OK;
}

static enum berm_code print(const struct run *run, bool as_json, struct buf *out, struct berm_err *err)
{
	struct utsname kernel;
	if (uname(&kernel) < 0)
		return err_sys(err, "ask for the kernel's name");
	if (!as_json)
		return print_text(run, &kernel, out, err);
	auto_free char *facts = berm_facts_print(run_facts(run));
	if (facts == NULL)
		return err_set(err, BERM_ERR_NOMEM, "print facts");
	print_json(run, &kernel, facts, out);
	return BERM_OK;
}

int cmd_doctor(const struct command *self, const char *const *argv)
{
	static const char *const nothing[] = {"", NULL};
	const struct run_request request = {.argv = nothing, .envp = (const char *const *)environ, .examine = true};
	struct berm_err err;
	struct run *run;
	struct doctor_choices choices = {0};
	auto_options struct options options = {0};
	int status = commands_parse(self, argv, &choices, &options);
	if (status >= 0)
		return status;
	auto_free struct problems *problems = calloc(1, sizeof(*problems));
	if (run_new(&request, &run, problems, &err) != BERM_OK)
		return say_problems(problems, &err, EXIT_REFUSED);
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	if (print(run, choices.json, &out, &err) == BERM_OK)
		status = say_result(&out);
	else
		status = say_failure(&err, "", EXIT_REFUSED);
	if (status == EXIT_YES && run_is_refused(run))
		status = EXIT_NO;
	run_free(run);
	return status;
}
