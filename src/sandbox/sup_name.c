/*
 * Calls that make, remove, move or link names, and truncate. Errors that the kernel would find before it asks about
 * rights are left to it, or looked for first, so that a program sees the same errno as without a sandbox.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"
#include "os/sys.h"
#include "sandbox/sup_state.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1 << 0)
#define RENAME_EXCHANGE (1 << 1)
#endif

/* Reads a path argument into text[which] and finds the place. 0, errno or -1 as place_find. */
static int find_named(struct call *call, int which, int dirfd, uint64_t address, unsigned how)
{
	struct supervisor *sup = call->sup;
	sup->reason[0] = '\0';
	int error = task_path(call, address, sup->text[which], sizeof(sup->text[which]));
	if (error == 0)
		error = place_find(call, dirfd, sup->text[which], how, 0, &sup->places[which]);
	/* Where others' files are, it must be known whose it is. */
	return error == 0 && sup->places[which].holder == &sup->shared ? place_look(&sup->places[which]) : error;
}

/* What an act that takes one name has in common. *ret_answer is set if there is nothing more to do. */
static bool is_settled(struct call *call, int error, enum place_act act, struct sup_answer *ret_answer)
{
	struct place *place = &call->sup->places[0];
	if (error == 0 && !call_alive(call))
		error = ESRCH;
	if (error > 0) {
		*ret_answer = answer_errno(error);
		return true;
	}
	if (error == 0 && place_folder_governed(place))
		return false;
	if (error == 0)
		place_report(call, place, act, call->sup->text[0]);
	*ret_answer = answer_continue();
	return true;
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

static struct place_verdict judge_making(const struct call *call, const struct place *place, enum place_act act)
{
	struct place_verdict verdict = place_judge_act(call, place, act, 0);
	const struct plan_rule *around = NULL;
	if (verdict.rule == NULL && act == ACT_SYMLINK)
		around = place_link_rule(call, place);
	if (around != NULL)
		verdict = (struct place_verdict){.rule = around->label, .error = EACCES};
	return verdict;
}

/* May the name come to be? Else *ret_answer says why. That it is there already, the act finds out by itself, unless
 * something else is in the way. */
static bool may_make(struct call *call, int which, enum place_act act, struct sup_answer *ret_answer)
{
	struct supervisor *sup = call->sup;
	struct place *place = &sup->places[which];
	struct place_verdict verdict = judge_making(call, place, act);
	if (verdict.rule == NULL && verdict.ask == NULL && !place_is_awaited(call, place))
		return true;
	int error = place_look(place);
	if (error == 0 && place->exists)
		error = EEXIST;
	if (error != 0) {
		*ret_answer = answer_errno(error);
		return false;
	}
	if (verdict.rule == NULL)
		verdict.error = place_check_beside(call, place, &verdict.rule);
	return place_permits(call, place, act, sup->text[which], &verdict, ret_answer);
}

static struct sup_answer make_folder(struct call *call, int dirfd, uint64_t address, mode_t mode)
{
	struct sup_answer answer;
	int error = find_named(call, 0, dirfd, address, PLACE_HERE | PLACE_BLIND);
	if (is_settled(call, error, ACT_MKDIR, &answer) || !may_make(call, 0, ACT_MKDIR, &answer))
		return answer;
	error = task_umask(call, NULL);
	if (error != 0)
		return answer_errno(error);
	return answer_result(mkdirat(call->sup->places[0].folder, call->sup->places[0].name, mode));
}

static struct sup_answer make_node(struct call *call, int dirfd, uint64_t address, mode_t mode, uint64_t device)
{
	struct sup_answer answer;
	const struct place *place = &call->sup->places[0];
	int error = find_named(call, 0, dirfd, address, PLACE_HERE | PLACE_BLIND);
	if (is_settled(call, error, ACT_MAKE, &answer))
		return answer;
	bool known = (mode & S_IFMT) == 0 || S_ISREG(mode) || S_ISFIFO(mode) || S_ISSOCK(mode);
	if (!known) /* devices, and types that are none: the kernel has an errno for each */
		return answer_continue();
	if (!may_make(call, 0, ACT_MAKE, &answer))
		return answer;
	error = task_umask(call, NULL);
	if (error != 0)
		return answer_errno(error);
	return answer_result(mknodat(place->folder, place->name, mode, (dev_t)device));
}

static size_t folder_depth(const struct place *place)
{
	size_t depth = 0;
	for (size_t i = 1; i < place->name_at; i++)
		depth += place->path[i] == '/';
	return depth;
}

/* Does a symbolic link at place say that it leads to /proc, /dev/fd, or the /proc/NUMBER of any place? Whoever follows it
 * outside would see the files of the sandbox by way of its processes (/proc/NUMBER/root), which no rule is asked about. */
static bool leads_into_proc(const struct place *place, const char *target)
{
	struct str rest = str_from(target), name, last = STR("");
	size_t depth = target[0] == '/' ? 0 : folder_depth(place); /* of last, from "/" */
	bool last_on_top = false;
	while (str_next(&rest, '/', &name)) {
		if (name.len == 0 || str_eq(name, STR(".")))
			continue;
		if ((str_eq(last, STR("proc")) && str_is_number(name)) ||
		    (last_on_top && str_eq(last, STR("dev")) && str_eq(name, STR("fd"))))
			return true;
		bool up = str_eq(name, STR(".."));
		last_on_top = !up && depth == 0;
		if (last_on_top && str_eq(name, STR("proc")))
			return true;
		depth = !up ? depth + 1 : depth > 0 ? depth - 1 : 0;
		last = name;
	}
	return false;
}

static struct sup_answer make_symlink(struct call *call, uint64_t target, int dirfd, uint64_t address)
{
	struct sup_answer answer;
	struct supervisor *sup = call->sup;
	const struct place *place = &sup->places[0];
	int error = task_path(call, target, sup->text[1], sizeof(sup->text[1]));
	if (error == 0 && sup->text[1][0] == '\0')
		error = ENOENT;
	if (error == 0)
		error = find_named(call, 0, dirfd, address, PLACE_HERE | PLACE_BLIND);
	if (is_settled(call, error, ACT_SYMLINK, &answer) || !may_make(call, 0, ACT_SYMLINK, &answer))
		return answer;
	if (leads_into_proc(place, sup->text[1]))
		return place_refuse(call, place, ACT_SYMLINK, sup->text[0], "links into /proc", EACCES);
	return answer_result(symlinkat(sup->text[1], place->folder, place->name));
}

/* ---- removing ---------------------------------------------------------------------------------------------------- */

/* Do the permissions of its folder let nothing in it be changed? */
static bool is_closed(const struct place *place)
{
	return place->folder != -1 && faccessat(place->folder, ".", W_OK | X_OK, AT_EACCESS) < 0 && errno == EACCES;
}

/* What the kernel finds before it asks about rights. */
static int remove_errno(struct place *place, bool folder)
{
	int error = place_look(place);
	if (error != 0 || !place->exists)
		return error != 0 ? error : ENOENT;
	if (folder != S_ISDIR(place->st.st_mode) && (folder || !place->slash) && is_closed(place))
		return EACCES;
	if (folder)
		return S_ISDIR(place->st.st_mode) ? 0 : ENOTDIR;
	if (S_ISDIR(place->st.st_mode))
		return EISDIR;
	return place->slash ? ENOTDIR : 0;
}

static struct sup_answer remove_name(struct call *call, int dirfd, uint64_t address, int flags)
{
	struct sup_answer answer;
	struct place *place = &call->sup->places[0];
	bool folder = (flags & AT_REMOVEDIR) != 0;
	enum place_act act = folder ? ACT_RMDIR : ACT_REMOVE;
	if ((flags & ~AT_REMOVEDIR) != 0)
		return answer_errno(EINVAL);
	int error = find_named(call, 0, dirfd, address, PLACE_HERE | PLACE_BLIND);
	if (is_settled(call, error, act, &answer))
		return answer;
	struct place_verdict verdict = place_judge_act(call, place, act, 0);
	bool pinned = place_pinned(call, place, false);
	if (verdict.rule == NULL && verdict.ask == NULL && !pinned)
		return answer_result(unlinkat(place->folder, place->name, flags));
	error = remove_errno(place, folder);
	if (error == 0 && pinned)
		error = EBUSY;
	if (error != 0)
		return answer_errno(error);
	if (!place_permits(call, place, act, call->sup->text[0], &verdict, &answer))
		return answer;
	return answer_result(unlinkat(place->folder, place->name, flags));
}

/* ---- linking ----------------------------------------------------------------------------------------------------- */

/* The other name of a call that takes two, for whoever is asked. */
static void say_other(struct supervisor *sup, const char *word, const char *path)
{
	size_t at = 0;
	(void)text_put(sup->reason, sizeof(sup->reason), &at, word);
	if (!text_put(sup->reason, sizeof(sup->reason), &at, path))
		(void)text_put(sup->reason, sizeof(sup->reason), &at, "a name that is too long to be told");
}

/* Where a name is taken to, nothing may be allowed that was not where it came from. */
static bool gains_rights(const struct plan_grant *from, const struct plan_grant *to)
{
	if (from == NULL || from->closed != to->closed || (from->closed && from != to))
		return true;
	return (to->rights & ~from->rights) != 0;
}

static struct sup_answer link_object(const struct place *from, const struct place *to, int proc_fd)
{
	char name[SUP_PROC_SIZE];
	if (from->object < 0)
		return answer_result(linkat(from->folder, from->name, to->folder, to->name, 0));
	self_fd_name(name, from->object);
	return answer_result(linkat(proc_fd, name, to->folder, to->name, AT_SYMLINK_FOLLOW));
}

/* One question is asked, about the new name; the object is held as well. ask: the line that asks about the object, or
 * NULL. */
static struct sup_answer link_asked(struct call *call, const char *ask)
{
	struct sup_answer answer;
	struct supervisor *sup = call->sup;
	struct place *from = &sup->places[0], *to = &sup->places[1];
	/* A further name of a symbolic link leads where that leads. */
	struct place_verdict verdict = judge_making(call, to, S_ISLNK(from->st.st_mode) ? ACT_SYMLINK : ACT_LINK);
	if (verdict.rule == NULL)
		verdict.error = place_check_beside(call, to, &verdict.rule);
	verdict.ask = verdict.ask != NULL ? verdict.ask : ask;
	say_other(sup, "of ", from->path);
	int error = verdict.rule == NULL && verdict.error == 0 ? place_hold(call, from, ACT_LEAVE) : 0;
	if (error != 0)
		return answer_errno(error);
	return place_permits(call, to, ACT_LINK, sup->text[1], &verdict, &answer) ? link_object(from, to, sup->proc_fd)
										  : answer;
}

/* Both places are known and the new one is governed. */
static struct sup_answer link_places(struct call *call)
{
	struct sup_answer answer;
	struct supervisor *sup = call->sup;
	struct place *from = &sup->places[0], *to = &sup->places[1];
	if (to->exists)
		return answer_errno(EEXIST);
	if (to->slash)
		return answer_errno(ENOENT);
	if (S_ISDIR(from->st.st_mode))
		return answer_errno(is_closed(to) ? EACCES : EPERM);
	if (!place_governed(from, GOVERN_WRITE))
		return answer_errno(EXDEV);
	struct place_verdict verdict = place_judge_act(call, from, ACT_LINK_FROM, 0);
	if (verdict.rule != NULL)
		return place_refuse(call, from, ACT_LINK_FROM, sup->text[0], verdict.rule, verdict.error);
	if (verdict.ask != NULL || place_judge_act(call, to, ACT_LINK, 0).ask != NULL)
		return link_asked(call, verdict.ask);
	if (gains_rights(from->grant, to->holder))
		return answer_errno(EXDEV);
	if (S_ISLNK(from->st.st_mode)) { /* a further name of a symbolic link leads around rules as a new one would */
		const struct plan_rule *around = place_link_rule(call, to);
		if (around != NULL)
			return place_refuse(call, to, ACT_LINK, sup->text[1], around->label, EACCES);
	}
	return may_make(call, 1, ACT_LINK, &answer) ? link_object(from, to, sup->proc_fd) : answer;
}

/* What is linked. A slash behind a symbolic link means what it leads to. */
static int find_linked(struct call *call, int dirfd, uint64_t address, int flags)
{
	const struct place *place = &call->sup->places[0];
	unsigned follow = (flags & AT_SYMLINK_FOLLOW) != 0 ? PLACE_FOLLOW : 0U;
	int error = find_named(call, 0, dirfd, address, PLACE_FOLDERS | follow);
	if (error != 0 || follow != 0 || !place->slash || !place->exists || !S_ISLNK(place->st.st_mode))
		return error;
	place_done(&call->sup->places[0]);
	return find_named(call, 0, dirfd, address, PLACE_FOLDERS | PLACE_FOLLOW);
}

static struct sup_answer make_link(struct call *call, int from_dirfd, uint64_t from, int to_dirfd, uint64_t to,
				   int flags)
{
	struct supervisor *sup = call->sup;
	if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) != 0)
		return answer_errno(EINVAL);
	int error = find_linked(call, from_dirfd, from, flags);
	if (error == ENOENT && sup->text[0][0] == '\0' && (flags & AT_EMPTY_PATH) != 0) {
		int fd = -1;
		error = task_dirfd(call, from_dirfd, &fd);
		if (error == 0)
			error = place_of_fd(call, fd, &sup->places[0]);
	}
	const struct place *old = &sup->places[0];
	if (error == 0 && (!old->exists || (old->slash && !S_ISDIR(old->st.st_mode))))
		error = old->exists ? ENOTDIR : ENOENT; /* found before the new name is looked at */
	if (error != 0)
		return error > 0 ? answer_errno(error) : answer_continue();
	int to_error = find_named(call, 1, to_dirfd, to, PLACE_NOFOLLOW);
	if (to_error > 0)
		return answer_errno(to_error);
	if (!call_alive(call))
		return answer_errno(ESRCH);
	if (to_error < 0 || !place_folder_governed(&sup->places[1])) {
		if (to_error == 0)
			place_report(call, &sup->places[1], ACT_LINK, sup->text[1]);
		return answer_continue();
	}
	return link_places(call);
}

