#include "session/approver_build.h"

#include <string.h>

#include "base/env.h"
#include "base/own.h"
#include "session/approver_chain.h"
#include "session/approver_program.h"
#include "session/approver_terminal.h"
#include "ui/colour.h"

enum { ARENA_MAX = 1024 * 1024 };

/* ---- one --------------------------------------------------------------------------------------------------------- */

typedef enum berm_code (*make_fn)(const struct policy_approver *said, const struct approver_means *means,
				  struct approver **ret_approver, struct berm_err *err);

static enum berm_code make_program(const struct policy_approver *said, const struct approver_means *means,
				   struct approver **ret_approver, struct berm_err *err)
{
	return approver_program_new(means->loop, said->argv, means->envp, ret_approver, err);
}

static enum berm_code make_control(const struct policy_approver *said, const struct approver_means *means,
				   struct approver **ret_approver, struct berm_err *err)
{
	(void)said;
	return approver_control_new(means->loop, means->desk, ret_approver, err);
}

static enum berm_code make_terminal(const struct policy_approver *said, const struct approver_means *means,
				    struct approver **ret_approver, struct berm_err *err)
{
	const char *who = env_get(means->envp, "USER");
	bool colour = colour_wanted(true, env_get(means->envp, "NO_COLOR"), env_get(means->envp, "TERM"));
	(void)said;
	return approver_terminal_new(means->loop, means->pty, who != NULL ? who : "", colour, ret_approver, err);
}

/* Those that stand for themselves; NULL: not there in this version. */
static const make_fn makers[POLICY_APPROVERS] = {
	[POLICY_APPROVER_TERMINAL] = make_terminal,
	[POLICY_APPROVER_CONTROL] = make_control,
	[POLICY_APPROVER_PROGRAM] = make_program,
};

static unsigned there_of(const struct approver_means *means)
{
	unsigned there = means->answerers;
	for (unsigned kind = 0; kind < POLICY_APPROVER_ALL; kind++)
		if (makers[kind] == NULL)
			there &= ~(1U << kind);
	if (means->pty == NULL)
		there &= ~(1U << POLICY_APPROVER_TERMINAL);
	return means->desk != NULL ? there : there & ~(1U << POLICY_APPROVER_CONTROL);
}

/* ---- several ----------------------------------------------------------------------------------------------------- */

struct members {
	struct approver *items[APPROVER_CHAIN_MAX];
	size_t count;
};

static void members_done(struct members *members)
{
	for (size_t i = 0; i < members->count; i++)
		approver_free(members->items[i]);
}
#define auto_members __attribute__((cleanup(members_done)))

/* Several into one; NULL if there are none. */
static enum berm_code join(struct members *members, bool all, const struct approver_means *means,
			   struct approver **ret_approver, struct berm_err *err)
{
	size_t count = members->count;
	members->count = 0; /* they are the chain's */
	*ret_approver = count > 0 ? members->items[0] : NULL;
	return count > 1 ? approver_chain_new(means->loop, all, members->items, count, ret_approver, err) : BERM_OK;
}

/* Those of a line that are there; none of its kind is a group. */
static enum berm_code make_members(const struct policy_approver *said, const struct approver_means *means,
				   struct approver **ret_approver, struct berm_err *err)
{
	auto_members struct members members = {.count = 0};
	for (size_t i = 0; i < said->count; i++) {
		if (!policy_approver_is_there(&said->members[i], there_of(means)))
			continue;
		if (members.count == APPROVER_CHAIN_MAX)
			return err_set(err, BERM_ERR_LIMIT, "more than %d are asked together", APPROVER_CHAIN_MAX);
		TRY(makers[said->members[i].kind](&said->members[i], means, &members.items[members.count], err));
		members.count++;
	}
	return join(&members, said->kind == POLICY_APPROVER_ALL, means, ret_approver, err);
}

static enum berm_code make_all(const struct policy_approver *list, size_t count, const struct approver_means *means,
			       struct approver **ret_approver, struct berm_err *err)
{
	auto_members struct members members = {.count = 0};
	for (size_t i = 0; i < count; i++) {
		if (!policy_approver_is_there(&list[i], there_of(means)))
			continue;
		if (members.count == APPROVER_CHAIN_MAX)
			return err_set(err, BERM_ERR_LIMIT, "more than %d are asked", APPROVER_CHAIN_MAX);
		make_fn make = list[i].kind < POLICY_APPROVER_ALL ? makers[list[i].kind] : make_members;
		TRY(make(&list[i], means, &members.items[members.count], err));
		members.count++;
	}
	return join(&members, false, means, ret_approver, err);
}

