#include "sup_rig.h"

#include <linux/memfd.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

/* Signals that are sent to everybody in sight must do no harm should the supervisor let them out. */
enum { HARMLESS = SIGWINCH };

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020 /* 6.3 */
#endif

static struct rig process_rig(void (*task)(void *arg))
{
	return (struct rig){
		.plan = {.backend = BERM_BACKEND_LANDLOCK,
			 .listener = true,
			 .wait_killable = true,
			 .spec = {.trap_signals = true, .trap_peers = true, .trap_memfd = true, .keep_dumpable = true}},
		.task = task,
	};
}

/* ---- files in memory ---------------------------------------------------------------------------------------------- */

static int new_memfd(const char *name, unsigned flags)
{
	return (int)syscall(SYS_memfd_create, name, flags);
}

static void use_memfds(void *arg)
{
	static void *volatile nowhere = (void *)16; /* NOLINT(performance-no-int-to-ptr) */
	struct stat st = {0};
	char name[300], link[64], text[64] = {0};
	char *const argv[] = {name, NULL};
	(void)arg;
	int fd = new_memfd("plain", MFD_CLOEXEC);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && fstat(fd, &st) == 0 && (st.st_mode & 0111) == 0);
	CHECK(fcntl(fd, F_GET_SEALS) == (F_SEAL_SEAL | F_SEAL_EXEC));
	CHECK_FAILS(fchmod(fd, 0700), EPERM);
	CHECK_FAILS(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
	CHECK(write(fd, "#!/bin/sh\nexit 0\n", 17) == 17);
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	CHECK(readlink(link, text, sizeof(text) - 1) > 0 && strncmp(text, "/memfd:plain", 12) == 0);
	CHECK_FAILS(execve(link, argv, argv + 1), EACCES);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED);
	fd = new_memfd("sealed", MFD_ALLOW_SEALING);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == 0 && fcntl(fd, F_GET_SEALS) == F_SEAL_EXEC);
	CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
	memset(name, 'n', sizeof(name));
	name[249] = '\0';
	CHECK(new_memfd(name, 0) >= 0);
	name[249] = 'n';
	name[250] = '\0';
	CHECK_FAILS(new_memfd(name, 0), EINVAL);
	CHECK_FAILS(new_memfd(nowhere, 0), EFAULT);
	CHECK_FAILS(new_memfd("odd", 0x2000), EINVAL);
	CHECK_FAILS(new_memfd("run", MFD_EXEC), EACCES);
	CHECK(new_memfd("", MFD_NOEXEC_SEAL) >= 0);
}

static void test_memfds_cannot_be_run(void **state)
{
	(void)state;
	struct rig rig = process_rig(use_memfds);
	assert_int_equal(rig_run(&rig), 0);
}

/* ---- processes ---------------------------------------------------------------------------------------------------- */

/* Outside: a process in a group of its own, which counts nothing and dies of anything. */
static pid_t outside;
static pid_t tester;

static int make_outside(void **state)
{
	(void)state;
	tester = getpid();
	outside = fork();
	if (outside == 0) {
		(void)setpgid(0, 0);
		for (;;)
			(void)pause();
	}
	return outside < 0 ? -1 : setpgid(outside, outside);
}

static int end_outside(void **state)
{
	int status = 0;
	(void)state;
	if (waitpid(outside, &status, WNOHANG) != 0)
		return -1; /* it was to live */
	return kill(outside, SIGKILL) == 0 && waitpid(outside, &status, 0) == outside ? 0 : -1;
}

/* Inside: a child that waits for one signal and tells by its exit status whether it got it. */
static pid_t new_child(int signal_number, bool own_group)
{
	int ready[2];
	char byte;
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, signal_number);
	CHECK(pipe(ready) == 0);
	pid_t child = rig_fork();
	if (child == 0) {
		const struct timespec limit = {.tv_sec = 10};
		if (own_group)
			(void)setpgid(0, 0);
		(void)sigprocmask(SIG_BLOCK, &set, NULL);
		CHECK(write(ready[1], "x", 1) == 1);
		_exit(sigtimedwait(&set, NULL, &limit) == signal_number ? 7 : 1);
	}
	CHECK(child > 0 && read(ready[0], &byte, 1) == 1);
	CHECK(close(ready[0]) == 0 && close(ready[1]) == 0);
	return child;
}

