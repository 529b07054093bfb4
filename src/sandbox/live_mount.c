/*
 * Which mounts of a running sandbox go, and which come. The caller keeps a list of what is mounted on what, so it knows what
 * is seen at a path, and what would be seen once the topmost mount there is gone.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "os/sys.h"
#include "sandbox/caps.h"
#include "sandbox/live_mount.h"
#include "sandbox/view.h"

enum { WORK_DEADLINE_MS = 10000, MAX_MOUNTS = 4 * CAPS_MAX_LINES, MAX_REMOVALS = 4096 };

/* ---- what is mounted --------------------------------------------------------------------------------------------- */

static bool lies_in(const char *path, const char *folder)
{
	size_t len = strlen(folder);
	if (len == 1)
		return true;
	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static bool is_mask(enum live_kind kind)
{
	return kind == LIVE_MASK_FILE || kind == LIVE_MASK_FOLDER;
}

static struct live_mount *mount_at(const struct vec *mounts, size_t index)
{
	return (struct live_mount *)mounts->items + index;
}

/* Of what is mounted on one mount, what the way to path meets first. */
static size_t next_on_way(const struct vec *mounts, size_t parent, const char *path)
{
	size_t found = LIVE_ROOT, found_len = 0;
	for (size_t i = 0; i < mounts->len; i++) {
		const struct live_mount *mount = mount_at(mounts, i);
		size_t len = strlen(mount->path);
		if (!mount->gone && mount->parent == parent && lies_in(path, mount->path) &&
		    (found == LIVE_ROOT || len < found_len)) {
			found = i;
			found_len = len;
		}
	}
	return found;
}

/* The mount that path leads into. */
static size_t seen_at(const struct vec *mounts, const char *path)
{
	size_t at = LIVE_ROOT, next;
	while ((next = next_on_way(mounts, at, path)) != LIVE_ROOT)
		at = next;
	return at;
}

static enum berm_code add_mount(struct vec *mounts, const struct live_mount *what, struct berm_err *err)
{
	struct live_mount mount = *what;
	mount.parent = seen_at(mounts, mount.path);
	mount.gone = false;
	return vec_push(mounts, &mount, err);
}

/* With all that is mounted on it; what came later has a higher number. */
static void drop_mount(struct vec *mounts, size_t index)
{
	mount_at(mounts, index)->gone = true;
	for (size_t i = index + 1; i < mounts->len; i++) {
		struct live_mount *mount = mount_at(mounts, i);
		if (mount->parent != LIVE_ROOT && mount_at(mounts, mount->parent)->gone)
			mount->gone = true;
	}
}

/* ---- what is to be mounted --------------------------------------------------------------------------------------- */

struct wanted_list {
	const struct berm_plan *base;
	const struct plan_grant *grants;
	size_t grant_count;
	const struct plan_mask *masks;
	size_t mask_count;
};

static bool in_scratch(const struct berm_plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->scratch_count; i++)
		if (lies_in(path, plan->scratches[i].path))
			return true;
	return lies_in(path, "/dev/shm");
}

/* The hidden view has the scratch folder of the same path on top. */
static bool is_hidden_scratch(const struct berm_plan *plan, const char *path)
{
	for (size_t i = 0; plan->hidden && i < plan->scratch_count; i++)
		if (strcmp(plan->scratches[i].path, path) == 0)
			return true;
	return false;
}

/* As view.c decides it. */
static bool is_mounted(const struct wanted_list *list, const struct plan_grant *grant, const struct plan_grant *parent)
{
	if (!grant->exists || is_hidden_scratch(list->base, grant->path) ||
	    (parent != NULL && view_parent_shows(list->base, parent, grant)))
		return false;
	return list->base->hidden || in_scratch(list->base, grant->path) ||
	       (grant->rights & (BERM_WRITE | BERM_EXEC)) != 0;
}

static enum berm_code want_grants(const struct wanted_list *list, struct vec *wanted, struct berm_err *err)
{
	size_t above[64]; /* granted folders that the present one may lie in: deeper ones give up their place */
	size_t depth = 0;
	for (size_t i = 0; i < list->grant_count; i++) {
		const struct plan_grant *grant = &list->grants[i];
		while (depth > 0 && !lies_in(grant->path, list->grants[above[depth - 1]].path))
			depth--;
		const struct plan_grant *parent = depth > 0 ? &list->grants[above[depth - 1]] : NULL;
		const struct live_mount mount = {.path = grant->path,
						 .kind = grant->tree ? LIVE_TREE : LIVE_FILE,
						 .attributes = view_attributes(grant->rights)};
		if (is_mounted(list, grant, parent))
			TRY(vec_push(wanted, &mount, err));
		if (grant->tree && grant->exists && depth < ARRAY_LEN(above))
			above[depth++] = i;
	}
	return BERM_OK;
}

