#include <string.h>

#include "base/own.h"
#include "policy/policy_merge.h"

/* What becomes of a key's lines. */
enum shape { SHAPE_NONE = 0, SHAPE_PLAIN, SHAPE_PATH, SHAPE_HOST, SHAPE_TEST };
struct key_use {
	enum shape shape;
	enum policy_use use; /* PATH */
	bool pattern;
};

#define GLOB(use)                                                                                                      \
	{                                                                                                              \
		SHAPE_PATH, use, true                                                                                  \
	}
#define NAME(use)                                                                                                      \
	{                                                                                                              \
		SHAPE_PATH, use, false                                                                                 \
	}

/* SHAPE_NONE: it is no line of the merged policy. What is not in this table is a plain one. */
static const struct key_use uses[POLICY_KEYS] = {
	[KEY_READ] = GLOB(POLICY_USE_GRANT),
	[KEY_WRITE] = GLOB(POLICY_USE_GRANT),
	[KEY_DELETE] = GLOB(POLICY_USE_GRANT),
	[KEY_EXEC] = GLOB(POLICY_USE_GRANT),
	[KEY_REPLACE] = NAME(POLICY_USE_GRANT),
	[KEY_SOCKETS] = GLOB(POLICY_USE_SOCKET),
	[KEY_SCRATCH] = NAME(POLICY_USE_PLAIN),
	[KEY_DENY] = GLOB(POLICY_USE_GUARD),
	[KEY_PROTECT] = GLOB(POLICY_USE_GUARD),
	[KEY_ASK] = GLOB(POLICY_USE_GUARD),
	[KEY_OVERRIDE] = GLOB(POLICY_USE_GUARD),
	[KEY_TRUST_REQUIRE] = GLOB(POLICY_USE_GUARD),
	[KEY_NET_ALLOW] = {.shape = SHAPE_HOST},
	[KEY_NET_DENY] = {.shape = SHAPE_HOST},
	[KEY_BACKEND] = {.shape = SHAPE_PLAIN},
	[KEY_FS_DEFAULT] = {.shape = SHAPE_PLAIN},
	[KEY_TMP] = {.shape = SHAPE_PLAIN},
	[KEY_VIEW] = {.shape = SHAPE_PLAIN},
	[KEY_CACHE] = {.shape = SHAPE_PLAIN},
	[KEY_NET_MODE] = {.shape = SHAPE_PLAIN},
	[KEY_NET_DEFAULT] = {.shape = SHAPE_PLAIN},
	[KEY_PUBLISH] = {.shape = SHAPE_PLAIN},
	[KEY_REACH] = {.shape = SHAPE_PLAIN},
	[KEY_UPSTREAM] = {.shape = SHAPE_PLAIN},
	[KEY_SECRET] = {.shape = SHAPE_PLAIN},
	[KEY_ENV_PASS] = {.shape = SHAPE_PLAIN},
	[KEY_ENV_SET] = {.shape = SHAPE_PLAIN},
	[KEY_LIMIT_MEMORY] = {.shape = SHAPE_PLAIN},
	[KEY_LIMIT_PROCESSES] = {.shape = SHAPE_PLAIN},
	[KEY_LIMIT_CPU] = {.shape = SHAPE_PLAIN},
	[KEY_LIMIT_FILES] = {.shape = SHAPE_PLAIN},
	[KEY_LIMIT_FILE_SIZE] = {.shape = SHAPE_PLAIN},
	[KEY_LIMIT_WALL] = {.shape = SHAPE_PLAIN},
	[KEY_MAY] = {.shape = SHAPE_PLAIN},
	[KEY_HOOK] = {.shape = SHAPE_PLAIN},
	[KEY_COMMAND] = {.shape = SHAPE_PLAIN},
	[KEY_APPROVALS_MODE] = {.shape = SHAPE_PLAIN},
	[KEY_APPROVALS_BY] = {.shape = SHAPE_PLAIN},
	[KEY_APPROVALS_TIMEOUT] = {.shape = SHAPE_PLAIN},
	[KEY_APPROVALS_RATE] = {.shape = SHAPE_PLAIN},
	[KEY_UNDO] = {.shape = SHAPE_PLAIN},
	[KEY_TRUST_PUBLISHERS] = {.shape = SHAPE_PLAIN},
	[KEY_TEST] = {.shape = SHAPE_TEST, .use = POLICY_USE_PLAIN},
};

/* One line on its way to entries. */
struct making {
	struct merge *merge;
	const struct merge_doc *from;
	const struct policy_line *line;
	const struct key_use *use;
};

