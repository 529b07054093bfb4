/*
 * Hosts that a line asks about. A name is asked about once, when it is looked up: the person is shown the host, and what follows
 * from the answer (the other family, the connection, its requests) is not asked again for a while. An address that is
 * connected to as such is asked about with its port.
 */
#include "session/run_state.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/own.h"

enum { PASSED_S = 60, WORDS_SIZE = 512 };

struct net_asked {
	struct run *run;
	struct door_question question;
	char *target;
	run_net_answered done;
	uint64_t id; /* of the engine; 0: it is answered within the call */
	struct net_asked *next;
};

static int64_t now_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool run_net_has_passed(const struct run *run, const char *host, bool recent)
{
	for (size_t i = 0; i < RUN_NET_PASSED; i++)
		if (strcmp(run->net.passed[i].host, host) == 0 && host[0] != '\0')
			return !recent || now_ns() < run->net.passed[i].until_ns;
	return false;
}

static void note_passed(struct run *run, const char *host)
{
	struct run_net_passed *passed = NULL;
	for (size_t i = 0; i < RUN_NET_PASSED && passed == NULL; i++)
		if (strcmp(run->net.passed[i].host, host) == 0)
			passed = &run->net.passed[i];
	if (passed == NULL) {
		passed = &run->net.passed[run->net.passed_next];
		run->net.passed_next = (run->net.passed_next + 1) % RUN_NET_PASSED;
	}
	(void)snprintf(passed->host, sizeof passed->host, "%s", host);
	passed->until_ns = now_ns() + (int64_t)PASSED_S * 1000000000;
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
		note_passed(run, asked->question.host);
	forget(run, asked);
	asked->done(run, &asked->question, asked->target, allowed, nobody ? NULL : words);
	asked_free(asked);
}

static void begin(struct net_asked *asked, const char *rule)
{
	const struct door_question *question = &asked->question;
	struct host host;
	char object[HOST_NAME_MAX + 16];
	bool name = host_read(str_from(question->host), false, &host, NULL) && host.kind == HOST_NAME;
	bool brackets = strchr(question->host, ':') != NULL;
	if (name)
		(void)snprintf(object, sizeof object, "%s", question->host);
	else
		(void)snprintf(object, sizeof object, "%s%s%s:%u", brackets ? "[" : "", question->host,
			       brackets ? "]" : "", (unsigned)question->port);
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
