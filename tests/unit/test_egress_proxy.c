/* The proxy's end of @egress as it runs: tunnels, requests in absolute form, SOCKS. */
#include "egress_rig.h"

#include <errno.h>

#define ESTABLISHED "HTTP/1.1 200 Connection established\r\n\r\n"
#define OK_2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

static uint16_t proxy_port;

/* Nobody tells whose connections they are: as "berm proxy" runs it. */
static int setup(void **state)
{
	int door[2], fds[DOOR_END_COUNT];
	struct rig *rig = calloc(1, sizeof(*rig));
	*state = rig;
	if (rig_no_network || rig == NULL)
		return rig == NULL ? -1 : 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, door), 0);
	rig->egress = fork();
	if (rig->egress == 0) {
		(void)close(door[0]);
		egress_main(door[1], NULL);
	}
	(void)close(door[1]);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = -1;
	proxy_port = 0;
	rig->door = door[0];
	rig->origins = -1;
	fds[6] = rig_listen("127.0.0.1", &proxy_port);
	int nonblocking = fcntl(fds[6], F_SETFL, O_NONBLOCK);
	assert_int_equal(nonblocking, 0);
	assert_int_equal(door_send_ends(rig->door, fds, proxy_port, NULL), BERM_OK);
	(void)close(fds[6]);
	(void)pthread_mutex_init(&rig->lock, NULL);
	(void)pthread_cond_init(&rig->changed, NULL);
	assert_int_equal(pthread_create(&rig->monitor, NULL, rig_monitor, rig), 0);
	return 0;
}

static int teardown(void **state)
{
	if (rig_no_network) {
		free(*state);
		return 0;
	}
	return rig_end(*state);
}

static int connect_proxy(void)
{
	static const struct timeval limit = {.tv_sec = RIG_WAIT_S};
	struct sockaddr_in end = rig_address("127.0.0.1", proxy_port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&end, sizeof(end)), 0);
	return fd;
}

static void put(int fd, const void *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
}

static void put_text(int fd, const char *text)
{
	put(fd, text, strlen(text));
}

static void expect(int fd, const void *expected, size_t len)
{
	char bytes[512] = {0};
	assert_true(len <= sizeof(bytes));
	for (size_t at = 0; at < len;) {
		ssize_t n = recv(fd, bytes + at, len - at, 0);
		assert_true(n > 0);
		at += (size_t)n;
	}
	assert_memory_equal(bytes, expected, len);
}

static void expect_text(int fd, const char *text)
{
	expect(fd, text, strlen(text));
}

/* All up to the end. */
static void expect_refusal(int fd, const char *line, const char *part)
{
	char text[2048];
	size_t at = 0;
	ssize_t n;
	while ((n = recv(fd, text + at, sizeof(text) - 1 - at, 0)) > 0)
		at += (size_t)n;
	assert_int_equal(n, 0);
	text[at] = '\0';
	assert_int_equal(strncmp(text, line, strlen(line)), 0);
	assert_non_null(strstr(text, part));
}

/* Exactly so many have come. */
static void expect_count(struct rig *rig, enum door_kind kind, unsigned count)
{
	rig_wait(rig, kind, count);
	assert_int_equal(rig->counts[kind], count);
}

static int open_tunnel(const char *host, uint16_t port)
{
	char request[128];
	int client = connect_proxy();
	(void)snprintf(request, sizeof(request), "CONNECT %s:%u HTTP/1.1\r\nHost: %s:%u\r\n\r\n", host, port, host,
		       port);
	put_text(client, request);
	return client;
}

/* ---- what passes --------------------------------------------------------------------------------------------------- */

static void test_a_tunnel_passes_both_ways(void **state)
{
	struct rig *rig = rig_of(state);
	uint16_t port = 0;
	auto_fd int host = rig_listen(RIG_OPEN, &port);
	auto_fd int client = open_tunnel(RIG_OPEN, port);
	expect_text(client, ESTABLISHED);
	auto_fd int peer = accept(host, NULL, NULL);
	put_text(peer, "SSH-2.0-host\r\n");
	expect_text(client, "SSH-2.0-host\r\n");
	put_text(client, "SSH-2.0-client\r\n");
	expect_text(peer, "SSH-2.0-client\r\n");
	expect_count(rig, DOOR_CONNECT, 1);
	assert_true(rig->last[DOOR_CONNECT].by_proxy);
}

static void test_socks_passes_both_ways(void **state)
{
	struct rig *rig = rig_of(state);
	uint16_t port = 0;
	auto_fd int host = rig_listen(RIG_OPEN, &port);
	auto_fd int client = connect_proxy();
	const uint8_t request[] = {5, 1, 0, 1, 192, 0, 2, 1, (uint8_t)(port >> 8), (uint8_t)port};
	put(client, "\5\1\0", 3);
	expect(client, "\5\0", 2);
	put(client, request, sizeof(request));
	expect(client, "\5\0\0\1\0\0\0\0\0\0", 10);
	auto_fd int peer = accept(host, NULL, NULL);
	put_text(client, "\1\2\3");
	expect_text(peer, "\1\2\3");
	put_text(peer, "\4");
	expect_text(client, "\4");
	expect_count(rig, DOOR_CONNECT, 1);
}

