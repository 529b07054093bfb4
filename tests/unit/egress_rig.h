/*
 * @egress as it runs, for its tests: the true process in a network of its own, in which some documentation addresses are this
 * machine's; a thread that is its monitor, with a small table for a policy; and clients that are led to its ends as the
 * supervisor does it where there is no namespace.
 */
#ifndef BERM_TESTS_UNIT_EGRESS_RIG_H
#define BERM_TESTS_UNIT_EGRESS_RIG_H

#include "check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "berm/berm.h"
#include "egress/egress.h"
#include "os/nl_route.h"

#define RIG_OPEN "192.0.2.1"
#define RIG_HTTP_RULES "192.0.2.2"
#define RIG_BY_PROXY "192.0.2.3" /* no address of this machine: reached through the proxy at 192.0.2.1:RIG_PROXY_PORT */
#define RIG_NO_ADDRESS "192.0.2.4" /* allowed, but its address is not */
#define RIG_NAME "name.test"	   /* as RIG_BY_PROXY */
#define RIG_OTHER "other.test"	   /* the same */
#define RIG_DENIED "192.0.2.66"	   /* and anything else */

enum { RIG_KINDS = DOOR_ENDS + 1, RIG_PROXY_PORT = 3128, RIG_WAIT_S = 10 };

struct rig {
	pid_t egress;
	int door, origins, tcp;
	uint16_t tcp_port, proxy_port, dns_port;
	pthread_t monitor;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool deny_rechecks; /* read by the monitor */
	unsigned counts[RIG_KINDS];
	struct door_question last[RIG_KINDS];
	char text[256]; /* of the last event */
};

/* ---- the network --------------------------------------------------------------------------------------------------- */

/* False: this machine lets nobody make one. */
static inline bool rig_network(void)
{
	static const uint8_t addresses[][4] = {{192, 0, 2, 1}, {192, 0, 2, 2}, {192, 0, 2, 4}};
	uint32_t bytes[256];
	if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		struct nl_out out = nl_into(bytes, sizeof(bytes));
		nl_address(&out, AF_INET, NL_LOOPBACK_INDEX, addresses[i]);
		if (nl_transact(0, &out) != 0)
			return false;
	}
	return nl_loopback_up() == 0;
}

static inline struct sockaddr_in rig_address(const char *host, uint16_t port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
	assert_int_equal(inet_pton(AF_INET, host, &addr.sin_addr), 1);
	return addr;
}

/* A listener; *port: 0 for any. */
static inline int rig_listen(const char *host, uint16_t *port)
{
	struct sockaddr_in addr = rig_address(host, *port);
	socklen_t len = sizeof(addr);
	int yes = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(fd, 4096), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	*port = ntohs(addr.sin_port);
	return fd;
}

static inline int rig_bind_udp(uint16_t *ret_port)
{
	struct sockaddr_in addr = rig_address("127.0.0.1", 0);
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	*ret_port = ntohs(addr.sin_port);
	return fd;
}

/* ---- the monitor --------------------------------------------------------------------------------------------------- */

static inline bool rig_is_by_proxy(const char *host)
{
	return strcmp(host, RIG_BY_PROXY) == 0 || strcmp(host, RIG_NAME) == 0 || strcmp(host, RIG_OTHER) == 0;
}

static inline void rig_decide(const struct rig *rig, const struct door_question *question, struct door_answer *answer)
{
	static const char *const open[] = {RIG_OPEN, RIG_HTTP_RULES, RIG_BY_PROXY, RIG_NO_ADDRESS, RIG_NAME, RIG_OTHER};
	*answer =
		(struct door_answer){.version = DOOR_VERSION, .kind = DOOR_ANSWER, .id = question->id, .generation = 1};
	for (size_t i = 0; i < ARRAY_LEN(open); i++) {
		if (strcmp(question->host, open[i]) == 0)
			answer->verdict = DOOR_ALLOW;
	}
	answer->http_rules = strcmp(question->host, RIG_HTTP_RULES) == 0;
	if (question->kind == DOOR_ADDRESSES && strcmp(question->host, RIG_NO_ADDRESS) != 0)
		answer->allowed = (uint16_t)((1U << question->address_count) - 1);
	if (question->kind == DOOR_RECHECK && rig->deny_rechecks)
		answer->verdict = DOOR_DENY;
	if (rig_is_by_proxy(question->host)) {
		answer->upstream_port = RIG_PROXY_PORT;
		(void)snprintf(answer->upstream_host, sizeof(answer->upstream_host), "%s", RIG_OPEN);
		(void)snprintf(answer->upstream_login, sizeof(answer->upstream_login), "Basic eDp5");
	}
	if (answer->verdict == DOOR_DENY) {
		(void)snprintf(answer->rule, sizeof(answer->rule), "the rule");
		(void)snprintf(answer->grant, sizeof(answer->grant), "the grant");
	}
}

