/*
 * ask -> (wait, if the rate says so) -> resolve -> ask for the addresses -> dial -> (tunnel, through a proxy). One step waits
 * at a time; a deadline for all of them together begins with the answer, since before it a person may be asked.
 */
#include "egress/reach.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "egress/dial.h"
#include "egress/tunnel.h"

enum {
	REQUEST_MAX = 2048,
	RATE_WAIT_MAX_MS = 10000, /* what would have to wait for longer is refused: its client would not */
};

struct reach_job {
	struct reach *reach;
	struct egress *egress;
	struct door_question question;
	char *text;
	size_t text_len;
	bool decide_only;
	struct net_address there;
	struct door_answer answer;
	bool answered;
	struct loop_source limit;
	struct loop_source pause;
	struct door_wait wait;
	struct resolver_wait resolving;
	struct dial dial;
	struct tunnel tunnel;
	int fd;
	struct net_address dialled;
	size_t count;
	struct net_address addresses[DOOR_ADDRESSES_MAX];
};

#define JOB_OF(pointer, member) ((struct reach_job *)(void *)((char *)(pointer)-offsetof(struct reach_job, member)))

static void free_job(struct reach_job *job)
{
	struct egress *egress = job->egress;
	loop_remove(&job->limit);
	loop_remove(&job->pause);
	door_withdraw(egress->door, &job->wait);
	if (job->resolving.job != NULL)
		resolver_cancel(egress->resolver, &job->resolving);
	dial_cancel(&job->dial);
	tunnel_cancel(&job->tunnel);
	own_close(&job->fd);
	free(job->text);
	free(job);
}

/* The owner may go, or reach again, in its callback. */
static void finish(struct reach_job *job, enum reach_outcome outcome, const char *why)
{
	struct reach *reach = job->reach;
	struct reach_result result = {.outcome = outcome, .fd = take_fd(&job->fd), .address = job->dialled, .why = why};
	result.answer = job->answered ? &job->answer : NULL;
	reach->job = NULL;
	reach->connection = job->question.connection;
	reach->done(reach, &result);
	free_job(job);
}

static void limit_due(struct loop_source *source, uint32_t events)
{
	(void)events;
	finish(JOB_OF(source, limit), REACH_TIMEOUT, "the host did not answer in time");
}

static bool by_proxy(const struct reach_job *job)
{
	return job->answer.upstream_port != 0;
}

/* ---- dialling ------------------------------------------------------------------------------------------------------ */

static void tunnel_over(struct tunnel *tunnel, enum tunnel_outcome outcome)
{
	struct reach_job *job = JOB_OF(tunnel, tunnel);
	if (outcome == TUNNEL_DONE) {
		finish(job, REACH_DONE, "");
		return;
	}
	own_close(&job->fd);
	job->fd = -1;
	finish(job, REACH_REFUSED,
	       outcome == TUNNEL_REFUSED ? "the upstream proxy refused" : "the upstream proxy gave no proper answer");
}

static enum berm_code begin_tunnel(struct reach_job *job, struct berm_err *err)
{
	auto_buf struct buf request;
	buf_init(&request, REQUEST_MAX);
	TRY(tunnel_print(job->question.host, job->question.port, job->answer.upstream_login, &request, err));
	return tunnel_start(&job->tunnel, &job->egress->loop, job->fd, buf_str(&request), tunnel_over, err);
}

static void dialled(struct dial *dial, const struct dial_result *result)
{
	static const struct {
		enum reach_outcome outcome;
		const char *why;
	} failures[] = {
		[DIAL_FAULT] = {REACH_FAULT, "no descriptor was free"},
		[DIAL_DONE] = {REACH_DONE, ""},
		[DIAL_REFUSED] = {REACH_REFUSED, "the host refused the connection, or cannot be reached"},
		[DIAL_TIMEOUT] = {REACH_TIMEOUT, "the host did not answer in time"},
	};
	struct reach_job *job = JOB_OF(dial, dial);
	job->fd = result->fd;
	job->dialled = result->address;
	bool tunnelled = result->outcome == DIAL_DONE && by_proxy(job) && job->question.kind == DOOR_CONNECT;
	if (!tunnelled)
		finish(job, failures[result->outcome].outcome, failures[result->outcome].why);
	else if (begin_tunnel(job, NULL) != BERM_OK) {
		own_close(&job->fd);
		job->fd = -1;
		finish(job, REACH_FAULT, "no way through the upstream proxy");
	}
}

static void begin_dial(struct reach_job *job)
{
	struct dial_plan plan = {
		.addresses = job->addresses,
		.count = job->count,
		.port = by_proxy(job) ? job->answer.upstream_port : job->question.port,
		.limit_ms = job->egress->limits.connect_ms,
	};
	if (dial_start(&job->dial, &job->egress->loop, &plan, dialled, NULL) != BERM_OK)
		finish(job, REACH_FAULT, "out of memory");
}

/* ---- addresses ----------------------------------------------------------------------------------------------------- */

static void keep_allowed(struct reach_job *job, unsigned allowed)
{
	size_t kept = 0;
	for (size_t i = 0; i < job->count; i++) {
		if ((allowed >> i & 1U) != 0)
			job->addresses[kept++] = job->addresses[i];
	}
	job->count = kept;
}

