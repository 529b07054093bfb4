/*
 * The file system view of a sandbox, built by mounts in its own namespace. Sources are opened without following
 * symbolic links and cloned before anything is mounted; targets are opened the same way, so that no link planted in a
 * workspace can lead a mount elsewhere. No heap.
 */
#ifndef BERM_SANDBOX_VIEW_H
#define BERM_SANDBOX_VIEW_H

#include "sandbox/launch.h"

/* OS_MOUNT_ATTR_ flags of a grant with these rights. */
uint64_t view_attributes(unsigned rights);
/* Does the mount of parent, the nearest grant around it, show grant as it should be? Not below a scratch folder between. */
bool view_parent_shows(const struct berm_plan *plan, const struct plan_grant *parent, const struct plan_grant *grant);
/* A detached clone of what path names, with these OS_MOUNT_ATTR_ flags set; -1 with errno. */
int view_clone(const char *path, uint64_t attributes);
/* A fresh tmpfs, not yet mounted anywhere; -1 with errno. */
int view_tmpfs(void);
/* Mounts a clone onto path (relative to root_fd, no leading '/'), which must exist; closes the clone. 0, or -1. */
int view_attach(int clone_fd, int root_fd, const char *path);
/* Makes the folders of path (relative to root_fd), and at its end a folder or an empty file. 0, or -1. */
int view_make(int root_fd, const char *path, bool folder);

/* Host device nodes, cloned before /dev is covered. */
enum { VIEW_MAX_DEVICES = 24 };
struct view_devices {
	int clone[VIEW_MAX_DEVICES];
	char name[VIEW_MAX_DEVICES][32];
	size_t count;
};
/* Is it /dev, or a device that every sandbox has of its own? */
bool view_device_is_own(const char *path);
int view_devices_open(struct launch *launch, struct view_devices *ret_devices);
/* Fills the folder dev_fd (of a writable tmpfs) with nodes, links, pts and shm; "shm" is only made, not mounted. */
int view_devices_place(struct launch *launch, struct view_devices *devices, int dev_fd);
/* In the hidden view: is /dev/shm the host's, because just that was granted? Nothing is made in it. */
bool view_has_shm_of_host(const struct berm_plan *plan);

#endif
