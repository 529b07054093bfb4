#include "sandbox/prepare.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/own.h"
#include "sandbox/cgroup.h"
#include "sandbox/seccomp.h"
#include "sandbox/sweep.h"

enum { MAX_PROGRAM_PATHS = 256, MAX_ENVIRONMENT = 65536 };

static const char *environment_get(const char *const *envp, const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 0; envp[i] != NULL; i++)
		if (strncmp(envp[i], name, len) == 0 && envp[i][len] == '=')
			return envp[i] + len + 1;
	return NULL;
}

static char *joined(struct str folder, char separator, const char *name)
{
	struct buf buf;
	buf_init(&buf, 2 * PATH_MAX + 131072);
	buf_put_str(&buf, folder);
	buf_putc(&buf, separator);
	buf_puts(&buf, name);
	char *text = buf_take(&buf);
	buf_done(&buf);
	return text;
}

/* As a shell would look for it: a name with a slash as it is, else in each folder of the command's own PATH. */
static enum berm_code find_programs(struct launch *launch, struct berm_err *err)
{
	const char *name = launch->command->argv[0];
	const char *path = environment_get(launch->command->envp, "PATH");
	struct str rest = str_from(path != NULL ? path : "/usr/local/bin:/usr/bin:/bin");
	struct str folder;
	size_t count = 0;
	launch->programs = calloc(MAX_PROGRAM_PATHS + 1, sizeof *launch->programs);
	if (launch->programs == NULL)
		return err_set(err, BERM_ERR_NOMEM, "look for '%s'", name);
	if (strchr(name, '/') != NULL || name[0] == '\0') {
		launch->programs[0] = strdup(name);
		return launch->programs[0] != NULL ? BERM_OK : err_set(err, BERM_ERR_NOMEM, "look for '%s'", name);
	}
	while (count < MAX_PROGRAM_PATHS && str_next(&rest, ':', &folder)) {
		launch->programs[count] = joined(folder.len > 0 ? folder : STR("."), '/', name);
		if (launch->programs[count++] == NULL)
			return err_set(err, BERM_ERR_NOMEM, "look for '%s'", name);
	}
	return BERM_OK;
}

/* A folder for this start alone, where nothing can be mounted; mkdtemp makes a name nobody else has. Its path is known
 * without links, since Landlock and the supervisor go by it. */
static enum berm_code make_private_tmp(struct launch *launch, struct berm_err *err)
{
	const char *parent = launch->command->scratch != NULL ? launch->command->scratch : "/tmp";
	if (launch->plan->backend == BERM_BACKEND_NAMESPACES || launch->plan->scratch_count == 0)
		return BERM_OK;
	auto_free char *real = realpath(parent, NULL);
	if (real == NULL)
		return err_sys(err, "find the folder for temporary files '%s'", parent);
	auto_free char *path = joined(str_from(real), '/', "berm-XXXXXX");
	if (path == NULL)
		return err_set(err, BERM_ERR_NOMEM, "make a private temporary folder");
	if (mkdtemp(path) == NULL)
		return err_sys(err, "make a private temporary folder in '%s'", parent);
	launch->private_tmp = take(path);
	return BERM_OK;
}

/* Where a scratch folder has a variable, the command finds it by that: the private folder itself, and for further ones
 * names in it, which whoever wants them makes. */
static enum berm_code scratch_variable(struct launch *launch, const struct plan_scratch *scratch, size_t index,
				       char **ret_entry, struct berm_err *err)
{
	struct buf buf;
	buf_init(&buf, (size_t)2 * PATH_MAX);
	buf_puts(&buf, scratch->variable);
	buf_putc(&buf, '=');
	buf_puts(&buf, launch->private_tmp);
	if (index > 0)
		buf_printf(&buf, "/scratch%zu", index);
	*ret_entry = buf_take(&buf);
	buf_done(&buf);
	return *ret_entry != NULL ? BERM_OK : err_set(err, BERM_ERR_NOMEM, "make the environment");
}

static size_t count_of(const char *const *strings)
{
	size_t count = 0;
	while (strings != NULL && strings[count] != NULL)
		count++;
	return count;
}

