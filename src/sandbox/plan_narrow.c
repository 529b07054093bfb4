/*
 * What each narrowing line needs on this machine. Protect and replace lines, and deny lines in what can be changed, need
 * governed writing. A denied name that exists is closed by a mask where there are namespaces; elsewhere by granting
 * everything around it in place of its folder (a chain of folders from the grant down to it). One that does not exist,
 * or is known by a pattern only, has the reading of its tree governed; but in a tree from which programs are started
 * nothing can be (Landlock would refuse to start them), so there existing names are looked for and closed, and the line
 * says that it is weaker.
 */
#include <string.h>

#include "base/own.h"
#include "sandbox/plan_act.h"
#include "sandbox/plan_build.h"

#define MAX_AROUND ((size_t)2000) /* names that are granted in place of the folders they are in */
#define MAX_MASKS ((size_t)4096)

static bool exists(const struct path_node *node)
{
	return node->seen == SEEN_FILE || node->seen == SEEN_FOLDER;
}

static unsigned rights_in(const struct path_node *node)
{
	return node->inherited | (node->own_tree ? node->own : 0);
}

static bool is_below(const struct path_node *node, const struct path_node *folder)
{
	for (node = node->parent; node != NULL; node = node->parent)
		if (node == folder)
			return true;
	return false;
}

/* ---- who can hold it --------------------------------------------------------------------------------------------- */

/* The outer berm holds this very line, or denies a folder that the line lies in. */
static bool outer_holds(const struct build *build, const struct cap_line *line)
{
	unsigned right = line->kind == CAP_RULE ? line->rule->right : line->rights;
	struct str guarantee = right == BERM_DENY ? STR("deny") : STR("protect"), text = str_from(line->text);
	if (facts_outer_holds(build->facts, guarantee, text))
		return true;
	if (line->kind != CAP_NARROW || right != BERM_DENY)
		return false;
	const char *first = strchr(text.ptr, '/');
	for (size_t len = text.len; first != NULL && len > (size_t)(first - text.ptr); len--)
		if (text.ptr[len] == '/' && facts_outer_holds(build->facts, guarantee, (struct str){text.ptr, len}))
			return true;
	return false;
}

static void refuse(struct line_state *state, const char *needs, const char *way_out)
{
	if (state->refused != NULL)
		return;
	state->refused = needs;
	state->way_out = way_out;
}

/* True if the line's rights may be governed here; else it is held by an outer berm, or refused. */
static bool may_govern(struct build *build, size_t line)
{
	struct line_state *state = &build->states[line];
	if (build->can_govern)
		return true;
	if (outer_holds(build, build_line(build, line))) {
		state->outer = true;
		return false;
	}
	enum fact missing = build->landlock ? build->cannot_supervise : FACT_LANDLOCK_ABI;
	refuse(state, fact_table[missing].about, facts_improve(build->facts, missing));
	return false;
}

/* ---- closing a name that exists ----------------------------------------------------------------------------------- */

/* Lists the folders between the name and the topmost grant. */
static enum berm_code list_chain(struct build *build, const struct path_node *node, bool *ret_done,
				 struct berm_err *err)
{
	*ret_done = false;
	for (struct path_node *at = node->parent; at != NULL && rights_in(at) != 0; at = at->parent) {
		bool whole;
		size_t count;
		if (at->chain_listed)
			continue;
		TRY(paths_list(&build->paths, at, MAX_AROUND - build->chain_count, &whole, &count, err));
		if (!whole)
			return BERM_OK;
		at->chain_listed = true;
		build->chain_count += count;
	}
	*ret_done = true;
	return BERM_OK;
}