static void test_requests_in_absolute_form(void **state)
{
	struct rig *rig = rig_of(state);
	uint16_t port = 0;
	char request[256], passed[128];
	auto_fd int host = rig_listen(RIG_OPEN, &port);
	auto_fd int client = connect_proxy(), peer = -1;
	(void)snprintf(request, sizeof(request), "GET http://%s:%u/a HTTP/1.1\r\nHost: %s:%u\r\n\r\n", RIG_OPEN, port,
		       RIG_OPEN, port);
	(void)snprintf(passed, sizeof(passed), "GET /a HTTP/1.1\r\nHost: %s:%u\r\n\r\n", RIG_OPEN, port);
	for (int i = 0; i < 3; i++) {
		put_text(client, request);
		if (i == 0)
			peer = accept(host, NULL, NULL);
		expect_text(peer, passed);
		put_text(peer, OK_2);
		expect_text(client, OK_2);
	}
	expect_count(rig, DOOR_HTTP, 3);
	assert_int_equal(rig->counts[DOOR_CONNECT], 0);
}

static void test_requests_in_a_tunnel_are_told_apart(void **state)
{
	struct rig *rig = rig_of(state);
	uint16_t port = 0;
	char request[128];
	auto_fd int host = rig_listen(RIG_HTTP_RULES, &port);
	auto_fd int client = open_tunnel(RIG_HTTP_RULES, port);
	expect_text(client, ESTABLISHED);
	auto_fd int peer = accept(host, NULL, NULL);
	(void)snprintf(request, sizeof(request), "GET /a HTTP/1.1\r\nHost: %s:%u\r\n\r\n", RIG_HTTP_RULES, port);
	for (unsigned i = 1; i < 3; i++) {
		put_text(client, request);
		expect_text(peer, request);
		put_text(peer, OK_2);
		expect_text(client, OK_2);
		expect_count(rig, DOOR_HTTP, i);
		expect_count(rig, DOOR_ADDRESSES, 1 + i); /* its address is special: judged for each */
	}
}

/* ---- what does not ------------------------------------------------------------------------------------------------- */

static void test_a_tunnel_is_looked_into(void **state)
{
	struct rig *rig = rig_of(state);
	uint16_t port = 0;
	auto_fd int host = rig_listen(RIG_HTTP_RULES, &port);
	auto_fd int raw = open_tunnel(RIG_HTTP_RULES, port);
	expect_text(raw, ESTABLISHED);
	put_text(raw, "\1");
	char byte;
	assert_int_equal(recv(raw, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	rig_wait(rig, DOOR_EVENT, 1);
	auto_fd int other = open_tunnel(RIG_HTTP_RULES, port);
	expect_text(other, ESTABLISHED);
	put_text(other, "GET / HTTP/1.1\r\nHost: " RIG_OPEN "\r\n\r\n");
	expect_refusal(other, "HTTP/1.1 421 ", "misdirected");
	rig_wait(rig, DOOR_EVENT, 2);
}

static void test_a_denied_host_is_refused_in_each_form(void **state)
{
	struct rig *rig = rig_of(state);
	auto_fd int tunnel = open_tunnel(RIG_DENIED, 443);
	expect_refusal(tunnel, "HTTP/1.1 403 ", "\"rule\":\"the rule\"");
	auto_fd int absolute = connect_proxy();
	put_text(absolute, "GET http://" RIG_DENIED "/ HTTP/1.1\r\nHost: " RIG_DENIED "\r\n\r\n");
	expect_refusal(absolute, "HTTP/1.1 403 ", "\"grant\":\"the grant\"");
	auto_fd int socks = connect_proxy();
	put(socks, "\5\1\0", 3);
	put(socks, "\5\1\0\1\xc0\0\2\x42\1\xbb", 10);
	expect(socks, "\5\0\5\2\0\1", 6);
	assert_int_equal(rig->counts[DOOR_ADDRESSES], 0);
}

static void test_where_nobody_listens(void **state)
{
	struct rig *rig = rig_of(state);
	uint16_t port = 0;
	auto_fd int host = rig_listen(RIG_OPEN, &port);
	(void)close(take_fd(&host));
	auto_fd int tunnel = open_tunnel(RIG_OPEN, port);
	expect_refusal(tunnel, "HTTP/1.1 502 ", "upstream_unreachable");
	expect_count(rig, DOOR_ADDRESSES, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_tunnel_passes_both_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(test_socks_passes_both_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(test_requests_in_absolute_form, setup, teardown),
		cmocka_unit_test_setup_teardown(test_requests_in_a_tunnel_are_told_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_tunnel_is_looked_into, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_denied_host_is_refused_in_each_form, setup, teardown),
		cmocka_unit_test_setup_teardown(test_where_nobody_listens, setup, teardown),
	};
	return cmocka_run_group_tests(tests, rig_group_setup, NULL);
}
