#include "session/own_tests.h"

#include "policy/policy_answer.h"

static bool has_tests(const struct policy *policy)
{
	for (size_t i = 0; i < policy->count; i++)
		if (policy->entries[i].line->key == KEY_TEST && policy->entries[i].off == NULL)
			return true;
	return false;
}

enum berm_code own_tests_run(const struct policy *policy, const struct policy_input *input, struct policy_tests *tests,
			     struct problems *problems, struct berm_err *err)
{
	const struct floor_places places = floor_places_of(input);
	auto_learn_policy struct learn_policy *rules = NULL;
	if (!has_tests(policy))
		return BERM_OK;
	TRY(learn_policy_new(policy, &places, &rules, err));
	struct policy_answer_context context = {policy, rules};
	const struct policy_answers answers = {&context, policy_answer};
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
