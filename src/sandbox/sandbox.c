/*
 * The caller's side of a running sandbox: spawn prepares everything that needs the heap, forks the helper and waits
 * until the command runs; after that there is a socket to read and a descriptor of the helper to wait on.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "os/sys.h"
#include "sandbox/box.h"
#include "sandbox/cgroup.h"
#include "sandbox/frame.h"
#include "sandbox/prepare.h"
#include "sandbox/sweep.h"

enum { REAP_DEADLINE_MS = 5000 };

/* ---- spawn -------------------------------------------------------------------------------------------------------- */

/* The others are made in the helper: the network's beside all the rest, which takes as long as that. */
static uint64_t namespaces_of(const struct berm_plan *plan)
{
	if (plan->backend != BERM_BACKEND_NAMESPACES)
		return 0;
	return CLONE_NEWUSER | (plan->pid_namespace ? CLONE_NEWPID : 0);
}

static enum berm_code failure_text(const struct launch_failure *failure, struct berm_err *err);

static enum berm_code helper_map(struct launch *launch, struct berm_sandbox *box, struct berm_err *err)
{
	struct frame mapped = {.type = FRAME_MAPPED};
	if (ids_map(launch, box->helper) < 0)
		return failure_text(&launch->failure, err);
	return frame_send(box->control, &mapped) == 0 ? BERM_OK : err_sys(err, "tell the helper process");
}

/* Every signal is blocked around the fork, so that no handler of the caller ever runs in the helper. */
static enum berm_code helper_fork(struct launch *launch, struct berm_sandbox *box, int helper_end, struct berm_err *err)
{
	sigset_t all;
	(void)sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &launch->mask) != 0)
		return err_set(err, BERM_ERR_SYS, "signals cannot be blocked");
	pid_t pid = sys_fork(namespaces_of(launch->plan) | CLONE_PIDFD | OS_CLONE_CLEAR_SIGHAND, 0, &box->pidfd);
	if (pid == 0) {
		launch->control = helper_end;
		keeper_main(launch);
	}
	int failed = errno;
	(void)pthread_sigmask(SIG_SETMASK, &launch->mask, NULL);
	if (pid > 0) {
		box->helper = pid;
		return namespaces_of(launch->plan) != 0 ? helper_map(launch, box, err) : BERM_OK;
	}
	errno = failed;
	(void)err_sys(err, "make namespaces");
	if (err != NULL && namespaces_of(launch->plan) != 0)
		err->code = BERM_ERR_UNSUPPORTED;
	return namespaces_of(launch->plan) != 0 ? BERM_ERR_UNSUPPORTED : BERM_ERR_SYS;
}

static enum berm_code failure_text(const struct launch_failure *failure, struct berm_err *err)
{
	static const struct {
		const char *what;
		enum berm_code code;
	} stages[STAGE_COUNT] = {
		[STAGE_NAMESPACES] = {"make namespaces", BERM_ERR_UNSUPPORTED},
		[STAGE_IDS] = {"map user and group", BERM_ERR_UNSUPPORTED},
		[STAGE_VIEW] = {"mount", BERM_ERR_UNSUPPORTED},
		[STAGE_LOOPBACK] = {"bring up the loopback", BERM_ERR_UNSUPPORTED},
		[STAGE_DROP] = {"drop privileges", BERM_ERR_UNSUPPORTED},
		[STAGE_AGENT] = {"start a process", BERM_ERR_SYS},
		[STAGE_LIMITS] = {"set limits", BERM_ERR_SYS},
		[STAGE_SESSION] = {"set the process group", BERM_ERR_SYS},
		[STAGE_CWD] = {"enter the working folder", BERM_ERR_INVALID},
		[STAGE_LANDLOCK] = {"put landlock in force", BERM_ERR_UNSUPPORTED},
		[STAGE_SECCOMP] = {"put the system call filter in force", BERM_ERR_UNSUPPORTED},
		[STAGE_STDIO] = {"pass on descriptors", BERM_ERR_SYS},
		[STAGE_EXEC] = {"execute", BERM_ERR_DENIED},
	};
	if (failure->stage <= STAGE_NONE || failure->stage >= STAGE_COUNT || stages[failure->stage].what == NULL)
		return err_set(err, BERM_ERR_CLOSED, "the helper process failed at an unknown step");
	enum berm_code code = stages[failure->stage].code;
	if (failure->stage == STAGE_EXEC && (failure->sys == ENOENT || failure->sys == ENOTDIR))
		code = BERM_ERR_NOTFOUND;
	errno = failure->sys;
	(void)err_sys(err, "%s%s%s%s", stages[failure->stage].what, failure->detail[0] != '\0' ? " '" : "",
		      failure->detail, failure->detail[0] != '\0' ? "'" : "");
	if (err != NULL)
		err->code = code;
	return code;
}

