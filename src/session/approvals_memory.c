#include "session/approvals_memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "format/path.h"

struct entry {
	enum approval_kind kind;
	enum approval_extent extent;
	char *op, *key, *rule; /* key: the object, folder or host; on the heap */
	uint64_t dev, ino;
	int64_t until_ms; /* 0: no end */
	struct approval_answer answer;
};

static void entry_done(struct entry *entry)
{
	free(entry->op);
	free(entry->key);
	free(entry->rule);
}

void approvals_memory_init(struct approvals_memory *memory, size_t max_entries)
{
	vec_init(&memory->entries, sizeof(struct entry), max_entries);
}

void approvals_memory_done(struct approvals_memory *memory)
{
	for (size_t i = 0; i < memory->entries.len; i++)
		entry_done(vec_at(&memory->entries, i));
	vec_done(&memory->entries);
}

static bool has_host(const struct approval_question *question)
{
	bool network =
		question->kind == APPROVAL_NET || question->kind == APPROVAL_DNS || question->kind == APPROVAL_HTTP;
	return network && question->host != NULL && question->host[0] != '\0';
}

enum approval_extent approvals_memory_extent(const struct approval_prompt *prompt, enum approval_extent extent)
{
	bool has = (extent == APPROVAL_FOLDER && prompt->folder != NULL) ||
		   (extent == APPROVAL_HOST && has_host(&prompt->question));
	return has ? extent : APPROVAL_OBJECT;
}

enum berm_code approvals_memory_put(struct approvals_memory *memory, const struct approval_prompt *prompt,
				    const struct approval_answer *answer, int64_t now_ms, struct berm_err *err)
{
	const struct approval_question *question = &prompt->question;
	enum approval_extent extent = approvals_memory_extent(prompt, answer->extent);
	const char *const keys[] = {
		[APPROVAL_OBJECT] = question->object,
		[APPROVAL_FOLDER] = prompt->folder,
		[APPROVAL_HOST] = question->host,
	};
	struct entry entry = {
		.kind = question->kind,
		.extent = extent,
		.op = str_dup(str_from(question->op)),
		.key = str_dup(str_from(keys[extent])),
		.rule = str_dup(str_from(question->rule)),
		.dev = question->dev,
		.ino = question->ino,
		.until_ms = answer->for_ms > 0 ? now_ms + answer->for_ms : 0,
		.answer = *answer,
	};
	enum berm_code code = BERM_OK;
	if (entry.op == NULL || entry.key == NULL || entry.rule == NULL)
		code = err_set(err, BERM_ERR_NOMEM, "remember an answer");
	if (code == BERM_OK)
		code = vec_push(&memory->entries, &entry, err);
	if (code != BERM_OK)
		entry_done(&entry);
	return code;
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

bool approvals_memory_same(const struct approval_question *a, const struct approval_question *b)
{
	return a->kind == b->kind && a->dev == b->dev && a->ino == b->ino && same_text(a->op, b->op) &&
	       same_text(a->object, b->object) && same_text(a->exe, b->exe) && same_text(a->rule, b->rule);
}

static bool covers(const struct entry *entry, const struct approval_question *question)
{
	if (!same_text(entry->rule, question->rule))
		return false;
	if (entry->extent == APPROVAL_HOST) /* whatever it is asked for: its address, a connection, a request */
		return has_host(question) && strcmp(entry->key, question->host) == 0;
	if (entry->kind != question->kind || strcmp(entry->op, question->op) != 0)
		return false;
	if (entry->extent == APPROVAL_FOLDER)
		return path_is_in(str_from(question->object), str_from(entry->key));
	return strcmp(entry->key, question->object) == 0 && entry->dev == question->dev && entry->ino == question->ino;
}

const struct approval_answer *approvals_memory_find(struct approvals_memory *memory,
						    const struct approval_question *question, int64_t now_ms)
{
	const struct approval_answer *best = NULL;
	for (size_t i = memory->entries.len; i > 0; i--) {
		struct entry *entry = vec_at(&memory->entries, i - 1);
		if (entry->until_ms == 0 || entry->until_ms > now_ms)
			continue;
		entry_done(entry);
		vec_remove(&memory->entries, i - 1);
	}
	for (size_t i = 0; i < memory->entries.len; i++) {
		const struct entry *entry = vec_at(&memory->entries, i);
		if (covers(entry, question) && (best == NULL || entry->answer.verdict == BERM_VERDICT_DENY))
			best = &entry->answer;
	}
	return best;
}