/* New names in a folder that can be changed, and the names in one that holds a denied folder, are read on behalf. */
static enum berm_code make_chain(struct build *build, struct path_node *node, bool *ret_done, struct berm_err *err)
{
	while (node->parent != NULL && node->parent->seen == SEEN_MISSING)
		node = node->parent;
	TRY(list_chain(build, node, ret_done, err));
	if (!*ret_done)
		return BERM_OK;
	bool trap = (node->inherited & RIGHTS_CHANGE) != 0 || node->seen == SEEN_FOLDER;
	node->denied = true;
	for (struct path_node *at = node->parent; at != NULL && rights_in(at) != 0; at = at->parent) {
		at->chain = true;
		at->chain_trap |= trap && build->can_govern;
		at->chain_blind |= trap && !build->can_govern;
	}
	return BERM_OK;
}

enum berm_code build_close(struct build *build, struct path_node *node, bool *ret_done, struct berm_err *err)
{
	/* What a look through a tree added has no rights yet, nor have the folders on the way to it. */
	for (struct path_node *at = node; at != NULL; at = at->parent)
		at->inherited = build_rights_around(at);
	*ret_done = true;
	if (!build->namespaces)
		return make_chain(build, node, ret_done, err);
	if (!node->masked && ++build->mask_count > MAX_MASKS) {
		*ret_done = false;
		return BERM_OK;
	}
	node->masked = node->denied = true;
	return BERM_OK;
}

/* ---- protect, replace ------------------------------------------------------------------------------------------- */

/* The rights of all grants that the rule can take hold in. */
static unsigned touched(const struct build *build, const struct rule_note *note)
{
	const struct path_node *anchor = note->anchor;
	struct path_node *const *grants = build->grants.items;
	unsigned rights = anchor->inherited | anchor->own;
	if (note->deep)
		return rights | anchor->below;
	for (size_t i = 0; note->glob != NULL && i < build->grants.len; i++) {
		struct str path = {grants[i]->path, grants[i]->len};
		if (grants[i]->own == 0 || (anchor->parent != NULL && !is_below(grants[i], anchor)))
			continue;
		if ((grants[i]->own_tree && glob_may_match_below(note->glob, path, BUILD_FOLD)) ||
		    glob_match(note->glob, path, BUILD_FOLD))
			rights |= grants[i]->own | grants[i]->inherited;
	}
	return rights;
}

/* A pattern that does not go on with "**" is counted at each grant below its beginning that it may meet. */
static void count_at_grants(struct build *build, const struct rule_note *note, size_t count_offset)
{
	struct path_node **grants = build->grants.items;
	for (size_t i = 0; note->glob != NULL && !note->deep && i < build->grants.len; i++) {
		struct str path = {grants[i]->path, grants[i]->len};
		if (grants[i]->own_tree && is_below(grants[i], note->anchor) &&
		    glob_may_match_below(note->glob, path, BUILD_FOLD))
			++*(uint32_t *)(void *)((char *)grants[i] + count_offset);
	}
}

static void count_write(struct build *build, const struct rule_note *note)
{
	struct path_node *anchor = note->anchor;
	build->states[note->line].governs_write = true;
	if (note->right == BERM_DENY) {
		anchor->deny_here++;
		anchor->deny_deep += note->deep;
		count_at_grants(build, note, offsetof(struct path_node, deny_here));
		return;
	}
	anchor->protect_here++;
	anchor->protect_deep += note->deep;
	count_at_grants(build, note, offsetof(struct path_node, protect_here));
}

static void count_read(struct build *build, const struct rule_note *note)
{
	build->states[note->line].governs_read = true;
	note->anchor->read_here++;
	note->anchor->read_deep += note->deep;
	count_at_grants(build, note, offsetof(struct path_node, read_here));
}

static void narrow_protect(struct build *build, const struct rule_note *note, unsigned rights)
{
	if ((rights & RIGHTS_CHANGE) != 0 && may_govern(build, note->line))
		count_write(build, note);
}

