/*
 * What an agent is started with so that its model sees what was denied: words beside those of its command, by the setting
 * that its makers document. The hook itself is "berm why --hook NAME". Pure but for memory.
 */
#ifndef BERM_SESSION_AGENT_HOOK_H
#define BERM_SESSION_AGENT_HOOK_H

#include "base/err.h"

/* Starts as {0}: the command as it is. */
struct agent_hook {
	const char **argv; /* NULL-terminated; its words are those given, and text */
	char *text;
};
void agent_hook_done(struct agent_hook *hook);

/* name: a word of process.hook; program: berm's own, as it can be run inside. The command stays as it is if it is not the
 * agent's, if it has such a setting already, or if the program's path would have to be quoted. Errors: NOMEM. */
MUST_USE enum berm_code agent_hook_make(struct agent_hook *hook, const char *name, const char *const *argv,
					const char *program, struct berm_err *err);
const char *const *agent_hook_argv(const struct agent_hook *hook, const char *const *argv);

#endif
