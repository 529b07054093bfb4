#include "base/glob.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "base/vec.h"

#define MAX_PATTERN 4096 /* PATH_MAX: a longer one matches nothing that exists */
#define MAX_ALTERNATIVES 64

/* A pattern is compiled once: braces are expanded to alternatives, an alternative is cut into segments at '/', and a
 * segment with wildcards is a row of tokens. Matching then is two loops of the same form, one over the segments of a
 * path and one over the bytes of a segment, each of which remembers only its last star. */

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
	size_t first, len; /* of segments */
};

struct glob {
	struct vec alternatives, segments, tokens, sets;
	struct buf text; /* "/segment" for each literal segment, so the text of a literal pattern is its path */
	bool literal;
};

/* ---- braces ---------------------------------------------------------------------------------------------------- */

static void free_texts(struct vec *texts)
{
	for (size_t i = 0; i < texts->len; i++)
		free(*(char **)vec_at(texts, i));
	vec_done(texts);
}

/* The first group that no other group holds; *ret_close is 0 if there is none. */
static enum berm_code find_group(const char *text, size_t *ret_open, size_t *ret_close, struct berm_err *err)
{
	size_t depth = 0;
	*ret_close = 0;
	for (size_t i = 0; text[i] != '\0'; i++) {
		if (text[i] == '\\' && text[i + 1] != '\0') {
			i++;
		} else if (text[i] == '{') {
			if (depth++ == 0)
				*ret_open = i;
		} else if (text[i] == '}') {
			if (depth == 0)
				return err_set(err, BERM_ERR_PARSE, "'}' without '{'");
			if (--depth == 0) {
				*ret_close = i;
				return BERM_OK;
			}
		}
	}
	return depth == 0 ? BERM_OK : err_set(err, BERM_ERR_PARSE, "'{' without '}'");
}

/* Where the alternative that starts at begin ends: at a comma of this group, or at its close. */
static size_t find_alternative_end(const char *text, size_t begin, size_t close)
{
	size_t depth = 0, i;
	for (i = begin; i < close; i++) {
		if (text[i] == '\\')
			i++;
		else if (text[i] == '{')
			depth++;
		else if (text[i] == '}')
			depth--;
		else if (text[i] == ',' && depth == 0)
			break;
	}
	return i;
}