/* ---- room -------------------------------------------------------------------------------------------------------- */

static enum berm_code add_entry(struct merge *merge, const struct policy_entry *entry)
{
	if (merge->entry_count == merge->entry_cap) {
		if (merge->entry_cap == MERGE_MAX_ENTRIES)
			return err_set(merge->err, BERM_ERR_LIMIT, "more than %d lines in a policy", MERGE_MAX_ENTRIES);
		size_t cap = 2 * merge->entry_cap < MERGE_MAX_ENTRIES ? 2 * merge->entry_cap : MERGE_MAX_ENTRIES;
		struct policy_entry *entries = arena_array(&merge->policy->arena, cap, sizeof *entries);
		if (entries == NULL)
			return merge_no_memory(merge);
		memcpy(entries, merge->entries, merge->entry_count * sizeof *entries);
		merge->entries = entries;
		merge->entry_cap = cap;
	}
	merge->entries[merge->entry_count++] = *entry;
	return BERM_OK;
}

static enum berm_code make_room(struct merge *merge)
{
	size_t lines = 64;
	for (size_t i = 0; i < merge->doc_count; i++)
		lines += merge->docs[i].doc->line_count;
	merge->entry_cap = lines < MERGE_MAX_ENTRIES ? lines : MERGE_MAX_ENTRIES;
	merge->entries = arena_array(&merge->policy->arena, merge->entry_cap, sizeof *merge->entries);
	return merge->entries != NULL ? BERM_OK : merge_no_memory(merge);
}

/* ---- a line ------------------------------------------------------------------------------------------------------ */

/* The code if there is none to go on with; a mistake in the line is a problem, and the line is left out. */
static enum berm_code tell(const struct making *making, enum berm_code code, const struct berm_err *err,
			   const char *text)
{
	struct merge *merge = making->merge;
	if (code != BERM_ERR_PARSE) {
		if (merge->err != NULL)
			*merge->err = *err;
		return code;
	}
	struct place place = merge_place(making->from->doc, making->line);
	problem_add(merge->problems, &place, "%s", err->msg);
	const char *near = text[0] == '$' ? policy_vars_nearest(text) : NULL;
	const char *there = near == NULL ? policy_vars_instead(text) : NULL;
	if (near != NULL)
		problem_hint(merge->problems, "$%s", near);
	else if (there != NULL)
		problem_hint(merge->problems, "%s%s", there, text + strcspn(text, "/"));
	else if (text[0] == '$')
		problem_hint(merge->problems, "the path itself, from '/', '~' or '.'");
	return BERM_OK;
}

static const char *folder_of(const struct making *making)
{
	const struct policy_doc *doc = making->from->doc;
	if (doc->kind == POLICY_DOC_FLAGS)
		return making->merge->input->cwd;
	return doc->folder != NULL ? doc->folder : making->merge->input->workspace;
}

static enum berm_code paths_of(const struct making *making, const char *text, bool pattern,
			       struct policy_vars_paths *ret_paths)
{
	struct merge *merge = making->merge;
	const struct policy_vars_request request = {.text = text,
						    .folder = folder_of(making),
						    .use = making->use->use,
						    .pattern = pattern,
						    .shipped = making->from->doc->shipped};
	struct berm_err err;
	enum berm_code code = policy_vars_paths(&merge->vars, &request, ret_paths, &err);
	if (code == BERM_OK)
		return BERM_OK;
	*ret_paths = (struct policy_vars_paths){.paths = ret_paths->one};
	return tell(making, code, &err, text);
}

/* The exceptions of a line, resolved, into found, which has room for MERGE_MAX_EXCEPTS. */
static enum berm_code find_excepts(const struct making *making, const char **found, size_t *ret_count)
{
	struct policy_vars_paths paths;
	for (uint32_t i = 0; i < making->line->attr_count; i++) {
		const struct policy_attr *attr = &making->line->attrs[i];
		if (attr->key != ATTR_EXCEPT)
			continue;
		TRY(paths_of(making, attr->text, true, &paths));
		for (const char *const *path = paths.paths; *path != NULL; path++) {
			if (*ret_count == MERGE_MAX_EXCEPTS)
				return err_set(making->merge->err, BERM_ERR_LIMIT, "more than %d exceptions of '%.60s'",
					       MERGE_MAX_EXCEPTS, making->line->text);
			found[(*ret_count)++] = *path;
		}
	}
	return BERM_OK;
}

