#include "session/approvals.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/own.h"
#include "base/vec.h"
#include "format/path.h"
#include "session/approvals_memory.h"

enum { TOKEN = 1000, TEXTS_MAX = 12 * APPROVAL_TEXT_MAX };

struct waiter {
	uint64_t id;
	approvals_done done;
	void *ctx;
};

struct prompt {
	struct approval_prompt shown;
	struct arena texts;
	struct vec waiters; /* struct waiter */
	bool asked;	    /* an approver has it */
	struct prompt *next;
};

struct approvals {
	struct approvals_owner owner;
	struct approvals_policy policy;
	struct ev_loop loop;
	struct approvals_memory memory;
	struct prompt *first; /* in the order in which they came */
	size_t prompts, asked, waiting;
	uint64_t last_prompt, last_waiter;
	int64_t tokens; /* thousandths of a prompt that may be shown */
	int64_t filled_ms;
};

/* ---- answers of the engine's own --------------------------------------------------------------------------------- */

static struct approval_answer denial(const char *reason)
{
	struct approval_answer answer = {.by = "berm"};
	(void)snprintf(answer.reason, sizeof answer.reason, "%s", reason);
	return answer;
}

static uint64_t answer_at_once(approvals_done done, void *ctx, const struct approval_answer *answer)
{
	done(ctx, answer);
	return 0;
}

static int64_t now_of(const struct approvals *approvals)
{
	return approvals->owner.now_ms != NULL ? approvals->owner.now_ms() : ev_now_ms();
}

static void note(const struct approvals *approvals, const struct approval_note *note)
{
	if (approvals->owner.note != NULL)
		approvals->owner.note(approvals->owner.ctx, note);
}

/* ---- prompts ----------------------------------------------------------------------------------------------------- */

static void prompt_free(struct prompt *prompt)
{
	if (prompt == NULL)
		return;
	arena_done(&prompt->texts);
	vec_done(&prompt->waiters);
	free(prompt);
}

/* The folder that would be allowed with the object; none that holds the whole home folder. */
static bool find_folder(const struct approvals *approvals, struct prompt *prompt)
{
	const struct approval_question *question = &prompt->shown.question;
	struct str path = str_from(question->object);
	if (question->kind != APPROVAL_FILE || !str_starts(path, STR("/")))
		return true;
	while (!S_ISDIR(question->mode) && path.len > 1 && path.ptr[path.len - 1] != '/')
		path.len--;
	path.len -= !S_ISDIR(question->mode) && path.len > 1;
	const char *home = approvals->owner.home;
	if (path.len <= 1 || (home != NULL && path_is_in(str_from(home), path)))
		return true;
	prompt->shown.folder = arena_text(&prompt->texts, path);
	return prompt->shown.folder != NULL;
}

static bool copy_texts(struct prompt *prompt, const struct approval_question *from)
{
	struct approval_question *to = &prompt->shown.question;
	const struct {
		const char *from, **to;
	} texts[] = {
		{from->op, &to->op},	     {from->object, &to->object}, {from->as, &to->as},
		{from->exe, &to->exe},	     {from->host, &to->host},	  {from->method, &to->method},
		{from->target, &to->target}, {from->rule, &to->rule},	  {from->reason, &to->reason},
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (texts[i].from != NULL)
			*texts[i].to = arena_text(&prompt->texts, str_from(texts[i].from));
		if (texts[i].from != NULL && *texts[i].to == NULL)
			return false;
	}
	return true;
}

/* NULL: memory is out. */
static struct prompt *prompt_new(struct approvals *approvals, const struct approval_question *question, int64_t now_ms)
{
	struct prompt *prompt = calloc(1, sizeof *prompt);
	if (prompt == NULL)
		return NULL;
	arena_init(&prompt->texts, TEXTS_MAX);
	vec_init(&prompt->waiters, sizeof(struct waiter), APPROVALS_MAX_WAITING);
	prompt->shown.question = *question;
	prompt->shown.session = approvals->owner.session;
	prompt->shown.asked_ms = now_ms;
	if (!copy_texts(prompt, question) || !find_folder(approvals, prompt)) {
		prompt_free(prompt);
		return NULL;
	}
	prompt->shown.id = ++approvals->last_prompt;
	return prompt;
}

