/* What a run's sandbox asks goes to the engine of questions, and its answers go back; who is asked comes from the policy. */
#include "session/run_state.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "format/json_out.h"
#include "session/approvals_keep.h"
#include "session/approver_build.h"

enum { SETTINGS_MAX = 64 * 1024, WORDS_MAX = 512, RULE_MAX = 512 };

/* An open request, until it is answered or withdrawn. */
struct asked {
	struct run *run;
	struct berm_request request;
	uint64_t id; /* of the engine */
	struct asked *next;
};

/* ---- events ------------------------------------------------------------------------------------------------------ */

static const char *const event_words[] = {
	[APPROVAL_ASKED] = "asked",
	[APPROVAL_ANSWERED] = "answered",
	[APPROVAL_EXPIRED] = "expired",
	[APPROVAL_WITHDRAWN] = "withdrawn",
};

static void fill_answer(const struct approval_note *note, struct event *event)
{
	const struct approval_answer *answer = note->answer;
	event->decided = true;
	event->verdict = answer->verdict;
	event->approval.scope = approval_scope_words[answer->scope];
	event->approval.extent = approval_extent_words[answer->extent];
	event->approval.by = answer->by;
	event->approval.who = answer->who;
	event->approval.kept = note->kept;
	event->detail = note->not_kept != NULL ? note->not_kept : answer->reason;
}

/* Where nobody but another terminal is asked, somebody has to be told of it. */
static void tell_once(struct run *run)
{
	char text[160];
	if (!run->by_control || run->request.tell == NULL)
		return;
	run->by_control = false;
	(void)snprintf(text, sizeof text, "something is asked: berm approve %s", run->journal.session);
	run->request.tell(text);
}

static void take_note(void *ctx, const struct approval_note *note)
{
	struct run *run = ctx;
	const struct approval_question *question = &note->prompt->question;
	struct event event = {
		.kind = EVENT_APPROVAL,
		.op = event_words[note->event],
		.object = {.path = question->object,
			   .as = question->as != NULL && strcmp(question->as, question->object) != 0 ? question->as
												     : NULL,
			   .dev = question->dev,
			   .ino = question->ino,
			   .mode = question->mode},
		.task = {.pid = question->pid, .exe = question->exe},
		.approval = {.id = note->prompt->id,
			     .kind = approval_kind_words[question->kind],
			     .op = question->op,
			     .waiting = note->prompt->waiting},
		.by = {.text = question->rule},
	};
	if (note->answer != NULL)
		fill_answer(note, &event);
	journal_put(&run->journal, &event);
	if (note->event == APPROVAL_ASKED)
		tell_once(run);
}

/* ---- the sandbox's requests -------------------------------------------------------------------------------------- */

static enum approval_kind kind_of(const struct berm_request *request)
{
	static const enum approval_kind kinds[] = {
		[BERM_REQUEST_FILE] = APPROVAL_FILE,
		[BERM_REQUEST_SOCKET] = APPROVAL_SOCKET,
		[BERM_REQUEST_NET] = APPROVAL_NET,
		[BERM_REQUEST_PROCESS] = APPROVAL_PROCESS,
	};
	return request->op == BERM_OP_EXEC ? APPROVAL_EXEC : kinds[request->kind];
}

static void forget(struct run *run, const struct asked *asked)
{
	struct asked **at = &run->open_requests;
	while (*at != NULL && *at != asked)
		at = &(*at)->next;
	if (*at != NULL)
		*at = asked->next;
}

void run_ask_words(const struct approval_answer *answer, char *ret_words, size_t size)
{
	const char *verdict = answer->verdict == BERM_VERDICT_ALLOW ? "allowed" : "denied";
	if (strcmp(answer->by, "berm") == 0) {
		(void)snprintf(ret_words, size, "%s", answer->reason);
		return;
	}
	(void)snprintf(ret_words, size, "%s by %s%s%s (%s)%s%s", verdict, answer->by, answer->who[0] != '\0' ? " " : "",
		       answer->who, approval_scope_words[answer->scope], answer->reason[0] != '\0' ? ": " : "",
		       answer->reason);
}