/* Of the same path a grant lies on a scratch folder, and a mask on both. */
static int layer_of(enum live_kind kind)
{
	return kind == LIVE_SCRATCH ? 0 : is_mask(kind) ? 2 : 1;
}

static int by_path(const void *a, const void *b)
{
	const struct live_mount *one = a, *other = b;
	int order = strcmp(one->path, other->path);
	return order != 0 ? order : layer_of(one->kind) - layer_of(other->kind);
}

/* Sorted: what lies in something comes behind it. */
static enum berm_code list_wanted(const struct wanted_list *list, struct vec *wanted, struct berm_err *err)
{
	TRY(want_grants(list, wanted, err));
	for (size_t i = 0; i < list->base->scratch_count; i++)
		TRY(vec_push(wanted, &(struct live_mount){.path = list->base->scratches[i].path, .kind = LIVE_SCRATCH},
			     err));
	for (size_t i = 0; i < list->mask_count; i++) {
		enum live_kind kind = list->masks[i].folder ? LIVE_MASK_FOLDER : LIVE_MASK_FILE;
		TRY(vec_push(wanted, &(struct live_mount){.path = list->masks[i].path, .kind = kind}, err));
	}
	if (wanted->len > 0)
		qsort(wanted->items, wanted->len, sizeof(struct live_mount), by_path);
	return BERM_OK;
}

static bool same_mount(const struct live_mount *a, const struct live_mount *b)
{
	return a->kind == b->kind && a->attributes == b->attributes && strcmp(a->path, b->path) == 0;
}

static const struct live_mount *find_wanted(const struct vec *wanted, const struct live_mount *mount)
{
	size_t low = 0, high = wanted->len;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(mount_at(wanted, middle)->path, mount->path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < wanted->len && strcmp(mount_at(wanted, low)->path, mount->path) == 0; low++)
		if (same_mount(mount_at(wanted, low), mount))
			return mount_at(wanted, low);
	return NULL;
}

/* At the start scratch space comes first, but for what covers a part of a grant. */
static enum berm_code list_started(const struct berm_plan *base, struct vec *mounts, struct berm_err *err)
{
	const struct wanted_list list = {base, base->grants, base->grant_count, base->masks, base->mask_count};
	auto_vec struct vec wanted;
	vec_init(&wanted, sizeof(struct live_mount), MAX_MOUNTS);
	TRY(list_wanted(&list, &wanted, err));
	for (size_t i = 0; i < wanted.len; i++)
		TRY(add_mount(mounts, mount_at(&wanted, i), err));
	return BERM_OK;
}

/* ---- the work ---------------------------------------------------------------------------------------------------- */

struct planning {
	struct live *live;
	const struct live_step *step;
	struct live_work *work;
	struct vec wanted, masks, narrow, widen, entries, trees;
};

static void planning_done(struct planning *planning)
{
	vec_done(&planning->wanted);
	vec_done(&planning->masks);
	vec_done(&planning->narrow);
	vec_done(&planning->widen);
	vec_done(&planning->entries);
	vec_done(&planning->trees);
}

/* Could a process inside move a folder on the way, since Landlock lets it? */
static bool can_be_moved(const struct live_step *step, const char *path)
{
	for (size_t i = 0; i < step->base->grant_count; i++) {
		const struct plan_grant *grant = &step->base->grants[i];
		bool changes = (grant->rights & (BERM_WRITE | BERM_DELETE)) != 0 && (grant->govern & GOVERN_WRITE) == 0;
		if (grant->exists && grant->tree && changes && lies_in(path, grant->path) &&
		    strcmp(path, grant->path) != 0)
			return true;
	}
	return false;
}

static const char *keep_path(struct planning *planning, const char *path)
{
	return arena_text(&planning->live->texts, str_from(path));
}

