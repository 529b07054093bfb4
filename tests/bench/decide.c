/* decide LINES KIND WAY COUNT: makes a policy of that many lines, and then COUNT decisions on questions of one kind: by the
 * index, or by a scan over all lines whose patterns were compiled before. Prints nanoseconds a decision, the bytes of the
 * index and the microseconds that it took to make. decide.py counts instructions of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/glob.h"
#include "policy/decide.h"
#include "policy/host_text.h"

enum { TEXT_MAX = 64, FORMS = 8 };

struct world {
	size_t count;
	struct policy_line *lines;
	struct policy_attr *attrs;
	struct policy_entry *entries;
	char (*texts)[TEXT_MAX];
	char (*requests)[TEXT_MAX];
	struct glob **globs, **paths; /* for the scan */
	struct host_net *nets;
	uint16_t *ports;
	struct policy policy;
	struct policy_index *index;
};

static void fail(const char *what)
{
	(void)fprintf(stderr, "decide: %s\n", what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* Lines of all forms, half of them with a wildcard. */
static void make_line(struct world *world, size_t i)
{
	static const char *const forms[FORMS] = {
		"host%zu.example.org", "*.zone%zu.example.org", "**.deep%zu.example.net", "10.%zu.0.0/16:5432",
		"api%zu.example.org",  "bad%zu.example.org",	"**.bad%zu.example.net",  "tool%zu push **"};
	struct policy_line *line = &world->lines[i];
	size_t form = i % FORMS;
	size_t number = form == 3 ? i / FORMS % 256 : i;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(world->texts[i], TEXT_MAX, forms[form], number);
#pragma GCC diagnostic pop
	*line = (struct policy_line){.key = form == 7	? KEY_COMMAND
					    : form >= 5 ? KEY_NET_DENY
							: KEY_NET_ALLOW,
				     .text = world->texts[i]};
	if (form == 4) {
		(void)snprintf(world->requests[i], TEXT_MAX, "GET /repos/r%zu/**", i);
		world->attrs[i] = (struct policy_attr){ATTR_HTTP, world->requests[i]};
	} else if (form == 7) {
		world->attrs[i] = (struct policy_attr){ATTR_DECISION, "ask"};
	}
	line->attrs = &world->attrs[i];
	line->attr_count = world->attrs[i].text != NULL;
	static const struct policy_doc doc = {.file = "bench"};
	world->entries[i] = (struct policy_entry){.doc = &doc, .line = line, .text = line->text};
}

/* For the scan: each line's pattern, as fast as it can be had. */
static void compile_line(struct world *world, size_t i)
{
	const char *text = world->texts[i];
	if (world->lines[i].key == KEY_COMMAND) {
		if (glob_new(GLOB_WORDS, str_from(text), &world->globs[i], NULL) != BERM_OK)
			fail("a pattern");
		return;
	}
	struct str host = host_text_split(text, &world->ports[i]);
	if (world->ports[i] == 0 && world->lines[i].key == KEY_NET_ALLOW)
		world->ports[i] = 443;
	if (!host_text_net(host, true, &world->nets[i]) && glob_new(GLOB_HOST, host, &world->globs[i], NULL) != BERM_OK)
		fail("a pattern");
	if (i % FORMS == 4 &&
	    glob_new(GLOB_URL, str_from(strchr(world->requests[i], '/')), &world->paths[i], NULL) != BERM_OK)
		fail("a path");
}

static void *array(size_t count, size_t size)
{
	void *items = calloc(count > 0 ? count : 1, size);
	if (items == NULL)
		fail("no memory");
	return items;
}

static void make(struct world *world, size_t count)
{
	world->count = count;
	world->lines = array(count, sizeof *world->lines);
	world->attrs = array(count, sizeof *world->attrs);
	world->entries = array(count, sizeof *world->entries);
	world->texts = array(count, sizeof *world->texts);
	world->requests = array(count, sizeof *world->requests);
	world->globs = array(count, sizeof(struct glob *));
	world->paths = array(count, sizeof(struct glob *));
	world->nets = array(count, sizeof *world->nets);
	world->ports = array(count, sizeof *world->ports);
	for (size_t i = 0; i < count; i++) {
		make_line(world, i);
		compile_line(world, i);
	}
	world->policy = (struct policy){.entries = world->entries, .count = count};
}

/* The first line that matches, denials before the others; that is less than the index has to tell. */
static const struct policy_entry *scan(const struct world *world, const struct policy_question *question)
{
	const struct policy_entry *found = NULL;
	struct str host = str_from(question->host);
	struct host_net address;
	bool is_address = question->op != POLICY_OP_RUN && host_text_net(host, false, &address);
	for (size_t i = 0; i < world->count; i++) {
		const struct policy_line *line = &world->lines[i];
		bool matches;
		if ((question->op == POLICY_OP_RUN) != (line->key == KEY_COMMAND) ||
		    (line->key != KEY_COMMAND && world->ports[i] != 0 && world->ports[i] != question->port))
			continue;
		if (line->key == KEY_COMMAND)
			matches = glob_match_words(world->globs[i], question->argv[0], question->argv + 1);
		else if (is_address || world->globs[i] == NULL)
			matches = is_address && world->globs[i] == NULL && host_text_in(&world->nets[i], &address);
		else
			matches = glob_match(world->globs[i], host, false);
		if (matches && question->op == POLICY_OP_HTTP && world->paths[i] != NULL)
			matches = glob_match(world->paths[i], str_from(question->target), false);
		if (matches && (found == NULL || line->key == KEY_NET_DENY))
			found = &world->entries[i];
	}
	return found;
}

struct kind {
	const char *name;
	struct policy_question question;
	const char *host; /* with the number of a line */
};

static const char *const command[] = {"tool4999", "push", "origin", "main", NULL};
static const struct kind kinds[] = {
	{"name", {.op = POLICY_OP_CONNECT, .port = 443}, "host%zu.example.org"},
	{"wildcard", {.op = POLICY_OP_CONNECT, .port = 443}, "a.b.c.deep%zu.example.net"},
	{"denied", {.op = POLICY_OP_CONNECT, .port = 443}, "www.bad%zu.example.net"},
	{"unknown", {.op = POLICY_OP_CONNECT, .port = 443}, "www.nothing%zu.example.com"},
	{"address", {.op = POLICY_OP_CONNECT, .port = 5432}, "10.%zu.1.2"},
	{"request",
	 {.op = POLICY_OP_HTTP, .port = 443, .method = "GET", .target = "/repos/r2500/issues/17/comments"},
	 "api%zu.example.org"},
	{"command", {.op = POLICY_OP_RUN, .argv = command}, NULL},
};

/* A question about a line in the middle. */
static struct policy_question question_of(const struct world *world, const char *name, char host[static TEXT_MAX])
{
	static const size_t forms[] = {0, 2, 6, 0, 3, 4, 7};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i].name, name) != 0)
			continue;
		struct policy_question question = kinds[i].question;
		size_t number = world->count / 2 / FORMS * FORMS + forms[i];
		question.program = question.op == POLICY_OP_RUN ? NULL : "/usr/bin/curl";
		if (kinds[i].host == NULL)
			return question;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void)snprintf(host, TEXT_MAX, kinds[i].host, forms[i] == 3 ? number / FORMS % 256 : number);
