#include "policy/policy_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "policy/grants.h"

/* "LC_*" stands for every variable that starts with LC_. */
static const char *const passed[] = {
	/* who and where */
	"HOME",
	"USER",
	"LOGNAME",
	"SHELL",
	"PATH",
	"PWD",
	"TZ",
	/* language and terminal */
	"LANG",
	"LANGUAGE",
	"LC_*",
	"TERM",
	"COLORTERM",
	"TERM_PROGRAM",
	"TERM_PROGRAM_VERSION",
	"TERMINFO",
	"TERMINFO_DIRS",
	"COLUMNS",
	"LINES",
	"NO_COLOR",
	"FORCE_COLOR",
	"CLICOLOR",
	"CLICOLOR_FORCE",
	"LS_COLORS",
	"EDITOR",
	"VISUAL",
	"PAGER",
	"LESS",
	"MANPATH",
	"INFOPATH",
	"XDG_DATA_DIRS",
	"XDG_CONFIG_DIRS",
	"XDG_CACHE_HOME",
	/* builds */
	"CI",
	"NODE_ENV",
	"CC",
	"CXX",
	"CFLAGS",
	"CXXFLAGS",
	"CPPFLAGS",
	"LDFLAGS",
	"PKG_CONFIG_PATH",
	"SOURCE_DATE_EPOCH",
	"GIT_AUTHOR_NAME",
	"GIT_AUTHOR_EMAIL",
	"GIT_COMMITTER_NAME",
	"GIT_COMMITTER_EMAIL",
	"GIT_EDITOR",
	"GIT_PAGER",
	"PYTHONUNBUFFERED",
	"PYTHONDONTWRITEBYTECODE",
	"PYTHONIOENCODING",
	"PYTHONUTF8",
	"RUST_BACKTRACE",
	"RUST_LOG",
	/* where tools are */
	"JAVA_HOME",
	"JDK_HOME",
	"GOPATH",
	"GOROOT",
	"GOFLAGS",
	"CGO_ENABLED",
	"CARGO_HOME",
	"RUSTUP_HOME",
	"RUSTUP_TOOLCHAIN",
	"NVM_DIR",
	"NVM_BIN",
	"NVM_INC",
	"VOLTA_HOME",
	"FNM_DIR",
	"N_PREFIX",
	"PNPM_HOME",
	"BUN_INSTALL",
	"DENO_INSTALL",
	"npm_config_cache",
	"PYENV_ROOT",
	"PYENV_VERSION",
	"PIPX_HOME",
	"VIRTUAL_ENV",
	"CONDA_PREFIX",
	"CONDA_DEFAULT_ENV",
	"CONDA_EXE",
	"RBENV_ROOT",
	"RBENV_VERSION",
	"ASDF_DIR",
	"ASDF_DATA_DIR",
	"MISE_DATA_DIR",
	"SDKMAN_DIR",
	"GRADLE_USER_HOME",
	"HOMEBREW_PREFIX",
	"HOMEBREW_CELLAR",
	"HOMEBREW_REPOSITORY",
	"NIX_PROFILES",
};

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const char *policy_env_get(const char *const *envp, const char *name)
{
	size_t len = strlen(name);
	for (; envp != NULL && *envp != NULL; envp++)
		if (strncmp(*envp, name, len) == 0 && (*envp)[len] == '=')
			return *envp + len + 1;
	return NULL;
}

static bool name_fits(const char *pattern, struct str name)
{
	size_t len = strlen(pattern);
	if (pattern[len - 1] == '*')
		return name.len >= len - 1 && memcmp(pattern, name.ptr, len - 1) == 0;
	return name.len == len && memcmp(pattern, name.ptr, len) == 0;
}

static bool is_listed(const char *const *list, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (name_fits(list[i], name))
			return true;
	return false;
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

static bool put_passed(struct list *list, const struct policy_input *input)
{
	for (const char *const *entry = input->envp; entry != NULL && *entry != NULL; entry++) {
		struct str name = name_of(*entry);
		bool wanted = is_listed(passed, ARRAY_LEN(passed), name) ||
			      is_listed(grant_certificates, grant_certificate_count, name);
		if (name.len > 0 && (*entry)[name.len] == '=' && wanted && !list_put(list, str_dup(str_from(*entry))))
			return false;
	}
	return true;
}

static bool put_defaults(struct list *list, const struct policy_input *input)
{
	if (input->home != NULL && policy_env_get(input->envp, "HOME") == NULL &&
	    !list_put(list, entry_of(STR("HOME"), input->home)))
		return false;
	if (policy_env_get(input->envp, "PATH") == NULL && !list_put(list, entry_of(STR("PATH"), default_path)))
		return false;
	return true;
}

/* One -e. */
static enum berm_code put_given(struct list *list, const struct policy_input *input, const char *given,
				struct berm_err *err)
{
	struct str name = name_of(given);
	if (name.len == 0)
		return err_set(err, BERM_ERR_INVALID, "no variable named in '%.60s'", given);
	const char *value = given[name.len] == '=' ? given + name.len + 1 : policy_env_get(input->envp, given);
	if (value == NULL || list_put(list, entry_of(name, value)))
		return BERM_OK;
	return err_set(err, BERM_ERR_NOMEM, "make the environment");
}

static enum berm_code fill(struct list *list, const struct policy_input *input, struct berm_err *err)
{
	if (!put_passed(list, input) || !put_defaults(list, input))
		return err_set(err, BERM_ERR_NOMEM, "make the environment");
	for (size_t i = 0; i < input->env_count; i++)
		TRY(put_given(list, input, input->env[i], err));
	return BERM_OK;
}

enum berm_code policy_environment(const struct policy_input *input, char ***ret_envp, struct berm_err *err)
{
	size_t given = 0;
	for (const char *const *entry = input->envp; entry != NULL && *entry != NULL; entry++)
		given++;
	struct list list = {.entries = calloc(given + input->env_count + 3, sizeof(*list.entries))};
	if (list.entries == NULL)
		return err_set(err, BERM_ERR_NOMEM, "make the environment");
	enum berm_code code = fill(&list, input, err);
	if (code == BERM_OK)
		*ret_envp = list.entries;
	else
		policy_environment_free(list.entries);
	return code;
}

void policy_environment_free(char **envp)
{
	for (char **entry = envp; entry != NULL && *entry != NULL; entry++)
		free(*entry);
	free(envp);
}
