#include "policy/default_policy.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "format/path.h"
#include "policy/grants.h"
#include "policy/policy_env.h"
#include "policy/rules.h"

enum {
	WRITING = BERM_READ | BERM_WRITE | BERM_DELETE | BERM_EXEC,
	PATTERN_MAX = 4 * PATH_MAX,
};

struct building {
	const struct policy_input *input;
	const char *home;      /* without a slash at its end; NULL: none */
	const char *real_home; /* the same without links; NULL: none */
	struct berm_caps *caps;
	struct berm_err *err;
};

/* ---- paths ------------------------------------------------------------------------------------------------------- */

/* FOLDER/NAME/SUB; name and sub may be "". False: it does not fit, and so there can be no such path. */
static bool path_join(char ret_path[static PATH_MAX], const char *folder, const char *name, const char *sub)
{
	const char *parts[] = {folder, name, sub};
	size_t at = 0;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		size_t len = strlen(parts[i]);
		bool slash = i > 0 && len > 0;
		if (at + slash + len >= PATH_MAX)
			return false;
		if (slash)
			ret_path[at++] = '/';
		memcpy(ret_path + at, parts[i], len);
		at += len;
	}
	ret_path[at] = '\0';
	return at > 0;
}

static bool is_in(const char *path, const char *folder)
{
	return path_is_in(str_from(path), str_from(folder));
}

static const char *variable_path(const struct building *b, const char *name)
{
	const char *value = name != NULL ? policy_env_get(b->input->envp, name) : NULL;
	return value != NULL && value[0] == '/' && strlen(value) < PATH_MAX ? value : NULL;
}

static enum berm_code grant(const struct building *b, const char *path, unsigned rights, enum berm_extent extent)
{
	return berm_caps_path(b->caps, path, rights, extent, b->err);
}

static bool is_readable(const struct building *b, const char *path)
{
	return b->input->readable == NULL || b->input->readable(path);
}

/* A line of our own: what is not there, or closed to the user anyway, need not be told. */
static enum berm_code offer(const struct building *b, const char *path, unsigned rights, enum berm_extent extent)
{
	return is_readable(b, path) ? grant(b, path, rights, extent) : BERM_OK;
}

/* ---- what programs need ------------------------------------------------------------------------------------------ */

/* For an ordinary user the system itself closes them all. */
static enum berm_code close_system_secrets(const struct building *b)
{
	bool may_read = false;
	for (size_t i = 0; i < grant_etc_probe_count && !may_read; i++)
		may_read = is_readable(b, grant_etc_probes[i]);
	for (size_t i = 0; may_read && i < grant_etc_secret_count; i++)
		TRY(offer(b, grant_etc_secrets[i], BERM_DENY, BERM_TREE));
	for (const char *const *path = b->input->closed; path != NULL && *path != NULL; path++)
		TRY(grant(b, *path, BERM_DENY, BERM_TREE));
	return BERM_OK;
}

static enum berm_code grant_system_folders(const struct building *b)
{
	for (size_t i = 0; i < grant_system_count; i++) {
		const struct grant_system *row = &grant_systems[i];
		if (!row->with_network || b->input->network == BERM_NET_HOST)
			TRY(offer(b, row->path, row->rights, BERM_TREE));
	}
	return close_system_secrets(b);
}

static const char *below(const char *path, const char *folder)
{
	size_t len = folder != NULL ? strlen(folder) : 0;
	return folder != NULL && strncmp(path, folder, len) == 0 && path[len] == '/' ? path + len + 1 : NULL;
}

/* The part of path behind the home folder and its slash; NULL: it is not below the home folder. */
static const char *below_home(const struct building *b, const char *path)
{
	const char *rest = below(path, b->home);
	return rest != NULL ? rest : below(path, b->real_home);
}

/* Is the home folder in it? */
static bool holds_home(const struct building *b, const char *folder)
{
	return (b->home != NULL && is_in(b->home, folder)) || (b->real_home != NULL && is_in(b->real_home, folder));
}

/* Does a secret lie in the folder, or (with around) the folder in a secret one? */
static bool meets_secret(const struct building *b, const char *folder, bool around)
{
	const char *rest = below_home(b, folder);
	for (size_t i = 0; rest != NULL && i < grant_home_secret_count; i++)
		if (is_in(grant_home_secrets[i], rest) || (around && is_in(rest, grant_home_secrets[i])))
			return true;
	return holds_home(b, folder);
}

/* Folders that hold more than one tool. */
static bool is_wide(const struct building *b, const char *folder)
{
	static const char *const wide[] = {"/",	   "/home", "/root", "/var", "/srv",  "/mnt", "/media",
					   "/run", "/proc", "/sys",  "/dev", "/boot", "/tmp", "/etc"};
	char local[PATH_MAX];
	for (size_t i = 0; i < ARRAY_LEN(wide); i++)
		if (strcmp(folder, wide[i]) == 0)
			return true;
	return holds_home(b, folder) ||
	       (b->home != NULL && path_join(local, b->home, ".local", "") && strcmp(folder, local) == 0);
}

