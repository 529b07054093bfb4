/*
 * Connections through @egress beside a plain splice relay, which asks nobody: how fast much data goes through, how many
 * connections a second are begun one after the other, and how long a byte takes there and back. Rounds of the two take turns in
 * a network of their own; medians and ratios are printed, with the processor time that each relay took. Decides nothing.
 */
#include "egress_rig.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <time.h>

enum { ROUNDS = 7, PIECE = 65536, PIPE_SIZE = 262144, CONNECTIONS = 1000, ECHOES = 5000, CLIENT = 0, UPSTREAM = 1 };

static size_t bulk = (size_t)1 << 30;
static uint8_t bytes[1 << 20];

static double seconds(clockid_t clock)
{
	struct timespec now;
	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- the splice relay: one connection at a time -------------------------------------------------------------------- */

struct way {
	int from, to, in, out;
	size_t held;
	bool ended, shut, readable, writable;
};

static bool move(struct way *way)
{
	ssize_t n;
	bool moved = false;
	if (way->readable && !way->ended && way->held == 0) {
		n = splice(way->from, NULL, way->in, NULL, PIPE_SIZE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		moved = n >= 0;
		way->ended = n == 0;
		way->held = n > 0 ? (size_t)n : 0;
		way->readable = n >= 0;
	}
	if (way->held > 0 && way->writable) {
		n = splice(way->out, NULL, way->to, NULL, way->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		moved = moved || n > 0;
		way->held -= n > 0 ? (size_t)n : 0;
		way->writable = way->held == 0;
	}
	if (way->ended && way->held == 0 && !way->shut)
		way->shut = shutdown(way->to, SHUT_WR) == 0 || errno == ENOTCONN;
	return moved;
}

static void wait_for(int epoll_fd, struct way ways[2])
{
	struct epoll_event events[2];
	int count = epoll_wait(epoll_fd, events, 2, -1);
	for (int i = 0; i < count; i++) {
		unsigned side = events[i].data.u32;
		if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0)
			ways[side].readable = true;
		if ((events[i].events & EPOLLOUT) != 0)
			ways[1 - side].writable = true;
	}
}

static void relay(int client, int upstream, int pipes[2][2])
{
	int fds[2] = {client, upstream}, yes = 1;
	struct way ways[2];
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < 2; i++) {
		struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | (uint32_t)EPOLLET,
					    .data.u32 = i};
		ways[i] = (struct way){.from = fds[i],
				       .to = fds[1 - i],
				       .in = pipes[i][1],
				       .out = pipes[i][0],
				       .readable = true,
				       .writable = true};
		(void)fcntl(fds[i], F_SETFL, O_NONBLOCK);
		(void)setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fds[i], &event) != 0)
			die("epoll_ctl");
	}
	while (!ways[0].shut || !ways[1].shut) {
		bool first = move(&ways[0]), second = move(&ways[1]);
		if (!first && !second)
			wait_for(epoll_fd, ways);
	}
	(void)close(epoll_fd);
	(void)close(client);
	(void)close(upstream);
}

static pid_t start_relay(uint16_t *ret_port, uint16_t to)
{
	*ret_port = 0;
	int listener = rig_listen("127.0.0.1", ret_port), pipes[2][2];
	pid_t pid = fork();
	if (pid != 0) {
		(void)close(listener);
		return pid;
	}
	for (int i = 0; i < 2; i++) {
		if (pipe2(pipes[i], O_CLOEXEC | O_NONBLOCK) != 0)
			die("pipe2");
		(void)fcntl(pipes[i][1], F_SETPIPE_SZ, PIPE_SIZE);
	}
	for (;;) {
		int client = accept(listener, NULL, NULL);
		struct sockaddr_in host = rig_address(RIG_OPEN, to);
		int upstream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (client < 0 || connect(upstream, (struct sockaddr *)&host, sizeof(host)) != 0)
			die("relay");
		relay(client, upstream, pipes);
	}
}

/* ---- what is measured ---------------------------------------------------------------------------------------------- */

struct road {
	const char *name;
	const struct rig *rig; /* NULL: the splice relay */
	pid_t pid;
	uint16_t port;
	double rate[ROUNDS], begun[ROUNDS], echo[ROUNDS];
	double rate_cpu, begun_cpu;
};

static int host, accepted;
static uint16_t host_port;

