/*
 * One state of a run's policy: the documents that were read, the policy of them and its capabilities. A run starts with one;
 * a reload makes the next beside it, and either takes its place or goes.
 */
#ifndef BERM_SESSION_GENERATION_H
#define BERM_SESSION_GENERATION_H

#include "policy/resolve.h"
#include "session/sources.h"

struct generation {
	struct sources *sources;
	struct policy *policy;
	struct berm_caps *caps;
	struct arena arena; /* of a further document */
	const struct policy_doc **profiles;
};

/* Starts as {0}. */
void generation_done(struct generation *generation);

/* What each generation of a run is made from; borrowed as long as one lives. */
struct generation_request {
	const struct sources_request *sources;
	const struct policy_input *input; /* policy and the folders of sources are filled in here */
	const struct berm_facts *facts;
	const char *file; /* of the further document */
	struct str text;  /* of it; ptr NULL: there is none. It counts as one more profile */
	bool tell_all, untested;
};
/* generation: {0}; holds what was read after a failure as well, since problems point there. Errors: those of sources_open,
 * policy_load, policy_make, policy_caps and berm_plan_make, and tests of the policy that fail (PARSE); what has a place in a file is in problems. */
MUST_USE enum berm_code generation_make(const struct generation_request *request, struct generation *generation,
					struct berm_plan **ret_plan, struct problems *problems, struct berm_err *err);

#endif