/* May a folder that the environment names be granted? What counts is where it leads. */
__attribute__((noinline)) static bool is_harmless(const struct building *b, const char *path, bool around)
{
	char real[PATH_MAX];
	if (is_wide(b, path) || meets_secret(b, path, around))
		return false;
	if (b->input->resolve == NULL)
		return true;
	return b->input->resolve(path, real) && !is_wide(b, real) && !meets_secret(b, real, around);
}

static enum berm_code offer_named(const struct building *b, const char *path, unsigned rights, bool around)
{
	return is_harmless(b, path, around) ? offer(b, path, rights, BERM_TREE) : BERM_OK;
}

static enum berm_code grant_home_row(const struct building *b, const struct grant_home *row)
{
	char path[PATH_MAX];
	const char *moved = variable_path(b, row->variable);
	if (moved != NULL)
		return is_harmless(b, moved, false) && path_join(path, moved, row->sub, "")
			       ? offer_named(b, path, row->rights, false)
			       : BERM_OK;
	bool fits = b->home != NULL && path_join(path, b->home, row->base, row->sub);
	return fits ? offer(b, path, row->rights, row->extent) : BERM_OK;
}

/* A tool's folder is not granted as a whole for the "bin" in it: who knows what else is there. What stands beside in a
 * tool of the usual shape is named. */
__attribute__((noinline)) static enum berm_code grant_beside_bin(const struct building *b, const char *path)
{
	static const char *const ends[] = {"bin", "sbin", "shims", "condabin"};
	static const char *const parts[] = {
		"lib",	 "lib64", "libexec", "share", "include",  "pkg",     "src",    "etc",	     "conf",
		"jre",	 "jmods", "legal",   "boot",  "versions", "plugins", "misc",   "init.d",     "modules",
		"shims", "bin",	  "VERSION", "api",   "version",  "release", "go.env", "pyvenv.cfg",
	};
	const char *slash = strrchr(path, '/');
	char part[PATH_MAX];
	size_t at = (size_t)(slash - path);
	bool is_end = false;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		is_end |= strcmp(slash + 1, ends[i]) == 0;
	if (!is_end || slash == path)
		return BERM_OK;
	memcpy(part, path, at);
	part[at] = '\0';
	if (!is_harmless(b, part, true))
		return BERM_OK;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		size_t len = strlen(parts[i]);
		if (at + 1 + len >= sizeof part)
			continue;
		part[at] = '/';
		memcpy(part + at + 1, parts[i], len + 1);
		if (strcmp(part, path) != 0)
			TRY(offer_named(b, part, BERM_READ | BERM_EXEC, true));
	}
	return BERM_OK;
}

static bool is_granted_anyway(const char *path)
{
	static const char *const folders[] = {"/usr", "/bin", "/sbin", "/opt"};
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (is_in(path, folders[i]))
			return true;
	return false;
}

/* A folder of PATH. */
static enum berm_code grant_program_folder(const struct building *b, struct str folder)
{
	char path[PATH_MAX];
	while (folder.len > 1 && folder.ptr[folder.len - 1] == '/')
		folder.len--;
	if (folder.len < 2 || folder.ptr[0] != '/' || folder.len >= sizeof path ||
	    memchr(folder.ptr, '\n', folder.len) != NULL)
		return BERM_OK;
	memcpy(path, folder.ptr, folder.len);
	path[folder.len] = '\0';
	if (is_granted_anyway(path) || strstr(path, "/..") != NULL)
		return BERM_OK;
	TRY(offer_named(b, path, BERM_READ | BERM_EXEC, false));
	return grant_beside_bin(b, path);
}

static enum berm_code grant_tools(const struct building *b)
{
	for (size_t i = 0; i < grant_home_count; i++)
		TRY(grant_home_row(b, &grant_homes[i]));
	struct str rest = str_from(policy_env_get(b->input->envp, "PATH")), folder;
	while (str_next(&rest, ':', &folder))
		TRY(grant_program_folder(b, folder));
	for (size_t i = 0; i < grant_certificate_count; i++) {
		const char *path = variable_path(b, grant_certificates[i]);
		if (path != NULL)
			TRY(offer_named(b, path, BERM_READ, true));
	}
	return BERM_OK;
}

static enum berm_code grant_git_reads(const struct building *b)
{
	for (const char *const *path = b->input->git_reads; path != NULL && *path != NULL; path++)
		TRY(offer_named(b, *path, BERM_READ | BERM_EXEC, true));
	return BERM_OK;
}