static enum berm_code push_entry(struct planning *planning, struct vec *entries, const struct live_mount *mount,
				 struct berm_err *err)
{
	const struct work_entry entry = {.path = keep_path(planning, mount->path),
					 .kind = mount->kind,
					 .attributes = mount->attributes,
					 .fd = -1};
	struct live_mount added = *mount;
	added.path = entry.path;
	if (entry.path == NULL)
		return err_set(err, BERM_ERR_NOMEM, "change a sandbox");
	TRY(vec_push(entries, &entry, err));
	return add_mount(&planning->work->mounts, &added, err);
}

/* root and all that is wanted in it, as one tree. */
static enum berm_code push_tree(struct planning *planning, const struct live_mount *root, struct vec *ops,
				struct berm_err *err)
{
	size_t seen = seen_at(&planning->work->mounts, root->path);
	const struct live_mount *under = seen == LIVE_ROOT ? NULL : mount_at(&planning->work->mounts, seen);
	struct work_tree tree = {.first = planning->entries.len,
				 .count = 1,
				 .make = planning->work->hidden && (under == NULL || under->kind == LIVE_SCRATCH),
				 .fd = -1};
	const struct work_op op = {.tree = planning->trees.len};
	TRY(push_entry(planning, &planning->entries, root, err));
	for (size_t i = 0; i < planning->wanted.len; i++) {
		const struct live_mount *mount = mount_at(&planning->wanted, i);
		bool inner = is_mask(mount->kind) || strcmp(mount->path, root->path) != 0;
		if (!inner || !lies_in(mount->path, root->path))
			continue;
		TRY(push_entry(planning, &planning->entries, mount, err));
		tree.count++;
	}
	TRY(vec_push(&planning->trees, &tree, err));
	return vec_push(ops, &op, err);
}

static enum berm_code plan_trees(struct planning *planning, struct berm_err *err)
{
	const struct vec *mounts = &planning->work->mounts;
	for (size_t i = 0; i < planning->wanted.len; i++) {
		const struct live_mount *mount = mount_at(&planning->wanted, i);
		size_t seen = is_mask(mount->kind) ? LIVE_ROOT : seen_at(mounts, mount->path);
		/* What lies on it at the very place is seen there: a mask, or over a scratch folder a grant. */
		while (seen != LIVE_ROOT && layer_of(mount_at(mounts, seen)->kind) > layer_of(mount->kind) &&
		       strcmp(mount_at(mounts, seen)->path, mount->path) == 0)
			seen = mount_at(mounts, seen)->parent;
		bool there = seen != LIVE_ROOT && same_mount(mount_at(mounts, seen), mount);
		if (!is_mask(mount->kind) && !there)
			TRY(push_tree(planning, mount, &planning->widen, err));
	}
	return BERM_OK;
}

static bool is_shown(const struct planning *planning, const struct live_mount *mask, size_t seen)
{
	const struct vec *mounts = &planning->work->mounts;
	if (seen == LIVE_ROOT)
		return !planning->work->hidden;
	return mount_at(mounts, seen)->kind != LIVE_COVER || strcmp(mount_at(mounts, seen)->path, mask->path) == 0;
}

/* Is this wanted mask missing where something is seen? */
static bool lacks_mask(const struct planning *planning, const struct live_mount *mask)
{
	const struct vec *mounts = &planning->work->mounts;
	size_t seen = seen_at(mounts, mask->path);
	return is_shown(planning, mask, seen) && (seen == LIVE_ROOT || !is_mask(mount_at(mounts, seen)->kind));
}

/* Over what is seen now; masks in new trees come with these. */
static enum berm_code plan_masks(struct planning *planning, struct berm_err *err)
{
	for (size_t i = 0; i < planning->wanted.len; i++) {
		const struct live_mount *mount = mount_at(&planning->wanted, i);
		if (is_mask(mount->kind) && lacks_mask(planning, mount))
			TRY(push_entry(planning, &planning->masks, mount, err));
	}
	return BERM_OK;
}

/* ---- what is seen and not wanted --------------------------------------------------------------------------------- */

static const struct plan_grant *grant_at(const struct live_step *step, const char *path)
{
	const struct berm_plan plan = {.grants = step->grants, .grant_count = step->grant_count};
	const struct plan_grant *grant = plan_grant_at(&plan, str_from(path));
	return grant != NULL && grant->exists ? grant : NULL;
}

static bool holds_grant(const struct live_step *step, const char *path)
{
	for (size_t i = 0; i < step->grant_count; i++)
		if (step->grants[i].exists && lies_in(step->grants[i].path, path))
			return true;
	return false;
}

