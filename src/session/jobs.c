#include "session/jobs.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/own.h"

/* What is the command's. SIGCHLD is ours, and SIGPIPE must not end us when nobody reads the events. */
static const int passed_on[] = {
	SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT,
};

/* Those whose default is the end; what is ignored stays so, also for the command. */
static const int caught[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
static volatile sig_atomic_t kept[ARRAY_LEN(caught)];

static void keep(int signal)
{
	for (size_t i = 0; i < ARRAY_LEN(caught); i++) {
		if (caught[i] == signal)
			kept[i] = 1;
	}
}

void jobs_catch(void)
{
	struct sigaction before, action = {.sa_handler = keep, .sa_flags = SA_RESTART};
	for (size_t i = 0; i < ARRAY_LEN(caught); i++) {
		(void)sigaction(caught[i], &action, &before);
		if (before.sa_handler == SIG_IGN)
			(void)sigaction(caught[i], &before, NULL);
	}
}

static void pass_on(struct jobs *jobs, int signal)
{
	if (berm_sandbox_signal(jobs->box, signal, NULL) != BERM_OK)
		return; /* it has ended meanwhile, and the loop will hear of that */
}

static void pass_on_kept(struct jobs *jobs)
{
	for (size_t i = 0; i < ARRAY_LEN(caught); i++) {
		if (kept[i] != 0)
			pass_on(jobs, caught[i]);
		kept[i] = 0;
	}
}

enum berm_code jobs_begin(struct terminal *terminal, struct berm_sandbox *box, struct jobs *ret_jobs,
			  struct berm_err *err)
{
	sigset_t set;
	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(passed_on); i++)
		(void)sigaddset(&set, passed_on[i]);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_sys(err, "watch for signals");
	(void)sigaddset(&set, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	*ret_jobs = (struct jobs){.terminal = terminal, .box = box, .signal_fd = fd};
	pass_on_kept(ret_jobs);
	return BERM_OK;
}

void jobs_signals(struct jobs *jobs)
{
	struct signalfd_siginfo info;
	while (read(jobs->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCONT) /* "fg" has made the terminal ours; after "bg" it is not */
			terminal_give(jobs->terminal);
		pass_on(jobs, (int)info.ssi_signo);
	}
}

static bool take_pending(int signal)
{
	const struct timespec now = {0, 0};
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, signal);
	return sigtimedwait(&set, NULL, &now) == signal;
}

/* Stops us as the signal would have stopped us. True: we were stopped and have been continued. False: nobody could have
 * continued us (an orphaned process group), so the kernel did nothing. */
static bool stop_self(int signal)
{
	struct sigaction before, stop = {.sa_handler = SIG_DFL};
	/* What the terminal does reaches the whole group; a SIGSTOP was meant for one process. And not a SIGSTOP for us:
	 * it would hold where nobody is left to undo it. */
	pid_t whom = signal == SIGSTOP ? getpid() : 0;
	int how = signal == SIGSTOP ? SIGTSTP : signal;
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, how);
	(void)take_pending(SIGCONT);
	(void)sigaction(how, &stop, &before);
	(void)kill(whom, how);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL); /* here we stand still */
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)sigaction(how, &before, NULL);
	return take_pending(SIGCONT);
}

void jobs_stopped(struct jobs *jobs, int signal)
{
	bool wants_terminal = signal == SIGTTIN || signal == SIGTTOU;
	if (wants_terminal && terminal_is_ours(jobs->terminal)) {
		jobs->terminal->wanted = true;
		terminal_give(jobs->terminal);
		if (jobs->terminal->given) {
			pass_on(jobs, SIGCONT);
			return;
		}
	}
	terminal_take_back(jobs->terminal);
	if (stop_self(signal)) {
		terminal_give(jobs->terminal);
		pass_on(jobs, SIGCONT);
		return;
	}
	if (signal == SIGSTOP)
		return;	    /* whoever stopped it continues it */
	if (wants_terminal) /* it would only ask again: what the kernel does to a stopped group that is orphaned */
		pass_on(jobs, SIGHUP);
	else
		terminal_give(jobs->terminal);
	pass_on(jobs, SIGCONT);
}

void jobs_done(struct jobs *jobs)
{
	if (jobs->signal_fd >= 0)
		(void)close(jobs->signal_fd);
	jobs->signal_fd = -1;
}
