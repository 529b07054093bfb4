/*
 * From what a task wrote to an object: the folder that holds it (opened), the last name, the final path, and what the
 * plan says of it.
 */
#ifndef BERM_SANDBOX_SUP_PATH_H
#define BERM_SANDBOX_SUP_PATH_H

#include <sys/stat.h>

#include "sandbox/plan_act.h"
#include "sandbox/sup_task.h"

/* Programs can go deeper than a path can tell. */
enum { PLACE_PATH_MAX = 4 * SUP_PATH_MAX };

/* A name in an opened folder, or (folder is -1) an opened object. In a governed tree nothing moves while a call is being
 * served, so what was found out about a place holds until the act. */
struct place {
	int folder; /* O_PATH descriptor of the folder that holds the name, or AT_FDCWD (PLACE_HERE); -1: the
				   * place is an object */
	int object; /* O_PATH (or the task's own) descriptor of the object, if folder is -1; else -1 */
	char name[NAME_MAX + 2]; /* last component with the slash that was written behind it, never "", "." or ".."; ""
				   * if the place is an object */
	char path[PLACE_PATH_MAX]; /* canonical: the folder's path, "/", the name without slash; "": no path at all */
	size_t path_len, name_at;  /* where the name begins in path */
	bool looked;		   /* exists and st are known */
	bool exists;
	bool slash;	/* a trailing slash was written: must be a folder */
	bool unnamed;	/* an object without a name; path, if any, is where it was made or had its name last */
	struct stat st; /* of the object, if it exists (lstat) */
	const struct plan_grant *grant;	 /* the longest grant that holds path, or NULL */
	const struct plan_ask *ask;	 /* the line by which it may be asked for, or NULL */
	const struct plan_grant *holder; /* the longest granted tree that holds the folder of path, or NULL */
};

enum place_how {
	PLACE_NOFOLLOW = 0,
	PLACE_FOLLOW = 1 << 0, /* a final symbolic link is followed */
	PLACE_BLIND = 1 << 1,  /* the name is not looked up: the act itself tells whether it exists (not with FOLLOW) */
	PLACE_EVERYWHERE = 1 << 2, /* /dev, which is never governed, is resolved as well; procfs still is not */
	PLACE_FOLDERS = 1 << 4,	   /* a last name of "." or ".." gives the folder, as an object */
	PLACE_HERE = 1 << 3, /* the folder may be AT_FDCWD, if it is the one the path starts from: until the answer
				    * the supervisor then stays there */
};

void place_init(struct place *ret_place); /* holds nothing */
/* Resolves path as the task would. Symbolic links in folders are followed (by openat2 without magic links), a final one
 * if asked; "/proc/self/fd/N", "/dev/fd/N", "/dev/stdin" and alike lead to the object of the task's own descriptor.
 * Returns 0, an errno, or -1: not ours to resolve (procfs, devices, magic links, a last name of "." or ".."): the caller
 * answers CONTINUE. resolve: further RESOLVE_ flags of openat2. ret_place is to be given to place_done in any case. */
int place_find(const struct call *call, int dirfd, const char *path, unsigned how, uint64_t resolve,
	       struct place *ret_place);
/* The place that path leads to if it passes no symbolic link, by the text alone; neither folder nor object is open, and a
 * relative path starts from the current folder then. To be acted on with RESOLVE_NO_SYMLINKS. -1: it takes more than the
 * text to tell. */
int place_guess(const struct call *call, int dirfd, const char *path, struct place *ret_place);
bool place_is_plain(const char *path);
/* The place of a folder named as a whole ("." and ".." and "/" too): an object. */
int place_find_folder(const struct call *call, int dirfd, const char *path, uint64_t resolve, struct place *ret_place);
/* The place of a name in an opened folder, which the place then owns. The name is not looked up. */
int place_in_folder(const struct call *call, int folder, const char *name, struct place *ret_place);
/* The place of an object that is open as fd here, which the place then owns. */
int place_of_fd(const struct call *call, int fd, struct place *ret_place);
/* The same for a descriptor of the task, opened anew as O_PATH. */
int place_of_task_fd(const struct call *call, int number, struct place *ret_place);
void place_done(struct place *place);
/* Looks the name up if that was not done yet. 0, or an errno (a name that is not there is none). */
int place_look(struct place *place);
/* Opens the object as O_PATH, without following a link. 0, or an errno. */
int place_open_object(const struct place *place, int *ret_fd);

/* Is anything of the plan on behalf here? false: CONTINUE, the kernel decides. */
bool place_governed(const struct place *place, unsigned govern);
/* The same for the names in the folder of the place. */
bool place_folder_governed(const struct place *place);
/* Is it in a folder that is the sandbox's own, to do as it likes? */
bool place_own(const struct call *call, const struct place *place);

/* May this be done here? The rights of the grant, then deny, protect and replace rules with their conditions. mode: the
 * new permissions of ACT_MODE. */
struct place_verdict place_judge_act(const struct call *call, const struct place *place, enum place_act act,
				     mode_t mode);
/* What is told of an act, without a detail and an error. as: the path as the task wrote it. */
struct sup_notice place_notice(const struct place *place, enum place_act act, const char *as, const char *rule);
/* Tells of a refusal, with sup->reason as its detail, and answers it. */
struct sup_answer place_refuse(struct call *call, const struct place *place, enum place_act act, const char *as,
			       const char *rule, int error);
/* The act goes to the kernel. If it will be refused there for want of a grant, and for nothing else, that is told. */
void place_report(struct call *call, struct place *place, enum place_act act, const char *as);

/* May it be done, by the verdict (refused with a rule or an error)? Asks if that says so, and holds what was asked about:
 * the object (of an act that is of the name: its folder) is the place's from then on, as it can be changed. false:
 * *ret_answer is the handler's; the refusal was told, or another process goes on with the call. */
bool place_permits(struct call *call, struct place *place, enum place_act act, const char *as,
		   const struct place_verdict *verdict, struct sup_answer *ret_answer);
/* Holds one of two places that one question is about. 0, or an errno. */
int place_hold(const struct call *call, struct place *place, enum place_act act);

/* Must the name stay where it is, because the plan grants or denies this path, or one below it, by name? */
bool place_pinned(const struct call *call, const struct place *place, bool folder);
/* The rule that a symbolic link of this name would lead around, or NULL: below a link lies what lies elsewhere. */
const struct plan_rule *place_link_rule(const struct call *call, const struct place *place);
/* May the folder at from become one at to without anything in it changing the rules it lies under? Names that exist are
 * looked at, at most SUP_WALK_ENTRIES. Returns 0; EACCES with the rule; EXDEV: too much to look at, so it is for the
 * task to copy. */
int place_check_move(const struct call *call, const struct place *from, const struct place *to, const char **ret_rule);
/* A name that rules wait for ("beside") is about to appear in the folder of place: do they allow what is there already?
 * Contents that need a judge are judged and replaced by fresh copies. 0, or an errno with the rule, and the reason in
 * sup->reason. */
bool place_is_awaited(const struct call *call, const struct place *place);
int place_check_beside(const struct call *call, const struct place *place, const char **ret_rule);

/* Judges the content of an open regular file in a throw-away confined process (rule is NULL: takes it as it is), and makes a fresh copy of exactly what
 * was judged, with permissions and time of the original, under a temporary name in folder. target: the path that the
 * content will have. Returns 0, or an errno with the reason in sup->reason. */
enum { JUDGE_NAME_SIZE = 32 };
int judge_content(const struct call *call, const struct plan_rule *rule, int folder, const char *target, int content_fd,
		  char ret_name[static JUDGE_NAME_SIZE]);

#endif
