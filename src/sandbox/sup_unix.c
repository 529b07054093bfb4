/*
 * Unix sockets: a socket file of the host is connected to only if it is granted by name, or if it was bound inside.
 *
 * "Bound inside" is known before anything reaches a listener: every bind of a task is done here, so the file it made is
 * remembered: device, inode and time of birth, and an O_PATH descriptor of it (the pin), which keeps the number from
 * being given to another file as long as the entry stands. A socket file always has been made by the bind of exactly one
 * socket, and never by another, so who finds a remembered file finds the socket of a task, or nobody. The judged file
 * is opened and connected to through its descriptor.
 *
 * bind names its file by a string, and the string is what getsockname, getpeername and so Python's multiprocessing tell,
 * so it must reach the kernel as the task wrote it. A folder on the way could be swapped between the look and the act:
 * so bind is done by a child that may, by a Landlock rule of its own, make sockets in the judged folder alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/own.h"
#include "os/sys.h"
#include "sandbox/sup_socket.h"
#include "sandbox/sup_state.h"

enum { BOUND_MAX = 512 };
#define NAME_OFFSET offsetof(struct sockaddr_un, sun_path)

struct bound {
	int pin;
	uint32_t dev_major, dev_minor;
	uint64_t ino;
	struct statx_timestamp born; /* zero where the file system does not tell */
	uint64_t used;		     /* when it was last wanted, in connects */
};

/* One supervisor a process. Untouched pages cost nothing. */
static struct {
	struct bound files[BOUND_MAX];
	size_t count;
	uint64_t clock;
} bound_state;

/* ---- what was bound inside --------------------------------------------------------------------------------------- */

static int look_at(int fd, struct statx *ret_file)
{
	if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MODE | STATX_INO | STATX_NLINK | STATX_BTIME, ret_file) < 0)
		return errno;
	if ((ret_file->stx_mask & STATX_BTIME) == 0)
		ret_file->stx_btime = (struct statx_timestamp){0};
	return 0;
}

static bool is_same(const struct bound *bound, const struct statx *file)
{
	return bound->ino == file->stx_ino && bound->dev_major == file->stx_dev_major &&
	       bound->dev_minor == file->stx_dev_minor && bound->born.tv_sec == file->stx_btime.tv_sec &&
	       bound->born.tv_nsec == file->stx_btime.tv_nsec;
}

static bool bound_inside(const struct statx *file)
{
	bound_state.clock++;
	for (size_t i = 0; i < bound_state.count; i++) {
		if (!is_same(&bound_state.files[i], file))
			continue;
		bound_state.files[i].used = bound_state.clock;
		return true;
	}
	return false;
}

static void forget(size_t index)
{
	(void)close(bound_state.files[index].pin);
	bound_state.files[index] = bound_state.files[--bound_state.count];
}

/* Files that have no name any more can only be forgotten; else the one that was wanted least lately goes: a connect to it
 * will be refused. */
static void make_room(void)
{
	size_t oldest = 0;
	for (size_t i = bound_state.count; i-- > 0;) {
		struct statx file = {0};
		if (look_at(bound_state.files[i].pin, &file) != 0 || file.stx_nlink == 0)
			forget(i);
	}
	for (size_t i = 1; i < bound_state.count; i++)
		if (bound_state.files[i].used < bound_state.files[oldest].used)
			oldest = i;
	if (bound_state.count == BOUND_MAX)
		forget(oldest);
}

/* Where others can rename, the file at the name might be another than the one just made: a socket of the host's, moved
 * there in between. It would be older than the bind. */
static bool is_younger(const struct statx *file, const struct timespec *begin)
{
	if (file->stx_btime.tv_sec != begin->tv_sec)
		return file->stx_btime.tv_sec > begin->tv_sec;
	return file->stx_btime.tv_nsec == 0 || file->stx_btime.tv_nsec >= begin->tv_nsec;
}

/* object is a descriptor of the file that was bound; what of it is kept is a copy. */
static void remember(const struct place *place, int object, const struct timespec *begin)
{
	struct statx file = {0};
	if (look_at(object, &file) != 0 || !S_ISSOCK(file.stx_mode))
		return;
	bool told = (file.stx_mask & STATX_BTIME) != 0;
	if (told ? !is_younger(&file, begin) : !place_folder_governed(place))
		return;
	if (bound_state.count == BOUND_MAX)
		make_room();
	int pin = fcntl(object, F_DUPFD_CLOEXEC, 0);
	if (pin < 0)
		return;
	bound_state.files[bound_state.count++] = (struct bound){
		.pin = pin,
		.dev_major = file.stx_dev_major,
		.dev_minor = file.stx_dev_minor,
		.ino = file.stx_ino,
		.born = file.stx_btime,
		.used = bound_state.clock,
	};
}