static enum berm_code push_text(struct vec *texts, struct str head, struct str middle, struct str tail,
				struct berm_err *err)
{
	auto_buf struct buf buf = {0};
	buf_init(&buf, MAX_PATTERN);
	buf_put_str(&buf, head);
	buf_put_str(&buf, middle);
	buf_put_str(&buf, tail);
	TRY(buf_check(&buf, err));
	auto_free char *text = buf_take(&buf);
	if (text == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	if (texts->len == texts->max)
		return err_set(err, BERM_ERR_LIMIT, "more than %d alternatives", MAX_ALTERNATIVES);
	TRY(vec_push(texts, &text, err));
	(void)take(text);
	return BERM_OK;
}

/* Replaces texts[index], which has a group from open to close, by its alternatives. */
static enum berm_code split_group(struct vec *texts, size_t index, size_t open, size_t close, struct berm_err *err)
{
	auto_free char *text = *(char **)vec_at(texts, index);
	vec_remove(texts, index);
	struct str head = {text, open};
	struct str tail = str_from(text + close + 1);
	size_t begin = open + 1, end;
	do {
		end = find_alternative_end(text, begin, close);
		TRY(push_text(texts, head, (struct str){text + begin, end - begin}, tail, err));
		begin = end + 1;
	} while (end < close);
	return BERM_OK;
}

static enum berm_code expand_braces(struct str pattern, struct vec *texts, struct berm_err *err)
{
	TRY(push_text(texts, pattern, STR(""), STR(""), err));
	size_t done = 0;
	while (done < texts->len) {
		size_t open = 0, close;
		TRY(find_group(*(char **)vec_at(texts, done), &open, &close, err));
		if (close == 0)
			done++;
		else
			TRY(split_group(texts, done, open, close, err));
	}
	return BERM_OK;
}

/* ---- segments -------------------------------------------------------------------------------------------------- */

static void set_add(struct set *set, uint8_t byte)
{
	set->bits[byte / 8] |= (uint8_t)(1U << (byte % 8));
}

static bool set_has(const struct set *set, uint8_t byte)
{
	return (set->bits[byte / 8] >> (byte % 8) & 1) != 0;
}

/* One byte of a set, which may be escaped; advances *at. */
static enum berm_code parse_set_byte(struct str text, size_t *at, uint8_t *ret_byte, struct berm_err *err)
{
	if (*at < text.len && text.ptr[*at] == '\\')
		(*at)++;
	if (*at >= text.len)
		return err_set(err, BERM_ERR_PARSE, "'[' without ']'");
	*ret_byte = (uint8_t)text.ptr[(*at)++];
	return BERM_OK;
}

/* What follows '['. Leaves *at behind the ']'. A ']' that comes first is a member. */
static enum berm_code parse_set(struct glob *glob, struct str text, size_t *at, struct berm_err *err)
{
	struct set set = {0};
	struct token token = {.kind = TOKEN_SET, .set = (uint16_t)glob->sets.len};
	if (*at < text.len && text.ptr[*at] == '^')
		return err_set(err, BERM_ERR_PARSE, "'[^' is not known: write '[!' or '[\\^'");
	if (*at < text.len && text.ptr[*at] == '!') {
		token.kind = TOKEN_NOT_SET;
		(*at)++;
	}
	for (bool first = true; first || *at >= text.len || text.ptr[*at] != ']'; first = false) {
		uint8_t low, high;
		TRY(parse_set_byte(text, at, &low, err));
		high = low;
		if (*at + 1 < text.len && text.ptr[*at] == '-' && text.ptr[*at + 1] != ']') {
			(*at)++;
			TRY(parse_set_byte(text, at, &high, err));
		}
		if (high < low)
			return err_set(err, BERM_ERR_PARSE, "range '%c-%c' is upside down", low, high);
		for (unsigned byte = low; byte <= high; byte++)
			set_add(&set, (uint8_t)byte);
	}
	(*at)++;
	TRY(vec_push(&glob->sets, &set, err));
	return vec_push(&glob->tokens, &token, err);
}

/* The token that starts at *at; *at is left behind it. */
static enum berm_code parse_token(struct glob *glob, struct str text, size_t *at, struct berm_err *err)
{
	struct token token = {.kind = TOKEN_BYTE, .byte = (uint8_t)text.ptr[(*at)++]};
	if (token.byte == '[')
		return parse_set(glob, text, at, err);
	if (token.byte == '\\') {
		if (*at == text.len)
			return err_set(err, BERM_ERR_PARSE, "'\\' escapes nothing");
		token.byte = (uint8_t)text.ptr[(*at)++];
	} else if (token.byte == '*') {
		token.kind = TOKEN_STAR;
		while (*at < text.len && text.ptr[*at] == '*')
			(*at)++;
	} else if (token.byte == '?') {
		token.kind = TOKEN_ANY;
	}
	return vec_push(&glob->tokens, &token, err);
}

/* Moves the tokens from first on, which are bytes only, to the text. *ret_keep: false for ".", which is no segment. */
static enum berm_code make_literal(struct glob *glob, size_t first, struct segment *ret_segment, bool *ret_keep,
				   struct berm_err *err)
{
	size_t begin = glob->text.len;
	buf_putc(&glob->text, '/');
	for (size_t i = first; i < glob->tokens.len; i++)
		buf_putc(&glob->text, (char)((const struct token *)vec_at(&glob->tokens, i))->byte);
	glob->tokens.len = first;
	TRY(buf_check(&glob->text, err));
	struct str name = {glob->text.data + begin + 1, glob->text.len - begin - 1};
	if (str_eq(name, STR("..")))
		return err_set(err, BERM_ERR_INVALID, "'..' is not allowed in a pattern");
	*ret_keep = !str_eq(name, STR("."));
	if (!*ret_keep)
		glob->text.len = begin;
	*ret_segment = (struct segment){SEGMENT_LITERAL, (uint32_t)(begin + 1), (uint32_t)name.len};
	return BERM_OK;
}

static enum berm_code add_segment(struct glob *glob, struct str text, struct berm_err *err)
{
	struct segment segment = {SEGMENT_DEEP, 0, 0};
	bool keep = true;
	if (!str_eq(text, STR("**"))) {
		size_t first = glob->tokens.len, at = 0;
		bool plain = true;
		while (at < text.len) {
			TRY(parse_token(glob, text, &at, err));
			plain = plain &&
				((const struct token *)vec_at(&glob->tokens, glob->tokens.len - 1))->kind == TOKEN_BYTE;
		}
		segment = (struct segment){SEGMENT_TOKENS, (uint32_t)first, (uint32_t)(glob->tokens.len - first)};
		if (plain)
			TRY(make_literal(glob, first, &segment, &keep, err));
	}
	if (segment.kind != SEGMENT_LITERAL)
		glob->literal = false;
	return keep ? vec_push(&glob->segments, &segment, err) : BERM_OK;
}

static enum berm_code add_alternative(struct glob *glob, struct str text, struct berm_err *err)
{
	struct str rest = text, name;
	if (!str_starts(text, STR("/")) && !str_starts(text, STR("**/")) && !str_eq(text, STR("**")))
		return err_set(err, BERM_ERR_INVALID, "a pattern starts with '/' or '**/'");
	struct alternative alternative = {.first = glob->segments.len};
	while (str_next(&rest, '/', &name)) {
		if (name.len > 0)
			TRY(add_segment(glob, name, err));
	}
	alternative.len = glob->segments.len - alternative.first;
	return vec_push(&glob->alternatives, &alternative, err);
}

static enum berm_code compile(struct glob *glob, struct str pattern, struct berm_err *err)
{
	if (memchr(pattern.ptr, '\0', pattern.len) != NULL)
		return err_set(err, BERM_ERR_PARSE, "it holds a NUL byte");
	__attribute__((cleanup(free_texts))) struct vec texts = {0};
	vec_init(&texts, sizeof(char *), MAX_ALTERNATIVES);
	TRY(expand_braces(pattern, &texts, err));
	glob->literal = texts.len == 1;
	for (size_t i = 0; i < texts.len; i++)
		TRY(add_alternative(glob, str_from(*(char **)vec_at(&texts, i)), err));
	return BERM_OK;
}

static void drop_glob(struct glob **glob)
{
	glob_free(*glob);
}

enum berm_code glob_new(struct str pattern, struct glob **ret_glob, struct berm_err *err)
{
	struct berm_err local;
	if (err == NULL)
		err = &local;
	if (pattern.len == 0)
		return err_set(err, BERM_ERR_INVALID, "empty pattern");
	if (pattern.len > MAX_PATTERN)
		return err_set(err, BERM_ERR_LIMIT, "pattern is longer than %d bytes", MAX_PATTERN);
	__attribute__((cleanup(drop_glob))) struct glob *glob = calloc(1, sizeof(*glob));
	if (glob == NULL)
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	const size_t max = (size_t)MAX_ALTERNATIVES * MAX_PATTERN;
	vec_init(&glob->alternatives, sizeof(struct alternative), MAX_ALTERNATIVES);
	vec_init(&glob->segments, sizeof(struct segment), max);
	vec_init(&glob->tokens, sizeof(struct token), max);
	vec_init(&glob->sets, sizeof(struct set), UINT16_MAX); /* as many as struct token can name */
	buf_init(&glob->text, max);
	if (compile(glob, pattern, err) != BERM_OK)
		return err_wrap(err, "pattern '%.*s'", (int)(pattern.len < 100 ? pattern.len : 100), pattern.ptr);
	*ret_glob = take(glob);
	return BERM_OK;
}

void glob_free(struct glob *glob)
{
	if (glob == NULL)
		return;
	vec_done(&glob->alternatives);
	vec_done(&glob->segments);
	vec_done(&glob->tokens);
	vec_done(&glob->sets);
	buf_done(&glob->text);
	free(glob);
}

/* ---- matching -------------------------------------------------------------------------------------------------- */

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static uint8_t upper(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c & ~0x20) : c;
}

