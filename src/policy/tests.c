#include "policy/tests.h"

#include <stdio.h>
#include <string.h>

#include "policy/question.h"

enum { MAX_TESTS = 20000, PLACE_MAX = 400, WORD_MAX = 16, MAX_QUESTION = 1024 * 1024 };

struct running {
	const struct policy_answers *answers;
	struct policy_tests *tests;
	struct problems *problems;
};

void policy_tests_init(struct policy_tests *tests)
{
	*tests = (struct policy_tests){0};
	vec_init(&tests->items, sizeof(struct policy_test), MAX_TESTS);
}

void policy_tests_done(struct policy_tests *tests)
{
	vec_done(&tests->items);
}

static enum policy_answer expected_answer(const struct policy_line *line)
{
	const char *is = policy_attr_find(line, ATTR_IS);
	for (int i = ANSWER_DENY; i <= ANSWER_ALLOW; i++) {
		if (is != NULL && strcmp(question_answer_word((enum policy_answer)i), is) == 0)
			return (enum policy_answer)i;
	}
	return ANSWER_DENY;
}

static void describe(const struct policy_verdict *verdict, char *ret, size_t size)
{
	char place[PLACE_MAX] = "";
	if (verdict->by != NULL)
		policy_entry_place(verdict->by, place, sizeof(place));
	int len = snprintf(ret, size, "%s%s%s%s%s%s", verdict->rule != NULL ? verdict->rule : "",
			   verdict->text[0] != '\0' ? ": " : "", verdict->text, place[0] != '\0' ? " (" : "", place,
			   place[0] != '\0' ? ")" : "");
	if (len < 0)
		ret[0] = '\0';
}

/* One question, for one program or for any. */
static enum berm_code run_one(struct running *running, const struct policy_entry *entry,
			      const struct policy_question *question, struct berm_err *err)
{
	struct policy_verdict verdict = {0};
	TRY(running->answers->decide(running->answers->context, question, &verdict, err));
	struct policy_test test = {
		.entry = entry,
		.program = question->program,
		.expected = expected_answer(entry->line),
		.got = verdict.answer,
	};
	describe(&verdict, test.by, sizeof(test.by));
	TRY(vec_push(&running->tests->items, &test, err));
	if (test.got == test.expected)
		running->tests->passed++;
	else
		running->tests->failed++;
	return BERM_OK;
}

/* The text of a line is "read PATH"; what "~" stands for is in the entry's path. */
static enum berm_code parse(struct arena *arena, const struct policy_entry *entry, struct policy_question *question,
			    struct berm_err *err)
{
	const char *text = entry->line->text, *space = strchr(text, ' ');
	size_t len = space != NULL ? (size_t)(space - text) : 0;
	char word[WORD_MAX];
	if (len == 0 || len >= sizeof(word))
		return err_set(err, BERM_ERR_PARSE, "not a test: '%.100s'", text);
	memcpy(word, text, len);
	word[len] = '\0';
	return question_parse(arena, word, entry->path != NULL ? entry->path : space + 1, question, err);
}

static enum berm_code run_programs(struct running *running, const struct policy_entry *entry,
				   struct policy_question *question, struct berm_err *err)
{
	bool named = false;
	for (uint32_t i = 0; i < entry->line->attr_count; i++) {
		if (entry->line->attrs[i].key != ATTR_BY)
			continue;
		named = true;
		question->program = entry->line->attrs[i].text;
		TRY(run_one(running, entry, question, err));
	}
	return named ? BERM_OK : run_one(running, entry, question, err);
}

static enum berm_code run_entry(struct running *running, const struct policy_entry *entry, struct berm_err *err)
{
	struct policy_question question;
	struct berm_err why;
	auto_arena struct arena arena;
	arena_init(&arena, MAX_QUESTION);
	enum berm_code code = parse(&arena, entry, &question, &why);
	if (code == BERM_ERR_PARSE || code == BERM_ERR_LIMIT) {
		const struct place at = {entry->doc->file, entry->line->line, entry->line->column};
		problem_add(running->problems, &at, "%s", why.msg);
		running->tests->failed++;
		return BERM_OK;
	}
	if (code != BERM_OK)
		return err_set(err, code, "%s", why.msg);
	return run_programs(running, entry, &question, err);
}

enum berm_code policy_tests_run(const struct policy *policy, const struct policy_answers *answers,
				struct policy_tests *tests, struct problems *problems, struct berm_err *err)
{
	struct running running = {answers, tests, problems};
	for (size_t i = 0; i < policy->count; i++) {
		const struct policy_entry *entry = &policy->entries[i];
		if (entry->line->key == KEY_TEST && entry->off == NULL)
			TRY(run_entry(&running, entry, err));
	}
	return BERM_OK;
}

void policy_test_text(const struct policy_test *test, struct buf *out)
{
	buf_puts(out, test->entry->line->text);
	if (test->program != NULL)
		buf_printf(out, " by %s", test->program);
	buf_printf(out, " is %s", question_answer_word(test->expected));
}

enum berm_code policy_tests_check(const struct policy_tests *tests, struct problems *problems, struct berm_err *err)
{
	const struct policy_test *items = tests->items.items;
	for (size_t i = 0; i < tests->items.len; i++) {
		const struct policy_test *test = &items[i];
		if (test->got == test->expected)
			continue;
		const struct policy_line *line = test->entry->line;
		const struct place at = {test->entry->doc->file, line->line, line->column};
		problem_add(problems, &at, "test fails: '%.120s' is %s, not %s: %s", line->text,
			    question_answer_word(test->got), question_answer_word(test->expected), test->by);
	}
	if (tests->failed == 0)
		return BERM_OK;
	return err_set(err, BERM_ERR_PARSE, "%zu of the policy's own tests fail", tests->failed);
}
