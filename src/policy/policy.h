/*
 * Documents in their layers become one policy: extends and groups are followed, conditions and variables resolved,
 * exceptions and overrides applied, and every line that is left knows where it comes from. Pure: documents and all that
 * is known about the machine are passed in. What capabilities come of it: resolve.h; what it says to a
 * request: decide.h.
 */
#ifndef BERM_POLICY_POLICY_H
#define BERM_POLICY_POLICY_H

#include "base/arena.h"
#include "format/problem.h"
#include "policy/doc.h"

struct policy_input;

/* Strongest first: a line of an earlier layer is never widened by a later one. */
enum policy_layer {
	LAYER_FLOOR = 0, /* compiled in */
	LAYER_SYSTEM,	 /* /etc/berm/policy.d: a ceiling */
	LAYER_USER,	 /* the user's own policy.yaml, consents of "policy accept" */
	LAYER_PROFILE,	 /* what -p names, and what it extends */
	LAYER_GROUP,
	LAYER_PROJECT, /* .berm.yaml: narrows only */
	LAYER_FLAG,
	LAYER_RUN, /* berm's own: the workspace, the events file */
	POLICY_LAYERS
};
/* "floor", "system", "user", ... */
extern const char *const policy_layer_words[POLICY_LAYERS];

struct policy_entry {
	const struct policy_doc *doc;
	const struct policy_line *line;
	enum policy_layer layer;
	const char *via; /* how the document got in: "profile node-dev > group git"; for a layer's own file "" */
	/* Of a line with a path (a test that asks for one as well): absolute, "~", "." and variables resolved. Keys with patterns have a pattern: what "~", "."
	 * and a variable stand for is escaped in it ("/w/a\\[1]"), and a literal has no unescaped wildcard. A line whose
	 * variable is not set gives no entry; one with several values gives several ($PATH: the folders of PATH but the
	 * system's; $TOOL_ROOTS: what is around those of them that are named bin, sbin, shims or condabin). What the
	 * environment names counts only if it is harmless: not wide, no home folder and no denied path in it, as given and
	 * where it leads; $TOOL_ROOTS and what names a file: not in a denied path either. */
	const char *path;
	const char *const *except; /* ATTR_EXCEPT, resolved in the same way, and what overrides add; NULL-terminated, or
				    * NULL */
	const char *text;	   /* line->text; a host that a variable stands for ("$NPM_REGISTRIES") by its name */
	const struct policy_entry
		*off; /* the entry that takes this one away: an override, a ceiling, for environment.set a stronger
		       * one of the same name; NULL: it holds. What a system file grants is a maximum and grants
		       * nothing: it is taken away by itself */
};

struct policy {
	struct arena arena;	      /* of all of it but the documents */
	struct policy_entry *entries; /* in order: floor first, flags last */
	size_t count;
	const struct policy_entry
		*setting[POLICY_KEYS]; /* SHAPE_SCALAR keys: the one that counts; NULL: nowhere said */
	uint64_t generation;	       /* from 1 */
};

/* Finds a document by name, for extends and groups. NULL: there is none (the policy then has a problem with the place of
 * the name), or it is broken (its problems have been added). Documents live at least as long as the policy. */
struct policy_finder {
	void *context;
	const struct policy_doc *(*find)(void *context, enum policy_doc_kind kind, const char *name,
					 struct problems *problems);
	/* For nearest words: the names there are, by index; NULL at the end. */
	const char *(*name)(void *context, enum policy_doc_kind kind, size_t index);
};

struct policy_layers {
	const struct policy_doc *const *system;	  /* NULL-terminated, in order of file name; or NULL */
	const struct policy_doc *const *user;	  /* NULL-terminated; or NULL */
	const struct policy_doc *const *profiles; /* what the run asked for, left to right, NULL-terminated */
	const struct policy_doc *project;	  /* or NULL */
	const struct policy_doc *flags;		  /* or NULL */
	struct policy_finder finder;
};

/* problems is not NULL. Errors: PARSE (problems has the places: unknown names, cycles, depth, a project or flag that widens, a required group
 * taken out, a deny lifted by who may not), LIMIT (65,536 entries), NOMEM. */
MUST_USE enum berm_code policy_make(const struct policy_layers *layers, const struct policy_input *input,
				    struct policy **ret_policy, struct problems *problems, struct berm_err *err);
void policy_free(struct policy *policy);

/* Is this word the setting's value? False where nothing is said. */
bool policy_says(const struct policy *policy, enum policy_key key, const char *word);

/* "groups/git.yaml:7:5" into ret. */
void policy_entry_place(const struct policy_entry *entry, char *ret, size_t size);
/* The line as it would stand in a file, "filesystem.deny: ~/.ssh". */
void policy_entry_text(const struct policy_entry *entry, struct buf *out);

#endif
