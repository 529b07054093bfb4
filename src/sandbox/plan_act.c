/* What grants and rules say to an act, as a table. Rights of the grant, then the rules that hold for the path. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "sandbox/plan_act.h"

const char PLAN_NOT_GRANTED[] = "not granted";

enum effect {
	REFUSE = 0,
	ALLOW,
	IF_REMOVABLE,
	IF_PATTERN, /* allowed under a pattern (which means files), not under a path that was named */
	IF_JUDGED,  /* allowed where a judge looks after the content */
	UNJUDGED,   /* allowed where the content is nobody's concern */
	BY_JUDGE,   /* the judge decides */
};
enum rule_class { CLASS_PLAIN = 0, CLASS_MKDIR_ONLY, CLASS_IN_PLACE, CLASS_COUNT };

static const struct {
	enum berm_request_op op;
	unsigned needs;
	bool of_name;
	bool replace; /* part of an atomic save */
	uint8_t effect[CLASS_COUNT];
} acts[ACT_COUNT] = {
	/*			    needs	of name, replace   plain, mkdir only, in place */
	[ACT_READ] = {BERM_OP_READ, BERM_READ, false, true, {ALLOW, ALLOW, ALLOW}},
	[ACT_EXEC] = {BERM_OP_EXEC, BERM_EXEC, false, false, {ALLOW, ALLOW, ALLOW}},
	[ACT_WRITE] = {BERM_OP_WRITE, BERM_WRITE, false, true, {REFUSE, REFUSE, UNJUDGED}},
	[ACT_MAKE] = {BERM_OP_CREATE, BERM_WRITE, true, true, {REFUSE, REFUSE, UNJUDGED}},
	[ACT_MKDIR] = {BERM_OP_CREATE, BERM_WRITE, true, true, {REFUSE, ALLOW, ALLOW}},
	[ACT_SYMLINK] = {BERM_OP_CREATE, BERM_WRITE, true, false, {REFUSE, REFUSE, REFUSE}},
	[ACT_LINK] = {BERM_OP_LINK, BERM_WRITE, true, true, {REFUSE, REFUSE, REFUSE}},
	[ACT_LINK_FROM] = {BERM_OP_LINK, BERM_WRITE, false, true, {REFUSE, REFUSE, UNJUDGED}},
	[ACT_LEAVE] = {BERM_OP_RENAME, BERM_WRITE, true, true, {IF_REMOVABLE, IF_REMOVABLE, ALLOW}},
	[ACT_ARRIVE_FILE] = {BERM_OP_RENAME, BERM_WRITE, true, true, {BY_JUDGE, BY_JUDGE, BY_JUDGE}},
	[ACT_ARRIVE_FOLDER] = {BERM_OP_RENAME, BERM_WRITE, true, false, {REFUSE, REFUSE, REFUSE}},
	[ACT_ARRIVE_OTHER] = {BERM_OP_RENAME, BERM_WRITE, true, false, {REFUSE, REFUSE, REFUSE}},
	[ACT_REMOVE] = {BERM_OP_DELETE, BERM_DELETE, true, true, {IF_REMOVABLE, IF_REMOVABLE, ALLOW}},
	[ACT_RMDIR] = {BERM_OP_DELETE, BERM_DELETE, true, true, {IF_PATTERN, ALLOW, ALLOW}},
	[ACT_MODE] = {BERM_OP_META, BERM_WRITE, false, true, {IF_JUDGED, ALLOW, ALLOW}},
	[ACT_META] = {BERM_OP_META, BERM_WRITE, false, true, {IF_JUDGED, ALLOW, ALLOW}},
};

enum berm_request_op plan_act_op(enum place_act act)
{
	return acts[act].op;
}

unsigned plan_act_needs(enum place_act act)
{
	return acts[act].needs;
}

bool plan_act_of_name(enum place_act act)
{
	return acts[act].of_name;
}

static enum rule_class class_of(const struct plan_rule *rule)
{
	if (rule->mkdir_only)
		return CLASS_MKDIR_ONLY;
	return rule->in_place ? CLASS_IN_PLACE : CLASS_PLAIN;
}

