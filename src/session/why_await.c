#include "session/why_await.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/own.h"
#include "sandbox/plan_paths.h"

enum { MAX_ENTRIES = 65536, ARENA_MAX = 16 * 1024 * 1024 };

struct folder {
	struct folder *next;
	struct str path;
	size_t level; /* of the names in it */
};

struct await {
	const struct berm_plan *plan;
	const struct plan_rule *rule;
	size_t depth; /* of the names that the rule is about */
	struct arena arena;
	struct folder *todo;
	const struct folder *at; /* whose names come in */
	size_t entries;
	char path[PATH_MAX]; /* of a name */
	bool fine, no_memory;
};

/* ---- a name ------------------------------------------------------------------------------------------------------ */

/* Reads a file and asks the rule's judge. What cannot be read is not accepted. */
static bool is_accepted(const struct await *await)
{
	char reason[128] = "";
	size_t max = await->rule->judge_max_bytes, len = 0;
	auto_fd int fd = open(await->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	auto_free uint8_t *content = malloc(max + 1);
	if (fd < 0 || content == NULL)
		return false;
	ssize_t n = 1;
	while (n > 0 && len <= max) {
		n = read(fd, content + len, max + 1 - len);
		len += n > 0 ? (size_t)n : 0;
	}
	return n == 0 && len <= max && await->rule->judge(await->path, content, len, reason, sizeof(reason));
}

static unsigned char type_of(enum seen seen)
{
	static const unsigned char types[] = {[SEEN_FILE] = DT_REG, [SEEN_FOLDER] = DT_DIR, [SEEN_LINK] = DT_LNK};
	return (size_t)seen < ARRAY_LEN(types) ? types[seen] : DT_UNKNOWN;
}

static bool is_fine(const struct await *await, struct str path, enum seen seen)
{
	if (!plan_rule_is_at(await->plan, await->rule, path))
		return true;
	enum plan_arrival arrival = plan_rule_on_arrival(await->rule, type_of(seen));
	return arrival == ARRIVAL_FINE || (arrival == ARRIVAL_JUDGED && is_accepted(await));
}

static bool push(struct await *await, struct str path, size_t level)
{
	struct folder *folder = arena_alloc(&await->arena, sizeof(*folder));
	char *copy = arena_text(&await->arena, path);
	await->no_memory |= folder == NULL || copy == NULL;
	if (await->no_memory)
		return false;
	*folder = (struct folder){await->todo, {copy, path.len}, level};
	await->todo = folder;
	return true;
}

/* On the way to the names: what the rule does not enter does not matter, and a link would lead somewhere else. */
static bool go_on(struct await *await, struct str path, enum seen seen)
{
	if (!plan_rule_enters(await->rule, path) || (seen != SEEN_FOLDER && seen != SEEN_LINK))
		return true;
	return seen == SEEN_FOLDER && push(await, path, await->at->level + 1);
}

static bool visit(void *arg, struct str name, enum seen seen)
{
	struct await *await = arg;
	const struct str folder = await->at->path;
	const size_t len = folder.len > 1 ? folder.len : 0;
	char target[64];
	await->fine = len + 1 + name.len < sizeof(await->path) && ++await->entries <= MAX_ENTRIES;
	if (!await->fine)
		return false;
	memcpy(await->path, folder.ptr, len);
	await->path[len] = '/';
	memcpy(await->path + len + 1, name.ptr, name.len);
	await->path[len + 1 + name.len] = '\0';
	const struct str path = {await->path, len + 1 + name.len};
	if (seen == SEEN_UNKNOWN)
		seen = plan_eyes_real.look(plan_eyes_real.ctx, await->path, target, sizeof(target));
	await->fine = await->at->level == await->depth ? is_fine(await, path, seen) : go_on(await, path, seen);
	return await->fine;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

/* Does the rule let it be, with all that is there? */
static bool is_all_fine(struct await *await, struct str folder)
{
	await->fine = push(await, folder, 1);
	while (await->fine && await->todo != NULL) {
		await->at = await->todo;
		await->todo = await->todo->next;
		bool whole = plan_eyes_real.list(plan_eyes_real.ctx, await->at->path.ptr, visit, await);
		await->fine &= whole;
	}
	return await->fine;
}

/* Is the rule one that waits for this name, and is something there that it does not let be? */
static bool refuses(struct await *await, const struct berm_plan *plan, const struct plan_rule *rule, struct str folder,
		    const char *name)
{
	const char *beside = rule->beside;
	size_t ups = beside != NULL ? plan_beside_ups(&beside) : 0;
	if (beside == NULL || strcasecmp(beside, name) != 0)
		return false;
	memset(await, 0, sizeof(*await));
	await->plan = plan;
	await->rule = rule;
	await->depth = ups + 1;
	arena_init(&await->arena, ARENA_MAX);
	bool fine = is_all_fine(await, folder);
	arena_done(&await->arena);
	return !fine;
}

enum berm_code why_await(const struct berm_plan *plan, const char *path, const struct plan_rule **ret_rule,
			 struct berm_err *err)
{
	const char *name = path + strlen(path);
	auto_free struct await *await = calloc(1, sizeof(*await));
	if (await == NULL)
		return err_set(err, BERM_ERR_NOMEM, "answer a question");
	while (name > path && name[-1] != '/')
		name--;
	const struct str folder = {path, name > path + 1 ? (size_t)(name - path) - 1 : 1};
	for (size_t i = 0; i < plan->rule_count; i++) {
		if (!refuses(await, plan, &plan->rules[i], folder, name))
			continue;
		if (await->no_memory)
			return err_set(err, BERM_ERR_NOMEM, "answer a question");
		*ret_rule = &plan->rules[i];
		return BERM_OK;
	}
	*ret_rule = NULL;
	return BERM_OK;
}
