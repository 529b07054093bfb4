/* What is protected: names that something outside runs later, and the run's own repository. */
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "format/git_config.h"
#include "format/git_link.h"
#include "format/path.h"
#include "policy/approvers.h"
#include "policy/resolve_build.h"

enum { PATTERN_MAX = 4 * PATH_MAX };

/* ---- rules ------------------------------------------------------------------------------------------------------- */

/* A comma parts alternatives once the pattern is one of several. */
static void put_alternative(struct buf *out, const char *pattern)
{
	size_t depth = 0;
	for (; *pattern != '\0'; pattern++) {
		if (*pattern == '\\' && pattern[1] != '\0') {
			buf_putc(out, *pattern++);
		} else if (*pattern == ',' && depth == 0) {
			buf_putc(out, '\\');
		} else if (*pattern == '{') {
			depth++;
		} else if (*pattern == '}' && depth > 0) {
			depth--;
		}
		buf_putc(out, *pattern);
	}
}

static void put_alternatives(struct buf *out, const char *const *patterns)
{
	buf_putc(out, '{');
	for (size_t i = 0; patterns[i] != NULL; i++) {
		if (i > 0)
			buf_putc(out, ',');
		put_alternative(out, patterns[i]);
	}
	buf_putc(out, '}');
}

enum berm_code resolve_guards_rule(struct building *b, struct berm_rule rule, const char *const *excepts)
{
	auto_buf struct buf text;
	buf_init(&text, PATTERN_MAX);
	rule.size = sizeof rule;
	if (excepts != NULL && excepts[0] != NULL && excepts[1] != NULL) {
		put_alternatives(&text, excepts);
		TRY(buf_check(&text, b->err));
		rule.except = text.data;
	} else if (excepts != NULL && excepts[0] != NULL) {
		rule.except = excepts[0];
	}
	return berm_caps_rule(b->caps, &rule, b->err);
}

/* ---- judges ------------------------------------------------------------------------------------------------------ */

static bool judge_config_change(const char *target, const struct berm_content *content,
				const struct berm_content *before, char *reason, size_t reason_size)
{
	return git_config_judge_change(target, (struct span){content->bytes, content->len},
				       (struct span){before->bytes, before->len}, reason, reason_size);
}

static const struct {
	const char *word;
	berm_judge judge;
	berm_judge_change judge_change;
} judges[] = {
	{"git-config", git_config_judge, judge_config_change},
	{"git-link", git_link_judge, NULL},
};

