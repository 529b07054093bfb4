#include "session/run_state.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/env.h"
#include "base/own.h"
#include "format/path.h"
#include "os/sys.h"
#include "sandbox/caps.h"
#include "sandbox/facts.h"
#include "sandbox/plan.h"
#include "session/distro.h"
#include "session/etc_secrets.h"
#include "session/home.h"
#include "session/home_links.h"
#include "session/kernel_mounts.h"
#include "session/net_plan.h"
#include "session/outer.h"
#include "session/own_folder.h"
#include "session/own_tests.h"
#include "session/package_cache.h"
#include "session/state_folders.h"

enum { MAX_EXPORT = 4 * 1024 * 1024 };

/* ---- where we are -------------------------------------------------------------------------------------------------- */

static enum berm_code find_place(struct run *run, struct berm_err *err)
{
	const char *cwd = run->request.cwd;
	if (cwd != NULL && chdir(cwd) < 0)
		return err_sys(err, "enter folder '%s'", cwd);
	if (getcwd(run->cwd, sizeof(run->cwd)) == NULL)
		return err_sys(err, "find the current folder");
	bool has_home = home_find(env_get(run->request.envp, "HOME"), getuid(), run->home, sizeof(run->home));
	if (!has_home || realpath(run->home, run->real_home) == NULL)
		run->real_home[0] = '\0';
	enum berm_code code =
		workspace_find(run->cwd, has_home ? run->home : NULL, &run->workspace, &run->no_workspace);
	/* A folder that is never a workspace is no reason not to run: what is to be granted there can be named. */
	if (code == BERM_OK || code == BERM_ERR_INVALID)
		return BERM_OK;
	if (err != NULL)
		*err = run->no_workspace;
	return code;
}

/* The file as an absolute path: whether it is in the workspace decides how it is opened. */
static enum berm_code find_events(struct run *run, struct berm_err *err)
{
	const char *path = journal_file(run->request.events);
	if (path == NULL || path[0] == '/')
		return BERM_OK;
	int len = snprintf(run->events, sizeof(run->events), "%s/%s", run->cwd, path);
	if (len < 0 || (size_t)len >= sizeof(run->events))
		return err_set(err, BERM_ERR_LIMIT, "path too long: '%.60s'", path);
	run->request.events = run->events;
	return BERM_OK;
}

static bool is_readable(const char *path)
{
	return access(path, R_OK) == 0;
}

static bool resolve(const char *path, char ret_real[static PATH_MAX])
{
	return realpath(path, ret_real) != NULL;
}

/* ---- policy and capabilities --------------------------------------------------------------------------------------- */

const char *run_text_or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static enum berm_code open_sources(struct run *run, struct problems *problems, struct berm_err *err)
{
	const struct run_request *given = &run->request;
	run->asked = (struct sources_request){
		.profiles = given->profiles,
		.no_profile = given->no_profile,
		.program = given->argv != NULL ? given->argv[0] : NULL,
		.cwd = run->cwd,
		.home = run_text_or_null(run->home),
		.workspace = run->workspace.path,
		.envp = given->envp,
		.flags = given->flags,
		.accept_hash = given->accept_hash,
	};
	return sources_open(&run->asked, &run->sources, problems, err);
}

/* Where there is no workspace, the cache is that of the folder in which the run was started. In a sandbox it is the outer
 * one's, which can be written there. */
__attribute__((noinline)) static void tell_cache(struct run *run)
{
	char base[PATH_MAX];
	const char *place = run->workspace.path != NULL ? run->workspace.path : run->cwd;
	struct policy_input *input = &run->input;
	const char *outer = env_get(run->request.envp, POLICY_PACKAGES_VARIABLE);
	if (!package_cache_base(run->request.envp, input->home, base))
		return;
	bool fits = outer != NULL && path_is_in(str_from(outer), str_from(base))
			    ? path_resolve(STR("/"), str_from(outer), run->cache, sizeof(run->cache))
			    : package_cache_path(base, place, run->cache);
	if (!fits || !path_is_in(str_from(run->cache), str_from(base)) ||
	    !package_cache_is_straight(run->cache, input->home))
		return;
	run->cache_values[0] = input->workspace_cache = run->cache;
	run->cache_variable = (struct policy_variable){"WORKSPACE_CACHE", run->cache_values};
	input->variables = &run->cache_variable;
	input->variable_count = 1;
}