static void addresses_judged(struct door_wait *wait, const struct door_answer *answer)
{
	struct reach_job *job = JOB_OF(wait, wait);
	unsigned allowed = answer->verdict == DOOR_ALLOW ? answer->allowed : 0;
	keep_allowed(job, allowed);
	if (job->count > 0 && job->decide_only) {
		finish(job, REACH_ALLOWED, "");
		return;
	}
	if (job->count > 0) {
		begin_dial(job);
		return;
	}
	job->answer = *answer;
	job->answer.why = answer->verdict == DOOR_ALLOW ? DOOR_BY_ADDRESS : answer->why;
	finish(job, REACH_DENIED, "none of the host's addresses may be connected to");
}

static void ask_addresses(struct reach_job *job)
{
	struct door_question question = job->question;
	question.kind = DOOR_ADDRESSES;
	question.address_count = (uint8_t)job->count;
	memcpy(question.addresses, job->addresses, job->count * sizeof(job->addresses[0]));
	if (door_ask(job->egress->door, &question, (struct str){job->text, job->text_len}, &job->wait, addresses_judged,
		     NULL) != BERM_OK)
		finish(job, REACH_FAULT, "too many questions wait");
}

static void judge_addresses(struct reach_job *job)
{
	if (by_proxy(job)) /* the user's own, which was not asked for by any program */
		begin_dial(job);
	else
		ask_addresses(job);
}

static void resolved(struct resolver_wait *wait, const struct resolver_answer *answer)
{
	static const enum reach_outcome failures[] = {
		[RESOLVER_FAILED] = REACH_REFUSED,
		[RESOLVER_FOUND] = REACH_NO_NAME,
		[RESOLVER_NO_NAME] = REACH_NO_NAME,
		[RESOLVER_TIMEOUT] = REACH_TIMEOUT,
	};
	struct reach_job *job = JOB_OF(wait, resolving);
	if (answer->outcome != RESOLVER_FOUND || answer->count == 0) {
		finish(job, failures[answer->outcome], answer->why != NULL ? answer->why : "the name has no address");
		return;
	}
	job->count = answer->count < DOOR_ADDRESSES_MAX ? answer->count : DOOR_ADDRESSES_MAX;
	memcpy(job->addresses, answer->addresses, job->count * sizeof(job->addresses[0]));
	judge_addresses(job);
}

static void resolve(struct reach_job *job)
{
	struct str name = str_from(by_proxy(job) ? job->answer.upstream_host : job->question.host);
	if (address_parse(name, &job->addresses[0])) {
		job->count = 1;
		judge_addresses(job);
		return;
	}
	if (resolver_find(job->egress->resolver, name, &job->resolving, resolved, NULL) != BERM_OK)
		finish(job, REACH_FAULT, "too many names are being looked up");
}

/* ---- the question -------------------------------------------------------------------------------------------------- */

static void go_on(struct reach_job *job)
{
	if (job->decide_only && job->there.family == NET_NONE) {
		finish(job, REACH_ALLOWED, "");
		return;
	}
	loop_deadline(&job->limit, job->egress->limits.connect_ms);
	if (job->decide_only) {
		job->addresses[0] = job->there;
		job->count = 1;
		ask_addresses(job);
		return;
	}
	resolve(job);
}

static void pause_over(struct loop_source *source, uint32_t events)
{
	(void)events;
	go_on(JOB_OF(source, pause));
}

static void answered(struct door_wait *wait, const struct door_answer *answer)
{
	struct reach_job *job = JOB_OF(wait, wait);
	job->answer = *answer;
	job->answered = true;
	if (answer->verdict != DOOR_ALLOW) {
		finish(job, REACH_DENIED, "denied");
		return;
	}
	if (answer->wait_ms > RATE_WAIT_MAX_MS) {
		job->answer.why = DOOR_BY_RATE;
		finish(job, REACH_DENIED, "the rate of the rule is used up");
		return;
	}
	if (answer->wait_ms > 0)
		loop_deadline(&job->pause, answer->wait_ms);
	else
		go_on(job);
}

enum berm_code reach_start(struct reach *reach, struct egress *egress, const struct reach_ask *ask, reach_done done,
			   struct berm_err *err)
{
	auto_free struct reach_job *job = calloc(1, sizeof(*job));
	auto_free char *text = str_dup(ask->text);
	if (job == NULL || text == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	job->reach = reach;
	job->egress = egress;
	job->question = *ask->question;
	job->decide_only = ask->decide_only;
	job->there = ask->there;
	job->fd = -1;
	TRY(door_ask(egress->door, &job->question, ask->text, &job->wait, answered, err));
	job->question.connection = job->question.id;
	job->text_len = ask->text.len;
	job->text = take(text);
	loop_add_timer(&egress->loop, &job->limit, limit_due);
	loop_add_timer(&egress->loop, &job->pause, pause_over);
	*reach = (struct reach){.job = take(job), .done = done};
	return BERM_OK;
}

void reach_cancel(struct reach *reach)
{
	if (reach->job != NULL)
		free_job(take(reach->job));
}

uint64_t reach_connection(const struct reach *reach)
{
	return reach->connection;
}
