/*
 * stepper: runs a program and all its descendants under ptrace, counts their system calls, and kills one of them when
 * the count is reached; then lets go of the others and waits for a while.
 *
 *   stepper COUNT ROLE PROGRAM [ARG...]
 *
 * COUNT 0 only counts: everything is killed 60 calls after the last descendant's exec. ROLE is who is killed: "first"
 * (the program itself), "helper" (its youngest living child), "caller" (whoever makes the call). Prints
 * "calls N exec M killed PID": the calls seen, the count at the exec of a descendant (0: none), and who was killed.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_TASKS = 512, BEYOND = 60, PATIENCE_MS = 1500 };

struct task {
	pid_t pid, parent;
	bool alive, inside, fresh;
};

static struct task tasks[MAX_TASKS];
static int count_of_tasks;
static long calls, exec_at, limit;
static pid_t first, killed;
static const char *role;
static bool letting_go;

static struct task *task_of(pid_t pid, pid_t parent)
{
	for (int i = 0; i < count_of_tasks; i++)
		if (tasks[i].pid == pid && tasks[i].alive) {
			if (parent)
				tasks[i].parent = parent;
			return &tasks[i];
		}
	if (count_of_tasks == MAX_TASKS)
		exit(3);
	tasks[count_of_tasks] = (struct task){.pid = pid, .parent = parent, .alive = true, .fresh = true};
	return &tasks[count_of_tasks++];
}

static int living(void)
{
	int n = 0;
	for (int i = 0; i < count_of_tasks; i++)
		n += tasks[i].alive;
	return n;
}

/* Who plays the role now; 0 if nobody does. */
static pid_t target(pid_t caller)
{
	if (strcmp(role, "first") == 0)
		return first;
	if (strcmp(role, "caller") == 0)
		return caller;
	for (int i = count_of_tasks - 1; i >= 0; i--)
		if (tasks[i].alive && tasks[i].parent == first)
			return tasks[i].pid;
	return 0;
}

static void strike(pid_t caller)
{
	pid_t pid = target(caller);
	if (pid == 0)
		return;
	kill(pid, SIGKILL);
	killed = pid;
	letting_go = true;
}

static void count_call(struct task *task)
{
	task->inside = !task->inside;
	if (!task->inside || letting_go)
		return;
	calls++;
	if (limit ? calls >= limit : exec_at && calls >= exec_at + BEYOND)
		strike(task->pid);
}

/* Whoever is let go of is no longer waited for; whoever sleeps in a call stays until that ends. */
static void go_on(pid_t pid, int sig)
{
	ptrace(letting_go ? PTRACE_DETACH : PTRACE_SYSCALL, pid, NULL, (void *)(long)sig);
	if (letting_go && pid != killed)
		task_of(pid, 0)->alive = false;
}

static void on_event(struct task *task, int event)
{
	unsigned long message = 0;
	if (event == PTRACE_EVENT_EXEC) {
		task->inside = true;
		if (task->pid != first)
			exec_at = calls;
		return;
	}
	ptrace(PTRACE_GETEVENTMSG, task->pid, NULL, &message);
	if (message)
		task_of((pid_t)message, task->pid);
}

static void on_stop(struct task *task, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16;
	bool was_fresh = task->fresh;
	task->fresh = false;
	if (sig == (SIGTRAP | 0x80)) {
		count_call(task);
		go_on(task->pid, 0);
	} else if (event) {
		on_event(task, event);
		go_on(task->pid, 0);
	} else {
		go_on(task->pid, was_fresh && sig == SIGSTOP ? 0 : sig);
	}
}

static long now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void watch(void)
{
	long end = 0;
	while (living() > 0) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL | (letting_go ? WNOHANG : 0));
		if (pid < 0)
			return;
		if (letting_go && !end)
			end = now_ms() + PATIENCE_MS;
		if (end && now_ms() > end)
			return;
		if (pid == 0)
			usleep(500);
		else if (WIFSTOPPED(status))
			on_stop(task_of(pid, 0), status);
		else
			task_of(pid, 0)->alive = false;
	}
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	limit = strtol(argv[1], NULL, 10);
	role = argv[2];
	first = fork();
	if (first == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	int status;
	waitpid(first, &status, 0);
	task_of(first, 0)->fresh = false;
	ptrace(PTRACE_SETOPTIONS, first, NULL,
	       (void *)(long)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			      PTRACE_O_TRACEEXEC));
	go_on(first, 0);
	watch();
	printf("calls %ld exec %ld killed %d\n", calls, exec_at, (int)killed);
	return 0;
}
