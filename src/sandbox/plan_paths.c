#include "sandbox/plan_paths.h"

#include <stdlib.h>
#include <string.h>

#define MAX_NODES ((size_t)1 << 18)
#define MAX_LINKS 40
#define MAX_LISTED 20000
#define LOOKS_BEFORE_LISTING 48

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

static uint64_t mix(uint64_t hash)
{
	hash ^= hash >> 29;
	hash *= 0x9e3779b97f4a7c15;
	return hash ^ hash >> 32;
}

static uint32_t hash_name(const struct path_node *folder, struct str name)
{
	uint64_t hash = mix((uint64_t)(uintptr_t)folder) ^ name.len, word;
	while (name.len >= sizeof word) {
		memcpy(&word, name.ptr, sizeof word);
		hash = mix(hash ^ word);
		name = (struct str){name.ptr + sizeof word, name.len - sizeof word};
	}
	word = 0;
	if (name.len > 0)
		memcpy(&word, name.ptr, name.len);
	return (uint32_t)mix(hash ^ word);
}

static struct str node_name(const struct path_node *node)
{
	return (struct str){node->path + node->name_at, node->len - node->name_at};
}

static struct path_node *find_hashed(const struct paths *paths, const struct path_node *folder, struct str name,
				     uint32_t hash)
{
	struct path_node *node = paths->buckets[hash & (paths->bucket_count - 1)];
	for (; node != NULL; node = node->in_bucket)
		if (node->hash == hash && node->parent == folder && str_eq(node_name(node), name))
			return node;
	return NULL;
}

static void put_in_bucket(struct paths *paths, struct path_node *node)
{
	struct path_node **bucket = &paths->buckets[node->hash & (paths->bucket_count - 1)];
	node->in_bucket = *bucket;
	*bucket = node;
}

static bool more_buckets(struct paths *paths, size_t count)
{
	struct path_node **buckets = calloc(count, sizeof(struct path_node *));
	if (buckets == NULL)
		return false;
	free(paths->buckets);
	paths->buckets = buckets;
	paths->bucket_count = count;
	for (struct path_node *node = paths->root; node != NULL; node = node->made_after)
		put_in_bucket(paths, node);
	return true;
}

/* "FOLDER/NAME" in memory that the plan keeps. */
static char *joined(struct paths *paths, const struct path_node *folder, struct str name)
{
	size_t at = folder->len > 1 ? folder->len : 0;
	char *path = arena_array(paths->keep, at + name.len + 2, 1);
	if (path == NULL)
		return NULL;
	memcpy(path, folder->path, at);
	path[at] = '/';
	memcpy(path + at + 1, name.ptr, name.len);
	return path;
}

/* The text that ends with name, if it is just the path of the name; else NULL. */
static const char *whole_text(const struct path_node *folder, struct str name, const char *text)
{
	size_t len = (folder->len > 1 ? folder->len : 0) + 1 + name.len;
	if (text == NULL || name.ptr[name.len] != '\0' || (size_t)(name.ptr + name.len - text) != len ||
	    memcmp(text, folder->path, folder->len) != 0)
		return NULL;
	return text;
}

/* lasting: the text that name is taken from, if the node may point into it. */
static struct path_node *node_new(struct paths *paths, struct path_node *folder, struct str name, uint32_t hash,
				  const char *lasting)
{
	if (paths->node_count >= MAX_NODES ||
	    (paths->node_count >= paths->bucket_count && !more_buckets(paths, 4 * paths->bucket_count)))
		return NULL;
	struct path_node *node = arena_alloc(&paths->temp, sizeof *node);
	if (node == NULL)
		return NULL;
	node->name_at = (folder->len > 1 ? folder->len : 0) + 1;
	node->path = whole_text(folder, name, lasting);
	if (node->path == NULL)
		node->path = joined(paths, folder, name);
	if (node->path == NULL)
		return NULL;
	node->len = node->name_at + (uint32_t)name.len;
	node->hash = hash;
	node->parent = folder;
	node->made_before = paths->last;
	paths->last->made_after = node;
	paths->last = node;
	paths->node_count++;
	put_in_bucket(paths, node);
	return node;
}

void paths_init(struct paths *paths)
{
	*paths = (struct paths){0};
	arena_init(&paths->temp, (size_t)512 << 20);
	vec_init(&paths->links, sizeof(struct path_node *), MAX_NODES);
}

enum berm_code paths_start(struct paths *paths, const struct plan_eyes *eyes, struct arena *keep, size_t expected,
			   struct berm_err *err)
{
	size_t buckets = 256;
	while (buckets < 2 * expected)
		buckets *= 2;
	paths->eyes = eyes;
	paths->keep = keep;
	struct path_node *root = arena_alloc(&paths->temp, sizeof *root);
	paths->target = arena_alloc(&paths->temp, PATHS_TARGET_SIZE);
	paths->rest = arena_alloc(&paths->temp, PATHS_TARGET_SIZE);
	if (root == NULL || paths->target == NULL || paths->rest == NULL || !more_buckets(paths, buckets))
		return err_set(err, BERM_ERR_NOMEM, "resolve paths");
	*root = (struct path_node){.path = "/", .len = 1, .name_at = 1, .seen = SEEN_FOLDER};
	paths->root = paths->last = root;
	paths->node_count = 1;
	return BERM_OK;
}

void paths_done(struct paths *paths)
{
	free(paths->buckets);
	vec_done(&paths->links);
	arena_done(&paths->temp);
	paths->buckets = NULL;
}

/* ---- looking ---------------------------------------------------------------------------------------------------- */

struct listing {
	struct paths *paths;
	struct path_node *folder;
	size_t count, max;
	bool out_of_memory;
};

