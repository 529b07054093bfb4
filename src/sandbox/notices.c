#include "sandbox/notices.h"

#include <string.h>

static bool same(const struct berm_request *a, const struct berm_request *b)
{
	return a->kind == b->kind && a->op == b->op && a->error == b->error && a->verdict == b->verdict &&
	       strcmp(a->object, b->object) == 0 && strcmp(a->rule, b->rule) == 0 && strcmp(a->exe, b->exe) == 0;
}

static void slot_tell(struct notices *notices, size_t index)
{
	struct frame *frame = &notices->slot[index].frame;
	if (frame->request.count == 0)
		return;
	if (frame_send(notices->fd, frame) == 0)
		frame->request.count = 0;
}

void notices_flush(struct notices *notices, int64_t now_ms, bool all)
{
	for (size_t i = 0; i < NOTICES_SLOTS && notices->used > 0; i++) {
		if (notices->slot[i].until_ms == 0 || (!all && notices->slot[i].until_ms > now_ms))
			continue;
		slot_tell(notices, i);
		notices->slot[i].until_ms = 0;
		notices->used--;
	}
}

int notices_timeout_ms(const struct notices *notices, int64_t now_ms)
{
	int64_t soonest = -1;
	for (size_t i = 0; notices->used > 0 && i < NOTICES_SLOTS; i++) {
		int64_t until = notices->slot[i].until_ms;
		if (until != 0 && (soonest < 0 || until < soonest))
			soonest = until;
	}
	if (soonest < 0)
		return -1;
	return soonest <= now_ms ? 0 : (int)(soonest - now_ms);
}

/* A free slot, else the one whose window ends first, told and emptied. */
static size_t slot_for_new(struct notices *notices)
{
	size_t oldest = 0;
	for (size_t i = 0; i < NOTICES_SLOTS; i++) {
		if (notices->slot[i].until_ms == 0) {
			notices->used++;
			return i;
		}
		if (notices->slot[i].until_ms < notices->slot[oldest].until_ms)
			oldest = i;
	}
	slot_tell(notices, oldest);
	return oldest;
}

void notices_add(struct notices *notices, const struct berm_request *request, int64_t now_ms)
{
	for (size_t i = 0; i < NOTICES_SLOTS; i++) {
		struct berm_request *known = &notices->slot[i].frame.request;
		if (notices->slot[i].until_ms != 0 && same(known, request)) {
			known->count++;
			return;
		}
	}
	size_t index = slot_for_new(notices);
	struct frame *frame = &notices->slot[index].frame;
	frame->type = FRAME_REQUEST;
	frame->request = *request;
	frame->request.id = ++notices->next_id;
	frame->request.count = 1;
	notices->slot[index].until_ms = now_ms + NOTICES_WINDOW_MS;
	slot_tell(notices, index);
}