/* The file that a bind has made is kept account of. 0, or an errno. */
static int take_in(const struct call *call, const struct place *place, const struct timespec *begin)
{
	auto_fd int object = -1;
	int error = place_open_object(place, &object);
	if (error == EMFILE) {
		make_room();
		error = place_open_object(place, &object);
	}
	if (error == ENOENT)
		return 0; /* removed again already */
	if (error == 0 && !scratch_remember(call->sup, place, object))
		error = ENOSPC;
	if (error == 0)
		remember(place, object, begin);
	else
		(void)unlinkat(place->folder, place->name, 0);
	return error;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

/* The kernel's own test of an address; what passes has a family and at least one byte of a name. */
static bool is_address(const struct sock_call *sock)
{
	return sock->addr.any.sa_family == AF_UNIX && sock->len > NAME_OFFSET &&
	       sock->len <= sizeof(struct sockaddr_un);
}

static bool is_abstract(const struct sock_call *sock)
{
	return sock->addr.un.sun_path[0] == '\0';
}

/* As the task wrote it, up to its NUL or its length. */
static void name_of(const struct sock_call *sock, char ret_name[static sizeof(sock->addr.un.sun_path) + 1])
{
	size_t len = strnlen(sock->addr.un.sun_path, sock->len - NAME_OFFSET);
	memcpy(ret_name, sock->addr.un.sun_path, len);
	ret_name[len] = '\0';
}

static struct sup_answer refuse_abstract(const struct sock_call *sock, enum berm_request_op op, int error)
{
	char object[sizeof("unix:@") + sizeof(sock->addr.un.sun_path)] = "unix:@";
	size_t len = sock->len > NAME_OFFSET + 1 ? sock->len - NAME_OFFSET - 1 : 0;
	for (size_t i = 0; i < len; i++) {
		char byte = sock->addr.un.sun_path[1 + i];
		object[sizeof("unix:@") - 1 + i] = byte == '\0' ? '@' : byte;
	}
	object[sizeof("unix:@") - 1 + len] = '\0';
	return sup_socket_refuse(sock, op, error, object, "abstract names are the host's");
}

static struct sup_answer refuse_path(const struct sock_call *sock, enum berm_request_op op, const struct place *place,
				     const char *rule)
{
	char object[SUP_OBJECT_SIZE];
	char as[sizeof(sock->addr.un.sun_path) + 1];
	size_t at = 0;
	name_of(sock, as);
	(void)text_put(object, sizeof(object), &at, "unix:");
	(void)text_put(object, sizeof(object), &at, place->path[0] != '\0' ? place->path : as);
	const struct sup_notice notice = {
		.kind = BERM_REQUEST_SOCKET,
		.op = op,
		.error = EACCES,
		.object = object,
		.as = as,
		.rule = rule,
		.dev = place->exists ? place->st.st_dev : 0,
		.ino = place->exists ? place->st.st_ino : 0,
		.mode = place->exists ? place->st.st_mode : 0,
	};
	return call_refuse(sock->call, &notice);
}

static int find_place(const struct sock_call *sock, unsigned how, struct place **ret_place)
{
	char name[sizeof(sock->addr.un.sun_path) + 1];
	name_of(sock, name);
	*ret_place = &sock->call->sup->places[0];
	return place_find(sock->call, AT_FDCWD, name, how | PLACE_EVERYWHERE, 0, *ret_place);
}

/* ---- connect ----------------------------------------------------------------------------------------------------- */

/* By the path that the opened file has now, not by the one that was written. */
static bool is_granted(const struct berm_plan *plan, const struct supervisor *sup, int object)
{
	char name[SUP_PROC_SIZE], path[SUP_PATH_MAX];
	if (plan->socket_count == 0)
		return false;
	self_fd_name(name, object);
	ssize_t len = readlinkat(supervisor_proc_fd(sup), name, path, sizeof(path) - 1);
	if (len < 0)
		return false;
	path[len] = '\0';
	for (size_t i = 0; i < plan->socket_count; i++)
		if (strcmp(path, plan->sockets[i]) == 0)
			return true;
	return false;
}

/* The file itself, whatever its name leads to by now. */
static struct sup_answer connect_object(const struct sock_call *sock, int object)
{
	struct sock_call through = *sock;
	char name[SUP_PROC_SIZE];
	size_t at = 0;
	self_fd_name(name, object);
	through.addr.un = (struct sockaddr_un){.sun_family = AF_UNIX};
	(void)text_put(through.addr.un.sun_path, sizeof(through.addr.un.sun_path), &at, "/proc/");
	(void)text_put(through.addr.un.sun_path, sizeof(through.addr.un.sun_path), &at, name);
	through.len = (socklen_t)(NAME_OFFSET + at + 1);
	return sup_socket_connect(&through);
}

static struct sup_answer connect_place(const struct sock_call *sock, const struct place *place)
{
	const struct supervisor *sup = sock->call->sup;
	struct statx file = {0};
	auto_fd int object = -1;
	int error = place_open_object(place, &object);
	if (error == 0)
		error = look_at(object, &file);
	if (error != 0)
		return answer_errno(error);
	if (!S_ISSOCK(file.stx_mode))
		return answer_errno(ECONNREFUSED);
	if (!bound_inside(&file) && !is_granted(supervisor_plan(sup), sup, object))
		return refuse_path(sock, BERM_OP_CONNECT, place, NULL);
	return connect_object(sock, object);
}

struct sup_answer sup_unix_connect(struct sock_call *sock)
{
	struct place *place;
	if (sock->addr.any.sa_family == AF_UNSPEC)
		return sup_socket_connect(sock); /* names nobody */
	if (!is_address(sock))
		return answer_errno(EINVAL);
	if (is_abstract(sock))
		return supervisor_plan(sock->call->sup)->net_namespace
			       ? sup_socket_connect(sock)
			       : refuse_abstract(sock, BERM_OP_CONNECT, ECONNREFUSED);
	int error = find_place(sock, PLACE_FOLLOW, &place);
	if (error > 0)
		return answer_errno(error);
	if (error < 0)
		return refuse_path(sock, BERM_OP_CONNECT, place, NULL);
	if (!place->exists)
		return answer_errno(ENOENT);
	return call_alive(sock->call) ? connect_place(sock, place) : answer_errno(ESRCH);
}

/* ---- bind -------------------------------------------------------------------------------------------------------- */

/* Length of folder if path lies in it, else 0. */
static size_t holds(const char *folder, const char *path)
{
	size_t len = strlen(folder);
	return strncmp(path, folder, len) == 0 && path[len] == '/' ? len : 0;
}

/* The innermost of the folders that are the sandbox's own: length of its path, 0 if none holds path. The scratch folders
 * of the plan are so only where they are mounts; without namespaces the supervisor was told its own folder. */
static size_t own_folder(const struct supervisor *sup, const char *path)
{
	const struct berm_plan *plan = sup->plan;
	size_t longest = 0;
	for (size_t i = 0; i < sup->own_count; i++) {
		size_t len = holds(sup->own[i], path);
		longest = len > longest ? len : longest;
	}
	if (plan->backend != BERM_BACKEND_NAMESPACES)
		return longest;
	for (size_t i = 0; i < plan->scratch_count; i++) {
		size_t len = holds(plan->scratches[i].path, path);
		longest = len > longest ? len : longest;
	}
	size_t len = holds("/dev/shm", path);
	return len > longest ? len : longest;
}

/* The supervisor has no Landlock domain: what the kernel would ask of the task is asked here. NULL: allowed. A grant that
 * begins further out than the sandbox's own folder is not about what lies in that. */
static const char *forbids(const struct call *call, const struct place *place)
{
	size_t own = own_folder(call->sup, place->path);
	if (own > 0 && (place->grant == NULL || strlen(place->grant->path) < own))
		return NULL;
	if (place->grant == NULL)
		return "not granted";
	struct place_verdict verdict = place_judge_act(call, place, ACT_MAKE, S_IFSOCK);
	if (verdict.judge != NULL)
		return verdict.judge->label; /* a socket has no content that could be judged */
	return verdict.rule;
}

/* This process may make sockets in folder and below, nothing else. */
static int confine_to(int folder)
{
	const struct ll_ruleset_attr attr = {.handled_access_fs = LL_FS_MAKE_SOCK};
	auto_fd int ruleset = sys_landlock_create_ruleset(&attr, sizeof(attr.handled_access_fs), 0);
	if (ruleset < 0 || sys_landlock_add_path(ruleset, folder, LL_FS_MAKE_SOCK) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return sys_landlock_restrict_self(ruleset, 0);
}

struct bind_work {
	const struct sock_call *sock;
	const struct place *place;
	bool confined;
	int base; /* what a relative name starts from */
};

/* Names of the task's own descriptors mean nothing here. */
static bool is_alias(const char *name)
{
	return strncmp(name, "/proc/", strlen("/proc/")) == 0 || strncmp(name, "/dev/fd/", strlen("/dev/fd/")) == 0;
}

/* In the child. The last part of an alias means the same in the folder that it leads to. */
static int bind_in_child(const struct bind_work *work)
{
	struct sock_call sock = *work->sock;
	char name[sizeof(sock.addr.un.sun_path) + 1];
	name_of(&sock, name);
	bool alias = is_alias(name);
	if (fchdir(alias ? work->place->folder : work->base) < 0)
		return errno;
	if (alias) {
		size_t at = 0;
		sock.addr.un = (struct sockaddr_un){.sun_family = AF_UNIX};
		if (!text_put(sock.addr.un.sun_path, sizeof(sock.addr.un.sun_path), &at, work->place->name))
			return ENAMETOOLONG;
		sock.len = (socklen_t)(NAME_OFFSET + at + 1);
	}
	if (work->confined && confine_to(work->place->folder) < 0)
		return errno;
	return bind(sock.fd, &sock.addr.any, sock.len) < 0 ? errno : 0;
}

/* 0, or an errno. */
static int bind_by_child(const struct bind_work *work)
{
	int status;
	pid_t pid = sys_fork(0, 0, NULL);
	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(bind_in_child(work));
	while (waitpid(pid, &status, __WALL) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static struct sup_answer bind_place(const struct sock_call *sock, const struct place *place)
{
	struct timespec begin;
	auto_fd int base = -1;
	int error = task_dirfd(sock->call, AT_FDCWD, &base);
	if (error == 0)
		error = task_umask(sock->call, NULL); /* the child inherits it */
	if (error != 0)
		return answer_errno(error);
	if (!call_alive(sock->call))
		return answer_errno(ESRCH);
	const struct bind_work work = {
		.sock = sock,
		.place = place,
		.confined = supervisor_plan(sock->call->sup)->landlock_abi > 0,
		.base = base,
	};
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &begin);
	error = bind_by_child(&work);
	if (error == 0)
		error = take_in(sock->call, place, &begin);
	return error == 0 ? answer_value(0) : answer_errno(error);
}

struct sup_answer sup_unix_bind(struct sock_call *sock)
{
	struct place *place;
	bool own_names = supervisor_plan(sock->call->sup)->net_namespace;
	bool unnamed = sock->addr.any.sa_family == AF_UNIX && sock->len == NAME_OFFSET;
	if (unnamed || (is_address(sock) && is_abstract(sock)))
		return own_names ? sup_socket_bind(sock) : refuse_abstract(sock, BERM_OP_BIND, EACCES);
	if (!is_address(sock))
		return answer_errno(EINVAL);
	int error = find_place(sock, PLACE_NOFOLLOW, &place);
	if (error > 0)
		return answer_errno(error);
	if (error < 0 || place->folder < 0)
		return refuse_path(sock, BERM_OP_BIND, place, NULL);
	if (place->exists)
		return answer_errno(EADDRINUSE);
	if (place->slash)
		return answer_errno(ENOENT);
	const char *rule = forbids(sock->call, place);
	return rule != NULL ? refuse_path(sock, BERM_OP_BIND, place, rule) : bind_place(sock, place);
}

/* ---- listen ------------------------------------------------------------------------------------------------------ */

/* A socket gets an abstract name also by a connect that fails after SO_PASSCRED was set. */
struct sup_answer sup_unix_listen(struct sock_call *sock)
{
	sock->len = sizeof(sock->addr);
	if (getsockname(sock->fd, &sock->addr.any, &sock->len) < 0)
		return answer_errno(errno);
	if (is_address(sock) && is_abstract(sock) && !supervisor_plan(sock->call->sup)->net_namespace)
		return refuse_abstract(sock, BERM_OP_LISTEN, EACCES);
	return sup_socket_listen(sock);
}
