#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "egress/dns_names.h"
#include "egress/dns_reply.h"
#include "egress/dns_server.h"
#include "egress/resolver.h"
#include "name_server.h"

static const struct server_row rows[] = {
	{.name = "both.example", DNS_A, "192.0.2.1", 60},
	{.name = "both.example", DNS_AAAA, "2001:db8::1", 60},
	{.name = "four.example", DNS_A, "192.0.2.4", 60},
	{.name = "six.example", DNS_AAAA, "2001:db8::6", 60},
	{.name = "empty.example"},
	{.name = "broken.example", .code = DNS_SERVFAIL},
	{.name = "later.example", DNS_A, "192.0.2.9", 60},
	{.name = "proxied.example", .way = SERVER_SILENT},
	{.name = "denied.example", DNS_A, "192.0.2.10", 60},
};

/* The monitor, a name server, the ends of a sandbox and a client, all in one loop. */
struct rig {
	struct patience patience;
	struct egress egress;
	struct name_server upstream;
	struct loop_source monitor;
	int monitor_fd;
	struct dns_server *server;
	int udp_port, tcp_port;
	int client;
	unsigned asked, withdrawn;
	uint64_t last_id;
	uint8_t bytes[DOOR_MESSAGE_MAX];
	uint8_t got[4096];
	size_t got_len;
};

static void ends_come(struct egress *egress, const struct door_ends *ends, const int fds[DOOR_END_COUNT])
{
	(void)egress, (void)ends, (void)fds;
}

static void reloads(struct egress *egress, const struct door_answer *answer)
{
	(void)egress, (void)answer;
}

static void answer_door(struct rig *rig, uint64_t id, const char *host)
{
	struct door_answer answer = {.kind = DOOR_ANSWER, .id = id, .verdict = DOOR_ALLOW};
	if (strncmp(host, "denied", 6) == 0) {
		answer.verdict = DOOR_DENY;
		(void)snprintf(answer.rule, sizeof(answer.rule), "nothing allows it");
	}
	if (strncmp(host, "proxied", 7) == 0) {
		answer.upstream_port = 3128;
		(void)snprintf(answer.upstream_host, sizeof(answer.upstream_host), "proxy.example");
	}
	assert_int_equal(door_send(rig->monitor_fd, &answer, NULL), BERM_OK);
}

static void monitor_ready(struct loop_source *source, uint32_t events)
{
	struct rig *rig = (struct rig *)(void *)((char *)source - offsetof(struct rig, monitor));
	struct door_question question;
	struct str text;
	(void)events;
	if (door_take(rig->monitor_fd, rig->bytes, &question, &text, NULL) != BERM_OK)
		return;
	if (question.kind == DOOR_WITHDRAW) {
		rig->withdrawn++;
		return;
	}
	assert_int_equal(question.kind, DOOR_DNS);
	rig->asked++;
	rig->last_id = question.id;
	if (strncmp(question.host, "later", 5) != 0)
		answer_door(rig, question.id, question.host);
}

static void rig_done(struct rig *rig)
{
	loop_remove(&rig->patience.source);
	dns_server_free(rig->server);
	resolver_free(rig->egress.resolver);
	synthetic_free(rig->egress.names);
	door_free(rig->egress.door);
	loop_remove(&rig->monitor);
	own_close(&rig->monitor_fd);
	own_close(&rig->client);
	server_done(&rig->upstream);
	loop_done(&rig->egress.loop);
}
#define auto_rig __attribute__((cleanup(rig_done)))
#define RIG_EMPTY                                                                                                      \
	{                                                                                                              \
		.egress = {.loop = {.epoll_fd = -1}}, .monitor_fd = -1, .client = -1                                   \
	}

static void open_door(struct rig *rig)
{
	static const struct door_events events = {ends_come, reloads};
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	rig->monitor_fd = fds[1];
	if (door_new(&rig->egress, fds[0], &events, &rig->egress.door, NULL) != BERM_OK) {
		own_close(&fds[0]);
		fail();
	}
	assert_int_equal(loop_add(&rig->egress.loop, &rig->monitor, fds[1], EPOLLIN, monitor_ready, NULL), BERM_OK);
}

