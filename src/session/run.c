#include "session/run.h"

#include <limits.h>
#include <poll.h>
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
#include "session/control.h"
#include "session/distro.h"
#include "session/etc_secrets.h"
#include "session/generation.h"
#include "session/home.h"
#include "session/home_links.h"
#include "session/jobs.h"
#include "session/journal.h"
#include "session/kernel_mounts.h"
#include "session/machine_values.h"
#include "session/outer.h"
#include "session/own_tests.h"
#include "session/package_cache.h"
#include "session/reload.h"
#include "session/state_folders.h"
#include "session/streams.h"
#include "session/workspace.h"

enum { MAX_EXPORT = 4 * 1024 * 1024, MAX_TOLD = 200, TOLD_SIZE = 160 };

struct run {
	struct run_request request;
	char cwd[PATH_MAX], home[PATH_MAX], real_home[PATH_MAX], cache[PATH_MAX];
	const char *cache_values[2]; /* of $WORKSPACE_CACHE */
	struct policy_variable cache_variable;
	char events[2 * PATH_MAX]; /* "fd:N", or an absolute path */
	struct workspace workspace;
	struct berm_err no_workspace; /* why there is none; code OK: there is one */
	char **closed;		      /* further secrets of the system */
	char **links;		      /* in the home folder */
	char **kernel_mounts;	      /* besides the usual ones */
	const char *kept[2];	      /* the events file */
	char distro[128];
	struct sources_request asked;
	struct sources *sources;
	struct machine_values values; /* of variables, when they are asked for */
	struct policy_input input;
	struct policy *policy;
	struct policy_origins origins; /* with examine */
	bool unheld;		       /* with examine: lines of the policy cannot be held in this version */
	struct berm_caps *caps;
	struct berm_facts *facts;
	bool facts_are_quick;
	struct berm_plan *plan;
	char **environment;
	struct terminal terminal;
	struct jobs jobs;
	struct journal journal;
	struct berm_sandbox *box;
	struct reload *reload;	 /* NULL: the files are not watched */
	struct control *control; /* NULL: nobody can ask for changes */
	struct generation next;	 /* a policy that is being put in force */
	struct timespec read;	 /* when the policy's files were read, at the earliest */
	char *watched[3];	 /* files that may appear */
	struct run_result result;
};

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

static const char *text_or_null(const char *text)
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
		.home = text_or_null(run->home),
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
	input->home = text_or_null(run->home);
	input->real_home = text_or_null(run->real_home);
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
	input->distro = text_or_null(run->distro);
	sources_tell_folders(run->sources, input);
	tell_cache(run);
	/* Whoever is watched does not edit the notes. */
	run->kept[0] = journal_file(run->request.events);
	input->kept = run->kept;
}