static void narrow_replace(struct build *build, const struct rule_note *note)
{
	unsigned all = BERM_READ | BERM_WRITE | BERM_DELETE;
	struct line_state *state = &build->states[note->line];
	if ((rights_in(note->anchor) & all) == all)
		return;
	if (note->anchor->seen != SEEN_FOLDER || note->anchor->parent == NULL)
		refuse(state, "the folder of the file", "make the folder first");
	else if (may_govern(build, note->line)) {
		note->anchor->closed = true;
		state->governs_write = true;
	}
}

/* ---- deny ------------------------------------------------------------------------------------------------------- */

static const char AROUND[] = "fewer names in the folders around it";

static void close_by(const struct build *build, struct line_state *state)
{
	state->mask |= build->namespaces;
	state->chain |= !build->namespaces;
}

static enum berm_code deny_existing(struct build *build, const struct rule_note *note, unsigned rights,
				    struct berm_err *err)
{
	struct line_state *state = &build->states[note->line];
	struct path_node *node = note->anchor;
	bool done;
	if ((rights & RIGHTS_CHANGE) != 0 && !may_govern(build, note->line))
		return BERM_OK;
	if ((rights & RIGHTS_CHANGE) != 0)
		count_write(build, note);
	else if (build->facts->value[FACT_IS_ROOT] == 0 && build->facts->value[FACT_CAPS] == 0 &&
		 build->paths.eyes->closed(build->paths.eyes->ctx, node->path)) {
		state->permissions = true;
		return BERM_OK;
	}
	/* Where a pattern denies as well, what lies around this name cannot be granted without a look at each. */
	bool governed = (rights & RIGHTS_CHANGE) != 0 || (build->deny_patterns && build->can_govern);
	if (!build->namespaces && governed && (rights & BERM_EXEC) == 0) {
		count_read(build, note);
		return BERM_OK;
	}
	TRY(build_close(build, node, &done, err));
	if (done)
		close_by(build, state);
	else if ((rights & BERM_EXEC) == 0 && build->can_govern)
		count_read(build, note);
	else
		refuse(state, AROUND, "grant less than the folder around it");
	return BERM_OK;
}

static enum berm_code deny_missing(struct build *build, const struct rule_note *note, unsigned rights,
				   struct berm_err *err)
{
	struct line_state *state = &build->states[note->line];
	bool done = false;
	if ((rights & RIGHTS_CHANGE) != 0 && !may_govern(build, note->line))
		return BERM_OK;
	if ((rights & RIGHTS_CHANGE) != 0)
		count_write(build, note);
	if ((rights & RIGHTS_OPEN) == 0 || note->anchor->seen == SEEN_LINK) /* what it leads to has its own note */
		return BERM_OK;
	if ((rights & BERM_EXEC) == 0 && build->can_govern) {
		count_read(build, note);
		return BERM_OK;
	}
	if (!build->namespaces && (rights & RIGHTS_CHANGE) == 0)
		TRY(make_chain(build, note->anchor, &done, err));
	state->chain |= done;
	state->host_made |= !done;
	return BERM_OK;
}

/* Reading cannot be governed where programs are started from, nor without a supervisor. */
static bool must_walk(const struct build *build, unsigned rights)
{
	return (rights & RIGHTS_OPEN) != 0 && ((rights & BERM_EXEC) != 0 || !build->can_govern);
}

typedef void (*root_fn)(struct build *build, const struct rule_note *note, struct path_node *root);

/* The folders in which names that the pattern matches must be looked for. */
static void each_root(struct build *build, const struct rule_note *note, root_fn visit)
{
	struct path_node *const *grants = build->grants.items;
	if (must_walk(build, rights_in(note->anchor)) && note->anchor->seen == SEEN_FOLDER)
		visit(build, note, note->anchor);
	for (size_t i = 0; i < build->grants.len; i++) {
		struct path_node *node = grants[i];
		if (!node->own_tree || !must_walk(build, rights_in(node)) || !is_below(node, note->anchor))
			continue;
		if (note->deep || glob_may_match_below(note->glob, (struct str){node->path, node->len}, BUILD_FOLD))
			visit(build, note, node);
	}
}

