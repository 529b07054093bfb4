/* The lists of the plan: grants, masks, links, scratches, sockets. */
#include <string.h>

#include "base/own.h"
#include "sandbox/plan_build.h"
#include "sandbox/plan_sort.h"

static bool exists(const struct path_node *node)
{
	return node->seen == SEEN_FILE || node->seen == SEEN_FOLDER;
}

static unsigned rights_of(const struct path_node *node)
{
	return node->inherited | node->own;
}

/* ---- what is governed -------------------------------------------------------------------------------------------- */

/* For a single file only rules count that match it. */
static uint32_t count_at_file(const struct build *build, const struct path_node *node, unsigned right)
{
	struct plan_cursor cursor = plan_rules_at(build->plan, (struct str){node->path, node->len}, BUILD_FOLD);
	const struct plan_rule *rule;
	uint32_t count = 0;
	while ((rule = plan_rule_next(&cursor)) != NULL)
		count += rule->right == right;
	return count;
}

uint32_t build_protects(const struct build *build, const struct path_node *node)
{
	if (node->seen != SEEN_FOLDER)
		return count_at_file(build, node, BERM_PROTECT);
	return node->protect_here + (node->parent != NULL ? node->parent->protect_deep : 0);
}

uint32_t build_denies(const struct build *build, const struct path_node *node)
{
	if (node->seen != SEEN_FOLDER)
		return count_at_file(build, node, BERM_DENY);
	return node->deny_here + (node->parent != NULL ? node->parent->deny_deep : 0);
}

uint32_t build_reads(const struct path_node *node)
{
	if (node->seen != SEEN_FOLDER)
		return 0;
	return node->read_here + (node->parent != NULL ? node->parent->read_deep : 0);
}

static unsigned governs_by_itself(const struct build *build, const struct path_node *node)
{
	unsigned rights = rights_of(node), govern = 0;
	if (node->closed)
		govern |= GOVERN_WRITE | ((rights & BERM_READ) == 0 ? GOVERN_READ : 0);
	if ((rights & RIGHTS_CHANGE) != 0 && (build_protects(build, node) > 0 || build_denies(build, node) > 0))
		govern |= GOVERN_WRITE;
	bool reads = (rights & BERM_EXEC) == 0 && (rights & BERM_READ) != 0 && build_reads(node) > 0;
	if (node->chain_trap || reads)
		govern |= GOVERN_READ;
	/* A scratch folder around it would give the right to remove. */
	if (build->namespaces && node->in_scratch && (rights & RIGHTS_CHANGE) == BERM_WRITE)
		govern |= GOVERN_WRITE;
	return govern;
}

/* A file goes with the folder in which it may be replaced by another. */
unsigned build_governs(const struct build *build, const struct path_node *node)
{
	if (!build->can_govern)
		return 0;
	unsigned govern = governs_by_itself(build, node);
	if (node->seen == SEEN_FILE && node->cover != NULL)
		govern |= governs_by_itself(build, node->cover) & GOVERN_WRITE;
	return govern;
}

/* ---- grants ------------------------------------------------------------------------------------------------------ */

/* The nearest tree above covers what is in it, but for what is around a chain. */
static void spread_cover(struct build *build)
{
	for (struct path_node *node = build->paths.root->made_after; node != NULL; node = node->made_after) {
		struct path_node *parent = node->parent;
		node->around = parent->chain && !node->denied && !node->chain && node->own == 0 && exists(node);
		if ((parent->chain && !parent->chain_trap) || parent->denied)
			node->cover = NULL;
		else
			node->cover = parent->own != 0 && parent->own_tree ? parent : parent->cover;
	}
}

static bool is_redundant(const struct build *build, const struct path_node *node)
{
	return node->cover != NULL && !node->in_scratch && !node->closed && rights_of(node) == rights_of(node->cover) &&
	       build_governs(build, node) == build_governs(build, node->cover);
}

