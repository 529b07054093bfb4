/* The terminal of a run: handed to the command as it is, or, where something may be asked on it, one of the command's own
 * (pty.h). */
#include "session/run_state.h"

#include <signal.h>
#include <unistd.h>

#include "base/env.h"
#include "policy/approvers.h"
#include "sandbox/plan.h"
#include "session/streams.h"

/* Is it the terminal that we belong to? */
static bool is_terminal(int fd)
{
	return tcgetpgrp(fd) >= 0;
}

bool run_has_person(void)
{
	/* In a pipeline the keys may be a pager's. */
	return tcgetpgrp(STDIN_FILENO) == getpgrp() && is_terminal(STDOUT_FILENO);
}

/* Something may be asked, and the terminal is among those who are. */
static bool may_ask_here(const struct run *run)
{
	bool ask = false;
	if ((run->input.answerers & 1U << POLICY_APPROVER_TERMINAL) == 0 || run->plan->allow_asked)
		return false;
	bool hosts = run->plan->network == BERM_NET_FILTERED && policy_says(run->policy, KEY_NET_DEFAULT, "ask");
	bool something = run->plan->ask_count > 0 || hosts;
	return something && policy_approvers_ask(&run->input, &ask, NULL) == BERM_OK && ask;
}

enum berm_code run_terminal_begin(struct run *run, struct berm_err *err)
{
	terminal_open(&run->terminal);
	if (run->pty != NULL || !may_ask_here(run))
		return BERM_OK;
	if (run->terminal_loop.epoll_fd < 0)
		TRY(ev_init(&run->terminal_loop, err));
	if (pty_new(&run->terminal_loop, env_get(run->request.envp, "TERM"), &run->pty, NULL) != BERM_OK)
		return BERM_OK; /* the policy's other answerers remain, or nobody */
	run->terminal.wanted = run->terminal.at_once = false;
	return BERM_OK;
}

void run_terminal_command(const struct run *run, struct berm_command *command)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		command->stdio[fd] =
			run->pty != NULL && is_terminal(fd) ? pty_command_fd(run->pty) : streams_for_command(fd);
	command->terminal = run->pty != NULL ? pty_command_fd(run->pty) : terminal_for_command(&run->terminal);
	command->new_session = run->pty != NULL;
}

int run_terminal_fd(const struct run *run)
{
	return run->pty != NULL ? run->terminal_loop.epoll_fd : -1;
}

int run_terminal_timeout_ms(const struct run *run)
{
	return run->pty != NULL ? ev_timeout_ms(&run->terminal_loop) : -1;
}

void run_terminal_turn(struct run *run)
{
	if (run->pty != NULL && ev_turn(&run->terminal_loop, 0, NULL) != BERM_OK)
		pty_look(run->pty); /* the next turn tries again */
}

void run_terminal_stopped(struct run *run, int signal)
{
	if (run->pty != NULL)
		pty_leave(run->pty);
	jobs_stopped(&run->jobs, signal);
	if (run->pty != NULL)
		pty_look(run->pty);
}

void run_terminal_signals(struct run *run)
{
	jobs_signals(&run->jobs);
	if (run->pty != NULL)
		pty_look(run->pty);
}

void run_terminal_end(struct run *run)
{
	pty_free(run->pty);
	run->pty = NULL;
	terminal_done(&run->terminal);
	if (run->terminal_loop.epoll_fd >= 0)
		ev_done(&run->terminal_loop);
	run->terminal_loop.epoll_fd = -1;
}
