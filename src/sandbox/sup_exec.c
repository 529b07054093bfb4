/*
 * execve and execveat are never done on behalf: Landlock decides. They come here only where all of what is refused is to
 * be told (berm_caps_tell_all), so that what a program could not start is known.
 */
#include <fcntl.h>
#include <sys/syscall.h>

#include "sandbox/sup_state.h"

static struct sup_answer tell_exec(struct call *call, int dirfd, uint64_t address, unsigned how)
{
	struct supervisor *sup = call->sup;
	struct place *place = &sup->places[0];
	if (task_path(call, address, sup->text[0], sizeof(sup->text[0])) != 0 || sup->text[0][0] == '\0' ||
	    place_find(call, dirfd, sup->text[0], how | PLACE_HERE, 0, place) != 0)
		return answer_continue();
	if (call_alive(call) && place_look(place) == 0 && S_ISREG(place->st.st_mode)) {
		sup->reason[0] = '\0';
		place_report(call, place, ACT_EXEC, sup->text[0]);
	}
	return answer_continue();
}

static struct sup_answer serve_execve(struct call *call)
{
	return tell_exec(call, AT_FDCWD, call->args[0], PLACE_FOLLOW);
}

static struct sup_answer serve_execveat(struct call *call)
{
	bool follows = ((int)call->args[4] & AT_SYMLINK_NOFOLLOW) == 0;
	return tell_exec(call, (int)call->args[0], call->args[1], follows ? PLACE_FOLLOW : PLACE_NOFOLLOW);
}

const struct sup_row sup_exec_rows[] = {
	{SYS_execve, serve_execve},
	{SYS_execveat, serve_execveat},
	{-1, NULL},
};