static void open_server(struct rig *rig, bool has_ipv6)
{
	uint16_t udp_port = 0, tcp_port = 0, other = 0;
	int on = 1;
	int udp[2] = {server_socket(SOCK_DGRAM, &udp_port), has_ipv6 ? server_socket(SOCK_DGRAM, &other) : -1};
	int tcp[2] = {server_socket(SOCK_STREAM, &tcp_port), -1};
	(void)setsockopt(udp[0], IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	rig->udp_port = udp_port;
	rig->tcp_port = tcp_port;
	assert_int_equal(dns_server_new(&rig->egress, udp, tcp, &rig->server, NULL), BERM_OK);
}

static void connect_client(struct rig *rig, int type)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	address.sin_port = htons((uint16_t)(type == SOCK_DGRAM ? rig->udp_port : rig->tcp_port));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	own_close(&rig->client);
	rig->client = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	assert_true(rig->client >= 0);
	assert_int_equal(connect(rig->client, (struct sockaddr *)&address, sizeof(address)), 0);
}

static void rig_init_of(struct rig *rig, bool has_ipv6, size_t names)
{
	const struct synthetic_limits limits = {names, 60000, 600000};
	assert_int_equal(loop_init(&rig->egress.loop, NULL), BERM_OK);
	server_init(&rig->upstream, &rig->egress.loop, rows, ARRAY_LEN(rows));
	open_door(rig);
	assert_int_equal(synthetic_new(&limits, &rig->egress.names, NULL), BERM_OK);
	assert_int_equal(
		resolver_new_at(&rig->egress.loop, rig->upstream.root, rig->upstream.port, &rig->egress.resolver, NULL),
		BERM_OK);
	open_server(rig, has_ipv6);
	connect_client(rig, SOCK_DGRAM);
}

static void rig_init(struct rig *rig)
{
	rig_init_of(rig, true, 64);
}

/* ---- a client ---- */

static size_t print_query(uint8_t *bytes, uint16_t id, const char *name, uint16_t type)
{
	static const uint8_t opt[] = {0, 0, DNS_OPT, 0x04, 0xd0, 0, 0, 0, 0, 0, 0};
	memset(bytes, 0, 12);
	size_t len = 12;
	server_put(bytes, id, 2);
	bytes[2] = 1; /* recursion is desired */
	bytes[5] = 1;
	bytes[11] = 1;
	len += server_put_name(bytes + len, name);
	len += server_put(bytes + len, type, 2);
	len += server_put(bytes + len, 1, 2);
	memcpy(bytes + len, opt, sizeof(opt));
	return len + sizeof(opt);
}

static void send_query(struct rig *rig, uint16_t id, const char *name, uint16_t type)
{
	uint8_t bytes[512];
	size_t len = print_query(bytes, id, name, type);
	assert_int_equal(send(rig->client, bytes, len, 0), len);
}

static bool receive_now(struct rig *rig)
{
	ssize_t len = recv(rig->client, rig->got, sizeof(rig->got), MSG_DONTWAIT);
	rig->got_len = len > 0 ? (size_t)len : 0;
	return len > 0;
}

static void turn(struct rig *rig)
{
	patience_turn(&rig->patience, &rig->egress.loop);
}

static void receive(struct rig *rig)
{
	while (!receive_now(rig))
		turn(rig);
	patience_renew(&rig->patience);
}

static unsigned number_at(const struct rig *rig, size_t at)
{
	return (unsigned)rig->got[at] << 8 | rig->got[at + 1];
}

static void assert_header(const struct rig *rig, uint16_t id, enum dns_code code, unsigned answers)
{
	assert_true(rig->got_len >= 12);
	assert_int_equal(number_at(rig, 0), id);
	assert_int_equal(rig->got[3] & 0xf, code);
	assert_int_equal(number_at(rig, 6), answers);
}

static void ask(struct rig *rig, const char *name, uint16_t type, enum dns_code code, unsigned answers)
{
	static uint16_t id = 100;
	send_query(rig, ++id, name, type);
	receive(rig);
	assert_header(rig, id, code, answers);
}

