/*
 * Trying things out. Two children run beside each other: one in namespaces of its own mounts this and that, one
 * without puts filters and rules upon itself. They write what worked into a page that they share with the caller, so
 * that a child which is killed, or hangs until its deadline, has still told what it found before. The host may have
 * threads: the children use system calls only.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/own.h"
#include "os/fd.h"
#include "os/nl.h"
#include "os/sys.h"
#include "sandbox/facts.h"
#include "sandbox/netns_rules.h"
#include "sandbox/plan.h"

enum { DEADLINE_MS = 2000 };

struct found {
	volatile long value[FACT_COUNT];
};

struct trial {
	struct found *found;
	uint64_t namespaces; /* of the child */
	uid_t uid;
	gid_t gid;
	int abi;
	const char *path;
};

typedef void (*trial_fn)(const struct trial *trial);

/* ---- children --------------------------------------------------------------------------------------------------- */

struct running {
	pid_t pid; /* 0: not started */
	int alive; /* reads end of file when the child is gone */
};

/* Every signal is blocked meanwhile, and stays so in the child: no handler of the host may run there. */
static int trial_start(const struct trial *trial, trial_fn run, struct running *ret_running)
{
	int ends[2];
	sigset_t all, before;
	*ret_running = (struct running){.alive = -1};
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t pid = sys_fork(trial->namespaces, 0, NULL);
	if (pid == 0) {
		run(trial);
		_exit(0);
	}
	int failed = errno;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)close(ends[1]);
	if (pid < 0) {
		(void)close(ends[0]);
		errno = failed;
		return -1;
	}
	*ret_running = (struct running){pid, ends[0]};
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void trial_wait(struct running *running)
{
	int64_t end = now_ms() + DEADLINE_MS, left;
	struct pollfd poll_fd = {.fd = running->alive, .events = POLLIN};
	if (running->pid == 0)
		return;
	while ((left = end - now_ms()) > 0 && poll(&poll_fd, 1, (int)left) < 0 && errno == EINTR)
		continue;
	(void)kill(running->pid, SIGKILL);
	while (waitpid(running->pid, NULL, __WALL) < 0 && errno == EINTR)
		continue;
	(void)close(running->alive);
	*running = (struct running){.alive = -1};
}

/* ---- in namespaces ---------------------------------------------------------------------------------------------- */

static const struct {
	enum fact fact;
	uint64_t flag;
} kinds[] = {
	{FACT_MOUNT_NAMESPACE, CLONE_NEWNS}, {FACT_PID_NAMESPACE, CLONE_NEWPID},
	{FACT_NET_NAMESPACE, CLONE_NEWNET},  {FACT_IPC_NAMESPACE, CLONE_NEWIPC},
	{FACT_UTS_NAMESPACE, CLONE_NEWUTS},  {FACT_CGROUP_NAMESPACE, CLONE_NEWCGROUP},
};

static void try_nothing(const struct trial *trial)
{
	(void)trial;
}

/* Where they cannot be had all at once, one missing kind must not hide the others. */
static uint64_t choose_namespaces(const struct trial *trial)
{
	uint64_t working = 0;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct running running;
		struct trial one = *trial;
		one.namespaces = CLONE_NEWUSER | kinds[i].flag;
		if (trial_start(&one, try_nothing, &running) == 0)
			working |= one.namespaces;
		trial_wait(&running);
	}
	return working;
}

static size_t put_number(char *text, uint64_t number)
{
	char digits[20];
	size_t len = 0, at = 0;
	do
		digits[len++] = (char)('0' + number % 10);
	while ((number /= 10) != 0);
	while (len > 0)
		text[at++] = digits[--len];
	return at;
}

/* One id onto itself. */
static bool map_id(const char *path, uint64_t id)
{
	char line[64];
	size_t len = put_number(line, id);
	line[len++] = ' ';
	len += put_number(line + len, id);
	memcpy(line + len, " 1\n", 4);
	return fd_write_file(AT_FDCWD, path, line) == 0;
}

static bool map_ids(const struct trial *trial)
{
	(void)fd_write_file(AT_FDCWD, "/proc/self/setgroups", "deny");
	return map_id("/proc/self/uid_map", trial->uid) && map_id("/proc/self/gid_map", trial->gid);
}

/* In a Landlock domain a mount is refused though the rights in the namespace are there: only changing one works. */
static void try_trees(const struct trial *trial)
{
	struct os_mount_attr closed = {.attr_set = OS_MOUNT_ATTR_RDONLY | OS_MOUNT_ATTR_NOSUID | OS_MOUNT_ATTR_NODEV |
						   OS_MOUNT_ATTR_NOEXEC};
	volatile long *value = trial->found->value;
	int tree = sys_open_tree(AT_FDCWD, "/", OS_OPEN_TREE_CLONE | OS_OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	value[FACT_OPEN_TREE] = tree >= 0;
	if (tree >= 0)
		value[FACT_MOUNT_SETATTR] = sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &closed) == 0;
	bool mounts = mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0;
	value[FACT_OUTER_LANDLOCK] = !mounts && value[FACT_MOUNT_SETATTR] != 0;
	value[FACT_MOUNT_NAMESPACE] = mounts;
}

