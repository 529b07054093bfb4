/*
 * From what a task wrote to an object: the folder that holds it (opened), the last name, the final path, and what the
 * plan says of it.
 */
#ifndef BERM_SANDBOX_SUP_PATH_H
#define BERM_SANDBOX_SUP_PATH_H

#include <sys/stat.h>

#include "sandbox/sup_task.h"

struct place {
	int folder;		    /* O_PATH descriptor of the folder that holds the name; -1: none */
	char name[NAME_MAX + 1];    /* last component, never "", "." or ".." ; "" if the place is a descriptor's object */
	char path[SUP_PATH_MAX];    /* canonical: folder's path + "/" + name */
	bool exists;
	struct stat st;		    /* of the object, if it exists (lstat) */
	bool slash;		    /* a trailing slash was written: must be a folder */
	const struct plan_grant *grant; /* the longest grant that holds path, or NULL */
};

enum place_follow { PLACE_NOFOLLOW = 0, PLACE_FOLLOW = 1 };

/* Resolves path as the task would. Symbolic links in folders are followed (by openat2 without magic links), a final one
 * if asked; "/proc/self/fd/N", "/dev/fd/N", "/dev/stdin" and alike lead to the task's own descriptor's object. Returns
 * 0, an errno, or -1: not ours to resolve (procfs, devpts, magic links): the caller answers CONTINUE. resolve: further
 * RESOLVE_ flags of openat2. */
int place_find(const struct call *call, int dirfd, const char *path, enum place_follow follow, uint64_t resolve,
	       struct place *ret_place);
/* The place of an object that is open as fd here; name is "" and folder -1; EXDEV-free, deleted files have path "". */
int place_of_fd(const struct call *call, int fd, struct place *ret_place);
void place_done(struct place *place);

/* Is anything of the plan on behalf here? false: CONTINUE, the kernel decides. */
bool place_governed(const struct place *place, unsigned govern);

/* The rule that forbids this op on this place, or NULL. Checks the grant's rights (needs: BERM_READ | WRITE | DELETE),
 * then deny, protect and their conditions ("beside", mkdir_only). op CREATE with S_IFDIR in mode is mkdir.
 * *ret_judge is set (and NULL returned) if the act is allowed only after a judge has accepted the content. */
struct place_verdict {
	const char *rule;		  /* NULL: allowed */
	int error;			  /* EACCES, EROFS, EPERM */
	const struct plan_rule *judge;	  /* allowed if this accepts the content */
};
struct place_verdict place_check(const struct call *call, const struct place *place, enum berm_request_op op, unsigned needs,
				 mode_t mode);

/* Judges the content of an open regular file, in a throw-away confined process, and gives a fresh copy of exactly what
 * was judged: *ret_copy is an O_TMPFILE or temporary file in the place's folder with the mode of the original. Returns 0, or an
 * errno with the reason in reason. */
int judge_content(const struct call *call, const struct plan_rule *rule, const struct place *place, int content_fd,
		  char *reason, size_t reason_size);

#endif
