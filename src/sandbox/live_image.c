#include "sandbox/live_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "os/uapi.h"

static const int SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

/* ---- addresses --------------------------------------------------------------------------------------------------- */

void *live_region_new(void)
{
	void *region =
		mmap(NULL, LIVE_SLOTS * LIVE_SLOT_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return region == MAP_FAILED ? NULL : region;
}

void live_region_free(void *region)
{
	if (region != NULL)
		(void)munmap(region, LIVE_SLOTS * LIVE_SLOT_SIZE);
}

void *live_region_slot(void *region, uint64_t generation)
{
	return (char *)region + (generation % LIVE_SLOTS) * LIVE_SLOT_SIZE;
}

/* What was in the slot goes; the addresses stay ours. */
static int slot_clear(void *slot)
{
	void *at =
		mmap(slot, LIVE_SLOT_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	return at == MAP_FAILED ? -1 : 0;
}

/* ---- filling ----------------------------------------------------------------------------------------------------- */

struct filler {
	char *at, *end;
	bool full;
};

static void *fill_alloc(struct filler *to, size_t count, size_t item_size)
{
	const size_t unit = alignof(max_align_t);
	size_t size = count * item_size, room = (size_t)(to->end - to->at); /* counts of plans: they fit */
	size = (size + unit - 1) / unit * unit;
	if (to->full || size > room) {
		to->full = true;
		return NULL;
	}
	void *here = to->at;
	to->at += size;
	return here;
}

static const char *fill_text(struct filler *to, const char *text)
{
	size_t len = text == NULL ? 0 : strlen(text) + 1;
	char *copy = text == NULL ? NULL : fill_alloc(to, len, 1);
	if (copy != NULL)
		memcpy(copy, text, len);
	return copy;
}

static struct glob *fill_glob(struct filler *to, const struct glob *glob)
{
	void *memory = glob == NULL ? NULL : fill_alloc(to, glob_copy_size(glob), 1);
	return memory == NULL ? NULL : glob_copy(glob, memory);
}

static void *fill_items(struct filler *to, const void *items, size_t count, size_t item_size)
{
	void *copy = fill_alloc(to, count, item_size);
	if (copy != NULL && count > 0)
		memcpy(copy, items, count * item_size);
	return copy;
}

/* A judge that the started plan did not have may be no function of the helper's: it then accepts nothing. */
static bool has_judge(const struct berm_plan *base, const struct plan_rule *rule)
{
	for (size_t i = 0; i < base->rule_count; i++)
		if (base->rules[i].judge == rule->judge && base->rules[i].judge_change == rule->judge_change)
			return true;
	return false;
}

static void fill_rules(struct filler *to, const struct live_content *content, struct live_image *image)
{
	const struct berm_plan *plan = content->plan;
	struct plan_rule *rules = fill_items(to, plan->rules, plan->rule_count, sizeof *rules);
	for (size_t i = 0; rules != NULL && i < plan->rule_count; i++) {
		struct plan_rule *rule = &rules[i];
		rule->path = fill_text(to, rule->path);
		rule->key = fill_text(to, rule->key);
		rule->pattern = fill_glob(to, rule->pattern);
		rule->except = fill_glob(to, rule->except);
		rule->beside = fill_text(to, rule->beside);
		rule->label = fill_text(to, rule->label);
		image->beside_count += rule->beside != NULL;
		if (has_judge(content->base, rule))
			continue;
		rule->judge = NULL;
		rule->judge_change = NULL;
	}
	image->plan.rules = rules;
	image->beside_rules = fill_alloc(to, image->beside_count, sizeof *image->beside_rules);
	for (size_t i = 0, at = 0; image->beside_rules != NULL && i < plan->rule_count; i++)
		if (rules[i].beside != NULL)
			image->beside_rules[at++] = &rules[i];
	const struct plan_owned *owned = plan->owned;
	image->owned.heads = fill_items(to, owned->heads, owned->head_count, sizeof *owned->heads);
	image->owned.next = fill_items(to, owned->next, plan->rule_count, sizeof *owned->next);
	image->owned.head_count = owned->head_count;
	image->owned.keyless = owned->keyless;
}

static void fill_paths(struct filler *to, const struct live_content *content, struct berm_plan *plan)
{
	const struct berm_plan *base = content->base;
	plan->grants = fill_items(to, content->grants, content->grant_count, sizeof *plan->grants);
	plan->grant_count = content->grant_count;
	for (size_t i = 0; plan->grants != NULL && i < plan->grant_count; i++)
		plan->grants[i].path = fill_text(to, plan->grants[i].path);
	plan->masks = fill_items(to, content->masks, content->mask_count, sizeof *plan->masks);
	plan->mask_count = content->mask_count;
	for (size_t i = 0; plan->masks != NULL && i < plan->mask_count; i++)
		plan->masks[i].path = fill_text(to, plan->masks[i].path);
	plan->sockets = fill_items(to, plan->sockets, plan->socket_count, sizeof *plan->sockets);
	for (size_t i = 0; plan->sockets != NULL && i < plan->socket_count; i++)
		plan->sockets[i] = fill_text(to, plan->sockets[i]);
	plan->asks = fill_items(to, base->asks, base->ask_count, sizeof *plan->asks);
	plan->ask_count = base->ask_count;
	for (size_t i = 0; plan->asks != NULL && i < plan->ask_count; i++) {
		plan->asks[i].path = fill_text(to, plan->asks[i].path);
		plan->asks[i].label = fill_text(to, plan->asks[i].label);
	}
	plan->scratches = fill_items(to, base->scratches, base->scratch_count, sizeof *plan->scratches);
	plan->scratch_count = base->scratch_count;
	for (size_t i = 0; plan->scratches != NULL && i < plan->scratch_count; i++) {
		plan->scratches[i].path = fill_text(to, plan->scratches[i].path);
		plan->scratches[i].variable = NULL;
	}
}

/* What the kernel was told at the start stays as it is. */
static void keep_fixed(const struct berm_plan *base, struct berm_plan *plan)
{
	*plan = (struct berm_plan){
		.backend = base->backend,
		.hidden = base->hidden,
		.listener = base->listener,
		.wait_killable = base->wait_killable,
		.sync_wakeup = base->sync_wakeup,
		.landlock_abi = base->landlock_abi,
		.landlock_scoped = base->landlock_scoped,
		.landlock_net = base->landlock_net,
		.network = base->network,
		.capture = base->capture,
		.pid_namespace = base->pid_namespace,
		.net_namespace = base->net_namespace,
		.ipc_namespace = base->ipc_namespace,
		.cgroup_namespace = base->cgroup_namespace,
		.user_is_root = base->user_is_root,
		.spec = base->spec,
		.judge_max_bytes = base->judge_max_bytes,
		.allow_asked = base->allow_asked,
	};
	memcpy(plan->extra, base->extra, sizeof plan->extra);
	memcpy(plan->limit, base->limit, sizeof plan->limit);
}

static bool fill_image(void *slot, const struct live_content *content, size_t *ret_size)
{
	struct filler to = {.at = slot, .end = (char *)slot + LIVE_SLOT_SIZE};
	struct live_image *image = fill_alloc(&to, 1, sizeof *image);
	if (image == NULL)
		return false;
	*image = (struct live_image){.generation = content->generation};
	struct berm_plan *plan = &image->plan;
	keep_fixed(content->base, plan);
	plan->sockets = content->plan->sockets;
	plan->socket_count = content->plan->socket_count;
	plan->rule_count = content->plan->rule_count;
	plan->literal_count = content->plan->literal_count;
	plan->owned = &image->owned;
	fill_paths(&to, content, plan);
	fill_rules(&to, content, image);
	image->size = *ret_size = (size_t)(to.at - (char *)slot);
	return !to.full;
}

/* ---- both sides -------------------------------------------------------------------------------------------------- */

static int map_read_only(void *slot, size_t size, int fd)
{
	if (slot_clear(slot) < 0)
		return -1;
	return mmap(slot, size, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED ? -1 : 0;
}

/* Kernels before 6.3 know no MFD_NOEXEC_SEAL. */
static int memory_file(void)
{
	int fd = memfd_create("berm-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	return fd >= 0 || errno != EINVAL ? fd : memfd_create("berm-plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

enum berm_code live_image_make(void *region, const struct live_content *content, int *ret_fd, struct berm_err *err)
{
	void *slot = live_region_slot(region, content->generation);
	size_t size = 0;
	auto_fd int fd = memory_file();
	if (fd < 0 || ftruncate(fd, (off_t)LIVE_SLOT_SIZE) < 0)
		return err_sys(err, "make memory for a plan");
	if (mmap(slot, LIVE_SLOT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		return err_sys(err, "map memory for a plan");
	if (!fill_image(slot, content, &size)) {
		(void)slot_clear(slot);
		return err_set(err, BERM_ERR_LIMIT, "the plan is larger than %zu bytes", LIVE_SLOT_SIZE);
	}
	/* A seal against writing wants no mapping that can. */
	if (slot_clear(slot) < 0 || ftruncate(fd, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0 ||
	    map_read_only(slot, size, fd) < 0)
		return err_sys(err, "seal a plan");
	*ret_fd = take_fd(&fd);
	return BERM_OK;
}

const struct live_image *live_image_map(void *region, uint64_t generation, int fd)
{
	struct stat st = {0};
	void *slot = live_region_slot(region, generation);
	if (fstat(fd, &st) < 0)
		return NULL;
	int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & SEALS) != SEALS || st.st_size < (off_t)sizeof(struct live_image) ||
	    st.st_size > (off_t)LIVE_SLOT_SIZE) {
		errno = EPROTO;
		return NULL;
	}
	if (map_read_only(slot, (size_t)st.st_size, fd) < 0)
		return NULL;
	const struct live_image *image = slot;
	if (image->generation == generation && image->size == (size_t)st.st_size)
		return image;
	errno = EPROTO;
	return NULL;
}
