/* Reaching other processes: reading, tracing, stopping, slowing down. */
#include "attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif

static pid_t process(const char *text)
{
	return strcmp(text, "parent") == 0 ? getppid() : (pid_t)number(text);
}

static int trace(int argc, char **argv)
{
	pid_t pid = process(argv[0]);
	bool seize = argc > 1;
	if (ptrace(seize ? PTRACE_SEIZE : PTRACE_ATTACH, pid, NULL, NULL))
		return refused("ptrace %d", (int)pid);
	if (!seize)
		waitpid(pid, NULL, __WALL);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return achieved("traced %d", (int)pid);
}

static int vm_read(int argc, char **argv)
{
	(void)argc;
	char text[64] = {0};
	struct iovec local = {text, sizeof(text) - 1}, remote = {(void *)(uintptr_t)number(argv[1]), sizeof(text) - 1};
	if (process_vm_readv(process(argv[0]), &local, 1, &remote, 1, 0) < 0)
		return refused("process_vm_readv");
	return achieved("memory: %s", text);
}

static int vm_write(int argc, char **argv)
{
	(void)argc;
	char text[] = "OVERWRITTEN";
	struct iovec local = {text, sizeof(text)}, remote = {(void *)(uintptr_t)number(argv[1]), sizeof(text)};
	return report(process_vm_writev(process(argv[0]), &local, 1, &remote, 1, 0), "process_vm_writev");
}

static int proc_mem(int argc, char **argv)
{
	(void)argc;
	char path[64], text[64] = {0};
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)process(argv[0]));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, text, sizeof(text) - 1, (off_t)number(argv[1])) <= 0)
		return refused("%s", path);
	return achieved("memory: %s", text);
}

/* A file below /proc/PID: environ, cmdline, maps, root/..., cwd/..., fd/N. */
static int proc_file(int argc, char **argv)
{
	(void)argc;
	char path[4096];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)process(argv[0]), argv[1]);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || show(fd) <= 0)
		return refused("%s", path);
	return achieved("read %s", path);
}

static int take_fd(int argc, char **argv)
{
	(void)argc;
	int pidfd = (int)syscall(SYS_pidfd_open, process(argv[0]), 0);
	if (pidfd < 0)
		return refused("pidfd_open");
	int fd = (int)syscall(SYS_pidfd_getfd, pidfd, number(argv[1]), 0);
	if (fd < 0 || (lseek(fd, 0, SEEK_SET) == 0 && show(fd) < 0))
		return refused("pidfd_getfd");
	return achieved("took descriptor %s", argv[1]);
}

static long send_sigqueue(pid_t pid, int sig)
{
	siginfo_t info = {.si_code = SI_QUEUE, .si_pid = getpid(), .si_uid = getuid()};
	info.si_signo = sig;
	return syscall(SYS_rt_sigqueueinfo, pid, sig, &info);
}

static long send_tgsigqueue(pid_t pid, int sig)
{
	siginfo_t info = {.si_code = SI_QUEUE, .si_pid = getpid(), .si_uid = getuid()};
	info.si_signo = sig;
	return syscall(SYS_rt_tgsigqueueinfo, pid, pid, sig, &info);
}

static long send_pidfd(pid_t pid, int sig)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	return pidfd < 0 ? -1 : syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

/* The kernel sends the signal, because a pipe that we own became readable. */
static long send_sigio(pid_t pid, int sig)
{
	int fds[2];
	if (pipe(fds) || fcntl(fds[0], F_SETSIG, sig) || fcntl(fds[0], F_SETOWN, pid) ||
	    fcntl(fds[0], F_SETFL, O_ASYNC | O_NONBLOCK))
		return -1;
	return write(fds[1], "x", 1);
}

static long send_kill(pid_t pid, int sig)
{
	return syscall(SYS_kill, pid, sig);
}

static long send_tkill(pid_t pid, int sig)
{
	return syscall(SYS_tkill, pid, sig);
}

static long send_tgkill(pid_t pid, int sig)
{
	return syscall(SYS_tgkill, pid, pid, sig);
}

static int send_signal(int argc, char **argv)
{
	static const struct {
		const char *name;
		long (*send)(pid_t pid, int sig);
	} calls[] = {{"kill", send_kill},	  {"tkill", send_tkill},	   {"tgkill", send_tgkill},
		     {"sigqueue", send_sigqueue}, {"tgsigqueue", send_tgsigqueue}, {"pidfd", send_pidfd},
		     {"sigio", send_sigio}};
	(void)argc;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(calls[i].name, argv[0]) == 0)
			return report(calls[i].send(process(argv[1]), (int)number(argv[2])), argv[0]);
	return USAGE;
}

