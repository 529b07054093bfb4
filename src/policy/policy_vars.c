#include "policy/policy_vars.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/own.h"
#include "format/nearest.h"
#include "format/path.h"

enum {
	VALUES_MAX = 256,	/* of a variable with several */
	NAME_MAX_LEN = 64,	/* of a variable */
	STANDING = 2,		/* what stands for a variable that is not set */
	TEXT_MAX = PATH_MAX - 1 /* what is longer is no path */
};

enum kind {
	KIND_FOLDER = 0,
	KIND_FILE,  /* around it there may be more */
	KIND_LIST,  /* folders between colons */
	KIND_PATH,  /* the same, without the system's */
	KIND_ROOTS, /* what is around those of them that are named bin, ... */
	KIND_UID,
	KIND_HOSTS, /* only what the caller knows */
	KIND_OWN,   /* the same, a folder of berm's own */
};
struct row {
	const char *name;
	enum kind kind;
	const char *standing[STANDING];
};

/* Sorted by name. */
static const struct row rows[] = {
	{"APT_MIRRORS", KIND_HOSTS, {NULL}},
	{"ASDF_DATA_DIR", KIND_FOLDER, {"~/.asdf"}},
	{"BUN_INSTALL", KIND_FOLDER, {"~/.bun"}},
	{"CARGO_HOME", KIND_FOLDER, {"~/.cargo"}},
	{"CARGO_HTTP_CAINFO", KIND_FILE, {NULL}},
	{"CARGO_REGISTRIES", KIND_HOSTS, {NULL}},
	{"CLAUDE_CONFIG_DIR", KIND_FOLDER, {"~/.claude"}},
	{"CODEX_HOME", KIND_FOLDER, {"~/.codex"}},
	{"CODEX_SQLITE_HOME", KIND_FOLDER, {NULL}},
	{"CONDA_PREFIX", KIND_FOLDER, {NULL}},
	{"COPILOT_HOME", KIND_FOLDER, {"~/.copilot"}},
	{"CURL_CA_BUNDLE", KIND_FILE, {NULL}},
	{"DENO_DIR", KIND_FOLDER, {"~/.cache/deno"}},
	{"DENO_INSTALL", KIND_FOLDER, {"~/.deno"}},
	{"FNM_DIR", KIND_FOLDER, {"~/.local/share/fnm"}},
	{"GIT_SSL_CAINFO", KIND_FILE, {NULL}},
	{"GNUPGHOME", KIND_FOLDER, {"~/.gnupg"}},
	{"GOPATH", KIND_LIST, {"~/go"}},
	{"GOROOT", KIND_FOLDER, {"~/sdk"}},
	{"GO_PROXIES", KIND_HOSTS, {NULL}},
	{"GPG_AGENT_SOCK", KIND_FILE, {"$XDG_RUNTIME_DIR/gnupg/S.gpg-agent", "$GNUPGHOME/S.gpg-agent"}},
	{"GRADLE_USER_HOME", KIND_FOLDER, {"~/.gradle"}},
	{"JAVA_HOME", KIND_FOLDER, {NULL}},
	{"MAVEN_REPOSITORIES", KIND_HOSTS, {NULL}},
	{"MISE_DATA_DIR", KIND_FOLDER, {"~/.local/share/mise"}},
	{"NIX_SSL_CERT_FILE", KIND_FILE, {NULL}},
	{"NODE_EXTRA_CA_CERTS", KIND_FILE, {NULL}},
	{"NPM_REGISTRIES", KIND_HOSTS, {NULL}},
	{"NVM_DIR", KIND_FOLDER, {"~/.nvm"}},
	{"N_PREFIX", KIND_FOLDER, {"~/n"}},
	{"OPENCLAW_STATE_DIR", KIND_FOLDER, {"~/.openclaw"}},
	{"PATH", KIND_PATH, {NULL}},
	{"PIPX_HOME", KIND_FOLDER, {"~/.local/share/pipx"}},
	{"PIP_CERT", KIND_FILE, {NULL}},
	{"PIP_INDEXES", KIND_HOSTS, {NULL}},
	{"PLAYWRIGHT_BROWSERS_PATH", KIND_FOLDER, {"~/.cache/ms-playwright"}},
	{"PNPM_HOME", KIND_FOLDER, {"~/.local/share/pnpm"}},
	{"PYENV_ROOT", KIND_FOLDER, {"~/.pyenv"}},
	{"RBENV_ROOT", KIND_FOLDER, {"~/.rbenv"}},
	{"REQUESTS_CA_BUNDLE", KIND_FILE, {NULL}},
	{"RUSTUP_HOME", KIND_FOLDER, {"~/.rustup"}},
	{"SDKMAN_DIR", KIND_FOLDER, {"~/.sdkman"}},
	{"SSH_AUTH_SOCK", KIND_FILE, {NULL}},
	{"SSL_CERT_DIR", KIND_FILE, {NULL}},
	{"SSL_CERT_FILE", KIND_FILE, {NULL}},
	{"TMPDIR", KIND_FOLDER, {"/tmp"}},
	{"TOOL_ROOTS", KIND_ROOTS, {NULL}},
	{"UID", KIND_UID, {NULL}},
	{"VIRTUAL_ENV", KIND_FOLDER, {NULL}},
	{"VOLTA_HOME", KIND_FOLDER, {"~/.volta"}},
	{"WORKSPACE_CACHE", KIND_OWN, {NULL}},
	{"XDG_CACHE_HOME", KIND_FOLDER, {"~/.cache"}},
	{"XDG_CONFIG_HOME", KIND_FOLDER, {"~/.config"}},
	{"XDG_DATA_HOME", KIND_FOLDER, {"~/.local/share"}},
	{"XDG_RUNTIME_DIR", KIND_FOLDER, {"/run/user/$UID"}},
	{"XDG_STATE_HOME", KIND_FOLDER, {"~/.local/state"}},
	{"npm_config_cache", KIND_FOLDER, {"~/.npm"}},
};

