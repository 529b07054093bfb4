#include "cli/policy_run.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"

static const char project_name[] = ".berm.yaml";

int policy_run_parse(const struct command *self, const char *const *argv, struct run_choices *choices,
		     struct options *ret_options)
{
	struct berm_err err;
	struct option_hint hint;
	int status = commands_parse(self, argv, choices, ret_options);
	if (status >= 0)
		return status;
	if (run_options_apply(ret_options, choices, &hint, &err) != BERM_OK)
		return commands_usage(self, &err, &hint);
	return -1;
}

static enum berm_code look_at(const struct run_request *given, struct run **ret_run, struct problems *problems,
			      struct berm_err *err)
{
	struct run_request request = *given;
	request.envp = (const char *const *)environ;
	request.examine = true;
	return run_new(&request, ret_run, problems, err);
}

enum berm_code policy_run_new(const struct run_choices *choices, struct run **ret_run, struct problems *problems,
			      struct berm_err *err)
{
	return look_at(&choices->request, ret_run, problems, err);
}

/* The folder of a project's file; false: it is none. */
static bool project_folder(const char *file, char ret_folder[static PATH_MAX])
{
	const char *slash = strrchr(file, '/');
	size_t len = slash != NULL ? (size_t)(slash - file) : 0;
	if (strcmp(slash != NULL ? slash + 1 : file, project_name) != 0 || len >= PATH_MAX)
		return false;
	memcpy(ret_folder, slash == file ? "/" : file, slash == file ? 1 : len);
	ret_folder[slash == file ? 1 : len] = '\0';
	if (slash == NULL)
		(void)snprintf(ret_folder, PATH_MAX, ".");
	return true;
}

enum berm_code policy_run_of(const struct run_choices *choices, const char *profile, struct run **ret_run,
			     struct problems *problems, struct berm_err *err)
{
	char folder[PATH_MAX], file[NAME_MAX + 3];
	const char *const profiles[] = {profile, NULL};
	struct run_request request = choices->request;
	if (project_folder(profile, folder)) {
		request.cwd = folder;
		return look_at(&request, ret_run, problems, err);
	}
	request.profiles = profiles;
	/* "policy.yaml" means the file that is here, though a name would be sought among profiles */
	bool is_file = strchr(profile, '/') == NULL && strchr(profile, '.') != NULL && access(profile, F_OK) == 0;
	if (is_file && snprintf(file, sizeof(file), "./%s", profile) < (int)sizeof(file)) {
		const char *const here[] = {file, NULL};
		request.profiles = here;
		return look_at(&request, ret_run, problems, err);
	}
	return look_at(&request, ret_run, problems, err);
}

void policy_run_drop(struct run **run)
{
	run_free(*run);
	*run = NULL;
}
