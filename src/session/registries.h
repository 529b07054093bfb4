/*
 * Package registries by the machine's own tools: which hosts npm, pip, cargo, go, maven and apt are configured for by the
 * user or the system, for the list variables of policies ("$NPM_REGISTRIES"). A project's configuration does not count: it
 * is the workspace's, and what is run there may have written it. Files are read, nothing is run. What the environment has
 * to say about them inside, without passwords: registries_environment.
 */
#ifndef BERM_SESSION_REGISTRIES_H
#define BERM_SESSION_REGISTRIES_H

#include "base/str.h"

enum registry_tool {
	REGISTRY_NPM = 0, /* npm, pnpm, yarn */
	REGISTRY_PIP,	  /* pip, uv */
	REGISTRY_CARGO,
	REGISTRY_GO,
	REGISTRY_MAVEN,
	REGISTRY_APT,
	REGISTRY_TOOLS
};
/* "NPM_REGISTRIES", ... as policies name them behind "$". */
extern const char *const registry_variables[REGISTRY_TOOLS];

struct registries;

struct registries_request {
	const char *home;	 /* absolute, or NULL */
	const char *workspace;	 /* absolute, or NULL; files that really lie in it do not count */
	const char *const *envp; /* NULL-terminated */
	const char *root;	 /* stands in front of the system's paths; NULL: "" */
};

/* Reads what is configured. A file that is not there, is larger than 256 KiB, may be written by others, or is not what its
 * tool would accept, counts as not there. Errors: NOMEM. */
MUST_USE enum berm_code registries_read(const struct registries_request *request, struct registries **ret_registries,
					struct berm_err *err);
void registries_free(struct registries *registries);

/* The hosts of a tool, as network lines have them ("npm.corp.example:4873"), NULL-terminated; where nothing is configured
 * the tool's own. They live as long as registries. */
const char *const *registries_hosts(const struct registries *registries, enum registry_tool tool);
/* The same by a variable's name, without "$". NULL: no such list. */
const char *const *registries_values(const struct registries *registries, const char *variable);
/* "NAME=VALUE" for tools whose files are closed in a sandbox since they hold passwords, npm and pip, and GOPROXY. Only what
 * the environment does not say already. NULL-terminated; lives as long as registries. */
const char *const *registries_environment(const struct registries *registries);

#endif
