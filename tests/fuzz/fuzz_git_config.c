/* Target: git_config_parse, git_config_judge. Whatever is visited keeps its bounds; whatever the judge takes parses, or is
 * a reference; a reason is there exactly if the content is refused. */
#include <stdlib.h>
#include <string.h>

#include "format/git_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool visit(void *ctx, const struct git_config_entry *entry)
{
	unsigned *last_line = ctx;
	size_t names = entry->section.len + entry->subsection.len;
	if (entry->section.len == 0 || names > GIT_CONFIG_NAME_MAX || entry->key.len == 0 ||
	    entry->key.len > GIT_CONFIG_NAME_MAX || entry->value.len > GIT_CONFIG_VALUE_MAX)
		abort();
	if (entry->line < *last_line || entry->has_subsection != (entry->subsection.len > 0))
		abort();
	*last_line = entry->line;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct git_config_fault fault = {0};
	char reason[64];
	unsigned line = 1;
	bool parsed = git_config_parse((struct span){data, size}, visit, &line, &fault);
	if (!parsed && (fault.what == NULL || fault.line == 0))
		abort();
	bool taken = git_config_judge("/w/.git/modules/m/config", data, size, reason, sizeof reason);
	if (taken != (reason[0] == '\0') || memchr(reason, '\0', sizeof reason) == NULL)
		abort();
	/* what may be said anew may be said over something, and what stands there may stay */
	const struct span content = {data, size}, half = {data, size / 2};
	if (taken && !git_config_judge_change("/w/.git/modules/m/config", content, half, reason, sizeof reason))
		abort();
	if (parsed && size < 256 && /* more keys than are looked up need more bytes */
	    !git_config_judge_change("/w/.git/modules/m/config", content, content, reason, sizeof reason))
		abort();
	if (taken && !parsed && memchr(data, '\n', size) != data + size - 1)
		abort();
	return 0;
}
