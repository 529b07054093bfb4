/* An engine with a clock of the test's own and an approver that does what the test says. */
#ifndef BERM_TESTS_APPROVALS_RIG_H
#define BERM_TESTS_APPROVALS_RIG_H

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "session/approvals.h"

enum { RIG_MAX = 2048 };

struct rig_approver {
	struct approver approver;
	bool refuses;
	size_t asked, withdrawn;
	uint64_t ids[RIG_MAX];
};

struct rig {
	struct rig_approver fake;
	struct approver_kind kind;
	size_t events[4];
	char kept[256], not_kept[256]; /* of the last note */
	bool can_keep;
	size_t keeps;
};

struct rig_answers {
	size_t count, allowed;
	struct approval_answer last;
};

static int64_t rig_now_ms;

static inline int64_t rig_clock(void)
{
	return rig_now_ms;
}

static inline enum berm_code rig_ask(struct approver *approver, const struct approval_prompt *prompt,
				     struct berm_err *err)
{
	struct rig_approver *fake = (struct rig_approver *)approver;
	if (fake->refuses || fake->asked == RIG_MAX)
		return err_set(err, BERM_ERR_CLOSED, "he sleeps");
	fake->ids[fake->asked++] = prompt->id;
	return BERM_OK;
}

static inline void rig_withdraw(struct approver *approver, uint64_t id)
{
	(void)id;
	((struct rig_approver *)approver)->withdrawn++;
}

static inline void rig_free(struct approver *approver)
{
	(void)approver;
}

static inline void rig_note(void *ctx, const struct approval_note *note)
{
	struct rig *rig = ctx;
	rig->events[note->event]++;
	(void)snprintf(rig->kept, sizeof rig->kept, "%s", note->kept != NULL ? note->kept : "");
	(void)snprintf(rig->not_kept, sizeof rig->not_kept, "%s", note->not_kept != NULL ? note->not_kept : "");
}

static inline enum berm_code rig_keep(void *ctx, const struct approval_prompt *prompt,
				      const struct approval_answer *answer, const char **ret_file, struct berm_err *err)
{
	struct rig *rig = ctx;
	(void)prompt;
	(void)answer;
	rig->keeps++;
	if (!rig->can_keep)
		return err_set(err, BERM_ERR_SYS, "the disk is full");
	*ret_file = "policy.yaml";
	return BERM_OK;
}

static inline void rig_done(void *ctx, const struct approval_answer *answer)
{
	struct rig_answers *answers = ctx;
	answers->count++;
	answers->allowed += answer->verdict == BERM_VERDICT_ALLOW;
	answers->last = *answer;
}

static inline struct approvals_policy rig_policy(struct rig *rig, size_t room)
{
	rig->kind = (struct approver_kind){
		.name = "fake", .room = room, .ask = rig_ask, .withdraw = rig_withdraw, .free = rig_free};
	rig->fake.approver.kind = &rig->kind;
	return (struct approvals_policy){.mode = APPROVALS_ASK, .approver = &rig->fake.approver};
}

static inline struct approvals *rig_engine(struct rig *rig)
{
	const struct approvals_owner owner = {.ctx = rig,
					      .now_ms = rig_clock,
					      .keep = rig_keep,
					      .note = rig_note,
					      .session = "quiet-otter",
					      .home = "/home/u"};
	struct approvals *approvals;
	const struct approvals_policy policy = rig_policy(rig, 0);
	rig_now_ms = 1000;
	assert_int_equal(approvals_new(&owner, &approvals, NULL), BERM_OK);
	approvals_change(approvals, &policy);
	return approvals;
}

static inline struct approval_question rig_file(const char *path, uint64_t ino)
{
	return (struct approval_question){.kind = APPROVAL_FILE,
					  .op = "read",
					  .object = path,
					  .exe = "/usr/bin/cat",
					  .dev = 1,
					  .ino = ino,
					  .mode = 0100644,
					  .rule = "ask"};
}

/* The answer to the prompt that was asked as number index. */
static inline void rig_answer(struct rig *rig, size_t index, enum berm_verdict verdict, enum approval_scope scope,
			      enum approval_extent extent)
{
	const struct approval_answer answer = {.verdict = verdict, .scope = scope, .extent = extent, .by = "fake"};
	struct approver *approver = &rig->fake.approver;
	approver->answered(approver->ctx, approver, rig->fake.ids[index], &answer);
}

#endif
