/*
 * A filtered network by the public face: clients that block, that wait by poll and by epoll, and that ask DNS, in a
 * sandbox; outside, whoever has its ends answers each with the address that it was told of. With a network of the sandbox's
 * own, and without: then the ends are on the machine's loopback.
 */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/own.h"
#include "berm/berm.h"

enum { ROUNDS = 20, MAX_OPEN = 64, TEXT = INET6_ADDRSTRLEN + 16, PATIENCE_MS = 5000, TICK_MS = 20 };

union name {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* ---- inside: the exit status says what failed --------------------------------------------------------------------- */

static socklen_t name_of(const char *text, uint16_t port, union name *ret_name)
{
	memset(ret_name, 0, sizeof(*ret_name));
	ret_name->in.sin_port = htons(port); /* at the same place in both families */
	if (inet_pton(AF_INET, text, &ret_name->in.sin_addr) == 1) {
		ret_name->any.sa_family = AF_INET;
		return sizeof(ret_name->in);
	}
	ret_name->any.sa_family = AF_INET6;
	(void)inet_pton(AF_INET6, text, &ret_name->in6.sin6_addr);
	return sizeof(ret_name->in6);
}

static bool wait_by_poll(int fd, short events)
{
	struct pollfd one = {.fd = fd, .events = events};
	return poll(&one, 1, PATIENCE_MS) == 1;
}

/* Edges only, asked for before the connect as libraries of events do it. */
static bool wait_by_epoll(int queue)
{
	struct epoll_event event;
	return epoll_wait(queue, &event, 1, PATIENCE_MS) == 1 && (event.events & (EPOLLERR | EPOLLHUP)) == 0;
}

static bool is_connected(int fd)
{
	int error = -1;
	socklen_t len = sizeof(error);
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0;
}

static bool reads(int fd, const char *wanted)
{
	char seen[TEXT] = "";
	return wait_by_poll(fd, POLLIN) && read(fd, seen, sizeof(seen) - 1) > 0 && strcmp(seen, wanted) == 0;
}

enum way { BLOCKING, BY_POLL, BY_EPOLL, WAYS };

static bool connect_by(enum way way, int fd, const union name *name, socklen_t len)
{
	auto_fd int queue = way == BY_EPOLL ? epoll_create1(EPOLL_CLOEXEC) : -1;
	struct epoll_event edges = {.events = EPOLLOUT | EPOLLET};
	if (connect(fd, &name->any, len) != 0 && (way == BLOCKING || errno != EINPROGRESS))
		return false;
	if (way == BY_POLL && !wait_by_poll(fd, POLLOUT))
		return false;
	if (way == BY_EPOLL && (queue < 0 || epoll_ctl(queue, EPOLL_CTL_ADD, fd, &edges) != 0 || !wait_by_epoll(queue)))
		return false;
	return is_connected(fd);
}

static bool try_port(enum way way, const char *text, uint16_t port, const char *wanted)
{
	union name name;
	socklen_t len = name_of(text, port, &name);
	auto_fd int fd =
		socket(name.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | (way == BLOCKING ? 0 : SOCK_NONBLOCK), 0);
	return fd >= 0 && connect_by(way, fd, &name, len) && reads(fd, wanted);
}

static bool try_tcp(enum way way, const char *text, const char *wanted)
{
	return try_port(way, text, 8080, wanted);
}

/* Connected, so that an answer from another address is none. */
static bool try_dns(const char *text)
{
	union name name;
	socklen_t len = name_of(text, 53, &name);
	auto_fd int fd = socket(name.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd >= 0 && connect(fd, &name.any, len) == 0 && send(fd, "query", 5, 0) == 5 && reads(fd, "query");
}

static bool can_send(const char *text, uint16_t port)
{
	union name name;
	socklen_t len = name_of(text, port, &name);
	auto_fd int fd = socket(name.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return connect(fd, &name.any, len) == 0 && send(fd, "x", 1, 0) == 1 && wait_by_poll(fd, POLLIN) &&
	       recv(fd, &name, 1, 0) >= 0;
}

static bool try_datagrams(bool six)
{
	return try_dns("192.0.2.53") && (!six || try_dns("2001:db8::53")) && !can_send("192.0.2.53", 443);
}

/* On the machine's loopback: DNS by streams, no datagrams at all, and nobody of the machine behind a port. */
static bool try_streams(bool six)
{
	auto_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd < 0 && try_port(BLOCKING, "192.0.2.53", 53, "query") &&
	       try_port(BY_POLL, "127.0.0.53", 53, "query") &&
	       (!six || try_port(BY_EPOLL, "2001:db8::53", 53, "query"));
}

static int client(bool six, bool own_network)
{
	for (int round = 0; round < ROUNDS; round++)
		for (enum way way = BLOCKING; way < WAYS; way++) {
			if (!try_tcp(way, "203.0.113.5", "203.0.113.5 8080"))
				return 10 + (int)way;
			if (six && !try_tcp(way, "2001:db8::1", "2001:db8::1 8080"))
				return 20 + (int)way;
		}
	return (own_network ? try_datagrams(six) : try_streams(six)) ? 0 : 30;
}

/* ---- outside ------------------------------------------------------------------------------------------------------ */

static struct server {
	struct berm_network_ends ends;
	struct {
		int fd;
		uint16_t port;
	} open[MAX_OPEN];
	size_t count;
	atomic_bool stop;
	int answered, queries, strange;
} server;

static void take_connection(int end)
{
	union name peer;
	socklen_t len = sizeof(peer);
	int fd = accept4(end, &peer.any, &len, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	if (server.count == MAX_OPEN) {
		server.strange++;
		(void)close(fd);
		return;
	}
	server.open[server.count].fd = fd;
	server.open[server.count++].port = ntohs(peer.in.sin_port);
}

static void answer(size_t i, const struct berm_origin *origin)
{
	char text[TEXT] = "";
	(void)inet_ntop(origin->family == 4 ? AF_INET : AF_INET6, origin->destination, text, INET6_ADDRSTRLEN);
	size_t len = strlen(text);
	(void)snprintf(text + len, sizeof(text) - len, " %u", origin->destination_port);
	server.answered += send(server.open[i].fd, text, strlen(text), MSG_NOSIGNAL) > 0 ? 1 : 0;
	(void)close(server.open[i].fd);
	server.open[i] = server.open[--server.count];
}

/* A record may come a moment after its connection, and before it is taken. */
static void take_origin(void)
{
	struct berm_origin origin;
	if (recv(server.ends.origins, &origin, sizeof(origin), 0) != sizeof(origin))
		return;
	for (int i = 0; i < 2; i++)
		if (server.ends.tcp[i] >= 0)
			take_connection(server.ends.tcp[i]);
	for (size_t i = 0; i < server.count; i++)
		if (server.open[i].port == origin.source_port) {
			answer(i, &origin);
			return;
		}
	server.strange++;
}

static void answer_query(int end)
{
	char text[64];
	union name peer;
	_Alignas(struct cmsghdr) char control[256];
	struct iovec part = {text, sizeof(text)};
	struct msghdr message = {.msg_name = &peer,
				 .msg_namelen = sizeof(peer),
				 .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(end, &message, 0);
	if (n < 0)
		return;
	part.iov_len = (size_t)n;
	server.queries += sendmsg(end, &message, 0) == n ? 1 : 0;
}

static void answer_stream(int end)
{
	auto_fd int fd = accept4(end, NULL, NULL, SOCK_CLOEXEC);
	server.queries += fd >= 0 && send(fd, "query", 5, MSG_NOSIGNAL) == 5 ? 1 : 0;
}

static void *serve(void *arg)
{
	const struct berm_network_ends *ends = &server.ends;
	struct pollfd polls[] = {{.fd = ends->dns_udp[0], .events = POLLIN},
				 {.fd = ends->dns_udp[1], .events = POLLIN},
				 {.fd = ends->origins, .events = POLLIN},
				 {.fd = ends->dns_tcp[0], .events = POLLIN},
				 {.fd = ends->dns_tcp[1], .events = POLLIN}};
	while (!atomic_load(&server.stop)) {
		(void)poll(polls, ARRAY_LEN(polls), TICK_MS);
		if (polls[0].revents != 0)
			answer_query(ends->dns_udp[0]);
		if (polls[1].revents != 0)
			answer_query(ends->dns_udp[1]);
		if (polls[3].revents != 0)
			answer_stream(ends->dns_tcp[0]);
		if (polls[4].revents != 0)
			answer_stream(ends->dns_tcp[1]);
		if ((polls[2].revents & POLLIN) != 0)
			take_origin();
		else if (polls[2].revents != 0)
			polls[2].fd = -1;
	}
	return arg;
}

/* ---- the test ----------------------------------------------------------------------------------------------------- */

static char program[4096];

static struct berm_plan *filtered_plan(enum berm_backend backend)
{
	static const char *const system[] = {"/usr", "/bin", "/lib", "/lib64"};
	struct berm_caps *caps = NULL;
	struct berm_facts *facts = NULL;
	struct berm_plan *plan = NULL;
	struct berm_err err = {0};
	assert_int_equal(berm_caps_new(&caps, &err), BERM_OK);
	for (size_t i = 0; i < ARRAY_LEN(system); i++)
		assert_int_equal(berm_caps_path(caps, system[i], BERM_READ | BERM_EXEC, BERM_TREE, &err), BERM_OK);
	assert_int_equal(berm_caps_path(caps, program, BERM_READ | BERM_EXEC, BERM_FILE, &err), BERM_OK);
	assert_int_equal(berm_caps_network(caps, BERM_NET_FILTERED, &err), BERM_OK);
	assert_int_equal(berm_caps_backend(caps, backend, &err), BERM_OK);
	assert_int_equal(berm_facts_probe(&facts, &err), BERM_OK);
	if (berm_plan_make(caps, facts, &plan, &err) != BERM_OK)
		print_message("skipped: %s\n", err.msg);
	berm_facts_free(facts);
	berm_caps_free(caps);
	return plan;
}

/* Whoever of the machine finds the port gets no answer: it has no key for the door. */
static void check_door(int end)
{
	union name name;
	socklen_t len = sizeof(name);
	auto_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd one = {.fd = fd, .events = POLLOUT};
	assert_int_equal(getsockname(end, &name.any, &len), 0);
	assert_int_equal(connect(fd, &name.any, len), -1);
	assert_int_equal(errno, EINPROGRESS);
	assert_int_equal(poll(&one, 1, 2 * TICK_MS), 0);
}

static void serve_clients(enum berm_backend backend)
{
	bool own_network = backend == BERM_BACKEND_NAMESPACES;
	struct berm_plan *plan = filtered_plan(backend);
	if (plan == NULL)
		skip();
	static const char *const envp[] = {"PATH=/usr/bin:/bin", NULL};
	const char *const argv[] = {program, own_network ? "client" : "client by streams", NULL};
	const struct berm_command command = {
		.size = sizeof command, .argv = argv, .envp = envp, .cwd = "/", .stdio = {-1, -1, 2}, .terminal = -1};
	struct berm_sandbox *box = NULL;
	struct berm_err err = {0};
	struct berm_status status;
	struct berm_network_ends again = {.size = sizeof again};
	pthread_t thread;
	if (berm_sandbox_spawn(plan, &command, &box, &err) != BERM_OK)
		fail_msg("%s", err.msg);
	memset(&server, 0, sizeof server);
	server.ends.size = sizeof server.ends;
	assert_int_equal(berm_sandbox_network(box, &server.ends, &err), BERM_OK);
	assert_int_equal(berm_sandbox_network(box, &again, NULL), BERM_ERR_NOTFOUND);
	if (!own_network)
		check_door(server.ends.tcp[0]);
	assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
	assert_int_equal(berm_sandbox_wait(box, &status, NULL), BERM_OK);
	atomic_store(&server.stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(status.exited);
	assert_int_equal(status.exit_code, 0);
	bool six = server.ends.tcp[1] >= 0;
	assert_int_equal(server.answered, ROUNDS * WAYS * (six ? 2 : 1));
	assert_int_equal(server.queries, (six ? 2 : 1) + (own_network ? 0 : 1));
	assert_int_equal(server.strange, 0);
	const int *const held[] = {&server.ends.tcp[0],	    &server.ends.tcp[1],     &server.ends.dns_udp[0],
				   &server.ends.dns_udp[1], &server.ends.dns_tcp[0], &server.ends.dns_tcp[1],
				   &server.ends.proxy[0],   &server.ends.proxy[1],   &server.ends.origins};
	for (size_t i = 0; i < ARRAY_LEN(held); i++)
		own_close(held[i]);
	berm_sandbox_free(box);
	berm_plan_free(plan);
}

static void test_clients_of_every_kind(void **state)
{
	(void)state;
	NOT_TORTURED();
	serve_clients(BERM_BACKEND_NAMESPACES);
}

static void test_without_a_network_of_its_own(void **state)
{
	(void)state;
	NOT_TORTURED();
	serve_clients(BERM_BACKEND_LANDLOCK);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_clients_of_every_kind),
					   cmocka_unit_test(test_without_a_network_of_its_own)};
	if (argc == 2 && strncmp(argv[1], "client", 6) == 0) {
		bool own_network = argv[1][6] == '\0';
		union name own;
		socklen_t len = name_of(own_network ? BERM_NET_OWN6 : "::1", 0, &own);
		auto_fd int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
		/* without what a sanitizer does at the end: it would trace itself */
		_exit(client(fd >= 0 && bind(fd, &own.any, len) == 0, own_network));
	}
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	return n <= 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
