#include "sandbox/live.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/own.h"
#include "sandbox/box.h"
#include "sandbox/caps.h"
#include "sandbox/frame.h"
#include "sandbox/live_image.h"

enum { ANSWER_DEADLINE_MS = 10000, MAX_CHANGES = 4 * CAPS_MAX_LINES };
#define MAX_TEXTS ((size_t)64 << 20)

/* ---- life -------------------------------------------------------------------------------------------------------- */

void live_begin(struct live *live, const struct berm_plan *plan)
{
	*live = (struct live){.generation = 1, .reply_fd = -1, .user_fd = -1, .mount_fd = -1, .mounts_known = true};
	atomic_flag_clear(&live->busy);
	arena_init(&live->texts, MAX_TEXTS);
	vec_init(&live->mounts, sizeof(struct live_mount), MAX_CHANGES);
	vec_init(&live->changes, sizeof(struct berm_change), MAX_CHANGES);
	vec_init(&live->pending, sizeof(const char *), MAX_CHANGES);
	live->base = plan_keep(plan);
	if (live->base == NULL)
		return;
	live->now = plan_keep(plan);
	live->region = live_region_new();
}

static void drop(const struct berm_plan **plan)
{
	struct berm_plan *own; /* kept by us, so ours to free */
	memcpy(&own, plan, sizeof own);
	berm_plan_free(own);
	*plan = NULL;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

void live_done(struct live *live)
{
	drop(&live->base);
	drop(&live->now);
	drop(&live->before);
	drop(&live->told);
	free(live->grants);
	arena_done(&live->texts);
	vec_done(&live->mounts);
	vec_done(&live->changes);
	vec_done(&live->pending);
	live_region_free(live->region);
	close_fd(&live->reply_fd);
	close_fd(&live->user_fd);
	close_fd(&live->mount_fd);
}

/* ---- the helper -------------------------------------------------------------------------------------------------- */

static enum berm_code say(const struct berm_sandbox *box, const struct frame *frame, int fd, struct berm_err *err)
{
	if (box->control < 0 || box->has_status)
		return err_set(err, BERM_ERR_CLOSED, "the sandbox has ended");
	if (frame_send_fds(box->control, frame, &fd, 1) == 0)
		return BERM_OK;
	if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN)
		return err_set(err, BERM_ERR_CLOSED, "the sandbox has ended");
	return err_sys(err, "tell the helper process");
}

/* Its answer comes by a socket of its own: on the other one requests come in between. */
static enum berm_code hear(struct live *live, enum frame_type type, struct frame *ret_frame,
			   int ret_fds[static FRAME_MAX_FDS], struct berm_err *err)
{
	struct pollfd wait = {.fd = live->reply_fd, .events = POLLIN};
	int ready;
	do
		ready = poll(&wait, 1, ANSWER_DEADLINE_MS);
	while (ready < 0 && errno == EINTR);
	int got = ready > 0 ? frame_recv_fds(live->reply_fd, false, ret_frame, ret_fds) : 0;
	live->lost = got <= 0 || ret_frame->type != type;
	if (ready <= 0)
		return err_set(err, BERM_ERR_TIMEOUT, "the helper process does not answer");
	return live->lost ? err_set(err, BERM_ERR_CLOSED, "the sandbox has ended") : BERM_OK;
}

/* Once: where the helper answers, and with namespaces what is needed to enter them. */
static enum berm_code borrow(struct berm_sandbox *box, struct berm_err *err)
{
	struct live *live = &box->live;
	struct frame frame = {.type = FRAME_LEND};
	int ends[2], fds[FRAME_MAX_FDS] = {-1, -1};
	if (live->reply_fd >= 0)
		return BERM_OK;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(err, "make a socket pair");
	live->reply_fd = ends[0];
	enum berm_code code = say(box, &frame, ends[1], err);
	(void)close(ends[1]);
	TRY(code);
	TRY(hear(live, FRAME_LENT, &frame, fds, err));
	live->user_fd = fds[0];
	live->mount_fd = fds[1];
	if (live->base->backend == BERM_BACKEND_NAMESPACES && (fds[0] < 0 || fds[1] < 0))
		live->mounts_known = false;
	return BERM_OK;
}

static enum berm_code swap(struct berm_sandbox *box, const struct live_step *step, struct berm_err *err)
{
	struct live *live = &box->live;
	const struct live_content content = {.base = live->base,
					     .plan = step->next,
					     .grants = step->grants,
					     .grant_count = step->grant_count,
					     .masks = step->masks.items,
					     .mask_count = step->masks.len,
					     .generation = live->generation + 1};
	struct frame frame = {.type = FRAME_SWAP, .swap = {.generation = content.generation}};
	int fds[FRAME_MAX_FDS];
	auto_fd int image = -1;
	TRY(live_image_make(live->region, &content, &image, err));
	TRY(say(box, &frame, image, err));
	TRY(hear(live, FRAME_SWAPPED, &frame, fds, err));
	if (frame.swap.generation == content.generation && frame.swap.error == 0)
		return BERM_OK;
	errno = frame.swap.error != 0 ? frame.swap.error : EPROTO;
	return err_sys(err, "give the helper process another plan");
}

