/*
 * Changes the mounts of a running sandbox, from outside: a process of the caller that enters the sandbox's user namespace,
 * copies the caller's mounts for itself (the staging namespace: there a tree can be cloned, which the sandbox's own
 * mounts do not allow), puts each new tree together with the mounts and masks in it, and only then enters the sandbox's
 * mounts. So a tree appears inside in one step, masked from the first moment on. No heap: the caller may have threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/own.h"
#include "os/sys.h"
#include "sandbox/live_mount.h"
#include "sandbox/view.h"

static const char MASK[] = ".mask", MASKS[] = ".masks";

struct worker {
	struct live_work *work;
	int staging, stock, root;
	struct work_answer answer;
};

static int fail(struct worker *worker, const char *path)
{
	size_t len = strnlen(path, sizeof worker->answer.path - 1);
	worker->answer.error = errno != 0 ? errno : EIO;
	memcpy(worker->answer.path, path, len);
	worker->answer.path[len] = '\0';
	return -1;
}

static const char *below(const char *path)
{
	return path + strspn(path, "/");
}

static bool is_mask(enum live_kind kind)
{
	return kind == LIVE_MASK_FILE || kind == LIVE_MASK_FOLDER;
}

/* ---- before anything is changed ---------------------------------------------------------------------------------- */

static int close_others(const struct live_work *work)
{
	int keep[3] = {work->user_fd, work->mount_fd, work->channel};
	for (size_t i = 0; i < ARRAY_LEN(keep); i++)
		for (size_t j = i + 1; j < ARRAY_LEN(keep); j++)
			if (keep[j] < keep[i]) {
				int swapped = keep[i];
				keep[i] = keep[j];
				keep[j] = swapped;
			}
	unsigned from = 0;
	for (size_t i = 0; i < ARRAY_LEN(keep); i++) {
		if ((unsigned)keep[i] > from)
			(void)sys_close_range(from, (unsigned)keep[i] - 1, 0);
		from = (unsigned)keep[i] + 1;
	}
	return sys_close_range(from, ~0U, 0);
}

/* The copy of the caller's mounts is owned by the sandbox's user namespace, and receives what the host mounts later. */
static int enter_staging(struct worker *worker)
{
	if (setns(worker->work->user_fd, CLONE_NEWUSER) < 0 || unshare(CLONE_NEWNS) < 0)
		return fail(worker, "namespaces");
	worker->staging = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	return worker->staging < 0 ? fail(worker, "/proc/self/ns/mnt") : 0;
}

static int enter_sandbox(struct worker *worker)
{
	return setns(worker->work->mount_fd, CLONE_NEWNS) < 0 ? fail(worker, "the sandbox's mounts") : 0;
}

/* Only if it is what was mounted there at the start: the folder below it is the host's. */
static int clone_scratch(const char *path)
{
	struct statx told = {0};
	struct statfs fs = {0};
	auto_fd int fd = view_clone(path, 0);
	if (fd < 0)
		return -1;
	const struct os_open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = OS_RESOLVE_NO_SYMLINKS};
	auto_fd int at = sys_openat2(AT_FDCWD, path, &how);
	if (at < 0 || statx(at, "", AT_EMPTY_PATH, 0, &told) < 0 || fstatfs(at, &fs) < 0 ||
	    (told.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0 || fs.f_type != TMPFS_MAGIC)
		return -1;
	return take_fd(&fd);
}

/* Scratch space has its content in the sandbox alone. One that is not there is not missed. */
static int clone_scratches(struct worker *worker)
{
	struct live_work *work = worker->work;
	bool any = false;
	for (size_t i = 0; i < work->entry_count; i++)
		any |= work->entries[i].kind == LIVE_SCRATCH;
	if (!any)
		return 0;
	if (enter_sandbox(worker) < 0)
		return -1;
	for (size_t i = 0; i < work->entry_count; i++) {
		struct work_entry *entry = &work->entries[i];
		if (entry->kind == LIVE_SCRATCH)
			entry->fd = clone_scratch(entry->path);
	}
	return setns(worker->staging, CLONE_NEWNS) < 0 ? fail(worker, "staging") : 0;
}

static int clone_grants(struct worker *worker)
{
	struct live_work *work = worker->work;
	for (size_t i = 0; i < work->entry_count; i++) {
		struct work_entry *entry = &work->entries[i];
		if (entry->kind == LIVE_COVER && (entry->fd = view_tmpfs()) < 0)
			return fail(worker, entry->path);
		if (entry->kind != LIVE_TREE && entry->kind != LIVE_FILE)
			continue;
		entry->fd = view_clone(entry->path, entry->attributes);
		if (entry->fd < 0 && errno != ENOENT)
			return fail(worker, entry->path);
	}
	return 0;
}