/* What is there before the plan is made can be closed by it. Without a folder for its socket a run has none. */
__attribute__((noinline)) static void make_folders(struct run *run)
{
	char folder[PATH_MAX];
	const char *place = run->workspace.path != NULL ? run->workspace.path : run->cwd;
	state_folders_make(run->policy, &run->input);
	if (run->input.workspace_cache != NULL && !package_cache_take(run->cache, place))
		run->input.workspace_cache = NULL; /* caches are empty and gone at the end, then */
	if (control_folder(run->request.envp, text_or_null(run->home), folder, NULL) != BERM_OK ||
	    control_make_folder(folder, NULL) != BERM_OK)
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
	if (!run->request.examine)
		make_folders(run);
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

static enum berm_code make_plan(struct run *run, struct berm_err *err)
{
	struct berm_plan *plan;
	enum berm_code code = run->request.examine ? plan_draft(run->caps, run->facts, &plan, err)
						   : berm_plan_make(run->caps, run->facts, &plan, err);
	if (code == BERM_ERR_UNSUPPORTED && run->facts_are_quick) {
		TRY(look_at_machine(run, false, err));
		code = berm_plan_make(run->caps, run->facts, &plan, err);
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
	return make_plan(run, err);
}

enum berm_code run_new(const struct run_request *request, struct run **ret_run, struct problems *problems,
		       struct berm_err *err)
{
	struct run *run = calloc(1, sizeof(*run));
	if (run == NULL)
		return err_set(err, BERM_ERR_NOMEM, "prepare a run");
	run->request = *request;
	(void)clock_gettime(CLOCK_REALTIME, &run->read);
	run->terminal.fd = run->journal.fd = run->jobs.signal_fd = -1;
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
	control_free(run->control);
	reload_free(run->reload);
	berm_sandbox_free(run->box);
	for (size_t i = 0; i < ARRAY_LEN(run->watched); i++)
		free(run->watched[i]);
	generation_done(&run->next);
	jobs_done(&run->jobs);
	terminal_done(&run->terminal);
	journal_done(&run->journal);
	str_free_all(run->environment);
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
	run->input.also = machine_values_environment(&run->values);
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
	if (berm_plan_backend(run->plan) != BERM_BACKEND_LANDLOCK || has_children())
		return false;
	return sys_become_subreaper() == 0;
}

/* Java looks for temporary files in /tmp, whatever TMPDIR says. It tells on stderr that it was told. */
static const char *const not_by_tmpdir[] = {"JAVA_TOOL_OPTIONS=-Djava.io.tmpdir=", NULL};

static enum berm_code spawn(struct run *run, struct berm_err *err)
{
	TRY(make_environment(run, err));
	struct berm_command command = {
		.size = sizeof(command),
		.argv = run->request.argv,
		.envp = (const char *const *)run->environment,
		.cwd = run->cwd,
		.scratch = env_get(run->request.envp, "TMPDIR"),
		.scratch_variables = not_by_tmpdir,
		.stdio = {streams_for_command(STDIN_FILENO), streams_for_command(STDOUT_FILENO),
			  streams_for_command(STDERR_FILENO)},
		.terminal = terminal_for_command(&run->terminal),
		.own_tree = own_tree(run),
	};
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

/* The line of the policy that denied, with the texts that its event needs. */
struct denial_line {
	struct event_by by;
	char at[160], layer[96];
};

/* ---- another policy while it runs ---------------------------------------------------------------------------------- */

static enum berm_code remake(void *ctx, const char *file, struct str text, struct berm_plan **ret_plan,
			     struct problems *problems, struct berm_err *err)
{
	struct run *run = ctx;
	const struct generation_request request = {
		.sources = &run->asked,
		.input = &run->input,
		.facts = run->facts,
		.file = file,
		.text = text,
		.tell_all = run->request.tell_all,
		.untested = run->request.untested,
	};
	generation_done(&run->next);
	return generation_make(&request, &run->next, ret_plan, problems, err);
}

/* The next generation takes the place of the present one, which then is what goes. */
static void keep(void *ctx, bool in_force)
{
	struct run *run = ctx;
	struct generation old = {.sources = run->sources, .policy = run->policy, .caps = run->caps};
	if (!in_force)
		return;
	struct generation *next = &run->next;
	run->sources = next->sources;
	run->policy = next->policy;
	run->caps = next->caps;
	next->sources = old.sources;
	next->policy = old.policy;
	next->caps = old.caps;
	run->input.policy = run->policy;
	sources_tell_folders(run->sources, &run->input);
	run->journal.generation++;
}

/* The files that were read, and those that are read when they appear. */
static const char *watched_file(void *ctx, size_t index)
{
	const struct run *run = ctx;
	size_t read = 0;
	while (read <= index && sources_file(run->sources, read) != NULL)
		read++;
	if (read > index)
		return sources_file(run->sources, index);
	index -= read;
	for (size_t i = 0; i < ARRAY_LEN(run->watched); i++)
		if (run->watched[i] != NULL && index-- == 0)
			return run->watched[i];
	return NULL;
}

static char *path_in(const char *folder, const char *name)
{
	auto_buf struct buf path;
	buf_init(&path, PATH_MAX);
	if (folder == NULL)
		return NULL;
	buf_printf(&path, "%s/%s", folder, name);
	return buf_take(&path);
}

/* Neither is needed for the run itself: where one cannot be had, the policy stays as it is. */
static void watch_policy(struct run *run)
{
	const struct reload_maker maker = {
		.ctx = run, .make = remake, .keep = keep, .file = watched_file, .read = run->read};
	char folder[PATH_MAX];
	run->watched[0] = path_in(sources_config_folder(run->sources), "policy.yaml");
	run->watched[1] = path_in(run->workspace.path, ".berm.yaml");
	run->watched[2] = path_in("/etc/berm/policy.d", ""); /* all that is in it */
	if (reload_new(&maker, run->box, &run->reload, NULL) != BERM_OK)
		return;
	if (control_folder(run->request.envp, text_or_null(run->home), folder, NULL) == BERM_OK &&
	    control_open(folder, run->journal.session, &run->control, NULL) != BERM_OK)
		run->control = NULL;
}

static void tell(const struct run *run, const char *text)
{
	if (run->request.tell != NULL)
		run->request.tell(text);
}

/* "added read /srv: now" for each line that differs, as many as an event takes. */
static void put_changes(struct run *run, struct event *event)
{
	auto_free char *texts = calloc(MAX_TOLD, TOLD_SIZE);
	const char *told[MAX_TOLD + 1] = {NULL};
	struct berm_change change;
	size_t count = 0;
	for (; texts != NULL && count < MAX_TOLD && berm_sandbox_change(run->box, count, &change); count++) {
		told[count] = texts + count * TOLD_SIZE;
		(void)snprintf(texts + count * TOLD_SIZE, TOLD_SIZE, "%s %s: %s", change.added ? "added" : "removed",
			       change.line, reload_when(change.when));
	}
	event->changes = count > 0 ? told : NULL;
	journal_put(&run->journal, event);
}

static void put_reload(struct run *run, enum reload_outcome outcome, const struct berm_err *err)
{
	struct event event = {.kind = EVENT_POLICY, .op = outcome == RELOAD_DONE ? "reload" : "refuse"};
	char text[sizeof(err->msg) + 64];
	if (outcome == RELOAD_DONE) {
		put_changes(run, &event);
		return;
	}
	event.detail = err->msg;
	journal_put(&run->journal, &event);
	(void)snprintf(text, sizeof(text), "the policy in force stays: %s", err->msg);
	tell(run, text);
}

static void take_reload(struct run *run)
{
	struct berm_err err = {0};
	enum reload_outcome outcome = reload_next(run->reload, &err);
	if (outcome != RELOAD_NOTHING)
		put_reload(run, outcome, &err);
}

static void take_control(struct run *run)
{
	struct control_request request;
	while (control_next(run->control, &request)) {
		struct berm_err err = {0};
		auto_buf struct buf answer;
		buf_init(&answer, CONTROL_MAX);
		enum reload_outcome outcome = RELOAD_REFUSED;
		if (strcmp(request.op, "apply") == 0)
			outcome = reload_apply(run->reload, request.file, request.text, &err);
		else
			(void)err_set(&err, BERM_ERR_INVALID, "a session does not know '%.40s'", request.op);
		put_reload(run, outcome, &err);
		reload_report(run->reload, outcome == RELOAD_DONE ? NULL : &err, &answer);
		control_answer(run->control, buf_str(&answer));
	}
}

static int sooner(int a, int b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

enum berm_code run_start(struct run *run, struct berm_err *err)
{
	if (run->request.examine)
		return err_set(err, BERM_ERR_INVALID, "this run is only to be looked at");
	TRY(journal_open(run->request.events, run->workspace.path, run->request.name, &run->journal, err));
	terminal_open(&run->terminal);
	jobs_catch();
	enum berm_code code = spawn(run, err);
	if (code == BERM_ERR_UNSUPPORTED && run->facts_are_quick) {
		TRY(look_again(run, err));
		TRY(make_plan(run, err));
		code = spawn(run, err);
	}
	if (code != BERM_OK)
		return code;
	TRY(jobs_begin(&run->terminal, run->box, &run->jobs, err));
	watch_policy(run);
	put_start(run); /* whoever reads it can ask for changes from then on */
	journal_put_load(&run->journal, run->sources);
	return BERM_OK;
}

/* ---- while it runs ------------------------------------------------------------------------------------------------- */

/* Which line it was; none if what is not granted is closed. layer and at live in ret_by's owner. */
static void find_line(const struct run *run, const struct berm_request *request, struct denial_line *ret_line)
{
	const struct policy_entry *entry = policy_find_rule(run->policy, request->rule, request->object);
	bool path = request->kind == BERM_REQUEST_FILE || request->kind == BERM_REQUEST_SOCKET;
	ret_line->by = (struct event_by){.text = request->rule, .layer = "default"};
	ret_line->at[0] = '\0';
	if (entry == NULL && path && (entry = policy_find_closing(run->policy, request->object)) != NULL)
		ret_line->by.text = entry->line->text; /* nothing grants it, and nothing could */
	if (entry == NULL)
		return;
	policy_entry_place(entry, ret_line->at, sizeof ret_line->at);
	(void)snprintf(ret_line->layer, sizeof ret_line->layer, "%s%s%s", policy_layer_words[entry->layer],
		       entry->doc->name != NULL ? " " : "", entry->doc->name != NULL ? entry->doc->name : "");
	ret_line->by.layer = ret_line->layer;
	ret_line->by.at = ret_line->at;
	ret_line->by.rule = policy_keys[entry->line->key].path;
	ret_line->by.narrows = true;
}

static bool same_denial(const struct run_denial *a, const struct run_denial *b)
{
	return a->kind == b->kind && a->op == b->op && strcmp(a->object, b->object) == 0;
}

static void remember(struct run_result *result, const struct berm_request *request, const struct denial_line *line)
{
	struct run_denial denial = {.kind = request->kind, .op = request->op, .narrows = line->by.narrows};
	memcpy(denial.at, line->at, sizeof(denial.at));
	memcpy(denial.object, request->object[0] != '\0' ? request->object : request->as, sizeof(denial.object));
	bool asks = line->by.rule != NULL && strcmp(line->by.rule, policy_keys[KEY_ASK].path) == 0;
	(void)snprintf(denial.rule, sizeof(denial.rule), "%s%s", asks ? "would be asked: " : "", line->by.text);
	for (size_t i = 0; i < result->denial_count; i++) {
		if (same_denial(&result->denials[i], &denial))
			return;
	}
	if (result->denial_count < RUN_SHOWN_DENIALS)
		result->denials[result->denial_count++] = denial;
	else
		result->more_denials = true;
}

static void take_request(struct run *run, const struct berm_request *request)
{
	/* Nobody is asked in this version; what is open anyway is refused, and what was open is of no interest. */
	const struct berm_decision no = {.size = sizeof(no), .verdict = BERM_VERDICT_DENY};
	if (request->withdrawn || (request->open && berm_sandbox_answer(run->box, request->id, &no, NULL) != BERM_OK))
		return;
	struct denial_line line;
	struct event event;
	find_line(run, request, &line);
	event_from_request(request, &line.by, &event);
	journal_put(&run->journal, &event);
	if (request->verdict == BERM_VERDICT_DENY)
		remember(&run->result, request, &line);
}

/* Takes all that has arrived. False: the sandbox has ended. */
static bool take_requests(struct run *run)
{
	struct berm_request request;
	enum berm_code code;
	do {
		code = berm_sandbox_next(run->box, 0, &request, NULL);
		if (code == BERM_OK)
			take_request(run, &request);
		int signal = berm_sandbox_stopped(run->box);
		if (signal != 0)
			jobs_stopped(&run->jobs, signal);
	} while (code == BERM_OK);
	return code == BERM_ERR_TIMEOUT;
}

static int change_timeout_ms(const struct run *run)
{
	int reload = run->reload != NULL ? reload_timeout_ms(run->reload) : -1;
	return sooner(reload, run->control != NULL ? control_timeout_ms(run->control) : -1);
}

static void take_changes(struct run *run, bool files, bool asked)
{
	if (run->reload != NULL && (files || reload_timeout_ms(run->reload) == 0))
		take_reload(run);
	if (run->control != NULL && (asked || control_timeout_ms(run->control) == 0))
		take_control(run);
}

static enum berm_code serve(struct run *run, struct berm_err *err)
{
	struct pollfd polls[] = {
		{.fd = berm_sandbox_fd(run->box), .events = POLLIN},
		{.fd = run->jobs.signal_fd, .events = POLLIN},
		{.fd = -1, .events = POLLIN}, /* of the files' watch */
		{.fd = run->control != NULL ? control_fd(run->control) : -1, .events = POLLIN},
	};
	for (;;) {
		polls[2].fd = run->reload != NULL ? reload_fd(run->reload) : -1;
		if (poll(polls, ARRAY_LEN(polls), change_timeout_ms(run)) < 0 && errno != EINTR)
			return err_sys(err, "wait for the sandbox");
		if (polls[1].revents != 0)
			jobs_signals(&run->jobs);
		if (polls[0].revents != 0 && !take_requests(run))
			return BERM_OK;
		take_changes(run, polls[2].revents != 0, polls[3].revents != 0);
	}
}

static void put_stop(struct run *run, const struct berm_status *status)
{
	struct event limit = {
		.kind = EVENT_LIMIT,
		.op = "hit",
		.limit = "wall",
		.limit_value = run->caps->limit[BERM_LIMIT_WALL_MS],
	};
	struct event stop = {.kind = EVENT_SESSION, .op = "stop", .status = status};
	if (status->wall_limit)
		journal_put(&run->journal, &limit);
	journal_put(&run->journal, &stop);
}

enum berm_code run_finish(struct run *run, struct run_result *ret_result, struct berm_err *err)
{
	TRY(serve(run, err));
	TRY(berm_sandbox_wait(run->box, &run->result.status, err));
	terminal_done(&run->terminal);
	put_stop(run, &run->result.status);
	run->result.events_failure = run->journal.failure;
	*ret_result = run->result;
	return BERM_OK;
}