static void enqueue(struct approvals *approvals, struct prompt *prompt)
{
	struct prompt **end = &approvals->first;
	while (*end != NULL)
		end = &(*end)->next;
	*end = prompt;
	approvals->prompts++;
}

/* Out of the line: nobody finds it from then on. */
static void unlink_prompt(struct approvals *approvals, struct prompt *prompt)
{
	struct prompt **at = &approvals->first;
	while (*at != prompt)
		at = &(*at)->next;
	*at = prompt->next;
	prompt->next = NULL;
	approvals->prompts--;
	approvals->asked -= prompt->asked;
	approvals->waiting -= prompt->waiters.len;
}

static void withdraw_prompt(const struct approvals *approvals, const struct prompt *prompt)
{
	struct approver *approver = approvals->policy.approver;
	if (prompt->asked && approver != NULL)
		approver->kind->withdraw(approver, prompt->shown.id);
}

static struct prompt *find_prompt(const struct approvals *approvals, uint64_t id)
{
	struct prompt *prompt = approvals->first;
	while (prompt != NULL && prompt->shown.id != id)
		prompt = prompt->next;
	return prompt;
}

/* ---- what an answer does ----------------------------------------------------------------------------------------- */

/* Everyone who waits gets it; the prompt is gone. */
static void settle(struct approvals *approvals, struct prompt *prompt, const struct approval_answer *answer)
{
	unlink_prompt(approvals, prompt);
	for (size_t i = 0; i < prompt->waiters.len; i++) {
		const struct waiter *waiter = vec_at(&prompt->waiters, i);
		waiter->done(waiter->ctx, answer);
	}
	prompt_free(prompt);
}

/* What waits and is covered by now. From the front again each time: those who are told may ask and withdraw. */
static void settle_covered(struct approvals *approvals)
{
	for (struct prompt *prompt = approvals->first; prompt != NULL;) {
		const struct approval_answer *found =
			approvals_memory_find(&approvals->memory, &prompt->shown.question, now_of(approvals));
		if (found == NULL) {
			prompt = prompt->next;
			continue;
		}
		const struct approval_answer answer = *found;
		const struct approval_note told = {
			.event = APPROVAL_ANSWERED, .prompt = &prompt->shown, .answer = &answer};
		note(approvals, &told);
		withdraw_prompt(approvals, prompt);
		settle(approvals, prompt, &answer);
		prompt = approvals->first;
	}
}

/* Writes it down, or remembers it; what did not succeed is told. */
static void keep_answer(struct approvals *approvals, const struct prompt *prompt, struct approval_answer *answer)
{
	struct berm_err err = {0};
	struct approval_note told = {.event = APPROVAL_ANSWERED, .prompt = &prompt->shown, .answer = answer};
	char text[sizeof err.msg] = "";
	answer->extent = approvals_memory_extent(&prompt->shown, answer->extent);
	if (answer->scope == APPROVAL_ALWAYS) {
		const struct approvals_owner *owner = &approvals->owner;
		answer->for_ms = 0;
		if (owner->keep == NULL)
			(void)err_set(&err, BERM_ERR_NOTFOUND, "there is no place for it");
		else if (owner->keep(owner->ctx, &prompt->shown, answer, &told.kept, &err) != BERM_OK)
			told.kept = NULL;
		if (told.kept == NULL) {
			(void)snprintf(text, sizeof text, "for this session alone: %.200s", err.msg);
			answer->scope = APPROVAL_SESSION;
		}
	}
	if (answer->scope != APPROVAL_ONCE &&
	    approvals_memory_put(&approvals->memory, &prompt->shown, answer, now_of(approvals), &err) != BERM_OK) {
		(void)snprintf(text, sizeof text, "%s: %.200s",
			       told.kept != NULL ? "not before the policy is loaded" : "for this once alone", err.msg);
		answer->scope = told.kept != NULL ? APPROVAL_ALWAYS : APPROVAL_ONCE;
	}
	told.not_kept = text[0] != '\0' ? text : NULL;
	note(approvals, &told);
}

