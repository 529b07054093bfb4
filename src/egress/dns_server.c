#include "egress/dns_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/own.h"
#include "egress/dns_names.h"

enum {
	CONTROL_MAX = 64, /* IP_PKTINFO, IPV6_PKTINFO */
	OUT_MAX = 16384,  /* of a TCP client that does not read */
	FULL_MS = 100,	  /* no descriptor was free: so long nobody is accepted */
	FRAME_MAX = DNS_FRAME_SIZE + DNS_QUERY_MAX,
};

struct end {
	struct loop_source source; /* first: a callback gets it */
	struct dns_server *server;
	int fd;
};

/* Where a UDP query came from, and how the answer finds back. */
struct origin {
	struct sockaddr_in6 from; /* or sockaddr_in */
	socklen_t from_len;
	size_t control_len;
	_Alignas(struct cmsghdr) uint8_t control[CONTROL_MAX];
};

struct batch {
	struct mmsghdr messages[DNS_SERVER_BATCH];
	struct iovec parts[DNS_SERVER_BATCH];
	struct origin origins[DNS_SERVER_BATCH];
	uint8_t bytes[DNS_SERVER_BATCH][DNS_QUERY_MAX];
};

struct dns_server {
	struct egress *egress;
	struct dns_names *names;
	struct end udp[2], tcp[2];
	struct client *oldest, *newest; /* open, by age */
	size_t clients;
	struct batch batch;
};

struct udp_asker {
	struct dns_asker asker; /* first */
	struct end *end;
	struct origin origin;
};

/* Closed, it lives on until its queries under way are over. */
struct client {
	struct loop_source source; /* first: a callback gets it */
	struct dns_server *server;
	struct client *older, *newer;
	int fd; /* -1: closed */
	size_t under_way;
	bool ended; /* it sends nothing more */
	size_t in_len, out_len;
	uint8_t in[FRAME_MAX];
	uint8_t *out; /* what it has not taken; OUT_MAX; NULL: none */
};

struct tcp_asker {
	struct dns_asker asker; /* first */
	struct client *client;
};

/* ---- UDP --------------------------------------------------------------------------------------------------------- */