static void fill_input(struct run *run)
{
	struct policy_input *input = &run->input;
	input->cwd = run->cwd;
	input->workspace = run->workspace.path;
	input->git_common = run->workspace.git_common;
	input->git = run->workspace.git;
	input->git_paths = (const char *const *)run->workspace.git_paths.protect;
	input->git_reads = (const char *const *)run->workspace.git_paths.read;
	input->home = run_text_or_null(run->home);
	input->real_home = run_text_or_null(run->real_home);
	input->envp = run->request.envp;
	input->readable = is_readable;
	input->resolve = resolve;
	input->closed = (const char *const *)run->closed;
	input->links = (const char *const *)run->links;
	input->kernel_mounts = (const char *const *)run->kernel_mounts;
	input->uid = getuid();
	run->values.request =
		(struct registries_request){.home = input->home, .workspace = input->workspace, .envp = input->envp};
	input->values = machine_values_find;
	input->values_context = &run->values;
	distro_find(run->distro, sizeof(run->distro));
	input->distro = run_text_or_null(run->distro);
	sources_tell_folders(run->sources, input);
	tell_cache(run);
	/* Whoever is watched does not edit the notes. */
	run->kept[0] = journal_file(run->request.events);
	run->input.answerers = run_answerers(run);
	input->kept = run->kept;
}

/* Where the program inside reads what it was denied, with berm. A run goes on without. */
__attribute__((noinline)) static enum berm_code make_denials(struct run *run, struct berm_err *err)
{
	char base[PATH_MAX];
	TRY(denials_new(&run->denials, err));
	if (!denials_base(run->request.envp, run_text_or_null(run->home), base) ||
	    policy_find_closing(run->policy, base) != NULL || denials_open_folder(run->denials, base, NULL) != BERM_OK)
		return BERM_OK;
	run->input.denials_folder = denials_folder(run->denials);
	ssize_t len = readlink("/proc/self/exe", run->program, sizeof(run->program) - 1);
	run->program[len > 0 ? len : 0] = '\0';
	if (len > 0 && access(run->program, X_OK) == 0 && policy_find_closing(run->policy, run->program) == NULL)
		run->input.program = run->program;
	return BERM_OK;
}

/* What is there before the plan is made can be closed by it. Without a folder for its socket a run has none. */
__attribute__((noinline)) static void make_folders(struct run *run)
{
	char folder[PATH_MAX];
	const char *place = run->workspace.path != NULL ? run->workspace.path : run->cwd;
	state_folders_make(run->policy, &run->input);
	if (run->input.workspace_cache != NULL && !package_cache_take(run->cache, place))
		run->input.workspace_cache = NULL; /* caches are empty and gone at the end, then */
	if (control_folder(run->request.envp, run_text_or_null(run->home), folder, NULL) != BERM_OK ||
	    own_folder_make(folder, NULL) != BERM_OK)
		return;
}

static enum berm_code make_caps(struct run *run, struct problems *problems, struct berm_err *err)
{
	TRY(etc_secrets_find(&run->closed, err));
	if (run->home[0] != '\0')
		TRY(home_links_find(run->home, &run->links, err));
	TRY(kernel_mounts_find(&run->kernel_mounts, err));
	TRY(open_sources(run, problems, err));
	fill_input(run);
	TRY(policy_make(sources_layers(run->sources), &run->input, &run->policy, problems, err));
	if (!run->request.untested)
		TRY(own_tests_check(run->policy, &run->input, problems, err));
	if (!run->request.examine) {
		make_folders(run);
		TRY(make_denials(run, err));
	}
	run->input.policy = run->policy;
	run->input.look = run->request.examine;
	TRY(policy_caps(&run->input, &run->caps, run->request.examine ? &run->origins : NULL, problems, err));
	run->unheld = problems != NULL && problems->count > 0;
	return run->request.tell_all ? berm_caps_tell_all(run->caps, err) : BERM_OK;
}

/* ---- facts and plan ------------------------------------------------------------------------------------------------ */

/* What an outer berm holds already, and a hook for tests: the second back-end on a machine that has the first. */
static enum berm_code complete_facts(const struct run *run, struct berm_facts *facts, struct berm_err *err)
{
	const uint64_t *limit = run->caps->limit;
	const char *no_userns = env_get(run->request.envp, "BERM_TEST_NO_USERNS");
	auto_buf struct buf outer;
	buf_init(&outer, MAX_EXPORT);
	if (no_userns != NULL && strcmp(no_userns, "1") == 0)
		facts_without_namespaces(facts);
	if (run->facts_are_quick && (limit[BERM_LIMIT_MEMORY] != 0 || limit[BERM_LIMIT_PROCESSES] != 0))
		facts_probe_cgroup(facts, true);
	if (berm_facts_get(facts, "no_new_privs") == 1 && outer_find(&outer))
		TRY(facts_set_outer(facts, outer.data, outer.len, err));
	return BERM_OK;
}

