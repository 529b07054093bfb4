/* Looking through a folder without the heap: one buffer for all levels; after a folder below was looked through, reading
 * goes on where the entry behind it begins. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"
#include "sandbox/sup_state.h"

static int push_level(struct sup_walk *walk, int fd)
{
	if (walk->depth == SUP_WALK_DEPTH) {
		(void)close(fd);
		return EXDEV;
	}
	walk->level[walk->depth].fd = fd;
	walk->level[walk->depth].next = 0;
	walk->level[walk->depth].rel_len = strlen(walk->rel);
	walk->depth++;
	walk->fill = walk->at = 0;
	return 0;
}

static void pop_level(struct sup_walk *walk)
{
	(void)close(walk->level[--walk->depth].fd);
	walk->fill = walk->at = 0;
	if (walk->depth > 0)
		(void)lseek(walk->level[walk->depth - 1].fd, walk->level[walk->depth - 1].next, SEEK_SET);
}

/* NULL: the folder has no more. */
static int next_entry(struct sup_walk *walk, const struct sup_entry **ret_entry)
{
	*ret_entry = NULL;
	if (walk->at >= walk->fill) {
		long n = syscall(SYS_getdents64, walk->level[walk->depth - 1].fd, walk->buffer, sizeof(walk->buffer));
		if (n < 0)
			return errno;
		walk->fill = (size_t)n;
		walk->at = 0;
		if (n == 0)
			return 0;
	}
	const struct sup_entry *entry = (const void *)(walk->buffer + walk->at);
	walk->at += entry->len;
	walk->level[walk->depth - 1].next = entry->next;
	*ret_entry = entry;
	return 0;
}

/* Some file systems do not tell types in folders. */
static unsigned char type_of(int folder, const struct sup_entry *entry)
{
	struct stat st = {0};
	if (entry->type != DT_UNKNOWN || fstatat(folder, entry->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return entry->type;
	return (unsigned char)IFTODT(st.st_mode);
}

static int visit_entry(struct supervisor *sup, const struct sup_entry *entry, sup_visit visit, void *ctx)
{
	struct sup_walk *walk = &sup->walk;
	size_t at = walk->level[walk->depth - 1].rel_len;
	int folder = walk->level[walk->depth - 1].fd;
	if (++walk->entries > SUP_WALK_ENTRIES)
		return EXDEV;
	if (!text_put(walk->rel, sizeof(walk->rel), &at, "/") ||
	    !text_put(walk->rel, sizeof(walk->rel), &at, entry->name))
		return EXDEV;
	int step = visit(ctx, folder, entry->name, type_of(folder, entry));
	if (step != WALK_DOWN)
		return step;
	int below = openat(folder, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return below < 0 ? errno : push_level(walk, below);
}

int sup_walk_folder(struct supervisor *sup, int dir, sup_visit visit, void *ctx)
{
	struct sup_walk *walk = &sup->walk;
	walk->depth = walk->entries = 0;
	walk->rel[0] = '\0';
	int error = push_level(walk, dir);
	while (error == 0 && walk->depth > 0) {
		const struct sup_entry *entry;
		error = next_entry(walk, &entry);
		if (error == 0 && entry == NULL)
			pop_level(walk);
		else if (error == 0 && strcmp(entry->name, ".") != 0 && strcmp(entry->name, "..") != 0)
			error = visit_entry(sup, entry, visit, ctx);
	}
	while (walk->depth > 0)
		pop_level(walk);
	return error;
}
