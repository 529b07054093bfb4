#include "sandbox/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "os/sys.h"
#include "sandbox/frame.h"
#include "sandbox/seccomp.h"
#include "sandbox/sup_state.h"

enum { OPEN_FILES = 4096 };

static const struct sup_row *const row_tables[] = {sup_open_rows,   sup_name_rows,    sup_meta_rows, sup_access_rows,
						   sup_socket_rows, sup_process_rows, sup_exec_rows};

/* ---- made before the fork ---------------------------------------------------------------------------------------- */

static enum berm_code alloc_messages(struct supervisor *sup, struct berm_err *err)
{
	struct seccomp_notif_sizes sizes = {0};
	sup->request_size = sizeof(struct seccomp_notif);
	sup->response_size = sizeof(struct seccomp_notif_resp);
	if (sys_seccomp_notif_sizes(&sizes) == 0) {
		if (sizes.seccomp_notif > sup->request_size)
			sup->request_size = sizes.seccomp_notif;
		if (sizes.seccomp_notif_resp > sup->response_size)
			sup->response_size = sizes.seccomp_notif_resp;
	}
	sup->request = calloc(1, sup->request_size);
	sup->response = calloc(1, sup->response_size);
	if (sup->request == NULL || sup->response == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	return BERM_OK;
}

static enum berm_code alloc_content(struct supervisor *sup, struct berm_err *err)
{
	if (sup->plan->judge_max_bytes == 0)
		return BERM_OK;
	if (!size_add(sup->plan->judge_max_bytes, 1, &sup->content_size)) /* one more tells that a content is larger */
		return err_set(err, BERM_ERR_LIMIT, "contents to judge are too large");
	sup->content = malloc(sup->content_size);
	sup->before = malloc(sup->content_size);
	sup->judge_filter = calloc(SECCOMP_MAX_INSTRUCTIONS, sizeof(*sup->judge_filter));
	if (sup->content == NULL || sup->before == NULL || sup->judge_filter == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	sup->judge_filter_len = seccomp_judge_program(seccomp_native_arch(), sup->judge_filter);
	if (sup->judge_filter_len == 0)
		return err_set(err, BERM_ERR_UNSUPPORTED, "no system call filter for this architecture");
	return BERM_OK;
}

static enum berm_code list_beside_rules(struct supervisor *sup, struct berm_err *err)
{
	const struct berm_plan *plan = sup->plan;
	size_t count = 0;
	for (size_t i = 0; i < plan->rule_count; i++)
		count += plan->rules[i].beside != NULL;
	sup->beside_rules = calloc(count + 1, sizeof(*sup->beside_rules));
	if (sup->beside_rules == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < plan->rule_count; i++)
		if (plan->rules[i].beside != NULL)
			sup->beside_rules[sup->beside_count++] = &plan->rules[i];
	return BERM_OK;
}

static void fill_handlers(struct supervisor *sup)
{
	for (size_t table = 0; table < ARRAY_LEN(row_tables); table++)
		for (const struct sup_row *row = row_tables[table]; row->handle != NULL; row++)
			if (row->nr >= 0 && row->nr < SUP_TABLE_SIZE)
				sup->handlers[row->nr] = row->handle;
}

static void drop_supervisor(struct supervisor **sup)
{
	supervisor_free(*sup);
}

enum berm_code supervisor_new(const struct berm_plan *plan, struct supervisor **ret_sup, struct berm_err *err)
{
	__attribute__((cleanup(drop_supervisor))) struct supervisor *sup = calloc(1, sizeof(*sup));
	if (sup == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	sup->plan = plan;
	sup->listener = sup->proc_fd = sup->events_fd = sup->origins = sup->questions.host_fd = -1;
	for (size_t i = 0; i < ARRAY_LEN(sup->places); i++)
		place_init(&sup->places[i]);
	TRY(alloc_messages(sup, err));
	TRY(alloc_content(sup, err));
	TRY(list_beside_rules(sup, err));
	fill_handlers(sup);
	scratch_init(sup);
	*ret_sup = take(sup);
	return BERM_OK;
}

void supervisor_free(struct supervisor *sup)
{
	if (sup == NULL)
		return;
	free(sup->request);
	free(sup->response);
	free(sup->content);
	free(sup->before);
	free(sup->judge_filter);
	free(sup->beside_rules);
	free(sup);
}

/* ---- small things ------------------------------------------------------------------------------------------------ */

int64_t sup_now_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const struct berm_plan *supervisor_plan(const struct supervisor *sup)
{
	return sup->plan;
}

int supervisor_proc_fd(const struct supervisor *sup)
{
	return sup->proc_fd;
}

uint64_t supervisor_served(const struct supervisor *sup)
{
	return sup->served;
}

uint64_t supervisor_denied(const struct supervisor *sup)
{
	return sup->denied;
}

struct sup_answer answer_errno(int error)
{
	return (struct sup_answer){.kind = SUP_DENY, .error = error};
}

struct sup_answer answer_value(int64_t value)
{
	return (struct sup_answer){.kind = SUP_VALUE, .value = value};
}

struct sup_answer answer_continue(void)
{
	return (struct sup_answer){.kind = SUP_CONTINUE};
}

struct sup_answer answer_result(int64_t result)
{
	return result == -1 ? answer_errno(errno) : answer_value(result);
}

bool call_alive(const struct call *call)
{
	uint64_t id = call->id;
	return ioctl(call->sup->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

struct sup_answer call_refuse(struct call *call, const struct sup_notice *notice)
{
	struct supervisor *sup = call->sup;
	struct sup_notice told = *notice;
	if (told.error == 0)
		told.error = EACCES;
	sup->denied++;
	if (sup->notify != NULL)
		sup->notify(sup->notify_ctx, call, &told);
	return answer_errno(told.error);
}

void call_tell(struct call *call, const struct sup_notice *notice)
{
	if (call->sup->notify != NULL)
		call->sup->notify(call->sup->notify_ctx, call, notice);
}

void call_report(struct call *call, const struct sup_notice *notice)
{
	(void)call_refuse(call, notice);
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static void send_response(struct supervisor *sup, uint64_t id, int error, int64_t value, uint32_t flags)
{
	struct seccomp_notif_resp *response = sup->response;
	memset(response, 0, sup->response_size);
	response->id = id;
	response->error = -error;
	response->val = value;
	response->flags = flags;
	/* ENOENT: the task was killed while it waited; nobody is there to be told. */
	(void)ioctl(sup->listener, SECCOMP_IOCTL_NOTIF_SEND, response);
}

int call_add_fd(const struct call *call, int fd, bool cloexec)
{
	struct seccomp_notif_addfd add = {
		.id = call->id,
		.srcfd = (uint32_t)fd,
		.newfd_flags = cloexec ? O_CLOEXEC : 0,
	};
	int number = ioctl(call->sup->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	return number < 0 ? -errno : number;
}

/* Into the task, out of here, and only then the answer: if the task woke first, it could close its own and still find
 * the file busy. */
static void send_fd(struct supervisor *sup, uint64_t id, const struct sup_answer *answer)
{
	struct seccomp_notif_addfd add = {
		.id = id,
		.srcfd = (uint32_t)answer->fd,
		.newfd_flags = answer->fd_cloexec ? O_CLOEXEC : 0,
	};
	int number = ioctl(sup->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	int error = errno;
	(void)close(answer->fd);
	if (number >= 0)
		send_response(sup, id, 0, number, 0);
	else if (error != ENOENT)
		send_response(sup, id, error, 0, 0);
}

static void send_answer(struct supervisor *sup, uint64_t id, const struct sup_answer *answer)
{
	switch (answer->kind) {
	case SUP_VALUE:
		sup->served++;
		send_response(sup, id, 0, answer->value, 0);
		return;
	case SUP_CONTINUE:
		send_response(sup, id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
		return;
	case SUP_FD:
		sup->served++;
		send_fd(sup, id, answer);
		return;
	case SUP_LATER:
		sup->served++;
		return;
	case SUP_DENY:
	default:
		send_response(sup, id, answer->error > 0 ? answer->error : EACCES, 0, 0);
		return;
	}
}

/* ---- the loop ---------------------------------------------------------------------------------------------------- */

/* What is open here for one call and the next must not depend on the limit that the command was given. */
static void raise_file_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= OPEN_FILES)
		return;
	limit.rlim_cur = limit.rlim_max < OPEN_FILES ? limit.rlim_max : OPEN_FILES;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

void supervisor_origins(struct supervisor *sup, int fd)
{
	sup->origins = fd;
}

void supervisor_start(struct supervisor *sup, int listener, int proc_fd, sup_notify notify, void *ctx)
{
	sup->listener = listener;
	sup->proc_fd = proc_fd;
	sup->notify = notify;
	sup->notify_ctx = ctx;
	sup->umask = 0;
	(void)umask(0);
	scratch_begin(sup);
	raise_file_limit();
	/* A file limit or a reader that is gone is an errno here, not an end. */
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	if (sup->plan->sync_wakeup)
		(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
}

void supervisor_own(struct supervisor *sup, const char *path)
{
	size_t len = strlen(path);
	if (sup->own_count == SUP_MAX_OWN || len == 0 || len >= SUP_PATH_MAX)
		return;
	memcpy(sup->own[sup->own_count++], path, len + 1);
	scratch_private(sup);
}

void supervisor_outer(struct supervisor *sup, const char *text)
{
	sup->outer = text;
}

static void serve_call(struct supervisor *sup, const struct sup_again *request)
{
	struct call call = {
		.sup = sup, .id = request->id, .tid = request->tid, .nr = request->nr, .args = request->args};
	sup_handler handle = call.nr >= 0 && call.nr < SUP_TABLE_SIZE ? sup->handlers[call.nr] : NULL;
	/* pid 0: a task of an outer pid namespace that we cannot look at. */
	struct sup_answer answer = handle == NULL || call.tid <= 0 ? answer_errno(ENOSYS) : handle(&call);
	send_answer(sup, call.id, &answer);
	if (sup->asking.here)
		_exit(0); /* this process was for one call */
	for (size_t i = 0; i < ARRAY_LEN(sup->places); i++)
		place_done(&sup->places[i]);
}

int supervisor_serve(struct supervisor *sup)
{
	struct seccomp_notif *request = sup->request;
	if (sup->stage_count > 0)
		stage_collect(sup);
	memset(request, 0, sup->request_size);
	if (ioctl(sup->listener, SECCOMP_IOCTL_NOTIF_RECV, request) < 0)
		return errno == EINTR || errno == ENOENT || errno == EAGAIN ? 0 : -1;
	struct sup_again call = {.id = request->id, .tid = (pid_t)request->pid, .nr = request->data.nr};
	for (size_t i = 0; i < ARRAY_LEN(call.args); i++)
		call.args[i] = request->data.args[i];
	serve_call(sup, &call);
	return 0;
}

/* ---- helper processes -------------------------------------------------------------------------------------------- */

/* A free place for a helper process; NULL: there are too many. */
static struct sup_helper *find_slot(struct supervisor *sup)
{
	for (size_t i = 0; i < SUP_MAX_HELPERS; i++)
		if (sup->helpers[i].pid == 0)
			return &sup->helpers[i];
	return NULL;
}

/* In the process that goes on with a call: it never outlives its parent. */
static void begin_helper(struct supervisor *sup, pid_t parent, uint64_t question, int answers)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	sup->asking.here = true;
	sup->asking.id = question;
	sup->asking.answers = answers;
}

bool sup_go_on(struct call *call, bool question, struct sup_answer *ret_answer)
{
	struct supervisor *sup = call->sup;
	struct sup_helper *slot = find_slot(sup);
	int ends[2] = {-1, -1};
	uint64_t id = question ? REQUEST_OPEN | ++sup->question_count : 0;
	if (sup->asking.here)
		return true;
	*ret_answer = answer_errno(slot == NULL ? EAGAIN : EMFILE);
	if (slot == NULL || (question && pipe2(ends, O_CLOEXEC) < 0))
		return false;
	pid_t parent = getpid();
	pid_t pid = sys_fork(0, SIGCHLD, NULL);
	if (pid == 0) {
		if (ends[1] >= 0)
			(void)close(ends[1]);
		begin_helper(sup, parent, id, ends[0]);
		return true;
	}
	if (ends[0] >= 0)
		(void)close(ends[0]);
	if (pid < 0 && ends[1] >= 0)
		(void)close(ends[1]);
	*ret_answer = pid < 0 ? answer_errno(EAGAIN) : (struct sup_answer){.kind = SUP_LATER};
	if (pid < 0)
		return false;
	*slot = (struct sup_helper){.pid = pid, .tid = call->tid, .id = call->id, .question = id, .answers = ends[1]};
	slot->call = (struct sup_again){.id = call->id, .tid = call->tid, .nr = call->nr};
	memcpy(slot->call.args, call->args, sizeof(slot->call.args));
	sup->helper_count++;
	return false;
}

struct sup_answer call_in_helper(struct call *call, struct sup_answer (*act)(struct call *call, void *ctx), void *ctx)
{
	struct sup_answer answer;
	return sup_go_on(call, false, &answer) ? act(call, ctx) : answer;
}

void supervisor_asks(struct supervisor *sup, const struct sup_questions *questions)
{
	sup->questions = *questions;
}

void supervisor_answer(struct supervisor *sup, uint64_t id, bool allowed)
{
	const uint8_t byte = allowed ? 1 : 0;
	for (size_t i = 0; i < SUP_MAX_HELPERS; i++) {
		struct sup_helper *helper = &sup->helpers[i];
		if (helper->pid == 0 || helper->question != id || id == 0)
			continue;
		sup->denied += allowed ? 0 : 1;
		(void)!write(helper->answers, &byte, sizeof(byte)); /* it may just have ended */
		(void)close(helper->answers);
		helper->question = 0;
		return;
	}
}

/* Its place is free again. A question that was not answered is nobody's any more. */
static void drop_helper(struct supervisor *sup, struct sup_helper *helper)
{
	if (helper->question != 0) {
		(void)close(helper->answers);
		sup->questions.withdraw(sup->notify_ctx, helper->question);
	}
	*helper = (struct sup_helper){0};
	sup->helper_count--;
}

/* A helper that died without an answer leaves its task an error; if it has answered, this one finds nobody. */
static void helper_gone(struct supervisor *sup, struct sup_helper *helper)
{
	send_response(sup, helper->id, EIO, 0, 0);
	drop_helper(sup, helper);
}

bool supervisor_reaped(struct supervisor *sup, pid_t pid)
{
	for (size_t i = 0; i < SUP_MAX_HELPERS; i++) {
		if (sup->helpers[i].pid != pid)
			continue;
		helper_gone(sup, &sup->helpers[i]);
		return true;
	}
	return false;
}

/* Waits for a process that was killed. false: it does not end. */
static bool helper_ended(pid_t pid)
{
	static const struct timespec tick = {.tv_nsec = 1000000};
	for (int tries = 0; tries < SUP_SWAP_PATIENCE_MS; tries++) {
		pid_t got = waitpid(pid, NULL, WNOHANG | __WALL);
		if (got == pid || (got < 0 && errno == ECHILD))
			return true;
		(void)nanosleep(&tick, NULL);
	}
	return false;
}

/* What was judged by the old plan must not come to its end under the new one. What waits for an answer has done nothing yet: it
 * is judged anew. */
static int helpers_stop(struct supervisor *sup)
{
	for (size_t i = 0; i < SUP_MAX_HELPERS; i++) {
		struct sup_helper *helper = &sup->helpers[i];
		if (helper->pid == 0)
			continue;
		(void)kill(helper->pid, SIGKILL);
		if (!helper_ended(helper->pid))
			return EBUSY;
		if (helper->question != 0 && sup->again_count < ARRAY_LEN(sup->again))
			sup->again[sup->again_count++] = helper->call;
		else
			send_response(sup, helper->id, EINTR, 0, 0);
		drop_helper(sup, helper);
	}
	return 0;
}

int supervisor_swap(struct supervisor *sup, const struct berm_plan *plan, const struct plan_rule **beside_rules,
		    size_t beside_count)
{
	int error = helpers_stop(sup);
	if (error != 0)
		return error;
	stage_collect(sup);
	sup->plan = plan;
	sup->beside_rules = beside_rules;
	sup->beside_count = beside_count;
	return 0;
}

/* Those that are there now; a call that is served may be put off again by a later plan alone. */
static void serve_again(struct supervisor *sup)
{
	while (sup->again_count > 0) {
		const struct sup_again call = sup->again[--sup->again_count];
		serve_call(sup, &call);
	}
}

int supervisor_timeout_ms(const struct supervisor *sup)
{
	if (sup->again_count > 0)
		return 0;
	if (sup->stage_count > 0)
		return SUP_STAGE_TICK_MS;
	return sup->helper_count > 0 ? SUP_HELPER_TICK_MS : -1;
}

int supervisor_events(const struct supervisor *sup)
{
	return sup->events_fd;
}

void supervisor_tick(struct supervisor *sup)
{
	stage_collect(sup);
	serve_again(sup);
	/* While calls come in one after the other this is called after each, and a look at all helpers is dear. */
	int64_t now_ms = sup_now_ms();
	if (sup->helper_count == 0 || now_ms - sup->looked_ms < SUP_HELPER_TICK_MS)
		return;
	sup->looked_ms = now_ms;
	for (size_t i = 0; i < SUP_MAX_HELPERS && sup->helper_count > 0; i++) {
		struct sup_helper *helper = &sup->helpers[i];
		if (helper->pid == 0)
			continue;
		pid_t pid = waitpid(helper->pid, NULL, WNOHANG | __WALL);
		if (pid == helper->pid || (pid < 0 && errno == ECHILD)) {
			helper_gone(sup, helper);
			continue;
		}
		uint64_t id = helper->id;
		bool gone = ioctl(sup->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) < 0;
		if (!gone && helper->question != 0 && task_is_signalled(sup, helper->tid)) {
			send_response(sup, helper->id, EINTR, 0, 0);
			gone = true;
		}
		if (gone)
			(void)kill(helper->pid, SIGKILL); /* reaped the next time */
	}
}