static void check_got_it(pid_t child)
{
	int status = 0;
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void signal_processes(void *arg)
{
	siginfo_t info;
	sigset_t set;
	(void)arg;
	CHECK_FAILS(kill(outside, SIGKILL), EPERM);
	CHECK_FAILS(kill(outside, 0), EPERM);
	CHECK_FAILS(kill(tester, SIGCONT), EPERM);
	CHECK_FAILS(kill(getppid(), SIGCONT), EPERM);
	CHECK_FAILS(kill(1, 0), EPERM);
	CHECK_FAILS(kill(4194305, SIGKILL), ESRCH);
	CHECK_FAILS(kill(outside, 77), EINVAL);
	CHECK_FAILS(kill(outside, -1), EINVAL);
	pid_t child = new_child(SIGUSR1, false);
	CHECK(kill(child, 0) == 0 && kill(child, SIGUSR1) == 0);
	check_got_it(child);
	/* itself, as the kernel tells it */
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR2);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(kill(getpid(), SIGUSR2) == 0);
	CHECK(sigwaitinfo(&set, &info) == SIGUSR2 && info.si_pid == getpid() && info.si_code == SI_USER);
	CHECK(raise(SIGUSR2) == 0);
	CHECK(sigwaitinfo(&set, &info) == SIGUSR2 && info.si_pid == getpid());
}

/* An orphan has the supervisor for a parent. */
static void signal_orphan(void *arg)
{
	int tell[2];
	pid_t orphan = 0;
	char byte;
	(void)arg;
	CHECK(pipe(tell) == 0);
	pid_t child = rig_fork();
	if (child == 0) {
		orphan = fork();
		if (orphan != 0)
			_exit(0);
		orphan = getpid();
		const struct timespec pause = {.tv_nsec = 1000000};
		while (getppid() == child)
			(void)nanosleep(&pause, NULL);
		CHECK(write(tell[1], &orphan, sizeof(orphan)) == sizeof(orphan));
		for (;;)
			(void)nanosleep(&pause, NULL);
	}
	CHECK(waitpid(child, NULL, 0) == child && close(tell[1]) == 0);
	CHECK(read(tell[0], &orphan, sizeof(orphan)) == sizeof(orphan));
	CHECK(kill(orphan, SIGKILL) == 0 && read(tell[0], &byte, 1) == 0);
}

static void signal_groups(void *arg)
{
	(void)arg;
	(void)signal(HARMLESS, SIG_IGN);
	CHECK_FAILS(kill(-outside, SIGKILL), EPERM);
	CHECK_FAILS(kill(-4194305, SIGKILL), ESRCH);
	pid_t child = new_child(SIGUSR1, true);
	CHECK(kill(-child, SIGUSR1) == 0);
	check_got_it(child);
	child = new_child(HARMLESS, false);
	CHECK(kill(0, HARMLESS) == 0);
	check_got_it(child);
	pid_t children[3];
	for (int i = 0; i < 3; i++)
		children[i] = new_child(HARMLESS, i == 0);
	CHECK(kill(-1, HARMLESS) == 0);
	for (int i = 0; i < 3; i++)
		check_got_it(children[i]);
	CHECK_FAILS(kill(-1, HARMLESS), ESRCH);
}

static void *wait_for_signal(void *arg)
{
	int number = 0;
	sigset_t set;
	(void)arg;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR1);
	return sigwait(&set, &number) == 0 && number == SIGUSR1 ? arg : NULL;
}

