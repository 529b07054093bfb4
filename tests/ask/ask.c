/*
 * ask: runs a command in a sandbox where everything outside a few grants is asked for, and answers.
 *
 *   ask HOW WAY WRITABLE COMMAND [ARG...]
 *
 * HOW: "all" (nothing is asked, all is allowed), "yes", "no", "never" (no answer is given), "odd" (every other question is
 * allowed), "leave" (the caller does not look at questions, and waits for the end). WAY: visible, landlock. Questions are told on descriptor 3 if it is open, a line each. Ends as the command did.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "berm/berm.h"

extern char **environ;

static _Noreturn void die(const char *what, const struct berm_err *err)
{
	(void)fprintf(stderr, "ask: %s: %s\n", what, err->msg);
	exit(125);
}

static struct berm_caps *make_caps(const char *how, const char *way, const char *writable)
{
	static const char *const system_folders[] = {"/usr", "/bin", "/lib", "/lib64", "/etc"};
	struct berm_err err = {0};
	struct berm_caps *caps;
	enum berm_code code = berm_caps_new(&caps, &err);
	for (size_t i = 0; code == BERM_OK && i < sizeof(system_folders) / sizeof(system_folders[0]); i++)
		if (access(system_folders[i], F_OK) == 0)
			code = berm_caps_path(caps, system_folders[i], BERM_READ | BERM_EXEC, BERM_TREE, &err);
	if (code == BERM_OK)
		code = berm_caps_path(caps, writable, BERM_READ | BERM_WRITE | BERM_DELETE | BERM_EXEC, BERM_TREE,
				      &err);
	if (code == BERM_OK)
		code = berm_caps_path(caps, "/", BERM_ASK | BERM_READ | BERM_WRITE | BERM_DELETE, BERM_TREE, &err);
	if (code == BERM_OK && strcmp(how, "all") == 0)
		code = berm_caps_allow_asked(caps, &err);
	if (code == BERM_OK && strcmp(way, "landlock") == 0)
		code = berm_caps_backend(caps, BERM_BACKEND_LANDLOCK, &err);
	if (code != BERM_OK)
		die("capabilities", &err);
	return caps;
}

static void serve(struct berm_sandbox *box, const char *how, FILE *log)
{
	struct berm_request request;
	struct berm_err err = {0};
	enum berm_code code;
	unsigned questions = 0;
	while ((code = berm_sandbox_next(box, -1, &request, &err)) != BERM_ERR_CLOSED) {
		if (code != BERM_OK)
			continue;
		if (log != NULL)
			(void)fprintf(log, "%s%s%d %s %s\n", request.open ? "open " : "",
				      request.withdrawn ? "withdrawn " : "", (int)request.op, request.object,
				      request.detail);
		if (log != NULL)
			(void)fflush(log);
		if (!request.open || strcmp(how, "never") == 0)
			continue;
		bool allow = strcmp(how, "yes") == 0 || (strcmp(how, "odd") == 0 && questions++ % 2 == 0);
		const struct berm_decision decision = {.size = sizeof(decision),
						       .verdict = allow ? BERM_VERDICT_ALLOW : BERM_VERDICT_DENY};
		if (berm_sandbox_answer(box, request.id, &decision, &err) != BERM_OK)
			(void)fprintf(stderr, "ask: %s\n", err.msg);
	}
}

int main(int argc, char **argv)
{
	struct berm_err err = {0};
	struct berm_facts *facts;
	struct berm_plan *plan;
	struct berm_sandbox *box;
	struct berm_status status = {0};
	if (argc < 5)
		return 2;
	FILE *log = fdopen(3, "w"); /* before anything else gets that number */
	struct berm_caps *caps = make_caps(argv[1], argv[2], argv[3]);
	if (berm_facts_probe(&facts, &err) != BERM_OK || berm_plan_make(caps, facts, &plan, &err) != BERM_OK)
		die("plan", &err);
	const struct berm_command command = {.size = sizeof(command),
					     .argv = (const char *const *)argv + 4,
					     .envp = (const char *const *)environ,
					     .stdio = {0, 1, 2},
					     .terminal = -1};
	if (berm_sandbox_spawn(plan, &command, &box, &err) != BERM_OK)
		die("spawn", &err);
	if (strcmp(argv[1], "leave") != 0)
		serve(box, argv[1], log);
	if (berm_sandbox_wait(box, &status, &err) != BERM_OK)
		die("wait", &err);
	berm_sandbox_free(box);
	berm_plan_free(plan);
	berm_facts_free(facts);
	berm_caps_free(caps);
	return status.exited ? status.exit_code : 128 + status.signal;
}
