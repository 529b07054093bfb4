/*
 * Capabilities as the plan reads them: what the setters of berm.h were given, checked and copied, in the order in which
 * it was given, each line with its words. Nothing here looks at the machine but for the current folder.
 */
#ifndef BERM_SANDBOX_CAPS_H
#define BERM_SANDBOX_CAPS_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/glob.h"
#include "base/vec.h"
#include "berm/berm.h"

enum { CAPS_MAX_LINES = 8192 };

enum cap_kind {
	CAP_GRANT,   /* path, rights, extent */
	CAP_NARROW,  /* path, rights: DENY or PROTECT, extent */
	CAP_REPLACE, /* path */
	CAP_ASK,     /* path, rights: without BERM_ASK; extent */
	CAP_RULE,    /* rule */
	CAP_SOCKET,  /* path */
	CAP_SCRATCH, /* path, variable */
	CAP_LIMIT,   /* which: enum berm_limit */
	CAP_EXTRA,   /* which: enum berm_extra */
	CAP_VIEW,
	CAP_BACKEND,
};

/* Texts and compiled patterns of capabilities. Nothing in it ever changes once it is made, so plans of any thread go on
 * using it when the capabilities are gone; the last user frees it. */
struct cap_store {
	atomic_uint users;
	struct arena arena;
	struct vec globs; /* struct glob *, owned */
};
struct cap_store *cap_store_keep(struct cap_store *store); /* returns store */
void cap_store_drop(struct cap_store *store);		   /* takes NULL */

/* A rule whose pattern has no wildcard, or only "**" as its last part, is a literal: path and tree, no glob. */
struct cap_rule {
	struct str pattern;	    /* as given */
	struct str path;	    /* of a literal, else empty */
	bool tree;		    /* literal: and all below it */
	struct glob *glob, *except; /* NULL: literal; no exception */
	const char *except_text;    /* or NULL */
	unsigned right;
	const char *beside; /* or NULL */
	bool mkdir_only, in_place, removable;
	berm_judge judge;
	berm_judge_change judge_change;
	size_t judge_max_bytes;
	const char *label;
};

struct cap_line {
	enum cap_kind kind;
	unsigned rights;
	enum berm_extent extent;
	struct str path; /* absolute, as written; NUL-terminated */
	const char
		*text; /* the line in words: "read+write /home/u/p"; NULL for what has a value that may be set anew */
	const char *variable;  /* CAP_SCRATCH; or NULL */
	struct cap_rule *rule; /* CAP_RULE */
	unsigned which;
};

enum { CAPS_MAX_CONTENTS = 16, CAPS_MAX_CONTENT = 64 * 1024 };
struct cap_content {
	const char *path; /* absolute, as written */
	const char *bytes;
	size_t len;
};

struct berm_caps {
	struct cap_store *store;
	struct vec lines;    /* struct cap_line */
	char absolute[4096]; /* PATH_MAX bytes, while a relative path is made absolute */
	enum berm_network network;
	enum berm_view view;
	enum berm_backend backend;
	bool tell_all, allow_asked;
	struct cap_content contents[CAPS_MAX_CONTENTS];
	size_t content_count;
	bool extra[BERM_EXTRA_COUNT];
	uint64_t limit[BERM_LIMIT_COUNT];
};

/* The words of a line, "limit memory=8GiB" for example, into size bytes: its text, or its present value. */
void caps_line_text(const struct berm_caps *caps, const struct cap_line *line, char *ret_text, size_t size);

#endif
