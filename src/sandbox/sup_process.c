/*
 * Processes on behalf, where neither a pid namespace nor Landlock keeps the sandbox's calls to the sandbox: signals, and
 * the limits and priorities of a process that is named by number. A process is inside if it descends from the supervisor
 * and is none of its helpers. And files in memory, which must not be runnable.
 *
 * Where a number lies in a register and stands for the caller's own process or group, the kernel may go on: that number
 * cannot come to mean another while its caller waits here. Any other process is held by a pidfd while it is judged and
 * while the signal is sent, so it is the judged one that gets it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"
#include "os/fd.h"
#include "os/sys.h"
#include "sandbox/sup_state.h"
#include "sandbox/sup_task.h"

enum {
	MAX_ANCESTORS = 256,
	MEMFD_NAME_MAX = 249,
	IOPRIO_WHO_PROCESS = 1,
};

#define MEMFD_KNOWN                                                                                                    \
	(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | MFD_NOEXEC_SEAL | MFD_EXEC | (63U << MFD_HUGE_SHIFT))

/* ---- what a process is ------------------------------------------------------------------------------------------- */

struct process {
	pid_t tgid, parent, group;
};

/* The number after key in the text of a status file; false if there is none. */
static bool status_value(const char *status, const char *key, unsigned *ret_value)
{
	const char *at = strstr(status, key);
	unsigned value = 0;
	if (at == NULL)
		return false;
	at += strlen(key);
	at += strspn(at, "\t ");
	if (*at < '0' || *at > '9')
		return false;
	for (; *at >= '0' && *at <= '9'; at++)
		value = value * 10 + (unsigned)(*at - '0');
	*ret_value = value;
	return true;
}

/* Behind the name, which may hold anything: state, parent, group. */
static bool stat_group(const char *stat, pid_t *ret_group)
{
	const char *at = strrchr(stat, ')');
	int group = 0;
	for (int field = 0; at != NULL && field < 3; field++)
		at = strchr(at + 1, ' ');
	if (at == NULL)
		return false;
	for (at++; *at >= '0' && *at <= '9'; at++)
		group = group * 10 + (*at - '0');
	*ret_group = group;
	return true;
}

/* Of a process or thread by number. 0, or ESRCH. */
static int look_at_process(const struct supervisor *sup, pid_t pid, struct process *ret_process)
{
	char name[SUP_PROC_SIZE], text[4096];
	unsigned tgid, parent;
	proc_name(name, pid, "status");
	if (fd_read_file(sup->proc_fd, name, text, sizeof(text)) <= 0 || !status_value(text, "\nTgid:", &tgid) ||
	    !status_value(text, "\nPPid:", &parent))
		return ESRCH;
	struct process process = {.tgid = (pid_t)tgid, .parent = (pid_t)parent};
	proc_name(name, pid, "stat");
	if (fd_read_file(sup->proc_fd, name, text, sizeof(text)) <= 0 || !stat_group(text, &process.group))
		return ESRCH;
	*ret_process = process;
	return 0;
}

static bool descends(const struct supervisor *sup, const struct process *process)
{
	struct process at = *process;
	for (int i = 0; i < MAX_ANCESTORS && at.parent > 1; i++) {
		if (at.parent == getpid())
			return true;
		if (look_at_process(sup, at.parent, &at) != 0)
			return false;
	}
	return at.parent == getpid();
}

static bool is_helper(const struct supervisor *sup, pid_t pid)
{
	for (size_t i = 0; i < SUP_MAX_HELPERS; i++)
		if (sup->helpers[i].pid == pid)
			return true;
	return false;
}

/* Twice: a parent that ends in the middle of a walk could give its number to somebody inside, and then its children, who
 * are outside, would seem to descend from there; at the second walk they have another parent. */
static bool is_inside(const struct supervisor *sup, const struct process *process)
{
	struct process again;
	if (process->tgid == getpid() || is_helper(sup, process->tgid) || !descends(sup, process))
		return false;
	if (look_at_process(sup, process->tgid, &again) != 0 || again.parent != process->parent)
		return false;
	return descends(sup, &again);
}