/* Caches are the sandbox's own: what is put there must not be used outside later. */
static enum berm_code grant_scratch_folders(const struct building *b)
{
	char path[PATH_MAX];
	for (size_t i = 0; i < grant_scratch_count; i++) {
		const struct grant_scratch *row = &grant_scratches[i];
		const char *moved = row->absolute ? NULL : variable_path(b, row->variable);
		const char *folder = moved != NULL ? moved : row->base;
		if (moved == NULL && !row->absolute) {
			if (b->home == NULL || !path_join(path, b->home, row->base, ""))
				continue;
			folder = path;
		}
		bool own = b->input->workspace != NULL && is_in(folder, b->input->workspace);
		if (row->absolute && b->input->extra[BERM_EXTRA_HOST_TMP])
			TRY(grant(b, folder, WRITING, BERM_TREE));
		else if (!own)
			TRY(berm_caps_scratch(b->caps, folder, row->variable, b->err));
	}
	return BERM_OK;
}

/* ---- the workspace ----------------------------------------------------------------------------------------------- */

/* A path as a pattern that matches just it. */
static void pattern_put(struct buf *pattern, const char *path)
{
	for (; *path != '\0'; path++) {
		if (strchr("*?[]{},\\", *path) != NULL)
			buf_putc(pattern, '\\');
		buf_putc(pattern, *path);
	}
}

/* The rule with pattern and except, which stand below folder. */
static enum berm_code add_rule_below(const struct building *b, const char *folder, struct berm_rule rule)
{
	auto_buf struct buf pattern, except;
	buf_init(&pattern, PATTERN_MAX);
	buf_init(&except, PATTERN_MAX);
	pattern_put(&pattern, folder);
	pattern_put(&except, folder);
	buf_printf(&pattern, "/%s", rule.pattern);
	TRY(buf_check(&pattern, b->err));
	if (rule.except != NULL) {
		buf_printf(&except, "/%s", rule.except);
		TRY(buf_check(&except, b->err));
		rule.except = except.data;
	}
	rule.size = sizeof rule;
	rule.pattern = pattern.data;
	return berm_caps_rule(b->caps, &rule, b->err);
}

/* The run's own repository is not even removable: .git is not renamed away, configuration and hooks are not unlinked. */
static enum berm_code protect_repository(const struct building *b, const char *git)
{
	struct berm_rule config = policy_git_config;
	const struct berm_rule hooks = {
		.pattern = "hooks/*/**", .except = "hooks/*.sample", .right = BERM_PROTECT, .label = "git hooks"};
	config.pattern = "config";
	TRY(add_rule_below(b, git, config));
	return add_rule_below(b, git, hooks);
}

static enum berm_code protect_own_repository(const struct building *b)
{
	char git[PATH_MAX];
	const struct policy_input *input = b->input;
	for (const char *const *path = input->git_paths; path != NULL && *path != NULL; path++)
		TRY(grant(b, *path, BERM_PROTECT, BERM_TREE));
	if (input->git_common != NULL)
		TRY(protect_repository(b, input->git_common));
	if (!input->git || input->workspace == NULL || !path_join(git, input->workspace, ".git", ""))
		return BERM_OK;
	TRY(grant(b, git, BERM_PROTECT, BERM_FILE));
	return protect_repository(b, git);
}

static enum berm_code grant_workspace(const struct building *b)
{
	const struct policy_input *input = b->input;
	if (input->workspace != NULL)
		TRY(grant(b, input->workspace, WRITING, BERM_TREE));
	if (input->git_common != NULL)
		TRY(grant(b, input->git_common, WRITING, BERM_TREE));
	return protect_own_repository(b);
}

static bool is_writable_somewhere(const struct policy_input *input)
{
	bool found = input->extra[BERM_EXTRA_HOST_TMP] || (!input->no_default && input->workspace != NULL);
	for (size_t i = 0; i < input->flag_count; i++)
		found = found || input->flags[i].grant == POLICY_WRITE;
	return found;
}

static enum berm_code protect_names(const struct building *b)
{
	if (!is_writable_somewhere(b->input))
		return BERM_OK;
	for (size_t i = 0; i < policy_rule_count; i++)
		TRY(berm_caps_rule(b->caps, &policy_rules[i].rule, b->err));
	return BERM_OK;
}

/* ---- flags ------------------------------------------------------------------------------------------------------- */

static const unsigned flag_rights[] = {
	[POLICY_READ] = BERM_READ, [POLICY_WRITE] = WRITING,	    [POLICY_EXEC] = BERM_READ | BERM_EXEC,
	[POLICY_DENY] = BERM_DENY, [POLICY_PROTECT] = BERM_PROTECT,
};

static bool is_narrowing(const struct policy_flag *flag)
{
	return flag->grant == POLICY_DENY || flag->grant == POLICY_PROTECT;
}

