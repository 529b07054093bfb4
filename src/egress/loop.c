#include "egress/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <unistd.h>

#include "os/ev.h"

#define BATCH 128
#define BROKEN (1U << 26) /* in events: the kernel did not take a change; no bit of epoll's */

static uint64_t clock_now_ms(void)
{
	return (uint64_t)ev_now_ms();
}

enum berm_code loop_init(struct egress_loop *loop, struct berm_err *err)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "make an event loop");
	*loop = (struct egress_loop){.epoll_fd = fd, .now_ms = clock_now_ms()};
	return BERM_OK;
}

void loop_done(struct egress_loop *loop)
{
	if (loop->epoll_fd >= 0)
		(void)close(loop->epoll_fd);
	*loop = (struct egress_loop){.epoll_fd = -1};
}

/* ---- deadlines: a pairing heap (Fredman and others, 1986). parent is the left neighbour, or the parent of a first child. -- */

/* Those that are set for now come behind those which were due before: they wait for the next turn. */
static bool is_sooner(const struct loop_source *a, const struct loop_source *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->turn < b->turn;
}

/* Both are roots, or NULL. */
static struct loop_source *meld(struct loop_source *a, struct loop_source *b)
{
	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	struct loop_source *root = is_sooner(b, a) ? b : a;
	struct loop_source *below = root == a ? b : a;
	below->parent = root;
	below->sibling = root->child;
	if (root->child != NULL)
		root->child->parent = below;
	root->child = below;
	return root;
}

static struct loop_source *take_root(struct loop_source **list)
{
	struct loop_source *first = *list;
	if (first != NULL) {
		*list = first->sibling;
		first->sibling = NULL;
		first->parent = NULL;
	}
	return first;
}

/* Siblings become one heap: pairs from left to right, then all of them from right to left. */
static struct loop_source *meld_siblings(struct loop_source *list)
{
	struct loop_source *pairs = NULL, *root = NULL;
	while (list != NULL) {
		struct loop_source *first = take_root(&list);
		struct loop_source *pair = meld(first, take_root(&list));
		pair->sibling = pairs;
		pairs = pair;
	}
	while (pairs != NULL) {
		struct loop_source *pair = pairs;
		pairs = pair->sibling;
		pair->sibling = NULL;
		root = meld(root, pair);
	}
	return root;
}

static void heap_remove(struct egress_loop *loop, struct loop_source *source)
{
	struct loop_source *below = meld_siblings(source->child);
	if (source == loop->soonest) {
		loop->soonest = below;
	} else {
		if (source->parent->child == source)
			source->parent->child = source->sibling;
		else
			source->parent->sibling = source->sibling;
		if (source->sibling != NULL)
			source->sibling->parent = source->parent;
		loop->soonest = meld(loop->soonest, below);
	}
	source->child = source->sibling = source->parent = NULL;
	source->due_ms = 0;
}

void loop_deadline(struct loop_source *source, uint64_t timeout_ms)
{
	struct egress_loop *loop = source->loop;
	if (source->due_ms != 0)
		heap_remove(loop, source);
	if (timeout_ms == LOOP_NEVER)
		return;
	if (__builtin_add_overflow(loop->now_ms, timeout_ms, &source->due_ms))
		source->due_ms = UINT64_MAX;
	source->turn = loop->turn;
	loop->soonest = meld(loop->soonest, source);
}

/* ---- sources ------------------------------------------------------------------------------------------------------- */

enum berm_code loop_add(struct egress_loop *loop, struct loop_source *source, int fd, uint32_t events,
			loop_callback callback, struct berm_err *err)
{
	struct epoll_event event = {.events = events, .data.ptr = source};
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		return err_sys(err, "watch a descriptor");
	*source = (struct loop_source){.loop = loop, .callback = callback, .fd = fd, .events = events};
	return BERM_OK;
}

void loop_add_timer(struct egress_loop *loop, struct loop_source *source, loop_callback callback)
{
	*source = (struct loop_source){.loop = loop, .callback = callback, .fd = -1};
}

void loop_want(struct loop_source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};
	if (source->events == events)
		return;
	source->events = events;
	if (epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event) == 0)
		return;
	source->events = BROKEN;
	loop_deadline(source, 0);
}

void loop_remove(struct loop_source *source)
{
	struct egress_loop *loop = source->loop;
	if (loop == NULL)
		return;
	if (source->fd >= 0)
		(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	if (source->due_ms != 0)
		heap_remove(loop, source);
	for (int i = 0; i < loop->batch_len; i++) {
		if (loop->batch[i].data.ptr == source)
			loop->batch[i].data.ptr = NULL;
	}
	*source = (struct loop_source){.fd = -1};
}

/* ---- turning ------------------------------------------------------------------------------------------------------- */

static int wait_ms(const struct egress_loop *loop)
{
	if (loop->soonest == NULL)
		return -1;
	uint64_t now_ms = clock_now_ms();
	uint64_t due_ms = loop->soonest->due_ms;
	if (due_ms <= now_ms)
		return 0;
	return due_ms - now_ms < INT_MAX ? (int)(due_ms - now_ms) : INT_MAX;
}

static void deliver_events(struct egress_loop *loop)
{
	for (int i = 0; i < loop->batch_len; i++) {
		struct loop_source *source = loop->batch[i].data.ptr;
		loop->batch[i].data.ptr = NULL; /* it may be another's memory soon: not to be looked at again */
		if (source != NULL)		/* else removed by an earlier callback of this turn */
			source->callback(source, loop->batch[i].events);
	}
}

static void deliver_deadlines(struct egress_loop *loop)
{
	struct loop_source *source;
	while ((source = loop->soonest) != NULL && source->due_ms <= loop->now_ms && source->turn != loop->turn) {
		bool broken = source->events == BROKEN;
		heap_remove(loop, source);
		source->callback(source, broken ? (uint32_t)EPOLLERR : LOOP_DEADLINE);
	}
}

enum berm_code loop_turn(struct egress_loop *loop, struct berm_err *err)
{
	struct epoll_event batch[BATCH];
	int count = epoll_wait(loop->epoll_fd, batch, BATCH, wait_ms(loop));
	if (count < 0 && errno != EINTR)
		return err_sys(err, "wait for events");
	loop->now_ms = clock_now_ms();
	loop->turn++;
	loop->batch = batch;
	loop->batch_len = count > 0 ? count : 0;
	deliver_events(loop);
	deliver_deadlines(loop);
	loop->batch = NULL;
	loop->batch_len = 0;
	return BERM_OK;
}
