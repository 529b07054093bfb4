/* What the parts of policy_caps share. Not for others. */
#ifndef BERM_POLICY_RESOLVE_BUILD_H
#define BERM_POLICY_RESOLVE_BUILD_H

#include "base/arena.h"
#include "base/glob_trie.h"
#include "base/vec.h"
#include "policy/floor.h"
#include "policy/path_table.h"
#include "policy/resolve.h"

enum { CLAIM_NAMES = 4 };

/* What a line grants: a path, or (rights 0) a socket. */
struct claim {
	const char *path;
	/* How lines that close it may call it: as it is, with the home folder as the user has it; and where it leads, if a
	 * person wrote it, in both ways. */
	struct str names[CLAIM_NAMES];
	size_t name_count;
	unsigned
		part; /* set of 1 << index: the name is of a part of it, the home folder, that is called otherwise as well */
	unsigned rights;
	enum berm_extent extent;
	const struct policy_entry *entry; /* NULL: the run's own */
	const char *words;		  /* of the run's own: what it is */
	bool asked;			  /* granted only if it is asked for */
	bool dropped;			  /* closed by a line that nobody overrode */
};

/* What a line closes: deny, ask, or an entry of the floor. */
struct closing {
	const char *pattern;   /* as it goes to the capabilities */
	struct str stem;       /* its beginning without wildcards; a literal's path */
	struct str key;	       /* of a pattern that holds anywhere: a name that what it matches has; empty: none */
	bool literal;	       /* no wildcard: the path and all below it */
	unsigned rights;       /* BERM_DENY; BERM_PROTECT where only changing is taken away */
	bool compiled;	       /* glob and excepts are made */
	struct glob *glob;     /* NULL: literal */
	struct glob **excepts; /* NULL-terminated */
	bool wanted;	       /* a grant lies around it, or in it in parts */
	bool named;	       /* a grant lies in its exceptions: they count */
	bool below;	       /* the folder itself is granted, for what is excepted in it */
	const struct policy_entry *entry; /* NULL: of the floor */
	const struct floor_row *row;
};

struct building {
	const struct policy_input *input;
	const struct policy *policy;
	const char *home;      /* without a slash at its end; NULL: none */
	const char *real_home; /* the same without links; NULL: none, or no other */
	struct berm_caps *caps;
	struct policy_origins *origins; /* or NULL */
	struct problems *problems;	/* or NULL */
	struct berm_err *err;
	enum berm_code failed; /* of lines that cannot be held; OK: none so far */
	struct arena arena;
	struct vec claims, closings; /* struct claim, struct closing */
	struct vec globs;	     /* struct glob *, owned */
	struct path_table claim_table, closing_table, key_table;
	struct closing_globs *many; /* NULL: few enough to be looked at one by one */
	size_t key_count;
	bool has_trees; /* a tree is granted */
	struct {
		bool all, home; /* something around everything, around the home folder is granted */
		uint64_t names,
			home_names; /* first names of what is granted, and of that in the home folder: sets of 64 */
	} reach;
	bool deletes_by_line;	       /* delete lines say where removing is allowed */
	bool asks;		       /* somebody is asked */
	bool writable;		       /* something can be changed */
	bool looked_at_etc, reads_etc; /* the user reads what others may not */
	unsigned workspace_rights;
};

/* A line that cannot be held: told, with the others, when all have been looked at. entry NULL: a line of the run's own.
 * hint: what to try, or NULL. */
void resolve_complain(struct building *b, enum berm_code code, const struct policy_entry *entry, const char *hint,
		      const char *format, ...) PRINTF_LIKE(5, 6);
/* The way out where the text of a pattern is refused, which the loader has looked at by itself. */
#define RESOLVE_SHORTER "a shorter pattern, or several lines: what '~', '.' and variables stand for counts as well"
/* What libberm says to a capability of the entry (not of the run's own): an error is told where the line stands. Returns
 * code. */
MUST_USE enum berm_code resolve_told(struct building *b, enum berm_code code, const struct policy_entry *entry,
				     const char *hint);
/* The capability added last is the entry's; NULL: the run's own, in words. */
MUST_USE enum berm_code resolve_note(struct building *b, const struct policy_entry *entry, const char *words);
/* "'filesystem.deny: ~/.ssh' (groups/credentials.yaml:9:7)". */
void resolve_entry_words(const struct policy_entry *entry, char *ret, size_t size);
bool resolve_is_shipped(const struct policy_entry *entry);
enum berm_extent resolve_extent(const struct policy_entry *entry);
/* What denials call the line. */
const char *resolve_label(const struct policy_entry *entry);

/* A pattern without wildcards, or with none but a "**" as its last part (*ret_tree), as a path, in the arena if it has to be
 * changed. *ret_path is NULL if there are others. Errors: NOMEM. */
MUST_USE enum berm_code resolve_literal(struct building *b, const char *pattern, const char **ret_path, bool *ret_tree);
/* How much of a pattern is a path without wildcards, in whole segments. */
size_t resolve_stem_len(const char *pattern);

/* Is everything that is asked for allowed, so that no line closes for being one that asks? */
bool resolve_allows_asked(const struct policy *policy);
/* Does this line that asks close what it names: nobody is asked, or it names a pattern, or something in what is granted, where no
 * question comes up? After resolve_claims_find. */
MUST_USE enum berm_code resolve_ask_closes(struct building *b, const struct policy_entry *entry, bool *ret_closes);
/* resolve_claims.c: what is granted. */
MUST_USE enum berm_code resolve_claims_find(struct building *b);
MUST_USE enum berm_code resolve_claims_put(struct building *b);
/* resolve_closings.c: what is closed. meet drops grants that lie in a closed place, tells of those that a person wrote,
 * and finds which closings are needed. */
MUST_USE enum berm_code resolve_closings_find(struct building *b);
MUST_USE enum berm_code resolve_closings_meet(struct building *b);
MUST_USE enum berm_code resolve_closings_put(struct building *b);
/* Is a path neither closed, nor around what is closed? */
MUST_USE enum berm_code resolve_closings_clear(struct building *b, const char *path, bool *ret_clear);
/* resolve_globs.c: closings with wildcards in their paths, where there are many of them: b->many. Errors: PARSE, LIMIT,
 * NOMEM. */
MUST_USE enum berm_code resolve_globs_find(struct building *b);
void resolve_globs_done(struct building *b);
/* Is it one of them? */
bool resolve_globs_has(const struct building *b, const struct closing *closing);
/* Calls found with the index of each whose pattern matches the name, or a folder above it; notes those that could match
 * below it, if the claim is a tree. */
void resolve_globs_meet(const struct building *b, const struct claim *claim, struct str name,
			bool (*found)(void *context, uint32_t value), void *context);
/* After all claims: what could match below one is wanted. */
void resolve_globs_want(struct building *b);
/* resolve_guards.c: what is protected. */
MUST_USE enum berm_code resolve_guards_put(struct building *b);
/* A rule with exceptions (NULL-terminated, or NULL). */
MUST_USE enum berm_code resolve_guards_rule(struct building *b, struct berm_rule rule, const char *const *excepts);
/* The same with a pattern that stands below a folder. */
MUST_USE enum berm_code resolve_guards_below(struct building *b, const char *folder, struct berm_rule rule,
					     const char *const *excepts);
/* resolve_settings.c: what has one value, and what this version cannot hold. */
MUST_USE enum berm_code resolve_settings_put(struct building *b);

#endif
