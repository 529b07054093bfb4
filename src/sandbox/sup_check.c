/*
 * May this be done to that place? What the plan says to an act is plan_act.c's; what is beside a place is looked up here,
 * and moves of folders and the names that rules wait for are looked at entry by entry.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/own.h"
#include "sandbox/sup_state.h"

enum {
	MAX_RULES = 64,	    /* that hold for one path */
	MAX_BELOW_LINK = 5, /* names below a link that are thought of */
};

/* ---- which rules hold -------------------------------------------------------------------------------------------- */

/* While a folder is about to be moved, what will lie below to still lies below from. */
struct moved {
	struct str from, to;
};

struct nearby {
	struct supervisor *sup;
	const struct moved *moved; /* or NULL */
};

static bool is_in_folder(void *ctx, struct str folder, const char *name)
{
	const struct nearby *nearby = ctx;
	const struct moved *moved = nearby->moved;
	char *join = nearby->sup->join;
	const size_t size = sizeof(nearby->sup->join);
	struct stat st = {0};
	size_t at = 0;
	if (moved != NULL && plan_lies_below(folder, moved->to)) {
		memcpy(join, moved->from.ptr, moved->from.len + 1);
		at = moved->from.len;
		folder = (struct str){folder.ptr + moved->to.len, folder.len - moved->to.len};
	}
	if (at + folder.len >= size)
		return true;
	memcpy(join + at, folder.ptr, folder.len);
	at += folder.len;
	join[at] = '\0';
	if (!text_put(join, size, &at, "/") || !text_put(join, size, &at, name))
		return true;
	return lstat(join, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

static bool condition_holds(struct supervisor *sup, const struct plan_rule *rule, struct str path,
			    const struct moved *moved)
{
	struct nearby nearby = {sup, moved};
	const struct plan_condition condition = {is_in_folder, &nearby};
	return plan_rule_holds(rule, path, &condition);
}

struct place_verdict place_judge_act(const struct call *call, const struct place *place, enum place_act act,
				     mode_t mode)
{
	struct supervisor *sup = call->sup;
	const struct plan_grant *grant = plan_act_of_name(act) ? place->holder : place->grant;
	struct str path = {place->path, place->unnamed ? 0 : place->path_len};
	if (scratch_is_foreign(sup, place))
		grant = NULL;
	struct nearby nearby = {.sup = sup};
	const struct plan_condition condition = {is_in_folder, &nearby};
	return plan_judge_act(sup->plan, path, grant, act, mode, &condition);
}

/* ---- telling ----------------------------------------------------------------------------------------------------- */

struct sup_notice place_notice(const struct place *place, enum place_act act, const char *as, const char *rule)
{
	bool known = place->looked && place->exists;
	return (struct sup_notice){
		.kind = BERM_REQUEST_FILE,
		.op = plan_act_op(act),
		.object = place->path,
		.as = as,
		.rule = rule,
		.dev = known ? place->st.st_dev : 0,
		.ino = known ? place->st.st_ino : 0,
		.mode = known		   ? place->st.st_mode
			: act == ACT_MKDIR ? S_IFDIR
					   : 0,
	};
}

struct sup_answer place_refuse(struct call *call, const struct place *place, enum place_act act, const char *as,
			       const char *rule, int error)
{
	struct sup_notice notice = place_notice(place, act, as, rule);
	notice.error = error;
	notice.detail = call->sup->reason;
	return call_refuse(call, &notice);
}

/* Would it be done if there were no sandbox? A mount that is only read tells so (EROFS) after the permissions. */
static bool is_possible(struct place *place, enum place_act act)
{
	bool makes = act == ACT_MAKE || act == ACT_MKDIR || act == ACT_SYMLINK || act == ACT_LINK;
	bool arrives = act == ACT_ARRIVE_FILE || act == ACT_ARRIVE_FOLDER || act == ACT_ARRIVE_OTHER;
	if (place_look(place) != 0 || (!arrives && place->exists == makes))
		return false;
	const char *name = plan_act_of_name(act) ? "." : place->name;
	int need = plan_act_needs(act) == BERM_READ ? R_OK : plan_act_needs(act) == BERM_EXEC ? X_OK : W_OK;
	return place->object >= 0 || faccessat(place->folder, name, need, 0) == 0 || errno == EROFS;
}

/* Nothing in own folders is refused for want of a grant, and devices and procfs do not get here. */
void place_report(struct call *call, struct place *place, enum place_act act, const char *as)
{
	const struct plan_grant *grant = plan_act_of_name(act) ? place->holder : place->grant;
	if ((grant != NULL && (plan_act_needs(act) & ~grant->rights) == 0) || place->unnamed ||
	    place_own(call, place) || !is_possible(place, act))
		return;
	if (act == ACT_READ && S_ISDIR(place->st.st_mode) && grant != NULL && grant->rights == PLAN_LIST &&
	    strcmp(grant->path, place->path) == 0)
		return;
	struct sup_notice notice = place_notice(place, act, as, PLAN_NOT_GRANTED);
	call_report(call, &notice);
}

/* ---- names that must stay ---------------------------------------------------------------------------------------- */

bool place_pinned(const struct call *call, const struct place *place, bool folder)
{
	return plan_is_pinned(call->sup->plan, place->grant, (struct str){place->path, place->path_len}, folder);
}

/* ---- moving a folder --------------------------------------------------------------------------------------------- */

static bool any_enters(const struct supervisor *sup, struct str folder)
{
	const struct plan_rule *rule;
	struct plan_cursor cursor = plan_rules_below(sup->plan, folder, PLAN_FOLD);
	while ((rule = plan_rule_next(&cursor)) != NULL)
		if (plan_rule_enters(rule, folder))
			return true;
	return false;
}

struct move {
	struct supervisor *sup;
	struct moved moved;
	const char *rule; /* that would change */
};

struct rule_set {
	const struct plan_rule *rules[MAX_RULES];
	size_t count;
};

static bool set_has(const struct rule_set *set, const struct plan_rule *rule)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->rules[i] == rule)
			return true;
	return false;
}

