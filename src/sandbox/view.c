/*
 * The two views. Hidden: a tmpfs root that holds only the grants; it is mounted over the old root and entered by
 * chroot, so the old tree lies below it, out of reach. Visible: the host's tree, recursively read-only and not
 * executable, with what is granted put back where it was.
 */
#include "sandbox/view.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "os/fd.h"
#include "os/sys.h"

enum { TARGET_EMPTY_PATH = 0x40 }; /* MOVE_MOUNT_T_EMPTY_PATH */

static int open_beneath(int dirfd, const char *path)
{
	struct os_open_how how = {.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW, .resolve = OS_RESOLVE_NO_SYMLINKS};
	return sys_openat2(dirfd, path, &how);
}

int view_clone(const char *path, uint64_t attributes)
{
	auto_fd int at = open_beneath(AT_FDCWD, path);
	if (at < 0)
		return -1;
	unsigned flags = OS_OPEN_TREE_CLONE | OS_OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE;
	auto_fd int clone_fd = sys_open_tree(at, "", flags);
	struct os_mount_attr attr = {.attr_set = attributes};
	if (clone_fd < 0 || sys_mount_setattr(clone_fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr) < 0)
		return -1;
	return take_fd(&clone_fd);
}

int view_attach(int clone_fd, int root_fd, const char *path)
{
	auto_fd int clone_owned = clone_fd;
	auto_fd int target = open_beneath(root_fd, path);
	if (target < 0)
		return -1;
	return sys_move_mount(clone_owned, "", target, "", OS_MOVE_MOUNT_F_EMPTY_PATH | TARGET_EMPTY_PATH);
}

