#include "session/approval_text.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "audit/event.h"
#include "base/own.h"
#include "format/node.h"

/* ---- questions --------------------------------------------------------------------------------------------------- */

static void put_text(struct json_out *json, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_text(json, key, str_from(text));
}

static void put_object(const struct approval_question *question, struct json_out *json)
{
	char device[32];
	json_object(json, "object");
	json_text(json, question->object[0] == '/' ? "path" : "address", str_from(question->object));
	if (question->as != NULL && strcmp(question->as, question->object) != 0)
		put_text(json, "as", question->as);
	if (question->ino != 0) {
		(void)snprintf(device, sizeof device, "%u:%u", major((dev_t)question->dev),
			       minor((dev_t)question->dev));
		json_text(json, "dev", str_from(device));
		json_u64(json, "ino", question->ino);
	}
	put_text(json, "type", event_type_word(question->mode));
	put_text(json, "host", question->host);
	if (question->port != 0)
		json_u64(json, "port", question->port);
	put_text(json, "method", question->method);
	put_text(json, "target", question->target);
	json_object_end(json);
}

static void put_task(const struct approval_question *question, struct json_out *json)
{
	json_object(json, "task");
	if (question->pid > 0)
		json_i64(json, "pid", question->pid);
	put_text(json, "exe", question->exe);
	json_object_end(json);
}

void approval_text_put(const struct approval_prompt *prompt, int64_t now_ms, struct json_out *json, const char *key)
{
	const struct approval_question *question = &prompt->question;
	int64_t left = prompt->until_ms - now_ms;
	json_object(json, key);
	json_u64(json, "v", 1);
	json_u64(json, "id", prompt->id);
	put_text(json, "session", prompt->session);
	json_text(json, "kind", str_from(approval_kind_words[question->kind]));
	json_text(json, "op", str_from(question->op));
	put_object(question, json);
	put_task(question, json);
	put_text(json, "rule", question->rule);
	put_text(json, "reason", question->reason);
	put_text(json, "folder", prompt->folder);
	json_u64(json, "waiting", prompt->waiting);
	json_i64(json, "left_ms", prompt->until_ms > 0 && left > 0 ? left : 0);
	json_object_end(json);
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static const char *const decision_words[] = {[BERM_VERDICT_DENY] = "deny", [BERM_VERDICT_ALLOW] = "allow", NULL};

static enum berm_code bad_value(const struct node *node, struct berm_err *err)
{
	return err_set(err, BERM_ERR_PARSE, "'%.40s' of an answer cannot be '%.60s'", node->key.ptr,
		       node->text.ptr != NULL ? node->text.ptr : "");
}

/* Which of the words it is, by number. */
static enum berm_code take_word(const struct node *node, const char *const *words, unsigned *ret_word,
				struct berm_err *err)
{
	for (unsigned i = 0; node->kind == NODE_TEXT && words[i] != NULL; i++) {
		if (strcmp(words[i], node->text.ptr) != 0)
			continue;
		*ret_word = i;
		return BERM_OK;
	}
	return bad_value(node, err);
}

static enum berm_code take_text(const struct node *node, char *ret_text, size_t size, struct berm_err *err)
{
	if (node->kind != NODE_TEXT || node->text.len >= size)
		return bad_value(node, err);
	memcpy(ret_text, node->text.ptr, node->text.len + 1);
	return BERM_OK;
}

static enum berm_code take_member(const struct node *node, struct approval_answer *answer, bool *decided,
				  struct berm_err *err)
{
	unsigned word = 0;
	uint64_t ms = 0;
	if (str_eq(node->key, STR("decision"))) {
		TRY(take_word(node, decision_words, &word, err));
		answer->verdict = (enum berm_verdict)word;
		*decided = true;
	} else if (str_eq(node->key, STR("scope"))) {
		TRY(take_word(node, approval_scope_words, &word, err));
		answer->scope = (enum approval_scope)word;
	} else if (str_eq(node->key, STR("extent"))) {
		TRY(take_word(node, approval_extent_words, &word, err));
		answer->extent = (enum approval_extent)word;
	} else if (str_eq(node->key, STR("for"))) {
		if (node->kind != NODE_TEXT || str_duration_ms(node->text, &ms, NULL) != BERM_OK || ms == 0 ||
		    ms > INT32_MAX)
			return bad_value(node, err);
		answer->for_ms = (int64_t)ms;
	} else if (str_eq(node->key, STR("reason"))) {
		return take_text(node, answer->reason, sizeof answer->reason, err);
	} else if (str_eq(node->key, STR("who"))) {
		return take_text(node, answer->who, sizeof answer->who, err);
	} else {
		return err_set(err, BERM_ERR_PARSE, "an answer has no '%.60s'", node->key.ptr);
	}
	return BERM_OK;
}

static enum berm_code read_answer(const struct node *root, struct approval_answer *ret_answer, struct berm_err *err)
{
	struct approval_answer answer = {0};
	bool decided = false;
	if (root->kind != NODE_MAP)
		return err_set(err, BERM_ERR_PARSE, "an answer is an object");
	for (const struct node *node = root->first; node != NULL; node = node->next)
		TRY(take_member(node, &answer, &decided, err));
	if (!decided)
		return err_set(err, BERM_ERR_PARSE, "an answer needs 'decision'");
	if (answer.for_ms != 0 && answer.scope != APPROVAL_SESSION)
		return err_set(err, BERM_ERR_PARSE, "'for' is for answers of the scope session");
	*ret_answer = answer;
	return BERM_OK;
}

enum berm_code approval_text_parse(struct str json, struct approval_answer *ret_answer, struct berm_err *err)
{
	if (json.len > APPROVAL_ANSWER_MAX)
		return err_set(err, BERM_ERR_LIMIT, "an answer is longer than %d bytes", APPROVAL_ANSWER_MAX);
	if (!str_starts(json, STR("{")))
		return err_set(err, BERM_ERR_PARSE, "an answer is a JSON object");
	const struct node *root;
	auto_arena struct arena arena;
	arena_init(&arena, (size_t)64 * APPROVAL_ANSWER_MAX);
	auto_free struct problems *problems = calloc(1, sizeof *problems);
	if (problems == NULL)
		return err_set(err, BERM_ERR_NOMEM, "read an answer");
	TRY(node_parse(&arena, json, "answer", &root, problems, err));
	return read_answer(root, ret_answer, err);
}