static inline void rig_note(struct rig *rig, const struct door_question *question, struct str text)
{
	(void)pthread_mutex_lock(&rig->lock);
	rig->counts[question->kind]++;
	rig->last[question->kind] = *question;
	if (question->kind == DOOR_EVENT)
		(void)snprintf(rig->text, sizeof(rig->text), "%.*s", (int)text.len, text.ptr);
	(void)pthread_cond_broadcast(&rig->changed);
	(void)pthread_mutex_unlock(&rig->lock);
}

static inline void *rig_monitor(void *of)
{
	struct rig *rig = of;
	static uint8_t bytes[DOOR_MESSAGE_MAX];
	for (;;) {
		struct door_question question;
		struct door_answer answer;
		struct str text;
		struct pollfd wait = {.fd = rig->door, .events = POLLIN};
		(void)poll(&wait, 1, -1);
		enum berm_code code = door_take(rig->door, bytes, &question, &text, NULL);
		if (code == BERM_ERR_CLOSED)
			return NULL;
		if (code != BERM_OK)
			continue;
		(void)pthread_mutex_lock(&rig->lock);
		rig_decide(rig, &question, &answer);
		(void)pthread_mutex_unlock(&rig->lock);
		rig_note(rig, &question, text); /* before anything comes of it */
		if (question.kind <= DOOR_RECHECK && door_send(rig->door, &answer, NULL) != BERM_OK)
			return NULL;
	}
}

/* Until so many messages of this kind have come. */
static inline void rig_wait(struct rig *rig, enum door_kind kind, unsigned count)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += RIG_WAIT_S;
	(void)pthread_mutex_lock(&rig->lock);
	while (rig->counts[kind] < count && pthread_cond_timedwait(&rig->changed, &rig->lock, &until) == 0)
		continue;
	unsigned came = rig->counts[kind];
	(void)pthread_mutex_unlock(&rig->lock);
	assert_true(came >= count);
}

/* ---- clients ------------------------------------------------------------------------------------------------------- */

static inline void rig_tell_origin(const struct rig *rig, int client, const char *host, uint16_t port)
{
	struct sockaddr_in source;
	socklen_t len = sizeof(source);
	struct in_addr destination;
	assert_int_equal(getsockname(client, (struct sockaddr *)&source, &len), 0);
	assert_int_equal(inet_pton(AF_INET, host, &destination), 1);
	struct berm_origin origin = {.size = sizeof(origin),
				     .family = 4,
				     .protocol = IPPROTO_TCP,
				     .source_port = ntohs(source.sin_port),
				     .destination_port = port,
				     .pid = 2,
				     .exe = "/usr/bin/client"};
	memcpy(origin.source, &source.sin_addr, sizeof(source.sin_addr));
	memcpy(origin.destination, &destination, sizeof(destination));
	assert_int_equal(send(rig->origins, &origin, sizeof(origin), 0), sizeof(origin));
}

/* Connected to an end, of which nothing is told. */
static inline int rig_connect_silently(uint16_t port)
{
	static const struct timeval limit = {.tv_sec = RIG_WAIT_S};
	struct sockaddr_in end = rig_address("127.0.0.1", port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&end, sizeof(end)), 0);
	return fd;
}

static inline int rig_connect(const struct rig *rig, const char *host, uint16_t port)
{
	int fd = rig_connect_silently(rig->tcp_port);
	rig_tell_origin(rig, fd, host, port);
	return fd;
}

