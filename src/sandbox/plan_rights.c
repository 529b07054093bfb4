/* What is granted where: the rights that lines give to nodes, and what that means around and below them. */
#include "sandbox/plan_build.h"

static bool exists(const struct path_node *node)
{
	return node->seen == SEEN_FILE || node->seen == SEEN_FOLDER;
}

static enum berm_code give(struct build *build, struct path_node *node, unsigned rights, bool tree,
			   struct berm_err *err)
{
	if (!exists(node)) {
		node->missing |= rights;
		node->missing_tree |= tree;
		return BERM_OK;
	}
	if (node->own == 0)
		TRY(vec_push(&build->grants, &node, err));
	node->own |= rights;
	node->own_tree = node->seen == SEEN_FOLDER;
	return BERM_OK;
}

static enum berm_code take_grant(struct build *build, size_t index, struct berm_err *err)
{
	const struct cap_line *line = build_line(build, index);
	struct line_state *state = &build->states[index];
	TRY(paths_resolve(&build->paths, line->path, PATHS_NOTE_LINKS | PATHS_LASTING, &state->node, err));
	state->folder = line->extent == BERM_FILE && state->node->seen == SEEN_FOLDER;
	state->root = state->node->parent == NULL && (line->rights & RIGHTS_CHANGE) != 0;
	return state->folder || state->root ? BERM_OK
					    : give(build, state->node, line->rights, line->extent == BERM_TREE, err);
}

/* In the hidden view the supervisor can connect to what is in the view only. */
static enum berm_code take_socket(struct build *build, size_t index, struct berm_err *err)
{
	struct line_state *state = &build->states[index];
	TRY(paths_resolve(&build->paths, build_line(build, index)->path, PATHS_NOTE_LINKS, &state->node, err));
	if (!build->plan->hidden || state->node->seen != SEEN_FILE)
		return BERM_OK;
	return give(build, state->node, BERM_READ, false, err);
}

/* The host's temporary folder stands for the private one. */
static bool is_host_tmp(const struct build *build, const struct path_node *node)
{
	struct str path = {node->path, node->len};
	return build->caps->extra[BERM_EXTRA_HOST_TMP] && (str_eq(path, STR("/tmp")) || str_eq(path, STR("/var/tmp")));
}

static enum berm_code take_scratch(struct build *build, size_t index, struct berm_err *err)
{
	struct line_state *state = &build->states[index];
	TRY(paths_resolve(&build->paths, build_line(build, index)->path, PATHS_NOTE_LINKS, &state->node, err));
	if (!is_host_tmp(build, state->node)) {
		state->node->in_scratch = true;
		return BERM_OK;
	}
	return give(build, state->node, BERM_READ | BERM_WRITE | BERM_DELETE | BERM_EXEC, true, err);
}

static enum berm_code take_host_tmp(struct build *build, size_t index, struct berm_err *err)
{
	struct line_state *state = &build->states[index];
	if (build_line(build, index)->which != BERM_EXTRA_HOST_TMP)
		return BERM_OK;
	TRY(paths_resolve(&build->paths, STR("/tmp"), PATHS_NOTE_LINKS, &state->node, err));
	return give(build, state->node, BERM_READ | BERM_WRITE | BERM_DELETE | BERM_EXEC, true, err);
}

enum berm_code build_rights(struct build *build, struct berm_err *err)
{
	typedef enum berm_code (*take_fn)(struct build *, size_t, struct berm_err *);
	static const take_fn take[] = {
		[CAP_GRANT] = take_grant,
		[CAP_SOCKET] = take_socket,
		[CAP_SCRATCH] = take_scratch,
		[CAP_EXTRA] = take_host_tmp,
	};
	for (size_t i = 0; i < build->caps->lines.len; i++) {
		enum cap_kind kind = build_line(build, i)->kind;
		if (kind < sizeof take / sizeof take[0] && take[kind] != NULL)
			TRY(take[kind](build, i, err));
	}
	return BERM_OK;
}

static enum berm_code add_outer(struct build *build, struct str line, unsigned rights, struct berm_err *err)
{
	static const struct {
		const char *words;
		bool on_behalf;
	} kinds[] = {{"on behalf ", true}, {"direct ", false}};
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct outer_node outer = {.rights = rights, .on_behalf = kinds[i].on_behalf};
		struct str words = str_from(kinds[i].words);
		if (!str_starts(line, words))
			continue;
		struct str path = {line.ptr + words.len, line.len - words.len};
		TRY(paths_resolve(&build->paths, path, 0, &outer.node, err));
		return vec_push(&build->outer, &outer, err);
	}
	return BERM_OK;
}

enum berm_code build_outer(struct build *build, struct berm_err *err)
{
	struct str line;
	for (size_t cursor = 0; facts_outer_next(build->facts, STR("changes"), &cursor, &line);)
		TRY(add_outer(build, line, RIGHTS_CHANGE, err));
	for (size_t cursor = 0; facts_outer_next(build->facts, STR("reads"), &cursor, &line);)
		TRY(add_outer(build, line, BERM_READ, err));
	return BERM_OK;
}

static unsigned passed_down(const struct path_node *node)
{
	return node->inherited | (node->own_tree ? node->own : 0);
}

unsigned build_rights_around(const struct path_node *node)
{
	unsigned rights = 0;
	for (node = node->parent; node != NULL; node = node->parent)
		rights |= node->own_tree ? node->own : 0;
	return rights;
}

static bool pattern_denies(const struct build *build, const struct path_node *node)
{
	struct str path = {node->path, node->len};
	struct plan_cursor cursor = plan_rules_at(build->plan, path, BUILD_FOLD);
	const struct plan_rule *rule;
	while ((rule = plan_rule_next(&cursor)) != NULL)
		if (rule->right == BERM_DENY)
			return true;
	return false;
}

/* A literal without exceptions denies all at and below it, whatever was granted there. */
static void mark_denied(struct build *build)
{
	const struct rule_note *notes = build->notes;
	for (size_t i = 0; i < build->note_count; i++)
		if (notes[i].right == BERM_DENY && !notes[i].mild)
			notes[i].anchor->denied = true;
}

/* What Landlock grants in a scratch folder holds for all that lies in it: reading cannot be kept from a grant there. */
static bool is_lost(const struct build *build, const struct path_node *node)
{
	return build->namespaces && node->in_scratch && node->own != 0 &&
	       ((node->inherited | node->own) & BERM_READ) == 0;
}

void build_spread(struct build *build)
{
	mark_denied(build);
	for (struct path_node *node = build->paths.root; node != NULL; node = node->made_after) {
		const struct path_node *parent = node->parent;
		if (parent != NULL) {
			node->denied |= parent->denied;
			node->in_scratch |= parent->in_scratch;
			node->inherited = passed_down(parent);
		}
		if (node->own != 0 && !node->denied && build->deny_patterns)
			node->denied = pattern_denies(build, node);
		if (node->denied || is_lost(build, node))
			node->own = 0;
	}
	for (struct path_node *node = build->paths.last; node != NULL; node = node->made_before) {
		node->below |= node->own;
		if (node->parent != NULL)
			node->parent->below |= node->below;
	}
}
