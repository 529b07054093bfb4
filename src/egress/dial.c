#include "egress/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/own.h"

/* Upstream peers that are gone without a word are found in some two minutes. */
enum { KEEP_IDLE_S = 60, KEEP_EACH_S = 15, KEEP_COUNT = 4 };

struct attempt {
	struct loop_source source; /* first: a callback is given its address */
	struct dial_job *job;
	struct net_address address;
	int fd;
};

struct dial_job {
	struct dial *dial;
	struct egress_loop *loop;
	struct loop_source next; /* the next attempt, or the end when none is left */
	struct loop_source limit;
	uint16_t port;
	size_t count, begun, running;
	enum dial_outcome outcome; /* if nothing comes of it */
	struct attempt attempts[DIAL_ADDRESSES_MAX];
};

union socket_address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static void free_job(struct dial_job *job)
{
	loop_remove(&job->next);
	loop_remove(&job->limit);
	for (size_t i = 0; i < job->begun; i++) {
		loop_remove(&job->attempts[i].source);
		own_close(&job->attempts[i].fd);
	}
	free(job);
}

/* The owner may go, or dial again, in its callback. */
static void finish(struct dial_job *job, struct dial_result result)
{
	struct dial *dial = job->dial;
	dial->job = NULL;
	free_job(job);
	dial->done(dial, &result);
}

static socklen_t fill_address(const struct net_address *address, uint16_t port, union socket_address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (address->family == NET_IPV4) {
		ret->in.sin_family = AF_INET;
		ret->in.sin_port = htons(port);
		memcpy(&ret->in.sin_addr, address->bytes, sizeof(ret->in.sin_addr));
		return sizeof(ret->in);
	}
	ret->in6.sin6_family = AF_INET6;
	ret->in6.sin6_port = htons(port);
	memcpy(&ret->in6.sin6_addr, address->bytes, sizeof(ret->in6.sin6_addr));
	return sizeof(ret->in6);
}

/* None of them is needed for the connection to work. */
static void tune(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, KEEP_EACH_S},
		{IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT},
	};
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		(void)setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(options[i].value));
}

/* What says most is told: that somebody refused, or did not answer, before that something failed here. */
static void note_failure(struct dial_job *job, int error)
{
	bool ours = error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
	enum dial_outcome outcome = ours ? DIAL_FAULT : error == ETIMEDOUT ? DIAL_TIMEOUT : DIAL_REFUSED;
	if (job->outcome == DIAL_FAULT || outcome == DIAL_REFUSED)
		job->outcome = outcome;
}

static void attempt_ready(struct loop_source *source, uint32_t events)
{
	struct attempt *attempt = (struct attempt *)(void *)source;
	struct dial_job *job = attempt->job;
	int error = 0;
	socklen_t len = sizeof(error);
	(void)events;
	if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	loop_remove(source);
	if (error == 0) {
		finish(job, (struct dial_result){DIAL_DONE, take_fd(&attempt->fd), attempt->address});
		return;
	}
	(void)close(take_fd(&attempt->fd));
	job->running--;
	note_failure(job, error);
	loop_deadline(&job->next, 0);
}

/* 0, or an errno. */
static int begin_attempt(struct dial_job *job, struct attempt *attempt)
{
	union socket_address to;
	int family = attempt->address.family == NET_IPV4 ? AF_INET : AF_INET6;
	auto_fd int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fd < 0)
		return errno;
	tune(fd);
	socklen_t len = fill_address(&attempt->address, job->port, &to);
	if (connect(fd, &to.any, len) != 0 && errno != EINPROGRESS)
		return errno;
	if (loop_add(job->loop, &attempt->source, fd, EPOLLOUT, attempt_ready, NULL) != BERM_OK)
		return ENOMEM;
	attempt->fd = take_fd(&fd);
	job->running++;
	return 0;
}

static void begin_next(struct dial_job *job)
{
	struct attempt *attempt = &job->attempts[job->begun++];
	attempt->fd = -1;
	attempt->job = job;
	int error = begin_attempt(job, attempt);
	if (error != 0)
		note_failure(job, error);
	if (error != 0 || job->begun < job->count)
		loop_deadline(&job->next, error != 0 ? 0 : DIAL_NEXT_MS);
}

static void next_due(struct loop_source *source, uint32_t events)
{
	struct dial_job *job = (struct dial_job *)(void *)((char *)source - offsetof(struct dial_job, next));
	(void)events;
	if (job->begun < job->count)
		begin_next(job);
	else if (job->running == 0)
		finish(job, (struct dial_result){job->outcome, -1, {0}});
}

static void limit_due(struct loop_source *source, uint32_t events)
{
	struct dial_job *job = (struct dial_job *)(void *)((char *)source - offsetof(struct dial_job, limit));
	(void)events;
	finish(job, (struct dial_result){DIAL_TIMEOUT, -1, {0}});
}

/* The family of the first one first, then in turns; within a family as they came. */
static void take_addresses(struct dial_job *job, const struct dial_plan *plan)
{
	size_t count = plan->count < DIAL_ADDRESSES_MAX ? plan->count : DIAL_ADDRESSES_MAX;
	size_t at[2] = {0, 0}; /* of the first one's family, of the other */
	for (unsigned turn = 0; job->count < count; turn ^= 1U) {
		size_t i = at[turn];
		while (i < count && (plan->addresses[i].family != plan->addresses[0].family) != (turn == 1))
			i++;
		at[turn] = i + 1;
		if (i < count)
			job->attempts[job->count++].address = plan->addresses[i];
	}
}

enum berm_code dial_start(struct dial *dial, struct egress_loop *loop, const struct dial_plan *plan, dial_done done,
			  struct berm_err *err)
{
	struct dial_job *job = calloc(1, sizeof(*job));
	if (job == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	*dial = (struct dial){.job = job, .done = done};
	job->dial = dial;
	job->loop = loop;
	job->port = plan->port;
	take_addresses(job, plan);
	loop_add_timer(loop, &job->next, next_due);
	loop_add_timer(loop, &job->limit, limit_due);
	loop_deadline(&job->limit, plan->limit_ms);
	begin_next(job);
	return BERM_OK;
}

void dial_cancel(struct dial *dial)
{
	if (dial->job != NULL)
		free_job(take(dial->job));
}