/* Nothing can be made in a cover: what is wanted in it is mounted there, or it is not the right one. */
static bool shows_all(const struct planning *planning, const char *path)
{
	const struct vec *mounts = &planning->work->mounts;
	for (size_t i = 0; i < planning->wanted.len; i++) {
		const struct live_mount *mount = mount_at(&planning->wanted, i);
		size_t seen = seen_at(mounts, mount->path);
		if (!is_mask(mount->kind) && lies_in(mount->path, path) &&
		    (seen == LIVE_ROOT || mount_at(mounts, seen)->kind == LIVE_COVER))
			return false;
	}
	return true;
}

/* It is wanted, or shows what would be seen there without it. */
static bool is_right(const struct planning *planning, const struct live_mount *mount)
{
	if (mount->kind == LIVE_SCRATCH || find_wanted(&planning->wanted, mount) != NULL)
		return true;
	const struct plan_grant *grant = grant_at(planning->step, mount->path);
	if (mount->kind == LIVE_COVER)
		return grant == NULL && shows_all(planning, mount->path);
	if (is_mask(mount->kind))
		return grant == NULL && !holds_grant(planning->step, mount->path);
	if (grant == NULL && planning->work->hidden)
		return false;
	return mount->attributes == view_attributes(grant != NULL ? grant->rights : 0);
}

/* Without what was just dropped at path, is nothing seen there that should not be? */
static bool is_clean(const struct planning *planning, const char *path)
{
	const struct vec *mounts = &planning->work->mounts;
	size_t under = seen_at(mounts, path);
	if (under != LIVE_ROOT && !is_right(planning, mount_at(mounts, under)))
		return false;
	for (size_t i = 0; i < planning->wanted.len; i++) {
		const struct live_mount *mount = mount_at(&planning->wanted, i);
		if (is_mask(mount->kind) && lies_in(mount->path, path) && lacks_mask(planning, mount))
			return false;
	}
	for (size_t i = 0; i < mounts->len; i++) {
		const struct live_mount *mount = mount_at(mounts, i);
		if (!mount->gone && lies_in(mount->path, path) && seen_at(mounts, mount->path) == i &&
		    !is_right(planning, mount))
			return false;
	}
	return true;
}

/* More can be done at the path once the mount is gone. */
static bool widens(const struct planning *planning, const struct live_mount *mount)
{
	const struct vec *mounts = &planning->work->mounts;
	size_t under = seen_at(mounts, mount->path);
	if (is_mask(mount->kind))
		return true;
	if (under == LIVE_ROOT)
		return false;
	return mount->kind == LIVE_COVER || (mount->attributes & ~mount_at(mounts, under)->attributes) != 0;
}

/* What is to be seen at the path in its place, if what lies below is not it. */
static struct live_mount cover_of(const struct planning *planning, const struct live_mount *mount)
{
	const struct plan_grant *grant = grant_at(planning->step, mount->path);
	struct live_mount cover = {.path = mount->path, .kind = mount->kind};
	if (mount->kind == LIVE_MASK_FILE)
		cover.kind = LIVE_FILE;
	if (mount->kind == LIVE_MASK_FOLDER || mount->kind == LIVE_COVER)
		cover.kind = LIVE_TREE;
	cover.attributes = view_attributes(grant != NULL ? grant->rights : 0);
	if (grant == NULL && planning->work->hidden) {
		cover.kind = cover.kind == LIVE_TREE ? LIVE_COVER : LIVE_MASK_FILE;
		cover.attributes = 0;
	}
	return cover;
}

static enum berm_code remove_mount(struct planning *planning, size_t index, struct berm_err *err)
{
	struct vec *mounts = &planning->work->mounts;
	const struct live_mount mount = *mount_at(mounts, index);
	auto_vec struct vec before;
	vec_init(&before, sizeof mount, (size_t)4 * MAX_MOUNTS);
	for (size_t i = 0; i < mounts->len; i++)
		TRY(vec_push(&before, mount_at(mounts, i), err));
	drop_mount(mounts, index);
	if (is_clean(planning, mount.path)) {
		const struct work_op op = {.path = mount.path, .must = can_be_moved(planning->step, mount.path)};
		return vec_push(widens(planning, &mount) ? &planning->widen : &planning->narrow, &op, err);
	}
	memcpy(mounts->items, before.items, mounts->len * sizeof mount);
	const struct live_mount cover = cover_of(planning, &mount);
	bool closed = is_mask(mount.kind) || mount.kind == LIVE_COVER;
	return push_tree(planning, &cover, closed ? &planning->widen : &planning->narrow, err);
}

