/* A policy for tests: a shipped profile, lines of flags and of the user's own, and what comes of them. */
#ifndef BERM_TESTS_UNIT_RESOLVE_RIG_H
#define BERM_TESTS_UNIT_RESOLVE_RIG_H

#include <string.h>

#include "policy/builtin.h"
#include "policy/resolve.h"

static const char *const bare_env[] = {"PATH=/usr/bin:/bin", "HOME=/home/u", NULL};

static struct policy_input ordinary(void)
{
	return (struct policy_input){.cwd = "/home/u/project/src",
				     .workspace = "/home/u/project",
				     .git = true,
				     .home = "/home/u",
				     .envp = bare_env};
}

enum { LINES_MAX = 16 };

struct rig {
	struct policy_line lines[LINES_MAX];
	struct policy_attr attrs[LINES_MAX];
	struct policy_doc flags, user;
	const struct policy_doc *profiles[2], *users[2];
	struct policy *policy;
	struct berm_caps *caps;
	struct problems problems;
	struct berm_err err;
};

static const struct policy_doc *find_builtin(void *context, enum policy_doc_kind kind, const char *name,
					     struct problems *problems)
{
	(void)context;
	(void)problems;
	return builtin_find(kind, name);
}

static const char *no_name(void *context, enum policy_doc_kind kind, size_t index)
{
	(void)context;
	(void)kind;
	(void)index;
	return NULL;
}

static void rig_done(struct rig *rig)
{
	berm_caps_free(rig->caps);
	policy_free(rig->policy);
}
#define auto_rig __attribute__((cleanup(rig_done))) struct rig

/* lines ends with a line without text. */
static size_t count_lines(const struct policy_line *lines)
{
	size_t count = 0;
	while (lines != NULL && lines[count].text != NULL)
		count++;
	return count;
}

static const struct policy_line no_lines[] = {{.text = NULL}};

/* Without a profile name: --no-profile. */
static enum berm_code make(struct rig *rig, const char *profile, struct policy_input *input,
			   const struct policy_line *flags, const struct policy_line *user)
{
	rig->flags = (struct policy_doc){.kind = POLICY_DOC_FLAGS,
					 .file = "command line",
					 .folder = input->cwd,
					 .lines = flags,
					 .line_count = (uint32_t)count_lines(flags)};
	rig->user = (struct policy_doc){.kind = POLICY_DOC_FILE,
					.file = "/home/u/.config/berm/policy.yaml",
					.lines = user,
					.line_count = (uint32_t)count_lines(user)};
	rig->profiles[0] = builtin_find(POLICY_DOC_PROFILE, profile);
	rig->users[0] = &rig->user;
	const struct policy_layers layers = {.profiles = rig->profiles,
					     .user = rig->users,
					     .flags = &rig->flags,
					     .finder = {NULL, find_builtin, no_name}};
	TRY(policy_make(&layers, input, &rig->policy, &rig->problems, &rig->err));
	input->policy = rig->policy;
	return policy_caps(input, &rig->caps, NULL, &rig->problems, &rig->err);
}

__attribute__((unused)) static const struct berm_caps *caps_with(struct rig *rig, struct policy_input *input,
								 const struct policy_line *flags)
{
	rig_done(rig);
	*rig = (struct rig){0};
	if (make(rig, "default", input, flags, no_lines) != BERM_OK)
		fail_msg("%s", rig->err.msg);
	return rig->caps;
}

__attribute__((unused)) static const struct berm_caps *caps_of(struct rig *rig, struct policy_input *input)
{
	return caps_with(rig, input, no_lines);
}

#define FLAG(key_, text_)                                                                                              \
	{                                                                                                              \
		.key = (key_), .line = 1, .text = (text_)                                                              \
	}
#define FLAGS(...) ((const struct policy_line[]){__VA_ARGS__, {.text = NULL}})

#endif