/* NULL in *ret_entry: the command has the variable already. */
static enum berm_code further_variable(const struct launch *launch, const char *variable, char **ret_entry,
				       struct berm_err *err)
{
	const char *const *envp = launch->command->envp;
	const char *equals = strchr(variable, '=');
	size_t len = equals == NULL ? 0 : (size_t)(equals - variable) + 1;
	if (len < 2)
		return err_set(err, BERM_ERR_INVALID, "'%.80s' is no variable", variable);
	for (size_t i = 0; envp[i] != NULL; i++)
		if (strncmp(envp[i], variable, len) == 0)
			return BERM_OK;
	struct buf buf;
	buf_init(&buf, (size_t)2 * PATH_MAX);
	buf_puts(&buf, variable);
	buf_puts(&buf, launch->private_tmp);
	char *entry = buf_take(&buf);
	buf_done(&buf);
	if (entry == NULL)
		return err_set(err, BERM_ERR_NOMEM, "make the environment");
	*ret_entry = entry;
	return BERM_OK;
}

static bool overridden(const struct launch *launch, const char *entry)
{
	const struct berm_plan *plan = launch->plan;
	for (size_t i = 0; launch->private_tmp != NULL && i < plan->scratch_count; i++) {
		const char *variable = plan->scratches[i].variable;
		size_t len = variable == NULL ? 0 : strlen(variable);
		if (len > 0 && strncmp(entry, variable, len) == 0 && entry[len] == '=')
			return true;
	}
	return false;
}

static enum berm_code make_environment(struct launch *launch, struct berm_err *err)
{
	const struct berm_plan *plan = launch->plan;
	size_t given = count_of(launch->command->envp), further = count_of(launch->command->scratch_variables),
	       count = 0;
	if (given > MAX_ENVIRONMENT || further > MAX_ENVIRONMENT)
		return err_set(err, BERM_ERR_LIMIT, "the environment has more than %d entries", MAX_ENVIRONMENT);
	launch->envp = calloc(given + plan->scratch_count + further + 1, sizeof *launch->envp);
	if (launch->envp == NULL)
		return err_set(err, BERM_ERR_NOMEM, "make the environment");
	for (size_t i = 0; i < given; i++) {
		if (overridden(launch, launch->command->envp[i]))
			continue;
		launch->envp[count] = strdup(launch->command->envp[i]);
		if (launch->envp[count++] == NULL)
			return err_set(err, BERM_ERR_NOMEM, "make the environment");
	}
	for (size_t i = 0; launch->private_tmp != NULL && i < plan->scratch_count; i++)
		if (plan->scratches[i].variable != NULL)
			TRY(scratch_variable(launch, &plan->scratches[i], i, &launch->envp[count++], err));
	for (size_t i = 0; launch->private_tmp != NULL && i < further; i++) {
		TRY(further_variable(launch, launch->command->scratch_variables[i], &launch->envp[count], err));
		count += launch->envp[count] != NULL;
	}
	return BERM_OK;
}

static enum berm_code compile_filter(struct launch *launch, struct berm_err *err)
{
	launch->filter = calloc(SECCOMP_MAX_INSTRUCTIONS, sizeof *launch->filter);
	if (launch->filter == NULL)
		return err_set(err, BERM_ERR_NOMEM, "compile the system call filter");
	return seccomp_compile(&launch->plan->spec, seccomp_native_arch(), launch->filter, &launch->filter_len, err);
}

static bool is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);
	return len == 1 || (strncmp(path, folder, len) == 0 && path[len] == '/');
}

/* Grants are sorted, so the folder above one is the last that is still open when it comes: one pass, one stack that is
 * threaded through the result itself. */