enum known { NOT_KNOWN = 0, KNOWN_NO, KNOWN_YES };
struct value {
	const char *path;
	bool given;		       /* by the environment */
	bool named;		       /* by the environment alone: what stands for it needs no look */
	enum known harmless, not_wide; /* looked at once */
};
/* What a row's variable stands for, found at its first use. */
struct policy_vars_cache {
	bool ready;
	struct value *values;
	size_t count;
};

static enum berm_code no_memory(struct berm_err *err)
{
	return err_set(err, BERM_ERR_NOMEM, "resolve the paths of a policy");
}

static const char *home_text(const char *home)
{
	if (home == NULL || home[0] != '/')
		return NULL;
	return strcmp(home, "/") == 0 ? "" : home;
}

enum berm_code policy_vars_init(struct policy_vars *vars, const struct policy_input *input, struct arena *arena,
				struct berm_err *err)
{
	struct policy_vars_cache *cache = arena_array(arena, ARRAY_LEN(rows), sizeof *cache);
	if (cache == NULL)
		return no_memory(err);
	*vars = (struct policy_vars){.input = input, .arena = arena, .cache = cache};
	vars->home = home_text(input->home);
	vars->real_home = home_text(input->real_home);
	return BERM_OK;
}

/* ---- what is harmless -------------------------------------------------------------------------------------------- */

static bool is_in(const char *path, const char *folder)
{
	return path_is_in(str_from(path), str_from(folder));
}

/* Is the home folder in it? */
static bool holds_home(const struct policy_vars *vars, const char *folder)
{
	return (vars->home != NULL && is_in(vars->home, folder)) ||
	       (vars->real_home != NULL && is_in(vars->real_home, folder));
}

/* Is path "HOME/.local", for the home folder as it is given or without links? */
static bool is_local(const char *home, const char *path)
{
	size_t len = home != NULL ? strlen(home) : 0;
	return home != NULL && strncmp(path, home, len) == 0 && strcmp(path + len, "/.local") == 0;
}

/* Folders that hold more than one tool. */
static bool is_wide(const struct policy_vars *vars, const char *folder)
{
	static const char *const wide[] = {"/",	   "/home", "/root", "/var", "/srv",  "/mnt", "/media",
					   "/run", "/proc", "/sys",  "/dev", "/boot", "/tmp", "/etc"};
	for (size_t i = 0; i < ARRAY_LEN(wide); i++)
		if (strcmp(folder, wide[i]) == 0)
			return true;
	return holds_home(vars, folder) || is_local(vars->home, folder) || is_local(vars->real_home, folder);
}

