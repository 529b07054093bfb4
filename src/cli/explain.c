#include "cli/explain.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "cli/commands.h"
#include "cli/plan_text.h"
#include "cli/say.h"
#include "sandbox/plan.h"
#include "session/approver_build.h"
#include "ui/table.h"

/* One line of the policy, and where it comes from. */
struct explain_line {
	const char *line, *value, *origin;
};
typedef enum berm_code (*each_line)(void *ctx, const struct explain_line *line, struct berm_err *err);

enum { MAX_PLACE = 256 };

struct explain {
	const struct run *run;
	const struct options *options;
	struct arena *arena; /* of texts that stand in a table */
};

/* "--write" for a line of the command line, else where it stands. NULL: memory is out. */
static const char *find_place(const struct explain *explain, const struct policy_entry *entry)
{
	const struct options *options = explain->options;
	char place[MAX_PLACE];
	if (entry->doc->kind == POLICY_DOC_FLAGS && entry->line->line > 0 && entry->line->line <= options->use_count)
		(void)snprintf(place, sizeof(place), "--%s", options->uses[entry->line->line - 1].row->name);
	else
		policy_entry_place(entry, place, sizeof(place));
	return arena_text(explain->arena, str_from(place));
}

/* Of a shipped document the groups are named, and the lines of the profile; what groups say is in the plan. */
static bool is_told(const struct policy *policy, const struct policy_entry *entry)
{
	enum policy_key key = entry->line->key;
	if (entry->off != NULL || key == KEY_GROUPS || key == KEY_EXTENDS || key == KEY_TEST)
		return false;
	if (policy_keys[key].shape == SHAPE_SCALAR)
		return policy->setting[key] == entry;
	return !entry->doc->shipped || entry->doc->kind != POLICY_DOC_GROUP;
}

static enum berm_code put_entry(const struct explain *explain, const struct policy_entry *entry, each_line put,
				void *ctx, struct berm_err *err)
{
	const char *place = find_place(explain, entry), *text = entry->line->text;
	if (place == NULL)
		return err_set(err, BERM_ERR_NOMEM, "explain the run");
	bool relative = entry->path != NULL && text[0] == '.';
	const struct explain_line line = {policy_keys[entry->line->key].path, relative ? entry->path : text, place};
	return put(ctx, &line, err);
}

/* A group as a whole, when its first line is seen. */
static enum berm_code put_group(const struct policy_entry *entry, const struct policy_entry *before, each_line put,
				void *ctx, struct berm_err *err)
{
	const struct policy_doc *doc = entry->doc;
	if (doc->kind != POLICY_DOC_GROUP || (before != NULL && before->doc == doc))
		return BERM_OK;
	const struct explain_line line = {"groups", doc->name != NULL ? doc->name : doc->file, entry->via};
	return put(ctx, &line, err);
}

static enum berm_code put_profile(const struct explain *explain, each_line put, void *ctx, struct berm_err *err)
{
	bool by_program;
	const char *profile = run_profile(explain->run, &by_program);
	const struct explain_line line = {"profile", profile, by_program ? "the program" : ""};
	return profile != NULL ? put(ctx, &line, err) : BERM_OK;
}

static enum berm_code for_each_line(const struct explain *explain, each_line put, void *ctx, struct berm_err *err)
{
	const struct policy *policy = run_policy(explain->run);
	TRY(put_profile(explain, put, ctx, err));
	for (size_t i = 0; i < policy->count; i++) {
		const struct policy_entry *entry = &policy->entries[i];
		TRY(put_group(entry, i > 0 ? entry - 1 : NULL, put, ctx, err));
		if (is_told(policy, entry))
			TRY(put_entry(explain, entry, put, ctx, err));
	}
	return BERM_OK;
}

static const char *find_origin(const void *context, const char *line)
{
	const struct explain *explain = context;
	const struct policy_entry *entry;
	const char *words;
	run_origin(explain->run, line, &entry, &words);
	if (entry == NULL)
		return words != NULL ? words : "";
	const char *place = find_place(explain, entry);
	return place != NULL ? place : "";
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

const char *explain_stricter(const struct run *run)
{
	if (!policy_says(run_policy(run), KEY_NET_MODE, "filtered") || run_plan(run)->network != BERM_NET_NONE)
		return NULL;
	return "network.mode filtered: nothing can be filtered on this machine, so there is no network at all";
}

static enum berm_code print_text(const struct explain *explain, struct buf *out, struct berm_err *err)
{
	const struct run *run = explain->run;
	static const char *const titles[] = {"policy", "value", "from"};
	struct say_screen screen = say_screen(STDOUT_FILENO);
	auto_table struct table table;
	table_init(&table, titles, ARRAY_LEN(titles));
	TRY(for_each_line(explain, put_row, &table, err));
	table_print(&table, screen.table_width, screen.colour, out);
	if (run_workspace(run) == NULL)
		buf_printf(out, "no workspace: %s\n", run_no_workspace(run));
	if (explain_stricter(run) != NULL)
		buf_printf(out, "%s\n", explain_stricter(run));
	buf_puts(out, "\nasked: ");
	TRY(approver_describe(run_input(run), out, err));
	buf_printf(out, "\nback-end: %s\n\n", plan_text_backend(run_plan(run)));
	const struct plan_text_origins origins = {find_origin, explain};
	return plan_text_lines(run_plan(run), &origins, &screen, out, err);
}

static enum berm_code print_json(const struct explain *explain, struct buf *out, struct berm_err *err)
{
	const struct run *run = explain->run;
	struct json_out json;
	auto_buf struct buf asked;
	buf_init(&asked, SAY_MAX);
	json_init(&json, out);
	json_object(&json, NULL);
	if (run_workspace(run) != NULL)
		json_text(&json, "workspace", str_from(run_workspace(run)));
	else
		json_null(&json, "workspace");
	TRY(approver_describe(run_input(run), &asked, err));
	json_text(&json, "asked", buf_str(&asked));
	json_bool(&json, "refused", run_is_refused(run));
	json_text(&json, "backend", str_from(plan_text_backend(run_plan(run))));
	json_array(&json, "policy");
	TRY(for_each_line(explain, put_member, &json, err));
	json_array_end(&json);
	const struct plan_text_origins origins = {find_origin, explain};
	plan_text_json(run_plan(run), &origins, &json);
	json_object_end(&json);
	buf_putc(out, '\n');
	return buf_check(out, err);
}

int explain_run(const struct run *run, const struct run_choices *choices, const struct options *options)
{
	struct berm_err err;
	auto_arena struct arena arena;
	arena_init(&arena, SAY_MAX);
	const struct explain explain = {.run = run, .options = options, .arena = &arena};
	auto_buf struct buf out;
	buf_init(&out, SAY_MAX);
	enum berm_code code = choices->json ? print_json(&explain, &out, &err) : print_text(&explain, &out, &err);
	if (code != BERM_OK)
		return say_failure(&err, "", EXIT_REFUSED);
	int status = say_result(&out);
	return status == EXIT_YES && run_is_refused(run) ? EXIT_REFUSED : status;
}
