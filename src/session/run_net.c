/* What @egress asks of a run, and what becomes of it: decisions, events, what is told at the end. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "format/dns.h"
#include "os/ev.h"
#include "sandbox/plan.h"
#include "session/net_judge.h"
#include "session/run_state.h"

enum { QUESTIONS_AT_ONCE = 256, AGAIN_MS = 1000, FINISH_MS = 500, QUIET_MS = 100 };

/* What is told of one question. */
struct telling {
	enum event_kind kind;
	const char *op;
	bool allowed;
	char object[RUN_NET_OBJECT]; /* "example.org:443" */
	const char *method, *target; /* of a request */
	char record[16];	     /* of a query */
	struct run_line line;
	char rule[320];
	const char *grant, *detail;
	uint64_t sent, received;
};

/* ---- telling ------------------------------------------------------------------------------------------------------ */

void run_net_object(const struct door_question *question, char ret_object[static RUN_NET_OBJECT])
{
	bool brackets = strchr(question->host, ':') != NULL;
	if (question->port == 0)
		(void)snprintf(ret_object, RUN_NET_OBJECT, "%s", question->host);
	else
		(void)snprintf(ret_object, RUN_NET_OBJECT, "%s%s%s:%u", brackets ? "[" : "", question->host,
			       brackets ? "]" : "", (unsigned)question->port);
}

/* The same again within a second is counted and told with the next one, as denials of files are. How often it was seen; 0: it
 * was told just now. */
static uint32_t times_seen(struct run_net *net, const struct telling *telling, int32_t pid)
{
	const int64_t now = ev_now_ms();
	struct run_net_seen *seen = NULL;
	for (size_t i = 0; i < ARRAY_LEN(net->seen) && seen == NULL; i++)
		if (net->seen[i].op == telling->op && net->seen[i].allowed == telling->allowed &&
		    net->seen[i].pid == pid && strcmp(net->seen[i].object, telling->object) == 0)
			seen = &net->seen[i];
	if (seen != NULL && now - seen->told_ms < AGAIN_MS) {
		seen->count++;
		return 0;
	}
	if (seen == NULL) {
		seen = &net->seen[net->seen_next];
		net->seen_next = (net->seen_next + 1) % ARRAY_LEN(net->seen);
		*seen = (struct run_net_seen){.op = telling->op, .allowed = telling->allowed, .pid = pid};
		memcpy(seen->object, telling->object, sizeof seen->object);
	}
	uint32_t count = seen->count + 1;
	seen->count = 0;
	seen->told_ms = now;
	return count;
}

__attribute__((noinline)) static void put_event(struct run *run, const struct telling *telling,
						const struct door_question *question, uint32_t count)
{
	struct event event = {
		.kind = telling->kind,
		.op = telling->op,
		.object = {.path = telling->object,
			   .record = telling->record,
			   .method = telling->method,
			   .target = telling->target},
		.task = {.pid = question->task.pid, .exe = question->task.exe},
		.decided = telling->sent == 0 && telling->received == 0,
		.verdict = telling->allowed ? BERM_VERDICT_ALLOW : BERM_VERDICT_DENY,
		.by = telling->line.by,
		.detail = telling->detail,
		.count = count,
		.sent = telling->sent,
		.received = telling->received,
	};
	if (telling->grant != NULL && !telling->allowed)
		(void)snprintf(event.grant, sizeof event.grant, "%s", telling->grant);
	journal_put(&run->journal, &event);
}

static void tell(struct run *run, const struct telling *telling, const struct door_question *question)
{
	uint32_t count = times_seen(&run->net, telling, question->task.pid);
	if (count == 0)
		return;
	put_event(run, telling, question, count);
	run->net.denied += !telling->allowed;
}

/* ---- decisions ---------------------------------------------------------------------------------------------------- */

static const struct policy_index *index_of(struct run *run)
{
	if (run->net.index == NULL && policy_index_new(run->policy, &run->net.index, NULL) != BERM_OK)
		return NULL;
	return run->net.index;
}

static struct door_answer answer_to(const struct run *run, const struct door_question *question)
{
	return (struct door_answer){
		.version = DOOR_VERSION,
		.kind = DOOR_ANSWER,
		.id = question->id,
		.generation = (uint32_t)run->journal.generation,
		.why = DOOR_BY_FAULT,
	};
}

static void set_texts(struct door_answer *answer, const struct telling *telling)
{
	(void)snprintf(answer->rule, sizeof answer->rule, "%.*s", (int)sizeof answer->rule - 1, telling->rule);
	if (telling->grant != NULL)
		(void)snprintf(answer->grant, sizeof answer->grant, "%.*s", (int)sizeof answer->grant - 1,
			       telling->grant);
}

/* Of what is asked about: what was let pass goes on, and nobody is asked again. */
static bool is_allowed(const struct run *run, const struct door_question *question,
		       const struct policy_verdict *verdict)
{
	bool recent = question->kind != DOOR_RECHECK;
	return verdict->answer == ANSWER_ALLOW ||
	       (verdict->answer == ANSWER_ASK && run_net_has_passed(run, question, recent));
}

