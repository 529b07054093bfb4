/*
 * The public face on a real kernel: a host program with threads and children of its own starts sandboxes, many of one
 * plan, in both back-ends; it gets nothing back that it did not have, and nothing of them outlives it.
 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/own.h"
#include "berm/berm.h"

enum { SPAWNS = 20 };

static char folder[] = "/tmp/berm-sandbox-XXXXXX";

static struct berm_plan *plan_for(enum berm_backend backend)
{
	struct berm_err err;
	struct berm_caps *caps;
	struct berm_facts *facts;
	struct berm_plan *plan;
	const unsigned run = BERM_READ | BERM_EXEC, all = run | BERM_WRITE | BERM_DELETE;
	assert_int_equal(berm_caps_new(&caps, &err), BERM_OK);
	static const char *const system[] = {"/usr", "/bin", "/lib", "/lib64"};
	for (size_t i = 0; i < ARRAY_LEN(system); i++)
		assert_int_equal(berm_caps_path(caps, system[i], run, BERM_TREE, &err), BERM_OK);
	assert_int_equal(berm_caps_path(caps, "/etc/passwd", BERM_READ, BERM_FILE, &err), BERM_OK);
	assert_int_equal(berm_caps_path(caps, folder, all, BERM_TREE, &err), BERM_OK);
	const struct berm_rule rule = {.size = sizeof rule, .pattern = "**/sacred", .right = BERM_PROTECT};
	assert_int_equal(berm_caps_rule(caps, &rule, &err), BERM_OK);
	assert_int_equal(berm_caps_backend(caps, backend, &err), BERM_OK);
	assert_int_equal(berm_facts_probe(&facts, &err), BERM_OK);
	enum berm_code code = berm_plan_make(caps, facts, &plan, &err);
	if (code != BERM_OK)
		print_message("%s\n", err.msg);
	assert_int_equal(code, BERM_OK);
	berm_facts_free(facts);
	berm_caps_free(caps);
	return plan;
}

static struct berm_sandbox *start(const struct berm_plan *plan, const char *script)
{
	static const char *const envp[] = {"PATH=/usr/bin:/bin", NULL};
	const char *const argv[] = {"sh", "-c", script, NULL};
	const struct berm_command command = {.size = sizeof command,
					     .argv = argv,
					     .envp = envp,
					     .cwd = folder,
					     .stdio = {-1, -1, -1},
					     .terminal = -1};
	struct berm_sandbox *box;
	struct berm_err err;
	enum berm_code code = berm_sandbox_spawn(plan, &command, &box, &err);
	if (code != BERM_OK)
		print_message("%s\n", err.msg);
	assert_int_equal(code, BERM_OK);
	return box;
}

static struct berm_status finish(struct berm_sandbox *box)
{
	struct berm_status status;
	assert_int_equal(berm_sandbox_wait(box, &status, NULL), BERM_OK);
	berm_sandbox_free(box);
	return status;
}

static size_t open_descriptors(void)
{
	size_t count = 0;
	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static bool exists(const char *name)
{
	char path[128];
	struct stat st;
	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	return lstat(path, &st) == 0;
}

/* Until the file appears; false after ten seconds. */
static bool appears(const char *name)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	for (int i = 0; i < 5000 && !exists(name); i++)
		(void)nanosleep(&pause, NULL);
	return exists(name);
}

static const enum berm_backend backends[] = {BERM_BACKEND_NAMESPACES, BERM_BACKEND_LANDLOCK};

static void test_status_and_requests(void **state)
{
	(void)state;
	NOT_TORTURED();
	for (size_t i = 0; i < ARRAY_LEN(backends); i++) {
		struct berm_plan *plan = plan_for(backends[i]);
		struct berm_request request = {0};
		assert_int_equal(berm_plan_backend(plan), backends[i]);
		struct berm_sandbox *box = start(plan, "echo > free; echo > sacred; exit 7");
		assert_int_equal(berm_sandbox_next(box, 10000, &request, NULL), BERM_OK);
		assert_non_null(strstr(request.object, "/sacred"));
		assert_int_equal(request.op, BERM_OP_CREATE);
		assert_int_equal(request.error, EACCES);
		assert_false(request.open);
		const struct berm_decision yes = {.size = sizeof yes, .verdict = BERM_VERDICT_ALLOW};
		assert_int_not_equal(berm_sandbox_answer(box, request.id, &yes, NULL), BERM_OK);
		struct berm_status status = finish(box);
		assert_true(status.exited);
		assert_int_equal(status.exit_code, 7);
		assert_int_equal(status.denied, 1);
		assert_true(status.served > 0);
		assert_true(exists("free"));
		assert_false(exists("sacred"));
		berm_plan_free(plan);
	}
}

static void *idle(void *go_on)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	while (*(volatile bool *)go_on)
		(void)nanosleep(&pause, NULL);
	return NULL;
}

static volatile sig_atomic_t children_told;

static void count_child(int signal)
{
	(void)signal;
	children_told++;
}