static void signal_threads(void *arg)
{
	pthread_t thread;
	void *got = NULL;
	sigset_t set;
	int here = 0;
	(void)arg;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(pthread_create(&thread, NULL, wait_for_signal, &here) == 0);
	CHECK(pthread_kill(thread, SIGUSR1) == 0 && pthread_join(thread, &got) == 0 && got == &here);
	CHECK_FAILS(syscall(SYS_tgkill, outside, outside, SIGKILL), EPERM);
	CHECK_FAILS(syscall(SYS_tgkill, getppid(), getppid(), SIGCONT), EPERM);
	CHECK_FAILS(syscall(SYS_tgkill, getpid(), outside, SIGKILL), ESRCH);
	CHECK_FAILS(syscall(SYS_tgkill, 0, 0, SIGKILL), EINVAL);
	CHECK_FAILS(syscall(SYS_tgkill, 4194305, 4194305, SIGKILL), ESRCH);
	CHECK_FAILS(syscall(SYS_tkill, outside, SIGKILL), EPERM);
	CHECK_FAILS(syscall(SYS_tkill, -1, SIGKILL), EINVAL);
	pid_t child = new_child(SIGUSR1, false);
	CHECK(syscall(SYS_tgkill, child, child, SIGUSR1) == 0);
	check_got_it(child);
	child = new_child(SIGUSR1, false);
	CHECK(syscall(SYS_tkill, child, SIGUSR1) == 0);
	check_got_it(child);
}

static void queue_signals(void *arg)
{
	siginfo_t info = {.si_code = SI_QUEUE, .si_signo = SIGUSR1};
	const union sigval value = {.sival_int = 5};
	sigset_t set;
	(void)arg;
	CHECK_FAILS(sigqueue(outside, SIGKILL, value), EPERM);
	CHECK_FAILS(sigqueue(4194305, SIGKILL, value), ESRCH);
	pid_t child = new_child(SIGUSR1, false);
	CHECK(sigqueue(child, SIGUSR1, value) == 0);
	check_got_it(child);
	child = new_child(SIGUSR1, false);
	CHECK(syscall(SYS_rt_tgsigqueueinfo, child, child, SIGUSR1, &info) == 0);
	check_got_it(child);
	CHECK_FAILS(syscall(SYS_rt_tgsigqueueinfo, outside, outside, SIGUSR1, &info), EPERM);
	/* nobody can look like the kernel, or like kill, to another */
	child = new_child(SIGUSR1, false);
	info.si_code = SI_USER;
	CHECK_FAILS(syscall(SYS_rt_sigqueueinfo, child, SIGUSR1, &info), EPERM);
	CHECK_FAILS(syscall(SYS_rt_sigqueueinfo, child, SIGUSR1, NULL), EFAULT);
	CHECK(kill(child, SIGUSR1) == 0);
	check_got_it(child);
	/* itself, with whatever it says */
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(sigqueue(getpid(), SIGUSR1, value) == 0);
	CHECK(sigwaitinfo(&set, &info) == SIGUSR1 && info.si_pid == getpid() && info.si_value.sival_int == 5);
}

static void signal_by_pidfd(void *arg)
{
	(void)arg;
	int theirs = sys_pidfd_open(outside, 0);
	CHECK(theirs >= 0);
	CHECK_FAILS(sys_pidfd_send_signal(theirs, SIGKILL), EPERM);
	CHECK_FAILS(sys_pidfd_send_signal(sys_pidfd_open(getppid(), 0), SIGCONT), EPERM);
	CHECK_FAILS(sys_pidfd_send_signal(0, SIGKILL), EBADF);
	CHECK_FAILS(sys_pidfd_send_signal(999, SIGKILL), EBADF);
	pid_t child = new_child(SIGUSR1, false);
	int pidfd = sys_pidfd_open(child, 0);
	CHECK(sys_pidfd_send_signal(pidfd, SIGUSR1) == 0);
	check_got_it(child);
	CHECK_FAILS(sys_pidfd_send_signal(pidfd, SIGUSR1), ESRCH);
}

static void own_descriptors(void *arg)
{
	int fds[2];
	(void)arg;
	CHECK(pipe(fds) == 0);
	pid_t child = new_child(SIGUSR1, true);
	CHECK_FAILS(fcntl(fds[0], F_SETOWN, outside), EPERM);
	CHECK_FAILS(fcntl(fds[0], F_SETOWN, -outside), EPERM);
	CHECK(fcntl(fds[0], F_SETOWN, child) == 0 && fcntl(fds[0], F_GETOWN) == child);
	CHECK(fcntl(fds[0], F_SETOWN, -child) == 0 && fcntl(fds[0], F_SETOWN, getpid()) == 0);
	CHECK(fcntl(fds[0], F_SETOWN, 0) == 0);
	CHECK(kill(child, SIGUSR1) == 0);
	check_got_it(child);
}