static bool list_entry(void *arg, struct str name, enum seen seen)
{
	struct listing *listing = arg;
	uint32_t hash = hash_name(listing->folder, name);
	struct path_node *node = find_hashed(listing->paths, listing->folder, name, hash);
	if (++listing->count > listing->max)
		return false;
	if (node == NULL)
		node = node_new(listing->paths, listing->folder, name, hash, NULL);
	if (node == NULL) {
		listing->out_of_memory = true;
		return false;
	}
	node->listed = true;
	if (node->seen == SEEN_UNKNOWN && seen != SEEN_LINK) /* a link's target is still to be read */
		node->seen = seen;
	return true;
}

/* From here on a name that is not known is missing. A folder that is too large or cannot be read stays as it was. */
static enum berm_code list_folder(struct paths *paths, struct path_node *folder, struct berm_err *err)
{
	struct listing listing = {.paths = paths, .folder = folder, .max = MAX_LISTED};
	folder->whole = paths->eyes->list(paths->eyes->ctx, folder->path, list_entry, &listing);
	return listing.out_of_memory ? err_set(err, BERM_ERR_NOMEM, "resolve paths") : BERM_OK;
}

static enum berm_code look(struct paths *paths, struct path_node *node, struct berm_err *err)
{
	char *target = paths->target;
	node->seen = paths->eyes->look(paths->eyes->ctx, node->path, target, PATHS_TARGET_SIZE);
	if (node->seen != SEEN_LINK)
		return BERM_OK;
	node->target = arena_text(paths->keep, str_from(target));
	return node->target != NULL ? BERM_OK : err_set(err, BERM_ERR_NOMEM, "resolve paths");
}

/* The node of a name in a folder, looked at. */
static enum berm_code find_child(struct paths *paths, struct path_node *folder, struct str name, const char *lasting,
				 struct path_node **ret_node, struct berm_err *err)
{
	uint32_t hash = hash_name(folder, name);
	struct path_node *node = find_hashed(paths, folder, name, hash);
	if (node == NULL && folder->seen == SEEN_FOLDER && ++folder->looks == LOOKS_BEFORE_LISTING) {
		TRY(list_folder(paths, folder, err));
		node = find_hashed(paths, folder, name, hash);
	}
	if (node == NULL)
		node = node_new(paths, folder, name, hash, lasting);
	if (node == NULL)
		return err_set(err, BERM_ERR_NOMEM, "resolve paths");
	if (node->seen == SEEN_UNKNOWN && (folder->seen != SEEN_FOLDER || (folder->whole && !node->listed)))
		node->seen = SEEN_MISSING;
	if (node->seen == SEEN_UNKNOWN)
		TRY(look(paths, node, err));
	*ret_node = node;
	return BERM_OK;
}

enum berm_code paths_list(struct paths *paths, struct path_node *folder, size_t max, bool *ret_whole, size_t *ret_count,
			  struct berm_err *err)
{
	struct listing listing = {.paths = paths, .folder = folder, .max = max};
	*ret_whole = paths->eyes->list(paths->eyes->ctx, folder->path, list_entry, &listing);
	*ret_count = listing.count;
	if (listing.out_of_memory)
		return err_set(err, BERM_ERR_NOMEM, "resolve paths");
	for (struct path_node *node = folder->made_after; node != NULL; node = node->made_after)
		if (node->parent == folder && node->seen == SEEN_UNKNOWN)
			TRY(look(paths, node, err));
	return BERM_OK;
}

/* ---- resolving -------------------------------------------------------------------------------------------------- */

/* Puts the target of a link in front of what is left to resolve; false if that is too long. */
static bool push_target(const struct path_node *link, struct str *rest, char *buffer, size_t size)
{
	size_t len = strlen(link->target);
	if (len + 1 + rest->len >= size)
		return false;
	memmove(buffer + len + 1, rest->ptr, rest->len);
	memcpy(buffer, link->target, len);
	buffer[len] = '/';
	*rest = (struct str){buffer, len + 1 + rest->len};
	return true;
}

static enum berm_code note_link(struct paths *paths, struct path_node *link, struct berm_err *err)
{
	if (link->noted)
		return BERM_OK;
	link->noted = true;
	return vec_push(&paths->links, &link, err);
}

static bool is_last(struct str rest)
{
	for (size_t i = 0; i < rest.len; i++)
		if (rest.ptr[i] != '/')
			return false;
	return true;
}

enum berm_code paths_resolve(struct paths *paths, struct str path, unsigned flags, struct path_node **ret_node,
			     struct berm_err *err)
{
	struct path_node *node = paths->root;
	struct str rest = path, name;
	const char *lasting = (flags & PATHS_LASTING) != 0 ? path.ptr : NULL;
	unsigned links = 0;
	while (str_next(&rest, '/', &name)) {
		struct path_node *child;
		if (name.len == 0 || str_eq(name, STR(".")))
			continue;
		if (str_eq(name, STR(".."))) {
			node = node->parent != NULL ? node->parent : node;
			continue;
		}
		TRY(find_child(paths, node, name, lasting, &child, err));
		bool kept = (flags & PATHS_KEEP_LAST) != 0 && is_last(rest);
		if (child->seen != SEEN_LINK || kept) {
			node = child;
			continue;
		}
		if (++links > MAX_LINKS || !push_target(child, &rest, paths->rest, PATHS_TARGET_SIZE)) {
			node = child; /* leads nowhere: what is below it does not exist */
			continue;
		}
		if ((flags & PATHS_NOTE_LINKS) != 0)
			TRY(note_link(paths, child, err));
		lasting = NULL; /* from here on names come from elsewhere */
		if (child->target[0] == '/')
			node = paths->root;
	}
	*ret_node = node;
	return BERM_OK;
}
