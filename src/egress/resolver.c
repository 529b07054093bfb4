#include "egress/resolver.h"

#include <ares.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/own.h"
#include "egress/dns_reply.h"
#include "egress/hosts_file.h"
#include "format/host.h"
#include "os/fd.h"

enum {
	DEADLINE_MS = 5000, /* of a name */
	GRACE_MS = 300,	    /* for the other family, once one has an address */
	TRY_MS = 1000, /* for each server, doubled from round to round, so that a second one has its turn in time */
	TRIES = 3,
	KEPT_MS = 30000,
	EDNS_BYTES = 1232, /* DNS flag day 2020 */
	PATH_BYTES = 1024,
	CLASS_IN = 1,
	DNS_PORT = 53,
};

enum { IPV6 = 0, IPV4, FAMILIES };
static const enum dns_type types[FAMILIES] = {DNS_AAAA, DNS_A};

/* A descriptor of c-ares. */
struct watched {
	struct loop_source source; /* first: a callback gets it */
	struct resolver *resolver;
	struct watched *next;
};

/* One of the two questions about a name. */
struct asked {
	struct lookup *lookup;
	int status; /* of c-ares */
	bool running, again;
	size_t count;
	struct net_address addresses[RESOLVER_ADDRESSES_MAX];
};

/* A name that is being asked for, or whose answer is to be told or kept. */
struct lookup {
	struct loop_source limit; /* first: a callback gets it */
	struct resolver *resolver;
	struct lookup *older, *newer; /* of all */
	struct lookup *next_ready;
	struct resolver_wait *waiting;
	struct asked asked[FAMILIES];
	struct resolver_answer answer;
	uint64_t until_ms; /* the answer is good, once it is there */
	uint32_t ttl;
	bool answered, ready, by_name;
	char name[HOST_NAME_MAX + 1];
};

/* Answers are told from the loop, never from within a call. */
struct teller {
	struct loop_source source; /* first: a callback gets it */
	struct lookup *first, **end;
};

struct resolver {
	struct loop_source timer; /* first: a callback gets it; of c-ares */
	struct teller teller;
	struct egress_loop *loop;
	ares_channel channel;
	struct watched *watched;
	struct hosts_file *hosts;
	struct map by_name; /* those that another one may join */
	struct lookup *oldest, *newest;
	size_t lookups, waiting;
	bool library, ending;
};

/* ---- c-ares on the loop -------------------------------------------------------------------------------------------- */

static void set_timer(struct resolver *resolver)
{
	struct timeval rest;
	if (ares_timeout(resolver->channel, NULL, &rest) == NULL)
		loop_deadline(&resolver->timer, LOOP_NEVER);
	else
		loop_deadline(&resolver->timer, (uint64_t)rest.tv_sec * 1000 + (uint64_t)rest.tv_usec / 1000 + 1);
}

static void timer_due(struct loop_source *source, uint32_t events)
{
	struct resolver *resolver = (struct resolver *)source;
	(void)events;
	ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_timer(resolver);
}

static void socket_ready(struct loop_source *source, uint32_t events)
{
	struct resolver *resolver = ((struct watched *)source)->resolver; /* which may be gone afterwards */
	int fd = source->fd;
	bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
	ares_process_fd(resolver->channel, broken || (events & EPOLLIN) != 0 ? fd : ARES_SOCKET_BAD,
			broken || (events & EPOLLOUT) != 0 ? fd : ARES_SOCKET_BAD);
	set_timer(resolver);
}

static void forget(struct watched **at)
{
	struct watched *watched = *at;
	loop_remove(&watched->source);
	*at = watched->next;
	free(watched);
}

/* Without memory nothing is watched: what was asked there has its deadline. */
static void watch(struct resolver *resolver, int fd, uint32_t events)
{
	struct watched *watched = calloc(1, sizeof(*watched));
	if (watched == NULL)
		return;
	watched->resolver = resolver;
	if (loop_add(resolver->loop, &watched->source, fd, events, socket_ready, NULL) != BERM_OK) {
		free(watched);
		return;
	}
	watched->next = resolver->watched;
	resolver->watched = watched;
}

