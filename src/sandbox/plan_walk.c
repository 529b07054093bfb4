/*
 * Looks through trees for names that a deny pattern matches. Links are not followed: what they lead to is denied, or
 * not, under its own name.
 */
#include <string.h>

#include "sandbox/plan_act.h"
#include "sandbox/plan_build.h"

/* How many names are looked at: what the sandbox may change must be looked through whole; elsewhere a large tree (the
 * system's programs) is told as not looked through rather than slowing every start. */
#define MAX_CHANGEABLE ((size_t)262144)
#define MAX_OTHER ((size_t)4096)

struct folder {
	struct folder *next;
	struct str path;
};

struct walk {
	struct build *build;
	struct folder *todo;
	struct str at; /* the folder whose names come in */
	char *path;    /* PATHS_TARGET_SIZE bytes */
	size_t left;
	bool blind; /* something could not be listed */
	enum berm_code code;
	struct berm_err *err;
};

static bool stop(struct walk *walk, enum berm_code code)
{
	walk->code = code;
	return false;
}

static enum berm_code push(struct walk *walk, struct str path)
{
	struct folder *folder = arena_alloc(&walk->build->temp, sizeof *folder);
	char *copy = arena_text(&walk->build->temp, path);
	if (folder == NULL || copy == NULL)
		return build_no_memory(walk->err);
	*folder = (struct folder){walk->todo, {copy, path.len}};
	walk->todo = folder;
	return BERM_OK;
}

/* "FOLDER/NAME" in walk->path; its length, or 0 if it is too long. */
static size_t join(struct walk *walk, struct str name)
{
	size_t len = walk->at.len > 1 ? walk->at.len : 0;
	if (len + name.len + 2 > PATHS_TARGET_SIZE)
		return 0;
	memcpy(walk->path, walk->at.ptr, len);
	walk->path[len] = '/';
	memcpy(walk->path + len + 1, name.ptr, name.len);
	walk->path[len + 1 + name.len] = '\0';
	return len + 1 + name.len;
}

static enum berm_code close_name(struct walk *walk, struct str path)
{
	struct path_node *node;
	bool done;
	TRY(paths_resolve(&walk->build->paths, path, PATHS_KEEP_LAST, &node, walk->err));
	TRY(build_close(walk->build, node, &done, walk->err));
	if (!done)
		walk->left = 0;
	return BERM_OK;
}

static bool visit(void *arg, struct str name, enum seen seen)
{
	struct walk *walk = arg;
	bool inner;
	if (walk->left == 0)
		return false;
	walk->left--;
	if (seen == SEEN_LINK)
		return true;
	struct str path = {walk->path, join(walk, name)};
	walk->blind |= path.len == 0;
	if (path.len == 0)
		return true;
	if (seen == SEEN_UNKNOWN) {
		const struct plan_eyes *eyes = walk->build->paths.eyes;
		seen = eyes->look(eyes->ctx, path.ptr, walk->build->paths.target, PATHS_TARGET_SIZE);
	}
	const struct plan_rule *rule = plan_denied_by(walk->build->plan, path, &inner);
	enum berm_code code = BERM_OK;
	if (rule != NULL && (!inner || seen != SEEN_FOLDER)) /* nothing lies below a file */
		code = close_name(walk, path);
	else if (seen == SEEN_FOLDER)
		code = push(walk, path);
	return code == BERM_OK ? walk->left > 0 : stop(walk, code);
}

static enum berm_code walk_root(struct build *build, struct path_node *root, struct berm_err *err)
{
	const struct plan_eyes *eyes = build->paths.eyes;
	unsigned rights = build_rights_around(root) | root->own;
	struct walk walk = {.build = build, .err = err, .code = BERM_OK};
	walk.left = (rights & RIGHTS_CHANGE) != 0 ? MAX_CHANGEABLE : MAX_OTHER;
	walk.path = arena_alloc(&build->temp, PATHS_TARGET_SIZE);
	if (walk.path == NULL)
		return build_no_memory(err);
	TRY(push(&walk, (struct str){root->path, root->len}));
	while (walk.todo != NULL && walk.code == BERM_OK && walk.left > 0) {
		walk.at = walk.todo->path;
		walk.todo = walk.todo->next;
		bool whole = eyes->list(eyes->ctx, walk.at.ptr, visit, &walk);
		if (!whole && walk.code == BERM_OK && walk.left > 0)
			walk.blind |= !eyes->closed(eyes->ctx, walk.at.ptr);
	}
	root->walked = true;
	root->walk_failed = walk.left == 0;
	root->walk_blind = walk.blind;
	return walk.code;
}

enum berm_code build_walk(struct build *build, struct berm_err *err)
{
	struct path_node *end = build->paths.last;
	for (struct path_node *node = build->paths.root; node != NULL; node = node->made_after) {
		bool inside = false;
		for (const struct path_node *at = node->parent; node->walk && at != NULL && !inside; at = at->parent)
			/* else this part of it may be small enough, or be seen */
			inside = at->walked && !at->walk_failed && !at->walk_blind;
		if (node->walk && !inside)
			TRY(walk_root(build, node, err));
		if (node == end)
			break; /* what walking adds is not walked again */
	}
	return BERM_OK;
}