/* What masks are made of lies over the staging's /proc: it must be mounted somewhere to be cloned. */
static int make_stock(struct worker *worker)
{
	if (mount("tmpfs", "/proc", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
		return fail(worker, "tmpfs");
	worker->stock = open("/proc", O_DIRECTORY | O_CLOEXEC);
	if (worker->stock < 0)
		return fail(worker, "tmpfs");
	auto_fd int file = openat(worker->stock, MASK, O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0);
	return file < 0 || mkdirat(worker->stock, MASKS, 0) < 0 ? fail(worker, "mask") : 0;
}

static int clone_mask(struct worker *worker, struct work_entry *entry)
{
	struct os_mount_attr attr = {.attr_set = OS_MOUNT_ATTR_RDONLY | OS_MOUNT_ATTR_NOEXEC | OS_MOUNT_ATTR_NOSUID |
						 OS_MOUNT_ATTR_NODEV};
	if (worker->stock < 0 && make_stock(worker) < 0)
		return -1;
	entry->fd = sys_open_tree(worker->stock, entry->kind == LIVE_MASK_FOLDER ? MASKS : MASK,
				  OS_OPEN_TREE_CLONE | OS_OPEN_TREE_CLOEXEC);
	if (entry->fd < 0 || sys_mount_setattr(entry->fd, "", AT_EMPTY_PATH, &attr) < 0)
		return fail(worker, entry->path);
	return 0;
}

static int clone_masks(struct worker *worker, struct work_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_mask(entries[i].kind) && clone_mask(worker, &entries[i]) < 0)
			return -1;
	return 0;
}

static int attach_entry(struct worker *worker, struct work_entry *entry, bool covered)
{
	if (covered && view_make(worker->root, below(entry->path), entry->kind != LIVE_FILE) < 0)
		return -1;
	return view_attach(take_fd(&entry->fd), worker->root, below(entry->path));
}

/* In the staging namespace each tree is put together at its own place, and taken from there as a whole. */
static int build_tree(struct worker *worker, struct work_tree *tree)
{
	struct work_entry *entries = worker->work->entries + tree->first;
	bool cover = entries[0].kind == LIVE_COVER;
	tree->fd = -1;
	if (entries[0].fd < 0)
		return 0;
	for (size_t i = 0; i < tree->count; i++) {
		struct work_entry *entry = &entries[i];
		if (entry->fd < 0)
			continue;
		/* Gone since the plan was made. What a mask was for is gone as well. */
		if (attach_entry(worker, entry, cover && i > 0 && !is_mask(entry->kind)) < 0 &&
		    (i == 0 || (errno != ENOENT && errno != ENOTDIR)))
			return fail(worker, entry->path);
	}
	const struct os_mount_attr closed = {.attr_set = OS_MOUNT_ATTR_RDONLY};
	tree->fd = view_clone(entries[0].path, 0);
	if (tree->fd < 0 || (cover && sys_mount_setattr(tree->fd, "", AT_EMPTY_PATH, &closed) < 0))
		return fail(worker, entries[0].path);
	return 0;
}

static int prepare(struct worker *worker)
{
	struct live_work *work = worker->work;
	if (close_others(work) < 0 || enter_staging(worker) < 0 || clone_scratches(worker) < 0 ||
	    clone_grants(worker) < 0 || clone_masks(worker, work->entries, work->entry_count) < 0 ||
	    clone_masks(worker, work->masks, work->mask_count) < 0)
		return -1;
	worker->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (worker->root < 0)
		return fail(worker, "/");
	for (size_t i = 0; i < work->tree_count; i++)
		if (build_tree(worker, &work->trees[i]) < 0)
			return -1;
	(void)close(worker->root);
	if (enter_sandbox(worker) < 0)
		return -1;
	worker->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return worker->root < 0 ? fail(worker, "/") : 0;
}

/* ---- what narrows ------------------------------------------------------------------------------------------------ */

/* The mount on top of path goes, with what is mounted in it. No link on the way is followed. */
static int detach(const struct worker *worker, const char *path)
{
	const struct os_open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = OS_RESOLVE_NO_SYMLINKS};
	char folder[PATH_MAX] = ".";
	const char *slash = strrchr(path, '/');
	size_t len = (size_t)(slash - path);
	if (len >= sizeof folder) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (len > 0) {
		memcpy(folder, path + 1, len - 1);
		folder[len - 1] = '\0';
	}
	auto_fd int at = sys_openat2(worker->root, len > 0 ? folder : ".", &how);
	if (at < 0 || fchdir(at) < 0)
		return -1;
	return umount2(slash + 1, MNT_DETACH | UMOUNT_NOFOLLOW);
}

