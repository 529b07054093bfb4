/*
 * Places: a path is resolved up to its last name by the kernel (openat2 on the folder), the folder tells its canonical
 * path (fchdir and getcwd: a third of what a readlink in /proc costs), the last name is looked at by itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"
#include "os/sys.h"
#include "sandbox/sup_state.h"

enum { MAX_LINKS = 40, NOT_OURS = -1 };

static const uint64_t RESOLVE_SCOPED = OS_RESOLVE_BENEATH | OS_RESOLVE_IN_ROOT;

/* ---- the life of a place ----------------------------------------------------------------------------------------- */

void place_init(struct place *ret_place)
{
	ret_place->folder = ret_place->object = -1;
	ret_place->name[0] = ret_place->path[0] = '\0';
	ret_place->path_len = ret_place->name_at = 0;
	ret_place->looked = ret_place->exists = ret_place->slash = ret_place->unnamed = false;
	ret_place->st = (struct stat){0};
	ret_place->grant = ret_place->holder = NULL;
	ret_place->ask = NULL;
}

void place_done(struct place *place)
{
	if (place->folder >= 0)
		(void)close(place->folder);
	if (place->object >= 0)
		(void)close(place->object);
	place->folder = place->object = -1;
}

int place_look(struct place *place)
{
	if (place->looked)
		return 0;
	char plain[NAME_MAX + 2];
	size_t len = place->path_len - place->name_at;
	memcpy(plain, place->path + place->name_at, len);
	plain[len] = '\0';
	place->exists = fstatat(place->folder, plain, &place->st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!place->exists && errno != ENOENT)
		return errno;
	place->looked = true;
	return 0;
}

