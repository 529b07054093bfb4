#include "session/why.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/own.h"
#include "format/path.h"
#include "policy/policy_answer.h"
#include "policy/question.h"
#include "sandbox/plan_paths.h"
#include "session/insight.h"
#include "session/why_await.h"

enum { READ_BIT = 4, WRITE_BIT = 2, RUN_BIT = 1 };

struct why {
	const struct run *run;
	struct berm_plan plan; /* the run's, with the scratch folders that there will be */
	struct plan_scratch *scratches;
	struct floor_places places;
	struct learn_policy *rules;
	struct policy_answer_context lines;
	struct policy_index *index; /* NULL: nothing was asked yet that needs it */
	struct insight insight;
	struct insight_place place, folder;
};

/* ---- made -------------------------------------------------------------------------------------------------------- */

static bool is_in_another(const struct berm_plan *plan, const struct plan_scratch *scratch, const char *from)
{
	for (size_t i = 0; i < plan->scratch_count; i++) {
		const char *other = plan->scratches[i].path;
		if (strlen(other) < strlen(scratch->path) && strlen(other) >= strlen(from) &&
		    path_is_in(str_from(scratch->path), str_from(other)))
			return true;
	}
	return false;
}

/* view.c makes no folder where the machine's are seen, in the visible view or in a grant, nor in one of the empty ones. */
static bool will_be_there(const struct berm_plan *plan, const struct plan_scratch *scratch)
{
	const struct plan_grant *grant = plan_grant_at(plan, str_from(scratch->path));
	if (plan->hidden && grant == NULL)
		return true;
	if (!plan->hidden && is_in_another(plan, scratch, grant != NULL ? grant->path : ""))
		return false;
	return access(scratch->path, F_OK) == 0;
}

static enum berm_code set_plan(struct why *why, struct berm_err *err)
{
	const struct berm_plan *plan = run_plan(why->run);
	why->plan = *plan;
	why->plan.scratch_count = 0;
	why->plan.scratches = why->scratches = calloc(plan->scratch_count + 1, sizeof(*why->scratches));
	if (why->scratches == NULL)
		return err_set(err, BERM_ERR_NOMEM, "answer a question");
	for (size_t i = 0; i < plan->scratch_count; i++)
		if (will_be_there(plan, &plan->scratches[i]))
			why->scratches[why->plan.scratch_count++] = plan->scratches[i];
	return BERM_OK;
}

enum berm_code why_new(const struct run *run, struct why **ret_why, struct berm_err *err)
{
	auto_why struct why *why = calloc(1, sizeof(*why));
	if (why == NULL)
		return err_set(err, BERM_ERR_NOMEM, "answer a question");
	why->run = run;
	why->places = floor_places_of(run_input(run));
	TRY(set_plan(why, err));
	TRY(learn_policy_new(run_policy(run), &why->places, &why->rules, err));
	why->lines = (struct policy_answer_context){run_policy(run), why->rules};
	insight_init(&why->insight, &why->plan);
	*ret_why = take(why);
	return BERM_OK;
}

void why_free(struct why *why)
{
	if (why == NULL)
		return;
	learn_policy_free(why->rules);
	policy_index_free(why->index);
	free(why->scratches);
	free(why);
}