/* With namespaces the sandbox has these of its own, whatever is granted: the host's would be in their way. */
bool build_has_own(const struct build *build, const struct path_node *node)
{
	static const char *const own[] = {"/dev",	  "/dev/null", "/dev/zero", "/dev/full", "/dev/random",
					  "/dev/urandom", "/dev/tty",  "/dev/pts",  "/dev/ptmx"};
	for (size_t i = 0; build->namespaces && i < ARRAY_LEN(own); i++)
		if (strcmp(node->path, own[i]) == 0)
			return true;
	return false;
}

static bool is_told(const struct build *build, const struct path_node *node)
{
	if (node->denied || !exists(node) || build_has_own(build, node))
		return false;
	if (node->chain && !node->chain_trap)
		return !node->chain_blind;
	return node->own != 0 || node->closed;
}

static struct plan_grant grant_of(const struct build *build, const struct path_node *node)
{
	struct plan_grant grant = {.path = node->path,
				   .rights = rights_of(node),
				   .exists = true,
				   .tree = node->seen == SEEN_FOLDER,
				   .closed = node->closed,
				   .govern = build_governs(build, node)};
	if (node->chain && !node->chain_trap) /* one for which reading is not governed */
		grant.rights = (grant.rights & BERM_READ) != 0 ? (unsigned)PLAN_LIST : 0;
	if (node->closed)
		grant.rights |= BERM_READ | BERM_WRITE | BERM_DELETE;
	return grant;
}

/* What does not exist and lies in no tree is told as such; in a tree, that tree's rights hold when it appears. */
static bool is_told_missing(const struct path_node *node)
{
	return node->missing != 0 && node->inherited == 0 && !node->denied;
}

static struct plan_grant missing_grant(const struct path_node *node)
{
	return (struct plan_grant){.path = node->path, .rights = node->missing, .tree = node->missing_tree};
}

static bool is_in_list(const struct build *build, const struct path_node *node)
{
	return is_told_missing(node) || (is_told(build, node) && !is_redundant(build, node));
}

/* The nodes in the order of their paths, and from them the list. */
static enum berm_code add_grants(struct build *build, struct berm_err *err)
{
	struct berm_plan *plan = build->plan;
	size_t count = 0;
	spread_cover(build);
	for (const struct path_node *node = build->paths.root; node != NULL; node = node->made_after)
		count += is_told_missing(node) || is_told(build, node);
	struct path_node **nodes = arena_array(&build->temp, count + 1, sizeof(struct path_node *));
	struct sort_item *items = arena_array(&build->temp, count + 1, sizeof *items);
	plan->grants = arena_array(build->keep, count + 1, sizeof *plan->grants);
	if (nodes == NULL || items == NULL || plan->grants == NULL)
		return build_no_memory(err);
	count = 0;
	for (struct path_node *node = build->paths.root; node != NULL; node = node->made_after) {
		if (!is_in_list(build, node))
			continue;
		items[count] =
			(struct sort_item){.path = node->path, .len = (uint32_t)node->len, .index = (uint32_t)count};
		nodes[count++] = node;
	}
	if (!plan_sort(items, count, false, &build->temp))
		return build_no_memory(err);
	for (size_t i = 0; i < count; i++) {
		const struct path_node *node = nodes[items[i].index];
		plan->grants[plan->grant_count++] = is_told_missing(node) ? missing_grant(node) : grant_of(build, node);
	}
	return BERM_OK;
}

static enum berm_code add_around(struct build *build, struct berm_err *err)
{
	struct berm_plan *plan = build->plan;
	plan->around = arena_array(build->keep, build->chain_count + 1, sizeof *plan->around);
	if (plan->around == NULL)
		return build_no_memory(err);
	for (const struct path_node *node = build->paths.root; build->chain_count > 0 && node != NULL;
	     node = node->made_after)
		if (node->around && plan->around_count < build->chain_count)
			plan->around[plan->around_count++] =
				(struct plan_grant){.path = node->path,
						    .rights = rights_of(node) & RIGHTS_OPEN,
						    .tree = node->seen == SEEN_FOLDER,
						    .exists = true};
	return BERM_OK;
}

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