static void socket_changed(void *context, ares_socket_t fd, int readable, int writable)
{
	struct resolver *resolver = context;
	struct watched **at = &resolver->watched;
	uint32_t events = (readable != 0 ? (uint32_t)EPOLLIN : 0) | (writable != 0 ? (uint32_t)EPOLLOUT : 0);
	while (*at != NULL && (*at)->source.fd != fd)
		at = &(*at)->next;
	if (*at == NULL && events != 0)
		watch(resolver, fd, events);
	else if (*at != NULL && events == 0)
		forget(at);
	else if (*at != NULL)
		loop_want(&(*at)->source, events);
}

/* ---- lookups ------------------------------------------------------------------------------------------------------- */

static void unname(struct lookup *lookup)
{
	if (lookup->by_name)
		(void)map_remove(&lookup->resolver->by_name, str_from(lookup->name));
	lookup->by_name = false;
}

static void free_lookup(struct lookup *lookup)
{
	struct resolver *resolver = lookup->resolver;
	unname(lookup);
	loop_remove(&lookup->limit);
	if (lookup->older != NULL)
		lookup->older->newer = lookup->newer;
	else
		resolver->oldest = lookup->newer;
	if (lookup->newer != NULL)
		lookup->newer->older = lookup->older;
	else
		resolver->newest = lookup->older;
	resolver->lookups--;
	free(lookup);
}

/* Nobody has to do with it but the memory of answers. */
static bool is_idle(const struct lookup *lookup)
{
	return lookup->answered && !lookup->ready && lookup->waiting == NULL && !lookup->asked[IPV6].running &&
	       !lookup->asked[IPV4].running;
}

static void release(struct lookup *lookup)
{
	if (is_idle(lookup) && !lookup->by_name && !lookup->resolver->ending)
		free_lookup(lookup);
}

static bool make_place(struct resolver *resolver)
{
	struct lookup *lookup = resolver->oldest;
	if (resolver->lookups < RESOLVER_NAMES_MAX)
		return true;
	while (lookup != NULL && !is_idle(lookup))
		lookup = lookup->newer;
	if (lookup != NULL)
		free_lookup(lookup);
	return lookup != NULL;
}

static enum berm_code make_lookup(struct resolver *resolver, struct str name, struct lookup **ret_lookup,
				  struct berm_err *err)
{
	if (!make_place(resolver))
		return err_set(err, BERM_ERR_LIMIT, "%d names are being looked up", RESOLVER_NAMES_MAX);
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	if (lookup == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	lookup->resolver = resolver;
	memcpy(lookup->name, name.ptr, name.len);
	lookup->older = resolver->newest;
	*(resolver->newest != NULL ? &resolver->newest->newer : &resolver->oldest) = lookup;
	resolver->newest = lookup;
	resolver->lookups++;
	*ret_lookup = lookup;
	return BERM_OK;
}

/* ---- answers ------------------------------------------------------------------------------------------------------- */

static void make_ready(struct lookup *lookup)
{
	struct teller *teller = &lookup->resolver->teller;
	if (lookup->ready)
		return;
	lookup->ready = true;
	lookup->next_ready = NULL;
	*teller->end = lookup;
	teller->end = &lookup->next_ready;
	loop_deadline(&teller->source, 0);
}

static void drop_wait(struct resolver_wait *wait)
{
	struct lookup *lookup = wait->job;
	*(wait->previous != NULL ? &wait->previous->next : &lookup->waiting) = wait->next;
	if (wait->next != NULL)
		wait->next->previous = wait->previous;
	wait->next = wait->previous = NULL;
	wait->job = NULL;
	lookup->resolver->waiting--;
}

static void tell(struct lookup *lookup)
{
	while (lookup->waiting != NULL) {
		struct resolver_wait *wait = lookup->waiting;
		drop_wait(wait);
		wait->done(wait, &lookup->answer);
	}
}

/* Those that become ready meanwhile have another turn. */
static void tell_ready(struct loop_source *source, uint32_t events)
{
	struct teller *teller = (struct teller *)source;
	struct lookup *lookup = teller->first;
	(void)events;
	teller->first = NULL;
	teller->end = &teller->first;
	while (lookup != NULL) {
		struct lookup *next = lookup->next_ready;
		tell(lookup);
		lookup->ready = false;
		release(lookup);
		lookup = next;
	}
}

/* In turns, IPv6 first (RFC 8305 4). */
static void gather(struct lookup *lookup)
{
	struct resolver_answer *answer = &lookup->answer;
	for (size_t i = 0; i < RESOLVER_ADDRESSES_MAX; i++)
		for (size_t family = 0; family < FAMILIES; family++)
			if (i < lookup->asked[family].count && answer->count < RESOLVER_ADDRESSES_MAX)
				answer->addresses[answer->count++] = lookup->asked[family].addresses[i];
}

/* The first row that either of the two questions ended with. */
static const struct {
	int status;
	enum resolver_outcome outcome;
	const char *why;
} failures[] = {
	{ARES_ENOTFOUND, RESOLVER_NO_NAME, "the name does not exist"},
	{ARES_ETIMEOUT, RESOLVER_TIMEOUT, "no name server answered in time"},
	{ARES_ECONNREFUSED, RESOLVER_FAILED, "no name server can be reached"},
	{ARES_EREFUSED, RESOLVER_FAILED, "the name server refuses to answer"},
};

static bool ended_with(const struct lookup *lookup, int status)
{
	return lookup->asked[IPV6].status == status || lookup->asked[IPV4].status == status;
}

/* Each question is answered, that there is no address of its family or that there is no such name. */
static bool is_empty(const struct lookup *lookup)
{
	for (size_t i = 0; i < FAMILIES; i++)
		if (lookup->asked[i].status != ARES_ENODATA && lookup->asked[i].status != ARES_ENOTFOUND)
			return false;
	return ended_with(lookup, ARES_ENODATA);
}

static void judge(struct lookup *lookup)
{
	struct resolver_answer *answer = &lookup->answer;
	gather(lookup);
	if (answer->count > 0 || is_empty(lookup)) {
		answer->outcome = RESOLVER_FOUND;
		answer->why = answer->count > 0 ? NULL : "the name has no address";
		return;
	}
	answer->outcome = RESOLVER_FAILED;
	answer->why = "the name servers failed";
	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		if (!ended_with(lookup, failures[i].status))
			continue;
		answer->outcome = failures[i].outcome;
		answer->why = failures[i].why;
		return;
	}
}

