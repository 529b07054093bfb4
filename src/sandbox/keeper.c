/*
 * The helper process of a sandbox: it makes the namespaces' inside, starts the command, serves its calls, reaps, and
 * ends everything when the command or the caller ends. In a pid namespace it is pid 1, so its own end is the end of
 * all. No heap: the caller may have had threads when it forked.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/own.h"
#include "os/sys.h"
#include "sandbox/frame.h"
#include "sandbox/live_image.h"
#include "sandbox/netns.h"
#include "sandbox/notices.h"
#include "sandbox/sup_socket.h"
#include "sandbox/sup_task.h"
#include "sandbox/sweep.h"

enum { SWEEP_DEADLINE_MS = 5000, ASK_DEADLINE_MS = 10000, ASK_TICK_MS = 100 };

struct keeper {
	struct launch *launch;
	pid_t agent, group;
	int signal_fd;
	int64_t deadline_ms; /* of the wall limit; 0: none */
	int live_fd;	     /* where a changed plan is acknowledged; -1: the caller never asked */
	bool ended;
	struct berm_status status;
	struct notices notices;
};

/* Far too large for the stack of a process that a host forked; there is one keeper a process. */
static struct keeper keeper_state;

static int64_t clock_ms(clockid_t clock)
{
	struct timespec now;
	(void)clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the beginning ------------------------------------------------------------------------------------------------ */

/* Before the ids are mapped nothing can be made in a file system. The caller maps them while we make namespaces. */
static int wait_mapped(struct launch *launch)
{
	struct frame frame;
	if (frame_recv(launch->control, true, &frame) > 0 && frame.type == FRAME_MAPPED)
		return 0;
	errno = EPIPE;
	return launch_fail(launch, STAGE_IDS, NULL);
}

static int make_namespaces(struct launch *launch)
{
	const struct berm_plan *plan = launch->plan;
	int flags = CLONE_NEWNS | CLONE_NEWUTS | (plan->ipc_namespace ? CLONE_NEWIPC : 0) |
		    (plan->cgroup_namespace ? CLONE_NEWCGROUP : 0);
	if (plan->net_namespace && netns_begin(launch) < 0)
		return -1;
	if (unshare(flags) < 0)
		return launch_fail(launch, STAGE_NAMESPACES, NULL);
	mode_t mask = umask(022); /* the caller's is for the command */
	if (wait_mapped(launch) < 0 || view_build(launch) < 0)
		return -1;
	(void)umask(mask);
	return 0;
}

/* Of a filtered network that is the machine's. */
static int open_ends(struct launch *launch)
{
	if (ends_open_host(door_set, &launch->ends) < 0)
		return launch_fail(launch, STAGE_LOOPBACK, "the filter's ends");
	int error = sup_lead_keep(&launch->ends);
	errno = error != 0 ? error : errno;
	if (error != 0 || ends_origins(&launch->ends, &launch->origins) < 0)
		return launch_fail(launch, STAGE_LOOPBACK, "socketpair");
	return 0;
}

static int prepare_inside(struct launch *launch)
{
	const struct berm_plan *plan = launch->plan;
	bool namespaces = plan->backend == BERM_BACKEND_NAMESPACES;
	if (namespaces && make_namespaces(launch) < 0)
		return -1;
	if (!namespaces && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return launch_fail(launch, STAGE_DROP, "subreaper");
	launch->proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	launch->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (launch->proc_fd < 0 || launch->null_fd < 0)
		return launch_fail(launch, STAGE_VIEW, "/proc, /dev/null");
	if (ids_drop_bounding(launch) < 0 || landlock_build(launch) < 0)
		return -1;
	if (plan->net_namespace && netns_enter(launch) < 0) /* last, for it takes longest */
		return -1;
	if (plan->capture == PLAN_CAPTURE_HOST && open_ends(launch) < 0)
		return -1;
	return ids_drop(launch);
}

/* Nothing of the caller stays open here: a pipe that the command closes must end for its reader. */
static void close_others(const struct keeper *keeper)
{
	const struct launch *launch = keeper->launch;
	int keep[] = {launch->control,	 launch->proc_fd, launch->null_fd, launch->listener,
		      keeper->signal_fd, launch->origins, launch->host_fd};
	for (int i = 0; i < 3; i++)
		(void)dup2(launch->null_fd, i);
	unsigned from = 3;
	for (;;) {
		unsigned next = ~0U;
		for (size_t i = 0; i < ARRAY_LEN(keep); i++)
			if (keep[i] >= 0 && (unsigned)keep[i] >= from && (unsigned)keep[i] < next)
				next = (unsigned)keep[i];
		if (next > from)
			(void)sys_close_range(from, next == ~0U ? ~0U : next - 1, 0);
		if (next == ~0U)
			return;
		from = next + 1;
	}
}

/* To the caller, which has them alone from then on: what it closes is closed. */
static void hand_out_ends(const struct launch *launch)
{
	struct frame frame = {.type = FRAME_NETWORK, .network.proxy_port = launch->ends.proxy_port};
	int fds[ENDS_COUNT];
	size_t count = ends_pack(&launch->ends, fds, &frame.network.present);
	if (count > 0)
		(void)frame_send_fds(launch->control, &frame, fds, count);
}

/* ---- the end ------------------------------------------------------------------------------------------------------ */

/* In a pid namespace the kernel ends whatever is left when we exit; elsewhere it is swept first. */
static _Noreturn void finish(struct keeper *keeper)
{
	struct launch *launch = keeper->launch;
	struct frame frame = {.type = FRAME_STATUS, .status = keeper->status};
	if (!launch->plan->pid_namespace)
		(void)sweep_descendants(launch->proc_fd, SWEEP_DEADLINE_MS);
	if (launch->private_tmp != NULL)
		sweep_folder(launch->private_tmp);
	if (launch->sup != NULL)
		supervisor_finish(launch->sup);
	notices_flush(&keeper->notices, 0, true);
	if (launch->sup != NULL) {
		frame.status.denied = supervisor_denied(launch->sup);
		frame.status.served = supervisor_served(launch->sup);
	}
	(void)frame_send(launch->control, &frame);
	_exit(0);
}

static _Noreturn void finish_killed(struct keeper *keeper, bool wall_limit)
{
	keeper->status.exited = false;
	keeper->status.signal = SIGKILL;
	keeper->status.wall_limit = wall_limit;
	finish(keeper);
}

static _Noreturn void finish_failed(struct launch *launch)
{
	struct frame frame = {.type = FRAME_FAILED, .failure = launch->failure};
	if (launch->private_tmp != NULL)
		sweep_folder(launch->private_tmp);
	(void)frame_send(launch->control, &frame);
	_exit(1);
}

/* ---- events ------------------------------------------------------------------------------------------------------- */

static void agent_changed(struct keeper *keeper, int status)
{
	if (WIFSTOPPED(status)) {
		struct frame frame = {.type = FRAME_STOPPED, .signal = WSTOPSIG(status)};
		(void)frame_send(keeper->launch->control, &frame);
		return;
	}
	keeper->status.exited = WIFEXITED(status);
	keeper->status.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	keeper->status.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	keeper->ended = true;
}

static void reap(struct keeper *keeper)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;
	while (read(keeper->signal_fd, &info, sizeof info) > 0)
		continue;
	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | __WALL)) > 0) {
		if (pid == keeper->agent)
			agent_changed(keeper, status);
		else if (keeper->launch->sup != NULL && !WIFSTOPPED(status))
			(void)supervisor_reaped(keeper->launch->sup, pid);
	}
}

