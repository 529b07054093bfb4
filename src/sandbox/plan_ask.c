/* What may be asked for: a short list beside the grants, looked up by whoever finds no grant. */
#include <string.h>

#include "sandbox/plan_build.h"

bool build_wants_asks(const struct berm_caps *caps)
{
	const struct cap_line *lines = caps->lines.items;
	for (size_t i = 0; i < caps->lines.len; i++)
		if (lines[i].kind == CAP_ASK)
			return true;
	return false;
}

enum berm_code build_asks(struct build *build, struct berm_err *err)
{
	struct berm_plan *plan = build->plan;
	size_t count = 0;
	for (size_t i = 0; i < build->caps->lines.len; i++)
		count += build_line(build, i)->kind == CAP_ASK;
	plan->asks = arena_array(build->keep, count + 1, sizeof *plan->asks);
	if (plan->asks == NULL)
		return build_no_memory(err);
	plan->allow_asked = build->caps->allow_asked;
	for (size_t i = 0; i < build->caps->lines.len; i++) {
		const struct cap_line *line = build_line(build, i);
		struct path_node **node = &build->states[i].node;
		if (line->kind != CAP_ASK)
			continue;
		TRY(paths_resolve(&build->paths, line->path, PATHS_LASTING, node, err));
		plan->asks[plan->ask_count++] = (struct plan_ask){.path = (*node)->path,
								  .rights = line->rights,
								  .tree = line->extent == BERM_TREE,
								  .label = line->text};
	}
	return BERM_OK;
}

static bool covers(const struct plan_ask *ask, size_t len, struct str path)
{
	if (len == 1)
		return ask->tree;
	if (path.len < len || memcmp(ask->path, path.ptr, len) != 0)
		return false;
	return path.len == len || (ask->tree && path.ptr[len] == '/');
}

/* Few lines ask: one after the other. */
const struct plan_ask *plan_ask_at(const struct berm_plan *plan, struct str path)
{
	const struct plan_ask *best = NULL;
	size_t best_len = 0;
	for (size_t i = 0; i < plan->ask_count && path.len > 0; i++) {
		size_t len = strlen(plan->asks[i].path);
		if (len >= best_len && covers(&plan->asks[i], len, path)) {
			best = &plan->asks[i];
			best_len = len;
		}
	}
	return best;
}