static void take_answer(void *ctx, const struct approval_answer *answer)
{
	struct asked *asked = ctx;
	struct run *run = asked->run;
	struct berm_request *request = &asked->request;
	const struct berm_decision decision = {.size = sizeof decision, .verdict = answer->verdict};
	char words[WORDS_MAX];
	/* One that is over is told as withdrawn, or the sandbox has ended. */
	if (berm_sandbox_answer(run->box, request->id, &decision, NULL) == BERM_OK) {
		run_ask_words(answer, words, sizeof words);
		request->open = false;
		request->time_ns = 0; /* it is decided now */
		request->verdict = answer->verdict;
		request->error = answer->verdict == BERM_VERDICT_ALLOW ? 0 : EACCES;
		run_put_request(run, request, words);
	}
	forget(run, asked);
	free(asked);
}

/* The policy's line, as it stands in a file; what libberm calls it, if it is none of the policy's. */
static void put_rule(const struct run *run, const struct berm_request *request, char ret_rule[static RULE_MAX])
{
	const struct policy_entry *entry = policy_find_rule(run->policy, request->rule, request->object);
	auto_buf struct buf text;
	buf_init(&text, RULE_MAX - 1);
	if (entry != NULL)
		policy_entry_text(entry, &text);
	bool whole = entry != NULL && buf_check(&text, NULL) == BERM_OK;
	(void)snprintf(ret_rule, RULE_MAX, "%s", whole ? text.data : request->rule);
}

static void ask(struct run *run, const struct berm_request *request)
{
	struct asked *asked = calloc(1, sizeof *asked);
	const struct berm_decision no = {.size = sizeof no, .verdict = BERM_VERDICT_DENY};
	if (asked == NULL) {
		if (berm_sandbox_answer(run->box, request->id, &no, NULL) == BERM_OK)
			run_put_request(run, request, "no memory to ask");
		return;
	}
	asked->run = run;
	asked->request = *request;
	request = &asked->request;
	asked->next = run->open_requests;
	run->open_requests = asked;
	char rule[RULE_MAX];
	put_rule(run, request, rule);
	const struct approval_question question = {
		.kind = kind_of(request),
		.op = event_op_word(request->op),
		.object = request->object[0] != '\0' ? request->object : request->as,
		.as = request->as,
		.exe = request->exe,
		.pid = request->pid,
		.dev = request->dev,
		.ino = request->ino,
		.mode = request->mode,
		.rule = rule,
	};
	uint64_t id = approvals_ask(run->approvals, &question, take_answer, asked);
	if (id != 0) /* else it is answered, and gone */
		asked->id = id;
}

void run_ask_take(struct run *run, const struct berm_request *request)
{
	struct asked *asked = run->open_requests;
	if (!request->withdrawn) {
		ask(run, request);
		return;
	}
	while (asked != NULL && asked->request.id != request->id)
		asked = asked->next;
	if (asked == NULL)
		return;
	approvals_withdraw(run->approvals, asked->id);
	forget(run, asked);
	free(asked);
}

/* ---- who is asked ------------------------------------------------------------------------------------------------ */

static enum berm_code keep(void *ctx, const struct approval_prompt *prompt, const struct approval_answer *answer,
			   const char **ret_file, struct berm_err *err)
{
	struct run *run = ctx;
	if (run->kept_in[0] == '\0')
		return err_set(err, BERM_ERR_NOTFOUND, "there is no folder for policies");
	TRY(approvals_keep(run->kept_in, prompt, answer, err));
	*ret_file = run->kept_in;
	return BERM_OK;
}

unsigned run_answerers(const struct run *run)
{
	char folder[PATH_MAX];
	enum berm_code code = control_folder(run->request.envp, run_text_or_null(run->home), folder, NULL);
	return (code == BERM_OK ? 1U << POLICY_APPROVER_CONTROL : 0) |
	       (run_has_person() ? 1U << POLICY_APPROVER_TERMINAL : 0);
}