static enum berm_code excepts_of(const struct making *making, const char *const **ret_excepts)
{
	const char *found[MERGE_MAX_EXCEPTS];
	size_t count = 0;
	if (policy_attr_find(making->line, ATTR_EXCEPT) == NULL)
		return BERM_OK;
	TRY(find_excepts(making, found, &count));
	const char **excepts = arena_array(&making->merge->policy->arena, count + 1, sizeof *excepts);
	if (excepts == NULL)
		return merge_no_memory(making->merge);
	memcpy(excepts, found, count * sizeof *excepts);
	*ret_excepts = excepts;
	return BERM_OK;
}

static enum berm_code add_paths(const struct making *making, struct policy_entry *entry)
{
	struct policy_vars_paths paths;
	TRY(paths_of(making, making->line->text, making->use->pattern, &paths));
	if (paths.paths[0] != NULL)
		TRY(excepts_of(making, &entry->except));
	for (const char *const *path = paths.paths; *path != NULL; path++) {
		entry->path = *path;
		TRY(add_entry(making->merge, entry));
	}
	return BERM_OK;
}

static enum berm_code add_hosts(const struct making *making, struct policy_entry *entry)
{
	const char *const *hosts = NULL;
	struct berm_err err;
	if (making->line->text[0] != '$')
		return add_entry(making->merge, entry);
	enum berm_code code = policy_vars_hosts(&making->merge->vars, making->line->text, &hosts, &err);
	if (code != BERM_OK)
		return tell(making, code, &err, making->line->text);
	for (; hosts != NULL && *hosts != NULL; hosts++) {
		entry->text = *hosts;
		TRY(add_entry(making->merge, entry));
	}
	return BERM_OK;
}

/* "read ~/x": a test that is about a file has its path. */
static enum berm_code add_test(const struct making *making, struct policy_entry *entry)
{
	static const char *const words[] = {"read ", "list ", "write ", "create ", "delete ", "exec ", "socket "};
	const char *text = making->line->text;
	struct policy_vars_paths paths;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t len = strlen(words[i]);
		if (strncmp(text, words[i], len) != 0)
			continue;
		TRY(paths_of(making, text + len, false, &paths));
		for (const char *const *path = paths.paths; *path != NULL; path++) {
			entry->path = *path;
			TRY(add_entry(making->merge, entry));
		}
		return BERM_OK;
	}
	return add_entry(making->merge, entry);
}

static enum berm_code add_line(const struct making *making)
{
	const struct merge_doc *from = making->from;
	struct policy_entry entry = {.doc = from->doc,
				     .line = making->line,
				     .layer = from->layer,
				     .via = from->via,
				     .text = making->line->text};
	if (making->use->shape == SHAPE_TEST)
		return add_test(making, &entry);
	if (making->use->shape == SHAPE_PATH)
		return add_paths(making, &entry);
	return making->use->shape == SHAPE_HOST ? add_hosts(making, &entry) : add_entry(making->merge, &entry);
}

/* ---- documents --------------------------------------------------------------------------------------------------- */

static bool is_guard(enum policy_key key)
{
	return uses[key].shape == SHAPE_PATH && uses[key].use == POLICY_USE_GUARD;
}

/* What a project wants is no line of its own: what the user has consented to comes in with the user's documents. */
static bool counts(struct merge *merge, const struct merge_doc *from, const struct policy_line *line)
{
	if (from->layer == LAYER_PROJECT && !line->wanted && !merge_narrows(line)) {
		merge_refuse(merge, from->doc, line);
		return false;
	}
	if (line->wanted && from->layer != LAYER_PROJECT) {
		struct place place = merge_place(from->doc, line);
		problem_add(merge->problems, &place, "'wants' stands only in a project's file");
	}
	return !line->wanted && uses[line->key].shape != SHAPE_NONE && merge_holds(merge, line);
}

static enum berm_code add_lines(struct merge *merge, const struct merge_doc *from, bool guards)
{
	struct making making = {.merge = merge, .from = from};
	for (uint32_t i = 0; i < from->doc->line_count; i++) {
		making.line = &from->doc->lines[i];
		if (is_guard(making.line->key) != guards || !counts(merge, from, making.line))
			continue;
		making.use = &uses[making.line->key];
		TRY(add_line(&making));
	}
	return BERM_OK;
}

static enum berm_code add_documents(struct merge *merge, bool guards)
{
	for (size_t i = 0; i < merge->doc_count; i++)
		if (!merge->docs[i].out)
			TRY(add_lines(merge, &merge->docs[i], guards));
	return BERM_OK;
}

/* Denied paths, by which what the environment names is judged. Those that the environment itself names do not count: who
 * moves a tool's folder moves its secrets along. */
