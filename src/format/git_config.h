/*
 * git's own configuration grammar, read strictly: what this parser accepts, git reads as exactly the same keys and
 * values; where git's versions differ or its behaviour is odd, the content is refused. On top of it the judge of a
 * git configuration: an allow-list of keys that name no program, no include and no path outside (docs/git.md).
 * No heap, no system call, async-signal-safe.
 */
#ifndef BERM_FORMAT_GIT_CONFIG_H
#define BERM_FORMAT_GIT_CONFIG_H

#include "base/str.h"

enum {
	GIT_CONFIG_NAME_MAX = 512,   /* bytes of a section with its subsection, and of a key */
	GIT_CONFIG_VALUE_MAX = 4096, /* bytes of a value */
};

/* One key; everything in it is borrowed and lives until the visitor returns. */
struct git_config_entry {
	struct str section;    /* lower case */
	struct str subsection; /* as git keeps it; counts if has_subsection */
	struct str key;	       /* lower case */
	struct str value;      /* without quotes and escapes; counts if has_value */
	bool has_subsection;
	bool has_value; /* false: the key stands alone, which git reads as true */
	unsigned line;	/* where the key starts, from 1 */
};

struct git_config_fault {
	unsigned line;
	const char *what; /* a constant text */
};

/* Returns false to stop. */
typedef bool (*git_config_visit)(void *ctx, const struct git_config_entry *entry);

/* Calls visit for each key, in order. False: the content is not a configuration that is understood (ret_fault says
 * where and why), or the visitor stopped (ret_fault->what is NULL). Keys before the fault have been visited. */
MUST_USE bool git_config_parse(struct span content, git_config_visit visit, void *ctx,
			       struct git_config_fault *ret_fault);

/* A berm_judge. Accepts a configuration of harmless keys, and the content of a git reference ("a branch named config"),
 * on which git stops before it reads a key. The reason names the key and the line, never a value. */
bool git_config_judge(const char *target, const uint8_t *content, size_t len, char *reason, size_t reason_size);
/* The same for a content that takes the place of another: keys that are not harmless may stay as they are, with the
 * value that they have. before: what stands there, which was put there from outside, or judged. */
bool git_config_judge_change(const char *target, struct span content, struct span before, char *reason,
			     size_t reason_size);

#endif