/* The caller changes the mounts by a process of its own, for we have no capability left. */
static void lend(struct keeper *keeper, int reply_fd)
{
	const struct launch *launch = keeper->launch;
	const struct frame lent = {.type = FRAME_LENT};
	auto_fd int user = -1;
	auto_fd int mounts = -1;
	if (keeper->live_fd >= 0)
		(void)close(keeper->live_fd);
	keeper->live_fd = reply_fd;
	if (launch->plan->backend == BERM_BACKEND_NAMESPACES) {
		user = openat(launch->proc_fd, "self/ns/user", O_RDONLY | O_CLOEXEC);
		mounts = openat(launch->proc_fd, "self/ns/mnt", O_RDONLY | O_CLOEXEC);
	}
	const int fds[] = {user, mounts};
	(void)frame_send_fds(reply_fd, &lent, fds, user >= 0 && mounts >= 0 ? 2 : 0);
}

static int swap(const struct keeper *keeper, uint64_t generation, int image_fd)
{
	const struct launch *launch = keeper->launch;
	if (launch->region == NULL || image_fd < 0)
		return EPROTO;
	const struct live_image *image = live_image_map(launch->region, generation, image_fd);
	if (image == NULL)
		return errno;
	if (launch->sup == NULL || launch->listener < 0)
		return 0; /* all is the kernel's */
	return supervisor_swap(launch->sup, &image->plan, image->beside_rules, image->beside_count);
}

