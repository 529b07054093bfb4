#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/own.h"
#include "egress/confine.h"

enum { KEPT_FD = 9, DESCRIPTORS = 64 };
enum { DONE = 0, NOT_DONE = 1, UNCONFINED = 2 };

/* What is tried inside: true if it worked. Without heap and with plain system calls, so that nothing but the call decides. */
struct attempt {
	const char *name;
	bool (*try)(void);
};

static _Noreturn void leave(int status)
{
	for (;;)
		(void)syscall(SYS_exit_group, status);
}

/* How a process ends that tries it: as waitpid tells. */
static int run(const struct attempt *attempt, bool confined)
{
	int status = 0;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		size_t count = 0;
		if (dup2(STDIN_FILENO, KEPT_FD) < 0)
			leave(UNCONFINED);
		if (confined && (confine_descriptors(KEPT_FD, NULL) != BERM_OK ||
				 confine_process(DESCRIPTORS, &count, NULL) != BERM_OK))
			leave(UNCONFINED);
		leave(attempt->try() ? DONE : NOT_DONE);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* ---- what must not work -------------------------------------------------------------------------------------------- */

static bool try_open(void)
{
	return syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY) >= 0;
}

static bool try_stat(void)
{
	struct stat status;
	return syscall(SYS_newfstatat, AT_FDCWD, "/", &status, 0) == 0;
}

static bool try_exec(void)
{
	static char program[] = "/bin/true";
	char *const argv[] = {program, NULL};
	(void)syscall(SYS_execve, argv[0], argv, argv + 1);
	return false; /* a status of 0 is that of /bin/true */
}

static bool try_fork(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	return pid >= 0;
}

static bool try_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static bool try_netlink_socket(void)
{
	return socket(AF_NETLINK, SOCK_DGRAM, 0) >= 0;
}

static bool try_raw_socket(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_UDP) >= 0 || errno == EPERM; /* of an ordinary user */
}

static bool try_listen(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	return fd >= 0 && listen(fd, 1) == 0;
}

static bool try_signal(void)
{
	return syscall(SYS_kill, getppid(), 0) == 0;
}

static bool try_ptrace(void)
{
	return syscall(SYS_ptrace, 0, 0, 0, 0) == 0;
}

static bool try_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool try_terminal(void)
{
	struct termios settings;
	return syscall(SYS_ioctl, KEPT_FD, TCGETS, &settings) == 0 || errno == ENOTTY;
}

static bool try_more_privileges(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

/* ---- what must ----------------------------------------------------------------------------------------------------- */

static bool try_work(void)
{
	struct sockaddr_in nowhere = {.sin_family = AF_INET};
	struct epoll_event event = {.events = EPOLLIN};
	struct timespec now;
	char byte;
	void *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	nowhere.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	nowhere.sin_port = htons(9);
	(void)connect(tcp, (struct sockaddr *)&nowhere, sizeof(nowhere));
	(void)syscall(SYS_epoll_ctl, -1, EPOLL_CTL_ADD, udp, &event);
	return memory != MAP_FAILED && tcp >= 0 && udp >= 0 && getrandom(&byte, 1, 0) == 1 &&
	       syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now) == 0 && fcntl(udp, F_DUPFD_CLOEXEC, 0) >= 0 &&
	       write(STDOUT_FILENO, "", 0) == 0;
}

static bool try_many_descriptors(void)
{
	int count = 0;
	while (count <= DESCRIPTORS && fcntl(KEPT_FD, F_DUPFD_CLOEXEC, 0) >= 0)
		count++;
	return count < DESCRIPTORS && errno == EMFILE;
}

/* Nothing but the standard descriptors and the one that is kept. */
static bool try_descriptors(void)
{
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		bool open = fcntl(fd, F_GETFD) >= 0;
		if (open != (fd <= STDERR_FILENO || fd == KEPT_FD))
			return false;
	}
	return true;
}

/* ---- tests --------------------------------------------------------------------------------------------------------- */

static void test_what_is_not_in_the_list_ends_the_process(void **state)
{
	(void)state;
	NOT_TORTURED();
	static const struct attempt attempts[] = {
		{"fork", try_fork},
		{"unix socket", try_unix_socket},
		{"netlink socket", try_netlink_socket},
		{"raw socket", try_raw_socket},
		{"listen", try_listen},
		{"signal", try_signal},
		{"ptrace", try_ptrace},
		{"executable memory", try_code},
		{"terminal", try_terminal},
		{"prctl", try_more_privileges},
	};
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		int outside = run(&attempts[i], false), inside = run(&attempts[i], true);
		if (!WIFSIGNALED(inside) || WTERMSIG(inside) != SIGSYS)
			fail_msg("%s: ended with %d", attempts[i].name, inside);
		if (attempts[i].try != try_ptrace && (!WIFEXITED(outside) || WEXITSTATUS(outside) != DONE))
			fail_msg("%s: does not even work outside", attempts[i].name);
	}
}

static void test_no_program_is_run(void **state)
{
	(void)state;
	NOT_TORTURED();
	static const struct attempt attempt = {"exec", try_exec};
	int outside = run(&attempt, false), inside = run(&attempt, true);
	assert_true(WIFEXITED(outside) && WEXITSTATUS(outside) == 0);
	assert_true(WIFSIGNALED(inside) && WTERMSIG(inside) == SIGSYS);
}

static void test_no_file_is_found(void **state)
{
	(void)state;
	NOT_TORTURED();
	static const struct attempt attempts[] = {{"open", try_open}, {"stat", try_stat}};
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		int outside = run(&attempts[i], false), inside = run(&attempts[i], true);
		assert_true(WIFEXITED(outside) && WEXITSTATUS(outside) == DONE);
		assert_true(WIFEXITED(inside) && WEXITSTATUS(inside) == NOT_DONE);
	}
}

static void test_what_egress_does_works(void **state)
{
	(void)state;
	NOT_TORTURED();
	static const struct attempt attempts[] = {
		{"work", try_work}, {"many descriptors", try_many_descriptors}, {"descriptors", try_descriptors}};
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		int inside = run(&attempts[i], true);
		if (!WIFEXITED(inside) || WEXITSTATUS(inside) != DONE)
			fail_msg("%s: ended with %d", attempts[i].name, inside);
	}
}

static void test_the_door_is_no_standard_descriptor(void **state)
{
	(void)state;
	assert_int_equal(confine_descriptors(STDERR_FILENO, NULL), BERM_ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_not_in_the_list_ends_the_process),
		cmocka_unit_test(test_no_program_is_run),
		cmocka_unit_test(test_no_file_is_found),
		cmocka_unit_test(test_what_egress_does_works),
		cmocka_unit_test(test_the_door_is_no_standard_descriptor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