static enum berm_code add_masks(struct build *build, struct berm_err *err)
{
	struct berm_plan *plan = build->plan;
	plan->masks = arena_array(build->keep, build->mask_count + 1, sizeof *plan->masks);
	if (plan->masks == NULL)
		return build_no_memory(err);
	for (const struct path_node *node = build->paths.root; build->mask_count > 0 && node != NULL;
	     node = node->made_after)
		if (node->masked && (node->parent == NULL || !node->parent->denied))
			plan->masks[plan->mask_count++] =
				(struct plan_mask){.path = node->path, .folder = node->seen == SEEN_FOLDER};
	return BERM_OK;
}

/* Links in granted trees are seen there. */
static enum berm_code add_links(struct build *build, struct berm_err *err)
{
	struct berm_plan *plan = build->plan;
	struct path_node *const *links = build->paths.links.items;
	plan->links = arena_array(build->keep, build->paths.links.len + 1, sizeof *plan->links);
	if (plan->links == NULL)
		return build_no_memory(err);
	for (size_t i = 0; plan->hidden && i < build->paths.links.len; i++)
		if (links[i]->inherited == 0 && !links[i]->denied)
			plan->links[plan->link_count++] = (struct plan_link){links[i]->path, links[i]->target};
	return BERM_OK;
}

static void add_scratch(struct build *build, size_t index)
{
	struct berm_plan *plan = build->plan;
	const struct cap_line *line = build_line(build, index);
	struct path_node *node = build->states[index].node;
	struct plan_scratch *scratch = &plan->scratches[plan->scratch_count];
	if (!node->in_scratch || (node->told && build->namespaces))
		return;
	node->told = true;
	scratch->path = node->path;
	scratch->variable = line->variable;
	plan->scratch_count++;
}

static enum berm_code add_by_line(struct build *build, struct berm_err *err)
{
	struct berm_plan *plan = build->plan;
	size_t scratches = 0, sockets = 0;
	for (size_t i = 0; i < build->caps->lines.len; i++) {
		scratches += build_line(build, i)->kind == CAP_SCRATCH;
		sockets += build_line(build, i)->kind == CAP_SOCKET;
	}
	plan->scratches = arena_array(build->keep, scratches + 1, sizeof *plan->scratches);
	plan->sockets = arena_array(build->keep, sockets + 1, sizeof *plan->sockets);
	if (plan->scratches == NULL || plan->sockets == NULL)
		return build_no_memory(err);
	for (size_t i = 0; i < build->caps->lines.len; i++) {
		if (build_line(build, i)->kind == CAP_SOCKET)
			plan->sockets[plan->socket_count++] = build->states[i].node->path;
		if (build_line(build, i)->kind == CAP_SCRATCH)
			add_scratch(build, i);
	}
	return BERM_OK;
}

static enum berm_code add_contents(struct build *build, struct berm_err *err)
{
	struct berm_plan *plan = build->plan;
	const struct berm_caps *caps = build->caps;
	if (caps->content_count == 0 || !build->namespaces)
		return BERM_OK;
	plan->contents = arena_array(build->keep, caps->content_count, sizeof *plan->contents);
	if (plan->contents == NULL)
		return build_no_memory(err);
	for (; plan->content_count < caps->content_count; plan->content_count++) {
		const struct cap_content *content = &caps->contents[plan->content_count];
		plan->contents[plan->content_count] =
			(struct plan_content){content->path, content->bytes, content->len};
	}
	return BERM_OK;
}

enum berm_code build_grants(struct build *build, struct berm_err *err)
{
	TRY(add_grants(build, err));
	TRY(add_around(build, err));
	TRY(add_masks(build, err));
	TRY(add_links(build, err));
	TRY(add_contents(build, err));
	return add_by_line(build, err);
}
