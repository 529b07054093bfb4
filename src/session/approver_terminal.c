#include "session/approver_terminal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "ui/prompt.h"

enum { TICK_MS = 1000, EFFECT_SIZE = 24, SHOWN_LINES = 12 };

struct terminal_approver {
	struct approver approver;
	struct pty *pty;
	const char *who;
	bool colour, ready;
	const struct approval_prompt *prompt; /* NULL: nothing is asked */
	struct ev_source tick;
	struct ev_source settle; /* an answer that is given outside of the call that brought its key */
	enum prompt_answer answer;
};

static struct terminal_approver *self_of(struct approver *approver)
{
	return (struct terminal_approver *)approver;
}

/* ---- drawing -------------------------------------------------------------------------------------------------------- */

/* "READ": in capitals, for it is what matters. */
static void put_effect(const char *op, char ret_effect[static EFFECT_SIZE])
{
	size_t i = 0;
	for (; op[i] != '\0' && i + 1 < EFFECT_SIZE; i++)
		ret_effect[i] = (char)toupper((unsigned char)op[i]);
	ret_effect[i] = '\0';
}

static bool is_ascii(const char *text)
{
	for (; text != NULL && *text != '\0'; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

static unsigned seconds_left(const struct approval_prompt *prompt)
{
	int64_t left_ms = prompt->until_ms - ev_now_ms();
	return left_ms > 0 ? (unsigned)((left_ms + TICK_MS - 1) / TICK_MS) : 0;
}

static void draw(void *ctx, const struct pty_size *size, struct buf *out)
{
	const struct terminal_approver *self = ctx;
	const struct approval_question *question = &self->prompt->question;
	char effect[EFFECT_SIZE];
	put_effect(question->op, effect);
	const struct prompt_view view = {
		.effect = effect,
		.object = question->object,
		.as = question->as,
		.program = question->exe,
		.pid = question->pid,
		.rule = question->rule,
		.reason = question->reason,
		.session = self->prompt->session,
		.folder = self->prompt->folder,
		.waiting = self->prompt->waiting,
		.seconds_left = seconds_left(self->prompt),
		.keys = self->ready,
	};
	bool narrow = is_ascii(view.object) && is_ascii(view.as) && is_ascii(view.program) && is_ascii(view.reason) &&
		      is_ascii(view.folder);
	size_t columns = (size_t)size->columns, rows = (size_t)size->rows; /* others may take two columns each */
	(void)prompt_print(&view, narrow ? columns : columns / 2, rows < SHOWN_LINES ? rows : SHOWN_LINES, self->colour,
			   out);
}

static void on_ready(void *ctx)
{
	struct terminal_approver *self = ctx;
	self->ready = true;
	pty_redraw(self->pty);
}

/* ---- answers --------------------------------------------------------------------------------------------------------- */

static const struct {
	enum berm_verdict verdict;
	enum approval_scope scope;
	enum approval_extent extent;
} meanings[] = {
	[PROMPT_NOTHING] = {BERM_VERDICT_DENY, APPROVAL_ONCE, APPROVAL_OBJECT},
	[PROMPT_NO] = {BERM_VERDICT_DENY, APPROVAL_ONCE, APPROVAL_OBJECT},
	[PROMPT_NEVER] = {BERM_VERDICT_DENY, APPROVAL_ALWAYS, APPROVAL_OBJECT},
	[PROMPT_ONCE] = {BERM_VERDICT_ALLOW, APPROVAL_ONCE, APPROVAL_OBJECT},
	[PROMPT_SESSION] = {BERM_VERDICT_ALLOW, APPROVAL_SESSION, APPROVAL_OBJECT},
	[PROMPT_ALWAYS] = {BERM_VERDICT_ALLOW, APPROVAL_ALWAYS, APPROVAL_OBJECT},
	[PROMPT_FOLDER] = {BERM_VERDICT_ALLOW, APPROVAL_SESSION, APPROVAL_FOLDER},
};

static void take_down(struct terminal_approver *self)
{
	self->prompt = NULL;
	self->ready = false;
	ev_set_deadline(&self->tick, EV_NEVER);
	ev_set_deadline(&self->settle, EV_NEVER);
	pty_undraw(self->pty);
}

/* The terminal's own call is over by then: what it is told by the answer may draw the next question. */
static void on_settle(struct ev_source *source, uint32_t events)
{
	struct terminal_approver *self =
		(struct terminal_approver *)(void *)((char *)source - offsetof(struct terminal_approver, settle));
	struct approver *approver = &self->approver;
	struct approval_answer answer = {.verdict = meanings[self->answer].verdict,
					 .scope = meanings[self->answer].scope,
					 .extent = meanings[self->answer].extent,
					 .by = "terminal"};
	(void)events;
	if (self->prompt == NULL)
		return;
	uint64_t id = self->prompt->id;
	(void)snprintf(answer.who, sizeof answer.who, "%s", self->who);
	take_down(self);
	approver->answered(approver->ctx, approver, id, &answer);
}

static void on_key(void *ctx, uint32_t key)
{
	struct terminal_approver *self = ctx;
	enum prompt_answer answer = prompt_answer_of(key, self->prompt->folder != NULL);
	if (answer == PROMPT_NOTHING || self->answer != PROMPT_NOTHING)
		return;
	self->answer = answer;
	ev_set_deadline(&self->settle, 0);
}

static void on_tick(struct ev_source *source, uint32_t events)
{
	struct terminal_approver *self =
		(struct terminal_approver *)(void *)((char *)source - offsetof(struct terminal_approver, tick));
	(void)events;
	if (self->prompt == NULL)
		return;
	ev_set_deadline(&self->tick, TICK_MS);
	pty_redraw(self->pty);
}

/* ---- the interface --------------------------------------------------------------------------------------------------- */

static enum berm_code terminal_ask(struct approver *approver, const struct approval_prompt *prompt,
				   struct berm_err *err)
{
	struct terminal_approver *self = self_of(approver);
	const struct pty_drawer drawer = {.ctx = self, .draw = draw, .ready = on_ready, .key = on_key};
	if (self->prompt != NULL)
		return err_set(err, BERM_ERR_LIMIT, "the terminal shows another question");
	self->prompt = prompt;
	self->answer = PROMPT_NOTHING;
	self->ready = false;
	if (!pty_draw(self->pty, &drawer)) {
		self->prompt = NULL;
		return err_set(err, BERM_ERR_LIMIT, "the terminal shows something else");
	}
	ev_set_deadline(&self->tick, TICK_MS);
	return BERM_OK;
}

static void terminal_withdraw(struct approver *approver, uint64_t id)
{
	struct terminal_approver *self = self_of(approver);
	if (self->prompt != NULL && self->prompt->id == id)
		take_down(self);
}

static void terminal_free(struct approver *approver)
{
	struct terminal_approver *self = self_of(approver);
	if (self->prompt != NULL)
		take_down(self);
	ev_remove(&self->tick);
	ev_remove(&self->settle);
	free(self);
}

static const struct approver_kind terminal_kind = {
	.name = "terminal", .room = 1, .ask = terminal_ask, .withdraw = terminal_withdraw, .free = terminal_free};

enum berm_code approver_terminal_new(struct ev_loop *loop, struct pty *pty, const char *who, bool colour,
				     struct approver **ret_approver, struct berm_err *err)
{
	struct terminal_approver *self = calloc(1, sizeof *self);
	if (self == NULL)
		return err_set(err, BERM_ERR_NOMEM, "prepare for questions on the terminal");
	*self = (struct terminal_approver){
		.approver = {.kind = &terminal_kind, .loop = loop}, .pty = pty, .who = who, .colour = colour};
	ev_add_timer(loop, &self->tick, on_tick);
	ev_add_timer(loop, &self->settle, on_settle);
	*ret_approver = &self->approver;
	return BERM_OK;
}
