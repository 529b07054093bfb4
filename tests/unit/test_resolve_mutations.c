/*
 * Policies of a user with a mistake in what they close, thousands, always the same ones, down to the capabilities. Either
 * nothing starts, or what is open now and was not was closed by nothing but the line that was hit: no other line, no group
 * that is always in, not the floor. (A line that is taken out as a whole, or made a comment, is meant; no program can know
 * better. tests: in the policy are for that.)
 */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "builtin_rig.h"
#include "caps_rig.h"
#include "pattern_met.h"
#include "policy/load.h"
#include "policy/resolve.h"
#include "text_lines.h"

enum { ROUNDS = 2000, MAX = 64 * 1024, LINES_MAX = 64, CHANGING = BERM_WRITE | BERM_DELETE };

static uint64_t seed;

/* xorshift64*: the same in every run. */
static size_t draw(size_t below)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (size_t)(seed * 0x2545f4914f6cdd1dU % below);
}

/* ---- a policy of a user ------------------------------------------------------------------------------------------ */

/* What a line of the text is about; key: the line with the name of the list. */
struct text_line {
	enum policy_key list; /* KEY_BERM: neither deny nor protect nor ask */
	bool is_key;
};

struct written {
	struct buf text;
	struct text_line lines[LINES_MAX]; /* from 1 */
	uint32_t count;
};

static void written_done(struct written *written)
{
	buf_done(&written->text);
}
#define auto_written __attribute__((cleanup(written_done))) struct written

static void put_line(struct written *written, enum policy_key list, bool is_key, const char *front, const char *text)
{
	assert_true(written->count + 1 < LINES_MAX);
	written->lines[++written->count] = (struct text_line){list, is_key};
	buf_printf(&written->text, "%s%s\n", front, text);
}

static void put_list(struct written *written, enum policy_key key, const char *const *items, size_t count)
{
	bool closes = key == KEY_DENY || key == KEY_PROTECT || key == KEY_ASK;
	enum policy_key list = closes ? key : KEY_BERM;
	char name[32];
	(void)snprintf(name, sizeof name, "%s:", strrchr(policy_keys[key].path, '.') + 1);
	put_line(written, list, true, "  ", name);
	for (size_t i = 1 + draw(3); i > 0; i--)
		put_line(written, list, false, "    - ", items[draw(count)]);
}

static const char *const granted[] = {"/srv", "/srv/a", "/home", "~", "~/work", "/data", "/opt/x", "/", "/srv/b/c"};
static const char *const written_to[] = {".", "/srv/a", "~/work", "/data/out", "/srv"};
static const char *const closed[] = {"/srv/a/x",
				     "/srv/*/y",
				     "~/work/private",
				     "\"**/.env\"",
				     "/data/[ab]",
				     "~/.cache",
				     "{path: /srv/b, except: [/srv/b/c]}",
				     "{path: ~/work, except: [~/work/open, ~/work/*.md]}",
				     "/opt/x/secret.txt",
				     "'/home/u/work/it''s'",
				     "\"/srv/a b\"",
				     "~/.ssh"};

static void write_policy(struct written *written)
{
	buf_clear(&written->text);
	written->count = 0;
	put_line(written, KEY_BERM, false, "", "berm: 1");
	put_line(written, KEY_BERM, false, "", "extends: []");
	put_line(written, KEY_BERM, false, "", "filesystem:");
	put_list(written, KEY_READ, granted, ARRAY_LEN(granted));
	put_list(written, KEY_WRITE, written_to, ARRAY_LEN(written_to));
	put_list(written, KEY_DENY, closed, ARRAY_LEN(closed));
	if (draw(2) == 0)
		put_list(written, KEY_PROTECT, closed, ARRAY_LEN(closed));
	if (draw(3) == 0)
		put_list(written, KEY_ASK, closed, ARRAY_LEN(closed));
	put_line(written, KEY_BERM, false, "", "network: {mode: none}");
	assert_int_equal(buf_check(&written->text, NULL), BERM_OK);
}

/* ---- what it comes to -------------------------------------------------------------------------------------------- */