/* The address that stands for name ("x.test" and nothing longer), as text. */
static inline void rig_look_up(const struct rig *rig, const char *name, char ret_address[INET_ADDRSTRLEN])
{
	static const uint8_t head[12] = {1, 2, 1, 0, 0, 1};
	static const uint8_t tail[] = {4, 't', 'e', 's', 't', 0, 0, 1, 0, 1}; /* type A, class IN */
	static const struct timeval limit = {.tv_sec = RIG_WAIT_S};
	struct sockaddr_in end = rig_address("127.0.0.1", rig->dns_port);
	uint8_t query[64], answer[512];
	size_t label = strcspn(name, "."), len = sizeof(head);
	memcpy(query, head, sizeof(head));
	query[len++] = (uint8_t)label;
	memcpy(&query[len], name, label);
	len += label;
	memcpy(&query[len], tail, sizeof(tail));
	len += sizeof(tail);
	auto_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&end, sizeof(end)), 0);
	assert_int_equal(send(fd, query, len, 0), len);
	ssize_t n = recv(fd, answer, sizeof(answer), 0);
	/* One answer, whose name is a reference: type, class, time, length, address. */
	assert_int_equal(n, len + 16);
	assert_int_equal(answer[7], 1);
	assert_non_null(inet_ntop(AF_INET, &answer[len + 12], ret_address, INET_ADDRSTRLEN));
}

/* ---- life ---------------------------------------------------------------------------------------------------------- */

/* limits: NULL: the usual ones. */
static inline struct rig *rig_new(const struct egress_limits *limits)
{
	int door[2], origins[2];
	struct rig *rig = calloc(1, sizeof(*rig));
	assert_non_null(rig);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, door), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, origins), 0);
	rig->egress = fork();
	assert_true(rig->egress >= 0);
	if (rig->egress == 0) {
		(void)close(door[0]);
		(void)close(origins[0]);
		(void)close(origins[1]);
		egress_main(door[1], limits);
	}
	(void)close(door[1]);
	rig->door = door[0];
	rig->origins = origins[1];
	rig->tcp = rig_listen("127.0.0.1", &rig->tcp_port);
	auto_fd int proxy = rig_listen("127.0.0.1", &rig->proxy_port);
	assert_int_equal(fcntl(rig->tcp, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(proxy, F_SETFL, O_NONBLOCK), 0);
	auto_fd int dns = rig_bind_udp(&rig->dns_port);
	const int fds[DOOR_END_COUNT] = {rig->tcp, -1, dns, -1, -1, -1, proxy, -1, origins[0]};
	assert_int_equal(door_send_ends(rig->door, fds, rig->proxy_port, NULL), BERM_OK);
	(void)close(origins[0]);
	(void)close(rig->tcp); /* it is @egress's alone, as it is in truth */
	(void)pthread_mutex_init(&rig->lock, NULL);
	(void)pthread_cond_init(&rig->changed, NULL);
	assert_int_equal(pthread_create(&rig->monitor, NULL, rig_monitor, rig), 0);
	return rig;
}

/* Returns how @egress ended, as waitpid does. */
static inline int rig_free(struct rig *rig)
{
	int status = 0;
	(void)shutdown(rig->door, SHUT_RDWR);
	(void)pthread_join(rig->monitor, NULL);
	(void)close(rig->door);
	(void)close(rig->origins);
	assert_int_equal(waitpid(rig->egress, &status, 0), rig->egress);
	(void)pthread_cond_destroy(&rig->changed);
	(void)pthread_mutex_destroy(&rig->lock);
	free(rig);
	return status;
}

/* ---- where @egress can be run at all ------------------------------------------------------------------------------ */

static bool rig_no_network; /* none of its own can be made here, or this is a torture */

static inline int rig_group_setup(void **state)
{
	(void)state;
	rig_no_network = getenv("BERM_TORTURE") != NULL || !rig_network();
	return 0;
}

/* First in each test. */
static inline void rig_require(void)
{
	NOT_TORTURED();
	if (rig_no_network) {
		print_message("no network of its own can be made here\n");
		skip();
	}
}

static inline struct rig *rig_of(void **state)
{
	rig_require();
	return *state;
}

/* 0 if it came to its end by itself, and that was a good one. */
static inline int rig_end(struct rig *rig)
{
	int status = rig_free(rig);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

#endif