/* false: more than fit. */
static bool rules_of(struct supervisor *sup, struct str path, const struct moved *moved, struct rule_set *ret_set)
{
	const struct plan_rule *rule;
	struct plan_cursor cursor = plan_rules_at(sup->plan, path, PLAN_FOLD);
	ret_set->count = 0;
	while ((rule = plan_rule_next(&cursor)) != NULL) {
		if (set_has(ret_set, rule) || !condition_holds(sup, rule, path, moved))
			continue;
		if (ret_set->count == MAX_RULES)
			return false;
		ret_set->rules[ret_set->count++] = rule;
	}
	return true;
}

/* The name comes under a rule: as if it were made; it leaves one: as if it were renamed away. */
static int compare_rules(struct move *move, const struct rule_set *old, const struct rule_set *new)
{
	for (size_t i = 0; i < new->count; i++) {
		move->rule = new->rules[i]->label;
		if (!set_has(old, new->rules[i]))
			return EACCES;
	}
	for (size_t i = 0; i < old->count; i++) {
		move->rule = old->rules[i]->label;
		if (!set_has(new, old->rules[i]) &&
		    (old->rules[i]->right != BERM_PROTECT || !plan_rule_allows(old->rules[i], ACT_LEAVE, 0)))
			return EACCES;
	}
	move->rule = NULL;
	return 0;
}

/* Does the name of a link take part in a rule, so that what is reached by it gets around the rule? */
static bool link_enters(struct supervisor *sup, const struct plan_rule *rule, struct str link)
{
	if (rule->right == BERM_REPLACE)
		return false;
	if (rule->path != NULL)
		return plan_lies_below(str_from(rule->path), link);
	if (!glob_enters(rule->pattern, link, PLAN_FOLD))
		return false;
	size_t reach = glob_reach(rule->pattern);
	if (rule->beside == NULL || reach > MAX_BELOW_LINK)
		return true;
	size_t len = link.len;
	char *path = sup->link_path;
	struct nearby nearby = {.sup = sup};
	const struct plan_condition condition = {is_in_folder, &nearby};
	memcpy(path, link.ptr, len);
	path[len] = '\0';
	for (size_t below = 1; below < reach; below++) { /* names that may lie below it */
		if (!text_put(path, PLACE_PATH_MAX, &len, "/x") ||
		    plan_is_beside(rule, (struct str){path, len}, &condition))
			return true;
	}
	return false;
}

const struct plan_rule *place_link_rule(const struct call *call, const struct place *place)
{
	struct str path = {place->path, place->path_len};
	const struct plan_rule *rule;
	struct plan_cursor cursor = plan_rules_below(call->sup->plan, path, PLAN_FOLD);
	while ((rule = plan_rule_next(&cursor)) != NULL)
		if (link_enters(call->sup, rule, path))
			return rule;
	return NULL;
}

/* A link that is moved along: its name must not begin to take part. */
static int compare_link(struct move *move, struct str old, struct str new)
{
	const struct plan_rule *rule;
	struct plan_cursor cursor = plan_rules_below(move->sup->plan, new, PLAN_FOLD);
	while ((rule = plan_rule_next(&cursor)) != NULL) {
		if (!link_enters(move->sup, rule, new) || link_enters(move->sup, rule, old))
			continue;
		move->rule = rule->label;
		return EACCES;
	}
	return 0;
}

static bool put_path(char *path, struct str folder, const char *rel, size_t *ret_len)
{
	if (folder.len >= PLACE_PATH_MAX)
		return false;
	memcpy(path, folder.ptr, folder.len);
	path[folder.len] = '\0';
	*ret_len = folder.len;
	return text_put(path, PLACE_PATH_MAX, ret_len, rel);
}

