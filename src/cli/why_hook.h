/*
 * "berm why --hook AGENT": what an agent's hook runs before and after each tool. Before, it marks how far the denials go;
 * after, it prints those that came meanwhile, as the agent wants context for its model. What is no denial is never told of,
 * and a hook never fails its agent's tool: whatever goes wrong, it says nothing.
 */
#ifndef BERM_CLI_WHY_HOOK_H
#define BERM_CLI_WHY_HOOK_H

#include "audit/event_parse.h"

/* How an agent's hooks talk: names of events, and whether the context is JSON. */
struct hook_agent {
	const char *name;
	const char *before, *after[2];
	int wait_ms[2]; /* for each of after: how long a denial is waited for, where there is none yet */
	bool plain;	/* the text itself, instead of {"hookSpecificOutput":...} */
};
/* NULL: there is no such agent. */
const struct hook_agent *why_hook_find(const char *name);

/* The number of the newest event; 0: there is none. */
uint64_t why_hook_newest(const struct event_list *list);
/* One run of a tool. */
struct hook_call {
	const char *event; /* by its name */
	uint64_t marked;   /* the newest event before it */
	struct str said;   /* what the tool was asked for, and what it said */
};
/* What an agent's model is told of the denials since then; nothing if there are none that matter: a read counts only if
 * what was said names it. Pure. */
void why_hook_put(const struct hook_agent *agent, const struct hook_call *call, const struct event_list *list,
		  struct buf *out);

/* Reads the hook's input from standard input. Returns the exit status. */
int why_hook(const struct hook_agent *agent);

#endif
