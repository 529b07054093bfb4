#include "policy/resolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
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

/* ---- package caches ---------------------------------------------------------------------------------------------- */

enum { TOLD_MAX = 16 * 1024 };

struct told {
	const struct list *list;
	const struct policy_input *input;
	const struct policy_entry *entry; /* a line with "keep" */
	struct buf text;
	bool left_out; /* it says nothing, or what would be taken for two words */
};

static const char *value_in(const struct list *list, const struct policy_input *input, struct str name)
{
	for (size_t i = 0; i < list->count; i++)
		if (str_eq(name_of(list->entries[i]), name))
			return list->entries[i] + name.len + 1;
	for (const char *const *entry = input->also; entry != NULL && *entry != NULL; entry++)
		if (str_eq(name_of(*entry), name))
			return *entry + name.len + 1;
	return "";
}

/* A tool whose variable holds several words would take a path with a blank for two. */
static void put_path(struct told *told, const char *path, bool words)
{
	told->left_out |= words && strpbrk(path, " \t") != NULL;
	buf_puts(&told->text, path);
}

static void put_placeholder(struct told *told, struct str word, const char *line)
{
	const struct policy_input *input = told->input;
	bool words = strchr(line, ' ') != NULL;
	if (str_eq(word, STR("kept"))) {
		put_path(told, input->workspace_cache, words);
		buf_printf(&told->text, "/%s", policy_attr_find(told->entry->line, ATTR_KEEP));
	} else if (str_eq(word, STR("path"))) {
		told->left_out |= input->readable != NULL && !input->readable(told->entry->path);
		put_path(told, told->entry->path, words);
	} else if (str_eq(word, STR("old"))) {
		const char *old = value_in(told->list, input, name_of(line));
		told->left_out |= old[0] == '\0';
		buf_puts(&told->text, old);
	} else {
		buf_printf(&told->text, "{%.*s}", (int)word.len, word.ptr);
	}
}

static void fill_told(struct told *told, const char *line)
{
	for (const char *at = line; *at != '\0';) {
		const char *end = *at == '{' ? strchr(at, '}') : NULL;
		if (end == NULL) {
			buf_putc(&told->text, *at++);
			continue;
		}
		put_placeholder(told, (struct str){at + 1, (size_t)(end - at) - 1}, line);
		at = end + 1;
	}
}

static bool put_told(struct list *list, const struct policy_input *input, const struct policy_entry *entry,
		     const char *line)
{
	struct told told = {.list = list, .input = input, .entry = entry};
	buf_init(&told.text, TOLD_MAX);
	fill_told(&told, line);
	bool fits = !told.text.failed && !told.left_out, no_memory = told.text.no_memory;
	char *text = fits ? buf_take(&told.text) : NULL;
	buf_done(&told.text);
	return fits ? list_put(list, text) : !no_memory;
}

static bool is_kept(const struct policy_entry *entry)
{
	return entry->line->key == KEY_SCRATCH && entry->off == NULL && entry->path != NULL &&
	       policy_attr_find(entry->line, ATTR_KEEP) != NULL;
}

/* Where the workspace's own caches are. Of several places of a tool the first one counts, so it comes last. */
static bool put_caches(struct list *list, const struct policy_input *input)
{
	const struct policy *policy = input->policy;
	if (input->workspace_cache == NULL || policy_says(policy, KEY_CACHE, "shared"))
		return true;
	if (!list_put(list, entry_of(STR(POLICY_PACKAGES_VARIABLE), input->workspace_cache)))
		return false;
	for (size_t i = policy->count; i-- > 0;) {
		const struct policy_entry *entry = &policy->entries[i];
		for (uint32_t a = 0; is_kept(entry) && a < entry->line->attr_count; a++)
			if (entry->line->attrs[a].key == ATTR_TELLS &&
			    !put_told(list, input, entry, entry->line->attrs[a].text))
				return false;
	}
	return true;
}

static bool put_denials(struct list *list, const struct policy_input *input)
{
	auto_buf struct buf path;
	buf_init(&path, 2 * (size_t)PATH_MAX);
	if (input->denials_folder == NULL)
		return true;
	buf_printf(&path, "%s/%s", input->denials_folder, POLICY_DENIALS_FILE);
	return buf_check(&path, NULL) == BERM_OK && list_put(list, entry_of(STR(POLICY_DENIALS_VARIABLE), path.data));
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

/* Programs can see where they run. */
static const char mark[] = "BERM_SANDBOX=1";

static bool fill(struct list *list, const struct policy_input *input)
{
	return put_passed(list, input) && put_defaults(list, input) && put_caches(list, input) &&
	       put_lines(list, input, false) && put_lines(list, input, true) && put_also(list, input) &&
	       put_denials(list, input) && list_put(list, str_dup(str_from(mark)));
}

/* A variable may come of the environment, of a line, and of the defaults. */
static size_t room_for(const struct policy_input *input)
{
	size_t count = 6;
	for (const char *const *entry = input->envp; entry != NULL && *entry != NULL; entry++)
		count++;
	for (const char *const *entry = input->also; entry != NULL && *entry != NULL; entry++)
		count++;
	for (size_t i = 0; i < input->policy->count; i++)
		count += input->policy->entries[i].line->key == KEY_ENV_SET
				 ? 1
				 : input->policy->entries[i].line->attr_count;
	return count;
}

enum berm_code policy_environment(const struct policy_input *input, char ***ret_envp, struct berm_err *err)
{
	struct list list = {.entries = calloc(room_for(input), sizeof(*list.entries))};
	if (list.entries == NULL || !fill(&list, input)) {
		str_free_all(list.entries);
		return err_set(err, BERM_ERR_NOMEM, "make the environment");
	}
	*ret_envp = list.entries;
	return BERM_OK;
}
