/* Random grants and denials in a small world, held against what the lines say one by one: what a line denies is never
 * open, and nothing else is closed. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/glob.h"
#include "base/own.h"
#include "format/path.h"
#include "policy/resolve.h"
#include "sandbox/caps.h"

/* MANY: so many patterns that they are looked for together. */
enum { ROUNDS = 4000, LINES = 52, FEW = 12, MANY = 40 };

static const char *const places[] = {
	"/srv",		 "/srv/a",	 "/srv/a/x",  "/srv/b",	     "/home",	      "/home/u",
	"/home/u/a",	 "/home/u/a/x",	 "/home/u/b", "/home/u/b/x", "/home/u/b/x/y", "/home/v",
	"/home/u/a/b/x", "/home/u/.ssh", "/data/u",   "/data/u/a",   "/data/u/a/x",   "/data",
};
static const char *const patterns[] = {"/srv/*/x", "**/x", "/home/u/{a,b}/x", "/home/u/*", "**/y", "/srv/**/x"};

/* Those that are looked for in a tree, if there are many. */
static const char *const paths[] = {"/srv/*/x",	 "/home/u/{a,b}/x", "/home/u/*",     "/srv/**/x",
				    "/srv/[ab]", "/home/*/a/**/x",  "/home/u/b/*/y", "/h*/u/?"};

struct world {
	struct policy_line lines[LINES];
	struct policy_attr excepts[LINES];
	size_t count;
	struct policy_doc doc;
	const struct policy_doc *profiles[2];
	struct policy *policy;
	struct berm_caps *caps;
};

static void world_done(struct world *world)
{
	berm_caps_free(world->caps);
	policy_free(world->policy);
}
#define auto_world __attribute__((cleanup(world_done))) struct world

static const char *pick(const char *const *list, size_t count)
{
	return list[(size_t)rand() % count];
}

static void fill(struct world *world)
{
	static const enum policy_key grants[] = {KEY_READ, KEY_EXEC, KEY_WRITE};
	bool many = rand() % 4 == 0;
	size_t from = (size_t)rand() % ARRAY_LEN(paths);
	world->count = many ? LINES : 2 + (size_t)rand() % (FEW - 2);
	for (size_t i = 0; i < world->count; i++) {
		struct policy_line *line = &world->lines[i];
		bool pattern = many && i >= LINES - MANY, deny = pattern || (i > 0 && i <= FEW && rand() % 2 == 0);
		pattern |= deny && rand() % 4 == 0;
		*line = (struct policy_line){.key = deny ? KEY_DENY : grants[rand() % 3], .line = (uint32_t)i + 1};
		line->text = pattern ? pick(patterns, ARRAY_LEN(patterns)) : pick(places, ARRAY_LEN(places));
		if (many && pattern && i > FEW)
			line->text = paths[(from + (size_t)rand() % 2) % ARRAY_LEN(paths)];
		world->excepts[i] = (struct policy_attr){ATTR_EXCEPT, pick(places, ARRAY_LEN(places))};
		if (deny && rand() % 3 == 0) {
			line->attrs = &world->excepts[i];
			line->attr_count = 1;
		}
	}
}

static const struct policy_doc *no_doc(void *context, enum policy_doc_kind kind, const char *name,
				       struct problems *problems)
{
	(void)context;
	(void)kind;
	(void)name;
	(void)problems;
	return NULL;
}

static const char *no_name(void *context, enum policy_doc_kind kind, size_t index)
{
	(void)context;
	(void)kind;
	(void)index;
	return NULL;
}

/* False: a line that a person wrote grants what another closes. */
static bool resolve_world(struct world *world, bool shipped)
{
	static const struct policy_line nothing = {.key = KEY_EXTENDS, .text = ""};
	struct policy_line lines[LINES + 1];
	memcpy(lines, world->lines, sizeof world->lines);
	lines[world->count] = nothing;
	world->doc = (struct policy_doc){.kind = POLICY_DOC_PROFILE,
					 .file = "random.yaml",
					 .name = "random",
					 .shipped = shipped,
					 .lines = lines,
					 .line_count = (uint32_t)world->count + 1};
	world->profiles[0] = &world->doc;
	const struct policy_layers layers = {.profiles = world->profiles, .finder = {NULL, no_doc, no_name}};
	struct policy_input input = {.cwd = "/", .home = "/home/u", .real_home = "/data/u", .look = true};
	struct berm_err err;
	struct problems problems = {.count = 0};
	enum berm_code code = policy_make(&layers, &input, &world->policy, &problems, &err);
	if (code != BERM_OK && (shipped || code != BERM_ERR_PARSE))
		fail_msg("%s", err.msg);
	if (code != BERM_OK)
		return false;
	input.policy = world->policy;
	code = policy_caps(&input, &world->caps, NULL, NULL, &err);
	if (code != BERM_OK && (shipped || code != BERM_ERR_INVALID))
		fail_msg("%s", err.msg);
	return code == BERM_OK;
}

/* ---- what the lines say ------------------------------------------------------------------------------------------ */

/* Does the pattern match the path, or a folder around it? */
static bool is_met(const char *pattern, const char *path)
{
	struct glob *glob;
	assert_int_equal(glob_new(GLOB_PATH, str_from(pattern), &glob, NULL), BERM_OK);
	struct str at = str_from(path);
	bool met = glob_match(glob, at, false);
	for (; !met && at.len > 1; met = glob_match(glob, at, false)) {
		at = path_parent(at);
		if (at.len == 0)
			break;
	}
	glob_free(glob);
	return met;
}