/* ---- one update -------------------------------------------------------------------------------------------------- */

static enum berm_code check(const struct berm_sandbox *box, const struct berm_plan *plan, struct berm_err *err)
{
	const struct live *live = &box->live;
	if (box->control < 0 || box->has_status || live->lost)
		return err_set(err, BERM_ERR_CLOSED, "the sandbox has ended");
	if (live->base == NULL || live->region == NULL)
		return err_set(err, BERM_ERR_UNSUPPORTED, "this sandbox cannot be changed");
	if (plan->owned == NULL || plan->refused)
		return err_set(err, BERM_ERR_INVALID, "not a plan for a sandbox");
	if (plan->backend != live->base->backend)
		return err_set(err, BERM_ERR_INVALID, "the plan is for another back-end than the running sandbox has");
	if (plan->hidden != live->base->hidden)
		return err_set(err, BERM_ERR_INVALID, "the plan has another view than the running sandbox");
	return BERM_OK;
}

/* The lines that are not in force are looked at again by the next update. */
static void note_pending(struct live *live)
{
	const struct berm_change *changes = live->changes.items;
	vec_done(&live->pending);
	for (size_t i = 0; i < live->changes.len; i++)
		if (changes[i].added && changes[i].when == BERM_WHEN_NEXT_RUN &&
		    vec_push(&live->pending, &changes[i].line, NULL) != BERM_OK)
			return; /* then they are told once */
}

/* The plan is in force: what the sandbox has is known by it. */
static void take_over(struct live *live, struct live_step *step)
{
	drop(&live->before);
	live->before = live->now;
	live->now = plan_keep(step->next);
	free(live->grants);
	live->grants = take(step->grants);
	live->grant_count = step->grant_count;
	live->generation++;
	note_pending(live);
}

/* What narrows, then the swap, then what widens. */
static enum berm_code enforce(struct berm_sandbox *box, struct live_step *step, struct berm_err *err)
{
	struct live *live = &box->live;
	struct live_work *work = NULL;
	TRY(live_mount_prepare(live, step, &work, err));
	enum berm_code code = live_mount_narrow(work, err);
	if (code == BERM_OK)
		code = swap(box, step, err);
	if (code == BERM_OK) {
		take_over(live, step);
		code = live_mount_widen(work, err);
	}
	live_mount_end(live, work, code == BERM_OK);
	return code;
}

static enum berm_code update(struct berm_sandbox *box, struct live_step *step, enum berm_update how,
			     struct berm_err *err)
{
	struct live *live = &box->live;
	const char *failed = NULL;
	TRY(borrow(box, err));
	step->can_mount &= live->mounts_known;
	TRY(live_find_rights(step, err));
	vec_done(&live->changes);
	drop(&live->told);
	live->told = plan_keep(step->next);
	TRY(live_report(live, step, &live->changes, &failed, err));
	if (failed != NULL && how != BERM_UPDATE_PARTIAL)
		return err_set(err, BERM_ERR_UNSUPPORTED, "cannot be put in force before the next run: '%.120s'",
			       failed);
	return enforce(box, step, err);
}

static enum berm_code check_and_update(struct berm_sandbox *box, const struct berm_plan *plan, enum berm_update how,
				       struct berm_err *err)
{
	struct live_step step;
	TRY(check(box, plan, err));
	live_step_init(&step, &box->live, plan);
	enum berm_code code = update(box, &step, how, err);
	live_step_done(&step);
	return code;
}

/* Nothing of what another update is changing is looked at. */
enum berm_code berm_sandbox_update(struct berm_sandbox *box, const struct berm_plan *plan, enum berm_update how,
				   struct berm_err *err)
{
	if (atomic_flag_test_and_set(&box->live.busy))
		return err_set(err, BERM_ERR_TIMEOUT, "another update is under way");
	enum berm_code code = check_and_update(box, plan, how, err);
	atomic_flag_clear(&box->live.busy);
	return code;
}

bool berm_sandbox_change(const struct berm_sandbox *box, size_t index, struct berm_change *ret_change)
{
	if (index >= box->live.changes.len)
		return false;
	*ret_change = *(const struct berm_change *)vec_at(&box->live.changes, index);
	return true;
}

uint64_t berm_sandbox_generation(const struct berm_sandbox *box)
{
	return box->live.generation;
}