/* 0 if pid is a process or thread of the sandbox; ESRCH; or EPERM. */
static int judge_pid(const struct supervisor *sup, pid_t pid, struct process *ret_process)
{
	int error = look_at_process(sup, pid, ret_process);
	if (error != 0)
		return error;
	return is_inside(sup, ret_process) ? 0 : EPERM;
}

/* ---- refusing ---------------------------------------------------------------------------------------------------- */

static struct sup_answer refuse_process(struct call *call, const char *what, int64_t number, int error)
{
	char object[64];
	size_t at = 0;
	(void)text_put(object, sizeof(object), &at, what);
	(void)text_put_number(object, sizeof(object), &at, (uint64_t)(number < 0 ? -number : number));
	const struct sup_notice notice = {
		.kind = BERM_REQUEST_PROCESS, .op = BERM_OP_SIGNAL, .error = error, .object = object};
	return call_refuse(call, &notice);
}

/* What is told of a pid: only that there is something outside is a notice. */
static struct sup_answer fail_pid(struct call *call, pid_t pid, int error)
{
	return error == EPERM ? refuse_process(call, "pid ", pid, EPERM) : answer_errno(error);
}

static pid_t own_tgid(const struct call *call)
{
	struct process process;
	return look_at_process(call->sup, call->tid, &process) == 0 ? process.tgid : -1;
}

/* ---- one process ------------------------------------------------------------------------------------------------- */

