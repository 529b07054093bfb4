#include "egress/dns_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/own.h"
#include "egress/resolver.h"
#include "egress/reverse_name.h"

/* A denial that is said again for a moment, so that a flood of one name is one question. */
struct denied {
	uint64_t until_ms;
	char name[HOST_NAME_MAX + 1]; /* "": none */
	char why[DNS_REASON_TEXT_MAX + 1];
};

struct dns_names {
	struct egress *egress;
	bool has_ipv6;
	struct map by_name; /* to jobs */
	size_t waiting, upstream, fresh;
	struct map denied_by_name;
	struct denied denied[DNS_NAMES_DENIED]; /* a ring */
	size_t next_denied;
};

/* A name that is being asked about. */
struct job {
	struct dns_names *names;
	struct door_wait deciding;
	struct resolver_wait resolving;
	struct loop_source limit;
	struct dns_asker *first, **end;
	size_t count;
	bool upstream, fresh;
	char name[HOST_NAME_MAX + 1];
};

#define JOB_OF(pointer, member) ((struct job *)(void *)((char *)(pointer)-offsetof(struct job, member)))

/* ---- what is said ------------------------------------------------------------------------------------------------ */

void dns_names_fault(struct dns_said *ret_said)
{
	*ret_said = (struct dns_said){.answer = {.code = DNS_SERVFAIL, .reason = DNS_NETWORK_ERROR}};
}

static void say_absent(struct dns_said *ret)
{
	*ret = (struct dns_said){.answer = {.code = DNS_NXDOMAIN, .ttl = DNS_NAMES_NEGATIVE_TTL}};
}

static void say_nothing(struct dns_said *ret)
{
	*ret = (struct dns_said){.answer = {.code = DNS_NOERROR, .ttl = DNS_NAMES_NEGATIVE_TTL}};
}

static void copy_cut(char *ret, size_t size, const char *text)
{
	(void)snprintf(ret, size, "%.*s", (int)size - 1, text);
}

static void say_denied(const char *why, struct dns_said *ret)
{
	say_absent(ret);
	copy_cut(ret->text, sizeof(ret->text), why);
	ret->answer.reason = DNS_BLOCKED;
	ret->answer.reason_text = ret->text[0] != '\0' ? ret->text : NULL;
}

static void say_addresses(const struct net_address *ipv4, const struct net_address *ipv6, struct dns_said *ret)
{
	*ret = (struct dns_said){.addresses = {*ipv4}};
	ret->answer = (struct dns_answer){.addresses = ret->addresses, .address_count = 1, .ttl = DNS_NAMES_TTL};
	if (ipv6 != NULL)
		ret->addresses[ret->answer.address_count++] = *ipv6;
}

static void say_pointer(const struct dns_names *names, const struct dns_query *query, struct dns_said *ret)
{
	struct net_address address;
	struct str name = STR("");
	if (query->type == DNS_PTR && reverse_name_read((struct str){query->name, query->name_len}, &address))
		name = synthetic_name(names->egress->names, &address);
	say_absent(ret);
	if (name.len == 0)
		return;
	memcpy(ret->text, name.ptr, name.len);
	ret->answer = (struct dns_answer){.pointer = ret->text, .ttl = DNS_NAMES_TTL};
}

static void say_loopback(const struct dns_names *names, struct dns_said *ret)
{
	static const struct net_address ipv4 = {NET_IPV4, {127, 0, 0, 1}}, ipv6 = {NET_IPV6, {[15] = 1}};
	say_addresses(&ipv4, names->has_ipv6 ? &ipv6 : NULL, ret);
}

/* ---- denials ----------------------------------------------------------------------------------------------------- */

static void remember_denied(struct dns_names *names, const char *name, const char *why)
{
	struct denied *denied = &names->denied[names->next_denied];
	if (denied->name[0] != '\0')
		(void)map_remove(&names->denied_by_name, str_from(denied->name));
	denied->name[0] = '\0';
	if (map_find(&names->denied_by_name, str_from(name)) != NULL ||
	    map_put(&names->denied_by_name, str_from(name), denied, NULL) != BERM_OK)
		return;
	copy_cut(denied->name, sizeof(denied->name), name);
	copy_cut(denied->why, sizeof(denied->why), why);
	denied->until_ms = names->egress->loop.now_ms + DNS_NAMES_DENIED_MS;
	names->next_denied = (names->next_denied + 1) % DNS_NAMES_DENIED;
}