static int visit_moved(void *ctx, int folder, const char *name, unsigned char type)
{
	(void)folder;
	(void)name;
	struct move *move = ctx;
	struct supervisor *sup = move->sup;
	struct rule_set old_rules, new_rules;
	size_t old_len, new_len;
	if (!put_path(sup->old_path, move->moved.from, sup->walk.rel, &old_len) ||
	    !put_path(sup->new_path, move->moved.to, sup->walk.rel, &new_len))
		return EXDEV;
	struct str old = {sup->old_path, old_len}, new = {sup->new_path, new_len};
	if (!rules_of(sup, old, NULL, &old_rules) || !rules_of(sup, new, &move->moved, &new_rules))
		return EXDEV;
	int error = compare_rules(move, &old_rules, &new_rules);
	if (error == 0 && type == DT_LNK)
		error = compare_link(move, old, new);
	if (error != 0 || type != DT_DIR)
		return error;
	return any_enters(sup, old) || any_enters(sup, new) ? WALK_DOWN : WALK_ON;
}

int place_check_move(const struct call *call, const struct place *from, const struct place *to, const char **ret_rule)
{
	struct move move = {
		.sup = call->sup,
		.moved = {.from = {from->path, from->path_len}, .to = {to->path, to->path_len}},
	};
	if (!any_enters(call->sup, move.moved.from) && !any_enters(call->sup, move.moved.to))
		return 0;
	int dir = openat(from->folder, from->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return errno;
	int error = sup_walk_folder(call->sup, dir, visit_moved, &move);
	*ret_rule = move.rule;
	return error;
}

/* ---- names that rules wait for ----------------------------------------------------------------------------------- */

enum { MAX_FRESH = 16 };

struct waiting {
	const struct call *call;
	const struct plan_rule *rule;
	struct str folder;
	size_t depth;		   /* of the names that the rule is about, from folder */
	uint64_t fresh[MAX_FRESH]; /* inodes that were just made: their names may come by again */
	size_t fresh_count;
};

static size_t depth_of(const char *rel)
{
	size_t depth = 0;
	for (; *rel != '\0'; rel++)
		depth += *rel == '/';
	return depth;
}

static bool is_fresh(const struct waiting *waiting, uint64_t ino)
{
	for (size_t i = 0; i < waiting->fresh_count; i++)
		if (waiting->fresh[i] == ino)
			return true;
	return false;
}

static int judge_again(struct waiting *waiting, int folder, const char *name, const char *path)
{
	char copy[JUDGE_NAME_SIZE];
	struct stat st = {0};
	auto_fd int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return errno;
	if (is_fresh(waiting, st.st_ino))
		return 0;
	if (waiting->fresh_count == MAX_FRESH)
		return EACCES;
	int error = judge_content(waiting->call, waiting->rule, folder, path, fd, copy);
	if (error != 0)
		return error;
	if (renameat(folder, copy, folder, name) < 0 || fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		error = errno;
		(void)unlinkat(folder, copy, 0);
		return error;
	}
	waiting->fresh[waiting->fresh_count++] = st.st_ino;
	return 0;
}

static int visit_waiting(void *ctx, int folder, const char *name, unsigned char type)
{
	struct waiting *waiting = ctx;
	struct supervisor *sup = waiting->call->sup;
	const struct plan_rule *rule = waiting->rule;
	size_t len;
	if (!put_path(sup->old_path, waiting->folder, sup->walk.rel, &len))
		return EACCES;
	struct str path = {sup->old_path, len};
	if (depth_of(sup->walk.rel) < waiting->depth) {
		if (!plan_rule_enters(rule, path) || (type != DT_DIR && type != DT_LNK))
			return WALK_ON;
		return type == DT_DIR ? WALK_DOWN : EACCES;
	}
	if (!plan_rule_is_at(sup->plan, rule, path))
		return WALK_ON;
	enum plan_arrival arrival = plan_rule_on_arrival(rule, type);
	if (arrival != ARRIVAL_JUDGED)
		return arrival == ARRIVAL_FINE ? WALK_ON : EACCES;
	return judge_again(waiting, folder, name, sup->old_path);
}

static int check_waiting(const struct call *call, const struct plan_rule *rule, size_t ups, const struct place *place)
{
	size_t len = place->name_at > 1 ? place->name_at - 1 : 0;
	struct waiting waiting = {.call = call, .rule = rule, .folder = {place->path, len}, .depth = ups + 1};
	int dir = openat(place->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return errno;
	int error = sup_walk_folder(call->sup, dir, visit_waiting, &waiting);
	return error == EXDEV ? EACCES : error;
}

bool place_is_awaited(const struct call *call, const struct place *place)
{
	const struct supervisor *sup = call->sup;
	for (size_t i = 0; i < sup->beside_count; i++) {
		const char *beside = sup->beside_rules[i]->beside;
		(void)plan_beside_ups(&beside);
		if (strcasecmp(beside, place->path + place->name_at) == 0)
			return true;
	}
	return false;
}

int place_check_beside(const struct call *call, const struct place *place, const char **ret_rule)
{
	struct supervisor *sup = call->sup;
	for (size_t i = 0; i < sup->beside_count; i++) {
		const struct plan_rule *rule = sup->beside_rules[i];
		const char *beside = rule->beside;
		size_t ups = plan_beside_ups(&beside);
		if (strcasecmp(beside, place->path + place->name_at) != 0)
			continue;
		int error = check_waiting(call, rule, ups, place);
		if (error == 0)
			continue;
		*ret_rule = rule->label;
		return error;
	}
	return 0;
}