/* Holds the process that pid names (or that the thread pid belongs to), judges it, and sends. */
static struct sup_answer signal_process(struct call *call, pid_t pid, int signal, siginfo_t *info)
{
	struct process process;
	int error = look_at_process(call->sup, pid, &process);
	if (error != 0)
		return answer_errno(error);
	auto_fd int pidfd = sys_pidfd_open(process.tgid, 0);
	if (pidfd < 0)
		return answer_errno(errno);
	error = judge_pid(call->sup, process.tgid, &process);
	if (error != 0)
		return fail_pid(call, pid, error);
	if (!call_alive(call))
		return answer_errno(ESRCH);
	return answer_result(syscall(SYS_pidfd_send_signal, pidfd, signal, info, 0));
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

struct directory_entry {
	uint64_t ino;
	int64_t offset;
	unsigned short length;
	unsigned char type;
	char name[];
};

struct crowd {
	struct call *call;
	pid_t group; /* 0: everybody but the caller */
	pid_t except;
	int signal;
	bool send;
	size_t inside, outside;
};

static void meet(struct crowd *crowd, pid_t pid)
{
	const struct supervisor *sup = crowd->call->sup;
	struct process process;
	if (look_at_process(sup, pid, &process) != 0 || (crowd->group != 0 && process.group != crowd->group) ||
	    process.tgid == crowd->except)
		return;
	auto_fd int pidfd = sys_pidfd_open(pid, 0);
	if (pidfd < 0 || judge_pid(sup, pid, &process) != 0) {
		crowd->outside += pidfd >= 0;
		return;
	}
	crowd->inside++;
	if (crowd->send)
		(void)sys_pidfd_send_signal(pidfd, crowd->signal);
}

static pid_t pid_of_name(const char *name)
{
	int pid = 0;
	for (; *name >= '0' && *name <= '9' && pid < 100000000; name++)
		pid = pid * 10 + (*name - '0');
	return *name == '\0' ? pid : 0;
}

/* All processes that /proc shows. */
static void meet_all(struct crowd *crowd)
{
	_Alignas(struct directory_entry) char entries[4096] = {0};
	auto_fd int fd = openat(crowd->call->sup->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long n;
	while (fd >= 0 && (n = syscall(SYS_getdents64, fd, entries, sizeof(entries))) > 0) {
		const struct directory_entry *entry;
		for (long at = 0; at < n; at += entry->length) {
			entry = (const void *)(entries + at);
			pid_t pid = pid_of_name(entry->name);
			if (pid > 0)
				meet(crowd, pid);
		}
	}
}

/* 0 if all of the group are inside; ESRCH if there is nobody; or EPERM. Who joins a group must be of its session, and the
 * sandbox's groups are its own. */
static int judge_group(struct crowd *crowd)
{
	meet_all(crowd);
	if (crowd->outside > 0)
		return EPERM;
	return crowd->inside > 0 ? 0 : ESRCH;
}

static struct sup_answer fail_group(struct call *call, pid_t group, int error)
{
	return error == EPERM ? refuse_process(call, "process group ", group, EPERM) : answer_errno(error);
}

/* The kernel sends to a group in one step, so it is left to it where nobody outside is in it. */
static struct sup_answer signal_group(struct call *call, pid_t group, int signal)
{
	struct crowd crowd = {.call = call, .group = group, .signal = signal};
	int error = judge_group(&crowd);
	if (error == 0)
		return answer_continue();
	if (crowd.inside == 0)
		return fail_group(call, group, error);
	crowd.send = true;
	meet_all(&crowd);
	return answer_value(0);
}

static struct sup_answer signal_all(struct call *call, int signal)
{
	struct crowd crowd = {.call = call, .except = own_tgid(call), .signal = signal, .send = true};
	meet_all(&crowd);
	return crowd.inside > 0 ? answer_value(0) : answer_errno(ESRCH);
}

/* ---- the calls --------------------------------------------------------------------------------------------------- */

static bool is_signal(int signal)
{
	return signal >= 0 && signal < _NSIG;
}

static struct sup_answer handle_kill(struct call *call)
{
	pid_t pid = (pid_t)call->args[0];
	int signal = (int)call->args[1];
	struct process own;
	if (!is_signal(signal))
		return answer_errno(EINVAL);
	if (pid == INT32_MIN || look_at_process(call->sup, call->tid, &own) != 0)
		return answer_errno(ESRCH);
	if (pid == own.tgid || pid == call->tid)
		return answer_continue();
	if (pid == -1)
		return signal_all(call, signal);
	if (pid <= 0)
		return signal_group(call, pid == 0 ? own.group : -pid, signal);
	return signal_process(call, pid, signal, NULL);
}

/* To a thread: of the caller's own process the kernel may go on, and others are held while it is sent. */
static struct sup_answer signal_thread(struct call *call, pid_t tgid, pid_t tid, int signal, siginfo_t *info)
{
	struct process process;
	if (tgid <= 0 || tid <= 0)
		return answer_errno(EINVAL);
	auto_fd int pidfd = sys_pidfd_open(tgid, 0);
	if (pidfd < 0)
		return answer_errno(errno == EINVAL ? ESRCH : errno);
	int error = judge_pid(call->sup, tgid, &process);
	if (error != 0)
		return fail_pid(call, tgid, error);
	if (!call_alive(call) || sys_pidfd_send_signal(pidfd, 0) < 0)
		return answer_errno(ESRCH);
	if (info != NULL)
		return answer_result(syscall(SYS_rt_tgsigqueueinfo, tgid, tid, signal, info));
	return answer_result(syscall(SYS_tgkill, tgid, tid, signal));
}

static struct sup_answer handle_tgkill(struct call *call)
{
	pid_t tgid = (pid_t)call->args[0];
	if (tgid > 0 && tgid == own_tgid(call))
		return answer_continue();
	return signal_thread(call, tgid, (pid_t)call->args[1], (int)call->args[2], NULL);
}

static struct sup_answer handle_tkill(struct call *call)
{
	pid_t tid = (pid_t)call->args[0];
	struct process process;
	if (tid <= 0)
		return answer_errno(EINVAL);
	if (look_at_process(call->sup, tid, &process) != 0)
		return answer_errno(ESRCH);
	return signal_thread(call, process.tgid, tid, (int)call->args[1], NULL);
}

/* A copy, with the number that is sent. As the kernel wants it of whoever signals another: not what looks like its own. */
static int read_info(const struct call *call, uint64_t address, int signal, siginfo_t *ret_info)
{
	int error = task_read(call, address, ret_info, sizeof(*ret_info));
	if (error != 0)
		return error;
	ret_info->si_signo = signal;
	return ret_info->si_code >= 0 || ret_info->si_code == SI_TKILL ? EPERM : 0;
}

static struct sup_answer handle_sigqueue(struct call *call)
{
	pid_t pid = (pid_t)call->args[0];
	int signal = (int)call->args[1];
	siginfo_t info;
	if (pid > 0 && pid == own_tgid(call))
		return answer_continue();
	int error = read_info(call, call->args[2], signal, &info);
	if (error != 0)
		return answer_errno(error);
	return pid > 0 && is_signal(signal) ? signal_process(call, pid, signal, &info) : answer_errno(EINVAL);
}

static struct sup_answer handle_tgsigqueue(struct call *call)
{
	pid_t tgid = (pid_t)call->args[0];
	siginfo_t info;
	if (tgid > 0 && tgid == own_tgid(call))
		return answer_continue();
	int error = read_info(call, call->args[3], (int)call->args[2], &info);
	if (error != 0)
		return answer_errno(error);
	return signal_thread(call, tgid, (pid_t)call->args[1], (int)call->args[2], &info);
}

/* The process that a pidfd names, as the kernel shows it of our own copy. 0, EBADF (no pidfd) or ESRCH (gone). */
static int pid_of_pidfd(const struct supervisor *sup, int pidfd, pid_t *ret_pid)
{
	char name[SUP_PROC_SIZE], text[1024];
	unsigned pid;
	size_t at = 0;
	(void)text_put(name, sizeof(name), &at, "self/fdinfo/");
	(void)text_put_number(name, sizeof(name), &at, (uint64_t)pidfd);
	if (fd_read_file(sup->proc_fd, name, text, sizeof(text)) <= 0)
		return EBADF;
	if (strstr(text, "\nPid:\t-1") != NULL)
		return ESRCH;
	if (!status_value(text, "\nPid:", &pid) || pid == 0)
		return EBADF;
	*ret_pid = (pid_t)pid;
	return 0;
}

static struct sup_answer handle_pidfd_signal(struct call *call)
{
	int signal = (int)call->args[1];
	pid_t pid = 0;
	struct process process;
	siginfo_t info;
	auto_fd int pidfd = -1;
	int error = task_fd(call, (int)call->args[0], &pidfd);
	if (error == 0)
		error = pid_of_pidfd(call->sup, pidfd, &pid);
	if (error == 0 && call->args[2] != 0)
		error = read_info(call, call->args[2], signal, &info);
	if (error != 0)
		return answer_errno(error);
	error = judge_pid(call->sup, pid, &process);
	if (error != 0)
		return fail_pid(call, pid, error);
	if (!call_alive(call))
		return answer_errno(ESRCH);
	return answer_result(syscall(SYS_pidfd_send_signal, pidfd, signal, call->args[2] != 0 ? &info : NULL,
				     (unsigned)call->args[3]));
}

/* Signals of a descriptor go to its owner. The kernel keeps the process, not the number. */
static struct sup_answer handle_fcntl(struct call *call)
{
	pid_t owner = (pid_t)call->args[2];
	struct process process;
	if ((int)call->args[1] != F_SETOWN || owner == 0)
		return answer_continue();
	if (owner == INT32_MIN)
		return answer_errno(EINVAL);
	if (owner > 0) {
		int error = judge_pid(call->sup, owner, &process);
		return error == 0 ? answer_continue() : fail_pid(call, owner, error);
	}
	struct crowd crowd = {.call = call, .group = -owner};
	int error = judge_group(&crowd);
	return error == 0 ? answer_continue() : fail_group(call, owner, error);
}

/* Limits and priorities of a process that a register names. They do no harm that a signal could not, so the moment
 * between the judgement and the kernel's own look at the number is left open. */
static struct sup_answer judge_peer(struct call *call, pid_t pid)
{
	struct process process;
	if (pid == 0 || pid == call->tid)
		return answer_continue();
	if (pid < 0)
		return answer_errno(ESRCH);
	int error = judge_pid(call->sup, pid, &process);
	return error == 0 ? answer_continue() : fail_pid(call, pid, error);
}

static struct sup_answer handle_peer(struct call *call)
{
	return judge_peer(call, (pid_t)call->args[0]);
}

/* Which kind, then who: a group or a user may reach beyond the sandbox. */
static struct sup_answer handle_priority(struct call *call)
{
	int which = (int)call->args[0];
	int process_kind = call->nr == SYS_setpriority ? PRIO_PROCESS : IOPRIO_WHO_PROCESS;
	if (which != process_kind)
		return refuse_process(call, "a group or user ", (int)call->args[1], EPERM);
	return judge_peer(call, (pid_t)call->args[1]);
}

/* ---- memfd_create ------------------------------------------------------------------------------------------------ */

static struct sup_answer refuse_memfd(struct call *call, const char *name)
{
	char object[sizeof("memfd:") + MEMFD_NAME_MAX];
	size_t at = 0;
	(void)text_put(object, sizeof(object), &at, "memfd:");
	(void)text_put(object, sizeof(object), &at, name);
	const struct sup_notice notice = {
		.kind = BERM_REQUEST_FILE, .op = BERM_OP_CREATE, .error = EACCES, .object = object};
	return call_refuse(call, &notice);
}

/* A berm inside asks what is held already. */
static struct sup_answer give_outer_plan(const char *text)
{
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	auto_fd int fd = (int)syscall(SYS_memfd_create, PLAN_OUTER_NAME, flags | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
		fd = (int)syscall(SYS_memfd_create, PLAN_OUTER_NAME, flags);
	if (fd < 0 || fd_write_full(fd, text, strlen(text)) < 0 || fcntl(fd, F_ADD_SEALS, seals) < 0)
		return answer_errno(errno);
	return (struct sup_answer){.kind = SUP_FD, .fd = take_fd(&fd), .fd_cloexec = true};
}

/* With the seal that no program can be started from it. That seal brings sealing with it, which is taken away again from
 * who did not ask for it. A kernel older than 6.3 has no such seal. */
static struct sup_answer handle_memfd(struct call *call)
{
	char name[MEMFD_NAME_MAX + 1];
	unsigned flags = (unsigned)call->args[1];
	int error = task_path(call, call->args[0], name, sizeof(name));
	if (error != 0)
		return answer_errno(error == ENAMETOOLONG ? EINVAL : error);
	if ((flags & ~MEMFD_KNOWN) != 0)
		return answer_errno(EINVAL);
	if ((flags & MFD_EXEC) != 0)
		return refuse_memfd(call, name);
	if (call->sup->outer != NULL && strcmp(name, PLAN_OUTER_NAME) == 0)
		return give_outer_plan(call->sup->outer);
	auto_fd int fd = (int)syscall(SYS_memfd_create, name, flags | MFD_NOEXEC_SEAL | MFD_CLOEXEC);
	if (fd < 0 && errno == EINVAL && (flags & MFD_HUGETLB) == 0)
		return refuse_memfd(call, name);
	if (fd < 0)
		return answer_errno(errno);
	if ((flags & MFD_ALLOW_SEALING) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL) < 0)
		return answer_errno(errno);
	return (struct sup_answer){.kind = SUP_FD, .fd = take_fd(&fd), .fd_cloexec = (flags & MFD_CLOEXEC) != 0};
}

const struct sup_row sup_process_rows[] = {
	{SYS_kill, handle_kill},
	{SYS_tkill, handle_tkill},
	{SYS_tgkill, handle_tgkill},
	{SYS_rt_sigqueueinfo, handle_sigqueue},
	{SYS_rt_tgsigqueueinfo, handle_tgsigqueue},
	{SYS_pidfd_send_signal, handle_pidfd_signal},
	{SYS_fcntl, handle_fcntl},
	{SYS_prlimit64, handle_peer},
	{SYS_sched_setattr, handle_peer},
	{SYS_sched_setaffinity, handle_peer},
	{SYS_sched_setparam, handle_peer},
	{SYS_sched_setscheduler, handle_peer},
	{SYS_setpriority, handle_priority},
	{SYS_ioprio_set, handle_priority},
	{SYS_memfd_create, handle_memfd},
	{-1, NULL},
};
