#include "session/why.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "policy/policy_answer.h"
#include "policy/question.h"

/* Where a path leads: what is there without links, and what is missing behind it as it is written. False: nowhere else, or
 * too long. */
__attribute__((noinline)) static bool leads_to(const char *path, char ret_real[static PATH_MAX])
{
	char front[PATH_MAX];
	size_t len = strlen(path);
	if (len >= sizeof(front))
		return false;
	memcpy(front, path, len + 1);
	while (realpath(front, ret_real) == NULL) {
		char *slash = strrchr(front, '/');
		if (slash == NULL || slash == front)
			return false;
		*slash = '\0';
	}
	size_t used = strlen(ret_real), rest = strlen(front);
	if (used + (len - rest) >= PATH_MAX)
		return false;
	memcpy(ret_real + used, path + rest, len - rest + 1);
	return strcmp(path, ret_real) != 0;
}

enum berm_code why_answer(const struct policy *policy, const struct policy_input *input,
			  const struct policy_question *question, struct policy_verdict *ret_verdict,
			  struct berm_err *err)
{
	char real[PATH_MAX];
	const struct floor_places places = floor_places_of(input);
	auto_learn_policy struct learn_policy *rules = NULL;
	TRY(learn_policy_new(policy, &places, &rules, err));
	struct policy_answer_context context = {policy, rules};
	TRY(policy_answer(&context, question, ret_verdict, err));
	if (!question_is_file(question->op) || !leads_to(question->path, real))
		return BERM_OK;
	struct policy_question there = *question;
	struct policy_verdict verdict;
	there.path = real;
	TRY(policy_answer(&context, &there, &verdict, err));
	if (verdict.answer < ret_verdict->answer)
		*ret_verdict = verdict;
	return BERM_OK;
}