void why_drop(struct why **why)
{
	why_free(*why);
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

static void set_text(struct policy_verdict *verdict, const char *rule, const char *text)
{
	verdict->rule = rule;
	(void)snprintf(verdict->text, sizeof(verdict->text), "%.*s", (int)sizeof(verdict->text) - 1, text);
}

static void set_entry(struct policy_verdict *verdict, const struct policy_entry *entry)
{
	verdict->by = entry;
	set_text(verdict, policy_keys[entry->line->key].path, entry->text);
}

/* The line of a grant: the longest that gives what is needed. */
static void set_grant(const struct why *why, const char *path, unsigned needs, struct policy_verdict *verdict)
{
	const struct berm_plan *plan = &why->plan;
	const struct plan_line *best = NULL;
	const struct policy_entry *entry = NULL;
	const char *words = NULL;
	for (size_t i = 0; i < plan->line_count; i++) {
		const struct plan_line *line = &plan->lines[i];
		bool gives = line->kind == PLAN_LINE_GRANT && line->path != NULL && (needs & ~line->rights) == 0;
		if (gives && path_is_in(str_from(path), str_from(line->path)) &&
		    (best == NULL || strlen(line->path) > strlen(best->path)))
			best = line;
	}
	if (best != NULL)
		run_origin(why->run, best->line, &entry, &words);
	if (entry != NULL)
		set_entry(verdict, entry);
	else
		set_text(verdict, "granted", words != NULL ? words : best != NULL ? best->line : "the plan");
}

static void set_rule(const struct why *why, const struct plan_rule *rule, const char *path,
		     struct policy_verdict *verdict)
{
	const struct policy_entry *entry = policy_find_rule(run_policy(why->run), rule->label, path);
	if (entry == NULL) {
		set_text(verdict, "closed", rule->label);
		return;
	}
	set_entry(verdict, entry);
	if (verdict->answer == ANSWER_DENY && entry->line->key == KEY_ASK)
		verdict->answer = ANSWER_ASK;
}

/* What would let it pass. */
static void suggest(const struct policy_question *question, const char *path, struct policy_verdict *verdict)
{
	static const char *const flags[] = {
		[POLICY_OP_READ] = "-r",   [POLICY_OP_LIST] = "-r",   [POLICY_OP_WRITE] = "-w",
		[POLICY_OP_CREATE] = "-w", [POLICY_OP_DELETE] = "-w", [POLICY_OP_EXEC] = "-x"};
	const struct policy_entry *by = verdict->by;
	bool closes = by != NULL && (by->line->key == KEY_DENY || by->line->key == KEY_PROTECT);
	if (closes && by->layer == LAYER_GROUP)
		(void)snprintf(verdict->grant, sizeof(verdict->grant),
			       "override: [{path: %.300s, why: ...}] in your own policy", by->text);
	else if (by == NULL || by->line->key == KEY_FS_DEFAULT)
		(void)snprintf(verdict->grant, sizeof(verdict->grant), "%s %.400s", flags[question->op], path);
}

/* ---- what the lines say ------------------------------------------------------------------------------------------ */

/* Where no grant reaches. A line that grants it all the same gave way to another when capabilities were made. */
static enum berm_code ask_lines(struct why *why, const struct policy_question *question, const char *path,
				struct policy_verdict *verdict, struct berm_err *err)
{
	struct policy_question there = *question;
	there.path = path;
	TRY(policy_answer(&why->lines, &there, verdict, err));
	bool closed = verdict->answer == ANSWER_DENY && verdict->by == NULL && strcmp(verdict->rule, "closed") == 0;
	if (verdict->answer != ANSWER_ALLOW && !closed)
		suggest(question, path, verdict);
	return BERM_OK;
}

static enum berm_code set_ungranted(struct why *why, const struct policy_question *question, const char *path,
				    struct policy_verdict *verdict, struct berm_err *err)
{
	TRY(ask_lines(why, question, path, verdict, err));
	if (verdict->answer != ANSWER_ALLOW)
		return BERM_OK;
	verdict->answer = ANSWER_DENY;
	verdict->by = NULL;
	set_text(verdict, "default", "no grant reaches it");
	return BERM_OK;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static const uint8_t plan_ops[] = {
	[POLICY_OP_READ] = PLAN_OP_READ,     [POLICY_OP_LIST] = PLAN_OP_LIST,	  [POLICY_OP_WRITE] = PLAN_OP_WRITE,
	[POLICY_OP_CREATE] = PLAN_OP_CREATE, [POLICY_OP_DELETE] = PLAN_OP_DELETE, [POLICY_OP_EXEC] = PLAN_OP_EXEC};
static const uint8_t needs_of[] = {
	[POLICY_OP_READ] = BERM_READ,	 [POLICY_OP_LIST] = BERM_READ,	   [POLICY_OP_WRITE] = BERM_WRITE,
	[POLICY_OP_CREATE] = BERM_WRITE, [POLICY_OP_DELETE] = BERM_DELETE, [POLICY_OP_EXEC] = BERM_EXEC};
static const uint8_t bits_of[] = {[POLICY_OP_READ] = READ_BIT,
				  [POLICY_OP_LIST] = READ_BIT,
				  [POLICY_OP_WRITE] = WRITE_BIT,
				  [POLICY_OP_EXEC] = RUN_BIT};

static bool is_beside(void *ctx, struct str folder, const char *name)
{
	return insight_exists(ctx, folder, name);
}

/* What the kernel finds before anything is asked for rights, or after all rights were found. 0: nothing. */
static int errno_before(enum policy_op op, const struct insight_place *place)
{
	const mode_t type = place->st.st_mode & S_IFMT;
	if (place->error != 0)
		return op == POLICY_OP_CREATE && place->error == ENOENT && place->last ? 0 : place->error;
	if (op == POLICY_OP_CREATE && type != 0)
		return EEXIST;
	if (op == POLICY_OP_LIST && type != S_IFDIR && type != 0)
		return ENOTDIR;
	return op == POLICY_OP_WRITE && type == S_IFDIR ? EISDIR : 0;
}

static bool see_one(void *arg, struct str name, enum seen seen)
{
	(void)name;
	(void)seen;
	*(bool *)arg = false;
	return false;
}

static bool is_empty(const char *path)
{
	bool empty = true;
	(void)plan_eyes_real.list(plan_eyes_real.ctx, path, see_one, &empty);
	return empty;
}

/* The machine's own permissions, which bind inside as well. The text of a refusal, or NULL. */
static const char *refused_by_modes(struct why *why, enum policy_op op)
{
	const struct insight_place *place = &why->place;
	if (op != POLICY_OP_CREATE && op != POLICY_OP_DELETE)
		return place->st.st_mode == 0 || insight_may(&why->insight, &place->st, bits_of[op])
			       ? NULL
			       : "its own permissions";
	struct str folder = path_parent(str_from(place->path));
	(void)snprintf(why->insight.text, sizeof(why->insight.text), "%.*s/", (int)folder.len, folder.ptr);
	insight_find(&why->insight, why->insight.text, true, &why->folder);
	const struct stat *st = &why->folder.st;
	if (why->folder.sight != SIGHT_REAL)
		return NULL;
	if (!insight_may(&why->insight, st, WRITE_BIT | RUN_BIT))
		return "the permissions of its folder";
	bool sticky = op == POLICY_OP_DELETE && (st->st_mode & S_ISVTX) != 0 && st->st_uid != why->insight.uid;
	return sticky && place->st.st_uid != why->insight.uid ? "the sticky folder, and whose it is" : NULL;
}

/* What rules wait for, and the machine has there, is not there in a folder of the sandbox's own. */
static bool is_own_folder(const struct why *why)
{
	return why->place.sight == SIGHT_OWN && why->plan.backend == BERM_BACKEND_NAMESPACES;
}

/* Allowed by the plan: what may still be in the way. */
static enum berm_code check_rest(struct why *why, const struct policy_question *question, struct why_answer *answer,
				 struct berm_err *err)
{
	struct insight_place *place = &why->place;
	struct policy_verdict *verdict = &answer->verdict;
	const struct plan_rule *rule = NULL;
	if (question->op == POLICY_OP_CREATE && !is_own_folder(why))
		TRY(why_await(&why->plan, place->path, &rule, err));
	if (rule != NULL) {
		verdict->answer = ANSWER_DENY;
		set_rule(why, rule, place->path, verdict);
		return BERM_OK;
	}
	const char *refused = refused_by_modes(why, question->op);
	if (refused == NULL && answer->judged) /* a copy takes the place of the file */
		refused = refused_by_modes(why, POLICY_OP_CREATE);
	if (refused == NULL && question->op == POLICY_OP_EXEC && place->sight == SIGHT_REAL &&
	    !S_ISREG(place->st.st_mode))
		refused = "no file";
	if (refused != NULL) {
		verdict->answer = ANSWER_DENY;
		verdict->by = NULL;
		set_text(verdict, "machine", refused);
	} else if (question->op == POLICY_OP_DELETE && S_ISDIR(place->st.st_mode) && !is_empty(place->path)) {
		answer->error = ENOTEMPTY;
	}
	return BERM_OK;
}

static enum berm_code set_decision(struct why *why, const struct policy_question *question,
				   const struct plan_answer *decision, struct why_answer *answer, struct berm_err *err)
{
	const char *path = why->place.path;
	struct policy_verdict *verdict = &answer->verdict;
	*verdict = (struct policy_verdict){.answer = decision->allowed ? ANSWER_ALLOW : ANSWER_DENY};
	answer->judged = decision->allowed && decision->by != NULL;
	if (decision->by != NULL)
		set_rule(why, decision->by, path, verdict);
	else if (decision->why != NULL && decision->why[0] != '\0')
		set_text(verdict, decision->allowed ? "the sandbox's own" : "closed", decision->why);
	else if (decision->allowed)
		set_grant(why, path, needs_of[question->op], verdict);
	else
		TRY(set_ungranted(why, question, path, verdict, err));
	if (!decision->allowed && decision->by != NULL)
		suggest(question, path, verdict);
	return decision->allowed ? check_rest(why, question, answer, err) : BERM_OK;
}

static enum berm_code ask_file(struct why *why, const struct policy_question *question, struct why_answer *answer,
			       struct berm_err *err)
{
	struct insight_place *place = &why->place;
	bool follow = question->op != POLICY_OP_CREATE && question->op != POLICY_OP_DELETE;
	insight_find(&why->insight, question->path, follow, place);
	memcpy(answer->path, place->path, sizeof(answer->path));
	answer->error = errno_before(question->op, place);
	if (answer->error == ENOENT)
		return ask_lines(why, question, place->path, &answer->verdict, err);
	const struct plan_condition condition = {is_beside, &why->insight};
	const struct plan_question asked = {
		.op = (enum plan_op)plan_ops[question->op],
		.path = str_from(place->path),
		.mode = place->st.st_mode,
		.condition = &condition,
	};
	struct plan_answer decision = plan_decide(&why->plan, &asked);
	if (decision.missing && answer->error == 0)
		answer->error = ENOENT;
	TRY(set_decision(why, question, &decision, answer, err));
	if (answer->error == EACCES && answer->verdict.answer == ANSWER_ALLOW) {
		answer->verdict = (struct policy_verdict){.answer = ANSWER_DENY};
		set_text(&answer->verdict, "machine", "the permissions of a folder on the way");
	}
	answer->error = answer->error == EACCES ? 0 : answer->error;
	return BERM_OK;
}

enum berm_code why_ask(struct why *why, const struct policy_question *question, struct why_answer *ret_answer,
		       struct berm_err *err)
{
	*ret_answer = (struct why_answer){0};
	if (question_is_file(question->op) && question->op != POLICY_OP_SOCKET)
		return ask_file(why, question, ret_answer, err);
	if (question->op == POLICY_OP_SOCKET)
		return policy_answer(&why->lines, question, &ret_answer->verdict, err);
	if (why->index == NULL)
		TRY(policy_index_new(run_policy(why->run), &why->index, err));
	policy_decide(why->index, question, &ret_answer->verdict);
	return BERM_OK;
}
