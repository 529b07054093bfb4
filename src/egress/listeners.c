#include "egress/listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/own.h"
#include "berm/berm.h"
#include "egress/flow.h"
#include "egress/origins.h"

enum { ENDS = 4, OWN_RANGES = 6, ACCEPTS_A_TURN = 64, TELL_EACH_MS = 1000 };

struct listener {
	struct loop_source source; /* first: a callback is given its address */
	struct listeners *listeners;
	int fd;
	bool by_proxy;
};

struct listeners {
	struct egress *egress;
	struct listener ends[ENDS];
	struct net_range own[OWN_RANGES]; /* the sandbox's own addresses: no connection through here is to them */
	int spare;	  /* closed to accept one more, which is then closed, when no descriptor is left */
	uint64_t told_ms; /* when it was last told that there are too many */
};

/* A connection that waits for its record. */
struct arrival {
	struct origin_wait wait; /* first: a callback is given its address */
	struct flow_start flow;
};

/* ---- where to ------------------------------------------------------------------------------------------------------ */

static void refuse(struct flow_start *flow, struct str why)
{
	struct door_question question;
	flow_question(flow, DOOR_EVENT, &question);
	door_tell(flow->egress->door, &question, why);
	flow_reset(flow);
}

static enum berm_code find_own(struct net_range ret_own[static OWN_RANGES], struct berm_err *err)
{
	static const char *const own[OWN_RANGES] = {"127.0.0.0/8", "0.0.0.0/8",	  "::1/128",
						    "::/128",	   BERM_NET_OWN4, BERM_NET_OWN6};
	for (size_t i = 0; i < OWN_RANGES; i++)
		TRY(address_range_parse(str_from(own[i]), &ret_own[i], err));
	return BERM_OK;
}

static bool is_inside(const struct egress *egress, const struct net_address *address)
{
	for (size_t i = 0; i < OWN_RANGES; i++)
		if (address_in_range(address, &egress->listeners->own[i]))
			return true;
	return false;
}

/* The host that the program meant. NULL, or why it cannot be one. */
static const char *name_host(struct flow_start *flow, const struct net_address *destination)
{
	char text[ADDRESS_TEXT_SIZE];
	struct str name = {text, address_print(destination, text)};
	if (is_inside(flow->egress, destination))
		return "a connection to the filter itself";
	if (synthetic_in_range(destination)) {
		if (!synthetic_hold(flow->egress->names, destination, &name))
			return "an address that stands for no name any more";
		flow->held = *destination;
	}
	return host_read(name, false, &flow->host, NULL) ? NULL : "an address that is no host";
}

union peer_address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage storage;
};

static bool read_peer(const union peer_address *peer, struct origin_key *ret)
{
	bool ipv4 = peer->any.sa_family == AF_INET;
	struct span bytes = {(const uint8_t *)&peer->in6.sin6_addr, sizeof(peer->in6.sin6_addr)};
	if (ipv4)
		bytes = (struct span){(const uint8_t *)&peer->in.sin_addr, sizeof(peer->in.sin_addr)};
	ret->port = ntohs(ipv4 ? peer->in.sin_port : peer->in6.sin6_port);
	return (ipv4 || peer->any.sa_family == AF_INET6) && address_from_bytes(bytes, &ret->address);
}

/* Where the network is the sandbox's own a connection comes to the very address that was asked for: what the record tells
 * must be that. Elsewhere it was led to the end itself. */
static bool agrees(const struct flow_start *flow, const struct origin *origin)
{
	union peer_address bound = {0};
	socklen_t len = sizeof(bound);
	struct origin_key local = {0};
	if (getsockname(flow->client, &bound.any, &len) != 0 || !read_peer(&bound, &local))
		return false;
	return is_inside(flow->egress, &local.address) ||
	       (local.port == origin->port && address_equal(&local.address, &origin->destination));
}

static void begin_flow(struct flow_start *flow, const struct origin *origin)
{
	flow->task = origin->task;
	if (flow->by_proxy) {
		if (origin->port == flow->egress->proxy_port)
			proxy_flow_start(flow);
		else
			refuse(flow, STR("a record of another connection"));
		return;
	}
	flow->port = origin->port;
	const char *mistake =
		agrees(flow, origin) ? name_host(flow, &origin->destination) : "a record of another connection";
	if (mistake != NULL)
		refuse(flow, str_from(mistake));
	else
		flow_start(flow);
}

/* ---- whose --------------------------------------------------------------------------------------------------------- */