static void test_a_host_with_threads_and_children_keeps_what_it_has(void **state)
{
	(void)state;
	NOT_TORTURED();
	pthread_t thread;
	bool go_on = true;
	sigset_t before, after;
	struct sigaction old, count = {.sa_handler = count_child};
	assert_int_equal(pthread_create(&thread, NULL, idle, &go_on), 0);
	assert_int_equal(sigaction(SIGCHLD, &count, &old), 0);
	pid_t own = fork();
	if (own == 0) {
		(void)pause();
		_exit(0);
	}
	for (size_t i = 0; i < ARRAY_LEN(backends); i++) {
		struct berm_plan *plan = plan_for(backends[i]);
		size_t descriptors = open_descriptors();
		(void)pthread_sigmask(SIG_SETMASK, NULL, &before);
		for (int n = 0; n < SPAWNS; n++)
			assert_int_equal(finish(start(plan, "exit 3")).exit_code, 3);
		(void)pthread_sigmask(SIG_SETMASK, NULL, &after);
		for (int n = 1; n <= SIGRTMAX; n++)
			assert_int_equal(sigismember(&before, n), sigismember(&after, n));
		assert_int_equal(open_descriptors(), descriptors);
		berm_plan_free(plan);
	}
	assert_int_equal(children_told, 0); /* the helper is nobody's business */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), 0);
	(void)kill(own, SIGKILL);
	assert_int_equal(waitpid(own, NULL, 0), own);
	(void)sigaction(SIGCHLD, &old, NULL);
	go_on = false;
	(void)pthread_join(thread, NULL);
}

static void test_many_at_once(void **state)
{
	(void)state;
	NOT_TORTURED();
	struct berm_sandbox *boxes[SPAWNS];
	struct berm_plan *plan = plan_for(BERM_BACKEND_ANY);
	for (size_t i = 0; i < SPAWNS; i++)
		boxes[i] = start(plan, "read x < /dev/zero; exit 4");
	for (size_t i = 0; i < SPAWNS; i++) {
		berm_sandbox_kill(boxes[i]);
		struct berm_status status = finish(boxes[i]);
		assert_false(status.exited);
		assert_int_equal(status.signal, SIGKILL);
	}
	berm_plan_free(plan);
}

static void test_signals_stop_and_go_on(void **state)
{
	(void)state;
	NOT_TORTURED();
	struct berm_plan *plan = plan_for(BERM_BACKEND_ANY);
	struct berm_request request;
	int stopped = 0;
	struct berm_sandbox *box =
		start(plan, "trap 'exit 9' TERM; echo > ready; while :; do read x < /dev/null; done");
	assert_true(appears("ready"));
	assert_int_equal(berm_sandbox_signal(box, SIGSTOP, NULL), BERM_OK);
	for (int i = 0; i < 100 && stopped == 0; i++) {
		(void)!berm_sandbox_next(box, 100, &request, NULL);
		stopped = berm_sandbox_stopped(box);
	}
	assert_int_equal(stopped, SIGSTOP);
	assert_int_equal(berm_sandbox_signal(box, SIGCONT, NULL), BERM_OK);
	assert_int_equal(berm_sandbox_signal(box, SIGTERM, NULL), BERM_OK);
	assert_int_equal(berm_sandbox_signal(box, 0, NULL), BERM_ERR_INVALID);
	assert_int_equal(finish(box).exit_code, 9);
	berm_plan_free(plan);
}

/* The host ends without a word: what it started ends too. The lock of the sandbox's shell is the witness. */
static void test_nothing_outlives_the_host(void **state)
{
	(void)state;
	NOT_TORTURED();
	for (size_t i = 0; i < ARRAY_LEN(backends); i++) {
		struct berm_plan *plan = plan_for(backends[i]);
		int ends[2];
		char byte;
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		pid_t host = fork();
		if (host == 0) {
			static const char *const envp[] = {"PATH=/usr/bin:/bin", NULL};
			const char *const argv[] = {"sh", "-c", "sleep 1000 & sleep 1000", NULL};
			const struct berm_command command = {.size = sizeof command,
							     .argv = argv,
							     .envp = envp,
							     .cwd = folder,
							     .stdio = {-1, ends[1], -1},
							     .terminal = -1};
			struct berm_sandbox *box;
			_exit(berm_sandbox_spawn(plan, &command, &box, NULL) == BERM_OK ? 0 : 1);
		}
		int status;
		(void)close(ends[1]);
		assert_int_equal(waitpid(host, &status, 0), host);
		assert_int_equal(status, 0);
		assert_int_equal(read(ends[0], &byte, 1), 0); /* the end: every process that had the pipe is gone */
		(void)close(ends[0]);
		berm_plan_free(plan);
	}
}

static void test_what_cannot_start_says_why(void **state)
{
	(void)state;
	NOT_TORTURED();
	static const char *const envp[] = {"PATH=/usr/bin:/bin", NULL};
	const char *missing[] = {"no-such-program", NULL}, *closed[] = {"/etc/passwd", NULL};
	struct berm_command command = {.size = sizeof command,
				       .argv = missing,
				       .envp = envp,
				       .cwd = folder,
				       .stdio = {-1, -1, -1},
				       .terminal = -1};
	for (size_t i = 0; i < ARRAY_LEN(backends); i++) {
		struct berm_plan *plan = plan_for(backends[i]);
		struct berm_sandbox *box = NULL;
		struct berm_err err;
		size_t descriptors = open_descriptors();
		command.argv = missing;
		assert_int_equal(berm_sandbox_spawn(plan, &command, &box, &err), BERM_ERR_NOTFOUND);
		assert_non_null(strstr(err.msg, "no-such-program"));
		command.argv = closed;
		assert_int_equal(berm_sandbox_spawn(plan, &command, &box, &err), BERM_ERR_DENIED);
		command.size = 1;
		assert_int_equal(berm_sandbox_spawn(plan, &command, &box, &err), BERM_ERR_INVALID);
		command.size = sizeof command;
		assert_null(box);
		assert_int_equal(open_descriptors(), descriptors);
		berm_plan_free(plan);
	}
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"free", "ready"};
	char path[128];
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_and_requests),
		cmocka_unit_test(test_a_host_with_threads_and_children_keeps_what_it_has),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_signals_stop_and_go_on),
		cmocka_unit_test(test_nothing_outlives_the_host),
		cmocka_unit_test(test_what_cannot_start_says_why),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