static void finish(struct lookup *lookup)
{
	uint64_t kept_ms = (uint64_t)lookup->ttl * 1000;
	judge(lookup);
	lookup->answered = true;
	loop_remove(&lookup->limit);
	lookup->until_ms = lookup->resolver->loop->now_ms + (kept_ms < KEPT_MS ? kept_ms : KEPT_MS);
	if (lookup->answer.count == 0)
		unname(lookup);
	make_ready(lookup);
}

static void limit_due(struct loop_source *source, uint32_t events)
{
	struct lookup *lookup = (struct lookup *)source;
	(void)events;
	for (size_t i = 0; i < FAMILIES; i++)
		if (lookup->asked[i].running)
			lookup->asked[i].status = ARES_ETIMEOUT;
	finish(lookup);
}

/* The status that the question ends with. */
static int read_reply(struct asked *asked, const unsigned char *bytes, int len)
{
	struct lookup *lookup = asked->lookup;
	enum dns_type type = types[asked - lookup->asked];
	struct dns_reply reply;
	if (dns_reply_read((struct span){bytes, (size_t)len}, str_from(lookup->name), type, &reply, NULL) != BERM_OK)
		return ARES_EBADRESP;
	if (reply.count == 0)
		return ARES_ENODATA;
	asked->count = reply.count;
	memcpy(asked->addresses, reply.addresses, reply.count * sizeof(reply.addresses[0]));
	lookup->ttl = reply.ttl < lookup->ttl ? reply.ttl : lookup->ttl;
	return ARES_SUCCESS;
}

static void replied(void *context, int status, int timeouts, unsigned char *bytes, int len);

static void ask(struct asked *asked)
{
	struct lookup *lookup = asked->lookup;
	asked->running = true;
	ares_query(lookup->resolver->channel, lookup->name, CLASS_IN, (int)types[asked - lookup->asked], replied,
		   asked);
}

/* A server that knows no EDNS: c-ares leaves it away from then on, but what had left before is not sent again. */
static bool ask_again(struct asked *asked, int status)
{
	if (status != ARES_EFORMERR || asked->again)
		return false;
	asked->again = true;
	ask(asked);
	return true;
}

