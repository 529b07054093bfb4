/*
 * From what a task wrote to an object: the folder that holds it (opened), the last name, the final path, and what the
 * plan says of it.
 */
#ifndef BERM_SANDBOX_SUP_PATH_H
#define BERM_SANDBOX_SUP_PATH_H

#include <sys/stat.h>

#include "sandbox/sup_task.h"

struct place {
	int folder;		    /* O_PATH descriptor of the folder that holds the name; -1: the place is an object */
	int object;		    /* O_PATH (or the task's own) descriptor of the object, if folder is -1 */
	char name[NAME_MAX + 1];    /* last component, never "", "." or ".." ; "" if the place is an object */
	char path[SUP_PATH_MAX];    /* canonical: folder's path + "/" + name; "": an object that has no name (any more) */
	size_t path_len, name_at;   /* where the name begins in path */
	bool looked;		    /* exists and st are known */
	bool exists;
	struct stat st;		    /* of the object, if it exists (lstat) */
	bool slash;		    /* a trailing slash was written: must be a folder */
	bool unnamed;		    /* path is where a file without a name was made or had its name last */
	const struct plan_grant *grant;	 /* the longest grant that holds path, or NULL */
	const struct plan_grant *holder; /* the longest granted folder that holds the folder of path, or NULL */
};

enum place_how {
	PLACE_NOFOLLOW = 0,
	PLACE_FOLLOW = 1 << 0,	/* a final symbolic link is followed */
	PLACE_BLIND = 1 << 1,	/* the name is not looked up: the act itself tells whether it exists (not with FOLLOW) */
	PLACE_EVERYWHERE = 1 << 2, /* /dev and what else is never governed is resolved as well; procfs still is not */
};

void place_init(struct place *ret_place); /* holds nothing */
/* Resolves path as the task would. Symbolic links in folders are followed (by openat2 without magic links), a final one
 * if asked; "/proc/self/fd/N", "/dev/fd/N", "/dev/stdin" and alike lead to the object of the task's own descriptor.
 * Returns 0, an errno, or -1: not ours to resolve (procfs, devpts, magic links, a last name of "." or ".."): the caller
 * answers CONTINUE. resolve: further RESOLVE_ flags of openat2. ret_place is to be given to place_done in any case. */
int place_find(const struct call *call, int dirfd, const char *path, unsigned how, uint64_t resolve,
	       struct place *ret_place);
/* The place of a folder named as a whole ("." and ".." and "/" too): an object. */
int place_find_folder(const struct call *call, int dirfd, const char *path, uint64_t resolve, struct place *ret_place);
/* The place of an object that is open as fd here, which the place then owns. Objects without a path (pipes, sockets)
 * and files without a name have path "". */
int place_of_fd(const struct call *call, int fd, struct place *ret_place);
void place_done(struct place *place);

/* Is anything of the plan on behalf here? false: CONTINUE, the kernel decides. */
bool place_governed(const struct place *place, unsigned govern);
/* The same for the names in the folder of the place. */
bool place_folder_governed(const struct place *place);

/* May this be done here? Looks at the rights of the grant (needs: BERM_READ | WRITE | DELETE), then at deny, protect and
 * replace rules and their conditions ("beside", mkdir_only). mode: of what comes into being; S_IFDIR makes CREATE a
 * mkdir. If a judge must be asked first, rule is NULL and judge is set. */
struct place_verdict {
	const char *rule;		  /* NULL: allowed */
	int error;			  /* EACCES, EROFS, EPERM */
	const struct plan_rule *judge;	  /* allowed if this accepts the content */
};
struct place_verdict place_check(const struct call *call, const struct place *place, enum berm_request_op op, unsigned needs,
				 mode_t mode);

/* True if a folder at from may become one at to without anything in it (names that exist are looked at, at most
 * SUP_WALK_ENTRIES) changing the rules it lies under. *ret_rule: the one that it would change. Returns 0, EACCES, or
 * EXDEV if there is too much to look at: then it is for the task to copy. */
int place_check_move(const struct call *call, const struct place *from, const struct place *to, const char **ret_rule);
/* A name that rules wait for ("beside") is about to appear in the folder of place: do they allow what is there already?
 * Contents that need a judge are judged and replaced by fresh copies. 0, or EACCES with the rule and the reason. */
int place_check_beside(const struct call *call, const struct place *place, const char **ret_rule, char *reason,
		       size_t reason_size);

/* Judges the content of an open regular file, in a throw-away confined process, and gives a fresh copy of exactly what
 * was judged: *ret_copy is an O_TMPFILE or temporary file in the place's folder with the mode of the original. Returns 0, or an
 * errno with the reason in reason. */
int judge_content(const struct call *call, const struct plan_rule *rule, const struct place *place, int content_fd,
		  char *reason, size_t reason_size);

#endif