/* Until nothing of the kind is seen. */
static enum berm_code plan_removals(struct planning *planning, struct berm_err *err)
{
	const struct vec *mounts = &planning->work->mounts;
	size_t rounds = 0;
	for (size_t i = 0; i < mounts->len; i++) {
		const struct live_mount *mount = mount_at(mounts, i);
		if (mount->gone || seen_at(mounts, mount->path) != i || is_right(planning, mount))
			continue;
		if (rounds++ > MAX_REMOVALS)
			return err_set(err, BERM_ERR_LIMIT, "too many mounts to change");
		TRY(remove_mount(planning, i, err));
		i = (size_t)-1; /* what lay below it may be an older one */
	}
	return BERM_OK;
}

static enum berm_code plan_work(struct planning *planning, struct berm_err *err)
{
	const struct live_step *step = planning->step;
	const struct wanted_list list = {step->base, step->grants, step->grant_count, step->masks.items,
					 step->masks.len};
	const struct vec *now = &planning->live->mounts;
	for (size_t i = 0; i < now->len; i++)
		TRY(vec_push(&planning->work->mounts, mount_at(now, i), err));
	TRY(list_wanted(&list, &planning->wanted, err));
	TRY(plan_masks(planning, err));
	TRY(plan_removals(planning, err));
	return plan_trees(planning, err);
}

static void work_take(struct planning *planning)
{
	struct live_work *work = planning->work;
	const struct berm_plan *next = planning->step->next;
	work->narrow_count = planning->narrow.len;
	work->narrow = vec_take(&planning->narrow);
	work->widen_count = planning->widen.len;
	work->widen = vec_take(&planning->widen);
	work->mask_count = planning->masks.len;
	work->masks = vec_take(&planning->masks);
	work->entry_count = planning->entries.len;
	work->entries = vec_take(&planning->entries);
	work->tree_count = planning->trees.len;
	work->trees = vec_take(&planning->trees);
	work->links = next->links;
	work->link_count = next->link_count;
}

static void work_free(struct live_work *work)
{
	if (work == NULL)
		return;
	if (work->channel >= 0)
		(void)close(work->channel);
	free(work->narrow);
	free(work->widen);
	free(work->masks);
	free(work->entries);
	free(work->trees);
	vec_done(&work->mounts);
	free(work);
}

/* ---- the process ------------------------------------------------------------------------------------------------- */

static void work_reap(struct live_work *work)
{
	while (work->pid > 0 && waitpid(work->pid, NULL, __WALL) < 0 && errno == EINTR)
		continue;
	work->pid = 0;
}

static void work_kill(struct live_work *work)
{
	if (work->pid > 0)
		(void)kill(work->pid, SIGKILL);
	work_reap(work);
}

static enum berm_code work_hear(struct live_work *work, enum work_step step, struct berm_err *err)
{
	struct work_answer answer = {0};
	struct pollfd wait = {.fd = work->channel, .events = POLLIN};
	int ready;
	do
		ready = poll(&wait, 1, WORK_DEADLINE_MS);
	while (ready < 0 && errno == EINTR);
	if (ready <= 0) {
		work_kill(work);
		return err_set(err, BERM_ERR_TIMEOUT, "changing the sandbox's mounts took too long");
	}
	ssize_t got = recv(work->channel, &answer, sizeof answer, 0);
	if (got != (ssize_t)sizeof answer || answer.step != (int)step) {
		work_reap(work);
		return err_set(err, BERM_ERR_SYS, "the process that changes the sandbox's mounts ended");
	}
	if (answer.error == 0)
		return BERM_OK;
	work_reap(work);
	answer.path[sizeof answer.path - 1] = '\0';
	errno = answer.error;
	return err_sys(err, "change the mount '%s'", answer.path);
}

static enum berm_code work_say(const struct live_work *work, struct berm_err *err)
{
	return send(work->channel, "", 1, MSG_NOSIGNAL) == 1 ? BERM_OK : err_sys(err, "change the sandbox's mounts");
}

/* Every signal is blocked around the fork, so that no handler of the caller ever runs in the child. */
static enum berm_code work_fork(struct live_work *work, struct berm_err *err)
{
	int ends[2];
	sigset_t all, before;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(err, "make a socket pair");
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t pid = sys_fork(OS_CLONE_CLEAR_SIGHAND, 0, NULL);
	if (pid == 0) {
		work->channel = ends[1];
		live_worker_main(work);
	}
	int failed = errno;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)close(ends[1]);
	work->channel = ends[0];
	work->pid = pid > 0 ? pid : 0;
	errno = failed;
	return pid > 0 ? BERM_OK : err_sys(err, "start a process");
}