/* ---- the policy -------------------------------------------------------------------------------------------------- */

static const char *setting_of(const struct policy *policy, enum policy_key key)
{
	const struct policy_entry *entry = policy->setting[key];
	return entry != NULL ? entry->line->text : NULL;
}

static enum berm_code read_settings(const struct policy *policy, struct approvals_policy *ret_policy,
				    struct berm_err *err)
{
	const char *timeout = setting_of(policy, KEY_APPROVALS_TIMEOUT), *rate = setting_of(policy, KEY_APPROVALS_RATE);
	uint64_t ms = APPROVALS_TIMEOUT_MS, a_second = APPROVALS_RATE;
	if (timeout != NULL)
		TRY(str_duration_ms(str_from(timeout), &ms, err));
	if (rate != NULL)
		TRY(str_u64(str_from(rate), UINT64_MAX, &a_second, err));
	ret_policy->mode = policy_says(policy, KEY_APPROVALS_MODE, "deny")    ? APPROVALS_DENY
			   : policy_says(policy, KEY_APPROVALS_MODE, "allow") ? APPROVALS_ALLOW
									      : APPROVALS_ASK;
	ret_policy->timeout_ms = (int64_t)(ms < INT32_MAX ? ms : INT32_MAX);
	ret_policy->rate = (unsigned)(a_second < 1000 ? a_second : 1000);
	return BERM_OK;
}

enum berm_code approver_build(const struct policy *policy, const struct approver_means *means,
			      struct approvals_policy *ret_policy, struct berm_err *err)
{
	const struct policy_approver *list;
	size_t count;
	auto_arena struct arena arena;
	struct approvals_policy made = {0};
	arena_init(&arena, ARENA_MAX);
	TRY(read_settings(policy, &made, err));
	if (made.mode == APPROVALS_ASK) {
		TRY(policy_approvers_find(policy, &arena, &list, &count, err));
		TRY(make_all(list, count, means, &made.approver, err));
	}
	*ret_policy = made;
	return BERM_OK;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

static void describe_one(const struct policy_approver *approver, struct buf *out)
{
	buf_puts(out, policy_approver_words[approver->kind]);
	if (approver->kind == POLICY_APPROVER_PROGRAM && approver->argv[0] != NULL)
		buf_printf(out, " %s", approver->argv[0]);
	if (approver->kind == POLICY_APPROVER_CONTROL)
		buf_puts(out, " (berm approve)");
	if (approver->kind == POLICY_APPROVER_WEBHOOK)
		buf_printf(out, " %s", approver->url);
}

/* Groups are not put into each other. */
static void describe_group(const struct policy_approver *approver, struct buf *out)
{
	describe_one(approver, out);
	for (size_t i = 0; i < approver->count; i++) {
		buf_puts(out, i == 0 ? " of " : " and ");
		describe_one(&approver->members[i], out);
	}
}

static void describe_list(const struct policy_approver *list, size_t count, unsigned there, struct buf *out)
{
	size_t shown = 0;
	for (size_t i = 0; i < count; i++) {
		if (!policy_approver_is_there(&list[i], there))
			continue;
		buf_puts(out, shown++ > 0 ? ", " : "");
		describe_group(&list[i], out);
	}
	if (shown == 0)
		buf_puts(out, "nobody: what is to be asked is denied");
}

enum berm_code approver_describe(const struct policy_input *input, struct buf *out, struct berm_err *err)
{
	const struct policy_approver *list;
	size_t count;
	auto_arena struct arena arena;
	struct approvals_policy policy = {0};
	arena_init(&arena, ARENA_MAX);
	TRY(read_settings(input->policy, &policy, err));
	TRY(policy_approvers_find(input->policy, &arena, &list, &count, err));
	if (policy.mode == APPROVALS_ASK)
		describe_list(list, count, input->answerers, out);
	else
		buf_printf(out, "nobody: what is to be asked is %s",
			   policy.mode == APPROVALS_ALLOW ? "allowed" : "denied");
	return buf_check(out, err);
}
