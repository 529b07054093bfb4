/* A /dev of the sandbox's own: the harmless nodes, a devpts instance, links; GPUs and /dev/kvm if granted. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "os/sys.h"
#include "sandbox/view.h"

static int device_add(struct view_devices *devices, const char *name)
{
	char path[48] = "/dev/";
	size_t len = strlen(name);
	if (devices->count == VIEW_MAX_DEVICES || len >= sizeof devices->name[0]) {
		errno = ENOSPC;
		return -1;
	}
	memcpy(path + 5, name, len + 1);
	/* /dev is the host's, its names are not the sandbox's to plant: no link can be in the way but a final one. */
	int fd = sys_open_tree(AT_FDCWD, path, OS_OPEN_TREE_CLONE | OS_OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	if (fd < 0)
		return -1;
	memcpy(devices->name[devices->count], name, len + 1);
	devices->clone[devices->count++] = fd;
	return 0;
}

/* Devices that may be there or not; what is there and cannot be cloned is a failure. */
static int device_add_if_there(struct view_devices *devices, const char *name)
{
	return device_add(devices, name) == 0 || errno == ENOENT ? 0 : -1;
}

static const char *const always[] = {"null", "zero", "full", "random", "urandom", "tty"};

bool view_device_is_own(const char *path)
{
	if (strcmp(path, "/dev") == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		if (strncmp(path, "/dev/", 5) == 0 && strcmp(path + 5, always[i]) == 0)
			return true;
	return false;
}

int view_devices_open(struct launch *launch, struct view_devices *ret_devices)
{
	static const char *const gpu[] = {
		"dri",	     "kfd",	   "nvidia0",	  "nvidia1",	    "nvidia2",		"nvidia3",
		"nvidiactl", "nvidia-uvm", "nvidia-caps", "nvidia-modeset", "nvidia-uvm-tools", "dxg"};
	ret_devices->count = 0;
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		if (device_add(ret_devices, always[i]) < 0)
			return launch_fail(launch, STAGE_VIEW, always[i]);
	for (size_t i = 0; launch->plan->extra[BERM_EXTRA_GPU] && i < ARRAY_LEN(gpu); i++)
		if (device_add_if_there(ret_devices, gpu[i]) < 0)
			return launch_fail(launch, STAGE_VIEW, gpu[i]);
	if (launch->plan->extra[BERM_EXTRA_KVM] && device_add(ret_devices, "kvm") < 0)
		return launch_fail(launch, STAGE_VIEW, "/dev/kvm");
	return 0;
}

/* The folder is a fresh tmpfs that nobody else has seen, so names in it need no second look. One that is there already is
 * the same device, granted by its path: the sandbox's own lies over it. */
static int place_node(int dev_fd, const char *name, int clone_fd)
{
	auto_fd int owned = clone_fd;
	if (sys_move_mount(owned, "", dev_fd, name, OS_MOVE_MOUNT_F_EMPTY_PATH) == 0)
		return 0;
	return -1;
}

/* A grant may have made it: the sandbox's own comes over that. */
static int make_node_place(int dev_fd, const char *name, int clone_fd)
{
	struct stat st;
	bool folder = strcmp(name, "dri") == 0 || strcmp(name, "nvidia-caps") == 0;
	if (folder && (fstat(clone_fd, &st) < 0 || !S_ISDIR(st.st_mode)))
		return -1;
	int made = folder ? mkdirat(dev_fd, name, 0755) : mknodat(dev_fd, name, S_IFREG | 0444, 0);
	return made == 0 || errno == EEXIST ? 0 : -1;
}

/* Pseudo terminals of its own: no terminal of the host can be opened by number. */
static int place_pts(int dev_fd)
{
	if (mkdirat(dev_fd, "pts", 0755) < 0)
		return -1;
	auto_fd int fs = sys_fsopen("devpts", OS_FSOPEN_CLOEXEC);
	if (fs < 0 || sys_fsconfig(fs, OS_FSCONFIG_SET_STRING, "ptmxmode", "0666") < 0 ||
	    sys_fsconfig(fs, OS_FSCONFIG_SET_STRING, "mode", "620") < 0 ||
	    sys_fsconfig(fs, OS_FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
		return -1;
	int pts = sys_fsmount(fs, OS_FSMOUNT_CLOEXEC, OS_MOUNT_ATTR_NOSUID | OS_MOUNT_ATTR_NOEXEC);
	return pts < 0 ? -1 : place_node(dev_fd, "pts", pts);
}

bool view_has_shm_of_host(const struct berm_plan *plan)
{
	const struct str shm = STR("/dev/shm");
	const struct plan_grant *grant = plan->hidden ? plan_grant_at(plan, shm) : NULL;
	return grant != NULL && str_eq(str_from(grant->path), shm);
}

int view_devices_place(struct launch *launch, struct view_devices *devices, int dev_fd)
{
	static const struct {
		const char *name, *target;
	} links[] = {
		{"ptmx", "pts/ptmx"},	       {"fd", "/proc/self/fd"},	      {"stdin", "/proc/self/fd/0"},
		{"stdout", "/proc/self/fd/1"}, {"stderr", "/proc/self/fd/2"},
	};
	for (size_t i = 0; i < devices->count; i++)
		if (make_node_place(dev_fd, devices->name[i], devices->clone[i]) < 0 ||
		    place_node(dev_fd, devices->name[i], devices->clone[i]) < 0)
			return launch_fail(launch, STAGE_VIEW, devices->name[i]);
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (symlinkat(links[i].target, dev_fd, links[i].name) < 0)
			return launch_fail(launch, STAGE_VIEW, links[i].name);
	if (place_pts(dev_fd) < 0)
		return launch_fail(launch, STAGE_VIEW, "/dev/pts");
	if (view_has_shm_of_host(launch->plan))
		return 0;
	if ((mkdirat(dev_fd, "shm", 01777) < 0 && errno != EEXIST) || fchmodat(dev_fd, "shm", 01777, 0) < 0)
		return launch_fail(launch, STAGE_VIEW, "/dev/shm");
	return 0;
}