/* ---- the steps --------------------------------------------------------------------------------------------------- */

static enum berm_code begin(struct live *live, struct live_work *work, struct berm_err *err)
{
	work->user_fd = live->user_fd;
	work->mount_fd = live->mount_fd;
	TRY(work_fork(work, err));
	return work_hear(work, WORK_PREPARED, err);
}

static struct live_work *work_new(const struct berm_plan *base)
{
	struct live_work *work = calloc(1, sizeof *work);
	if (work == NULL)
		return NULL;
	work->channel = -1;
	work->hidden = base->hidden;
	vec_init(&work->mounts, sizeof(struct live_mount), (size_t)4 * MAX_MOUNTS);
	return work;
}

static enum berm_code plan_and_begin(struct planning *planning, struct berm_err *err)
{
	struct live *live = planning->live;
	if (live->mounts.len == 0)
		TRY(list_started(live->base, &live->mounts, err));
	TRY(plan_work(planning, err));
	if (planning->narrow.len + planning->masks.len + planning->widen.len == 0)
		return BERM_OK;
	work_take(planning);
	return begin(live, planning->work, err);
}

enum berm_code live_mount_prepare(struct live *live, const struct live_step *step, struct live_work **ret_work,
				  struct berm_err *err)
{
	*ret_work = NULL;
	if (!step->can_mount)
		return BERM_OK;
	struct planning planning = {.live = live, .step = step, .work = work_new(live->base)};
	if (planning.work == NULL)
		return err_set(err, BERM_ERR_NOMEM, "change a sandbox");
	vec_init(&planning.wanted, sizeof(struct live_mount), MAX_MOUNTS);
	vec_init(&planning.narrow, sizeof(struct work_op), MAX_MOUNTS);
	vec_init(&planning.widen, sizeof(struct work_op), MAX_MOUNTS);
	vec_init(&planning.masks, sizeof(struct work_entry), MAX_MOUNTS);
	vec_init(&planning.entries, sizeof(struct work_entry), (size_t)4 * MAX_MOUNTS);
	vec_init(&planning.trees, sizeof(struct work_tree), MAX_MOUNTS);
	enum berm_code code = plan_and_begin(&planning, err);
	planning_done(&planning);
	if (code == BERM_OK && planning.work->pid > 0) {
		*ret_work = planning.work;
		return BERM_OK;
	}
	work_kill(planning.work);
	work_free(planning.work);
	return code;
}

enum berm_code live_mount_narrow(struct live_work *work, struct berm_err *err)
{
	if (work == NULL)
		return BERM_OK;
	work->tried = true;
	TRY(work_say(work, err));
	return work_hear(work, WORK_NARROWED, err);
}

enum berm_code live_mount_widen(struct live_work *work, struct berm_err *err)
{
	if (work == NULL)
		return BERM_OK;
	TRY(work_say(work, err));
	return work_hear(work, WORK_WIDENED, err);
}

/* What is gone is forgotten, so that the list does not grow with every update. */
static bool keep_mounts(struct live *live, const struct vec *mounts)
{
	auto_vec struct vec kept;
	vec_init(&kept, sizeof(struct live_mount), (size_t)4 * MAX_MOUNTS);
	auto_free size_t *numbers = calloc(mounts->len + 1, sizeof *numbers);
	if (numbers == NULL)
		return false;
	for (size_t i = 0; i < mounts->len; i++) {
		struct live_mount mount = *mount_at(mounts, i);
		numbers[i] = kept.len;
		if (mount.gone)
			continue;
		mount.parent = mount.parent == LIVE_ROOT ? LIVE_ROOT : numbers[mount.parent];
		if (vec_push(&kept, &mount, NULL) != BERM_OK)
			return false;
	}
	vec_done(&live->mounts);
	live->mounts = kept;
	vec_init(&kept, sizeof(struct live_mount), 1);
	return true;
}

void live_mount_end(struct live *live, struct live_work *work, bool done)
{
	if (work == NULL)
		return;
	if (!done)
		work_kill(work);
	work_reap(work);
	if (done)
		live->mounts_known = keep_mounts(live, &work->mounts);
	else if (work->tried)
		live->mounts_known = false;
	work_free(work);
}
