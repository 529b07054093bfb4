/*
 * A supervisor with one task below it, as in a sandbox but without the rest: the task has the real filter, the supervisor
 * is the real one and runs with a plan made up by the test. What the task finds wrong it says by CHECK, which ends it.
 */
#ifndef BERM_TESTS_SUP_RIG_H
#define BERM_TESTS_SUP_RIG_H

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "os/nl.h"
#include "os/sys.h"
#include "sandbox/seccomp.h"
#include "sandbox/supervise.h"

enum { RIG_NOTICES = 64, RIG_DEADLINE_S = 60 };

struct rig_notice {
	enum berm_request_kind kind;
	enum berm_request_op op;
	int error;
	char object[200];
};

struct rig {
	struct berm_plan plan;
	int unshare_flags;	 /* of the supervisor and the task */
	const char *own;	 /* for supervisor_own, or NULL */
	void (*task)(void *arg); /* what runs inside */
	void *arg;
	void (*prepare)(void); /* in the supervisor, before there is a task; or NULL */
	const int *origins;    /* for supervisor_origins, or NULL */
};

/* What the last run was told. */
static struct rig_notice rig_notices[RIG_NOTICES];
static size_t rig_notice_count;

/* Inside: says what was expected, and ends the task as failed. */
#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			int seen_ = errno;                                                                             \
			(void)fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, seen_);        \
			_exit(1);                                                                                      \
		}                                                                                                      \
	} while (0)
#define CHECK_FAILS(call, number)                                                                                      \
	do {                                                                                                           \
		errno = 0;                                                                                             \
		CHECK((call) < 0 && errno == (number));                                                                \
	} while (0)

/* Inside: a child that does not outlive the task. */
static inline pid_t rig_fork(void)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
	return pid;
}

static inline void rig_send_fd(int through, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	char byte = 0;
	struct iovec part = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	CHECK(sendmsg(through, &message, 0) == 1);
}

static inline int rig_receive_fd(int through)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	char byte;
	int fd = -1;
	struct iovec part = {&byte, 1};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	if (recvmsg(through, &message, MSG_CMSG_CLOEXEC) == 1 && message.msg_controllen >= sizeof(control.header))
		memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

static inline void rig_task_main(const struct rig *rig, int through)
{
	static struct sock_filter program[SECCOMP_MAX_INSTRUCTIONS];
	size_t len = 0;
	sigset_t none;
	CHECK(seccomp_compile(&rig->plan.spec, seccomp_native_arch(), program, &len, NULL) == BERM_OK);
	struct sock_fprog filter = {.len = (unsigned short)len, .filter = program};
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(setpgid(0, 0) == 0);
	(void)sigemptyset(&none);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	int listener = sys_seccomp_filter(
		&filter, SECCOMP_FILTER_FLAG_NEW_LISTENER |
				 (rig->plan.wait_killable ? SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV : 0));
	CHECK(listener >= 0);
	rig_send_fd(through, listener);
	(void)close(listener);
	(void)close(through);
	(void)alarm(RIG_DEADLINE_S);
	rig->task(rig->arg);
	_exit(0);
}

static inline void rig_notify(void *ctx, const struct call *call, const struct sup_notice *notice)
{
	const int *fd = ctx;
	struct rig_notice told = {.kind = notice->kind, .op = notice->op, .error = notice->error};
	(void)call;
	if (notice->object != NULL)
		(void)snprintf(told.object, sizeof(told.object), "%s", notice->object);
	CHECK(write(*fd, &told, sizeof(told)) == (ssize_t)sizeof(told));
}

/* One line into a file of /proc/self; for the maps of a user namespace. */
static inline void rig_put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	(void)close(fd);
}

static inline void rig_unshare(int flags)
{
	char text[64];
	uid_t uid = getuid();
	gid_t gid = getgid();
	CHECK(unshare(flags) == 0);
	if ((flags & CLONE_NEWUSER) != 0) {
		rig_put("/proc/self/setgroups", "deny");
		(void)snprintf(text, sizeof(text), "%u %u 1", uid, uid);
		rig_put("/proc/self/uid_map", text);
		(void)snprintf(text, sizeof(text), "%u %u 1", gid, gid);
		rig_put("/proc/self/gid_map", text);
	}
	if ((flags & CLONE_NEWNET) != 0)
		CHECK(nl_loopback_up() == 0);
}

/* In the supervisor: 0 when the task ended well. */
static inline int rig_serve(const struct rig *rig, struct supervisor *sup, int notice_fd)
{
	int pair[2], status = 0, task_status = -1;
	sigset_t all;
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	if (rig->unshare_flags != 0)
		rig_unshare(rig->unshare_flags);
	if (rig->prepare != NULL)
		rig->prepare();
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	pid_t task = fork();
	if (task == 0)
		rig_task_main(rig, pair[1]);
	(void)close(pair[1]);
	int listener = rig_receive_fd(pair[0]);
	int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(listener >= 0 && proc_fd >= 0);
	if (rig->own != NULL)
		supervisor_own(sup, rig->own);
	if (rig->origins != NULL)
		supervisor_origins(sup, *rig->origins);
	supervisor_start(sup, listener, proc_fd, rig_notify, &notice_fd);
	while (task_status < 0) {
		struct pollfd poll_one = {.fd = listener, .events = POLLIN};
		int timeout = supervisor_timeout_ms(sup);
		(void)poll(&poll_one, 1, timeout < 0 || timeout > 20 ? 20 : timeout);
		if ((poll_one.revents & POLLIN) != 0)
			(void)supervisor_serve(sup);
		if (supervisor_timeout_ms(sup) >= 0)
			supervisor_tick(sup);
		pid_t pid;
		while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
			if (pid == task)
				task_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			else
				(void)supervisor_reaped(sup, pid);
	}
	return task_status;
}

/* The exit status of the task. */
static inline int rig_run(const struct rig *rig)
{
	struct supervisor *sup = NULL;
	int pipe_fds[2], status = 0;
	assert_int_equal(supervisor_new(&rig->plan, &sup, NULL), BERM_OK);
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(pipe_fds[0]);
		_exit(rig_serve(rig, sup, pipe_fds[1]));
	}
	(void)close(pipe_fds[1]);
	rig_notice_count = 0;
	struct rig_notice told;
	while (read(pipe_fds[0], &told, sizeof(told)) == (ssize_t)sizeof(told))
		if (rig_notice_count < RIG_NOTICES)
			rig_notices[rig_notice_count++] = told;
	(void)close(pipe_fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	supervisor_free(sup);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Was this told? */
static inline bool rig_told(enum berm_request_op op, int error, const char *object)
{
	for (size_t i = 0; i < rig_notice_count; i++)
		if (rig_notices[i].op == op && rig_notices[i].error == error &&
		    strcmp(rig_notices[i].object, object) == 0)
			return true;
	return false;
}

#endif