static void set_rule(struct telling *telling, const struct policy_verdict *verdict)
{
	run_line_find(verdict->by, verdict->text, &telling->line);
	if (verdict->by != NULL && verdict->by->line->key == KEY_NET_DEFAULT)
		telling->line.by.text =
			verdict->answer == ANSWER_ASK ? "would be asked: no line names it" : "no line names it";
	telling->line.by.narrows = verdict->by != NULL && verdict->by->line->key == KEY_NET_DENY;
	(void)snprintf(telling->rule, sizeof telling->rule, "%s%s: %s",
		       verdict->answer == ANSWER_ASK ? "would be asked: " : "", verdict->rule, verdict->text);
	telling->grant = verdict->grant;
}

static const struct {
	enum event_kind kind;
	const char *op;
} tellings[] = {
	[DOOR_DNS] = {EVENT_DNS, "query"},	 [DOOR_CONNECT] = {EVENT_NET, "connect"},
	[DOOR_HTTP] = {EVENT_HTTP, "request"},	 [DOOR_ADDRESSES] = {EVENT_NET, "connect"},
	[DOOR_RECHECK] = {EVENT_NET, "connect"}, [DOOR_EVENT] = {EVENT_NET, "connect"},
	[DOOR_CLOSED] = {EVENT_NET, "close"},
};

static struct telling telling_of(const struct door_question *question, const char *target)
{
	struct telling telling = {.kind = tellings[question->kind].kind, .op = tellings[question->kind].op};
	run_net_object(question, telling.object);
	if (question->kind == DOOR_DNS)
		(void)dns_type_text(question->dns_type, telling.record);
	if (question->kind == DOOR_HTTP) {
		telling.method = question->method;
		telling.target = target;
	}
	return telling;
}

/* Names that are known are no event: the connections to them are. */
static bool is_told(const struct door_question *question, bool allowed)
{
	return !allowed || question->kind == DOOR_CONNECT || question->kind == DOOR_HTTP;
}

/* words: who decided it; NULL: the policy. */
static void decide(struct run *run, const struct door_question *question, const char *target, bool allowed,
		   const struct policy_verdict *verdict, const char *words)
{
	struct telling telling = telling_of(question, target);
	struct door_answer answer = answer_to(run, question);
	telling.allowed = allowed;
	telling.detail = words;
	if (verdict != NULL) {
		set_rule(&telling, verdict);
		answer.why = words != NULL ? DOOR_BY_PERSON : DOOR_BY_RULE;
		answer.http_rules = verdict->http_rules;
		set_texts(&answer, &telling);
	}
	answer.verdict = allowed ? DOOR_ALLOW : DOOR_DENY;
	if (is_told(question, allowed))
		tell(run, &telling, question);
	net_answer(run->net.net, &answer);
}

/* What the policy says; without memory for it nothing is allowed, which is answered here: false. */
static bool judge(struct run *run, const struct door_question *question, const char *target,
		  struct policy_verdict *ret_verdict)
{
	const struct policy_index *index = index_of(run);
	if (index != NULL)
		net_judge_question(index, question, target, ret_verdict);
	else
		decide(run, question, target, false, NULL, NULL);
	return index != NULL;
}

/* The policy may have changed while somebody was asked. */
static void take_approval(struct run *run, const struct door_question *question, const char *target, bool allowed,
			  const char *words)
{
	struct policy_verdict verdict;
	if (judge(run, question, target, &verdict))
		decide(run, question, target,
		       verdict.answer == ANSWER_ALLOW || (verdict.answer == ANSWER_ASK && allowed), &verdict, words);
}

static void take_decision(struct run *run, const struct door_question *question, const char *target)
{
	struct policy_verdict verdict;
	if (!judge(run, question, target, &verdict))
		return;
	bool allowed = is_allowed(run, question, &verdict);
	if (!allowed && verdict.answer == ANSWER_ASK && question->kind != DOOR_RECHECK)
		run_net_ask(run, question, target, verdict.text, take_approval);
	else
		decide(run, question, target, allowed, &verdict, NULL);
}

static void take_addresses(struct run *run, const struct door_question *question, const char *target)
{
	struct net_judged judged = {.allowed = 0};
	struct telling telling = telling_of(question, target);
	struct door_answer answer = answer_to(run, question);
	const struct policy_index *index = index_of(run);
	if (index != NULL) {
		net_judge_addresses(index, question, target, run_net_has_passed(run, question, true), &judged);
		answer.why = DOOR_BY_ADDRESS;
	}
	answer.allowed = judged.allowed;
	answer.verdict = judged.allowed != 0 ? DOOR_ALLOW : DOOR_DENY;
	run->net.open += judged.allowed != 0;
	if (judged.allowed == 0 && question->address_count > 0) {
		run_line_find(judged.by, judged.text, &telling.line);
		(void)snprintf(telling.rule, sizeof telling.rule, "%s", judged.text);
		telling.grant = judged.grant;
		set_texts(&answer, &telling);
		tell(run, &telling, question);
	}
	net_answer(run->net.net, &answer);
}

