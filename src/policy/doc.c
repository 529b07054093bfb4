#include "policy/doc.h"

#include <string.h>

const char *policy_attr_find(const struct policy_line *line, enum policy_attr_key key)
{
	for (uint32_t i = 0; i < line->attr_count; i++)
		if (line->attrs[i].key == key)
			return line->attrs[i].text;
	return NULL;
}

bool policy_attr_is(const struct policy_line *line, enum policy_attr_key key)
{
	const char *text = policy_attr_find(line, key);
	return text != NULL && strcmp(text, "true") == 0;
}