struct world {
	struct arena arena;
	struct policy *policy;
	struct berm_caps *caps;
};

static void world_done(struct world *world)
{
	berm_caps_free(world->caps);
	policy_free(world->policy);
	arena_done(&world->arena);
}
#define auto_world __attribute__((cleanup(world_done))) struct world

/* False: nothing starts, and a line is told. */
static bool resolve_text(struct world *world, const struct buf *text)
{
	static const char *const no_env[] = {NULL};
	struct problems problems = {0};
	struct berm_err err = {.code = BERM_OK};
	const struct policy_doc *doc = NULL;
	arena_init(&world->arena, NODE_MAX_MEMORY);
	struct policy_input input = {.cwd = "/home/u/p",
				     .workspace = "/home/u/p",
				     .home = "/home/u",
				     .envp = no_env,
				     .config_folder = "/home/u/.config/berm",
				     .state_folder = "/home/u/.local/state/berm",
				     .os = "linux"};
	const struct policy_from from = {POLICY_DOC_FILE, "/home/u/.config/berm/policy.yaml"};
	enum berm_code code = policy_load(&world->arena, from, buf_str(text), &doc, &problems, &err);
	if (code == BERM_OK) {
		const struct policy_doc *users[] = {doc, NULL};
		const struct policy_layers layers = {.user = users, .finder = builtin_finder};
		code = policy_make(&layers, &input, &world->policy, &problems, &err);
	}
	input.policy = world->policy;
	if (code == BERM_OK)
		code = policy_caps(&input, &world->caps, NULL, &problems, &err);
	if (code != BERM_OK && problems.count == 0)
		fail_msg("%s, but no line is told:\n%s", err.msg, text->data);
	return code == BERM_OK;
}

/* The rights that a line takes away from path. */
static unsigned taken_by(const struct cap_line *line, const char *path)
{
	unsigned right = 0;
	if (line->kind == CAP_NARROW && path_is_in(str_from(path), line->path))
		right = line->rights;
	else if (line->kind == CAP_RULE && is_met(line->rule->pattern.ptr, path) &&
		 (line->rule->except_text == NULL || !is_met(line->rule->except_text, path)))
		right = line->rule->right;
	if (right == BERM_DENY)
		return ~0U;
	return right == BERM_PROTECT ? (unsigned)CHANGING : 0;
}

static unsigned open_at(const struct world *world, const char *path)
{
	unsigned rights = rights_at(world->caps, path);
	for (size_t i = 0; i < world->caps->lines.len && rights != 0; i++)
		rights &= ~taken_by(line_at(world->caps, i), path);
	return rights & (BERM_READ | CHANGING);
}

/* ---- a mistake --------------------------------------------------------------------------------------------------- */

/* len bytes at start give way to with. */
static void replace(const struct buf *text, size_t start, size_t len, struct str with, struct buf *out)
{
	buf_put(out, text->data, start);
	buf_put_str(out, with);
	buf_put(out, text->data + start + len, text->len - start - len);
	assert_int_equal(buf_check(out, NULL), BERM_OK);
}

/* The line is gone, or one byte of it is, or is another, or there is one more. */
static void mutate(const struct buf *text, uint32_t line, struct buf *out)
{
	static const char bytes[] = " \t\n:-[]{},\"'|>!&*%@`~?\\/.$x1#\x01\xc3\xff";
	size_t start = line_start(text, line), len = line_length(text, start), how = draw(7);
	char byte = bytes[draw(sizeof bytes)];
	if (how == 0)
		replace(text, start, len, (struct str){"", 0}, out);
	else if (how == 1)
		replace(text, start + strspn(text->data + start, " "), 0, STR("# "), out);
	else
		replace(text, start + draw(len), how < 5 ? 1 : 0, (struct str){&byte, how == 2 ? 0 : 1}, out);
}

static uint32_t pick_line(const struct written *written)
{
	uint32_t line;
	do
		line = 1 + (uint32_t)draw(written->count);
	while (written->lines[line].list == KEY_BERM);
	return line;
}

