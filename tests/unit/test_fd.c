#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "os/fd.h"

/* An own folder for each test; its one file is removed with it. */
struct folder {
	char path[32];
	int fd;
};

static int make_folder(void **state)
{
	static struct folder folder;
	(void)memcpy(folder.path, "/tmp/berm-fd-XXXXXX", 20);
	if (mkdtemp(folder.path) == NULL)
		return -1;
	folder.fd = open(folder.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = &folder;
	return folder.fd >= 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
	struct folder *folder = *state;
	(void)unlinkat(folder->fd, "f", 0);
	(void)close(folder->fd);
	return rmdir(folder->path);
}

static void put_file(const struct folder *folder, const char *text)
{
	auto_fd int fd = openat(folder->fd, "f", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
}

static void test_file_is_read_whole(void **state)
{
	struct folder *folder = *state;
	put_file(folder, "hello\n");
	char text[16];
	assert_int_equal(fd_read_file(folder->fd, "f", text, sizeof(text)), 6);
	assert_string_equal(text, "hello\n");
}

static void test_large_file_is_cut(void **state)
{
	struct folder *folder = *state;
	put_file(folder, "hello");
	char text[4];
	assert_int_equal(fd_read_file(folder->fd, "f", text, sizeof(text)), 3);
	assert_string_equal(text, "hel");
	assert_int_equal(fd_read_file(folder->fd, "f", text, 0), -1);
	assert_int_equal(errno, EINVAL);
}

static void test_missing_file_is_an_error(void **state)
{
	struct folder *folder = *state;
	char text[4] = "abc";
	assert_int_equal(fd_read_file(folder->fd, "none", text, sizeof(text)), -1);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(text, "abc");
	assert_int_equal(fd_write_file(folder->fd, "none", "x"), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(faccessat(folder->fd, "none", F_OK, 0), -1);
}

static void test_write_file_keeps_the_file(void **state)
{
	struct folder *folder = *state;
	put_file(folder, "abcdef");
	assert_int_equal(fd_write_file(folder->fd, "f", "XY"), 0);
	char text[16];
	assert_int_equal(fd_read_file(folder->fd, "f", text, sizeof(text)), 6);
	assert_string_equal(text, "XYcdef");
}

static void test_write_to_a_full_device_fails(void **state)
{
	(void)state;
	assert_int_equal(fd_write_file(AT_FDCWD, "/dev/full", "x"), -1);
	assert_int_equal(errno, ENOSPC);
}

static void ignore(int signal)
{
	(void)signal;
}

/* Writes in pieces and interrupts the parent between them. */
static void dribble(int fd, size_t total)
{
	char bytes[1000] = {0};
	while (total > 0) {
		size_t len = total < sizeof(bytes) ? total : sizeof(bytes);
		if (write(fd, bytes, len) != (ssize_t)len)
			_exit(1);
		(void)kill(getppid(), SIGUSR1);
		total -= len;
	}
	_exit(0);
}

static void test_reads_go_on_after_signals_and_short_reads(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	struct sigaction action = {.sa_handler = ignore}, old;
	assert_int_equal(sigaction(SIGUSR1, &action, &old), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		dribble(fds[1], 200000);
	(void)close(fds[1]);
	static char bytes[300000];
	assert_int_equal(fd_read_full(fds[0], bytes, 150000), 150000);
	assert_int_equal(fd_read_full(fds[0], bytes, sizeof(bytes)), 50000);
	(void)close(fds[0]);
	int status;
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	assert_int_equal(status, 0);
	assert_int_equal(sigaction(SIGUSR1, &old, NULL), 0);
}

static void test_bad_descriptor_is_an_error(void **state)
{
	(void)state;
	char byte;
	assert_int_equal(fd_read_full(-1, &byte, 1), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(fd_write_full(-1, &byte, 1), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(fd_write_full(-1, &byte, 0), 0);
}

static void test_auto_fd_closes_and_keeps_errno(void **state)
{
	(void)state;
	int seen;
	{
		auto_fd int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		seen = fd;
		errno = ENOSPC;
	}
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(fcntl(seen, F_GETFD), -1);
	int kept;
	{
		auto_fd int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		kept = take_fd(&fd);
		assert_int_equal(fd, -1);
	}
	assert_int_equal(fcntl(kept, F_GETFD), FD_CLOEXEC);
	(void)close(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_file_is_read_whole, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_large_file_is_cut, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_missing_file_is_an_error, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_write_file_keeps_the_file, make_folder, remove_folder),
		cmocka_unit_test(test_write_to_a_full_device_fails),
		cmocka_unit_test(test_reads_go_on_after_signals_and_short_reads),
		cmocka_unit_test(test_bad_descriptor_is_an_error),
		cmocka_unit_test(test_auto_fd_closes_and_keeps_errno),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