static const struct segment *segment_at(const struct glob *glob, size_t index)
{
	return (const struct segment *)glob->segments.items + index;
}

static bool token_accepts(const struct glob *glob, const struct token *token, uint8_t byte)
{
	switch ((enum token_kind)token->kind) {
	case TOKEN_BYTE:
		return token->byte == byte;
	case TOKEN_ANY:
		return true;
	case TOKEN_SET:
	case TOKEN_NOT_SET: {
		const struct set *set = (const struct set *)glob->sets.items + token->set;
		return set_has(set, byte) == (token->kind == TOKEN_SET);
	}
	case TOKEN_STAR:
	default:
		return false;
	}
}

/* Folding only ever adds matches: a byte is accepted if it would be in either case. */
static bool token_accepts_folded(const struct glob *glob, const struct token *token, uint8_t byte)
{
	return token_accepts(glob, token, lower(byte)) || token_accepts(glob, token, upper(byte));
}

static bool tokens_match(const struct glob *glob, const struct segment *segment, struct str name, bool fold)
{
	const struct token *token = (const struct token *)glob->tokens.items + segment->first;
	const struct token *end = token + segment->len, *star = NULL;
	bool (*accepts)(const struct glob *, const struct token *, uint8_t) =
		fold ? token_accepts_folded : token_accepts;
	size_t at = 0, star_at = 0;
	while (at < name.len) {
		if (token < end && token->kind == TOKEN_STAR) {
			star = ++token;
			star_at = at;
		} else if (token < end && accepts(glob, token, (uint8_t)name.ptr[at])) {
			token++;
			at++;
		} else if (star != NULL) {
			token = star;
			at = ++star_at;
		} else {
			return false;
		}
	}
	while (token < end && token->kind == TOKEN_STAR)
		token++;
	return token == end;
}

