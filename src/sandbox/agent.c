/*
 * The first steps of the command's process, between clone and exec. It shares memory and the descriptor table with the
 * helper (which stands still until exec), so a failure is told by writing it down, and the listener's descriptor simply
 * is in the helper's table. Only system calls here; after the filter only such as it lets through.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "os/sys.h"
#include "sandbox/cgroup.h"
#include "sandbox/launch.h"

static const struct {
	enum berm_limit limit;
	int resource;
	bool tree; /* a cgroup holds it for the whole tree */
} rlimit_table[] = {
	{BERM_LIMIT_MEMORY, RLIMIT_DATA, true},	     {BERM_LIMIT_PROCESSES, RLIMIT_NPROC, true},
	{BERM_LIMIT_CPU_S, RLIMIT_CPU, false},	     {BERM_LIMIT_OPEN_FILES, RLIMIT_NOFILE, false},
	{BERM_LIMIT_FILE_SIZE, RLIMIT_FSIZE, false},
};

static int apply_limits(struct launch *launch)
{
	struct rlimit none = {0, 0};
	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return launch_fail(launch, STAGE_LIMITS, "core");
	if (launch->cgroup_procs >= 0 && cgroup_join(launch->cgroup_procs) < 0)
		return launch_fail(launch, STAGE_LIMITS, "cgroup");
	for (size_t i = 0; i < ARRAY_LEN(rlimit_table); i++) {
		uint64_t value = launch->plan->limit[rlimit_table[i].limit];
		struct rlimit now;
		bool by_cgroup = launch->cgroup_procs >= 0 && rlimit_table[i].tree;
		if (value == 0 || by_cgroup)
			continue;
		if (getrlimit((__rlimit_resource_t)rlimit_table[i].resource, &now) < 0)
			return launch_fail(launch, STAGE_LIMITS, NULL);
		if (now.rlim_max != RLIM_INFINITY && value > now.rlim_max)
			value = now.rlim_max;
		struct rlimit both = {value, value};
		if (setrlimit((__rlimit_resource_t)rlimit_table[i].resource, &both) < 0)
			return launch_fail(launch, STAGE_LIMITS, NULL);
	}
	return 0;
}

/* A process group of its own, so that neither kill(0) inside nor Ctrl-C outside reaches the wrong side; the terminal
 * goes to it if the caller had it. SIGTTOU is blocked here, as every signal is. */
static int apply_session(struct launch *launch)
{
	const struct berm_command *command = launch->command;
	if (command->new_session && command->terminal < 0)
		return setsid() < 0 ? launch_fail(launch, STAGE_SESSION, "setsid") : 0;
	if (setpgid(0, 0) < 0)
		return launch_fail(launch, STAGE_SESSION, "setpgid");
	pid_t group = getpid();
	if (launch->foreground && ioctl(command->terminal, TIOCSPGRP, &group) < 0)
		return launch_fail(launch, STAGE_SESSION, "terminal");
	return 0;
}

static int apply_filter(struct launch *launch)
{
	struct sock_fprog program = {.len = (unsigned short)launch->filter_len, .filter = launch->filter};
	unsigned long flags = 0;
	if (launch->plan->listener)
		flags = SECCOMP_FILTER_FLAG_NEW_LISTENER |
			(launch->plan->wait_killable ? SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV : 0);
	int fd = sys_seccomp_filter(&program, flags);
	if (fd < 0)
		return launch_fail(launch, STAGE_SECCOMP, NULL);
	if (launch->plan->listener)
		launch->listener = fd;
	return 0;
}

/* From here on the descriptor table is our own: everything above 2 closes at exec but for what is listed. */
static int apply_stdio(struct launch *launch)
{
	const struct berm_command *command = launch->command;
	int from[3];
	if (sys_close_range(3, ~0U, OS_CLOSE_RANGE_UNSHARE | OS_CLOSE_RANGE_CLOEXEC) < 0)
		return launch_fail(launch, STAGE_STDIO, "close_range");
	for (int i = 0; i < 3; i++) {
		int given = command->stdio[i] >= 0 ? command->stdio[i] : launch->null_fd;
		from[i] = fcntl(given, F_DUPFD_CLOEXEC, 3); /* a descriptor that the caller has closed stays closed */
	}
	for (int i = 0; i < 3; i++)
		if (from[i] < 0 ? close(i) < 0 && errno != EBADF : dup2(from[i], i) < 0)
			return launch_fail(launch, STAGE_STDIO, NULL);
	for (size_t i = 0; i < command->keep_count; i++)
		if (command->keep_fds[i] > 2 && fcntl(command->keep_fds[i], F_SETFD, 0) < 0)
			return launch_fail(launch, STAGE_STDIO, "keep");
	return 0;
}

/* As execvp: a program that the kernel does not know the format of is a shell script. */
static void exec_script(struct launch *launch, const char *path)
{
	const char *const *argv = launch->command->argv;
	const char *shell_argv[260] = {"/bin/sh", path};
	size_t n = 1;
	for (; n < ARRAY_LEN(shell_argv) - 2 && argv[n] != NULL; n++)
		shell_argv[n + 1] = argv[n];
	if (argv[n] != NULL) {
		errno = E2BIG;
		return;
	}
	(void)syscall(SYS_execve, "/bin/sh", shell_argv, launch->envp, 0L, 0L, (long)SECCOMP_OWN_START);
}

/* Tries each place of the path; the error that counts is the first that is not "not there". */
static void exec_program(struct launch *launch)
{
	int first = ENOENT;
	const char *at = launch->command->argv[0];
	for (size_t i = 0; launch->programs[i] != NULL; i++) {
		(void)syscall(SYS_execve, launch->programs[i], launch->command->argv, launch->envp, 0L, 0L,
			      (long)SECCOMP_OWN_START);
		if (errno == ENOEXEC)
			exec_script(launch, launch->programs[i]);
		if (errno != ENOENT && errno != ENOTDIR && first == ENOENT) {
			first = errno;
			at = launch->programs[i];
		}
	}
	errno = first;
	(void)launch_fail(launch, STAGE_EXEC, at);
}

static int apply_all(struct launch *launch)
{
	const char *cwd = launch->cwd;
	/* Between berm's own single-threaded processes: if the helper is killed the command goes with it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || apply_limits(launch) < 0 || apply_session(launch) < 0)
		return -1;
	if (cwd != NULL && chdir(cwd) < 0)
		return launch_fail(launch, STAGE_CWD, cwd);
	if (launch->ruleset >= 0 && sys_landlock_restrict_self(launch->ruleset, 0) < 0)
		return launch_fail(launch, STAGE_LANDLOCK, "restrict");
	if (apply_filter(launch) < 0 || apply_stdio(launch) < 0)
		return -1;
	return 0;
}

static int agent_main(void *arg)
{
	struct launch *launch = arg;
	if (apply_all(launch) == 0) {
		const struct sigaction usual = {.sa_handler = SIG_DFL};
		(void)sigaction(SIGPIPE, &usual, NULL);
		(void)pthread_sigmask(SIG_SETMASK, &launch->mask, NULL);
		exec_program(launch);
	}
	_exit(127);
}

pid_t agent_start(struct launch *launch)
{
	int flags = CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD;
	pid_t pid = clone(agent_main, launch->stack + LAUNCH_STACK_SIZE, flags, launch);
	if (pid < 0)
		return launch_fail(launch, STAGE_AGENT, NULL);
	if (launch->failure.stage == STAGE_NONE)
		return pid;
	(void)waitpid(pid, NULL, 0);
	return -1;
}