/* The address in the first record. */
static struct net_address address_in(const struct rig *rig)
{
	struct dns_reply reply = {0};
	struct dns_query query;
	uint8_t copy[4096];
	memcpy(copy, rig->got, rig->got_len);
	copy[2] &= 0x7f; /* our own reader of questions knows queries alone */
	copy[7] = copy[11] = 0;
	assert_int_equal(dns_query_parse((struct span){copy, rig->got_len}, &query, NULL), BERM_OK);
	assert_int_equal(dns_reply_read((struct span){rig->got, rig->got_len}, str_from(query.name),
					query.type == DNS_A ? DNS_A : DNS_AAAA, &reply, NULL),
			 BERM_OK);
	assert_true(reply.count > 0);
	assert_int_equal(reply.ttl, DNS_NAMES_TTL);
	return reply.addresses[0];
}

static void assert_stands_for(const struct rig *rig, const char *name)
{
	struct net_address address = address_in(rig);
	assert_true(synthetic_in_range(&address));
	assert_true(str_eq(synthetic_name(rig->egress.names, &address), str_from(name)));
}

static bool got_text(const struct rig *rig, const char *text)
{
	return memmem(rig->got, rig->got_len, text, strlen(text)) != NULL;
}

/* ---- */

static void test_an_allowed_name_gets_an_address_of_its_own(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig);
	ask(&rig, "both.example", DNS_A, DNS_NOERROR, 1);
	assert_stands_for(&rig, "both.example");
	ask(&rig, "both.example", DNS_AAAA, DNS_NOERROR, 1);
	assert_stands_for(&rig, "both.example");
	assert_int_equal(rig.upstream.asked, 2);
	ask(&rig, "both.example", DNS_HTTPS, DNS_NOERROR, 0);
	ask(&rig, "both.example", DNS_MX, DNS_NOERROR, 0);
}

static void test_families_are_those_of_upstream(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig);
	ask(&rig, "four.example", DNS_A, DNS_NOERROR, 1);
	ask(&rig, "four.example", DNS_AAAA, DNS_NOERROR, 0);
	ask(&rig, "six.example", DNS_AAAA, DNS_NOERROR, 1);
	ask(&rig, "six.example", DNS_A, DNS_NOERROR, 1); /* who can only do IPv4 gets there as well */
}

static void test_a_sandbox_without_ipv6_gets_no_such_address(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init_of(&rig, false, 64);
	ask(&rig, "both.example", DNS_AAAA, DNS_NOERROR, 0);
	ask(&rig, "both.example", DNS_A, DNS_NOERROR, 1);
	ask(&rig, "localhost", DNS_AAAA, DNS_NOERROR, 0);
}

static void test_a_denied_name_is_not_sent_upstream(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig);
	ask(&rig, "denied.example", DNS_A, DNS_NXDOMAIN, 0);
	assert_int_equal(rig.upstream.asked, 0);
	assert_true(got_text(&rig, "nothing allows it"));
	assert_int_equal(synthetic_count(rig.egress.names), 0);
	for (int i = 0; i < 20; i++)
		ask(&rig, "denied.example", DNS_AAAA, DNS_NXDOMAIN, 0);
	assert_int_equal(rig.asked, 1); /* remembered for a moment */
	assert_true(got_text(&rig, "nothing allows it"));
}

static void test_a_name_that_is_not_there_is_not_there(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig);
	ask(&rig, "missing.example", DNS_A, DNS_NXDOMAIN, 0);
	ask(&rig, "empty.example", DNS_A, DNS_NOERROR, 0);
	ask(&rig, "broken.example", DNS_A, DNS_SERVFAIL, 0);
	assert_int_equal(synthetic_count(rig.egress.names), 0);
}

static void test_a_proxy_resolves_by_itself(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig);
	ask(&rig, "proxied.example", DNS_A, DNS_NOERROR, 1);
	assert_stands_for(&rig, "proxied.example");
	assert_int_equal(rig.upstream.asked, 0);
}

static void test_names_that_nobody_is_asked_about(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig);
	ask(&rig, "localhost", DNS_A, DNS_NOERROR, 1);
	ask(&rig, "a.localhost", DNS_AAAA, DNS_NOERROR, 1);
	ask(&rig, "localhost", DNS_TXT, DNS_NOERROR, 0);
	ask(&rig, "not a host", DNS_A, DNS_NXDOMAIN, 0);
	ask(&rig, "127.1", DNS_A, DNS_NXDOMAIN, 0);
	ask(&rig, "both.example", DNS_AXFR, DNS_REFUSED, 0);
	ask(&rig, "1.2.0.192.in-addr.arpa", DNS_PTR, DNS_NXDOMAIN, 0);
	ask(&rig, "1.2.0.192.in-addr.arpa", DNS_A, DNS_NXDOMAIN, 0);
	assert_int_equal(rig.asked, 0);
}

