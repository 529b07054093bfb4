#include "session/approver_chain.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "base/vec.h"

enum { MAX_PENDING = 1024 };

/* A prompt that the members have. */
struct pending {
	uint64_t id;
	unsigned asked; /* set of 1 << member: those from whom an answer may come still */
	bool answered;	/* all: somebody has allowed it */
	struct approval_answer narrowest;
};

struct chain {
	struct approver approver;
	struct approver_kind kind; /* with the room of its members */
	bool all;
	struct approver *members[APPROVER_CHAIN_MAX];
	size_t count;
	struct vec pending;
};

static struct pending *find(const struct chain *chain, uint64_t id)
{
	for (size_t i = 0; i < chain->pending.len; i++) {
		struct pending *pending = vec_at(&chain->pending, i);
		if (pending->id == id)
			return pending;
	}
	return NULL;
}

/* Nobody is asked any more. */
static void end(struct chain *chain, uint64_t id)
{
	const struct pending *pending = find(chain, id);
	if (pending == NULL)
		return;
	unsigned asked = pending->asked;
	vec_remove(&chain->pending, (size_t)(pending - (const struct pending *)chain->pending.items));
	for (size_t i = 0; i < chain->count; i++)
		if ((asked & 1U << i) != 0)
			chain->members[i]->kind->withdraw(chain->members[i], id);
}

static void forward(struct chain *chain, uint64_t id, const struct approval_answer *answer)
{
	end(chain, id);
	chain->approver.answered(chain->approver.ctx, &chain->approver, id, answer);
}

static unsigned member_bit(const struct chain *chain, const struct approver *from)
{
	for (size_t i = 0; i < chain->count; i++)
		if (chain->members[i] == from)
			return 1U << i;
	return 0;
}

static void join_who(struct approval_answer *into, const struct approval_answer *other)
{
	size_t len = strlen(into->who);
	(void)snprintf(into->who + len, sizeof into->who - len, ", %s %s", other->by, other->who);
}

static void narrow(struct pending *pending, const struct approval_answer *answer)
{
	struct approval_answer *into = &pending->narrowest;
	if (!pending->answered) {
		*into = *answer;
		(void)snprintf(into->by, sizeof into->by, "all");
		(void)snprintf(into->who, sizeof into->who, "%s %.100s", answer->by, answer->who);
		pending->answered = true;
		return;
	}
	if (answer->scope < into->scope)
		into->scope = answer->scope;
	if (answer->extent != into->extent)
		into->extent = APPROVAL_OBJECT;
	if (answer->for_ms > 0 && (into->for_ms == 0 || answer->for_ms < into->for_ms))
		into->for_ms = answer->for_ms;
	join_who(into, answer);
}

static void member_answered(void *ctx, struct approver *from, uint64_t id, const struct approval_answer *answer)
{
	struct chain *chain = ctx;
	struct pending *pending = find(chain, id);
	unsigned bit = member_bit(chain, from);
	if (pending == NULL || (pending->asked & bit) == 0)
		return;
	pending->asked &= ~bit;
	if (!chain->all || answer->verdict != BERM_VERDICT_ALLOW) {
		forward(chain, id, answer);
		return;
	}
	narrow(pending, answer);
	if (pending->asked != 0)
		return;
	const struct approval_answer all = pending->narrowest;
	forward(chain, id, &all);
}

static enum berm_code chain_ask(struct approver *approver, const struct approval_prompt *prompt, struct berm_err *err)
{
	struct chain *chain = (struct chain *)approver;
	struct pending pending = {.id = prompt->id};
	enum berm_code code = BERM_OK;
	TRY(vec_push(&chain->pending, &pending, err));
	for (size_t i = 0; i < chain->count; i++) {
		enum berm_code asked = chain->members[i]->kind->ask(chain->members[i], prompt, err);
		if (asked == BERM_OK)
			pending.asked |= 1U << i;
		else
			code = asked;
	}
	((struct pending *)vec_at(&chain->pending, chain->pending.len - 1))->asked = pending.asked;
	if (code == BERM_OK || (!chain->all && pending.asked != 0))
		return BERM_OK;
	end(chain, prompt->id);
	return code;
}

static void chain_withdraw(struct approver *approver, uint64_t id)
{
	end((struct chain *)approver, id);
}

static void chain_free(struct approver *approver)
{
	struct chain *chain = (struct chain *)approver;
	for (size_t i = 0; i < chain->count; i++)
		approver_free(chain->members[i]);
	vec_done(&chain->pending);
	free(chain);
}

static enum berm_code refuse(struct approver *const *members, size_t count, enum berm_code code, struct berm_err *err)
{
	for (size_t i = 0; i < count; i++)
		approver_free(members[i]);
	return err_set(err, code, "ask several together");
}

enum berm_code approver_chain_new(struct ev_loop *loop, bool all, struct approver *const *members, size_t count,
				  struct approver **ret_approver, struct berm_err *err)
{
	if (count > APPROVER_CHAIN_MAX)
		return refuse(members, count, BERM_ERR_LIMIT, err);
	struct chain *chain = calloc(1, sizeof *chain);
	if (chain == NULL)
		return refuse(members, count, BERM_ERR_NOMEM, err);
	chain->kind = (struct approver_kind){
		.name = all ? "all" : "any", .ask = chain_ask, .withdraw = chain_withdraw, .free = chain_free};
	chain->approver = (struct approver){.kind = &chain->kind, .loop = loop};
	chain->all = all;
	chain->count = count;
	vec_init(&chain->pending, sizeof(struct pending), MAX_PENDING);
	for (size_t i = 0; i < count; i++) {
		size_t room = members[i]->kind->room;
		if (room > 0 && (chain->kind.room == 0 || room < chain->kind.room))
			chain->kind.room = room;
		chain->members[i] = members[i];
		members[i]->answered = member_answered;
		members[i]->ctx = chain;
	}
	*ret_approver = &chain->approver;
	return BERM_OK;
}
