/*
 * What http_proxy.py runs:
 *   origin                            a server on a port of the loopback, which it prints: 200, keep-alive, 128 bytes
 *   egress                            @egress alone as a proxy on such a port, with a monitor that allows everything
 *   load PORT ORIGIN CONNECTIONS MS   requests in absolute form through the proxy at PORT for so long, each connection one at a
 *                                     time; prints requests a second, p50 and p99 in microseconds, connections made
 *   idle PORT ORIGIN CONNECTIONS      makes so many, one request on each, and then waits for the end of its input
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "egress/door.h"
#include "egress/egress.h"

enum { BATCH = 256, SAMPLES_MAX = 1 << 22, READ_MAX = 65536 };

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int listen_here(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 4096) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		die("listen");
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static void watch(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	const int yes = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		die("epoll_ctl");
}

/* ---- the server ---------------------------------------------------------------------------------------------------- */

/* Requests have no bodies, and come whole. */
static void serve(int fd)
{
	static char bytes[READ_MAX + 1], answer[512];
	if (answer[0] == '\0')
		snprintf(answer, sizeof(answer),
			 "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 128\r\n\r\n%0128d", 1);
	ssize_t n = recv(fd, bytes, READ_MAX, 0);
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			close(fd);
		return;
	}
	bytes[n] = '\0';
	for (char *at = bytes; (at = strstr(at, "\r\n\r\n")) != NULL; at += 4) {
		if (send(fd, answer, strlen(answer), MSG_NOSIGNAL) < 0) {
			close(fd);
			return;
		}
	}
}

static _Noreturn void run_origin(void)
{
	struct epoll_event events[BATCH];
	int listener = listen_here(), epoll = epoll_create1(EPOLL_CLOEXEC);
	watch(epoll, listener);
	for (;;) {
		int count = epoll_wait(epoll, events, BATCH, -1);
		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;
			if (fd != listener)
				serve(fd);
			else if ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
				watch(epoll, fd);
		}
	}
}

/* ---- the monitor --------------------------------------------------------------------------------------------------- */

static void answer_all(int door)
{
	static uint8_t bytes[DOOR_MESSAGE_MAX];
	struct door_question question;
	struct str text;
	enum berm_code code;
	while ((code = door_take(door, bytes, &question, &text, NULL)) == BERM_OK) {
		const struct door_answer answer = {.kind = DOOR_ANSWER,
						   .id = question.id,
						   .verdict = DOOR_ALLOW,
						   .all_requests = 1,
						   .allowed = 0xffff};
		bool asks = question.kind >= DOOR_DNS && question.kind <= DOOR_RECHECK;
		if (asks && door_send(door, &answer, NULL) != BERM_OK)
			die("answer");
	}
	if (code == BERM_ERR_CLOSED)
		exit(0);
}

static _Noreturn void run_egress(void)
{
	int pair[2], fds[DOOR_END_COUNT];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
		die("socketpair");
	for (int i = 0; i < DOOR_END_COUNT; i++)
		fds[i] = -1;
	fds[6] = listen_here();
	pid_t pid = fork();
	if (pid == 0) {
		close(pair[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		egress_main(pair[1], NULL);
	}
	printf("%d\n", (int)pid);
	fflush(stdout);
	close(pair[1]);
	if (door_send_ends(pair[0], fds, 1, NULL) != BERM_OK)
		die("ends");
	for (;;) {
		struct pollfd wait = {.fd = pair[0], .events = POLLIN};
		poll(&wait, 1, -1);
		answer_all(pair[0]);
	}
}

/* ---- the load ------------------------------------------------------------------------------------------------------ */

struct load {
	int epoll, proxy;
	char request[256];
	size_t request_len;
	uint64_t begun[65536]; /* by descriptor */
	size_t came[65536];
	uint32_t *samples;
	size_t count, connections;
};
static struct load load;

static int connect_to(int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die("connect");
	return fd;
}

static void ask(int fd)
{
	load.begun[fd] = now_ns();
	load.came[fd] = 0;
	if (send(fd, load.request, load.request_len, MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET)
		die("send");
}

static void open_one(void)
{
	int fd = connect_to(load.proxy);
	load.connections++;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	watch(load.epoll, fd);
	ask(fd);
}

/* The answer is whole when its 128 bytes are: they are behind the head, and the last ones are known. */
static void hear(int fd)
{
	static char bytes[READ_MAX];
	ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) { /* a proxy that keeps nothing alive */
		close(fd);
		open_one();
		return;
	}
	if (load.came[fd] == 0 && memcmp(bytes, "HTTP/1.1 200", 12) != 0 && memcmp(bytes, "HTTP/1.0 200", 12) != 0) {
		fprintf(stderr, "answer: %.*s\n", (int)n, bytes);
		exit(1);
	}
	load.came[fd] += (size_t)n;
	if (n < 8 || memcmp(bytes + n - 8, "00000001", 8) != 0)
		return;
	if (load.count < SAMPLES_MAX)
		load.samples[load.count++] = (uint32_t)((now_ns() - load.begun[fd]) / 100);
	ask(fd);
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void prepare_load(char **argv)
{
	const struct rlimit limit = {65536, 65536};
	setrlimit(RLIMIT_NOFILE, &limit);
	load.epoll = epoll_create1(EPOLL_CLOEXEC);
	load.proxy = atoi(argv[2]);
	load.samples = malloc(SAMPLES_MAX * sizeof(uint32_t));
	load.request_len =
		(size_t)snprintf(load.request, sizeof(load.request),
				 "GET http://127.0.0.1:%s/some/path?with=query HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n"
				 "User-Agent: load\r\nAccept: */*\r\n\r\n",
				 argv[3], argv[3]);
}

static int run_load(char **argv)
{
	struct epoll_event events[BATCH];
	prepare_load(argv);
	uint64_t begun = now_ns(), end = begun + (uint64_t)atoi(argv[5]) * 1000000;
	for (int i = 0; i < atoi(argv[4]); i++)
		open_one();
	while (now_ns() < end) {
		int count = epoll_wait(load.epoll, events, BATCH, 100);
		for (int i = 0; i < count; i++)
			hear(events[i].data.fd);
	}
	double seconds = (double)(now_ns() - begun) / 1e9;
	if (load.count == 0)
		return 1;
	qsort(load.samples, load.count, sizeof(uint32_t), by_size);
	printf("%.0f %.1f %.1f %zu\n", (double)load.count / seconds, load.samples[load.count / 2] / 10.0,
	       load.samples[load.count * 99 / 100] / 10.0, load.connections);
	return 0;
}

static int run_idle(char **argv)
{
	char byte, bytes[4096];
	prepare_load(argv);
	for (int i = 0; i < atoi(argv[4]); i++) {
		int fd = connect_to(load.proxy);
		if (send(fd, load.request, load.request_len, MSG_NOSIGNAL) < 0 ||
		    recv(fd, bytes, sizeof(bytes), 0) <= 0)
			die("idle");
	}
	printf("ready\n");
	fflush(stdout);
	return read(STDIN_FILENO, &byte, 1) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc == 2 && strcmp(argv[1], "origin") == 0)
		run_origin();
	if (argc == 2 && strcmp(argv[1], "egress") == 0)
		run_egress();
	if (argc == 6 && strcmp(argv[1], "load") == 0)
		return run_load(argv);
	if (argc == 5 && strcmp(argv[1], "idle") == 0)
		return run_idle(argv);
	return 2;
}