static bool take_ends(struct berm_sandbox *box, const struct frame *frame, int fds[static FRAME_MAX_FDS])
{
	size_t count = 0;
	while (count < FRAME_MAX_FDS && fds[count] >= 0)
		count++;
	if (!ends_unpack(frame->network.present, fds, count, &box->ends) || box->ends.origins < 0) {
		frame_close_fds(fds);
		ends_clear(&box->ends);
		return false;
	}
	box->ends.proxy_port = (uint16_t)frame->network.proxy_port;
	return true;
}

static enum berm_code wait_started(struct berm_sandbox *box, struct berm_err *err)
{
	struct frame frame;
	int fds[FRAME_MAX_FDS];
	int got = frame_recv_fds(box->control, true, &frame, fds);
	if (got > 0 && frame.type == FRAME_NETWORK) {
		if (!take_ends(box, &frame, fds))
			return err_set(err, BERM_ERR_CLOSED, "the helper process handed out no ends");
		got = frame_recv_fds(box->control, true, &frame, fds);
	}
	frame_close_fds(fds);
	if (got > 0 && frame.type == FRAME_STARTED)
		return BERM_OK;
	if (got > 0 && frame.type == FRAME_FAILED)
		return failure_text(&frame.failure, err);
	return err_set(err, BERM_ERR_CLOSED, "the helper process ended before the command started");
}

enum berm_code berm_sandbox_spawn(const struct berm_plan *plan, const struct berm_command *command,
				  struct berm_sandbox **ret_box, struct berm_err *err)
{
	struct berm_sandbox *box = calloc(1, sizeof *box);
	struct launch *launch = NULL;
	int ends[2];
	if (box == NULL)
		return err_set(err, BERM_ERR_NOMEM, "start a sandbox");
	*box = (struct berm_sandbox){.control = -1, .pidfd = -1, .own_tree = command->own_tree && !plan->pid_namespace};
	ends_clear(&box->ends);
	live_begin(&box->live, plan);
	enum berm_code code = prepare_launch(plan, command, &launch, err);
	if (code == BERM_OK)
		launch->region = box->live.region;
	if (code == BERM_OK && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		code = err_sys(err, "make a socket pair");
	else if (code == BERM_OK) {
		box->control = ends[0];
		code = helper_fork(launch, box, ends[1], err);
		(void)close(ends[1]);
	}
	if (code == BERM_OK)
		code = wait_started(box, err);
	if (launch != NULL) {
		box->cgroup = take(launch->cgroup);
		box->private_tmp = take(launch->private_tmp);
	}
	prepare_free(launch);
	if (code == BERM_OK)
		*ret_box = box;
	else
		berm_sandbox_free(box);
	return code;
}

/* ---- while it runs ------------------------------------------------------------------------------------------------ */

int berm_sandbox_fd(const struct berm_sandbox *box)
{
	return box->control;
}

int berm_sandbox_stopped(struct berm_sandbox *box)
{
	int stopped = box->stopped;
	box->stopped = 0;
	return stopped;
}

/* One frame: OK if it was a request, TIMEOUT if it was something else that was taken note of, CLOSED at the end. */
static enum berm_code take_frame(struct berm_sandbox *box, struct berm_request *ret_request, struct berm_err *err)
{
	struct frame frame;
	int got = box->has_status ? 0 : frame_recv(box->control, false, &frame);
	if (got < 0 && errno == EAGAIN)
		return err_set(err, BERM_ERR_TIMEOUT, "no request");
	if (got <= 0)
		return err_set(err, BERM_ERR_CLOSED, "the sandbox has ended");
	if (frame.type == FRAME_REQUEST) {
		*ret_request = frame.request;
		return BERM_OK;
	}
	if (frame.type == FRAME_STATUS) {
		box->status = frame.status;
		box->has_status = box->tidy = true;
		return err_set(err, BERM_ERR_CLOSED, "the sandbox has ended");
	}
	if (frame.type == FRAME_WITHDRAWN) {
		*ret_request = (struct berm_request){.id = frame.answer.id, .withdrawn = true};
		return BERM_OK;
	}
	if (frame.type == FRAME_STOPPED)
		box->stopped = frame.signal;
	return err_set(err, BERM_ERR_TIMEOUT, "no request");
}

enum berm_code berm_sandbox_next(struct berm_sandbox *box, int timeout_ms, struct berm_request *ret_request,
				 struct berm_err *err)
{
	struct pollfd poll_fd = {.fd = box->control, .events = POLLIN};
	if (box->control < 0 || box->has_status)
		return err_set(err, BERM_ERR_CLOSED, "the sandbox has ended");
	int ready = poll(&poll_fd, 1, timeout_ms);
	if (ready < 0 && errno != EINTR)
		return err_sys(err, "wait for a request");
	if (ready <= 0)
		return err_set(err, BERM_ERR_TIMEOUT, "no request");
	return take_frame(box, ret_request, err);
}

static enum berm_code tell(struct berm_sandbox *box, const struct frame *frame, struct berm_err *err)
{
	if (box->control < 0 || box->has_status)
		return err_set(err, BERM_ERR_CLOSED, "the sandbox has ended");
	if (frame_send(box->control, frame) == 0)
		return BERM_OK;
	if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN)
		return err_set(err, BERM_ERR_CLOSED, "the sandbox has ended");
	return err_sys(err, "tell the helper process");
}

