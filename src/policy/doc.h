/*
 * One policy document (a file, a built-in group or profile, the flags of a command line) as flat lines. Every leaf of the
 * file is one line: its key ("filesystem.read"), its text, its attributes, its place. Nothing is resolved here: "~" and
 * "$VAR" are as written. Documents are read-only; those that are shipped are constants, made from groups and profiles
 * when berm is built.
 */
#ifndef BERM_POLICY_DOC_H
#define BERM_POLICY_DOC_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/keys.h"

struct policy_attr {
	enum policy_attr_key key;
	const char *text; /* as written; a list gives one attribute for each item, in order */
};

struct policy_line {
	enum policy_key key;
	bool wanted; /* stands below wants: */
	uint32_t line, column;
	/* The main value; a map entry ("environment.set") as "NAME=VALUE"; a test as "read PATH"; who approves as
	 * "terminal", "webhook URL", "program", "all" or "any". An empty list of extends or filesystem.delete says something
	 * as well: it is one line with the text "" */
	const char *text;
	const struct policy_attr *attrs;
	uint32_t attr_count;
};

enum policy_doc_kind { POLICY_DOC_FILE = 0, POLICY_DOC_PROFILE, POLICY_DOC_GROUP, POLICY_DOC_FLAGS };

struct policy_doc {
	enum policy_doc_kind kind;
	const char
		*file; /* as it is to be shown: "groups/git.yaml" (shipped), "/home/u/p/.berm.yaml", "command line" */
	const char *name;  /* or NULL */
	const char *about; /* or NULL */
	bool required;	   /* a group that no policy takes out */
	bool shipped;
	const char
		*folder; /* what "." and relative paths of the document mean where that is not the workspace; NULL: it
			     * is. A flag's paths start from the current folder */
	const struct policy_line *lines; /* name, about and required are not among them */
	uint32_t line_count;
	uint8_t digest[32]; /* SHA-256 of the bytes; zeros if shipped or flags */
};

/* The first attribute of that key; NULL: none. */
const char *policy_attr_find(const struct policy_line *line, enum policy_attr_key key);
/* True if the attribute is there and says true. */
bool policy_attr_is(const struct policy_line *line, enum policy_attr_key key);

#endif