static void test_an_address_leads_back_to_its_name(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig);
	ask(&rig, "four.example", DNS_A, DNS_NOERROR, 1);
	struct net_address address = address_in(&rig);
	char name[64];
	(void)snprintf(name, sizeof(name), "%u.%u.%u.%u.in-addr.arpa", address.bytes[3], address.bytes[2],
		       address.bytes[1], address.bytes[0]);
	ask(&rig, name, DNS_PTR, DNS_NOERROR, 1);
	assert_true(got_text(&rig, "\4four\7example"));
}

static void test_who_asks_for_the_same_shares_the_answer(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig);
	for (uint16_t i = 0; i < 10; i++)
		send_query(&rig, (uint16_t)(500 + i), "later.example", i % 2 == 0 ? DNS_A : DNS_AAAA);
	while (rig.asked == 0)
		turn(&rig);
	for (int i = 0; i < 3; i++) { /* another one is answered meanwhile */
		ask(&rig, "four.example", DNS_A, DNS_NOERROR, 1);
		ask(&rig, "denied.example", DNS_A, DNS_NXDOMAIN, 0);
	}
	unsigned asked = rig.asked;
	answer_door(&rig, 1, "later.example");
	for (uint16_t i = 0; i < 10; i++) {
		receive(&rig);
		assert_header(&rig, (uint16_t)(500 + i), DNS_NOERROR, i % 2 == 0);
	}
	assert_int_equal(rig.asked, asked);
}

static void test_the_oldest_of_one_name_give_way(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig);
	for (uint16_t i = 0; i < DNS_NAMES_ASKERS + 5; i++) {
		send_query(&rig, i, "later.example", DNS_A);
		turn(&rig);
	}
	while (rig.asked == 0)
		turn(&rig);
	answer_door(&rig, rig.last_id, "later.example");
	for (uint16_t i = 0; i < DNS_NAMES_ASKERS; i++) {
		receive(&rig);
		assert_header(&rig, (uint16_t)(i + 5), DNS_NOERROR, 1);
	}
}

static void test_a_flood_of_names_stops_nobody(void **state)
{
	(void)state;
	NOT_TORTURED(); /* thousands of names, each time */
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig);
	char name[64];
	unsigned faults = 0;
	ask(&rig, "four.example", DNS_A, DNS_NOERROR, 1);
	for (unsigned i = 0; i < 3 * DNS_NAMES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "later%u.example", i); /* which nobody answers */
		send_query(&rig, (uint16_t)i, name, DNS_A);
		turn(&rig);
		while (receive_now(&rig))
			faults += (rig.got[3] & 0xf) == DNS_SERVFAIL;
	}
	assert_true(faults > DNS_NAMES_MAX);
	assert_int_equal(rig.asked, 1 + DNS_NAMES_FRESH);
	for (int i = 0; i < 100; i++) { /* what has an address goes on */
		ask(&rig, "four.example", DNS_A, DNS_NOERROR, 1);
		ask(&rig, "localhost", DNS_A, DNS_NOERROR, 1);
	}
	ask(&rig, "six.example", DNS_A, DNS_SERVFAIL, 0);
}

static void test_a_full_table_is_a_failure(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init_of(&rig, true, 1);
	ask(&rig, "four.example", DNS_A, DNS_NOERROR, 1);
	ask(&rig, "six.example", DNS_A, DNS_SERVFAIL, 0);
	ask(&rig, "four.example", DNS_A, DNS_NOERROR, 1);
}

static void test_no_monitor_no_answer(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig);
	loop_remove(&rig.monitor);
	own_close(&rig.monitor_fd);
	rig.monitor_fd = -1;
	turn(&rig);
	assert_true(rig.egress.stopping);
	ask(&rig, "four.example", DNS_A, DNS_SERVFAIL, 0);
}

