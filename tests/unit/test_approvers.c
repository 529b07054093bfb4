/* Who is asked, from the lines of a policy; when nobody is; and what then becomes of lines that ask. */
#include "check.h"

#include <limits.h>
#include <stdio.h>

#include "base/own.h"
#include "policy/approvers.h"
#include "policy/load.h"
#include "resolve_rig.h"
#include "sandbox/caps.h"

#define CONTROL (1U << POLICY_APPROVER_CONTROL)
#define TERMINAL (1U << POLICY_APPROVER_TERMINAL)

/* The policy of a user's file with this text, without a profile but "none". */
static void make_of(struct rig *rig, struct arena *arena, const char *text, struct policy_input *input)
{
	const struct policy_from from = {.kind = POLICY_DOC_FILE, .file = "policy.yaml"};
	const struct policy_doc *doc;
	assert_int_equal(policy_load(arena, from, str_from(text), &doc, &rig->problems, &rig->err), BERM_OK);
	rig->users[0] = doc;
	rig->profiles[0] = builtin_find(POLICY_DOC_PROFILE, "none");
	const struct policy_layers layers = {
		.profiles = rig->profiles, .user = rig->users, .finder = {NULL, find_builtin, no_name}};
	assert_int_equal(policy_make(&layers, input, &rig->policy, &rig->problems, &rig->err), BERM_OK);
	input->policy = rig->policy;
}

/* "program /a b; all(control, program /c)" */
static void put_one(const struct policy_approver *approver, struct buf *out)
{
	buf_puts(out, policy_approver_words[approver->kind]);
	for (size_t i = 0; approver->argv != NULL && approver->argv[i] != NULL; i++)
		buf_printf(out, " %s", approver->argv[i]);
	if (approver->url != NULL)
		buf_printf(out, " %s %s", approver->url, approver->key);
	for (size_t i = 0; i < approver->count; i++) {
		buf_puts(out, i == 0 ? "(" : ", ");
		put_one(&approver->members[i], out);
	}
	buf_puts(out, approver->count > 0 ? ")" : "");
}

static const struct {
	const char *text, *list;
	unsigned answerers;
	bool asks;
} rows[] = {
	{"berm: 1", "terminal; ", 0, false},
	{"berm: 1", "terminal; ", CONTROL, false}, /* nobody has said that somebody is to be asked */
	{"berm: 1", "terminal; ", TERMINAL, true},
	{"approvals: {mode: ask}", "terminal; control; ", CONTROL, true},
	{"approvals: {mode: ask}", "terminal; control; ", 0, false},
	{"approvals: {by: [control]}", "control; ", CONTROL, true},
	{"approvals: {by: [control]}", "control; ", 0, false},
	{"approvals: {by: [control], mode: deny}", "control; ", CONTROL, false},
	{"approvals: {by: [control], mode: allow}", "control; ", CONTROL, false},
	{"approvals: {by: [{program: [/opt/a, --b]}]}", "program /opt/a --b; ", 0, true},
	{"approvals: {by: [{program: [/opt/a]}, terminal]}", "program /opt/a; terminal; ", 0, true},
	{"approvals: {by: [{webhook: 'https://a.example/b', key: k}]}", "webhook https://a.example/b k; ", CONTROL,
	 false},
	{"approvals: {by: [{all: [control, {program: [/opt/a, -b]}]}]}", "all(control, program /opt/a -b); ", CONTROL,
	 true},
	{"approvals: {by: [{all: [control, {program: [/opt/a, -b]}]}]}", "all(control, program /opt/a -b); ", 0, false},
	{"approvals: {by: [{any: [control, {program: /opt/a}]}]}", "any(control, program /opt/a); ", 0, true},
	{"approvals: {by: [{any: [desktop, {webhook: 'https://a.example', key: k}]}]}",
	 "any(desktop, webhook https://a.example k); ", CONTROL, false},
};