static void origin_came(struct origin_wait *wait, const struct origin *origin)
{
	struct arrival *arrival = (struct arrival *)(void *)wait;
	struct flow_start flow = arrival->flow;
	free(arrival);
	if (origin != NULL)
		begin_flow(&flow, origin);
	else
		refuse(&flow, STR("nobody told whose connection it is"));
}

static void find_origin(struct flow_start *flow, const struct origin_key *key)
{
	struct origins *origins = flow->egress->origins;
	struct origin origin = {0};
	if (origins == NULL) {
		if (flow->by_proxy)
			proxy_flow_start(flow);
		else
			flow_reset(flow);
		return;
	}
	if (origins_find(origins, key, &origin)) {
		begin_flow(flow, &origin);
		return;
	}
	struct arrival *arrival = calloc(1, sizeof(*arrival));
	if (arrival == NULL) {
		flow_reset(flow);
		return;
	}
	arrival->flow = *flow;
	origins_wait(origins, key, (struct origin_wait *)(void *)arrival, origin_came);
}

/* ---- accepting ----------------------------------------------------------------------------------------------------- */

/* Not one event for each: there may be thousands in a second. */
static void tell_full(struct listeners *listeners)
{
	struct egress *egress = listeners->egress;
	struct door_question question = {.kind = DOOR_EVENT};
	if (listeners->told_ms != 0 && egress->loop.now_ms < listeners->told_ms + TELL_EACH_MS)
		return;
	listeners->told_ms = egress->loop.now_ms;
	door_tell(egress->door, &question, STR("too many connections at the same time"));
}

static void take_connection(struct listener *listener, int fd, const union peer_address *peer)
{
	struct egress *egress = listener->listeners->egress;
	struct origin_key key = {0};
	if (egress->connections >= egress->limits.connections || egress->half_open >= egress->limits.half_open ||
	    !read_peer(peer, &key)) {
		tell_full(listener->listeners);
		(void)close(fd);
		return;
	}
	struct flow_start flow = {
		.egress = egress, .client = fd, .by_proxy = listener->by_proxy, .half_open = true, .upstream = -1};
	egress->connections++;
	egress->half_open++;
	find_origin(&flow, &key);
}

/* Out of descriptors: one is taken and closed, since it would be told of without end. */
static void turn_away(struct listener *listener)
{
	struct listeners *listeners = listener->listeners;
	own_close(&listeners->spare);
	listeners->spare = -1;
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
	own_close(&fd);
	listeners->spare = fcntl(listener->fd, F_DUPFD_CLOEXEC, 0);
	tell_full(listeners);
}

static void listener_ready(struct loop_source *source, uint32_t events)
{
	struct listener *listener = (struct listener *)(void *)source;
	(void)events;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		union peer_address peer = {0};
		socklen_t len = sizeof(peer);
		int fd = accept4(listener->fd, &peer.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			take_connection(listener, fd, &peer);
		else if (errno == EMFILE || errno == ENFILE)
			turn_away(listener);
		else if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

/* ---- life ---------------------------------------------------------------------------------------------------------- */

void listeners_free(struct listeners *listeners)
{
	if (listeners == NULL)
		return;
	for (size_t i = 0; i < ENDS; i++) {
		loop_remove(&listeners->ends[i].source);
		own_close(&listeners->ends[i].fd);
	}
	own_close(&listeners->spare);
	free(listeners);
}

enum berm_code listeners_new(struct egress *egress, const int tcp[2], const int proxy[2],
			     struct listeners **ret_listeners, struct berm_err *err)
{
	const int fds[ENDS] = {tcp[0], tcp[1], proxy[0], proxy[1]};
	struct listeners *listeners = calloc(1, sizeof(*listeners));
	enum berm_code code;
	if (listeners == NULL) {
		for (size_t i = 0; i < ENDS; i++)
			own_close(&fds[i]);
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	}
	listeners->egress = egress;
	code = find_own(listeners->own, err);
	listeners->spare = fcntl(egress->loop.epoll_fd, F_DUPFD_CLOEXEC, 0);
	for (size_t i = 0; i < ENDS; i++) {
		struct listener *listener = &listeners->ends[i];
		*listener = (struct listener){.listeners = listeners, .fd = fds[i], .by_proxy = i >= 2};
		if (fds[i] >= 0 && code == BERM_OK)
			code = loop_add(&egress->loop, &listener->source, fds[i], EPOLLIN, listener_ready, err);
	}
	if (code != BERM_OK)
		listeners_free(listeners);
	else
		*ret_listeners = listeners;
	return code;
}
