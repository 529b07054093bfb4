/* Target: the readers of tools' configuration files. The first byte chooses the reader. What is told lies in the input
 * or is bounded, and a host of it is one that a policy's line may have. */
#include <stdlib.h>
#include <string.h>

#include "format/registry_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool add(void *context, enum registry_role role, struct str url)
{
	char host[REGISTRY_HOST_MAX], plain[REGISTRY_URL_MAX], again[REGISTRY_HOST_MAX];
	size_t *count = context;
	if (role >= REGISTRY_ROLES || ++*count > 100000)
		abort();
	if (!registry_url_host(url, host))
		return true;
	if (strpbrk(host, "*/@ \t\n\\") != NULL || host[0] == '\0')
		abort();
	if (registry_url_plain(url, plain) && (!registry_url_host(str_from(plain), again) || strcmp(host, again) != 0))
		abort();
	return true;
}

static struct str variable(void *context, struct str name)
{
	(void)context;
	return name;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const registry_reader readers[] = {
		registry_read_npmrc,	      registry_read_yarnrc,	  registry_read_pip_conf,
		registry_read_uv_toml,	      registry_read_cargo_config, registry_read_go_env,
		registry_read_maven_settings, registry_read_apt_list,	  registry_read_apt_sources,
	};
	size_t count = 0;
	const struct registry_sink sink = {&count, add, variable};
	if (size == 0 || size > 65536)
		return 0;
	/* A copy of just that size: reading past the end shows. */
	char *text = malloc(size);
	if (text == NULL)
		return 0;
	memcpy(text, data + 1, size - 1);
	(void)readers[data[0] % (sizeof readers / sizeof *readers)]((struct str){text, size - 1}, &sink);
	free(text);
	return 0;
}