enum berm_code berm_sandbox_answer(struct berm_sandbox *box, uint64_t id, const struct berm_decision *decision,
				   struct berm_err *err)
{
	if (decision == NULL || decision->size < sizeof *decision)
		return err_set(err, BERM_ERR_INVALID, "no decision");
	if ((id & REQUEST_OPEN) == 0)
		return err_set(err, BERM_ERR_NOTFOUND, "no open request has the id %llu", (unsigned long long)id);
	const struct frame frame = {.type = FRAME_ANSWER,
				    .answer = {.id = id,
					       .verdict = decision->verdict == BERM_VERDICT_ALLOW ? BERM_VERDICT_ALLOW
												  : BERM_VERDICT_DENY}};
	return tell(box, &frame, err);
}

enum berm_code berm_sandbox_network(struct berm_sandbox *box, struct berm_network_ends *ret_ends, struct berm_err *err)
{
	if (ret_ends->size != sizeof(*ret_ends))
		return err_set(err, BERM_ERR_INVALID, "struct berm_network_ends of %zu bytes is not known",
			       ret_ends->size);
	if (box->ends.origins < 0)
		return err_set(err, BERM_ERR_NOTFOUND, "no ends of a filtered network");
	*ret_ends = box->ends;
	ends_clear(&box->ends);
	return BERM_OK;
}

enum berm_code berm_sandbox_signal(struct berm_sandbox *box, int signal, struct berm_err *err)
{
	struct frame frame = {.type = FRAME_SIGNAL, .signal = signal};
	if (signal <= 0 || signal > SIGRTMAX)
		return err_set(err, BERM_ERR_INVALID, "%d is no signal", signal);
	return tell(box, &frame, err);
}

/* ---- the end ------------------------------------------------------------------------------------------------------ */

static void reap_helper(struct berm_sandbox *box)
{
	while (box->helper > 0 && waitpid(box->helper, NULL, __WALL) < 0 && errno == EINTR)
		continue;
	box->helper = 0;
}

/* The helper was killed where no pid namespace ends its children: as a subreaper we inherit them. */
static void sweep_own_tree(const struct berm_sandbox *box)
{
	if (!box->own_tree)
		return;
	auto_fd int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc_fd >= 0)
		(void)sweep_descendants(proc_fd, REAP_DEADLINE_MS);
}

void berm_sandbox_kill(struct berm_sandbox *box)
{
	struct frame frame = {.type = FRAME_KILL};
	if (box->helper > 0 && tell(box, &frame, NULL) != BERM_OK && !box->has_status)
		(void)sys_pidfd_send_signal(box->pidfd, SIGKILL);
}

enum berm_code berm_sandbox_wait(struct berm_sandbox *box, struct berm_status *ret_status, struct berm_err *err)
{
	const struct berm_decision no = {.size = sizeof no, .verdict = BERM_VERDICT_DENY};
	struct berm_request dropped;
	enum berm_code code;
	while (box->control >= 0 && (code = berm_sandbox_next(box, -1, &dropped, NULL)) != BERM_ERR_CLOSED)
		if (code == BERM_OK && dropped.open) /* its program would wait for ever, and so would we */
			(void)!berm_sandbox_answer(box, dropped.id, &no, NULL);
	reap_helper(box);
	if (!box->has_status) {
		sweep_own_tree(box);
		box->status = (struct berm_status){.signal = SIGKILL};
		box->has_status = true;
	}
	if (ret_status != NULL)
		*ret_status = box->status;
	(void)err;
	return BERM_OK;
}

void berm_sandbox_free(struct berm_sandbox *box)
{
	if (box == NULL)
		return;
	if (box->helper > 0) {
		if (!box->has_status)
			berm_sandbox_kill(box);
		(void)berm_sandbox_wait(box, NULL, NULL);
	}
	if (box->control >= 0)
		(void)close(box->control);
	if (box->pidfd >= 0)
		(void)close(box->pidfd);
	ends_close(&box->ends);
	live_done(&box->live);
	cgroup_remove(box->cgroup);
	free(box->cgroup);
	if (box->private_tmp != NULL && !box->tidy)
		sweep_folder(box->private_tmp);
	free(box->private_tmp);
	free(box);
}

const char *berm_version(void)
{
	return BERM_VERSION;
}