static int compare_closed(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Compares with the first bytes of path, and behind them a slash if slash is set. */
static int compare_part(const char *closed, struct str path, bool slash)
{
	int order = strncmp(closed, path.ptr, path.len);
	if (order != 0)
		return order;
	int next = (unsigned char)closed[path.len];
	return slash ? next - '/' : next;
}

/* The first denied path that is not sorted before it. */
static size_t closed_from(const struct policy_vars *vars, struct str path, bool slash)
{
	size_t low = 0, high = vars->closed_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_part(vars->closed[middle], path, slash) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_closed(const struct policy_vars *vars, struct str path)
{
	size_t at = closed_from(vars, path, false);
	return at < vars->closed_count && compare_part(vars->closed[at], path, false) == 0;
}

/* Is a denied path in the folder? */
static bool holds_closed(const struct policy_vars *vars, struct str folder)
{
	size_t at = closed_from(vars, folder, true);
	return is_closed(vars, folder) ||
	       (at < vars->closed_count && compare_part(vars->closed[at], folder, true) == 0);
}

/* Is the path in a denied folder? */
static bool is_below_closed(const struct policy_vars *vars, struct str path)
{
	for (path = path_parent(path); path.len > 0; path = path_parent(path))
		if (is_closed(vars, path))
			return true;
	return false;
}

/* A denied path is written with the home folder as the user has it; where a link leads, it is another. */
static bool meets_closed_at(const struct policy_vars *vars, const char *path, bool around)
{
	return holds_closed(vars, str_from(path)) || (around && is_below_closed(vars, str_from(path)));
}

__attribute__((noinline)) static bool meets_closed(const struct policy_vars *vars, const char *path, bool around)
{
	char seen[PATH_MAX];
	if (meets_closed_at(vars, path, around))
		return true;
	if (vars->home == NULL || vars->real_home == NULL || !is_in(path, vars->real_home))
		return false;
	int len = snprintf(seen, sizeof seen, "%s%s", vars->home, path + strlen(vars->real_home));
	return len < 0 || (size_t)len >= sizeof seen || meets_closed_at(vars, seen, around);
}

__attribute__((noinline)) bool policy_vars_is_harmless(struct policy_vars *vars, const char *path, bool around)
{
	char real[PATH_MAX];
	if (!vars->closed_sorted && vars->closed_count > 0)
		qsort(vars->closed, vars->closed_count, sizeof *vars->closed, compare_closed);
	vars->closed_sorted = true;
	if (is_wide(vars, path) || meets_closed(vars, path, around))
		return false;
	if (vars->input->resolve == NULL)
		return true;
	if (!vars->input->resolve(path, real))
		return false;
	return strcmp(real, path) == 0 || (!is_wide(vars, real) && !meets_closed(vars, real, around));
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static size_t name_length(const char *text)
{
	size_t len = 0;
	while ((text[len] >= 'A' && text[len] <= 'Z') || (text[len] >= 'a' && text[len] <= 'z') ||
	       (text[len] >= '0' && text[len] <= '9') || text[len] == '_')
		len++;
	return len;
}

struct name {
	const char *text;
	size_t len;
};

static int compare_row(const void *key, const void *member)
{
	const struct name *name = key;
	const struct row *row = member;
	int order = strncmp(name->text, row->name, name->len);
	return order != 0 ? order : -(int)(row->name[name->len] != '\0');
}

/* The row of "$NAME..."; NULL: there is none. */
static const struct row *find_row(const char *text)
{
	struct name name = {text + 1, name_length(text + 1)};
	return bsearch(&name, rows, ARRAY_LEN(rows), sizeof *rows, compare_row);
}

const char *policy_vars_instead(const char *text)
{
	static const char *const names[][2] = {{"$HOME", "~"},	{"${HOME}", "~"},    {"$PWD", "."},
					       {"${PWD}", "."}, {"$WORKSPACE", "."}, {"$WORKDIR", "."}};
	size_t len = strcspn(text, "/");
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strlen(names[i][0]) == len && memcmp(names[i][0], text, len) == 0)
			return names[i][1];
	return NULL;
}

const char *policy_vars_nearest(const char *text)
{
	char name[NAME_MAX_LEN];
	size_t len = name_length(text + (text[0] == '$'));
	if (len == 0 || len >= sizeof name)
		return NULL;
	memcpy(name, text + (text[0] == '$'), len);
	name[len] = '\0';
	struct nearest nearest;
	nearest_init(&nearest, name);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		nearest_offer(&nearest, rows[i].name);
	return nearest.best;
}

/* NULL: the environment and the table have the word. */
static const char *const *given_values(const struct policy_input *input, const char *name)
{
	for (size_t i = 0; i < input->variable_count; i++)
		if (strcmp(input->variables[i].name, name) == 0)
			return input->variables[i].values;
	return input->values != NULL ? input->values(input->values_context, name) : NULL;
}

static const char *environment(const struct policy_vars *vars, const char *name)
{
	return vars->input->envp != NULL ? env_get(vars->input->envp, name) : NULL;
}

/* A sandbox around this one has led a tool to its package cache: the folder that this variable is about is elsewhere. */
static bool is_of_outer(const struct policy_vars *vars, struct str value)
{
	const char *kept = vars->input->workspace_cache;
	return kept != NULL && path_is_in(value, str_from(kept));
}

/* Adds an absolute path without "." and ".."; what is none is left out. */
static enum berm_code add_value(struct policy_vars *vars, struct policy_vars_cache *cache, struct str path, bool named,
				struct berm_err *err)
{
	char whole[PATH_MAX];
	if (!str_starts(path, STR("/")) || memchr(path.ptr, '\n', path.len) != NULL || cache->count == VALUES_MAX ||
	    !path_resolve(STR("/"), path, whole, sizeof whole) || (named && is_of_outer(vars, str_from(whole))))
		return BERM_OK;
	for (size_t i = 0; i < cache->count; i++)
		if (strcmp(cache->values[i].path, whole) == 0) {
			cache->values[i].named &= named;
			return BERM_OK;
		}
	const char *kept = arena_text(vars->arena, str_from(whole));
	if (kept == NULL)
		return no_memory(err);
	cache->values[cache->count++] = (struct value){.path = kept, .given = named, .named = named};
	return BERM_OK;
}

static bool is_granted_anyway(struct str path)
{
	static const char *const folders[] = {"/usr", "/bin", "/sbin", "/opt"};
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (path_is_in(path, str_from(folders[i])))
			return true;
	return false;
}

static bool is_end_of_tool(struct str folder)
{
	static const char *const ends[] = {"bin", "sbin", "shims", "condabin"};
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (str_eq(path_name(folder), str_from(ends[i])))
			return true;
	return false;
}

/* A folder of PATH. A tool's folder is not granted as a whole for the "bin" in it: who knows what else is there. */
static enum berm_code add_program_folder(struct policy_vars *vars, struct policy_vars_cache *cache, bool root,
					 struct str folder, struct berm_err *err)
{
	while (folder.len > 1 && folder.ptr[folder.len - 1] == '/')
		folder.len--;
	if (folder.len < 2 || is_granted_anyway(folder) || memmem(folder.ptr, folder.len, "/..", 3) != NULL)
		return BERM_OK;
	if (!root)
		return add_value(vars, cache, folder, true, err);
	return is_end_of_tool(folder) ? add_value(vars, cache, path_parent(folder), true, err) : BERM_OK;
}

static enum berm_code add_list(struct policy_vars *vars, struct policy_vars_cache *cache, enum kind kind,
			       struct berm_err *err)
{
	struct str rest = str_from(environment(vars, kind == KIND_LIST ? "GOPATH" : "PATH")), folder;
	while (str_next(&rest, ':', &folder))
		TRY(kind == KIND_LIST ? add_value(vars, cache, folder, true, err)
				      : add_program_folder(vars, cache, kind == KIND_ROOTS, folder, err));
	return BERM_OK;
}

static enum berm_code add_named(struct policy_vars *vars, struct policy_vars_cache *cache, const struct row *row,
				struct berm_err *err)
{
	const char *const *given = given_values(vars->input, row->name);
	for (const char *const *value = given; value != NULL && *value != NULL; value++)
		TRY(add_value(vars, cache, str_from(*value), row->kind != KIND_OWN, err));
	if (given != NULL || row->kind == KIND_OWN)
		return BERM_OK;
	if (row->kind == KIND_LIST || row->kind == KIND_PATH || row->kind == KIND_ROOTS)
		return add_list(vars, cache, row->kind, err);
	return add_value(vars, cache, str_from(environment(vars, row->name)), true, err);
}

/* FRONT and TEXT, in which "$UID" may stand. */
static enum berm_code add_standing(struct policy_vars *vars, struct policy_vars_cache *cache, const char *front,
				   const char *text, struct berm_err *err)
{
	char path[PATH_MAX];
	const char *uid = strstr(text, "$UID");
	if (front == NULL)
		return BERM_OK;
	int len = uid != NULL ? snprintf(path, sizeof path, "%s%.*s%u", front, (int)(uid - text), text,
					 (unsigned)vars->input->uid)
			      : snprintf(path, sizeof path, "%s%s", front, text);
	return len < 0 || (size_t)len >= sizeof path ? BERM_OK : add_value(vars, cache, str_from(path), false, err);
}

static size_t most_values(const struct policy_vars *vars, const struct row *row)
{
	bool many = row->kind == KIND_LIST || row->kind == KIND_PATH || row->kind == KIND_ROOTS ||
		    given_values(vars->input, row->name) != NULL;
	return many ? VALUES_MAX : 1 + STANDING;
}

/* What the environment says, then "~/.cargo", "/run/user/$UID". */
static enum berm_code find_values(struct policy_vars *vars, const struct row *row, struct berm_err *err)
{
	struct policy_vars_cache *cache = &vars->cache[row - rows];
	if (cache->values != NULL)
		return BERM_OK;
	cache->values = arena_array(vars->arena, most_values(vars, row), sizeof *cache->values);
	if (cache->values == NULL)
		return no_memory(err);
	TRY(add_named(vars, cache, row, err));
	for (size_t i = 0; i < STANDING && row->standing[i] != NULL; i++) {
		const char *text = row->standing[i];
		if (text[0] != '$')
			TRY(add_standing(vars, cache, text[0] == '~' ? vars->home : "", text + (text[0] == '~'), err));
	}
	return BERM_OK;
}

/* With what stands below another variable's value: "$GNUPGHOME/S.gpg-agent". */
static enum berm_code values_of(struct policy_vars *vars, const struct row *row, struct policy_vars_cache **ret_cache,
				struct berm_err *err)
{
	struct policy_vars_cache *cache = &vars->cache[row - rows];
	*ret_cache = cache;
	if (cache->ready)
		return BERM_OK;
	TRY(find_values(vars, row, err));
	for (size_t i = 0; i < STANDING && row->standing[i] != NULL; i++) {
		const char *text = row->standing[i];
		const struct row *other = text[0] == '$' ? find_row(text) : NULL;
		if (other == NULL)
			continue;
		TRY(find_values(vars, other, err));
		const struct policy_vars_cache *found = &vars->cache[other - rows];
		TRY(add_standing(vars, cache, found->count > 0 ? found->values[0].path : NULL,
				 text + 1 + name_length(text + 1), err));
	}
	cache->ready = true;
	return BERM_OK;
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

bool policy_vars_is_wild(const char *pattern)
{
	for (const char *at = pattern + strcspn(pattern, "*?[{\\"); *at != '\0'; at += strcspn(at, "*?[{\\")) {
		if (*at != '\\')
			return true;
		at += at[1] != '\0' ? 2 : 1;
	}
	return false;
}

const char *policy_vars_plain(const char *pattern, char ret_path[static PATH_MAX])
{
	size_t len = 0;
	if (strchr(pattern, '\\') == NULL)
		return pattern;
	for (; *pattern != '\0' && len + 1 < PATH_MAX; pattern++) {
		pattern += pattern[0] == '\\' && pattern[1] != '\0';
		ret_path[len++] = *pattern;
	}
	ret_path[len] = '\0';
	return ret_path;
}

/* Has it empty components, "." or "..", or a slash at its end? */
static bool is_crooked(const char *path)
{
	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		const char *name = slash + 1;
		if (*name == '/' || (*name == '\0' && slash != path))
			return true;
		name += *name == '.';
		name += name[-1] == '.' && *name == '.';
		if (name > slash + 1 && (*name == '/' || *name == '\0'))
			return true;
	}
	return false;
}

static enum berm_code take_straight(struct policy_vars *vars, const char *path, const char **ret_path,
				    struct berm_err *err)
{
	char straight[PATH_MAX];
	const char *up = strstr(path, "/..");
	size_t wild = strcspn(path, "*?[{");
	for (const char *next = up; next != NULL; next = strstr(next + 1, "/.."))
		up = next;
	if (up != NULL && path[wild] != '\0' && (size_t)(up - path) > wild)
		return err_set(err, BERM_ERR_PARSE, "'..' behind a wildcard: '%.100s'", path);
	if (!path_resolve(STR("/"), str_from(path), straight, sizeof straight))
		return err_set(err, BERM_ERR_PARSE, "leads above '/', or too long: '%.100s'", path);
	*ret_path = arena_text(vars->arena, str_from(straight));
	return *ret_path != NULL ? BERM_OK : no_memory(err);
}

/* A path as a pattern that matches just it; returns the length. */
static size_t put_front(char *to, const char *path)
{
	size_t len = 0;
	for (; *path != '\0'; path++) {
		if (strchr("*?[]{},\\", *path) != NULL)
			to[len++] = '\\';
		to[len++] = *path;
	}
	return len;
}

/* FRONT/REST, both NUL-terminated. */
static enum berm_code join(struct policy_vars *vars, struct str front, struct str rest, bool pattern,
			   const char **ret_path, struct berm_err *err)
{
	if (front.len + rest.len + 1 > TEXT_MAX)
		return err_set(err, BERM_ERR_PARSE, "too long: '%.100s'", rest.ptr);
	bool escaped = pattern && strpbrk(front.ptr, "*?[]{},\\") != NULL;
	char *path = arena_alloc(vars->arena, (escaped ? 2 * front.len : front.len) + rest.len + 2);
	if (path == NULL)
		return no_memory(err);
	size_t len = front.len;
	if (escaped)
		len = put_front(path, front.ptr);
	else
		memcpy(path, front.ptr, front.len);
	while (len > 0 && path[len - 1] == '/')
		len--;
	if ((rest.len > 0 && rest.ptr[0] != '/') || len + rest.len == 0)
		path[len++] = '/';
	memcpy(path + len, rest.ptr, rest.len);
	path[len + rest.len] = '\0';
	*ret_path = path;
	return is_crooked(path) ? take_straight(vars, path, ret_path, err) : BERM_OK;
}

__attribute__((noinline)) static bool is_usable(struct policy_vars *vars, const struct policy_vars_request *request,
						const struct row *row, const char *path)
{
	char plain[PATH_MAX];
	bool around = row->kind == KIND_FILE || row->kind == KIND_ROOTS;
	if (request->pattern && policy_vars_is_wild(path))
		return true; /* the value was looked at */
	if (request->pattern)
		path = policy_vars_plain(path, plain);
	if (request->shipped && vars->input->readable != NULL && !vars->input->readable(path))
		return false;
	return policy_vars_is_harmless(vars, path, around && request->use != POLICY_USE_SOCKET);
}

static bool is_known(enum known *known, bool (*look)(struct policy_vars *, const char *, bool),
		     struct policy_vars *vars, const char *path, bool around)
{
	if (*known == NOT_KNOWN)
		*known = look(vars, path, around) ? KNOWN_YES : KNOWN_NO;
	return *known == KNOWN_YES;
}

static bool is_not_wide(struct policy_vars *vars, const char *path, bool around)
{
	(void)around;
	return !is_wide(vars, path);
}

/* A value of the environment's, before anything is put behind it. */
static bool is_value_usable(struct policy_vars *vars, const struct policy_vars_request *request, const struct row *row,
			    struct value *value)
{
	if (request->use != POLICY_USE_GRANT)
		return true;
	if (row->kind == KIND_ROOTS || policy_vars_is_wild(request->text))
		return is_known(&value->harmless, policy_vars_is_harmless, vars, value->path, row->kind != KIND_FOLDER);
	return is_known(&value->not_wide, is_not_wide, vars, value->path, false);
}

/* Where a value of the environment's counts, what stands for it does not. */
static bool has_given(const struct policy_vars_cache *cache)
{
	for (size_t i = 0; i < cache->count; i++)
		if (cache->values[i].given)
			return true;
	return false;
}

static enum berm_code take_variable(struct policy_vars *vars, const struct policy_vars_request *request,
				    struct policy_vars_paths *ret_paths, struct berm_err *err)
{
	const struct row *row = find_row(request->text);
	const char *rest = request->text + 1 + name_length(request->text + 1);
	struct policy_vars_cache *cache = NULL;
	if (row == NULL || row->kind == KIND_HOSTS || row->kind == KIND_UID || (*rest != '\0' && *rest != '/'))
		return err_set(err, BERM_ERR_PARSE, "no variable for paths: '%.100s'", request->text);
	TRY(values_of(vars, row, &cache, err));
	const char **paths = ret_paths->one;
	if (cache->count > 1 && (paths = arena_array(vars->arena, cache->count + 1, sizeof *paths)) == NULL)
		return no_memory(err);
	bool guard = request->use == POLICY_USE_GUARD, given = has_given(cache);
	size_t count = 0;
	for (size_t i = 0; i < cache->count; i++) {
		struct value *value = &cache->values[i];
		bool checked = value->named && !guard && request->use != POLICY_USE_PLAIN;
		if ((!guard && value->given != given) || (checked && !is_value_usable(vars, request, row, value)))
			continue;
		TRY(join(vars, str_from(value->path), str_from(rest), request->pattern, &paths[count], err));
		count += !checked || is_usable(vars, request, row, paths[count]);
	}
	paths[count] = NULL;
	ret_paths->paths = paths;
	return BERM_OK;
}

/* "/run/user/$UID/x" */
static enum berm_code take_uid(struct policy_vars *vars, const char *text, const char *uid, const char **ret_path,
			       struct berm_err *err)
{
	char path[PATH_MAX];
	int len = snprintf(path, sizeof path, "%.*s%u%s", (int)(uid - text), text, (unsigned)vars->input->uid,
			   uid + strlen("$UID"));
	if (len < 0 || (size_t)len >= sizeof path)
		return err_set(err, BERM_ERR_PARSE, "too long: '%.100s'", text);
	*ret_path = arena_text(vars->arena, str_from(path));
	return *ret_path != NULL ? BERM_OK : no_memory(err);
}

static enum berm_code take_absolute(struct policy_vars *vars, const char *text, const char **ret_path,
				    struct berm_err *err)
{
	const char *uid = strstr(text, "/$UID");
	if (uid != NULL && (uid[5] == '\0' || uid[5] == '/'))
		TRY(take_uid(vars, text, uid + 1, &text, err));
	if (strlen(text) > TEXT_MAX)
		return err_set(err, BERM_ERR_PARSE, "too long: '%.100s'", text);
	*ret_path = text;
	return is_crooked(text) ? take_straight(vars, text, ret_path, err) : BERM_OK;
}

enum berm_code policy_vars_paths(struct policy_vars *vars, const struct policy_vars_request *request,
				 struct policy_vars_paths *ret_paths, struct berm_err *err)
{
	const char *text = request->text;
	*ret_paths = (struct policy_vars_paths){{NULL, NULL}, NULL};
	ret_paths->paths = ret_paths->one;
	if (text[0] == '$')
		return take_variable(vars, request, ret_paths, err);
	if (text[0] == '/')
		return take_absolute(vars, text, &ret_paths->one[0], err);
	if (request->pattern && text[0] == '*' && text[1] == '*') {
		ret_paths->one[0] = text;
		return BERM_OK;
	}
	if (text[0] == '~' && text[1] != '\0' && text[1] != '/')
		return err_set(err, BERM_ERR_PARSE, "'~' is the own home folder only: '%.100s'", text);
	const char *front = text[0] == '~' ? vars->home : request->folder;
	if (front == NULL)
		return BERM_OK;
	return join(vars, str_from(front), str_from(text + (text[0] == '~')), request->pattern, &ret_paths->one[0],
		    err);
}

enum berm_code policy_vars_hosts(const struct policy_vars *vars, const char *text, const char *const **ret_hosts,
				 struct berm_err *err)
{
	const struct row *row = find_row(text);
	if (row == NULL || row->kind != KIND_HOSTS || text[1 + name_length(text + 1)] != '\0')
		return err_set(err, BERM_ERR_PARSE, "no variable for hosts: '%.100s'", text);
	*ret_hosts = given_values(vars->input, row->name);
	return BERM_OK;
}