/* ---- renaming ---------------------------------------------------------------------------------------------------- */

struct renaming {
	struct call *call;
	unsigned flags;
	const struct plan_rule *judge; /* must accept what arrives at the new name */
	const char *ask;	       /* the line that asks about one of its acts, or NULL */
	struct sup_answer answer;
};

static enum place_act arrival_of(mode_t mode)
{
	return S_ISREG(mode) ? ACT_ARRIVE_FILE : S_ISDIR(mode) ? ACT_ARRIVE_FOLDER : ACT_ARRIVE_OTHER;
}

static bool refused(struct renaming *renaming, int which, enum place_act act, const char *rule, int error)
{
	struct supervisor *sup = renaming->call->sup;
	renaming->answer = place_refuse(renaming->call, &sup->places[which], act, sup->text[which], rule, error);
	return true;
}

static bool act_refused(struct renaming *renaming, int which, enum place_act act, const struct plan_rule **ret_judge)
{
	const struct place *place = &renaming->call->sup->places[which];
	struct place_verdict verdict = place_judge_act(renaming->call, place, act, 0);
	if (verdict.rule != NULL)
		return refused(renaming, which, act, verdict.rule, verdict.error);
	if (ret_judge != NULL)
		*ret_judge = verdict.judge;
	if (verdict.ask != NULL)
		renaming->ask = verdict.ask;
	return false;
}

