/*
 * Landlock: which access bits a grant means on a kernel of a given ABI, and the ruleset of a plan. Every bit the ABI
 * has is handled, so what no rule grants is refused; what a plan governs is granted by no rule at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "os/sys.h"
#include "sandbox/launch.h"
#include "sandbox/plan_decide.h"

static const struct {
	int abi; /* first ABI that knows the bits */
	uint64_t access;
	unsigned rights; /* any of these grants the bits */
	unsigned govern; /* any of these takes them away again */
	bool file;	 /* means something for a single file */
} access_table[] = {
	{1, LL_FS_EXECUTE, BERM_EXEC, 0, true},
	{1, LL_FS_READ_FILE, BERM_READ, GOVERN_READ, true},
	{1, LL_FS_READ_DIR, BERM_READ | PLAN_LIST, GOVERN_READ, false},
	{1, LL_FS_WRITE_FILE, BERM_WRITE, GOVERN_WRITE, true},
	{1, LL_FS_REMOVE_DIR | LL_FS_REMOVE_FILE, BERM_DELETE, GOVERN_WRITE, false},
	{1, LL_FS_MAKE_REG | LL_FS_MAKE_DIR | LL_FS_MAKE_SYM | LL_FS_MAKE_FIFO | LL_FS_MAKE_SOCK, BERM_WRITE,
	 GOVERN_WRITE, false},
	{2, LL_FS_REFER, BERM_WRITE, GOVERN_WRITE, false},
	{3, LL_FS_TRUNCATE, BERM_WRITE, GOVERN_WRITE, true},
};

uint64_t landlock_handled(int abi)
{
	static const struct {
		int abi;
		uint64_t access;
	} extra[] = {
		{1, LL_FS_MAKE_CHAR | LL_FS_MAKE_BLOCK}, /* granted to nobody */
		{5, LL_FS_IOCTL_DEV},
		/* LL_FS_RESOLVE_UNIX (ABI 9) is not handled: sockets are the supervisor's, which tells whose they are */
	};
	uint64_t handled = 0;
	for (size_t i = 0; i < ARRAY_LEN(access_table); i++)
		if (abi >= access_table[i].abi)
			handled |= access_table[i].access;
	for (size_t i = 0; i < ARRAY_LEN(extra); i++)
		if (abi >= extra[i].abi)
			handled |= extra[i].access;
	return handled;
}

uint64_t landlock_access(unsigned rights, unsigned govern, bool tree, int abi)
{
	uint64_t access = 0;
	for (size_t i = 0; i < ARRAY_LEN(access_table); i++)
		if (abi >= access_table[i].abi && (rights & access_table[i].rights) != 0 &&
		    (govern & access_table[i].govern) == 0 && (tree || access_table[i].file))
			access |= access_table[i].access;
	return access;
}

unsigned plan_scratch_govern(const struct berm_plan *plan, const char *scratch)
{
	size_t len = strlen(scratch);
	unsigned govern = 0;
	for (size_t i = 0; i < plan->grant_count; i++) {
		const char *path = plan->grants[i].path;
		if (plan->grants[i].exists && strncmp(path, scratch, len) == 0 && path[len] == '/')
			govern |= plan->grants[i].govern;
	}
	return govern;
}

bool plan_scratch_is_granted(const struct berm_plan *plan, const char *scratch)
{
	const struct plan_grant *grant = plan_grant_at(plan, str_from(scratch));
	return grant != NULL && grant->exists && strcmp(grant->path, scratch) == 0 &&
	       (!plan->hidden || strcmp(scratch, "/dev/shm") == 0);
}

static const unsigned ALL_RIGHTS = BERM_READ | BERM_WRITE | BERM_DELETE | BERM_EXEC;

/* A path that is not there (any more) needs no rule: nothing can be opened through it. */
static int rule_add(struct launch *launch, const char *path, uint64_t access)
{
	if (access == 0)
		return 0;
	struct os_open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = OS_RESOLVE_NO_SYMLINKS};
	auto_fd int fd = sys_openat2(AT_FDCWD, path, &how);
	/* ELOOP: it is a link by now, and what it leads to was not granted; or /dev/ptmx, a link into pts. */
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
			       ? 0
			       : launch_fail(launch, STAGE_LANDLOCK, path);
	if (sys_landlock_add_path(launch->ruleset, fd, access) < 0)
		return launch_fail(launch, STAGE_LANDLOCK, path);
	return 0;
}