static bool flag_path(const struct building *b, const struct policy_flag *flag, char ret_path[static PATH_MAX])
{
	return path_resolve(str_from(b->input->cwd), str_from(flag->path), ret_path, PATH_MAX);
}

/* "*.pem" is meant in the current folder, "**" anywhere. */
static enum berm_code add_flag_pattern(const struct building *b, const struct policy_flag *flag)
{
	struct berm_rule rule = {
		.size = sizeof rule, .pattern = flag->path, .right = flag_rights[flag->grant], .label = flag->path};
	if (flag->path[0] == '/' || strncmp(flag->path, "**", 2) == 0)
		return berm_caps_rule(b->caps, &rule, b->err);
	return add_rule_below(b, b->input->cwd, rule);
}

static enum berm_code add_flag(const struct building *b, const struct policy_flag *flag)
{
	char path[PATH_MAX];
	if (is_narrowing(flag) && strpbrk(flag->path, "*?[{") != NULL)
		return add_flag_pattern(b, flag);
	if (!flag_path(b, flag, path))
		return err_set(b->err, BERM_ERR_INVALID, "leads above '/', or too long: '%.100s'", flag->path);
	return grant(b, path, flag_rights[flag->grant], BERM_TREE);
}

/* What the flags have to do with one secret. */
struct secret_mark {
	bool around, named; /* a folder around it is granted; it, or something in it, is granted by name */
};

static void mark_secrets(const struct building *b, const char *path, struct secret_mark *marks)
{
	bool all = holds_home(b, path);
	const char *rest = all ? NULL : below_home(b, path);
	for (size_t i = 0; (all || rest != NULL) && i < grant_home_secret_count; i++) {
		marks[i].named |= !all && is_in(rest, grant_home_secrets[i]);
		marks[i].around |= all || is_in(grant_home_secrets[i], rest);
	}
}

/* A flag that grants a folder around a secret does not mean the secret. */
static enum berm_code close_secrets(const struct building *b)
{
	char path[PATH_MAX];
	struct secret_mark marks[GRANT_HOME_SECRETS_MAX] = {{false, false}};
	for (size_t i = 0; i < b->input->flag_count; i++) {
		const struct policy_flag *flag = &b->input->flags[i];
		if (!is_narrowing(flag) && flag_path(b, flag, path))
			mark_secrets(b, path, marks);
	}
	for (size_t i = 0; i < grant_home_secret_count; i++)
		if (marks[i].around && !marks[i].named && path_join(path, b->home, grant_home_secrets[i], ""))
			TRY(grant(b, path, BERM_DENY, BERM_TREE));
	return BERM_OK;
}

static enum berm_code add_flags(const struct building *b)
{
	const struct policy_input *input = b->input;
	for (size_t i = 0; i < input->flag_count; i++)
		TRY(add_flag(b, &input->flags[i]));
	if (b->home != NULL && input->flag_count > 0)
		TRY(close_secrets(b));
	for (size_t i = 0; i < input->socket_count; i++)
		TRY(berm_caps_socket(b->caps, input->sockets[i], b->err));
	return BERM_OK;
}

static enum berm_code add_settings(const struct building *b)
{
	const struct policy_input *input = b->input;
	TRY(berm_caps_network(b->caps, input->network, b->err));
	TRY(berm_caps_view(b->caps, input->view, b->err));
	TRY(berm_caps_backend(b->caps, input->backend, b->err));
	for (int i = 0; i < BERM_LIMIT_COUNT; i++)
		if (input->limit[i] != 0)
			TRY(berm_caps_limit(b->caps, (enum berm_limit)i, input->limit[i], b->err));
	for (int i = 0; i < BERM_EXTRA_COUNT; i++)
		if (input->extra[i])
			TRY(berm_caps_allow(b->caps, (enum berm_extra)i, b->err));
	return BERM_OK;
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static enum berm_code build(const struct building *b)
{
	TRY(grant_system_folders(b));
	if (!b->input->no_default) {
		TRY(grant_tools(b));
		TRY(grant_git_reads(b));
		TRY(grant_workspace(b));
	}
	TRY(grant_scratch_folders(b));
	TRY(protect_names(b));
	TRY(add_flags(b));
	return add_settings(b);
}

static const char *home_text(const char *home)
{
	if (home == NULL || home[0] != '/')
		return NULL;
	return strcmp(home, "/") == 0 ? "" : home;
}

enum berm_code policy_caps(const struct policy_input *input, struct berm_caps **ret_caps, struct berm_err *err)
{
	struct building b = {.input = input, .err = err};
	b.home = home_text(input->home);
	b.real_home = home_text(input->real_home);
	TRY(berm_caps_new(&b.caps, err));
	enum berm_code code = build(&b);
	if (code == BERM_OK)
		*ret_caps = b.caps;
	else
		berm_caps_free(b.caps);
	return code;
}