/* One way of a rename: what is at places[from] comes to places[to]. */
static bool way_refused(struct renaming *renaming, int from, int to, const struct plan_rule **ret_judge)
{
	struct call *call = renaming->call;
	const struct place *source = &call->sup->places[from], *target = &call->sup->places[to];
	mode_t mode = source->st.st_mode;
	const char *rule = NULL;
	enum place_act arrival = arrival_of(mode);
	if (act_refused(renaming, from, ACT_LEAVE, NULL) || act_refused(renaming, to, arrival, ret_judge))
		return true;
	if (S_ISLNK(mode)) {
		const struct plan_rule *around = place_link_rule(call, target);
		if (around != NULL)
			return refused(renaming, to, arrival, around->label, EACCES);
	}
	if (!S_ISDIR(mode))
		return false;
	int error = place_check_move(call, source, target, &rule);
	if (error == EACCES && rule != NULL)
		return refused(renaming, to, arrival, rule, error);
	renaming->answer = answer_errno(error);
	return error != 0;
}

/* The content is judged and its copy takes the name; then the old name goes. */
static struct sup_answer rename_judged(struct renaming *renaming)
{
	struct supervisor *sup = renaming->call->sup;
	const struct place *from = &sup->places[0], *to = &sup->places[1];
	char copy[JUDGE_NAME_SIZE];
	auto_fd int fd = openat(from->folder, from->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return answer_errno(errno);
	int error = judge_content(renaming->call, renaming->judge, to->folder, to->path, fd, copy);
	if (error == EACCES)
		return place_refuse(renaming->call, to, ACT_ARRIVE_FILE, sup->text[1], renaming->judge->label, error);
	if (error != 0)
		return answer_errno(error);
	if (renameat2(to->folder, copy, to->folder, to->name, renaming->flags) < 0) {
		error = errno;
		(void)unlinkat(to->folder, copy, 0);
		return answer_errno(error);
	}
	return answer_result(unlinkat(from->folder, from->name, 0));
}

static bool lies_below(const struct place *place, const struct place *folder)
{
	return place->path_len > folder->path_len && place->path[folder->path_len] == '/' &&
	       memcmp(place->path, folder->path, folder->path_len) == 0;
}

/* A slash behind the name of what is no folder, and does not become one. */
static bool has_vain_slash(const struct place *from, const struct place *to, bool exchange)
{
	bool to_folder = S_ISDIR((exchange ? to : from)->st.st_mode);
	return (from->slash && !S_ISDIR(from->st.st_mode)) || (to->slash && !to_folder);
}

/* What the kernel would find before it asks about rights. */
static int rename_errno(const struct renaming *renaming)
{
	const struct place *from = &renaming->call->sup->places[0], *to = &renaming->call->sup->places[1];
	bool exchange = (renaming->flags & RENAME_EXCHANGE) != 0;
	if (!from->exists || (exchange && !to->exists))
		return ENOENT;
	if (to->exists && (renaming->flags & RENAME_NOREPLACE) != 0)
		return EEXIST;
	bool folder = S_ISDIR(from->st.st_mode);
	if (has_vain_slash(from, to, exchange))
		return ENOTDIR;
	if (lies_below(to, from))
		return EINVAL;
	if (lies_below(from, to))
		return exchange ? EINVAL : ENOTEMPTY;
	if (!to->exists || exchange)
		return 0;
	if (folder != S_ISDIR(to->st.st_mode) && (is_closed(from) || is_closed(to)))
		return EACCES;
	return folder == S_ISDIR(to->st.st_mode) ? 0 : folder ? ENOTDIR : EISDIR;
}

/* What gets a judged content is not removed by that, so no rule is asked; the right to rename over it is needed. */
static bool replacing_refused(struct renaming *renaming)
{
	const struct place *to = &renaming->call->sup->places[1];
	if (renaming->judge == NULL || to->holder == NULL)
		return act_refused(renaming, 1, ACT_REMOVE, NULL);
	if ((to->holder->rights & BERM_DELETE) != 0)
		return false;
	return refused(renaming, 1, ACT_REMOVE, renaming->judge->label, EACCES);
}

/* Where each end lies: 0, or EXDEV (so that it is copied, file by file) or EBUSY. */
static int ends_errno(const struct renaming *renaming)
{
	const struct call *call = renaming->call;
	const struct place *from = &call->sup->places[0], *to = &call->sup->places[1];
	bool exchange = (renaming->flags & RENAME_EXCHANGE) != 0;
	if (!place_folder_governed(from) || !place_folder_governed(to))
		return EXDEV;
	bool gains = gains_rights(from->holder, to->holder) || (exchange && gains_rights(to->holder, from->holder));
	if (gains && from->ask == NULL && to->ask == NULL)
		return EXDEV;
	bool pinned = place_pinned(call, from, S_ISDIR(from->st.st_mode)) ||
		      (to->exists && place_pinned(call, to, S_ISDIR(to->st.st_mode)));
	return pinned ? EBUSY : 0;
}

/* What rules say to what goes, comes and is replaced. */
static bool rename_refused(struct renaming *renaming)
{
	const struct place *to = &renaming->call->sup->places[1];
	bool exchange = (renaming->flags & RENAME_EXCHANGE) != 0;
	const struct plan_rule *back = NULL;
	if (way_refused(renaming, 0, 1, &renaming->judge) || (exchange && way_refused(renaming, 1, 0, &back)))
		return true;
	if (exchange && (renaming->judge != NULL || back != NULL))
		return refused(renaming, 1, ACT_ARRIVE_FILE, (back != NULL ? back : renaming->judge)->label, EACCES);
	return to->exists && !exchange && replacing_refused(renaming);
}

/* One question, about the new name. Both folders are held: only names of the same mount can be renamed into each other. */
static bool rename_permitted(struct renaming *renaming)
{
	struct supervisor *sup = renaming->call->sup;
	struct place *from = &sup->places[0], *to = &sup->places[1];
	const struct place_verdict verdict = {.ask = renaming->ask};
	say_other(sup, (renaming->flags & RENAME_EXCHANGE) != 0 ? "exchanged with " : "from ", from->path);
	int error = place_hold(renaming->call, from, ACT_LEAVE);
	renaming->answer = answer_errno(error);
	return error == 0 && place_permits(renaming->call, to, arrival_of(from->st.st_mode), sup->text[1], &verdict,
					   &renaming->answer);
}

static struct sup_answer rename_places(struct renaming *renaming)
{
	struct call *call = renaming->call;
	struct supervisor *sup = call->sup;
	const struct place *from = &sup->places[0], *to = &sup->places[1];
	const char *rule = NULL;
	int error = rename_errno(renaming);
	if (error == 0 && strcmp(from->path, to->path) == 0)
		return answer_value(0);
	if (error == 0)
		error = ends_errno(renaming);
	if (error != 0)
		return answer_errno(error);
	if (rename_refused(renaming))
		return renaming->answer;
	error = place_check_beside(call, to, &rule);
	if (error == 0 && (renaming->flags & RENAME_EXCHANGE) != 0)
		error = place_check_beside(call, from, &rule);
	if (error != 0)
		return place_refuse(call, to, arrival_of(from->st.st_mode), sup->text[1], rule, error);
	if (renaming->ask != NULL && !rename_permitted(renaming))
		return renaming->answer;
	if (renaming->judge != NULL)
		return rename_judged(renaming);
	return answer_result(renameat2(from->folder, from->name, to->folder, to->name, renaming->flags));
}

static struct sup_answer rename_name(struct call *call, int from_dirfd, uint64_t from, int to_dirfd, uint64_t to,
				     unsigned flags)
{
	struct renaming renaming = {.call = call, .flags = flags};
	struct supervisor *sup = call->sup;
	const unsigned either = RENAME_NOREPLACE | RENAME_EXCHANGE;
	/* With a whiteout a rename leaves a device behind: as on a file system that does not have them. */
	if ((flags & ~either) != 0 || flags == either)
		return answer_errno(EINVAL);
	int from_error = find_named(call, 0, from_dirfd, from, PLACE_NOFOLLOW);
	if (from_error != 0)
		return from_error > 0 ? answer_errno(from_error) : answer_continue();
	int to_error = find_named(call, 1, to_dirfd, to, PLACE_NOFOLLOW);
	if (to_error > 0)
		return answer_errno(to_error);
	if (!call_alive(call))
		return answer_errno(ESRCH);
	if (to_error < 0 || (!place_folder_governed(&sup->places[0]) && !place_folder_governed(&sup->places[1]))) {
		if (to_error == 0 && sup->places[0].exists)
			place_report(call, &sup->places[1], ACT_ARRIVE_FILE, sup->text[1]);
		return answer_continue();
	}
	return rename_places(&renaming);
}

/* ---- truncating -------------------------------------------------------------------------------------------------- */

struct truncating {
	int object;
	off_t len;
	int wait; /* O_NONBLOCK: do not */
};

static struct sup_answer truncate_object(struct call *call, void *ctx)
{
	const struct truncating *truncating = ctx;
	char name[SUP_PROC_SIZE];
	self_fd_name(name, truncating->object);
	auto_fd int fd = openat(call->sup->proc_fd, name, O_WRONLY | O_CLOEXEC | truncating->wait);
	return answer_result(fd < 0 ? -1 : ftruncate(fd, truncating->len));
}

/* As with an open, the holder of a lease is waited for by a helper process. */
static struct sup_answer truncate_place(struct call *call, const struct place *place, off_t len)
{
	auto_fd int object = -1;
	int error = place_open_object(place, &object);
	if (error != 0)
		return answer_errno(error);
	struct truncating truncating = {.object = object, .len = len, .wait = O_NONBLOCK};
	struct sup_answer answer = truncate_object(call, &truncating);
	if (answer.kind != SUP_DENY || answer.error != EWOULDBLOCK)
		return answer;
	truncating.wait = 0;
	return call_in_helper(call, truncate_object, &truncating);
}

static struct sup_answer serve_truncate(struct call *call)
{
	struct supervisor *sup = call->sup;
	struct place *place = &sup->places[0];
	off_t len = (off_t)call->args[1];
	if (len < 0)
		return answer_errno(EINVAL);
	int error = find_named(call, 0, AT_FDCWD, call->args[0], PLACE_FOLLOW | PLACE_HERE);
	if (error == 0 && !call_alive(call))
		error = ESRCH;
	if (error != 0)
		return error > 0 ? answer_errno(error) : answer_continue();
	if (!place->exists)
		return answer_errno(ENOENT);
	bool vain = !S_ISREG(place->st.st_mode) || place->slash;
	if (vain || !place_governed(place, GOVERN_WRITE)) {
		if (!vain)
			place_report(call, place, ACT_WRITE, sup->text[0]);
		return answer_continue();
	}
	struct place_verdict verdict = place_judge_act(call, place, ACT_WRITE, 0);
	struct sup_answer answer;
	if (!place_permits(call, place, ACT_WRITE, sup->text[0], &verdict, &answer))
		return answer;
	if (len > place->st.st_size && (uint64_t)len > task_file_limit(call)) {
		(void)syscall(SYS_tkill, call->tid, SIGXFSZ);
		return answer_errno(EFBIG);
	}
	return truncate_place(call, place, len);
}

/* ---- the calls --------------------------------------------------------------------------------------------------- */

static struct sup_answer serve_mkdirat(struct call *call)
{
	return make_folder(call, (int)call->args[0], call->args[1], (mode_t)call->args[2]);
}

static struct sup_answer serve_mknodat(struct call *call)
{
	return make_node(call, (int)call->args[0], call->args[1], (mode_t)call->args[2], call->args[3]);
}

static struct sup_answer serve_symlinkat(struct call *call)
{
	return make_symlink(call, call->args[0], (int)call->args[1], call->args[2]);
}

static struct sup_answer serve_unlinkat(struct call *call)
{
	return remove_name(call, (int)call->args[0], call->args[1], (int)call->args[2]);
}

static struct sup_answer serve_linkat(struct call *call)
{
	return make_link(call, (int)call->args[0], call->args[1], (int)call->args[2], call->args[3],
			 (int)call->args[4]);
}

static struct sup_answer serve_renameat2(struct call *call)
{
	return rename_name(call, (int)call->args[0], call->args[1], (int)call->args[2], call->args[3],
			   (unsigned)call->args[4]);
}

#ifdef SYS_renameat
static struct sup_answer serve_renameat(struct call *call)
{
	return rename_name(call, (int)call->args[0], call->args[1], (int)call->args[2], call->args[3], 0);
}
#endif

#ifdef SYS_mkdir
static struct sup_answer serve_mkdir(struct call *call)
{
	return make_folder(call, AT_FDCWD, call->args[0], (mode_t)call->args[1]);
}

static struct sup_answer serve_mknod(struct call *call)
{
	return make_node(call, AT_FDCWD, call->args[0], (mode_t)call->args[1], call->args[2]);
}

static struct sup_answer serve_symlink(struct call *call)
{
	return make_symlink(call, call->args[0], AT_FDCWD, call->args[1]);
}

static struct sup_answer serve_unlink(struct call *call)
{
	return remove_name(call, AT_FDCWD, call->args[0], 0);
}

static struct sup_answer serve_rmdir(struct call *call)
{
	return remove_name(call, AT_FDCWD, call->args[0], AT_REMOVEDIR);
}

static struct sup_answer serve_link(struct call *call)
{
	return make_link(call, AT_FDCWD, call->args[0], AT_FDCWD, call->args[1], 0);
}

static struct sup_answer serve_rename(struct call *call)
{
	return rename_name(call, AT_FDCWD, call->args[0], AT_FDCWD, call->args[1], 0);
}
#endif

const struct sup_row sup_name_rows[] = {
	{SYS_mkdirat, serve_mkdirat},
	{SYS_mknodat, serve_mknodat},
	{SYS_symlinkat, serve_symlinkat},
	{SYS_unlinkat, serve_unlinkat},
	{SYS_linkat, serve_linkat},
	{SYS_renameat2, serve_renameat2},
	{SYS_truncate, serve_truncate},
#ifdef SYS_renameat
	{SYS_renameat, serve_renameat},
#endif
#ifdef SYS_mkdir
	{SYS_mkdir, serve_mkdir},
	{SYS_mknod, serve_mknod},
	{SYS_symlink, serve_symlink},
	{SYS_unlink, serve_unlink},
	{SYS_rmdir, serve_rmdir},
	{SYS_link, serve_link},
	{SYS_rename, serve_rename},
#endif
	{-1, NULL},
};