int place_open_object(const struct place *place, int *ret_fd)
{
	int fd = place->folder == -1 ? fcntl(place->object, F_DUPFD_CLOEXEC, 0)
				     : openat(place->folder, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno;
	*ret_fd = fd;
	return 0;
}

/* ---- what the plan says of a path -------------------------------------------------------------------------------- */

static bool starts(const char *path, const char *prefix)
{
	return strncmp(path, prefix, strlen(prefix)) == 0;
}

/* Device nodes and procfs: what is opened there depends on who opens it, so it is never handed in. */
static bool is_device_path(const char *path)
{
	return starts(path, "/dev/") && !starts(path, "/dev/shm/");
}

static bool is_kernel_path(const char *path)
{
	return starts(path, "/proc/") || is_device_path(path);
}

static const struct plan_grant *grant_at(const struct supervisor *sup, struct str path)
{
	return scratch_grant_at(sup, path, plan_grant_at(sup->plan, path));
}

static bool lies_in(const char *path, const char *folder)
{
	size_t len = strlen(folder);
	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* What is the sandbox's own; and where terminals are, which libraries look through for the name of the one they have. */
static bool is_never_asked(const struct call *call, const struct place *place)
{
	bool namespaces = call->sup->plan->backend == BERM_BACKEND_NAMESPACES;
	if (strcmp(place->path, "/dev") == 0 || lies_in(place->path, "/dev/pts"))
		return true;
	if (namespaces && (lies_in(place->path, "/dev") || lies_in(place->path, "/proc")))
		return true;
	return place_own(call, place);
}

static void find_grants(const struct call *call, struct place *place)
{
	struct str path = {place->path, place->path_len};
	place->grant = grant_at(call->sup, path);
	place->holder = place->grant;
	/* In its own folders the sandbox does as it likes. */
	if (call->sup->plan->ask_count > 0 && !is_never_asked(call, place))
		place->ask = plan_ask_at(call->sup->plan, path);
	if (place->grant == NULL || strlen(place->grant->path) != place->path_len)
		return;
	size_t folder = place->name_at > 1 ? place->name_at - 1 : 1;
	place->holder = grant_at(call->sup, (struct str){place->path, folder});
}

/* Is one of these rights to be asked for? */
static bool asks_for(const struct place *place, const struct plan_grant *grant, unsigned rights)
{
	unsigned granted = grant != NULL && !grant->closed ? grant->rights : 0;
	return place->ask != NULL && (place->ask->rights & rights & ~granted) != 0;
}

bool place_governed(const struct place *place, unsigned govern)
{
	unsigned rights = ((govern & GOVERN_READ) != 0 ? BERM_READ : 0U) |
			  ((govern & GOVERN_WRITE) != 0 ? (unsigned)BERM_WRITE | BERM_DELETE : 0U);
	return (place->grant != NULL && (place->grant->govern & govern) != 0) || asks_for(place, place->grant, rights);
}

bool place_folder_governed(const struct place *place)
{
	if (asks_for(place, place->holder, BERM_WRITE | BERM_DELETE))
		return true;
	return place->holder != NULL && place->holder->tree && (place->holder->govern & GOVERN_WRITE) != 0;
}

bool place_own(const struct call *call, const struct place *place)
{
	const struct supervisor *sup = call->sup;
	const struct berm_plan *plan = sup->plan;
	for (size_t i = 0; i < sup->own_count; i++)
		if (lies_in(place->path, sup->own[i]))
			return true;
	if (plan->backend != BERM_BACKEND_NAMESPACES)
		return false; /* there the scratch folders are the host's */
	for (size_t i = 0; i < plan->scratch_count; i++)
		if (lies_in(place->path, plan->scratches[i].path))
			return true;
	return lies_in(place->path, "/dev/shm");
}

/* ---- the folder -------------------------------------------------------------------------------------------------- */

struct search {
	const struct call *call;
	unsigned how;
	uint64_t resolve;
	int start;   /* the task's descriptor that a relative text starts from */
	int base;    /* the same, opened, if it is known; else -1 */
	bool here;   /* it is the current folder already */
	char *text;  /* what is left to resolve; cut at its last slash while a step is under way */
	char *spare; /* as large */
	int links;
};

/* What a relative text starts from becomes the current folder. */
static int enter_base(struct search *search)
{
	if (search->here)
		return 0;
	if (search->base < 0)
		return task_enter_dir(search->call, search->start);
	auto_fd int base = take_fd(&search->base);
	return fchdir(base) < 0 ? errno : 0;
}

static int resolve_folder(const char *dir, uint64_t resolve, int *ret_fd)
{
	struct os_open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = OS_RESOLVE_NO_MAGICLINKS | resolve,
	};
	int fd = sys_openat2(AT_FDCWD, dir, &how);
	if (fd < 0)
		return errno;
	*ret_fd = fd;
	return 0;
}

static bool is_from_root(const struct search *search, const char *dir)
{
	return dir != NULL && dir[0] == '/' && (search->resolve & RESOLVE_SCOPED) == 0;
}

/* dir is NULL: the base itself. */
static int open_folder(struct search *search, const char *dir, int *ret_fd)
{
	int error = is_from_root(search, dir) ? 0 : enter_base(search);
	if (error != 0)
		return error;
	if (dir == NULL && (search->how & PLACE_HERE) != 0) {
		*ret_fd = AT_FDCWD;
		return 0;
	}
	error = resolve_folder(dir == NULL ? "." : dir, search->resolve, ret_fd);
	/* too many links, or one of procfs: the kernel will find out */
	return error == ELOOP && (search->resolve & OS_RESOLVE_NO_SYMLINKS) == 0 ? NOT_OURS : error;
}

/* The canonical path of an open folder into size bytes, and its length. */
static int folder_path(struct supervisor *sup, int folder, char *ret_path, size_t size, size_t *ret_len)
{
	if (folder != AT_FDCWD && fchdir(folder) < 0)
		return errno;
	long len = syscall(SYS_getcwd, ret_path, size); /* libc's falls back to the heap */
	if (len < 0)
		return errno == ENAMETOOLONG ? deep_path(sup, folder, ret_path, size, ret_len) : errno;
	if (ret_path[0] != '/')
		return NOT_OURS; /* out of reach of our root */
	*ret_len = (size_t)len - 1;
	return 0;
}

/* No name in it is empty, "." or "..". */
bool place_is_plain(const char *path)
{
	const char *name = path[0] == '/' ? path + 1 : path;
	for (;;) {
		size_t len = strcspn(name, "/");
		if (len == 0 || (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'))))
			return false;
		if (name[len] == '\0')
			return true;
		name += len + 1;
	}
}

/* Most paths pass no link: then the folder's canonical path is what was written. *ret_len is 0 if one is passed. */
static int open_plain_folder(const struct search *search, struct place *place, const char *dir, size_t *ret_len)
{
	size_t len = strlen(dir);
	*ret_len = 0;
	if (!is_from_root(search, dir) || len >= sizeof(place->path) || (len > 1 && !place_is_plain(dir)))
		return 0;
	int error = resolve_folder(dir, search->resolve | OS_RESOLVE_NO_SYMLINKS, &place->folder);
	if (error != 0)
		return error == ELOOP ? 0 : error;
	memcpy(place->path, dir, len + 1);
	*ret_len = len;
	return 0;
}

/* Does the path end in a name that is not one: "/", ".", ".."? */
static bool names_folder(const char *path)
{
	size_t len = strlen(path);
	while (len > 0 && path[len - 1] == '/')
		len--;
	const char *slash = memrchr(path, '/', len);
	const char *name = slash == NULL ? path : slash + 1;
	size_t name_len = (size_t)(path + len - name);
	return len == 0 || (name[0] == '.' && (name_len == 1 || (name_len == 2 && name[1] == '.')));
}

/* Cuts search->text into folder (NULL: none written) and name. */
static int split(struct search *search, const char **ret_dir, const char **ret_name, bool *ret_slash)
{
	char *text = search->text;
	size_t len = strlen(text), whole = len;
	while (len > 0 && text[len - 1] == '/')
		text[--len] = '\0';
	char *slash = memrchr(text, '/', len);
	char *name = slash == NULL ? text : slash + 1;
	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return NOT_OURS;
	if (strlen(name) > NAME_MAX)
		return ENAMETOOLONG;
	*ret_dir = slash == NULL ? NULL : slash == text ? "/" : text;
	if (slash != NULL)
		*slash = '\0';
	*ret_name = name;
	*ret_slash = len < whole;
	return 0;
}

/* path holds the folder's, len bytes: the name's. */
static int append_name(struct place *place, size_t len, const char *name)
{
	size_t name_len = strlen(name);
	if (len + 1 + name_len >= sizeof(place->path))
		return ENAMETOOLONG;
	if (len > 1)
		place->path[len++] = '/';
	memcpy(place->path + len, name, name_len + 1);
	place->name_at = len;
	place->path_len = len + name_len;
	return 0;
}

/* Opens the folder, and writes its path and the name's. */
static int enter_folder(struct search *search, struct place *place, const char *dir, const char *name)
{
	size_t len = 0;
	int error = dir == NULL ? 0 : open_plain_folder(search, place, dir, &len);
	if (error == 0 && len == 0)
		error = open_folder(search, dir, &place->folder);
	if (error == 0 && len == 0)
		error = folder_path(search->call->sup, place->folder, place->path, sizeof(place->path), &len);
	return error != 0 ? error : append_name(place, len, name);
}

/* ---- links ------------------------------------------------------------------------------------------------------- */

/* The kernel's fs.protected_symlinks: a link of another user in a folder like /tmp is not followed. */
static bool is_trap(const struct place *place)
{
	struct stat folder = {0};
	const mode_t shared = S_ISVTX | S_IWOTH;
	if (place->st.st_uid == geteuid() || fstat(place->folder, &folder) < 0)
		return false;
	return (folder.st_mode & shared) == shared && folder.st_uid != place->st.st_uid;
}

/* Replaces the text by where the link leads to. Below a scope the path is written out from its start, so that it is held
 * by the scope as a whole; else it starts from the folder of the link. */
static int follow(struct search *search, struct place *place, const char *dir)
{
	char *text = search->spare;
	size_t at = 0;
	if (++search->links > MAX_LINKS || (search->resolve & OS_RESOLVE_NO_SYMLINKS) != 0)
		return ELOOP;
	if (is_trap(place))
		return EACCES;
	char *target = search->call->sup->join;
	ssize_t n = readlinkat(place->folder, place->name, target, SUP_PATH_MAX);
	if (n < 0)
		return errno;
	if (n == 0)
		return ENOENT;
	if (n == SUP_PATH_MAX)
		return ENAMETOOLONG;
	target[n] = '\0';
	bool scoped = (search->resolve & RESOLVE_SCOPED) != 0, fits = true;
	if (scoped && target[0] != '/' && dir != NULL)
		fits = text_put(text, SUP_PATH_MAX, &at, dir) && text_put(text, SUP_PATH_MAX, &at, "/");
	fits = fits && text_put(text, SUP_PATH_MAX, &at, target);
	if (place->slash)
		fits = fits && text_put(text, SUP_PATH_MAX, &at, "/");
	if (!fits)
		return ENAMETOOLONG;
	search->spare = search->text;
	search->text = text;
	search->here = !scoped && place->folder == AT_FDCWD;
	if (!scoped && !search->here)
		search->base = take_fd(&place->folder);
	place_done(place);
	return 0;
}

/* ---- a task's own entries in /proc ------------------------------------------------------------------------------- */

/* A decimal number at *at up to '/' or the end; *at is left behind it. -1: none. */
static int read_number(const char **at)
{
	int number = 0;
	const char *begin = *at;
	for (; **at >= '0' && **at <= '9' && number < 100000000; (*at)++)
		number = number * 10 + (**at - '0');
	return *at == begin || (**at != '/' && **at != '\0') ? -1 : number;
}

/* Behind "/proc/": does it lead to the task's own process? *at is left behind the name of the process. */
static bool is_own_process(const struct call *call, const char **at)
{
	static const char *const names[] = {"self/", "thread-self/"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (starts(*at, names[i])) {
			*at += strlen(names[i]);
			return true;
		}
	}
	int pid = read_number(at);
	if (pid <= 0 || **at != '/')
		return false;
	(*at)++;
	pid_t tgid;
	return pid == call->tid || (starts(*at, "fd/") && task_group(call, &tgid) == 0 && pid == tgid);
}

enum alias { ALIAS_NONE, ALIAS_FOREIGN, ALIAS_REST, ALIAS_OBJECT };

/* "fd/N", "fd/N/rest" */
static enum alias descriptor_alias(const char *at, int *ret_start, const char **ret_rest)
{
	int number = read_number(&at);
	if (number < 0)
		return ALIAS_FOREIGN;
	*ret_start = number;
	at += strspn(at, "/");
	*ret_rest = at;
	return *at == '\0' ? ALIAS_OBJECT : ALIAS_REST;
}

/* Paths that mean another thing here than in the task. */
static enum alias find_alias(const struct call *call, const char *path, int *ret_start, const char **ret_rest)
{
	static const char *const streams[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		if (strcmp(path, streams[i]) != 0)
			continue;
		*ret_start = (int)i;
		*ret_rest = "";
		return ALIAS_OBJECT;
	}
	if (starts(path, "/dev/fd/"))
		return descriptor_alias(path + strlen("/dev/fd/"), ret_start, ret_rest);
	if (!starts(path, "/proc/"))
		return is_device_path(path) ? ALIAS_FOREIGN : ALIAS_NONE;
	const char *at = path + strlen("/proc/");
	if (!is_own_process(call, &at))
		return ALIAS_FOREIGN;
	if (starts(at, "fd/"))
		return descriptor_alias(at + strlen("fd/"), ret_start, ret_rest);
	bool cwd = starts(at, "cwd/"), root = starts(at, "root/");
	if (!cwd && !root)
		return ALIAS_FOREIGN;
	at += cwd ? strlen("cwd/") : strlen("root"); /* with the slash: from the root */
	*ret_start = AT_FDCWD;
	*ret_rest = at + (cwd ? strspn(at, "/") : 0);
	return (*ret_rest)[0] == '\0' ? ALIAS_FOREIGN : ALIAS_REST;
}

/* Puts what an alias stands for into its place. NOT_OURS; or 0 with *ret_object: the path is a descriptor. */
static int resolve_alias(struct search *search, bool *ret_object)
{
	int start = search->start;
	const char *rest;
	*ret_object = false;
	if ((search->resolve & RESOLVE_SCOPED) != 0)
		return 0;
	enum alias alias = search->text[0] == '/' ? find_alias(search->call, search->text, &start, &rest) : ALIAS_NONE;
	if (alias == ALIAS_NONE)
		return 0;
	if (alias == ALIAS_FOREIGN)
		return (search->how & PLACE_EVERYWHERE) != 0 && is_device_path(search->text) ? 0 : NOT_OURS;
	if ((search->resolve & OS_RESOLVE_NO_MAGICLINKS) != 0)
		return NOT_OURS;
	memmove(search->text, rest, strlen(rest) + 1);
	search->start = start;
	search->here = false;
	if (search->base >= 0)
		(void)close(take_fd(&search->base));
	*ret_object = alias == ALIAS_OBJECT;
	return 0;
}

/* ---- finding ----------------------------------------------------------------------------------------------------- */

/* One way down to a name. *ret_again: it is a link, and its target is the text now. */
static int find_step(struct search *search, struct place *place, bool *ret_again)
{
	const char *dir, *name;
	bool object, slash;
	*ret_again = false;
	int error = resolve_alias(search, &object);
	if (error != 0)
		return error;
	if (object)
		return (search->how & PLACE_FOLLOW) != 0 ? place_of_task_fd(search->call, search->start, place)
							 : NOT_OURS;
	error = split(search, &dir, &name, &slash);
	if (error == 0)
		error = enter_folder(search, place, dir, name);
	if (error != 0)
		return error;
	if (starts(place->path, "/proc/") || ((search->how & PLACE_EVERYWHERE) == 0 && is_kernel_path(place->path)))
		return NOT_OURS;
	memcpy(place->name, name, strlen(name) + 1);
	place->slash = slash;
	if ((search->how & PLACE_BLIND) == 0)
		error = place_look(place);
	if (error == 0 && (search->how & PLACE_FOLLOW) != 0 && place->exists && S_ISLNK(place->st.st_mode)) {
		error = follow(search, place, dir);
		place->looked = place->exists = false;
		*ret_again = true;
	}
	return error;
}

int place_find(const struct call *call, int dirfd, const char *path, unsigned how, uint64_t resolve,
	       struct place *ret_place)
{
	struct supervisor *sup = call->sup;
	struct search search = {
		.call = call,
		.how = how,
		.resolve = resolve,
		.start = dirfd,
		.base = -1,
		.text = sup->work[0],
		.spare = sup->work[1],
	};
	size_t len = strlen(path);
	bool again = true;
	int error = 0;
	place_init(ret_place);
	if (len == 0)
		return ENOENT;
	if (len >= SUP_PATH_MAX)
		return ENAMETOOLONG;
	if ((how & PLACE_FOLDERS) != 0 && names_folder(path))
		return place_find_folder(call, dirfd, path, resolve, ret_place);
	memcpy(search.text, path, len + 1);
	while (again && error == 0)
		error = find_step(&search, ret_place, &again);
	if (search.base >= 0)
		(void)close(search.base);
	if (error != 0 || ret_place->folder == -1)
		return error;
	if (ret_place->slash)
		(void)memcpy(ret_place->name + strlen(ret_place->name), "/", 2);
	find_grants(call, ret_place);
	return 0;
}

int place_in_folder(const struct call *call, int folder, const char *name, struct place *ret_place)
{
	size_t len = 0;
	place_init(ret_place);
	ret_place->folder = folder;
	int error = folder_path(call->sup, folder, ret_place->path, sizeof(ret_place->path), &len);
	if (error == 0)
		error = append_name(ret_place, len, name);
	if (error != 0)
		return error;
	memcpy(ret_place->name, ret_place->path + ret_place->name_at, ret_place->path_len - ret_place->name_at + 1);
	find_grants(call, ret_place);
	return 0;
}

int place_guess(const struct call *call, int dirfd, const char *path, struct place *ret_place)
{
	size_t len = 0, path_len = strlen(path);
	place_init(ret_place);
	if (!place_is_plain(path) || is_kernel_path(path))
		return NOT_OURS;
	if (path[0] != '/') {
		int error = task_enter_dir(call, dirfd);
		if (error == 0)
			error = folder_path(call->sup, AT_FDCWD, ret_place->path, sizeof(ret_place->path), &len);
		if (error != 0)
			return error;
		if (len > 1)
			ret_place->path[len++] = '/';
	}
	if (len + path_len >= sizeof(ret_place->path))
		return NOT_OURS;
	memcpy(ret_place->path + len, path, path_len + 1);
	ret_place->path_len = len + path_len;
	const char *slash = memrchr(ret_place->path, '/', ret_place->path_len);
	ret_place->name_at = (size_t)(slash - ret_place->path) + 1;
	if (is_kernel_path(ret_place->path))
		return NOT_OURS;
	find_grants(call, ret_place);
	return 0;
}

/* ---- objects ----------------------------------------------------------------------------------------------------- */

static const char DELETED[] = " (deleted)";

/* The path of an open object as /proc tells it. A deleted name is told with an ending that a name can have, too: then the
 * object must be there under it. */
static int object_path(const struct call *call, struct place *place)
{
	char name[SUP_PROC_SIZE];
	struct stat there = {0};
	const size_t ending = sizeof(DELETED) - 1;
	self_fd_name(name, place->object);
	ssize_t n = readlinkat(call->sup->proc_fd, name, place->path, sizeof(place->path));
	if (n < 0)
		return errno;
	if (n == sizeof(place->path))
		return ENAMETOOLONG;
	size_t len = (size_t)n;
	place->path[len] = '\0';
	if (place->path[0] != '/') { /* a pipe, a socket */
		len = 0;
		place->unnamed = true;
	} else if (len > ending && strcmp(place->path + len - ending, DELETED) == 0 &&
		   (place->st.st_nlink == 0 || lstat(place->path, &there) < 0 || there.st_ino != place->st.st_ino ||
		    there.st_dev != place->st.st_dev)) {
		len -= ending;
		place->unnamed = true;
	}
	place->path[len] = '\0';
	place->path_len = len;
	return 0;
}

int place_of_fd(const struct call *call, int fd, struct place *ret_place)
{
	place_init(ret_place);
	ret_place->object = fd;
	if (fstat(fd, &ret_place->st) < 0)
		return errno;
	ret_place->looked = ret_place->exists = true;
	int error = object_path(call, ret_place);
	if (error != 0 || ret_place->path_len == 0)
		return error;
	const char *slash = memrchr(ret_place->path, '/', ret_place->path_len);
	ret_place->name_at = (size_t)(slash - ret_place->path) + 1;
	find_grants(call, ret_place);
	return 0;
}

int place_of_task_fd(const struct call *call, int number, struct place *ret_place)
{
	int fd;
	int error = task_dirfd(call, number, &fd);
	if (error != 0)
		return error == EBADF ? ENOENT : error; /* it was a name in /proc that is not there */
	return place_of_fd(call, fd, ret_place);
}

int place_find_folder(const struct call *call, int dirfd, const char *path, uint64_t resolve, struct place *ret_place)
{
	struct search search = {.call = call, .resolve = resolve, .start = dirfd, .base = -1};
	int fd = -1;
	place_init(ret_place);
	if (path[0] == '\0')
		return ENOENT;
	int error = open_folder(&search, path, &fd);
	return error != 0 ? error : place_of_fd(call, fd, ret_place);
}
