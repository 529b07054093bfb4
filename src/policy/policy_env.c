#include "policy/resolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/own.h"
#include "policy/policy.h"

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* A pattern may have one "*". */
static bool name_fits(const char *pattern, struct str name)
{
	const char *star = strchr(pattern, '*');
	if (star == NULL)
		return str_eq(str_from(pattern), name);
	struct str begin = {pattern, (size_t)(star - pattern)}, end = str_from(star + 1);
	return name.len >= begin.len + end.len && str_starts(name, begin) && str_ends(name, end);
}

static struct str name_of(const char *entry)
{
	return (struct str){entry, strcspn(entry, "=")};
}

struct list {
	char **entries;
	size_t count;
};

/* Takes entry, which may be NULL: out of memory. A later entry of the same name replaces the earlier. */
static bool list_put(struct list *list, char *entry)
{
	if (entry == NULL)
		return false;
	for (size_t i = 0; i < list->count; i++) {
		if (!str_eq(name_of(list->entries[i]), name_of(entry)))
			continue;
		free(list->entries[i]);
		list->entries[i] = entry;
		return true;
	}
	list->entries[list->count++] = entry;
	return true;
}

static char *entry_of(struct str name, const char *value)
{
	size_t value_len = strlen(value);
	char *entry = malloc(name.len + 1 + value_len + 1);
	if (entry == NULL)
		return NULL;
	memcpy(entry, name.ptr, name.len);
	entry[name.len] = '=';
	memcpy(entry + name.len + 1, value, value_len + 1);
	return entry;
}

static bool is_line(const struct policy_entry *entry, enum policy_key key, bool of_flags)
{
	return entry->line->key == key && entry->off == NULL && (entry->layer == LAYER_FLAG) == of_flags;
}

static bool is_passed(const struct policy *policy, struct str name)
{
	for (size_t i = 0; i < policy->count; i++)
		if (is_line(&policy->entries[i], KEY_ENV_PASS, false) && name_fits(policy->entries[i].line->text, name))
			return true;
	return false;
}

static bool put_passed(struct list *list, const struct policy_input *input)
{
	for (const char *const *entry = input->envp; entry != NULL && *entry != NULL; entry++) {
		struct str name = name_of(*entry);
		if (name.len > 0 && (*entry)[name.len] == '=' && is_passed(input->policy, name) &&
		    !list_put(list, str_dup(str_from(*entry))))
			return false;
	}
	return true;
}

static bool put_defaults(struct list *list, const struct policy_input *input)
{
	if (input->home != NULL && env_get(input->envp, "HOME") == NULL &&
	    !list_put(list, entry_of(STR("HOME"), input->home)))
		return false;
	if (env_get(input->envp, "PATH") == NULL && !list_put(list, entry_of(STR("PATH"), default_path)))
		return false;
	return true;
}

/* What a flag passes on; others were looked at with the environment. */
static bool put_named(struct list *list, const struct policy_input *input, const char *pattern)
{
	for (const char *const *entry = input->envp; entry != NULL && *entry != NULL; entry++) {
		struct str name = name_of(*entry);
		if (name.len > 0 && (*entry)[name.len] == '=' && name_fits(pattern, name) &&
		    !list_put(list, str_dup(str_from(*entry))))
			return false;
	}
	return true;
}

/* Of files what they set; of flags, which are stronger, what they pass and set in their order. */
static bool put_lines(struct list *list, const struct policy_input *input, bool of_flags)
{
	for (size_t i = 0; i < input->policy->count; i++) {
		const struct policy_entry *entry = &input->policy->entries[i];
		bool sets = is_line(entry, KEY_ENV_SET, of_flags), passes = is_line(entry, KEY_ENV_PASS, of_flags);
		if (sets && !list_put(list, str_dup(str_from(entry->line->text))))
			return false;
		if (of_flags && passes && !put_named(list, input, entry->line->text))
			return false;
	}
	return true;
}

static bool is_set(const struct list *list, struct str name)
{
	for (size_t i = 0; i < list->count; i++)
		if (str_eq(name_of(list->entries[i]), name))
			return true;
	return false;
}

/* What the machine's tools are told in place of files that are closed. */
static bool put_also(struct list *list, const struct policy_input *input)
{
	for (const char *const *entry = input->also; entry != NULL && *entry != NULL; entry++)
		if (!is_set(list, name_of(*entry)) && !list_put(list, str_dup(str_from(*entry))))
			return false;
	return true;
}

/* Programs can see where they run. */
static const char mark[] = "BERM_SANDBOX=1";

static bool fill(struct list *list, const struct policy_input *input)
{
	return put_passed(list, input) && put_defaults(list, input) && put_lines(list, input, false) &&
	       put_lines(list, input, true) && put_also(list, input) && list_put(list, str_dup(str_from(mark)));
}

/* A variable may come of the environment, of a line, and of the defaults. */
static size_t room_for(const struct policy_input *input)
{
	size_t count = 4;
	for (const char *const *entry = input->envp; entry != NULL && *entry != NULL; entry++)
		count++;
	for (const char *const *entry = input->also; entry != NULL && *entry != NULL; entry++)
		count++;
	for (size_t i = 0; i < input->policy->count; i++)
		count += input->policy->entries[i].line->key == KEY_ENV_SET;
	return count;
}

enum berm_code policy_environment(const struct policy_input *input, char ***ret_envp, struct berm_err *err)
{
	struct list list = {.entries = calloc(room_for(input), sizeof(*list.entries))};
	if (list.entries == NULL || !fill(&list, input)) {
		policy_environment_free(list.entries);
		return err_set(err, BERM_ERR_NOMEM, "make the environment");
	}
	*ret_envp = list.entries;
	return BERM_OK;
}

void policy_environment_free(char **envp)
{
	for (char **entry = envp; entry != NULL && *entry != NULL; entry++)
		free(*entry);
	free(envp);
}
