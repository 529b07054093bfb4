#include "session/approver_control.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "session/approval_text.h"

enum { MAX_PAPERS = 1024 };

/* A question of one approver; the policy may name "control" in several places. */
struct paper {
	const struct approval_prompt *prompt;
	struct approver *approver;
};

struct at_control {
	struct approver approver;
	struct approver_desk *desk;
};

void approver_desk_init(struct approver_desk *desk)
{
	vec_init(&desk->papers, sizeof(struct paper), MAX_PAPERS);
}

void approver_desk_done(struct approver_desk *desk)
{
	vec_done(&desk->papers);
}

static const struct paper *find(const struct approver_desk *desk, uint64_t id, const struct approver *approver)
{
	for (size_t i = 0; i < desk->papers.len; i++) {
		const struct paper *paper = vec_at(&desk->papers, i);
		if (paper->prompt->id == id && (approver == NULL || paper->approver == approver))
			return paper;
	}
	return NULL;
}

static enum berm_code control_lay(struct approver *approver, const struct approval_prompt *prompt, struct berm_err *err)
{
	struct at_control *control = (struct at_control *)approver;
	const struct paper paper = {.prompt = prompt, .approver = approver};
	return vec_push(&control->desk->papers, &paper, err);
}

static void control_withdraw(struct approver *approver, uint64_t id)
{
	struct approver_desk *desk = ((struct at_control *)approver)->desk;
	const struct paper *paper = find(desk, id, approver);
	if (paper != NULL)
		vec_remove(&desk->papers, (size_t)(paper - (const struct paper *)desk->papers.items));
}

static void at_control_free(struct approver *approver)
{
	struct approver_desk *desk = ((struct at_control *)approver)->desk;
	for (size_t i = desk->papers.len; i > 0; i--)
		if (((const struct paper *)vec_at(&desk->papers, i - 1))->approver == approver)
			vec_remove(&desk->papers, i - 1);
	free(approver);
}

enum berm_code approver_control_new(struct ev_loop *loop, struct approver_desk *desk, struct approver **ret_approver,
				    struct berm_err *err)
{
	static const struct approver_kind kind = {
		.name = "control", .ask = control_lay, .withdraw = control_withdraw, .free = at_control_free};
	struct at_control *control = calloc(1, sizeof *control);
	if (control == NULL)
		return err_set(err, BERM_ERR_NOMEM, "prepare for answers from elsewhere");
	control->approver = (struct approver){.kind = &kind, .loop = loop};
	control->desk = desk;
	*ret_approver = (struct approver *)control;
	return BERM_OK;
}

void approver_desk_put(const struct approver_desk *desk, int64_t now_ms, struct json_out *json)
{
	json_array(json, "approvals");
	for (size_t i = 0; i < desk->papers.len; i++) {
		const struct paper *paper = vec_at(&desk->papers, i);
		if (find(desk, paper->prompt->id, NULL) == paper) /* each once */
			approval_text_put(paper->prompt, now_ms, json, NULL);
	}
	json_array_end(json);
}

enum berm_code approver_desk_answer(struct approver_desk *desk, uint64_t id, struct str json, const char *who,
				    struct berm_err *err)
{
	struct approval_answer answer;
	TRY(approval_text_parse(json, &answer, err));
	(void)snprintf(answer.by, sizeof answer.by, "control");
	(void)snprintf(answer.who, sizeof answer.who, "%s", who);
	const struct paper *paper = find(desk, id, NULL);
	if (paper == NULL)
		return err_set(err, BERM_ERR_NOTFOUND, "no question %llu waits", (unsigned long long)id);
	while (paper != NULL) {
		struct approver *approver = paper->approver;
		vec_remove(&desk->papers, (size_t)(paper - (const struct paper *)desk->papers.items));
		approver->answered(approver->ctx, approver, id, &answer);
		paper = find(desk, id, NULL);
	}
	return BERM_OK;
}
