/* What becomes of each line in which two plans differ. */
#include <string.h>

#include "base/map.h"
#include "base/own.h"
#include "sandbox/caps.h"
#include "sandbox/live.h"

enum { ALL_RIGHTS = BERM_READ | BERM_WRITE | BERM_DELETE | BERM_EXEC, MAX_LINES = 2 * CAPS_MAX_LINES };

static const char FIXED[] = "fixed when the sandbox was started", OPEN[] = "landlock granted it at the start",
		  HOST_MADE[] = "what something outside makes under this name during the run is not covered",
		  UNRULED[] = "landlock lets it be changed there since the start",
		  NOT_TAKEN[] = "landlock does not grant it since the start";

struct verdict {
	enum berm_when when;
	const char *note;
	bool narrows;
};

static bool related(const char *a, const char *b)
{
	size_t len = strlen(a), other = strlen(b);
	if (len > other) {
		const char *swapped = a;
		a = b;
		b = swapped;
		len = other;
	}
	return strncmp(a, b, len) == 0 && (len == 1 || b[len] == '/' || b[len] == '\0');
}

static bool any_related(const struct vec *paths, const char *path)
{
	const char *const *items = paths->items;
	for (size_t i = 0; i < paths->len; i++)
		if (related(items[i], path))
			return true;
	return false;
}

/* Could the rule take hold at one of the paths, or below? */
static bool rule_meets(const struct plan_line *line, const struct vec *paths)
{
	const char *const *items = paths->items;
	if (line->path != NULL && line->path[0] != '\0')
		return any_related(paths, line->path);
	for (size_t i = 0; i < paths->len; i++)
		if (line->pattern == NULL || glob_match(line->pattern, str_from(items[i]), true) ||
		    glob_may_match_below(line->pattern, str_from(items[i]), true))
			return true;
	return false;
}

/* ---- one line ---------------------------------------------------------------------------------------------------- */

/* How much of the network a plan gives. */
static int network_width(const struct berm_plan *plan)
{
	static const int widths[] = {[BERM_NET_NONE] = 0, [BERM_NET_FILTERED] = 1, [BERM_NET_HOST] = 2};
	return widths[plan->network];
}

static struct verdict judge_fixed(const struct live_step *step, const struct plan_line *line, bool added)
{
	bool network = strcmp(line->guarantee, "network") == 0 && network_width(step->next) < network_width(step->now);
	bool narrows = line->kind == PLAN_LINE_LIMIT   ? added
		       : line->kind == PLAN_LINE_EXTRA ? !added
						       : network && added;
	return (struct verdict){BERM_WHEN_NEXT_RUN, FIXED, narrows};
}

static struct verdict judge_grant(const struct live_step *step, const struct plan_line *line, bool added)
{
	if (!added) {
		bool loose = line->path != NULL && any_related(&step->loose, line->path);
		return (struct verdict){loose ? BERM_WHEN_NEXT_RUN : BERM_WHEN_NEW_OPENS, loose ? OPEN : "", true};
	}
	unsigned wanted = line->rights & ALL_RIGHTS;
	unsigned here = line->path != NULL ? live_rights_here(step, line->path) & wanted : 0;
	if (here == wanted)
		return (struct verdict){BERM_WHEN_NOW, line->hold == BERM_HELD ? "" : line->note, false};
	if (line->hold != BERM_HELD)
		return (struct verdict){BERM_WHEN_NEXT_RUN, line->note, false};
	const char *note = here == 0				     ? NOT_TAKEN
			   : here == (wanted & ~(unsigned)BERM_EXEC) ? "programs in it cannot be started in this run"
								     : "only a part of it is granted in this run";
	return (struct verdict){BERM_WHEN_NEXT_RUN, note, false};
}

/* A socket is seen in the hidden view only if it is mounted. */
static struct verdict judge_socket(const struct live_step *step, const struct plan_line *line, bool added)
{
	bool seen = !step->base->hidden || (line->path != NULL && live_rights_here(step, line->path) != 0);
	if (!added)
		return (struct verdict){BERM_WHEN_NEW_OPENS, "", true};
	return (struct verdict){seen && step->base->listener ? BERM_WHEN_NOW : BERM_WHEN_NEXT_RUN,
				seen ? "" : NOT_TAKEN, false};
}

/* A rule that makes way for access, and whether that access can be had. */
static struct verdict judge_release(const struct live_step *step, const struct plan_line *line)
{
	bool mild = line->path == NULL || line->path[0] == '\0' || line->rights != BERM_DENY || step->can_mount;
	unsigned planned = mild ? 0 : live_rights_here(step, line->path);
	bool open = mild || (planned & BERM_READ) != 0;
	return (struct verdict){open ? BERM_WHEN_NOW : BERM_WHEN_NEXT_RUN, open ? "" : NOT_TAKEN, false};
}