static void test_bytes_that_are_no_query_get_no_answer(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig);
	static uint8_t large[DNS_QUERY_MAX + 1];
	assert_int_equal(send(rig.client, "x", 1, 0), 1);
	assert_int_equal(send(rig.client, large, sizeof(large), 0), sizeof(large));
	ask(&rig, "localhost", DNS_A, DNS_NOERROR, 1); /* the first that is answered */
}

/* ---- TCP ---- */

static void send_bytes(struct rig *rig, const uint8_t *bytes, size_t len)
{
	assert_int_equal(send(rig->client, bytes, len, MSG_NOSIGNAL), len);
}

static size_t print_frame(uint8_t *bytes, uint16_t id, const char *name, uint16_t type)
{
	size_t len = print_query(bytes + 2, id, name, type);
	server_put(bytes, (uint32_t)len, 2);
	return len + 2;
}

/* One frame, without its length. */
static void receive_frame(struct rig *rig)
{
	uint8_t size[2];
	while (recv(rig->client, size, 2, MSG_PEEK | MSG_DONTWAIT) != 2)
		turn(rig);
	assert_int_equal(recv(rig->client, size, 2, 0), 2);
	size_t len = (size_t)size[0] << 8 | size[1];
	while (recv(rig->client, rig->got, len, MSG_PEEK | MSG_DONTWAIT) != (ssize_t)len)
		turn(rig);
	assert_int_equal(recv(rig->client, rig->got, len, 0), len);
	rig->got_len = len;
	patience_renew(&rig->patience);
}

static void assert_closed(struct rig *rig)
{
	ssize_t len;
	while ((len = recv(rig->client, rig->got, sizeof(rig->got), MSG_DONTWAIT)) < 0 && errno == EAGAIN)
		turn(rig);
	assert_true(len <= 0);
}

static void test_queries_over_tcp(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig);
	connect_client(&rig, SOCK_STREAM);
	uint8_t bytes[1024];
	size_t len = print_frame(bytes, 7, "four.example", DNS_A);
	len += print_frame(bytes + len, 8, "denied.example", DNS_A);
	for (size_t i = 0; i < len; i++) { /* byte by byte */
		send_bytes(&rig, bytes + i, 1);
		if (i % 7 == 0)
			turn(&rig);
	}
	receive_frame(&rig);
	assert_header(&rig, 7, DNS_NOERROR, 1);
	assert_stands_for(&rig, "four.example");
	receive_frame(&rig);
	assert_header(&rig, 8, DNS_NXDOMAIN, 0);
}

static void test_a_client_that_sends_no_more_is_answered(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig);
	connect_client(&rig, SOCK_STREAM);
	uint8_t bytes[256];
	send_bytes(&rig, bytes, print_frame(bytes, 7, "four.example", DNS_A));
	assert_int_equal(shutdown(rig.client, SHUT_WR), 0);
	receive_frame(&rig);
	assert_header(&rig, 7, DNS_NOERROR, 1);
	assert_closed(&rig);
}

static void test_a_client_goes_while_its_query_is_under_way(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig);
	connect_client(&rig, SOCK_STREAM);
	uint8_t bytes[256];
	send_bytes(&rig, bytes, print_frame(bytes, 7, "later.example", DNS_A));
	while (rig.asked == 0)
		turn(&rig);
	struct linger now = {1, 0};
	assert_int_equal(setsockopt(rig.client, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	connect_client(&rig, SOCK_DGRAM);
	ask(&rig, "localhost", DNS_A, DNS_NOERROR, 1);
	answer_door(&rig, rig.last_id, "later.example");
	ask(&rig, "later.example", DNS_A, DNS_NOERROR, 1);
}

static void test_a_pipeline_has_a_length(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig);
	connect_client(&rig, SOCK_STREAM);
	uint8_t bytes[256];
	char name[64];
	for (uint16_t i = 0; i < DNS_SERVER_PIPELINE + 4; i++) {
		(void)snprintf(name, sizeof(name), "later%u.example", i);
		send_bytes(&rig, bytes, print_frame(bytes, i, name, DNS_A));
	}
	send_bytes(&rig, bytes, print_frame(bytes, 99, "localhost", DNS_A));
	while (rig.asked < DNS_SERVER_PIPELINE)
		turn(&rig);
	assert_int_equal(recv(rig.client, bytes, 1, MSG_DONTWAIT), -1);
	for (uint64_t id = 1; id <= 4; id++) { /* each makes room for one more */
		answer_door(&rig, id, "later");
		receive_frame(&rig);
		assert_int_equal(rig.got[3] & 0xf, DNS_NXDOMAIN);
		while (rig.asked < DNS_SERVER_PIPELINE + id)
			turn(&rig);
	}
	assert_int_equal(recv(rig.client, bytes, 1, MSG_DONTWAIT), -1);
	answer_door(&rig, 5, "later");
	receive_frame(&rig);
	receive_frame(&rig);
	assert_header(&rig, 99, DNS_NOERROR, 1);
}

