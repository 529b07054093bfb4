#include "session/generation.h"

#include <string.h>

#include "base/own.h"
#include "policy/load.h"
#include "sandbox/caps.h"
#include "session/net_plan.h"
#include "session/own_tests.h"

void generation_done(struct generation *generation)
{
	berm_caps_free(generation->caps);
	policy_free(generation->policy);
	sources_free(generation->sources);
	free(generation->profiles);
	arena_done(&generation->arena);
	*generation = (struct generation){0};
}

/* The document as one more of the profiles, behind the others. */
static enum berm_code add_document(const struct generation_request *request, struct policy_layers *layers,
				   struct generation *generation, struct problems *problems, struct berm_err *err)
{
	const struct policy_from from = {.kind = POLICY_DOC_PROFILE, .file = request->file};
	const struct policy_doc *doc;
	size_t count = 0;
	if (request->text.ptr == NULL)
		return BERM_OK;
	arena_init(&generation->arena, NODE_MAX_MEMORY);
	TRY(policy_load(&generation->arena, from, request->text, &doc, problems, err));
	while (layers->profiles != NULL && layers->profiles[count] != NULL)
		count++;
	generation->profiles = calloc(count + 2, sizeof(*generation->profiles));
	if (generation->profiles == NULL)
		return err_set(err, BERM_ERR_NOMEM, "read a policy");
	for (size_t i = 0; i < count; i++)
		generation->profiles[i] = layers->profiles[i];
	generation->profiles[count] = doc;
	layers->profiles = generation->profiles;
	return BERM_OK;
}

enum berm_code generation_make(const struct generation_request *request, struct generation *generation,
			       struct berm_plan **ret_plan, struct problems *problems, struct berm_err *err)
{
	struct policy_input input = *request->input;
	TRY(sources_open(request->sources, &generation->sources, problems, err));
	struct policy_layers layers = *sources_layers(generation->sources);
	TRY(add_document(request, &layers, generation, problems, err));
	sources_tell_folders(generation->sources, &input);
	TRY(policy_make(&layers, &input, &generation->policy, problems, err));
	if (!request->untested)
		TRY(own_tests_check(generation->policy, &input, problems, err));
	input.policy = generation->policy;
	TRY(policy_caps(&input, &generation->caps, NULL, problems, err));
	if (request->tell_all)
		TRY(berm_caps_tell_all(generation->caps, err));
	const struct net_plan_request wanted = {generation->policy, generation->caps, request->facts, false};
	return net_plan_make(&wanted, ret_plan, problems, err);
}