static bool denied_by_lines(const struct world *world, const char *path, bool excepts)
{
	for (size_t i = 0; i < world->count; i++) {
		const struct policy_line *line = &world->lines[i];
		if (line->key != KEY_DENY || !is_met(line->text, path))
			continue;
		if (!excepts || line->attr_count == 0 || !is_met(line->attrs[0].text, path))
			return true;
	}
	return false;
}

/* ---- what the capabilities say ----------------------------------------------------------------------------------- */

static const struct cap_line *line_at(const struct world *world, size_t index)
{
	return (const struct cap_line *)world->caps->lines.items + index;
}

static bool granted(const struct world *world, const char *path)
{
	for (size_t i = 0; i < world->caps->lines.len; i++) {
		const struct cap_line *line = line_at(world, i);
		if (line->kind == CAP_GRANT && path_is_in(str_from(path), line->path))
			return true;
	}
	return false;
}

static bool denied(const struct world *world, const char *path)
{
	for (size_t i = 0; i < world->caps->lines.len; i++) {
		const struct cap_line *line = line_at(world, i);
		bool held = false;
		if (line->kind == CAP_NARROW && line->rights == BERM_DENY)
			held = path_is_in(str_from(path), line->path);
		else if (line->kind == CAP_RULE && line->rule->right == BERM_DENY)
			held = is_met(line->rule->pattern.ptr, path) &&
			       (line->rule->except_text == NULL || !is_met(line->rule->except_text, path));
		if (held)
			return true;
	}
	return false;
}

static bool granted_by_lines(const struct world *world, const char *path)
{
	for (size_t i = 0; i < world->count; i++)
		if (world->lines[i].key != KEY_DENY && path_is_in(str_from(path), str_from(world->lines[i].text)))
			return true;
	return false;
}

/* Is it a folder that a shipped line grants reading of, for what is excepted in it? Its own names can be listed. */
static bool is_for_exceptions(const struct world *world, const char *path, const char *other)
{
	bool granted_here = false, excepts = false;
	for (size_t i = 0; i < world->count; i++) {
		const struct policy_line *line = &world->lines[i];
		bool here = strcmp(line->text, path) == 0 || strcmp(line->text, other) == 0;
		granted_here |= here && (line->key == KEY_READ || line->key == KEY_EXEC);
		excepts |= here && line->key == KEY_DENY && line->attr_count > 0;
	}
	return granted_here && excepts;
}

static bool is_changed(const struct world *world, const char *path)
{
	for (size_t i = 0; i < world->caps->lines.len; i++) {
		const struct cap_line *line = line_at(world, i);
		if (line->kind == CAP_GRANT && (line->rights & BERM_WRITE) != 0 &&
		    path_is_in(str_from(path), line->path))
			return true;
	}
	return false;
}

static void fail_in(const struct world *world, const char *path, const char *word)
{
	for (size_t i = 0; i < world->count; i++) {
		const struct policy_line *line = &world->lines[i];
		print_message("%s: %s%s%s\n", policy_keys[line->key].path, line->text,
			      line->attr_count > 0 ? " except " : "", line->attr_count > 0 ? line->attrs[0].text : "");
	}
	for (size_t i = 0; i < world->caps->lines.len; i++)
		print_message("-> %s\n", line_at(world, i)->text != NULL ? line_at(world, i)->text : "");
	fail_msg("%s is %s", path, word);
}

/* The same path with the home folder where it really is, or as the user has it; itself if it is elsewhere. */
static void name_otherwise(const char *path, char ret_other[static 64])
{
	const char *from = "/home/u", *to = "/data/u";
	if (path_is_in(str_from(path), str_from(to))) {
		from = "/data/u";
		to = "/home/u";
	}
	bool below = path_is_in(str_from(path), str_from(from));
	(void)snprintf(ret_other, 64, "%s%s", below ? to : path, below ? path + strlen(from) : "");
}

static void look_at(const struct world *world, const char *path, bool shipped)
{
	char other[64];
	name_otherwise(path, other);
	bool open = (granted(world, path) || granted(world, other)) && !denied(world, path) && !denied(world, other);
	bool listed = shipped && is_for_exceptions(world, path, other) && !is_changed(world, path);
	if (open && !listed && (denied_by_lines(world, path, true) || denied_by_lines(world, other, true)))
		fail_in(world, path, "open");
	/* what a shipped line excepts is open only where a line names it */
	bool closed = denied_by_lines(world, path, !shipped) || denied_by_lines(world, other, !shipped);
	if (!open && !closed && granted_by_lines(world, path))
		fail_in(world, path, "closed");
}

static void test_what_is_denied_is_closed_and_nothing_else(void **state)
{
	(void)state;
	NOT_TORTURED();
	static const char *const more[] = {"/srv/a/x/z", "/home/u/b/x/y/z", "/home/u/.ssh/id", "/srv/c", "/home/u/c/y"};
	size_t looked = 0;
	for (unsigned round = 0; round < ROUNDS; round++) {
		bool shipped = round % 2 == 0;
		auto_world world = {.count = 0};
		srand(round);
		fill(&world);
		if (!resolve_world(&world, shipped))
			continue;
		looked++;
		for (size_t i = 0; i < ARRAY_LEN(places); i++)
			look_at(&world, places[i], shipped);
		for (size_t i = 0; i < ARRAY_LEN(more); i++)
			look_at(&world, more[i], shipped);
	}
	assert_true(looked > ROUNDS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_denied_is_closed_and_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
