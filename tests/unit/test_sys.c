#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "os/sys.h"

static void test_openat2_obeys_resolve_flags(void **state)
{
	(void)state;
	const struct os_open_how plain = {.flags = O_PATH | O_CLOEXEC};
	const struct os_open_how no_links = {.flags = O_PATH | O_CLOEXEC, .resolve = OS_RESOLVE_NO_SYMLINKS};
	auto_fd int fd = sys_openat2(AT_FDCWD, "/proc/self/exe", &plain);
	assert_true(fd >= 0);
	assert_int_equal(sys_openat2(AT_FDCWD, "/proc/self/exe", &no_links), -1);
	assert_int_equal(errno, ELOOP);
}

static void test_fork_gives_a_pidfd(void **state)
{
	(void)state;
	int pidfd = -1;
	pid_t pid = sys_fork(CLONE_PIDFD, SIGCHLD, &pidfd);
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(7);
	auto_fd int end = pidfd;
	assert_true(fcntl(end, F_GETFD) >= 0);
	struct pollfd ended = {.fd = end, .events = POLLIN};
	assert_int_equal(poll(&ended, 1, 10000), 1);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void test_child_without_exit_signal_needs_wall(void **state)
{
	(void)state;
	int untouched = 42;
	pid_t pid = sys_fork(0, 0, &untouched);
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(0);
	assert_int_equal(untouched, 42);
	assert_int_equal(waitpid(pid, NULL, 0), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(waitpid(pid, NULL, __WALL), pid);
}

static void test_memory_of_a_process_is_read_and_written(void **state)
{
	(void)state;
	char there[] = "abcdef", here[4] = {0};
	assert_int_equal(sys_process_read(getpid(), (uint64_t)(uintptr_t)there, here, 3), 3);
	assert_string_equal(here, "abc");
	assert_int_equal(sys_process_write(getpid(), (uint64_t)(uintptr_t)(there + 3), "XY", 2), 2);
	assert_string_equal(there, "abcXYf");
	assert_int_equal(sys_process_read(getpid(), 8, here, 3), -1);
	assert_int_equal(errno, EFAULT);
}

static void test_pidfd_of_self(void **state)
{
	(void)state;
	auto_fd int pidfd = sys_pidfd_open(getpid(), 0);
	assert_true(pidfd >= 0);
	assert_int_equal(sys_pidfd_send_signal(pidfd, 0), 0);
	int fds[2];
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	auto_fd int copy = sys_pidfd_getfd(pidfd, fds[1]);
	assert_true(copy >= 0);
	assert_int_equal(write(copy, "x", 1), 1);
	char byte = 0;
	assert_int_equal(read(fds[0], &byte, 1), 1);
	assert_int_equal(byte, 'x');
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void test_close_range_closes_just_the_range(void **state)
{
	(void)state;
	int first = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 500);
	int second = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 501);
	int third = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 502);
	assert_true(first >= 0 && second > first && third > second);
	assert_int_equal(sys_close_range((unsigned)first, (unsigned)second, 0), 0);
	assert_int_equal(fcntl(first, F_GETFD), -1);
	assert_int_equal(fcntl(second, F_GETFD), -1);
	assert_int_equal(fcntl(third, F_GETFD), FD_CLOEXEC);
	(void)close(third);
}

static void test_seccomp_knows_its_actions(void **state)
{
	(void)state;
	if (sys_seccomp_action_avail(SECCOMP_RET_KILL_PROCESS) != 0 && errno == ENOSYS)
		skip(); /* an emulator */
	assert_int_equal(sys_seccomp_action_avail(SECCOMP_RET_USER_NOTIF), 0);
	assert_int_equal(sys_seccomp_action_avail(0x12340000), -1);
	struct seccomp_notif_sizes sizes = {0};
	assert_int_equal(sys_seccomp_notif_sizes(&sizes), 0);
	assert_true(sizes.seccomp_notif >= sizeof(struct seccomp_notif));
}

/* A domain that handles reading and grants one folder, in a child. */
static int try_landlock(void)
{
	const struct ll_ruleset_attr attr = {.handled_access_fs = LL_FS_READ_FILE};
	auto_fd int ruleset = sys_landlock_create_ruleset(&attr, sizeof(attr.handled_access_fs), 0);
	auto_fd int folder = open("/proc/self", O_PATH | O_CLOEXEC);
	if (ruleset < 0 || folder < 0 || sys_landlock_add_path(ruleset, folder, LL_FS_READ_FILE) != 0)
		return 1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || sys_landlock_restrict_self(ruleset, 0) != 0)
		return 2;
	auto_fd int inside = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	auto_fd int outside = open("/proc/version", O_RDONLY | O_CLOEXEC);
	return inside >= 0 && outside < 0 && errno == EACCES ? 0 : 3;
}

static void test_landlock_holds(void **state)
{
	(void)state;
	if (sys_landlock_create_ruleset(NULL, 0, LL_CREATE_RULESET_VERSION) < 1)
		skip();
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(try_landlock());
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_port_rules_need_their_right(void **state)
{
	(void)state;
	if (sys_landlock_create_ruleset(NULL, 0, LL_CREATE_RULESET_VERSION) < 4)
		skip();
	const struct ll_ruleset_attr attr = {.handled_access_net = LL_NET_CONNECT_TCP};
	auto_fd int ruleset = sys_landlock_create_ruleset(&attr, 2 * sizeof(uint64_t), 0);
	assert_true(ruleset >= 0);
	assert_int_equal(sys_landlock_add_port(ruleset, 443, LL_NET_CONNECT_TCP), 0);
	assert_int_equal(sys_landlock_add_port(ruleset, 443, LL_NET_BIND_TCP), -1);
	assert_int_equal(errno, EINVAL);
}

static void test_failures_set_errno(void **state)
{
	(void)state;
	assert_int_equal(sys_open_tree(-1, "x", 0), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(sys_move_mount(-1, "", -1, "", OS_MOVE_MOUNT_F_EMPTY_PATH), -1);
	assert_int_equal(sys_fsconfig(-1, OS_FSCONFIG_CMD_CREATE, NULL, NULL), -1);
	assert_int_equal(sys_fsmount(-1, OS_FSMOUNT_CLOEXEC, 0), -1);
	assert_int_equal(sys_fsopen("no such file system", OS_FSOPEN_CLOEXEC), -1);
	const struct os_mount_attr attr = {.attr_set = OS_MOUNT_ATTR_RDONLY};
	assert_int_equal(sys_mount_setattr(-1, "x", 0, &attr), -1);
	assert_int_equal(sys_pivot_root("/no/such", "/no/such"), -1);
	const struct sock_fprog empty = {0};
	assert_int_equal(sys_seccomp_filter(&empty, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openat2_obeys_resolve_flags),
		cmocka_unit_test(test_fork_gives_a_pidfd),
		cmocka_unit_test(test_child_without_exit_signal_needs_wall),
		cmocka_unit_test(test_memory_of_a_process_is_read_and_written),
		cmocka_unit_test(test_pidfd_of_self),
		cmocka_unit_test(test_close_range_closes_just_the_range),
		cmocka_unit_test(test_seccomp_knows_its_actions),
		cmocka_unit_test(test_landlock_holds),
		cmocka_unit_test(test_port_rules_need_their_right),
		cmocka_unit_test(test_failures_set_errno),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