/* /proc is the one folder that is certainly there: first it gets a /proc of its own, then a tmpfs in which the rest is
 * tried. */
static bool try_places(const struct trial *trial)
{
	volatile long *value = trial->found->value;
	if ((trial->namespaces & CLONE_NEWPID) != 0)
		value[FACT_PROC_MOUNT] = mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0;
	value[FACT_TMPFS_MOUNT] = mount("tmpfs", "/proc", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") == 0;
	if (value[FACT_TMPFS_MOUNT] == 0 || mkdir("/proc/pts", 0755) < 0)
		return false;
	value[FACT_DEVPTS_MOUNT] = mount("devpts", "/proc/pts", "devpts", MS_NOSUID | MS_NOEXEC,
					 "newinstance,ptmxmode=0666,mode=620") == 0;
	return true;
}

static void try_link(const struct trial *trial)
{
	int file = open("/proc/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (file < 0 || symlink("/nowhere", "/proc/link") < 0)
		return;
	int tree = sys_open_tree(AT_FDCWD, "/proc/file", OS_OPEN_TREE_CLONE | OS_OPEN_TREE_CLOEXEC);
	if (tree >= 0)
		trial->found->value[FACT_MOVE_MOUNT_LINK] =
			sys_move_mount(tree, "", AT_FDCWD, "/proc/link", OS_MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

static void try_overlay(const struct trial *trial)
{
	static const char *const folders[] = {"/proc/lower", "/proc/upper", "/proc/work", "/proc/all"};
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (mkdir(folders[i], 0755) < 0)
			return;
	trial->found->value[FACT_OVERLAY] =
		mount("overlay", "/proc/all", "overlay", MS_NOSUID | MS_NODEV,
		      "lowerdir=/proc/lower,upperdir=/proc/upper,workdir=/proc/work,userxattr") == 0;
}

static void try_loopback(const struct trial *trial)
{
	struct ifreq request = {.ifr_name = "lo"};
	auto_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return;
	request.ifr_flags |= IFF_UP;
	trial->found->value[FACT_LOOPBACK_UP] = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

/* The very rules of a filtered network: a kernel may have nf_tables and not what they are made of. */
static void try_nf_tables(const struct trial *trial)
{
	uint32_t messages[NETNS_RULES_SIZE / sizeof(uint32_t)];
	uint32_t failed;
	struct nl_out out = nl_into(messages, sizeof messages);
	netns_addresses(&out);
	if (nl_transact_many(NETLINK_ROUTE, &out, NETNS_ADDRESSES_LAST, NETNS_ADDRESSES_IP6, &failed) < 0)
		return;
	out = nl_into(messages, sizeof messages);
	uint32_t last = netns_rules(&out, failed == 0);
	trial->found->value[FACT_NF_TABLES] = nl_transact_many(NETLINK_NETFILTER, &out, last, 0, &failed) == 0;
}

static void try_namespaces(const struct trial *trial)
{
	volatile long *value = trial->found->value;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!map_ids(trial))
		return;
	value[FACT_USER_NAMESPACE] = 1;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		value[kinds[i].fact] = (trial->namespaces & kinds[i].flag) != 0;
	if ((trial->namespaces & CLONE_NEWNET) != 0) {
		try_loopback(trial);
		try_nf_tables(trial);
	}
	if ((trial->namespaces & CLONE_NEWNS) == 0)
		return;
	try_trees(trial);
	if (value[FACT_MOUNT_NAMESPACE] != 0 && try_places(trial)) {
		try_link(trial);
		try_overlay(trial);
	}
}

/* ---- without namespaces ----------------------------------------------------------------------------------------- */

static volatile uint64_t remote_word = 0x6d726562;

static void try_on_child(const struct trial *trial)
{
	volatile long *value = trial->found->value;
	uint64_t word = 0;
	pid_t pid = sys_fork(0, SIGCHLD, NULL);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)pause();
	}
	if (pid < 0)
		return;
	auto_fd int pidfd = sys_pidfd_open(pid, 0);
	auto_fd int fetched = pidfd < 0 ? -1 : sys_pidfd_getfd(pidfd, 0);
	value[FACT_PIDFD_GETFD] = fetched >= 0 || (pidfd >= 0 && errno == EBADF); /* the host may have closed its 0 */
	value[FACT_PROCESS_VM] = sys_process_read(pid, (uintptr_t)&remote_word, &word, sizeof word) == sizeof word &&
				 word == remote_word;
	value[FACT_PTRACE] = ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, __WALL);
}

static void try_listener(const struct trial *trial, int listener)
{
	volatile long *value = trial->found->value;
	struct seccomp_notif_addfd add = {.srcfd = (uint32_t)listener};
	value[FACT_SECCOMP_LISTENER] = 1;
	value[FACT_SECCOMP_SYNC_WAKEUP] =
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) == 0;
	/* No call waits under this number: ENOENT tells that the request itself is known. */
	value[FACT_SECCOMP_ADDFD] = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 && errno == ENOENT;
}