static void mark_root(struct build *build, const struct rule_note *note, struct path_node *root)
{
	build->states[note->line].host_made = true;
	close_by(build, &build->states[note->line]);
	root->walk = true;
}

static void check_root(struct build *build, const struct rule_note *note, struct path_node *root)
{
	struct line_state *state = &build->states[note->line];
	const struct path_node *at = root;
	while (at->parent != NULL && !at->walked) /* it was looked through with a tree around it */
		at = at->parent;
	state->not_looked |= at->walk_failed || at->walk_blind;
	if (at->walk_failed && (rights_in(root) & RIGHTS_CHANGE) != 0)
		refuse(state, "fewer names in the trees that it holds for", "a pattern with a longer beginning");
}

/* A literal with exceptions denies its own name at once, if that is a file, or none of them can lie below. */
static enum berm_code close_literal(struct build *build, const struct rule_note *note, struct berm_err *err)
{
	struct path_node *node = note->anchor;
	struct line_state *state = &build->states[note->line];
	bool inner = false, done = false;
	if (note->glob != NULL || !exists(node) || !must_walk(build, node->inherited | node->own) ||
	    plan_denied_by(build->plan, (struct str){node->path, node->len}, &inner) == NULL ||
	    (inner && node->seen == SEEN_FOLDER))
		return BERM_OK;
	TRY(build_close(build, node, &done, err));
	if (done)
		close_by(build, state);
	else
		refuse(state, AROUND, "grant less than the folder around it");
	return BERM_OK;
}

static enum berm_code deny_pattern(struct build *build, const struct rule_note *note, unsigned rights,
				   struct berm_err *err)
{
	if ((rights & RIGHTS_CHANGE) != 0 && !may_govern(build, note->line))
		return BERM_OK;
	if ((rights & RIGHTS_CHANGE) != 0)
		count_write(build, note);
	if (build->can_govern && (rights & RIGHTS_OPEN) != 0)
		count_read(build, note);
	each_root(build, note, mark_root);
	return close_literal(build, note, err);
}

static enum berm_code narrow_deny(struct build *build, const struct rule_note *note, unsigned rights,
				  struct berm_err *err)
{
	if (rights == 0)
		return BERM_OK;
	if (note->mild)
		return deny_pattern(build, note, rights, err);
	if (exists(note->anchor))
		return deny_existing(build, note, rights, err);
	return deny_missing(build, note, rights, err);
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

/* From "here" and "deep" counts of nodes to those of all below, and of all above. */
static void sum_counts(struct build *build)
{
	for (struct path_node *node = build->paths.root->made_after; node != NULL; node = node->made_after) {
		node->protect_deep += node->parent->protect_deep;
		node->deny_deep += node->parent->deny_deep;
		node->read_deep += node->parent->read_deep;
	}
	for (struct path_node *node = build->paths.last; node->parent != NULL; node = node->made_before) {
		node->parent->protect_here += node->protect_here;
		node->parent->deny_here += node->deny_here;
		node->parent->read_here += node->read_here;
	}
}

enum berm_code build_narrow(struct build *build, struct berm_err *err)
{
	const struct rule_note *notes = build->notes;
	for (size_t i = 0; i < build->note_count; i++) {
		unsigned rights = touched(build, &notes[i]);
		build->states[notes[i].line].touched |= rights;
		if (notes[i].right == BERM_DENY)
			TRY(narrow_deny(build, &notes[i], rights, err));
		else if (notes[i].right == BERM_REPLACE)
			narrow_replace(build, &notes[i]);
		else
			narrow_protect(build, &notes[i], rights);
	}
	TRY(build_walk(build, err));
	for (size_t i = 0; i < build->note_count; i++)
		if (notes[i].right == BERM_DENY && notes[i].mild && build->states[notes[i].line].host_made)
			each_root(build, &notes[i], check_root);
	build_spread(build);
	sum_counts(build);
	return BERM_OK;
}
