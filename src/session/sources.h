/*
 * Where policy documents come from: the system's and the user's folders, a project's file, what is shipped. Reads files
 * without following what others may change, keeps what was read, and gives policy_make its layers.
 */
#ifndef BERM_SESSION_SOURCES_H
#define BERM_SESSION_SOURCES_H

#include "policy/policy.h"

struct sources;

struct sources_request {
	const char *const
		*profiles;   /* names or files as given with -p, NULL-terminated; or NULL: by program, else default */
	bool no_profile;     /* profile "none"; of the user's policy.yaml only what narrows */
	const char *program; /* argv[0] of the run, or NULL */
	const char *cwd, *home, *workspace; /* or NULL */
	const char *const *envp; /* BERM_PROFILE, BERM_CONFIG_DIR, BERM_STATE_DIR, XDG_CONFIG_HOME, XDG_STATE_HOME */
	const struct policy_doc *flags; /* or NULL */
	const char *accept_hash;	/* --accept-hash: a consent for this run alone; or NULL */
	const char *system_folder;	/* NULL: /etc/berm/policy.d. Tests have another, which may be theirs */
};

/* Reads everything that the run's layers need. Borrows what request points to as long as sources live. Errors: PARSE (see
 * problems), NOTFOUND (a profile or file that is not there), DENIED (a file that others may write, a project's file that
 * is a link or no file, a hash that is not the project's), LIMIT, SYS, NOMEM. */
MUST_USE enum berm_code sources_open(const struct sources_request *request, struct sources **ret_sources,
				     struct problems *problems, struct berm_err *err);
void sources_free(struct sources *sources);
const struct policy_layers *sources_layers(const struct sources *sources);
/* The profile by which the run goes, "claude-code", and whether the program chose it. */
const char *sources_profile(const struct sources *sources, bool *ret_by_program);
/* The user's folder for policies ("~/.config/berm") and for state, absolute; NULL: there is none. */
const char *sources_config_folder(const struct sources *sources);
const char *sources_state_folder(const struct sources *sources);
/* Tells the input of them and of the folder for sockets; borrowed from sources. */
void sources_tell_folders(const struct sources *sources, struct policy_input *input);
/* Files that were read, for whoever watches them; NULL past the end. */
const char *sources_file(const struct sources *sources, size_t index);
/* The project's document; NULL: there is none. */
const struct policy_doc *sources_project(const struct sources *sources);
/* What the project wants beyond the policy and the user has not consented to yet: NULL, or the project's document. */
const struct policy_doc *sources_unaccepted(const struct sources *sources);

#endif
