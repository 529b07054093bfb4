/* The least program on libberm: runs "ls -l" so that it can run the system's programs, read this folder, and nothing
 * else. cc -Iinclude examples/first.c build/release/libberm.a -o first && ./first */
#include <berm/berm.h>
#include <stdio.h>

int main(void)
{
	const char *const argv[] = {"ls", "-l", NULL}, *const envp[] = {"PATH=/usr/bin:/bin", NULL};
	const char *const system[] = {"/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache"};
	struct berm_command command = {
		.size = sizeof(command), .argv = argv, .envp = envp, .stdio = {0, 1, 2}, .terminal = -1};
	struct berm_err err = {0};
	struct berm_caps *caps = NULL;
	struct berm_facts *facts = NULL;
	struct berm_plan *plan = NULL;
	struct berm_sandbox *box = NULL;
	struct berm_status status = {.exit_code = 1};
	enum berm_code code = berm_caps_new(&caps, &err);
	for (int i = 0; i < 5 && code == BERM_OK; i++)
		code = berm_caps_path(caps, system[i], BERM_READ | BERM_EXEC, BERM_TREE, &err);
	if (code || berm_caps_path(caps, ".", BERM_READ, BERM_TREE, &err) || berm_facts_probe(&facts, &err) ||
	    berm_plan_make(caps, facts, &plan, &err) || berm_sandbox_spawn(plan, &command, &box, &err) ||
	    berm_sandbox_wait(box, &status, &err))
		(void)fprintf(stderr, "first: %s\n", err.msg);
	berm_sandbox_free(box);
	berm_plan_free(plan);
	berm_facts_free(facts);
	berm_caps_free(caps);
	return status.exit_code;
}
