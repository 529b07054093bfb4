#include "session/run_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

enum { MAX_TOLD = 200, TOLD_SIZE = 160 };

static enum berm_code remake(void *ctx, const char *file, struct str text, struct berm_plan **ret_plan,
			     struct problems *problems, struct berm_err *err)
{
	struct run *run = ctx;
	const struct generation_request request = {
		.sources = &run->asked,
		.input = &run->input,
		.facts = run->facts,
		.file = file,
		.text = text,
		.tell_all = run->request.tell_all,
		.untested = run->request.untested,
	};
	generation_done(&run->next);
	return generation_make(&request, &run->next, ret_plan, problems, err);
}

/* The next generation takes the place of the present one, which then is what goes. */
static void keep(void *ctx, bool in_force)
{
	struct run *run = ctx;
	struct generation old = {.sources = run->sources, .policy = run->policy, .caps = run->caps};
	if (!in_force)
		return;
	struct generation *next = &run->next;
	run->sources = next->sources;
	run->policy = next->policy;
	run->caps = next->caps;
	next->sources = old.sources;
	next->policy = old.policy;
	next->caps = old.caps;
	run->input.policy = run->policy;
	sources_tell_folders(run->sources, &run->input);
	run->journal.generation++;
	run_ask_change(run);
	run_net_reloaded(run);
}

/* The files that were read, and those that are read when they appear. */
static const char *watched_file(void *ctx, size_t index)
{
	const struct run *run = ctx;
	size_t read = 0;
	while (read <= index && sources_file(run->sources, read) != NULL)
		read++;
	if (read > index)
		return sources_file(run->sources, index);
	index -= read;
	for (size_t i = 0; i < ARRAY_LEN(run->watched); i++)
		if (run->watched[i] != NULL && index-- == 0)
			return run->watched[i];
	return NULL;
}

static char *path_in(const char *folder, const char *name)
{
	auto_buf struct buf path;
	buf_init(&path, PATH_MAX);
	if (folder == NULL)
		return NULL;
	buf_printf(&path, "%s/%s", folder, name);
	return buf_take(&path);
}

void run_watch_policy(struct run *run)
{
	const struct reload_maker maker = {
		.ctx = run, .make = remake, .keep = keep, .file = watched_file, .read = run->read};
	char folder[PATH_MAX];
	run->watched[0] = path_in(sources_config_folder(run->sources), "policy.yaml");
	run->watched[1] = path_in(run->workspace.path, ".berm.yaml");
	run->watched[2] = path_in("/etc/berm/policy.d", ""); /* all that is in it */
	if (reload_new(&maker, run->box, &run->reload, NULL) != BERM_OK)
		return;
	if (control_folder(run->request.envp, run_text_or_null(run->home), folder, NULL) == BERM_OK &&
	    control_open(folder, run->journal.session, &run->control, NULL) != BERM_OK)
		run->control = NULL;
}

static void tell(const struct run *run, const char *text)
{
	if (run->request.tell != NULL)
		run->request.tell(text);
}

/* "added read /srv: now" for each line that differs, as many as an event takes. */
static void put_changes(struct run *run, struct event *event)
{
	auto_free char *texts = calloc(MAX_TOLD, TOLD_SIZE);
	const char *told[MAX_TOLD + 1] = {NULL};
	struct berm_change change;
	size_t count = 0;
	for (; texts != NULL && count < MAX_TOLD && berm_sandbox_change(run->box, count, &change); count++) {
		told[count] = texts + count * TOLD_SIZE;
		(void)snprintf(texts + count * TOLD_SIZE, TOLD_SIZE, "%s %s: %s", change.added ? "added" : "removed",
			       change.line, reload_when(change.when));
	}
	event->changes = count > 0 ? told : NULL;
	journal_put(&run->journal, event);
}

static void put_reload(struct run *run, enum reload_outcome outcome, const struct berm_err *err)
{
	struct event event = {.kind = EVENT_POLICY, .op = outcome == RELOAD_DONE ? "reload" : "refuse"};
	char text[sizeof(err->msg) + 64];
	if (outcome == RELOAD_DONE) {
		put_changes(run, &event);
		return;
	}
	event.detail = err->msg;
	journal_put(&run->journal, &event);
	(void)snprintf(text, sizeof(text), "the policy in force stays: %s", err->msg);
	tell(run, text);
}

static void take_reload(struct run *run)
{
	struct berm_err err = {0};
	enum reload_outcome outcome = reload_next(run->reload, &err);
	if (outcome != RELOAD_NOTHING)
		put_reload(run, outcome, &err);
}

static void take_control(struct run *run)
{
	struct control_request request;
	while (control_next(run->control, &request)) {
		struct berm_err err = {0};
		auto_buf struct buf answer;
		buf_init(&answer, CONTROL_MAX);
		enum reload_outcome outcome = RELOAD_REFUSED;
		if (run_ask_control(run, &request, &answer)) {
			control_answer(run->control, buf_str(&answer));
			continue;
		}
		if (strcmp(request.op, "apply") == 0)
			outcome = reload_apply(run->reload, request.file, request.text, &err);
		else
			(void)err_set(&err, BERM_ERR_INVALID, "a session does not know '%.40s'", request.op);
		put_reload(run, outcome, &err);
		reload_report(run->reload, outcome == RELOAD_DONE ? NULL : &err, &answer);
		control_answer(run->control, buf_str(&answer));
	}
}

static int sooner(int a, int b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}
int run_change_timeout_ms(const struct run *run)
{
	int reload = run->reload != NULL ? reload_timeout_ms(run->reload) : -1;
	reload = sooner(reload, denials_timeout_ms(run->denials));
	reload = sooner(reload, approvals_timeout_ms(run->approvals));
	reload = sooner(reload, run_terminal_timeout_ms(run));
	return sooner(reload, run->control != NULL ? control_timeout_ms(run->control) : -1);
}

void run_take_changes(struct run *run, bool files, bool asked)
{
	if (run->reload != NULL && (files || reload_timeout_ms(run->reload) == 0))
		take_reload(run);
	if (run->control != NULL && (asked || control_timeout_ms(run->control) == 0))
		take_control(run);
}