static bool segment_matches(const struct glob *glob, const struct segment *segment, struct str name, bool fold)
{
	if (segment->kind == SEGMENT_TOKENS)
		return tokens_match(glob, segment, name, fold);
	struct str text = {glob->text.data + segment->first, segment->len};
	return fold ? str_eq_nocase(text, name) : str_eq(text, name);
}

/* The next name of a path; *rest is left behind the '/' that ends it. */
static bool next_name(struct str *rest, struct str *ret_name)
{
	while (rest->len > 0 && rest->ptr[0] == '/')
		*rest = (struct str){rest->ptr + 1, rest->len - 1};
	return str_next(rest, '/', ret_name);
}

static struct str last_name(struct str path)
{
	while (path.len > 0 && path.ptr[path.len - 1] == '/')
		path.len--;
	const char *slash = memrchr(path.ptr, '/', path.len);
	size_t begin = slash != NULL ? (size_t)(slash - path.ptr) + 1 : 0;
	return (struct str){path.ptr + begin, path.len - begin};
}

static bool alternative_matches(const struct glob *glob, const struct alternative *alternative, struct str path,
				bool fold)
{
	size_t at = alternative->first, end = at + alternative->len;
	size_t deep = end; /* behind the last "**" that was passed; none yet */
	struct str rest = path, deep_rest = STR(""), name;
	for (;;) {
		if (at < end && segment_at(glob, at)->kind == SEGMENT_DEEP) {
			if (++at == end)
				return true;
			deep = at;
			deep_rest = rest;
			continue;
		}
		struct str next = rest;
		if (!next_name(&next, &name))
			return at == end;
		if (at < end && segment_matches(glob, segment_at(glob, at), name, fold)) {
			at++;
			rest = next;
		} else if (next_name(&deep_rest, &name)) {
			at = deep;
			rest = deep_rest;
		} else {
			return false;
		}
	}
}

