/*
 * What a plan can be on a sandbox that was started with another one. The Landlock rules of the start (base) can neither be
 * taken back nor added to; what they grant and the plan does not must be closed by mounts, and what they do not grant and the
 * plan does can only be done on behalf. Where neither is possible the line waits for the next run.
 */
#include <string.h>

#include "base/own.h"
#include "sandbox/live.h"
#include "sandbox/plan_build.h"
#include "sandbox/plan_decide.h"
#include "sandbox/view.h"

#define MAX_PATHS ((size_t)64 << 20)

enum { ALL_RIGHTS = BERM_READ | BERM_WRITE | BERM_DELETE | BERM_EXEC };

void live_step_init(struct live_step *step, const struct live *live, const struct berm_plan *next)
{
	*step = (struct live_step){
		.base = live->base,
		.now = live->now,
		.next = next,
		.old_grants = live->grants != NULL ? live->grants : live->base->grants,
		.old_count = live->grants != NULL ? live->grant_count : live->base->grant_count,
		.can_mount = live->base->backend == BERM_BACKEND_NAMESPACES && live->mounts_known,
	};
	vec_init(&step->loose, sizeof(const char *), (size_t)4 * CAPS_MAX_LINES);
	vec_init(&step->unruled, sizeof(const char *), (size_t)4 * CAPS_MAX_LINES);
	vec_init(&step->unshown, sizeof(const char *), (size_t)4 * CAPS_MAX_LINES);
	vec_init(&step->walked, sizeof(const char *), (size_t)4 * CAPS_MAX_LINES);
	arena_init(&step->paths, MAX_PATHS);
	vec_init(&step->masks, sizeof(struct plan_mask), (size_t)4 * CAPS_MAX_LINES);
}