static enum berm_code close_paths(struct merge *merge)
{
	char plain[PATH_MAX];
	struct policy_vars *vars = &merge->vars;
	vars->closed = arena_array(&merge->policy->arena, merge->entry_count, sizeof *vars->closed);
	if (vars->closed == NULL)
		return merge_no_memory(merge);
	for (size_t i = 0; i < merge->entry_count; i++) {
		const struct policy_entry *entry = &merge->entries[i];
		if (entry->line->key != KEY_DENY || entry->line->text[0] == '$' || policy_vars_is_wild(entry->path))
			continue;
		const char *path = policy_vars_plain(entry->path, plain);
		if (path == plain && (path = arena_text(&merge->policy->arena, str_from(plain))) == NULL)
			return merge_no_memory(merge);
		vars->closed[vars->closed_count++] = path;
	}
	return BERM_OK;
}

/* ---- berm's own -------------------------------------------------------------------------------------------------- */

static const struct policy_attr own_label[] = {{ATTR_LABEL, "policy"}};
static const struct policy_line own_protect = {
	.key = KEY_PROTECT, .text = "policy files in use", .attrs = own_label, .attr_count = ARRAY_LEN(own_label)};
static const struct policy_line own_deny = {
	.key = KEY_DENY, .text = "berm's own state", .attrs = own_label, .attr_count = ARRAY_LEN(own_label)};
static const struct policy_doc own_doc = {.kind = POLICY_DOC_FLAGS, .file = "berm", .shipped = true};

static enum berm_code add_own(struct merge *merge, const struct policy_line *line, const char *folder, const char *name)
{
	static const struct key_use use = GLOB(POLICY_USE_GUARD);
	const struct merge_doc from = {&own_doc, LAYER_RUN, 0, "", false};
	const struct making making = {merge, &from, line, &use};
	struct policy_vars_paths paths;
	struct policy_entry entry = {.doc = &own_doc, .line = line, .layer = LAYER_RUN, .via = "", .text = line->text};
	const struct policy_vars_request request = {.text = name, .folder = folder, .use = use.use, .pattern = true};
	struct berm_err err;
	enum berm_code code = policy_vars_paths(&merge->vars, &request, &paths, &err);
	if (code != BERM_OK)
		return tell(&making, code, &err, name);
	entry.path = paths.paths[0];
	return entry.path != NULL ? add_entry(merge, &entry) : BERM_OK;
}

/* A policy that a run can change is none for the next run. */
static enum berm_code add_run(struct merge *merge)
{
	const struct policy_input *input = merge->input;
	if (input->workspace != NULL)
		TRY(add_own(merge, &own_protect, input->workspace, ".berm.yaml"));
	if (input->config_folder != NULL)
		TRY(add_own(merge, &own_protect, input->config_folder, "./**"));
	if (input->state_folder != NULL)
		TRY(add_own(merge, &own_deny, input->state_folder, "."));
	if (input->runtime_folder != NULL)
		TRY(add_own(merge, &own_deny, input->runtime_folder, "."));
	for (size_t i = 0; i < merge->doc_count; i++) {
		const struct merge_doc *from = &merge->docs[i];
		bool is_file = !from->doc->shipped && from->doc->kind != POLICY_DOC_FLAGS && !from->out;
		if (is_file && from->doc->file[0] == '/' && from->layer != LAYER_PROJECT)
			TRY(add_own(merge, &own_protect, from->doc->file, "."));
	}
	return BERM_OK;
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static enum berm_code sort_by_layer(struct merge *merge)
{
	size_t at[POLICY_LAYERS + 1] = {0};
	struct policy *policy = merge->policy;
	policy->entries = arena_array(&policy->arena, merge->entry_count, sizeof *policy->entries);
	if (policy->entries == NULL)
		return merge_no_memory(merge);
	for (size_t i = 0; i < merge->entry_count; i++)
		at[merge->entries[i].layer + 1]++;
	for (size_t i = 1; i <= POLICY_LAYERS; i++)
		at[i] += at[i - 1];
	for (size_t i = 0; i < merge->entry_count; i++)
		policy->entries[at[merge->entries[i].layer]++] = merge->entries[i];
	policy->count = merge->entry_count;
	return BERM_OK;
}

enum berm_code merge_entries(struct merge *merge)
{
	TRY(make_room(merge));
	TRY(add_documents(merge, true));
	TRY(close_paths(merge));
	TRY(add_documents(merge, false));
	TRY(add_run(merge));
	return sort_by_layer(merge);
}