static const struct denied *find_denied(struct dns_names *names, struct str name)
{
	struct denied *denied = map_find(&names->denied_by_name, name);
	if (denied == NULL || names->egress->loop.now_ms < denied->until_ms)
		return denied;
	(void)map_remove(&names->denied_by_name, name);
	denied->name[0] = '\0';
	return NULL;
}

bool dns_names_know(struct dns_names *names, const struct dns_query *query, struct dns_said *ret_said)
{
	struct str name = {query->name, query->name_len};
	const struct denied *denied = NULL;
	if (query->code != DNS_NOERROR || !query->is_host)
		say_absent(ret_said); /* the query's code comes first */
	else if (reverse_name_is(name))
		say_pointer(names, query, ret_said);
	else if (str_eq(name, STR("localhost")) || str_ends(name, STR(".localhost")))
		say_loopback(names, ret_said);
	else if ((denied = find_denied(names, name)) != NULL)
		say_denied(denied->why, ret_said);
	else
		return false;
	return true;
}

/* ---- who asks ---------------------------------------------------------------------------------------------------- */

struct dns_asker *dns_asker_new(size_t size, const struct dns_query *query,
				void (*done)(struct dns_asker *asker, const struct dns_said *said))
{
	struct dns_asker *asker = calloc(1, size);
	if (asker == NULL)
		return NULL;
	asker->query = *query;
	asker->done = done;
	return asker;
}

/* ---- jobs -------------------------------------------------------------------------------------------------------- */

static struct dns_asker *pop_asker(struct job *job)
{
	struct dns_asker *asker = job->first;
	job->first = asker->next;
	if (job->first == NULL)
		job->end = &job->first;
	job->count--;
	job->names->waiting--;
	return asker;
}

static void drop_oldest(struct job *job)
{
	struct dns_asker *asker = pop_asker(job);
	asker->done(asker, NULL);
}

static void add_asker(struct job *job, struct dns_asker *asker)
{
	asker->next = NULL;
	*job->end = asker;
	job->end = &asker->next;
	job->count++;
	job->names->waiting++;
}

/* Nobody can join it any more. */
static void end_job(struct job *job)
{
	struct dns_names *names = job->names;
	(void)map_remove(&names->by_name, str_from(job->name));
	loop_remove(&job->limit);
	door_withdraw(names->egress->door, &job->deciding);
	if (job->upstream) {
		resolver_cancel(names->egress->resolver, &job->resolving);
		names->upstream--;
	}
	names->fresh -= job->fresh;
	job->upstream = job->fresh = false;
}

/* Tells everyone the same. */
static void finish(struct job *job, const struct dns_said *said)
{
	end_job(job);
	while (job->first != NULL) {
		struct dns_asker *asker = pop_asker(job);
		asker->done(asker, said);
	}
	free(job);
}

static void finish_fault(struct job *job)
{
	struct dns_said said;
	dns_names_fault(&said);
	finish(job, &said);
}

/* Other types than A and AAAA are NODATA by themselves: the answer has no address that fits. */
static void finish_found(struct job *job, bool has_ipv6)
{
	struct egress *egress = job->names->egress;
	struct net_address ipv4, ipv6;
	struct dns_said said;
	if (synthetic_bind(egress->names, str_from(job->name), egress->loop.now_ms, &ipv4, &ipv6, NULL) != BERM_OK) {
		finish_fault(job);
		return;
	}
	say_addresses(&ipv4, has_ipv6 && job->names->has_ipv6 ? &ipv6 : NULL, &said);
	finish(job, &said);
}

static bool has_family(const struct resolver_answer *answer, enum net_family family)
{
	for (size_t i = 0; i < answer->count; i++)
		if (answer->addresses[i].family == family)
			return true;
	return false;
}

static void resolved(struct resolver_wait *wait, const struct resolver_answer *answer)
{
	struct job *job = JOB_OF(wait, resolving);
	struct dns_said said;
	if (answer->outcome == RESOLVER_FOUND && answer->count > 0) {
		finish_found(job, has_family(answer, NET_IPV6));
		return;
	}
	if (answer->outcome == RESOLVER_FOUND)
		say_nothing(&said);
	else if (answer->outcome == RESOLVER_NO_NAME)
		say_absent(&said);
	else
		dns_names_fault(&said);
	finish(job, &said);
}