static enum berm_code find_parents(struct launch *launch, struct berm_err *err)
{
	const struct berm_plan *plan = launch->plan;
	size_t above = LAUNCH_NO_PARENT;
	launch->parents = calloc(plan->grant_count + 1, sizeof *launch->parents);
	launch->clones = calloc(plan->grant_count + 1, sizeof *launch->clones);
	if (launch->parents == NULL || launch->clones == NULL)
		return err_set(err, BERM_ERR_NOMEM, "sort the grants");
	for (size_t i = 0; i < plan->grant_count; i++) {
		while (above != LAUNCH_NO_PARENT && !is_below(plan->grants[i].path, plan->grants[above].path))
			above = launch->parents[above];
		launch->parents[i] = above;
		if (plan->grants[i].tree && plan->grants[i].exists)
			above = i;
	}
	return BERM_OK;
}

/* The helper's own folder is another one where it has a root of its own. */
static enum berm_code find_folder(struct launch *launch, struct berm_err *err)
{
	const char *cwd = launch->command->cwd;
	if (cwd == NULL && launch->plan->backend != BERM_BACKEND_NAMESPACES)
		return BERM_OK;
	launch->cwd = cwd != NULL ? strdup(cwd) : getcwd(NULL, 0);
	return launch->cwd != NULL ? BERM_OK : err_sys(err, "find the working folder");
}

static bool in_foreground(int terminal)
{
	pid_t group = 0;
	return terminal >= 0 && ioctl(terminal, TIOCGPGRP, &group) == 0 && group == getpgrp();
}

static enum berm_code check_command(const struct berm_command *command, struct berm_err *err)
{
	if (command->size != sizeof *command)
		return err_set(err, BERM_ERR_INVALID, "struct berm_command has size %zu, not %zu", command->size,
			       sizeof *command);
	if (command->argv == NULL || command->argv[0] == NULL || command->envp == NULL)
		return err_set(err, BERM_ERR_INVALID, "a command needs arguments and an environment");
	return BERM_OK;
}

static enum berm_code fill(struct launch *launch, struct berm_err *err)
{
	TRY(find_parents(launch, err));
	TRY(find_folder(launch, err));
	TRY(compile_filter(launch, err));
	TRY(find_programs(launch, err));
	launch->stack = malloc(LAUNCH_STACK_SIZE);
	if (launch->stack == NULL)
		return err_set(err, BERM_ERR_NOMEM, "start a sandbox");
	if (launch->plan->listener)
		TRY(supervisor_new(launch->plan, &launch->sup, err));
	if (launch->plan->listener && (launch->outer = plan_export(launch->plan)) == NULL)
		return err_set(err, BERM_ERR_NOMEM, "start a sandbox");
	TRY(make_private_tmp(launch, err));
	TRY(make_environment(launch, err));
	if (launch->plan->cgroup == NULL)
		return BERM_OK;
	return cgroup_make(launch->plan->cgroup, launch->plan->limit, &launch->cgroup, &launch->cgroup_procs, err);
}

enum berm_code prepare_launch(const struct berm_plan *plan, const struct berm_command *command,
			      struct launch **ret_launch, struct berm_err *err)
{
	TRY(check_command(command, err));
	struct launch *launch = calloc(1, sizeof *launch);
	if (launch == NULL)
		return err_set(err, BERM_ERR_NOMEM, "start a sandbox");
	launch->plan = plan;
	launch->command = command;
	launch->cgroup_procs = -1;
	launch->uid = geteuid();
	launch->gid = getegid();
	launch->foreground = !command->new_session && in_foreground(command->terminal);
	enum berm_code code = fill(launch, err);
	if (code == BERM_OK) {
		*ret_launch = launch;
		return BERM_OK;
	}
	if (launch->private_tmp != NULL)
		sweep_folder(launch->private_tmp);
	prepare_free(launch);
	return code;
}

void prepare_free(struct launch *launch)
{
	if (launch == NULL)
		return;
	supervisor_free(launch->sup);
	str_free_all(launch->envp);
	str_free_all(launch->programs);
	if (launch->cgroup_procs >= 0)
		(void)close(launch->cgroup_procs);
	free(launch->cgroup);
	free(launch->outer);
	free(launch->private_tmp);
	free(launch->cwd);
	free(launch->parents);
	free(launch->clones);
	free(launch->stack);
	free(launch->filter);
	free(launch);
}
