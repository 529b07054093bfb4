/* A compiled pattern, for glob.c and glob_compile.c only: braces are expanded to alternatives, an alternative is cut into
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

#endif