static enum berm_code look_at_machine(struct run *run, bool quick, struct berm_err *err)
{
	struct berm_facts *facts;
	TRY(quick ? facts_probe_quick(&facts, err) : berm_facts_probe(&facts, err));
	if (quick && berm_facts_get(facts, "no_new_privs") == 1) {
		berm_facts_free(facts); /* inside a sandbox a guess is mostly wrong */
		quick = false;
		TRY(berm_facts_probe(&facts, err));
	}
	berm_facts_free(run->facts);
	run->facts = facts;
	run->facts_are_quick = quick;
	return complete_facts(run, facts, err);
}

static enum berm_code make_plan(struct run *run, struct problems *problems, struct berm_err *err)
{
	struct berm_plan *plan;
	struct net_plan_request request = {run->policy, run->caps, run->facts, run->request.examine};
	enum berm_code code = net_plan_make(&request, &plan, run->facts_are_quick ? NULL : problems, err);
	if (code == BERM_ERR_UNSUPPORTED && run->facts_are_quick) {
		TRY(look_at_machine(run, false, err));
		request.facts = run->facts;
		code = net_plan_make(&request, &plan, problems, err);
	}
	if (code != BERM_OK)
		return code;
	berm_plan_free(run->plan);
	run->plan = plan;
	return BERM_OK;
}

static enum berm_code prepare(struct run *run, struct problems *problems, struct berm_err *err)
{
	TRY(find_place(run, err));
	TRY(find_events(run, err));
	TRY(make_caps(run, problems, err));
	TRY(look_at_machine(run, !run->request.examine, err));
	return make_plan(run, problems, err);
}

enum berm_code run_new(const struct run_request *request, struct run **ret_run, struct problems *problems,
		       struct berm_err *err)
{
	struct run *run = calloc(1, sizeof(*run));
	if (run == NULL)
		return err_set(err, BERM_ERR_NOMEM, "prepare a run");
	run->request = *request;
	(void)clock_gettime(CLOCK_REALTIME, &run->read);
	run->terminal.fd = run->terminal_loop.epoll_fd = run->journal.fd = run->jobs.signal_fd = -1;
	approver_desk_init(&run->desk);
	enum berm_code code = prepare(run, problems, err);
	if (code == BERM_OK)
		*ret_run = run;
	else
		run_free(run);
	return code;
}

void run_free(struct run *run)
{
	if (run == NULL)
		return;
	run_ask_end(run);
	control_free(run->control);
	reload_free(run->reload);
	berm_sandbox_free(run->box);
	run_net_done(run);
	for (size_t i = 0; i < ARRAY_LEN(run->watched); i++)
		free(run->watched[i]);
	generation_done(&run->next);
	jobs_done(&run->jobs);
	run_terminal_end(run);
	journal_done(&run->journal);
	denials_free(run->denials);
	offers_free(run->offers);
	str_free_all(run->environment);
	agent_hook_done(&run->hook);
	berm_plan_free(run->plan);
	berm_facts_free(run->facts);
	berm_caps_free(run->caps);
	workspace_done(&run->workspace);
	policy_origins_done(&run->origins);
	policy_free(run->policy);
	sources_free(run->sources);
	machine_values_done(&run->values);
	str_free_all(run->closed);
	str_free_all(run->links);
	str_free_all(run->kernel_mounts);
	free(run);
}

const struct berm_plan *run_plan(const struct run *run)
{
	return run->plan;
}

const struct berm_facts *run_facts(const struct run *run)
{
	return run->facts;
}

const struct policy *run_policy(const struct run *run)
{
	return run->policy;
}

const struct sources *run_sources(const struct run *run)
{
	return run->sources;
}

const struct policy_input *run_input(const struct run *run)
{
	return &run->input;
}

const char *run_profile(const struct run *run, bool *ret_by_program)
{
	return sources_profile(run->sources, ret_by_program);
}

const struct policy_doc *run_unaccepted(const struct run *run)
{
	return sources_unaccepted(run->sources);
}

const char *run_session(const struct run *run)
{
	return run->journal.session;
}

void run_origin(const struct run *run, const char *line, const struct policy_entry **ret_entry, const char **ret_words)
{
	char text[1024];
	*ret_entry = NULL;
	*ret_words = NULL;
	for (size_t i = 0; i < run->origins.count && i < run->caps->lines.len; i++) {
		caps_line_text(run->caps, vec_at(&run->caps->lines, i), text, sizeof text);
		if (strcmp(text, line) != 0)
			continue;
		*ret_entry = run->origins.items[i].entry;
		*ret_words = run->origins.items[i].words;
		return;
	}
}

bool run_is_refused(const struct run *run)
{
	return run->plan->refused || run->unheld;
}