static void replied(void *context, int status, int timeouts, unsigned char *bytes, int len)
{
	struct asked *asked = context;
	struct lookup *lookup = asked->lookup;
	(void)timeouts;
	asked->running = false;
	if (lookup->answered || lookup->resolver->ending) {
		release(lookup);
		return;
	}
	if (ask_again(asked, status))
		return;
	asked->status = status == ARES_SUCCESS ? read_reply(asked, bytes, len) : status;
	if (!lookup->asked[IPV6].running && !lookup->asked[IPV4].running)
		finish(lookup);
	else if (asked->count > 0)
		loop_deadline(&lookup->limit, GRACE_MS);
}

/* ---- finding ------------------------------------------------------------------------------------------------------- */

static bool is_localhost(struct str name)
{
	return str_eq(name, STR("localhost")) || str_ends(name, STR(".localhost"));
}

/* The machine's own names, which no server is asked about (RFC 6761 6.3). */
static size_t find_here(const struct resolver *resolver, struct str name, struct net_address *ret)
{
	size_t count = hosts_file_find(resolver->hosts, name, ret, RESOLVER_ADDRESSES_MAX);
	if (count > 0 || !is_localhost(name))
		return count;
	ret[0] = (struct net_address){NET_IPV6, {[15] = 1}};
	ret[1] = (struct net_address){NET_IPV4, {127, 0, 0, 1}};
	return 2;
}

static void begin(struct lookup *lookup)
{
	struct resolver *resolver = lookup->resolver;
	lookup->ttl = UINT32_MAX;
	loop_add_timer(resolver->loop, &lookup->limit, limit_due);
	loop_deadline(&lookup->limit, DEADLINE_MS);
	for (size_t i = 0; i < FAMILIES; i++)
		lookup->asked[i] = (struct asked){.lookup = lookup, .running = true}; /* both, before either ends */
	for (size_t i = 0; i < FAMILIES; i++)
		ask(&lookup->asked[i]);
	set_timer(resolver);
}

static enum berm_code start(struct resolver *resolver, struct str name, struct lookup **ret_lookup,
			    struct berm_err *err)
{
	struct lookup *lookup;
	TRY(make_lookup(resolver, name, &lookup, err));
	lookup->answer.count = find_here(resolver, name, lookup->answer.addresses);
	if (lookup->answer.count > 0) {
		lookup->answer.outcome = RESOLVER_FOUND;
		lookup->answered = true;
		*ret_lookup = lookup;
		return BERM_OK;
	}
	enum berm_code code = map_put(&resolver->by_name, name, lookup, err);
	if (code != BERM_OK) {
		free_lookup(lookup);
		return code;
	}
	lookup->by_name = true;
	begin(lookup);
	*ret_lookup = lookup;
	return BERM_OK;
}

/* One that may be joined: it is being asked for, or its answer is still good. */
static struct lookup *find_lookup(struct resolver *resolver, struct str name)
{
	struct lookup *lookup = map_find(&resolver->by_name, name);
	if (lookup == NULL || !lookup->answered || resolver->loop->now_ms < lookup->until_ms)
		return lookup;
	unname(lookup);
	release(lookup);
	return NULL;
}

enum berm_code resolver_find(struct resolver *resolver, struct str name, struct resolver_wait *wait, resolver_done done,
			     struct berm_err *err)
{
	if (name.len == 0 || name.len > HOST_NAME_MAX)
		return err_set(err, BERM_ERR_INVALID, "a name of %zu bytes", name.len);
	if (resolver->waiting >= RESOLVER_WAITING_MAX)
		return err_set(err, BERM_ERR_LIMIT, "%d wait for names", RESOLVER_WAITING_MAX);
	struct lookup *lookup = find_lookup(resolver, name);
	if (lookup == NULL)
		TRY(start(resolver, name, &lookup, err));
	*wait = (struct resolver_wait){.done = done, .job = lookup, .next = lookup->waiting};
	if (lookup->waiting != NULL)
		lookup->waiting->previous = wait;
	lookup->waiting = wait;
	resolver->waiting++;
	if (lookup->answered)
		make_ready(lookup);
	return BERM_OK;
}

void resolver_cancel(struct resolver *resolver, struct resolver_wait *wait)
{
	(void)resolver;
	if (wait->job == NULL)
		return;
	struct lookup *lookup = wait->job;
	drop_wait(wait);
	release(lookup);
}

