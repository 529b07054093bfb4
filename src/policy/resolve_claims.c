/* What is granted: each line as a path if it is there, git's own folder, and folders of the sandbox's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "format/path.h"
#include "policy/approvers.h"
#include "policy/resolve_build.h"

enum { WRITING = BERM_READ | BERM_WRITE | BERM_DELETE | BERM_EXEC };

/* ---- patterns as paths ------------------------------------------------------------------------------------------- */

size_t resolve_stem_len(const char *pattern)
{
	size_t end = 0, at = 0;
	for (; pattern[at] != '\0'; at++) {
		char c = pattern[at];
		if (c == '/')
			end = at;
		else if (c == '*' || c == '?' || c == '[' || c == '{')
			return end;
		else if (c == '\\' && pattern[at + 1] != '\0')
			at++;
	}
	return at;
}

static void unescape(char *text)
{
	char *to = text;
	for (const char *from = text; *from != '\0'; from++) {
		if (*from == '\\' && from[1] != '\0')
			from++;
		*to++ = *from;
	}
	*to = '\0';
}

enum berm_code resolve_literal(struct building *b, const char *pattern, const char **ret_path, bool *ret_tree)
{
	size_t len = strlen(pattern), stem = resolve_stem_len(pattern);
	bool tree = stem < len && strcmp(pattern + stem, "/**") == 0;
	*ret_tree = tree;
	*ret_path = pattern;
	if (stem == len && strchr(pattern, '\\') == NULL)
		return BERM_OK;
	*ret_path = stem == 0 ? "/" : NULL;
	if ((stem < len && !tree) || stem == 0) {
		*ret_path = tree ? "/" : NULL;
		return BERM_OK;
	}
	char *path = arena_text(&b->arena, (struct str){pattern, stem});
	if (path == NULL)
		return err_set(b->err, BERM_ERR_NOMEM, "resolve a path");
	unescape(path);
	*ret_path = path;
	return BERM_OK;
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static unsigned rights_of(const struct building *b, enum policy_key key)
{
	static const unsigned rights[POLICY_KEYS] = {
		[KEY_READ] = BERM_READ,	    [KEY_EXEC] = BERM_READ | BERM_EXEC, [KEY_WRITE] = WRITING,
		[KEY_DELETE] = BERM_DELETE, [KEY_REPLACE] = BERM_REPLACE,
	};
	return key == KEY_WRITE && b->deletes_by_line ? rights[key] & ~(unsigned)BERM_DELETE : rights[key];
}

static bool grants(enum policy_key key)
{
	return key == KEY_READ || key == KEY_WRITE || key == KEY_EXEC || key == KEY_DELETE || key == KEY_REPLACE ||
	       key == KEY_SOCKETS;
}

static bool is_workspace(const struct building *b, const char *path)
{
	return b->input->workspace != NULL && strcmp(path, b->input->workspace) == 0;
}

/* These variables give what is there and can be read (policy_vars.c). */
static bool is_looked_at(const char *text)
{
	return strncmp(text, "$PATH", 5) == 0 || strncmp(text, "$TOOL_ROOTS", 11) == 0;
}

/* What is not there, or closed to the user anyway, need not be told of a shipped line. A folder that the session makes
 * will be there, and a file that is replaced is made by its first save. */
static bool is_left_out(const struct building *b, const struct policy_entry *entry, const char *path)
{
	if ((b->input->look && policy_attr_is(entry->line, ATTR_MAKE)) || entry->line->key == KEY_REPLACE)
		return false;
	if (!resolve_is_shipped(entry) || is_workspace(b, path) || b->input->readable == NULL)
		return false;
	return entry->line->key != KEY_SOCKETS && !is_looked_at(entry->line->text) && !b->input->readable(path);
}

/* There are no programs in the kernel's own folders; where programs may be started, patterns hold less well. */
static bool has_no_programs(const char *path)
{
	struct str at = str_from(path);
	return path_is_in(at, STR("/sys")) || (path_is_in(at, STR("/dev")) && !path_is_in(at, STR("/dev/shm")));
}

static enum berm_code add(struct building *b, struct claim claim)
{
	if (has_no_programs(claim.path))
		claim.rights &= ~(unsigned)BERM_EXEC;
	b->writable |= (claim.rights & (BERM_WRITE | BERM_DELETE | BERM_REPLACE)) != 0;
	if (is_workspace(b, claim.path))
		b->workspace_rights |= claim.rights;
	return vec_push(&b->claims, &claim, b->err);
}

enum { HINT_MAX = 160 };

/* A folder in the place of a pattern: the one around all that it matches, unless that is the root. */
static void name_folder(const char *pattern, const char *more, char ret[static HINT_MAX])
{
	size_t len = resolve_stem_len(pattern);
	if (len > 1)
		(void)snprintf(ret, HINT_MAX, "the folder around it, '%.*s'%s", len < 80 ? (int)len : 80, pattern,
			       more);
	else
		(void)snprintf(ret, HINT_MAX, "the folders that are meant, by their names%s", more);
}

/* Lines that can be granted nowhere are told. */
static bool can_be(struct building *b, const struct policy_entry *entry, const char *path)
{
	char hint[HINT_MAX];
	if (path == NULL) {
		name_folder(entry->path, ", and filesystem.deny for the rest", hint);
		resolve_complain(b, BERM_ERR_UNSUPPORTED, entry, hint,
				 "no pattern can be granted in this version: '%.100s'", entry->line->text);
		return false;
	}
	if (strcmp(path, "/") != 0 || (rights_of(b, entry->line->key) & (BERM_WRITE | BERM_DELETE)) == 0)
		return true;
	resolve_complain(b, BERM_ERR_INVALID, entry, "the folders in it that are to be written",
			 "'/' cannot be written as a whole");
	return false;
}

static enum berm_code add_entry(struct building *b, const struct policy_entry *entry)
{
	bool tree;
	enum policy_key key = entry->line->key;
	const char *path = entry->path;
	if (key != KEY_REPLACE)
		TRY(resolve_literal(b, entry->path, &path, &tree));
	if (!can_be(b, entry, path) || is_left_out(b, entry, path))
		return BERM_OK;
	return add(b, (struct claim){.path = path,
				     .rights = rights_of(b, key),
				     .extent = key == KEY_REPLACE ? BERM_FILE : resolve_extent(entry),
				     .entry = entry});
}

static bool has_lines(const struct policy *policy, enum policy_key key)
{
	for (size_t i = 0; i < policy->count; i++)
		if (policy->entries[i].line->key == key && policy->entries[i].off == NULL)
			return true;
	return false;
}

bool resolve_allows_asked(const struct policy *policy)
{
	return policy_says(policy, KEY_APPROVALS_MODE, "allow");
}

static enum berm_code add_asked(struct building *b, const struct policy_entry *entry, const char *path)
{
	return add(b, (struct claim){.path = path,
				     .rights = BERM_READ | BERM_WRITE | BERM_DELETE,
				     .extent = BERM_TREE,
				     .entry = entry,
				     .asked = true});
}

static enum berm_code find_asked_by(struct building *b, const struct policy_entry *entry)
{
	char hint[HINT_MAX];
	const char *path;
	bool tree;
	TRY(resolve_literal(b, entry->path, &path, &tree));
	if (path != NULL)
		return add_asked(b, entry, path);
	if (b->asks)
		return BERM_OK;
	name_folder(entry->path, "", hint);
	resolve_complain(b, BERM_ERR_UNSUPPORTED, entry, hint, "no pattern can be asked for in this version: '%.100s'",
			 entry->line->text);
	return BERM_OK;
}

/* Whatever no line names, or else what the lines name that ask. */
static enum berm_code find_asked(struct building *b)
{
	bool all = policy_says(b->policy, KEY_FS_DEFAULT, "ask");
	if (all)
		TRY(add_asked(b, b->policy->setting[KEY_FS_DEFAULT], "/"));
	if (all && !b->asks)
		return BERM_OK; /* who is asked is told by which line */
	for (size_t i = 0; i < b->policy->count; i++) {
		const struct policy_entry *entry = &b->policy->entries[i];
		if (entry->line->key == KEY_ASK && entry->off == NULL && entry->path != NULL)
			TRY(find_asked_by(b, entry));
	}
	return BERM_OK;
}

enum berm_code resolve_ask_closes(struct building *b, const struct policy_entry *entry, bool *ret_closes)
{
	const char *path;
	bool tree;
	*ret_closes = !resolve_allows_asked(b->policy);
	if (!b->asks)
		return BERM_OK;
	TRY(resolve_literal(b, entry->path, &path, &tree));
	*ret_closes = path == NULL;
	for (size_t i = 0; path != NULL && !*ret_closes && i < b->claims.len; i++) {
		const struct claim *claim = vec_at(&b->claims, i);
		*ret_closes = !claim->asked && claim->rights != 0 && path_is_in(str_from(path), str_from(claim->path));
	}
	return BERM_OK;
}

enum berm_code resolve_claims_find(struct building *b)
{
	b->deletes_by_line = has_lines(b->policy, KEY_DELETE);
	for (size_t i = 0; i < b->policy->count; i++) {
		const struct policy_entry *entry = &b->policy->entries[i];
		if (grants(entry->line->key) && entry->off == NULL && entry->path != NULL)
			TRY(add_entry(b, entry));
	}
	TRY(policy_approvers_ask(b->input, &b->asks, b->err));
	if (b->asks || resolve_allows_asked(b->policy))
		TRY(find_asked(b));
	/* git's folder outside of the workspace belongs to it */
	if (b->input->git_common != NULL && b->workspace_rights != 0)
		TRY(add(b, (struct claim){.path = b->input->git_common,
					  .rights = b->workspace_rights,
					  .extent = BERM_TREE,
					  .words = "git's folder of the workspace"}));
	return BERM_OK;
}

/* ---- capabilities ------------------------------------------------------------------------------------------------ */

static bool is_temporary(const char *path)
{
	return strcmp(path, "/tmp") == 0 || strcmp(path, "/var/tmp") == 0;
}

/* A line of a person that names just this folder; writing: one that grants this. */
static const struct claim *find_named(const struct building *b, const char *path, bool writing)
{
	for (size_t i = 0; i < b->claims.len; i++) {
		const struct claim *claim = vec_at(&b->claims, i);
		bool written = claim->entry != NULL && !resolve_is_shipped(claim->entry) && !claim->dropped;
		if (written && (!writing || (claim->rights & BERM_WRITE) != 0) && claim->rights != 0 &&
		    strcmp(claim->path, path) == 0)
			return claim;
	}
	return NULL;
}

/* A person who grants writing of just this folder means the machine's. Less than that is neither this one nor that. */
static bool is_named(struct building *b, const char *path)
{
	const struct claim *claim = find_named(b, path, true);
	if (claim != NULL)
		return true;
	claim = find_named(b, path, false);
	if (claim != NULL)
		resolve_complain(b, BERM_ERR_INVALID, claim->entry,
				 "a folder in it, or writing it: that is the machine's then",
				 "'%.100s' is the sandbox's own", path);
	return false;
}

/* Caches are the sandbox's own: what is put there must not be used outside later. One in the workspace is the
 * workspace's; one that is kept is in the workspace's cache, which a line grants and the environment tells of. */
static enum berm_code put_scratch(struct building *b, const struct policy_entry *entry)
{
	const char *path = entry->path;
	bool through = is_temporary(path) ? policy_says(b->policy, KEY_TMP, "host") || is_named(b, path)
					  : policy_says(b->policy, KEY_CACHE, "shared");
	if (!through && b->input->workspace_cache != NULL && policy_attr_find(entry->line, ATTR_KEEP) != NULL)
		return BERM_OK;
	if (through) {
		b->writable = true;
		TRY(berm_caps_path(b->caps, path, WRITING, BERM_TREE, b->err));
	} else if (b->input->workspace == NULL || !path_is_in(str_from(path), str_from(b->input->workspace))) {
		TRY(resolve_told(b,
				 berm_caps_scratch(b->caps, path, policy_attr_find(entry->line, ATTR_VARIABLE), b->err),
				 entry, "a folder of its own, as /tmp is"));
	} else {
		return BERM_OK;
	}
	return resolve_note(b, entry, NULL);
}

static enum berm_code put(struct building *b, const struct claim *claim)
{
	unsigned rights = claim->rights | (claim->asked ? (unsigned)BERM_ASK : 0U);
	enum berm_code code = claim->rights == 0 ? berm_caps_socket(b->caps, claim->path, b->err)
						 : berm_caps_path(b->caps, claim->path, rights, claim->extent, b->err);
	TRY(resolve_told(b, code, claim->entry, "the path of a file or of a folder that is not the root"));
	if (claim->asked && !b->asks)
		TRY(berm_caps_allow_asked(b->caps, b->err));
	return resolve_note(b, claim->entry, claim->words);
}

/* What git reads elsewhere because its configuration says so, unless that is a secret. */
static enum berm_code put_git_reads(struct building *b)
{
	const char *const *path = b->input->git_reads;
	for (; path != NULL && *path != NULL && b->workspace_rights != 0; path++) {
		bool clear;
		TRY(resolve_closings_clear(b, *path, &clear));
		if (!clear || (b->input->readable != NULL && !b->input->readable(*path)))
			continue;
		TRY(berm_caps_path(b->caps, *path, BERM_READ | BERM_EXEC, BERM_TREE, b->err));
		TRY(resolve_note(b, NULL, "git's configuration names it"));
	}
	return BERM_OK;
}

/* Reading what was denied, with berm itself. */
static enum berm_code put_denials(struct building *b)
{
	const struct {
		const char *path;
		unsigned rights;
		enum berm_extent extent;
		const char *words;
	} lines[] = {
		{b->input->denials_folder, BERM_READ, BERM_TREE, "this session's denials"},
		{b->input->program, BERM_READ | BERM_EXEC, BERM_FILE, "berm itself, to tell of them"},
	};
	for (size_t i = 0; i < ARRAY_LEN(lines) && b->input->denials_folder != NULL; i++) {
		bool clear = false;
		if (lines[i].path != NULL)
			TRY(resolve_closings_clear(b, lines[i].path, &clear));
		if (!clear)
			continue;
		TRY(berm_caps_path(b->caps, lines[i].path, lines[i].rights, lines[i].extent, b->err));
		TRY(resolve_note(b, NULL, lines[i].words));
	}
	return BERM_OK;
}

static bool is_written(const struct building *b, const struct claim *within)
{
	for (size_t i = 0; i < b->claims.len; i++) {
		const struct claim *claim = vec_at(&b->claims, i);
		bool writes = !claim->dropped && !claim->asked && (claim->rights & BERM_WRITE) != 0;
		bool whole = claim->extent == BERM_TREE || within->extent == BERM_FILE;
		for (size_t k = 0; k < claim->name_count && writes && whole; k++)
			if (path_is_in(str_from(within->path), claim->names[k]))
				return true;
	}
	return false;
}

/* A name is removed from its folder, which a mount lets be changed or not; so without writing it is held by no back-end that
 * has mounts, and then by none, so that a policy means the same everywhere. */
static void check_delete(struct building *b, const struct claim *claim)
{
	bool deletes = claim->entry != NULL && claim->entry->line->key == KEY_DELETE && !claim->dropped;
	if (deletes && !is_written(b, claim))
		resolve_complain(b, BERM_ERR_UNSUPPORTED, claim->entry,
				 "filesystem.write of it as well, or of a folder around it",
				 "nothing can be removed where nothing can be written: '%.100s'",
				 claim->entry->line->text);
}

enum berm_code resolve_claims_put(struct building *b)
{
	for (size_t i = 0; i < b->claims.len; i++) {
		const struct claim *claim = vec_at(&b->claims, i);
		check_delete(b, claim);
		if (!claim->dropped)
			TRY(put(b, claim));
	}
	TRY(put_git_reads(b));
	TRY(put_denials(b));
	for (size_t i = 0; i < b->policy->count; i++) {
		const struct policy_entry *entry = &b->policy->entries[i];
		if (entry->line->key == KEY_SCRATCH && entry->off == NULL && entry->path != NULL)
			TRY(put_scratch(b, entry));
	}
	return BERM_OK;
}