void live_step_done(struct live_step *step)
{
	free(step->grants);
	free(step->here);
	vec_done(&step->loose);
	vec_done(&step->unruled);
	vec_done(&step->unshown);
	vec_done(&step->walked);
	arena_done(&step->paths);
	vec_done(&step->masks);
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

static bool lies_in(const char *path, const char *folder)
{
	size_t len = strlen(folder);
	if (len == 1)
		return true;
	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static const struct plan_grant *grant_at(const struct plan_grant *grants, size_t count, const char *path)
{
	struct berm_plan plan = {.grant_count = count};
	memcpy(&plan.grants, &grants, sizeof grants); /* the list is only read */
	return plan_grant_at(&plan, str_from(path));
}

static const struct plan_grant *grant_exactly(const struct berm_plan *plan, struct str path)
{
	const struct plan_grant *grant = plan_grant_at(plan, path);
	return grant != NULL && strlen(grant->path) == path.len ? grant : NULL;
}

/* The next beginning of path that is a path itself: "/", "/a", "/a/b". False at the end. */
static bool next_ancestor(struct str path, size_t *len)
{
	if (*len == 0) {
		*len = 1;
		return true;
	}
	if (*len >= path.len)
		return false;
	size_t at = *len == 1 ? 1 : *len + 1;
	while (at < path.len && path.ptr[at] != '/')
		at++;
	*len = at;
	return true;
}

/* ---- what Landlock grants ---------------------------------------------------------------------------------------- */

static unsigned given(const struct plan_grant *grant)
{
	unsigned rights = grant->exists ? grant->rights & ALL_RIGHTS : 0;
	if ((grant->govern & GOVERN_READ) != 0)
		rights &= ~(unsigned)BERM_READ;
	if ((grant->govern & GOVERN_WRITE) != 0)
		rights &= ~(unsigned)(BERM_WRITE | BERM_DELETE);
	return rights;
}

static unsigned given_in(const struct berm_plan *base, const char *scratch, const char *path)
{
	if (!lies_in(path, scratch) || plan_scratch_is_granted(base, scratch))
		return 0;
	const struct plan_grant all = {
		.exists = true, .rights = ALL_RIGHTS, .govern = plan_scratch_govern(base, scratch)};
	return given(&all);
}

static unsigned given_by_scratch(const struct berm_plan *base, const char *path)
{
	if (base->backend != BERM_BACKEND_NAMESPACES)
		return 0;
	unsigned rights = given_in(base, "/dev/shm", path);
	for (size_t i = 0; i < base->scratch_count; i++)
		rights |= given_in(base, base->scratches[i].path, path);
	return rights;
}

/* In the hidden view Landlock's walk from a file ends at the topmost mount: what lies around it is berm's own. */
static size_t topmost(const struct live_step *step, struct str path)
{
	size_t len = 0;
	while (step->base->hidden && next_ancestor(path, &len)) {
		const struct plan_grant *grant = grant_exactly(step->next, (struct str){path.ptr, len});
		if (grant != NULL && grant->exists && (grant->tree || len == path.len))
			return len;
	}
	return step->base->hidden ? path.len : 1;
}

static unsigned kernel_rights(const struct live_step *step, const char *text)
{
	const struct berm_plan *base = step->base;
	struct str path = str_from(text);
	size_t top = topmost(step, path), len = 0;
	if (base->landlock_abi < 1)
		return ALL_RIGHTS;
	unsigned rights = given_by_scratch(base, text) | (plan_root_is_readable(base) ? (unsigned)BERM_READ : 0);
	while (next_ancestor(path, &len)) {
		const struct plan_grant *grant = grant_exactly(base, (struct str){path.ptr, len});
		if (len >= top && grant != NULL && (grant->tree || len == path.len))
			rights |= given(grant);
	}
	for (size_t i = 0; i < base->around_count; i++)
		if (base->around[i].tree ? lies_in(text, base->around[i].path)
					 : strcmp(text, base->around[i].path) == 0)
			rights |= base->around[i].rights & ALL_RIGHTS;
	return rights;
}

/* ---- grants of the next plan ------------------------------------------------------------------------------------- */

/* Rules are held where the kernel lets nothing through that they govern, and the filter traps it. */
static bool can_rule(const struct live_step *step, const struct plan_grant *grant, unsigned kernel)
{
	const struct seccomp_spec *spec = &step->base->spec;
	if ((grant->govern & GOVERN_WRITE) != 0 &&
	    (!spec->trap_changes || (kernel & (BERM_WRITE | BERM_DELETE)) != 0 ||
	     (step->next->spec.trap_modes && !spec->trap_modes) ||
	     (grant->closed && step->next->spec.trap_metadata && !spec->trap_metadata)))
		return false;
	return (grant->govern & GOVERN_READ) == 0 || (spec->trap_reads && (kernel & BERM_READ) == 0);
}

/* What is wanted and Landlock does not grant is done on behalf. Returns the rights that are in force then. */
static unsigned take_on(const struct live_step *step, struct plan_grant *grant, unsigned kernel)
{
	const struct seccomp_spec *spec = &step->base->spec;
	unsigned change = BERM_WRITE | BERM_DELETE, wanted = grant->rights & ALL_RIGHTS;
	unsigned here = wanted & kernel;
	if ((wanted & change & ~kernel) != 0 && spec->trap_changes)
		grant->govern |= GOVERN_WRITE;
	if ((wanted & (unsigned)BERM_READ & ~kernel) != 0 && spec->trap_reads)
		grant->govern |= GOVERN_READ;
	if ((grant->govern & GOVERN_WRITE) != 0 && spec->trap_changes)
		here |= wanted & change;
	if ((grant->govern & GOVERN_READ) != 0 && spec->trap_reads)
		here |= wanted & BERM_READ;
	return here;
}

/* What a mount cannot take away where the plan grants something else. */
static unsigned stays_open(const struct live_step *step, const struct plan_grant *grant, unsigned kernel)
{
	unsigned more = kernel & ~grant->rights & ALL_RIGHTS;
	if (!step->can_mount)
		return more;
	more &= (grant->rights & BERM_WRITE) != 0 ? (unsigned)(BERM_READ | BERM_DELETE) : (unsigned)BERM_READ;
	return more;
}

static bool is_reserved(const char *path)
{
	return path[1] == '\0' || strcmp(path, "/proc") == 0 || strcmp(path, "/dev") == 0 ||
	       strncmp(path, "/proc/", 6) == 0 ||
	       (strncmp(path, "/dev/", 5) == 0 && strncmp(path, "/dev/shm/", 9) != 0);
}

/* In the visible view what Landlock granted at the start and the plan does not is closed by a mask over all of it, and nothing
 * new appears below a mask. */
static bool is_below_closed(const struct live_step *step, const struct plan_grant *grant)
{
	const struct berm_plan *base = step->base;
	for (size_t i = 0; i < base->grant_count && !base->hidden; i++) {
		const struct plan_grant *started = &base->grants[i];
		if ((given(started) & BERM_READ) != 0 && strcmp(started->path, grant->path) != 0 &&
		    lies_in(grant->path, started->path) &&
		    grant_at(step->next->grants, step->next->grant_count, started->path) == NULL)
			return true;
	}
	return false;
}

/* In a scratch folder in a granted one nothing is made for a mount: what is in there is the sandbox's own. */
static bool is_below_scratch(const struct live_step *step, const struct plan_grant *grant)
{
	if (step->base->backend != BERM_BACKEND_NAMESPACES || !grant->exists)
		return false;
	const struct plan_grant *old = grant_at(step->old_grants, step->old_count, grant->path);
	const struct plan_grant same = {.path = grant->path, .rights = old != NULL ? old->rights : 0};
	return old != NULL && strcmp(old->path, grant->path) != 0 && !view_parent_shows(step->base, old, &same);
}

/* New mounts are needed for what the view does not show yet. */
static bool can_show(const struct live_step *step, const struct plan_grant *grant, unsigned had)
{
	if (step->base->backend != BERM_BACKEND_NAMESPACES || !grant->exists || (had & grant->rights) == grant->rights)
		return true;
	return step->can_mount && !is_reserved(grant->path) && (had != 0 || !is_below_closed(step, grant));
}

/* Where reading cannot be governed, because the filter does not trap it, or Landlock grants it: names that are denied and
 * exist are masked instead. */
static enum berm_code mask_instead(struct live_step *step, struct plan_grant *grant, unsigned kernel,
				   struct berm_err *err)
{
	bool whole = false, traps = step->base->spec.trap_reads && (kernel & BERM_READ) == 0;
	if ((grant->govern & GOVERN_READ) == 0 || traps || !step->can_mount || !grant->exists || grant->closed)
		return BERM_OK;
	TRY(live_mask_denied(step, grant->path, &whole, err));
	if (!whole)
		return BERM_OK;
	grant->govern &= ~(unsigned)GOVERN_READ;
	return vec_push(&step->walked, &grant->path, err);
}

static enum berm_code add_grant(struct live_step *step, const struct plan_grant *planned, struct berm_err *err)
{
	struct plan_grant masked = *planned;
	const struct plan_grant *grant = &masked;
	if (is_below_scratch(step, grant))
		return vec_push(&step->unshown, &planned->path, err);
	unsigned kernel = kernel_rights(step, grant->path);
	/* A folder around a denied name: the supervisor tells that name from the others. */
	if ((masked.rights & PLAN_LIST) != 0 && step->base->spec.trap_reads && (kernel & BERM_READ) == 0) {
		masked.rights = BERM_READ;
		masked.govern |= GOVERN_READ;
	}
	TRY(mask_instead(step, &masked, kernel, err));
	const struct plan_grant *old = grant_at(step->old_grants, step->old_count, grant->path);
	unsigned had = old == NULL || !old->exists ? 0 : old->rights & ALL_RIGHTS;
	if (old != NULL && (old->rights & PLAN_LIST) != 0)
		had |= BERM_READ; /* of what is in it */
	bool ruled = can_rule(step, grant, kernel);
	bool open = grant->exists && !grant->closed && stays_open(step, grant, kernel) != 0;
	if ((grant->exists && had == 0 && (!ruled || open)) || !can_show(step, grant, had))
		/* Not before the next run; but what Landlock grants is there all the same. */
		return kernel != 0 && !step->can_mount ? vec_push(&step->unruled, &planned->path, err) : BERM_OK;
	if (!ruled)
		TRY(vec_push(&step->unruled, &grant->path, err));
	if (open)
		TRY(vec_push(&step->loose, &grant->path, err));
	struct plan_grant *added = &step->grants[step->grant_count];
	*added = *grant;
	step->here[step->grant_count++] = grant->exists ? take_on(step, added, kernel) : 0;
	return BERM_OK;
}

static enum berm_code add_grants(struct live_step *step, struct berm_err *err)
{
	size_t count = step->next->grant_count;
	step->grants = calloc(count + 1, sizeof *step->grants);
	step->here = calloc(count + 1, sizeof *step->here);
	if (step->grants == NULL || step->here == NULL)
		return err_set(err, BERM_ERR_NOMEM, "change a sandbox");
	for (size_t i = 0; i < count; i++)
		TRY(add_grant(step, &step->next->grants[i], err));
	return BERM_OK;
}

/* ---- what the start granted and the plan does not ---------------------------------------------------------------- */

static bool is_masked(const struct live_step *step, const char *path)
{
	const struct plan_mask *masks = step->masks.items;
	for (size_t i = 0; i < step->masks.len; i++)
		if (lies_in(path, masks[i].path))
			return true;
	return false;
}

static bool holds_grant(const struct live_step *step, const char *path)
{
	for (size_t i = 0; i < step->grant_count; i++)
		if (step->grants[i].exists && lies_in(step->grants[i].path, path))
			return true;
	return false;
}

static bool is_denied(const struct berm_plan *plan, const char *path)
{
	struct plan_cursor cursor = plan_rules_at(plan, str_from(path), true);
	const struct plan_rule *rule;
	while ((rule = plan_rule_next(&cursor)) != NULL)
		if (rule->right == BERM_DENY)
			return true;
	return false;
}

/* Closes what Landlock grants at a path and the plan does not, or notes that it stays open. */
static enum berm_code close_rest(struct live_step *step, const char *path, unsigned granted, bool tree,
				 struct berm_err *err)
{
	const struct plan_grant *now = grant_at(step->grants, step->grant_count, path);
	struct plan_grant none = {.path = path};
	if (is_masked(step, path))
		return BERM_OK;
	if (now == NULL || !now->exists || is_denied(step->next, path))
		now = &none;
	unsigned more = granted & ~now->rights;
	if (step->can_mount && step->base->hidden && now == &none)
		more = 0; /* it is not in the view */
	else if (more != 0)
		more = stays_open(step, now, granted);
	if (more == 0)
		return BERM_OK;
	if (!step->can_mount || now != &none || holds_grant(step, path))
		return vec_push(&step->loose, &path, err);
	const struct plan_mask mask = {.path = path, .folder = tree};
	return vec_push(&step->masks, &mask, err);
}

static enum berm_code close_denied(struct live_step *step, struct berm_err *err)
{
	const struct berm_plan *next = step->next;
	for (size_t i = 0; i < next->literal_count; i++) {
		const struct plan_rule *rule = &next->rules[i];
		unsigned kernel =
			rule->right != BERM_DENY || is_masked(step, rule->path) ? 0 : kernel_rights(step, rule->path);
		/* With namespaces what exists is masked; a name that is made later is open if the kernel lets it be made. */
		if (step->can_mount)
			kernel &= BERM_WRITE;
		if (kernel != 0)
			TRY(vec_push(&step->loose, &rule->path, err));
	}
	return BERM_OK;
}

enum berm_code live_find_rights(struct live_step *step, struct berm_err *err)
{
	const struct berm_plan *base = step->base;
	TRY(add_grants(step, err));
	for (size_t i = 0; i < step->next->mask_count; i++)
		TRY(vec_push(&step->masks, &step->next->masks[i], err));
	for (size_t i = 0; i < base->grant_count; i++)
		if (given(&base->grants[i]) != 0)
			TRY(close_rest(step, base->grants[i].path, given(&base->grants[i]), base->grants[i].tree, err));
	for (size_t i = 0; i < base->around_count; i++)
		TRY(close_rest(step, base->around[i].path, base->around[i].rights & ALL_RIGHTS, base->around[i].tree,
			       err));
	return close_denied(step, err);
}

unsigned live_rights_here(const struct live_step *step, const char *path)
{
	const char *const *unshown = step->unshown.items;
	for (size_t i = 0; i < step->unshown.len; i++)
		if (lies_in(path, unshown[i]))
			return 0;
	const struct plan_grant *grant = grant_at(step->grants, step->grant_count, path);
	return grant == NULL ? 0 : step->here[grant - step->grants];
}