static void test_a_bad_frame_ends_a_client(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig);
	connect_client(&rig, SOCK_STREAM);
	send_bytes(&rig, (const uint8_t *)"\xff\xff", 2);
	assert_closed(&rig);
	connect_client(&rig, SOCK_STREAM);
	send_bytes(&rig, (const uint8_t *)"\0\1x", 3);
	assert_closed(&rig);
}

static void test_the_idle_give_way_to_new_clients(void **state)
{
	(void)state;
	NOT_TORTURED(); /* hundreds of connections, each time */
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig);
	int idle[DNS_SERVER_CLIENTS + 8];
	for (size_t i = 0; i < ARRAY_LEN(idle); i++) {
		connect_client(&rig, SOCK_STREAM);
		idle[i] = take_fd(&rig.client);
		turn(&rig);
	}
	connect_client(&rig, SOCK_STREAM);
	uint8_t bytes[256];
	send_bytes(&rig, bytes, print_frame(bytes, 7, "localhost", DNS_A));
	receive_frame(&rig);
	char byte;
	ssize_t first = recv(idle[0], &byte, 1, MSG_DONTWAIT);
	ssize_t last = recv(idle[ARRAY_LEN(idle) - 1], &byte, 1, MSG_DONTWAIT);
	for (size_t i = 0; i < ARRAY_LEN(idle); i++)
		own_close(&idle[i]);
	assert_int_equal(first, 0);
	assert_int_equal(last, -1);
}

static void test_an_end_in_the_middle(void **state)
{
	(void)state;
	auto_rig struct rig rig = RIG_EMPTY;
	rig_init(&rig);
	uint8_t bytes[256];
	send_query(&rig, 3, "later.example", DNS_A);
	connect_client(&rig, SOCK_STREAM);
	send_bytes(&rig, bytes, print_frame(bytes, 7, "later2.example", DNS_A));
	while (rig.asked < 2)
		turn(&rig);
	dns_server_free(rig.server);
	rig.server = NULL;
	while (rig.withdrawn < 2)
		turn(&rig);
	assert_closed(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_allowed_name_gets_an_address_of_its_own),
		cmocka_unit_test(test_families_are_those_of_upstream),
		cmocka_unit_test(test_a_sandbox_without_ipv6_gets_no_such_address),
		cmocka_unit_test(test_a_denied_name_is_not_sent_upstream),
		cmocka_unit_test(test_a_name_that_is_not_there_is_not_there),
		cmocka_unit_test(test_a_proxy_resolves_by_itself),
		cmocka_unit_test(test_names_that_nobody_is_asked_about),
		cmocka_unit_test(test_an_address_leads_back_to_its_name),
		cmocka_unit_test(test_who_asks_for_the_same_shares_the_answer),
		cmocka_unit_test(test_the_oldest_of_one_name_give_way),
		cmocka_unit_test(test_a_flood_of_names_stops_nobody),
		cmocka_unit_test(test_a_full_table_is_a_failure),
		cmocka_unit_test(test_no_monitor_no_answer),
		cmocka_unit_test(test_bytes_that_are_no_query_get_no_answer),
		cmocka_unit_test(test_queries_over_tcp),
		cmocka_unit_test(test_a_client_that_sends_no_more_is_answered),
		cmocka_unit_test(test_a_client_goes_while_its_query_is_under_way),
		cmocka_unit_test(test_a_pipeline_has_a_length),
		cmocka_unit_test(test_a_bad_frame_ends_a_client),
		cmocka_unit_test(test_the_idle_give_way_to_new_clients),
		cmocka_unit_test(test_an_end_in_the_middle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