/* Copies the first len bytes of path and opens that folder, making it if it is not there. */
static int make_folders(int root_fd, const char *path, size_t len)
{
	char part[PATH_MAX];
	if (len >= sizeof part) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(part, path, len);
	part[len] = '\0';
	if (mkdirat(root_fd, part, 0755) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return errno == EROFS ? 0 : -1; /* below a grant: it is there, or attaching fails and says so */
	const char *slash = memrchr(path, '/', len);
	if (slash == NULL)
		return -1;
	for (size_t at = 0; at <= len; at++) {
		if (at < len && path[at] != '/')
			continue;
		part[at] = '\0';
		if (at > 0 && mkdirat(root_fd, part, 0755) < 0 && errno != EEXIST && errno != EROFS)
			return -1;
		if (at < len)
			part[at] = '/';
	}
	return 0;
}

int view_make(int root_fd, const char *path, bool folder)
{
	size_t len = strlen(path);
	if (folder)
		return make_folders(root_fd, path, len);
	const char *slash = strrchr(path, '/');
	if (slash != NULL && make_folders(root_fd, path, (size_t)(slash - path)) < 0)
		return -1;
	int fd = openat(root_fd, path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return errno == EEXIST || errno == EROFS ? 0 : -1;
	(void)close(fd);
	return 0;
}

uint64_t view_attributes(unsigned rights)
{
	return OS_MOUNT_ATTR_NOSUID | OS_MOUNT_ATTR_NODEV | ((rights & BERM_WRITE) != 0 ? 0 : OS_MOUNT_ATTR_RDONLY) |
	       ((rights & BERM_EXEC) != 0 ? 0 : OS_MOUNT_ATTR_NOEXEC);
}

int view_tmpfs(void)
{
	auto_fd int fs = sys_fsopen("tmpfs", OS_FSOPEN_CLOEXEC);
	if (fs < 0 || sys_fsconfig(fs, OS_FSCONFIG_SET_STRING, "mode", "0755") < 0 ||
	    sys_fsconfig(fs, OS_FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
		return -1;
	return sys_fsmount(fs, OS_FSMOUNT_CLOEXEC, OS_MOUNT_ATTR_NOSUID | OS_MOUNT_ATTR_NODEV);
}

static int empty_attach(int from_fd, const char *to)
{
	return sys_move_mount(from_fd, "", AT_FDCWD, to, OS_MOVE_MOUNT_F_EMPTY_PATH);
}

static int read_only(int fd, const char *path)
{
	struct os_mount_attr attr = {.attr_set = OS_MOUNT_ATTR_RDONLY};
	return sys_mount_setattr(fd, path, AT_EMPTY_PATH, &attr);
}

/* ---- what both views have ----------------------------------------------------------------------------------------- */

/* A path's part below the root that root_fd stands for. */
static const char *below(const char *path)
{
	while (*path == '/')
		path++;
	return path;
}

/* A file of the stock with this content, over the name itself. One that cannot be reached without a link is not there. */
static int content_attach(struct launch *launch, const struct plan_content *content, int root_fd, int stock_fd)
{
	auto_fd int file = openat(stock_fd, ".content", O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0444);
	if (file < 0 || fchmod(file, 0444) < 0 || fd_write_full(file, content->bytes, content->len) < 0)
		return launch_fail(launch, STAGE_VIEW, content->path);
	unsigned flags = OS_OPEN_TREE_CLONE | OS_OPEN_TREE_CLOEXEC;
	struct os_mount_attr attr = {.attr_set = OS_MOUNT_ATTR_RDONLY | OS_MOUNT_ATTR_NOEXEC | OS_MOUNT_ATTR_NOSUID |
						 OS_MOUNT_ATTR_NODEV};
	int clone_fd = sys_open_tree(stock_fd, ".content", flags);
	if (clone_fd < 0 || sys_mount_setattr(clone_fd, "", AT_EMPTY_PATH, &attr) < 0)
		return launch_fail(launch, STAGE_VIEW, content->path);
	if (view_attach(clone_fd, root_fd, below(content->path)) < 0 && errno != ENOENT && errno != ENOTDIR &&
	    errno != ELOOP)
		return launch_fail(launch, STAGE_VIEW, content->path);
	return unlinkat(stock_fd, ".content", 0) < 0 ? launch_fail(launch, STAGE_VIEW, content->path) : 0;
}

static int contents_attach(struct launch *launch, int root_fd, int stock_fd)
{
	const struct berm_plan *plan = launch->plan;
	for (size_t i = 0; i < plan->content_count; i++)
		if (content_attach(launch, &plan->contents[i], root_fd, stock_fd) < 0)
			return -1;
	return 0;
}

/* Names that are denied get an object that nobody may open, on a mount that nobody may change. */
static int masks_attach(struct launch *launch, int root_fd, int stock_fd)
{
	const struct berm_plan *plan = launch->plan;
	if (plan->mask_count == 0)
		return 0;
	auto_fd int file = openat(stock_fd, ".mask", O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0);
	if (file < 0 || mkdirat(stock_fd, ".masks", 0) < 0)
		return launch_fail(launch, STAGE_VIEW, "mask");
	for (size_t i = 0; i < plan->mask_count; i++) {
		const struct plan_mask *mask = &plan->masks[i];
		unsigned flags = OS_OPEN_TREE_CLONE | OS_OPEN_TREE_CLOEXEC;
		struct os_mount_attr attr = {.attr_set = OS_MOUNT_ATTR_RDONLY | OS_MOUNT_ATTR_NOEXEC |
							 OS_MOUNT_ATTR_NOSUID | OS_MOUNT_ATTR_NODEV};
		int clone_fd = sys_open_tree(stock_fd, mask->folder ? ".masks" : ".mask", flags);
		if (clone_fd < 0 || sys_mount_setattr(clone_fd, "", AT_EMPTY_PATH, &attr) < 0)
			return launch_fail(launch, STAGE_VIEW, mask->path);
		/* Gone since the plan was made: there is nothing to hide, and making it is governed. */
		if (view_attach(clone_fd, root_fd, below(mask->path)) < 0 && errno != ENOENT && errno != ENOTDIR)
			return launch_fail(launch, STAGE_VIEW, mask->path);
	}
	if (unlinkat(stock_fd, ".mask", 0) < 0 || unlinkat(stock_fd, ".masks", AT_REMOVEDIR) < 0)
		return launch_fail(launch, STAGE_VIEW, "mask");
	return 0;
}

/* The pid namespace's own /proc. Root without capabilities still owns the host-wide settings in it by file mode. */
static int proc_mount(struct launch *launch)
{
	static const char *const closed[] = {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus",
					     "/proc/fs",  "/proc/acpi",		 "/proc/scsi"};
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return launch_fail(launch, STAGE_VIEW, "/proc");
	for (size_t i = 0; launch->plan->user_is_root && i < ARRAY_LEN(closed); i++) {
		int fd = view_clone(closed[i], OS_MOUNT_ATTR_RDONLY | OS_MOUNT_ATTR_NOSUID | OS_MOUNT_ATTR_NODEV |
						       OS_MOUNT_ATTR_NOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 || view_attach(fd, AT_FDCWD, closed[i]) < 0)
			return launch_fail(launch, STAGE_VIEW, closed[i]);
	}
	return 0;
}

static bool inside(const char *path, const char *folder)
{
	size_t len = strlen(folder);
	return len == 1 || (strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0'));
}

/* Does scratch space lie over what the grant of parent shows at path? Of the same path the hidden view has the scratch
 * folder, the visible one the grant. */
static bool covers(const struct berm_plan *plan, const char *scratch, const char *parent, const char *path)
{
	return inside(path, scratch) && inside(scratch, parent) && strcmp(scratch, plan->hidden ? path : parent) != 0;
}

static bool is_covered(const struct berm_plan *plan, const char *parent, const char *path)
{
	for (size_t i = 0; i < plan->scratch_count; i++)
		if (covers(plan, plan->scratches[i].path, parent, path))
			return true;
	return covers(plan, "/dev/shm", parent, path) && !view_has_shm_of_host(plan);
}

bool view_parent_shows(const struct berm_plan *plan, const struct plan_grant *parent, const struct plan_grant *grant)
{
	return view_attributes(parent->rights) == view_attributes(grant->rights) &&
	       !is_covered(plan, parent->path, grant->path);
}

/* The first scratch folder by path behind this one (NULL: of all) that does not sort behind the end (NULL: there is none).
 * Those in /dev are made with /dev. */
static const char *next_scratch(const struct berm_plan *plan, const char *behind, const char *end)
{
	const char *next = NULL;
	for (size_t i = 0; i < plan->scratch_count; i++) {
		const char *path = plan->scratches[i].path;
		if (!inside(path, "/dev") && (behind == NULL || strcmp(path, behind) > 0) &&
		    (end == NULL || strcmp(path, end) <= 0) && (next == NULL || strcmp(path, next) < 0))
			next = path;
	}
	return next;
}

/* ---- hidden ------------------------------------------------------------------------------------------------------- */

static bool shown_by_parent(const struct launch *launch, size_t index)
{
	const struct berm_plan *plan = launch->plan;
	size_t parent = launch->parents[index];
	return parent != LAUNCH_NO_PARENT && view_parent_shows(plan, &plan->grants[parent], &plan->grants[index]);
}

/* It comes into the scratch folder once that is there. */
static bool is_in_scratch_in_grant(const struct launch *launch, size_t index)
{
	const struct berm_plan *plan = launch->plan;
	size_t parent = launch->parents[index];
	return parent != LAUNCH_NO_PARENT && is_covered(plan, plan->grants[parent].path, plan->grants[index].path);
}

/* Since the plan was made. */
static bool is_gone(int error)
{
	return error == ENOENT || error == ENOTDIR;
}

/* The host's tree stays reachable by absolute paths until chroot, so a grant is cloned and placed in one go. */
static int hidden_grant(struct launch *launch, int root_fd, size_t index)
{
	const struct plan_grant *grant = &launch->plan->grants[index];
	if (!grant->exists || shown_by_parent(launch, index))
		return 0;
	int clone_fd = view_clone(grant->path, view_attributes(grant->rights));
	if (clone_fd < 0 && is_gone(errno))
		return 0;
	if (clone_fd < 0)
		return launch_fail(launch, STAGE_VIEW, grant->path);
	const char *to = below(grant->path);
	if (view_make(root_fd, to, grant->tree) < 0 || view_attach(clone_fd, root_fd, to) < 0)
		return launch_fail(launch, STAGE_VIEW, grant->path);
	return 0;
}

static int hidden_grants(struct launch *launch, int root_fd)
{
	const struct berm_plan *plan = launch->plan;
	for (size_t i = 0; i < plan->grant_count; i++)
		if (!is_in_scratch_in_grant(launch, i) && hidden_grant(launch, root_fd, i) < 0)
			return -1;
	for (size_t i = 0; i < plan->link_count; i++) {
		const char *to = below(plan->links[i].path);
		const char *slash = strrchr(to, '/');
		if (slash != NULL && make_folders(root_fd, to, (size_t)(slash - to)) < 0)
			return launch_fail(launch, STAGE_VIEW, plan->links[i].path);
		if (symlinkat(plan->links[i].target, root_fd, to) < 0 && errno != EEXIST && errno != EROFS)
			return launch_fail(launch, STAGE_VIEW, plan->links[i].path);
	}
	return 0;
}

/* In a grant (the home folder, if that was granted) the place is the host's: nothing is made there. If the folder exists it
 * is covered by one of the root's own. */
static int hidden_scratch_in_grant(struct launch *launch, int root_fd, const char *to, mode_t mode)
{
	static const char stock[] = ".scratch";
	char name[] = ".scratch/00";
	auto_fd int target = open_beneath(root_fd, to);
	if (target < 0)
		return errno == ENOENT || errno == ELOOP ? 0 : launch_fail(launch, STAGE_VIEW, to);
	if (mkdirat(root_fd, stock, 0700) < 0 && errno != EEXIST)
		return launch_fail(launch, STAGE_VIEW, stock);
	int number = launch->scratch_count++;
	if (number > 99)
		return launch_fail(launch, STAGE_VIEW, "too many scratch folders in grants");
	name[sizeof name - 3] = (char)('0' + number / 10);
	name[sizeof name - 2] = (char)('0' + number % 10);
	if (mkdirat(root_fd, name, 0755) < 0 || (mode != 0755 && fchmodat(root_fd, name, mode, 0) < 0))
		return launch_fail(launch, STAGE_VIEW, name);
	auto_fd int clone_fd = sys_open_tree(root_fd, name, OS_OPEN_TREE_CLONE | OS_OPEN_TREE_CLOEXEC);
	if (clone_fd < 0 ||
	    sys_move_mount(clone_fd, "", target, "", OS_MOVE_MOUNT_F_EMPTY_PATH | TARGET_EMPTY_PATH) < 0)
		return launch_fail(launch, STAGE_VIEW, to);
	return 0;
}

/* Scratch folders are folders of the root's own tmpfs, bound onto themselves before the root becomes read-only: the
 * sandbox may write there and nowhere else in it. */
static int hidden_scratch(struct launch *launch, int root_fd, const char *path, mode_t mode)
{
	const char *to = below(path);
	const struct plan_grant *around = plan_grant_at(launch->plan, str_from(path));
	if (around != NULL && is_covered(launch->plan, around->path, path) && view_make(root_fd, to, true) < 0)
		return launch_fail(launch, STAGE_VIEW, path); /* in another scratch folder */
	if (around != NULL)
		return hidden_scratch_in_grant(launch, root_fd, to, mode);
	if (view_make(root_fd, to, true) < 0 || (mode != 0755 && fchmodat(root_fd, to, mode, 0) < 0))
		return launch_fail(launch, STAGE_VIEW, path);
	unsigned flags = OS_OPEN_TREE_CLONE | OS_OPEN_TREE_CLOEXEC | AT_RECURSIVE; /* with grants that lie in it */
	int clone_fd = sys_open_tree(root_fd, to, flags);
	if (clone_fd < 0 || view_attach(clone_fd, root_fd, to) < 0)
		return launch_fail(launch, STAGE_VIEW, path);
	return 0;
}

/* The scratch folders up to this path (NULL: all), which *covered is behind then. */
static int hidden_scratches_to(struct launch *launch, int root_fd, const char *end, const char **covered)
{
	const char *path;
	while ((path = next_scratch(launch->plan, *covered, end)) != NULL) {
		if (hidden_scratch(launch, root_fd, path, strstr(path, "tmp") != NULL ? 01777 : 0755) < 0)
			return -1;
		*covered = path;
	}
	return 0;
}

static bool is_scratch(const struct berm_plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->scratch_count; i++)
		if (strcmp(plan->scratches[i].path, path) == 0)
			return true;
	return false;
}

/* Grants in scratch folders in grants come between these, in the order of their paths. */
static int hidden_scratches(struct launch *launch, int root_fd)
{
	const struct berm_plan *plan = launch->plan;
	const char *covered = NULL;
	if (!view_has_shm_of_host(plan) && hidden_scratch(launch, root_fd, "/dev/shm", 01777) < 0)
		return -1;
	for (size_t i = 0; i < plan->grant_count; i++)
		if (is_in_scratch_in_grant(launch, i) && !is_scratch(plan, plan->grants[i].path) &&
		    (hidden_scratches_to(launch, root_fd, plan->grants[i].path, &covered) < 0 ||
		     hidden_grant(launch, root_fd, i) < 0))
			return -1;
	return hidden_scratches_to(launch, root_fd, NULL, &covered);
}

static int hidden_enter(struct launch *launch, int root_fd)
{
	if (mkdirat(root_fd, "proc", 0555) < 0 || (mkdirat(root_fd, "run", 0755) < 0 && errno != EEXIST) ||
	    (mkdirat(root_fd, "sys", 0555) < 0 && errno != EEXIST))
		return launch_fail(launch, STAGE_VIEW, "/proc");
	if (read_only(root_fd, "") < 0)
		return launch_fail(launch, STAGE_VIEW, "/");
	if (fchdir(root_fd) < 0 || chroot(".") < 0)
		return launch_fail(launch, STAGE_VIEW, "chroot");
	return proc_mount(launch);
}

static int hidden_build(struct launch *launch)
{
	struct view_devices devices;
	auto_fd int root = view_tmpfs();
	if (root < 0 || empty_attach(root, "/") < 0)
		return launch_fail(launch, STAGE_VIEW, "tmpfs");
	if (hidden_grants(launch, root) < 0 || view_devices_open(launch, &devices) < 0)
		return -1;
	/* It is there already if a grant lies in it: a workspace in /dev/shm. */
	bool made = mkdirat(root, "dev", 0755) == 0 || errno == EEXIST;
	auto_fd int dev = made ? openat(root, "dev", O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	if (dev < 0)
		return launch_fail(launch, STAGE_VIEW, "/dev");
	if (view_devices_place(launch, &devices, dev) < 0 || hidden_scratches(launch, root) < 0 ||
	    contents_attach(launch, root, root) < 0 || masks_attach(launch, root, root) < 0)
		return -1;
	return hidden_enter(launch, root);
}

/* ---- visible ------------------------------------------------------------------------------------------------------ */

static bool in_scratch(const struct berm_plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->scratch_count; i++)
		if (inside(path, plan->scratches[i].path))
			return true;
	return inside(path, "/dev/shm");
}

/* The root itself: nothing has to be put back there. */
static bool is_all(const struct plan_grant *grant)
{
	return strcmp(grant->path, "/") == 0;
}

static int visible_clone(struct launch *launch)
{
	const struct berm_plan *plan = launch->plan;
	for (size_t i = 0; i < plan->grant_count; i++) {
		const struct plan_grant *grant = &plan->grants[i];
		launch->clones[i] = -1;
		bool covered = in_scratch(plan, grant->path);
		if (!grant->exists || (!covered && (grant->rights & (BERM_WRITE | BERM_EXEC)) == 0) || is_all(grant) ||
		    view_device_is_own(grant->path) || shown_by_parent(launch, i))
			continue;
		launch->clones[i] = view_clone(grant->path, view_attributes(grant->rights));
		if (launch->clones[i] < 0 && !is_gone(errno))
			return launch_fail(launch, STAGE_VIEW, grant->path);
	}
	return 0;
}

/* Covers a folder of the host with an empty tmpfs; one that does not exist needs no cover. */
static int visible_cover(struct launch *launch, const char *path, const char *mode, bool writable)
{
	auto_fd int target = open_beneath(AT_FDCWD, path);
	if (target < 0)
		return errno == ENOENT || errno == ELOOP ? 0 : launch_fail(launch, STAGE_VIEW, path);
	auto_fd int fs = sys_fsopen("tmpfs", OS_FSOPEN_CLOEXEC);
	if (fs < 0 || sys_fsconfig(fs, OS_FSCONFIG_SET_STRING, "mode", mode) < 0 ||
	    sys_fsconfig(fs, OS_FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
		return launch_fail(launch, STAGE_VIEW, path);
	unsigned attributes = OS_MOUNT_ATTR_NOSUID | OS_MOUNT_ATTR_NODEV | (writable ? 0 : OS_MOUNT_ATTR_RDONLY);
	auto_fd int tmpfs = sys_fsmount(fs, OS_FSMOUNT_CLOEXEC, attributes);
	if (tmpfs < 0 || sys_move_mount(tmpfs, "", target, "", OS_MOVE_MOUNT_F_EMPTY_PATH | TARGET_EMPTY_PATH) < 0)
		return launch_fail(launch, STAGE_VIEW, path);
	return 0;
}

/* The new /dev is filled before it is mounted read-only; /dev/shm in it is a tmpfs of its own. */
static int visible_devices(struct launch *launch, struct view_devices *devices)
{
	if (visible_cover(launch, "/dev", "0755", true) < 0)
		return -1;
	auto_fd int dev = open("/dev", O_DIRECTORY | O_CLOEXEC);
	if (dev < 0 || view_devices_place(launch, devices, dev) < 0)
		return dev < 0 ? launch_fail(launch, STAGE_VIEW, "/dev") : -1;
	if (read_only(AT_FDCWD, "/dev") < 0)
		return launch_fail(launch, STAGE_VIEW, "/dev");
	return visible_cover(launch, "/dev/shm", "1777", true);
}

/* /run holds the control sockets of the host: it is empty unless something in it was granted. */
static int visible_run(struct launch *launch)
{
	const struct berm_plan *plan = launch->plan;
	bool run_granted = false;
	for (size_t i = 0; i < plan->grant_count; i++)
		run_granted |= inside(plan->grants[i].path, "/run");
	for (size_t i = 0; i < plan->socket_count; i++)
		run_granted |= inside(plan->sockets[i], "/run");
	return run_granted ? 0 : visible_cover(launch, "/run", "0755", false);
}

/* Covers the scratch folders up to this path, which *covered is behind then. */
static int visible_scratches(struct launch *launch, const char *end, const char **covered)
{
	const char *path;
	while ((path = next_scratch(launch->plan, *covered, end)) != NULL) {
		if (visible_cover(launch, path, strstr(path, "tmp") != NULL ? "1777" : "0755", true) < 0)
			return -1;
		*covered = path;
	}
	return 0;
}

/* A grant below a scratch folder (a workspace in /tmp) has lost its place to the cover: it is made anew there. */
static int visible_put(struct launch *launch, int root_fd, size_t index)
{
	const struct plan_grant *grant = &launch->plan->grants[index];
	const char *to = below(grant->path);
	if (launch->clones[index] < 0)
		return 0;
	if (in_scratch(launch->plan, grant->path) && view_make(root_fd, to, grant->tree) < 0)
		return launch_fail(launch, STAGE_VIEW, grant->path);
	return view_attach(launch->clones[index], root_fd, to) < 0 ? launch_fail(launch, STAGE_VIEW, grant->path) : 0;
}

/* Grants and scratch folders lie in one another: in the order of their paths what is around comes first. */
static int visible_put_back(struct launch *launch)
{
	const struct berm_plan *plan = launch->plan;
	const char *covered = NULL;
	auto_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return launch_fail(launch, STAGE_VIEW, "/");
	for (size_t i = 0; i < plan->grant_count; i++)
		if (visible_scratches(launch, plan->grants[i].path, &covered) < 0 || visible_put(launch, root, i) < 0)
			return -1;
	return visible_scratches(launch, NULL, &covered);
}

static int visible_masks(struct launch *launch)
{
	if (launch->plan->mask_count == 0 && launch->plan->content_count == 0)
		return 0;
	/* What masks and contents are made of lies over /proc for this moment: it must be mounted somewhere to be cloned. */
	if (mount("tmpfs", "/proc", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
		return launch_fail(launch, STAGE_VIEW, "mask");
	auto_fd int stock = open("/proc", O_DIRECTORY | O_CLOEXEC);
	auto_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (stock < 0 || root < 0)
		return launch_fail(launch, STAGE_VIEW, "mask");
	if (contents_attach(launch, root, stock) < 0 || masks_attach(launch, root, stock) < 0)
		return -1;
	if (umount2("/proc", MNT_DETACH) < 0)
		return launch_fail(launch, STAGE_VIEW, "mask");
	return 0;
}

/* Programs may be started anywhere only if that was granted for "/". */
static uint64_t visible_attributes(const struct berm_plan *plan)
{
	for (size_t i = 0; i < plan->grant_count; i++)
		if (is_all(&plan->grants[i]))
			return view_attributes(plan->grants[i].rights);
	return view_attributes(0);
}

/* What may be asked for lies on mounts that are only read: where it is to be changed, the supervisor does it on a copy of
 * the mounts as they were, which is mounted nowhere. */
static int visible_keep_host(struct launch *launch)
{
	if (launch->plan->ask_count == 0)
		return 0;
	launch->host_fd = view_clone("/", OS_MOUNT_ATTR_NOEXEC | OS_MOUNT_ATTR_NOSUID | OS_MOUNT_ATTR_NODEV);
	return launch->host_fd < 0 ? launch_fail(launch, STAGE_VIEW, "/") : 0;
}

static int visible_build(struct launch *launch)
{
	struct view_devices devices;
	struct os_mount_attr closed = {.attr_set = visible_attributes(launch->plan)};
	if (visible_keep_host(launch) < 0 || view_devices_open(launch, &devices) < 0 || visible_clone(launch) < 0)
		return -1;
	if (sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &closed) < 0)
		return launch_fail(launch, STAGE_VIEW, "/");
	if (visible_run(launch) < 0 || visible_devices(launch, &devices) < 0 || visible_put_back(launch) < 0 ||
	    proc_mount(launch) < 0)
		return -1;
	return visible_masks(launch);
}

/* Where processes inside may copy the mounts for themselves, what is mounted and unmounted later must reach the copies. */
static int share_mounts(struct launch *launch)
{
	struct os_mount_attr shared = {.propagation = MS_SHARED};
	if (!launch->plan->extra[BERM_EXTRA_USERNS])
		return 0;
	return sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &shared) < 0 ? launch_fail(launch, STAGE_VIEW, "shared")
									   : 0;
}

int view_build(struct launch *launch)
{
	if ((launch->plan->hidden ? hidden_build(launch) : visible_build(launch)) < 0)
		return -1;
	return share_mounts(launch);
}
