/*
 * A small name server on the loopback, UDP and TCP, for tests: it lives on the loop of what is tested. It answers from a
 * table, counts what it is asked, and can be slow of hearing, wrong or silent.
 */
#ifndef BERM_TESTS_NAME_SERVER_H
#define BERM_TESTS_NAME_SERVER_H

#include "check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "egress/loop.h"
#include "format/dns.h"

enum server_way {
	SERVER_ANSWERS = 0,
	SERVER_SILENT,	  /* never answers */
	SERVER_CUTS,	  /* over UDP only that there is more */
	SERVER_OTHER_ID,  /* answers another question first, then this one */
	SERVER_NO_EDNS,	  /* FORMERR for a query with an OPT */
	SERVER_OTHER_NAME /* the address of another name */
};

/* A name with nothing that fits the type: NODATA, with code the code. */
struct server_row {
	const char *name;
	uint16_t type; /* A, AAAA, CNAME; 0: the name exists, that is all */
	const char *data;
	uint32_t ttl;
	enum dns_code code;
	enum server_way way;
};

struct name_server {
	struct loop_source udp, listener, client;
	const struct server_row *rows;
	size_t count;
	uint16_t port;
	unsigned asked, asked_tcp;
	char last[256];
	uint8_t stream[1024];
	size_t stream_len;
	char root[64]; /* has etc/resolv.conf, etc/hosts */
};

/* ---- messages ---- */

static size_t server_put(uint8_t *at, uint32_t number, size_t size)
{
	for (size_t i = 0; i < size; i++)
		at[i] = (uint8_t)(number >> 8 * (size - 1 - i) & 0xff);
	return size;
}

static size_t server_put_name(uint8_t *at, const char *name)
{
	size_t len = 0;
	while (*name != '\0') {
		size_t label = strcspn(name, ".");
		at[len++] = (uint8_t)label;
		memcpy(at + len, name, label);
		len += label;
		name += label + (name[label] == '.');
	}
	at[len++] = 0;
	return len;
}

static size_t server_put_record(uint8_t *at, const char *owner, const struct server_row *row)
{
	uint8_t data[256] = {0};
	size_t size = 0, len = server_put_name(at, owner);
	if (row->type == DNS_CNAME)
		size = server_put_name(data, row->data);
	else if (inet_pton(row->type == DNS_A ? AF_INET : AF_INET6, row->data, data) == 1)
		size = row->type == DNS_A ? 4 : 16;
	len += server_put(at + len, row->type, 2);
	len += server_put(at + len, 1, 2);
	len += server_put(at + len, row->ttl, 4);
	len += server_put(at + len, (uint32_t)size, 2);
	memcpy(at + len, data, size);
	return len + size;
}

static const struct server_row *server_find(const struct name_server *server, const char *name)
{
	for (size_t i = 0; i < server->count; i++)
		if (strcmp(server->rows[i].name, name) == 0)
			return &server->rows[i];
	return NULL;
}

/* The records of name, and of what its CNAMEs lead to. */
static size_t server_put_answer(const struct name_server *server, const struct dns_query *query, uint8_t *at,
				unsigned *ret_count)
{
	const char *name = query->name;
	size_t len = 0;
	for (size_t i = 0; i < server->count && *ret_count < 32; i++) {
		const struct server_row *row = &server->rows[i];
		if (strcmp(row->name, name) != 0 || (row->type != query->type && row->type != DNS_CNAME))
			continue;
		len += server_put_record(at + len, row->way == SERVER_OTHER_NAME ? "other.example" : name, row);
		++*ret_count;
		if (row->type == DNS_CNAME) {
			name = row->data;
			i = (size_t)-1;
		}
	}
	return len;
}

/* 0: no answer. */
static size_t server_answer(struct name_server *server, struct span message, bool tcp, uint8_t *ret)
{
	struct dns_query query;
	unsigned count = 0;
	if (dns_query_parse(message, &query, NULL) != BERM_OK)
		return 0;
	server->asked++;
	server->asked_tcp += tcp;
	memcpy(server->last, query.name, sizeof(query.name));
	const struct server_row *row = server_find(server, query.name);
	enum server_way way = row != NULL ? row->way : SERVER_ANSWERS;
	enum dns_code code = row != NULL ? row->code : DNS_NXDOMAIN;
	bool cut = way == SERVER_CUTS && !tcp;
	if (way == SERVER_SILENT)
		return 0;
	code = way == SERVER_NO_EDNS && query.has_edns ? DNS_FORMERR : code;
	memset(ret, 0, 12);
	server_put(ret, query.id, 2);
	server_put(ret + 2, 0x8180U | (cut ? 0x200U : 0) | code, 2);
	server_put(ret + 4, 1, 2);
	memcpy(ret + 12, query.question, query.question_len);
	size_t len = 12U + query.question_len;
	if (!cut && code == DNS_NOERROR)
		len += server_put_answer(server, &query, ret + len, &count);
	server_put(ret + 6, count, 2);
	return len;
}

/* ---- sockets ---- */

#define SERVER_OF(source, member)                                                                                      \
	((struct name_server *)(void *)((char *)(source)-offsetof(struct name_server, member)))