static void change_peers(void *arg)
{
	struct rlimit limit;
	struct sched_param param = {0};
	cpu_set_t cpus;
	(void)arg;
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK_FAILS(prlimit(outside, RLIMIT_NOFILE, &limit, NULL), EPERM);
	CHECK_FAILS(prlimit(getppid(), RLIMIT_NOFILE, &limit, NULL), EPERM);
	CHECK_FAILS(setpriority(PRIO_PROCESS, (id_t)outside, 19), EPERM);
	CHECK_FAILS(sched_setaffinity(outside, sizeof(cpus), &cpus), EPERM);
	CHECK_FAILS(sched_setscheduler(outside, SCHED_BATCH, &param), EPERM);
	CHECK_FAILS(syscall(SYS_ioprio_set, 1, outside, 0x4000), EPERM);
	CHECK_FAILS(setpriority(PRIO_PROCESS, 4194305, 19), ESRCH);
	pid_t child = new_child(SIGUSR1, false);
	CHECK(prlimit(child, RLIMIT_NOFILE, &limit, NULL) == 0 && prlimit(getpid(), RLIMIT_NOFILE, &limit, NULL) == 0);
	CHECK(setpriority(PRIO_PROCESS, (id_t)child, 19) == 0 && setpriority(PRIO_PROCESS, 0, 1) == 0);
	CHECK(sched_setaffinity(child, sizeof(cpus), &cpus) == 0 && sched_setaffinity(0, sizeof(cpus), &cpus) == 0);
	CHECK(sched_setscheduler(child, SCHED_BATCH, &param) == 0);
	CHECK(syscall(SYS_ioprio_set, 1, child, 0x4000) == 0);
	CHECK(kill(child, SIGUSR1) == 0);
	check_got_it(child);
}

static void run_with_outside(void (*task)(void *arg))
{
	char told[64];
	struct rig rig = process_rig(task);
	assert_int_equal(rig_run(&rig), 0);
	(void)snprintf(told, sizeof(told), "pid %d", outside);
	if (task != signal_orphan && task != signal_groups)
		assert_true(rig_told(BERM_OP_SIGNAL, EPERM, told));
	(void)snprintf(told, sizeof(told), "process group %d", outside);
	if (task == signal_groups)
		assert_true(rig_told(BERM_OP_SIGNAL, EPERM, told));
}

#define OUTSIDE_TEST(name, task)                                                                                       \
	static void name(void **state)                                                                                 \
	{                                                                                                              \
		(void)state;                                                                                           \
		run_with_outside(task);                                                                                \
	}
OUTSIDE_TEST(test_signals_stay_inside, signal_processes)
OUTSIDE_TEST(test_orphans_are_inside, signal_orphan)
OUTSIDE_TEST(test_groups_are_signalled_as_far_as_they_are_inside, signal_groups)
OUTSIDE_TEST(test_threads_are_signalled_inside, signal_threads)
OUTSIDE_TEST(test_queued_signals_stay_inside, queue_signals)
OUTSIDE_TEST(test_pidfds_signal_inside, signal_by_pidfd)
OUTSIDE_TEST(test_owners_of_descriptors_are_inside, own_descriptors)
OUTSIDE_TEST(test_peers_are_inside, change_peers)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memfds_cannot_be_run),
#define WITH_OUTSIDE(function) cmocka_unit_test_setup_teardown(function, make_outside, end_outside)
		WITH_OUTSIDE(test_signals_stay_inside),
		WITH_OUTSIDE(test_orphans_are_inside),
		WITH_OUTSIDE(test_groups_are_signalled_as_far_as_they_are_inside),
		WITH_OUTSIDE(test_threads_are_signalled_inside),
		WITH_OUTSIDE(test_queued_signals_stay_inside),
		WITH_OUTSIDE(test_pidfds_signal_inside),
		WITH_OUTSIDE(test_owners_of_descriptors_are_inside),
		WITH_OUTSIDE(test_peers_are_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
