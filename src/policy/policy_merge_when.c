#include <string.h>

#include "policy/policy_merge.h"

#if defined(__APPLE__)
#define OWN_OS "macos"
#else
#define OWN_OS "linux"
#endif
#if defined(__aarch64__)
#define OWN_ARCH "arm64"
#else
#define OWN_ARCH "x86_64"
#endif

enum { CONDITION_OS = 0, CONDITION_DISTRO, CONDITION_ARCH, CONDITION_NETWORK, CONDITIONS };

static int condition_of(enum policy_attr_key key)
{
	static const signed char conditions[POLICY_ATTRS] = {
		[ATTR_WHEN_OS] = 1 + CONDITION_OS,
		[ATTR_WHEN_DISTRO] = 1 + CONDITION_DISTRO,
		[ATTR_WHEN_ARCH] = 1 + CONDITION_ARCH,
		[ATTR_WHEN_NETWORK] = 1 + CONDITION_NETWORK,
	};
	return conditions[key] - 1;
}

/* One of the words of "debian ubuntu"? */
static bool is_among(const char *words, const char *word)
{
	struct str rest = str_from(words), one;
	while (str_next(&rest, ' ', &one))
		if (one.len > 0 && str_eq_nocase(one, str_from(word)))
			return true;
	return false;
}

static bool is_met(const struct merge *merge, int condition, const char *word)
{
	const struct policy_input *input = merge->input;
	const char *const known[CONDITIONS] = {
		[CONDITION_OS] = input->os != NULL ? input->os : OWN_OS,
		[CONDITION_DISTRO] = input->distro,
		[CONDITION_ARCH] = input->arch != NULL ? input->arch : OWN_ARCH,
		[CONDITION_NETWORK] = merge->network,
	};
	return is_among(known[condition], word);
}

/* Each condition that is named must be met by one of its words. */
bool merge_holds(const struct merge *merge, const struct policy_line *line)
{
	unsigned named = 0, met = 0;
	for (uint32_t i = 0; i < line->attr_count; i++) {
		int condition = condition_of(line->attrs[i].key);
		if (condition < 0)
			continue;
		named |= 1U << condition;
		if (is_met(merge, condition, line->attrs[i].text))
			met |= 1U << condition;
	}
	return named == met;
}

bool merge_holds_early(struct merge *merge, const struct policy_line *line)
{
	if (merge->network == NULL && policy_attr_find(line, ATTR_WHEN_NETWORK) != NULL)
		merge->asks_network = true;
	return merge_holds(merge, line);
}
