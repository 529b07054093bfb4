#include "os/sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/time.h>

int sock_get_int(int fd, int level, int name, int *ret_value)
{
	int value = 0;
	socklen_t len = sizeof(value);
	if (getsockopt(fd, level, name, &value, &len) < 0)
		return -1;
	*ret_value = value;
	return 0;
}

int sock_cookie(int fd, uint64_t *ret_cookie)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) < 0)
		return -1;
	*ret_cookie = cookie;
	return 0;
}

int sock_tcp_state(int fd)
{
	uint8_t state = 0; /* the first byte of struct tcp_info */
	socklen_t len = sizeof(state);
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &len) < 0 ? -1 : state;
}

int sock_disconnect(int fd)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};
	int ignored;
	int result = connect(fd, &none, sizeof(none));
	int error = errno;
	(void)sock_get_int(fd, SOL_SOCKET, SO_ERROR, &ignored); /* what the end of an attempt leaves behind */
	errno = error;
	return result;
}

static void ignore_alarm(int signal)
{
	(void)signal;
}

/* The alarm is repeated, so one that comes before the kernel begins to wait does no harm. */
int sock_connect_briefly(int fd, const struct sockaddr *addr, socklen_t len, uint32_t limit_us)
{
	const struct sigaction action = {.sa_handler = ignore_alarm}; /* without SA_RESTART */
	const struct timeval limit = {.tv_sec = limit_us / 1000000, .tv_usec = limit_us % 1000000};
	const struct itimerval on = {limit, limit}, off = {{0, 0}, {0, 0}};
	sigset_t alarm_only, before;
	(void)sigemptyset(&alarm_only);
	(void)sigaddset(&alarm_only, SIGALRM);
	if (sigaction(SIGALRM, &action, NULL) < 0 || setitimer(ITIMER_REAL, &on, NULL) < 0)
		return -1;
	(void)pthread_sigmask(SIG_UNBLOCK, &alarm_only, &before);
	int result = connect(fd, addr, len);
	int error = errno;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)setitimer(ITIMER_REAL, &off, NULL);
	errno = error;
	return result;
}
