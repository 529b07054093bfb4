#include "session/own_tests.h"

#include "policy/policy_answer.h"
#include "policy/question.h"

/* lines: those that are answered by the index, not about a file. */
static bool has_tests(const struct policy *policy, bool lines)
{
	for (size_t i = 0; i < policy->count; i++) {
		const struct policy_entry *entry = &policy->entries[i];
		if (entry->line->key == KEY_TEST && entry->off == NULL && (!lines || entry->path == NULL))
			return true;
	}
	return false;
}

struct testing {
	struct policy_answer_context lines;
	struct policy_index *index; /* NULL: no test needs it */
};

static enum berm_code decide(void *context, const struct policy_question *question, struct policy_verdict *ret_verdict,
			     struct berm_err *err)
{
	struct testing *testing = context;
	if (question_is_file(question->op) || testing->index == NULL)
		return policy_answer(&testing->lines, question, ret_verdict, err);
	policy_decide(testing->index, question, ret_verdict);
	return BERM_OK;
}

enum berm_code own_tests_run(const struct policy *policy, const struct policy_input *input, struct policy_tests *tests,
			     struct problems *problems, struct berm_err *err)
{
	const struct floor_places places = floor_places_of(input);
	auto_learn_policy struct learn_policy *rules = NULL;
	auto_policy_index struct policy_index *index = NULL;
	if (!has_tests(policy, false))
		return BERM_OK;
	TRY(learn_policy_new(policy, &places, &rules, err));
	if (has_tests(policy, true))
		TRY(policy_index_new(policy, &index, err));
	struct testing testing = {{policy, rules}, index};
	const struct policy_answers answers = {&testing, decide};
	return policy_tests_run(policy, &answers, tests, problems, err);
}

enum berm_code own_tests_check(const struct policy *policy, const struct policy_input *input, struct problems *problems,
			       struct berm_err *err)
{
	auto_policy_tests struct policy_tests tests;
	policy_tests_init(&tests);
	TRY(own_tests_run(policy, input, &tests, problems, err));
	return policy_tests_check(&tests, problems, err);
}