static void lines_become_a_list(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct policy_approver *list;
		size_t count;
		bool asks;
		auto_arena struct arena arena;
		auto_rig rig = {.caps = NULL};
		auto_buf struct buf text;
		struct policy_input input = ordinary();
		arena_init(&arena, 1024 * 1024);
		buf_init(&text, 4096);
		input.answerers = rows[i].answerers;
		make_of(&rig, &arena, rows[i].text, &input);
		assert_int_equal(policy_approvers_find(rig.policy, &arena, &list, &count, NULL), BERM_OK);
		for (size_t at = 0; at < count; at++) {
			put_one(&list[at], &text);
			buf_puts(&text, "; ");
		}
		assert_int_equal(buf_check(&text, NULL), BERM_OK);
		assert_string_equal(text.data, rows[i].list);
		assert_int_equal(policy_approvers_ask(&input, &asks, NULL), BERM_OK);
		if (asks != rows[i].asks)
			fail_msg("row %zu: %d", i, asks);
	}
}

static bool has_line(const struct rig *rig, enum cap_kind kind, const char *path)
{
	for (size_t i = 0; i < rig->caps->lines.len; i++) {
		const struct cap_line *line = vec_at(&rig->caps->lines, i);
		if (line->kind == kind && str_eq(line->path, str_from(path)))
			return true;
	}
	return false;
}

/* Lines that ask are asked only where somebody is; in what is granted, and as patterns, they close as before. */
static void what_asks_is_asked_only_if_somebody_is_there(void **state)
{
	(void)state;
	static const char text[] = "filesystem: {read: [/opt/data], ask: [/opt/data/private, /srv/x]}\n"
				   "approvals: {by: [control]}\n";
	static const struct {
		unsigned answerers;
		bool asked;
	} cases[] = {{CONTROL, true}, {0, false}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_arena struct arena arena;
		auto_rig rig = {.caps = NULL};
		struct policy_input input = ordinary();
		arena_init(&arena, 1024 * 1024);
		input.answerers = cases[i].answerers;
		make_of(&rig, &arena, text, &input);
		assert_int_equal(policy_caps(&input, &rig.caps, NULL, &rig.problems, &rig.err), BERM_OK);
		assert_int_equal(has_line(&rig, CAP_ASK, "/srv/x"), cases[i].asked);
		assert_int_equal(has_line(&rig, CAP_ASK, "/"), cases[i].asked);
		assert_true(has_line(&rig, CAP_NARROW, "/opt/data/private"));
		assert_int_equal(has_line(&rig, CAP_NARROW, "/srv/x"), !cases[i].asked);
		assert_false(rig.caps->allow_asked);
	}
}

static bool leads_elsewhere(const char *path, char ret_real[static PATH_MAX])
{
	(void)snprintf(ret_real, PATH_MAX, "%s", strcmp(path, "/opt/a") == 0 ? "/srv/a-1.0" : path);
	return true;
}

/* Whoever asks cannot change who answers. */
static void programs_that_answer_are_protected(void **state)
{
	(void)state;
	static const char text[] =
		"filesystem: {write: [/opt, /srv]}\n"
		"approvals: {by: [{program: [/opt/a, x, /srv/rules]}, {all: [{program: /opt/b}]}]}\n";
	static const char *const paths[] = {"/opt/a", "/srv/a-1.0", "/srv/rules", "/opt/b"};
	auto_arena struct arena arena;
	auto_rig rig = {.caps = NULL};
	struct policy_input input = ordinary();
	arena_init(&arena, 1024 * 1024);
	input.resolve = leads_elsewhere;
	make_of(&rig, &arena, text, &input);
	assert_int_equal(policy_caps(&input, &rig.caps, NULL, &rig.problems, &rig.err), BERM_OK);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		assert_true(has_line(&rig, CAP_NARROW, paths[i]));
	assert_false(has_line(&rig, CAP_NARROW, "/opt"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_a_list),
		cmocka_unit_test(programs_that_answer_are_protected),
		cmocka_unit_test(what_asks_is_asked_only_if_somebody_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