const char *run_workspace(const struct run *run)
{
	return run->workspace.path;
}

const char *run_no_workspace(const struct run *run)
{
	return run->no_workspace.msg;
}

/* ---- start --------------------------------------------------------------------------------------------------------- */

static enum berm_code make_environment(struct run *run, struct berm_err *err)
{
	str_free_all(run->environment);
	run->environment = NULL;
	run->input.also = run_net_environment(run, machine_values_environment(&run->values));
	return policy_environment(&run->input, &run->environment, err);
}

/* Children that whoever started us by exec had before are not ours to end. */
static bool has_children(void)
{
	siginfo_t info;
	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
}

/* Without a pid namespace, what a killed helper leaves becomes our child, and is ended by us. */
static bool own_tree(const struct run *run)
{
	if (berm_plan_backend(run->plan) != BERM_BACKEND_LANDLOCK || run->had_children)
		return false;
	return sys_become_subreaper() == 0;
}

/* It can only be led to berm where that can be run. */
static enum berm_code lead_agent(struct run *run, struct berm_err *err)
{
	const struct policy_entry *hook = run->policy->setting[KEY_HOOK];
	agent_hook_done(&run->hook);
	if (hook == NULL || run->input.program == NULL)
		return BERM_OK;
	return agent_hook_make(&run->hook, hook->line->text, run->request.argv, run->input.program, err);
}

/* Java looks for temporary files in /tmp, whatever TMPDIR says. It tells on stderr that it was told. */
static const char *const not_by_tmpdir[] = {"JAVA_TOOL_OPTIONS=-Djava.io.tmpdir=", NULL};

static enum berm_code spawn(struct run *run, struct berm_err *err)
{
	TRY(make_environment(run, err));
	TRY(lead_agent(run, err));
	struct berm_command command = {
		.size = sizeof(command),
		.argv = agent_hook_argv(&run->hook, run->request.argv),
		.envp = (const char *const *)run->environment,
		.cwd = run->cwd,
		.scratch = env_get(run->request.envp, "TMPDIR"),
		.scratch_variables = not_by_tmpdir,
		.own_tree = own_tree(run),
	};
	run_terminal_command(run, &command);
	enum berm_code code = berm_sandbox_spawn(run->plan, &command, &run->box, err);
	terminal_started(&run->terminal);
	if (code != BERM_OK)
		terminal_take_back(&run->terminal);
	return code;
}

static void put_start(struct run *run)
{
	struct event event = {
		.kind = EVENT_SESSION,
		.op = "start",
		.command = run->request.argv,
		.workspace = run->workspace.path,
		.backend = berm_plan_backend(run->plan) == BERM_BACKEND_NAMESPACES ? "namespaces" : "landlock",
	};
	journal_put(&run->journal, &event);
}

/* True if the kernel makes no user namespace for us: then there are no namespaces at all, and no closer look finds any. */
static bool refuses_namespaces(void)
{
	pid_t pid = sys_fork(CLONE_NEWUSER, SIGCHLD, NULL);
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return true;
	(void)waitpid(pid, NULL, 0);
	return false;
}

/* The machine refused what the quick look had taken as there. */
static enum berm_code look_again(struct run *run, struct berm_err *err)
{
	if (berm_plan_backend(run->plan) != BERM_BACKEND_NAMESPACES || !refuses_namespaces())
		return look_at_machine(run, false, err);
	facts_without_namespaces(run->facts);
	return BERM_OK;
}

enum berm_code run_start(struct run *run, struct berm_err *err)
{
	if (run->request.examine)
		return err_set(err, BERM_ERR_INVALID, "this run is only to be looked at");
	TRY(journal_open(run->request.events, run->workspace.path, run->request.name, &run->journal, err));
	run->journal.denials = run->denials;
	run->had_children = has_children();
	TRY(run_net_start(run, err)); /* with the signals as they were */
	TRY(run_terminal_begin(run, err));
	jobs_catch();
	enum berm_code code = spawn(run, err);
	if (code == BERM_ERR_UNSUPPORTED && run->facts_are_quick) {
		TRY(look_again(run, err));
		TRY(make_plan(run, NULL, err));
		if (run->plan->network != BERM_NET_FILTERED)
			run_net_done(run);
		code = spawn(run, err);
	}
	if (code != BERM_OK)
		return code;
	TRY(run_net_attach(run, err));
	TRY(jobs_begin(&run->terminal, run->box, &run->jobs, err));
	run_watch_policy(run);
	TRY(run_ask_begin(run, err));
	put_start(run); /* whoever reads it can ask for changes from then on */
	journal_put_load(&run->journal, run->sources);
	return BERM_OK;
}
