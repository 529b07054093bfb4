#include "session/machine_values.h"

#include <string.h>

#include "base/env.h"
#include "session/agent_sockets.h"

void machine_values_done(struct machine_values *values)
{
	registries_free(values->registries);
	values->registries = NULL;
}

static bool is_registry(const char *name)
{
	for (size_t i = 0; i < REGISTRY_TOOLS; i++)
		if (strcmp(name, registry_variables[i]) == 0)
			return true;
	return false;
}

/* Where the folder is the usual one, the policy's own table of variables has it, and nothing is run. */
static const char *const *find_gpg_agent(struct machine_values *values)
{
	const char *home = values->request.envp != NULL ? env_get(values->request.envp, "GNUPGHOME") : NULL;
	bool named = home != NULL && home[0] == '/';
	if (named && !values->asked_gpg && !agent_sockets_find_gpg(home, values->gpg_agent, sizeof(values->gpg_agent)))
		values->gpg_agent[0] = '\0';
	values->asked_gpg = true;
	values->gpg_values[0] = values->gpg_agent;
	return values->gpg_agent[0] != '\0' ? values->gpg_values : NULL;
}

const char *const *machine_values_find(void *context, const char *name)
{
	struct machine_values *values = context;
	if (strcmp(name, "GPG_AGENT_SOCK") == 0)
		return find_gpg_agent(values);
	if (!is_registry(name))
		return NULL;
	if (values->registries == NULL && registries_read(&values->request, &values->registries, NULL) != BERM_OK)
		return NULL;
	return registries_values(values->registries, name);
}

const char *const *machine_values_environment(const struct machine_values *values)
{
	static const char *const none[] = {NULL};
	return values->registries != NULL ? registries_environment(values->registries) : none;
}
