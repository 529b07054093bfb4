#include "os/ev.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "os/sys.h"

#define BATCH 32

int64_t ev_now_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

enum berm_code ev_init(struct ev_loop *loop, struct berm_err *err)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "make an event loop");
	*loop = (struct ev_loop){.epoll_fd = fd};
	return BERM_OK;
}

void ev_done(struct ev_loop *loop)
{
	while (loop->sources != NULL)
		ev_remove(loop->sources);
	(void)close(loop->epoll_fd);
	loop->epoll_fd = -1;
}

static void link_source(struct ev_loop *loop, struct ev_source *source, int fd, ev_callback callback)
{
	*source = (struct ev_source){
		.loop = loop, .next = loop->sources, .callback = callback, .deadline_ms = EV_NEVER, .fd = fd};
	if (loop->sources != NULL)
		loop->sources->previous = source;
	loop->sources = source;
}

enum berm_code ev_add(struct ev_loop *loop, struct ev_source *source, int fd, uint32_t events, ev_callback callback,
		      struct berm_err *err)
{
	struct epoll_event event = {.events = events, .data.ptr = source};
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		return err_sys(err, "watch descriptor %d", fd);
	link_source(loop, source, fd, callback);
	return BERM_OK;
}

void ev_add_timer(struct ev_loop *loop, struct ev_source *source, ev_callback callback)
{
	link_source(loop, source, -1, callback);
}

/* Adds a descriptor that was made for this source alone. */
static enum berm_code add_own(struct ev_loop *loop, struct ev_source *source, int fd, ev_callback callback,
			      struct berm_err *err)
{
	enum berm_code code = ev_add(loop, source, fd, EPOLLIN, callback, err);
	if (code == BERM_OK)
		source->owns_fd = true;
	else
		(void)close(fd);
	return code;
}

enum berm_code ev_add_signals(struct ev_loop *loop, struct ev_source *source, const sigset_t *set, ev_callback callback,
			      struct berm_err *err)
{
	int fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_sys(err, "watch signals");
	return add_own(loop, source, fd, callback, err);
}

enum berm_code ev_add_process(struct ev_loop *loop, struct ev_source *source, pid_t pid, ev_callback callback,
			      struct berm_err *err)
{
	int fd = sys_pidfd_open(pid, 0);
	if (fd < 0)
		return err_sys(err, "watch process %d", (int)pid);
	return add_own(loop, source, fd, callback, err);
}

enum berm_code ev_change(struct ev_source *source, uint32_t events, struct berm_err *err)
{
	struct epoll_event event = {.events = events, .data.ptr = source};
	if (epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event) != 0)
		return err_sys(err, "watch descriptor %d", source->fd);
	return BERM_OK;
}

void ev_set_deadline(struct ev_source *source, int64_t timeout_ms)
{
	/* Never the current millisecond: a callback that sets its deadline anew would be called for ever in one turn. */
	int64_t wait_ms = timeout_ms > 0 ? timeout_ms : 1;
	int64_t now_ms = ev_now_ms();
	if (timeout_ms < 0)
		source->deadline_ms = EV_NEVER;
	else if (__builtin_add_overflow(now_ms, wait_ms, &source->deadline_ms))
		source->deadline_ms = INT64_MAX;
}

void ev_remove(struct ev_source *source)
{
	struct ev_loop *loop = source->loop;
	if (loop == NULL)
		return;
	if (source->fd >= 0)
		(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	if (source->owns_fd)
		(void)close(source->fd);
	for (int i = 0; i < loop->batch_len; i++) {
		if (loop->batch[i].data.ptr == source)
			loop->batch[i].data.ptr = NULL;
	}
	if (source->next != NULL)
		source->next->previous = source->previous;
	if (source->previous != NULL)
		source->previous->next = source->next;
	else
		loop->sources = source->next;
	*source = (struct ev_source){.fd = -1, .deadline_ms = EV_NEVER};
}

int ev_read_signal(struct ev_source *source)
{
	struct signalfd_siginfo info;
	ssize_t n = read(source->fd, &info, sizeof(info));
	return n == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}

/* ---- turning --------------------------------------------------------------------------------------------------- */

static int wait_time_ms(const struct ev_loop *loop, int64_t timeout_ms)
{
	int64_t wait_ms = timeout_ms >= 0 ? timeout_ms : EV_NEVER;
	int64_t now_ms = ev_now_ms();
	for (const struct ev_source *source = loop->sources; source != NULL; source = source->next) {
		if (source->deadline_ms == EV_NEVER)
			continue;
		int64_t left_ms = source->deadline_ms > now_ms ? source->deadline_ms - now_ms : 0;
		if (wait_ms == EV_NEVER || left_ms < wait_ms)
			wait_ms = left_ms;
	}
	return wait_ms < INT_MAX ? (int)wait_ms : INT_MAX;
}

int ev_timeout_ms(const struct ev_loop *loop)
{
	return wait_time_ms(loop, EV_NEVER);
}

static void deliver_events(struct ev_loop *loop)
{
	for (int i = 0; i < loop->batch_len; i++) {
		struct ev_source *source = loop->batch[i].data.ptr;
		if (source != NULL) /* else removed by an earlier callback of this turn */
			source->callback(source, loop->batch[i].events);
	}
}

static struct ev_source *find_due(const struct ev_loop *loop, int64_t now_ms)
{
	struct ev_source *source = loop->sources;
	while (source != NULL && (source->deadline_ms == EV_NEVER || source->deadline_ms > now_ms))
		source = source->next;
	return source;
}

/* Begins at the front again after each callback, which may have changed the list. */
static void deliver_deadlines(struct ev_loop *loop)
{
	int64_t now_ms = ev_now_ms();
	struct ev_source *source;
	while ((source = find_due(loop, now_ms)) != NULL) {
		source->deadline_ms = EV_NEVER;
		source->callback(source, EV_DEADLINE);
	}
}

enum berm_code ev_turn(struct ev_loop *loop, int64_t timeout_ms, struct berm_err *err)
{
	assert(loop->batch == NULL);
	struct epoll_event batch[BATCH];
	int count = epoll_wait(loop->epoll_fd, batch, BATCH, wait_time_ms(loop, timeout_ms));
	if (count < 0 && errno != EINTR)
		return err_sys(err, "wait for events");
	loop->batch = batch;
	loop->batch_len = count > 0 ? count : 0;
	deliver_events(loop);
	deliver_deadlines(loop);
	loop->batch = NULL;
	loop->batch_len = 0;
	return BERM_OK;
}

enum berm_code ev_run(struct ev_loop *loop, struct berm_err *err)
{
	loop->stopped = false;
	while (!loop->stopped && loop->sources != NULL)
		TRY(ev_turn(loop, EV_NEVER, err));
	return BERM_OK;
}

void ev_stop(struct ev_loop *loop)
{
	loop->stopped = true;
}
