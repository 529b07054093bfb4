/* resolve KIND ROUNDS: what it takes to load, merge and resolve a policy, in microseconds, the best and the middle of the
 * rounds, each of them from text: "default": a file that says nothing, with the default profile; "lines": 5,000 lines of a
 * person's, grants and denials; "files": 5,000 grants that lie apart; "globs": 750 denied patterns and 1,500 grants; "trees": 2,500 of
 * both, where each could match in each. Nothing
 * of the machine is looked at. resolve.py counts instructions of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "policy/builtin.h"
#include "policy/load.h"
#include "policy/resolve.h"
#include "sandbox/caps.h"

enum { TEXT_MAX = 4 * 1024 * 1024, ROUNDS_MAX = 1000 };

static void fail(const char *what)
{
	(void)fprintf(stderr, "resolve: %s\n", what);
	exit(1);
}

static double now_us(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static const struct policy_doc *find(void *context, enum policy_doc_kind kind, const char *name,
				     struct problems *problems)
{
	(void)context;
	(void)problems;
	return builtin_find(kind, name);
}

static const char *name_at(void *context, enum policy_doc_kind kind, size_t index)
{
	(void)context;
	return kind == POLICY_DOC_GROUP && index < builtin_group_count ? builtin_groups[index].name : NULL;
}

static void put_default(struct buf *out)
{
	buf_puts(out, "berm: 1\n");
}

static void put_lines(struct buf *out)
{
	buf_puts(out, "filesystem:\n  read:\n");
	for (int i = 0; i < 2000; i++)
		buf_printf(out, "    - /srv/d%d/f%d\n", i % 50, i);
	buf_puts(out, "  write:\n");
	for (int i = 0; i < 1500; i++)
		buf_printf(out, "    - ./p%d/out\n", i);
	buf_puts(out, "  deny:\n");
	for (int i = 0; i < 1000; i++)
		buf_printf(out, "    - ./p%d/out/secret\n", i);
	for (int i = 0; i < 400; i++)
		buf_printf(out, "    - \"./p%d/**/key%d.pem\"\n", i, i);
	for (int i = 0; i < 100; i++)
		buf_printf(out, "    - \"**/token%d\"\n", i);
}

static void put_files(struct buf *out)
{
	buf_puts(out, "filesystem:\n  read:\n");
	for (int i = 0; i < 5000; i++)
		buf_printf(out, "    - /srv/d%d/f%d\n", i % 50, i);
}

static void put_globs(struct buf *out)
{
	buf_puts(out, "filesystem:\n  read:\n");
	for (int i = 0; i < 1500; i++)
		buf_printf(out, "    - /srv/d%d/f%d\n", i % 50, i);
	buf_puts(out, "  deny:\n");
	for (int i = 0; i < 750; i++)
		buf_printf(out, "    - \"/srv/*/x%d\"\n", i);
}

static void put_trees(struct buf *out)
{
	buf_puts(out, "filesystem:\n  read:\n");
	for (int i = 0; i < 2500; i++)
		buf_printf(out, "    - /srv/d%d\n", i);
	buf_puts(out, "  deny:\n");
	for (int i = 0; i < 2500; i++)
		buf_printf(out, "    - \"/srv/*/x%d\"\n", i);
}

static const struct {
	const char *name;
	void (*put)(struct buf *out);
} kinds[] = {{"default", put_default},
	     {"lines", put_lines},
	     {"files", put_files},
	     {"globs", put_globs},
	     {"trees", put_trees}};

static void once(struct str text)
{
	static struct problems problems;
	struct arena arena;
	struct berm_err err = {0};
	const struct policy_doc *doc;
	struct policy *policy = NULL;
	struct berm_caps *caps = NULL;
	struct policy_input input = {
		.home = "/home/u", .workspace = "/home/u/w", .cwd = "/home/u/w", .os = "linux", .arch = "x86_64"};
	problems = (struct problems){0};
	arena_init(&arena, 64U * 1024 * 1024);
	if (policy_load(&arena, (struct policy_from){POLICY_DOC_FILE, "policy.yaml"}, text, &doc, &problems, &err) !=
	    BERM_OK)
		fail(err.msg);
	const struct policy_layers layers = {
		.user = (const struct policy_doc *const[]){doc, NULL},
		.profiles = (const struct policy_doc *const[]){builtin_find(POLICY_DOC_PROFILE, "default"), NULL},
		.finder = {NULL, find, name_at}};
	if (policy_make(&layers, &input, &policy, &problems, &err) != BERM_OK)
		fail(err.msg);
	input.policy = policy;
	if (policy_caps(&input, &caps, NULL, &problems, &err) != BERM_OK)
		fail(problems.count > 0 ? problems.items[0].text : err.msg);
	berm_caps_free(caps);
	policy_free(policy);
	arena_done(&arena);
}

static int compare(const void *left, const void *right)
{
	const double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
	static double took[ROUNDS_MAX];
	struct buf text;
	size_t kind = 0, rounds = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	if (rounds == 0 || rounds > ROUNDS_MAX)
		fail("usage: resolve default|lines|files|globs|trees ROUNDS");
	while (kind < sizeof kinds / sizeof *kinds && strcmp(kinds[kind].name, argv[1]) != 0)
		kind++;
	if (kind == sizeof kinds / sizeof *kinds)
		fail("no such kind");
	buf_init(&text, TEXT_MAX);
	kinds[kind].put(&text);
	for (size_t i = 0; i < rounds; i++) {
		double began = now_us();
		once(buf_str(&text));
		took[i] = now_us() - began;
	}
	qsort(took, rounds, sizeof *took, compare);
	(void)printf("%.0f %.0f\n", took[0], took[rounds / 2]);
	buf_done(&text);
	return 0;
}
