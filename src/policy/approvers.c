#include "policy/approvers.h"

#include <string.h>

#include "base/own.h"
#include "format/node.h"

enum { ARENA_MAX = 1024 * 1024 };

const char *const policy_approver_words[POLICY_APPROVERS + 1] = {
	[POLICY_APPROVER_TERMINAL] = "terminal", [POLICY_APPROVER_CONTROL] = "control",
	[POLICY_APPROVER_DESKTOP] = "desktop",	 [POLICY_APPROVER_WEBHOOK] = "webhook",
	[POLICY_APPROVER_PROGRAM] = "program",	 [POLICY_APPROVER_ALL] = "all",
	[POLICY_APPROVER_ANY] = "any",
};

static enum berm_code no_memory(struct berm_err *err)
{
	return err_set(err, BERM_ERR_NOMEM, "read who is asked");
}

/* POLICY_APPROVERS: no such word. */
static enum policy_approver_kind kind_of(struct str word)
{
	int kind = 0;
	while (kind < POLICY_APPROVERS && !str_eq(word, str_from(policy_approver_words[kind])))
		kind++;
	return (enum policy_approver_kind)kind;
}

/* ---- a member of all or any: a word, or {"program":["a"]}, {"webhook":URL,"key":SECRET} ---------------------------- */

static enum berm_code take_list(const struct node *list, struct arena *arena, const char *const **ret_texts,
				struct berm_err *err)
{
	size_t count = 0;
	const char **texts = arena_array(arena, list->count + 2, sizeof *texts);
	if (texts == NULL)
		return no_memory(err);
	if (list->kind != NODE_LIST)
		texts[count++] = list->text.ptr;
	for (const struct node *node = list->first; node != NULL; node = node->next)
		texts[count++] = node->text.ptr;
	*ret_texts = texts;
	return BERM_OK;
}

static enum berm_code take_map(const struct node *map, struct arena *arena, struct policy_approver *ret_member,
			       struct berm_err *err)
{
	const struct node *program = node_find(map, "program"), *webhook = node_find(map, "webhook");
	const struct node *key = node_find(map, "key");
	if (program != NULL) {
		ret_member->kind = POLICY_APPROVER_PROGRAM;
		return take_list(program, arena, &ret_member->argv, err);
	}
	if (webhook == NULL || key == NULL)
		return err_set(err, BERM_ERR_PARSE, "an entry of 'approvals.by' names nobody");
	ret_member->kind = POLICY_APPROVER_WEBHOOK;
	ret_member->url = webhook->text.ptr;
	ret_member->key = key->text.ptr;
	return BERM_OK;
}

static enum berm_code take_member(const char *text, struct arena *arena, struct policy_approver *ret_member,
				  struct berm_err *err)
{
	const struct node *root;
	if (text[0] == '{') {
		auto_free struct problems *problems = calloc(1, sizeof *problems);
		if (problems == NULL)
			return no_memory(err);
		TRY(node_parse(arena, str_from(text), "approvals.by", &root, problems, err));
		return take_map(root, arena, ret_member, err);
	}
	ret_member->kind = kind_of(str_from(text));
	return ret_member->kind <= POLICY_APPROVER_DESKTOP
		       ? BERM_OK
		       : err_set(err, BERM_ERR_PARSE, "'%.60s' of 'approvals.by' is nobody", text);
}

/* ---- a line ------------------------------------------------------------------------------------------------------ */

/* The line's attributes of this key, in order, NULL-terminated. */
static const char *const *texts_of(const struct policy_line *line, enum policy_attr_key key, struct arena *arena,
				   size_t *ret_count)
{
	const char **texts = arena_array(arena, (size_t)line->attr_count + 1, sizeof *texts);
	*ret_count = 0;
	for (uint32_t i = 0; texts != NULL && i < line->attr_count; i++)
		if (line->attrs[i].key == key)
			texts[(*ret_count)++] = line->attrs[i].text;
	return texts;
}

