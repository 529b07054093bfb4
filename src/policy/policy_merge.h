/* The steps of policy_make, between its own files only: documents are collected, their lines become entries, layers are
 * held against each other, settings are chosen. Each step adds to problems what is wrong and goes on. */
#ifndef BERM_POLICY_POLICY_MERGE_H
#define BERM_POLICY_POLICY_MERGE_H

#include "policy/input.h"
#include "policy/policy.h"
#include "policy/policy_vars.h"

enum {
	MERGE_MAX_ENTRIES = 65536,
	MERGE_MAX_DOCS = 1024,
	MERGE_MAX_DEPTH = 10,
	MERGE_MAX_VOTES = 4096,		      /* lines of groups: */
	MERGE_MAX_MEMORY = 128 * 1024 * 1024, /* of a policy */
	MERGE_MAX_EXCEPTS = 64,		      /* of a line */
};

/* A document that takes part. strength: of two settings that of the stronger document counts. */
struct merge_doc {
	const struct policy_doc *doc;
	enum policy_layer layer;
	uint32_t strength;
	const char *via;
	bool out; /* a group that was taken out again */
};
/* Beyond every strength that a document of a profile or of the user's own files has. */
enum { MERGE_STRENGTH_PROFILE = 1U << 16, MERGE_STRENGTH_USER = 2U << 16, MERGE_STRENGTH_FLAGS = 3U << 16 };

struct merge {
	const struct policy_layers *layers;
	const struct policy_input *input;
	struct policy *policy;
	struct problems *problems;
	struct berm_err *err;
	struct policy_vars vars;
	struct merge_doc *docs;
	size_t doc_count, doc_cap, vote_count;
	uint32_t sequence;
	const char *network;	      /* the mode, for conditions; NULL: not known yet */
	bool asks_network;	      /* which documents there are depends on it */
	struct policy_entry *entries; /* while they are made, in no order of layers */
	size_t entry_count, entry_cap;
};

/* ---- policy_merge.c: which documents ---- */

/* Errors: LIMIT, NOMEM. */
MUST_USE enum berm_code merge_collect(struct merge *merge);

/* ---- policy_merge_when.c: conditions ---- */

bool merge_holds(const struct merge *merge, const struct policy_line *line);
/* The same, but what the network's mode decides is false as long as that is not known, and said. */
bool merge_holds_early(struct merge *merge, const struct policy_line *line);

/* ---- policy_merge_lines.c: entries ---- */

/* Lines become policy->entries, sorted by layer. Errors: LIMIT, NOMEM. */
MUST_USE enum berm_code merge_entries(struct merge *merge);

/* ---- policy_merge_layers.c: who may what ---- */

/* May a project's file have this line? (settings are looked at later) */
bool merge_narrows(const struct policy_line *line);
/* Adds a problem for a line of a project's file that widens. */
void merge_refuse(struct merge *merge, const struct policy_doc *doc, const struct policy_line *line);
/* What the system's files grant is a maximum. Errors: those of glob_new. */
MUST_USE enum berm_code merge_ceiling(struct merge *merge);
/* A project asks only where it would be granted or asked anyway. */
void merge_check_asks(struct merge *merge);

/* ---- policy_merge_lift.c: overrides, and grants of what is denied ---- */

MUST_USE enum berm_code merge_overrides(struct merge *merge);
MUST_USE enum berm_code merge_check_grants(struct merge *merge);

/* ---- policy_merge_settings.c ---- */

/* policy->setting, and which environment.set counts. */
MUST_USE enum berm_code merge_settings(struct merge *merge);
/* The network's mode that the documents' lines give. */
const char *merge_network(const struct merge *merge);
/* How wide a value is: less is narrower. False: the key has no order. */
bool merge_width(enum policy_key key, const char *text, uint64_t *ret_width);

/* ---- shared ---- */

uint32_t merge_strength(const struct merge *merge, const struct policy_entry *entry);
struct place merge_place(const struct policy_doc *doc, const struct policy_line *line);
enum berm_code merge_no_memory(struct merge *merge);

#endif