#pragma GCC diagnostic pop
		question.host = host;
		return question;
	}
	fail("no such kind");
	return (struct policy_question){0};
}

int main(int argc, char **argv)
{
	static struct world world;
	char host[TEXT_MAX];
	if (argc != 5)
		fail("usage: decide LINES KIND index|scan COUNT");
	make(&world, strtoul(argv[1], NULL, 10));
	uint64_t began = now_ns();
	if (policy_index_new(&world.policy, &world.index, NULL) != BERM_OK)
		fail("the index");
	uint64_t made = now_ns() - began;
	const struct policy_question question = question_of(&world, argv[2], host);
	const unsigned long count = strtoul(argv[4], NULL, 10);
	struct policy_verdict verdict = {0};
	const struct policy_entry *found = NULL;
	bool by_index = strcmp(argv[3], "index") == 0;
	policy_decide(world.index, &question, &verdict);
	if (verdict.by != scan(&world, &question))
		fail("the scan says something else");
	began = now_ns();
	for (unsigned long i = 0; i < count; i++) {
		if (by_index)
			policy_decide(world.index, &question, &verdict);
		else
			found = scan(&world, &question);
		__asm__ volatile("" : : "g"(found), "g"(&verdict) : "memory");
	}
	uint64_t took = now_ns() - began;
	(void)printf("%.1f %zu %.0f\n", (double)took / (double)(count > 0 ? count : 1), policy_index_size(world.index),
		     (double)made / 1000);
	return 0;
}