static enum berm_code take_members(const struct policy_line *line, struct arena *arena,
				   struct policy_approver *ret_approver, struct berm_err *err)
{
	size_t count;
	const char *const *texts = texts_of(line, ATTR_OF, arena, &count);
	struct policy_approver *members = arena_array(arena, count + 1, sizeof *members);
	if (texts == NULL || members == NULL)
		return no_memory(err);
	for (size_t i = 0; i < count; i++)
		TRY(take_member(texts[i], arena, &members[i], err));
	ret_approver->members = members;
	ret_approver->count = count;
	return BERM_OK;
}

static enum berm_code take_line(const struct policy_entry *entry, struct arena *arena,
				struct policy_approver *ret_approver, struct berm_err *err)
{
	const struct policy_line *line = entry->line;
	struct str rest = str_from(line->text), word = {0};
	size_t count;
	(void)str_next(&rest, ' ', &word);
	*ret_approver = (struct policy_approver){.kind = kind_of(word), .entry = entry};
	switch (ret_approver->kind) {
	case POLICY_APPROVER_PROGRAM:
		ret_approver->argv = texts_of(line, ATTR_ARGV, arena, &count);
		return ret_approver->argv != NULL ? BERM_OK : no_memory(err);
	case POLICY_APPROVER_WEBHOOK:
		ret_approver->url = rest.ptr;
		ret_approver->key = policy_attr_find(line, ATTR_KEY);
		return BERM_OK;
	case POLICY_APPROVER_ALL:
	case POLICY_APPROVER_ANY:
		return take_members(line, arena, ret_approver, err);
	case POLICY_APPROVERS:
		return err_set(err, BERM_ERR_PARSE, "'%.60s' of 'approvals.by' is nobody", line->text);
	case POLICY_APPROVER_TERMINAL:
	case POLICY_APPROVER_CONTROL:
	case POLICY_APPROVER_DESKTOP:
	default:
		return BERM_OK;
	}
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static bool is_line(const struct policy_entry *entry)
{
	return entry->line->key == KEY_APPROVALS_BY && entry->off == NULL;
}

enum berm_code policy_approvers_find(const struct policy *policy, struct arena *arena,
				     const struct policy_approver **ret_list, size_t *ret_count, struct berm_err *err)
{
	size_t count = 0;
	for (size_t i = 0; i < policy->count; i++)
		count += is_line(&policy->entries[i]);
	struct policy_approver *list = arena_array(arena, count + 2, sizeof *list);
	if (list == NULL)
		return no_memory(err);
	*ret_list = list;
	*ret_count = count;
	for (size_t i = 0; i < policy->count; i++)
		if (is_line(&policy->entries[i]))
			TRY(take_line(&policy->entries[i], arena, list++, err));
	if (count > 0)
		return BERM_OK;
	list[0].kind = POLICY_APPROVER_TERMINAL;
	list[1].kind = POLICY_APPROVER_CONTROL;
	*ret_count = policy_says(policy, KEY_APPROVALS_MODE, "ask") ? 2 : 1;
	return BERM_OK;
}

/* One who stands for himself. */
static bool is_there(const struct policy_approver *approver, unsigned answerers)
{
	return approver->kind == POLICY_APPROVER_PROGRAM || (answerers & 1U << approver->kind) != 0;
}

bool policy_approver_is_there(const struct policy_approver *approver, unsigned answerers)
{
	size_t there = 0;
	if (approver->kind < POLICY_APPROVER_ALL)
		return is_there(approver, answerers);
	for (size_t i = 0; i < approver->count; i++)
		there += is_there(&approver->members[i], answerers);
	return there > 0 && (approver->kind == POLICY_APPROVER_ANY || there == approver->count);
}

enum berm_code policy_approvers_ask(const struct policy_input *input, bool *ret_ask, struct berm_err *err)
{
	const struct policy_approver *list;
	size_t count;
	auto_arena struct arena arena;
	arena_init(&arena, ARENA_MAX);
	*ret_ask = false;
	if (policy_says(input->policy, KEY_APPROVALS_MODE, "deny") ||
	    policy_says(input->policy, KEY_APPROVALS_MODE, "allow"))
		return BERM_OK;
	TRY(policy_approvers_find(input->policy, &arena, &list, &count, err));
	for (size_t i = 0; i < count; i++)
		*ret_ask |= policy_approver_is_there(&list[i], input->answerers);
	return BERM_OK;
}
