/*
 * Hosts that a line asks about. A name is asked about once, when it is looked up: the person is shown the host, and what follows
 * from the answer (the other family, the connection, its requests) is not asked again for a while. An address that is
 * connected to as such is asked about with its port.
 */
#include "session/run_state.h"

#include <string.h>

#include "base/own.h"
#include "os/ev.h"

enum { PASSED_MS = 60000, WORDS_SIZE = 512 };

struct net_asked {
	struct run *run;
	struct door_question question;
	char *target;
	run_net_answered done;
	uint64_t id; /* of the engine; 0: it is answered within the call */
	struct net_asked *next;
};

/* A name by itself, for its port is not known when it is looked up. */
static void put_object(const struct door_question *question, char ret_object[static RUN_NET_OBJECT])
{
	struct host host;
	struct door_question whole = {.port = question->port};
	memcpy(whole.host, question->host, sizeof whole.host);
	if (host_read(str_from(question->host), false, &host, NULL) && host.kind == HOST_NAME)
		whole.port = 0;
	run_net_object(&whole, ret_object);
}

static const struct run_net_passed *find_passed(const struct run *run, const char *object)
{
	for (size_t i = 0; i < RUN_NET_PASSED; i++)
		if (strcmp(run->net.passed[i].object, object) == 0)
			return &run->net.passed[i];
	return NULL;
}

bool run_net_has_passed(const struct run *run, const struct door_question *question, bool recent)
{
	char object[RUN_NET_OBJECT];
	put_object(question, object);
	const struct run_net_passed *passed = object[0] != '\0' ? find_passed(run, object) : NULL;
	return passed != NULL && (!recent || ev_now_ms() < passed->until_ms);
}

static void note_passed(struct run *run, const struct door_question *question)
{
	char object[RUN_NET_OBJECT];
	put_object(question, object);
	const struct run_net_passed *known = find_passed(run, object);
	size_t at = known != NULL ? (size_t)(known - run->net.passed) : run->net.passed_next;
	if (known == NULL)
		run->net.passed_next = (at + 1) % RUN_NET_PASSED;
	struct run_net_passed *passed = &run->net.passed[at];
	memcpy(passed->object, object, sizeof passed->object);
	passed->until_ms = ev_now_ms() + PASSED_MS;
}

static void forget(struct run *run, const struct net_asked *asked)
{
	struct net_asked **at = &run->net.asked;
	while (*at != NULL && *at != asked)
		at = &(*at)->next;
	if (*at != NULL)
		*at = asked->next;
}

static void asked_free(struct net_asked *asked)
{
	free(asked->target);
	free(asked);
}

static void take_answer(void *ctx, const struct approval_answer *answer)
{
	struct net_asked *asked = ctx;
	struct run *run = asked->run;
	char words[WORDS_SIZE];
	bool nobody = strcmp(answer->by, "berm") == 0;
	bool allowed = answer->verdict == BERM_VERDICT_ALLOW;
	run_ask_words(answer, words, sizeof words);
	if (allowed)
		note_passed(run, &asked->question);
	forget(run, asked);
	asked->done(run, &asked->question, asked->target, allowed, nobody ? NULL : words);
	asked_free(asked);
}

static void begin(struct net_asked *asked, const char *rule)
{
	const struct door_question *question = &asked->question;
	char object[RUN_NET_OBJECT];
	put_object(question, object);
	const struct approval_question asks = {
		.kind = APPROVAL_NET,
		.op = "connect",
		.object = object,
		.exe = question->task.exe,
		.pid = question->task.pid,
		.host = question->host,
		.port = question->port,
		.rule = rule,
	};
	struct run *run = asked->run;
	uint64_t id = approvals_ask(run->approvals, &asks, take_answer, asked);
	if (id != 0) /* else it is answered, and gone */
		asked->id = id;
}

void run_net_ask(struct run *run, const struct door_question *question, const char *target, const char *rule,
		 run_net_answered done)
{
	struct net_asked *asked = calloc(1, sizeof *asked);
	char *copy = strdup(target != NULL ? target : "");
	if (asked == NULL || copy == NULL || run->approvals == NULL) { /* at the end nobody is asked any more */
		free(asked);
		free(copy);
		done(run, question, target, false, NULL);
		return;
	}
	*asked = (struct net_asked){
		.run = run, .question = *question, .target = copy, .done = done, .next = run->net.asked};
	run->net.asked = asked;
	begin(asked, rule);
}

void run_net_withdraw(struct run *run, uint64_t id)
{
	struct net_asked *asked = run->net.asked;
	while (asked != NULL && asked->question.id != id)
		asked = asked->next;
	if (asked == NULL)
		return;
	approvals_withdraw(run->approvals, asked->id);
	forget(run, asked);
	asked_free(asked);
}