/* Most paths differ from most patterns in their last name: that is looked at before anything else. */
static bool may_end_with(const struct glob *glob, const struct alternative *alternative, struct str name, bool fold)
{
	if (alternative->len == 0)
		return name.len == 0;
	const struct segment *last = segment_at(glob, alternative->first + alternative->len - 1);
	return last->kind == SEGMENT_DEEP || segment_matches(glob, last, name, fold);
}

bool glob_match(const struct glob *glob, struct str path, bool fold_case)
{
	if (!str_starts(path, STR("/")))
		return false;
	struct str name = last_name(path);
	const struct alternative *alternatives = glob->alternatives.items;
	for (size_t i = 0; i < glob->alternatives.len; i++) {
		if (may_end_with(glob, &alternatives[i], name, fold_case) &&
		    alternative_matches(glob, &alternatives[i], path, fold_case))
			return true;
	}
	return false;
}

/* Whatever follows a "**" can be met by names that are still free to choose. */
static bool may_go_on_below(const struct glob *glob, const struct alternative *alternative, struct str path, bool fold)
{
	size_t at = alternative->first, end = at + alternative->len;
	struct str rest = path, name;
	for (; at < end && segment_at(glob, at)->kind != SEGMENT_DEEP; at++) {
		if (!next_name(&rest, &name))
			return true;
		if (!segment_matches(glob, segment_at(glob, at), name, fold))
			return false;
	}
	return at < end;
}

bool glob_may_match_below(const struct glob *glob, struct str path, bool fold_case)
{
	if (!str_starts(path, STR("/")))
		return false;
	const struct alternative *alternatives = glob->alternatives.items;
	for (size_t i = 0; i < glob->alternatives.len; i++) {
		if (may_go_on_below(glob, &alternatives[i], path, fold_case))
			return true;
	}
	return false;
}

static size_t leading_deep(const struct glob *glob, const struct alternative *alternative)
{
	size_t deep = 0;
	while (deep < alternative->len && segment_at(glob, alternative->first + deep)->kind == SEGMENT_DEEP)
		deep++;
	return deep;
}

static bool alternative_enters(const struct glob *glob, const struct alternative *alternative, struct str path,
			       bool fold)
{
	size_t len = alternative->len;
	bool open = len > 0 && segment_at(glob, alternative->first + len - 1)->kind == SEGMENT_DEEP;
	for (size_t part = leading_deep(glob, alternative) + 1; part < len + open; part++) {
		struct alternative beginning = {alternative->first, part};
		if (alternative_matches(glob, &beginning, path, fold))
			return true;
	}
	return false;
}

bool glob_enters(const struct glob *glob, struct str path, bool fold_case)
{
	if (!str_starts(path, STR("/")))
		return false;
	const struct alternative *alternatives = glob->alternatives.items;
	for (size_t i = 0; i < glob->alternatives.len; i++) {
		if (alternative_enters(glob, &alternatives[i], path, fold_case))
			return true;
	}
	return false;
}

size_t glob_reach(const struct glob *glob)
{
	size_t reach = 0;
	const struct alternative *alternatives = glob->alternatives.items;
	for (size_t i = 0; i < glob->alternatives.len; i++) {
		size_t deep = leading_deep(glob, &alternatives[i]);
		for (size_t k = deep; k < alternatives[i].len; k++) {
			if (segment_at(glob, alternatives[i].first + k)->kind == SEGMENT_DEEP)
				return SIZE_MAX;
		}
		if (alternatives[i].len - deep > reach)
			reach = alternatives[i].len - deep;
	}
	return reach;
}

bool glob_literal(const struct glob *glob, struct str *ret_path)
{
	if (!glob->literal)
		return false;
	*ret_path = glob->text.len > 0 ? buf_str(&glob->text) : STR("/");
	return true;
}
