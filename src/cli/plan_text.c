#include "cli/plan_text.h"

#include <string.h>

#include "base/own.h"
#include "ui/table.h"

static const struct {
	const char *word;
	enum colour colour;
} holds[] = {
	[BERM_HELD] = {"yes", COLOUR_GOOD},
	[BERM_PARTIAL] = {"partly", COLOUR_WEAK},
	[BERM_REFUSED] = {"no", COLOUR_BAD},
};

const char *plan_text_backend(const struct berm_plan *plan)
{
	return berm_plan_backend(plan) == BERM_BACKEND_NAMESPACES ? "namespaces" : "landlock";
}

static bool is_first(const struct berm_plan *plan, size_t index, const char *guarantee)
{
	struct berm_plan_line line;
	for (size_t i = 0; i < index && berm_plan_line(plan, i, &line); i++) {
		if (strcmp(line.guarantee, guarantee) == 0)
			return false;
	}
	return true;
}

static const char *find_origin(const struct plan_text_origins *origins, const char *line)
{
	return origins != NULL ? origins->find(origins->context, line) : "";
}

static enum berm_code put_table(const struct berm_plan *plan, bool only_first, const struct plan_text_origins *origins,
				const struct say_screen *screen, struct buf *out, struct berm_err *err)
{
	static const char *const titles[] = {"guarantee", "line", "held", "by", "note", "from"};
	struct berm_plan_line line;
	auto_table struct table table;
	table_init(&table, titles, origins != NULL ? ARRAY_LEN(titles) : ARRAY_LEN(titles) - 1);
	for (size_t i = 0; berm_plan_line(plan, i, &line); i++) {
		if (only_first && line.hold != BERM_REFUSED && !is_first(plan, i, line.guarantee))
			continue;
		const struct table_cell cells[] = {
			{str_from(line.guarantee), COLOUR_STRONG},
			{str_from(line.line), COLOUR_PLAIN},
			{str_from(holds[line.hold].word), holds[line.hold].colour},
			{str_from(line.enforcer), COLOUR_PLAIN},
			{str_from(line.note), COLOUR_FAINT},
			{str_from(find_origin(origins, line.line)), COLOUR_FAINT},
		};
		TRY(table_row(&table, cells, err));
	}
	table_print(&table, screen->table_width, screen->colour, out);
	return buf_check(out, err);
}

enum berm_code plan_text_guarantees(const struct berm_plan *plan, const struct say_screen *screen, struct buf *out,
				    struct berm_err *err)
{
	return put_table(plan, true, NULL, screen, out, err);
}

enum berm_code plan_text_lines(const struct berm_plan *plan, const struct plan_text_origins *origins,
			       const struct say_screen *screen, struct buf *out, struct berm_err *err)
{
	return put_table(plan, false, origins, screen, out, err);
}

void plan_text_json(const struct berm_plan *plan, const struct plan_text_origins *origins, struct json_out *json)
{
	struct berm_plan_line line;
	json_array(json, "plan");
	for (size_t i = 0; berm_plan_line(plan, i, &line); i++) {
		json_object(json, NULL);
		json_text(json, "guarantee", str_from(line.guarantee));
		json_text(json, "line", str_from(line.line));
		json_text(json, "enforcer", str_from(line.enforcer));
		json_text(json, "holds", str_from(holds[line.hold].word));
		json_text(json, "note", str_from(line.note));
		if (origins != NULL)
			json_text(json, "origin", str_from(find_origin(origins, line.line)));
		json_object_end(json);
	}
	json_array_end(json);
}