static void take_answer(void *ctx, struct approver *from, uint64_t id, const struct approval_answer *given)
{
	struct approvals *approvals = ctx;
	struct prompt *prompt = find_prompt(approvals, id);
	struct approval_answer answer = *given;
	if (from != approvals->policy.approver || prompt == NULL || !prompt->asked)
		return;
	keep_answer(approvals, prompt, &answer);
	settle(approvals, prompt, &answer);
	if (answer.scope != APPROVAL_ONCE)
		settle_covered(approvals);
}

/* ---- showing ----------------------------------------------------------------------------------------------------- */

static int64_t rate_of(const struct approvals *approvals)
{
	return approvals->policy.rate > 0 ? approvals->policy.rate : APPROVALS_RATE;
}

/* Prompts that are shown in one second are so many thousandths of one in a millisecond. */
static void fill_bucket(struct approvals *approvals, int64_t now_ms)
{
	int64_t most = (int64_t)APPROVALS_BURST * TOKEN, passed = now_ms - approvals->filled_ms;
	int64_t full_ms = most / rate_of(approvals) + 1;
	approvals->tokens += (passed < full_ms ? passed : full_ms) * rate_of(approvals);
	if (approvals->tokens > most)
		approvals->tokens = most;
	approvals->filled_ms = now_ms;
}

static bool has_room(const struct approvals *approvals)
{
	const struct approver *approver = approvals->policy.approver;
	return approver != NULL && (approver->kind->room == 0 || approvals->asked < approver->kind->room);
}

static struct prompt *next_to_show(const struct approvals *approvals)
{
	struct prompt *prompt = approvals->first;
	while (prompt != NULL && prompt->asked)
		prompt = prompt->next;
	return prompt;
}

static void show(struct approvals *approvals, struct prompt *prompt, int64_t now_ms)
{
	struct approver *approver = approvals->policy.approver;
	struct approval_note told = {.event = APPROVAL_ASKED, .prompt = &prompt->shown};
	struct berm_err err;
	int64_t timeout = approvals->policy.timeout_ms > 0 ? approvals->policy.timeout_ms : APPROVALS_TIMEOUT_MS;
	prompt->shown.until_ms = now_ms + timeout;
	prompt->asked = true;
	approvals->asked++;
	note(approvals, &told);
	if (approver->kind->ask(approver, &prompt->shown, &err) == BERM_OK)
		return;
	struct approval_answer answer = denial("");
	(void)snprintf(answer.reason, sizeof answer.reason, "nobody could be asked: %.220s", err.msg);
	told = (struct approval_note){.event = APPROVAL_ANSWERED, .prompt = &prompt->shown, .answer = &answer};
	note(approvals, &told);
	settle(approvals, prompt, &answer);
}

static void show_next(struct approvals *approvals, int64_t now_ms)
{
	struct prompt *prompt;
	fill_bucket(approvals, now_ms);
	while (has_room(approvals) && approvals->tokens >= TOKEN && (prompt = next_to_show(approvals)) != NULL) {
		approvals->tokens -= TOKEN;
		show(approvals, prompt, now_ms);
	}
}

