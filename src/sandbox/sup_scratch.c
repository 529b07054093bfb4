/*
 * Scratch space that is served. With namespaces that is only a scratch folder in which a governed grant lies (a workspace
 * in /tmp): plan_scratch_govern says why. Where nothing can be mounted: the private temporary folder lies in the host's /tmp, so the names that
 * programs outside act on are governed in it as in any granted tree: a git repository made there could be pointed to from
 * the workspace. /dev/shm is everybody's: the sandbox has in it what it made itself, and nothing else. What it made is
 * known, because making is on behalf; a file is told by device and number, and kept from being confused with a later one
 * by a descriptor that stays open as long as it has a name.
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

static void add_grant(struct supervisor *sup, const char *path, unsigned rights, unsigned govern)
{
	if (govern == 0 || sup->scratch_count == SUP_MAX_SCRATCH)
		return;
	sup->scratch[sup->scratch_count++] =
		(struct plan_grant){.path = path, .rights = rights, .tree = true, .exists = true, .govern = govern};
}

void scratch_init(struct supervisor *sup)
{
	const struct berm_plan *plan = sup->plan;
	bool namespaces = plan->backend == BERM_BACKEND_NAMESPACES;
	memcpy(sup->shared_path, SHARED_MEMORY, sizeof(SHARED_MEMORY));
	for (size_t i = 0; i < plan->scratch_count; i++) {
		const char *path = plan->scratches[i].path;
		if (namespaces)
			add_grant(sup, path, ALL_RIGHTS, plan_scratch_govern(plan, path));
	}
	if (namespaces)
		add_grant(sup, sup->shared_path, ALL_RIGHTS, plan_scratch_govern(plan, SHARED_MEMORY));
	else
		sup->shared = (struct plan_grant){
			.path = sup->shared_path,
			.rights = ALL_RIGHTS & ~(unsigned)BERM_EXEC,
			.tree = true,
			.exists = true,
			.govern = GOVERN_READ | GOVERN_WRITE,
		};
}

void scratch_private(struct supervisor *sup)
{
	if (sup->plan->spec.trap_changes && sup->own_count > 0)
		add_grant(sup, sup->own[0], ALL_RIGHTS, GOVERN_WRITE);
}

const struct plan_grant *scratch_grant_at(const struct supervisor *sup, struct str path)
{
	for (size_t i = 0; i < sup->scratch_count; i++)
		if (lies_in(path, sup->scratch[i].path))
			return &sup->scratch[i];
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