/* Kills or stops whoever started us, and says whether it is still there to hear it. */
static int hit_parent(int argc, char **argv)
{
	int sig = (int)number(argv[0]);
	pid_t parent = getppid();
	long hit = kill(parent, sig);
	if (argc > 1 && parent != 1)
		hit |= kill(1, 0);
	/* Time for the signal to work before the program ends by itself. */
	usleep(100000);
	puts("WENT ON");
	fflush(stdout);
	return report(hit, "kill of the parent");
}

/* ---- without a signal ---- */

static int set_limit(int argc, char **argv)
{
	(void)argc;
	struct rlimit limit;
	pid_t pid = process(argv[0]);
	if (prlimit(pid, RLIMIT_CORE, NULL, &limit))
		return refused("prlimit");
	limit.rlim_cur = 4096;
	limit.rlim_max = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	return report(prlimit(pid, RLIMIT_CORE, &limit, NULL), "prlimit of another process");
}

static int set_priority(int argc, char **argv)
{
	(void)argc;
	return report(setpriority(PRIO_PROCESS, (id_t)process(argv[0]), 7), "setpriority of another process");
}

static int set_affinity(int argc, char **argv)
{
	(void)argc;
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return report(sched_setaffinity(process(argv[0]), sizeof(set), &set), "affinity of another process");
}

static int set_scheduler(int argc, char **argv)
{
	(void)argc;
	struct sched_param param = {0};
	return report(sched_setscheduler(process(argv[0]), SCHED_BATCH, &param), "scheduler of another process");
}

static int set_ioprio(int argc, char **argv)
{
	(void)argc;
	return report(syscall(SYS_ioprio_set, 1, process(argv[0]), 3 << 13), "ioprio_set of another process");
}

static int migrate(int argc, char **argv)
{
	(void)argc;
	unsigned long nodes = 1;
	return report(syscall(SYS_migrate_pages, process(argv[0]), 8 * sizeof(nodes), &nodes, &nodes),
		      "migrate_pages of another process");
}

static int advise(int argc, char **argv)
{
	(void)argc;
	int pidfd = (int)syscall(SYS_pidfd_open, process(argv[0]), 0);
	struct iovec range = {(void *)(uintptr_t)(number(argv[1]) & ~4095L), 4096};
	if (pidfd < 0)
		return refused("pidfd_open");
	return report(syscall(SYS_process_madvise, pidfd, &range, 1, MADV_COLD, 0), "process_madvise");
}

static int compare(int argc, char **argv)
{
	(void)argc;
	return report(syscall(SYS_kcmp, getpid(), process(argv[0]), KCMP_FILES, 0, 0), "kcmp");
}

/* ---- the terminal ---- */

/* The kernel looks at the lower 32 bits of the request only. */
static int push_input(int argc, char **argv)
{
	unsigned long request = argc > 1 ? 0xffffffff00000000UL | TIOCSTI : TIOCSTI;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	fd = fd < 0 ? 0 : fd;
	for (const char *byte = argv[0]; *byte; byte++)
		if (syscall(SYS_ioctl, fd, request, byte))
			return refused("TIOCSTI");
	if (syscall(SYS_ioctl, fd, request, "\n"))
		return refused("TIOCSTI");
	return achieved("pushed %s into the terminal", argv[0]);
}

static int paste_selection(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	char code = 3;
	return report(syscall(SYS_ioctl, 0, 0x541cUL, &code), "TIOCLINUX");
}

const struct attempt process_attempts[] = {
	{"trace", trace, 1, "PID|parent [seize]"},
	{"vm-read", vm_read, 2, "PID ADDRESS"},
	{"vm-write", vm_write, 2, "PID ADDRESS"},
	{"proc-mem", proc_mem, 2, "PID ADDRESS"},
	{"proc-file", proc_file, 2, "PID|parent NAME"},
	{"take-fd", take_fd, 2, "PID|parent FD"},
	{"signal", send_signal, 3, "CALL PID|parent SIGNAL"},
	{"hit-parent", hit_parent, 1, "SIGNAL"},
	{"limit", set_limit, 1, "PID"},
	{"priority", set_priority, 1, "PID"},
	{"affinity", set_affinity, 1, "PID"},
	{"scheduler", set_scheduler, 1, "PID"},
	{"ioprio", set_ioprio, 1, "PID"},
	{"migrate", migrate, 1, "PID"},
	{"advise", advise, 2, "PID ADDRESS"},
	{"kcmp", compare, 1, "PID"},
	{"tiocsti", push_input, 1, "TEXT [high]"},
	{"tioclinux", paste_selection, 0, ""},
	{NULL, NULL, 0, NULL},
};
