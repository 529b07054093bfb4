/*
 * Values of a policy's variables that neither its text nor the environment has: hosts of package registries, the socket of
 * a gpg-agent with a folder of its own. Found when a policy asks for them first, and kept.
 */
#ifndef BERM_SESSION_MACHINE_VALUES_H
#define BERM_SESSION_MACHINE_VALUES_H

#include <limits.h>

#include "session/registries.h"

/* The caller's memory; starts as {.request = ...}. */
struct machine_values {
	struct registries_request request; /* all in it lives as long as this */
	struct registries *registries;	   /* NULL: not asked for yet */
	bool asked_gpg;
	char gpg_agent[PATH_MAX]; /* "": not known */
	const char *gpg_values[2];
};
void machine_values_done(struct machine_values *values);

/* A policy_input's values: context is a struct machine_values. NULL: nothing is known. */
const char *const *machine_values_find(void *context, const char *name);
/* What the environment has to say about registries inside, if a policy has asked for them: "NAME=VALUE",
 * NULL-terminated; lives as long as values. */
const char *const *machine_values_environment(const struct machine_values *values);

#endif
