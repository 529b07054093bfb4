/* Looks through a granted tree for names that the next plan denies, as plan_walk.c does at the start. */
#include <string.h>

#include "base/own.h"
#include "sandbox/live.h"
#include "sandbox/plan_build.h"

enum { MAX_NAMES = 262144 };

struct folder {
	struct folder *next;
	struct str path;
};

struct walk {
	struct live_step *step;
	struct folder *todo;
	struct str at; /* the folder whose names come in */
	size_t left;
	enum berm_code code;
	struct berm_err *err;
};

/* A rule that denies path, with all that lies in it. *ret_some: one denies a part of what lies in it. */
static bool is_denied(const struct berm_plan *plan, struct str path, bool *ret_some)
{
	struct plan_cursor cursor = plan_rules_at(plan, path, BUILD_FOLD);
	const struct plan_rule *rule;
	*ret_some = false;
	while ((rule = plan_rule_next(&cursor)) != NULL) {
		if (rule->right != BERM_DENY)
			continue;
		if (rule->except == NULL || !glob_may_match_below(rule->except, path, BUILD_FOLD))
			return true;
		*ret_some = true;
	}
	return false;
}

static bool stop(struct walk *walk, enum berm_code code)
{
	walk->code = code;
	return code == BERM_OK;
}

static bool no_memory(struct walk *walk)
{
	return stop(walk, err_set(walk->err, BERM_ERR_NOMEM, "change a sandbox"));
}

static enum seen look(const char *path)
{
	char target[PATHS_TARGET_SIZE];
	return plan_eyes_real.look(plan_eyes_real.ctx, path, target, sizeof target);
}

static bool visit(void *arg, struct str name, enum seen seen)
{
	struct walk *walk = arg;
	struct arena *arena = &walk->step->paths;
	size_t len = walk->at.len > 1 ? walk->at.len : 0;
	bool some;
	if (walk->left == 0)
		return false;
	walk->left--;
	if (seen == SEEN_LINK)
		return true;
	char *text = arena_array(arena, len + name.len + 2, 1);
	if (text == NULL)
		return no_memory(walk);
	memcpy(text, walk->at.ptr, len);
	text[len] = '/';
	memcpy(text + len + 1, name.ptr, name.len);
	const struct str path = {text, len + 1 + name.len};
	if (seen == SEEN_UNKNOWN)
		seen = look(text);
	bool denied = is_denied(walk->step->next, path, &some);
	const struct plan_mask mask = {.path = text, .folder = seen == SEEN_FOLDER};
	if (denied || (some && seen != SEEN_FOLDER))
		return stop(walk, vec_push(&walk->step->masks, &mask, walk->err));
	if (seen != SEEN_FOLDER)
		return true;
	struct folder *folder = arena_alloc(arena, sizeof *folder);
	if (folder == NULL)
		return no_memory(walk);
	*folder = (struct folder){walk->todo, path};
	walk->todo = folder;
	return true;
}

enum berm_code live_mask_denied(struct live_step *step, const char *path, bool *ret_whole, struct berm_err *err)
{
	const struct plan_eyes *eyes = &plan_eyes_real;
	struct folder first = {.path = str_from(path)};
	struct walk walk = {.step = step, .todo = &first, .left = MAX_NAMES, .err = err};
	bool whole = true;
	while (walk.todo != NULL && walk.code == BERM_OK && walk.left > 0) {
		walk.at = walk.todo->path;
		walk.todo = walk.todo->next;
		bool listed = eyes->list(eyes->ctx, walk.at.ptr, visit, &walk);
		whole &= listed || eyes->closed(eyes->ctx, walk.at.ptr) || walk.code != BERM_OK;
	}
	*ret_whole = whole && walk.left > 0;
	return walk.code;
}
