#include "policy/policy_answer.h"

#include <stdio.h>
#include <string.h>

#include "policy/question.h"

static void set_verdict(struct policy_verdict *verdict, enum policy_answer answer, const struct policy_entry *by,
			const char *rule, const char *text)
{
	verdict->answer = answer;
	verdict->by = by;
	verdict->rule = rule;
	(void)snprintf(verdict->text, sizeof(verdict->text), "%.*s", (int)sizeof(verdict->text) - 1, text);
}

/* Where no line says anything. */
static void set_default(const struct policy *policy, enum policy_key key, struct policy_verdict *verdict)
{
	const struct policy_entry *setting = policy->setting[key];
	bool asks = setting != NULL && strcmp(setting->text, "ask") == 0;
	set_verdict(verdict, asks ? ANSWER_ASK : ANSWER_DENY, setting, policy_keys[key].path, asks ? "ask" : "deny");
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void answer_file(const struct policy_answer_context *context, const struct policy_question *question,
			struct policy_verdict *verdict)
{
	char why[LEARN_WHY_MAX] = "";
	switch (learn_policy_look(context->rules, question->op, question->path, false, why)) {
	case LEARN_ALLOWED:
		set_verdict(verdict, ANSWER_ALLOW, NULL, why[0] != '\0' ? "granted" : "the sandbox's own", why);
		return;
	case LEARN_OPEN:
		if (why[0] == '\0')
			set_default(context->policy, KEY_FS_DEFAULT, verdict);
		else
			set_verdict(verdict, ANSWER_ASK, NULL, "asked", why);
		break;
	case LEARN_FORBIDDEN:
	default:
		set_verdict(verdict, ANSWER_DENY, NULL, "closed", why);
		break;
	}
}

/* ---- hosts and commands ------------------------------------------------------------------------------------------ */

static enum berm_code answer_lines(const struct policy_answer_context *context, const struct policy_question *question,
				   struct policy_verdict *verdict, struct berm_err *err)
{
	auto_policy_index struct policy_index *index = NULL;
	TRY(policy_index_new(context->policy, &index, err));
	policy_decide(index, question, verdict);
	return BERM_OK;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

enum berm_code policy_answer(void *context, const struct policy_question *question, struct policy_verdict *ret_verdict,
			     struct berm_err *err)
{
	const struct policy_answer_context *answers = context;
	*ret_verdict = (struct policy_verdict){0};
	if (!question_is_file(question->op))
		return answer_lines(answers, question, ret_verdict, err);
	answer_file(answers, question, ret_verdict);
	return BERM_OK;
}