static int rules_add_grants(struct launch *launch)
{
	const struct berm_plan *plan = launch->plan;
	uint64_t everywhere = 0;
	if (plan_root_is_readable(plan)) {
		everywhere = landlock_access(BERM_READ, 0, true, plan->landlock_abi);
		if (rule_add(launch, "/", everywhere) < 0)
			return -1;
	}
	for (size_t i = 0; i < plan->grant_count; i++) {
		const struct plan_grant *grant = &plan->grants[i];
		uint64_t access = landlock_access(grant->rights, grant->govern, grant->tree, plan->landlock_abi);
		if (grant->exists && (access & ~everywhere) != 0 && rule_add(launch, grant->path, access) < 0)
			return -1;
	}
	for (size_t i = 0; i < plan->around_count; i++) {
		const struct plan_grant *around = &plan->around[i];
		uint64_t access = landlock_access(around->rights, 0, around->tree, plan->landlock_abi);
		if (rule_add(launch, around->path, access) < 0)
			return -1;
	}
	return 0;
}

static int rules_add_nodes(struct launch *launch, uint64_t node)
{
	static const char *const nodes[] = {"/dev/null",    "/dev/zero", "/dev/full", "/dev/random",
					    "/dev/urandom", "/dev/tty",	 "/dev/pts",  "/dev/ptmx"};
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
		if (rule_add(launch, nodes[i], node) < 0)
			return -1;
	return 0;
}

/* /dev as a whole where it is our own, but for a grant that lies in it: what holds for /dev would hold for that. */
static int rules_add_devices(struct launch *launch)
{
	const struct berm_plan *plan = launch->plan;
	uint64_t ioctl = plan->landlock_abi >= 5 ? LL_FS_IOCTL_DEV : 0;
	uint64_t node = LL_FS_READ_FILE | LL_FS_WRITE_FILE | ioctl;
	bool whole = plan->backend == BERM_BACKEND_NAMESPACES && !plan->extra[BERM_EXTRA_GPU];
	if (plan->backend == BERM_BACKEND_NAMESPACES && plan_scratch_govern(plan, "/dev") == 0)
		return rule_add(launch, "/dev", node | LL_FS_READ_DIR);
	if (whole || plan->backend != BERM_BACKEND_NAMESPACES)
		return rules_add_nodes(launch, node);
	errno = EINVAL;
	return launch_fail(launch, STAGE_LANDLOCK, "gpu devices and a grant below /dev");
}

static int rule_add_all(struct launch *launch, const char *path, unsigned govern)
{
	return rule_add(launch, path, landlock_access(ALL_RIGHTS, govern, true, launch->plan->landlock_abi));
}

/* Where the machine's own is there, its grant says what may be done in it. */
static int rule_add_scratch(struct launch *launch, const char *path)
{
	if (plan_scratch_is_granted(launch->plan, path))
		return 0;
	return rule_add_all(launch, path, plan_scratch_govern(launch->plan, path));
}

/* The folders that every program has: its own /dev, /proc and scratch space. */
static int rules_add_own(struct launch *launch)
{
	const struct berm_plan *plan = launch->plan;
	bool namespaces = plan->backend == BERM_BACKEND_NAMESPACES;
	uint64_t proc = LL_FS_READ_FILE | LL_FS_READ_DIR;
	if (namespaces)
		proc |= LL_FS_WRITE_FILE | (plan->landlock_abi >= 3 ? LL_FS_TRUNCATE : 0);
	if (rules_add_devices(launch) < 0 || rule_add(launch, "/proc", proc) < 0)
		return -1;
	for (size_t i = 0; namespaces && i < plan->scratch_count; i++)
		if (rule_add_scratch(launch, plan->scratches[i].path) < 0)
			return -1;
	if (namespaces && rule_add_scratch(launch, "/dev/shm") < 0)
		return -1;
	unsigned govern = plan->spec.trap_changes ? GOVERN_WRITE : 0; /* sup_scratch.c */
	return launch->private_tmp != NULL ? rule_add_all(launch, launch->private_tmp, govern) : 0;
}

int landlock_build(struct launch *launch)
{
	const struct berm_plan *plan = launch->plan;
	if (plan->landlock_abi < 1)
		return 0;
	struct ll_ruleset_attr attr = {
		.handled_access_fs = landlock_handled(plan->landlock_abi),
		.handled_access_net = plan->landlock_net,
		.scoped = plan->landlock_scoped,
	};
	size_t size = plan->landlock_abi >= 6 ? sizeof attr : plan->landlock_abi >= 4 ? 16 : 8;
	launch->ruleset = sys_landlock_create_ruleset(&attr, size, 0);
	if (launch->ruleset < 0)
		return launch_fail(launch, STAGE_LANDLOCK, NULL);
	if (rules_add_grants(launch) < 0)
		return -1;
	return rules_add_own(launch);
}