/* c-ares's getnameinfo, which nobody calls, would bring glibc's name service switch into a static program, which then looks
 * for shared libraries at run time. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name, readability-non-const-parameter) */
int getservbyport_r(int port, const char *protocol, struct servent *service, char *bytes, size_t size,
		    struct servent **ret_service)
{
	(void)port, (void)protocol, (void)service, (void)bytes, (void)size;
	*ret_service = NULL;
	return ENOENT;
}

/* ---- life ---------------------------------------------------------------------------------------------------------- */

void resolver_free(struct resolver *resolver)
{
	if (resolver == NULL)
		return;
	resolver->ending = true;
	if (resolver->channel != NULL)
		ares_destroy(resolver->channel);
	while (resolver->watched != NULL)
		forget(&resolver->watched);
	while (resolver->oldest != NULL)
		free_lookup(resolver->oldest);
	if (resolver->library)
		ares_library_cleanup();
	loop_remove(&resolver->timer);
	loop_remove(&resolver->teller.source);
	hosts_file_free(resolver->hosts);
	map_done(&resolver->by_name);
	free(resolver);
}

static void free_resolver(struct resolver **resolver)
{
	resolver_free(*resolver);
}

static enum berm_code read_hosts(const char *root, struct hosts_file **ret_hosts, struct berm_err *err)
{
	char path[PATH_BYTES];
	auto_free char *text = malloc(HOSTS_BYTES_MAX);
	if (text == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	(void)snprintf(path, sizeof(path), "%s/etc/hosts", root);
	ssize_t len = fd_read_file(AT_FDCWD, path, text, HOSTS_BYTES_MAX);
	if (len < 0 && errno != ENOENT)
		return err_sys(err, "read '%s'", path);
	return hosts_file_parse((struct str){text, len < 0 ? 0 : (size_t)len}, ret_hosts, err);
}

/* hosts: ours; aliases and search domains: none, so what was judged is what is asked for. */
static enum berm_code open_channel(struct resolver *resolver, const char *root, uint16_t port, struct berm_err *err)
{
	char path[PATH_BYTES], lookups[] = "b";
	struct ares_options options = {
		.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS,
		.timeout = TRY_MS,
		.tries = TRIES,
		.udp_port = port,
		.tcp_port = port,
		.ednspsz = EDNS_BYTES,
		.lookups = lookups,
		.resolvconf_path = path,
		.sock_state_cb = socket_changed,
		.sock_state_cb_data = resolver,
	};
	(void)snprintf(path, sizeof(path), "%s/etc/resolv.conf", root);
	int status = ares_init_options(&resolver->channel, &options,
				       ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
					       ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT | ARES_OPT_LOOKUPS |
					       ARES_OPT_RESOLVCONF | ARES_OPT_SOCK_STATE_CB);
	if (status == ARES_SUCCESS)
		return BERM_OK;
	resolver->channel = NULL;
	return err_set(err, status == ARES_ENOMEM ? BERM_ERR_NOMEM : BERM_ERR_SYS, "read '%s': %s", path,
		       ares_strerror(status));
}

enum berm_code resolver_new_at(struct egress_loop *loop, const char *root, uint16_t port,
			       struct resolver **ret_resolver, struct berm_err *err)
{
	__attribute__((cleanup(free_resolver))) struct resolver *resolver = calloc(1, sizeof(*resolver));
	if (resolver == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	*resolver = (struct resolver){.loop = loop};
	resolver->teller.end = &resolver->teller.first;
	map_init(&resolver->by_name, RESOLVER_NAMES_MAX);
	loop_add_timer(loop, &resolver->timer, timer_due);
	loop_add_timer(loop, &resolver->teller.source, tell_ready);
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		return err_set(err, BERM_ERR_NOMEM, "c-ares does not start");
	resolver->library = true;
	TRY(read_hosts(root, &resolver->hosts, err));
	TRY(open_channel(resolver, root, port, err));
	*ret_resolver = take(resolver);
	return BERM_OK;
}

enum berm_code resolver_new(struct egress_loop *loop, const char *root, struct resolver **ret_resolver,
			    struct berm_err *err)
{
	return resolver_new_at(loop, root, DNS_PORT, ret_resolver, err);
}