bool plan_rule_allows(const struct plan_rule *rule, enum place_act act, mode_t mode)
{
	switch ((enum effect)acts[act].effect[class_of(rule)]) {
	case ALLOW:
		return true;
	case IF_REMOVABLE:
		return rule->removable;
	case IF_PATTERN:
		return rule->removable || rule->path == NULL;
	case IF_JUDGED:
		return rule->judge != NULL && (mode & (S_ISUID | S_ISGID)) == 0;
	case UNJUDGED:
		return rule->judge == NULL;
	case REFUSE:
	case BY_JUDGE:
	default:
		return false;
	}
}

static bool is_for_judge(const struct plan_rule *rule, enum place_act act)
{
	return acts[act].effect[class_of(rule)] == BY_JUDGE && rule->judge != NULL;
}

enum plan_arrival plan_rule_on_arrival(const struct plan_rule *rule, unsigned char type)
{
	if (rule->right != BERM_PROTECT)
		return ARRIVAL_REFUSED;
	if (type == DT_DIR || plan_rule_allows(rule, type == DT_LNK ? ACT_SYMLINK : ACT_MAKE, 0))
		return ARRIVAL_FINE; /* a folder of the name runs nothing by itself */
	return type == DT_REG && rule->judge != NULL ? ARRIVAL_JUDGED : ARRIVAL_REFUSED;
}

/* ---- what rules wait for ----------------------------------------------------------------------------------------- */

static struct str parent_of(struct str path)
{
	size_t len = path.len;
	while (len > 0 && path.ptr[len - 1] != '/')
		len--;
	return (struct str){path.ptr, len > 0 ? len - 1 : 0};
}

bool plan_is_beside(const struct plan_rule *rule, struct str path, const struct plan_condition *condition)
{
	const char *name = rule->beside;
	struct str folder = parent_of(path);
	for (size_t ups = plan_beside_ups(&name); ups > 0; ups--)
		folder = parent_of(folder);
	return condition->beside(condition->ctx, folder, name);
}

bool plan_rule_holds(const struct plan_rule *rule, struct str path, const struct plan_condition *condition)
{
	if (rule->beside == NULL)
		return true;
	if (rule->right != BERM_DENY)
		return plan_is_beside(rule, path, condition);
	for (; path.len > 0; path = parent_of(path)) {
		if (plan_is_beside(rule, path, condition))
			return true;
	}
	return false;
}

size_t plan_beside_ups(const char **beside)
{
	size_t ups = 0;
	for (; strncmp(*beside, "../", 3) == 0; *beside += 3)
		ups++;
	return ups;
}

bool plan_lies_below(struct str path, struct str folder)
{
	return path.len >= folder.len && memcmp(path.ptr, folder.ptr, folder.len) == 0 &&
	       (path.len == folder.len || path.ptr[folder.len] == '/');
}

bool plan_rule_is_at(const struct berm_plan *plan, const struct plan_rule *wanted, struct str path)
{
	const struct plan_rule *rule;
	struct plan_cursor cursor = plan_rules_at(plan, path, PLAN_FOLD);
	while ((rule = plan_rule_next(&cursor)) != NULL)
		if (rule == wanted)
			return true;
	return false;
}

bool plan_rule_enters(const struct plan_rule *rule, struct str folder)
{
	if (rule->path != NULL) {
		struct str path = str_from(rule->path);
		return plan_lies_below(path, folder) || (rule->tree && plan_lies_below(folder, path));
	}
	if (glob_enters(rule->pattern, folder, PLAN_FOLD) ||
	    (rule->except != NULL && glob_enters(rule->except, folder, PLAN_FOLD)))
		return true;
	/* What it waits for may lie outside the folder. */
	const char *beside = rule->beside != NULL ? rule->beside : "";
	size_t ups = plan_beside_ups(&beside);
	return ups > 0 && glob_reach(rule->pattern) <= ups;
}