/* Did the line that was hit, or one of the list whose name was hit, close the path? */
static bool was_closed_by(const struct world *before, const struct written *written, uint32_t hit, const char *path)
{
	const struct text_line *line = &written->lines[hit];
	for (size_t i = 0; i < before->policy->count; i++) {
		const struct policy_entry *entry = &before->policy->entries[i];
		bool is_hit = line->is_key ? entry->line->key == line->list : entry->line->line == hit;
		if (entry->layer == LAYER_USER && entry->doc->kind == POLICY_DOC_FILE && is_hit &&
		    entry->path != NULL && is_met(entry->path, path))
			return true;
	}
	return false;
}

static const char *const paths[] = {"/srv/a",
				    "/srv/a/x",
				    "/srv/a/x/1",
				    "/srv/a/y",
				    "/srv/b",
				    "/srv/b/c",
				    "/srv/b/d",
				    "/srv/b/y",
				    "/srv/a b",
				    "/srv/q/.env",
				    "/home/u/work",
				    "/home/u/work/private/f",
				    "/home/u/work/open",
				    "/home/u/work/a.md",
				    "/home/u/work/.env",
				    "/home/u/work/it's",
				    "/home/u/.cache/z",
				    "/home/v/x",
				    "/data/a",
				    "/data/b/c",
				    "/data/out",
				    "/data/out/.env",
				    "/opt/x/secret.txt",
				    "/opt/x/other",
				    "/home/u/p/.env",
				    "/home/u/p/src",
				    "/etc/hostname"};
/* Closed by what no line of a user's takes away. */
static const char *const never[] = {"/home/u/.ssh/id_rsa",
				    "/home/u/.aws/credentials",
				    "/home/u/.gnupg/x",
				    "/home/u/.local/state/berm/x",
				    "/dev/sda",
				    "/sys/kernel/debug/x",
				    "/home/u/.mozilla/firefox/p"};
static const char *const never_changed[] = {"/home/u/.config/berm/policy.yaml", "/home/u/.config/berm/new",
					    "/home/u/.bashrc", "/boot/vmlinuz", "/etc/berm/policy.d/x"};

static void expect_closed(const struct world *world, const struct buf *text)
{
	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		if (open_at(world, never[i]) != 0)
			fail_msg("%s is open:\n%s", never[i], text->data);
	for (size_t i = 0; i < ARRAY_LEN(never_changed); i++)
		if ((open_at(world, never_changed[i]) & CHANGING) != 0)
			fail_msg("%s can be changed:\n%s", never_changed[i], text->data);
}

static size_t refused, same, wider;

static void mutate_and_compare(const struct written *written, const struct world *before)
{
	auto_world after = {.policy = NULL};
	auto_buf struct buf text;
	buf_init(&text, MAX);
	uint32_t hit = pick_line(written);
	mutate(&written->text, hit, &text);
	if (!resolve_text(&after, &text)) {
		refused++;
		return;
	}
	expect_closed(&after, &text);
	bool gained = false;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		unsigned more = open_at(&after, paths[i]) & ~open_at(before, paths[i]);
		gained |= more != 0;
		if (more != 0 && !was_closed_by(before, written, hit, paths[i]))
			fail_msg("%s is open, though line %u did not close it:\n%s", paths[i], hit, text.data);
	}
	*(gained ? &wider : &same) += 1;
}

static void test_a_mistake_opens_no_more_than_its_line_closed(void **state)
{
	(void)state;
	NOT_TORTURED();
	auto_written written = {.count = 0};
	buf_init(&written.text, MAX);
	seed = 7;
	for (int done = 0; done < ROUNDS;) {
		auto_world before = {.policy = NULL};
		write_policy(&written);
		if (!resolve_text(&before, &written.text))
			continue;
		expect_closed(&before, &written.text);
		for (int i = 0; i < 8; i++, done++)
			mutate_and_compare(&written, &before);
	}
	print_message("%zu start nothing, %zu open no more, %zu open what the line closed\n", refused, same, wider);
	assert_true(refused > ROUNDS / 10 && same > ROUNDS / 10 && wider > ROUNDS / 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_mistake_opens_no_more_than_its_line_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