/* A judge that is not known accepts nothing. */
static void set_judge(struct berm_rule *rule, const char *word)
{
	for (size_t i = 0; word != NULL && i < ARRAY_LEN(judges); i++) {
		if (strcmp(word, judges[i].word) != 0)
			continue;
		rule->judge = judges[i].judge;
		rule->judge_change = judges[i].judge_change;
	}
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

/* What a person protects is the object and, of a folder, all that is in it; so is an exception of it. What is shipped says
 * itself which names it means. */
static bool is_deep(const struct policy_entry *entry)
{
	static const enum policy_attr_key names[] = {ATTR_ACCEPT, ATTR_BESIDE, ATTR_IN_PLACE, ATTR_MKDIR_ONLY};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (policy_attr_find(entry->line, names[i]) != NULL)
			return false;
	return !resolve_is_shipped(entry) && resolve_extent(entry) == BERM_TREE;
}

/* "/a/b*" as "/a/b*" and all below. */
static enum berm_code deepen(struct building *b, const char *pattern, const char **ret_pattern)
{
	auto_buf struct buf text;
	struct str stem = str_from(pattern);
	buf_init(&text, PATTERN_MAX);
	while (str_ends(stem, STR("/")))
		stem.len--;
	buf_put_str(&text, stem);
	if (!str_ends(stem, STR("/**")))
		buf_puts(&text, "/**");
	TRY(buf_check(&text, b->err));
	*ret_pattern = arena_text(&b->arena, buf_str(&text));
	return *ret_pattern != NULL ? BERM_OK : err_set(b->err, BERM_ERR_NOMEM, "resolve a path");
}

static enum berm_code deepen_all(struct building *b, const char *const **patterns)
{
	size_t count = 0;
	while (*patterns != NULL && (*patterns)[count] != NULL)
		count++;
	if (count == 0)
		return BERM_OK;
	const char **deep = arena_array(&b->arena, count + 1, sizeof *deep);
	if (deep == NULL)
		return err_set(b->err, BERM_ERR_NOMEM, "resolve a path");
	for (size_t i = 0; i < count; i++)
		TRY(deepen(b, (*patterns)[i], &deep[i]));
	deep[count] = NULL;
	*patterns = deep;
	return BERM_OK;
}

static enum berm_code put_pattern(struct building *b, const struct policy_entry *entry)
{
	const struct policy_line *line = entry->line;
	const char *const *excepts = entry->except;
	struct berm_rule rule = {
		.right = BERM_PROTECT,
		.pattern = entry->path,
		.label = resolve_label(entry),
		.beside = policy_attr_find(line, ATTR_BESIDE),
		.mkdir_only = policy_attr_is(line, ATTR_MKDIR_ONLY),
		.in_place = policy_attr_is(line, ATTR_IN_PLACE),
		.removable = policy_attr_is(line, ATTR_REMOVABLE),
	};
	set_judge(&rule, policy_attr_find(line, ATTR_ACCEPT));
	if (is_deep(entry)) {
		TRY(deepen(b, entry->path, &rule.pattern));
		TRY(deepen_all(b, &excepts));
	}
	return resolve_guards_rule(b, rule, excepts);
}

static bool is_plain(const struct policy_entry *entry)
{
	static const enum policy_attr_key keys[] = {ATTR_EXCEPT,    ATTR_BESIDE,     ATTR_ACCEPT, ATTR_IN_PLACE,
						    ATTR_REMOVABLE, ATTR_MKDIR_ONLY, ATTR_LABEL};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (policy_attr_find(entry->line, keys[i]) != NULL)
			return false;
	return true;
}

/* A plain path is that and all below it. */
static enum berm_code put_entry(struct building *b, const struct policy_entry *entry)
{
	const char *path = NULL;
	bool tree;
	if (is_plain(entry))
		TRY(resolve_literal(b, entry->path, &path, &tree));
	enum berm_code code = path != NULL ? berm_caps_path(b->caps, path, BERM_PROTECT, resolve_extent(entry), b->err)
					   : put_pattern(b, entry);
	TRY(resolve_told(b, code, entry, RESOLVE_SHORTER));
	return resolve_note(b, entry, NULL);
}

/* ---- the run's own repository ------------------------------------------------------------------------------------ */

/* A path as a pattern that matches just it. */
static void put_path(struct buf *pattern, const char *path)
{
	for (; *path != '\0'; path++) {
		if (strchr("*?[]{},\\", *path) != NULL)
			buf_putc(pattern, '\\');
		buf_putc(pattern, *path);
	}
}

enum berm_code resolve_guards_below(struct building *b, const char *folder, struct berm_rule rule,
				    const char *const *excepts)
{
	auto_buf struct buf pattern;
	buf_init(&pattern, PATTERN_MAX);
	put_path(&pattern, folder);
	buf_printf(&pattern, "/%s", rule.pattern);
	TRY(buf_check(&pattern, b->err));
	rule.pattern = pattern.data;
	return resolve_guards_rule(b, rule, excepts);
}

/* The rule with pattern and except, which stand below folder. */
static enum berm_code put_below(struct building *b, const char *folder, struct berm_rule rule, const char *except)
{
	auto_buf struct buf exception;
	buf_init(&exception, PATTERN_MAX);
	put_path(&exception, folder);
	buf_printf(&exception, "/%s", except != NULL ? except : "");
	TRY(buf_check(&exception, b->err));
	const char *const excepts[] = {exception.data, NULL};
	TRY(resolve_guards_below(b, folder, rule, except != NULL ? excepts : NULL));
	return resolve_note(b, NULL, "the workspace's repository");
}

/* It is not even removable: .git is not renamed away, configuration and hooks are not unlinked. */
static enum berm_code put_repository(struct building *b, const char *git)
{
	struct berm_rule config = {.pattern = "config", .right = BERM_PROTECT, .label = "git configuration"};
	const struct berm_rule hooks = {.pattern = "hooks/*/**", .right = BERM_PROTECT, .label = "git hooks"};
	set_judge(&config, "git-config");
	TRY(put_below(b, git, config, NULL));
	return put_below(b, git, hooks, "hooks/*.sample");
}

static enum berm_code put_own_repository(struct building *b)
{
	const struct policy_input *input = b->input;
	auto_buf struct buf git;
	buf_init(&git, PATH_MAX);
	for (const char *const *path = input->git_paths; path != NULL && *path != NULL; path++) {
		TRY(berm_caps_path(b->caps, *path, BERM_PROTECT, BERM_TREE, b->err));
		TRY(resolve_note(b, NULL, "git's configuration names it"));
	}
	if (input->git_common != NULL)
		TRY(put_repository(b, input->git_common));
	if (!input->git || input->workspace == NULL)
		return BERM_OK;
	buf_printf(&git, "%s/.git", input->workspace);
	TRY(buf_check(&git, b->err));
	TRY(berm_caps_path(b->caps, git.data, BERM_PROTECT, BERM_FILE, b->err));
	TRY(resolve_note(b, NULL, "the workspace's repository"));
	return put_repository(b, git.data);
}

/* ---- programs that answer ---------------------------------------------------------------------------------------- */

static enum berm_code put_file_of(struct building *b, const char *path, const struct policy_entry *entry)
{
	TRY(berm_caps_path(b->caps, path, BERM_PROTECT, BERM_FILE, b->err));
	return resolve_note(b, entry, entry == NULL ? "it answers what is asked" : NULL);
}

/* Who answers is not changed by those who ask: the program, and the files that it is started with, also where links lead. */
__attribute__((noinline)) static enum berm_code put_program(struct building *b, const struct policy_approver *approver)
{
	char real[PATH_MAX];
	for (const char *const *arg = approver->argv; arg != NULL && *arg != NULL; arg++) {
		if ((*arg)[0] != '/' || (*arg)[1] == '\0' || strlen(*arg) >= PATH_MAX || strchr(*arg, '\n') != NULL)
			continue;
		TRY(put_file_of(b, *arg, approver->entry));
		if (b->input->resolve != NULL && b->input->resolve(*arg, real) && strcmp(real, *arg) != 0)
			TRY(put_file_of(b, real, approver->entry));
	}
	return BERM_OK;
}

static enum berm_code put_programs(struct building *b)
{
	const struct policy_approver *list;
	size_t count;
	TRY(policy_approvers_find(b->policy, &b->arena, &list, &count, b->err));
	for (size_t i = 0; i < count; i++) {
		TRY(put_program(b, &list[i]));
		for (size_t at = 0; at < list[i].count; at++)
			TRY(put_program(b, &list[i].members[at]));
	}
	return BERM_OK;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

enum berm_code resolve_guards_put(struct building *b)
{
	if (b->asks)
		TRY(put_programs(b));
	if ((b->workspace_rights & BERM_WRITE) != 0)
		TRY(put_own_repository(b));
	for (size_t i = 0; i < b->policy->count; i++) {
		const struct policy_entry *entry = &b->policy->entries[i];
		bool protects = entry->line->key == KEY_PROTECT && entry->off == NULL && entry->path != NULL;
		if (protects && (b->writable || !resolve_is_shipped(entry)))
			TRY(put_entry(b, entry));
	}
	for (const char *const *path = b->input->kept; path != NULL && *path != NULL; path++) {
		TRY(berm_caps_path(b->caps, *path, BERM_PROTECT, BERM_TREE, b->err));
		TRY(resolve_note(b, NULL, "written by berm"));
	}
	if (b->input->denials_folder != NULL && b->writable) {
		TRY(berm_caps_path(b->caps, b->input->denials_folder, BERM_PROTECT, BERM_TREE, b->err));
		TRY(resolve_note(b, NULL, "written by berm"));
	}
	for (const char *const *path = b->input->closed; path != NULL && *path != NULL; path++) {
		TRY(berm_caps_path(b->caps, *path, BERM_DENY, BERM_TREE, b->err));
		TRY(resolve_note(b, NULL, "for root alone"));
	}
	return BERM_OK;
}
