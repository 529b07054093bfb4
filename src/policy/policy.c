#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy_merge.h"

const char *const policy_layer_words[POLICY_LAYERS] = {
	[LAYER_FLOOR] = "floor", [LAYER_SYSTEM] = "system",   [LAYER_USER] = "user", [LAYER_PROFILE] = "profile",
	[LAYER_GROUP] = "group", [LAYER_PROJECT] = "project", [LAYER_FLAG] = "flag", [LAYER_RUN] = "run",
};

static enum berm_code merge_all(struct merge *merge)
{
	TRY(policy_vars_init(&merge->vars, merge->input, &merge->policy->arena, merge->err));
	TRY(merge_collect(merge));
	TRY(merge_entries(merge));
	TRY(merge_overrides(merge));
	TRY(merge_ceiling(merge));
	TRY(merge_settings(merge));
	merge_check_asks(merge);
	return merge_check_grants(merge);
}

/* PARSE with the words of what was found wrong since there were count problems, if anything was. */
static enum berm_code check(const struct problems *problems, size_t count, struct berm_err *err)
{
	return problems->count > count || problems->more ? problems_check(problems, err) : BERM_OK;
}

enum berm_code policy_make(const struct policy_layers *layers, const struct policy_input *input,
			   struct policy **ret_policy, struct problems *problems, struct berm_err *err)
{
	struct policy *policy = calloc(1, sizeof *policy);
	if (policy == NULL)
		return err_set(err, BERM_ERR_NOMEM, "put a policy together");
	arena_init(&policy->arena, MERGE_MAX_MEMORY);
	policy->generation = 1;
	struct merge merge = {.layers = layers, .input = input, .policy = policy, .problems = problems, .err = err};
	size_t before = problems->count;
	enum berm_code code = merge_all(&merge);
	if (code == BERM_OK)
		code = check(problems, before, err);
	if (code == BERM_OK)
		*ret_policy = policy;
	else
		policy_free(policy);
	return code;
}

void policy_free(struct policy *policy)
{
	if (policy == NULL)
		return;
	arena_done(&policy->arena);
	free(policy);
}

bool policy_says(const struct policy *policy, enum policy_key key, const char *word)
{
	const struct policy_entry *setting = policy->setting[key];
	return setting != NULL && strcmp(setting->line->text, word) == 0;
}

void policy_entry_place(const struct policy_entry *entry, char *ret, size_t size)
{
	const char *file = entry->doc->file != NULL ? entry->doc->file : "policy";
	if (entry->line->line == 0)
		(void)snprintf(ret, size, "%s", file);
	else if (entry->line->column == 0)
		(void)snprintf(ret, size, "%s:%u", file, (unsigned)entry->line->line);
	else
		(void)snprintf(ret, size, "%s:%u:%u", file, (unsigned)entry->line->line, (unsigned)entry->line->column);
}

void policy_entry_text(const struct policy_entry *entry, struct buf *out)
{
	buf_puts(out, policy_keys[entry->line->key].path);
	buf_puts(out, ": ");
	buf_puts(out, entry->line->text);
}