/* REPLACE widens when it comes, the others when they go. */
static struct verdict judge_rule(const struct live_step *step, const struct plan_line *line, bool added)
{
	if (line->rights == BERM_REPLACE && added) {
		bool here = line->path != NULL && (live_rights_here(step, line->path) & BERM_WRITE) != 0;
		return (struct verdict){here ? BERM_WHEN_NOW : BERM_WHEN_NEXT_RUN, here ? "" : NOT_TAKEN, false};
	}
	if (line->rights == BERM_REPLACE)
		return (struct verdict){BERM_WHEN_NEW_OPENS, "", true};
	if (!added)
		return judge_release(step, line);
	bool loose = line->rights == BERM_DENY && rule_meets(line, &step->loose);
	if (loose || rule_meets(line, &step->unruled))
		return (struct verdict){BERM_WHEN_NEXT_RUN, loose ? OPEN : UNRULED, true};
	bool walked = line->rights == BERM_DENY && line->note[0] == '\0' && rule_meets(line, &step->walked);
	return (struct verdict){BERM_WHEN_NEW_OPENS, walked ? HOST_MADE : line->note, true};
}

static struct verdict judge_line(const struct live_step *step, const struct plan_line *line, bool added)
{
	static struct verdict (*const by_kind[])(const struct live_step *, const struct plan_line *, bool) = {
		[PLAN_LINE_FIXED] = judge_fixed, [PLAN_LINE_LIMIT] = judge_fixed,   [PLAN_LINE_EXTRA] = judge_fixed,
		[PLAN_LINE_GRANT] = judge_grant, [PLAN_LINE_SOCKET] = judge_socket, [PLAN_LINE_RULE] = judge_rule,
	};
	return by_kind[line->kind](step, line, added);
}

/* ---- all lines --------------------------------------------------------------------------------------------------- */

static enum berm_code index_lines(const struct berm_plan *plan, struct map *map, struct berm_err *err)
{
	for (size_t i = 0; i < plan->line_count; i++)
		TRY(map_put(map, str_from(plan->lines[i].line), &plan->lines[i], err));
	return BERM_OK;
}

static bool is_pending(const struct live *live, const char *line)
{
	const char *const *pending = live->pending.items;
	for (size_t i = 0; i < live->pending.len; i++)
		if (strcmp(pending[i], line) == 0)
			return true;
	return false;
}

struct report {
	const struct live *live;
	const struct live_step *step;
	struct vec *changes;
	const char *failed;
};

static enum berm_code add_change(struct report *report, const struct plan_line *line, bool added, struct berm_err *err)
{
	struct verdict verdict = judge_line(report->step, line, added);
	const struct berm_change change = {.guarantee = line->guarantee,
					   .line = line->line,
					   .added = added,
					   .narrows = verdict.narrows,
					   .when = verdict.when,
					   .note = verdict.note};
	if (verdict.narrows && verdict.when == BERM_WHEN_NEXT_RUN && report->failed == NULL)
		report->failed = line->line;
	return vec_push(report->changes, &change, err);
}

/* The lines of one plan that the other has not, or has in another way. */
static enum berm_code add_changes(struct report *report, const struct berm_plan *plan, const struct map *other,
				  bool added, struct berm_err *err)
{
	for (size_t i = 0; i < plan->line_count; i++) {
		const struct plan_line *line = &plan->lines[i];
		const struct plan_line *same = map_find(other, str_from(line->line));
		bool changed = added && same != NULL && line->kind != PLAN_LINE_FIXED &&
			       (same->hold != line->hold || is_pending(report->live, line->line));
		if (same == NULL || changed)
			TRY(add_change(report, line, added, err));
	}
	return BERM_OK;
}

enum berm_code live_report(struct live *live, const struct live_step *step, struct vec *changes,
			   const char **ret_failed, struct berm_err *err)
{
	struct report report = {live, step, changes, NULL};
	auto_map struct map old;
	auto_map struct map new;
	map_init(&old, MAX_LINES);
	map_init(&new, MAX_LINES);
	TRY(index_lines(step->now, &old, err));
	TRY(index_lines(step->next, &new, err));
	TRY(add_changes(&report, step->next, &old, true, err));
	TRY(add_changes(&report, step->now, &new, false, err));
	*ret_failed = report.failed;
	return BERM_OK;
}