/* ---- what it tells ------------------------------------------------------------------------------------------------ */

static void take_refusal(struct run *run, const struct door_question *question, const char *text)
{
	struct telling telling = telling_of(question, NULL);
	telling.detail = text;
	telling.line.by.narrows = true; /* no line lifts it */
	(void)snprintf(telling.rule, sizeof telling.rule, "%.*s", (int)sizeof telling.rule - 1, text);
	tell(run, &telling, question);
}

static void take_close(struct run *run, const struct door_question *question, const char *text)
{
	struct telling telling = telling_of(question, NULL);
	(void)text;
	telling.allowed = true;
	telling.sent = question->sent;
	telling.received = question->received;
	run->net.open -= run->net.open > 0;
	put_event(run, &telling, question, 1);
}

static void take_withdrawal(struct run *run, const struct door_question *question, const char *text)
{
	(void)text;
	run_net_withdraw(run, question->id);
}

static void take_nothing(struct run *run, const struct door_question *question, const char *text)
{
	(void)run;
	(void)question;
	(void)text;
}

static void (*const takers[])(struct run *, const struct door_question *, const char *) = {
	[DOOR_NONE] = take_nothing,	   [DOOR_DNS] = take_decision,	      [DOOR_CONNECT] = take_decision,
	[DOOR_HTTP] = take_decision,	   [DOOR_ADDRESSES] = take_addresses, [DOOR_RECHECK] = take_decision,
	[DOOR_WITHDRAW] = take_withdrawal, [DOOR_EVENT] = take_refusal,	      [DOOR_CLOSED] = take_close,
};

static void put_died(struct run *run)
{
	char text[64], line[128];
	net_end_text(run->net.net, text, sizeof text);
	struct event event = {.kind = EVENT_ROLE, .op = "died", .role = "egress", .detail = text};
	journal_put(&run->journal, &event);
	(void)snprintf(line, sizeof line, "the network filter has %s: nothing can be reached any more", text);
	if (run->request.tell != NULL)
		run->request.tell(line);
}

void run_net_take(struct run *run)
{
	const struct door_question *question;
	const char *target;
	struct run_net *net = &run->net;
	for (int i = 0; i < QUESTIONS_AT_ONCE && net_next(net->net, &question, &target); i++)
		if (question->kind < ARRAY_LEN(takers))
			takers[question->kind](run, question, target);
	if (net_fd(net->net) >= 0 || net->died)
		return;
	net->died = true;
	put_died(run);
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

enum berm_code run_net_start(struct run *run, struct berm_err *err)
{
	if (run->plan->network != BERM_NET_FILTERED || run->net.net != NULL)
		return BERM_OK;
	return net_start(&run->net.net, err);
}

enum berm_code run_net_attach(struct run *run, struct berm_err *err)
{
	if (run->plan->network != BERM_NET_FILTERED)
		return BERM_OK;
	return net_attach(run->net.net, run->box, err);
}

/* What is sent by a program that ends at once is still on its way. Until nothing is open, or nothing happens any more. */
void run_net_finish(struct run *run)
{
	struct run_net *net = &run->net;
	const int64_t until = ev_now_ms() + FINISH_MS;
	struct pollfd polls = {.fd = net->net != NULL ? net_fd(net->net) : -1, .events = POLLIN};
	while (polls.fd >= 0 && net->open > 0 && ev_now_ms() < until && poll(&polls, 1, QUIET_MS) > 0) {
		run_net_take(run);
		polls.fd = net_fd(net->net);
	}
}

/* Where the ends are on the machine's loopback there is no DNS but over TCP, which libc has to be told. */
const char *const *run_net_environment(struct run *run, const char *const *also)
{
	size_t count = 0;
	if (run->plan->capture != PLAN_CAPTURE_HOST)
		return also;
	while (also != NULL && also[count] != NULL)
		count++;
	free(run->net.also);
	run->net.also = calloc(count + 2, sizeof(*run->net.also));
	if (run->net.also == NULL)
		return also;
	for (size_t i = 0; i < count; i++)
		run->net.also[i] = also[i];
	run->net.also[count] = "RES_OPTIONS=use-vc";
	return run->net.also;
}

void run_net_reloaded(struct run *run)
{
	policy_index_free(take(run->net.index));
	if (run->net.net == NULL || net_fd(run->net.net) < 0)
		return;
	const struct door_answer reloaded = {
		.version = DOOR_VERSION,
		.kind = DOOR_RELOADED,
		.generation = (uint32_t)run->journal.generation,
		.close_denied = 1,
	};
	net_answer(run->net.net, &reloaded);
}

void run_net_done(struct run *run)
{
	net_free(take(run->net.net));
	policy_index_free(take(run->net.index));
	free(take(run->net.also));
}