static int do_detach(struct worker *worker, const struct work_op *op)
{
	if (detach(worker, op->path) == 0)
		return 0;
	/* The host has removed what it was mounted on, and so the mount. */
	bool gone = errno == ENOENT || errno == EINVAL || errno == ENOTDIR;
	return gone && !op->must ? 0 : fail(worker, op->path);
}

static int attach_tree(struct worker *worker, const struct work_tree *tree, int writable)
{
	const struct work_entry *entry = &worker->work->entries[tree->first];
	if (tree->fd < 0)
		return 0;
	if (tree->make && writable >= 0 && view_make(writable, below(entry->path), entry->kind != LIVE_FILE) < 0)
		return fail(worker, entry->path);
	if (view_attach(tree->fd, worker->root, below(entry->path)) < 0 && errno != ENOENT && errno != ENOTDIR)
		return fail(worker, entry->path);
	return 0;
}

static int do_ops(struct worker *worker, const struct work_op *ops, size_t count, int writable)
{
	for (size_t i = 0; i < count; i++) {
		const struct work_op *op = &ops[i];
		int done = op->path != NULL ? do_detach(worker, op)
					    : attach_tree(worker, &worker->work->trees[op->tree], writable);
		if (done < 0)
			return -1;
	}
	return 0;
}

static int narrow(struct worker *worker)
{
	struct live_work *work = worker->work;
	for (size_t i = 0; i < work->mask_count; i++)
		if (view_attach(work->masks[i].fd, worker->root, below(work->masks[i].path)) < 0 && errno != ENOENT &&
		    errno != ENOTDIR)
			return fail(worker, work->masks[i].path);
	return do_ops(worker, work->narrow, work->narrow_count, -1);
}

/* ---- what widens ------------------------------------------------------------------------------------------------- */

/* The view's own root is read-only inside; it is written to through a mount of our own. */
static int writable_root(struct worker *worker)
{
	struct os_mount_attr attr = {.attr_clr = OS_MOUNT_ATTR_RDONLY};
	auto_fd int fd = sys_open_tree(AT_FDCWD, "/", OS_OPEN_TREE_CLONE | OS_OPEN_TREE_CLOEXEC);
	if (fd < 0 || sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr) < 0)
		return fail(worker, "the view's root");
	return take_fd(&fd);
}

static void make_links(const struct live_work *work, int writable)
{
	for (size_t i = 0; i < work->link_count; i++) {
		const char *to = below(work->links[i].path), *slash = strrchr(to, '/');
		char folder[PATH_MAX];
		size_t len = slash == NULL ? 0 : (size_t)(slash - to);
		if (len >= sizeof folder)
			continue;
		memcpy(folder, to, len);
		folder[len] = '\0';
		if (len > 0 && view_make(writable, folder, true) < 0)
			continue;
		if (symlinkat(work->links[i].target, writable, to) < 0)
			continue; /* it is there; or the grant is, by its own name alone */
	}
}

static int widen(struct worker *worker)
{
	struct live_work *work = worker->work;
	auto_fd int writable = work->hidden && work->widen_count + work->link_count > 0 ? writable_root(worker) : -1;
	if (worker->answer.error != 0)
		return -1;
	if (writable >= 0)
		make_links(work, writable);
	return do_ops(worker, work->widen, work->widen_count, writable);
}

/* ---- its life ---------------------------------------------------------------------------------------------------- */

static void tell(struct worker *worker, enum work_step step)
{
	worker->answer.step = (int)step;
	if (send(worker->work->channel, &worker->answer, sizeof worker->answer, MSG_NOSIGNAL) < 0 ||
	    worker->answer.error != 0)
		_exit(1);
}

/* The caller says when; its end is ours. */
static void wait_for_word(const struct worker *worker)
{
	char word;
	ssize_t got;
	do
		got = recv(worker->work->channel, &word, 1, 0);
	while (got < 0 && errno == EINTR);
	if (got != 1)
		_exit(1);
}

_Noreturn void live_worker_main(struct live_work *work)
{
	struct worker worker = {.work = work, .staging = -1, .stock = -1, .root = -1};
	(void)umask(022);
	(void)prepare(&worker);
	tell(&worker, WORK_PREPARED);
	wait_for_word(&worker);
	(void)narrow(&worker);
	tell(&worker, WORK_NARROWED);
	wait_for_word(&worker);
	(void)widen(&worker);
	tell(&worker, WORK_WIDENED);
	_exit(0);
}
