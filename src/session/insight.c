#include "session/insight.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"

enum { MAX_LINKS = 40 };

void insight_init(struct insight *insight, const struct berm_plan *plan)
{
	insight->plan = plan;
	insight->uid = geteuid();
	insight->groups[0] = getegid();
	insight->group_count = 1;
	int count = getgroups(INSIGHT_GROUPS - 1, insight->groups + 1);
	if (count > 0)
		insight->group_count += (size_t)count;
}

bool insight_may(const struct insight *insight, const struct stat *st, unsigned bit)
{
	unsigned mode = st->st_mode & 0777;
	if (st->st_uid == insight->uid)
		return (mode >> 6 & bit) == bit;
	for (size_t i = 0; i < insight->group_count; i++)
		if (insight->groups[i] == st->st_gid)
			return (mode >> 3 & bit) == bit;
	return (mode & bit) == bit;
}

/* ---- the way ----------------------------------------------------------------------------------------------------- */

struct way {
	const struct insight *insight;
	struct insight_place *place;
	size_t len; /* of what is found of the path; "" is "/" */
	char *rest; /* what is still to be found: PATH_MAX bytes */
	int links;
	bool follow;
};

static struct str found(const struct way *way)
{
	return way->len > 0 ? (struct str){way->place->path, way->len} : STR("/");
}

static void leave(struct way *way)
{
	while (way->len > 0 && way->place->path[way->len - 1] != '/')
		way->len--;
	way->len -= way->len > 0;
	way->place->path[way->len] = '\0';
}

/* Appends a name; false: too long. */
static bool enter(struct way *way, const char *name, size_t len)
{
	if (way->len + 1 + len >= sizeof(way->place->path))
		return false;
	way->place->path[way->len++] = '/';
	memcpy(way->place->path + way->len, name, len);
	way->len += len;
	way->place->path[way->len] = '\0';
	return true;
}

/* Takes the next name off the rest. *ret_last: nothing is behind it but slashes. False: there is none. */
static bool take_name(struct way *way, char ret_name[static NAME_MAX + 1], size_t *ret_len, bool *ret_last)
{
	const char *at = way->rest + strspn(way->rest, "/");
	size_t len = strcspn(at, "/"), slashes = strspn(at + len, "/");
	*ret_len = len;
	if (len > NAME_MAX)
		return false;
	memcpy(ret_name, at, len);
	ret_name[len] = '\0';
	*ret_last = at[len + slashes] == '\0';
	way->follow |= *ret_last && slashes > 0;
	memmove(way->rest, at + len + slashes, strlen(at + len + slashes) + 1);
	return len > 0;
}

/* The way ends: what is left is taken as it is written. */
static bool stop(struct way *way, int error)
{
	char name[NAME_MAX + 1];
	size_t len;
	bool last;
	way->place->error = error;
	while (take_name(way, name, &len, &last)) {
		if (strcmp(name, "..") == 0)
			leave(way);
		else if (strcmp(name, ".") != 0 && !enter(way, name, len))
			way->place->error = ENAMETOOLONG;
	}
	return false;
}

/* ---- a step ------------------------------------------------------------------------------------------------------ */

/* A folder that was passed before, or the root: "..", ".", or what a link to such leads to. */
static void return_to(struct way *way)
{
	struct insight_place *place = way->place;
	place->sight = plan_sight_of(way->insight->plan, found(way));
	place->st = (struct stat){.st_mode = S_IFDIR | (place->sight == SIGHT_OWN ? 0777 : 0755)};
}

/* What a link leads to stands in front of the rest, now. */
static bool pass_link(struct way *way, const char *target, size_t len)
{
	size_t rest = strlen(way->rest);
	if (++way->links > MAX_LINKS)
		return stop(way, ELOOP);
	if (len + 1 + rest >= PATH_MAX)
		return stop(way, ENAMETOOLONG);
	memmove(way->rest + len + 1, way->rest, rest + 1);
	memcpy(way->rest, target, len);
	way->rest[len] = rest > 0 ? '/' : '\0';
	leave(way);
	if (target[0] == '/') {
		way->len = 0;
		way->place->path[0] = '\0';
	}
	return_to(way);
	return true;
}

__attribute__((noinline)) static bool read_and_pass_link(struct way *way)
{
	char target[PATH_MAX];
	ssize_t len = readlink(way->place->path, target, sizeof(target));
	if (len <= 0 || len == sizeof(target))
		return stop(way, len < 0 ? errno : ENAMETOOLONG);
	return pass_link(way, target, (size_t)len);
}