const struct plan_rule *plan_denied_by(const struct berm_plan *plan, struct str path, bool *ret_inner)
{
	struct plan_cursor cursor = plan_rules_at(plan, path, PLAN_FOLD);
	const struct plan_rule *rule, *found = NULL;
	*ret_inner = false;
	while ((rule = plan_rule_next(&cursor)) != NULL) {
		if (rule->right != BERM_DENY)
			continue;
		found = rule;
		if (rule->except == NULL || !glob_may_match_below(rule->except, path, PLAN_FOLD))
			return rule;
		*ret_inner = true;
	}
	return found;
}

/* ---- verdicts ---------------------------------------------------------------------------------------------------- */

/* What no grant allows and no rule refuses. judge: of a rule that would have it decide, or NULL. */
static struct place_verdict judge_asking(const struct berm_plan *plan, struct str path, const struct plan_grant *grant,
					 enum place_act act, const struct plan_rule *judge)
{
	const struct plan_ask *ask = plan_ask_at(plan, path);
	unsigned rights = grant != NULL && !grant->closed ? grant->rights : 0;
	if (ask == NULL || (acts[act].needs & ~(rights | ask->rights)) != 0)
		return (struct place_verdict){.rule = PLAN_NOT_GRANTED, .error = EACCES};
	if (judge != NULL) /* what it accepts is nothing that a person could be asked */
		return (struct place_verdict){.rule = judge->label, .error = EACCES, .by = judge};
	return (struct place_verdict){.ask = ask->label};
}

struct place_verdict plan_judge_act(const struct berm_plan *plan, struct str path, const struct plan_grant *grant,
				    enum place_act act, mode_t mode, const struct plan_condition *condition)
{
	struct place_verdict verdict = {0};
	const struct plan_rule *rule;
	bool replaceable = false;
	struct plan_cursor cursor = plan_rules_at(plan, path, PLAN_FOLD);
	while (path.len > 0 && (rule = plan_rule_next(&cursor)) != NULL) {
		if (rule->right == BERM_REPLACE)
			replaceable = acts[act].replace;
		if (rule->right == BERM_REPLACE || !plan_rule_holds(rule, path, condition))
			continue;
		if (rule->right == BERM_PROTECT && plan_rule_allows(rule, act, mode))
			continue;
		if (rule->right != BERM_PROTECT || !is_for_judge(rule, act) ||
		    (verdict.judge != NULL && verdict.judge->judge != rule->judge))
			return (struct place_verdict){.rule = rule->label, .error = EACCES, .by = rule};
		verdict.judge = rule;
	}
	bool granted = grant != NULL && !grant->closed && (acts[act].needs & ~grant->rights) == 0;
	return granted || replaceable ? verdict : judge_asking(plan, path, grant, act, verdict.judge);
}

/* ---- names that must stay ---------------------------------------------------------------------------------------- */

/* How does a path sort to what is below folder? 0: it is below. */
static int compare_below(const char *path, struct str folder)
{
	int order = strncmp(path, folder.ptr, folder.len);
	return order != 0 ? order : (unsigned char)path[folder.len] - '/';
}

/* The first grant that does not sort before what is below folder. */
static size_t first_below(const struct berm_plan *plan, struct str folder)
{
	size_t low = 0, high = plan->grant_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_below(plan->grants[middle].path, folder) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* If a granted folder could be moved, what is moved in its place afterwards would get its rights. */
bool plan_is_pinned(const struct berm_plan *plan, const struct plan_grant *grant, struct str path, bool folder)
{
	if (grant != NULL && grant->exists && str_eq(str_from(grant->path), path))
		return true;
	for (size_t i = 0; i < plan->mask_count; i++)
		if (plan_lies_below(str_from(plan->masks[i].path), path))
			return true;
	for (size_t i = first_below(plan, path); folder && i < plan->grant_count; i++) {
		if (compare_below(plan->grants[i].path, path) != 0)
			return false;
		if (plan->grants[i].exists)
			return true;
	}
	return false;
}