static void obey_live(struct keeper *keeper, const struct frame *frame, int fd)
{
	if (frame->type == FRAME_LEND && fd >= 0) {
		lend(keeper, fd);
		return;
	}
	auto_fd int image_fd = fd;
	if (frame->type != FRAME_SWAP || keeper->live_fd < 0)
		return;
	struct frame swapped = {.type = FRAME_SWAPPED, .swap = {.generation = frame->swap.generation}};
	swapped.swap.error = swap(keeper, frame->swap.generation, image_fd);
	(void)frame_send(keeper->live_fd, &swapped);
}

static void obey(struct keeper *keeper)
{
	struct frame frame;
	int fds[FRAME_MAX_FDS];
	int got = frame_recv_fds(keeper->launch->control, false, &frame, fds);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0 || frame.type == FRAME_KILL)
		finish_killed(keeper, false); /* the caller is gone, or says so */
	int fd = take_fd(&fds[0]);
	frame_close_fds(fds);
	if (frame.type == FRAME_ANSWER && keeper->launch->sup != NULL)
		supervisor_answer(keeper->launch->sup, frame.answer.id, frame.answer.verdict == BERM_VERDICT_ALLOW);
	if (frame.type == FRAME_SIGNAL)
		(void)kill(-keeper->group, frame.signal);
	obey_live(keeper, &frame, fd);
}

static void copy_text(char *to, size_t size, const char *from)
{
	size_t len = from == NULL ? 0 : strnlen(from, size - 1);
	if (len > 0)
		memcpy(to, from, len);
	to[len] = '\0';
}

static void fill_request(const struct call *call, const struct sup_notice *notice, struct berm_request *ret_request)
{
	struct timespec now;
	*ret_request = (struct berm_request){
		.kind = notice->kind,
		.op = notice->op,
		.verdict = notice->allowed ? BERM_VERDICT_ALLOW : BERM_VERDICT_DENY,
		.error = notice->error,
		.count = 1,
		.pid = call->tid,
		.dev = notice->dev,
		.ino = notice->ino,
		.mode = notice->mode,
	};
	(void)clock_gettime(CLOCK_REALTIME, &now);
	ret_request->time_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	task_exe(call, ret_request->exe, sizeof ret_request->exe);
	copy_text(ret_request->object, sizeof ret_request->object, notice->object);
	copy_text(ret_request->as, sizeof ret_request->as, notice->as);
	copy_text(ret_request->rule, sizeof ret_request->rule, notice->rule);
	copy_text(ret_request->detail, sizeof ret_request->detail, notice->detail);
}

static void take_notice(void *ctx, const struct call *call, const struct sup_notice *notice)
{
	struct keeper *keeper = ctx;
	struct berm_request request;
	fill_request(call, notice, &request);
	notices_add(&keeper->notices, &request, clock_ms(CLOCK_MONOTONIC));
}

/* ---- questions --------------------------------------------------------------------------------------------------- */

/* A caller that does not read for this long is not going to answer. */
static bool send_patiently(int control, const struct frame *frame)
{
	int64_t deadline_ms = clock_ms(CLOCK_MONOTONIC) + ASK_DEADLINE_MS;
	struct pollfd room = {.fd = control, .events = POLLOUT};
	while (frame_send(control, frame) < 0) {
		if ((errno != EAGAIN && errno != ENOBUFS) || clock_ms(CLOCK_MONOTONIC) > deadline_ms)
			return false;
		(void)poll(&room, 1, ASK_TICK_MS);
	}
	return true;
}

/* In a process of its own, which tells further notices of this call by itself: under numbers that are no others'. */
static bool ask_caller(void *ctx, const struct call *call, const struct sup_notice *notice, uint64_t id, int answers)
{
	struct keeper *keeper = ctx;
	struct frame frame = {.type = FRAME_REQUEST};
	uint8_t allowed = 0;
	ssize_t n;
	memset(&keeper->notices, 0, sizeof keeper->notices); /* in place: it is too large for a frame */
	keeper->notices.fd = keeper->launch->control;
	keeper->notices.next_id = (id & ~REQUEST_OPEN) << 24;
	fill_request(call, notice, &frame.request);
	frame.request.id = id;
	frame.request.open = true;
	if (!send_patiently(keeper->launch->control, &frame))
		return false;
	do
		n = read(answers, &allowed, sizeof allowed);
	while (n < 0 && errno == EINTR);
	return n == 1 && allowed == 1;
}

/* If the caller does not read it has not seen the question either, or it learns by its answer. */
static void withdraw_question(void *ctx, uint64_t id)
{
	const struct keeper *keeper = ctx;
	const struct frame frame = {.type = FRAME_WITHDRAWN, .answer = {.id = id}};
	(void)frame_send(keeper->launch->control, &frame);
}

