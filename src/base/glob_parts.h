/* A compiled pattern, for the files of base/glob only: braces are expanded to alternatives, an alternative is cut into
 * segments, and a segment with wildcards is a row of tokens. */
#ifndef BERM_BASE_GLOB_PARTS_H
#define BERM_BASE_GLOB_PARTS_H

#include "base/glob.h"

enum token_kind { TOKEN_BYTE, TOKEN_ANY, TOKEN_STAR, TOKEN_SET, TOKEN_NOT_SET };
struct token {
	uint8_t kind;
	uint8_t byte;
	uint16_t set; /* index into sets */
};
struct set {
	uint8_t bits[32];
};

enum segment_kind { SEGMENT_LITERAL, SEGMENT_TOKENS, SEGMENT_DEEP };
struct segment {
	enum segment_kind kind;
	uint32_t first; /* of text, or of tokens */
	uint32_t len;
};
struct alternative {
	uint32_t first, len; /* of segments */
};

/* One block of memory: the arrays lie behind it. */
struct glob {
	enum glob_kind kind;
	bool literal;
	uint32_t alternative_count, segment_count, token_count, set_count, text_len;
	struct alternative *alternatives;
	struct segment *segments;
	struct token *tokens;
	struct set *sets;
	char *text; /* "/segment" for each literal segment, so the text of a literal pattern is its path */
};

/* What is matched, name by name from the front. */
struct glob_names {
	struct str rest;
	const char *first;	  /* WORDS: not NULL before it was taken */
	const char *const *words; /* WORDS: those behind it; NULL: a text with separators */
	char separator;
};
bool glob_next_name(struct glob_names *names, struct str *ret_name);
char glob_separator(enum glob_kind kind);
/* Is it what the kind, which is not WORDS, is matched against? A final dot of a host is taken off. */
bool glob_is_subject(enum glob_kind kind, struct str *path);
bool glob_segment_matches(const struct glob *glob, const struct segment *segment, struct str name, bool fold);
bool glob_alternative_matches(const struct glob *glob, const struct alternative *alternative,
			      const struct glob_names *names, bool fold);
/* Could it match a path below this one? PATH and URL. */
bool glob_alternative_below(const struct glob *glob, const struct alternative *alternative, struct str path, bool fold);

#endif
