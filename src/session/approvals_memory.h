/*
 * What was answered for longer than once: which answer covers a question. Pure. A denial wins over an allowance, and nothing
 * covers a question of another line of the policy than the one that was answered: who allows a folder has not seen a line
 * that asks about something in it.
 */
#ifndef BERM_SESSION_APPROVALS_MEMORY_H
#define BERM_SESSION_APPROVALS_MEMORY_H

#include "base/vec.h"
#include "session/approver.h"

struct approvals_memory {
	struct vec entries;
};

void approvals_memory_init(struct approvals_memory *memory, size_t max_entries);
void approvals_memory_done(struct approvals_memory *memory);
/* Keeps the answer to this prompt; from then on it covers what its extent names, until its time is over. Errors: LIMIT, NOMEM. */
MUST_USE enum berm_code approvals_memory_put(struct approvals_memory *memory, const struct approval_prompt *prompt,
					     const struct approval_answer *answer, int64_t now_ms,
					     struct berm_err *err);
/* The answer that covers it, borrowed until the next put or find; NULL: none does. Drops those whose time is over. */
const struct approval_answer *approvals_memory_find(struct approvals_memory *memory,
						    const struct approval_question *question, int64_t now_ms);

/* The extent that an answer really has: one that the question has not is the object alone. */
enum approval_extent approvals_memory_extent(const struct approval_prompt *prompt, enum approval_extent extent);
/* Is it the same thing that is asked, of the same object? */
bool approvals_memory_same(const struct approval_question *a, const struct approval_question *b);

#endif