static int sooner(int a, int b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

static int timeout_ms(const struct keeper *keeper)
{
	struct launch *launch = keeper->launch;
	int timeout = launch->sup != NULL ? supervisor_timeout_ms(launch->sup) : -1;
	if (keeper->deadline_ms == 0 && keeper->notices.used == 0)
		return timeout;
	int64_t now = clock_ms(CLOCK_MONOTONIC);
	if (keeper->deadline_ms != 0) {
		int64_t left = keeper->deadline_ms - now;
		timeout = sooner(timeout, left <= 0 ? 0 : left > 1000000000 ? 1000000000 : (int)left);
	}
	return sooner(timeout, notices_timeout_ms(&keeper->notices, now));
}

static void ticks(struct keeper *keeper)
{
	struct launch *launch = keeper->launch;
	if (launch->sup != NULL && supervisor_timeout_ms(launch->sup) >= 0)
		supervisor_tick(launch->sup);
	if (keeper->deadline_ms == 0 && keeper->notices.used == 0)
		return;
	int64_t now = clock_ms(CLOCK_MONOTONIC);
	if (keeper->deadline_ms != 0 && now >= keeper->deadline_ms)
		finish_killed(keeper, true);
	notices_flush(&keeper->notices, now, false);
}

static _Noreturn void run(struct keeper *keeper)
{
	struct launch *launch = keeper->launch;
	struct pollfd polls[] = {
		{.fd = launch->control, .events = POLLIN},
		{.fd = keeper->signal_fd, .events = POLLIN},
		{.fd = launch->listener, .events = POLLIN},
		{.fd = -1, .events = POLLIN}, /* of the supervisor, for its tick */
	};
	for (;;) {
		polls[3].fd = launch->sup != NULL ? supervisor_events(launch->sup) : -1;
		int ready = poll(polls, ARRAY_LEN(polls), timeout_ms(keeper));
		if (ready < 0 && errno != EINTR)
			finish_killed(keeper, false);
		if (polls[0].revents != 0)
			obey(keeper);
		if (polls[1].revents != 0)
			reap(keeper);
		if (keeper->ended)
			finish(keeper);
		bool waiting = (polls[2].revents & POLLIN) != 0;
		if (waiting ? supervisor_serve(launch->sup) < 0 : polls[2].revents != 0)
			polls[2].fd = -1; /* no task is left that could call */
		ticks(keeper);
	}
}

static int watch_children(struct keeper *keeper)
{
	sigset_t child;
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	keeper->signal_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	return keeper->signal_fd < 0 ? launch_fail(keeper->launch, STAGE_AGENT, "signalfd") : 0;
}

/* On a terminal of its own the helper leads the session: it is there as long as anybody in it, and the command is a job that can
 * be stopped, which one whose parent is of another session cannot. */
static int begin_session(struct launch *launch)
{
	const struct berm_command *command = launch->command;
	if (!command->new_session || command->terminal < 0)
		return 0;
	if (setsid() < 0 || ioctl(command->terminal, TIOCSCTTY, 0) < 0)
		return launch_fail(launch, STAGE_SESSION, "terminal");
	launch->foreground = true;
	return 0;
}

_Noreturn void keeper_main(struct launch *launch)
{
	struct keeper *keeper = &keeper_state;
	keeper->launch = launch;
	keeper->notices.fd = launch->control;
	keeper->live_fd = -1;
	launch->listener = launch->ruleset = launch->proc_fd = launch->null_fd = -1;
	launch->origins = launch->host_fd = -1;
	ends_clear(&launch->ends);
	if (prepare_inside(launch) < 0 || begin_session(launch) < 0 || watch_children(keeper) < 0)
		finish_failed(launch);
	keeper->agent = keeper->group = agent_start(launch);
	if (keeper->agent < 0)
		finish_failed(launch);
	hand_out_ends(launch);
	close_others(keeper);
	struct frame started = {.type = FRAME_STARTED};
	(void)frame_send(launch->control, &started);
	uint64_t wall = launch->plan->limit[BERM_LIMIT_WALL_MS];
	if (wall != 0)
		keeper->deadline_ms = clock_ms(CLOCK_MONOTONIC) + (int64_t)wall;
	if (launch->sup != NULL && launch->listener >= 0) {
		supervisor_outer(launch->sup, launch->outer);
		supervisor_origins(launch->sup, launch->origins);
		if (launch->private_tmp != NULL)
			supervisor_own(launch->sup, launch->private_tmp);
		const struct sup_questions questions = {ask_caller, withdraw_question, launch->host_fd};
		supervisor_asks(launch->sup, &questions);
		supervisor_start(launch->sup, launch->listener, launch->proc_fd, take_notice, keeper);
	}
	run(keeper);
}
