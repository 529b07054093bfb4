#include "egress_rig.h"

#include <errno.h>

#define DENIED_ALERT "\x15\x03\x03\x00\x02\x02\x31"	/* access_denied */
#define WRONG_NAME_ALERT "\x15\x03\x03\x00\x02\x02\x70" /* unrecognized_name */

static int setup(void **state)
{
	if (rig_no_network)
		return 0;
	*state = rig_new(NULL);
	return 0;
}

static int teardown(void **state)
{
	if (rig_no_network)
		return 0;
	return rig_end(*state);
}

static void expect_bytes(int fd, const char *expected, size_t len)
{
	char bytes[256] = {0};
	assert_true(len <= sizeof(bytes));
	for (size_t at = 0; at < len;) {
		ssize_t n = recv(fd, bytes + at, len - at, 0);
		assert_true(n > 0);
		at += (size_t)n;
	}
	assert_memory_equal(bytes, expected, len);
}

/* All up to the end. */
static void expect_text(int fd, char *ret_text, size_t size)
{
	size_t at = 0;
	ssize_t n;
	while ((n = recv(fd, ret_text + at, size - 1 - at, 0)) > 0)
		at += (size_t)n;
	assert_int_equal(n, 0);
	ret_text[at] = '\0';
}

static void expect_end(int fd)
{
	char byte;
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

static void expect_reset(int fd)
{
	char byte;
	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
}

static void put(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* ---- what is allowed ----------------------------------------------------------------------------------------------- */

static void test_bytes_go_both_ways_and_ends_are_passed_on(void **state)
{
	struct rig *rig = rig_of(state);
	uint16_t port = 0;
	auto_fd int host = rig_listen(RIG_OPEN, &port);
	auto_fd int client = rig_connect(rig, RIG_OPEN, port);
	put(client, "\x01hello");
	auto_fd int peer = accept(host, NULL, NULL);
	assert_true(peer >= 0);
	expect_bytes(peer, "\x01hello", 6);
	put(peer, "world");
	expect_bytes(client, "world", 5);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	expect_end(peer);
	put(peer, "still there");
	expect_bytes(client, "still there", 11);
	assert_int_equal(shutdown(peer, SHUT_WR), 0);
	expect_end(client);
	rig_wait(rig, DOOR_CLOSED, 1);
	assert_int_equal(rig->last[DOOR_CLOSED].sent, 6);
	assert_int_equal(rig->last[DOOR_CLOSED].received, 16);
	assert_int_equal(rig->last[DOOR_CLOSED].connection, rig->last[DOOR_CONNECT].id);
	assert_string_equal(rig->last[DOOR_CONNECT].host, RIG_OPEN);
	assert_int_equal(rig->last[DOOR_CONNECT].port, port);
	assert_string_equal(rig->last[DOOR_CONNECT].task.exe, "/usr/bin/client");
	assert_int_equal(rig->counts[DOOR_CONNECT], 1);
	assert_int_equal(rig->counts[DOOR_ADDRESSES], 1);
	assert_int_equal(rig->last[DOOR_ADDRESSES].address_count, 1);
}

static void test_a_server_may_speak_first(void **state)
{
	struct rig *rig = rig_of(state);
	uint16_t port = 0;
	auto_fd int host = rig_listen(RIG_OPEN, &port);
	auto_fd int client = rig_connect(rig, RIG_OPEN, port);
	auto_fd int peer = accept(host, NULL, NULL);
	put(peer, "220 ready\r\n");
	expect_bytes(client, "220 ready\r\n", 11);
	put(client, "EHLO\r\n");
	expect_bytes(peer, "EHLO\r\n", 6);
}

static void test_a_reset_is_passed_on(void **state)
{
	struct rig *rig = rig_of(state);
	static const struct linger at_once = {.l_onoff = 1};
	uint16_t port = 0;
	auto_fd int host = rig_listen(RIG_OPEN, &port);
	for (int i = 0; i < 2; i++) {
		auto_fd int client = rig_connect(rig, RIG_OPEN, port);
		auto_fd int peer = accept(host, NULL, NULL);
		put(peer, "x");
		expect_bytes(client, "x", 1);
		int *first = i == 0 ? &client : &peer, *other = i == 0 ? &peer : &client;
		assert_int_equal(setsockopt(*first, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
		(void)close(take_fd(first));
		expect_reset(*other);
	}
	rig_wait(rig, DOOR_CLOSED, 2);
}

static void test_what_a_side_does_not_take_is_kept_and_comes_whole(void **state)
{
	enum { TOTAL = 32 * 1024 * 1024, PIECE = 65536 };
	struct rig *rig = rig_of(state);
	static uint8_t bytes[PIECE];
	uint16_t port = 0;
	auto_fd int host = rig_listen(RIG_OPEN, &port);
	auto_fd int client = rig_connect(rig, RIG_OPEN, port);
	auto_fd int peer = accept(host, NULL, NULL);
	pid_t writer = fork();
	assert_true(writer >= 0);
	if (writer == 0) {
		for (size_t at = 0; at < TOTAL; at += PIECE) {
			for (size_t i = 0; i < PIECE; i++)
				bytes[i] = (uint8_t)((at + i) % 251);
			if (send(peer, bytes, PIECE, MSG_NOSIGNAL) != PIECE)
				_exit(1);
		}
		_exit(0);
	}
	(void)close(take_fd(&peer));
	size_t at = 0;
	ssize_t n;
	while ((n = recv(client, bytes, at < TOTAL / 2 ? 777 : PIECE, 0)) > 0) {
		for (ssize_t i = 0; i < n; i++, at++) {
			if (bytes[i] != (uint8_t)(at % 251))
				fail();
		}
	}
	assert_int_equal(n, 0);
	assert_int_equal(at, TOTAL);
	int status = 1;
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
}

/* One connection, one question, however the requests are asked for then. */
static void test_http_has_its_own_way(void **state)
{
	struct rig *rig = rig_of(state);
	static const char *const hosts[] = {RIG_OPEN, RIG_HTTP_RULES};
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		uint16_t port = 0;
		char request[128], text[1024] = "";
		auto_fd int host = rig_listen(hosts[i], &port);
		auto_fd int client = rig_connect(rig, hosts[i], port);
		(void)snprintf(request, sizeof(request), "GET /a HTTP/1.1\r\nHost: %s:%u\r\nConnection: close\r\n\r\n",
			       hosts[i], port);
		put(client, request);
		auto_fd int peer = accept(host, NULL, NULL);
		if (recv(peer, text, sizeof(text) - 1, 0) == 0) {
			/* A connection to a special address is for one request that was asked for as such. */
			(void)close(peer);
			peer = accept(host, NULL, NULL);
			assert_true(recv(peer, text, sizeof(text) - 1, 0) > 0);
		}
		assert_int_equal(strncmp(text, "GET /a HTTP/1.1\r\n", 17), 0);
		put(peer, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi");
		expect_text(client, text, sizeof(text));
		assert_int_equal(strncmp(text, "HTTP/1.1 200 ", 13), 0);
		assert_non_null(strstr(text, "\r\n\r\nhi"));
		assert_int_equal(rig->counts[DOOR_CONNECT], i + 1);
	}
	assert_int_equal(rig->counts[DOOR_HTTP], 1);
	assert_string_equal(rig->last[DOOR_HTTP].method, "GET");
}

static void test_a_proxy_of_the_users_is_gone_through(void **state)
{
	struct rig *rig = rig_of(state);
	static const char head[] = "CONNECT " RIG_BY_PROXY ":4321 HTTP/1.1\r\nHost: " RIG_BY_PROXY
				   ":4321\r\nProxy-Authorization: Basic eDp5\r\n\r\n";
	uint16_t port = RIG_PROXY_PORT;
	auto_fd int proxy = rig_listen(RIG_OPEN, &port);
	auto_fd int client = rig_connect(rig, RIG_BY_PROXY, 4321);
	auto_fd int peer = accept(proxy, NULL, NULL);
	expect_bytes(peer, head, sizeof(head) - 1);
	put(peer, "HTTP/1.1 200 fine\r\n\r\nSSH-2.0-host\r\n");
	expect_bytes(client, "SSH-2.0-host\r\n", 14);
	put(client, "SSH-2.0-client\r\n");
	expect_bytes(peer, "SSH-2.0-client\r\n", 16);
	assert_int_equal(rig->counts[DOOR_ADDRESSES], 0);
}

/* A TLS 1.2 hello with a name in it. */
static size_t make_hello(const char *name, char ret[256])
{
	static const char front[] = "\x16\x03\x01\0\0\x01\0\0\0\x03\x03";
	size_t name_len = strlen(name), len = sizeof(front) - 1;
	memset(ret, 0, 256);
	memcpy(ret, front, len);
	len += 32 + 1;				      /* random, no session */
	memcpy(ret + len, "\0\x02\x13\x01\x01\0", 6); /* one suite, no compression */
	len += 6;
	size_t extensions = len;
	len += 2;
	if (name_len > 0) {
		const char sni[] = {0, 0, 0, (char)(name_len + 5), 0, (char)(name_len + 3), 0, 0, (char)name_len};
		memcpy(ret + len, sni, sizeof(sni));
		memcpy(ret + len + sizeof(sni), name, name_len);
		len += sizeof(sni) + name_len;
	}
	ret[extensions + 1] = (char)(len - extensions - 2);
	ret[4] = (char)(len - 5);
	ret[8] = (char)(len - 9);
	return len;
}

static void accept_tunnel(int proxy, int *ret_peer)
{
	char head[256] = "";
	*ret_peer = accept(proxy, NULL, NULL);
	assert_true(*ret_peer >= 0);
	assert_true(recv(*ret_peer, head, sizeof(head) - 1, 0) > 0);
	assert_int_equal(strncmp(head, "CONNECT " RIG_NAME ":443 ", 22), 0);
	put(*ret_peer, "HTTP/1.1 200 fine\r\n\r\n");
}

static void test_tls_passes_if_it_names_the_host_that_was_asked_for(void **state)
{
	struct rig *rig = rig_of(state);
	static const struct {
		const char *name;
		bool passes;
	} hellos[] = {{RIG_NAME, true}, {RIG_OTHER, false}, {"", false}, {"x." RIG_NAME, false}};
	uint16_t port = RIG_PROXY_PORT;
	char address[INET_ADDRSTRLEN], hello[256];
	auto_fd int proxy = rig_listen(RIG_OPEN, &port);
	rig_look_up(rig, RIG_NAME, address);
	assert_int_equal(strncmp(address, "198.18.", 7), 0);
	for (size_t i = 0; i < ARRAY_LEN(hellos); i++) {
		auto_fd int peer = -1;
		auto_fd int client = rig_connect(rig, address, 443);
		size_t len = make_hello(hellos[i].name, hello);
		/* In two pieces, which come on two turns. */
		put(client, "\x16");
		accept_tunnel(proxy, &peer);
		assert_int_equal(send(client, hello + 1, len - 1, 0), len - 1);
		if (hellos[i].passes) {
			expect_bytes(peer, hello, len);
			put(peer, "server");
			expect_bytes(client, "server", 6);
			continue;
		}
		expect_bytes(client, WRONG_NAME_ALERT, 7);
		expect_end(client);
		expect_end(peer);
	}
	rig_wait(rig, DOOR_EVENT, 3);
	assert_string_equal(rig->last[DOOR_CONNECT].host, RIG_NAME);
	assert_string_equal(rig->last[DOOR_EVENT].host, RIG_NAME);
}

static void test_clients_of_the_proxy_are_served_on_its_end(void **state)
{
	struct rig *rig = rig_of(state);
	uint16_t port = 0;
	char request[128], text[256] = "";
	auto_fd int host = rig_listen(RIG_OPEN, &port);
	auto_fd int client = rig_connect_silently(rig->proxy_port);
	rig_tell_origin(rig, client, "127.0.0.1", rig->proxy_port);
	(void)snprintf(request, sizeof(request), "CONNECT " RIG_OPEN ":%u HTTP/1.1\r\nHost: " RIG_OPEN ":%u\r\n\r\n",
		       port, port);
	put(client, request);
	auto_fd int peer = accept(host, NULL, NULL);
	assert_true(recv(client, text, sizeof(text) - 1, 0) > 0);
	assert_int_equal(strncmp(text, "HTTP/1.1 200 ", 13), 0);
	put(client, "\x01hello");
	expect_bytes(peer, "\x01hello", 6);
	put(peer, "world");
	expect_bytes(client, "world", 5);
	assert_true(rig->last[DOOR_CONNECT].by_proxy);
	assert_string_equal(rig->last[DOOR_CONNECT].task.exe, "/usr/bin/client");

	/* What was led to the proxy's end was not meant for it. */
	auto_fd int other = rig_connect_silently(rig->proxy_port);
	rig_tell_origin(rig, other, RIG_OPEN, port);
	expect_reset(other);
	rig_wait(rig, DOOR_EVENT, 1);
	assert_int_equal(rig->counts[DOOR_CONNECT], 1);
}

/* ---- what is not --------------------------------------------------------------------------------------------------- */

static void test_a_denied_host_is_refused_in_the_form_of_the_protocol(void **state)
{
	struct rig *rig = rig_of(state);
	auto_fd int raw = rig_connect(rig, RIG_DENIED, 22);
	put(raw, "\x01\x02\x03");
	expect_reset(raw);
	auto_fd int silent = rig_connect(rig, RIG_DENIED, 22);
	expect_reset(silent);
	auto_fd int http = rig_connect(rig, RIG_DENIED, 80);
	put(http, "GET / HTTP/1.1\r\nHost: " RIG_DENIED "\r\n\r\n");
	char text[2048] = "";
	expect_text(http, text, sizeof(text));
	assert_int_equal(strncmp(text, "HTTP/1.1 403 ", 13), 0);
	assert_non_null(strstr(text, "the rule"));
	assert_non_null(strstr(text, "the grant"));
	auto_fd int tls = rig_connect(rig, RIG_DENIED, 443);
	/* A record of a handshake that is no hello. */
	assert_int_equal(send(tls, "\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9, 0), 9);
	expect_bytes(tls, DENIED_ALERT, 7);
	expect_end(tls);
	assert_int_equal(rig->counts[DOOR_ADDRESSES], 0);
	assert_int_equal(rig->counts[DOOR_CONNECT], 4);
}

static void test_an_address_that_is_not_allowed_is_not_dialled(void **state)
{
	struct rig *rig = rig_of(state);
	uint16_t port = 0;
	auto_fd int host = rig_listen(RIG_NO_ADDRESS, &port);
	auto_fd int client = rig_connect(rig, RIG_NO_ADDRESS, port);
	put(client, "\x01");
	expect_reset(client);
	assert_int_equal(rig->counts[DOOR_ADDRESSES], 1);
	assert_int_equal(fcntl(host, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(accept(host, NULL, NULL), -1);
}

static void test_where_nobody_listens_the_client_is_reset(void **state)
{
	struct rig *rig = rig_of(state);
	uint16_t port = 0;
	auto_fd int host = rig_listen(RIG_OPEN, &port);
	(void)close(take_fd(&host));
	auto_fd int client = rig_connect(rig, RIG_OPEN, port);
	put(client, "\x01");
	expect_reset(client);
}

static void test_where_http_has_rules_nothing_else_is_sent(void **state)
{
	struct rig *rig = rig_of(state);
	uint16_t port = 0;
	auto_fd int host = rig_listen(RIG_HTTP_RULES, &port);
	auto_fd int client = rig_connect(rig, RIG_HTTP_RULES, port);
	auto_fd int peer = accept(host, NULL, NULL);
	put(client, "\x01");
	expect_reset(client);
	expect_end(peer);
	rig_wait(rig, DOOR_EVENT, 1);
	rig_wait(rig, DOOR_CLOSED, 1);
}

static void test_a_connection_of_which_nothing_is_told_is_closed(void **state)
{
	struct rig *rig = rig_of(state);
	auto_fd int client = rig_connect_silently(rig->tcp_port);
	expect_reset(client);
	rig_wait(rig, DOOR_EVENT, 1);
	assert_string_equal(rig->text, "nobody told whose connection it is");
	assert_int_equal(rig->counts[DOOR_CONNECT], 0);
}

static void test_the_ends_and_addresses_without_a_name_are_no_hosts(void **state)
{
	struct rig *rig = rig_of(state);
	static const char *const hosts[] = {"127.0.0.1",   "127.1.2.3",	 "0.0.0.0",
					    BERM_NET_OWN4, "198.18.1.0", "198.19.255.255"};
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		auto_fd int client = rig_connect(rig, hosts[i], 80);
		expect_reset(client);
		rig_wait(rig, DOOR_EVENT, (unsigned)i + 1);
	}
	assert_int_equal(rig->counts[DOOR_CONNECT], 0);
}

/* ---- over time ----------------------------------------------------------------------------------------------------- */

static void reload(struct rig *rig, bool close_denied)
{
	const struct door_answer answer = {
		.version = DOOR_VERSION, .kind = DOOR_RELOADED, .generation = 2, .close_denied = close_denied};
	assert_int_equal(door_send(rig->door, &answer, NULL), BERM_OK);
}

static void test_what_new_rules_forbid_is_closed(void **state)
{
	enum { OPEN = 100 };
	struct rig *rig = rig_of(state);
	int clients[OPEN], peers[OPEN];
	uint16_t port = 0;
	auto_fd int host = rig_listen(RIG_OPEN, &port);
	for (size_t i = 0; i < OPEN; i++) {
		clients[i] = rig_connect(rig, RIG_OPEN, port);
		peers[i] = accept(host, NULL, NULL);
		put(peers[i], "x");
		expect_bytes(clients[i], "x", 1);
	}
	reload(rig, true);
	rig_wait(rig, DOOR_RECHECK, OPEN);
	put(clients[0], "y");
	expect_bytes(peers[0], "y", 1);
	(void)pthread_mutex_lock(&rig->lock);
	rig->deny_rechecks = true;
	(void)pthread_mutex_unlock(&rig->lock);
	reload(rig, true);
	rig_wait(rig, DOOR_CLOSED, OPEN);
	for (size_t i = 0; i < OPEN; i++) {
		expect_reset(clients[i]);
		(void)close(clients[i]);
		(void)close(peers[i]);
	}
	assert_int_equal(rig->counts[DOOR_RECHECK], 2 * OPEN);
}

static void test_without_egress_nothing_gets_through(void **state)
{
	struct rig *rig = rig_of(state);
	uint16_t port = 0;
	auto_fd int host = rig_listen(RIG_OPEN, &port);
	auto_fd int client = rig_connect(rig, RIG_OPEN, port);
	auto_fd int peer = accept(host, NULL, NULL);
	put(peer, "x");
	expect_bytes(client, "x", 1);
	assert_int_equal(kill(rig->egress, SIGKILL), 0);
	(void)pthread_join(rig->monitor, NULL);
	char byte;
	assert_true(recv(client, &byte, 1, 0) <= 0);
	assert_true(recv(peer, &byte, 1, 0) <= 0);
	struct sockaddr_in end = rig_address("127.0.0.1", rig->tcp_port);
	auto_fd int again = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(again, (struct sockaddr *)&end, sizeof(end)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(pthread_create(&rig->monitor, NULL, rig_monitor, rig), 0);
}

static int teardown_killed(void **state)
{
	if (rig_no_network)
		return 0;
	int status = rig_free(*state);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : -1;
}

#define EGRESS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EGRESS_TEST(test_bytes_go_both_ways_and_ends_are_passed_on),
		EGRESS_TEST(test_a_server_may_speak_first),
		EGRESS_TEST(test_a_reset_is_passed_on),
		EGRESS_TEST(test_what_a_side_does_not_take_is_kept_and_comes_whole),
		EGRESS_TEST(test_http_has_its_own_way),
		EGRESS_TEST(test_a_proxy_of_the_users_is_gone_through),
		EGRESS_TEST(test_tls_passes_if_it_names_the_host_that_was_asked_for),
		EGRESS_TEST(test_clients_of_the_proxy_are_served_on_its_end),
		EGRESS_TEST(test_a_denied_host_is_refused_in_the_form_of_the_protocol),
		EGRESS_TEST(test_an_address_that_is_not_allowed_is_not_dialled),
		EGRESS_TEST(test_where_nobody_listens_the_client_is_reset),
		EGRESS_TEST(test_where_http_has_rules_nothing_else_is_sent),
		EGRESS_TEST(test_a_connection_of_which_nothing_is_told_is_closed),
		EGRESS_TEST(test_the_ends_and_addresses_without_a_name_are_no_hosts),
		EGRESS_TEST(test_what_new_rules_forbid_is_closed),
		cmocka_unit_test_setup_teardown(test_without_egress_nothing_gets_through, setup, teardown_killed),
	};
	return cmocka_run_group_tests(tests, rig_group_setup, NULL);
}
