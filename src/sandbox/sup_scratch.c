/*
 * Scratch space that is served. With namespaces that is only a scratch folder in which a governed grant lies (a workspace
 * in /tmp): plan_scratch_govern says why. One that lies in it, or in a grant, and holds no such grant itself is not.
 * Where nothing can be mounted: the private temporary folder lies in the host's /tmp, so the names that programs outside
 * act on are governed in it as in any granted tree: a git repository made there could be pointed to from the workspace.
 * /dev/shm is everybody's: the sandbox has in it what it made itself, and nothing else. What it made is known, because
 * making is on behalf; a file is told by device and number, and kept from being confused with a later one by a
 * descriptor that stays open as long as it has a name.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "sandbox/sup_state.h"

static const char SHARED_MEMORY[] = "/dev/shm";
static const unsigned ALL_RIGHTS = BERM_READ | BERM_WRITE | BERM_DELETE | BERM_EXEC;

static bool lies_in(struct str path, const char *folder)
{
	size_t len = strlen(folder);
	return path.len >= len && memcmp(path.ptr, folder, len) == 0 && (path.len == len || path.ptr[len] == '/');
}

static void add_folder(struct supervisor *sup, const char *path, unsigned govern)
{
	if (sup->scratch_count == SUP_MAX_SCRATCH)
		return;
	sup->scratch[sup->scratch_count++] =
		(struct plan_grant){.path = path, .rights = ALL_RIGHTS, .tree = true, .exists = true, .govern = govern};
}

/* Those that are served, or the others, which are known for one of them may lie in one that is served. */
static void add_folders(struct supervisor *sup, bool served)
{
	const struct berm_plan *plan = sup->plan;
	for (size_t i = 0; i <= plan->scratch_count; i++) {
		const char *path = i < plan->scratch_count ? plan->scratches[i].path : sup->shared_path;
		unsigned govern = plan_scratch_govern(plan, path);
		if (!plan_scratch_is_granted(plan, path) && (govern != 0) == served)
			add_folder(sup, path, govern);
	}
}

void scratch_init(struct supervisor *sup)
{
	memcpy(sup->shared_path, SHARED_MEMORY, sizeof(SHARED_MEMORY));
	if (sup->plan->backend != BERM_BACKEND_NAMESPACES) {
		sup->shared = (struct plan_grant){
			.path = sup->shared_path,
			.rights = ALL_RIGHTS & ~(unsigned)BERM_EXEC,
			.tree = true,
			.exists = true,
			.govern = GOVERN_READ | GOVERN_WRITE,
		};
		return;
	}
	add_folders(sup, true);
	add_folders(sup, false);
}

static bool is_mounted(const char *path)
{
	struct statx told = {0};
	return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &told) == 0 &&
	       (told.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

void scratch_begin(struct supervisor *sup)
{
	size_t count = 0;
	if (sup->plan->backend != BERM_BACKEND_NAMESPACES)
		return;
	for (size_t i = 0; i < sup->scratch_count; i++)
		if (is_mounted(sup->scratch[i].path))
			sup->scratch[count++] = sup->scratch[i];
	sup->scratch_count = count;
}

void scratch_private(struct supervisor *sup)
{
	if (sup->plan->spec.trap_changes && sup->own_count > 0)
		add_folder(sup, sup->own[0], GOVERN_WRITE);
}

/* The innermost: what the one around it needs, for grants that lie in that, is nothing to one without any. */
static const struct plan_grant *scratch_at(const struct supervisor *sup, struct str path)
{
	const struct plan_grant *best = NULL;
	for (size_t i = 0; i < sup->scratch_count; i++)
		if (lies_in(path, sup->scratch[i].path) &&
		    (best == NULL || strlen(sup->scratch[i].path) > strlen(best->path)))
			best = &sup->scratch[i];
	return best;
}

/* A scratch folder within a grant, or in place of it. */
static bool covers(const struct supervisor *sup, const struct plan_grant *own, const struct plan_grant *grant)
{
	return sup->plan->backend == BERM_BACKEND_NAMESPACES &&
	       (!grant->exists || strlen(own->path) >= strlen(grant->path));
}

const struct plan_grant *scratch_grant_at(const struct supervisor *sup, struct str path, const struct plan_grant *grant)
{
	const struct plan_grant *own = scratch_at(sup, path);
	if (own != NULL && (grant == NULL || covers(sup, own, grant)))
		return own->govern != 0 ? own : NULL;
	if (grant != NULL)
		return grant;
	return sup->shared.path != NULL && lies_in(path, SHARED_MEMORY) ? &sup->shared : NULL;
}

static bool is_made(const struct supervisor *sup, const struct stat *st)
{
	for (size_t i = 0; i < sup->made_count; i++)
		if (sup->made[i].ino == st->st_ino && sup->made[i].dev == st->st_dev)
			return true;
	return false;
}

bool scratch_is_foreign(const struct supervisor *sup, const struct place *place)
{
	if (place->grant != &sup->shared && place->holder != &sup->shared)
		return false;
	return place->looked && place->exists && !is_made(sup, &place->st);
}

/* Those without a name can never be found again. */
static void forget_unnamed(struct supervisor *sup)
{
	struct stat st;
	for (size_t i = sup->made_count; i-- > 0;) {
		if (fstat(sup->made[i].pin, &st) == 0 && st.st_nlink > 0)
			continue;
		(void)close(sup->made[i].pin);
		sup->made[i] = sup->made[--sup->made_count];
	}
}

bool scratch_remember(struct supervisor *sup, const struct place *place, int fd)
{
	struct stat st;
	if (place->holder != &sup->shared)
		return true;
	if (sup->made_count == SUP_MAX_MADE)
		forget_unnamed(sup);
	if (sup->made_count == SUP_MAX_MADE || fstat(fd, &st) < 0)
		return false;
	int pin = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (pin < 0)
		return false;
	sup->made[sup->made_count++] = (struct sup_made){.pin = pin, .dev = st.st_dev, .ino = st.st_ino};
	return true;
}

static int remove_made(void *ctx, int folder, const char *name, unsigned char type)
{
	struct supervisor *sup = ctx;
	struct stat st;
	(void)type;
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_made(sup, &st))
		(void)unlinkat(folder, name, 0);
	return WALK_ON;
}

void supervisor_finish(struct supervisor *sup)
{
	stage_collect(sup);
	if (sup->made_count == 0)
		return;
	int dir = open(SHARED_MEMORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0)
		(void)sup_walk_folder(sup, dir, remove_made, sup);
}
