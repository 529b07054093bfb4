#include "cli/explain.h"

#include <stdio.h>
#include <unistd.h>

#include "base/own.h"
#include "cli/commands.h"
#include "cli/plan_text.h"
#include "cli/say.h"
#include "ui/table.h"

/* One line of the policy, and where it comes from. */
struct explain_line {
	const char *line, *value, *origin;
};
typedef enum berm_code (*each_line)(void *ctx, const struct explain_line *line, struct berm_err *err);

enum { MAX_FLAG = 32 };

struct explain {
	const struct run *run;
	const struct options *options;
	char (*flags)[MAX_FLAG]; /* "--read", one for each use */
};

static bool is_given(const struct options *options, const char *name)
{
	for (size_t i = 0; i < options->use_count; i++) {
		if (str_eq(str_from(options->uses[i].row->name), str_from(name)))
			return true;
	}
	return false;
}

/* What holds without flags, then each flag in order. */
static enum berm_code for_each_line(const struct explain *explain, each_line put, void *ctx, struct berm_err *err)
{
	const struct options *options = explain->options;
	const char *workspace = run_workspace(explain->run);
	const struct explain_line defaults[] = {
		{"filesystem.write", workspace, "default: the workspace"},
		{"filesystem.protect", "names that something outside runs later", "default: docs/default-policy.md"},
		{"filesystem.read", "programs, libraries, and what common tools need",
		 "default: docs/default-policy.md"},
		{"filesystem.tmp", "private", is_given(options, "allow") ? NULL : "default"},
		{"network.mode", "none", is_given(options, "net") ? NULL : "default"},
	};
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
		if (defaults[i].value != NULL && defaults[i].origin != NULL)
			TRY(put(ctx, &defaults[i], err));
	}
	for (size_t i = 0; i < options->use_count; i++) {
		const struct option_use *use = &options->uses[i];
		const struct explain_line line = {use->row->line, use->value, explain->flags[i]};
		TRY(put(ctx, &line, err));
	}
	return BERM_OK;
}

static enum berm_code put_row(void *ctx, const struct explain_line *line, struct berm_err *err)
{
	const struct table_cell cells[] = {{str_from(line->line), COLOUR_STRONG},
					   {str_from(line->value), COLOUR_PLAIN},
					   {str_from(line->origin), COLOUR_FAINT}};
	return table_row(ctx, cells, err);
}

static enum berm_code put_member(void *ctx, const struct explain_line *line, struct berm_err *err)
{
	struct json_out *json = ctx;
	(void)err;
	json_object(json, NULL);
	json_text(json, "line", str_from(line->line));
	json_text(json, "value", str_from(line->value));
	json_text(json, "origin", str_from(line->origin));
	json_object_end(json);
	return BERM_OK;
}

static enum berm_code print_text(const struct explain *explain, struct buf *out, struct berm_err *err)
{
	const struct run *run = explain->run;
	static const char *const titles[] = {"policy", "value", "from"};
	struct say_screen screen = say_screen(STDOUT_FILENO);
	auto_table struct table table;
	table_init(&table, titles, ARRAY_LEN(titles));
	TRY(for_each_line(explain, put_row, &table, err));
	table_print(&table, screen.width, screen.colour, out);
	if (run_workspace(run) == NULL)
		buf_printf(out, "no workspace: %s\n", run_no_workspace(run));
	buf_printf(out, "\nback-end: %s\n\n", plan_text_backend(run_plan(run)));
	return plan_text_lines(run_plan(run), &screen, out, err);
}

static enum berm_code print_json(const struct explain *explain, struct buf *out, struct berm_err *err)
{
	const struct run *run = explain->run;
	struct json_out json;
	json_init(&json, out);
	json_object(&json, NULL);
	if (run_workspace(run) != NULL)
		json_text(&json, "workspace", str_from(run_workspace(run)));
	else
		json_null(&json, "workspace");
	json_bool(&json, "refused", run_is_refused(run));
	json_text(&json, "backend", str_from(plan_text_backend(run_plan(run))));
	json_array(&json, "policy");
	TRY(for_each_line(explain, put_member, &json, err));
	json_array_end(&json);
	plan_text_json(run_plan(run), &json);
	json_object_end(&json);
	buf_putc(out, '\n');
	return buf_check(out, err);
}

static enum berm_code print(struct explain *explain, bool as_json, struct buf *out, struct berm_err *err)
{
	const struct options *options = explain->options;
	auto_free void *flags = calloc(options->use_count + 1, sizeof(*explain->flags));
	if (flags == NULL)
		return err_set(err, BERM_ERR_NOMEM, "explain the run");
	explain->flags = flags;
	for (size_t i = 0; i < options->use_count; i++)
		(void)snprintf(explain->flags[i], MAX_FLAG, "--%s", options->uses[i].row->name);
	return as_json ? print_json(explain, out, err) : print_text(explain, out, err);
}

int explain_run(const struct run *run, const struct run_choices *choices, const struct options *options)
{
	struct berm_err err;
	struct explain explain = {.run = run, .options = options};
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	if (print(&explain, choices->json, &out, &err) != BERM_OK)
		return say_failure(&err, "", EXIT_REFUSED);
	int status = say_result(&out);
	return status == EXIT_YES && run_is_refused(run) ? EXIT_REFUSED : status;
}