/* The policy's lines about asking as one text: an answerer is made anew only if they differ. NULL: memory is out. */
static char *settings_text(const struct policy *policy)
{
	auto_buf struct buf text;
	buf_init(&text, SETTINGS_MAX);
	for (size_t i = 0; i < policy->count; i++) {
		const struct policy_entry *entry = &policy->entries[i];
		enum policy_key key = entry->line->key;
		bool setting =
			(key == KEY_APPROVALS_MODE || key == KEY_APPROVALS_TIMEOUT || key == KEY_APPROVALS_RATE) &&
			policy->setting[key] == entry;
		if (entry->off != NULL || (key != KEY_APPROVALS_BY && !setting))
			continue;
		policy_entry_text(entry, &text);
		buf_putc(&text, '\n');
	}
	buf_putc(&text, '\n');
	return buf_take(&text);
}

static enum berm_code set_policy(struct run *run, struct berm_err *err)
{
	struct approvals_policy policy;
	const struct approver_means means = {
		.loop = approvals_loop(run->approvals),
		.envp = run->request.envp,
		.desk = run->control != NULL ? &run->desk : NULL,
		.answerers = run->input.answerers,
		.pty = run->pty,
	};
	TRY(approver_build(run->policy, &means, &policy, err));
	run->by_control = policy.approver != NULL && strcmp(policy.approver->kind->name, "control") == 0;
	approvals_change(run->approvals, &policy);
	return BERM_OK;
}

void run_ask_change(struct run *run)
{
	const struct approvals_policy nobody = {.mode = APPROVALS_DENY};
	char *text = settings_text(run->policy);
	if (run->approvals == NULL || (text != NULL && run->asked_by != NULL && strcmp(text, run->asked_by) == 0)) {
		free(text);
		return;
	}
	free(run->asked_by);
	run->asked_by = text;
	if (set_policy(run, NULL) != BERM_OK)
		approvals_change(run->approvals, &nobody);
}

static void find_kept(struct run *run)
{
	const char *folder = sources_config_folder(run->sources);
	int len = folder != NULL ? snprintf(run->kept_in, sizeof run->kept_in, "%s/policy.yaml", folder) : 0;
	if (len < 0 || (size_t)len >= sizeof run->kept_in)
		run->kept_in[0] = '\0';
}

enum berm_code run_ask_begin(struct run *run, struct berm_err *err)
{
	const struct approvals_owner owner = {.ctx = run,
					      .keep = keep,
					      .note = take_note,
					      .session = run->journal.session,
					      .home = run_text_or_null(run->home)};
	find_kept(run);
	run->asked_by = settings_text(run->policy);
	if (run->asked_by == NULL)
		return err_set(err, BERM_ERR_NOMEM, "prepare for questions");
	TRY(approvals_new(&owner, &run->approvals, err));
	return set_policy(run, err);
}

void run_ask_end(struct run *run)
{
	approvals_drop(&run->approvals);
	approver_desk_done(&run->desk);
	free(run->asked_by);
	run->asked_by = NULL;
}

/* ---- the control socket ------------------------------------------------------------------------------------------ */

static void put_result(const struct berm_err *err, struct json_out *json)
{
	json_bool(json, "ok", err->code == BERM_OK);
	if (err->code != BERM_OK)
		json_text(json, "error", str_from(err->msg));
}

bool run_ask_control(struct run *run, const struct control_request *request, struct buf *answer)
{
	struct json_out json;
	struct berm_err err = {0};
	uint64_t id = 0;
	bool lists = strcmp(request->op, "approvals") == 0;
	if (!lists && strcmp(request->op, "approve") != 0)
		return false;
	if (!lists && str_u64(str_from(request->file), UINT64_MAX, &id, &err) == BERM_OK &&
	    approver_desk_answer(&run->desk, id, request->text, request->who, &err) == BERM_OK)
		err.code = BERM_OK;
	json_init(&json, answer);
	json_object(&json, NULL);
	put_result(&err, &json);
	json_text(&json, "session", str_from(run->journal.session));
	if (lists)
		approver_desk_put(&run->desk, ev_now_ms(), &json);
	json_object_end(&json);
	return true;
}