static void try_seccomp(const struct trial *trial)
{
	struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog program = {.len = ARRAY_LEN(allow), .filter = allow};
	volatile long *value = trial->found->value;
	value[FACT_SECCOMP_FILTER] = sys_seccomp_filter(&program, 0) == 0;
	int listener =
		sys_seccomp_filter(&program, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	value[FACT_SECCOMP_WAIT_KILLABLE] = listener >= 0;
	if (listener < 0 && errno == EINVAL)
		listener = sys_seccomp_filter(&program, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	if (listener >= 0)
		try_listener(trial, listener);
}

/* The number says what the kernel has; a domain can still be refused: sixteen layers are the most there can be. */
static void try_landlock(const struct trial *trial)
{
	struct ll_ruleset_attr attr = {.handled_access_fs = landlock_handled(trial->abi)};
	if (trial->abi < 1)
		return;
	int ruleset = sys_landlock_create_ruleset(&attr, sizeof attr.handled_access_fs, 0);
	if (ruleset >= 0 && sys_landlock_restrict_self(ruleset, 0) == 0)
		trial->found->value[FACT_LANDLOCK_ABI] = trial->abi;
}

static void try_rules(const struct trial *trial)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	try_on_child(trial);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return;
	try_seccomp(trial);
	try_landlock(trial);
}

/* ---- both ------------------------------------------------------------------------------------------------------- */

static void start_in_namespaces(struct trial *trial, struct running *ret_running)
{
	trial->namespaces = CLONE_NEWUSER;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		trial->namespaces |= kinds[i].flag;
	if (trial_start(trial, try_namespaces, ret_running) == 0)
		return;
	trial->namespaces = choose_namespaces(trial);
	if (trial->namespaces != 0)
		(void)trial_start(trial, try_namespaces, ret_running);
}

static void take_over(struct berm_facts *facts, const struct found *found)
{
	static const enum fact also[] = {FACT_SECCOMP_FILTER, FACT_SECCOMP_WAIT_KILLABLE, FACT_LANDLOCK_ABI,
					 FACT_OUTER_LANDLOCK};
	for (int fact = 0; fact < FACT_COUNT; fact++)
		if (fact_table[fact].assumed)
			facts->value[fact] = found->value[fact];
	for (size_t i = 0; i < ARRAY_LEN(also); i++)
		facts->value[also[i]] = found->value[also[i]];
	if (facts->value[FACT_USER_NAMESPACE] == 0) /* without the rights in them they are of no use */
		facts_without_namespaces(facts);
}

static struct found *share_page(void)
{
	void *page = mmap(NULL, sizeof(struct found), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return page != MAP_FAILED ? page : NULL;
}

enum berm_code facts_try(struct berm_facts *facts, struct berm_err *err)
{
	struct running mounts, rules;
	struct trial trial = {
		.found = share_page(), .uid = geteuid(), .gid = getegid(), .abi = (int)facts->value[FACT_LANDLOCK_ABI]};
	if (trial.found == NULL)
		return err_sys(err, "share a page with a child");
	int started = trial_start(&trial, try_rules, &rules);
	if (started == 0) {
		start_in_namespaces(&trial, &mounts);
		trial_wait(&mounts);
		trial_wait(&rules);
		take_over(facts, trial.found);
	}
	enum berm_code code = started == 0 ? BERM_OK : err_sys(err, "start a child");
	(void)munmap(trial.found, sizeof *trial.found);
	return code;
}

static void try_join(const struct trial *trial)
{
	trial->found->value[FACT_CGROUP_PIDS] = fd_write_file(AT_FDCWD, trial->path, "0") == 0;
}

bool facts_try_join(const char *procs_path)
{
	struct running running;
	struct trial trial = {.found = share_page(), .path = procs_path};
	if (trial.found == NULL)
		return false;
	(void)trial_start(&trial, try_join, &running);
	trial_wait(&running);
	bool joined = trial.found->value[FACT_CGROUP_PIDS] != 0;
	(void)munmap(trial.found, sizeof *trial.found);
	return joined;
}
