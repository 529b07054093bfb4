#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/own.h"
#include "os/sock.h"

enum { LIMIT_US = 2000 };

static int64_t now_us(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int block_alarm(void **state)
{
	sigset_t set;
	(void)state;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGALRM);
	return sigprocmask(SIG_BLOCK, &set, NULL);
}

/* A listener under an abstract name of its own, with room for one. */
static int narrow_listener(struct sockaddr_un *ret_address, socklen_t *ret_len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	assert_int_equal(bind(fd, (const struct sockaddr *)ret_address, sizeof(sa_family_t)), 0);
	*ret_len = sizeof(*ret_address);
	assert_int_equal(getsockname(fd, (struct sockaddr *)ret_address, ret_len), 0);
	assert_int_equal(listen(fd, 0), 0);
	return fd;
}

static void test_a_connect_that_waits_is_interrupted(void **state)
{
	struct sockaddr_un address;
	socklen_t len;
	(void)state;
	auto_fd int listener = narrow_listener(&address, &len);
	auto_fd int first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	auto_fd int second = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(sock_connect_briefly(first, (const struct sockaddr *)&address, len, LIMIT_US), 0);
	int64_t begin = now_us();
	assert_int_equal(sock_connect_briefly(second, (const struct sockaddr *)&address, len, LIMIT_US), -1);
	assert_int_equal(errno, EINTR);
	assert_true(now_us() - begin >= LIMIT_US / 2);
	assert_int_equal(fcntl(second, F_GETFL) & O_NONBLOCK, 0);
	/* nothing has happened: with room it is connected */
	assert_int_equal(close(accept(listener, NULL, NULL)), 0);
	assert_int_equal(sock_connect_briefly(second, (const struct sockaddr *)&address, len, LIMIT_US), 0);
	assert_int_equal(close(accept(listener, NULL, NULL)), 0);
}

static void test_a_connect_that_does_not_wait_tells_its_own_errors(void **state)
{
	struct sockaddr_un address, nobody = {.sun_family = AF_UNIX, .sun_path = "/none/of/these"};
	socklen_t len;
	(void)state;
	auto_fd int listener = narrow_listener(&address, &len);
	auto_fd int first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	auto_fd int second = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(listener >= 0);
	assert_int_equal(sock_connect_briefly(first, (const struct sockaddr *)&address, len, LIMIT_US), 0);
	assert_int_equal(sock_connect_briefly(second, (const struct sockaddr *)&address, len, LIMIT_US), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(sock_connect_briefly(second, (const struct sockaddr *)&nobody, sizeof(nobody), LIMIT_US), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(sock_connect_briefly(-1, (const struct sockaddr *)&nobody, sizeof(nobody), LIMIT_US), -1);
	assert_int_equal(errno, EBADF);
	/* no alarm is left */
	const struct timespec pause = {.tv_nsec = 5000000};
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGALRM);
	while (sigtimedwait(&set, NULL, &(struct timespec){0}) == SIGALRM)
		continue;
	assert_int_equal(sigtimedwait(&set, NULL, &pause), -1);
}

static void test_cookies_tell_sockets_apart(void **state)
{
	uint64_t first = 0, again = 0, copy = 0, second = 0;
	(void)state;
	auto_fd int a = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	auto_fd int b = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	auto_fd int a2 = fcntl(a, F_DUPFD_CLOEXEC, 0);
	assert_int_equal(sock_cookie(a, &first), 0);
	assert_int_equal(sock_cookie(a, &again), 0);
	assert_int_equal(sock_cookie(a2, &copy), 0);
	assert_int_equal(sock_cookie(b, &second), 0);
	assert_true(first != 0 && first == again && first == copy && first != second);
	assert_int_equal(sock_cookie(-1, &first), -1);
	auto_fd int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(sock_cookie(file, &first), -1);
	assert_int_equal(errno, ENOTSOCK);
	assert_int_equal(first, again);
}

static void test_states_and_ends_of_connections(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(address);
	int value = 0;
	(void)state;
	auto_fd int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	auto_fd int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	assert_int_equal(sock_tcp_state(listener), TCP_LISTEN);
	assert_int_equal(sock_tcp_state(client), TCP_CLOSE);
	assert_int_equal(connect(client, (const struct sockaddr *)&address, len), 0);
	assert_int_equal(sock_tcp_state(client), TCP_ESTABLISHED);
	assert_int_equal(sock_disconnect(client), 0);
	assert_int_equal(sock_tcp_state(client), TCP_CLOSE);
	assert_int_equal(connect(client, (const struct sockaddr *)&address, len), 0);
	assert_int_equal(sock_get_int(client, SOL_SOCKET, SO_DOMAIN, &value), 0);
	assert_int_equal(value, AF_INET);
	assert_int_equal(sock_get_int(client, SOL_SOCKET, 12345, &value), -1);
	assert_int_equal(value, AF_INET);
	assert_int_equal(sock_tcp_state(-1), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_connect_that_waits_is_interrupted),
		cmocka_unit_test(test_a_connect_that_does_not_wait_tells_its_own_errors),
		cmocka_unit_test(test_cookies_tell_sockets_apart),
		cmocka_unit_test(test_states_and_ends_of_connections),
	};
	return cmocka_run_group_tests(tests, block_alarm, NULL);
}