static void server_udp(struct loop_source *source, uint32_t events)
{
	struct name_server *server = SERVER_OF(source, udp);
	uint8_t bytes[1024], answer[4096];
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	(void)events;
	ssize_t len = recvfrom(source->fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &size);
	if (len <= 0)
		return;
	size_t made = server_answer(server, (struct span){bytes, (size_t)len}, false, answer);
	const struct server_row *row = server_find(server, server->last);
	if (made > 0 && row != NULL && row->way == SERVER_OTHER_ID) {
		answer[0] ^= 0x55;
		(void)sendto(source->fd, answer, made, 0, (struct sockaddr *)&from, size);
		answer[0] ^= 0x55;
	}
	if (made > 0)
		(void)sendto(source->fd, answer, made, 0, (struct sockaddr *)&from, size);
}

static void server_close_client(struct name_server *server)
{
	int fd = server->client.loop != NULL ? server->client.fd : -1;
	loop_remove(&server->client);
	own_close(&fd);
	server->stream_len = 0;
}

static void server_tcp(struct loop_source *source, uint32_t events)
{
	struct name_server *server = SERVER_OF(source, client);
	uint8_t answer[4096];
	struct span message;
	size_t taken = 0;
	(void)events;
	ssize_t len =
		recv(source->fd, server->stream + server->stream_len, sizeof(server->stream) - server->stream_len, 0);
	if (len <= 0) {
		server_close_client(server);
		return;
	}
	server->stream_len += (size_t)len;
	while (dns_frame_next((struct span){server->stream, server->stream_len}, &message, &taken, NULL) == BERM_OK &&
	       taken > 0) {
		size_t made = server_answer(server, message, true, answer + 2);
		server_put(answer, (uint32_t)made, 2);
		(void)send(source->fd, answer, made + 2, MSG_NOSIGNAL);
		server->stream_len -= taken;
		memmove(server->stream, server->stream + taken, server->stream_len);
	}
}

static void server_accept(struct loop_source *source, uint32_t events)
{
	struct name_server *server = SERVER_OF(source, listener);
	(void)events;
	int fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	server_close_client(server);
	if (loop_add(source->loop, &server->client, fd, EPOLLIN, server_tcp, NULL) != BERM_OK)
		own_close(&fd);
}

static void server_write(const struct name_server *server, const char *name, const char *text)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/etc/%s", server->root, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	ssize_t written = write(fd, text, strlen(text));
	own_close(&fd);
	assert_int_equal(written, strlen(text));
}

static int server_socket(int type, uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
	socklen_t size = sizeof(address);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	if (bind(fd, (struct sockaddr *)&address, size) != 0 || (type == SOCK_STREAM && listen(fd, 8) != 0) ||
	    getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
		own_close(&fd);
		return -1;
	}
	*port = ntohs(address.sin_port);
	return fd;
}

static void server_done(struct name_server *server)
{
	char path[128];
	static const char *const names[] = {"/etc/resolv.conf", "/etc/hosts", "/etc", ""};
	server_close_client(server);
	for (struct loop_source *source = &server->udp; source <= &server->listener; source++) {
		int fd = source->loop != NULL ? source->fd : -1;
		loop_remove(source);
		own_close(&fd);
	}
	for (size_t i = 0; server->root[0] != '\0' && i < ARRAY_LEN(names); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", server->root, names[i]);
		(void)remove(path);
	}
	server->root[0] = '\0';
}

static void server_files(struct name_server *server)
{
	char path[128];
	(void)snprintf(server->root, sizeof(server->root), "/tmp/name-server-XXXXXX");
	assert_non_null(mkdtemp(server->root));
	(void)snprintf(path, sizeof(path), "%s/etc", server->root);
	assert_int_equal(mkdir(path, 0700), 0);
	server_write(server, "resolv.conf", "nameserver 127.0.0.1\nsearch wrong.example\noptions ndots:9\n");
}

/* TCP needs the port that UDP got, which another process may have: then both are tried again. */
static void server_init(struct name_server *server, struct egress_loop *loop, const struct server_row *rows,
			size_t count)
{
	int udp = -1, tcp = -1;
	for (int i = 0; i < 50 && tcp < 0; i++) {
		own_close(&udp);
		server->port = 0;
		udp = server_socket(SOCK_DGRAM, &server->port);
		tcp = server_socket(SOCK_STREAM, &server->port);
	}
	server->rows = rows;
	server->count = count;
	enum berm_code first = loop_add(loop, &server->udp, udp, EPOLLIN, server_udp, NULL);
	enum berm_code second = loop_add(loop, &server->listener, tcp, EPOLLIN, server_accept, NULL);
	assert_int_equal(first, BERM_OK);
	assert_int_equal(second, BERM_OK);
	server_files(server);
}

/* ---- patience: where memory may be out, what is lost is not waited for ---- */

struct patience {
	struct loop_source source; /* first */
	bool over;
};

static void patience_over(struct loop_source *source, uint32_t events)
{
	(void)events;
	((struct patience *)source)->over = true;
}

/* One turn; the test fails when it has waited for long. */
static void patience_turn(struct patience *patience, struct egress_loop *loop)
{
	if (patience->source.loop == NULL)
		loop_add_timer(loop, &patience->source, patience_over);
	if (patience->source.due_ms == 0)
		loop_deadline(&patience->source, getenv("BERM_TORTURE") != NULL ? 300 : 30000);
	assert_int_equal(loop_turn(loop, NULL), BERM_OK);
	assert_false(patience->over);
}

/* What was waited for is there. */
static void patience_renew(struct patience *patience)
{
	if (patience->source.loop != NULL)
		loop_deadline(&patience->source, LOOP_NEVER);
}

#endif