static int begin(const struct road *road)
{
	int yes = 1;
	int fd = -1;
	if (road->rig != NULL) {
		fd = rig_connect(road->rig, RIG_OPEN, host_port);
	} else {
		struct sockaddr_in end = rig_address("127.0.0.1", road->port);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fd, (struct sockaddr *)&end, sizeof(end)) != 0)
			die("connect");
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (send(fd, "\1", 1, 0) != 1 || (accepted = accept(host, NULL, NULL)) < 0 || recv(accepted, bytes, 1, 0) != 1)
		die("begin");
	(void)setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	return fd;
}

static void finish(int fd)
{
	(void)close(fd);
	(void)close(accepted);
}

static void there_and_back(int fd)
{
	if (send(fd, "x", 1, 0) != 1 || recv(accepted, bytes, 1, 0) != 1 || send(accepted, "y", 1, 0) != 1 ||
	    recv(fd, bytes, 1, 0) != 1)
		die("echo");
}

static double cpu_of(const struct road *road)
{
	clockid_t clock;
	return clock_getcpuclockid(road->pid, &clock) == 0 ? seconds(clock) : 0;
}

static void measure_bulk(struct road *road, int round)
{
	int fd = begin(road);
	double cpu = cpu_of(road), start = seconds(CLOCK_MONOTONIC);
	pid_t writer = fork();
	if (writer == 0) {
		for (size_t at = 0; at < bulk; at += PIECE)
			if (send(fd, bytes, PIECE, 0) != PIECE)
				_exit(1);
		(void)shutdown(fd, SHUT_WR);
		_exit(0);
	}
	size_t came = 0;
	for (ssize_t n; (n = recv(accepted, bytes, sizeof(bytes), 0)) > 0;)
		came += (size_t)n;
	double took = seconds(CLOCK_MONOTONIC) - start;
	if (waitpid(writer, NULL, 0) != writer || came != bulk)
		die("bulk");
	road->rate[round] = (double)came / took / 1e9;
	road->rate_cpu += (cpu_of(road) - cpu) / ((double)came / 1e9) / ROUNDS;
	finish(fd);
}

static void measure_begun(struct road *road, int round)
{
	double cpu = cpu_of(road), start = seconds(CLOCK_MONOTONIC);
	for (int i = 0; i < CONNECTIONS; i++) {
		int fd = begin(road);
		there_and_back(fd);
		finish(fd);
	}
	road->begun[round] = CONNECTIONS / (seconds(CLOCK_MONOTONIC) - start);
	road->begun_cpu += (cpu_of(road) - cpu) * 1e6 / CONNECTIONS / ROUNDS;
}

static void measure_echo(struct road *road, int round)
{
	int fd = begin(road);
	double start = seconds(CLOCK_MONOTONIC);
	for (int i = 0; i < ECHOES; i++)
		there_and_back(fd);
	road->echo[round] = (seconds(CLOCK_MONOTONIC) - start) * 1e6 / ECHOES;
	finish(fd);
}

/* ---- what is told -------------------------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;
	return (one > other) - (one < other);
}

static double median(double values[ROUNDS])
{
	qsort(values, ROUNDS, sizeof(values[0]), by_size);
	return values[ROUNDS / 2];
}

static void tell(const char *what, double egress, double splice, const char *unit)
{
	printf("%-24s @egress %8.2f, splice relay %8.2f %s: %.2f\n", what, egress, splice, unit, egress / splice);
}

int main(int argc, char **argv)
{
	struct road roads[2] = {{.name = "egress"}, {.name = "splice"}};
	if (argc > 1)
		bulk = strtoul(argv[1], NULL, 10) * PIECE * 16;
	if (!rig_network())
		die("no network of its own can be made here");
	struct rig *rig = rig_new(NULL);
	host = rig_listen(RIG_OPEN, &host_port);
	roads[0].rig = rig;
	roads[0].pid = rig->egress;
	roads[1].pid = start_relay(&roads[1].port, host_port);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < 2; i++)
			measure_bulk(&roads[i], round);
		for (int i = 0; i < 2; i++)
			measure_begun(&roads[i], round);
		for (int i = 0; i < 2; i++)
			measure_echo(&roads[i], round);
	}
	tell("throughput", median(roads[0].rate), median(roads[1].rate), "GB/s");
	tell("  processor time", roads[0].rate_cpu, roads[1].rate_cpu, "s/GB");
	tell("new connections", median(roads[0].begun), median(roads[1].begun), "1/s");
	tell("  processor time", roads[0].begun_cpu, roads[1].begun_cpu, "us each");
	tell("a byte there and back", median(roads[0].echo), median(roads[1].echo), "us");
	(void)kill(roads[1].pid, SIGKILL);
	(void)waitpid(roads[1].pid, NULL, 0);
	return rig_free(rig) == 0 ? 0 : 1;
}