/* One that cannot be sent is lost, as datagrams are; the client asks again. */
static void respond_udp(const struct end *end, struct origin *origin, const struct dns_query *query,
			const struct dns_said *said)
{
	uint8_t bytes[DNS_RESPONSE_SIZE];
	struct iovec part = {bytes, dns_respond(query, &said->answer, DNS_UDP, bytes)};
	struct msghdr message = {.msg_name = &origin->from,
				 .msg_namelen = origin->from_len,
				 .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = origin->control_len > 0 ? origin->control : NULL,
				 .msg_controllen = origin->control_len};
	(void)sendmsg(end->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void udp_done(struct dns_asker *asker, const struct dns_said *said)
{
	struct udp_asker *udp = (struct udp_asker *)asker;
	if (said != NULL)
		respond_udp(udp->end, &udp->origin, &asker->query, said);
	free(udp);
}

static enum berm_code ask_udp(struct end *end, const struct origin *origin, const struct dns_query *query)
{
	struct udp_asker *udp = (struct udp_asker *)dns_asker_new(sizeof(*udp), query, udp_done);
	if (udp == NULL)
		return BERM_ERR_NOMEM;
	udp->end = end;
	udp->origin = *origin;
	enum berm_code code = dns_names_ask(end->server->names, &udp->asker, NULL);
	if (code != BERM_OK)
		free(udp);
	return code;
}

static void take_udp(struct end *end, struct origin *origin, struct span message)
{
	struct dns_query query;
	struct dns_said said;
	if (dns_query_parse(message, &query, NULL) != BERM_OK)
		return;
	if (!dns_names_know(end->server->names, &query, &said)) {
		if (ask_udp(end, origin, &query) == BERM_OK)
			return;
		dns_names_fault(&said);
	}
	respond_udp(end, origin, &query, &said);
}

static void prepare_batch(struct batch *batch)
{
	for (size_t i = 0; i < DNS_SERVER_BATCH; i++) {
		struct origin *origin = &batch->origins[i];
		batch->parts[i] = (struct iovec){batch->bytes[i], DNS_QUERY_MAX};
		batch->messages[i].msg_hdr = (struct msghdr){.msg_name = &origin->from,
							     .msg_namelen = sizeof(origin->from),
							     .msg_iov = &batch->parts[i],
							     .msg_iovlen = 1,
							     .msg_control = origin->control,
							     .msg_controllen = sizeof(origin->control)};
	}
}

/* One batch a turn, so that nobody else waits for a flood to end. */
static void udp_ready(struct loop_source *source, uint32_t events)
{
	struct end *end = (struct end *)source;
	struct batch *batch = &end->server->batch;
	(void)events;
	prepare_batch(batch);
	int count = recvmmsg(end->fd, batch->messages, DNS_SERVER_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++) {
		const struct msghdr *header = &batch->messages[i].msg_hdr;
		struct origin *origin = &batch->origins[i];
		if ((header->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
			continue;
		origin->from_len = header->msg_namelen;
		origin->control_len = header->msg_controllen;
		take_udp(end, origin, (struct span){batch->bytes[i], batch->messages[i].msg_len});
	}
}

/* ---- TCP: clients ------------------------------------------------------------------------------------------------ */

static void unlink_client(struct client *client)
{
	struct dns_server *server = client->server;
	if (client->older != NULL)
		client->older->newer = client->newer;
	else
		server->oldest = client->newer;
	if (client->newer != NULL)
		client->newer->older = client->older;
	else
		server->newest = client->older;
}

static void link_newest(struct client *client)
{
	struct dns_server *server = client->server;
	client->older = server->newest;
	client->newer = NULL;
	*(server->newest != NULL ? &server->newest->newer : &server->oldest) = client;
	server->newest = client;
}

static void free_closed(struct client *client)
{
	if (client->fd < 0 && client->under_way == 0)
		free(client);
}

static void close_open(struct client *client)
{
	loop_remove(&client->source);
	unlink_client(client);
	client->server->clients--;
	(void)close(take_fd(&client->fd));
	free(take(client->out));
}

static void close_client(struct client *client)
{
	if (client->fd >= 0)
		close_open(client);
}

/* False: it is closed. */
static bool send_kept(struct client *client)
{
	if (client->out_len == 0)
		return true;
	ssize_t sent = send(client->fd, client->out, client->out_len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		close_client(client);
		return false;
	}
	if (sent <= 0)
		return true;
	client->out_len -= (size_t)sent;
	memmove(client->out, client->out + sent, client->out_len);
	if (client->out_len == 0)
		free(take(client->out));
	return true;
}

/* A client that takes no answers is closed when too many are kept for it. */
static void send_frame(struct client *client, const uint8_t *bytes, size_t len)
{
	if (client->out == NULL)
		client->out = malloc(OUT_MAX);
	if (client->out == NULL || len > OUT_MAX - client->out_len) {
		close_client(client);
		return;
	}
	memcpy(client->out + client->out_len, bytes, len);
	client->out_len += len;
	(void)send_kept(client);
}

static void respond_tcp(struct client *client, const struct dns_query *query, const struct dns_said *said)
{
	uint8_t bytes[DNS_RESPONSE_SIZE];
	size_t len = dns_respond(query, &said->answer, DNS_TCP, bytes);
	if (client->fd >= 0)
		send_frame(client, bytes, len);
}

/* What the client is waited for. It is closed when there is nothing more to come or to go. */
static void settle(struct client *client)
{
	if (client->fd < 0)
		return;
	if (client->ended && client->under_way == 0 && client->out_len == 0) {
		close_client(client);
		return;
	}
	bool reads = !client->ended && client->under_way < DNS_SERVER_PIPELINE && client->out_len == 0;
	loop_want(&client->source, (reads ? (uint32_t)EPOLLIN : 0) | (client->out_len > 0 ? (uint32_t)EPOLLOUT : 0));
	if (client->under_way > 0 && client->out_len == 0)
		loop_deadline(&client->source, LOOP_NEVER); /* those have their own */
}

/* No answer to one leaves the client nothing to wait for. */
static void tcp_done(struct dns_asker *asker, const struct dns_said *said)
{
	struct client *client = ((struct tcp_asker *)asker)->client;
	if (said != NULL)
		respond_tcp(client, &asker->query, said);
	else
		close_client(client);
	client->under_way--;
	free(asker);
	if (client->fd >= 0 && client->under_way == 0)
		loop_deadline(&client->source, DNS_SERVER_IDLE_MS);
	if (client->fd >= 0)
		loop_want(&client->source, EPOLLOUT); /* it goes on from the loop */
	free_closed(client);
}

static enum berm_code ask_tcp(struct client *client, const struct dns_query *query)
{
	struct tcp_asker *tcp = (struct tcp_asker *)dns_asker_new(sizeof(*tcp), query, tcp_done);
	if (tcp == NULL)
		return BERM_ERR_NOMEM;
	tcp->client = client;
	client->under_way++;
	enum berm_code code = dns_names_ask(client->server->names, &tcp->asker, NULL);
	if (code != BERM_OK) {
		client->under_way--;
		free(tcp);
	}
	return code;
}

static void take_tcp(struct client *client, struct span message)
{
	struct dns_query query;
	struct dns_said said;
	if (dns_query_parse(message, &query, NULL) != BERM_OK) {
		close_client(client);
		return;
	}
	if (!dns_names_know(client->server->names, &query, &said)) {
		if (ask_tcp(client, &query) == BERM_OK)
			return;
		dns_names_fault(&said);
	}
	respond_tcp(client, &query, &said);
}

/* Whole queries in what was read. */
static void tcp_frames(struct client *client)
{
	struct span message;
	size_t taken = 1;
	while (client->fd >= 0 && client->under_way < DNS_SERVER_PIPELINE && client->out_len == 0 && taken > 0) {
		struct span bytes = {client->in, client->in_len};
		if (dns_frame_next(bytes, &message, &taken, NULL) != BERM_OK) {
			close_client(client);
			return;
		}
		if (taken == 0)
			return;
		loop_deadline(&client->source, DNS_SERVER_IDLE_MS);
		take_tcp(client, message);
		client->in_len -= taken;
		memmove(client->in, client->in + taken, client->in_len);
	}
}

static void read_client(struct client *client)
{
	ssize_t len = recv(client->fd, client->in + client->in_len, sizeof(client->in) - client->in_len, MSG_DONTWAIT);
	if (len > 0)
		client->in_len += (size_t)len;
	else if (len == 0)
		client->ended = true;
	else if (errno != EAGAIN && errno != EINTR)
		close_client(client);
}

static void client_ready(struct loop_source *source, uint32_t events)
{
	struct client *client = (struct client *)source;
	if ((events & (LOOP_DEADLINE | EPOLLERR)) != 0) {
		close_client(client);
	} else if (send_kept(client)) {
		if ((events & (EPOLLIN | EPOLLHUP)) != 0 && client->in_len < sizeof(client->in))
			read_client(client);
		tcp_frames(client);
		settle(client);
	}
	free_closed(client);
}

/* ---- TCP: the listener ------------------------------------------------------------------------------------------- */

static struct client *oldest_idle(const struct dns_server *server)
{
	struct client *client = server->oldest;
	while (client != NULL && client->under_way > 0)
		client = client->newer;
	return client;
}

/* Takes fd. */
static void add_client(struct dns_server *server, int fd)
{
	auto_fd int held = fd;
	struct client *idle = server->clients < DNS_SERVER_CLIENTS ? NULL : oldest_idle(server);
	if (idle != NULL) {
		close_open(idle);
		free(idle);
	}
	auto_free struct client *client = server->clients < DNS_SERVER_CLIENTS ? calloc(1, sizeof(*client)) : NULL;
	if (client == NULL ||
	    loop_add(&server->egress->loop, &client->source, held, EPOLLIN, client_ready, NULL) != BERM_OK)
		return;
	client->server = server;
	client->fd = take_fd(&held);
	loop_deadline(&client->source, DNS_SERVER_IDLE_MS);
	link_newest(client);
	server->clients++;
	(void)take(client);
}

static void tcp_ready(struct loop_source *source, uint32_t events)
{
	struct end *end = (struct end *)source;
	if ((events & LOOP_DEADLINE) != 0)
		loop_want(source, EPOLLIN);
	for (int i = 0; i < DNS_SERVER_BATCH; i++) {
		int fd = accept4(end->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			add_client(end->server, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			loop_want(source, 0);
			loop_deadline(source, FULL_MS);
		}
		return;
	}
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

void dns_server_free(struct dns_server *server)
{
	struct client *client;
	if (server == NULL)
		return;
	dns_names_free(server->names);
	while ((client = server->oldest) != NULL) { /* none has a query under way any more */
		close_open(client);
		free(client);
	}
	for (size_t i = 0; i < 2; i++) {
		loop_remove(&server->udp[i].source);
		loop_remove(&server->tcp[i].source);
		own_close(&server->udp[i].fd);
		own_close(&server->tcp[i].fd);
	}
	free(server);
}

static enum berm_code open_end(struct end *end, loop_callback callback, struct berm_err *err)
{
	if (end->fd < 0)
		return BERM_OK;
	return loop_add(&end->server->egress->loop, &end->source, end->fd, EPOLLIN, callback, err);
}

static enum berm_code open_ends(struct dns_server *server, struct berm_err *err)
{
	for (size_t i = 0; i < 2; i++) {
		TRY(open_end(&server->udp[i], udp_ready, err));
		TRY(open_end(&server->tcp[i], tcp_ready, err));
	}
	return dns_names_new(server->egress, server->udp[1].fd >= 0, &server->names, err);
}

enum berm_code dns_server_new(struct egress *egress, const int udp[2], const int tcp[2], struct dns_server **ret_server,
			      struct berm_err *err)
{
	struct dns_server *server = calloc(1, sizeof(*server));
	for (size_t i = 0; i < 2 && server == NULL; i++) {
		own_close(&udp[i]);
		own_close(&tcp[i]);
	}
	if (server == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	server->egress = egress;
	for (size_t i = 0; i < 2; i++) {
		server->udp[i] = (struct end){.server = server, .fd = udp[i]};
		server->tcp[i] = (struct end){.server = server, .fd = tcp[i]};
	}
	enum berm_code code = open_ends(server, err);
	if (code != BERM_OK)
		dns_server_free(server);
	else
		*ret_server = server;
	return code;
}