static bool pass_own_link(struct way *way)
{
	const struct berm_plan *plan = way->insight->plan;
	for (size_t i = 0; i < plan->link_count; i++)
		if (strcmp(plan->links[i].path, way->place->path) == 0)
			return pass_link(way, plan->links[i].target, strlen(plan->links[i].target));
	return stop(way, ENOENT);
}

/* What the machine has there. */
static bool step_real(struct way *way, bool last)
{
	struct stat *st = &way->place->st;
	if (lstat(way->place->path, st) < 0) {
		way->place->last = last;
		return stop(way, errno);
	}
	if (S_ISLNK(st->st_mode) && (!last || way->follow))
		return read_and_pass_link(way);
	if (last)
		return true;
	if (!S_ISDIR(st->st_mode))
		return stop(way, ENOTDIR);
	return insight_may(way->insight, st, 1) || stop(way, EACCES);
}

/* What the kernel makes, for the sandbox as for us: its own processes, harmless devices. */
static bool step_kernel(struct way *way)
{
	(void)stop(way, 0);
	if (stat(way->place->path, &way->place->st) < 0) {
		way->place->st = (struct stat){0};
		way->place->error = errno == ENOENT || errno == ENOTDIR ? errno : 0;
	}
	return false;
}

/* In a folder of the sandbox's own is nothing but what leads to something. /proc and /dev have what they have. */
static bool step_own(struct way *way, bool last)
{
	const char *own = plan_own_folder(way->insight->plan, found(way));
	if (own != NULL && strlen(own) == way->len) {
		way->place->st.st_mode = S_IFDIR | 0777;
		return true;
	}
	if (own != NULL && (strcmp(own, "/proc") == 0 || strcmp(own, "/dev") == 0))
		return step_kernel(way);
	if (way->insight->plan->backend != BERM_BACKEND_NAMESPACES)
		return step_real(way, last); /* everybody's /dev/shm */
	way->place->last = last;
	return stop(way, ENOENT);
}

/* From the name that was entered on. False: the way ends here. */
static bool step(struct way *way, bool last)
{
	struct insight_place *place = way->place;
	place->st = (struct stat){0};
	place->sight = plan_sight_of(way->insight->plan, found(way));
	switch (place->sight) {
	case SIGHT_MASKED:
		return last || stop(way, EACCES);
	case SIGHT_OWN:
		return step_own(way, last);
	case SIGHT_FOLDER:
		place->st.st_mode = S_IFDIR | 0755;
		return true;
	case SIGHT_LINK:
		place->st.st_mode = S_IFLNK | 0777;
		return (last && !way->follow) || pass_own_link(way);
	case SIGHT_REAL:
		return step_real(way, last);
	case SIGHT_HIDDEN:
	default:
		place->last = last;
		return stop(way, ENOENT);
	}
}

static void go(struct way *way)
{
	char name[NAME_MAX + 1];
	size_t len;
	bool last;
	while (take_name(way, name, &len, &last)) {
		if (strcmp(name, "..") == 0)
			leave(way);
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			return_to(way);
		else if (!enter(way, name, len))
			len = NAME_MAX + 1;
		else if (!step(way, last))
			return;
	}
	if (len > NAME_MAX)
		way->place->error = ENAMETOOLONG;
}

void insight_find(struct insight *insight, const char *path, bool follow, struct insight_place *ret_place)
{
	struct way way = {.insight = insight, .place = ret_place, .rest = insight->rest, .follow = follow};
	size_t len = strlen(path);
	*ret_place = (struct insight_place){.sight = plan_sight_of(insight->plan, STR("/"))};
	if (len >= PATH_MAX) {
		ret_place->error = ENAMETOOLONG;
		return;
	}
	memcpy(way.rest, path, len + 1);
	go(&way);
	bool is_root = way.len == 0;
	if (is_root)
		memcpy(ret_place->path, "/", 2);
	if (is_root || (ret_place->error == 0 && ret_place->sight == SIGHT_REAL))
		if (lstat(ret_place->path, &ret_place->st) < 0)
			ret_place->error = errno;
	bool folder = len > 0 && path[len - 1] == '/' && ret_place->error == 0 && ret_place->st.st_mode != 0;
	if (folder && !S_ISDIR(ret_place->st.st_mode))
		ret_place->error = ENOTDIR;
}

bool insight_exists(struct insight *insight, struct str folder, const char *name)
{
	int len = snprintf(insight->text, sizeof(insight->text), "%.*s/%s", (int)folder.len, folder.ptr, name);
	if (len < 0 || (size_t)len >= sizeof(insight->text))
		return true;
	insight_find(insight, insight->text, false, &insight->nearby);
	return insight->nearby.error != ENOENT && insight->nearby.error != ENOTDIR;
}
