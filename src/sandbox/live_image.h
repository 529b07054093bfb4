/*
 * A plan as the helper process gets it while it runs: one sealed memory file that both sides map at the same address, so
 * the pointers in it hold in both. The addresses are set aside before the fork; the judges that the plan may name are
 * functions of the program, which the fork shares.
 */
#ifndef BERM_SANDBOX_LIVE_IMAGE_H
#define BERM_SANDBOX_LIVE_IMAGE_H

#include "sandbox/plan_build.h"

enum { LIVE_SLOTS = 2 };
#define LIVE_SLOT_SIZE ((size_t)32 << 20)

struct live_image {
	uint64_t generation;
	size_t size;	       /* of all of it */
	struct berm_plan plan; /* only what a supervisor asks for */
	struct plan_owned owned;
	const struct plan_rule **beside_rules;
	size_t beside_count;
};

/* Sets LIVE_SLOTS slots of addresses aside; NULL: there are none to be had, and the sandbox cannot be changed. */
void *live_region_new(void);
void live_region_free(void *region); /* takes NULL */
void *live_region_slot(void *region, uint64_t generation);

/* In the caller: makes the image in its slot and seals it. base: the plan the sandbox was started with, whose filter,
 * scratch space and network stay; grants, masks: what is granted and masked now, in place of the plan's own. The caller keeps the slot
 * mapped, read-only. Errors: LIMIT, SYS. */
struct live_content {
	const struct berm_plan *base, *plan;
	const struct plan_grant *grants;
	size_t grant_count;
	const struct plan_mask *masks;
	size_t mask_count;
	uint64_t generation;
};
MUST_USE enum berm_code live_image_make(void *region, const struct live_content *content, int *ret_fd,
					struct berm_err *err);
/* In the helper: maps it. NULL with errno; EPROTO: it is not what it should be. No heap. */
const struct live_image *live_image_map(void *region, uint64_t generation, int fd);

#endif
