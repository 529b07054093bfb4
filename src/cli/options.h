/*
 * Command-line options as a table. One row makes the parser, --help, the option part of the man page, the completions
 * and the line that --explain shows. Nothing here prints, and no option lives in a global.
 *
 *   -q  --quiet  -r PATH  -rPATH  --read PATH  --read=PATH  -qv  --
 *
 * Options end at "--" or, unless the set says otherwise, at the first word that is none. Long options are not abbreviated: a script that says
 * --prot today must not mean something else tomorrow.
 */
#ifndef BERM_CLI_OPTIONS_H
#define BERM_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum option_kind {
	OPTION_FLAG = 0, /* bool at offset: true */
	OPTION_TEXT,	 /* const char * at offset: the value, borrowed from argv; the last one counts */
	OPTION_USE,	 /* each use is kept, in order: struct option_use */
	OPTION_HELP,	 /* parsing ends: help is wanted */
};

/* What completions offer for the value. */
enum option_complete { COMPLETE_NONE = 0, COMPLETE_PATH, COMPLETE_FOLDER, COMPLETE_WORDS };

struct option_row {
	char letter; /* or 0 */
	const char *name;
	enum option_kind kind;
	size_t offset; /* FLAG, TEXT: into the command's struct */
	int mark;      /* USE: what the command knows the row by */
	enum option_complete complete;
	const char *argument;	  /* what help calls the value; NULL: it takes none */
	const char *const *words; /* values that completions offer, NULL-terminated; or NULL */
	const char *help;	  /* what it does, lower case, no full stop */
	const char *line;	  /* the policy line that it is short for; or NULL */
	bool policy;		  /* says what the policy is, without being short for one line of it */
};

struct option_set {
	const struct option_row *rows;
	size_t count;
	/* Rows of this set that say what the policy is (line or policy) are options as well; the command's struct then
	 * begins with the one that their offsets point into. Or NULL. */
	const struct option_set *policy;
	bool anywhere; /* options may stand behind operands; "--" ends them */
};

/* All rows of a set: its own, then those of the policy; NULL past the end. */
const struct option_row *options_row(const struct option_set *set, size_t index);

struct option_use {
	const struct option_row *row;
	const char *value; /* borrowed from argv */
};

struct options {
	struct option_use *uses; /* options_done frees */
	size_t use_count;
	const char *const *rest; /* the operands, NULL-terminated; words borrowed from argv */
	const char **operands;	 /* what rest points to with anywhere; options_done frees */
	bool help;		 /* help was asked for; the rest was not looked at */
};

/* What to try instead, for the line under an error; "" if there is nothing. */
struct option_hint {
	char text[160];
};

/* argv: NULL-terminated, from the first word after the command's name. target: the command's struct, which the offsets
 * point into. *ret_hint is always set. Errors: INVALID (usage), LIMIT, NOMEM. */
MUST_USE enum berm_code options_parse(const struct option_set *set, const char *const *argv, void *target,
				      struct options *ret_options, struct option_hint *ret_hint, struct berm_err *err);
void options_done(struct options *options);

#define auto_options __attribute__((cleanup(options_done)))

#endif