static bool expire_one(struct approvals *approvals, int64_t now_ms)
{
	struct prompt *prompt = approvals->first;
	while (prompt != NULL && (!prompt->asked || prompt->shown.until_ms > now_ms))
		prompt = prompt->next;
	if (prompt == NULL)
		return false;
	struct approval_answer answer = denial("nobody answered in time");
	const struct approval_note told = {.event = APPROVAL_EXPIRED, .prompt = &prompt->shown, .answer = &answer};
	note(approvals, &told);
	withdraw_prompt(approvals, prompt);
	settle(approvals, prompt, &answer);
	return true;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

enum berm_code approvals_new(const struct approvals_owner *owner, struct approvals **ret_approvals,
			     struct berm_err *err)
{
	struct approvals *approvals = calloc(1, sizeof *approvals);
	if (approvals == NULL)
		return err_set(err, BERM_ERR_NOMEM, "prepare for questions");
	enum berm_code code = ev_init(&approvals->loop, err);
	if (code != BERM_OK) {
		free(approvals);
		return code;
	}
	approvals->owner = *owner;
	approvals->tokens = (int64_t)APPROVALS_BURST * TOKEN;
	approvals->filled_ms = now_of(approvals);
	approvals_memory_init(&approvals->memory, APPROVALS_MAX_REMEMBERED);
	*ret_approvals = approvals;
	return BERM_OK;
}

static void settle_all(struct approvals *approvals, const struct approval_answer *answer)
{
	while (approvals->first != NULL) {
		struct prompt *prompt = approvals->first;
		const struct approval_note told = {
			.event = APPROVAL_ANSWERED, .prompt = &prompt->shown, .answer = answer};
		note(approvals, &told);
		withdraw_prompt(approvals, prompt);
		settle(approvals, prompt, answer);
	}
}

void approvals_free(struct approvals *approvals)
{
	if (approvals == NULL)
		return;
	const struct approval_answer answer = denial("the session ends");
	approvals->policy.mode = APPROVALS_DENY; /* whoever is told and asks again is denied */
	settle_all(approvals, &answer);
	approver_free(approvals->policy.approver);
	approvals_memory_done(&approvals->memory);
	ev_done(&approvals->loop);
	free(approvals);
}

void approvals_drop(struct approvals **approvals)
{
	approvals_free(*approvals);
	*approvals = NULL;
}

struct ev_loop *approvals_loop(struct approvals *approvals)
{
	return &approvals->loop;
}

void approvals_change(struct approvals *approvals, const struct approvals_policy *policy)
{
	for (struct prompt *prompt = approvals->first; prompt != NULL; prompt = prompt->next) {
		withdraw_prompt(approvals, prompt);
		prompt->asked = false;
		prompt->shown.until_ms = 0;
	}
	approvals->asked = 0;
	approver_free(approvals->policy.approver);
	approvals->policy = *policy;
	if (policy->approver != NULL) {
		policy->approver->answered = take_answer;
		policy->approver->ctx = approvals;
	}
	struct approval_answer answer = denial("the policy changed, and nobody can be asked");
	answer.verdict = policy->mode == APPROVALS_ALLOW ? BERM_VERDICT_ALLOW : BERM_VERDICT_DENY;
	if (policy->mode != APPROVALS_ASK || policy->approver == NULL)
		settle_all(approvals, &answer);
	else
		show_next(approvals, now_of(approvals));
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

static bool is_long(const char *text)
{
	return text != NULL && strnlen(text, APPROVAL_TEXT_MAX + 1) > APPROVAL_TEXT_MAX;
}

/* A question that cannot be shown whole is none. */
static const char *fault_of(const struct approvals *approvals, const struct approval_question *question)
{
	const char *const texts[] = {question->op,     question->object, question->as,
				     question->exe,    question->host,	 question->method,
				     question->target, question->rule,	 question->reason};
	if (question->op == NULL || question->object == NULL || question->object[0] == '\0')
		return "what is asked for has no name";
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (is_long(texts[i]))
			return "the question is too long to be shown";
	if (approvals->policy.mode == APPROVALS_DENY)
		return "what is to be asked is denied (approvals.mode)";
	return approvals->policy.mode == APPROVALS_ASK && approvals->policy.approver == NULL ? "nobody could be asked"
											     : NULL;
}

static struct prompt *find_equal(const struct approvals *approvals, const struct approval_question *question)
{
	struct prompt *prompt = approvals->first;
	while (prompt != NULL && !approvals_memory_same(&prompt->shown.question, question))
		prompt = prompt->next;
	return prompt;
}

/* The prompt that asks this, a new one if need be; NULL, with the reason: there can be none. */
static struct prompt *prompt_for(struct approvals *approvals, const struct approval_question *question,
				 const char **ret_fault)
{
	struct prompt *prompt = find_equal(approvals, question);
	*ret_fault = "too many questions wait for an answer";
	if (approvals->waiting >= APPROVALS_MAX_WAITING)
		return NULL;
	if (prompt != NULL || approvals->prompts >= APPROVALS_MAX_PROMPTS)
		return prompt;
	*ret_fault = "no memory to ask";
	prompt = prompt_new(approvals, question, now_of(approvals));
	if (prompt != NULL)
		enqueue(approvals, prompt);
	return prompt;
}

uint64_t approvals_ask(struct approvals *approvals, const struct approval_question *question, approvals_done done,
		       void *ctx)
{
	const struct approval_answer allowed = {.verdict = BERM_VERDICT_ALLOW, .by = "policy"};
	struct approval_answer answer;
	const char *fault = fault_of(approvals, question);
	if (fault == NULL && approvals->policy.mode == APPROVALS_ALLOW)
		return answer_at_once(done, ctx, &allowed);
	const struct approval_answer *found =
		fault == NULL ? approvals_memory_find(&approvals->memory, question, now_of(approvals)) : NULL;
	if (found != NULL) {
		answer = *found; /* done may ask, and that moves it */
		return answer_at_once(done, ctx, &answer);
	}
	const struct waiter waiter = {.id = approvals->last_waiter + 1, .done = done, .ctx = ctx};
	struct prompt *prompt = fault == NULL ? prompt_for(approvals, question, &fault) : NULL;
	if (prompt == NULL || vec_push(&prompt->waiters, &waiter, NULL) != BERM_OK) {
		if (prompt != NULL && prompt->waiters.len == 0) {
			unlink_prompt(approvals, prompt);
			prompt_free(prompt);
			fault = "no memory to ask";
		}
		answer = denial(fault);
		return answer_at_once(done, ctx, &answer);
	}
	approvals->last_waiter++;
	approvals->waiting++;
	prompt->shown.waiting = prompt->waiters.len;
	return waiter.id;
}

static bool forget_waiter(struct prompt *prompt, uint64_t id)
{
	for (size_t i = 0; i < prompt->waiters.len; i++) {
		if (((const struct waiter *)vec_at(&prompt->waiters, i))->id != id)
			continue;
		vec_remove(&prompt->waiters, i);
		prompt->shown.waiting = prompt->waiters.len;
		return true;
	}
	return false;
}

void approvals_withdraw(struct approvals *approvals, uint64_t id)
{
	struct prompt *prompt = approvals->first;
	while (prompt != NULL && !forget_waiter(prompt, id))
		prompt = prompt->next;
	if (prompt == NULL)
		return;
	approvals->waiting--;
	if (prompt->waiters.len > 0)
		return;
	const struct approval_note told = {.event = APPROVAL_WITHDRAWN, .prompt = &prompt->shown};
	if (prompt->asked) /* what was never shown is not told of either */
		note(approvals, &told);
	withdraw_prompt(approvals, prompt);
	unlink_prompt(approvals, prompt);
	prompt_free(prompt);
}

/* ---- the loop ---------------------------------------------------------------------------------------------------- */

int approvals_fd(const struct approvals *approvals)
{
	return approvals->loop.epoll_fd;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < 0 || b < a ? b : a;
}

/* Until the next prompt may be shown; -1: none waits for that. */
static int64_t hold_ms(const struct approvals *approvals, int64_t now_ms)
{
	if (!has_room(approvals) || next_to_show(approvals) == NULL)
		return -1;
	int64_t missing = TOKEN - approvals->tokens, rate = rate_of(approvals);
	int64_t left = missing > 0 ? (missing + rate - 1) / rate - (now_ms - approvals->filled_ms) : 0;
	return left > 0 ? left : 0;
}

int approvals_timeout_ms(const struct approvals *approvals)
{
	int64_t now_ms = now_of(approvals), least = hold_ms(approvals, now_ms);
	for (const struct prompt *prompt = approvals->first; prompt != NULL; prompt = prompt->next) {
		int64_t left = prompt->shown.until_ms - now_ms;
		if (prompt->asked)
			least = sooner(least, left > 0 ? left : 0);
	}
	int64_t loop = ev_timeout_ms(&approvals->loop);
	if (loop >= 0)
		least = sooner(least, loop);
	return least < INT_MAX ? (int)least : INT_MAX;
}

void approvals_run(struct approvals *approvals)
{
	if (ev_turn(&approvals->loop, 0, NULL) != BERM_OK) /* then nobody is heard, and what waits expires */
		approvals->filled_ms = now_of(approvals);
	while (expire_one(approvals, now_of(approvals)))
		continue;
	show_next(approvals, now_of(approvals));
}

const struct approval_prompt *approvals_prompt(const struct approvals *approvals, size_t index)
{
	const struct prompt *prompt = approvals->first;
	for (; prompt != NULL && index > 0; index--)
		prompt = prompt->next;
	return prompt != NULL ? &prompt->shown : NULL;
}
