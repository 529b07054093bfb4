#include "sandbox/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "sandbox/plan_build.h"

#define MAX_MEMORY ((size_t)512 << 20)
#define MAX_EXPORT ((size_t)8 << 20)

enum berm_code build_no_memory(struct berm_err *err)
{
	return err_set(err, BERM_ERR_NOMEM, "make a plan");
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

void berm_plan_free(struct berm_plan *plan)
{
	if (plan == NULL)
		return;
	struct plan_owned *owned = plan->owned;
	if (owned != NULL && atomic_fetch_sub_explicit(&owned->users, 1, memory_order_acq_rel) != 1)
		return;
	if (owned != NULL) {
		cap_store_drop(owned->store);
		for (size_t i = 0; i < owned->globs.len; i++)
			glob_free(*(struct glob **)vec_at(&owned->globs, i));
		vec_done(&owned->globs);
		arena_done(&owned->arena);
		free(owned);
	}
	free(plan);
}

const struct berm_plan *plan_keep(const struct berm_plan *plan)
{
	if (plan->owned == NULL)
		return NULL;
	(void)atomic_fetch_add_explicit(&plan->owned->users, 1, memory_order_relaxed);
	return plan;
}

static void drop_plan(struct berm_plan **plan)
{
	berm_plan_free(*plan);
}

static enum berm_code plan_new(struct berm_plan **ret_plan, struct berm_err *err)
{
	struct berm_plan *plan = calloc(1, sizeof *plan);
	if (plan == NULL)
		return build_no_memory(err);
	plan->owned = calloc(1, sizeof *plan->owned);
	if (plan->owned == NULL) {
		free(plan);
		return build_no_memory(err);
	}
	atomic_init(&plan->owned->users, 1);
	arena_init(&plan->owned->arena, MAX_MEMORY);
	vec_init(&plan->owned->globs, sizeof(struct glob *), (size_t)2 * CAPS_MAX_LINES);
	*ret_plan = plan;
	return BERM_OK;
}

static void build_done(struct build *build)
{
	paths_done(&build->paths);
	vec_done(&build->grants);
	vec_done(&build->outer);
	arena_done(&build->temp);
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

/* A cgroup serves if it has a controller for each limit that it can hold. */
static enum berm_code take_limits(struct build *build, struct berm_err *err)
{
	struct berm_plan *plan = build->plan;
	const struct berm_facts *facts = build->facts;
	memcpy(plan->limit, build->caps->limit, sizeof plan->limit);
	bool memory = plan->limit[BERM_LIMIT_MEMORY] != 0, pids = plan->limit[BERM_LIMIT_PROCESSES] != 0;
	if ((!memory && !pids) || facts->cgroup[0] == '\0' || (memory && facts->value[FACT_CGROUP_MEMORY] == 0) ||
	    (pids && facts->value[FACT_CGROUP_PIDS] == 0))
		return BERM_OK;
	plan->cgroup = arena_text(build->keep, str_from(facts->cgroup));
	return plan->cgroup != NULL ? BERM_OK : build_no_memory(err);
}

static enum berm_code run_build(struct build *build, struct berm_err *err)
{
	struct berm_plan *plan = build->plan;
	plan->network = build->caps->network;
	plan->user_is_root = build->facts->value[FACT_IS_ROOT] != 0;
	memcpy(plan->extra, build->caps->extra, sizeof plan->extra);
	build_backend(build);
	TRY(take_limits(build, err));
	TRY(build_rights(build, err));
	TRY(build_outer(build, err));
	TRY(build_rules(build, err));
	TRY(build_index(build, err));
	build_spread(build);
	TRY(build_narrow(build, err));
	TRY(build_grants(build, err));
	TRY(build_asks(build, err));
	build_spec(build);
	return build_lines(build, err);
}

static void build_init(struct build *build)
{
	arena_init(&build->temp, MAX_MEMORY);
	vec_init(&build->grants, sizeof(struct path_node *), (size_t)2 * CAPS_MAX_LINES);
	vec_init(&build->outer, sizeof(struct outer_node), (size_t)4 * CAPS_MAX_LINES);
	paths_init(&build->paths);
}

static enum berm_code start_build(struct build *build, const struct plan_eyes *eyes, struct berm_err *err)
{
	struct plan_owned *owned = build->plan->owned;
	if (owned == NULL)
		return build_no_memory(err);
	build->keep = &owned->arena;
	owned->store = cap_store_keep(build->caps->store);
	build->states = arena_array(&build->temp, build->caps->lines.len + 1, sizeof *build->states);
	if (build->states == NULL)
		return build_no_memory(err);
	return paths_start(&build->paths, eyes, build->keep, build->caps->lines.len, err);
}

enum berm_code build_plan(const struct berm_caps *caps, const struct berm_facts *facts, const struct plan_eyes *eyes,
			  bool draft, struct berm_plan **ret_plan, struct berm_err *err)
{
	__attribute__((cleanup(drop_plan))) struct berm_plan *plan = NULL;
	TRY(plan_new(&plan, err));
	__attribute__((cleanup(build_done))) struct build build = {.caps = caps, .facts = facts, .plan = plan};
	build_init(&build);
	TRY(start_build(&build, eyes, err));
	TRY(run_build(&build, err));
	if (plan->refused && !draft) {
		if (err != NULL)
			*err = build.refusal;
		return build.refusal.code;
	}
	*ret_plan = take(plan);
	return BERM_OK;
}

enum berm_code berm_plan_make(const struct berm_caps *caps, const struct berm_facts *facts, struct berm_plan **ret_plan,
			      struct berm_err *err)
{
	return build_plan(caps, facts, &plan_eyes_real, false, ret_plan, err);
}

enum berm_code plan_draft(const struct berm_caps *caps, const struct berm_facts *facts, struct berm_plan **ret_plan,
			  struct berm_err *err)
{
	return build_plan(caps, facts, &plan_eyes_real, true, ret_plan, err);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

enum berm_backend berm_plan_backend(const struct berm_plan *plan)
{
	return plan->backend;
}

bool berm_plan_line(const struct berm_plan *plan, size_t index, struct berm_plan_line *ret_line)
{
	if (index >= plan->line_count)
		return false;
	const struct plan_line *line = &plan->lines[index];
	*ret_line = (struct berm_plan_line){.guarantee = line->guarantee,
					    .line = line->line,
					    .enforcer = line->enforcer,
					    .note = line->note,
					    .hold = line->hold};
	return true;
}

/* A path never ends its line. */
static void put_line(struct buf *text, const char *guarantee, const char *words, const char *path)
{
	buf_printf(text, "%s\t%s%s", guarantee, words, *path != '\0' ? " " : "");
	for (; *path != '\0'; path++) {
		if (*path == '\n')
			buf_puts(text, "\\n");
		else
			buf_putc(text, *path);
	}
	buf_putc(text, '\n');
}

/* Where this sandbox can be changed, and what is done there on behalf: a berm inside can forbid neither. */
static void put_grants(struct buf *text, const struct berm_plan *plan)
{
	for (size_t i = 0; i < plan->grant_count; i++) {
		const struct plan_grant *grant = &plan->grants[i];
		if (grant->closed || !grant->exists)
			continue;
		if ((grant->rights & RIGHTS_CHANGE) != 0)
			put_line(text, "changes", (grant->govern & GOVERN_WRITE) != 0 ? "on behalf" : "direct",
				 grant->path);
		if ((grant->govern & GOVERN_READ) != 0)
			put_line(text, "reads", "on behalf", grant->path);
	}
	for (size_t i = 0; i < plan->ask_count; i++) {
		if ((plan->asks[i].rights & RIGHTS_CHANGE) != 0)
			put_line(text, "changes", "on behalf", plan->asks[i].path);
		if ((plan->asks[i].rights & BERM_READ) != 0)
			put_line(text, "reads", "on behalf", plan->asks[i].path);
	}
}

char *plan_export(const struct berm_plan *plan)
{
	auto_buf struct buf text = {0};
	buf_init(&text, MAX_EXPORT);
	for (size_t i = 0; i < plan->line_count; i++)
		if (plan->lines[i].hold == BERM_HELD)
			put_line(&text, plan->lines[i].guarantee, plan->lines[i].line, "");
	put_grants(&text, plan);
	return buf_take(&text);
}