static void decided(struct door_wait *wait, const struct door_answer *answer)
{
	struct job *job = JOB_OF(wait, deciding);
	struct dns_names *names = job->names;
	struct dns_said said;
	if (answer->verdict != DOOR_ALLOW) {
		say_denied(answer->rule, &said);
		remember_denied(names, job->name, answer->rule);
		finish(job, &said);
		return;
	}
	if (answer->upstream_port != 0) { /* the proxy resolves names, and maybe nobody else can */
		finish_found(job, false);
		return;
	}
	if (names->upstream >= DNS_NAMES_UPSTREAM ||
	    resolver_find(names->egress->resolver, str_from(job->name), &job->resolving, resolved, NULL) != BERM_OK) {
		finish_fault(job);
		return;
	}
	job->upstream = true;
	names->upstream++;
}

static void limit_due(struct loop_source *source, uint32_t events)
{
	(void)events;
	finish_fault(JOB_OF(source, limit));
}

static enum berm_code ask_monitor(struct job *job, uint16_t type, struct berm_err *err)
{
	struct door_question question = {.kind = DOOR_DNS, .dns_type = type};
	memcpy(question.host, job->name, sizeof(job->name));
	return door_ask(job->names->egress->door, &question, STR(""), &job->deciding, decided, err);
}

static enum berm_code start_job(struct dns_names *names, const struct dns_query *query, struct job **ret_job,
				struct berm_err *err)
{
	bool fresh = !synthetic_has(names->egress->names, (struct str){query->name, query->name_len});
	if (fresh && names->fresh >= DNS_NAMES_FRESH)
		return err_set(err, BERM_ERR_LIMIT, "%d new names are being asked about", DNS_NAMES_FRESH);
	auto_free struct job *job = calloc(1, sizeof(*job));
	if (job == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	job->names = names;
	job->fresh = fresh;
	job->end = &job->first;
	memcpy(job->name, query->name, query->name_len);
	TRY(map_put(&names->by_name, str_from(job->name), job, err));
	enum berm_code code = ask_monitor(job, query->type, err);
	if (code != BERM_OK) {
		(void)map_remove(&names->by_name, str_from(job->name));
		return code;
	}
	loop_add_timer(&names->egress->loop, &job->limit, limit_due);
	loop_deadline(&job->limit, DNS_NAMES_HOLD_MS);
	names->fresh += fresh;
	*ret_job = take(job);
	return BERM_OK;
}

enum berm_code dns_names_ask(struct dns_names *names, struct dns_asker *asker, struct berm_err *err)
{
	struct job *job = map_find(&names->by_name, (struct str){asker->query.name, asker->query.name_len});
	if (names->waiting >= DNS_NAMES_WAITING)
		return err_set(err, BERM_ERR_LIMIT, "%d DNS queries wait", DNS_NAMES_WAITING);
	if (job == NULL)
		TRY(start_job(names, &asker->query, &job, err));
	if (job->count >= DNS_NAMES_ASKERS)
		drop_oldest(job);
	add_asker(job, asker);
	return BERM_OK;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

enum berm_code dns_names_new(struct egress *egress, bool has_ipv6, struct dns_names **ret_names, struct berm_err *err)
{
	struct dns_names *names = calloc(1, sizeof(*names));
	if (names == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	names->egress = egress;
	names->has_ipv6 = has_ipv6;
	map_init(&names->by_name, DNS_NAMES_MAX);
	map_init(&names->denied_by_name, DNS_NAMES_DENIED);
	*ret_names = names;
	return BERM_OK;
}

static struct job *any_job(const struct dns_names *names)
{
	size_t cursor = 0;
	struct str name;
	void *job = NULL;
	return map_next(&names->by_name, &cursor, &name, &job) ? job : NULL;
}

void dns_names_free(struct dns_names *names)
{
	if (names == NULL)
		return;
	for (struct job *job = any_job(names); job != NULL; job = any_job(names))
		finish(job, NULL);
	map_done(&names->by_name);
	map_done(&names->denied_by_name);
	free(names);
}
